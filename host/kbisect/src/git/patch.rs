//! Changes that tested commits get before they are built: patches, and commits picked from elsewhere. Owns what applies where; writes into
//! a checkout's own repository alone.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use git2::ApplyOptions;
use git2::Commit;
use git2::Delta;
use git2::Diff;
use git2::DiffLineType;
use git2::Index;
use git2::Oid;
use git2::Tree;
use kbisect_core::commit::CommitId;

use super::Checkout;
use super::Error;
use super::Repository;
use super::hunks;
use super::made;
use super::repository::to_id;
use super::repository::to_oid;

/// A change, and the commits that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Its name to people: a file's, or a commit's.
    pub name: String,
    /// What it changes.
    pub change: Change,
    /// Only commits that contain this one; none: whatever they contain.
    pub since: Option<CommitId>,
    /// Only commits that do not contain this one; none: whatever they contain.
    pub until: Option<CommitId>,
}

/// What a patch changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// What the text says, as `git diff`, `git format-patch` and `diff -u` write it.
    Text(Vec<u8>),
    /// What this commit changed in its (first) parent. Commits that contain it have that already.
    Commit(CommitId),
}

/// What became of a patch at a commit.
enum Fits {
    /// Its changes, applied.
    Applied(Index),
    /// The commit has its changes already.
    There,
    /// It does not fit, in these files.
    Conflicts(Vec<String>),
}

impl Checkout {
    /// Makes the commit with the patches that are for it, in their order; itself where nothing changes. The new commit's only ancestor
    /// is the commit, and it is found by whoever borrows this checkout's objects.
    ///
    /// # Errors
    ///
    /// [`Error::Unpatchable`] where one does not fit, [`Error::MissingObject`], [`Error::Git`].
    pub fn patched(&self, commit: &CommitId, patches: &[Patch]) -> Result<CommitId, Error> {
        self.untangle()?;
        let git = self.repository();
        let found = |oid: Oid| git.find_commit(oid).map_err(|error| self.read_error(oid, error));
        let mut made = to_oid(commit);
        for patch in patches {
            if !patch.is_for(git, commit)? {
                continue;
            }
            let base = found(made)?;
            match patch.fit(git, &base)? {
                Fits::There => {}
                Fits::Conflicts(files) => {
                    return Err(Error::Unpatchable { patch: patch.name.clone(), commit: *commit, files });
                }
                Fits::Applied(mut index) => made = patch.commit(git, &base, &mut index, commit)?,
            }
        }
        Ok(to_id(made))
    }
}

impl Repository {
    /// Sees whether a commit takes a patch, where it is for it at all; nothing is made.
    ///
    /// # Errors
    ///
    /// As [`Checkout::patched`].
    pub fn takes(&self, commit: &CommitId, patch: &Patch) -> Result<(), Error> {
        let git = self.without_trace()?;
        let base = git.find_commit(to_oid(commit)).map_err(|error| self.read_error(&commit.to_string(), error))?;
        if !patch.is_for(&git, commit)? {
            return Ok(());
        }
        match patch.fit(&git, &base)? {
            Fits::Conflicts(files) => Err(Error::Unpatchable { patch: patch.name.clone(), commit: *commit, files }),
            Fits::There | Fits::Applied(_) => Ok(()),
        }
    }
}

impl Patch {
    /// A patch for all commits.
    ///
    /// # Errors
    ///
    /// [`Error::NoPatch`] where the text changes nothing, or is none.
    pub fn of_text(name: String, text: &[u8]) -> Result<Self, Error> {
        let text = with_headings(text);
        let why = match Diff::from_buffer(&text) {
            Ok(diff) if diff.deltas().next().is_some() => {
                return Ok(Self { name, change: Change::Text(text), since: None, until: None });
            }
            Ok(_) => "it changes no file".to_owned(),
            Err(error) => error.message().to_owned(),
        };
        Err(Error::NoPatch { patch: name, why })
    }

    /// Whether it is for a commit.
    fn is_for(&self, git: &git2::Repository, commit: &CommitId) -> Result<bool, Error> {
        let contains = |part: &CommitId| -> Result<bool, Error> {
            let related = part == commit
                || git
                    .graph_descendant_of(to_oid(commit), to_oid(part))
                    .map_err(|error| Error::git(format!("see whether {} contains {}", commit.short(), part.short()), error))?;
            Ok(related)
        };
        let present = match &self.change {
            Change::Text(_) => false,
            Change::Commit(picked) => contains(picked)?,
        };
        Ok(!present && self.since.as_ref().map_or(Ok(true), &contains)? && !self.until.as_ref().map_or(Ok(false), &contains)?)
    }

    /// Applies it to a commit's tree.
    fn fit(&self, git: &git2::Repository, base: &Commit<'_>) -> Result<Fits, Error> {
        let failed = |error| Error::git(format!("apply {}", self.name), error);
        match &self.change {
            Change::Commit(picked) => {
                let picked = git.find_commit(to_oid(picked)).map_err(failed)?;
                let mainline = u32::from(picked.parent_count() > 1);
                let index = git.cherrypick_commit(&picked, base, mainline, None).map_err(failed)?;
                let files = made::conflicting(&index).map_err(failed)?;
                Ok(if files.is_empty() { Fits::Applied(index) } else { Fits::Conflicts(files) })
            }
            Change::Text(text) => {
                let file = match applied(git, base, text) {
                    Ok(index) => return Ok(Fits::Applied(index)),
                    Err(file) => file,
                };
                let back = Diff::from_buffer(text).and_then(|diff| reversed(&diff)).map_err(failed)?;
                let there = applied(git, base, &back).is_ok();
                Ok(if there { Fits::There } else { Fits::Conflicts(vec![file]) })
            }
        }
    }

    /// The commit on top of `base` with what was applied; `base` itself where that is nothing.
    fn commit(&self, git: &git2::Repository, base: &Commit<'_>, index: &mut Index, of: &CommitId) -> Result<Oid, Error> {
        let failed = |error| Error::git(format!("apply {} to {}", self.name, of.short()), error);
        let tree = made::tree(git, index).map_err(failed)?;
        if tree.id() == base.tree_id() {
            return Ok(base.id());
        }
        let message = format!("{}\n\nMade by kbisect to test {of} with it.\n", self.name);
        made::commit(git, base, &tree, &message).map_err(failed)
    }
}

/// The commit's files with a diff; the file that it does not fit otherwise.
fn applied(git: &git2::Repository, base: &Commit<'_>, text: &[u8]) -> Result<Index, String> {
    let said = |error: git2::Error| error.message().to_owned();
    let mut tree = base.tree().map_err(said)?;
    let mut index = Index::new().and_then(|mut index| index.read_tree(&tree).map(|()| index)).map_err(said)?;
    for (number, part) in parts(text).map_err(said)?.iter().enumerate() {
        if number > 0 {
            tree = made::tree(git, &mut index).map_err(said)?;
        }
        index = applied_once(git, &tree, part)?;
    }
    Ok(index)
}

/// The same for a diff that touches no file twice.
fn applied_once(git: &git2::Repository, tree: &Tree<'_>, text: &[u8]) -> Result<Index, String> {
    let said = |error: git2::Error| error.message().to_owned();
    let text = hunks::placed(git, tree, text).map_err(said)?;
    let diff = Diff::from_buffer(&text).map_err(said)?;
    for number in 0..diff.deltas().len() {
        if let Some(file) = unfit(git, tree, &diff, number).map_err(said)? {
            return Err(file);
        }
    }
    let last = RefCell::new(String::new());
    let mut options = ApplyOptions::new();
    options.delta_callback(|delta| {
        let file =
            delta.and_then(|delta| delta.old_file().path().or(delta.new_file().path()).map(|path| path.display().to_string()));
        last.replace(file.unwrap_or_default());
        true
    });
    let index = git.apply_to_tree(tree, &diff, Some(&mut options));
    drop(options);
    index.map_err(|error| match last.into_inner() {
        file if file.is_empty() => error.message().to_owned(),
        file => file,
    })
}

/// A diff in parts that touch no file twice, in their order: a series changes and moves a file again and again, and libgit2 looks for what
/// is moved where it was in the beginning.
fn parts(text: &[u8]) -> Result<Vec<Vec<u8>>, git2::Error> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut touched: HashSet<PathBuf> = HashSet::new();
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"diff --git ") {
            starts.push(at);
        }
        at += line.len();
    }
    for (number, start) in starts.iter().enumerate() {
        let piece = &text[*start..starts.get(number + 1).copied().unwrap_or(text.len())];
        let diff = Diff::from_buffer(piece)?;
        let paths: Vec<PathBuf> = diff
            .deltas()
            .flat_map(|delta| [delta.old_file().path().map(Path::to_owned), delta.new_file().path().map(Path::to_owned)])
            .flatten()
            .collect();
        if parts.is_empty() || paths.iter().any(|path| touched.contains(path)) {
            parts.push(Vec::new());
            touched.clear();
        }
        touched.extend(paths);
        if let Some(part) = parts.last_mut() {
            part.extend_from_slice(piece);
        }
    }
    Ok(parts)
}

/// The file of a part that libgit2 would apply without looking: one that comes and is there, or that goes and is another.
fn unfit(git: &git2::Repository, tree: &Tree<'_>, diff: &Diff<'_>, number: usize) -> Result<Option<String>, git2::Error> {
    let Some(patch) = git2::Patch::from_diff(diff, number)? else { return Ok(None) };
    let delta = patch.delta();
    let (status, file) = (delta.status(), delta.old_file().path().or(delta.new_file().path()));
    let Some(file) = file.filter(|_| matches!(status, Delta::Added | Delta::Deleted)) else { return Ok(None) };
    let found = tree.get_path(file).ok().map(|entry| entry.to_object(git)).transpose()?;
    let content = found.as_ref().and_then(|found| found.as_blob()).map(git2::Blob::content);
    let mut expected = Vec::new();
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk)? {
            let line = patch.line_in_hunk(hunk, line)?;
            match line.origin_value() {
                DiffLineType::Deletion => expected.extend_from_slice(line.content()),
                // The line before it has no end.
                DiffLineType::AddEOFNL => {
                    expected.pop();
                }
                _ => {}
            }
        }
    }
    let fits = match status {
        Delta::Added => found.is_none(),
        _ => content == Some(&expected),
    };
    Ok((!fits).then(|| file.display().to_string()))
}

/// A text with the heading of each file's part that libgit2 looks for, and `diff -u` does not write.
fn with_headings(text: &[u8]) -> Vec<u8> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').peekable();
    let mut out = Vec::with_capacity(text.len());
    let mut headed = false;
    while let Some(line) = lines.next() {
        headed |= line.starts_with(b"diff --git ");
        let new = if line.starts_with(b"--- ") { lines.next_if(|next| next.starts_with(b"+++ ")) } else { None };
        match (new, lines.peek()) {
            (Some(new), Some(hunk)) if hunk.starts_with(b"@@ -") && !headed => {
                out.extend_from_slice(heading(path(line), path(new)).as_bytes());
            }
            (new, _) => {
                out.extend_from_slice(line);
                out.extend_from_slice(new.unwrap_or_default());
                headed &= new.is_none();
            }
        }
    }
    out
}

/// The path of a line `--- a/PATH` or `+++ b/PATH`, without its time; none of no file.
fn path(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&line[4..]);
    let path = text.split('\t').next().unwrap_or_default().trim_end();
    (path != "/dev/null").then(|| path.split_once('/').map_or(path, |(_, path)| path).to_owned())
}

fn heading(old: Option<String>, new: Option<String>) -> String {
    match (old, new) {
        (None, Some(new)) => format!("diff --git a/{new} b/{new}\nnew file mode 100644\n--- /dev/null\n+++ b/{new}\n"),
        (Some(old), None) => format!("diff --git a/{old} b/{old}\ndeleted file mode 100644\n--- a/{old}\n+++ /dev/null\n"),
        (Some(_), Some(new)) => format!("diff --git a/{new} b/{new}\n--- a/{new}\n+++ b/{new}\n"),
        (None, None) => String::new(),
    }
}

/// A diff the other way round: it fits where the diff was applied.
fn reversed(diff: &Diff<'_>) -> Result<Vec<u8>, git2::Error> {
    let mut text = Vec::new();
    // Of a series, the last is taken back first.
    for number in (0..diff.deltas().len()).rev() {
        let Some(patch) = git2::Patch::from_diff(diff, number)? else { continue };
        let delta = patch.delta();
        let path = delta.new_file().path().or(delta.old_file().path()).map(|path| path.display().to_string()).unwrap_or_default();
        let was = delta.old_file().path().map_or_else(|| path.clone(), |path| path.display().to_string());
        let modes = (u32::from(delta.old_file().mode()), u32::from(delta.new_file().mode()));
        let (head, old, new) = match delta.status() {
            Delta::Added => (format!("deleted file mode {:o}\n", modes.1), format!("a/{path}"), "/dev/null".to_owned()),
            Delta::Deleted => (format!("new file mode {:o}\n", modes.0), "/dev/null".to_owned(), format!("b/{was}")),
            status => {
                let mut head = String::new();
                if modes.0 != modes.1 && modes.0 != 0 && modes.1 != 0 {
                    head = format!("old mode {:o}\nnew mode {:o}\n", modes.1, modes.0);
                }
                if status == Delta::Renamed {
                    head += &format!("similarity index 50%\nrename from {path}\nrename to {was}\n");
                    if patch.num_hunks() > 0 {
                        // No text follows without this line, which nobody looks at.
                        head += "index 0000001..0000002\n";
                    }
                }
                (head, format!("a/{path}"), format!("b/{was}"))
            }
        };
        let _ = write!(text, "diff --git a/{path} b/{was}\n{head}");
        if patch.num_hunks() > 0 {
            let _ = write!(text, "--- {old}\n+++ {new}\n");
        }
        for hunk in 0..patch.num_hunks() {
            let (place, lines) = patch.hunk(hunk)?;
            let (old, new) = ((place.old_start(), place.old_lines()), (place.new_start(), place.new_lines()));
            let _ = writeln!(text, "@@ -{},{} +{},{} @@", new.0, new.1, old.0, old.1);
            // What goes stands before what comes: a line without an end is only read as the last of either.
            let mut coming = Vec::new();
            for line in 0..lines {
                let line = patch.line_in_hunk(hunk, line)?;
                let (sign, into) = match line.origin_value() {
                    DiffLineType::Addition => ("-", &mut text),
                    DiffLineType::Deletion => ("+", &mut coming),
                    // It says of the line before it, one that goes here, that it has no end.
                    DiffLineType::AddEOFNL => ("", &mut coming),
                    DiffLineType::Context => {
                        text.append(&mut coming);
                        (" ", &mut text)
                    }
                    _ => ("", &mut text),
                };
                into.extend_from_slice(sign.as_bytes());
                into.extend_from_slice(line.content());
            }
            text.append(&mut coming);
        }
    }
    Ok(text)
}
