//! What machines show before the reproducer runs, and runs whose evidence is looked at again: with machines that are a command, and
//! guests that are a line of shell.

use std::fs;

use crate::support::World;
use crate::support::journal;
use crate::support::line;
use crate::support::named;

/// A kernel's report as a console has it.
fn report(headline: &str, function: &str) -> String {
    let call = |name: &str| format!("[    1.000000]  {name}+0x1f/0x40\n");
    format!(
        "[    1.000000] {headline}\n[    1.000000] Read of size 8 at addr ffff888003c4d000 by task t/71\n\
         [    1.000000] CPU: 0 PID: 71 Comm: t Not tainted 6.1.0 #1\n[    1.000000] RIP: 0010:{function}+0x1f/0x40\n\
         [    1.000000] Call Trace:\n[    1.000000]  <TASK>\n{}{}[    1.000000]  </TASK>\n\
         [    1.000000] ---[ end trace 0000000000000000 ]---\n",
        call(function),
        call("do_syscall_64"),
    )
}

/// A history in which the reproducer shows a use after free from commit 7 on, at once.
fn world() -> (World, Vec<String>) {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    fs::write(world.path("boot"), "").unwrap();
    fs::write(world.path("crash"), report("BUG: KASAN: use-after-free in pipe_release+0x1f/0x40", "pipe_release")).unwrap();
    let at = |name: &str| world.path(name).display().to_string();
    fs::write(world.path("repro"), format!("#!/bin/sh\n[ $(cat $K) -lt 7 ] || cat {}\nexit 0\n", at("crash"))).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(world.path("repro"), mode).unwrap();
    let job = format!(
        "repo = \"repo\"\nbad = \"{}\"\ngood = \"{}\"\nrepro = \"repro\"\n\
         [build]\ncommand = [\"sh\", \"-c\", \"cat $1/number > $2/kernel\", \"sh\", \"{{src}}\", \"{{out}}\"]\n\
         [machine]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"export K={{kernel}}; cat {}; sleep .1; {{command}}\"]\n\
         [trial]\ntime_limit = \"8s\"\n[search]\ntip = \"none\"\n",
        ids[11],
        ids[0],
        at("boot"),
    );
    fs::write(world.path("job.toml"), job).unwrap();
    (world, ids)
}

/// The warning is neither the target, nor does it hide a crash that comes while it is read.
#[test]
fn a_warning_of_every_boot_is_not_what_is_looked_for() {
    let (world, ids) = world();
    let warning = "WARNING: CPU: 0 PID: 1 at drivers/base/core.c:123 device_boot_check+0x1f/0x40";
    fs::write(world.path("boot"), report(warning, "device_boot_check")).unwrap();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
    let text = fs::read_to_string(world.path("run/report.txt")).unwrap();
    assert!(text.contains("KASAN: use-after-free Read in pipe_release"), "{text}");
    let ended = |entry: &&serde_json::Value| entry["event"] == "trial-ended" && entry["outcome"].get("crashed").is_some();
    let events = journal(&world.path("run"));
    let crashed = events.iter().find(ended).unwrap_or_else(|| panic!("{events:#?}"));
    assert_eq!((crashed["reports"].as_array().unwrap().len(), crashed["uncounted"].as_u64()), (2, Some(1)), "{crashed:#}");
}

/// Who mends what kept a commit from building takes its trial back, to have it built.
#[test]
fn a_build_failure_that_is_taken_back_is_built_again() {
    let (world, ids) = world();
    let job = fs::read_to_string(world.path("job.toml")).unwrap();
    let broken = world.path("broken");
    fs::write(&broken, "").unwrap();
    let build = format!("[ $(cat $1/number) = 6 -a -e {} ] && exit 1; cat $1/number > $2/kernel", broken.display());
    fs::write(world.path("job.toml"), job.replace("cat $1/number > $2/kernel", &build)).unwrap();
    let first = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(first.status.code(), Some(3), "{}", world.shown(&first));
    fs::remove_file(&broken).unwrap();
    world.succeed(&["undo", "run", &ids[6]]);
    world.succeed(&["resume", "--quiet", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
}

#[test]
fn trials_by_hand_that_overturn_an_answer_take_its_report_away() {
    let (world, ids) = world();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    // From here on all kernels show the crash.
    let job = fs::read_to_string(world.path("run/job.toml")).unwrap();
    fs::write(world.path("run/job.toml"), job.replace("; sleep .1; {command}", "; {command}; cat {kernel_dir}/../../../crash"))
        .unwrap();
    world.succeed(&["trial", "--quiet", "run", &ids[6], "--trials", "1"]);
    assert_ne!(named_if_any(&world), Some(ids[7].clone()));
}

/// The commit that the report names, where there is a report.
fn named_if_any(world: &World) -> Option<String> {
    world.path("run/report.json").is_file().then(|| named(&world.path("run"))).flatten()
}

/// All that the other crashes were compared with would be gone.
#[test]
fn what_the_target_was_learnt_from_is_not_taken_back() {
    let (world, ids) = world();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    let output = world.kbisect(&["undo", "run", &ids[11]]).output().unwrap();
    let shown = world.shown(&output);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("the target, KASAN: use-after-free Read in pipe_release, was learnt from these trials"), "{shown}");
}

/// A job file in a folder of its own is the user's, whatever becomes of the run.
#[test]
fn a_job_file_in_the_runs_folder_is_left_alone() {
    let (world, _) = world();
    fs::create_dir(world.path("x")).unwrap();
    let job = fs::read_to_string(world.path("job.toml"))
        .unwrap()
        .replace("\"repo\"", "\"../repo\"")
        .replace("\"repro\"", "\"../repro\"");
    fs::write(world.path("x/job.toml"), &job).unwrap();
    let output = world.kbisect(&["run", "x/job.toml", "--out", "x"]).output().unwrap();
    let shown = world.shown(&output);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("`[DIR]/x` is not empty: it holds `job.toml`"), "{shown}");
    assert_eq!(fs::read_to_string(world.path("x/job.toml")).unwrap(), job);
}

/// A start that was killed before its first event has done nothing that counts: the same command begins anew.
#[test]
fn a_start_that_was_killed_can_be_given_again() {
    let (world, ids) = world();
    let words = ["run", "--quiet", "job.toml", "--out", "run"];
    for journal in [None, Some(""), Some("{\"seq\":0,\"at\":")] {
        for folder in ["kernels", "work/src", "inputs"] {
            fs::create_dir_all(world.path("run").join(folder)).unwrap();
        }
        for (name, text) in [
            (".gitignore", "*\n"),
            ("lock", "kbisect, process 1 on elsewhere\n"),
            ("job.toml", "repo"),
            ("inputs/repro.part", "x"),
        ] {
            fs::write(world.path("run").join(name), text).unwrap();
        }
        if let Some(journal) = journal {
            fs::write(world.path("run/journal.jsonl"), journal).unwrap();
            let resumed = world.kbisect(&["resume", "run"]).output().unwrap();
            let shown = world.shown(&resumed);
            assert!(resumed.status.code() == Some(2) && shown.contains("it was ended before its first event"), "{shown}");
        }
        world.succeed(&words);
        assert_eq!(named(&world.path("run")), Some(ids[7].clone()));
        fs::remove_dir_all(world.path("run")).unwrap();
    }
    // What is not ours is not touched.
    fs::create_dir(world.path("run")).unwrap();
    for (name, text) in [(".gitignore", "*\n"), ("lock", ""), ("mine", "x")] {
        fs::write(world.path("run").join(name), text).unwrap();
    }
    let output = world.kbisect(&words).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", world.shown(&output));
    assert_eq!(fs::read_dir(world.path("run")).unwrap().count(), 3);
}

/// One hour is one hour, whatever is done in it.
#[test]
fn the_deadline_does_not_begin_anew_at_each_errand() {
    let (world, _) = world();
    let job = fs::read_to_string(world.path("job.toml")).unwrap();
    // The start commit takes most of the time, and the newest commit, which is tested after it, hangs.
    let slow = job.replace("tip = \"none\"", "").replace("sleep .1;", "sleep .5; [ $(cat {kernel}) -lt 12 ] || sleep 100;");
    fs::write(world.path("job.toml"), slow + "[limits]\ndeadline = \"4s\"\n").unwrap();
    fs::write(world.path("repo/number"), "12").unwrap();
    world.git("repo", &["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-a", "-m", "hangs"]);
    let began = std::time::Instant::now();
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", world.shown(&output));
    let took = began.elapsed().as_secs_f64();
    assert!(took < 7.5, "it took {took} s");
}
