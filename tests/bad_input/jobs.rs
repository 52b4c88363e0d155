//! Job files, command lines and commits that are not as they must be: refused before anything is done.

use std::fs;

use super::RUN;
use super::project;
use super::said;
use super::spawn;
use super::wait;
use super::write_job;
use crate::support::Planned;
use crate::support::World;
use crate::support::named;
use crate::support::write_history;

/// What `run` says of `job.toml`, which is also what `check` says of it.
fn refused(world: &World) -> String {
    let run = said(world, &["run", "job.toml", "--out", "run"]);
    assert!(!world.path("run").exists(), "nothing was done, so nothing is kept: {run}");
    assert_eq!(run, said(world, &["check", "job.toml"]));
    run
}

#[test]
fn unknown_missing_and_mistyped_keys() {
    let (world, _) = project("exit 1");
    fs::write(
        world.path("job.toml"),
        "repo = \"repo\"\nbda = \"v1.1\"\ngood = 7\n\n[trial]\ncomand = [\"./test.sh\"]\ntime_limit = \"soon\"\n\n\
         [build]\ntime_limit = \"1h\"\n\n[search]\ndelta = 2\n",
    )
    .unwrap();
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: job.toml:2:1: unknown key `bda`; did you mean `bad`?
    error: job.toml:3:8: `good`: expected a commit or a list of commits, found an integer
    error: job.toml:6:1: unknown key `comand` in [trial]; did you mean `command`?
    error: job.toml:7:14: [trial] `time_limit`: `soon` is not a duration; write 90s, 5m, 8h or 1h30m
    error: job.toml:9:1: missing [build] `command`: program and arguments that build a commit
    error: job.toml:13:9: [search] `delta`: must be from 0.000001 to 0.5
    error: job.toml: missing `bad`: the commit where the crash was seen
    error: job.toml: missing `repro` or [trial] `command`: what a trial runs
    --- exit status 2
    ");
    fs::write(world.path("job.toml"), "repo = \"repo\"\nbad = \n").unwrap();
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: job.toml:2:7: not TOML: string values must be quoted, expected literal string
    --- exit status 2
    ");
    fs::write(world.path("job.toml"), b"repo = \"\xff\"\n").unwrap();
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: job.toml: cannot read the job file: stream did not contain valid UTF-8
    --- exit status 2
    ");
    fs::remove_file(world.path("job.toml")).unwrap();
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: job.toml: cannot read the job file: No such file or directory (os error 2)
    --- exit status 2
    ");
}

#[test]
fn commits_that_are_not_there() {
    let (world, _) = project("exit 1");
    write_job(&world, "");
    let job = fs::read_to_string(world.path("job.toml")).unwrap();
    fs::write(world.path("job.toml"), job.replace("\"v1.1\"", "\"v1.2\"").replace("\"v1.0\"", "[\"v1.0\", \"mian\"]")).unwrap();
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: `v1.2` names no commit in `[DIR]/repo/`
    error: `mian` names no commit in `[DIR]/repo/`
    hint: fetch the tag: git -C [DIR]/repo/ fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git tag v1.2
    hint: names that look alike: main
    hint: fetch what is new: git -C [DIR]/repo/ fetch --all --tags
    --- exit status 2
    ");
    let hash = "0123456789abcdef0123456789abcdef01234567";
    insta::assert_snapshot!(said(&world, &["run", "--repo", "repo", "--bad", hash, "--good", "v1.0", "--", "./test.sh"]), @r"
    --- stderr
    error: `0123456789abcdef0123456789abcdef01234567` names no commit in `[DIR]/repo/`
    hint: fetch the commit: git -C [DIR]/repo/ fetch origin 0123456789abcdef0123456789abcdef01234567
    hint: if the commit was rebased, give its title (the first line of its message) instead of the hash
    --- exit status 2
    ");
}

#[test]
fn no_repository() {
    let (world, _) = project("exit 1");
    insta::assert_snapshot!(said(&world, &["run", "--repo", "home", "--bad", "v1.1", "--good", "v1.0", "--", "./test.sh"]), @r"
    --- stderr
    error: `home` is not a git repository, nor inside one
    hint: give the path of a clone, or `git clone` one
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["run", "--repo", "nowhere", "--bad", "v1.1", "--good", "v1.0", "--", "./test.sh"]), @r"
    --- stderr
    error: `nowhere` is not a git repository, nor inside one
    hint: give the path of a clone, or `git clone` one
    --- exit status 2
    ");
}

#[test]
fn command_lines_that_do_not_hold_together() {
    let (world, _) = project("exit 1");
    insta::assert_snapshot!(said(&world, &["run", "--repo", "repo", "--bad", "v1.1"]), @r"
    --- stderr
    error: the following required arguments were not provided:
      <CMD>...

    Usage: kbisect run --bad <COMMIT> --repo <DIR> [JOB.toml] -- <CMD>...

    For more information, try '--help'.
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["run", "--good", "v1.0", "--", "true"]), @r"
    --- stderr
    error: the following required arguments were not provided:
      --bad <COMMIT>

    Usage: kbisect run --bad <COMMIT> --good <COMMIT> [JOB.toml] -- <CMD>...

    For more information, try '--help'.
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["run", "job.toml", "--", "true"]), @r"
    --- stderr
    error: the argument '[JOB.toml]' cannot be used with '[CMD]...'

    Usage: kbisect run <JOB.toml> [-- <CMD>...]

    For more information, try '--help'.
    --- exit status 2
    ");
    insta::assert_snapshot!(said(&world, &["run", "--repo", "repo", "--bad", "v1.1", "--time-limit", "soon", "--", "true"]), @r"
    --- stderr
    error: invalid value 'soon' for '--time-limit <TIME>': `soon` is not a duration; write 90s, 5m, 8h or 1h30m

    For more information, try '--help'.
    --- exit status 2
    ");
}

#[test]
fn a_good_commit_that_is_the_bad_one() {
    let (world, _) = project("exit 1");
    write_job(&world, "");
    let job = fs::read_to_string(world.path("job.toml")).unwrap();
    fs::write(world.path("job.toml"), job.replace("\"v1.1\"", "\"v1.0\"")).unwrap();
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: 947b274159d0 is stated to be bad and good
    --- exit status 2
    ");
}

#[test]
fn a_good_commit_that_is_newer() {
    let (world, _) = project("exit 1");
    write_job(&world, "");
    let job = fs::read_to_string(world.path("job.toml")).unwrap();
    fs::write(world.path("job.toml"), job.replace("v1.1", "@").replace("v1.0", "v1.1").replace('@', "v1.0")).unwrap();
    insta::assert_snapshot!(refused(&world), @r#"
    --- stderr
    error: the good commit d1b19def845b is newer than the bad one 947b274159d0
    hint: state `kind = "fix"` to look for the commit that mended it
    --- exit status 2
    "#);
}

#[test]
fn a_good_commit_of_an_unrelated_history() {
    let (world, _) = project("exit 1");
    let mut orphan = world.command("git");
    for (key, value) in [("NAME", "A U Thor"), ("EMAIL", "author@example.org"), ("DATE", "1600000000 +0000")] {
        orphan.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
    }
    let orphan = orphan.arg("-C").arg(world.path("repo")).args(["commit-tree", "v1.0^{tree}", "-m", "a root"]).output().unwrap();
    world.git("repo", &["tag", "-f", "v1.0", String::from_utf8(orphan.stdout).unwrap().trim_end()]);
    write_job(&world, "");
    insta::assert_snapshot!(refused(&world), @r"
    --- stderr
    error: the good commit 03c45b33da50 and the bad one d1b19def845b have no history in common
    hint: state a good commit of the same tree
    --- exit status 2
    ");
}

#[test]
fn a_good_commit_of_a_side_branch_is_held_against_where_it_branched_off() {
    for (branched_off, exit, culprit) in [(2, 0, Some(4)), (5, 3, None)] {
        let world = World::new();
        let change = |place: usize, parents: &[usize], works: bool| {
            let script = format!("#!/bin/sh\nexit {}\n", i32::from(!works));
            Planned::on(parents, format!("change {place}")).file("number", place.to_string()).script("test.sh", script)
        };
        let line = (0..8).map(|place: usize| change(place, &place.checked_sub(1).into_iter().collect::<Vec<_>>(), place < 4));
        let mut commits: Vec<Planned> = line.collect();
        commits.push(change(8, &[branched_off], true));
        let ids = write_history(&world, "repo", &commits, &[("v1.0", 8), ("v1.1", 7)]);
        let output = wait(spawn(&mut world.kbisect(&RUN)));
        assert_eq!(output.status.code(), Some(exit), "{}", world.shown(&output));
        assert_eq!(named(&world.path("run")), culprit.map(|place: usize| ids[place].clone()));
    }
}

#[test]
fn no_good_commit_and_no_release() {
    let world = World::new();
    let change = |place: usize| {
        let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
        Planned::on(&parents, format!("change {place}")).file("number", place.to_string())
    };
    write_history(&world, "repo", &[change(0), change(1)], &[]);
    insta::assert_snapshot!(said(&world, &["run", "--repo", "repo", "--bad", "main", "--", "true"]), @r"
    --- stderr
    error: 35f338ebae8b contains no release (tags such as v6.5) to go back to
    hint: state a good commit with `good` or --good
    hint: fetch the tags: git -C [DIR]/repo/ fetch --tags
    --- exit status 2
    ");
}
