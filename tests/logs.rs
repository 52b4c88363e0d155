//! Bisection logs as they come: cut, mangled, of other tools, of other repositories, contradictory. Whole outputs with their exit
//! status, and that what is read never says what the log does not.

use crate::support;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::fs::File;

use crate::support::World;
use crate::support::journal;
use crate::support::line;

/// A line of eight commits, bad from the fifth on; v1.0 and v1.1 are its ends.
fn project() -> (World, Vec<String>) {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[7]]);
    (world, ids)
}

/// What `import` says of a log, and whether it made a run; the run is removed before.
fn import(world: &World, log: impl AsRef<[u8]>) -> (Option<i32>, String) {
    fs::write(world.path("log"), log).unwrap();
    let _ = fs::remove_dir_all(world.path("run"));
    let output = world.kbisect(&["import", "log", "--repo", "repo", "--out", "run", "--", "./test.sh"]).output().unwrap();
    let shown = world.shown(&output);
    assert!(!shown.contains("panicked") && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(world.path("run").exists(), output.status.code() == Some(0), "{shown}");
    (output.status.code(), shown)
}

fn said(world: &World, args: &[&str]) -> String {
    world.shown(&world.kbisect(args).output().unwrap())
}

/// The verdicts that a run takes for granted.
fn assumed(world: &World) -> BTreeSet<(String, String)> {
    let entries = journal(&world.path("run"));
    let assumed = entries.iter().filter_map(|entry| entry["assumed"].as_array()).flatten();
    assumed.map(|one| (one["commit"].as_str().unwrap().to_owned(), one["verdict"].to_string())).collect()
}

/// A session of git's on [`project`], to its answer.
fn log_of_git(world: &World) -> String {
    world.git("repo", &["bisect", "start", "main", "v1.0"]);
    world.git("repo", &["bisect", "run", "./test.sh"]);
    let log = world.git("repo", &["bisect", "log"]) + "\n";
    world.git("repo", &["bisect", "reset"]);
    log
}

/// A log of syzbot's on [`project`].
fn log_of_syzbot(ids: &[String]) -> String {
    let mut log = format!("bisecting cause commit starting from {0}\nbuilding syzkaller on {0}\n", ids[7]);
    let mut test = |before: &str, commit: &str, runs: &str| {
        let _ = write!(log, "{before}testing commit {commit} with gcc (GCC) 8.1.0\n{runs}\n");
    };
    test("", &ids[7], "all runs: crashed: KASAN: use-after-free Read in ring_take");
    test("testing release v1.0\n", &ids[0], "all runs: OK");
    let start =
        format!("# git bisect start {} {}\nBisecting: 3 revisions left to test after this (roughly 2 steps)\n", ids[7], ids[0]);
    test(&format!("{start}[{}] change 3\n", ids[3]), &ids[3], "all runs: OK");
    let _ = writeln!(log, "# git bisect good {}", ids[3]);
    log
}

/// Every line's end, and two places within the line.
fn cuts(log: &str) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut at = 0;
    for line in log.split_inclusive('\n') {
        cuts.extend([at + line.len() / 3, at + line.len() - line.len().min(4), at + line.len()]);
        at += line.len();
    }
    cuts
}

#[test]
fn a_log_of_gits_that_was_cut_says_no_more_than_it_did() {
    let (world, _) = project();
    let log = log_of_git(&world);
    let (code, shown) = import(&world, &log);
    assert_eq!(code, Some(0), "{shown}");
    let whole = assumed(&world);
    assert!(whole.len() > 3, "{whole:?}");
    let mut read = 0;
    let cut_off: Vec<usize> = cuts(&log);
    for text in cut_off.iter().map(|&cut| &log[..cut]).chain(cut_off.iter().map(|&cut| &log[cut..])) {
        let (code, shown) = import(&world, text);
        match code {
            Some(0) => {
                let some = assumed(&world);
                assert!(some.is_subset(&whole), "{some:?} of\n{text}");
                read += 1;
            }
            _ => {
                assert_eq!(code, Some(2), "{shown}");
                assert!(shown.starts_with("--- stderr\nerror: log: "), "{shown}");
            }
        }
    }
    assert!(read > 10, "{read} were read");
}

#[test]
fn a_log_of_syzbots_that_was_cut_is_taken_over_as_far_as_it_goes() {
    let (world, ids) = project();
    let log = log_of_syzbot(&ids);
    for cut in cuts(&log) {
        let (code, shown) = import(&world, &log[..cut]);
        // No more than the aim is needed.
        let aim = cut >= log.find('\n').unwrap();
        assert_eq!(code, Some(if aim { 0 } else { 2 }), "cut at {cut}: {shown}");
        if aim {
            let entries = journal(&world.path("run"));
            let ended = entries.iter().filter(|entry| entry["event"] == "trial-ended");
            let said: Vec<String> = ended.map(|entry| entry["outcome"].to_string()).collect();
            let known = |said: &String| said == "\"clean\"" || said.contains("\"KASAN: use-after-free Read in ring_take\"");
            assert!([0, 10, 20, 30].contains(&said.len()) && said.iter().all(known), "cut at {cut}: {said:?}");
        }
    }
}

#[test]
fn logs_that_mail_and_editors_changed() {
    let (world, _) = project();
    let log = log_of_git(&world);
    assert_eq!(import(&world, &log).0, Some(0));
    let whole = assumed(&world);
    let indented: String = log.lines().map(|line| format!("    {line}\n")).collect();
    let quoted: String = log.lines().map(|line| format!("> > {line}\r\n")).collect();
    let coloured = log.replace("git bisect", "\u{1b}[1;32mgit\u{1b}[0m bisect");
    for changed in [format!("\u{feff}{log}"), indented, format!("On Monday somebody wrote:\n{quoted}\nThanks!\n"), coloured] {
        let (code, shown) = import(&world, &changed);
        assert_eq!((code, assumed(&world)), (Some(0), whole.clone()), "{shown}\n{changed}");
    }
}

#[test]
fn what_other_tools_wrote() {
    let (world, _) = project();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let texts: [&[u8]; 6] = [
        support::USE_AFTER_FREE.as_bytes(),
        b"2026-01-01T00:00:00Z ##[group]Run make\n2026-01-01T00:00:01Z git bisect start main v1.0\n",
        &wide("\u{feff}git bisect start 'main' 'v1.0'\n"),
        &[0xff, 0xfe, 0xfd, b'\n'],
        b"\n\n \n",
        b"diff --git a/x b/x\n--- a/x\n+++ b/x\n",
    ];
    let all: String = texts.iter().map(|text| import(&world, text).1).collect();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `BUG: KASAN: slab-use-after-free in queue_release+0x1f/0x40 drivers/queue/main.c:…`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `2026-01-01T00:00:00Z ##[group]Run make`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: no bisection log: it is not text
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `���`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: the log is empty
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `diff --git a/x b/x`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    ");
}

#[test]
fn what_has_no_end_is_not_read_to_its_end() {
    let (world, _) = project();
    File::create(world.path("large")).unwrap().set_len(100 << 20).unwrap();
    world.job("job.toml", "v1.0", "[[plugin]]\nid = \"mine\"\npath = \"/dev/zero\"\nhooks = [\"suspicion\"]\n");
    let tries: [&[&str]; 7] = [
        &["import", "large"],
        &["import", "/dev/zero"],
        &["import", "repo"],
        &["replay", "/dev/zero"],
        &["check", "job.toml"],
        &["simulate", "linear:9", "--runs", "1", "--policy", "/dev/zero"],
        &["classify", "/dev/zero"],
    ];
    let all: String = tries.iter().map(|args| said(&world, args)).collect();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: large: 100 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: /dev/zero: 17 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: `repo` holds no run: there is no journal.jsonl in it
    --- exit status 2
    --- stderr
    error: /dev/zero: 17 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: plugin `mine`: cannot read /dev/zero: file too large
    --- exit status 2
    --- stderr
    error: plugin `zero`: cannot read /dev/zero: file too large
    --- exit status 2
    --- stderr
    error: cannot read /dev/zero: file too large
    --- exit status 2
    ");
}

#[test]
fn commits_that_the_repository_lacks() {
    let (world, ids) = project();
    let log = log_of_syzbot(&ids);
    let nowhere = "1".repeat(40);
    for (name, commit) in [("start", &ids[7]), ("step", &ids[3])] {
        fs::write(world.path(name), log.replace(commit, &nowhere)).unwrap();
    }
    let import = |name| said(&world, &["import", name, "--repo", "repo", "--out", "run", "--", "./test.sh"]);
    let replay = |name| said(&world, &["replay", name, "--repo", "repo"]);
    insta::assert_snapshot!([import("start"), import("step"), replay("start")].concat(), @r"
    --- stderr
    error: `1111111111111111111111111111111111111111` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin 1111111111111111111111111111111111111111
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    --- stderr
    error: `1111111111111111111111111111111111111111` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin 1111111111111111111111111111111111111111
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    --- stderr
    error: `1111111111111111111111111111111111111111` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin 1111111111111111111111111111111111111111
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    ");
    assert!(!world.path("run").exists());
    let warning = replay("step");
    insta::assert_snapshot!(warning.split("--- stderr\n").nth(1).unwrap(), @r"
    warning: step: line 13: the log ends here, before its answer
    warning: 1 of the log's 3 commits is not in the history of d1b19def845b and is left out: 111111111111
    --- exit status 0
    ");
}

#[test]
fn one_commit_under_several_names() {
    let (world, ids) = project();
    // To git a verdict counts more than a skip, before it or behind it.
    let skipped = format!(
        "git bisect start {} v1.0\ngit bisect skip main~4\ngit bisect good {}\ngit bisect skip {}\n",
        ids[7],
        ids[3],
        &ids[3][..12]
    );
    let (code, shown) = import(&world, skipped);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(assumed(&world).iter().filter(|(commit, verdict)| *commit == ids[3] && verdict.contains("good")).count(), 1);
    let logs = [
        format!("git bisect start\ngit bisect bad main\ngit bisect good {}\n", ids[7]),
        "git bisect start main v1.0\ngit bisect good main~3\ngit bisect bad main~4\ngit bisect bad v1.0\n".to_owned(),
        "git bisect start main v1.0\ngit bisect good main~2\ngit bisect bad main~4\n".to_owned(),
    ];
    let all: String = logs.iter().map(|log| import(&world, log).1).collect();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: log: line 3: `d1b19def845b89f29c698301551218b1575efe50` was marked bad in line 2, and is good here
    --- exit status 2
    --- stderr
    error: log: line 4: `v1.0` was marked good in line 1, and is bad here
    --- exit status 2
    --- stderr
    error: good commit 8a285923961c012bd41c6cfdc9b649b979a802c3 contains bad commit bc37bc1f07e61cb98ca902d90b73ebdc5f88c120: the crash would have been fixed between them
    hint: an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT
    --- exit status 2
    ");
}

#[test]
fn a_commit_that_is_good_and_bad_to_syzbot_is_weighed() {
    let (world, ids) = project();
    let mut log = log_of_syzbot(&ids);
    let _ = write!(
        log,
        "testing commit {0} with gcc (GCC) 8.1.0\nall runs: crashed: KASAN: use-after-free Read in ring_take\n# git bisect bad {0}\n",
        ids[3]
    );
    let (code, shown) = import(&world, &log);
    assert_eq!(code, Some(0), "{shown}");
    // Ten clean trials and ten that crashed: what is sure is that it has the bug.
    insta::assert_snapshot!(support::timeless(&said(&world, &["status", "run"])), @r"
    --- stdout
    face    KASAN: use-after-free Read in ring_take   (10 of 10 trials at the start commit)
    range   7 commits, 2 left
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      d1b19def845b  start       change 7                               10     0    0     0        1.000      bad
      947b274159d0  release     change 0                                0    10    0     0        0.000      good
      bc37bc1f07e6              change 3                               10    10    0     0        1.000      bad
    likeliest
          33 %  b9148b0faeaa
          33 %  39180e8fcc86
          33 %  bc37bc1f07e6
       < 0.1 %  3db1e3895b2c
       < 0.1 %  8a285923961c
       < 0.1 %  8589313df443
       < 0.1 %  d1b19def845b
    so far  40 trials in [TIME]
    state   stopped: imported; nothing was tested
    to go on: kbisect resume run
    --- exit status 0
    ");
}
