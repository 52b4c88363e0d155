//! A commit's differences, file by file, and what kind of lines they are.

use super::CHECKS;

/// What a commit changes in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileDiff<'a> {
    /// Its path, of a removed file the old one.
    pub(super) path: &'a str,
    /// Lines that are new, in order.
    added: Vec<&'a str>,
    /// Lines that are gone.
    removed: Vec<&'a str>,
    /// It is told in another way than by lines.
    opaque: bool,
}

/// Reads differences as `git diff` shows them.
pub(super) fn read(text: &str) -> Vec<FileDiff<'_>> {
    let mut files: Vec<FileDiff<'_>> = Vec::new();
    let mut in_hunk = false;
    for line in text.lines() {
        if line.starts_with("diff --git ") {
            files.push(FileDiff::default());
            in_hunk = false;
        }
        let Some(file) = files.last_mut() else { continue };
        if line.starts_with("@@ ") {
            in_hunk = true;
        } else if in_hunk {
            match line.split_at_checked(1) {
                Some(("+", rest)) => file.added.push(rest),
                Some(("-", rest)) => file.removed.push(rest),
                _ => {}
            }
        } else if let Some(path) = line.strip_prefix("--- a/").or_else(|| line.strip_prefix("+++ b/")) {
            file.path = path;
        } else {
            file.opaque |= line.starts_with("Binary files ") || line.starts_with("old mode ") || line.starts_with("Subproject ");
        }
    }
    files
}

impl FileDiff<'_> {
    /// The check that the file has more of, if it only has more checks; none inside where only comments and the like changed, none
    /// where something else did.
    pub(super) fn only_checks(&self) -> Option<Option<String>> {
        if self.opaque {
            return None;
        }
        let mut first = None;
        // How many parentheses of a check are open, and whether what follows is done where it fails.
        let (mut open, mut fails) = (0_i32, false);
        for line in self.added.iter().map(|line| line.trim()) {
            let check = check(line);
            if open > 0 || check.is_some() {
                open += parentheses(line);
                fails = fails || line.starts_with("if (");
                first = first.or(check);
            } else if fails && ends_the_way(line) {
                fails = false;
            } else if !says_nothing(line) {
                return None;
            }
        }
        let kept: Vec<String> = self.added.iter().map(|line| without_checks(line)).collect();
        let gone = |line: &&str| !says_nothing(line.trim()) && check(line).is_none() && !kept.contains(&without_checks(line));
        (!self.removed.iter().any(gone)).then_some(first)
    }

    /// Whether counters became such that are checked, and nothing else changed.
    pub(super) fn only_counts(&self) -> bool {
        let counters = |lines: &[&str]| {
            let mut lines: Vec<String> =
                lines.iter().map(|line| line.trim()).filter(|line| !says_nothing(line)).map(uncounted).collect();
            lines.sort();
            lines
        };
        let (added, removed) = (counters(&self.added), counters(&self.removed));
        let checked = |line: &&str| line.contains("refcount_") || line.contains("REFCOUNT_INIT");
        !self.opaque && added == removed && self.added.iter().any(checked)
    }
}

/// The check that a line makes.
fn check(line: &str) -> Option<String> {
    let called = line.match_indices('(').filter_map(|(at, _)| {
        let name = line[..at].rsplit(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).next()?;
        (!name.is_empty()).then_some(name)
    });
    let is_check = |name: &&str| {
        let shouts = !name.contains(|char: char| char.is_ascii_lowercase());
        let warns = ["WARN", "BUG", "ASSERT"].iter().any(|word| name.contains(word));
        shouts && warns || CHECKS.iter().any(|begin| name.starts_with(begin))
    };
    called.into_iter().find(is_check).map(str::to_owned)
}

/// A line without its checks, blanks and parentheses, to see whether something was only put into one.
fn without_checks(line: &str) -> String {
    let mut line = line.to_owned();
    while let Some(name) = check(&line) {
        line = line.replacen(&format!("{name}("), " ", 1);
    }
    line.chars().filter(|char| !char.is_whitespace() && !"()".contains(*char)).collect()
}

/// A line as it was before counters were checked.
fn uncounted(line: &str) -> String {
    line.replace("REFCOUNT_INIT", "ATOMIC_INIT").replace("refcount_", "atomic_")
}

fn parentheses(line: &str) -> i32 {
    line.chars().map(|char| i32::from(char == '(') - i32::from(char == ')')).sum()
}

/// What is done where a check fails.
fn ends_the_way(line: &str) -> bool {
    ["return", "goto ", "break;", "continue;"].iter().any(|begin| line.starts_with(begin))
}

/// Whether a line is no code: empty, a brace, a comment, an include.
fn says_nothing(line: &str) -> bool {
    let begins = ["//", "/*", "* ", "*/", "#include", "#if", "#else", "#endif"];
    matches!(line, "" | "{" | "}" | "*") || begins.iter().any(|begin| line.starts_with(begin))
}
