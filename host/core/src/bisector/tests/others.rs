//! Other bugs: where they were seen and where they could be, on small graphs; and what a crash weighs.

use super::world::graph;
use super::world::id;
use super::world::line;
use crate::bisector::*;
use crate::crash::CrashReport;
use crate::policy::Decision;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::Role;
use crate::policy::Sighting;
use crate::policy::TARGET_LOOK;
use crate::policy::Trial;
use crate::policy::Verdict;

fn settings(strategy: Strategy) -> Settings {
    Settings { strategy, delta: 0.01, trust_good: false, single_trials: false }
}

fn bisector(parents: &[Vec<usize>], strategy: Strategy) -> Bisector {
    let newest = parents.len() - 1;
    let ends = Ends { kind: Kind::Cause, start: id(newest), good: vec![id(0)], releases: Vec::new() };
    Bisector::new(Arc::new(graph(parents)), ends, settings(strategy)).unwrap()
}

fn crash(same: f64, look: u32) -> Outcome {
    Outcome::Crashed(Sighting { report: CrashReport::default(), same, look })
}

fn evidence(number: u64, commit: usize, outcome: Outcome) -> Evidence {
    let trial = Trial { outcome, exposure: 1.0 };
    Evidence { number: TrialNumber(number), commit: id(commit), role: Role::Candidate, build: 1, trial }
}

/// Records these outcomes, commit by commit: `t` the target, `o` the other bug, `c` clean.
fn record(bisector: &mut Bisector, seen: &[(usize, &str)]) {
    let mut number = 0;
    for (commit, outcomes) in seen {
        for outcome in outcomes.chars() {
            number += 1;
            let outcome = match outcome {
                't' => crash(0.999, TARGET_LOOK),
                'o' => crash(0.01, 3),
                _ => Outcome::Clean,
            };
            bisector.record(evidence(number, *commit, outcome));
        }
    }
}

#[test]
fn it_is_possible_between_the_commits_that_showed_it() {
    let mut bisector = bisector(&line(9), Strategy::Posterior);
    record(&mut bisector, &[(0, "cc"), (2, "cccc"), (3, "cocco"), (4, "cc"), (6, "tot"), (7, "oooc"), (9, "ttt")]);
    let others = bisector.other_bugs();
    assert_eq!(others.len(), 1);
    let other = &others[0];
    let shown = |commit, crashes, trials| Shown { commit: id(commit), crashes, trials };
    assert_eq!(other.seen, [shown(3, 2, 5), shown(6, 1, 3), shown(7, 3, 4)]);
    assert_eq!((other.crashes(), other.trials, other.hidden), (6, 14, 2));
    // At a rate of 6 of 14, four clean trials happen in one case of nine.
    assert_eq!((other.free, other.oldest), (None, Some(shown(0, 0, 2))));
    record_clean(&mut bisector, 2, 3);
    assert_eq!(bisector.other_bugs()[0].free, Some(shown(2, 0, 7)));
}

fn record_clean(bisector: &mut Bisector, commit: usize, times: u64) {
    (0..times).for_each(|n| bisector.record(evidence(1000 + n, commit, Outcome::Clean)));
}

#[test]
fn a_branch_that_never_had_it_is_not_counted() {
    // 0 - 1 - 3 - 4 with a branch 0 - 2 that is merged in 4.
    let mut bisector = bisector(&[vec![], vec![0], vec![0], vec![1], vec![3, 2]], Strategy::Posterior);
    record(&mut bisector, &[(1, "oc"), (2, "cccccccc"), (3, "cc"), (4, "oc")]);
    let others = bisector.other_bugs();
    assert_eq!((others[0].crashes(), others[0].trials), (2, 6));
}

#[test]
fn what_came_once_is_no_bug_of_its_own() {
    let mut bisector = bisector(&line(5), Strategy::Posterior);
    record(&mut bisector, &[(1, "c"), (3, "o"), (5, "ttt")]);
    assert_eq!(bisector.other_bugs(), []);
}

#[test]
fn a_crash_weighs_by_its_chance_of_being_the_target() {
    let mut bisector = bisector(&line(20), Strategy::Posterior);
    assert_eq!(bisector.weight(&evidence(1, 20, crash(0.01, 3))), None, "nothing is known of the target yet");
    record(&mut bisector, &[(20, "ttttt"), (0, "cccc"), (10, "cccc")]);
    let judgement = Judgement { decision: Decision::Conclude(Verdict::Bad), confidence: 1.0, reason: String::new() };
    bisector.judge(Judged { commit: id(20), trials: 5, judgement });
    let weight = |same, look| bisector.weight(&evidence(100, 12, crash(same, look))).unwrap();
    assert_eq!(weight(0.0005, 3), 1.0, "it is surely something else");
    assert_eq!(weight(0.2, 3), 1.0, "it is read as a stray rather than as the target");
    assert!(weight(0.999, TARGET_LOOK) > 50.0);
    assert!((1.0..2.0).contains(&weight(0.01, 3)), "{}", weight(0.01, 3));
    // What it is asked about is not recorded.
    assert_eq!(bisector.summary().tested.iter().map(|tested| tested.other).sum::<u32>(), 0);
}

#[test]
fn a_clean_trial_that_was_cut_short_weighs_by_how_soon_the_target_shows() {
    let start_shows = |at: f64| {
        let mut bisector = bisector(&line(20), Strategy::Posterior);
        for number in 1..6 {
            let mut shows = evidence(number, 20, crash(0.999, TARGET_LOOK));
            shows.trial.exposure = at;
            bisector.record(shows);
        }
        let judgement = Judgement { decision: Decision::Conclude(Verdict::Bad), confidence: 1.0, reason: String::new() };
        bisector.judge(Judged { commit: id(20), trials: 5, judgement });
        let mut half = evidence(100, 12, Outcome::Clean);
        half.trial.exposure = 0.5;
        bisector.weight(&half).unwrap()
    };
    let (early, late) = (start_shows(0.1), start_shows(0.9));
    assert!(early < 0.15, "what shows in the first tenth would have shown: {early}");
    assert!(late > 0.8, "what shows at the end would not have: {late}");
}

#[test]
fn by_gits_rules_no_crash_has_a_weight() {
    let mut bisector = bisector(&line(5), Strategy::Git);
    record(&mut bisector, &[(5, "ttt"), (0, "c")]);
    assert_eq!(bisector.weight(&evidence(100, 2, crash(0.01, 3))), None);
}
