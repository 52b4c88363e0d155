//! What programs expect to find mounted. Owns the list; a kernel without one of these file systems boots all the same.

use std::fs;
use std::path::Path;

use rustix::mount::MountFlags;
use rustix::mount::mount;

/// Mounts and links everything, as far as the kernel can.
pub(crate) fn all() {
    for (kind, target) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("devpts", "/dev/pts"),
        ("tmpfs", "/dev/shm"),
        ("tmpfs", "/tmp"),
        ("tmpfs", "/run"),
        ("debugfs", "/sys/kernel/debug"),
        ("tracefs", "/sys/kernel/tracing"),
        ("securityfs", "/sys/kernel/security"),
        ("cgroup2", "/sys/fs/cgroup"),
    ] {
        // The folder may be there, or be on a file system of the kernel's own.
        let _ = fs::create_dir_all(target);
        let _ = mount(kind, target, kind, MountFlags::empty(), None);
    }
    for (link, target) in [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        let _ = std::os::unix::fs::symlink(target, Path::new("/dev").join(link));
    }
}
