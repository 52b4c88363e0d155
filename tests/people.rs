//! People in the loop: what they assume, take back, ask for by hand, and want explained.

mod assume;
mod by_hand;
mod explain;
mod git_log;
mod import;
mod record;
mod undo;

use crate::support::World;
use crate::support::journal;
use crate::support::line;
use crate::support::seeded_run_words;
use crate::support::timeless;

/// Fails for four seeds of ten where the bug is.
const FLAKY: &str = "case $1 in *[0-3]) exit 1;; esac\nexit 0";

/// What a command printed, without how long things took.
fn said(world: &World, args: &[&str]) -> String {
    timeless(&world.shown(&world.kbisect(args).output().unwrap()))
}

/// A line of eight commits, bad from the fifth on, bisected in `run`.
fn short_run() -> (World, Vec<String>) {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    world.succeed(&seeded_run_words(&ids[0], "run", &[]));
    (world, ids)
}

/// Events of one kind in a run's journal.
fn events(world: &World, run: &str, kind: &str) -> Vec<serde_json::Value> {
    journal(&world.path(run)).into_iter().filter(|entry| entry["event"] == kind).collect()
}

/// Commits of a run's trials, each once, in the order of their first trial.
fn tested(world: &World, run: &str) -> Vec<String> {
    let mut tested: Vec<String> = Vec::new();
    for entry in events(world, run, "trial-ended") {
        let commit = entry["commit"].as_str().unwrap().to_owned();
        if !tested.contains(&commit) {
            tested.push(commit);
        }
    }
    tested
}
