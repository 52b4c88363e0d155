//! `kbisect import` of a log of syzbot's where nobody has the kernel: a record to look into, which gives the log back.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::support::report;

const TARGET: &str = "crashed: KASAN: use-after-free Read in ring_take";
const STRAY: &str = "crashed: general protection fault in batadv_iv_ogm_schedule_buff";

fn id(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn ten(said: &str, odd: &str) -> String {
    (0..10).map(|run| format!("run #{run}: {}\n", if run == 6 { odd } else { said })).collect()
}

/// The search of a log: `f` is the start commit, `a` the clean release, and those from `d` on crash.
fn search() -> String {
    let mut log = format!(
        "ci starts bisection 2020-07-01 01:02:03.4 +0000 UTC\nbisecting cause commit starting from {0}\nbuilding syzkaller on {1}\n",
        id('f'),
        id('5')
    );
    let test = |log: &mut String, commit: char, runs: &str| {
        let _ = write!(log, "testing commit {0} with gcc (GCC) 8.1.0\nkernel signature: {0}\n{runs}", id(commit));
    };
    test(&mut log, 'f', &ten(TARGET, "boot failed: can't ssh into the instance: exit status 255\nssh: timed out\r\n"));
    log += "testing release v1.0\n";
    test(&mut log, 'a', "all runs: OK\n");
    let _ = writeln!(log, "# git bisect start {} {}", id('f'), id('a'));
    for (left, at, runs, mark) in
        [(3, 'd', ten(TARGET, TARGET), "bad"), (1, 'b', ten("OK", "OK"), "good"), (0, 'c', ten("OK", STRAY), "bad")]
    {
        let plural = if left == 1 { "" } else { "s" };
        let _ = writeln!(
            log,
            "Bisecting: {left} revision{plural} left to test after this (roughly 1 step)\n[{}] change {at}",
            id(at)
        );
        test(&mut log, at, &runs);
        let _ = writeln!(log, "# git bisect {mark} {}", id(at));
    }
    log
}

/// The answer of that log, which a stray crash led astray.
fn answer() -> String {
    format!(
        "{0} is the first bad commit\ncommit {0}\nAuthor: A U Thor <author@example.org>\nDate:   Wed Mar 27 13:04:15 2019 +0100\n\n    \
         change c\n\n arch/um/drivers/mconsole_kern.c | 28 +++++++++++++++++++++++++++-\n 1 file changed, 27 insertions(+), 1 deletion(-)\n\
         culprit signature: {0}\nparent  signature: {1}\nrevisions tested: 5, total time: 3h48m17s (build: 1h, test: 2h)\n\
         first bad commit: {0} change c\nrecipients (to): [\"author@example.org\"]\nrecipients (cc): []\n{2}\nCall Trace:\n foo+0x1/0x2\n",
        id('c'),
        id('b'),
        STRAY.replacen("crashed", "crash", 1)
    )
}

fn recorded(log: &str) -> World {
    let world = World::new();
    fs::write(world.path("syz.txt"), log).unwrap();
    let output = world.kbisect(&["import", "syz.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    world
}

fn printed(world: &World, args: &[&str]) -> String {
    String::from_utf8(world.kbisect(args).output().unwrap().stdout).unwrap()
}

#[test]
fn a_log_alone_is_a_record_to_look_into() {
    let world = World::new();
    let log = search() + &answer();
    fs::write(world.path("syz.txt"), &log).unwrap();
    insta::assert_snapshot!(said(&world, &["import", "syz.txt"]), @r"
    --- stdout
    imported a log of syzbot: 50 trials in 5 tests of commits, taken over as evidence
    start   ffffffffffff
    range   not known: that takes the repository, and there is only the log
    then    cccccccccccc change c
    now     dddddddddddd change d
    sure    cccccccccccc introduced it with 11 %
    to look into it: kbisect explain bisect-syz, kbisect replay bisect-syz, kbisect log bisect-syz
    --- exit status 0
    ");
    let mut files: Vec<String> =
        fs::read_dir(world.path("bisect-syz")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, [".gitignore", "bisect.log", "journal.jsonl", "lock", "report.json", "report.txt"]);
    insta::assert_snapshot!(said(&world, &["status", "bisect-syz"]), @r#"
    --- stdout
    face    KASAN: use-after-free Read in ring_take   (9 of 9 trials at the start commit)
    range   not known: that takes the repository, and there is only the log
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      ffffffffffff  start                                               9     0    1     0        1.000      bad
      aaaaaaaaaaaa  release                                             0    10    0     0        0.000      good
      dddddddddddd              change d                               10     0    0     0        1.000      bad
      bbbbbbbbbbbb              change b                                0    10    0     0        0.000      good
      cccccccccccc              change c                                0     9    0     1        0.001      good

    Culprit, > 99.9 %:

      commit dddddddddddd ("change d")

    This is what a log of syzbot's comes to, read by today's plugins; nothing
    was tested here, and of the history only what the log tells is known.
    The log itself named cccccccccccc ("change c").

    Crash: KASAN: use-after-free Read in ring_take
      (in 19 trials, seen on ffffffffffff (""), which is NOT the culprit)
    Evidence (same configuration, same compiler):
      culprit    dddddddddddd   10 of 10 trials crash with it
      start      ffffffffffff    9 of 9 trials crash with it
    Not counted: 1 other crash (general protection fault in
      batadv_iv_ogm_schedule_buff), 1 void trial (does not boot: 1)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: dddddddddddd ("change d")

    Details of the bisection:
    Effort: 50 trials on 5 commits in [TIME]
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["explain", "bisect-syz"]), @r#"
    --- stdout
    Cause of KASAN: use-after-free Read in ring_take
    seen at ffffffffffff

    The way that the log took: what each commit's trials showed, and how likely it
    has the bug by today's reading of them.
      #  commit        why         hit clean void other  P(has it)  bits       is
      1  ffffffffffff  start         9     0    1     0     -→1.00     -→-     bad
      2  aaaaaaaaaaaa  v1.0          0    10    0     0     -→0.00     -→-     good
      3  dddddddddddd               10     0    0     0  0.50→1.00     -→-     bad
      4  bbbbbbbbbbbb                0    10    0     0  0.50→0.00     -→-     good
      5  cccccccccccc                0     9    0     1  0.50→0.00     -→-     good

    Now: the culprit is dddddddddddd; the range is not known, nor other candidates:
         there is no history but the log's. The log named cccccccccccc ("change c").
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["explain", "bisect-syz", "cccc"]), @r#"
    --- stdout
    cccccccccccc ("change c")

    #5       tested as a step of git bisect
    before   P(has the bug) 0.500
    trial 41   clean                              LR 0.01        P 0.006
    trial 42   clean                              LR 0.01        P 0.001
    trial 43   clean                              LR 0.01        P 0.001
    trial 44   clean                              LR 0.01        P 0.001
    trial 45   clean                              LR 0.01        P 0.001
    trial 46   clean                              LR 0.01        P 0.001
    trial 47   crashed: general protection faul…  LR 1, no vote  P 0.001
               s = .01, look 1: unlike KASAN: use-after-free Read in ring_take: it
               is in net/batman-adv, the target in kernel/trace/ring_buffer, nothing
               connects batadv_iv_ogm_schedule_buff and ring_take
    trial 48   clean                              LR 0.01        P 0.001
    trial 49   clean                              LR 0.01        P 0.001
    trial 50   clean                              LR 0.01        P 0.001
    after    P(has the bug) 0.001
    (LR: how many times likelier at a commit with the bug than at one without)

    verdict  good by sequential: 0 of 9 crashed, 1 other crash: log-likelihood ratio
             -9.5 of -7.1
    now      P(has the bug) 0.001
    --- exit status 0
    "#);
    insta::assert_snapshot!(said(&world, &["explain", "bisect-syz", "1234567"]), @r"
    --- stderr
    error: the log names no commit `1234567`
    hint: commits go by their hash, a release's tag, or the first line of the message, as far as the log tells them
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["log", "bisect-syz", "--format", "git"]), @r"
    --- stdout
    # bad: [ffffffffffffffffffffffffffffffffffffffff]
    # good: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]
    git bisect start 'ffffffffffffffffffffffffffffffffffffffff' 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    # bad: [dddddddddddddddddddddddddddddddddddddddd] change d
    git bisect bad dddddddddddddddddddddddddddddddddddddddd
    # good: [bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] change b
    git bisect good bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    # by today's policy good
    # bad: [cccccccccccccccccccccccccccccccccccccccc] change c
    git bisect bad cccccccccccccccccccccccccccccccccccccccc
    # first bad commit: [cccccccccccccccccccccccccccccccccccccccc] change c
    --- exit status 0
    ");
    assert_eq!(printed(&world, &["log", "bisect-syz", "--format", "syzbot"]), log);
    assert_eq!(printed(&world, &["log", "bisect-syz"]), log);
    assert_eq!(fs::read_to_string(world.path("bisect-syz/bisect.log")).unwrap(), log);
    // The record is what the log says: it can be replayed without it.
    let replayed = printed(&world, &["replay", "syz.txt", "--json"]);
    fs::remove_file(world.path("syz.txt")).unwrap();
    assert_eq!(printed(&world, &["replay", "bisect-syz", "--json"]), replayed);
    let report = report(&world.path("bisect-syz"));
    assert_eq!((&report["of_a_log"], &report["range"], &report["trials"]), (&true.into(), &serde_json::Value::Null, &50.into()));
    assert_eq!(report["named"]["commit"], id('d'));
}

#[test]
fn nothing_is_tested_without_a_repository() {
    let world = recorded(&(search() + &answer()));
    let tries: [&[&str]; 6] = [
        &["resume", "bisect-syz"],
        &["resume", "bisect-syz", "--repo", "."],
        &["trial", "bisect-syz", "cccccccccccc"],
        &["undo", "bisect-syz"],
        &["import", "syz.txt"],
        &["replay", "."],
    ];
    let all: String = tries.iter().map(|args| said(&world, args)).collect();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: `bisect-syz` is the record of a log; nothing can be tested without its repository
    hint: with a clone that holds its commits, and a job file that names it and says how to build and test: kbisect import bisect-syz --job JOB.toml --out RUN
    --- exit status 2
    --- stderr
    error: `bisect-syz` is the record of a log; nothing can be tested without its repository
    hint: with a clone that holds its commits, and a job file that names it and says how to build and test: kbisect import bisect-syz --job JOB.toml --out RUN
    --- exit status 2
    --- stderr
    error: `bisect-syz` is the record of a log; nothing can be tested without its repository
    hint: with a clone that holds its commits, and a job file that names it and says how to build and test: kbisect import bisect-syz --job JOB.toml --out RUN
    --- exit status 2
    --- stderr
    error: `bisect-syz` is the record of a log; nothing can be tested without its repository
    hint: with a clone that holds its commits, and a job file that names it and says how to build and test: kbisect import bisect-syz --job JOB.toml --out RUN
    --- exit status 2
    --- stderr
    error: `[DIR]/bisect-syz` already holds a run
    hint: go on with it: kbisect resume [DIR]/bisect-syz
    hint: or name another directory with --out
    --- exit status 2
    --- stderr
    error: `.` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
    // Git's own log has no trials that could be evidence.
    fs::write(world.path("git.txt"), format!("git bisect start '{}' '{}'\n", id('f'), id('a'))).unwrap();
    insta::assert_snapshot!(said(&world, &["import", "git.txt"]), @r"
    --- stderr
    error: git.txt: git's log tells verdicts and no trials: without the repository nothing follows from them
    hint: kbisect import git.txt --repo DIR -- CMD, or kbisect import git.txt --job JOB.toml
    --- exit status 2
    ");
}

#[test]
fn a_log_that_was_cut_has_no_answer() {
    let log = search();
    let cut = &log[..log.rfind("OK").unwrap() + 1];
    let world = recorded(cut);
    insta::assert_snapshot!(said(&world, &["status", "bisect-syz"]), @r"
    --- stdout
    face    KASAN: use-after-free Read in ring_take   (9 of 9 trials at the start commit)
    range   not known: that takes the repository, and there is only the log
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      ffffffffffff  start                                               9     0    1     0        1.000      bad
      aaaaaaaaaaaa  release                                             0    10    0     0        0.000      good
      dddddddddddd              change d                               10     0    0     0        1.000      bad
      bbbbbbbbbbbb              change b                                0    10    0     0        0.000      good
      cccccccccccc              change c                                0     8    0     1        0.000      good
    state   the record of a log that ends before its answer
    --- exit status 0
    ");
    insta::assert_snapshot!(said(&world, &["explain", "bisect-syz"]), @r"
    --- stdout
    Cause of KASAN: use-after-free Read in ring_take
    seen at ffffffffffff

    The way that the log took: what each commit's trials showed, and how likely it
    has the bug by today's reading of them.
      #  commit        why         hit clean void other  P(has it)  bits       is
      1  ffffffffffff  start         9     0    1     0     -→1.00     -→-     bad
      2  aaaaaaaaaaaa  v1.0          0    10    0     0     -→0.00     -→-     good
      3  dddddddddddd               10     0    0     0  0.50→1.00     -→-     bad
      4  bbbbbbbbbbbb                0    10    0     0  0.50→0.00     -→-     good
      5  cccccccccccc                0     8    0     1     -→0.00     -→-     good

    Now: no answer yet; the range is not known, nor other candidates: there is no
         history but the log's.
    --- exit status 0
    ");
    assert_eq!(printed(&world, &["log", "bisect-syz"]), cut);
    assert!(!world.path("bisect-syz/report.json").exists());
}

#[test]
fn a_log_of_nothing_but_its_aim_is_a_record_too() {
    let world = recorded(&format!("bisecting fixing commit since {}\n", id('f')));
    insta::assert_snapshot!(said(&world, &["explain", "bisect-syz"]), @r"
    --- stdout
    Fix of a crash that is not known yet
    seen at ffffffffffff

    No trial has ended yet.

    Now: no answer yet; the range is not known, nor other candidates: there is no
         history but the log's.
    --- exit status 0
    ");
    insta::assert_snapshot!(said(&world, &["log", "bisect-syz", "--format", "git"]), @r"
    --- stdout
    git bisect start '--term-old=broken' '--term-new=fixed'
    --- exit status 0
    ");
}

/// With the repository at hand the log comes first, and what the run did behind it.
#[test]
fn a_run_that_goes_on_appends_to_the_log() {
    let world = World::new();
    let ids = line(&world, "repo", 6, 3, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    let real = |log: String| "abcdf".chars().zip([0, 1, 2, 3, 5]).fold(log, |log, (digit, at)| log.replace(&id(digit), &ids[at]));
    let (search, answer) = (real(search()), real(answer()));
    fs::write(world.path("syz.txt"), search.clone() + &answer).unwrap();
    // Every failure is one crash to a script, whatever the log calls it.
    let import = ["import", "syz.txt", "--repo", "repo", "--out", "run", "--", "./test.sh"];
    insta::assert_snapshot!(said(&world, &import), @r"
    --- stdout
    imported a log of syzbot: 50 trials in 5 tests of commits, taken over as evidence
    start   63002cb36776
    range   5 commits, 0 left
    to go on: kbisect resume run
    --- exit status 0
    ");
    assert_eq!(printed(&world, &["log", "run"]), search.clone() + &answer);
    let output = world.kbisect(&["trial", "run", &ids[4], "-n", "2", "--quiet"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    let log = printed(&world, &["log", "run"]);
    let more = log.strip_prefix(&search).unwrap();
    insta::assert_snapshot!(more.split("\nrevisions tested").next().unwrap(), @r"
    Bisecting: 0 revisions left to test after this (roughly 0 steps)
    [9e5e055abb784edee6874869fab6b6737687d35e] change 4
    testing commit 9e5e055abb784edee6874869fab6b6737687d35e
    all runs: crashed: exit status 1
    4de14630d2c3157a7fae75f7a84bdffae47e5c28 is the first bad commit
    commit 4de14630d2c3157a7fae75f7a84bdffae47e5c28
    Author: A U Thor <author@example.org>
    Date:   Sun Sep 13 12:29:40 2020 +0000

        change 3

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    accumulated error probability: 0.00
    ");
    assert_eq!(fs::read_to_string(world.path("run/bisect.log")).unwrap(), log);
    // It is a log again: all that is in it is understood.
    fs::write(world.path("again.txt"), &log).unwrap();
    let again = world.kbisect(&["log", "again.txt"]).output().unwrap();
    assert_eq!((String::from_utf8(again.stdout).unwrap(), again.stderr), (log, Vec::new()));
}

#[test]
fn hashes_that_the_repository_lacks_are_named() {
    let world = World::new();
    line(&world, "repo", 2, 1, "exit 1");
    fs::write(world.path("syz.txt"), search()).unwrap();
    insta::assert_snapshot!(said(&world, &["import", "syz.txt", "--repo", "repo", "--out", "run", "--", "./test.sh"]), @r"
    --- stderr
    error: `ffffffffffffffffffffffffffffffffffffffff` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin ffffffffffffffffffffffffffffffffffffffff
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    ");
    assert!(!world.path("run").exists());
}

#[test]
fn logs_of_other_tools_are_refused() {
    let world = World::new();
    let logs = [
        "2019-05-31 abc builds\n# first bad commit: maybe abc\n",
        "commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nAuthor: A <a@b>\n\n    bisecting cause commit\n",
        "Due to skipped revisions, the first bad revision could be any of:\nchangeset:   3:53ea3fa0a2ab\n",
        "{\"bisect\": []}\n",
        "bisecting cause commit starting from v5.4\n",
        "[    0.000000] Linux version 5.4.0\n\u{1b}[31mKernel panic\u{1b}[0m\n",
    ];
    let all: String = logs
        .iter()
        .map(|log| {
            fs::write(world.path("log"), log).unwrap();
            said(&world, &["import", "log", "--out", "run"])
        })
        .collect();
    insta::assert_snapshot!(all, @r#"
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `2019-05-31 abc builds`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `Due to skipped revisions, the first bad revision could be any of:`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `{"bisect": []}`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `bisecting cause commit starting from v5.4`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    --- stderr
    error: log: neither a log of `git bisect` nor one of syzbot's bisections; the first line is `[    0.000000] Linux version 5.4.0`
    hint: git's is printed by `git bisect log`; syzbot's begins with `bisecting cause commit starting from …`
    --- exit status 2
    "#);
    assert!(!world.path("run").exists());
    // 100 MB, and what never ends.
    fs::File::create(world.path("large")).unwrap().set_len(100 << 20).unwrap();
    fs::write(world.path("long"), "run #0: OK\n".repeat(2 << 20)).unwrap();
    let all: String = ["large", "long", "/dev/zero", "."].map(|log| said(&world, &["import", log, "--out", "run"])).concat();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: large: 100 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: long: 22 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: /dev/zero: 17 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: `.` holds no run: there is no journal.jsonl in it
    --- exit status 2
    ");
}

/// A few of the real logs, where they are, through the built program.
#[test]
fn real_logs_are_given_back() {
    let data = env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let in_folder = |folder: &str, every: usize| -> Vec<PathBuf> {
        let entries = fs::read_dir(data.join(folder)).into_iter().flatten();
        let mut logs: Vec<PathBuf> =
            entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("README.md")).collect();
        logs.sort();
        logs.into_iter().step_by(every).collect()
    };
    let logs = [in_folder("bisection-logs", 1), in_folder("real-bisections/logs", 60)].concat();
    if logs.is_empty() {
        eprintln!("skipped: there are no logs in {}", data.display());
    }
    for (number, path) in logs.iter().enumerate() {
        let (world, text) = (World::new(), fs::read_to_string(path).unwrap());
        let run = format!("run-{number}");
        let output = world.kbisect(&["import", path.to_str().unwrap(), "--out", &run]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}: {}", path.display(), world.shown(&output));
        assert!(!String::from_utf8_lossy(&output.stdout).contains("warning"), "{}", world.shown(&output));
        assert_eq!(printed(&world, &["log", &run, "--format", "syzbot"]), text, "{}", path.display());
        for args in [&["status", &run][..], &["explain", &run], &["log", &run, "--format", "git"], &["replay", &run]] {
            let output = world.kbisect(args).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}: {}", path.display(), world.shown(&output));
        }
        assert_eq!(world.kbisect(&["resume", &run]).output().unwrap().status.code(), Some(2));
    }
}
