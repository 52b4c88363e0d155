//! The kernel's own tests in `tools/testing/selftests`: which programs a collection has, and what its kernel must have. Pure.

/// Suffixes of lists that hold for one architecture, as this machine's tests have them.
const OWN: &[&str] = if cfg!(target_arch = "aarch64") { &["arm64", "aarch64"] } else { &["x86_64", "x86"] };

/// A collection, by its Makefile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// Scripts.
    pub scripts: Vec<String>,
    /// Programs.
    pub programs: Vec<String>,
    /// Programs that tests use, which can be run by themselves.
    pub files: Vec<String>,
    /// Whether make computes more names than are written there.
    pub computed: bool,
}

impl Collection {
    /// Reads a Makefile; none where it is no collection's.
    pub fn of_makefile(text: &str) -> Option<Self> {
        let whole = text.replace("\\\n", " ");
        // Some bring rules of their own.
        let names = |line: &str| line.starts_with("TEST_PROGS") || line.starts_with("TEST_GEN_PROGS");
        if !whole.lines().any(|line| line.trim_start().starts_with("include") && line.contains("lib.mk") || names(line)) {
            return None;
        }
        let mut collection = Self::default();
        let mut computed = false;
        for line in whole.lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            let name = name.trim_end_matches([':', '+', '?', ' ', '\t']).trim();
            let list = match name {
                "TEST_PROGS" => &mut collection.scripts,
                "TEST_GEN_FILES" | "TEST_PROGS_EXTENDED" | "TEST_GEN_PROGS_EXTENDED" => &mut collection.files,
                "TEST_GEN_PROGS" | "TEST_GEN_PROGS_COMMON" | "TEST_CUSTOM_PROGS" => &mut collection.programs,
                _ if name.strip_prefix("TEST_GEN_PROGS_").is_some_and(|arch| OWN.contains(&arch)) => &mut collection.programs,
                _ => continue,
            };
            let value = value.split('#').next().unwrap_or_default().replace("$(OUTPUT)/", "");
            let (plain, calls) = without_calls(&value);
            // Lists that are read here may be put together.
            computed |= calls.iter().any(|call| !call.starts_with("TEST_GEN_PROGS") && !call.starts_with("TEST_PROGS"));
            for word in plain.split_whitespace().filter(|word| *word != "$") {
                if is_test(word) {
                    list.push(word.to_owned());
                } else {
                    computed = true;
                }
            }
        }
        collection.computed = computed || collection.tests().next().is_none();
        Some(collection)
    }

    /// Every test by name.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.scripts.iter().chain(&self.programs).map(String::as_str)
    }

    /// Whether the Makefile names a test or a program.
    pub fn has(&self, test: &str) -> bool {
        self.tests().chain(self.files.iter().map(String::as_str)).any(|known| known == test)
    }
}

/// `timers:posix_timers`, `net/forwarding` or `timers`: collection and test.
pub fn name(text: &str) -> Option<(&str, Option<&str>)> {
    let (collection, test) = text.split_once(':').map_or((text, None), |(collection, test)| (collection, Some(test)));
    let plain = !collection.is_empty()
        && collection.split('/').all(|part| is_name(part) && !part.starts_with('.'))
        && test.is_none_or(is_test);
    plain.then_some((collection, test))
}

/// A value of make's without what make puts in place of `$(…)`, and what stands in these.
fn without_calls(value: &str) -> (String, Vec<&str>) {
    let (mut plain, mut calls) = (String::new(), Vec::new());
    let mut rest = value;
    while let Some(at) = rest.find("$(") {
        plain += &rest[..at];
        let inside = &rest[at + 2..];
        let mut open = 1;
        let end = inside.find(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        });
        let end = end.unwrap_or(inside.len());
        calls.push(&inside[..end]);
        // A word with a call in it is no word.
        plain.push('$');
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    (plain + rest, calls)
}

/// How long a collection's tests may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many seconds.
    Stated(u64),
    /// As long as they like.
    Endless,
    /// Nothing is said: the runner's own limit (kselftest/runner.sh).
    Usual,
}

impl Limit {
    /// Reads a collection's `settings`.
    pub fn of_settings(settings: &str) -> Self {
        let stated = settings.lines().find_map(|line| line.trim().strip_prefix("timeout=")?.trim().parse().ok());
        match stated {
            Some(0) => Self::Endless,
            Some(seconds) => Self::Stated(seconds),
            None => Self::Usual,
        }
    }

    /// The seconds that a trial gets.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Stated(seconds) => seconds,
            Self::Endless => 3600,
            Self::Usual => 45,
        }
    }
}

/// A test's name, in a folder of its own perhaps.
pub(super) fn is_test(word: &str) -> bool {
    word.split('/').all(|part| is_name(part) && !part.starts_with('.'))
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
        let bare = Collection::of_makefile("TEST_GEN_PROGS := a\nall: $(TEST_GEN_PROGS)\n").expect("a collection");
        assert!(bare.has("a") && !bare.computed);
        assert!(collection.computed && collection.has("freq-step") && !collection.has("other"));
        let limit = Limit::of_settings;
        assert_eq!([limit("timeout=180\n"), limit(""), limit("timeout=0\n")], [Limit::Stated(180), Limit::Usual, Limit::Endless]);
    }

    #[test]
    fn lists_of_every_kind_are_read() {
        let read = |text: &str| Collection::of_makefile(&format!("{text}\ninclude ../lib.mk\n")).expect("a collection");
        let own = OWN[0];
        let several = read(&format!(
            "TEST_GEN_PROGS_COMMON = steal_time\nTEST_GEN_PROGS_{own} = $(TEST_GEN_PROGS_COMMON)\nTEST_GEN_PROGS_{own} += {own}/cpuid\n\
             TEST_GEN_PROGS_s390x = s390x/sync\nTEST_GEN_FILES += $(OUTPUT)/gup"
        ));
        assert_eq!(several.tests().collect::<Vec<_>>(), ["steal_time".to_owned(), format!("{own}/cpuid")]);
        assert!(!several.computed && several.has("gup") && !several.has("s390x/sync"));
        let computed = read("src := $(wildcard *_test.c)\nTEST_GEN_PROGS := $(src:.c=)");
        assert!(computed.computed && computed.tests().next().is_none());
        assert!(read("TARGETS_C := a b").computed);
        let shell = read("TEST_PROGS := $(shell awk '{print $(x)}' list | sed -e 's/$/.sh/') run.sh");
        assert_eq!((shell.tests().collect::<Vec<_>>(), shell.computed), (vec!["run.sh"], true));
    }

    #[test]
    fn names_are_told_from_paths() {
        assert_eq!(name("timers:posix_timers"), Some(("timers", Some("posix_timers"))));
        assert_eq!(name("net/forwarding"), Some(("net/forwarding", None)));
        assert_eq!(name("kvm:x86/cpuid"), Some(("kvm", Some("x86/cpuid"))));
        for text in ["", "../timers", "a b", "https://example.org/x", "timers:", "/timers", "x:../y"] {
            assert_eq!(name(text), None, "{text}");
        }
    }
}
