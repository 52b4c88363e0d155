//! Bad input of every kind, to the built program: whole outputs with their exit status, and what can be done afterwards.

mod directories;
mod guests;
mod jobs;
mod machines;
mod simulations;
mod stops;
mod trials;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use crate::support::HANGS;
use crate::support::World;
use crate::support::line;
use crate::support::until;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

/// `repo` with eight commits, of which the last four fail with this shell text; the first has the tag v1.0, the last v1.1.
fn project(failing: &str) -> (World, Vec<String>) {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, failing);
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[7]]);
    (world, ids)
}

/// A job for [`project`], in `job.toml`; `more` comes last, so that it may begin sections.
fn write_job(world: &World, more: &str) {
    let text = format!(
        "repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\n{more}\n[machine]\nkind = \"process\"\n\
         [trial]\ncommand = [\"./test.sh\"]\nexpect = \"exit\"\n"
    );
    fs::write(world.path("job.toml"), text).unwrap();
}

/// A bisection of [`project`] into `run`.
const RUN: [&str; 12] =
    ["run", "--quiet", "--repo", "repo", "--bad", "v1.1", "--good", "v1.0", "--out", "run", "--", "./test.sh"];

/// The same from `job.toml`.
const RUN_JOB: [&str; 5] = ["run", "--quiet", "job.toml", "--out", "run"];

const RESUME: [&str; 3] = ["resume", "--quiet", "run"];

/// Waits for a child and what it printed; kills it and fails where it hangs.
fn wait(child: Child) -> Output {
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(HANGS) else {
        signal(id, Signal::KILL);
        panic!("the program hangs")
    };
    output.unwrap()
}

fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a command of `kbisect` printed, and its exit status.
fn said(world: &World, args: &[&str]) -> String {
    shown(world, &mut world.kbisect(args))
}

/// What a command printed, and its exit status.
fn shown(world: &World, command: &mut Command) -> String {
    world.shown(&wait(spawn(command)))
}

fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// An executable shell script in the folder; its absolute path.
fn script(world: &World, name: &str, body: &str) -> String {
    let path = world.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A shown report without how long things took.
fn timeless(shown: &str) -> String {
    let effort = |line: &str| match line.split_once(" in ") {
        Some((effort, _)) if line.starts_with("Effort:") => format!("{effort} in [TIME]\n"),
        _ => format!("{line}\n"),
    };
    shown.lines().map(effort).collect()
}
