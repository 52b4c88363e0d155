//! Verdicts that a person vouches for.

use std::sync::Arc;

use super::world::*;
use crate::bisector::*;
use crate::policy::Role;
use crate::policy::Verdict;

fn assume(bisector: &mut Bisector, commit: usize, verdict: Verdict) {
    let assumption = Assumption { commit: id(commit), verdict };
    assert_eq!(bisector.check_assumptions(std::slice::from_ref(&assumption)), Ok(()));
    bisector.assume(assumption);
}

fn skip() -> Verdict {
    Verdict::Skip("assumed".to_owned())
}

#[test]
fn what_is_assumed_is_not_tested_and_narrows_the_range() {
    for strategy in [Strategy::Posterior, Strategy::Git] {
        let mut world = World::new(&line(64), 37, 1.0, 5);
        let mut bisector = cause_of(&world, strategy);
        for (commit, verdict) in [(64, Verdict::Bad), (0, Verdict::Good), (32, Verdict::Good), (48, Verdict::Bad), (40, skip())] {
            assume(&mut bisector, commit, verdict);
        }
        let ended = run(&mut world, &mut bisector, 200);
        assert_eq!(ended.named().map(|(named, _)| named), Some(id(37)), "{strategy:?}");
        for assumed in [64, 0, 32, 48, 40] {
            assert!(ended.order.iter().all(|(commit, _)| *commit != id(assumed)), "{strategy:?} tested {assumed}");
        }
        let outside = |number: usize| number <= 32 || number >= 48;
        assert!(
            (0..=64).filter(|&number| outside(number)).all(|number| ended.order.iter().all(|(commit, _)| *commit != id(number)))
        );
    }
}

#[test]
fn all_assumed_needs_no_trial() {
    let mut world = World::new(&line(16), 9, 1.0, 5);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    for (commit, verdict) in [(16, Verdict::Bad), (8, Verdict::Good), (0, Verdict::Good), (9, Verdict::Bad)] {
        assume(&mut bisector, commit, verdict);
    }
    let ended = run(&mut world, &mut bisector, 10);
    assert_eq!((ended.named(), ended.trials), (Some((id(9), 1.0)), 0));
    // Without it, the search asks.
    bisector.forget_assumption(&id(9));
    assert!(matches!(bisector.plan(&[]), Plan::Do(_)));
}

#[test]
fn an_assumption_stands_over_trials_and_policy() {
    let world = World::new(&line(16), 9, 1.0, 5);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    for number in 1..=3 {
        bisector.record(evidence(number, id(16), Role::Start, crash(0.999, 0)));
    }
    bisector.judge(verdict(id(16), 3, Verdict::Bad));
    bisector.record(evidence(4, id(0), Role::GoodEnd, clean()));
    bisector.judge(verdict(id(0), 1, Verdict::Good));
    bisector.record(evidence(5, id(8), Role::Candidate, crash(0.999, 0)));
    bisector.judge(verdict(id(8), 1, Verdict::Bad));
    let bad_at_8 = |bisector: &Bisector| bisector.summary().tested.iter().find(|one| one.commit == id(8)).map(|one| one.bad);
    let before = bisector.summary();
    assert!(bad_at_8(&bisector).unwrap() > 0.9);
    assume(&mut bisector, 8, Verdict::Good);
    assert_eq!(bad_at_8(&bisector), Some(0.0));
    assert!(
        bisector
            .summary()
            .suspects
            .iter()
            .all(|suspect| suspect.probability == 0.0 || (9..=16).any(|bad| suspect.commit == id(bad)))
    );
    bisector.forget_assumption(&id(8));
    assert_eq!(bisector.summary(), before);
}

#[test]
fn a_release_that_is_assumed_bad_is_passed_by() {
    let mut world = World::new(&line(40), 15, 1.0, 5);
    let release = |number: usize| Release { name: format!("v1.{number}"), commit: id(number) };
    let releases = vec![release(30), release(20), release(10)];
    let ends = Ends { kind: Kind::Cause, start: id(40), good: Vec::new(), releases };
    let mut bisector = Bisector::new(Arc::clone(&world.graph), ends, settings(Strategy::Posterior)).unwrap();
    assume(&mut bisector, 30, Verdict::Bad);
    assume(&mut bisector, 20, Verdict::Bad);
    let ended = run(&mut world, &mut bisector, 200);
    assert_eq!(ended.named().map(|(named, _)| named), Some(id(15)));
    assert!(ended.order.iter().all(|(commit, _)| *commit != id(30) && *commit != id(20)));
}

#[test]
fn contradictions_are_told() {
    let world = World::new(&line(16), 9, 1.0, 5);
    let told = |bisector: &Bisector, assumed: &[(usize, Verdict)]| {
        let more: Vec<Assumption> =
            assumed.iter().map(|(commit, verdict)| Assumption { commit: id(*commit), verdict: verdict.clone() }).collect();
        bisector.check_assumptions(&more)
    };
    let cause = cause_of(&world, Strategy::Posterior);
    let twice = BadAssumption::Twice { commit: id(4), one: Verdict::Good, other: Verdict::Bad };
    assert_eq!(told(&cause, &[(4, Verdict::Good), (4, Verdict::Good)]), Ok(()));
    assert_eq!(told(&cause, &[(4, Verdict::Good), (4, Verdict::Bad)]), Err(twice));
    assert_eq!(told(&cause, &[(16, Verdict::Good)]), Err(BadAssumption::Start(id(16))));
    assert_eq!(told(&cause, &[(16, skip())]), Err(BadAssumption::Start(id(16))));
    assert_eq!(told(&cause, &[(99, Verdict::Bad)]), Err(BadAssumption::UnknownCommit(id(99))));
    let turned = |good: usize, bad: usize| Err(BadAssumption::GoodContainsBad { good: id(good), bad: id(bad) });
    assert_eq!(told(&cause, &[(5, Verdict::Bad), (12, Verdict::Good)]), turned(12, 5));
    assert_eq!(told(&cause, &[(0, Verdict::Bad)]), turned(0, 0));
    let mut with_more = cause_of(&world, Strategy::Posterior);
    assume(&mut with_more, 5, Verdict::Bad);
    assert_eq!(told(&with_more, &[(6, Verdict::Good)]), turned(6, 5));
    assert_eq!(told(&with_more, &[(4, Verdict::Good), (6, Verdict::Bad), (7, skip())]), Ok(()));

    let ends = Ends { kind: Kind::Fix, start: id(4), good: vec![id(16)], releases: Vec::new() };
    let fix = Bisector::new(Arc::clone(&world.graph), ends, settings(Strategy::Posterior)).unwrap();
    let turned = BadAssumption::BadContainsFixed { bad: id(12), good: id(8) };
    assert_eq!(told(&fix, &[(8, Verdict::Good), (12, Verdict::Bad)]), Err(turned));
    assert_eq!(told(&fix, &[(2, Verdict::Good), (8, Verdict::Bad)]), Ok(()), "before the bug came in, good is no fix");
}
