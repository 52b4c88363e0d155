#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::record::event::Event;
use crate::session;
use crate::syzbot;
use crate::syzbot::Found;
use crate::syzbot::Left;
use crate::syzbot::Line;
use crate::syzbot::Spot;

fn id(number: u64) -> CommitId {
    let mut bytes = [0; 20];
    bytes[12..].copy_from_slice(&(number + 1).to_be_bytes());
    CommitId::from_bytes(bytes)
}

/// The log of `git bisect` on a line of commits 0 (good) to `last` (bad), of which those from `culprit` on are bad.
fn bisected(last: u64, culprit: u64) -> Log {
    let mut text = format!("bisecting cause commit starting from {0}\ntesting commit {0}\nall runs: crashed: BUG: x\n", id(last));
    let _ = write!(text, "testing release v1\ntesting commit {0}\nall runs: OK\n# git bisect start {1} {0}\n", id(0), id(last));
    let (mut good, mut bad) = (0, last);
    while bad - good > 1 {
        let next = good + (bad - good) / 2;
        // As git counts: what is left if it is good, but for the bad end.
        let left = bad - next - 1;
        let plural = if left == 1 { "" } else { "s" };
        let _ =
            writeln!(text, "Bisecting: {left} revision{plural} left to test after this (roughly 1 step)\n[{}] subject", id(next));
        let (said, mark) = if next >= culprit { ("crashed: BUG: x", "bad") } else { ("OK", "good") };
        let _ = writeln!(text, "testing commit {0}\nall runs: {said}\n# git bisect {mark} {0}", id(next));
        if next >= culprit { bad = next } else { good = next }
    }
    let _ = writeln!(text, "{} is the first bad commit\nrevisions tested: 1, total time: 1s (build: 1s, test: 0s)", id(bad));
    let _ = writeln!(text, "first bad commit: {} subject", id(bad));
    syzbot::read(&text).unwrap()
}

proptest! {
    #[test]
    fn a_log_tells_how_many_commits_lie_between(last in 2_u64..5_000, place in 0.0..1.0_f64, flipped in any::<prop::sample::Index>()) {
        let culprit = 1 + (place * last as f64) as u64;
        let log = bisected(last, culprit);
        prop_assert!(log.warnings.is_empty(), "{:?}", log.warnings);
        let commits = log.commits();
        let line = Line::of(&log, &commits);
        // The order of the spots is that of history, and every gap that is exact is as wide as it is there.
        let place = |commit: &CommitId| (0..=last).find(|number| id(*number) == *commit).unwrap();
        let mut before: Option<(u64, u64, bool)> = None;
        for spot in line.spots() {
            match spot {
                Spot::Commit(commit) => {
                    let at = place(commit);
                    if let Some((older, gap, exact)) = before {
                        prop_assert!(older < at);
                        prop_assert!(!exact || at - older - 1 == gap, "{older} {gap} {at}");
                    }
                    before = Some((at, 0, true));
                }
                Spot::Gap { commits, exact } => {
                    let (older, ..) = before.unwrap();
                    before = Some((older, *commits, *exact));
                }
            }
        }
        let given: HashMap<CommitId, Mark> = commits.iter().map(|one| (one.commit, one.verdict.unwrap())).collect();
        prop_assert_eq!(line.left(|commit| given.get(commit).copied()), Left::One(id(culprit)));
        // Where the last verdict of a kind falls, the commits that were out are in question again, or the verdicts contradict.
        let one = flipped.get(&commits);
        let other = |commit: &CommitId| {
            let mark = *given.get(commit)?;
            if *commit != one.commit {
                return Some(mark);
            }
            Some(if mark == Mark::Good { Mark::Bad } else { Mark::Good })
        };
        match line.left(other) {
            Left::One(named) => {
                prop_assert!(named != id(culprit));
                let bad = (0..=last).filter(|number| other(&id(*number)) == Some(Mark::Bad)).min().unwrap();
                let good = (0..=last).filter(|number| other(&id(*number)) == Some(Mark::Good)).max().unwrap();
                prop_assert_eq!((named, bad), (id(bad), good + 1));
            }
            Left::Several { commits, exact, .. } => prop_assert!(commits > 1 || !exact),
            Left::Contradiction { .. } | Left::Open => {}
        }
    }
}

#[test]
fn trials_that_say_nothing_lean_nowhere() {
    let seen = |same| Seen { title: "BUG: x".to_owned(), same, reason: String::new(), look: 1, trials: 1 };
    let trial = |outcome| Trial { outcome, exposure: 1.0 };
    let clean = [trial(Outcome::Clean)];
    assert_eq!(lean::lean(None, &[], &[]), None);
    assert_eq!(lean::lean(None, &clean, &[]), Some(Verdict::Good));
    assert_eq!(lean::lean(None, &clean, &[seen(0.1)]), Some(Verdict::Good));
    assert_eq!(lean::lean(None, &[], &[seen(0.1)]), None);
    assert_eq!(lean::lean(None, &[], &[seen(0.1), seen(0.15)]), Some(Verdict::Bad));
    assert_eq!(lean::lean(Some(Verdict::Good), &clean, &[seen(0.98)]), Some(Verdict::Bad));
    assert_eq!(lean::lean(Some(Verdict::Good), &clean, &[seen(0.8)]), Some(Verdict::Good));
}

fn policies() -> Policies {
    Policies::load(&[], Arc::new(crate::plugin::facts::NoFacts), Arc::new(|notice| panic!("{notice:?}"))).unwrap()
}

/// Records a log in a folder and looks at it in every way.
fn keep(policies: &Policies, log: &Log, text: &str) -> session::Recorded {
    let history = History::of_log(log);
    let strategy = kbisect_core::bisector::Strategy::Posterior;
    let replay = replay(log, policies, &history, strategy, Vec::new()).unwrap();
    let record = Account::new(policies, log, &replay, false).unwrap().record(policies).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let report = session::keep_record(record, &run).unwrap();
    let past = session::look(&run).unwrap();
    assert_eq!(crate::record::syzlog::render(&past.entries), text);
    // Every trial is there, and so is every commit that had one.
    let runs: usize = log.tests().iter().map(|test| test.runs.len()).sum();
    let ran = |event: &Event| matches!(event, Event::TrialEnded { outcome, .. } if !is_build(outcome));
    assert_eq!(past.entries.iter().filter(|entry| ran(&entry.event)).count(), runs);
    let tested: HashSet<CommitId> = past.summary.tested.iter().map(|one| one.commit).collect();
    let commits = log.commits();
    let had_trials = commits.iter().filter(|one| !one.runs.is_empty() || one.build_failed.is_some());
    assert_eq!(tested, had_trials.map(|one| one.commit).collect());
    // Nothing is told that only the history could tell.
    assert_eq!((past.summary.range, past.summary.left, past.summary.suspects.len()), (None, 0, 0));
    let explained = session::explain(&run, None).unwrap();
    assert!(explained.candidates.is_empty() && explained.of_a_log);
    assert!(!serde_json::to_string(&explained).unwrap().contains(&"f".repeat(24)));
    assert!(!serde_json::to_string(&report).unwrap().contains(&"f".repeat(24)));
    session::git_session(&run).unwrap();
    assert_eq!(report.is_some(), log.answer().found != Found::Nothing);
    past
}

fn is_build(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Void(failure) if failure.stage == Stage::Build)
}

/// All are given back from what a journal holds of them; to replay each one takes minutes, so that some stand for the others.
#[test]
fn real_logs_are_recorded_and_given_back() {
    const REPLAYED: usize = 25;
    let policies = policies();
    for (number, (path, text)) in syzbot::tests::data::logs().into_iter().enumerate() {
        let log = syzbot::read(&text).unwrap();
        assert!(log.warnings.is_empty(), "{}: {:?}", path.display(), log.warnings);
        let kept: Log = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
        let (search, answer) = kept.halves();
        assert_eq!(search + &answer, text, "{}", path.display());
        if number % REPLAYED == 0 {
            keep(&policies, &log, &text);
        }
    }
}

/// Wherever a log ends, its record says what there is, and that the rest is missing.
#[test]
fn a_log_that_is_cut_anywhere_is_recorded() {
    let policies = policies();
    let whole = bisected(12, 7).to_string();
    let aim = whole.find('\n').unwrap();
    for at in (aim..whole.len()).filter(|at| at % 7 == 0 || whole.as_bytes()[*at] == b'\n') {
        let text = &whole[..at];
        let log = syzbot::read(text).unwrap();
        let past = keep(&policies, &log, text);
        let warned = past.entries.iter().filter(|entry| matches!(entry.event, Event::Warned { .. })).count();
        let answered = log.answer().found != Found::Nothing;
        assert!(answered || warned > 0, "{text}");
    }
}
