//! What a commit changed, against its first parent. Numbers are libgit2's; the drawing is ours, in the shape of `git show --stat`.

use std::fmt;

use git2::DiffOptions;
use kbisect_core::commit::CommitId;

use super::Error;
use super::Repository;
use super::repository::to_oid;

/// Lines that a commit changed in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// Its path; a renamed file counts as one removed and one added.
    pub path: String,
    /// Lines added.
    pub added: usize,
    /// Lines deleted.
    pub deleted: usize,
    /// For binary files: sizes in bytes before and after, both 0 where only the mode changed (then there are no lines).
    pub binary: Option<(u64, u64)>,
}

/// A commit's changes, file by file; shown 80 columns wide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffStat {
    /// The files in git's order.
    pub files: Vec<FileStat>,
}

/// Unchanged lines around changed ones, as git has it.
const CONTEXT: u32 = 3;

impl Repository {
    /// Lines changed against the first parent. Attributes do not count: what is binary is told from the content.
    pub fn diffstat(&self, commit: &CommitId) -> Result<DiffStat, Error> {
        let deltas: Vec<_> = self.with_diff(commit, |diff| {
            Ok(diff.deltas().map(|delta| (path_of(&delta), Side::of(&delta.old_file()), Side::of(&delta.new_file()))).collect())
        })?;
        let git = self.git();
        let odb = git.odb().map_err(|error| Error::git("open the object store", error))?;
        let mut files = Vec::new();
        for (path, old, new) in deltas {
            let (old, new) = (self.content(&odb, old)?, self.content(&odb, new)?);
            let mut options = DiffOptions::new();
            options.context_lines(0);
            let patch = git2::Patch::from_buffers(&old, None, &new, None, Some(&mut options))
                .map_err(|error| Error::git(format!("compare `{path}` in {commit} with its parent"), error))?;
            files.push(if patch.delta().flags().is_binary() {
                let sizes = if old == new { (0, 0) } else { (old.len() as u64, new.len() as u64) };
                FileStat { path, added: 0, deleted: 0, binary: Some(sizes) }
            } else {
                let (_, added, deleted) =
                    patch.line_stats().map_err(|error| Error::git(format!("count the lines of `{path}`"), error))?;
                FileStat { path, added, deleted, binary: None }
            });
        }
        Ok(DiffStat { files })
    }

    /// What a commit changes against its only parent, as `git diff --unified=0` shows it; none of a commit without a parent or with several,
    /// and where it is more than `most` bytes. Bytes that are not UTF-8 are replaced.
    pub fn diff(&self, commit: &CommitId, most: usize) -> Result<Option<String>, Error> {
        if self.parents(commit)?.len() != 1 {
            return Ok(None);
        }
        let mut text = Vec::new();
        let mut fits = true;
        self.with_diff_of(commit, 0, |diff| {
            let printed = diff.print(git2::DiffFormat::Patch, |_, _, line| {
                if matches!(line.origin(), '+' | '-' | ' ') {
                    text.push(line.origin() as u8);
                }
                text.extend_from_slice(line.content());
                fits = text.len() <= most;
                fits
            });
            match printed {
                Err(error) if fits => Err(Error::git(format!("compare {commit} with its parent"), error)),
                _ => Ok(()),
            }
        })?;
        Ok(fits.then(|| String::from_utf8_lossy(&text).into_owned()))
    }

    fn content(&self, odb: &git2::Odb<'_>, side: Side) -> Result<Vec<u8>, Error> {
        match side {
            Side::Nothing => Ok(Vec::new()),
            Side::Submodule(id) => Ok(format!("Subproject commit {id}\n").into_bytes()),
            Side::Blob(id) => Ok(odb.read(id).map_err(|error| self.read_error(&id.to_string(), error))?.data().to_owned()),
        }
    }

    fn with_diff<T>(&self, commit: &CommitId, read: impl FnOnce(&git2::Diff<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.with_diff_of(commit, CONTEXT, read)
    }

    fn with_diff_of<T>(
        &self,
        commit: &CommitId,
        context: u32,
        read: impl FnOnce(&git2::Diff<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let parent = self.parents(commit)?.first().copied();
        let git = self.git();
        let tree = |id: &CommitId| {
            git.find_commit(to_oid(id)).and_then(|commit| commit.tree()).map_err(|error| self.read_error(&id.to_string(), error))
        };
        let (old, new) = (parent.as_ref().map(tree).transpose()?, tree(commit)?);
        let mut options = DiffOptions::new();
        options.ignore_submodules(false).include_typechange(true).context_lines(context);
        let diff = git
            .diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options))
            .map_err(|error| Error::git(format!("compare {commit} with its parent"), error))?;
        read(&diff)
    }
}

/// One side of a change.
#[derive(Clone, Copy)]
enum Side {
    Nothing,
    Submodule(git2::Oid),
    Blob(git2::Oid),
}

impl Side {
    fn of(file: &git2::DiffFile<'_>) -> Self {
        match file.mode() {
            git2::FileMode::Unreadable => Self::Nothing,
            git2::FileMode::Commit => Self::Submodule(file.id()),
            _ => Self::Blob(file.id()),
        }
    }
}

fn path_of(delta: &git2::DiffDelta<'_>) -> String {
    let bytes = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes()).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// Columns of the drawing; `git show --stat` uses as many when its output is no terminal.
const WIDTH: usize = 80;

/// Columns of a line beside name, number and bar: ` name | number bar`, and one left free at the end.
const FRAME: usize = 6;

impl DiffStat {
    /// Columns for names, numbers and bars. Bars may take 3/8 of the width before names are cut, as in git's drawing.
    fn columns(&self) -> (usize, usize, usize) {
        let names = self.files.iter().map(|file| shown(&file.path).chars().count()).max().unwrap_or(0);
        let most = self.files.iter().map(|file| file.added + file.deleted).max().unwrap_or(0);
        let any_binary = self.files.iter().any(|file| file.binary.is_some());
        let numbers = digits(most).max(if any_binary { 3 } else { 0 });
        if names + numbers + FRAME + most <= WIDTH {
            return (names, numbers, most);
        }
        let mut bars = most.min((WIDTH * 3 / 8 - numbers - FRAME).max(FRAME));
        let room = WIDTH - numbers - FRAME - bars;
        let names = if names > room {
            room
        } else {
            bars = WIDTH - numbers - FRAME - names;
            names
        };
        (names, numbers, bars.min(most))
    }
}

impl fmt::Display for DiffStat {
    /// One line a file and one for the sum, each ended by a line feed; nothing when no file changed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.files.is_empty() {
            return Ok(());
        }
        let (names, numbers, bars) = self.columns();
        let most = self.files.iter().map(|file| file.added + file.deleted).max().unwrap_or(0);
        for file in &self.files {
            write!(f, " {:names$} | ", fitted(&shown(&file.path), names))?;
            if let Some(sizes) = file.binary {
                write!(f, "{:>numbers$}", "Bin")?;
                match sizes {
                    (0, 0) => writeln!(f)?,
                    (before, after) => writeln!(f, " {before} -> {after} bytes")?,
                }
                continue;
            }
            let (plus, minus) = marks(file.added, file.deleted, most, bars);
            let bar = format!("{}{}", "+".repeat(plus), "-".repeat(minus));
            writeln!(f, "{}", format!("{:>numbers$} {bar}", file.added + file.deleted).trim_end())?;
        }
        let added: usize = self.files.iter().map(|file| file.added).sum();
        let deleted: usize = self.files.iter().map(|file| file.deleted).sum();
        write!(f, " {} changed", count(self.files.len(), "file"))?;
        if added > 0 || deleted == 0 {
            write!(f, ", {}(+)", count(added, "insertion"))?;
        }
        if deleted > 0 || added == 0 {
            write!(f, ", {}(-)", count(deleted, "deletion"))?;
        }
        writeln!(f)
    }
}

/// How many plus and minus signs a file gets when `most` changes are `width` signs long. What is not zero gets at least one.
fn marks(added: usize, deleted: usize, most: usize, width: usize) -> (usize, usize) {
    if most <= width {
        return (added, deleted);
    }
    let scaled = |lines: usize| if lines == 0 { 0 } else { 1 + lines * (width - 1) / most };
    let both = if added > 0 && deleted > 0 { 2 } else { 0 };
    let total = scaled(added + deleted).max(both);
    if added < deleted { (scaled(added), total - scaled(added)) } else { (total - scaled(deleted), scaled(deleted)) }
}

/// The path as it is drawn: quoted like a C string where it holds control characters, quotes or backslashes.
fn shown(path: &str) -> String {
    if path.chars().any(|c| c.is_control() || c == '"' || c == '\\') { format!("{path:?}") } else { path.to_owned() }
}

/// Cuts a long path at its front, at a slash where there is one.
fn fitted(path: &str, width: usize) -> String {
    let length = path.chars().count();
    if length <= width {
        return path.to_owned();
    }
    let tail: String = path.chars().skip(length - width.saturating_sub(3)).collect();
    let tail = tail.find('/').map_or(tail.as_str(), |slash| &tail[slash..]);
    format!("...{tail}")
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
