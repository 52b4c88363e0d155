//! The kernel's own tests in `tools/testing/selftests`: which programs a collection has, and what its kernel must have. Pure.

/// A collection, by its Makefile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// Scripts.
    pub scripts: Vec<String>,
    /// Programs that are built from the C file of the same name.
    pub programs: Vec<String>,
}

impl Collection {
    /// Reads a Makefile; none where it is no collection's.
    pub fn of_makefile(text: &str) -> Option<Self> {
        let whole = text.replace("\\\n", " ");
        if !whole.lines().any(|line| line.trim_start().starts_with("include") && line.contains("lib.mk")) {
            return None;
        }
        let mut collection = Self::default();
        for line in whole.lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            let list = match name.trim_end_matches([':', '+', '?', ' ', '\t']).trim() {
                "TEST_PROGS" => &mut collection.scripts,
                "TEST_GEN_PROGS" => &mut collection.programs,
                _ => continue,
            };
            let value = value.split('#').next().unwrap_or_default();
            list.extend(value.split_whitespace().filter(|word| is_name(word)).map(str::to_owned));
        }
        Some(collection)
    }

    /// Every test by name.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.scripts.iter().chain(&self.programs).map(String::as_str)
    }
}

/// `timers:posix_timers`, `net/forwarding` or `timers`: collection and test.
pub fn name(text: &str) -> Option<(&str, Option<&str>)> {
    let (collection, test) = text.split_once(':').map_or((text, None), |(collection, test)| (collection, Some(test)));
    let plain = !collection.is_empty()
        && collection.split('/').all(|part| is_name(part) && !part.starts_with('.'))
        && test.is_none_or(|test| is_name(test) && !test.starts_with('.'));
    plain.then_some((collection, test))
}

/// The seconds that a collection's `settings` gives each test; the runner's own 45 otherwise (kselftest/runner.sh).
pub fn seconds(settings: &str) -> u64 {
    let stated = settings.lines().find_map(|line| line.trim().strip_prefix("timeout=")?.trim().parse().ok());
    // 0 is for tests that may take as long as they like.
    stated.filter(|seconds| *seconds > 0).unwrap_or(if stated == Some(0) { 3600 } else { 45 })
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makefiles_say_what_there_is() {
        let text = "# SPDX-License-Identifier: GPL-2.0\nCFLAGS += -O2\nTEST_GEN_PROGS := posix_timers nanosleep \\\n\tfreq-step $(MORE)\nTEST_PROGS = run.sh # all\ninclude ../lib.mk\n";
        let collection = Collection::of_makefile(text).expect("a collection");
        assert_eq!(collection.tests().collect::<Vec<_>>(), ["run.sh", "posix_timers", "nanosleep", "freq-step"]);
        assert_eq!(Collection::of_makefile("all:\n\tcc x.c\n"), None);
        assert_eq!((seconds("timeout=180\n"), seconds(""), seconds("timeout=0\n")), (180, 45, 3600));
    }

    #[test]
    fn names_are_told_from_paths() {
        assert_eq!(name("timers:posix_timers"), Some(("timers", Some("posix_timers"))));
        assert_eq!(name("net/forwarding"), Some(("net/forwarding", None)));
        for text in ["", "../timers", "a b", "https://example.org/x", "timers:", "/timers", "x:../y"] {
            assert_eq!(name(text), None, "{text}");
        }
    }
}
