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

use kbisect_core::commit::CommitId;
use sha2::Digest as _;
use sha2::Sha256;

use super::read;
use crate::build::signature::hex;

/// Set while a build runs.
const MARK: &str = ".kbisect-building";

/// What the tree's configuration was made from.
const CONFIGURED: &str = ".kbisect-configured";

/// An object tree.
#[derive(Debug, Clone)]
pub struct Tree {
    dir: PathBuf,
}

impl Tree {
    /// The tree in `dir`, made if it is not there; what a build that was cut short has touched is removed.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let tree = Self { dir: dir.canonicalize()? };
        tree.clean_up()?;
        Ok(tree)
    }

    /// The tree in `dir`, as it is.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Removes what a build that was cut short has touched.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn clean_up(&self) -> io::Result<()> {
        match fs::symlink_metadata(self.dir.join(MARK)) {
            Ok(mark) => {
                remove_since(&self.dir, (mark.ctime(), mark.ctime_nsec()), &self.dir.join(MARK))?;
                // Last: a kill in the middle of this must not make the rest trusted.
                self.end()
            }
            Err(_) => Ok(()),
        }
    }

    /// Where it is, absolute.
    pub fn dir(&self) -> &Path {
        &self.dir
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
        // A new file each time: its time is when the build begins.
        self.write(MARK, "")
    }

    /// Its make ended by itself: what it wrote is whole.
    ///
    /// # Errors
    /// The mark cannot be removed.
    pub fn end(&self) -> io::Result<()> {
        fs::remove_file(self.dir.join(MARK))
    }

    /// Removes everything.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn wipe(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&self.dir),
        }
    }

    /// The commit that the `.config` was last made for or found right for, if it was made from this text by this compiler.
    pub fn configured_for(&self, wished: &str, compiler: &str) -> Option<CommitId> {
        let (commit, known) = self.configured()?;
        (self.own_file(".config").is_some() && known == fingerprint(wished, compiler)).then_some(commit)
    }

    /// The commit that was built last; none where nothing was, or where that was cut short.
    pub fn commit(&self) -> Option<CommitId> {
        self.configured().map(|(commit, _)| commit).filter(|_| !self.dir.join(MARK).exists())
    }

    fn configured(&self) -> Option<(CommitId, String)> {
        let text = read(&self.own_file(CONFIGURED)?).ok()?;
        let (commit, fingerprint) = text.split_once(' ')?;
        Some((commit.parse().ok()?, fingerprint.to_owned()))
    }

    /// Notes that the `.config` made from this text by this compiler is right for a commit.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&self, commit: &CommitId, wished: &str, compiler: &str) -> io::Result<()> {
        self.write(CONFIGURED, &format!("{commit} {}", fingerprint(wished, compiler)))
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
        let path = self.dir.join(name).canonicalize().ok()?;
        (path.starts_with(&self.dir) && path.is_file()).then_some(path)
    }

    /// Writes a file at the tree's root. A link that a build has left in its place is not followed.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::File::create_new(path)?.write_all(text.as_bytes())
    }
}

fn fingerprint(wished: &str, compiler: &str) -> String {
    hex(&Sha256::digest(format!("{compiler}\n{wished}")))
}

/// A configuration without comments that say no symbol's value: the heading names the release.
fn without_heading(text: &str) -> String {
    let kept = |line: &&str| !line.starts_with('#') || line.ends_with(" is not set");
    text.lines().filter(kept).flat_map(|line| [line, "\n"]).collect()
}

/// Removes files and links whose state has changed since a time (seconds and nanoseconds), but for one; folders stay.
fn remove_since(dir: &Path, since: (i64, i64), but: &Path) -> io::Result<()> {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if found.is_dir() {
                folders.push(entry.path());
            } else if (found.ctime(), found.ctime_nsec()) >= since && entry.path() != but {
                fs::remove_file(entry.path())?;
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
        let tree = Tree::open(dir.path()).unwrap();
        for name in [".config", CONFIGURED, MARK, "new"] {
            std::os::unix::fs::symlink(&secret, dir.path().join(name)).unwrap();
        }
        assert_eq!((tree.own_file(".config"), tree.commit()), (None, None));
        assert!(tree.configure("new").is_err(), "what lies outside is not read");
        tree.write("new", "CONFIG_B=y\n").unwrap();
        tree.configure("new").unwrap();
        tree.note(&CommitId::from_bytes([1; 20]), "", "").unwrap();
        tree.begin().unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "CONFIG_A=y\n");
        assert_eq!(fs::read_to_string(dir.path().join(".config")).unwrap(), "CONFIG_B=y\n");
    }

    #[test]
    fn what_a_killed_build_has_touched_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let tree = Tree::open(dir.path()).unwrap();
        fs::create_dir(path("kernel")).unwrap();
        for name in ["kernel/old.o", "kernel/rewritten.o", "kernel/renamed.tmp"] {
            fs::write(path(name), "whole").unwrap();
        }
        // Files of the mark's own tick of the clock go, too.
        std::thread::sleep(std::time::Duration::from_millis(50));
        tree.begin().unwrap();
        fs::write(path("kernel/new.o"), "hal").unwrap();
        fs::write(path("kernel/rewritten.o"), "hal").unwrap();
        fs::rename(path("kernel/renamed.tmp"), path("kernel/renamed.o")).unwrap();
        Tree::open(dir.path()).unwrap();
        let left = || fs::read_dir(path("kernel")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert_eq!(left(), ["old.o"]);
        assert!(!path(MARK).exists());

        tree.begin().unwrap();
        remove_since(dir.path(), (0, 0), &path(MARK)).unwrap();
        assert_eq!(left().len(), 0, "everything is younger");
        assert!(path(MARK).exists(), "a kill between the two leaves the tree as doubtful as it was");
        fs::write(path("kernel/old.o"), "whole").unwrap();

        tree.begin().unwrap();
        fs::write(path("kernel/new.o"), "whole").unwrap();
        tree.end().unwrap();
        Tree::open(dir.path()).unwrap();
        assert_eq!(left().len(), 2);
    }

    #[test]
    fn a_configuration_that_says_the_same_keeps_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::open(dir.path()).unwrap();
        let new = dir.path().join("new");
        let time = || fs::metadata(dir.path().join(".config")).unwrap().modified().unwrap();
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
        assert!(fs::read_to_string(dir.path().join(".config")).unwrap().contains("CONFIG_B=y"));
    }
}
