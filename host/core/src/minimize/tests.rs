use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::showing::Before;
use super::showing::Showing;
use super::showing::showing;
use super::*;
use crate::crash::CrashReport;
use crate::policy::Failure;
use crate::policy::Outcome;
use crate::policy::Sighting;
use crate::policy::Stage;
use crate::policy::TARGET_LOOK;
use crate::policy::Trial;

/// What a crash needs: any one of these sets of parts. No set: it never shows with fewer than all.
#[derive(Debug, Clone)]
struct Crash(Vec<BTreeSet<usize>>);

impl Crash {
    fn shows(&self, parts: &[usize]) -> bool {
        self.0.iter().any(|set| set.iter().all(|part| parts.contains(part)))
    }
}

fn problem(groups: &[usize], needs: Vec<Vec<usize>>, most: u32) -> Problem {
    let mut start = 0;
    let groups: Vec<Range<usize>> = groups
        .iter()
        .map(|length| {
            start += length;
            start - length..start
        })
        .collect();
    let weights = vec![1; groups.len()];
    Problem { needs, groups, weights, baseline: false, most }
}

/// Asks until the end; what is left, why, and how many tests it took. Every answer that shows must be a smaller set.
fn solve(problem: Problem, mut test: impl FnMut(&[usize]) -> Answer) -> (End, u32) {
    let mut minimizer = Minimizer::new(problem);
    loop {
        match minimizer.step() {
            Step::Done(end) => return (end, minimizer.tests()),
            Step::Baseline => minimizer.record(test(&[]), true),
            Step::Keep(parts) => {
                assert_eq!(minimizer.step(), Step::Keep(parts.clone()), "asking changes nothing");
                assert!(parts.len() < minimizer.left().len());
                minimizer.record(test(&parts), true);
            }
        }
    }
}

fn answer(shows: bool) -> Answer {
    if shows { Answer::Shows } else { Answer::Gone }
}

fn parts_of(end: &End) -> &[usize] {
    match &end.left {
        Left::Parts(parts) => parts,
        Left::Baseline => &[],
    }
}

/// Everything that these parts need, and they themselves: by going over them until nothing changes.
fn closed(parts: &[usize], needs: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut all: BTreeSet<usize> = parts.iter().copied().collect();
    loop {
        let more: BTreeSet<usize> = all.iter().flat_map(|part| needs[*part].iter().copied()).collect();
        let before = all.len();
        all.extend(more);
        if all.len() == before {
            return all;
        }
    }
}

/// A number of parts, which of them need which others (no circles, but in any order), and what the crash needs.
fn worlds(most: usize) -> impl Strategy<Value = (Vec<Vec<usize>>, Crash, Vec<usize>)> {
    (1..=most).prop_flat_map(|count| {
        let order = Just((0..count).collect::<Vec<usize>>()).prop_shuffle();
        let needs = vec(vec(any::<prop::sample::Index>(), 0..2), count);
        let crash = vec(prop::collection::btree_set(0..count, 0..4), 0..3);
        (order, needs, crash, 0..=count).prop_map(|(order, indices, crash, first)| {
            let mut needs = vec![Vec::new(); order.len()];
            for (place, part) in order.iter().enumerate().skip(1) {
                needs[*part] = indices[place].iter().map(|index| order[index.index(place)]).collect();
            }
            let whole = (0..order.len()).collect();
            let sets = if crash.is_empty() { vec![whole] } else { crash };
            (needs, Crash(sets), vec![first, order.len() - first])
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_left_shows_the_crash_and_nothing_of_it_can_go((needs, crash, groups) in worlds(14)) {
        let (end, _) = solve(problem(&groups, needs.clone(), u32::MAX), |parts| {
            let all = closed(parts, &needs);
            assert_eq!(all.len(), parts.len(), "what is tested holds what it needs");
            answer(crash.shows(parts))
        });
        prop_assert_eq!(end.why, Why::Minimal);
        let left = parts_of(&end).to_vec();
        prop_assert!(crash.shows(&left));
        // The oracle: no smaller set that holds what it needs shows it, tried one part at a time.
        for part in &left {
            let rest: Vec<usize> = left.iter().copied().filter(|other| other != part).collect();
            if closed(&rest, &needs).len() == rest.len() {
                prop_assert!(!crash.shows(&rest), "{part} of {left:?} can go");
            }
        }
    }

    #[test]
    fn few_tests_are_made(count in 1_usize..3000, picks in vec(any::<prop::sample::Index>(), 0..4)) {
        let needed: BTreeSet<usize> = picks.iter().map(|pick| pick.index(count)).collect();
        let crash = Crash(vec![needed.clone()]);
        let (end, tests) = solve(problem(&[count], vec![Vec::new(); count], u32::MAX), |parts| answer(crash.shows(parts)));
        prop_assert_eq!(parts_of(&end), needed.iter().copied().collect::<Vec<_>>());
        let halvings = (count as f64).log2().ceil() as u32;
        prop_assert!(tests <= 1 + 2 * needed.len() as u32 * halvings.max(1), "{tests} tests");
    }

    #[test]
    fn a_budget_is_kept_and_what_is_left_was_seen_to_show((needs, crash, groups) in worlds(14), most in 0_u32..6) {
        let mut shown: BTreeSet<Vec<usize>> = std::iter::once((0..needs.len()).collect()).collect();
        let (end, tests) = solve(problem(&groups, needs.clone(), most), |parts| {
            let answer = answer(crash.shows(parts));
            if answer == Answer::Shows {
                shown.insert(parts.to_vec());
            }
            answer
        });
        prop_assert!(tests <= most);
        prop_assert!(shown.contains(parts_of(&end)));
        prop_assert_eq!(end.why == Why::Budget, tests == most && end.why != Why::Minimal);
    }

    #[test]
    fn whatever_is_answered_it_ends((needs, _, groups) in worlds(14), answers in vec(0_u8..3, 1..40), baseline: bool) {
        let mut answers = answers.into_iter().cycle();
        let count = needs.len();
        let problem = Problem { baseline, ..problem(&groups, needs, u32::MAX) };
        let (end, tests) = solve(problem, |_| match answers.next() {
            Some(0) => Answer::Shows,
            Some(1) => Answer::Gone,
            _ => Answer::Untestable,
        });
        prop_assert!(tests as usize <= 2 + 4 * count * count);
        prop_assert!(parts_of(&end).len() <= count);
    }
}

#[test]
fn half_of_a_thousand_goes_with_every_other_test() {
    let crash = Crash(vec![BTreeSet::from([700])]);
    let left = |most| {
        let (end, _) = solve(problem(&[1000], vec![Vec::new(); 1000], most), |parts| answer(crash.shows(parts)));
        parts_of(&end).len()
    };
    let sizes: Vec<usize> = (0..16).map(left).collect();
    assert_eq!(sizes, [1000, 1000, 1000, 500, 250, 250, 125, 125, 62, 31, 16, 16, 8, 8, 4, 2], "by the number of tests");
}

#[test]
fn the_baseline_alone_ends_it_and_groups_go_in_their_order() {
    let all = Problem { baseline: true, ..problem(&[2, 5], vec![Vec::new(); 7], 99) };
    let (end, tests) = solve(all.clone(), |_| Answer::Shows);
    assert_eq!((end, tests), (End { left: Left::Baseline, why: Why::Minimal }, 1));
    let mut asked: Vec<Vec<usize>> = Vec::new();
    let (end, _) = solve(all, |parts| {
        asked.push(parts.to_vec());
        answer(parts.contains(&1) && parts.contains(&4))
    });
    assert_eq!(asked[..3], [Vec::new(), vec![2, 3, 4, 5, 6], vec![0, 1, 5, 6]]);
    assert_eq!(end.left, Left::Parts(vec![1, 4]));
}

#[test]
fn it_is_given_up_where_nothing_smaller_can_be_tested() {
    let (end, tests) = solve(problem(&[1, 20], vec![Vec::new(); 21], 99), |_| Answer::Untestable);
    assert_eq!((end.why, tests, parts_of(&end).len()), (Why::Untestable, 3, 21));
}

#[test]
fn a_circle_goes_or_stays_as_one() {
    // 0 and 1 need each other, 2 needs 1.
    let needs = vec![vec![1], vec![0], vec![1], Vec::new()];
    for (needed, left) in [(vec![2], vec![0, 1, 2]), (vec![0], vec![0, 1]), (vec![3], vec![3])] {
        let (end, _) = solve(problem(&[4], needs.clone(), 99), |parts| answer(needed.iter().all(|part| parts.contains(part))));
        assert_eq!(parts_of(&end), left);
    }
}

fn crashed(same: f64, look: u32) -> Outcome {
    Outcome::Crashed(Sighting { report: CrashReport::default(), same, look })
}

fn trials(outcomes: &[Outcome]) -> Vec<Trial> {
    outcomes.iter().map(|outcome| Trial { outcome: outcome.clone(), exposure: 1.0 }).collect()
}

const SURE: Before = Before { rate: 0.99, clean_enough: 3 };

fn void() -> Outcome {
    Outcome::Void(Failure { stage: Stage::Boot, reason: "it did not come up".to_owned() })
}

#[test]
fn two_hits_show_it_and_clean_trials_end_it() {
    let hit = || crashed(0.999, TARGET_LOOK);
    let say = |outcomes: &[Outcome]| showing(SURE, &trials(outcomes));
    assert_eq!(say(&[]), Showing::Open(2));
    assert_eq!(say(&[hit()]), Showing::Open(1));
    assert_eq!(say(&[hit(), hit()]), Showing::Shows);
    assert_eq!(say(&[Outcome::Clean, Outcome::Clean]), Showing::Open(1));
    assert_eq!(say(&[Outcome::Clean, Outcome::Clean, Outcome::Clean]), Showing::Gone);
    // Cut short, a clean trial says less.
    let short = Trial { outcome: Outcome::Clean, exposure: 0.2 };
    assert_eq!(showing(SURE, &vec![short; 4]), Showing::Open(2));
    assert_eq!(say(&[void(), void()]), Showing::Open(2));
    assert_eq!(say(&[void(), void(), void()]), Showing::Untestable("it did not come up".to_owned()));
    let (mut rare, clean) = (vec![hit(), hit()], Outcome::Clean);
    rare.extend(vec![clean; 5]);
    assert_eq!(say(&rare), Showing::Gone, "once in four where it was always");
}

#[test]
fn another_crash_never_shows_it_however_often_it_comes() {
    for same in [0.001, 0.3, 0.5, 0.9, 0.98] {
        let mut outcomes = vec![Outcome::Clean];
        outcomes.extend(vec![crashed(same, 4); 200]);
        assert_ne!(showing(SURE, &trials(&outcomes)), Showing::Shows, "{same}");
    }
    assert_eq!(showing(SURE, &trials(&vec![crashed(0.01, 4); 6])), Showing::Gone);
}

/// A stream of numbers from 0 to 1, the same for the same seed.
fn numbers_from(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

/// Makes trials until there is an answer.
fn tested(before: Before, mut trial: impl FnMut() -> Outcome) -> (Showing, usize) {
    let mut outcomes = Vec::new();
    loop {
        match showing(before, &trials(&outcomes)) {
            Showing::Open(_) => outcomes.push(trial()),
            said => return (said, outcomes.len()),
        }
        assert!(outcomes.len() < 1000);
    }
}

/// With a reproducer that is flaky, false alarms and strays: what is left still shows the crash, and little of it could go.
#[test]
fn a_flaky_reproducer_leaves_the_needed_parts() {
    for (rate, clean_enough) in [(0.95, 3), (0.5, 10), (0.2, 30)] {
        let before = Before { rate, clean_enough };
        let (mut lost, mut more, runs) = (0, 0, 200);
        for seed in 0..runs {
            let mut chance = numbers_from(seed * 77 + 1);
            let needed: Vec<usize> = (0..2).map(|_| (chance() * 60.0) as usize).collect();
            let (end, _) = solve(problem(&[60], vec![Vec::new(); 60], u32::MAX), |parts| {
                let shows = needed.iter().all(|part| parts.contains(part));
                let (said, _) = tested(before, || match chance() {
                    x if x < 0.01 => crashed(0.4, 7),
                    _ if shows && chance() < rate || chance() < 0.003 => crashed(0.99, TARGET_LOOK),
                    _ => Outcome::Clean,
                });
                answer(said == Showing::Shows)
            });
            let left = parts_of(&end);
            lost += u64::from(!needed.iter().all(|part| left.contains(part)));
            more += u64::from(left.iter().any(|part| !needed.contains(part)));
        }
        assert!(lost * 50 <= runs, "r = {rate}: {lost} of {runs} lost a part that the crash needs");
        assert!(more * 5 <= runs, "r = {rate}: {more} of {runs} kept a part too many");
    }
}
