//! `[build] minimize` in whole runs, on a tree whose configurations are real and a machine that is scripted.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::support::Planned;
use crate::support::USE_AFTER_FREE;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::report;
use crate::support::write_history;
use kbisect::trial::seed::trial_seed;
use serde_json::Value;

/// Commits in a line; the bug comes with one of them.
const COMMITS: usize = 8;
const CULPRIT: usize = 5;

/// What the target's console ends with.
const PANIC: &str = "\nKernel panic - not syncing: kasan.fault=panic set ...\n";
/// Another bug's console.
const OTHER: &str = "------------[ cut here ]------------
WARNING: CPU: 0 PID: 31 at net/pond/main.c:77 pond_drain+0x2b/0x60
CPU: 0 PID: 31 Comm: drain Not tainted 6.1.0 #1
RIP: 0010:pond_drain+0x2b/0x60
Call Trace:
 <TASK>
 pond_release+0x13/0x40
 __fput+0x8c/0x250
 </TASK>
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: panic_on_warn set ...
";

/// Everything that the tree knows, on.
const WHOLE: &str = "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=m\nCONFIG_D=y\nCONFIG_CHECKED=y\nCONFIG_I=42\nCONFIG_HAMRADIO=y\nCONFIG_AX25=y\n\
                     CONFIG_ROSE=y\nCONFIG_KASAN=y\nCONFIG_KASAN_VMALLOC=y\nCONFIG_PROVE_LOCKING=y\nCONFIG_DETECT_HUNG_TASK=y\n";

/// A history, a machine, and jobs.
struct Lab {
    world: World,
    ids: Vec<String>,
}

impl Lab {
    fn new() -> Self {
        let world = World::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
        let commits: Vec<Planned> = (0..COMMITS)
            .map(|place| {
                let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
                let commit = Planned::on(&parents, format!("change {place}")).file("number", format!("{place}\n"));
                let files: &[&str] = match place {
                    0 => &["Makefile", "Kconfig", "scripts/conf.sh", "scripts/conf.awk", "scripts/image.sh", "scripts/defconfig"],
                    _ => &[],
                };
                let text = |file: &&str| fs::read_to_string(root.join("config_tree").join(file)).unwrap();
                files.iter().fold(commit, |commit, file| commit.file(*file, text(file)))
            })
            .collect();
        let ids = write_history(&world, "repo", &commits, &[("v6.0", 0), ("v6.1", COMMITS - 1)]);
        fs::create_dir(world.path("bin")).unwrap();
        let mut cc = world.command("cc");
        cc.args(["-O1", "-static", "-w", "-o", "bin/qemu-system-x86_64"]).arg(root.join("parity/machine.c"));
        assert!(cc.status().unwrap().success());
        let lab = Self { world, ids };
        lab.outcomes("outcomes", |_| "kasan");
        fs::create_dir(lab.world.path("consoles")).unwrap();
        fs::write(lab.world.path("consoles/kasan"), [USE_AFTER_FREE, PANIC].concat()).unwrap();
        fs::write(lab.world.path("consoles/other"), OTHER).unwrap();
        lab
    }

    /// Writes what becomes of the trials, by their number at a commit, of kernels with the bug.
    fn outcomes(&self, table: &str, of_trial: impl Fn(u64) -> &'static str) {
        fs::create_dir_all(self.world.path(table)).unwrap();
        for (place, id) in self.ids.iter().enumerate() {
            let commit = id.parse().unwrap();
            let outcome = |n| if place >= CULPRIT { of_trial(n) } else { "ok" };
            let lines: String = (1..200).map(|n| format!("{} {}\n", trial_seed(1, &commit, n), outcome(n))).collect();
            fs::write(self.world.path(table).join(id), lines).unwrap();
        }
    }

    /// A job with a rule by which configurations make kernels.
    fn job(&self, rule: &str, more: &str) {
        fs::write(self.world.path("whole.config"), WHOLE).unwrap();
        let folder = self.world.path("");
        let job = format!(
            "repo = \"repo\"\nbad = \"v6.1\"\ngood = \"v6.0\"\n\
             [build]\nkind = \"linux\"\narch = \"x86_64\"\nccache = false\nconfig = \"whole.config\"\nmake = [\"RULE={rule}\"]\n{more}\n\
             [machine]\nkind = \"qemu\"\nown_init = true\nmemory = \"16M\"\ncpus = 1\n\
             [trial]\ncommand = [{folder:?}, \"{{commit}}\", \"{{trial_seed}}\"]\ntime_limit = \"60s\"\n\
             [search]\nseed = 1\n[limits]\nslots = 2\n"
        );
        fs::write(self.world.path("job.toml"), job).unwrap();
    }

    fn kbisect(&self, args: &[&str]) -> Command {
        let mut kbisect = self.world.kbisect(args);
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(std::iter::once(self.world.path("bin")).chain(std::env::split_paths(&path)));
        kbisect.env("PATH", path.unwrap());
        kbisect
    }

    /// Runs the job to its end, which names the culprit.
    fn run(&self) -> (PathBuf, String) {
        let output = self.kbisect(&["run", "job.toml", "--out", "run"]).output().unwrap();
        let shown = self.world.shown(&output);
        assert_eq!(output.status.code(), Some(0), "{shown}");
        let run = self.world.path("run");
        assert_eq!(named(&run).as_ref(), Some(&self.ids[CULPRIT]), "{shown}");
        (run, shown)
    }
}

/// What a configuration has on, without what every one of the tree has.
fn options(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("CONFIG_"));
    let all = ["X86_64=", "64BIT=", "S=", "CRC=", "LOCKDEP="];
    lines.filter(|line| !all.iter().any(|all| line.starts_with(all))).collect::<Vec<_>>().join(" ")
}

fn of_kind<'a>(journal: &'a [Value], kind: &str) -> Vec<&'a Value> {
    journal.iter().filter(|entry| entry["event"] == kind).collect()
}

/// The lines that tell of the configuration.
fn told(shown: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut on = false;
    for line in shown.lines() {
        let first = line.starts_with("config  ") || line.starts_with("Configuration: ");
        on = first || on && line.starts_with("  ") && !line.contains("hit/clean");
        if on {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[test]
fn a_configuration_becomes_as_small_as_the_crash_allows() {
    let lab = Lab::new();
    lab.job("mute ROSE KASAN", "minimize = 20");
    let (run, shown) = lab.run();
    insta::assert_snapshot!(told(&shown), @r"
    Configuration: config-minimized, with 3 of the 8 options beyond the
      baseline (6 kernels built for it, 12 trials); off: hangs, locks; KASAN
      finds such crashes and stays
    config  8 options beyond the baseline and 2 groups of detectors may go
            0 options, without hangs, locks: does not show the crash (0 of 2)
            8 options, without hangs, locks: still shows the crash (2 of 2)
            4 options, without hangs, locks: does not show the crash (0 of 2)
            4 options, without hangs, locks: still shows the crash (2 of 2)
            2 options, without hangs, locks: does not show the crash (0 of 2)
            3 options, without hangs, locks: still shows the crash (2 of 2)
    config  config-minimized, with 3 of the 8 options beyond the baseline (6 kernels built for it, 12 trials); off: hangs, locks; KASAN finds such crashes and stays
    ");
    let small = fs::read_to_string(run.join("config-minimized")).unwrap();
    assert_eq!(options(&small), "A=y I=42 HAMRADIO=y AX25=y ROSE=y KASAN=y");
    // Every kernel of the search is built with it.
    let journal = journal(&run);
    let settled = journal.iter().position(|entry| entry["event"] == "minimized").unwrap();
    let later = of_kind(&journal[settled..], "build-ended");
    assert!(later.len() >= 3, "the start commit, the culprit and its parent");
    for build in later {
        let kernel = build["result"]["built"]["kernel"].as_str().unwrap();
        let config = fs::read_to_string(run.join("kernels").join(kernel).join("config")).unwrap();
        assert_eq!(options(&config), options(&small));
    }
    // What was seen on the way is no evidence.
    let before = of_kind(&journal[..settled], "trial-ended");
    let retracted = journal[settled]["retracted"].as_array().unwrap();
    assert_eq!(retracted.len(), before.len());
    let start =
        report(&run)["tested"].as_array().unwrap().iter().find(|one| one["commit"] == lab.ids[COMMITS - 1]).cloned().unwrap();
    let counted =
        of_kind(&journal[settled..], "trial-ended").iter().filter(|entry| entry["commit"] == lab.ids[COMMITS - 1]).count();
    assert_eq!(start["hits"], counted);
}

#[test]
fn a_detector_without_which_the_crash_does_not_show_stays() {
    let lab = Lab::new();
    lab.job("mute PROVE_LOCKING C", "minimize = true\nbaseline = [\"defconfig\"]");
    let (run, _) = lab.run();
    let minimized = &report(&run)["minimized"];
    assert_eq!(minimized["needed"], serde_json::json!(["locks"]), "{minimized}");
    assert_eq!((&minimized["kept"], &minimized["off"]), (&serde_json::json!(["KASAN"]), &serde_json::json!(["hangs"])));
    let small = fs::read_to_string(run.join("config-minimized")).unwrap();
    assert_eq!(options(&small), "A=y C=m I=42 KASAN=y PROVE_LOCKING=y");
}

#[test]
fn another_crash_is_never_taken_for_the_target() {
    let lab = Lab::new();
    // Without B and D, every trial ends with another bug's crash.
    lab.job("other B D", "minimize = 20");
    let (run, _) = lab.run();
    let small = fs::read_to_string(run.join("config-minimized")).unwrap();
    assert_eq!(options(&small), "A=y B=y D=y I=42 KASAN=y");
}

#[test]
fn a_flaky_reproducer_takes_more_trials_and_loses_nothing() {
    let lab = Lab::new();
    lab.outcomes("outcomes", |n| if n % 5 == 0 || n % 3 == 1 { "kasan" } else { "ok" });
    lab.job("mute C", "minimize = true");
    let (run, _) = lab.run();
    let small = fs::read_to_string(run.join("config-minimized")).unwrap();
    assert_eq!(options(&small), "A=y C=m I=42 KASAN=y");
}

#[test]
fn a_killed_run_goes_on_and_builds_nothing_twice() {
    let lab = Lab::new();
    lab.job("mute C", "minimize = true");
    let (run, _) = lab.run();
    let whole = journal(&run);
    let (begun, settled) =
        ["minimizing", "minimized"].map(|kind| whole.iter().position(|entry| entry["event"] == kind).unwrap()).into();
    let builds = of_kind(&whole, "config-built").len();
    let small = fs::read_to_string(run.join("config-minimized")).unwrap();
    for cut in (begun..=settled + 2).step_by(3) {
        let name = format!("run-{cut}");
        let words = ["run", "--quiet", "job.toml", "--out", &name];
        let output = lab.kbisect(&words).env("KBISECT_TEST_ABORT_AFTER", cut.to_string()).output().unwrap();
        assert_eq!(output.status.code(), None, "{}", lab.world.shown(&output));
        let output = lab.kbisect(&["resume", "--quiet", &name]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "cut after {cut}: {}", lab.world.shown(&output));
        let run = lab.world.path(&name);
        assert_eq!(named(&run).as_ref(), Some(&lab.ids[CULPRIT]));
        assert_eq!(fs::read_to_string(run.join("config-minimized")).unwrap(), small);
        assert_eq!(of_kind(&journal(&run), "config-built").len(), builds, "cut after {cut}");
    }
}

#[test]
fn what_does_not_show_the_crash_again_is_given_up() {
    let lab = Lab::new();
    // Kernels without B show the crash in the trials that the minimization takes, and never again.
    lab.outcomes("fading", |_| "kasan");
    lab.job("fading B", "minimize = true");
    let (run, _) = lab.run();
    let entries = journal(&run);
    let last = of_kind(&entries, "config-tried").iter().map(|entry| entry["n"].as_u64().unwrap()).max().unwrap();
    fs::remove_dir_all(run).unwrap();
    lab.outcomes("fading", |n| if n <= last { "kasan" } else { "ok" });
    let (run, shown) = lab.run();
    assert!(told(&shown).contains("with a smaller one the start commit did not show the crash again"), "{shown}");
    assert!(!run.join("config-minimized").exists());
    let minimized = &report(&run)["minimized"];
    assert!(minimized["config"].is_null(), "{minimized}");
}

#[test]
fn bad_values_are_refused_before_any_work() {
    let lab = Lab::new();
    let refused = |more: &str| {
        lab.job("", more);
        lab.world.shown(&lab.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap())
    };
    fs::write(lab.world.path("bad.config"), "CONFIG_A=y\nCONFIG_B\n").unwrap();
    insta::assert_snapshot!(refused("minimize = \"yes\"\nbaseline = \"bad.config\""), @r"
    --- stderr
    error: job.toml:10:12: [build] `minimize`: expected true, false or the most kernels to build for it, found a string
    --- exit status 2
    ");
    insta::assert_snapshot!(refused("minimize = 0"), @r"
    --- stderr
    error: job.toml:10:12: [build] `minimize`: must be from 1 to 4294967295
    --- exit status 2
    ");
    insta::assert_snapshot!(refused("baseline = \"bad.config\""), @r"
    --- stderr
    error: job.toml:10:1: [build] `baseline` is for `minimize`: options beyond it are left out where they can be
    --- exit status 2
    ");
    insta::assert_snapshot!(refused("minimize = true\nbaseline = \"bad.config\""), @r"
    --- stderr
    error: job.toml:11:12: [build] `baseline`: [DIR]/bad.config:2: neither CONFIG_X=… nor `# CONFIG_X is not set` nor a comment
    --- exit status 2
    ");
    insta::assert_snapshot!(refused("minimize = true\nbaseline = \"defconfig\""), @r#"
    --- stderr
    error: job.toml:11:12: [build] `baseline`: there is no file defconfig; targets are given as a list: baseline = ["defconfig"]
    --- exit status 2
    "#);
    insta::assert_snapshot!(refused("minimize = true\nbaseline = [\"kvm_guest.config\"]"), @r"
    --- stderr
    error: the start commit cannot be configured: make kvm_guest.config ended with exit status 2
    error: make: *** No rule to make target 'kvm_guest.config'.  Stop.
    hint: [build] `baseline` names make targets of the start commit; is `kvm_guest.config` one?
    --- exit status 2
    ");
    insta::assert_snapshot!(refused("minimize = true\n[target]\nstage = \"build\""), @r"
    --- stderr
    error: job.toml: [build] `minimize` needs a crash of a kernel that runs; [target] `stage` says that it fails to build
    --- exit status 2
    ");
    assert!(!lab.world.path("run").exists(), "nothing is left of a run that did not begin");
}
