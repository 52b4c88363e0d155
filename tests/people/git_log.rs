//! `kbisect log --format git` and `kbisect import` against git itself.

use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::support::Planned;
use crate::support::named;
use crate::support::write_history;

/// What git knows after a replay: its marks by ref, and the commit that is checked out.
#[derive(Debug, PartialEq)]
struct Known {
    refs: BTreeSet<String>,
    head: String,
    said: String,
}

/// Replays a log with git itself.
fn replayed(world: &World, repo: &str, log: &str) -> Known {
    fs::write(world.path("log"), log).unwrap();
    let path = world.path("log");
    let output = world.command("git").arg("-C").arg(world.path(repo)).args(["bisect", "replay"]).arg(&path).output().unwrap();
    let shown = world.shown(&output);
    assert!(output.status.success(), "{shown}\n{log}");
    let refs = world.git(repo, &["for-each-ref", "--format=%(refname) %(objectname)", "refs/bisect"]);
    let head = world.git(repo, &["rev-parse", "HEAD"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    world.git(repo, &["bisect", "reset"]);
    Known { refs: refs.lines().map(str::to_owned).collect(), head, said }
}

/// A history with merges: the last commit is `main`, and commit 0 is an ancestor of all.
fn merges(world: &World, culprit: usize) -> (Vec<String>, Vec<BTreeSet<usize>>) {
    let mut random = 7_u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let mut parents: Vec<Vec<usize>> = vec![Vec::new()];
    while parents.len() < 40 {
        let place = parents.len();
        let mut of = vec![place - 1 - below(place.min(4))];
        if below(3) == 0 {
            of.push(below(place));
            of.dedup();
        }
        parents.push(of);
    }
    let tips: Vec<usize> = (0..40).filter(|tip| !parents.iter().any(|of| of.contains(tip))).collect();
    parents.push(tips);
    let mut contains: Vec<BTreeSet<usize>> = Vec::new();
    for (place, of) in parents.iter().enumerate() {
        let mut all: BTreeSet<usize> = of.iter().flat_map(|parent| contains[*parent].clone()).collect();
        all.insert(place);
        contains.push(all);
    }
    let commits: Vec<Planned> = parents
        .iter()
        .enumerate()
        .map(|(place, of)| {
            let bad = contains[place].contains(&culprit);
            Planned::on(of, format!("change {place}"))
                .file("number", place.to_string())
                .script("test.sh", format!("#!/bin/sh\nexit {}\n", u8::from(bad)))
        })
        .collect();
    (write_history(world, "repo", &commits, &[]), contains)
}

#[test]
fn git_replays_what_a_run_says_and_names_the_same() {
    let (world, ids) = short_run();
    let log = world.kbisect(&["log", "--format", "git", "run"]).output().unwrap();
    let log = String::from_utf8(log.stdout).unwrap();
    insta::assert_snapshot!(log, @r"
    # bad: [d1b19def845b89f29c698301551218b1575efe50] change 7
    # open, bad with probability 0.000
    # good: [947b274159d01b8fb8442fd766d6bcb01e11bcb9] change 0
    git bisect start 'd1b19def845b89f29c698301551218b1575efe50' '947b274159d01b8fb8442fd766d6bcb01e11bcb9'
    # good: [bc37bc1f07e61cb98ca902d90b73ebdc5f88c120] change 3
    git bisect good bc37bc1f07e61cb98ca902d90b73ebdc5f88c120
    # bad: [8a285923961c012bd41c6cfdc9b649b979a802c3] change 5
    git bisect bad 8a285923961c012bd41c6cfdc9b649b979a802c3
    # bad: [3db1e3895b2ccad8c4afc1259c3336f0ac8d7d7d] change 4
    git bisect bad 3db1e3895b2ccad8c4afc1259c3336f0ac8d7d7d
    # first bad commit: [3db1e3895b2ccad8c4afc1259c3336f0ac8d7d7d] change 4
    ");
    let known = replayed(&world, "repo", &log);
    assert!(known.said.contains(&format!("{} is the first", ids[4])), "{}", known.said);
    assert!(known.refs.contains(&format!("refs/bisect/bad {}", ids[4])), "{known:?}");
}

#[test]
fn git_goes_on_where_a_run_by_its_rules_was_killed() {
    for end in [9, 12, 15, 18, 22] {
        let world = World::new();
        let (ids, _) = merges(&world, 17);
        let killed = world
            .kbisect(&seeded_run_words(&ids[0], "run", &["--strategy", "git"]))
            .env("KBISECT_TEST_ABORT_AFTER", end.to_string())
            .output()
            .unwrap();
        if killed.status.code() == Some(0) {
            continue;
        }
        let log = String::from_utf8(world.kbisect(&["log", "--format", "git", "run"]).output().unwrap().stdout).unwrap();
        let known = replayed(&world, "repo", &log);
        let mark = |name: &str| -> Vec<String> {
            let refs = known.refs.iter().filter_map(|line| line.strip_prefix("refs/bisect/")?.split_once(' '));
            refs.filter(|(kind, _)| kind.starts_with(name)).map(|(_, id)| id.to_owned()).collect()
        };
        let (bad, good) = (mark("bad"), mark("good-"));
        let mut words = vec!["next", "--repo", "repo", "--bad", &bad[0], "--good"];
        words.extend(good.iter().map(String::as_str));
        let ours = String::from_utf8(world.kbisect(&words).output().unwrap().stdout).unwrap();
        assert!(known.said.contains(&ours), "git said {}\nkbisect next {ours}", known.said);
        // And the run itself turns to the commit that git has checked out.
        world.succeed(&["resume", "--quiet", "run"]);
        assert_eq!(named(&world.path("run")), Some(ids[17].clone()));
    }
}

#[test]
fn a_log_of_gits_is_taken_over_and_given_back() {
    let world = World::new();
    for culprit in [5, 17, 30] {
        let _ = fs::remove_dir_all(world.path("repo"));
        let (ids, contains) = merges(&world, culprit);
        world.git("repo", &["bisect", "start", "main", &ids[0]]);
        let mut skipped = false;
        for step in 0..3 {
            let head = world.git("repo", &["rev-parse", "HEAD"]);
            let place = ids.iter().position(|id| *id == head).unwrap();
            let bad = contains[place].contains(&culprit);
            if step == 1 && place != culprit {
                world.git("repo", &["bisect", "skip"]);
                skipped = true;
                continue;
            }
            let output = world
                .command("git")
                .arg("-C")
                .arg(world.path("repo"))
                .args(["bisect", if bad { "bad" } else { "good" }])
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", world.shown(&output));
        }
        let log = world.git("repo", &["bisect", "log"]) + "\n";
        let refs = world.git("repo", &["for-each-ref", "--format=%(refname) %(objectname)", "refs/bisect"]);
        let before: BTreeSet<String> = refs.lines().map(str::to_owned).collect();
        world.git("repo", &["bisect", "reset"]);
        fs::write(world.path("git.log"), &log).unwrap();
        let run = format!("run-{culprit}");
        world.succeed(&["import", "git.log", "--repo", "repo", "--out", &run, "--", "./test.sh"]);
        let ours = String::from_utf8(world.kbisect(&["log", "--format", "git", &run]).output().unwrap().stdout).unwrap();
        let after = replayed(&world, "repo", &ours);
        assert_eq!(after.refs, before, "culprit {culprit}, skipped {skipped}\n{log}\n{ours}");
        world.succeed(&["resume", "--quiet", &run]);
        assert_eq!(named(&world.path(&run)), Some(ids[culprit].clone()), "{}", said(&world, &["status", &run]));
        let marked: Vec<String> = log
            .lines()
            .filter_map(|line| line.strip_prefix("git bisect ")?.split_once(' '))
            .map(|(_, id)| id.to_owned())
            .collect();
        assert!(tested(&world, &run).iter().all(|id| !marked.contains(id)), "what the log says is not tested again");
    }
}

#[test]
fn a_fix_is_told_with_terms_and_read_back() {
    let world = World::new();
    let commits: Vec<Planned> = (0..20)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let script = format!("#!/bin/sh\nexit {}\n", u8::from(place < 13));
            Planned::on(&parents, format!("change {place}")).file("number", place.to_string()).script("test.sh", script)
        })
        .collect();
    let ids = write_history(&world, "repo", &commits, &[]);
    let job = format!(
        "repo = \"repo\"\nkind = \"fix\"\nbad = \"{}\"\ngood = \"main\"\n[machine]\nkind = \"process\"\n\
         [trial]\ncommand = [\"./test.sh\"]\nexpect = \"exit\"\n",
        ids[0]
    );
    fs::write(world.path("job.toml"), job).unwrap();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    let log = String::from_utf8(world.kbisect(&["log", "--format", "git", "run"]).output().unwrap().stdout).unwrap();
    let known = replayed(&world, "repo", &log);
    assert!(known.said.contains(&format!("{} is the first", ids[13])), "{}\n{log}", known.said);
    fs::write(world.path("fix.log"), &log).unwrap();
    insta::assert_snapshot!(said(&world, &["import", "fix.log", "--job", "job.toml", "--out", "again"]), @r"
    --- stdout
    imported a log of git bisect: 3 broken, 3 fixed, 0 skipped, taken for granted
    terms   `broken` is read as crashing, `fixed` as no longer crashing: a fix is looked for
    answer  of the log: 3f4e2f9bd0c7
    start   32b0754ca61a
    range   19 commits, 0 left
    to go on: kbisect resume again
    --- exit status 0
    ");
    let again = String::from_utf8(world.kbisect(&["log", "--format", "git", "again"]).output().unwrap().stdout).unwrap();
    assert_eq!(replayed(&world, "repo", &again).refs, known.refs, "{log}\n{again}");
    world.succeed(&["resume", "--quiet", "again"]);
    assert_eq!(named(&world.path("again")), Some(ids[13].clone()));
}
