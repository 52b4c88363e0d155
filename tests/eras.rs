//! `[search] eras`: what is said where the crash begins to show just where the compiler changes.

use crate::support::Planned;
use crate::support::World;
use crate::support::named;
use crate::support::report;
use crate::support::write_history;

/// A line of 24 commits whose test fails from commit `culprit` on, but never before commit `edge`, whose toolchain hides it. The job
/// names the edge by a tag.
fn project(world: &World, culprit: usize, edge: usize) -> Vec<String> {
    let script = "#!/bin/sh\nread n < number\n[ $n -ge CULPRIT ] && [ $n -ge EDGE ] && exit 1\nexit 0\n"
        .replace("CULPRIT", &culprit.to_string())
        .replace("EDGE", &edge.to_string());
    let commits: Vec<Planned> = (0..24)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            Planned::on(&parents, format!("Change {place}")).file("number", format!("{place}\n")).script("test.sh", &script)
        })
        .collect();
    let ids = write_history(world, "repo", &commits, &[("v2.0", edge)]);
    world.job("job.toml", &ids[0], "[search]\neras = [\"v2.0\"]\n");
    ids
}

#[test]
fn a_crash_that_begins_where_the_compiler_changes_names_nobody() {
    let world = World::new();
    let ids = project(&world, 3, 14);
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report = report(&world.path("run"));
    assert_eq!(named(&world.path("run")), None);
    let why = report["conclusion"]["why"].as_str().unwrap();
    assert!(why.contains(&format!("begins to show at {}, just where the environment changes", &ids[14][..12])), "{why}");
}

#[test]
fn a_culprit_on_either_side_of_the_change_is_named() {
    for (culprit, edge) in [(18, 9), (5, 0)] {
        let world = World::new();
        let ids = project(&world, culprit, edge);
        world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
        assert_eq!(named(&world.path("run")), Some(ids[culprit].clone()));
    }
}

#[test]
fn an_era_that_is_no_commit_is_said_before_any_work() {
    let world = World::new();
    project(&world, 3, 14);
    world.git("repo", &["tag", "-d", "v2.0"]);
    let output = world.kbisect(&["run", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("v2.0"));
    assert!(!world.path("run").exists());
}
