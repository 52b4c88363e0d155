//! An object tree that stays from build to build. Owns what it takes to trust it: a build that was cut short leaves files that are
//! half written and yet newer than their sources, which make would take for done.
//!
//! So a mark is set before a build, and taken away when its make has ended by itself. Where the mark is still there, everything that was
//! touched since goes, and is made again.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

use kbisect_core::commit::CommitId;
use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::Timespec;
use rustix::fs::Timestamps;
use rustix::fs::utimensat;
use sha2::Digest as _;
use sha2::Sha256;

use super::own_file;
use super::read;
use crate::build::signature::hex;
use crate::removal;

/// Ends the name, beside the tree, of what is there while a build runs. A build cannot write there.
const MARK: &str = "building";

/// A part of a tick of a file system's clock.
const TICK: Duration = Duration::from_millis(1);

/// The same for what the tree's configuration was made from.
const CONFIGURED: &str = "configured";

/// An object tree.
#[derive(Debug)]
pub struct Tree {
    dir: PathBuf,
    /// Locked, for any who build in it, against its removal.
    _lock: Option<fs::File>,
}

/// Removes object trees that nobody builds in right now, below a run's folder for builders. Says whether there was one.
pub fn remove_idle(work: &Path) -> bool {
    let folders = |dir: &Path| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
    };
    let is_tree = |path: &PathBuf| path.file_name().is_some_and(|name| name == "tree" || name == "tree.fresh");
    let remove = |dir: PathBuf| {
        let tree = Tree::at(&dir);
        let lock = tree.lock().ok().filter(|lock| lock.try_lock().is_ok());
        lock.is_some() && tree.remove().is_ok()
    };
    folders(work)
        .flat_map(|builder| folders(&builder).collect::<Vec<_>>())
        .filter(is_tree)
        .filter(|dir| remove(dir.clone()))
        .count()
        > 0
}

impl Tree {
    /// The tree in `dir`, made if it is not there; what a build that was cut short has touched is removed, and what is dated in the
    /// future is made anew.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let tree = Self::at(&dir.canonicalize()?);
        let lock = tree.lock()?;
        lock.lock_shared()?;
        // Who waited for the lock may have waited for the tree's removal.
        fs::create_dir_all(dir)?;
        let tree = Self { _lock: Some(lock), ..tree };
        tree.clean_up()?;
        // Objects that nobody vouches for: a version of kbisect before this one kept its marks elsewhere.
        if tree.is_warm() && tree.configured().is_none() {
            tree.wipe()?;
        }
        if age(&tree.dir, SystemTime::now()).is_err() {
            tree.wipe()?;
        }
        Ok(tree)
    }

    /// The tree in `dir`, as it is.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), _lock: None }
    }

    /// Removes what a build that was cut short has touched; everything, where that cannot be told apart.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn clean_up(&self) -> io::Result<()> {
        let Ok(mark) = fs::symlink_metadata(self.beside(MARK)) else { return Ok(()) };
        if remove_since(&self.dir, (mark.ctime(), mark.ctime_nsec())).is_err() {
            self.wipe()?;
        }
        // Last: a kill in the middle of this must not make the rest trusted.
        self.end()
    }

    /// Where it is, absolute.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is kept of the tree where no build can reach it.
    fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.dir.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(what);
        self.dir.with_file_name(name)
    }

    fn lock(&self) -> io::Result<fs::File> {
        fs::File::options().create(true).append(true).open(self.beside("lock"))
    }

    /// Whether something was built in it.
    pub fn is_warm(&self) -> bool {
        self.dir.join("include/config").is_dir()
    }

    /// A build begins.
    ///
    /// # Errors
    /// The mark cannot be written.
    pub fn begin(&self) -> io::Result<()> {
        let configured = fs::symlink_metadata(self.dir.join(".config")).map(|config| (config.ctime(), config.ctime_nsec()));
        loop {
            // A new file each time: its time is when the build begins.
            let mark = write(&self.beside(MARK), "")?.metadata()?;
            // The configuration is made before that; clocks of file systems tick some hundred times a second.
            if configured.as_ref().is_ok_and(|before| *before == (mark.ctime(), mark.ctime_nsec())) {
                std::thread::sleep(TICK);
                continue;
            }
            return Ok(());
        }
    }

    /// Its make ended by itself: what it wrote is whole.
    ///
    /// # Errors
    /// The mark cannot be removed.
    pub fn end(&self) -> io::Result<()> {
        removal::remove(&self.beside(MARK))
    }

    /// Removes everything.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn wipe(&self) -> io::Result<()> {
        self.remove()?;
        fs::create_dir_all(&self.dir)
    }

    /// Removes the tree and what is kept of it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(&self) -> io::Result<()> {
        removal::remove(&self.beside(CONFIGURED))?;
        removal::remove(&self.dir)?;
        self.end()
    }

    /// Puts the tree in the place of another.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn replace(&self, other: &Self) -> io::Result<()> {
        other.remove()?;
        fs::rename(&self.dir, &other.dir)?;
        // A kill before this leaves a tree that nobody vouches for.
        match fs::rename(self.beside(CONFIGURED), other.beside(CONFIGURED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.end(),
        }
    }

    /// The commit that the `.config` was last made for or found right for, if it was made from this text by this compiler.
    pub fn configured_for(&self, wished: &str, compiler: &str) -> Option<CommitId> {
        let (commit, known) = self.configured()?;
        (self.own_file(".config").is_some() && known == fingerprint(wished, compiler)).then_some(commit)
    }

    /// The commit that was built last; none where nothing was, or where that was cut short.
    pub fn commit(&self) -> Option<CommitId> {
        self.configured().map(|(commit, _)| commit).filter(|_| !self.beside(MARK).exists())
    }

    fn configured(&self) -> Option<(CommitId, String)> {
        let text = read(&self.beside(CONFIGURED)).ok()?;
        let (commit, fingerprint) = text.split_once(' ')?;
        Some((commit.parse().ok()?, fingerprint.to_owned()))
    }

    /// Notes that the `.config` made from this text by this compiler is right for a commit.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&self, commit: &CommitId, wished: &str, compiler: &str) -> io::Result<()> {
        write(&self.beside(CONFIGURED), &format!("{commit} {}", fingerprint(wished, compiler))).map(drop)
    }

    /// Takes a new `.config`, which lies in the tree under this name. One that says the same as the old leaves the old one and its time
    /// alone, so that nothing is made again.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn configure(&self, new: &str) -> io::Result<()> {
        let said = |name: &str| read(&self.own_file(name).ok_or(io::ErrorKind::NotFound)?);
        let (new, old) = (said(new)?, said(".config"));
        if old.is_ok_and(|old| without_heading(&old) == without_heading(&new)) {
            return Ok(());
        }
        self.write(".config", &new)
    }

    /// A file of the tree, which no link may lead out of.
    pub fn own_file(&self, name: &str) -> Option<PathBuf> {
        own_file(&self.dir, name)
    }

    /// Writes a file at the tree's root. What a build has left in its place goes, whatever it is.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        write(&self.dir.join(name), text).map(drop)
    }
}

fn write(path: &Path, text: &str) -> io::Result<fs::File> {
    removal::remove(path)?;
    let mut file = fs::File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

fn fingerprint(wished: &str, compiler: &str) -> String {
    hex(&Sha256::digest(format!("{compiler}\n{wished}")))
}

/// A configuration without comments that say no symbol's value: the heading names the release.
fn without_heading(text: &str) -> String {
    let kept = |line: &&str| !line.starts_with('#') || line.ends_with(" is not set");
    text.lines().filter(kept).flat_map(|line| [line, "\n"]).collect()
}

/// Removes files and links whose state has changed since a time (seconds and nanoseconds); folders stay.
fn remove_since(dir: &Path, since: (i64, i64)) -> io::Result<()> {
    each_file(dir, |path, found| {
        let is_younger = (found.ctime(), found.ctime_nsec()) >= since;
        if is_younger { fs::remove_file(path) } else { Ok(()) }
    })
}

/// Makes files old that are dated in the future, by a build's own doing or a clock that was ahead: for make they would be up to date
/// for ever, and what they were made from at one commit would be in the kernels of all others.
fn age(dir: &Path, now: SystemTime) -> io::Result<()> {
    each_file(dir, |path, found| {
        if !found.is_file() || found.modified()? <= now {
            return Ok(());
        }
        let old = Timespec { tv_sec: 0, tv_nsec: 0 };
        let times = Timestamps { last_access: old, last_modification: old };
        Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    })
}

fn each_file(dir: &Path, act: impl Fn(&Path, &fs::Metadata) -> io::Result<()>) -> io::Result<()> {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if found.is_dir() {
                folders.push(entry.path());
            } else {
                act(&entry.path(), &found)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn links_lead_nowhere() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = outside.path().join("secret");
        fs::write(&secret, "CONFIG_A=y\n").unwrap();
        let tree = Tree::open(&dir.path().join("tree")).unwrap();
        for name in [".config", "new"] {
            std::os::unix::fs::symlink(&secret, tree.dir().join(name)).unwrap();
        }
        assert_eq!((tree.own_file(".config"), tree.commit()), (None, None));
        assert!(tree.configure("new").is_err(), "what lies outside is not read");
        tree.write("new", "CONFIG_B=y\n").unwrap();
        tree.configure("new").unwrap();
        tree.note(&CommitId::from_bytes([1; 20]), "", "").unwrap();
        tree.begin().unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "CONFIG_A=y\n");
        assert_eq!(fs::read_to_string(tree.dir().join(".config")).unwrap(), "CONFIG_B=y\n");
        // What is a folder goes as well: otherwise one commit would end all builds after it.
        tree.write("new", "CONFIG_C=y\n").unwrap();
        fs::remove_file(tree.dir().join(".config")).unwrap();
        fs::create_dir_all(tree.dir().join(".config/in")).unwrap();
        tree.configure("new").unwrap();
        assert_eq!(fs::read_to_string(tree.dir().join(".config")).unwrap(), "CONFIG_C=y\n");
    }

    #[test]
    fn what_a_killed_build_has_touched_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join("tree").join(name);
        let tree = Tree::open(&path("")).unwrap();
        fs::create_dir(path("kernel")).unwrap();
        for name in ["kernel/old.o", "kernel/rewritten.o", "kernel/renamed.tmp"] {
            fs::write(path(name), "whole").unwrap();
        }
        // Files of the mark's own tick of the clock go, too.
        std::thread::sleep(Duration::from_millis(50));
        tree.begin().unwrap();
        fs::write(path("kernel/new.o"), "hal").unwrap();
        fs::write(path("kernel/rewritten.o"), "hal").unwrap();
        fs::rename(path("kernel/renamed.tmp"), path("kernel/renamed.o")).unwrap();
        Tree::open(&path("")).unwrap();
        let left = || fs::read_dir(path("kernel")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert_eq!(left(), ["old.o"]);
        assert!(!tree.beside(MARK).exists());

        tree.begin().unwrap();
        remove_since(tree.dir(), (0, 0)).unwrap();
        assert_eq!(left().len(), 0, "everything is younger");
        assert!(tree.beside(MARK).exists(), "a kill between the two leaves the tree as doubtful as it was");
        fs::write(path("kernel/old.o"), "whole").unwrap();

        tree.begin().unwrap();
        fs::write(path("kernel/new.o"), "whole").unwrap();
        tree.end().unwrap();
        Tree::open(&path("")).unwrap();
        assert_eq!(left().len(), 2);
    }

    #[test]
    fn a_configuration_is_older_than_the_build_that_follows() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::open(&dir.path().join("tree")).unwrap();
        for number in 0..50 {
            tree.write(".config", &number.to_string()).unwrap();
            tree.begin().unwrap();
            tree.write("half.o", "hal").unwrap();
            // As after a compiler that was killed: the second try needs the configuration.
            tree.clean_up().unwrap();
            assert!(tree.own_file(".config").is_some() && tree.own_file("half.o").is_none(), "{number}");
        }
    }

    #[test]
    fn what_is_dated_in_the_future_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::open(&dir.path().join("tree")).unwrap();
        let modified = |name: &str| fs::metadata(tree.dir().join(name)).unwrap().modified().unwrap();
        for (name, ahead) in [("old.o", 0), ("ahead.o", 1000)] {
            tree.write(name, "x").unwrap();
            let file = fs::File::options().write(true).open(tree.dir().join(name)).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(ahead) - Duration::from_secs(1)).unwrap();
        }
        std::os::unix::fs::symlink("/dev/null", tree.dir().join("link")).unwrap();
        let old = modified("old.o");
        Tree::open(tree.dir()).unwrap();
        assert_eq!((modified("old.o"), modified("ahead.o")), (old, SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn a_tree_takes_the_place_of_another_with_what_is_known_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let [old, new] = ["tree", "tree.fresh"].map(|name| Tree::open(&dir.path().join(name)).unwrap());
        let commits = [1, 2].map(|byte| CommitId::from_bytes([byte; 20]));
        for (tree, commit) in [&old, &new].into_iter().zip(&commits) {
            tree.write(".config", &commit.to_string()).unwrap();
            tree.note(commit, "", "").unwrap();
        }
        new.replace(&old).unwrap();
        assert_eq!((old.commit(), old.configured_for("", "")), (Some(commits[1]), Some(commits[1])));
        let left = || fs::read_dir(dir.path()).unwrap().count();
        let locks = 2;
        assert_eq!(left(), 2 + locks);
        old.remove().unwrap();
        assert_eq!(left(), locks);
    }

    #[test]
    fn trees_that_nobody_builds_in_can_go() {
        let work = tempfile::tempdir().unwrap();
        let [mine, idle, other] = ["linux/tree", "linux-2/tree", "linux-2/src"].map(|name| work.path().join(name));
        fs::create_dir_all(&other).unwrap();
        let tree = Tree::open(&mine).unwrap();
        drop(Tree::open(&idle).unwrap());
        assert!(remove_idle(work.path()));
        assert!(mine.is_dir() && !idle.exists() && other.is_dir());
        assert!(!remove_idle(work.path()));
        drop(tree);
        assert!(remove_idle(work.path()));
        Tree::open(&idle).unwrap().write(".config", "").unwrap();
    }

    #[test]
    fn a_configuration_that_says_the_same_keeps_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::open(&dir.path().join("tree")).unwrap();
        let new = tree.dir().join("new");
        let time = || fs::metadata(tree.dir().join(".config")).unwrap().modified().unwrap();
        fs::write(&new, "#\n# Linux/x86 6.0.0 Kernel Configuration\n#\nCONFIG_A=y\n# CONFIG_B is not set\n").unwrap();
        let commit = CommitId::from_bytes([7; 20]);
        assert_eq!((tree.configured_for("A=y", "gcc 12"), tree.commit()), (None, None));
        tree.configure("new").unwrap();
        tree.note(&commit, "A=y", "gcc 12").unwrap();
        assert_eq!((tree.configured_for("A=y", "gcc 12"), tree.commit()), (Some(commit), Some(commit)));
        assert_eq!((tree.configured_for("A=y", "gcc 11"), tree.configured_for("", "gcc 12")), (None, None));
        let first = time();
        fs::write(&new, "#\n# Linux/x86 6.1.0 Kernel Configuration\n#\nCONFIG_A=y\n# CONFIG_B is not set\n").unwrap();
        tree.configure("new").unwrap();
        assert_eq!(time(), first);
        fs::write(&new, "CONFIG_A=y\nCONFIG_B=y\n").unwrap();
        tree.configure("new").unwrap();
        assert!(fs::read_to_string(tree.dir().join(".config")).unwrap().contains("CONFIG_B=y"));
    }
}
