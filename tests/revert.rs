//! `[search] revert`: the named commit is taken back at the start commit or the newest, and the result says whether the crash goes with it.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::evidence;
use crate::support::fingerprint;
use crate::support::named;
use crate::support::report;
use crate::support::write_history;
use serde_json::Value;

const COMMITS: usize = 12;
const CULPRIT: usize = 5;

/// A line of commits whose test fails where a file says `bug`; `more` adds to each.
fn project(world: &World, more: impl Fn(usize, Planned) -> Planned) -> Vec<String> {
    let commits: Vec<Planned> = (0..COMMITS)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let lines = if place < CULPRIT { "one\ntwo\nthree\n" } else { "one\nbug\nthree\n" };
            let commit = Planned::on(&parents, format!("Change {place}"))
                .file(format!("change-{place}"), "made\n")
                .file("lines", lines)
                .file("other", "fine\n")
                .script("test.sh", "#!/bin/sh\ngrep -q bug lines other && exit 1\nexit 0\n");
            more(place, commit)
        })
        .collect();
    let ids = write_history(world, "repo", &commits, &[]);
    world.job("job.toml", &ids[0], "[search]\nrevert = true\n");
    ids
}

/// What the report says of the start commit without the culprit, and the line that people see.
fn without(world: &World, run: &str) -> (Value, String) {
    let text = fs::read_to_string(world.path(run).join("report.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("  reverted")).unwrap_or_default().to_owned();
    (report(&world.path(run))["reverted"].clone(), line)
}

#[test]
fn a_culprit_with_which_the_crash_goes_is_confirmed() {
    let world = World::new();
    let ids = project(&world, |_, commit| commit);
    let before = fingerprint(&world.path("repo"));
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let (reverted, line) = without(&world, "run");
    assert_eq!((&reverted["hits"], &reverted["other"], &reverted["void"]), (&0.into(), &0.into(), &0.into()), "{reverted}");
    let clean = reverted["clean"].as_u64().unwrap();
    assert!(clean >= 2);
    let start = &ids[COMMITS - 1][..12];
    assert_eq!(line, format!("  reverted   {start}    0 of {clean} trials crash with it: gone"));
    assert_eq!(before, fingerprint(&world.path("repo")));
}

#[test]
fn where_the_newest_commit_crashes_too_it_is_taken_back_there() {
    for (late, conflicts) in [("one\nbug\nthree\n", false), ("one\nbugs\nthree\n", true)] {
        let world = World::new();
        let ids = project(&world, |place, commit| if place == COMMITS - 1 { commit.file("lines", late) } else { commit });
        let (start, newest) = (&ids[COMMITS - 2], &ids[COMMITS - 1]);
        world.git("repo", &["branch", "late", newest]);
        world.git("repo", &["update-ref", "refs/heads/main", start]);
        world.job("job.toml", &ids[0], "[search]\nrevert = true\ntip = \"late\"\n");
        world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
        assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
        let (reverted, line) = without(&world, "run");
        let at = if conflicts { start } else { newest };
        let clean = reverted["clean"].as_u64().unwrap();
        assert_eq!(line, format!("  reverted   {}    0 of {clean} trials crash with it: gone", &at[..12]));
        assert_eq!(reverted["at"].as_str(), (!conflicts).then_some(newest.as_str()));
    }
}

#[test]
fn a_crash_that_another_commit_keeps_up_is_said_to_stay() {
    let world = World::new();
    let ids = project(&world, |place, commit| if place > CULPRIT + 3 { commit.file("other", "bug\n") } else { commit });
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let (reverted, line) = without(&world, "run");
    assert_eq!(reverted["clean"], 0, "{reverted}");
    assert!(line.ends_with("with it: still there"), "{line}");
}

#[test]
fn a_culprit_that_later_changes_keep_from_being_taken_back_is_named_all_the_same() {
    let world = World::new();
    let ids =
        project(&world, |place, commit| if place > CULPRIT + 3 { commit.file("lines", "one\nbugs\nthree\n") } else { commit });
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let (reverted, line) = without(&world, "run");
    assert_eq!(reverted, serde_json::json!({"conflicts": ["lines"]}));
    assert_eq!(line, format!("  reverted   {}  cannot be: later changes are in the way (lines)", &ids[COMMITS - 1][..12]));
}

#[test]
fn a_run_killed_while_it_confirms_goes_on_to_the_same_end() {
    let world = World::new();
    project(&world, |_, commit| commit);
    world.succeed(&["run", "--quiet", "job.toml", "--out", "whole"]);
    let events = fs::read_to_string(world.path("whole/journal.jsonl")).unwrap();
    let reverted = events.lines().position(|line| line.contains("\"event\":\"reverted\"")).unwrap() as u32;
    for (run, event, swept) in [("at", reverted + 1, false), ("in", reverted + 4, false), ("swept", reverted + 1, true)] {
        world.cut_short(&["run", "--quiet", "job.toml", "--out", run], event);
        if swept {
            // The scratch is safe to delete between two processes, and the commit that was made lies there.
            fs::remove_dir_all(world.path(run).join("work")).unwrap();
        }
        world.succeed(&["resume", "--quiet", run]);
        assert_eq!(evidence(&world.path(run)), evidence(&world.path("whole")));
        assert_eq!(without(&world, run), without(&world, "whole"));
    }
}
