//! The way to a disk's own init: where kbisect's kernel brings modules, they are loaded from the initramfs, the disk becomes the root, and
//! its init takes over. Owns nothing after that.

use std::convert::Infallible;
use std::ffi::CStr;
use std::fs;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::mount::MountFlags;

/// The device with the root file system, where there is one to go on with.
const DEVICE: &str = "/kbisect-root";
/// Modules to load, one path a line, in order.
const MODULES: &str = "/kbisect-modules";
/// Where the disk is mounted before it is the root.
const NEW_ROOT: &str = "/root";
/// Disks show up soon after their drivers.
const TRIES: u32 = 200;
const BETWEEN: Duration = Duration::from_millis(50);
/// What the kernel itself would start.
const INITS: [&str; 4] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/// The device that the host names, if it does.
pub(crate) fn device() -> Option<String> {
    fs::read_to_string(DEVICE).ok().map(|name| name.trim().to_owned())
}

/// Goes on with the disk's init; comes back only where that fails.
pub(crate) fn go_on(device: &str) -> io::Result<Infallible> {
    for (kind, target) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        let _ = rustix::mount::mount(kind, target, kind, MountFlags::empty(), None);
    }
    load_modules();
    mount_root(device)?;
    // The modules stay at hand: the disk has those of another kernel, if any.
    let modules = Path::new(NEW_ROOT).join("lib/modules");
    let _ = fs::create_dir_all(&modules);
    let _ = rustix::mount::mount_bind("/lib/modules", &modules);
    let _ = rustix::mount::mount_move("/dev", Path::new(NEW_ROOT).join("dev"));
    for target in ["/proc", "/sys"] {
        let _ = rustix::mount::unmount(target, rustix::mount::UnmountFlags::DETACH);
    }
    std::env::set_current_dir(NEW_ROOT)?;
    rustix::mount::mount_move(".", "/")?;
    rustix::process::chroot(".")?;
    std::env::set_current_dir("/")?;
    let mut error = io::Error::other("there is no init on the disk");
    for init in INITS.into_iter().filter(|init| Path::new(init).exists()) {
        error = Command::new(init).exec();
    }
    Err(error)
}

/// Loads what it can: a driver that is not needed here may refuse.
fn load_modules() {
    for path in fs::read_to_string(MODULES).unwrap_or_default().lines() {
        let Ok(file) = File::open(Path::new("/").join(path)) else { continue };
        if let Err(error) = rustix::system::finit_module(&file, c"", 0).or_else(already_there) {
            crate::say(&format!("cannot load {path}: {error}"));
        }
    }
}

fn already_there(error: rustix::io::Errno) -> rustix::io::Result<()> {
    if error == rustix::io::Errno::EXIST { Ok(()) } else { Err(error) }
}

/// Mounts the device as whatever file system it holds, when it is there.
fn mount_root(device: &str) -> io::Result<()> {
    for _ in 0..TRIES {
        if Path::new(device).exists() {
            break;
        }
        std::thread::sleep(BETWEEN);
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the kernel has no driver for it, or no such device");
    for line in fs::read_to_string("/proc/filesystems")?.lines().filter(|line| !line.starts_with("nodev")) {
        match rustix::mount::mount(device, NEW_ROOT, line.trim(), MountFlags::empty(), None::<&CStr>) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::INVAL) if Path::new(device).exists() => {
                last = io::Error::other("the kernel knows no file system that is on it");
            }
            Err(error) => last = error.into(),
        }
    }
    Err(io::Error::new(last.kind(), format!("cannot mount {device}: {last}")))
}
