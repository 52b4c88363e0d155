//! Changes that tested commits get before they are built: patches, and commits picked from elsewhere. Owns what applies where; writes into
//! a checkout's own repository alone.

use std::cell::RefCell;
use std::fmt::Write as _;

use git2::ApplyOptions;
use git2::Commit;
use git2::Delta;
use git2::Diff;
use git2::DiffLineType;
use git2::Index;
use git2::Oid;
use kbisect_core::commit::CommitId;

use super::Checkout;
use super::Error;
use super::Repository;
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
        let git = self.git();
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
                let diff = Diff::from_buffer(text).map_err(failed)?;
                let file = match applied(git, base, &diff) {
                    Ok(index) => return Ok(Fits::Applied(index)),
                    Err(file) => file,
                };
                let back = reversed(&diff).map_err(failed)?;
                let there = Diff::from_buffer(back.as_bytes()).is_ok_and(|diff| applied(git, base, &diff).is_ok());
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
fn applied(git: &git2::Repository, base: &Commit<'_>, diff: &Diff<'_>) -> Result<Index, String> {
    for number in 0..diff.deltas().len() {
        if let Some(file) = unfit(git, base, diff, number).map_err(|error| error.message().to_owned())? {
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
    let index = base.tree().and_then(|tree| git.apply_to_tree(&tree, diff, Some(&mut options)));
    drop(options);
    index.map_err(|error| match last.into_inner() {
        file if file.is_empty() => error.message().to_owned(),
        file => file,
    })
}

/// The file of a part that libgit2 would apply without looking: one that comes and is there, or that goes and is another.
fn unfit(git: &git2::Repository, base: &Commit<'_>, diff: &Diff<'_>, number: usize) -> Result<Option<String>, git2::Error> {
    let Some(patch) = git2::Patch::from_diff(diff, number)? else { return Ok(None) };
    let delta = patch.delta();
    let (status, file) = (delta.status(), delta.old_file().path().or(delta.new_file().path()));
    let Some(file) = file.filter(|_| matches!(status, Delta::Added | Delta::Deleted)) else { return Ok(None) };
    let found = base.tree()?.get_path(file).ok().map(|entry| entry.to_object(git)).transpose()?;
    let content = found.as_ref().and_then(|found| found.as_blob()).map(git2::Blob::content);
    let mut expected = Vec::new();
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk)? {
            let line = patch.line_in_hunk(hunk, line)?;
            if line.origin_value() == DiffLineType::Deletion {
                expected.extend_from_slice(line.content());
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
fn reversed(diff: &Diff<'_>) -> Result<String, git2::Error> {
    let mut text = String::new();
    for number in 0..diff.deltas().len() {
        let Some(patch) = git2::Patch::from_diff(diff, number)? else { continue };
        let delta = patch.delta();
        let path = delta.new_file().path().or(delta.old_file().path()).map(|path| path.display().to_string()).unwrap_or_default();
        let was = delta.old_file().path().map_or_else(|| path.clone(), |path| path.display().to_string());
        let (mode, old, new) = match delta.status() {
            Delta::Added => ("deleted file mode 100644\n", format!("a/{path}"), "/dev/null".to_owned()),
            Delta::Deleted => ("new file mode 100644\n", "/dev/null".to_owned(), format!("b/{was}")),
            _ => ("", format!("a/{path}"), format!("b/{was}")),
        };
        let _ = write!(text, "diff --git a/{path} b/{was}\n{mode}--- {old}\n+++ {new}\n");
        for hunk in 0..patch.num_hunks() {
            let (place, lines) = patch.hunk(hunk)?;
            let (old, new) = ((place.old_start(), place.old_lines()), (place.new_start(), place.new_lines()));
            let _ = writeln!(text, "@@ -{},{} +{},{} @@", new.0, new.1, old.0, old.1);
            for line in 0..lines {
                let line = patch.line_in_hunk(hunk, line)?;
                let sign = match line.origin_value() {
                    DiffLineType::Addition => '-',
                    DiffLineType::Deletion => '+',
                    DiffLineType::Context => ' ',
                    // Whether a line has an end shows in the line itself.
                    _ => continue,
                };
                text.push(sign);
                text += &String::from_utf8_lossy(line.content());
                if !text.ends_with('\n') {
                    text += "\n\\ No newline at end of file\n";
                }
            }
        }
    }
    Ok(text)
}
