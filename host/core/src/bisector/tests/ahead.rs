//! Kernels built ahead of need are those that are needed.

use super::world::*;
use crate::bisector::*;
use crate::policy::Judgement;

/// How many commits came up for testing after the first search step, and how many of them had been named for building before.
fn named_before(parents: &[Vec<usize>], culprit: usize, r: f64, seed: u64, builders: u32) -> (u32, u32) {
    let mut world = World::new(parents, culprit, r, seed);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    bisector.keep_pace(Pace { builders, build: 360.0, trial: 300.0, ..Pace::default() });
    let mut past: std::collections::HashMap<_, Vec<_>> = std::collections::HashMap::new();
    let mut named = std::collections::HashSet::new();
    let (mut came_up, mut were_named) = (0, 0);
    for number in 1.. {
        let Plan::Do(actions) = bisector.plan(&[]) else {
            return (came_up, were_named);
        };
        let Some(Action::Try { commit, role, .. }) = actions.first().cloned() else { panic!("{actions:?}") };
        let builds: Vec<_> =
            actions.iter().filter_map(|action| if let Action::Build(commit) = action { Some(*commit) } else { None }).collect();
        assert!(builds.len() <= builders as usize + 1, "{actions:?}");
        let past = past.entry(commit).or_default();
        if past.is_empty() && number > 1 {
            came_up += 1;
            were_named += u32::from(named.contains(&commit));
        }
        for &commit in builds.iter().chain([&commit]) {
            bisector.record_build(Built { commit, build: 1, digest: None });
        }
        named.extend(builds);
        let trial = world.trial(commit);
        past.push(trial.clone());
        bisector.record(evidence(number, commit, role, trial));
        let decision = policy(past, bisector.summary().rates);
        let judgement = Judgement { decision, confidence: 1.0, reason: String::new() };
        bisector.judge(Judged { commit, trials: past.len() as u32, judgement });
    }
    unreachable!()
}

#[test]
fn what_comes_next_is_nearly_always_named() {
    let mut dice = Dice(11);
    for (r, least) in [(1.0, 0.95), (0.5, 0.9)] {
        let (mut came_up, mut were_named) = (0, 0);
        for run in 0..20 {
            let parents = if run % 2 == 0 { line(500) } else { merges(500, &mut dice) };
            let culprit = 1 + dice.below(parents.len() - 1);
            let (more, named) = named_before(&parents, culprit, r, run, 1);
            came_up += more;
            were_named += named;
        }
        let share = f64::from(were_named) / f64::from(came_up);
        assert!(share >= least, "r = {r}: {were_named} of {came_up}");
    }
}

#[test]
fn nothing_is_named_unless_asked_for() {
    let world = World::new(&line(100), 50, 1.0, 1);
    let bisector = cause_of(&world, Strategy::Posterior);
    assert!(matches!(&bisector.plan(&[]), Plan::Do(actions) if actions.len() == 1));
    let mut by_git = cause_of(&world, Strategy::Git);
    by_git.keep_pace(Pace { builders: 2, build: 360.0, trial: 300.0, ..Pace::default() });
    assert!(matches!(&by_git.plan(&[]), Plan::Do(actions) if actions.len() == 1));
}
