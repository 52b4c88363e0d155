#![allow(clippy::unwrap_used, reason = "tests")]

mod command_line;
mod elements;
mod problems;
mod round_trip;

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A machine that is the same everywhere.
const HOST: Host = Host { cpus: 8, memory: 16 << 30 };

/// A folder with what job files name: `linux/` (a folder), `repro.c`, `crash.txt`, `policy.wasm`, `data.bin`.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("linux")).unwrap();
        for file in ["repro.c", "crash.txt", "policy.wasm", "data.bin"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, job: &str) -> Result<Settled, Problems> {
        let file = self.path("job.toml");
        fs::write(&file, job).unwrap();
        read_on(&file, &HOST)
    }

    /// Everything that is wrong with a job, without this folder's name.
    fn problems(&self, job: &str) -> String {
        let problems = self.read(job).expect_err("the job is wrong").to_string();
        problems.replace(&format!("{}/", self.0.path().display()), "")
    }
}

#[test]
fn the_simplest_kernel_job_has_defaults_for_the_rest() {
    let folder = Folder::new();
    let settled = folder
        .read(
            r#"
            repo = "linux"
            bad = "cb5dc5b062a9"
            repro = "./repro.c"
            build.command = ["make", "O={out}", "-j{jobs}"]
            "#,
        )
        .unwrap();
    let job = settled.job;
    assert_eq!(job.repo, folder.path("linux"));
    assert_eq!(job.repro, Some(job::Repro::of(folder.path("repro.c"))));
    assert_eq!(job.machine.kind, job::MachineKind::Qemu);
    assert_eq!((job.machine.cpus, job.machine.memory), (2, 2 << 30));
    assert_eq!((job.limits.cpus, job.limits.memory), (8, 12 << 30));
    assert_eq!(job.trial.command, ["/repro"]);
    assert!(job.good.is_empty());
    assert_eq!(settled.origins.of("bad"), Some(&Origin::Job));
    assert_eq!(settled.origins.of("limits.cpus"), Some(&Origin::Environment("8 CPUs here".to_owned())));
    assert!(matches!(settled.origins.of("machine.memory"), Some(Origin::Guess(_))));
}

#[test]
fn a_process_runs_the_reproducer_where_it_lies() {
    let folder = Folder::new();
    let job = "repo = 'linux'\nbad = 'HEAD'\ngood = 'v1'\nrepro = 'repro.c'\nmachine.kind = 'process'";
    let job = folder.read(job).unwrap().job;
    assert_eq!(job.trial.command, [folder.path("repro.c").to_str().unwrap()]);
    assert_eq!(job.good, ["v1"]);
    assert_eq!(job.build, None);
}

#[test]
fn of_two_reproducers_each_has_half_of_the_time() {
    let folder = Folder::new();
    let job = |rest: &str| {
        format!(
            "repo = 'linux'\nbad = 'HEAD'\nrepro = {{ file = 'data.bin', then = 'repro.c' }}\nbuild.command = ['make']\n{rest}"
        )
    };
    let read = folder.read(&job("trial.time_limit = '90s'")).unwrap().job;
    assert_eq!(read.trial.command, ["/bin/sh", "-c", "timeout -s KILL 45 /repro; exec /repro-then"]);
    let files: Vec<PathBuf> = read.repro.iter().flat_map(job::Repro::each).map(|repro| repro.file.clone()).collect();
    assert_eq!(files, [folder.path("data.bin"), folder.path("repro.c")]);
    // What a run keeps of it names the command, too.
    let kept = write(&read);
    assert_eq!(folder.read(&kept).unwrap().job, read, "{kept}");
    insta::assert_snapshot!(folder.problems(&job("machine.kind = 'process'\ntrial.expect = 'exit'")), @r#"
    job.toml: [repro] `then`: two reproducers in turn are for machines with files of their own
    job.toml: [repro] `then`: only a crash counts of two reproducers, and [trial] `expect` is "exit"
    "#);
}

#[test]
fn a_small_machine_bounds_the_defaults() {
    let folder = Folder::new();
    let file = folder.path("job.toml");
    fs::write(&file, "repo = 'linux'\nbad = 'x'\nrepro = 'repro.c'\nbuild.command = ['make']").unwrap();
    let job = read_on(&file, &Host { cpus: 1, memory: 1 << 30 }).unwrap().job;
    assert_eq!((job.machine.cpus, job.machine.memory), (1, 768 << 20));
}

#[test]
fn this_machine_has_cpus_and_memory() {
    let host = Host::here();
    assert!(host.cpus >= 1 && host.memory >= 1 << 20, "{host:?}");
}
