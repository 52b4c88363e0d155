//! `./x image`: a disk image for machines of kind `image`, from the distribution's packages. Needs the network and root once; runs
//! need neither.
//!
//! What is in it: Debian's essential packages, sshd, busybox, and an init of our own that is up in a second or two. The key of a run
//! comes with the kernel's command line, so that the image holds no secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::setup;
use crate::step::Failure;
use crate::step::read;
use crate::step::step;

/// The image's file in kbisect's cache, where runs look for it.
const NAME: &str = "image/debian.img";

/// Packages beside the essential ones.
const PACKAGES: &str = "openssh-server,busybox-static";

/// Size of the file system. The file is sparse.
const SIZE: &str = "1536M";

const INIT: &str = include_str!("image/init.sh");

/// No user but root by key, nothing that waits for a name server, and no PAM, which costs a slow machine a second.
const SSHD: &str = "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nUseDNS no\n";

/// Makes the image unless it is there; `--fresh` makes it anew.
pub(crate) fn make(args: &[String]) -> Result<(), Failure> {
    let fresh = match args {
        [] => false,
        [one] if one == "--fresh" => true,
        _ => return Err(Failure::usage("usage: ./x image [--fresh]")),
    };
    let image = guest_build::cache_dir().join(NAME);
    if image.is_file() && !fresh {
        println!("x: image: {} is there; ./x image --fresh makes it anew", image.display());
        return Ok(());
    }
    setup::for_image()?;
    let folder = image.parent().expect("a file in a folder").to_owned();
    fs::create_dir_all(&folder).map_err(Failure::step)?;
    let work = folder.join("work");
    remove(&work)?;
    let made = step("making a disk image from Debian's packages", || fill(&work).and_then(|root| pack(&root, &work)));
    let made = made.and_then(|disk| fs::rename(disk, &image).map_err(Failure::step));
    remove(&work)?;
    made?;
    println!("x: image: {}", image.display());
    Ok(())
}

/// The files.
fn fill(work: &Path) -> Result<PathBuf, Failure> {
    let root = work.join("root");
    fs::create_dir_all(&root).map_err(Failure::step)?;
    let (suite, mirror) = setup::distribution()?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), &suite]).arg(&root).arg(&mirror);
    read(debootstrap.env("DEBIAN_FRONTEND", "noninteractive"))?;
    let write = |path: &str, text: &str, mode: u32| {
        let path = root.join(path);
        fs::write(&path, text).and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode))).map_err(Failure::step)
    };
    write("usr/sbin/init", INIT, 0o755)?;
    write("etc/ssh/sshd_config.d/kbisect.conf", SSHD, 0o644)?;
    write("etc/hostname", "kbisect\n", 0o644)?;
    write("etc/hosts", "127.0.0.1 localhost kbisect\n", 0o644)?;
    write("etc/resolv.conf", "nameserver 10.0.2.3\n", 0o644)?;
    fs::create_dir_all(root.join("usr/lib/modules")).map_err(Failure::step)?;
    for leftover in ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"] {
        remove(&root.join(leftover))?;
    }
    Ok(root)
}

/// A file system with them.
fn pack(root: &Path, work: &Path) -> Result<PathBuf, Failure> {
    let disk = work.join("disk");
    let mut mke2fs = Command::new("mke2fs");
    mke2fs.args(["-q", "-t", "ext4", "-L", "kbisect", "-E", "lazy_itable_init=0", "-d"]).arg(root).arg(&disk).arg(SIZE);
    read(&mut mke2fs)?;
    Ok(disk)
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::step(error)),
        _ => Ok(()),
    }
}
