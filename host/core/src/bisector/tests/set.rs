//! What is known is a set: the order of recording does not matter, and retracting undoes recording.

use std::sync::Arc;

use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;
use proptest::strategy::Just;
use proptest::strategy::Strategy as _;

use super::world::*;
use crate::bisector::*;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::SAYS_SOMETHING;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;

#[derive(Debug, Clone)]
struct Seen {
    evidence: Vec<Evidence>,
    judged: Vec<Judged>,
}

/// Trials and verdicts at commits of a line of 9, the ends known so well that the search is under way in most cases.
fn seen() -> impl proptest::strategy::Strategy<Value = Seen> {
    let trial = prop_oneof![
        Just(clean()),
        (0.1..=1.0).prop_map(|exposure| Trial { exposure, ..clean() }),
        Just(crash(0.999, 1)),
        (0.0..=1.0, 2_u32..5).prop_map(|(same, look)| crash(same, look)),
        Just(void(Stage::Boot)),
        Just(void(Stage::Infra)),
    ];
    let verdict_of = prop_oneof![Just(Verdict::Good), Just(Verdict::Bad), Just(Verdict::Skip("why".to_owned()))];
    let trials = proptest::collection::vec((0_usize..10, 1_u32..3, trial), 0..20);
    let verdicts = proptest::collection::btree_map(1_usize..9, verdict_of, 0..4);
    (trials, verdicts).prop_map(|(trials, verdicts)| {
        let mut evidence: Vec<Evidence> = (1..=3).map(|number| evidence(number, id(9), Role::Start, crash(0.999, 1))).collect();
        for (number, (commit, build, trial)) in trials.into_iter().enumerate() {
            let number = TrialNumber(number as u64 + 4);
            evidence.push(Evidence { number, commit: id(commit), role: Role::Candidate, build, trial });
        }
        let mut judged = vec![verdict(id(9), 3, Verdict::Bad)];
        judged.extend(verdicts.into_iter().map(|(commit, of)| verdict(id(commit), 0, of)));
        Seen { evidence, judged }
    })
}

fn bisector(strategy: Strategy) -> Bisector {
    let graph = Arc::new(graph(&line(9)));
    let start = graph.id(Node(9));
    let ends = Ends { kind: Kind::Cause, start, good: vec![id(0)], releases: Vec::new() };
    Bisector::new(graph, ends, settings(strategy)).unwrap()
}

/// Everything that a bisection says of itself.
fn said(bisector: &Bisector) -> (Plan, Summary) {
    (bisector.plan(&[]), bisector.summary())
}

proptest! {
    #[test]
    fn any_order_gives_the_same_state(seen in seen(), order in any::<u64>(), by_git in any::<bool>()) {
        let strategy = if by_git { Strategy::Git } else { Strategy::Posterior };
        let (mut one, mut other) = (bisector(strategy), bisector(strategy));
        for evidence in &seen.evidence {
            one.record(evidence.clone());
        }
        for judged in &seen.judged {
            one.judge(judged.clone());
        }
        let mut shuffled = seen.clone();
        let mut dice = Dice(order);
        while !shuffled.evidence.is_empty() || !shuffled.judged.is_empty() {
            let at = dice.below(shuffled.evidence.len() + shuffled.judged.len());
            if at < shuffled.evidence.len() {
                other.record(shuffled.evidence.swap_remove(at));
                // Asking in between changes nothing.
                other.plan(&[]);
            } else {
                other.judge(shuffled.judged.swap_remove(at - shuffled.evidence.len()));
            }
        }
        prop_assert_eq!(said(&one), said(&other));
    }

    #[test]
    fn retracting_undoes_recording(seen in seen(), commit in 0_usize..10, trial in prop_oneof![Just(clean()), Just(crash(0.6, 3))]) {
        let mut bisector = bisector(Strategy::Posterior);
        for evidence in seen.evidence {
            bisector.record(evidence);
        }
        for judged in seen.judged {
            bisector.judge(judged);
        }
        let before = said(&bisector);
        bisector.record(evidence(1000, id(commit), Role::Candidate, trial));
        bisector.retract(TrialNumber(1000));
        prop_assert_eq!(before, said(&bisector));
    }

    #[test]
    fn recording_a_number_again_replaces_it(seen in seen(), place in any::<prop::sample::Index>()) {
        let (mut twice, mut once) = (bisector(Strategy::Posterior), bisector(Strategy::Posterior));
        let place = place.index(seen.evidence.len());
        for (at, evidence) in seen.evidence.iter().enumerate() {
            let other = if at == place { crash(0.3, 4) } else { evidence.trial.clone() };
            twice.record(Evidence { trial: other, ..evidence.clone() });
            once.record(evidence.clone());
        }
        twice.record(seen.evidence[place].clone());
        prop_assert_eq!(said(&twice), said(&once));
    }
}

#[test]
fn a_verdict_falls_with_the_trial_it_rests_on() {
    let mut bisector = bisector(Strategy::Posterior);
    for number in 1..=3 {
        bisector.record(evidence(number, id(9), Role::Start, crash(0.999, 1)));
    }
    bisector.judge(verdict(id(9), 3, Verdict::Bad));
    assert_eq!(bisector.summary().tested[0].verdict, Some(Verdict::Bad));
    bisector.retract(TrialNumber(2));
    assert_eq!(bisector.summary().tested[0].verdict, None);
}

#[test]
fn trials_that_policies_did_not_see_keep_no_verdict() {
    let mut bisector = bisector(Strategy::Posterior);
    for number in 1..=3 {
        bisector.record(evidence(number, id(9), Role::Start, crash(0.999, 1)));
    }
    let cut_short = Trial { exposure: SAYS_SOMETHING / 2.0, ..clean() };
    bisector.record(evidence(4, id(9), Role::Start, cut_short));
    bisector.judge(verdict(id(9), 3, Verdict::Bad));
    bisector.retract(TrialNumber(4));
    assert_eq!(bisector.summary().tested[0].verdict, Some(Verdict::Bad));
    bisector.record(evidence(5, id(9), Role::Start, Trial { exposure: SAYS_SOMETHING / 2.0, ..clean() }));
    bisector.retract(TrialNumber(2));
    assert_eq!(bisector.summary().tested[0].verdict, None);
}

#[test]
fn the_answer_that_saw_most_trials_stands() {
    let mut bisector = bisector(Strategy::Posterior);
    bisector.record(evidence(1, id(9), Role::Start, clean()));
    bisector.judge(verdict(id(9), 5, Verdict::Good));
    bisector.judge(verdict(id(9), 2, Verdict::Bad));
    assert_eq!(bisector.plan(&[]), Plan::Done(Conclusion::NotReproduced));
}
