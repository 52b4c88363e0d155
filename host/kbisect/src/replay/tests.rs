#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::syzbot;

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
