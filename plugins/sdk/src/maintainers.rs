//! The kernel's MAINTAINERS file: sections, and which of them a file or a text belongs to.
//!
//! Source of the format: the head of the file itself. `F:` and `X:` are globs (`*` and `?` never match a slash; a slash at the end
//! means everything below), `N:` and `K:` regular expressions on a path and on text.

pub mod person;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;

use regex_lite::Regex;
use regex_lite::RegexBuilder;

use person::Person;

/// What holds of a section beyond its people: how alive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Somebody is paid to look after it.
    Supported,
    /// Somebody looks after it.
    #[default]
    Maintained,
    /// Somebody looks at it now and then, or nobody does.
    Neglected,
}

/// A regular expression of an `N:` or `K:` line, compiled when it is first asked.
#[derive(Debug, Clone, Default)]
struct Pattern {
    text: String,
    compiled: OnceCell<Option<Regex>>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: OnceCell::new() }
    }

    /// Whether it is found in a text; one that cannot be read is never found.
    ///
    /// Compiling is the dear part, and there are hundreds: it is left out where a text that must occur does not.
    fn finds(&self, text: &str) -> bool {
        const LARGEST: usize = 1 << 18;
        if !text.contains(required(&self.text)) {
            return false;
        }
        let compile = || RegexBuilder::new(&self.text).size_limit(LARGEST).build().ok();
        self.compiled.get_or_init(compile).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// The longest plain text outside groups that every match of a regular expression has; empty where there is none to be seen.
fn required(pattern: &str) -> &str {
    const SPECIAL: &str = r"\.+*?()|[]{}^$";
    let flagged = pattern.match_indices("(?").any(|(at, _)| !pattern[at + 2..].starts_with(':'));
    let mut depth = 0_usize;
    let mut class = false;
    let mut longest = "";
    let mut start = None;
    let mut chars = pattern.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let optional = chars.peek().is_some_and(|(_, next)| matches!(next, '?' | '*' | '{'));
        if depth == 0 && !class && !SPECIAL.contains(c) && !optional {
            let from = *start.get_or_insert(at);
            let run = &pattern[from..at + c.len_utf8()];
            longest = if run.len() > longest.len() { run } else { longest };
            continue;
        }
        start = None;
        match c {
            '\\' => drop(chars.next()),
            ']' => class = false,
            _ if class => {}
            '[' => class = true,
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return "",
            _ => {}
        }
    }
    if flagged || class || depth > 0 { "" } else { longest }
}

/// One section.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// `M:`
    pub maintainers: Vec<Person>,
    /// `R:`
    pub reviewers: Vec<Person>,
    /// `L:`, those for subscribers only left out.
    pub lists: Vec<Person>,
    /// `S:`
    pub status: Status,
    files: Vec<String>,
    excluded: Vec<String>,
    names: Vec<Pattern>,
    keywords: Vec<Pattern>,
}

impl Section {
    /// Whether the section says anything: text that is no section has only what looks like a title.
    fn says_something(&self) -> bool {
        let people = [&self.maintainers, &self.reviewers, &self.lists].iter().any(|people| !people.is_empty());
        people || !self.files.is_empty() || !self.names.is_empty() || !self.keywords.is_empty()
    }

    /// How particular the pattern is by which it has a file: its number of path parts; none where it has not.
    #[must_use]
    pub fn has(&self, file: &str) -> Option<usize> {
        if self.excluded.iter().any(|pattern| covers(pattern, file)) {
            return None;
        }
        let by_path = self.files.iter().filter(|pattern| covers(pattern, file)).map(|pattern| depth(pattern)).max();
        by_path.or_else(|| self.names.iter().any(|pattern| pattern.finds(file)).then_some(1))
    }

    /// Whether this is the last section, which has every file, and so says nothing of one.
    #[must_use]
    pub fn is_the_rest(&self) -> bool {
        self.files.iter().any(|pattern| pattern == "*")
    }
}

/// Reads the file; lines that are no entries are skipped.
#[must_use]
pub fn parse(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut current = Section::default();
    for line in text.lines() {
        if let Some((tag, value)) = entry(line) {
            add(&mut current, tag, value);
        } else if line.trim().is_empty() || !line.starts_with(char::is_whitespace) {
            let next = Section { title: line.trim().to_owned(), ..Section::default() };
            sections.push(std::mem::replace(&mut current, next));
        }
    }
    sections.push(current);
    sections.retain(|section| !section.title.is_empty() && section.says_something());
    sections
}

/// `F: drivers/` as its letter and its value.
fn entry(line: &str) -> Option<(u8, &str)> {
    let (tag, value) = line.split_once(':')?;
    match tag.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some((*letter, value.trim())),
        _ => None,
    }
}

fn add(section: &mut Section, tag: u8, value: &str) {
    let text = || value.to_owned();
    match tag {
        b'M' => section.maintainers.extend(person::parse(value)),
        b'R' => section.reviewers.extend(person::parse(value)),
        b'L' if !value.contains("subscribers-only") => section.lists.extend(person::parse(value)),
        b'S' => {
            section.status = match value.to_ascii_lowercase().as_str() {
                "supported" => Status::Supported,
                "maintained" => Status::Maintained,
                _ => Status::Neglected,
            }
        }
        b'F' if !value.is_empty() => section.files.push(text()),
        b'X' if !value.is_empty() => section.excluded.push(text()),
        b'N' if !value.is_empty() => section.names.push(Pattern::new(value)),
        b'K' if !value.is_empty() => section.keywords.push(Pattern::new(value)),
        _ => {}
    }
}

/// The sections that a file belongs to, the most particular pattern first.
#[must_use]
pub fn of_file<'s>(sections: &'s [Section], file: &str) -> Vec<&'s Section> {
    let mut found: Vec<(usize, &Section)> =
        sections.iter().filter_map(|section| section.has(file).map(|depth| (depth, section))).collect();
    found.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    found.into_iter().map(|(_, section)| section).collect()
}

/// The sections that have a keyword (`K:`) which stands in a text.
#[must_use]
pub fn of_text<'s>(sections: &'s [Section], text: &str) -> Vec<&'s Section> {
    sections.iter().filter(|section| section.keywords.iter().any(|pattern| pattern.finds(text))).collect()
}

/// How particular a pattern is: its number of path parts.
fn depth(pattern: &str) -> usize {
    pattern.split('/').filter(|part| !part.is_empty() && *part != "*").count()
}

/// Whether an `F:` or `X:` pattern covers a file.
fn covers(pattern: &str, file: &str) -> bool {
    if let Some(folder) = pattern.strip_suffix('/') {
        let depth = folder.split('/').count();
        let Some((end, _)) = file.match_indices('/').nth(depth - 1) else { return false };
        return glob(folder.as_bytes(), &file.as_bytes()[..end]);
    }
    glob(pattern.as_bytes(), file.as_bytes()) || file.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'))
}

/// Matches `*` and `?` within one path part; at most pattern × text steps.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == text[t] || c == b'?' && text[t] != b'/' => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) if text[from] != b'/' => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}
