//! What can go wrong with repositories and checkouts, and what to do about it.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::commit::CommitId;

/// Kinds of repository that libgit2 cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// Object names are SHA-256.
    #[error("its object names are SHA-256; kbisect reads SHA-1 repositories only")]
    Sha256,
    /// References are kept in reftables.
    #[error("its references are kept as reftables; kbisect reads the `files` format only")]
    Reftable,
    /// Objects are missing by intention: a partial clone.
    #[error("it is a partial clone (objects are fetched on demand); kbisect needs a complete one")]
    Partial,
    /// Another extension of the repository format.
    #[error("it uses git's repository extension `{0}`, which kbisect does not know")]
    Extension(String),
}

/// Why a repository or checkout cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No repository at or above the path.
    #[error("`{}` is not a git repository, nor inside one", .path.display())]
    NotARepository {
        /// The path that was given.
        path: PathBuf,
    },
    /// The repository is of a kind that cannot be read.
    #[error("cannot read the repository `{}`: {kind}", .repo.display())]
    Unsupported {
        /// The repository.
        repo: PathBuf,
        /// What is special about it.
        kind: Unsupported,
    },
    /// The repository belongs to another user and is not among git's `safe.directory` entries.
    #[error("the repository `{}` belongs to another user", .repo.display())]
    ForeignOwner {
        /// The repository.
        repo: PathBuf,
    },
    /// History is needed that a shallow clone does not have.
    #[error("the repository `{}` is a shallow clone: history ends at {}", .repo.display(), .at.short())]
    Shallow {
        /// The repository.
        repo: PathBuf,
        /// A commit whose parents were cut off.
        at: CommitId,
    },
    /// The repository lacks an object that it refers to.
    #[error("the repository `{}` lacks object {id}", .repo.display())]
    MissingObject {
        /// The repository.
        repo: PathBuf,
        /// The object's name.
        id: String,
    },
    /// No commit has this name.
    #[error("`{name}` names no commit in `{}`", .repo.display())]
    UnknownName {
        /// The repository.
        repo: PathBuf,
        /// The name.
        name: String,
        /// Names that look alike.
        similar: Vec<String>,
    },
    /// An abbreviated hash that several objects share.
    #[error("`{name}` is ambiguous: several objects' names begin with it")]
    Ambiguous {
        /// The abbreviation.
        name: String,
    },
    /// The name is that of a file or directory.
    #[error("`{name}` is not a commit")]
    NotACommit {
        /// The name.
        name: String,
    },
    /// A commit whose tree must not be written to disk.
    #[error("commit {} cannot be checked out: {why}", .commit.short())]
    Refused {
        /// The commit.
        commit: CommitId,
        /// What is wrong with its tree, in one line.
        why: String,
    },
    /// A text that is no patch.
    #[error("{patch} is no patch that can be applied: {why}")]
    NoPatch {
        /// Its name.
        patch: String,
        /// What is wrong with it.
        why: String,
    },
    /// A patch that does not fit.
    #[error("{patch} does not apply to {}: {}", .commit.short(), .files.join(", "))]
    Unpatchable {
        /// The patch's name.
        patch: String,
        /// The commit.
        commit: CommitId,
        /// The files that it does not fit.
        files: Vec<String>,
    },
    /// The folder meant for a checkout holds something else.
    #[error("`{}` is not empty and not one of kbisect's checkouts", .dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {doing} `{}`: {source}", .path.display())]
    Io {
        /// What was tried: `write`, `remove`, …
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// libgit2 failed otherwise.
    #[error("cannot {doing}: {}", .source.message())]
    Git {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: git2::Error,
    },
}

impl Error {
    /// Whether a checkout made anew may do better: a program that ran in this one may have left it so.
    pub fn is_of_the_checkout(&self) -> bool {
        match self {
            Self::Occupied { .. } | Self::Git { .. } => true,
            Self::Io { source, .. } => !matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded),
            _ => false,
        }
    }

    pub(super) fn git(doing: impl Into<String>, source: git2::Error) -> Self {
        Self::Git { doing: doing.into(), source }
    }

    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// What the user can do, one suggestion each; commands are complete.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::NotARepository { .. } => vec!["give the path of a clone, or `git clone` one".to_owned()],
            Self::Unsupported { repo, kind } => unsupported_hints(repo, kind),
            Self::ForeignOwner { repo } => {
                vec![format!("run kbisect as its owner, or trust it: git config --global --add safe.directory {}", quoted(repo))]
            }
            Self::Shallow { repo, .. } => vec![format!("deepen it: git -C {} fetch --unshallow --tags", quoted(repo))],
            Self::MissingObject { repo, .. } => vec![
                format!("see what is missing: git -C {} fsck --connectivity-only", quoted(repo)),
                format!("fetch everything again: git -C {} fetch --refetch --tags", quoted(repo)),
            ],
            Self::UnknownName { repo, name, similar } => unknown_name_hints(repo, name, similar),
            Self::Ambiguous { .. } => vec!["give more digits of the hash".to_owned()],
            Self::Occupied { dir } => vec![format!("use another folder, or remove it: rm -r {}", quoted(dir))],
            Self::Unpatchable { .. } => vec![
                "a patch that is for some commits only says so: since = \"COMMIT\" (those that contain it), until = \"COMMIT\" (those \
                 that do not)"
                    .to_owned(),
            ],
            Self::NoPatch { .. } | Self::NotACommit { .. } | Self::Refused { .. } | Self::Io { .. } | Self::Git { .. } => Vec::new(),
        }
    }
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let base = match error {
            Error::Io { .. } => Self::infrastructure(message),
            _ => Self::user(message),
        };
        error.hints().into_iter().fold(base, Self::hint)
    }
}

fn unsupported_hints(repo: &Path, kind: &Unsupported) -> Vec<String> {
    let repo = quoted(repo);
    match kind {
        Unsupported::Sha256 => Vec::new(),
        Unsupported::Reftable => {
            vec![format!("make a clone of it in the older format: git clone --ref-format=files {repo} FOLDER")]
        }
        Unsupported::Partial => {
            vec![format!("make a complete clone of its remote: git clone \"$(git -C {repo} remote get-url origin)\" FOLDER")]
        }
        Unsupported::Extension(_) => vec![format!("make a plain clone of it: git clone {repo} FOLDER")],
    }
}

/// Where kernel trees live.
pub(crate) const KERNEL_ORG: &str = "https://git.kernel.org/pub/scm/linux/kernel/git";

/// Which tree a kernel tag is in: linux-next for `next-YYYYMMDD`, stable for `v6.1.23`, mainline for `v6.1` and `v6.1-rc3`.
fn kernel_tree(tag: &str) -> Option<&'static str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(date) = tag.strip_prefix("next-") {
        return (date.len() == 8 && digits(date)).then_some("next/linux-next.git");
    }
    let version = tag.strip_prefix('v')?;
    let (numbers, candidate) = version.split_once("-rc").map_or((version, None), |(numbers, rc)| (numbers, Some(rc)));
    if candidate.is_some_and(|rc| !digits(rc)) {
        return None;
    }
    let parts: Vec<&str> = numbers.split('.').collect();
    if !parts.iter().all(|part| digits(part)) {
        return None;
    }
    match (parts.len(), parts.first()) {
        (2, _) | (3, Some(&"2")) => Some("torvalds/linux.git"),
        (3, _) => Some("stable/linux.git"),
        _ => None,
    }
}

fn unknown_name_hints(path: &Path, name: &str, similar: &[String]) -> Vec<String> {
    let repo = quoted(path);
    let mut hints = Vec::new();
    let base = name.split(['~', '^']).next().unwrap_or(name);
    if !similar.is_empty() {
        hints.push(format!("names that look alike: {}", similar.join(", ")));
    }
    if super::soundness::open(path).is_ok_and(|git| git.is_shallow()) {
        hints.push(format!("the clone is a shallow one; deepen it: git -C {repo} fetch --unshallow --tags"));
    } else if let Some(tree) = kernel_tree(base) {
        hints.push(format!("fetch the tag: git -C {repo} fetch {KERNEL_ORG}/{tree} tag {base}"));
        if base.starts_with("next-") {
            hints.push(
                "linux-next tags are removed after some months; commits of theirs that were rebased can be given by title"
                    .to_owned(),
            );
        }
    } else if base.len() >= 7 && base.len() <= 40 && base.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        hints.push(if base.len() == 40 {
            format!("fetch the commit: git -C {repo} fetch origin {base}")
        } else {
            format!("fetch what is new: git -C {repo} fetch --all --tags")
        });
        hints.push("if the commit was rebased, give its title (the first line of its message) instead of the hash".to_owned());
    } else if name.contains(char::is_whitespace) {
        hints.push("a title must be whole and from the last five years of a branch or tag of the repository".to_owned());
    } else {
        hints.push(format!("fetch what is new: git -C {repo} fetch --all --tags"));
    }
    hints
}

/// The path as a word for a POSIX shell.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:,@%=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
