//! The policy itself: what one commit needs, given what is known of the target.
//!
//! Three situations. At the start commit nothing is known of the target: three hits are enough to know that it shows, and it gets up to
//! [`START`] trials, or [`UNSEEN`] if none shows it; how many more it takes to know r is the search's to say. Elsewhere, as long as the
//! target never missed a trial at a bad commit, it is taken for *steady*: one sure crash is bad, one or two clean trials are good; the
//! search's posterior and the verification guard against what that overlooks. Otherwise Wald's test decides.

use kbisect_sdk::Past;
use kbisect_sdk::Rates;
use kbisect_sdk::Role;
use kbisect_sdk::Verdict;
use kbisect_sdk::flake_policy::Ask;
use kbisect_sdk::flake_policy::Decision;
use kbisect_sdk::flake_policy::Judgement;
use kbisect_sdk::flake_policy::Outcome;
use kbisect_sdk::flake_policy::Stage;
use kbisect_sdk::flake_policy::Trial;

use crate::sprt;

/// Trials that a start commit gets at most once it has shown the target.
pub const START: u32 = 20;
/// Trials without a hit after which the target is not reproduced; one that shows in one of ten is found in them with 96 %.
pub const UNSEEN: u32 = 30;
/// Hits that make a start commit bad at once.
const PROMPT: u32 = 3;
/// No commit gets more trials than these.
pub const MOST: u32 = 200;
/// A crash with at least this chance of being the target is a hit.
const HIT: f64 = 0.5;
/// ... and with this one it may decide alone.
const SURE: f64 = 0.9;
/// A steady target's rate is known this well once one clean trial is enough.
const KNOWN: f64 = 0.8;
/// False alarms above this rate mean that no single crash decides.
const ALARMS: f64 = 0.02;

/// What is known outside the commit in question.
#[derive(Debug, Clone)]
pub struct Known {
    /// Chance of a wrong name that the user puts up with.
    pub delta: f64,
    /// Commits in the range.
    pub range: f64,
    /// Rates of the target; none until the start commit was tested.
    pub rates: Option<Rates>,
    /// Commits tested before.
    pub history: Vec<Past>,
}

/// Rates that are assumed while none are known.
const UNKNOWN: Rates = Rates { r: 0.5, r_low: 0.15, r_high: 0.9, f: 0.003, u: 0.01 };

/// Answers one question.
#[must_use]
pub fn judge(ask: &Ask, known: &Known) -> Judgement {
    let tally = Tally::of(&ask.trials);
    if tally.valid() == 0
        && let Some(reason) = build_failure(&ask.trials)
    {
        return conclude(
            Verdict::Skip(format!("does not build: {reason}")),
            1.0,
            "a build that fails says nothing of the bug".to_owned(),
        );
    }
    if ask.role == Role::Start {
        return start(ask, &tally);
    }
    let rates = known.rates.unwrap_or(UNKNOWN);
    let ratio = sprt::ratio(&ask.trials, &rates, SURE);
    let verifying = ask.role == Role::Verification && tally.valid() < ask.proposed.min(MOST);
    let bound = sprt::bound(known.delta, known.range);
    let steady = steady(&rates, &known.history, &tally);
    let cleans_needed = if rates.r_low >= KNOWN { 1.0 } else { 2.0 };
    if !verifying {
        if ratio >= bound || steady && tally.sure >= 1 && tally.clean == 0 {
            let why = format!("{}: log-likelihood ratio {ratio:.1} of {bound:.1}", tally.text());
            return conclude(Verdict::Bad, sprt::confidence(ratio), why);
        }
        if ratio <= -bound || steady && tally.hits == 0 && tally.exposure + 0.1 >= cleans_needed {
            let why = format!("{}: log-likelihood ratio {ratio:.1} of -{bound:.1}", tally.text());
            return conclude(Verdict::Good, sprt::confidence(ratio), why);
        }
    }
    let finished = count(&ask.trials);
    if finished >= MOST {
        let reason = format!("undecided after {finished} trials: {}", tally.text());
        return conclude(Verdict::Skip(reason.clone()), 1.0, reason);
    }
    if !verifying && tally.valid() >= START && tally.sure + tally.clean == 0 {
        if tally.strays == 0 {
            return conclude(Verdict::Bad, HIT, format!("{}: rather the target than not, each time", tally.text()));
        }
        let reason = format!("other crashes hide what happens: {}", tally.text());
        return conclude(Verdict::Skip(reason.clone()), 1.0, reason);
    }
    let more = if verifying {
        ask.proposed.min(MOST) - tally.valid()
    } else if steady && tally.hits == 0 {
        (cleans_needed - tally.exposure).max(1.0).ceil() as u32
    } else {
        more_cleans(ratio, bound, &rates)
    };
    let why = if steady { "the target never missed so far" } else { "until the test leaves its bounds" };
    want(finished.saturating_add(more), format!("{}: {why}", tally.text()))
}

/// Clean full trials until the ratio falls below the lower bound.
fn more_cleans(ratio: f64, bound: f64, rates: &Rates) -> u32 {
    let step = -sprt::clean(1.0, rates);
    let steps = ((ratio + bound) / step.max(1e-6)).ceil();
    steps.clamp(1.0, f64::from(MOST)) as u32
}

/// Whether the target has shown in every valid trial at every bad commit, and false alarms are rare.
fn steady(rates: &Rates, history: &[Past], here: &Tally) -> bool {
    let bad = || history.iter().filter(|past| past.verdict == Some(Verdict::Bad));
    let crashed: u32 = bad().map(|past| past.crashed).sum();
    let missed = bad().any(|past| past.clean > 0) || here.hits > 0 && here.clean > 0;
    crashed >= PROMPT && !missed && rates.f <= ALARMS
}

/// The start commit: enough trials to know that the target shows.
fn start(ask: &Ask, tally: &Tally) -> Judgement {
    let finished = count(&ask.trials);
    let rate = format!("{} at the start commit", tally.text());
    if tally.hits >= PROMPT {
        return conclude(Verdict::Bad, sprt::confidence(f64::from(tally.hits) * 5.0), rate);
    }
    if tally.valid() >= START && tally.hits > 0 {
        return conclude(Verdict::Bad, sprt::confidence(f64::from(tally.hits) * 5.0), rate);
    }
    if tally.valid() >= START && 2 * tally.clean < tally.valid() {
        let reason = format!("other crashes hide what happens: {}", tally.text());
        return conclude(Verdict::Skip(reason.clone()), 1.0, reason);
    }
    if tally.valid() >= UNSEEN {
        // What a target of r = .1 would do with 95 %.
        return conclude(Verdict::Good, 0.95, format!("not reproduced: {rate}"));
    }
    if finished >= MOST {
        let reason = format!("undecided after {finished} trials: {}", tally.text());
        return conclude(Verdict::Skip(reason.clone()), 1.0, reason);
    }
    let goal = if tally.clean == 0 && tally.strays == 0 {
        PROMPT
    } else if tally.valid() < START {
        START
    } else {
        UNSEEN
    };
    want(finished.saturating_add(goal - tally.valid().min(goal - 1)), format!("{rate}: learning how often the target shows"))
}

/// A commit's trials, counted.
#[derive(Debug, Default)]
struct Tally {
    hits: u32,
    sure: u32,
    strays: u32,
    clean: u32,
    void: u32,
    /// Sum of the clean trials' exposures.
    exposure: f64,
}

impl Tally {
    fn of(trials: &[Trial]) -> Self {
        let mut tally = Self::default();
        for trial in trials {
            match &trial.outcome {
                Outcome::Clean => {
                    tally.clean += 1;
                    tally.exposure += if trial.exposure.is_finite() { trial.exposure.clamp(0.0, 1.0) } else { 0.0 };
                }
                Outcome::Crashed(seen) if seen.same >= HIT => {
                    tally.hits += 1;
                    tally.sure += u32::from(seen.same >= SURE);
                }
                Outcome::Crashed(_) => tally.strays += 1,
                Outcome::Void(_) => tally.void += 1,
            }
        }
        tally
    }

    /// Trials that say something of the kernel.
    fn valid(&self) -> u32 {
        self.hits + self.strays + self.clean
    }

    fn text(&self) -> String {
        let mut text = format!("{} of {} crashed", self.hits, self.hits + self.clean);
        for (count, what) in [(self.strays, "other crash"), (self.void, "void")] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        text
    }
}

/// Why the build failed, when it did.
fn build_failure(trials: &[Trial]) -> Option<&str> {
    trials.iter().find_map(|trial| match &trial.outcome {
        Outcome::Void(failure) if failure.stage == Stage::Build => Some(failure.reason.as_str()),
        _ => None,
    })
}

fn count(trials: &[Trial]) -> u32 {
    u32::try_from(trials.len()).unwrap_or(u32::MAX)
}

fn want(total: u32, reason: String) -> Judgement {
    Judgement { decision: Decision::Want(total.min(MOST)), confidence: 1.0, reason }
}

fn conclude(verdict: Verdict, confidence: f64, reason: String) -> Judgement {
    Judgement { decision: Decision::Conclude(verdict), confidence, reason }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
