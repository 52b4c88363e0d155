//! `kbisect run … -- CMD` on small projects: what `git bisect run` does, and what it cannot.

use crate::support;
use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::journal;
use crate::support::line;
use crate::support::named;
use crate::support::report;
use crate::support::run_words;
use crate::support::timeless;
use crate::support::write_history;

/// Commits in the order in which their trials ended.
fn trials(world: &World, run: &str) -> Vec<String> {
    journal(&world.path(run))
        .iter()
        .filter(|entry| entry["event"] == "trial-ended")
        .map(|entry| entry["commit"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs `git bisect run` with the same script; the commits tested and the one it names.
fn git_bisect_run(world: &World, repo: &str, bad: &str, good: &str, command: &[&str]) -> (Vec<String>, Option<String>) {
    world.git(repo, &["bisect", "start", bad, good]);
    let output = world.command("git").arg("-C").arg(world.path(repo)).args(["bisect", "run"]).args(command).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let log = world.git(repo, &["bisect", "log"]);
    world.git(repo, &["bisect", "reset"]);
    let tested = log
        .lines()
        .filter_map(|line| line.strip_prefix("git bisect "))
        .filter(|rest| !rest.starts_with("start"))
        .map(|rest| rest.split_once(' ').unwrap().1.to_owned())
        .collect();
    let named = stdout.lines().find_map(|line| line.split_once(" is the first ").map(|(id, _)| id.to_owned()));
    (tested, named)
}

#[test]
fn a_steady_failure_costs_at_most_twice_gits_trials_plus_five() {
    let world = World::new();
    for (count, culprit) in [(3, 1), (3, 2), (5, 3), (20, 13), (60, 5), (60, 59)] {
        let (repo, run) = (format!("repo-{count}-{culprit}"), format!("run-{count}-{culprit}"));
        let ids = line(&world, &repo, count, culprit, "exit 1");
        world.succeed(&["run", "--quiet", "--repo", &repo, "--bad", "main", "--good", &ids[0], "--out", &run, "--", "./test.sh"]);
        assert_eq!(named(&world.path(&run)), Some(ids[culprit].clone()));
        let (by_git, answer) = git_bisect_run(&world, &repo, "main", &ids[0], &["./test.sh"]);
        assert_eq!(answer, Some(ids[culprit].clone()));
        let ours = trials(&world, &run).len();
        assert!(ours <= 2 * by_git.len() + 5, "{count} commits: {ours} trials, git {}", by_git.len());
    }
}

#[test]
fn strategy_git_tests_what_git_tests() {
    let world = World::new();
    let ids = line(&world, "repo", 100, 37, "exit 3");
    world.succeed(&[
        "run",
        "--quiet",
        "--strategy",
        "git",
        "--repo",
        "repo",
        "--bad",
        "main",
        "--good",
        &ids[0],
        "--out",
        "run",
        "--",
        "./test.sh",
    ]);
    let (by_git, answer) = git_bisect_run(&world, "repo", "main", &ids[0], &["./test.sh"]);
    assert_eq!(named(&world.path("run")), answer);
    assert_eq!(trials(&world, "run"), by_git);
}

/// A C program whose bug shows for some seeds only: an update is lost where the seed lets another task run between read and write.
fn flaky_project(world: &World, repo: &str, seed: usize) -> (Vec<String>, usize) {
    let (count, culprit) = (40, 5 + (seed * 7) % 30);
    let main = |right: bool, place: usize| {
        let (before, between) = if right { ("other();", "") } else { ("", "other();") };
        format!(
            "#include <stdio.h>\n#include <stdlib.h>\n\n\
             static unsigned long long state;\nstatic int counter, done;\n\n\
             static unsigned draw(void)\n{{\n\tstate = state * 6364136223846793005ULL + 1442695040888963407ULL;\n\treturn state >> 33;\n}}\n\n\
             static void other(void)\n{{\n\tif (draw() % 100 < 45) {{\n\t\tcounter++;\n\t\tdone = 1;\n\t}}\n}}\n\n\
             int main(int argc, char **argv)\n{{\n\tint seen, version = {place};\n\n\
             \tstate = strtoull(argc > 1 ? argv[1] : \"1\", 0, 10);\n\tdraw();\n\t{before}\n\tseen = counter;\n\t{between}\n\
             \tcounter = seen + 1;\n\tif (!done)\n\t\tcounter++;\n\tif (counter != 2)\n\t\tprintf(\"version %d lost an update\\n\", version);\n\
             \treturn counter != 2;\n}}\n"
        )
    };
    let script = "#!/bin/sh\nset -e\nif [ -n \"$COUNTER\" ]; then n=$(cat \"$COUNTER\"); echo $((n + 1)) > \"$COUNTER\"; set -- $((n * 7919)); fi\n\
                  cc -O0 -w -o prog main.c || exit 125\nexec ./prog \"$1\"\n";
    let commits: Vec<Planned> = (0..count)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            Planned::on(&parents, format!("main: version {place}"))
                .file("main.c", main(place < culprit, place))
                .script("test.sh", script)
        })
        .collect();
    (write_history(world, repo, &commits, &[]), culprit)
}

#[test]
fn a_flaky_bug_is_found_where_git_bisect_run_goes_wrong() {
    let world = World::new();
    let (mut ours, mut gits) = (0, 0);
    let seeds = 10;
    for seed in 0..seeds {
        let (repo, run) = (format!("repo-{seed}"), format!("run-{seed}"));
        let (ids, culprit) = flaky_project(&world, &repo, seed);
        let output = world
            .kbisect(&[
                "run",
                "--quiet",
                "--repo",
                &repo,
                "--bad",
                "main",
                "--good",
                &ids[0],
                "--out",
                &run,
                "--",
                "./test.sh",
                "{trial_seed}",
            ])
            .output()
            .unwrap();
        ours += usize::from(output.status.code() == Some(0) && named(&world.path(&run)) == Some(ids[culprit].clone()));
        // The same script under git; the seed of each call comes from a counter, so that the test does the same every time.
        let counter = world.path("counter");
        fs::write(&counter, format!("{}\n", seed * 1000)).unwrap();
        world.git(&repo, &["bisect", "start", "main", &ids[0]]);
        let output = world
            .command("git")
            .arg("-C")
            .arg(world.path(&repo))
            .args(["bisect", "run", "./test.sh"])
            .env("COUNTER", &counter)
            .output()
            .unwrap();
        gits +=
            usize::from(String::from_utf8_lossy(&output.stdout).contains(&format!("{} is the first bad commit", ids[culprit])));
        world.git(&repo, &["bisect", "reset"]);
    }
    assert_eq!(ours, seeds, "kbisect right in {ours} of {seeds}, git bisect run in {gits}");
    assert!(gits <= seeds / 2, "git bisect run was right in {gits} of {seeds}: the project is not flaky enough to show anything");
}

#[test]
fn the_users_repository_is_as_before() {
    let world = World::new();
    let ids = line(&world, "repo", 12, 7, "exit 1");
    fs::write(world.path("repo").join("untracked"), "mine").unwrap();
    fs::write(world.path("repo").join("number"), "changed, not committed").unwrap();
    let before = support::fingerprint(&world.path("repo"));
    world.succeed(&run_words(&ids[0], "run", &[]));
    assert_eq!(support::fingerprint(&world.path("repo")), before);
}

#[test]
fn build_products_stay_unless_clean_is_asked_for() {
    let world = World::new();
    // Bad where a file from an earlier trial is found: only without --clean can that be.
    let body = "n=$(cat number)\nif [ -e built ]; then left=yes; fi\ntouch built\necho dirt >> number\n[ \"$n\" -ge 6 ] && [ -z \"$CLEANED\" ] && exit 1\n[ -n \"$CLEANED\" ] && [ -n \"$left\" ] && exit 125\n[ \"$n\" -ge 6 ] && exit 1\nexit 0";
    let commits: Vec<Planned> = (0..10)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            Planned::on(&parents, format!("change {place}"))
                .file("number", place.to_string())
                .script("test.sh", format!("#!/bin/sh\n{body}\n"))
        })
        .collect();
    let ids = write_history(&world, "repo", &commits, &[]);
    for (run, clean) in [("kept", false), ("cleaned", true)] {
        let more: &[&str] = if clean { &["--clean"] } else { &[] };
        let mut command = world.kbisect(&run_words(&ids[0], run, more));
        if clean {
            command.env("CLEANED", "1");
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
        assert_eq!(named(&world.path(run)), Some(ids[6].clone()));
        assert_eq!(report(&world.path(run))["not_counted"]["void"], serde_json::json!({}), "clean: {clean}");
    }
}

/// What a run with this script at its bad commits ends with.
fn ending(failing: &str, extra: &[&str]) -> (Option<i32>, String) {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, failing);
    let output = world.kbisect(&run_words(&ids[0], "run", extra)).output().unwrap();
    (output.status.code(), world.shown(&output))
}

#[test]
fn exit_statuses_are_read_as_git_reads_them() {
    for (failing, extra, code) in [
        ("exit 1", &[][..], 0),
        ("exit 124", &[], 0),
        ("exit 125", &[], 3),
        ("exit 0", &[], 4),
        ("kill -SEGV $$", &[], 3),
        ("kill -SEGV $$", &["--on-signal", "bad"], 0),
        ("exit 200", &["--on-signal", "bad"], 0),
        ("sleep 30", &["--time-limit", "1s"], 3),
        ("sleep 30", &["--time-limit", "1s", "--on-timeout", "bad"], 0),
        ("sleep 30", &["--time-limit", "1s", "--on-timeout", "good"], 4),
    ] {
        let (seen, shown) = ending(failing, extra);
        assert_eq!(seen, Some(code), "{failing} {extra:?}\n{shown}");
    }
}

#[test]
fn a_command_that_is_not_there_is_an_error_before_any_work() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    let output = world
        .kbisect(&["run", "--quiet", "--repo", "repo", "--bad", "main", "--good", &ids[0], "--out", "run", "--", "./tset.sh"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", world.shown(&output));
    insta::assert_snapshot!(world.shown(&output), @r"
    --- stderr
    error: the first trial of `./tset.sh` ended with exit status 127, command not found
    hint: its last words: sh: 1: exec: ./tset.sh: not found
    hint: the command runs in a checkout of the commit under test: a script that is not committed needs its whole path
    --- exit status 2
    ");
    assert!(!world.path("run").exists(), "nothing was done, so nothing is kept");
}

#[test]
fn a_script_that_misses_a_program_is_an_error_that_names_the_program() {
    let world = World::new();
    let ids = line(&world, "repo", 3, 1, "no-such-program");
    let output = world.kbisect(&run_words(&ids[0], "run", &[])).output().unwrap();
    let said = world.shown(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the first trial of `./test.sh` ended with exit status 127, command not found"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("hint: its last words") && line.contains("no-such-program")), "{said}");
}

#[test]
fn a_run_kept_in_the_work_tree_is_nothing_to_git() {
    let world = World::new();
    let ids = line(&world, "repo", 3, 1, "exit 1");
    let before = world.git("repo", &["status", "--porcelain"]);
    let args = ["run", "--quiet", "--bad", "main", "--good", &ids[0], "--", "./test.sh"];
    let output = world.kbisect(&args).current_dir(world.path("repo")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    assert!(world.path("repo/bisect-main/report.txt").exists());
    assert_eq!(world.git("repo", &["status", "--porcelain"]), before);
}

#[test]
fn a_good_end_that_is_bad_is_said() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 0, "exit 1");
    let output = world.kbisect(&run_words(&ids[2], "run", &[])).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", world.shown(&output));
}

#[test]
fn a_run_shows_what_it_tests_and_reports_once() {
    let world = World::new();
    let ids = line(&world, "repo", 20, 13, "exit 1");
    let output = world
        .kbisect(&["run", "--repo", "repo", "--bad", "main", "--good", &ids[0], "--out", "run", "--", "./test.sh"])
        .output()
        .unwrap();
    insta::assert_snapshot!(timeless(&world.shown(&output)), @r#"
    --- stdout

    Culprit, 99.7 %:

      commit ad2cfa89f261 ("change 13")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    Crash: exit status 1
      (in 6 trials, seen on ed984f69695f ("change 19"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    ad2cfa89f261    2 of 2 trials crash with it
      parent     c99823dcb6e3    0 of 3 trials crash with it
      start      ed984f69695f    3 of 3 trials crash with it
    Mended already? None of 6 newer commits says so
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: ad2cfa89f261 ("change 13")

    Details of the bisection:
    Effort: 12 trials on 7 commits in [TIME]
    --- stderr
    start   ed984f69695f ("change 19"), good at 947b274159d0
    target  exit status 1   (start commit)
    face    exit status 1   (3 of 3 trials at the start commit)
      #  commit        why          subject                                   hit/clean/void/other   P(has the bug)
      1  ed984f69695f  start        change 19                                   3     0    0     0     1.000
    range   19 commits, about 5 to test
      2  947b274159d0  good end     change 0                                    0     1    0     0     0.001
      3  3f0ad367380f               change 9                                    0     1    0     0     0.031
      4  4b2ddfbf8e6f               change 14                                   1     0    0     0     0.992
      5  ef7ce1e9c408               change 11                                   0     1    0     0     0.035
      6  c99823dcb6e3               change 12                                   0     1    0     0     0.028
      7  ad2cfa89f261               change 13                                   1     0    0     0     0.991
      8  c99823dcb6e3  again #6     change 12                                   0     2    0     0     0.011
      9  ad2cfa89f261  again #7     change 13                                   2     0    0     0     1.000
     10  c99823dcb6e3  verify #8    change 12                                   0     3    0     0     0.003
    files   run
    --- exit status 0
    "#);
    // Resuming a run that has its answer says it again, and tests nothing.
    let trials_before = trials(&world, "run");
    let again = world.kbisect(&["resume", "--quiet", "run"]).output().unwrap();
    assert_eq!(again.stdout, output.stdout);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(trials(&world, "run"), trials_before);
}

#[test]
fn ends_that_were_not_tested_are_said_to_be_taken_on_trust() {
    let world = World::new();
    let ids = line(&world, "repo", 3, 1, "exit 1");
    let run = |bad: &str, out: &str| {
        let args =
            ["run", "--strategy", "git", "--repo", "repo", "--bad", bad, "--good", &ids[0], "--out", out, "--", "./test.sh"];
        timeless(&world.shown(&world.kbisect(&args).output().unwrap()))
    };
    insta::assert_snapshot!(run(&ids[1], "adjacent"), @r#"
    --- stdout

    Culprit, by git bisect's rules (no probability was measured):

      commit 9bf86f0abf81 ("change 1")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    Crash: not seen in any trial
      (reported at 9bf86f0abf81 ("change 1"), which is the culprit itself)
    Taken on trust, not tested: 9bf86f0abf81 is bad, 947b274159d0 is good
      (strategy posterior tests the ends first, and measures how sure it is)
    Evidence: none; neither the culprit nor a parent of it was tested
    Mended already? None of 1 newer commit says so
    Not counted: nothing
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    Details of the bisection:
    Effort: 0 trials on 0 commits in [TIME]
    --- stderr
    start   9bf86f0abf81 ("change 1"), good at 947b274159d0
    range   1 commit, about 1 to test
    files   adjacent
    --- exit status 0
    "#);
    assert_eq!(report(&world.path("adjacent"))["named"]["probability"], serde_json::Value::Null);
    insta::assert_snapshot!(run(&ids[2], "between"), @r#"
    --- stdout

    Culprit, by git bisect's rules (no probability was measured):

      commit 9bf86f0abf81 ("change 1")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    Crash: exit status 1
      (in 1 trial, reported at 277fcba66241 ("change 2"), which is NOT the
        culprit)
    Taken on trust, not tested: 277fcba66241 is bad, 947b274159d0 is good
      (strategy posterior tests the ends first, and measures how sure it is)
    Evidence (same configuration, same compiler):
      culprit    9bf86f0abf81    1 of 1 trial crashes with it
    Mended already? None of 1 newer commit says so
    Not counted: nothing
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    Details of the bisection:
    Effort: 1 trial on 1 commit in [TIME]
    --- stderr
    start   277fcba66241 ("change 2"), good at 947b274159d0
    range   2 commits, about 2 to test
      #  commit        why          subject                                   hit/clean/void/other   P(has the bug)
      1  9bf86f0abf81               change 1                                    1     0    0     0         -
    files   between
    --- exit status 0
    "#);
    let log = fs::read_to_string(world.path("between/bisect.log")).unwrap();
    assert!(!log.contains("error probability"), "{log}");
}
