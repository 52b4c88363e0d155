//! What a search costs where every trial at a bad commit crashes.

use std::sync::Arc;

use super::world::*;
use crate::bisector::*;
use crate::graph::Node;

/// Trials that `git bisect run` makes.
fn trials_of_git(world: &World) -> usize {
    let mut world = world.clone();
    let start = world.graph.id(Node(world.graph.len() as u32 - 1));
    let ends = Ends { kind: Kind::Cause, start, good: vec![id(0)], releases: Vec::new() };
    let single = Settings { single_trials: true, ..settings(Strategy::Git) };
    let mut bisector = Bisector::new(Arc::clone(&world.graph), ends, single).unwrap();
    run(&mut world, &mut bisector, 100).trials
}

fn check(parents: &[Vec<usize>], culprit: usize, seed: u64) -> (usize, usize) {
    let mut world = World::new(parents, culprit, 1.0, seed);
    let git = trials_of_git(&world);
    let mut bisector = cause(&world, &[0], Strategy::Posterior);
    let ended = run(&mut world, &mut bisector, 1000);
    assert_eq!(ended.named().map(|(commit, _)| commit), Some(id(culprit)), "{:?}", ended.conclusion);
    if ended.trials > 2 * git + 5 {
        println!(
            "{culprit} {:?}",
            ended
                .order
                .iter()
                .map(|(c, r)| format!("{r:?}{}", u16::from_be_bytes([c.as_bytes()[18], c.as_bytes()[19]])))
                .collect::<Vec<_>>()
        );
    }
    (git, ended.trials)
}

#[test]
fn a_sure_reproducer_costs_at_most_twice_git_and_five() {
    let mut dice = Dice(1);
    let mut failed = Vec::new();
    for (len, runs) in [(1, 1), (2, 2), (3, 3), (10, 10), (30, 30), (100, 40), (400, 30), (1000, 20), (5000, 12)] {
        let (mut worst, mut sum, mut gits) = (i64::MIN, 0, 0);
        for seed in 0..runs {
            let culprit = if runs == len { seed + 1 } else { 1 + dice.below(len) };
            let (git, ours) = check(&line(len), culprit, seed as u64);
            sum += ours;
            gits += git;
            let over = ours as i64 - (2 * git + 5) as i64;
            worst = worst.max(over);
            if over > 0 {
                failed.push((len, culprit, git, ours));
            }
        }
        println!("line {len}: git {:.1} ours {:.1} worst {worst}", gits as f64 / runs as f64, sum as f64 / runs as f64);
    }
    assert!(failed.is_empty(), "{failed:?}");
}
