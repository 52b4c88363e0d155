//! Kinds of repository that cannot be read, or not as expected, told apart and named.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use git2::ErrorCode;
use git2::RepositoryState;

use super::Error;
use super::error::Unsupported;
use super::error::quoted;

/// Something about a repository that hinders a bisection or may surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// No bisection is possible with it.
    pub fatal: bool,
    /// What is the matter, in one line.
    pub message: String,
    /// What to do about it, one suggestion each.
    pub hints: Vec<String>,
}

impl Problem {
    fn fatal(error: &Error) -> Self {
        Self { fatal: true, message: error.to_string(), hints: error.hints() }
    }

    fn note(message: impl Into<String>, hints: Vec<String>) -> Self {
        Self { fatal: false, message: message.into(), hints }
    }
}

/// What is the matter with the repository at or above `path`, worst first; empty when all is well.
///
/// Reads only, and looks at files of the work tree at most by their times and sizes where those tell enough.
pub fn problems(path: &Path) -> Vec<Problem> {
    let git = match open(path) {
        Ok(git) => git,
        Err(error) => return vec![Problem::fatal(&error)],
    };
    let place = git.workdir().unwrap_or_else(|| git.path()).to_owned();
    let repo = quoted(&place);
    let mut problems = Vec::new();
    for store in missing_alternates(&git.commondir().join("objects")) {
        problems.push(Problem {
            fatal: true,
            message: format!("objects of `{}` are borrowed from `{}`, which is gone", place.display(), store.display()),
            hints: vec!["put that repository back, or make a new clone".to_owned()],
        });
    }
    if git.is_shallow() {
        problems.push(Problem::note(
            format!("`{}` is a shallow clone: older history is missing", place.display()),
            vec![format!("deepen it: git -C {repo} fetch --unshallow --tags")],
        ));
    }
    if git.head().is_err() && git.references().is_ok_and(|mut all| all.next().is_none()) {
        problems.push(Problem { fatal: true, message: format!("`{}` has no commit yet", place.display()), hints: Vec::new() });
    }
    if git.commondir().join("refs/replace").is_dir()
        && git.references_glob("refs/replace/*").is_ok_and(|mut all| all.next().is_some())
    {
        problems.push(Problem::note(
            format!("`{}` has replacement objects (refs/replace); kbisect reads history without them", place.display()),
            vec![format!("to compare: git -C {repo} --no-replace-objects log")],
        ));
    }
    if fs::read_to_string(git.commondir().join("info/grafts")).is_ok_and(|text| text.lines().any(|line| !line.starts_with('#'))) {
        problems.push(Problem {
            fatal: true,
            message: format!(
                "`{}` has grafts (info/grafts), which change its history for some of those who read it",
                place.display()
            ),
            hints: vec![format!(
                "make them replacement objects, which kbisect reads history without: git -C {repo} replace --convert-graft-file"
            )],
        });
    }
    let operation = match git.state() {
        RepositoryState::Clean => None,
        RepositoryState::Bisect => Some("a bisection of git's own"),
        RepositoryState::Merge => Some("a merge"),
        RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("a cherry-pick"),
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => Some("a rebase"),
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("`git am`"),
    };
    if let Some(operation) = operation {
        problems.push(Problem::note(
            format!("{operation} is under way in `{}`; it is left alone, but HEAD may not be what you think", place.display()),
            vec![format!("see git -C {repo} status")],
        ));
    }
    if has_changes(&git) {
        problems.push(Problem::note(
            format!("tracked files of `{}` have uncommitted changes; commits are tested without them", place.display()),
            Vec::new(),
        ));
    }
    problems
}

fn has_changes(git: &git2::Repository) -> bool {
    if git.is_bare() {
        return false;
    }
    let mut options = git2::StatusOptions::new();
    options.include_untracked(false).exclude_submodules(true).no_refresh(true).update_index(false);
    git.statuses(Some(&mut options)).is_ok_and(|statuses| !statuses.is_empty())
}

/// Opens the repository at or above `path`, or says why it cannot be read.
pub(super) fn open(path: &Path) -> Result<git2::Repository, Error> {
    let found = git2::Repository::discover_path(path, std::iter::empty::<&Path>());
    let git_dir = match found {
        Ok(git_dir) => git_dir,
        Err(error) if error.code() == ErrorCode::Owner => return Err(Error::ForeignOwner { repo: path.to_owned() }),
        Err(_) => return Err(guess(path).unwrap_or(Error::NotARepository { path: path.to_owned() })),
    };
    let repo = shown(&git_dir);
    let unsupported = |kind| Error::Unsupported { repo: repo.clone(), kind };
    match git2::Repository::open(&git_dir) {
        Ok(git) => match special(git.commondir()) {
            Some(kind) => Err(unsupported(kind)),
            None => Ok(git),
        },
        Err(error) if error.code() == ErrorCode::Owner => Err(Error::ForeignOwner { repo }),
        Err(error) => match special(&common_dir(&git_dir)) {
            Some(kind) => Err(unsupported(kind)),
            None => Err(Error::git(format!("open the repository `{}`", repo.display()), error)),
        },
    }
}

/// The work tree of a `.git` folder; the folder itself where it is something else.
fn shown(git_dir: &Path) -> PathBuf {
    if git_dir.file_name().is_some_and(|name| name == ".git") {
        git_dir.parent().unwrap_or(git_dir).to_owned()
    } else {
        git_dir.to_owned()
    }
}

/// For a folder that libgit2 does not even take for a repository: is it one of a special kind?
fn guess(path: &Path) -> Option<Error> {
    path.ancestors().flat_map(|folder| [folder.join(".git"), folder.to_owned()]).find_map(|git_dir| {
        if !git_dir.join("objects").is_dir() {
            return None;
        }
        Some(Error::Unsupported { repo: shown(&git_dir), kind: special(&git_dir)? })
    })
}

/// The repository that a linked work tree's git folder belongs to; the folder itself where it is no linked one.
fn common_dir(git_dir: &Path) -> PathBuf {
    fs::read_to_string(git_dir.join("commondir")).map_or_else(|_| git_dir.to_owned(), |text| git_dir.join(text.trim()))
}

/// What in the repository's own configuration keeps it from being read.
fn special(common_dir: &Path) -> Option<Unsupported> {
    let config = git2::Config::open(&common_dir.join("config")).ok()?;
    let value = |key: &str| config.get_string(key).ok().map(|value| value.to_lowercase());
    if value("extensions.objectformat").is_some_and(|format| format != "sha1") {
        return Some(Unsupported::Sha256);
    }
    if value("extensions.refstorage").is_some_and(|format| format != "files") {
        return Some(Unsupported::Reftable);
    }
    let mut promisor = value("extensions.partialclone").is_some();
    let mut other = None;
    let entries = config.entries(None).ok()?;
    let _ = entries.for_each(|entry| {
        let name = entry.name().unwrap_or_default();
        promisor |=
            name.starts_with("remote.") && name.ends_with(".promisor") && entry.value().is_ok_and(|value| value == "true");
        if let Some(extension) = name.strip_prefix("extensions.") {
            const KNOWN: [&str; 7] =
                ["noop", "objectformat", "refstorage", "partialclone", "worktreeconfig", "preciousobjects", "relativeworktrees"];
            if !KNOWN.contains(&extension) {
                other = Some(extension.to_owned());
            }
        }
    });
    if promisor {
        return Some(Unsupported::Partial);
    }
    other.map(Unsupported::Extension)
}

/// Alternates of an object store that do not exist.
fn missing_alternates(objects: &Path) -> Vec<PathBuf> {
    object_stores(objects).into_iter().filter(|store| !store.is_dir()).collect()
}

/// The object store and all alternates that it borrows from, directly or not, each once, with absolute paths.
pub(super) fn object_stores(objects: &Path) -> Vec<PathBuf> {
    let mut stores: Vec<PathBuf> = vec![fs::canonicalize(objects).unwrap_or_else(|_| objects.to_owned())];
    let mut next = 0;
    while next < stores.len() {
        let text = fs::read_to_string(stores[next].join("info/alternates")).unwrap_or_default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let store = stores[next].join(line);
            let store = fs::canonicalize(&store).unwrap_or(store);
            if !stores.contains(&store) {
                stores.push(store);
            }
        }
        next += 1;
    }
    stores
}
