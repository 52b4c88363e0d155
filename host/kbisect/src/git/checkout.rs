//! Checkouts: private repositories that borrow the user's objects, with one commit's files. Owns switching between commits.
//!
//! `.git` of a checkout is a plain repository (git itself may be used in it) with the object stores of the user's as alternates
//! and the user's tags. Two files there are kbisect's: `kbisect` says that the folder is ours and which commit it is meant to
//! show, whatever a script has done to HEAD; `kbisect-switching` lists the commits whose files may be about, from before the
//! first file is touched until the index is written, so that a killed switch is mended by the next.
//!
//! Files are written as they are in the commit: no filters, no line-end conversion, no attributes, no hooks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use git2::ErrorCode;
use git2::IndexEntry;
use git2::IndexTime;
use git2::ObjectType;
use git2::Oid;
use kbisect_core::commit::CommitId;

use super::Error;
use super::files::Files;
use super::files::Keep;
use super::repository::to_oid;
use super::soundness;
use super::soundness::object_stores;
use super::tree;
use super::tree::Entry;
use super::tree::Kind;

/// One private repository with its files. Used by one owner at a time.
pub struct Checkout {
    git: git2::Repository,
    path: PathBuf,
}

/// Kept free of the user's settings: values here win over their global configuration.
const CONFIG: &str = "[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = false
\tsymlinks = true
\tautocrlf = false
\tignorecase = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// Whatever else attributes say, git itself too takes files as they are in a checkout.
const ATTRIBUTES: &str = "* -text !eol -ident -filter -working-tree-encoding\n";

/// Marks the folder as ours; holds the commit that is meant to be shown.
const OURS: &str = "kbisect";

/// Bytes of a file, which is in memory as a whole; the kernel's largest have some twenty million.
const LARGEST: usize = 512 << 20;

/// Commits whose files may be about while a switch is under way.
const SWITCHING: &str = "kbisect-switching";

impl Checkout {
    /// Makes a checkout of no commit yet in `dir`, borrowing from the repository at `user_repo`; opens and mends one that is
    /// there, also after the user's repository has moved.
    ///
    /// # Errors
    ///
    /// [`Error::Occupied`] if `dir` holds anything else; what opening a [`super::Repository`] may say.
    pub fn create(user_repo: &Path, dir: &Path) -> Result<Self, Error> {
        let user = soundness::open(user_repo)?;
        let git_dir = dir.join(".git");
        if !is_ours(dir) {
            return Err(Error::Occupied { dir: dir.to_owned() });
        }
        make_folder(&git_dir)?;
        untangle(&git_dir)?;
        if !git_dir.join(OURS).exists() {
            write(&git_dir.join(OURS), b"")?;
        }
        for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
            make_folder(&git_dir.join(folder))?;
        }
        let mut alternates = Vec::new();
        for store in object_stores(&user.commondir().join("objects")) {
            alternates.extend_from_slice(store.as_os_str().as_bytes());
            alternates.push(b'\n');
        }
        write(&git_dir.join("objects/info/alternates"), &alternates)?;
        write(&git_dir.join("packed-refs"), tags(&user).as_bytes())?;
        write(&git_dir.join("config"), CONFIG.as_bytes())?;
        write(&git_dir.join("info/attributes"), ATTRIBUTES.as_bytes())?;
        if !git_dir.join("HEAD").exists() {
            write(&git_dir.join("HEAD"), b"ref: refs/heads/none\n")?;
        }
        let git = git2::Repository::open(&git_dir).map_err(|error| match error.code() {
            ErrorCode::Owner => Error::ForeignOwner { repo: dir.to_owned() },
            _ => Error::git(format!("open `{}`", git_dir.display()), error),
        })?;
        let path = fs::canonicalize(dir).map_err(|error| Error::io("find", dir, error))?;
        Ok(Self { git, path })
    }

    /// Makes a checkout of no commit yet in `dir` in place of what is there: one that programs have left in no state to go on with.
    ///
    /// # Errors
    ///
    /// As [`Checkout::create`], and where something cannot be removed.
    pub fn anew(user_repo: &Path, dir: &Path) -> Result<Self, Error> {
        super::files::remove(dir)?;
        Self::create(user_repo, dir)
    }

    /// Its own repository.
    pub(super) fn repository(&self) -> &git2::Repository {
        &self.git
    }

    /// The folder with the files, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The commit that is checked out; `None` before the first switch, and after one that was cut short.
    pub fn commit(&self) -> Option<CommitId> {
        if self.git_file(SWITCHING).exists() { None } else { self.meant() }
    }

    /// The commit that the last switch was to.
    fn meant(&self) -> Option<CommitId> {
        fs::read_to_string(self.git_file(OURS)).ok()?.trim().parse().ok()
    }

    /// Checks out a commit: its tracked files are as in the commit, those of the commit before are gone, and what is untracked
    /// stays unless it is in the way. Files that do not differ keep their times.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a hostile tree (nothing was touched then), [`Error::MissingObject`], [`Error::Io`].
    pub fn switch(&mut self, commit: &CommitId) -> Result<(), Error> {
        self.untangle()?;
        let target = self.entries(commit)?;
        self.remove_stale_locks()?;
        let record = self.record();
        let mut known: Vec<Entry> = record.values().map(|(entry, _)| entry.clone()).collect();
        for other in self.unfinished() {
            // A commit that is gone can have no files that the index does not know.
            known.extend(self.entries(&other).unwrap_or_default());
        }
        let mut unfinished = fs::read(self.git_file(SWITCHING)).unwrap_or_default();
        unfinished.extend_from_slice(format!("{commit}\n").as_bytes());
        write(&self.git_file(SWITCHING), &unfinished)?;
        write(&self.git_file(OURS), format!("{commit}\n").as_bytes())?;

        let mut files = Files::new(&self.path);
        let wanted = |path: &[u8]| target.binary_search_by(|entry| entry.path.as_slice().cmp(path)).is_ok();
        for entry in known.iter().filter(|entry| !wanted(&entry.path)) {
            match entry.kind {
                Kind::Submodule => files.remove_folder_if_empty(entry.path())?,
                Kind::File { .. } | Kind::Link => files.remove_file(entry.path())?,
            }
        }
        let mut index = self.empty_index()?;
        for entry in &target {
            let recorded = record.get(&entry.path).filter(|(recorded, _)| recorded == entry).map(|(_, stat)| stat);
            self.put(commit, &mut files, entry, recorded)?;
            let found = files.look(entry.path())?.ok_or_else(|| vanished(&self.path.join(entry.path())))?;
            let stat = Stat::of(&found);
            index
                .add(&stat.recorded(entry))
                .map_err(|error| Error::git(format!("record `{}`", entry.path().display()), error))?;
        }
        drop(files);
        index.write().map_err(|error| Error::git(format!("write the index of `{}`", self.path.display()), error))?;
        write(&self.git_file("HEAD"), format!("{commit}\n").as_bytes())?;
        let marker = self.git_file(SWITCHING);
        fs::remove_file(&marker).map_err(|error| Error::io("remove", &marker, error))
    }

    /// Brings the tracked files back to what they are in the commit, however they were changed; what is untracked stays.
    /// Nothing happens before the first switch.
    pub fn reset_tracked(&mut self) -> Result<(), Error> {
        self.untangle()?;
        self.meant().map_or(Ok(()), |commit| self.switch(&commit))
    }

    /// As [`Checkout::reset_tracked`], and removes everything that is not tracked, ignored files and nested repositories included.
    pub fn clean(&mut self) -> Result<(), Error> {
        self.reset_tracked()?;
        let target = self.meant().map_or(Ok(Vec::new()), |commit| self.entries(&commit))?;
        let keep = |path: &Path| {
            let bytes = path.as_os_str().as_bytes();
            if bytes == b".git" {
                return Keep::All;
            }
            if let Ok(found) = target.binary_search_by(|entry| entry.path.as_slice().cmp(bytes)) {
                return if target[found].kind == Kind::Submodule { Keep::Inside } else { Keep::All };
            }
            let inside = [bytes, b"/"].concat();
            let next = target.partition_point(|entry| entry.path < inside);
            if target.get(next).is_some_and(|entry| entry.path.starts_with(&inside)) { Keep::Inside } else { Keep::Nothing }
        };
        Files::new(&self.path).sweep(Path::new(""), &keep)
    }

    /// Makes `.git` safe to work in, whatever a build has done there.
    pub(super) fn untangle(&self) -> Result<(), Error> {
        let git_dir = self.path.join(".git");
        if !is_folder(&git_dir) {
            return Err(Error::Occupied { dir: self.path.clone() });
        }
        untangle(&git_dir)?;
        // Settings can name other files to read.
        let config = git_dir.join("config");
        if fs::metadata(&config).is_ok_and(|found| found.len() == CONFIG.len() as u64)
            && fs::read(&config).is_ok_and(|now| now == CONFIG.as_bytes())
        {
            return Ok(());
        }
        write(&config, CONFIG.as_bytes())
    }

    /// Removes locks that a killed process, ours or a script's git, has left: nobody else is at work here.
    fn remove_stale_locks(&self) -> Result<(), Error> {
        for lock in ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"] {
            let lock = self.git_file(lock);
            match fs::remove_file(&lock) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", &lock, error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn git_file(&self, name: &str) -> PathBuf {
        self.path.join(".git").join(name)
    }

    fn entries(&self, commit: &CommitId) -> Result<Vec<Entry>, Error> {
        let tree = self.git.find_commit(to_oid(commit)).map_err(|error| self.read_error(to_oid(commit), error))?.tree_id();
        tree::entries(&self.git, tree).map_err(|failure| match failure {
            tree::Failure::Refused(why) => Error::Refused { commit: *commit, why },
            tree::Failure::Git(id, error) => self.read_error(id, error),
        })
    }

    pub(super) fn read_error(&self, id: Oid, error: git2::Error) -> Error {
        if error.code() == ErrorCode::NotFound {
            Error::MissingObject { repo: self.path.clone(), id: id.to_string() }
        } else {
            Error::git(format!("read object {id}"), error)
        }
    }

    /// The index, if there is one that can be read (libgit2 takes a missing one for an empty one).
    fn index(&self) -> Option<git2::Index> {
        let path = self.git_file("index");
        if path.exists() { git2::Index::open(&path).ok() } else { None }
    }

    /// What the index says of the files on disk; without an index, nothing.
    fn record(&self) -> BTreeMap<Vec<u8>, (Entry, Option<Stat>)> {
        let Some(index) = self.index() else { return BTreeMap::new() };
        // What was written in the index's own tick of the clock may have changed after it was recorded (git's "racily clean").
        let written = fs::metadata(self.git_file("index")).map_or((0, 0), |found| (found.mtime(), found.mtime_nsec()));
        index
            .iter()
            .filter_map(|recorded| {
                let kind = match recorded.mode & 0o170_000 {
                    0o100_000 => Kind::File { executable: recorded.mode & 0o100 != 0 },
                    0o120_000 => Kind::Link,
                    0o160_000 => Kind::Submodule,
                    _ => return None,
                };
                let racy = (i64::from(recorded.mtime.seconds()), i64::from(recorded.mtime.nanoseconds())) >= written;
                let stat = (!racy).then(|| Stat::from(&recorded));
                Some((recorded.path.clone(), (Entry { path: recorded.path, kind, id: recorded.id }, stat)))
            })
            .collect()
    }

    /// Commits whose files may be about without being in the index.
    fn unfinished(&self) -> Vec<CommitId> {
        let mut commits: Vec<CommitId> = fs::read_to_string(self.git_file(SWITCHING))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        if self.index().is_none() {
            commits.extend(self.meant());
        }
        commits.sort_unstable();
        commits.dedup();
        commits
    }

    /// Makes the file on disk what the entry says. `recorded` is what the disk looked like when it last was so.
    fn put(&self, commit: &CommitId, files: &mut Files<'_>, entry: &Entry, recorded: Option<&Option<Stat>>) -> Result<(), Error> {
        let path = entry.path();
        files.make_parents(path)?;
        let found = files.look(path)?;
        let executable = match entry.kind {
            Kind::Submodule => return files.make_folder(path),
            Kind::File { executable } => executable,
            Kind::Link => false,
        };
        if let (Some(found), Some(Some(stat))) = (&found, recorded)
            && Stat::of(found) == *stat
        {
            return Ok(());
        }
        let odb = self.git.odb().map_err(|error| Error::git("open the object store", error))?;
        let (size, _) = odb.read_header(entry.id).map_err(|error| self.read_error(entry.id, error))?;
        if size > LARGEST {
            return Err(Error::Refused { commit: *commit, why: format!("`{}` has {size} bytes", path.display()) });
        }
        let blob = odb.read(entry.id).map_err(|error| self.read_error(entry.id, error))?;
        if blob.kind() != ObjectType::Blob {
            return Err(Error::Refused { commit: *commit, why: format!("`{}` is no file in it", path.display()) });
        }
        let content = blob.data();
        let full = self.path.join(path);
        if entry.kind == Kind::Link {
            let same = found.is_some_and(|found| found.is_symlink())
                && fs::read_link(&full).is_ok_and(|target| target.as_os_str().as_bytes() == content);
            return if same { Ok(()) } else { files.write_link(path, content) };
        }
        match found {
            Some(found)
                if found.is_file() && found.len() == content.len() as u64 && fs::read(&full).is_ok_and(|now| now == content) =>
            {
                if (found.mode() & 0o100 != 0) == executable {
                    Ok(())
                } else {
                    files.set_executable(path, &found, executable)
                }
            }
            _ => files.write_file(path, content, executable),
        }
    }

    /// The index's file with nothing in it yet; the old one stays until this is written.
    fn empty_index(&self) -> Result<git2::Index, Error> {
        let path = self.git_file("index");
        let mut index = match git2::Index::open(&path) {
            Ok(index) => index,
            Err(_) => {
                fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
                git2::Index::open(&path).map_err(|error| Error::git(format!("open `{}`", path.display()), error))?
            }
        };
        index.clear().map_err(|error| Error::git(format!("clear `{}`", path.display()), error))?;
        Ok(index)
    }
}

/// What identifies a file's state without reading it; the fields that git's index keeps, cut to 32 bits as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    ctime: (i32, u32),
    mtime: (i32, u32),
    device: u32,
    inode: u32,
    owner: (u32, u32),
    size: u32,
    mode: u32,
}

impl Stat {
    fn of(found: &fs::Metadata) -> Self {
        let mode = match found.mode() & 0o170_000 {
            0o100_000 if found.mode() & 0o100 != 0 => 0o100_755,
            0o100_000 => 0o100_644,
            other => other,
        };
        Self {
            ctime: (found.ctime() as i32, found.ctime_nsec() as u32),
            mtime: (found.mtime() as i32, found.mtime_nsec() as u32),
            device: found.dev() as u32,
            inode: found.ino() as u32,
            owner: (found.uid(), found.gid()),
            size: found.size() as u32,
            mode,
        }
    }

    fn from(entry: &IndexEntry) -> Self {
        Self {
            ctime: (entry.ctime.seconds(), entry.ctime.nanoseconds()),
            mtime: (entry.mtime.seconds(), entry.mtime.nanoseconds()),
            device: entry.dev,
            inode: entry.ino,
            owner: (entry.uid, entry.gid),
            size: entry.file_size,
            mode: entry.mode,
        }
    }

    fn recorded(self, entry: &Entry) -> IndexEntry {
        IndexEntry {
            ctime: IndexTime::new(self.ctime.0, self.ctime.1),
            mtime: IndexTime::new(self.mtime.0, self.mtime.1),
            dev: self.device,
            ino: self.inode,
            mode: entry.kind.mode(),
            uid: self.owner.0,
            gid: self.owner.1,
            file_size: self.size,
            id: entry.id,
            flags: 0,
            flags_extended: 0,
            path: entry.path.clone(),
        }
    }
}

fn vanished(path: &Path) -> Error {
    Error::io("find", path, io::Error::from(io::ErrorKind::NotFound))
}

/// Whether a folder is a checkout, a begun one, empty or missing.
fn is_ours(dir: &Path) -> bool {
    let names = |folder: &Path| -> Vec<std::ffi::OsString> {
        fs::read_dir(folder).map(|inside| inside.flatten().map(|entry| entry.file_name()).collect()).unwrap_or_default()
    };
    let git_dir = dir.join(".git");
    let real = is_folder(&git_dir);
    // A kill may have come between the folder and the mark in it.
    let begun = || names(dir).len() == 1 && names(&git_dir).iter().all(|name| name == "kbisect.new");
    names(dir).is_empty() || real && (git_dir.join(OURS).is_file() || begun())
}

/// Whether there is a folder, and no link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Removes everything from a folder that is neither a file nor a folder: programs that may write there must not have us write through
/// a link of theirs, or wait for a pipe.
fn untangle(folder: &Path) -> Result<(), Error> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| Error::io("read", &folder, error))? {
            let entry = entry.map_err(|error| Error::io("read", &folder, error))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| Error::io("look at", &path, error))?;
            if kind.is_dir() {
                folders.push(path);
            } else if !kind.is_file() {
                fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
        }
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))
}

/// Writes a file of our own as a whole: a kill leaves the old one or the new one.
fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path)).map_err(|error| Error::io("write", path, error))
}

/// The user's tags as a `packed-refs` file, so that `git describe` says in a checkout what it says at home.
fn tags(user: &git2::Repository) -> String {
    let mut tags: Vec<(String, Oid, Option<Oid>)> = Vec::new();
    if let Ok(references) = user.references_glob("refs/tags/*") {
        tags.extend(references.flatten().filter_map(|reference| {
            let (name, target) = (reference.name().ok()?.to_owned(), reference.target()?);
            let peeled = reference.peel(ObjectType::Any).ok()?.id();
            Some((name, target, (peeled != target).then_some(peeled)))
        }));
    }
    tags.sort();
    let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for (name, target, peeled) in tags {
        let _ = writeln!(text, "{target} {name}");
        if let Some(peeled) = peeled {
            let _ = writeln!(text, "^{peeled}");
        }
    }
    text
}
