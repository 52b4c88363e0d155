//! What trials under a smaller configuration say: whether the crash still shows.
//!
//! Two mistakes weigh differently. Where it is wrongly said to show, every later trial is in vain: so it takes hits that are the target's
//! own by far likelier than not, and a look that only may be the target's never counts for more than its own chance of being it, however
//! often it comes (a look is a lasting trait, not a fresh draw each time). Where it is wrongly said to be gone, a few options stay.

use std::collections::BTreeMap;

use crate::policy::Failure;
use crate::policy::Outcome;
use crate::policy::TARGET_LOOK;
use crate::policy::Trial;

/// Odds at which the crash shows, at even odds before the first trial: a mistake in five hundred.
const SHOWS: f64 = 500.0;
/// Chance of a false alarm, and of a stray at each trial, that is reckoned with whatever was seen so far: what a culprit must stand, too.
const ALARMS: f64 = 0.03;
const STRAYS: f64 = 0.01;
/// A crash that shows less often than this share of what it did is not shown well enough: every commit would take so many more trials.
const RARER: f64 = 1.0 / 3.0;
/// So many trials without a result, before any that has one, or more of them than others by so many, and nobody can tell.
const VOIDS: usize = 3;
/// Where so many trials ended with another crash, and the target did not show beside them, it is hidden: such a configuration is no good.
const HIDDEN: usize = 6;

/// What is known from the whole configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Before {
    /// Chance that a trial shows the target.
    pub rate: f64,
    /// Clean trials that are enough to say that the target no longer shows.
    pub clean_enough: u32,
}

/// What the trials of a test say so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Showing {
    /// The crash still shows.
    Shows,
    /// It is gone, or too rare to work with.
    Gone,
    /// Nobody can tell, and why.
    Untestable(String),
    /// More trials are needed: so many at least before it can be said.
    Open(u32),
}

/// Reads the trials of one configuration, in the order in which they ended.
pub fn showing(before: Before, trials: &[Trial]) -> Showing {
    let rate = before.rate.clamp(0.01, 0.999);
    let (mut hits, mut clean, mut strays) = (0_u32, 0.0_f64, 0_usize);
    let mut voids: Vec<&Failure> = Vec::new();
    let mut looks: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for trial in trials {
        match &trial.outcome {
            Outcome::Clean => clean += trial.exposure.clamp(0.0, 1.0),
            Outcome::Void(failure) => voids.push(failure),
            Outcome::Crashed(seen) => {
                let same = if seen.same.is_nan() { 0.001 } else { seen.same.clamp(0.001, 0.999) };
                hits += u32::from(seen.is_target());
                strays += usize::from(!seen.is_target());
                let (odds, surest) = looks.entry(seen.look).or_insert((1.0, 0.0));
                *odds *= ((1.0 - rate) + rate * same / (STRAYS * (1.0 - same) + ALARMS * same)).max(1.0);
                *surest = f64::max(*surest, same);
            }
        }
    }
    let capped = |(look, (odds, surest)): (&u32, &(f64, f64))| {
        if *look == TARGET_LOOK { *odds } else { odds.min((surest / (1.0 - surest)).max(1.0)) }
    };
    let odds: f64 = looks.iter().map(capped).product();
    let valid = f64::from(hits) + clean;
    let enough = f64::from(before.clean_enough.max(1));
    if odds >= SHOWS {
        return if f64::from(hits) >= RARER * rate * valid { Showing::Shows } else { Showing::Gone };
    }
    // With a hit it is not surely gone: as many trials again, and it is too rare.
    if clean >= if hits == 0 { enough } else { 2.0 * enough / rate.max(0.1) } {
        return Showing::Gone;
    }
    let others = trials.len() - voids.len() - strays;
    if voids.len() >= VOIDS + 2 * others
        && let Some(last) = voids.last()
    {
        return Showing::Untestable(last.reason.clone());
    }
    if strays >= HIDDEN + 2 * others {
        return Showing::Gone;
    }
    let missing = if hits == 0 { (enough - clean).ceil().clamp(1.0, (2.0 / rate).round()) } else { (1.0 / rate).round() };
    Showing::Open(missing as u32)
}
