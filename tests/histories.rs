//! Histories of odd shapes, searched and looked into by the built program: very long ones, merges of very many, roots that have
//! nothing to do with one another, clocks that went backwards.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::named;
use crate::support::write_history;

/// A history by the places of each commit's parents, with the bug that came in with one of them.
struct Shape {
    parents: Vec<Vec<usize>>,
    /// When each was made, where not in their order.
    times: Option<fn(usize) -> usize>,
}

/// Writes the history; `test.sh` fails where the culprit is contained. The tree changes only where the verdict does, or each time.
fn write(world: &World, shape: &Shape, culprit: usize, each: bool) -> Vec<String> {
    let mut bad: Vec<bool> = Vec::new();
    let mut commits = Vec::new();
    for (place, parents) in shape.parents.iter().enumerate() {
        bad.push(place == culprit || parents.iter().any(|&parent| bad[parent]));
        let mut commit = Planned::on(parents, format!("change {place}"));
        if parents.first().is_none_or(|&first| bad[first] != bad[place]) {
            commit = commit.script("test.sh", format!("#!/bin/sh\nexit {}\n", u8::from(bad[place])));
        }
        if each {
            commit = commit.file("number", place.to_string());
        }
        commit.time = shape.times.map(|time| time(place));
        commits.push(commit);
    }
    write_history(world, "repo", &commits, &[])
}

/// What a command says where it succeeds.
fn said(world: &World, args: &[&str]) -> String {
    let output = world.kbisect(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}\n{}", world.shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Searches the history by one strategy; the commit that is named.
fn searched(world: &World, good: &str, strategy: &str, run: &str) -> Option<String> {
    let words = ["run", "--quiet", "--repo", "repo", "--bad", "main", "--good", good, "--strategy", strategy, "--out", run];
    let output = world.kbisect(&words).args(["--", "./test.sh"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    named(&world.path(run))
}

/// All that can be done with a finished run says the same name; a run that was made of its log finds it again.
fn looked_into(world: &World, run: &str, culprit: &str) {
    let short = &culprit[..12];
    for args in [
        &["status", run][..],
        &["explain", run],
        &["explain", run, culprit],
        &["explain", run, "--json"],
        &["log", run],
        &["log", run, "--format", "json"],
        &["resume", "--quiet", run],
    ] {
        let text = said(world, args);
        assert!(text.contains(short), "{args:?}\n{text}");
    }
    assert!(fs::read_to_string(world.path(run).join("report.txt")).unwrap().contains(short));
    fs::write(world.path("log"), said(world, &["log", run, "--format", "git"])).unwrap();
    let imported = format!("imported-{run}");
    said(world, &["import", "log", "--repo", "repo", "--out", &imported, "--", "./test.sh"]);
    said(world, &["resume", "--quiet", &imported]);
    assert_eq!(named(&world.path(&imported)).as_deref(), Some(culprit));
    fs::remove_dir_all(world.path(&imported)).unwrap();
}

/// Searches for each culprit by both strategies, from a good commit; what is found is looked into once.
fn every_culprit_is_found(shape: &Shape, good: usize, culprits: &[usize]) {
    for &culprit in culprits {
        let world = World::new();
        let ids = write(&world, shape, culprit, true);
        for strategy in ["git", "posterior"] {
            assert_eq!(searched(&world, &ids[good], strategy, strategy).as_ref(), Some(&ids[culprit]), "{culprit} by {strategy}");
        }
        if culprit == culprits[0] {
            looked_into(&world, "git", &ids[culprit]);
            looked_into(&world, "posterior", &ids[culprit]);
        }
    }
}

#[test]
fn a_merge_of_66() {
    // 0 and 1; 66 branches of two commits each: 2 and 3, 4 and 5, …; their merge, 134; two commits behind it.
    let mut parents: Vec<Vec<usize>> = vec![vec![], vec![0]];
    for branch in 0..66 {
        parents.push(vec![1]);
        parents.push(vec![2 + 2 * branch]);
    }
    parents.push((0..66).map(|branch| 3 + 2 * branch).collect());
    parents.extend([vec![134], vec![135]]);
    let shape = Shape { parents, times: None };
    every_culprit_is_found(&shape, 0, &[83, 134, 133]);
}

#[test]
fn a_history_with_another_root() {
    // 0 to 9; 10 to 19 from a root of their own; 20 merges both.
    let mut parents: Vec<Vec<usize>> =
        (0..20).map(|place: usize| if place.is_multiple_of(10) { vec![] } else { vec![place - 1] }).collect();
    parents.push(vec![9, 19]);
    parents.extend((20..24).map(|place| vec![place]));
    let shape = Shape { parents, times: None };
    // In the other history, its root, the merge, and the history of the good commit.
    every_culprit_is_found(&shape, 2, &[15, 10, 20, 6]);
}

#[test]
fn clocks_that_went_backwards() {
    // Two lines, merged every tenth commit. Every third commit is years younger than its children, some are from before 1970 or
    // from a time when nobody will use this any more.
    let parents: Vec<Vec<usize>> = (0..60_usize)
        .map(|place| match place {
            0 => vec![],
            1 | 2 => vec![0],
            _ if place % 10 == 0 => vec![place - 2, place - 1],
            _ => vec![place - 2],
        })
        .chain([vec![59, 58]])
        .collect();
    let times = |place: usize| match place % 7 {
        0 => 1_900_000_000 - place,
        3 => place,
        5 => 4_000_000_000 + place,
        _ => 1_600_000_000 + place * 7_919 % 1_000 * 86_400,
    };
    let shape = Shape { parents, times: Some(times) };
    every_culprit_is_found(&shape, 0, &[31, 60, 28]);
}

#[test]
fn a_hundred_thousand_commits() {
    // A line with a branch of five commits now and then in its first tenth.
    let parents: Vec<Vec<usize>> = (0..100_000_usize)
        .map(|place| match place {
            0 => vec![],
            _ if place < 10_000 && place % 50 == 5 && place > 50 => vec![place - 45],
            _ if place < 10_000 && place % 50 == 10 && place > 50 => vec![place - 6, place - 1],
            _ => vec![place - 1],
        })
        .collect();
    let world = World::new();
    let culprit = 8_207;
    let ids = write(&world, &Shape { parents, times: None }, culprit, false);
    for strategy in ["git", "posterior"] {
        assert_eq!(searched(&world, &ids[0], strategy, strategy).as_ref(), Some(&ids[culprit]), "{strategy}");
    }
    looked_into(&world, "posterior", &ids[culprit]);
}
