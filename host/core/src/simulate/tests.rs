#![allow(clippy::unwrap_used, reason = "tests")]

mod calibration;

use proptest::prelude::*;

use super::*;
use crate::bisector::Settings;
use crate::bisector::Strategy;
use crate::policy::Ask;
use crate::policy::Decision;
use crate::policy::Judgement;
use crate::policy::Outcome;
use crate::policy::Stage;
use crate::policy::Verdict;

const SETTINGS: Settings = Settings { strategy: Strategy::Posterior, delta: 0.01, trust_good: false, single_trials: false };

/// Wald's test with the low estimate of r, and a cap: what the bundled policy is in the main.
struct Sequential;

impl FlakePolicy for Sequential {
    fn judge(&mut self, ask: &Ask, situation: &Situation) -> Judgement {
        let r = situation.rates.map_or(0.3, |rates| rates.r_low).clamp(0.05, 0.95);
        let bound = f64::ln(4000.0);
        let (mut sum, mut voids) = (0.0, 0);
        let trials = &ask.trials;
        for trial in trials {
            match &trial.outcome {
                Outcome::Clean => sum += (1.0 - r * trial.exposure).ln(),
                Outcome::Crashed(sighting) => {
                    let s = sighting.same.clamp(0.001, 0.999);
                    sum += f64::max(0.0, ((1.0 - r) + r * s / (0.001 * (1.0 - s) + 0.001 * s)).ln());
                }
                Outcome::Void(failure) => voids += usize::from(failure.stage != Stage::Infra),
            }
        }
        let decision = if sum >= bound {
            Decision::Conclude(Verdict::Bad)
        } else if sum <= -bound {
            Decision::Conclude(Verdict::Good)
        } else if voids > 0 && voids == trials.len() || trials.len() >= 120 {
            Decision::Conclude(Verdict::Skip("cannot tell".to_owned()))
        } else {
            Decision::Want(trials.len() as u32 + ((bound / -(1.0 - r).ln()).ceil() as u32).max(1))
        };
        Judgement { decision, confidence: 1.0, reason: String::new() }
    }
}

fn total(cell: &Cell<'_>, runs: u64) -> Total {
    let (mut total, mut choices) = (Total::default(), Choices::default());
    (0..runs).for_each(|run| total.add(cell.run(1, run, &mut Sequential, &mut choices)));
    total
}

fn quiet(repro: f64) -> Chances {
    Chances { repro, stray: 0.0, misjudged: 0.0, infra: 0.0, ..Chances::default() }
}

fn cell<'a>(history: &'a History, repro: f64, faults: &'a [Fault], searcher: Searcher) -> Cell<'a> {
    Cell { history, chances: quiet(repro), faults, hunch: None, searcher, lab: Lab::default() }
}

#[test]
fn everybody_finds_a_bug_that_always_shows() {
    for history in [History::linear(100), History::dag(100, &Shape::default(), &mut Dice::new(3))].map(Result::unwrap) {
        for searcher in [Searcher::Bisector(SETTINGS), Searcher::Serial, Searcher::GitRun(1)] {
            let total = total(&cell(&history, 1.0, &[], searcher), 20);
            assert_eq!(total.share(&[Worth::Right]), 1.0, "{searcher:?}: {:?}", total.stuck());
        }
    }
}

#[test]
fn one_trial_a_commit_takes_log2_n_builds_one_after_the_other() {
    let history = History::linear(1023).unwrap();
    let total = total(&cell(&history, 1.0, &[], Searcher::GitRun(1)), 50);
    let builds = total.mean(|run| run.builds.into());
    assert!((9.0..=11.0).contains(&builds), "{builds}");
    let lab = Lab::default();
    let minutes = total.mean(|run| run.minutes) / builds;
    assert!(minutes > lab.build + lab.boot && minutes < lab.build + lab.boot + lab.trial, "{minutes}");
}

#[test]
fn any_crash_of_another_bug_misleads_git_but_not_the_search() {
    let history = History::linear(200).unwrap();
    let chances = Chances { stray: 0.05, ..quiet(0.95) };
    let of = |searcher| total(&Cell { chances, ..cell(&history, 0.95, &[], searcher) }, 40);
    assert!(of(Searcher::GitRun(10)).share(&[Worth::Wrong]) > 0.5);
    assert_eq!(of(Searcher::Bisector(SETTINGS)).share(&[Worth::Wrong]), 0.0);
}

#[test]
fn a_bug_older_than_the_range_is_said_to_be() {
    let history = History::linear(100).unwrap();
    for searcher in [Searcher::Bisector(SETTINGS), Searcher::Serial] {
        assert_eq!(total(&cell(&history, 1.0, &[Fault::Older], searcher), 10).share(&[Worth::Right]), 1.0, "{searcher:?}");
    }
}

#[test]
fn a_culprit_that_cannot_be_tested_is_in_the_named_set() {
    let history = History::linear(100).unwrap();
    let faults = [Fault::Untestable { share: 0.2, place: Place::Inside, boots: false }];
    for searcher in [Searcher::Bisector(SETTINGS), Searcher::Serial] {
        assert_eq!(total(&cell(&history, 1.0, &faults, searcher), 10).share(&[Worth::Set]), 1.0, "{searcher:?}");
    }
}

/// A failed build must not be forgotten because the search has turned to another commit by then: it would come back for ever.
#[test]
fn builds_that_fail_while_others_are_made_ahead_are_learned_from() {
    let history = History::linear(15_000).unwrap();
    let faults = [Fault::Untestable { share: 0.2, place: Place::Inside, boots: false }];
    let total = total(&cell(&history, 0.95, &faults, Searcher::Bisector(SETTINGS)), 3);
    assert_eq!(total.share(&[Worth::Set]), 1.0);
    let builds = total.mean(|run| run.builds.into());
    assert!(builds < 50.0, "{builds} builds");
}

#[test]
fn a_broken_stretch_costs_at_most_twelve_builds_in_vain() {
    let history = History::linear(15_000).unwrap();
    let faults = [Fault::Untestable { share: 0.2, place: Place::Inside, boots: false }];
    let cell = cell(&history, 0.95, &faults, Searcher::Bisector(SETTINGS));
    for builders in [1, 2] {
        let total = total(&Cell { lab: Lab { builders, ..cell.lab }, ..cell }, 60);
        assert!(total.most_inside() <= 12, "{} with {builders} builders", total.most_inside());
        assert!(total.set_median().unwrap() <= 1.2);
    }
}

#[test]
fn the_same_seed_gives_the_same_runs() {
    let history = History::dag(80, &Shape::default(), &mut Dice::new(1)).unwrap();
    let faults = ["second-bug", "title-drift", "era", "correlated", "exposure"].map(|name| name.parse().unwrap());
    let cell = Cell { chances: Chances::default(), ..cell(&history, 0.7, &faults, Searcher::Bisector(SETTINGS)) };
    let once = || cell.run(7, 5, &mut Sequential, &mut Choices::default());
    assert_eq!(once(), once());
}

#[test]
fn graphs_are_read_up_to_their_tip_and_range() {
    // A line of five commits, and a branch from its second to its fourth.
    let text = "e 50 d\nd 40 c ab\nc 30 b\nab 25 b\nb 20 a\na 10\n";
    let all = History::from_text(text, None, None).unwrap();
    assert_eq!((all.range.len(), all.mainline.len()), (6, 5));
    let part = History::from_text(text, Some("d"), Some(3)).unwrap();
    assert_eq!((part.range.len(), part.graph.id(part.start).to_string().trim_end_matches('0')), (3, "d"));
    // Where parents have no line, a made-up commit is the good end, too.
    let cut = History::from_text("e 50 d\nd 40 c ab\n", None, None).unwrap();
    assert_eq!((cut.range.len(), cut.mainline.len()), (2, 2));
    let shape = Shape::of(&all.graph, all.start);
    assert_eq!(shape.branches, [(1, 2)]);
}

#[test]
fn bad_histories_are_refused() {
    let read = |text: &str| History::from_text(text, None, None).unwrap_err().to_string();
    assert_eq!(read(""), "the graph holds no commit");
    assert_eq!(read("a 1\nxyz 2\n"), "line 2: `xyz` is not up to 40 hexadecimal digits");
    assert_eq!(read("a"), "line 1: no committer time behind the id");
    assert_eq!(read("a one"), "line 1: `one` is no time in seconds");
    assert_eq!(read("a 1 a"), "line 1: the commit is its own parent");
    assert_eq!(read("a 1 b\nb 2 a\n"), "the graph holds a cycle");
    for name in ["b", "ffffffffffffffffffffffffffffffffffffffff", "HEAD"] {
        assert_eq!(History::from_text("a 1", Some(name), None).unwrap_err(), BadHistory::NoCommit(name.to_owned()));
    }
    assert_eq!(History::linear(0).unwrap_err(), BadHistory::Size(0));
}

#[test]
fn faults_read_as_they_are_written() {
    for text in ["second-bug", "second-bug:0.5:0.2", "title-drift:0.2", "exposure:0.25", "untestable:0.2:inside:boot", "older"] {
        assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
    }
    for text in ["", "bug", "era:2", "older:1", "untestable:0.2:where", "second-bug:0.5:0.2:0.1:0", "infra:NaN", "infra:-1"] {
        assert!(text.parse::<Fault>().is_err(), "{text}");
    }
}

#[test]
fn wilson_is_the_textbooks() {
    // Agresti and Coull (1998): 0 of 10 and 9 of 10.
    let (low, high) = wilson(0, 10);
    assert!(low.abs() < 1e-12 && (high - 0.2775).abs() < 1e-3);
    let (low, high) = wilson(9, 10);
    assert!((low - 0.5958).abs() < 1e-3 && (high - 0.9821).abs() < 1e-3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever goes wrong, every run comes to an end.
    #[test]
    fn all_runs_end(
        commits in 1_usize..60,
        repro in 0.0..=1.0,
        stray in 0.0..0.5,
        which in proptest::sample::subsequence(
            vec!["second-bug", "title-drift", "exposure", "untestable", "era", "infra:0.5", "correlated:0.3", "older", "reintroduced"],
            0..4,
        ),
        seed in any::<u64>(),
    ) {
        let faults: Vec<Fault> = which.iter().map(|name| name.parse().unwrap()).collect();
        let history = History::dag(commits, &Shape::default(), &mut Dice::new(seed)).unwrap();
        let chances = Chances { repro, stray, ..Chances::default() };
        for searcher in [Searcher::Bisector(SETTINGS), Searcher::Serial, Searcher::GitRun(3)] {
            let cell = Cell { history: &history, chances, faults: &faults, hunch: None, searcher, lab: Lab::default() };
            let run = cell.run(seed, 1, &mut Sequential, &mut Choices::default());
            prop_assert!(run.is_ok(), "{searcher:?}: {run:?}");
        }
    }
}

#[test]
fn answers_that_may_be_wrong_are_asked_for_about_as_often_as_must_be() {
    let history = History::dag(400, &Shape::default(), &mut Dice::new(2)).unwrap();
    let flips = Flips::new(&history, 0.05, Rates::One);
    let stops: Vec<Stop> = (0..100).flat_map(|run| flips.run(3, run, &[0.02])).collect();
    assert!(stops.iter().filter(|stop| stop.right).count() >= 94);
    let mean = stops.iter().map(|stop| f64::from(stop.trials)).sum::<f64>() / 100.0;
    // No search does with fewer than log2 400 / (1 − H(.05)) = 12.1 on average.
    assert!((12.1..20.0).contains(&mean), "{mean}");
}
