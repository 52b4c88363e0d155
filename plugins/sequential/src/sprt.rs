//! Wald's sequential probability ratio test on one commit's trials.
//!
//! Source: `A. Wald, Sequential Tests of Statistical Hypotheses, 1945`: with error chances α = β the log-likelihood ratio of bad
//! to good is followed trial by trial until it leaves ±ln((1−α)/α).

use std::collections::BTreeMap;

use kbisect_sdk::Rates;
use kbisect_sdk::flake_policy::Outcome;
use kbisect_sdk::flake_policy::Trial;

/// s is clamped to this far from 0 and 1: no classifier is surer than that.
const SUREST: f64 = 0.001;
/// Least rate of crashes that are not the target, and of false alarms: never seen is not impossible.
const LEAST_STRAYS: f64 = 0.001;
const LEAST_ALARMS: f64 = 0.0005;

/// Log-likelihood ratio of bad to good for one trial; 0 for a void.
///
/// Crashed: `max(1, (1−r) + r·s/(u·(1−s) + f·s))`, so a crash that is surely something else is no vote. Clean:
/// `(1 − r·exposure)/(1 − f·exposure)` with the lower end of r's interval, so that a flaky target is not given up early.
#[must_use]
pub fn weight(trial: &Trial, rates: &Rates) -> f64 {
    match &trial.outcome {
        Outcome::Clean => clean(trial.exposure, rates),
        Outcome::Crashed(seen) => {
            let s = number(seen.same, 0.5).clamp(SUREST, 1.0 - SUREST);
            let r = share(rates.r);
            let u = share(rates.u).max(LEAST_STRAYS);
            let f = share(rates.f).max(LEAST_ALARMS);
            ((1.0 - r) + r * s / (u * (1.0 - s) + f * s)).max(1.0).ln()
        }
        Outcome::Void(_) => 0.0,
    }
}

/// Log-likelihood ratio of bad to good for all trials of a commit.
///
/// Doubtful crashes with one title are one doubt, however often it comes: as the target they settle the matter, as another bug's
/// they say nothing. At even odds that is a chance of (1+s)/2, so together they weigh at most ln((1+s)/(1−s)). Crashes with a chance
/// of at least `sure` are each a vote.
#[must_use]
pub fn ratio(trials: &[Trial], rates: &Rates, sure: f64) -> f64 {
    let mut doubtful: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let mut ratio = 0.0;
    for trial in trials {
        let weight = weight(trial, rates);
        match &trial.outcome {
            Outcome::Crashed(seen) if number(seen.same, 0.5) < sure => {
                let (same, sum) = doubtful.entry(&seen.report.title).or_insert((0.0, 0.0));
                *same = same.max(number(seen.same, 0.5).clamp(SUREST, 1.0 - SUREST));
                *sum += weight;
            }
            _ => ratio += weight,
        }
    }
    ratio + doubtful.values().map(|(same, sum)| sum.min(((1.0 + same) / (1.0 - same)).ln())).sum::<f64>()
}

/// Log-likelihood ratio of a clean trial with this share of the full exposure; at most 0.
#[must_use]
pub fn clean(exposure: f64, rates: &Rates) -> f64 {
    let exposure = share(exposure);
    let missed = 1.0 - share(rates.r_low).min(1.0 - SUREST) * exposure;
    let quiet = 1.0 - share(rates.f).min(0.5) * exposure;
    (missed / quiet).ln().min(0.0)
}

/// Where the test stops: ln((1−α)/α) with α = δ/(4·log2 n), n being the number of commits in the range.
#[must_use]
pub fn bound(delta: f64, range: f64) -> f64 {
    let alpha = (number(delta, 0.01).clamp(1e-9, 0.5) / (4.0 * number(range, 1024.0).max(2.0).log2())).min(0.4);
    ((1.0 - alpha) / alpha).ln()
}

/// Chance that the better supported verdict is right, at even prior odds.
#[must_use]
pub fn confidence(ratio: f64) -> f64 {
    1.0 / (1.0 + (-ratio.abs()).exp())
}

fn share(value: f64) -> f64 {
    number(value, 0.0).clamp(0.0, 1.0)
}

fn number(value: f64, otherwise: f64) -> f64 {
    if value.is_finite() { value } else { otherwise }
}
