//! Readings: which of the looks that crashes have are taken for the target.
//!
//! Whether a look is the target is a lasting trait, not a fresh draw with every crash: so a look that is neither surely the
//! target nor surely not is read both ways, all its crashes at once.

use std::collections::BTreeMap;

use super::Sight;
use super::Site;
use crate::policy::RATHER;
use crate::policy::TARGET_LOOK;

/// A crash whose chance of being the target is not above this says nothing at all.
pub(crate) const SURELY_NOT: f64 = 0.001;
/// A reading with no more weight than this falls; a look with no more or less its complement is not read both ways.
pub(crate) const FALLS: f64 = 0.02;
/// Means of equal numbers are not quite equal to them.
const ROUNDING: f64 = 1e-9;
/// The rate of strays is never taken for less.
pub(crate) const STRAY_FLOOR: f64 = 0.001;
/// At most this many looks are read both ways: those with most crashes.
const READ_BOTH_WAYS: usize = 3;

/// How the crashes of one look are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Taken {
    /// They are the target.
    Target,
    /// They are something else, and hide what the trial would have shown.
    Stray,
    /// By their chance of being the target and the rate at which the look occurs otherwise.
    Weighed {
        /// Its share of the valid trials, as far as it is not the target.
        strays: f64,
    },
}

/// One way to take every look.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    looks: BTreeMap<u32, Taken>,
    /// How likely it is by what the classifier says alone.
    pub(crate) prior: f64,
}

/// All readings of the crashes at these sites. Together their priors are 1.
pub(crate) fn readings(sites: &[Site]) -> Vec<Reading> {
    let mut valid = 0.0_f64;
    let mut chances: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for sight in sites.iter().flat_map(|site| site.kernels.iter().flatten()) {
        match *sight {
            Sight::Clean { .. } => valid += 1.0,
            Sight::Crash { same, look } if same > SURELY_NOT => {
                valid += 1.0;
                chances.entry(look).or_default().push(same.min(1.0 - SURELY_NOT));
            }
            Sight::Crash { .. } => {}
        }
    }
    let mean = |chances: &[f64]| chances.iter().sum::<f64>() / chances.len() as f64;
    let mut unsure: Vec<(u32, f64, usize)> = Vec::new();
    let mut looks = BTreeMap::new();
    for (&look, chances) in &mut chances {
        // Sums of floating-point numbers must not depend on the order of recording.
        chances.sort_unstable_by(f64::total_cmp);
        let strays = chances.iter().map(|same| 1.0 - same).sum::<f64>() / valid;
        looks.insert(look, Taken::Weighed { strays: strays.max(STRAY_FLOOR) });
        let mean = mean(chances);
        // One of them may be a false alarm, but what has the target's own look is not something else.
        if look != TARGET_LOOK && mean > FALLS + ROUNDING && mean < 1.0 - FALLS - ROUNDING {
            unsure.push((look, mean, chances.len()));
        }
    }
    unsure.sort_by_key(|&(look, _, crashes)| (std::cmp::Reverse(crashes), look));
    unsure.truncate(READ_BOTH_WAYS);
    let mut readings = vec![Reading { looks, prior: 1.0 }];
    for (look, mean, _) in unsure {
        readings = readings
            .iter()
            .flat_map(|reading| [(Taken::Target, mean), (Taken::Stray, 1.0 - mean)].map(|taken| reading.with(look, taken)))
            .collect();
    }
    readings
}

impl Reading {
    fn with(&self, look: u32, (taken, chance): (Taken, f64)) -> Self {
        let mut looks = self.looks.clone();
        looks.insert(look, taken);
        Self { looks, prior: self.prior * chance }
    }

    /// The looks that this reading takes for the target although they need not be.
    pub(crate) fn as_target(&self) -> Vec<u32> {
        self.taken(Taken::Target)
    }

    /// The looks that this reading takes for strays although they may not be.
    pub(crate) fn as_stray(&self) -> Vec<u32> {
        self.taken(Taken::Stray)
    }

    fn taken(&self, wanted: Taken) -> Vec<u32> {
        self.looks.iter().filter(|&(_, &taken)| taken == wanted).map(|(&look, _)| look).collect()
    }

    /// The chances of this sight at a good and at a bad commit, or none if it says nothing.
    ///
    /// At a good commit a clean trial of exposure e has 1 − f·e, a crash with chance s of being the target u·(1−s) + f·s; at a
    /// bad one they have (1 − r·e)(1 − f·e) and r·s + (1−r) times the good commit's, but never less than there: a crash that is surely
    /// something else is no vote. Were a clean trial at a bad commit 1 − r·e, a bug with r = 0 and many false alarms would explain hits and
    /// clean trials alike, and after some hundreds of clean ones the good end were bad.
    pub(crate) fn likelihood(&self, sight: Sight) -> Option<impl Fn(f64, f64) -> (f64, f64)> {
        let (same, strays, exposure) = match sight {
            Sight::Clean { exposure } => (None, 0.0, exposure),
            Sight::Crash { same, .. } if same <= SURELY_NOT => return None,
            Sight::Crash { same, look } => match self.looks.get(&look)? {
                Taken::Target => (Some(1.0 - SURELY_NOT), STRAY_FLOOR, 1.0),
                Taken::Stray => return None,
                Taken::Weighed { strays } => (Some(same.min(1.0 - SURELY_NOT)), *strays, 1.0),
            },
        };
        Some(move |r: f64, f: f64| match same {
            None => (1.0 - f * exposure, (1.0 - r * exposure) * (1.0 - f * exposure)),
            Some(same) => {
                let good = strays * (1.0 - same) + f * same;
                (good, good.max(r * same + (1.0 - r) * good))
            }
        })
    }

    /// Whether the sight is a crash with the target, for counting.
    pub(crate) fn is_hit(&self, sight: Sight) -> bool {
        match sight {
            Sight::Clean { .. } => false,
            Sight::Crash { same, .. } if same <= SURELY_NOT => false,
            Sight::Crash { same, look } => match self.looks.get(&look) {
                Some(Taken::Target) => true,
                Some(Taken::Stray) => false,
                Some(Taken::Weighed { .. }) | None => same >= RATHER,
            },
        }
    }
}
