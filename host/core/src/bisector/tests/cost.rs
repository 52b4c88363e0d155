//! What a search costs where every trial at a bad commit crashes: at most twice the trials of `git bisect run`, and five.

use std::sync::Arc;

use super::world::*;
use crate::bisector::*;

fn trials_of_git(world: &World) -> usize {
    let ends = Ends { kind: Kind::Cause, start: world.newest(), good: vec![id(0)], releases: Vec::new() };
    let single = Settings { single_trials: true, ..settings(Strategy::Git) };
    let mut bisector = Bisector::new(Arc::clone(&world.graph), ends, single).unwrap();
    run(&mut world.clone(), &mut bisector, 100).trials
}

/// Trials over the bound, if any.
fn excess(parents: &[Vec<usize>], culprit: usize) -> usize {
    let mut world = World::new(parents, culprit, 1.0, 0);
    let git = trials_of_git(&world);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    let ended = run(&mut world, &mut bisector, 1000);
    assert_eq!(ended.named().map(|(commit, _)| commit), Some(id(culprit)), "{:?}", ended.conclusion);
    ended.trials.saturating_sub(2 * git + 5)
}

#[test]
fn on_lines() {
    let mut dice = Dice(1);
    for (len, runs) in [(10, 10), (30, 30), (100, 30), (1000, 10), (5000, 5)] {
        for run in 0..runs {
            let culprit = if runs == len { run + 1 } else { 1 + dice.below(len) };
            assert_eq!(excess(&line(len), culprit), 0, "{culprit} of {len}");
        }
    }
}

#[test]
fn at_the_ends_of_lines() {
    for len in [10, 11, 13, 16, 20, 50, 100, 1000, 5000] {
        for culprit in [1, 2, len - 1, len] {
            assert_eq!(excess(&line(len), culprit), 0, "{culprit} of {len}");
        }
    }
}

/// Of three commits, where git tests one and names the newest: one trial more.
#[test]
fn on_very_short_lines() {
    for len in 1..10 {
        for culprit in 1..=len {
            let more = usize::from(len == 3 && culprit == 3);
            assert!(excess(&line(len), culprit) <= more, "{culprit} of {len}");
        }
    }
}

/// A merge costs more where it is the culprit itself: each of its parents must be clean k times. Of histories with a dozen commits
/// one in 25 costs one or two trials more, as very short lines do; of longer ones one in 200 costs one more.
#[test]
fn on_histories_with_merges() {
    let mut dice = Dice(2);
    for (len, runs) in [(10, 20), (30, 20), (100, 20), (1000, 6)] {
        for _ in 0..runs {
            let parents = merges(len, &mut dice);
            let culprit = 1 + dice.below(parents.len() - 1);
            let more = 4 * (parents[culprit].len() - 1) + if len < 30 { 2 } else { 1 };
            let excess = excess(&parents, culprit);
            assert!(excess <= more, "{excess}: {culprit} of {parents:?}");
        }
    }
}
