//! The run directory: one bisection, one folder. Owns its layout and its lock; not what the files say.
//!
//! ```text
//! job.toml          the job, frozen                 journal.jsonl   durable events
//! bisect.log        syzbot's text format            report.json, report.txt   the result
//! other-N.toml      jobs for other bugs seen
//! trials/C/N/console.zst   consoles by commit       kernels/        built kernels
//! trials/C/N/printed       what the reproducer printed there, where the machine tells that from the console
//! plugins/          components used, by digest      inputs/         reproducer, console and files, by digest
//! baseline.config   what kernels of Linux are configured from, at every commit
//! config-minimized  the same in place of that, where it was made smaller; minimal.config: against what
//! work/             checkouts and scratch, safe to delete between runs
//! lock              held while a process works here
//! .gitignore        names everything, for a directory in a work tree
//! ```

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;
use std::time::Instant;

use kbisect_core::commit::CommitId;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::process::ledger;
use crate::removal;

/// A run directory, locked by this process until dropped.
#[derive(Debug)]
pub(super) struct RunDirectory {
    path: PathBuf,
    _lock: File,
}

impl RunDirectory {
    /// Makes a new run directory; one that already holds a run is refused.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let directory = Self::for_record(path)?;
        for folder in ["trials", "kernels", "plugins", "work"] {
            fs::create_dir_all(directory.path.join(folder)).map_err(|error| failed("create", &directory.path, &error))?;
        }
        Ok(directory)
    }

    /// As [`Self::create`], for a run in which nothing is ever built or tested.
    pub(super) fn for_record(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path).map_err(|error| cannot_create(path, &error))?;
        let path = path.canonicalize().map_err(|error| failed("open", path, &error))?;
        let unbegun = Self::is_unbegun(&path);
        if !unbegun && !path.join("lock").exists() {
            // Nothing is put into a folder that is not ours.
            refuse_used(&path)?;
        }
        let directory = Self { _lock: lock(&path)?, path };
        if unbegun && Self::is_unbegun(&directory.path) {
            directory.tidy();
            directory.clear();
        }
        refuse_used(&directory.path)?;
        // The directory may lie in the work tree of the repository, and is no part of it.
        directory.write(IGNORE, IGNORED)?;
        Ok(directory)
    }

    /// Opens a run directory to go on with its run.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        if !path.join("journal.jsonl").is_file() {
            return Err(Error::user(format!("`{}` holds no run: there is no journal.jsonl in it", path.display())));
        }
        let path = path.canonicalize().map_err(|error| failed("open", path, &error))?;
        Ok(Self { _lock: lock(&path)?, path })
    }

    /// Takes the run away again: nothing was done in it, so that the same command can be given again.
    pub(super) fn remove(&self) {
        self.clear();
        let _ = fs::remove_file(self.path.join("lock"));
        let _ = fs::remove_dir(&self.path);
    }

    /// Removes what a run puts into its directory before its first event.
    fn clear(&self) {
        for name in FOLDERS {
            // Best effort: what is left is said when the directory is used again.
            let _ = removal::remove(&self.path.join(name));
        }
        // What says that all this is ours goes last.
        for name in FILES.into_iter().chain([IGNORE]) {
            let _ = fs::remove_file(self.path.join(name));
        }
    }

    /// Whether it is what a process left that was killed before its run's first event: nothing that counts is in it.
    fn is_unbegun(path: &Path) -> bool {
        let is_known = |name: &str| {
            let name = name.strip_suffix(".part").unwrap_or(name);
            FOLDERS.contains(&name) || FILES.contains(&name) || name == IGNORE || name == "lock"
        };
        let all_known = || {
            fs::read_dir(path).is_ok_and(|mut entries| {
                entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_known)))
            })
        };
        let has_event = fs::read(path.join(JOURNAL)).is_ok_and(|journal| journal.contains(&b'\n'));
        path.join("lock").exists()
            && fs::read_to_string(path.join(IGNORE)).is_ok_and(|text| text == IGNORED)
            && !has_event
            && all_known()
    }

    /// The folder itself, absolute.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The frozen job.
    pub(super) fn job(&self) -> PathBuf {
        self.path.join("job.toml")
    }

    /// The journal.
    pub(super) fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The log in syzbot's format.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("bisect.log")
    }

    /// The configuration that builds of Linux start from.
    pub(super) fn baseline(&self) -> PathBuf {
        self.path.join("baseline.config")
    }

    /// The configuration that was made smaller, and has all that the job merges into it.
    pub(super) fn minimized(&self) -> PathBuf {
        self.path.join(MINIMIZED)
    }

    /// Built kernels.
    pub(super) fn kernels(&self) -> PathBuf {
        self.path.join("kernels")
    }

    /// The components that were used.
    pub(super) fn plugins(&self) -> PathBuf {
        self.path.join("plugins")
    }

    /// Copies of what the job brings from outside its repository.
    pub(super) fn inputs(&self) -> PathBuf {
        self.path.join("inputs")
    }

    /// Checkouts and scratch.
    pub(super) fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Where children are noted that could outlive a killed process (only where bwrap does not work).
    pub(super) fn children(&self) -> PathBuf {
        self.path.join("work").join("children")
    }

    /// Ends what a killed process left running, and removes what its machines and builds left lying.
    pub(super) fn tidy(&self) {
        // Best effort: what stays is in nobody's way.
        let _ = ledger::end_leftovers(&self.children());
        for entry in fs::read_dir(self.work()).into_iter().flatten().flatten() {
            let name = entry.file_name();
            // Each builder has a folder of its own: `build`, `build-2`, …
            let of_builder = |name: &str| name == "build" || name.starts_with("build-");
            if name.to_str().is_some_and(|name| name == "machines" || of_builder(name)) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// The folder of one trial: the commit's `n`-th.
    pub(super) fn trial(&self, commit: &CommitId, n: u32) -> PathBuf {
        self.path.join("trials").join(commit.to_string()).join(n.to_string())
    }

    /// Keeps a trial's console, compressed, and what its reproducer printed apart from it.
    pub(super) fn keep_texts(&self, commit: &CommitId, n: u32, console: &[u8], printed: &[u8]) -> io::Result<()> {
        let folder = self.trial(commit, n);
        fs::create_dir_all(&folder)?;
        let compressed = zstd::encode_all(console, 3)?;
        fs::write(folder.join("console.zst"), compressed)?;
        if printed.is_empty() { Ok(()) } else { fs::write(folder.join("printed"), printed) }
    }

    /// What a trial's reproducer printed apart from the console; empty where nothing was.
    pub(super) fn printed(&self, commit: &CommitId, n: u32) -> Vec<u8> {
        fs::read(self.trial(commit, n).join("printed")).unwrap_or_default()
    }

    /// A trial's console.
    pub(super) fn console(&self, commit: &CommitId, n: u32) -> io::Result<Vec<u8>> {
        zstd::decode_all(File::open(self.trial(commit, n).join("console.zst"))?)
    }

    /// Takes away a result that no longer stands.
    pub(super) fn forget_report(&self) {
        for name in ["report.json", "report.txt"] {
            // Best effort: the journal says that it does not stand.
            let _ = fs::remove_file(self.path.join(name));
        }
    }

    /// Writes a file of the directory in one step: a reader sees the old text or the new one.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let (path, part) = (self.path.join(name), self.path.join(format!("{name}.part")));
        fs::write(&part, text)
            .and_then(|()| File::open(&part)?.sync_all())
            .and_then(|()| fs::rename(&part, &path))
            .map_err(|error| failed("write", &path, &error))
    }
}

/// The smaller configuration.
pub(super) const MINIMIZED: &str = "config-minimized";

/// Keeps everything beside it from git's eyes.
const IGNORE: &str = ".gitignore";
/// What it says.
const IGNORED: &str = "*\n";
/// The events.
const JOURNAL: &str = "journal.jsonl";
/// Folders that are there before a run's first event.
const FOLDERS: [&str; 5] = ["trials", "kernels", "plugins", "inputs", "work"];
/// Files that may be.
const FILES: [&str; 6] = ["job.toml", JOURNAL, "bisect.log", "baseline.config", "minimal.config", MINIMIZED];

/// What to do about a full disk.
pub(super) const MAKE_ROOM: &str = "make room on the disk";

/// Refuses a folder in which no new run can begin.
fn refuse_used(path: &Path) -> Result<(), Error> {
    if path.join("journal.jsonl").exists() {
        return Err(Error::user(format!("`{}` already holds a run", path.display()))
            .hint(format!("go on with it: kbisect resume {}", path.display()))
            .hint("or name another directory with --out"));
    }
    let foreign = fs::read_dir(path)
        .map_err(|error| failed("read", path, &error))?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name() != "lock");
    let Some(foreign) = foreign else { return Ok(()) };
    Err(Error::user(format!("`{}` is not empty: it holds `{}`", path.display(), foreign.file_name().display()))
        .hint("name a new or empty directory with --out"))
}

/// A directory that cannot be made is the user's to choose again, unless the disk is to blame. Where its parents are made as needed,
/// that something is not there means a file system in which nobody can make directories, such as /proc.
fn cannot_create(path: &Path, error: &io::Error) -> Error {
    let failure = failed("create", path, error);
    match (failure.kind, error.kind()) {
        (ErrorKind::Infrastructure, io::ErrorKind::NotFound) => {
            Error::user(format!("cannot create `{}`: no directory can be made there", path.display()))
                .hint("name another directory with --out")
        }
        _ => failure,
    }
}

/// An input or output error on a path: the user's where the path cannot be used, else an infrastructure failure.
pub(super) fn failed(action: &str, path: &Path, error: &io::Error) -> Error {
    use io::ErrorKind as Kind;
    let message = format!("cannot {action} `{}`: {error}", path.display());
    match error.kind() {
        Kind::PermissionDenied | Kind::NotADirectory | Kind::AlreadyExists | Kind::ReadOnlyFilesystem => Error::user(message),
        Kind::StorageFull => Error::infrastructure(message).hint(MAKE_ROOM),
        _ => Error::infrastructure(message),
    }
}

/// By then nothing of a killed process is left.
const GONE_BY: Duration = Duration::from_secs(2);

/// Takes the lock and writes who holds it.
fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join("lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| failed("open", &path, &error))?;
    let deadline = Instant::now() + GONE_BY;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path, &error)),
        }
        let holder = fs::read_to_string(&path).unwrap_or_default();
        if Instant::now() >= deadline || !left_by_the_dead(&holder) {
            let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
            return Err(Error::user(format!("`{}` is in use by {holder}", directory.display())));
        }
        sleep(Duration::from_millis(20));
    }
    let text = holder(std::process::id());
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(|error| failed("write", &path, &error))?;
    Ok(file)
}

/// How a lock's holder is named.
fn holder(process: u32) -> String {
    format!("kbisect, process {process} on {}\n", host())
}

/// Whether a lock's holder is no more: what it had just forked may still hold the lock until it becomes another program.
fn left_by_the_dead(named: &str) -> bool {
    let process = named.strip_prefix("kbisect, process ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    process.is_some_and(|process| named == holder(process) && !Path::new(&format!("/proc/{process}")).exists())
}

/// Whether a process works in the directory now.
pub(super) fn in_use(directory: &Path) -> bool {
    File::open(directory.join("lock")).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// This machine's name.
pub(super) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
