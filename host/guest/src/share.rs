//! A folder of the host as the root, over 9p: read-only, under a layer that keeps in memory what the guest writes. Owns the way there, and
//! the places of what init and the trial bring along, in that root or in the first one.

use std::fs;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;

use rustix::mount::MountFlags;
use rustix::mount::mount;

/// The file by which the host asks for it.
const ASKED: &str = "/kbisect-share";
/// What the folder is called on the bus.
const TAG: &str = "kbisect";
/// Files of the trial, by where they go once everything is mounted: a file in `/tmp` would be hidden by what is mounted there.
const FILES: &str = "kbisect-files";
/// Where the folder, the layer above it and both together are mounted.
const LOWER: &str = "/lower";
const LAYER: &str = "/layer";
const BOTH: &str = "/root";

/// The root that init came with.
#[derive(Debug)]
pub(crate) struct First(File);

/// Makes the host's folder the root, if the host asks for that.
pub(crate) fn enter() -> io::Result<Option<First>> {
    if !Path::new(ASKED).exists() {
        return Ok(None);
    }
    let named = |what: &'static str| move |error: rustix::io::Errno| io::Error::other(format!("cannot mount {what}: {error}"));
    let first = File::open("/")?;
    for folder in [LOWER, LAYER, BOTH] {
        fs::create_dir_all(folder)?;
    }
    mount(TAG, LOWER, "9p", MountFlags::RDONLY, Some(c"trans=virtio,version=9p2000.L,cache=loose"))
        .map_err(named("the host's folder (9p)"))?;
    mount("tmpfs", LAYER, "tmpfs", MountFlags::empty(), None).map_err(named("a tmpfs"))?;
    for folder in ["upper", "work"] {
        fs::create_dir(Path::new(LAYER).join(folder))?;
    }
    mount("overlay", BOTH, "overlay", MountFlags::empty(), Some(c"lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work"))
        .map_err(named("a layer above the host's folder (overlay)"))?;
    std::env::set_current_dir(BOTH)?;
    rustix::mount::mount_move(".", "/")?;
    rustix::process::chroot(".")?;
    std::env::set_current_dir("/")?;
    Ok(Some(First(first)))
}

/// Puts the trial's files, and into a new root init's other programs, to their places, where proc is mounted by now.
pub(crate) fn unpack(first: Option<&First>) -> io::Result<()> {
    let from =
        first.map_or_else(|| PathBuf::from("/"), |First(root)| PathBuf::from(format!("/proc/self/fd/{}", root.as_raw_fd())));
    if first.is_some() {
        fs::copy(from.join("init"), "/control")?;
        for name in ["/trace", "/traced"] {
            link(Path::new("/control"), Path::new(name))?;
        }
    }
    let files = from.join(FILES);
    if files.exists() { put(&files, Path::new("/")) } else { Ok(()) }
}

/// Moves a file, a link, or all that is in a folder. Folders that are there stay, also those behind a link (`/bin`).
fn put(from: &Path, to: &Path) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", to.display()));
    let kind = fs::symlink_metadata(from).map_err(named)?.file_type();
    if kind.is_dir() {
        fs::create_dir_all(to).map_err(named)?;
        for entry in fs::read_dir(from).map_err(named)? {
            let entry = entry.map_err(named)?;
            put(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if kind.is_symlink() {
        return link(&fs::read_link(from).map_err(named)?, to).map_err(named);
    }
    // Memory holds it once where both are in the same file system.
    if fs::rename(from, to).is_ok() {
        return Ok(());
    }
    gone(to).map_err(named)?;
    fs::copy(from, to).map_err(named)?;
    fs::remove_file(from).map_err(named)
}

/// Makes a link in place of whatever file is there.
fn link(target: &Path, at: &Path) -> io::Result<()> {
    gone(at)?;
    symlink(target, at)
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
