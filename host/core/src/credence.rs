//! How sure a name is: three chances, whose product is the probability that the named commit introduced the crash.
//!
//! A search finds the boundary, the first commit at which the target shows. Whether that commit also introduced the bug is a second
//! question: a reproducer often stops to reach an old bug in kernels that lack some option, feature or detector, and then the boundary
//! is where that came in. So there are three chances: that the target begins to show here (*boundary*), that what shows here is the
//! target at all (*same bug*), and that this commit introduced it rather than only exposes an older bug (*introduced here*).
//!
//! Owns how facts become these chances, and the numbers for that ([`table`]). What a commit touches is weighed by a suspicion plugin
//! ([`Credit`]); which commit is named, and the boundary's probability, is the search's ([`crate::bisector`]).

pub mod table;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::Serialize;

use crate::policy::Outcome;
use crate::reach::Reached;

/// What a commit's trials show of the target: the likeliest crash's chance of being it, and the share of the valid trials that crashed,
/// each crash counted by its chance ([`Findings::same`], [`Findings::shown`]). None without a valid trial.
pub fn shown<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Option<(f64, f64)> {
    let (mut sum, mut valid, mut same) = (0.0, 0_u32, 0.0_f64);
    for outcome in outcomes {
        let chance = match outcome {
            Outcome::Crashed(sighting) => sighting.same,
            Outcome::Clean => 0.0,
            Outcome::Void(_) => continue,
        };
        sum += chance;
        same = same.max(chance);
        valid += 1;
    }
    (valid > 0).then(|| (same, sum / f64::from(valid)))
}

/// What is known of a commit that is named as where a crash was introduced.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Probability that the target begins to show here, by the trials: 0 to 1.
    pub boundary: f64,
    /// Whose trials these are.
    pub trials: Trials,
    /// Chance that the crash at the commit is the target, at even prior odds: 0 to 1.
    pub same: f64,
    /// Share of the commit's valid trials that crashed, each crash counted by its chance of being the target: 0 to 1.
    pub shown: f64,
    /// The commit's kernel equals its parent's: what differs between them is chance.
    pub equal_kernels: bool,
    /// How many releases were tested to find a clean one, that one included; 0 where the good end was stated.
    pub releases: u32,
    /// Whether the reproducer gets, at the clean parent, to where the start commit crashes; none: nobody looked.
    pub reached: Option<Reached>,
    /// What a suspicion plugin makes of the commit; none: nobody has an opinion.
    pub credit: Option<Credit>,
}

/// Whose trials a boundary's probability is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trials {
    /// This search's own: it tests until its probability holds.
    Search,
    /// A log's of another search, which stopped where its own rules said so.
    Log,
}

/// What a suspicion plugin makes of a commit that is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credit {
    /// How many times likelier such a commit is to have introduced the crash than only to expose an older bug; above 0.
    pub odds: f64,
    /// Why, in one line.
    pub reason: String,
}

/// One of the three chances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// From 0 to 1.
    pub chance: f64,
    /// Why, in one line.
    pub reason: String,
}

/// How sure a name is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credence {
    /// The product of the three: that the named commit introduced the crash.
    pub probability: f64,
    /// The target begins to show here.
    pub boundary: Part,
    /// What shows here is the target.
    pub same: Part,
    /// The commit introduced the bug rather than only exposes an older one.
    pub introduced: Part,
}

impl Credence {
    /// The chances for these findings. What is out of its range is taken for the range's nearer end.
    pub fn of(findings: &Findings) -> Self {
        let same = findings.same.clamp(0.0, 1.0);
        let shown = findings.shown.clamp(0.0, 1.0);
        let mut boundary = boundary(findings.boundary.clamp(0.0, 1.0), findings.trials);
        if findings.equal_kernels {
            boundary.chance *= table::EQUAL_KERNELS;
            boundary.reason += "; but its kernel equals its parent's";
        }
        let same_bug = Part {
            chance: logistic(table::SAME.base + table::SAME.likeness * table::log_odds(same) + table::SAME.shown * shown),
            reason: format!("{} of its trials show the crash, which is the target's with {}", percent(shown), percent(same)),
        };
        let introduced = introduced(same, findings);
        Self { probability: boundary.chance * same_bug.chance * introduced.chance, boundary, same: same_bug, introduced }
    }
}

fn boundary(probability: f64, trials: Trials) -> Part {
    match trials {
        Trials::Search => {
            Part { chance: probability, reason: format!("the trials leave {} for other commits", percent(1.0 - probability)) }
        }
        Trials::Log => Part {
            chance: probability.max(table::LEAST_BOUNDARY).powf(table::LOG_TRUST),
            reason: format!("the log's trials, judged anew, give it {}", percent(probability)),
        },
    }
}

/// The odds are those of the model of exposure, `w (1 - v) : v` with the weight w of the commit and the chance v that a bug no longer
/// shows after so many releases; moved by whether the reproducer gets to the crash at the parent, and lowered where the crash here is
/// unlike that at the start.
fn introduced(same: f64, findings: &Findings) -> Part {
    let Findings { releases, reached, credit, .. } = findings;
    let vanished = table::vanished(*releases);
    // A plugin's number out of range is no opinion.
    let credit = credit.as_ref().filter(|credit| credit.odds.is_finite() && credit.odds > 0.0);
    let odds = credit.map_or(1.0, |credit| credit.odds) * (1.0 - vanished) / vanished * table::reach_odds(*reached);
    let walk = match releases {
        0 => "the good end was stated".to_owned(),
        1 => "it is clean one release back".to_owned(),
        more => format!("it is clean only {more} releases back"),
    };
    let mut reason = format!("{walk}, where {} of the bugs only hide", percent(vanished));
    match reached {
        Some(Reached::Yes) => reason += "; its parent runs the code that crashes, and is clean",
        Some(Reached::No) => reason += "; its parent does not get to the code that crashes, so that clean says nothing there",
        Some(Reached::Unknown) | None => {}
    }
    if let Some(credit) = credit {
        reason += &format!("; {}", credit.reason);
    }
    if same < 0.5 {
        reason += "; the crash here is unlike that at the start";
    }
    let chance = logistic(odds.ln() - table::DRIFT * (1.0 - same));
    let most = if *reached == Some(Reached::No) { table::HIDDEN_AT_MOST } else { 1.0 };
    Part { chance: chance.min(most), reason }
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
