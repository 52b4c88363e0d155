//! The commit that a log names, as git showed it.

/// A commit's author, message and changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitText {
    /// Name and address, as `Name <address>`.
    pub author: String,
    /// When it was written, as git prints dates.
    pub date: String,
    /// Whether it has several parents.
    pub merge: bool,
    /// The whole message.
    pub message: String,
    /// What it changes, in git's order.
    pub changes: Vec<Change>,
}

/// Something that a commit changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path, as far as it is known; of a renamed file the new one.
    pub path: String,
    /// What the path stands for.
    pub extent: Extent,
    /// Lines added and removed, where they are told.
    pub lines: Option<u32>,
}

/// What a path in a log stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The file with this path.
    File,
    /// A file whose path ends so: git shortens long ones.
    Tail,
    /// Something below this directory, or this file: old logs name no more than the first part.
    Top,
}

impl Change {
    /// Whether this may be a change of the file with this path.
    pub fn may_touch(&self, file: &str) -> bool {
        match self.extent {
            Extent::File => file == self.path,
            Extent::Tail => file.strip_suffix(self.path.as_str()).is_some_and(|front| front.ends_with('/')),
            Extent::Top => file.strip_prefix(self.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// Reads what git shows of a commit: headers, message indented by four, `--stat` or raw differences.
pub(super) fn read(text: &str) -> CommitText {
    let mut commit =
        CommitText { author: String::new(), date: String::new(), merge: false, message: String::new(), changes: Vec::new() };
    let mut in_header = true;
    for line in text.split('\n') {
        if let Some(said) = line.strip_prefix("    ") {
            in_header = false;
            commit.message.push_str(said);
            commit.message.push('\n');
        } else if in_header && line.starts_with("Author: ") {
            line[8..].trim().clone_into(&mut commit.author);
        } else if in_header && line.starts_with("Date: ") {
            line[6..].trim().clone_into(&mut commit.date);
        } else if in_header && line.starts_with("Merge: ") {
            commit.merge = true;
        } else {
            commit.changes.extend(counted(line).or_else(|| raw(line)));
        }
    }
    commit.message.truncate(commit.message.trim_end().len());
    commit
}

/// A line of a diffstat: ` PATH | 12 ++--`.
fn counted(line: &str) -> Option<Change> {
    let (path, count) = line.strip_prefix(' ')?.rsplit_once(" | ")?;
    let lines = count.split_whitespace().next()?.parse().ok();
    let path = renamed(path.trim());
    Some(match path.strip_prefix(".../") {
        Some(tail) => Change { path: tail.to_owned(), extent: Extent::Tail, lines },
        None => Change { path, extent: Extent::File, lines },
    })
}

/// The new path of `a/{b => c}/d` or `a => b`.
fn renamed(path: &str) -> String {
    if let Some((front, rest)) = path.split_once('{')
        && let Some((inner, back)) = rest.split_once('}')
        && let Some((_, new)) = inner.split_once(" => ")
    {
        return format!("{front}{new}{back}").replace("//", "/");
    }
    path.split_once(" => ").map_or(path, |(_, new)| new).to_owned()
}

/// A line of raw differences: `:MODE MODE BLOB BLOB STATUS<TAB>PATH`. A directory's mode is 040000.
fn raw(line: &str) -> Option<Change> {
    let (front, path) = line.strip_prefix(':')?.split_once('\t')?;
    let directory = front.split(' ').take(2).any(|mode| mode == "040000");
    let path = path.rsplit('\t').next().unwrap_or(path).to_owned();
    Some(Change { path, extent: if directory { Extent::Top } else { Extent::File }, lines: None })
}
