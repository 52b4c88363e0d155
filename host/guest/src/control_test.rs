//! The control test: can this kernel do the basics? Mounts proc, forks and executes, maps 1 MiB, writes a file.
//!
//! Runs as a program of its own (`/control`), so that a kernel that cannot do them does not take init along.

use std::fs;
use std::io;
use std::process::Command;

use rustix::mount::MountFlags;
use rustix::mount::UnmountFlags;

/// One step: what it does, and how.
type Step = (&'static str, fn() -> io::Result<()>);

/// What the test does, in order. A step that fails ends it with the step's number, from 1.
const STEPS: [Step; 4] =
    [("mount proc", mount_proc), ("fork and execute", fork_and_exec), ("map memory", map_memory), ("write a file", write_file)];

/// Runs the test; says on standard error why a step failed. The exit status.
pub(crate) fn run() -> i32 {
    if std::env::args_os().nth(1).is_some() {
        return 0; // The child of `fork_and_exec`.
    }
    for (code, (name, step)) in (1..).zip(STEPS) {
        if let Err(error) = step() {
            eprintln!("control test: cannot {name}: {error}");
            return code;
        }
    }
    0
}

/// What the test could not do when it ended with `code`.
pub(crate) fn step(code: i32) -> String {
    let step = usize::try_from(code - 1).ok().and_then(|index| STEPS.get(index));
    step.map_or_else(|| format!("run /control (it ended with {code})"), |(name, _)| (*name).to_owned())
}

fn mount_proc() -> io::Result<()> {
    let target = "/tmp/control-proc";
    fs::create_dir_all(target)?;
    rustix::mount::mount("proc", target, "proc", MountFlags::empty(), None)?;
    let found = fs::read_to_string("/tmp/control-proc/self/stat");
    rustix::mount::unmount(target, UnmountFlags::DETACH)?;
    found.map(drop)
}

fn fork_and_exec() -> io::Result<()> {
    let status = Command::new("/control").arg("child").status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("the child ended with {status}"))) }
}

fn map_memory() -> io::Result<()> {
    // malloc maps what is this large.
    let mut mapped = vec![0_u8; 1 << 20];
    for (page, bytes) in mapped.chunks_mut(4096).enumerate() {
        bytes[0] = page as u8;
    }
    let intact =
        mapped.chunks(4096).enumerate().all(|(page, bytes)| bytes[0] == page as u8 && bytes[1..].iter().all(|byte| *byte == 0));
    if intact { Ok(()) } else { Err(io::Error::other("the memory does not hold what was written")) }
}

fn write_file() -> io::Result<()> {
    let text = "kbisect".repeat(1000);
    fs::write("/tmp/control-file", &text)?;
    let read = fs::read_to_string("/tmp/control-file")?;
    fs::remove_file("/tmp/control-file")?;
    if read == text { Ok(()) } else { Err(io::Error::other("the file does not hold what was written")) }
}
