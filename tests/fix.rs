//! Bisections for the commit that fixed a crash, from a job file: `bad` is where it was seen, `good` a later commit.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::named;
use crate::support::report;
use crate::support::timeless;
use crate::support::write_history;

/// Places in the history: where the crash comes in, where the job has seen it, and where it is fixed.
const BROKEN: usize = 2;
const SEEN: usize = 3;
const FIXED: usize = 9;

/// A history of thirteen commits in `repo`, the last of them HEAD. A branch that parted before the crash came in is merged on the
/// way: its commits are clean, and hold no fix.
fn project(fixed: usize) -> (World, Vec<String>) {
    let world = World::new();
    let change = |place: usize, parents: &[usize], crashes: bool| {
        let body = if crashes { "echo lost an update\nexit 1" } else { "exit 0" };
        let subject = if place == fixed { "counter: take the lock".to_owned() } else { format!("change {place}") };
        Planned::on(parents, subject)
            .file("number", place.to_string())
            .script("test.sh", format!("#!/bin/sh\n# {place}\n{body}\n"))
    };
    let commits: Vec<Planned> = (0..13)
        .map(|place: usize| match place {
            0 => change(0, &[], false),
            // Parted from the second commit.
            5 => change(5, &[1], false),
            6 => change(6, &[5], false),
            7 => change(7, &[4, 6], true),
            _ => change(place, &[place - 1], (BROKEN..fixed).contains(&place)),
        })
        .collect();
    let ids = write_history(&world, "repo", &commits, &[]);
    (world, ids)
}

/// Runs a job that looks for a fix, with these more keys; what it printed, without its times.
fn run(world: &World, ids: &[String], good: Option<&str>, more: &str) -> (Option<i32>, String) {
    let good = good.map_or_else(String::new, |good| format!("good = \"{good}\"\n"));
    let job = format!(
        "repo = \"repo\"\nkind = \"fix\"\nbad = \"{}\"\n{good}[machine]\nkind = \"process\"\n[trial]\ncommand = [\"./test.sh\"]\n{more}",
        ids[SEEN]
    );
    fs::write(world.path("job.toml"), job).unwrap();
    let output = world.kbisect(&["run", "job.toml", "--out", "run"]).output().unwrap();
    (output.status.code(), timeless(&world.shown(&output)))
}

fn log(world: &World) -> String {
    fs::read_to_string(world.path("run/bisect.log")).unwrap()
}

#[test]
fn the_fix_is_found_up_to_head() {
    let (world, ids) = project(FIXED);
    let (_, shown) = run(&world, &ids, None, "");
    insta::assert_snapshot!(shown, @r#"
    --- stdout

    Fixed by, 99.6 %:

      commit 6f794e185ec2 ("counter: take the lock")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 5 ++---
     2 files changed, 3 insertions(+), 4 deletions(-)

    Crash: exit status 1
      (in 5 trials, seen on affa854dbcc4 ("change 3"), which is NOT the fix)
    Evidence (same configuration, same compiler):
      fix        6f794e185ec2    0 of 3 trials crash with it
      parent     0799741af345    2 of 2 trials crash with it
      start      affa854dbcc4    3 of 3 trials crash with it
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the fix)
    No person has checked this result.

    Details of the bisection:
    Effort: 10 trials on 5 commits in [TIME]
    --- stderr
    start   affa854dbcc4 ("change 3"), looking for its fix up to HEAD (03bc82bcc186)
    target  exit status 1   (start commit)
    face    exit status 1   (3 of 3 trials at the start commit)
      #  commit        why          subject                                   hit/clean/void/other   P(has the bug)
      1  affa854dbcc4  start        change 3                                    3     0    0     0     1.000
    range   9 commits, about 4 to test
      2  03bc82bcc186  good end     change 12                                   0     1    0     0     0.001
      3  0799741af345               change 8                                    1     0    0     0     0.989
      4  b99d49d0ca55               change 10                                   0     1    0     0     0.026
      5  6f794e185ec2               counter: take the lock                      0     2    0     0     0.011
      6  0799741af345  again #3     change 8                                    2     0    0     0     0.998
      7  6f794e185ec2  verify #5    counter: take the lock                      0     3    0     0     0.003
    files   run
    --- exit status 0
    "#);
    assert_eq!(named(&world.path("run")), Some(ids[FIXED].clone()));
    let log = log(&world);
    for line in [
        format!("bisecting fixing commit since {}", ids[SEEN]),
        format!("testing current HEAD {}", ids[12]),
        format!("# git bisect start {} {}", ids[12], ids[SEEN]),
        format!("first good commit: {} counter: take the lock", ids[FIXED]),
    ] {
        assert!(log.lines().any(|one| one == line), "{line} is missing:\n{log}");
    }
    let tested = report(&world.path("run"))["tested"].clone();
    assert_eq!(tested[0]["commit"], ids[SEEN].as_str());
    assert_eq!(tested[1]["commit"], ids[12].as_str(), "HEAD is tested before the search");
}

#[test]
fn the_fix_is_found_up_to_a_stated_commit() {
    for strategy in ["posterior", "git"] {
        let (world, ids) = project(FIXED);
        let (code, shown) = run(&world, &ids, Some(&ids[11]), &format!("[search]\nstrategy = \"{strategy}\"\n"));
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("\nFixed by, "), "{shown}");
        assert_eq!(named(&world.path("run")), Some(ids[FIXED].clone()));
        let log = log(&world);
        assert!(!log.contains("current HEAD"), "{log}");
    }
}

#[test]
fn head_that_still_crashes_is_said() {
    let (world, ids) = project(13);
    let (code, shown) = run(&world, &ids, None, "");
    assert_eq!(code, Some(5));
    insta::assert_snapshot!(shown, @r#"
    --- stdout

    Not fixed: the crash is still there at e3d02c96ae13.

    Name a newer good commit, after a git fetch perhaps; or look for what
    introduced the crash, with kind = "cause".

    Crash: exit status 1
      (in 6 trials, seen on affa854dbcc4 ("change 3"))
    Evidence:
      start      affa854dbcc4    3 of 3 trials crash with it
      good end   e3d02c96ae13    3 of 3 trials crash with it
    Not counted: nothing
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 6 trials on 2 commits in [TIME]
    --- stderr
    start   affa854dbcc4 ("change 3"), looking for its fix up to HEAD (e3d02c96ae13)
    target  exit status 1   (start commit)
    face    exit status 1   (3 of 3 trials at the start commit)
      #  commit        why          subject                                   hit/clean/void/other   P(has the bug)
      1  affa854dbcc4  start        change 3                                    3     0    0     0     1.000
      2  e3d02c96ae13  good end     change 12                                   3     0    0     0     0.998
    files   run
    --- exit status 5
    "#);
    assert!(log(&world).contains("\ncrash still not fixed or there were kernel test errors\ncommit msg: change 12\n"));
}

#[test]
fn a_crash_that_does_not_show_where_it_was_seen_is_not_searched_for() {
    let (world, ids) = project(SEEN);
    let (code, shown) = run(&world, &ids, None, "");
    assert_eq!(code, Some(4), "{shown}");
    assert!(shown.contains("Not reproduced"), "{shown}");
}
