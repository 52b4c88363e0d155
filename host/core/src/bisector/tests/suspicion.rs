//! What a prior is worth where it is right, and what it costs where it is not.

use std::sync::Arc;

use super::world::*;
use crate::bisector::*;
use crate::commit::CommitId;
use crate::policy::Role;
use crate::policy::Verdict;

/// The share of the prior that the weights have: the most that a job may give them.
const SHARE: f64 = 0.7;

/// What a suspicion plugin may know.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Hunch {
    /// No weights at all.
    None,
    /// One commit in twenty touches a file of the stack, and of the culprits .65 (`bisection-science.md` §4).
    Right,
    /// The same weights, but the culprit is as any commit.
    Useless,
    /// The same weights, and the culprit is never among those that touch a file of the stack.
    Wrong,
    /// All weight is on one commit that is not the culprit.
    Decoy,
}

/// A weight for each of these commits, one of which is the culprit.
fn weights(hunch: Hunch, commits: &[CommitId], culprit: CommitId, dice: &mut Dice) -> Vec<f64> {
    let decoy = commits[dice.below(commits.len())];
    let mut weight = |commit: CommitId| {
        let suspect = match hunch {
            Hunch::Decoy => return f64::from(u8::from(commit == decoy && commit != culprit)),
            Hunch::Right if commit == culprit => dice.chance(0.65),
            Hunch::Wrong if commit == culprit => false,
            _ => dice.chance(0.05),
        };
        if suspect { 0.65 / 0.05 } else { 0.35 / 0.95 }
    };
    commits.iter().map(|&commit| weight(commit)).collect()
}

/// What some runs came to.
#[derive(Debug, Default)]
struct Sum {
    right: u32,
    wrong: u32,
    trials: usize,
    commits: usize,
    stated: f64,
}

/// Searches with r between the ends of histories of this length; the same histories, culprits and luck for each hunch.
fn runs(count: u64, len: usize, r: f64, hunch: Hunch) -> Sum {
    let mut sum = Sum::default();
    for seed in 0..count {
        let mut dice = Dice(seed * 77 + 5);
        let parents = if seed % 2 == 0 { line(len) } else { merges(len, &mut dice) };
        let culprit = 1 + dice.below(parents.len() - 1);
        let mut world = World::new(&parents, culprit, r, seed * 1000 + 3);
        let mut bisector = cause_of(&world, Strategy::Posterior);
        if hunch != Hunch::None {
            let stretch = Stretch { newest: world.newest(), oldest: vec![id(0)] };
            let weights = weights(hunch, &bisector.commits(&stretch), id(culprit), &mut dice);
            bisector.weigh(stretch, &weights, SHARE);
        }
        let ended = run(&mut world, &mut bisector, 5000);
        sum.trials += ended.trials;
        let mut tested: Vec<CommitId> = ended.order.iter().map(|(commit, _)| *commit).collect();
        tested.sort_unstable();
        tested.dedup();
        sum.commits += tested.len();
        match ended.named() {
            Some((named, stated)) if named == id(culprit) => (sum.right, sum.stated) = (sum.right + 1, sum.stated + stated),
            Some((_, stated)) => (sum.wrong, sum.stated) = (sum.wrong + 1, sum.stated + stated),
            None => {}
        }
    }
    sum
}

/// Prints what each hunch is worth; `RUNS`, `LEN` and `RATES` may be set.
#[test]
#[ignore = "takes minutes, and prints a table for people"]
fn hunches() {
    let set = |name: &str| std::env::var(name).ok();
    let count = set("RUNS").map_or(400, |text| text.parse().unwrap());
    let len = set("LEN").map_or(1000, |text| text.parse().unwrap());
    println!(
        "{count} searches in {len} commits, half of them in a line\n   r  hunch      right   wrong  stated   trials  commits"
    );
    for r in set("RATES").unwrap_or(".95 .5 .3".to_owned()).split(' ').map(|r| r.parse::<f64>().unwrap()) {
        for hunch in [Hunch::None, Hunch::Right, Hunch::Useless, Hunch::Wrong, Hunch::Decoy] {
            let sum = runs(count, len, r, hunch);
            let share = |number: f64| number / count as f64;
            println!(
                "{r:4}  {:8}  {:.4}  {:.4}  {:.4}  {:7.2}  {:7.2}",
                format!("{hunch:?}"),
                share(f64::from(sum.right)),
                share(f64::from(sum.wrong)),
                sum.stated / f64::from(sum.right + sum.wrong),
                share(sum.trials as f64),
                share(sum.commits as f64),
            );
        }
    }
}

/// What may be lost is a tenth of the trials; with these seeds nothing is named wrongly.
#[test]
fn a_right_hunch_saves_trials_and_a_wrong_one_costs_few() {
    let of = |hunch| runs(60, 800, 0.95, hunch);
    let none = of(Hunch::None);
    assert_eq!((none.right, none.wrong), (60, 0));
    let right = of(Hunch::Right);
    assert!(right.trials < none.trials && right.commits < none.commits, "{right:?} {none:?}");
    for hunch in [Hunch::Right, Hunch::Useless, Hunch::Wrong, Hunch::Decoy] {
        let sum = of(hunch);
        assert_eq!((sum.right, sum.wrong), (60, 0), "{hunch:?}");
        assert!(sum.trials * 10 <= none.trials * 11, "{hunch:?}: {sum:?} {none:?}");
    }
}

#[test]
fn what_is_between_the_ends_is_weighed_once() {
    let world = World::new(&line(9), 5, 1.0, 0);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    assert_eq!(bisector.unweighed(), None, "the ends are not settled");
    for number in 1..=3 {
        bisector.record(evidence(number, id(9), Role::Start, crash(0.999, 1)));
        bisector.record(evidence(number + 3, id(0), Role::GoodEnd, clean()));
    }
    bisector.judge(verdict(id(9), 3, Verdict::Bad));
    bisector.judge(verdict(id(0), 3, Verdict::Good));
    let stretch = bisector.unweighed().unwrap();
    assert_eq!(stretch, Stretch { newest: id(9), oldest: vec![id(0)] });
    let commits: Vec<CommitId> = (1..=9).map(id).collect();
    assert_eq!(bisector.commits(&stretch), commits);
    assert_eq!(bisector.suspicion(&id(4)), None);

    let weights: Vec<f64> = (1..=9).map(|number| if number == 4 { 9.0 } else { 0.0 }).collect();
    bisector.weigh(stretch, &weights, SHARE);
    assert_eq!(bisector.unweighed(), None);
    assert_eq!((bisector.suspicion(&id(4)), bisector.suspicion(&id(5))), (Some(9.0), Some(0.0)));
    let suspects = bisector.summary().suspects;
    assert_eq!(suspects[0].commit, id(4));
    // A ninth of .75 for each commit, and the most that one may get for this one.
    let odds = suspects[0].probability / suspects[1].probability;
    assert!((odds - (0.75 / 9.0 + 0.25) / (0.75 / 9.0)).abs() < 1e-6, "{odds}");
    let elsewhere = Stretch { newest: id(77), oldest: vec![id(0)] };
    assert_eq!(bisector.commits(&elsewhere), []);
}

#[test]
fn another_range_is_weighed_anew_and_what_was_weighed_stays() {
    let world = World::new(&line(9), 2, 1.0, 0);
    let releases = [6, 0].map(|number| Release { name: format!("v{number}"), commit: id(number) });
    let ends = Ends { kind: Kind::Cause, start: id(9), good: Vec::new(), releases: releases.to_vec() };
    let mut bisector = Bisector::new(Arc::clone(&world.graph), ends, settings(Strategy::Posterior)).unwrap();
    let test = |bisector: &mut Bisector, number: u64, commit, role, trial: fn() -> crate::policy::Trial, of| {
        (number..number + 3).for_each(|number| bisector.record(evidence(number, commit, role, trial())));
        bisector.judge(verdict(commit, 3, of));
    };
    test(&mut bisector, 1, id(9), Role::Start, || crash(0.999, 1), Verdict::Bad);
    test(&mut bisector, 4, id(6), Role::Release, clean, Verdict::Good);
    let first = bisector.unweighed().unwrap();
    assert_eq!(first, Stretch { newest: id(9), oldest: vec![id(6)] });
    bisector.weigh(first, &[3.0, 0.0, 0.0], SHARE);
    assert_eq!(bisector.unweighed(), None);
    // The release crashes after all.
    test(&mut bisector, 4, id(6), Role::Release, || crash(0.999, 1), Verdict::Bad);
    test(&mut bisector, 7, id(0), Role::Release, clean, Verdict::Good);
    let second = bisector.unweighed().unwrap();
    assert_eq!(second, Stretch { newest: id(6), oldest: vec![id(0)] });
    bisector.weigh(second, &[1.0, 5.0, 1.0, 1.0, 1.0, 0.0], SHARE);
    assert_eq!(bisector.summary().suspects[0].commit, id(2));
    assert_eq!(bisector.suspicion(&id(7)), Some(3.0));
}
