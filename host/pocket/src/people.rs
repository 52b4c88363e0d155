//! The people of the history, read from the sources' own MAINTAINERS and CREDITS.

use std::fmt;

/// Somebody who writes or takes patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    /// Minutes east of Greenwich.
    pub(crate) zone: i32,
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// One entry of MAINTAINERS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its heading.
    pub(crate) name: String,
    /// `M:`, the first one takes the patches.
    pub(crate) maintainers: Vec<Person>,
    /// `T:` without the word `git`.
    pub(crate) tree: String,
    /// `F:`
    pub(crate) files: Vec<String>,
}

/// Everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct People {
    pub(crate) entries: Vec<Entry>,
    /// Those who only send patches.
    pub(crate) contributors: Vec<Person>,
}

impl People {
    /// Reads both files.
    pub(crate) fn parse(maintainers: &str, credits: &str) -> Self {
        let list = maintainers.split_once("----\n").map_or("", |(_, list)| list);
        let entries = list.split("\n\n").filter_map(entry).collect();
        let contributors = credits.split("\n\n").filter_map(contributor).collect();
        Self { entries, contributors }
    }

    /// The entry of a folder; the last one covers the rest.
    pub(crate) fn entry(&self, folder: &str) -> &Entry {
        let found = self.entries.iter().find(|entry| entry.files.iter().any(|file| file.trim_end_matches('/') == folder));
        found.unwrap_or_else(|| self.entries.last().expect("MAINTAINERS has entries"))
    }

    /// Who merges what the maintainers send.
    pub(crate) fn head(&self) -> &Person {
        &self.entries.last().expect("MAINTAINERS has entries").maintainers[0]
    }
}

fn entry(text: &str) -> Option<Entry> {
    let mut lines = text.trim().lines();
    let name = lines.next()?.to_owned();
    let mut entry = Entry { name, maintainers: Vec::new(), tree: String::new(), files: Vec::new() };
    for line in lines {
        match line.split_once(":\t")? {
            ("M", who) => {
                let (name, email) = who.split_once(" <")?;
                entry.maintainers.push(person(name, email.trim_end_matches('>')));
            }
            ("T", tree) => entry.tree = tree.trim_start_matches("git ").to_owned(),
            ("F", file) => entry.files.push(file.to_owned()),
            _ => {}
        }
    }
    (!entry.maintainers.is_empty()).then_some(entry)
}

fn contributor(text: &str) -> Option<Person> {
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    Some(person(line("N: ")?, line("E: ")?))
}

/// Where somebody lives follows from the name, so that all commits agree.
fn person(name: &str, email: &str) -> Person {
    const ZONES: [i32; 8] = [0, 60, 120, 180, 330, 540, -300, -480];
    let sum: usize = name.bytes().map(usize::from).sum();
    Person { name: name.to_owned(), email: email.to_owned(), zone: ZONES[sum % ZONES.len()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources;

    #[test]
    fn the_sources_own_lists_are_read() {
        let people = People::parse(sources::MAINTAINERS, sources::CREDITS);
        assert_eq!(people.entry("fs").maintainers[0].to_string(), "Ottoline Varga <ottoline@example.org>");
        assert_eq!(people.entry("net").tree, "git://git.example.org/pocket/net.git");
        assert_eq!(people.entry("no/such/folder").name, "THE REST");
        assert_eq!(people.head().name, "Ada Thorsen");
        assert!(people.contributors.len() >= 10);
        let all = people.entries.iter().flat_map(|e| &e.maintainers).chain(&people.contributors);
        assert!(all.into_iter().all(|person| person.email.ends_with("@example.org")));
    }
}
