//! Whole searches against an oracle: right answers, the end of every search, and git's own way.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use proptest::strategy::Strategy as _;

use super::world::*;
use crate::bisector::*;
use crate::commit::CommitId;
use crate::git_compat;
use crate::git_compat::Mark;
use crate::git_compat::Next;
use crate::graph::Node;
use crate::policy::Outcome;
use crate::policy::Role;
use crate::policy::Verdict;

/// How a number of searches ended.
#[derive(Debug, Default)]
struct Score {
    right: u32,
    wrong: u32,
    unnamed: u32,
    /// Sum of the probabilities stated with names.
    stated: f64,
}

/// Searches on lines and on histories with merges; `world` sets the rates.
fn score(runs: u64, len: usize, mut world: impl FnMut(&mut World, &mut Dice)) -> Score {
    let mut score = Score::default();
    for seed in 0..runs {
        let mut dice = Dice(seed * 1000 + len as u64);
        let parents = if seed % 2 == 0 { line(len) } else { merges(len, &mut dice) };
        let culprit = 1 + dice.below(parents.len() - 1);
        let mut oracle = World::new(&parents, culprit, 1.0, seed + 77);
        world(&mut oracle, &mut dice);
        let mut bisector = cause_of(&oracle, Strategy::Posterior);
        match run(&mut oracle, &mut bisector, 5000).named() {
            Some((named, probability)) => {
                score.stated += probability;
                *(if named == id(culprit) { &mut score.right } else { &mut score.wrong }) += 1;
            }
            None => score.unnamed += 1,
        }
    }
    println!("{score:?}");
    score
}

impl Score {
    /// Whether names are right as often as stated, but for what chance explains: three standard deviations.
    fn is_calibrated(&self) -> bool {
        let named = f64::from(self.right + self.wrong);
        let expected = self.stated;
        f64::from(self.right) >= expected - 3.0 * (expected * (1.0 - expected / named)).sqrt()
    }
}

#[test]
fn sure_and_flaky_reproducers_lead_to_the_culprit_as_often_as_stated() {
    // Rates as they are met: most reproducers crash every time, the others at any rate above a fifth.
    let all = score(150, 60, |world, dice| {
        if dice.chance(0.35) {
            world.r = 0.2 + 0.8 * (dice.below(1000) as f64 / 1000.0);
        }
    });
    assert!(all.is_calibrated(), "{all:?}");
    assert!(all.right >= 145, "{all:?}");
}

#[test]
fn a_reproducer_that_works_seven_times_of_ten_is_no_hindrance() {
    let score = score(60, 100, |world, _| world.r = 0.7);
    assert!(score.right >= 56, "{score:?}");
}

#[test]
fn names_are_right_as_often_as_stated_at_any_rate() {
    for r in [0.9, 0.7, 0.5, 0.3] {
        let score = score(150, 60, |world, _| world.r = r);
        assert!(score.is_calibrated() && score.unnamed <= 2, "r {r}: {score:?}");
    }
}

#[test]
fn false_alarms_and_strays_mislead_no_search() {
    let alarms = score(40, 60, |world, _| (world.r, world.f) = (0.8, 0.02));
    assert!(alarms.right >= 37, "{alarms:?}");
    let strays = score(40, 60, |world, _| (world.r, world.stray) = (0.9, (0.1, 0.0005)));
    assert!(strays.right >= 37, "{strays:?}");
    let doubtful = score(40, 60, |world, _| (world.r, world.stray) = (0.9, (0.05, 0.02)));
    assert!(doubtful.right >= 36, "{doubtful:?}");
}

#[test]
fn commits_that_cannot_be_tested_are_walked_around() {
    let score = score(40, 60, |world, dice| {
        let skips: Vec<CommitId> = (1..world.graph.len() - 1).filter(|_| dice.chance(0.1)).map(id).collect();
        world.void = skips.into_iter().collect();
    });
    assert_eq!(score.wrong, 0, "{score:?}");
    assert!(score.right >= 25, "{score:?}");
}

#[test]
fn a_stretch_that_cannot_be_tested_is_named_as_a_whole() {
    let mut world = World::new(&line(40), 20, 1.0, 3);
    world.void = (15..25).map(id).collect();
    let Conclusion::Inconclusive { suspects, readings, .. } =
        run(&mut world.clone(), &mut cause_of(&world, Strategy::Posterior), 500).conclusion
    else {
        panic!("a name")
    };
    let named: HashSet<CommitId> = suspects.iter().map(|suspect| suspect.commit).collect();
    assert_eq!(named, (15..=25).map(id).collect());
    assert!(readings.is_empty());
}

#[test]
fn a_look_that_may_be_the_target_makes_the_answer_two_way() {
    // Below commit 30 the crash looks otherwise, and the classifier cannot tell: either 10 or 30 is the culprit.
    let mut world = World::new(&line(40), 10, 1.0, 3);
    world.drifted = ((10..30).map(id).collect(), 0.5);
    let ended = run(&mut world.clone(), &mut cause_of(&world, Strategy::Posterior), 2000);
    let Conclusion::Inconclusive { readings, .. } = ended.conclusion else { panic!("{:?}", ended.conclusion) };
    assert_eq!(readings.len(), 2);
    let as_target = readings.iter().find(|reading| reading.as_target == [9]).unwrap();
    assert_eq!(as_target.suspects[0].commit, id(10));
    let as_stray = readings.iter().find(|reading| reading.as_stray == [9]).unwrap();
    // The masked stretch hides where it begins; its end is as far as one can see.
    assert!(as_stray.suspects.iter().any(|suspect| suspect.commit == id(30)), "{as_stray:?}");
}

/// The bug comes in with 3 on the mainline; a branch from 1 (6, 7) is merged as 8; 12 is the newest.
fn find_fix(fix: usize, strategy: Strategy) -> Conclusion {
    let mut parents = line(5);
    parents.extend([vec![1], vec![6], vec![5, 7], vec![8], vec![9], vec![10], vec![11]]);
    let mut world = World::new(&parents, 3, 1.0, 1);
    let fixed = world.graph.descendants(&[world.graph.node(&id(fix)).unwrap()]);
    for node in fixed.iter() {
        world.bad.remove(&world.graph.id(node));
    }
    let ends = Ends { kind: Kind::Fix, start: id(4), good: vec![id(12)], releases: Vec::new() };
    let mut bisector = Bisector::new(Arc::clone(&world.graph), ends, settings(strategy)).unwrap();
    run(&mut world, &mut bisector, 300).conclusion
}

#[test]
fn a_fix_is_found_although_a_branch_never_had_the_bug() {
    for strategy in [Strategy::Git, Strategy::Posterior] {
        for fix in [5, 9, 10, 11, 12] {
            let Conclusion::Found { suspects } = find_fix(fix, strategy) else { panic!("{fix} is not found") };
            assert_eq!(suspects[0].commit, id(fix));
        }
    }
}

#[test]
fn a_fix_that_comes_in_with_such_a_branch_may_be_any_commit_of_it() {
    let Conclusion::Inconclusive { suspects, .. } = find_fix(8, Strategy::Posterior) else { panic!("a name") };
    let named: HashSet<CommitId> = suspects.iter().map(|suspect| suspect.commit).collect();
    assert_eq!(named, [6, 7, 8].map(id).into_iter().collect());
    // Git is told that the branch crashes, and names the merge.
    let Conclusion::Found { suspects } = find_fix(8, Strategy::Git) else { panic!("no name") };
    assert_eq!(suspects[0].commit, id(8));
}

#[test]
fn a_kernel_built_anew_is_asked_for_where_one_alone_cannot_settle_it() {
    // The culprit comes right after the commit that is tested first: that one was clean, and thousands of commits before it have
    // its one kernel's word only.
    let candidates = |culprit| {
        let mut world = World::new(&line(5000), culprit, 1.0, 1);
        let mut bisector = cause_of(&world, Strategy::Posterior);
        run(&mut world, &mut bisector, 200)
    };
    let first = candidates(4999).order.iter().find(|(_, role)| *role == Role::Candidate).map(|&(commit, _)| commit).unwrap();
    let number = (0..5000).find(|&number| id(number) == first).unwrap();
    let ended = candidates(number + 1);
    assert_eq!(ended.named().map(|(commit, _)| commit), Some(id(number + 1)));
    assert!(ended.rebuilt.contains(&first), "{:?}", ended.order);
}

#[test]
fn what_runs_is_not_left_for_an_equal() {
    let world = World::new(&line(16), 5, 1.0, 1);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    for (commit, role, trial) in [(16, Role::Start, crash(0.999, 1)), (0, Role::GoodEnd, clean())] {
        for number in 0..5 {
            bisector.record(evidence(commit as u64 * 10 + number, id(commit), role, trial.clone()));
        }
    }
    bisector.judge(verdict(id(16), 5, Verdict::Bad));
    bisector.judge(verdict(id(0), 5, Verdict::Good));
    let tried = |pending: &[Pending]| match bisector.plan(pending) {
        Plan::Do(actions) => match actions[0] {
            Action::Try { commit, .. } => commit,
            Action::Build(commit) => commit,
        },
        Plan::Done(conclusion) => panic!("{conclusion:?}"),
    };
    let first = tried(&[]);
    assert_eq!(tried(&[Pending { commit: first, trials: 1 }]), first);
    // Nearly as good, and its build is under way.
    let near = id(10);
    assert_ne!(first, near);
    assert_eq!(tried(&[Pending { commit: near, trials: 0 }]), near);
    // Hardly any good.
    assert_eq!(tried(&[Pending { commit: id(15), trials: 0 }]), first);
}

/// A history with marks for all its commits.
#[derive(Debug, Clone)]
struct Session {
    seed: u64,
    len: usize,
    good: usize,
}

fn sessions() -> impl proptest::strategy::Strategy<Value = Session> {
    (any::<u64>(), 4_usize..60, any::<prop::sample::Index>()).prop_map(|(seed, len, good)| Session {
        seed,
        len,
        good: good.index(len - 1),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn single_trials_by_git_are_gits_own_sequence(session in sessions()) {
        let mut dice = Dice(session.seed);
        let parents = merges(session.len, &mut dice);
        let culprit = dice.below(parents.len());
        let mut world = World::new(&parents, culprit, 1.0, 1);
        world.void = (0..parents.len()).filter(|_| dice.chance(0.15)).map(id).collect();
        let newest = world.newest();
        let ends = Ends { kind: Kind::Cause, start: newest, good: vec![id(session.good)], releases: Vec::new() };
        let single = Settings { single_trials: true, ..settings(Strategy::Git) };
        let mut bisector = Bisector::new(Arc::clone(&world.graph), ends, single).unwrap();

        let mut expected = Vec::new();
        let graph = Arc::clone(&world.graph);
        let node = |commit: CommitId| graph.node(&commit).unwrap();
        let (good, start) = (node(id(session.good)), node(newest));
        let end = git_compat::Steps::default().replay(&graph, start, &[good], git_compat::Options::default(), |node: Node| {
            let commit = graph.id(node);
            expected.push(commit);
            Some(match world.trial(commit).outcome {
                Outcome::Clean => Mark::Good,
                Outcome::Crashed(_) => Mark::Bad,
                Outcome::Void(_) => Mark::Skip,
            })
        });
        let ended = run(&mut world, &mut bisector, 500);
        let order: Vec<CommitId> = ended.order.iter().map(|&(commit, _)| commit).collect();
        prop_assert_eq!(order, expected);
        match end.next {
            Next::FirstBad(node) => prop_assert_eq!(ended.named().map(|(commit, _)| commit), Some(graph.id(node))),
            Next::OnlySkipped { possible, .. } => {
                let Conclusion::Inconclusive { suspects, .. } = ended.conclusion else { panic!("{:?}", ended.conclusion) };
                let found: HashSet<CommitId> = suspects.iter().map(|suspect| suspect.commit).collect();
                prop_assert_eq!(found, possible.into_iter().map(|node| graph.id(node)).collect::<HashSet<_>>());
            }
            _ => prop_assert!(matches!(ended.conclusion, Conclusion::CannotSearch { .. }), "{:?}", ended.conclusion),
        }
    }

    /// Whatever trials say, a search ends, and without a panic.
    #[test]
    fn every_search_ends(session in sessions(), by_git in any::<bool>(), fix in any::<bool>()) {
        let mut dice = Dice(session.seed);
        let parents = merges(session.len.min(30), &mut dice);
        let newest = parents.len() - 1;
        let good = session.good.min(newest - 1);
        let mut world = World::new(&parents, 0, 1.0, session.seed ^ 5);
        // Bad and good commits at random, whatever contains what; the ends mostly fit.
        let share = dice.below(10) as f64 / 9.0;
        world.bad = (0..newest).filter(|_| dice.chance(share)).map(id).collect();
        let (start, end) = if fix { (good, newest) } else { (newest, good) };
        world.bad.insert(id(start));
        if dice.chance(0.8) {
            world.bad.remove(&id(end));
        }
        world.r = [1.0, 0.9, 0.5][dice.below(3)];
        world.f = [0.0, 0.01, 0.2][dice.below(3)];
        world.stray = ([0.0, 0.1, 0.5][dice.below(3)], [0.0, 0.1, 0.5, 0.9][dice.below(4)]);
        world.void = (0..parents.len()).filter(|_| dice.chance(0.2)).map(id).collect();
        world.voids = [0.0, 0.1, 0.6][dice.below(3)];
        world.drifted = ((0..newest).filter(|_| dice.chance(0.3)).map(id).collect(), dice.below(11) as f64 / 10.0);
        let kind = if fix { Kind::Fix } else { Kind::Cause };
        let strategy = if by_git { Strategy::Git } else { Strategy::Posterior };
        let ends = Ends { kind, start: id(start), good: vec![id(end)], releases: Vec::new() };
        let Ok(mut bisector) = Bisector::new(Arc::clone(&world.graph), ends, settings(strategy)) else {
            return Ok(());
        };
        run(&mut world, &mut bisector, 15_000);
    }
}

/// Nothing changed from commit 4 to commit 5: one of them was clean by chance.
#[test]
fn a_culprit_is_not_named_whose_kernel_equals_its_parents() {
    let world = World::new(&line(10), 5, 1.0, 1);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    let mut number = 0;
    let mut see = |bisector: &mut Bisector, commit: usize, role: Role, trial: &crate::policy::Trial, times: u32| {
        for _ in 0..times {
            number += 1;
            bisector.record(evidence(number, id(commit), role, trial.clone()));
        }
    };
    see(&mut bisector, 10, Role::Start, &crash(0.999, 0), 3);
    bisector.judge(verdict(id(10), 3, Verdict::Bad));
    see(&mut bisector, 0, Role::GoodEnd, &clean(), 2);
    bisector.judge(verdict(id(0), 2, Verdict::Good));
    see(&mut bisector, 5, Role::Candidate, &crash(0.999, 0), 2);
    see(&mut bisector, 4, Role::Candidate, &clean(), 3);
    assert!(matches!(bisector.plan(&[]), Plan::Done(Conclusion::Found { suspects }) if suspects[0].commit == id(5)));
    for commit in [4, 5] {
        bisector.record_build(Built { commit: id(commit), build: 1, digest: Some("the same".to_owned()) });
    }
    let Plan::Do(actions) = bisector.plan(&[]) else { panic!("more is to be tried") };
    assert!(matches!(actions[0], Action::Try { .. }));
    assert!(bisector.summary().suspects[0].commit != id(5));
}

/// The bug came with commit 5, went with 9 and came again with 15; somebody tried commits 7 and 12.
#[test]
fn a_crash_that_came_twice_is_told_with_the_two_commits() {
    let mut world = World::new(&line(20), 15, 1.0, 1);
    world.bad.extend((5..9).map(id));
    let mut bisector = cause_of(&world, Strategy::Posterior);
    for number in 1001..1004 {
        bisector.record(evidence(number, id(7), Role::Candidate, crash(0.999, 0)));
    }
    bisector.judge(verdict(id(7), 3, Verdict::Bad));
    for number in 1004..1009 {
        bisector.record(evidence(number, id(12), Role::Candidate, clean()));
    }
    bisector.judge(verdict(id(12), 5, Verdict::Good));
    let ended = run(&mut world, &mut bisector, 500);
    let Conclusion::Inconclusive { why, suspects, .. } = &ended.conclusion else { panic!("{:?}", ended.conclusion) };
    let names = |commits: &[usize]| commits.iter().any(|&commit| why.contains(&id(commit).short()));
    assert!(why.starts_with("the history is not monotone: ") && names(&[5, 6, 7, 8]) && names(&[12]), "{why}");
    assert!(!suspects.is_empty());
}
