//! Tests of [`super`].

use kbisect_sdk::CrashReport;
use kbisect_sdk::flake_policy::Failure;
use kbisect_sdk::flake_policy::Sighting;
use proptest::prelude::*;

use super::*;

fn crash(same: f64) -> Trial {
    Trial { outcome: Outcome::Crashed(Sighting { report: CrashReport::default(), same }), exposure: 1.0 }
}

fn clean() -> Trial {
    Trial { outcome: Outcome::Clean, exposure: 1.0 }
}

fn void(stage: Stage) -> Trial {
    Trial { outcome: Outcome::Void(Failure { stage, reason: "why".to_owned() }), exposure: 0.0 }
}

fn ask(role: Role, trials: Vec<Trial>) -> Ask {
    Ask { commit: "c".to_owned(), role, trials, running: 0, proposed: 1 }
}

fn past(clean: u32, crashed: u32) -> Past {
    Past { commit: "p".to_owned(), role: Role::Start, clean, crashed, void: 0, verdict: Some(Verdict::Bad) }
}

fn known(r: f64, r_low: f64, history: Vec<Past>) -> Known {
    Known { delta: 0.01, range: 1000.0, rates: Some(Rates { r, r_low, r_high: 1.0, f: 0.001, u: 0.01 }), history }
}

fn first() -> Known {
    Known { delta: 0.01, range: 1000.0, rates: None, history: Vec::new() }
}

fn decide(role: Role, trials: Vec<Trial>, known: &Known) -> Decision {
    judge(&ask(role, trials), known).decision
}

#[test]
fn a_steady_start_takes_three_trials() {
    assert_eq!(decide(Role::Start, vec![], &first()), Decision::Want(3));
    assert_eq!(decide(Role::Start, vec![crash(1.0); 2], &first()), Decision::Want(3));
    assert_eq!(decide(Role::Start, vec![crash(1.0); 3], &first()), Decision::Conclude(Verdict::Bad));
}

#[test]
fn a_flaky_start_takes_up_to_twenty_and_more_if_nothing_shows() {
    assert_eq!(decide(Role::Start, vec![clean()], &first()), Decision::Want(20));
    assert_eq!(decide(Role::Start, vec![clean(); 20], &first()), Decision::Want(30));
    assert_eq!(decide(Role::Start, vec![clean(); 30], &first()), Decision::Conclude(Verdict::Good));
    let mut late = vec![clean(); 25];
    late.push(crash(1.0));
    assert_eq!(decide(Role::Start, late, &first()), Decision::Conclude(Verdict::Bad));
    let mut mixed = vec![clean(); 17];
    mixed.extend([crash(1.0), crash(1.0), crash(1.0)]);
    assert_eq!(decide(Role::Start, mixed, &first()), Decision::Conclude(Verdict::Bad));
    let mut learned = vec![clean(); 4];
    learned.extend(vec![crash(1.0); 6]);
    assert_eq!(decide(Role::Start, learned, &first()), Decision::Conclude(Verdict::Bad));
}

#[test]
fn other_crashes_at_the_start_are_neither() {
    let Decision::Conclude(Verdict::Skip(_)) = decide(Role::Start, vec![crash(0.01); 20], &first()) else {
        panic!("strays say nothing of the target");
    };
}

#[test]
fn a_steady_target_needs_one_crash_or_two_clean_trials() {
    let known = known(0.9, 0.5, vec![past(0, 3)]);
    assert_eq!(decide(Role::Candidate, vec![crash(0.98)], &known), Decision::Conclude(Verdict::Bad));
    assert_eq!(decide(Role::Candidate, vec![clean()], &known), Decision::Want(2));
    assert_eq!(decide(Role::Candidate, vec![clean(); 2], &known), Decision::Conclude(Verdict::Good));
}

#[test]
fn a_target_known_to_be_steady_needs_one_clean_trial() {
    let known = known(0.97, 0.85, vec![past(0, 12)]);
    assert_eq!(decide(Role::Candidate, vec![clean()], &known), Decision::Conclude(Verdict::Good));
}

#[test]
fn a_whole_steady_bisection_is_cheap() {
    // 1,024 commits: git bisect run takes 10 trials. Start 3, good end, and every second commit good.
    let mut trials = 3;
    let mut crashed = 3;
    for step in 0..11 {
        let bad = step % 2 == 1;
        let low = 0.05_f64.powf(1.0 / f64::from(crashed + 1));
        let known = known(0.95, low, vec![past(0, crashed)]);
        let mut seen = Vec::new();
        loop {
            match decide(Role::Candidate, seen.clone(), &known) {
                Decision::Want(total) => assert!(total > u32::try_from(seen.len()).expect("few")),
                Decision::Conclude(verdict) => {
                    assert_eq!(verdict, if bad { Verdict::Bad } else { Verdict::Good });
                    break;
                }
                Decision::Abort(reason) => panic!("{reason}"),
            }
            seen.push(if bad { crash(0.98) } else { clean() });
            trials += 1;
        }
        crashed += u32::from(bad);
    }
    // Leaves five for the verification of 2 × 10 + 5.
    assert!(trials <= 20, "{trials}");
}

#[test]
fn a_flaky_target_is_tested_as_wald_says() {
    let known = known(0.5, 0.35, vec![past(10, 10)]);
    let Decision::Want(total) = decide(Role::Candidate, vec![], &known) else { panic!("no verdict without trials") };
    assert!((15..=30).contains(&total), "{total}");
    assert_eq!(decide(Role::Candidate, vec![clean(); 30], &known), Decision::Conclude(Verdict::Good));
    assert_eq!(decide(Role::Candidate, vec![clean(), crash(0.98), crash(0.98)], &known), Decision::Conclude(Verdict::Bad));
    // A crash that is surely something else is no vote.
    assert_eq!(decide(Role::Candidate, vec![crash(0.001); 5], &known), Decision::Want(5 + total));
}

#[test]
fn doubtful_crashes_with_one_title_are_one_doubt() {
    // A second bug that lives on this commit crashes in every trial.
    let known = known(0.95, 0.8, vec![past(0, 3)]);
    assert!(matches!(decide(Role::Candidate, vec![crash(0.1); 19], &known), Decision::Want(_)));
    let Decision::Conclude(Verdict::Skip(_)) = decide(Role::Candidate, vec![crash(0.1); 20], &known) else {
        panic!("nothing else can be seen here");
    };
    assert_eq!(decide(Role::Candidate, vec![crash(0.7); 20], &known), Decision::Conclude(Verdict::Bad));
    let rates = known.rates.expect("set");
    let ratio = |trials: &[Trial]| sprt::ratio(trials, &rates, SURE);
    assert!(ratio(&vec![crash(0.1); 19]) <= (1.1_f64 / 0.9).ln());
    // The target itself is a vote each time.
    assert!((ratio(&vec![crash(0.98); 3]) - 3.0 * ratio(&[crash(0.98)])).abs() < 1e-9);
    let mut other = crash(0.1);
    let Outcome::Crashed(seen) = &mut other.outcome else { panic!("a crash") };
    seen.report.title = "another".to_owned();
    assert!(ratio(&[crash(0.1), other]) > ratio(&[crash(0.1), crash(0.1)]), "another title is another doubt");
}

#[test]
fn a_build_failure_is_skipped_at_once_and_other_voids_are_not_counted() {
    let known = known(0.9, 0.5, vec![past(0, 3)]);
    let Decision::Conclude(Verdict::Skip(reason)) = decide(Role::Candidate, vec![void(Stage::Build)], &known) else {
        panic!("a build failure is a skip");
    };
    assert!(reason.contains("why"));
    assert_eq!(decide(Role::Candidate, vec![void(Stage::Boot)], &known), Decision::Want(3));
}

#[test]
fn verification_runs_what_the_search_proposes() {
    let known = known(0.97, 0.85, vec![past(0, 12)]);
    let mut question = ask(Role::Verification, vec![clean()]);
    question.proposed = 4;
    assert_eq!(judge(&question, &known).decision, Decision::Want(4));
    question.trials = vec![clean(); 4];
    assert_eq!(judge(&question, &known).decision, Decision::Conclude(Verdict::Good));
}

#[test]
fn an_undecidable_commit_is_skipped() {
    let known = known(0.02, 0.0, vec![past(50, 1)]);
    assert_eq!(decide(Role::Candidate, vec![], &known), Decision::Want(MOST));
    let Decision::Conclude(Verdict::Skip(_)) = decide(Role::Candidate, vec![clean(); 200], &known) else {
        panic!("200 trials are the end");
    };
}

fn any_trial() -> impl Strategy<Value = Trial> {
    (0_u8..8, prop_oneof![Just(f64::NAN), -1.0..2.0_f64], prop_oneof![Just(f64::INFINITY), 0.0..1.0_f64]).prop_map(
        |(kind, same, exposure)| {
            let outcome = match kind {
                0..=2 => Outcome::Clean,
                3..=5 => Outcome::Crashed(Sighting { report: CrashReport::default(), same }),
                6 => Outcome::Void(Failure { stage: Stage::Boot, reason: String::new() }),
                _ => Outcome::Void(Failure { stage: Stage::Infra, reason: String::new() }),
            };
            Trial { outcome, exposure }
        },
    )
}

proptest! {
    #[test]
    fn is_bounded_and_ends(
        trials in proptest::collection::vec(any_trial(), 0..230),
        role in prop_oneof![Just(Role::Start), Just(Role::Candidate), Just(Role::Verification)],
        r in 0.0..1.0_f64,
        low in 0.0..1.0_f64,
        f in 0.0..1.0_f64,
        u in 0.0..1.0_f64,
        proposed in 0_u32..5000,
        missed in 0_u32..2,
    ) {
        let known = Known {
            delta: 0.01,
            range: 100.0,
            rates: Some(Rates { r, r_low: low.min(r), r_high: 1.0, f, u }),
            history: vec![past(missed, 3)],
        };
        let finished = u32::try_from(trials.len()).expect("few");
        let mut question = ask(role, trials);
        question.proposed = proposed;
        let answer = judge(&question, &known);
        prop_assert!((0.0..=1.0).contains(&answer.confidence));
        match answer.decision {
            Decision::Want(total) => prop_assert!(total > finished && total <= MOST, "{total} after {finished}"),
            Decision::Conclude(_) => {}
            Decision::Abort(reason) => prop_assert!(false, "{}", reason),
        }
    }

    #[test]
    fn more_clean_trials_never_make_it_worse(cleans in 0_usize..60, low in 0.05..0.9_f64) {
        let known = known(low, low, vec![past(3, 3)]);
        let ratio = |n: usize| (0..n).map(|_| sprt::weight(&clean(), &known.rates.expect("set"))).sum::<f64>();
        prop_assert!(ratio(cleans + 1) < ratio(cleans));
    }
}
