//! `kbisect replay`: logs of real and invented bisections, judged anew by the built program.

use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use crate::support::World;
use crate::support::line;
use serde_json::Value;

const TARGET: &str = "crashed: KASAN: use-after-free Read in ring_buffer_put";
const STRAY: &str = "crashed: general protection fault in batadv_iv_ogm_schedule_buff";

/// A log over eight commits, of which those from the fourth on crash; the third, too, crashes once, but not with the target.
/// The start commit is the last one, the clean release the first.
fn led_astray(ids: &[String]) -> String {
    let mut log = format!("bisecting cause commit starting from {}\nbuilding syzkaller on {}\n", ids[7], "5".repeat(40));
    let all = |said: &str| format!("all runs: {said}\n");
    let ten = |odd: &str| (0..10).map(|run| format!("run #{run}: {}\n", if run == 6 { odd } else { "OK" })).collect::<String>();
    let test = |log: &mut String, commit: &str, runs: &str| {
        let _ = write!(log, "testing commit {commit} with gcc (GCC) 8.1.0\nkernel signature: {commit}\n{runs}");
    };
    test(&mut log, &ids[7], &all(TARGET));
    log += "testing release v1.0\n";
    test(&mut log, &ids[0], &all("OK"));
    let _ = writeln!(log, "# git bisect start {} {}", ids[7], ids[0]);
    let step = |log: &mut String, left: u32, at: usize, runs: &str, mark: &str| {
        let _ = writeln!(
            log,
            "Bisecting: {left} revision{} left to test after this (roughly 1 step)",
            if left == 1 { "" } else { "s" }
        );
        let _ = writeln!(log, "[{}] change {at}", ids[at]);
        test(log, &ids[at], runs);
        let _ = writeln!(log, "# git bisect {mark} {}", ids[at]);
    };
    step(&mut log, 3, 3, &all(TARGET), "bad");
    step(&mut log, 1, 1, &all("OK"), "good");
    step(&mut log, 0, 2, &ten(STRAY), "bad");
    let _ = write!(
        log,
        "{0} is the first bad commit\ncommit {0}\nAuthor: A U Thor <author@example.org>\nDate:   Wed Mar 27 13:04:15 2019 +0100\n\n    \
         change 2\n\n arch/um/drivers/mconsole_kern.c | 28 +++++++++++++++++++++++++++-\n 1 file changed, 27 insertions(+), 1 deletion(-)\n\
         culprit signature: {0}\nparent  signature: {1}\nrevisions tested: 5, total time: 3h48m17s (build: 1h, test: 2h)\n\
         first bad commit: {0} change 2\ncc: [\"author@example.org\"]\n{2}\nCall Trace:\n foo+0x1/0x2\n",
        ids[2],
        ids[1],
        STRAY.replacen("crashed", "crash", 1)
    );
    log
}

/// Eight commits in `repo`, and the log in `log.txt`.
fn world() -> (World, Vec<String>) {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    fs::write(world.path("log.txt"), led_astray(&ids)).unwrap();
    (world, ids)
}

fn said(world: &World, args: &[&str]) -> String {
    world.shown(&world.kbisect(args).output().unwrap())
}

/// How one output differs from another: lines that it lacks, then lines that only it has.
fn differences(one: &str, other: &str) -> String {
    let lone = |sign: char, these: &str, those: &str| -> String {
        let lone = these.lines().filter(|line| !those.lines().any(|known| known == *line));
        lone.map(|line| format!("{sign} {line}\n")).collect()
    };
    lone('-', one, other) + &lone('+', other, one)
}

#[test]
fn a_stray_crash_leads_no_longer_astray() {
    let (world, _) = world();
    insta::assert_snapshot!(said(&world, &["replay", "log.txt"]), @r"
    --- stdout
    log        cause, from d1b19def845b; 5 commits, 50 trials, 3 h 48 min
    target     KASAN: use-after-free Read in ring_buffer_put   (10 trials)
    policy     sequential

      commit        why         subject                               hit/clean/void/other  needed  then  now   P(has the bug)
      d1b19def845b  start                                              10     0    0     0       3   bad   bad   > 99.9 %
      947b274159d0  v1.0                                                0    10    0     0       2   good  good  < 0.1 %
      bc37bc1f07e6              change 3                               10     0    0     0       1   bad   bad   > 99.9 %
      b9148b0faeaa              change 1                                0    10    0     0       2   good  good  < 0.1 %
      39180e8fcc86              change 2                                0     9    0     1       2   bad   good  < 0.1 %   <
          other: general protection fault in batadv_iv_ogm_schedule_buff (s = 0.01, 1 time): unlike KASAN: use-after-free Read in ring_buffer_put: it is in net/batman-adv, the target in kernel/events/core, nothing connects batadv_iv_ogm_schedule_buff and ring_buffer_put

    trials     10 of 50 needed (20 %)
    then       39180e8fcc86 change 2
    now        bc37bc1f07e6 change 3
    because    39180e8fcc86 was bad then and is good now, and no other commit is left than bc37bc1f07e6; its trials: 0 with the target, 9 clean, 1 with `general protection fault in batadv_iv_ogm_schedule_buff`, unlike KASAN: use-after-free Read in ring_buffer_put: it is in net/batman-adv, the target in kernel/events/core, nothing connects batadv_iv_ogm_schedule_buff and ring_buffer_put

    39180e8fcc86 introduced it with 11 %
      it begins to show here      56 %   the log's trials, judged anew, give it 0 %
      it is the same bug          33 %   0 % of its trials show the crash, which is the target's with 1 %
      introduced here             60 %   it is clean one release back, where 15 % of the bugs only hide; the crash here is unlike that at the start
    --- exit status 0
    ");
}

#[test]
fn a_replay_as_json() {
    let (world, _) = world();
    let output = world.kbisect(&["replay", "log.txt", "--json"]).output().unwrap();
    let mut json: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The other commits look alike.
    json["commits"] = json["commits"].as_array().unwrap()[4].clone();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "commits": {
        "bad": 0.0005002542014152115,
        "clean": 9,
        "commit": "39180e8fcc86a537310ab0b815014c1ecb1ce9a9",
        "crashes": [
          {
            "look": 1,
            "reason": "unlike KASAN: use-after-free Read in ring_buffer_put: it is in net/batman-adv, the target in kernel/events/core, nothing connects batadv_iv_ogm_schedule_buff and ring_buffer_put",
            "same": 0.014210994339021017,
            "title": "general protection fault in batadv_iv_ogm_schedule_buff",
            "trials": 1
          }
        ],
        "guessed": false,
        "hits": 0,
        "needed": 2,
        "now": "good",
        "other": 1,
        "reason": "0 of 9 crashed, 1 other crash: log-likelihood ratio -9.5 of -7.1",
        "release": null,
        "subject": "change 2",
        "then": "bad",
        "void": 0,
        "why": "step"
      },
      "credence": {
        "boundary": {
          "chance": 0.5593866859813431,
          "reason": "the log's trials, judged anew, give it 0 %"
        },
        "introduced": {
          "chance": 0.5972279284806012,
          "reason": "it is clean one release back, where 15 % of the bugs only hide; the crash here is unlike that at the start"
        },
        "probability": 0.10883242524116371,
        "same": {
          "chance": 0.3257662383463896,
          "reason": "0 % of its trials show the crash, which is the target's with 1 %"
        }
      },
      "diverged": {
        "commit": "39180e8fcc86a537310ab0b815014c1ecb1ce9a9",
        "now": "good",
        "reason": "39180e8fcc86 was bad then and is good now, and no other commit is left than bc37bc1f07e6; its trials: 0 with the target, 9 clean, 1 with `general protection fault in batadv_iv_ogm_schedule_buff`, unlike KASAN: use-after-free Read in ring_buffer_put: it is in net/batman-adv, the target in kernel/events/core, nothing connects batadv_iv_ogm_schedule_buff and ring_buffer_put",
        "then": "bad"
      },
      "kind": "cause",
      "now": {
        "commit": "bc37bc1f07e61cb98ca902d90b73ebdc5f88c120",
        "end": "one",
        "subject": "change 3"
      },
      "policy": "sequential",
      "schema": 1,
      "search": null,
      "start": "d1b19def845b89f29c698301551218b1575efe50",
      "target": [
        {
          "title": "KASAN: use-after-free Read in ring_buffer_put",
          "trials": 10
        }
      ],
      "then": {
        "commit": "39180e8fcc86a537310ab0b815014c1ecb1ce9a9",
        "end": "one",
        "subject": "change 2"
      },
      "trials": {
        "needed": 10,
        "recorded": 50
      },
      "warnings": []
    }
    "#);
}

#[test]
fn syzkallers_rule_needs_two_crashes() {
    let (world, _) = world();
    let by_rule = said(&world, &["replay", "log.txt", "--strategy", "syzkaller-rule"]);
    insta::assert_snapshot!(differences(&said(&world, &["replay", "log.txt"]), &by_rule), @r"
    - policy     sequential
    -   d1b19def845b  start                                              10     0    0     0       3   bad   bad   > 99.9 %
    -   947b274159d0  v1.0                                                0    10    0     0       2   good  good  < 0.1 %
    -   bc37bc1f07e6              change 3                               10     0    0     0       1   bad   bad   > 99.9 %
    -   b9148b0faeaa              change 1                                0    10    0     0       2   good  good  < 0.1 %
    -   39180e8fcc86              change 2                                0     9    0     1       2   bad   good  < 0.1 %   <
    - trials     10 of 50 needed (20 %)
    - now        bc37bc1f07e6 change 3
    - because    39180e8fcc86 was bad then and is good now, and no other commit is left than bc37bc1f07e6; its trials: 0 with the target, 9 clean, 1 with `general protection fault in batadv_iv_ogm_schedule_buff`, unlike KASAN: use-after-free Read in ring_buffer_put: it is in net/batman-adv, the target in kernel/events/core, nothing connects batadv_iv_ogm_schedule_buff and ring_buffer_put
    + policy     syzkaller-rule
    +   d1b19def845b  start                                              10     0    0     0      10   bad   bad   > 99.9 %
    +   947b274159d0  v1.0                                                0    10    0     0      10   good  good  < 0.1 %
    +   bc37bc1f07e6              change 3                               10     0    0     0      10   bad   bad   > 99.9 %
    +   b9148b0faeaa              change 1                                0    10    0     0      10   good  good  < 0.1 %
    +   39180e8fcc86              change 2                                0     9    0     1      10   bad   skip  < 0.1 %   <
    + trials     50 of 50 needed (100 %)
    + now        no name: the log leaves 2 commits between b9148b0faeaa and bc37bc1f07e6
    + because    39180e8fcc86 was bad then and is skip now: git would have gone another way there; its trials: 0 with the target, 9 clean, 1 with `general protection fault in batadv_iv_ogm_schedule_buff`, unlike KASAN: use-after-free Read in ring_buffer_put: it is in net/batman-adv, the target in kernel/events/core, nothing connects batadv_iv_ogm_schedule_buff and ring_buffer_put
    ");
}

#[test]
fn with_the_repository_the_search_goes_on() {
    let (world, ids) = world();
    let whole = said(&world, &["replay", "log.txt", "--repo", "repo"]);
    insta::assert_snapshot!(differences(&said(&world, &["replay", "log.txt"]), &whole), @r"
    -   d1b19def845b  start                                              10     0    0     0       3   bad   bad   > 99.9 %
    +   d1b19def845b  start       change 7                               10     0    0     0       3   bad   bad   > 99.9 %
    + range      7 commits
    + likeliest  > 99.9 %  bc37bc1f07e6 change 3
    +             < 0.1 %  39180e8fcc86 change 2
    +             < 0.1 %  b9148b0faeaa change 1
    +             < 0.1 %  3db1e3895b2c change 4
    +             < 0.1 %  8a285923961c change 5
    +             < 0.1 %  8589313df443 change 6
    +             < 0.1 %  d1b19def845b change 7
    + next       nothing: the trials settle it
    ");
    // The same as git does it, with a hash that the repository lacks.
    let log = fs::read_to_string(world.path("log.txt")).unwrap().replace(&ids[1], &"1".repeat(40));
    fs::write(world.path("log.txt"), log).unwrap();
    let by_git = said(&world, &["replay", "log.txt", "--repo", "repo", "--strategy", "git"]);
    insta::assert_snapshot!(differences(&whole, &by_git), @r"
    -   b9148b0faeaa              change 1                                0    10    0     0       2   good  good  < 0.1 %
    +   111111111111              change 1                                0    10    0     0       2   good  good
    + --- stderr
    + warning: 1 of the log's 5 commits is not in the history of d1b19def845b and is left out: 111111111111
    ");
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let (world, ids) = world();
    let log = fs::read_to_string(world.path("log.txt")).unwrap();
    fs::write(world.path("mail.txt"), "Hello,\n\nsyzbot found the following crash\n").unwrap();
    fs::write(world.path("git.txt"), "git bisect start\n# bad: [1] x\n").unwrap();
    fs::write(world.path("empty.txt"), "").unwrap();
    fs::write(world.path("bytes.txt"), [0_u8, 159, 146, 150].repeat(1000)).unwrap();
    File::create(world.path("large.txt")).unwrap().set_len(100 << 20).unwrap();
    fs::write(world.path("other.txt"), log.replace(&ids[7], &"7".repeat(40))).unwrap();
    let tries: [&[&str]; 12] = [
        &["absent.txt"],
        &["mail.txt"],
        &["git.txt"],
        &["empty.txt"],
        &["bytes.txt"],
        &["large.txt"],
        &["log.txt", "--strategy", "posterior"],
        &["log.txt", "--strategy", "syzkaller-rule", "--policy", "sequential"],
        &["log.txt", "--policy", "nobody"],
        &["log.txt", "--policy", "linux-crash"],
        &["log.txt", "--repo", "absent"],
        &["other.txt", "--repo", "repo"],
    ];
    let all: String = tries.iter().map(|args| said(&world, &[&["replay"], *args].concat())).collect();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: cannot read absent.txt: No such file or directory (os error 2)
    --- exit status 2
    --- stderr
    error: mail.txt: no bisection log of syzbot's: none of the first lines says `bisecting cause commit starting from COMMIT` or `bisecting fixing commit since COMMIT`; the first is `Hello,`
    --- exit status 2
    --- stderr
    error: git.txt: this is a log of git's own, not one of syzbot's
    hint: `kbisect import` reads git's logs, too
    --- exit status 2
    --- stderr
    error: empty.txt: the log is empty
    --- exit status 2
    --- stderr
    error: bytes.txt: no bisection log: it is not text
    --- exit status 2
    --- stderr
    error: large.txt: 100 MiB are no bisection log: at most 16 are read
    --- exit status 2
    --- stderr
    error: strategy `posterior` searches the whole history, which the log does not hold
    hint: name a clone with --repo, or leave --strategy out
    --- exit status 2
    --- stderr
    error: strategy `syzkaller-rule` and policy `sequential` contradict one another
    hint: `--strategy git` takes any policy
    --- exit status 2
    --- stderr
    error: plugin `nobody` has no `path`, and no bundled plugin has this name (linux-crash, maintainers, sequential, stack-prior, syzkaller-rule)
    --- exit status 2
    --- stderr
    error: plugin `linux-crash`: `hooks` has no effect, as this plugin always comes first and serves its one hook
    --- exit status 2
    --- stderr
    error: `absent` is not a git repository, nor inside one
    hint: give the path of a clone, or `git clone` one
    --- exit status 2
    --- stderr
    error: `7777777777777777777777777777777777777777` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin 7777777777777777777777777777777777777777
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    ");
}

#[test]
fn logs_that_are_damaged_are_read_as_far_as_they_go() {
    let (world, _) = world();
    let log = fs::read_to_string(world.path("log.txt")).unwrap();
    let cut = log.find("[").unwrap() + 20;
    fs::write(world.path("cut.txt"), &log[..cut]).unwrap();
    insta::assert_snapshot!(said(&world, &["replay", "cut.txt"]), @r"
    --- stdout
    log        cause, from d1b19def845b; 2 commits, 20 trials
    target     KASAN: use-after-free Read in ring_buffer_put   (10 trials)
    policy     sequential

      commit        why         subject                               hit/clean/void/other  needed  then  now   P(has the bug)
      d1b19def845b  start                                              10     0    0     0       3   bad   bad   > 99.9 %
      947b274159d0  v1.0                                                0    10    0     0       2   good  good  < 0.1 %

    trials     5 of 20 needed (25 %)
    then       no name: the log ends before its answer
    now        no name: the log leaves about 14001 commits between 947b274159d0 and d1b19def845b
    --- stderr
    warning: cut.txt: line 12: the log ends here, before its answer
    --- exit status 0
    ");
    fs::write(world.path("coloured.txt"), log.replace("all runs", "\x1b[31mall\x1b[0m runs")).unwrap();
    let plain = world.kbisect(&["replay", "log.txt"]).output().unwrap();
    let coloured = world.kbisect(&["replay", "coloured.txt"]).output().unwrap();
    assert_eq!(String::from_utf8(plain.stdout).unwrap(), String::from_utf8(coloured.stdout).unwrap());
    insta::assert_snapshot!(String::from_utf8(coloured.stderr).unwrap(), @r"
    warning: coloured.txt: line 5: terminal codes were taken out from here on
    ");
}

#[test]
fn a_log_is_replayed_wherever_it_is_cut() {
    let (world, _) = world();
    let log = fs::read_to_string(world.path("log.txt")).unwrap();
    for cut in (0..log.len()).step_by(97) {
        fs::write(world.path("cut.txt"), &log[..cut]).unwrap();
        let code = world.kbisect(&["replay", "cut.txt"]).output().unwrap().status.code();
        // No more than the aim is needed.
        assert_eq!(code, Some(if cut < log.find('\n').unwrap() { 2 } else { 0 }), "cut at {cut}");
    }
}

/// The five logs whose answers are known; none where the data is not there.
fn seeds() -> Vec<PathBuf> {
    let data = std::env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = data.join("bisection-logs");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: there is no {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    files.sort();
    files
}

#[test]
fn real_logs_keep_their_culprits_but_for_the_one_that_was_led_astray() {
    let world = World::new();
    let (mut named, mut recorded, mut needed) = (String::new(), 0, 0);
    for file in seeds() {
        let output = world.kbisect(&["replay", file.to_str().unwrap(), "--json"]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", world.shown(&output));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let short = |end: &Value| end["commit"].as_str().map_or("-".to_owned(), |commit| commit[..12].to_owned());
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let _ = writeln!(named, "{name}: {} then, {} now", short(&json["then"]), short(&json["now"]));
        if let Some(reason) = json["diverged"]["reason"].as_str() {
            let _ = writeln!(named, "    {reason}");
        }
        recorded += json["trials"]["recorded"].as_u64().unwrap();
        needed += json["trials"]["needed"].as_u64().unwrap();
    }
    if named.is_empty() {
        return;
    }
    insta::assert_snapshot!(named, @r"
    000-clone-pidfd-2019-05.txt: b3e583825266 then, b3e583825266 now
    001-fsnotify-uaf-2020-06.txt: 76313c70c52f then, 69879c01a0c3 now
        76313c70c52f was bad then and is good now, and no other commit is left than 69879c01a0c3; its trials: 0 with the target, 9 clean, 1 with `general protection fault in batadv_iv_ogm_schedule_buff`, unlike KASAN: use-after-free Write in fsnotify_detach_connector_from_object: it is in net/batman-adv, the target in fs/notify/mark, nothing connects batadv_iv_ogm_schedule_buff and fsnotify_detach_connector_from_object
    002-mm-access-lto-2021-01.txt: 833174494976 then, 833174494976 now
    003-gup-unlock-2020-04.txt: 71335f37c5e8 then, 71335f37c5e8 now
    004-htab-lockdep-2020-11.txt: c50eb518e262 then, c50eb518e262 now
    ");
    assert_eq!(recorded, 725);
    assert!(100 * needed <= 35 * recorded, "{needed} of {recorded} trials needed");
}
