//! A machine for a person: its console is this terminal, and a busybox shell is all that runs. Owns the shell's first lines.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::PROGRAM;
use super::Settings;
use super::accel;
use super::command;
use super::initramfs;
use super::initramfs::Archive;
use crate::process;
use crate::process::Exit;
use crate::process::Task;
use crate::process::jail::Jail;

/// Where the kernel finds what it runs first.
const FIRST: &str = "/shell";

/// What it runs: `setsid` gives the shell a terminal of its own, so that keys can stop what runs in it.
const SCRIPT: &str = "#!/bin/busybox sh
export PATH=/sbin:/bin HOME=/root TERM=linux
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2>/dev/null
root=/
cd /root
if [ -e /kbisect-share ]; then
    mkdir /lower /layer
    mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose kbisect /lower
    mount -t tmpfs none /layer
    mkdir /layer/upper /layer/work
    mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work none /root
    cp -a /kbisect-files/. /root
    for folder in proc sys dev; do mkdir -p /root/$folder; mount --bind /$folder /root/$folder; done
    root=/root
    cd /root
elif [ -e /kbisect-files ]; then
    cp -a /kbisect-files/. /
fi
echo
echo \"kernel $(uname -r); the reproducer is /repro; exit, or Ctrl-A X, ends the machine\"
setsid cttyhack chroot $root sh
reboot -f
";

/// Boots the kernel in a folder with these files, and waits until the machine ends.
///
/// # Errors
/// In a sentence: there is no static busybox, the machine cannot be made, or QEMU failed.
pub async fn run(settings: &Settings, kernel: &Path, files: &[(PathBuf, String)]) -> Result<(), String> {
    let (program, applets) =
        initramfs::static_busybox().ok_or("a shell needs a static busybox on the host (package busybox-static)")?;
    let make = || -> std::io::Result<tempfile::TempDir> {
        fs::create_dir_all(&settings.dir)?;
        let dir = tempfile::Builder::new().prefix("shell-").tempdir_in(&settings.dir)?;
        let mut archive = Archive::base(settings.init.unwrap_or_default());
        archive.busybox(&program, &applets);
        archive.file(FIRST, 0o755, SCRIPT.as_bytes());
        if settings.root_dir.is_some() {
            archive.file(super::SHARE, 0o644, &[]);
        }
        let modules = kernel.join("modules");
        if modules.is_dir() {
            archive.host_path(&modules, settings.modules())?;
        }
        for (from, to) in files {
            archive.host_path(from, &Settings::placed(to))?;
        }
        fs::write(dir.path().join("initramfs"), archive.finish())?;
        Ok(dir)
    };
    let dir = make().map_err(|error| format!("cannot make the machine's files: {error}"))?;
    let accel = accel::probe().await;
    let argv = command::for_a_person(PROGRAM, settings, accel, kernel, &dir.path().join("initramfs"), FIRST);
    let jail = Jail { network: settings.network, ..Jail::qemu(dir.path().to_owned(), *accel == accel::Accel::Kvm) };
    match process::attended(&Task::new(argv, dir.path(), jail)).map_err(|error| error.to_string())? {
        Exit::Code(0) => Ok(()),
        exit => Err(format!("{PROGRAM} ended with {exit}")),
    }
}
