//! The result as people get it: the mail, what it says of newer history, and what lies beside it.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::report;
use crate::support::timeless;
use crate::support::write_history;

const START: usize = 8;
const CULPRIT: usize = 4;

/// What mainline's commit says that the culprit was picked from.
const UPSTREAM: &str = "0123456789abcdef0123456789abcdef01234567";

/// A line of commits from which the test fails where `queue.c` leaves out a check; behind the start commit comes what `newer` says. The
/// start commit is no branch: `main` is newer.
fn project(world: &World, newer: impl Fn(Planned) -> Planned, search: &str) -> Vec<String> {
    let text = |checked: bool| format!("one\n{}two\nthree\n", if checked { "check\n" } else { "" });
    let message = format!(
        "queue: leave out a needless check\n\ncommit {UPSTREAM} upstream.\n\nEverybody who comes here was checked before, as the \
         callers say in so many words.\n\nSigned-off-by: A U Thor <author@example.org>\n"
    );
    let mut commits: Vec<Planned> = (0..=START)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let subject = if place == CULPRIT { message.clone() } else { format!("Change {place}") };
            Planned::on(&parents, subject)
                .file("queue.c", text(place < CULPRIT))
                .file(format!("change-{place}"), "made\n")
                .script("test.sh", "#!/bin/sh\ngrep -q check queue.c && exit 0\nexit 1\n")
        })
        .collect();
    commits.push(newer(Planned::on(&[START], "Newer")));
    let ids = write_history(world, "repo", &commits, &[]);
    let job = format!(
        "repo = \"repo\"\nbad = \"{}\"\ngood = \"{}\"\nlink = \"https://example.org/bug?id=1\"\n[machine]\nkind = \"process\"\n\
         [trial]\ncommand = [\"./test.sh\"]\nexpect = \"exit\"\n[search]\n{search}",
        ids[START], ids[0]
    );
    fs::write(world.path("job.toml"), job).unwrap();
    ids
}

fn mail(world: &World, run: &str) -> String {
    timeless(&fs::read_to_string(world.path(run).join("report.txt")).unwrap())
}

/// The lines of the mail that tell of the newest commit and of who mends the culprit.
fn newer(world: &World) -> String {
    let tells = |line: &&str| line.starts_with("  newest") || line.starts_with("Mended") || line.contains(" it ");
    mail(world, "run").lines().filter(tells).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_culprit_that_is_taken_back_at_the_newest_commit() {
    let world = World::new();
    let again = "Revert \"queue: leave out a needless check\"";
    let ids = project(&world, |_| Planned::on(&[START], again).file("queue.c", "one\ncheck\ntwo\nthree\n"), "tip = \"newest\"\n");
    let output = world.kbisect(&["run", "job.toml", "--out", "run"]).output().unwrap();
    insta::assert_snapshot!(timeless(&world.shown(&output)), @r#"
    --- stdout

    Culprit, 99.6 %:

      commit 8b94bf6ae6b0 ("queue: leave out a needless check")
      Author: A U Thor <author@example.org>
      Picked from mainline's 0123456789ab: blame and reverts go there

      commit 0123456789abcdef0123456789abcdef01234567 upstream.

      Everybody who comes here was checked before, as the callers say in so
      many words.

     change-4 | 1 +
     queue.c  | 1 -
     2 files changed, 1 insertion(+), 1 deletion(-)

    Crash: exit status 1
      (in 5 trials, seen on 9c48d293fd3c ("Change 8"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    8b94bf6ae6b0    2 of 2 trials crash with it
      parent     d90f0798840f    0 of 3 trials crash with it
      start      9c48d293fd3c    3 of 3 trials crash with it
      newest     3c241ea9e08f    0 of 4 trials crash with it: gone  (main)
    Mended already? These say so:
      3c241ea9e08f ("Revert "queue: leave out a needless check"") reverts it
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    Details of the bisection:
    Effort: 14 trials on 5 commits in [TIME]
    --- stderr
    start   9c48d293fd3c ("Change 8"), good at 00d69d137064
    target  exit status 1   (start commit)
    face    exit status 1   (3 of 3 trials at the start commit)
      #  commit        why          subject                                   hit/clean/void/other   P(has the bug)
      1  9c48d293fd3c  start        Change 8                                    2     0    0     0     0.500
    newest  3c241ea9e08f (main: "Revert "queue: leave out a needless che…"): does it still crash?
      2  3c241ea9e08f  newest       Revert "queue: leave out a needless che…    0     4    0     0         -
    range   8 commits, about 4 to test
      3  00d69d137064  good end     Change 0                                    0     1    0     0     0.001
      4  8b94bf6ae6b0               queue: leave out a needless check           1     0    0     0     0.992
      5  4ec03448e6ef               Change 2                                    0     1    0     0     0.026
      6  d90f0798840f               Change 3                                    0     2    0     0     0.011
      7  8b94bf6ae6b0  again #4     queue: leave out a needless check           2     0    0     0     0.999
      8  d90f0798840f  verify #6    Change 3                                    0     3    0     0     0.003
    files   run
    --- exit status 0
    "#);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let told = report(&world.path("run"));
    assert_eq!(told["newest"]["hits"], 0);
    assert!(told["newest"]["clean"].as_u64().unwrap() >= 2, "{told}");
    let lines = mail(&world, "run");
    assert!(lines.lines().all(|line| line.chars().count() <= 75 || line.starts_with("| ")), "{lines}");
}

#[test]
fn a_crash_that_is_still_there_is_seen_once() {
    let world = World::new();
    project(&world, |newer| newer, "tip = \"main\"\n");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    insta::assert_snapshot!(newer(&world), @"
      newest     3b505913961b    1 of 1 trial crashes with it: still there
    Mended already? None of 5 newer commits says so
    ");
    assert_eq!(report(&world.path("run"))["newest"]["hits"], 1);
}

#[test]
fn a_newest_commit_that_cannot_be_tested_says_nothing() {
    let world = World::new();
    project(&world, |newer| newer.script("test.sh", "#!/bin/sh\nexit 125\n"), "tip = \"newest\"\n");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    insta::assert_snapshot!(newer(&world), @"
      newest     96227f2b7a41  no trial had a result, nothing is known  (main)
    Mended already? None of 5 newer commits says so
    ");
}

#[test]
fn nothing_newer_is_tested_unless_asked_for() {
    let world = World::new();
    project(&world, |newer| newer, "");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(report(&world.path("run"))["newest"], serde_json::Value::Null);
}

#[test]
fn a_tip_that_does_not_contain_the_start_commit_is_refused() {
    let world = World::new();
    let ids = project(&world, |newer| newer, "");
    let text = fs::read_to_string(world.path("job.toml")).unwrap();
    fs::write(world.path("job.toml"), text.replace("[search]\n", &format!("[search]\ntip = \"{}\"\n", ids[2]))).unwrap();
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    insta::assert_snapshot!(world.shown(&output), @r"
    --- stderr
    error: [search] `tip`: 4ec03448e6ef does not contain the start commit 9c48d293fd3c
    hint: what is mended since is seen at a commit that the start commit was merged into
    --- exit status 2
    ");
    assert!(!world.path("run").exists());
}

#[test]
fn a_run_killed_while_it_tests_the_newest_commit_does_not_test_it_twice() {
    let world = World::new();
    let ids = project(&world, |newer| newer.file("queue.c", "one\ncheck\ntwo\nthree\n"), "tip = \"newest\"\n");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "whole"]);
    let whole = journal(&world.path("whole"));
    let begins = whole.iter().position(|entry| entry["event"] == "tip").unwrap() as u32;
    let trials = |run: &str| {
        let newest = |entry: &&serde_json::Value| entry["event"] == "trial-ended" && entry["commit"] == ids[START + 1].as_str();
        journal(&world.path(run)).iter().filter(newest).count()
    };
    assert!(trials("whole") >= 2);
    for events in begins..begins + 6 {
        let run = format!("cut-{events}");
        world.cut_short(&["run", "--quiet", "job.toml", "--out", &run], events);
        world.succeed(&["resume", "--quiet", &run]);
        assert_eq!(trials(&run), trials("whole"), "{run}");
        assert_eq!(named(&world.path(&run)), Some(ids[CULPRIT].clone()), "{run}");
    }
}

#[test]
fn what_lies_beside_the_mail_does_what_it_says() {
    let world = World::new();
    let ids = project(&world, |newer| newer, "");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(report(&world.path("run"))["files"], serde_json::json!(["reproduce.sh", "git-bisect.log"]));
    for again in 0..2 {
        let output = world.command("sh").arg(world.path("run/reproduce.sh")).arg(world.path("repo")).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{again}: {}", world.shown(&output));
    }
    assert_eq!(world.git("run/reproduced/src", &["rev-parse", "HEAD"]), ids[CULPRIT]);
    let output = world.command("sh").arg(world.path("run/reproduce.sh")).arg(world.path("home")).output().unwrap();
    insta::assert_snapshot!(world.shown(&output).replace(&ids[CULPRIT][..12], "[CULPRIT]"), @r"
    --- stderr
    reproduce.sh: no [CULPRIT] in [DIR]/home; name a clone that has it
    --- exit status 2
    ");
    world.git("repo", &["clone", "-q", ".", "../replayed"]);
    world.git("replayed", &["bisect", "replay", world.path("run/git-bisect.log").to_str().unwrap()]);
    let said = world.git("replayed", &["bisect", "log"]);
    assert!(said.contains(&format!("first bad commit: [{}]", ids[CULPRIT])), "{said}");
    // What is taken back takes what belongs to it along.
    world.succeed(&["undo", "run"]);
    assert!(!world.path("run/reproduce.sh").exists() && !world.path("run/git-bisect.log").exists());
}

#[test]
fn a_commit_is_tried_again_without_a_trace() {
    let world = World::new();
    let ids = project(&world, |newer| newer, "");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    let before = fs::read_to_string(world.path("run/journal.jsonl")).unwrap();
    let said = |args: &[&str]| {
        let output = world.kbisect(args).output().unwrap();
        let shown = world.shown(&output);
        shown.lines().map(|line| line.split(" after ").next().unwrap().to_owned() + "\n").collect::<String>()
    };
    insta::assert_snapshot!(said(&["repro", "run", &ids[CULPRIT], "-n", "2"]), @r"
    --- stdout

    trial   1 of 2: exit status 1

    trial   2 of 2: exit status 1
    seen    2 of 2 trials crash with the target
    --- exit status 0
    ");
    insta::assert_snapshot!(said(&["repro", "run", &ids[CULPRIT - 1]]), @r"
    --- stdout

    trial   1 of 1: clean
    seen    0 of 1 trial crash with the target
    --- exit status 4
    ");
    insta::assert_snapshot!(said(&["repro", "run", &ids[CULPRIT], "--shell"]), @r#"
    --- stderr
    error: there is no shell in this run's machines
    hint: --shell is for [machine] kind = "qemu" without own_init
    --- exit status 2
    "#);
    insta::assert_snapshot!(said(&["repro", "run", "nothing-of-the-kind"]), @r"
    --- stderr
    error: `nothing-of-the-kind` names no commit in `[DIR]/repo/`
    hint: fetch what is new: git -C [DIR]/repo/ fetch --all --tags
    --- exit status 2
    ");
    assert_eq!(before, fs::read_to_string(world.path("run/journal.jsonl")).unwrap());
}

#[test]
fn the_mail_can_be_printed_for_a_tracker_and_as_json() {
    let world = World::new();
    project(&world, |newer| newer, "");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    let said = |args: &[&str]| String::from_utf8(world.kbisect(args).output().unwrap().stdout).unwrap();
    assert_eq!(said(&["report", "run"]), fs::read_to_string(world.path("run/report.txt")).unwrap());
    assert_eq!(said(&["report", "run", "--json"]), fs::read_to_string(world.path("run/report.json")).unwrap());
    let tracked = said(&["report", "run", "--regzbot"]);
    let listed = "Cc: regressions@lists.linux.dev  (tracks regressions)\n";
    assert!(tracked.contains(listed), "{tracked}");
    let tracked = tracked.replace(listed, "");
    let paragraph = tracked.strip_prefix(&said(&["report", "run"])).unwrap();
    assert_eq!(paragraph, format!("\n#regzbot introduced: {}\n#regzbot title: exit status 1\n\n", &UPSTREAM[..12]));
    world.succeed(&["undo", "run"]);
    let output = world.kbisect(&["report", "run"]).output().unwrap();
    insta::assert_snapshot!(world.shown(&output), @r"
    --- stderr
    error: the run in `run` has no answer yet
    hint: to go on: kbisect resume run
    --- exit status 2
    ");
}

#[test]
fn a_merge_of_which_neither_side_crashes_is_named_as_one() {
    let world = World::new();
    let made = |parents: &[usize], subject: &str, one: &str, other: &str| {
        Planned::on(parents, subject)
            .file("one.c", one)
            .file("other.c", other)
            .script("test.sh", "#!/bin/sh\ngrep -q changed one.c && grep -q changed other.c && exit 1\nexit 0\n")
    };
    let commits = [
        made(&[], "Begin", "as it was\n", "as it was\n"),
        made(&[0], "one: change", "changed\n", "as it was\n"),
        made(&[1], "one: more", "changed more\n", "as it was\n"),
        made(&[0], "other: change", "as it was\n", "changed\n"),
        made(&[2, 3], "Merge branch 'other'", "changed more\n", "changed\n"),
        made(&[4], "one: even more", "changed even more\n", "changed\n"),
    ];
    let ids = write_history(&world, "repo", &commits, &[]);
    world.job("job.toml", &ids[0], "");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
    insta::assert_snapshot!(mail(&world, "run"), @r#"
    Culprit, 99.1 %:

      commit 57d6783814d0 ("Merge branch 'other'")
      Author: A U Thor <author@example.org>
      A merge: neither side alone has the crash

     other.c | 2 +-
     1 file changed, 1 insertion(+), 1 deletion(-)

    Crash: exit status 1
      (in 5 trials, seen on 1c75569d0828 ("one: even more"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    57d6783814d0    2 of 2 trials crash with it
      parent     242ab5e7098c    0 of 3 trials crash with it
      parent     37505e57eb5f    0 of 2 trials crash with it
      start      1c75569d0828    3 of 3 trials crash with it
    Mended already? None of 1 newer commit says so
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: 57d6783814d0 ("Merge branch 'other'")

    Details of the bisection:
    Effort: 11 trials on 5 commits in [TIME]
    "#);
}
