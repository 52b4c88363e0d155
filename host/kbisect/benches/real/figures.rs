//! How good stated probabilities are.

use serde_json::Value;
use serde_json::json;

/// Bins of equal count.
const BINS: usize = 5;
/// From here on a name is said to be sure.
const SURE: f64 = 0.85;
/// Up to here it is said to be wrong.
const DOUBTED: f64 = 0.15;

/// A stated probability, and whether what it was stated of is so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stated {
    /// The probability.
    pub(crate) chance: f64,
    /// Whether it is so.
    pub(crate) right: bool,
}

/// Some of them, with the mean of what was stated and of what was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bin {
    /// Mean stated probability.
    pub(crate) stated: f64,
    /// Share that was right.
    pub(crate) seen: f64,
    /// How many.
    pub(crate) count: usize,
}

/// What there is to say of a way to state probabilities.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    /// Chance that a right one is stated higher than a wrong one; equal ones count half.
    pub(crate) auc: f64,
    /// Mean squared distance from the truth.
    pub(crate) brier: f64,
    /// Bins of equal count, lowest first.
    pub(crate) bins: Vec<Bin>,
    /// Those stated sure.
    pub(crate) sure: Bin,
    /// Share of the right ones that are among these.
    pub(crate) covered: f64,
    /// Those doubted.
    pub(crate) doubted: Bin,
}

impl Figures {
    /// The figures of these; they may come in any order.
    pub(crate) fn of(stated: &[Stated]) -> Self {
        let mut sorted = stated.to_vec();
        sorted.sort_by(|one, other| one.chance.total_cmp(&other.chance));
        let (right, wrong): (Vec<Stated>, Vec<Stated>) = sorted.iter().partition(|one| one.right);
        let wins: f64 = right
            .iter()
            .flat_map(|one| {
                wrong.iter().map(|other| {
                    if one.chance > other.chance {
                        1.0
                    } else if one.chance < other.chance {
                        0.0
                    } else {
                        0.5
                    }
                })
            })
            .sum();
        let sure: Vec<Stated> = sorted.iter().copied().filter(|one| one.chance >= SURE).collect();
        let doubted: Vec<Stated> = sorted.iter().copied().filter(|one| one.chance <= DOUBTED).collect();
        Self {
            auc: wins / (right.len() * wrong.len()).max(1) as f64,
            brier: mean(&sorted, |one| (one.chance - f64::from(u8::from(one.right))).powi(2)),
            bins: (0..BINS).map(|bin| bin_of(&sorted[bin * sorted.len() / BINS..(bin + 1) * sorted.len() / BINS])).collect(),
            covered: sure.iter().filter(|one| one.right).count() as f64 / right.len().max(1) as f64,
            sure: bin_of(&sure),
            doubted: bin_of(&doubted),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let bin = |bin: &Bin| json!({ "stated": bin.stated, "seen": bin.seen, "count": bin.count });
        json!({
            "auc": self.auc,
            "brier": self.brier,
            "bins": self.bins.iter().map(bin).collect::<Value>(),
            "sure": bin(&self.sure),
            "sure_covers": self.covered,
            "doubted": bin(&self.doubted),
        })
    }
}

fn bin_of(stated: &[Stated]) -> Bin {
    Bin { stated: mean(stated, |one| one.chance), seen: mean(stated, |one| f64::from(u8::from(one.right))), count: stated.len() }
}

fn mean(stated: &[Stated], of: impl Fn(&Stated) -> f64) -> f64 {
    stated.iter().map(of).sum::<f64>() / stated.len().max(1) as f64
}
