//! A Linux tree on disk, and the git repository with nothing but that tree, which is made once and kept in kbisect's cache.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use git2::Oid;
use git2::Repository;
use sha2::Digest as _;
use sha2::Sha256;

use crate::Error;
use crate::thin;

/// Where Debian's packages put their sources.
const PACKAGES: &str = "/usr/src";
/// The commit of the tree, in the cache.
const KEPT: &str = "refs/heads/tree";
/// Layout of what is kept in the cache.
const FORMAT: &str = "1";

/// A tree in a repository.
pub(crate) struct Base {
    /// The repository's folder, bare.
    pub(crate) repository: PathBuf,
    /// The tree.
    pub(crate) tree: Oid,
}

/// The newest kernel's sources that a `linux-source` package has put on this machine.
pub fn installed() -> Option<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(PACKAGES)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("linux-source-")?.split_once(".tar")?.0;
            Some((version.split('.').map(|part| part.parse().unwrap_or(0)).collect(), entry.path()))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

/// The repository of `source`, a folder or an archive; from the cache where it is there and the source is as it was.
pub(crate) fn get(source: &Path, cache: &Path) -> Result<Base, Error> {
    let failed = |error: io::Error| Error::Tree { path: source.to_owned(), reason: error.to_string() };
    let found = fs::metadata(source).map_err(failed)?;
    let cache = cache.join("linux-demo");
    fs::create_dir_all(&cache).map_err(|error| Error::Cache { path: cache.clone(), reason: error.to_string() })?;
    let unpacked;
    let (key, files) = if found.is_dir() {
        let files = files(source).map_err(failed)?;
        let mut key = Sha256::new();
        for (path, file) in &files {
            key.update(format!("{path}\0{}\0{:o}\0{}\0", file.len, file.mode, file.modified));
        }
        (key, Some((source.to_owned(), files)))
    } else {
        let path = source.canonicalize().map_err(failed)?;
        let key = Sha256::new().chain_update(path.as_os_str().as_bytes());
        (key.chain_update(format!("\0{}\0{}.{}", found.len(), found.mtime(), found.mtime_nsec())), None)
    };
    let key: String = key
        .chain_update(FORMAT)
        .chain_update(thin::rule())
        .finalize()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept = cache.join(key);
    if let Some(base) = open(&kept) {
        return Ok(base);
    }
    let (root, files) = if let Some(files) = files {
        files
    } else {
        unpacked = unpack(source, &cache)?;
        let root = only_folder(unpacked.path()).map_err(failed)?;
        let files = self::files(&root).map_err(failed)?;
        (root, files)
    };
    let part = tempfile::Builder::new().prefix("part-").tempdir_in(&cache).map_err(failed)?;
    import(&root, &files, part.path())?;
    let part = part.keep();
    if fs::rename(&part, &kept).is_err() {
        // Another process was faster; what it made is as good.
        let _ = fs::remove_dir_all(&part);
    }
    open(&kept).ok_or_else(|| Error::Cache { path: kept, reason: "what was just written cannot be read".to_owned() })
}

/// A repository of the cache, if it is whole.
fn open(path: &Path) -> Option<Base> {
    let repo = Repository::open_bare(path).ok()?;
    let tree = repo.find_reference(KEPT).ok()?.peel_to_tree().ok()?.id();
    Some(Base { repository: path.to_owned(), tree })
}

/// A file of a tree.
struct File {
    len: u64,
    mode: u32,
    /// Nanoseconds.
    modified: i128,
}

/// What is needed of a tree, by path from its root.
fn files(root: &Path) -> io::Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let found = entry.metadata()?;
            if found.is_dir() {
                if path != ".git" {
                    folders.push(path);
                }
            } else if thin::is_needed(&path) {
                let modified = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
                files.insert(path, File { len: found.len(), mode: found.permissions().mode(), modified });
            }
        }
    }
    Ok(files)
}

/// Unpacks an archive with tar, which knows how it is packed.
fn unpack(archive: &Path, cache: &Path) -> Result<tempfile::TempDir, Error> {
    let failed = |reason: String| Error::Tree { path: archive.to_owned(), reason };
    let to = tempfile::Builder::new().prefix("unpack-").tempdir_in(cache).map_err(|error| failed(error.to_string()))?;
    // The bulk of what is not needed; the rest is told apart when the files are read.
    let exclude =
        ["*/drivers/gpu/*.[ch]", "*/drivers/net/*.[ch]", "*/drivers/media/*.[ch]", "*.dts*", "*.rst", "*.json", "*.yaml"];
    let mut tar = Command::new("tar");
    tar.args(exclude.iter().map(|pattern| format!("--exclude={pattern}")));
    let output = tar.arg("--extract").arg("--file").arg(archive).arg("--directory").arg(to.path()).output();
    match output.map_err(|error| failed(format!("cannot run tar: {error}")))? {
        output if output.status.success() => Ok(to),
        output => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(failed(format!("tar cannot unpack it: {}", said.lines().last().unwrap_or("it does not say why"))))
        }
    }
}

/// The folder that an archive consists of.
fn only_folder(unpacked: &Path) -> io::Result<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(unpacked)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    match (entries.pop(), entries.is_empty()) {
        (Some(only), true) if only.is_dir() => Ok(only),
        _ => Err(io::Error::other("it does not consist of one folder")),
    }
}

/// Writes a tree into a new repository, as one pack.
fn import(root: &Path, files: &BTreeMap<String, File>, to: &Path) -> Result<(), Error> {
    let failed = |path: &str, error: &io::Error| Error::Tree { path: root.join(path), reason: error.to_string() };
    let repo = Repository::init_opts(to, git2::RepositoryInitOptions::new().bare(true).external_template(false))?;
    // Deltas would take a minute, and save little in a tree without history.
    repo.config()?.set_i64("core.bigFileThreshold", 1)?;
    let odb = repo.odb()?;
    let memory = odb.add_new_mempack_backend(1000)?;
    let mut index = git2::Index::new()?;
    for (path, file) in files {
        let from = root.join(path);
        let is_link = file.mode & 0o170_000 == 0o120_000;
        let content = if is_link {
            fs::read_link(&from).map(|target| target.into_os_string().into_encoded_bytes())
        } else {
            fs::read(&from)
        };
        let id = odb.write(git2::ObjectType::Blob, &content.map_err(|error| failed(path, &error))?)?;
        let mode = match (is_link, file.mode & 0o100 != 0) {
            (true, _) => 0o120_000,
            (false, true) => 0o100_755,
            (false, false) => 0o100_644,
        };
        index.add(&entry(path, id, mode))?;
    }
    let tree = repo.find_tree(index.write_tree_to(&repo)?)?;
    // Only what a commit leads to is packed.
    let nobody = git2::Signature::new("kbisect", "kbisect@example.org", &git2::Time::new(0, 0))?;
    let commit = repo.commit(None, &nobody, &nobody, "The tree of a demo\n", &tree, &[])?;
    let mut pack = git2::Buf::new();
    memory.dump(&repo, &mut pack)?;
    let mut writer = odb.packwriter()?;
    io::Write::write_all(&mut writer, &pack).map_err(|error| failed("", &error))?;
    writer.commit()?;
    repo.reference(KEPT, commit, false, "")?;
    Ok(())
}

fn entry(path: &str, id: Oid, mode: u32) -> git2::IndexEntry {
    let zero = git2::IndexTime::new(0, 0);
    git2::IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
