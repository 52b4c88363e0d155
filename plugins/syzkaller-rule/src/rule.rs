//! The verdict on one commit by syzkaller's rules.

use kbisect_sdk::Verdict;
use kbisect_sdk::flake_policy::Ask;
use kbisect_sdk::flake_policy::Decision;
use kbisect_sdk::flake_policy::Judgement;
use kbisect_sdk::flake_policy::Outcome;
use kbisect_sdk::flake_policy::Stage;
use kbisect_sdk::flake_policy::Trial;

use crate::settings::Era;

/// Trials of a commit.
const USUAL: u32 = 10;
/// Trials of the first commit, and of every commit once the bug is known to be flaky.
const MORE: u32 = 20;

/// What is known outside the commit.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Nothing was tested before.
    pub first: bool,
    /// Some bad commit crashed in fewer than half of its valid trials.
    pub flaky: bool,
    /// Crash types that stand for the first test.
    pub types: &'a [String],
    /// Chance that a run at a bad commit crashes, as [`crate::chance`] has it.
    pub chance: f64,
}

/// A commit's trials by syzkaller's classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Clean trials.
    pub good: u32,
    /// Crashes, of any kind.
    pub bad: u32,
    /// Failures of the host's side.
    pub infra: u32,
    /// Failures to boot, to pass the control test, to copy; and crashes that are ignored.
    pub skip: u32,
}

impl Counts {
    fn total(self) -> u32 {
        self.good + self.bad + self.infra + self.skip
    }

    fn of(trials: &[Trial], types: &[String]) -> Self {
        let mut counts = Self::default();
        for trial in trials {
            match &trial.outcome {
                Outcome::Clean => counts.good += 1,
                Outcome::Crashed(seen) if ignored(&seen.report.crash_type, types) => counts.skip += 1,
                Outcome::Crashed(_) => counts.bad += 1,
                Outcome::Void(failure) if failure.stage == Stage::Infra => counts.infra += 1,
                Outcome::Void(_) => counts.skip += 1,
            }
        }
        counts
    }
}

/// Crashes of the testing tools are no crashes, unless they are what is looked for. (None is known before the first test.)
fn ignored(kind: &str, types: &[String]) -> bool {
    matches!(kind, "SYZ_FAILURE" | "LOST_CONNECTION") && !types.is_empty() && !types.iter().any(|known| known == kind)
}

/// What the rule concludes from a commit's runs. Source: `syzkaller-policy.md` §5.2 (2024) and §14 (2019).
#[must_use]
pub fn verdict(counts: Counts, era: Era, flaky: bool) -> Decision {
    let Counts { good, bad, infra, skip } = counts;
    let total = counts.total();
    let undecided = |wanted: String| {
        Decision::Conclude(Verdict::Skip(format!(
            "unable to determine the verdict: {good} good and {bad} bad of {total}, wanted {wanted}"
        )))
    };
    match era {
        Era::Y2019 if bad > 0 => Decision::Conclude(Verdict::Bad),
        Era::Y2019 if good > 0 && 3 * (infra + skip) <= 2 * total => Decision::Conclude(Verdict::Good),
        Era::Y2019 => undecided("a third without errors".to_owned()),
        Era::Y2024 => {
            let want_bad = ((total - infra) / 6).max(2);
            let want_good = if flaky { total * 3 / 4 } else { total / 2 };
            let want_total = total / 2;
            if bad == 0 && good >= want_good {
                Decision::Conclude(Verdict::Good)
            } else if bad >= want_bad && good + bad >= want_total {
                Decision::Conclude(Verdict::Bad)
            } else if infra > skip {
                Decision::Abort(format!("{infra} of {total} trials failed for the infrastructure's sake"))
            } else {
                undecided(format!("{want_good} good, or {want_bad} bad of {want_total} valid ones"))
            }
        }
    }
}

/// A build that fails is skipped at once, whatever is known.
#[must_use]
pub fn unbuilt(ask: &Ask) -> Option<Judgement> {
    let reason = ask.trials.iter().find_map(|trial| match &trial.outcome {
        Outcome::Void(failure) if failure.stage == Stage::Build => Some(&failure.reason),
        _ => None,
    })?;
    let decision = Decision::Conclude(Verdict::Skip(format!("failed building: {reason}")));
    Some(Judgement { decision, confidence: 1.0, reason: "a build that fails is skipped".to_owned() })
}

/// Answers one question about a commit that was built: all runs first, then the verdict.
#[must_use]
pub fn judge(ask: &Ask, era: Era, situation: Situation<'_>) -> Judgement {
    let more = era == Era::Y2024 && (situation.first || situation.flaky);
    let total = if more { MORE } else { USUAL };
    let finished = u32::try_from(ask.trials.len()).unwrap_or(u32::MAX);
    if finished < total {
        return Judgement { decision: Decision::Want(total), confidence: 1.0, reason: format!("{finished} of {total} runs") };
    }
    let types = if era == Era::Y2024 { situation.types } else { &[] };
    let counts = Counts::of(&ask.trials, types);
    let decision = verdict(counts, era, situation.flaky);
    let confidence = match &decision {
        // A bad commit would be as clean with the rest of this (`syzkaller-policy.md` §5).
        Decision::Conclude(Verdict::Good) => 1.0 - (1.0 - situation.chance).powf(f64::from(counts.good)),
        _ => 1.0,
    };
    Judgement {
        decision,
        confidence,
        reason: format!("{} good, {} bad, {} infra, {} skip", counts.good, counts.bad, counts.infra, counts.skip),
    }
}

#[cfg(test)]
mod tests {
    use kbisect_sdk::CrashReport;
    use kbisect_sdk::Role;
    use kbisect_sdk::flake_policy::Failure;
    use kbisect_sdk::flake_policy::Sighting;

    use super::*;

    fn counts(good: u32, bad: u32, infra: u32, skip: u32) -> Counts {
        Counts { good, bad, infra, skip }
    }

    /// The nine rows of `conformance-data.md` §2.2.
    #[test]
    fn verdicts_of_2024() {
        let short = |counts, flaky| match verdict(counts, Era::Y2024, flaky) {
            Decision::Abort(_) => "abort",
            Decision::Conclude(Verdict::Good) => "good",
            Decision::Conclude(Verdict::Bad) => "bad",
            Decision::Conclude(Verdict::Skip(_)) => "skip",
            Decision::Want(_) => "want",
        };
        for (row, flaky, expected) in [
            (counts(0, 1, 8, 1), false, "abort"),
            (counts(5, 0, 3, 2), false, "good"),
            (counts(4, 2, 2, 2), false, "bad"),
            (counts(2, 2, 3, 3), false, "skip"),
            (counts(10, 0, 3, 7), true, "skip"),
            (counts(15, 0, 3, 2), true, "good"),
            (counts(6, 1, 0, 13), true, "skip"),
            (counts(7, 3, 0, 10), true, "bad"),
            (counts(9, 1, 0, 0), false, "skip"),
        ] {
            assert_eq!(short(row, flaky), expected, "{row:?}");
        }
    }

    #[test]
    fn one_crash_was_bad_in_2019() {
        assert_eq!(verdict(counts(9, 1, 0, 0), Era::Y2019, false), Decision::Conclude(Verdict::Bad));
        assert_eq!(verdict(counts(4, 0, 0, 6), Era::Y2019, false), Decision::Conclude(Verdict::Good));
        assert!(matches!(verdict(counts(3, 0, 4, 3), Era::Y2019, false), Decision::Conclude(Verdict::Skip(_))));
    }

    fn trial(outcome: Outcome) -> Trial {
        Trial { outcome, exposure: 1.0 }
    }

    fn crash(kind: &str) -> Trial {
        let report = CrashReport { crash_type: kind.to_owned(), ..CrashReport::default() };
        trial(Outcome::Crashed(Sighting { report, same: 0.01 }))
    }

    fn ask(trials: Vec<Trial>) -> Ask {
        Ask { commit: "c".to_owned(), role: Role::Candidate, trials, running: 0, proposed: 1 }
    }

    const LATER: Situation<'static> = Situation { first: false, flaky: false, types: &[], chance: 1.0 };

    #[test]
    fn wants_ten_or_twenty_runs() {
        assert_eq!(judge(&ask(vec![]), Era::Y2024, LATER).decision, Decision::Want(10));
        assert_eq!(judge(&ask(vec![]), Era::Y2024, Situation { first: true, ..LATER }).decision, Decision::Want(20));
        assert_eq!(judge(&ask(vec![]), Era::Y2024, Situation { flaky: true, ..LATER }).decision, Decision::Want(20));
        assert_eq!(judge(&ask(vec![]), Era::Y2019, Situation { first: true, ..LATER }).decision, Decision::Want(10));
    }

    #[test]
    fn any_crash_counts_but_those_of_the_tools() {
        let question = ask(vec![crash("WARNING"); 10]);
        assert_eq!(judge(&question, Era::Y2024, LATER).decision, Decision::Conclude(Verdict::Bad));
        let question = ask(vec![crash("LOST_CONNECTION"); 10]);
        let kasan = ["KASAN-READ".to_owned()];
        let decision = judge(&question, Era::Y2024, Situation { types: &kasan, ..LATER }).decision;
        assert!(matches!(decision, Decision::Conclude(Verdict::Skip(_))));
        let lost = ["LOST_CONNECTION".to_owned()];
        let decision = judge(&question, Era::Y2024, Situation { types: &lost, ..LATER }).decision;
        assert_eq!(decision, Decision::Conclude(Verdict::Bad));
    }

    #[test]
    fn clean_runs_say_less_where_the_reproducer_works_rarely() {
        let confidence =
            |chance: f64, trials: Vec<Trial>| judge(&ask(trials), Era::Y2024, Situation { chance, ..LATER }).confidence;
        let clean = || vec![trial(Outcome::Clean); 10];
        assert_eq!(confidence(1.0, clean()), 1.0);
        assert!((confidence(0.15, clean()) - (1.0 - 0.85_f64.powi(10))).abs() < 1e-12);
        assert_eq!(confidence(0.15, vec![crash("WARNING"); 10]), 1.0, "crashes leave no doubt");
    }

    #[test]
    fn a_failed_build_is_skipped() {
        let failure = Failure { stage: Stage::Build, reason: "no rule".to_owned() };
        let decision = unbuilt(&ask(vec![trial(Outcome::Void(failure))])).map(|judgement| judgement.decision);
        assert_eq!(decision, Some(Decision::Conclude(Verdict::Skip("failed building: no rule".to_owned()))));
        assert_eq!(unbuilt(&ask(vec![trial(Outcome::Clean)])), None);
    }
}
