//! What a simulated suspicion plugin knows of the commits in a range.

use std::fmt;
use std::str::FromStr;

use super::dice::Dice;
use super::history::History;
use super::world::Truth;

/// The share of the commits that introduce a bug and touch a file of its stack, and that of all commits (`bisection-science.md` §4).
const CULPRITS: f64 = 0.65;
const COMMITS: f64 = 0.05;

/// How good a suspicion plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hunch {
    /// One commit in twenty looks guilty, and of the culprits 65 %.
    Right,
    /// The same weights, but the culprit is as any commit.
    Useless,
    /// The same weights, and the culprit never looks guilty.
    Wrong,
    /// All weight is on one commit that is not the culprit.
    Decoy,
}

const NAMES: [(&str, Hunch); 4] =
    [("right", Hunch::Right), ("useless", Hunch::Useless), ("wrong", Hunch::Wrong), ("decoy", Hunch::Decoy)];

impl Hunch {
    /// A weight for each commit of the range, in its order.
    pub(super) fn weights(self, history: &History, truth: &Truth, mut dice: Dice) -> Vec<f64> {
        let range = &history.range;
        let decoy = range[dice.below(range.len())];
        let weigh = |&node| {
            let culprit = truth.introduced(node);
            let guilty = match self {
                Self::Decoy => return f64::from(u8::from(node == decoy && !culprit)),
                Self::Right if culprit => dice.chance(CULPRITS),
                Self::Wrong if culprit => false,
                Self::Right | Self::Useless | Self::Wrong => dice.chance(COMMITS),
            };
            if guilty { CULPRITS / COMMITS } else { (1.0 - CULPRITS) / (1.0 - COMMITS) }
        };
        range.iter().map(weigh).collect()
    }
}

impl fmt::Display for Hunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, hunch)| hunch == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Hunch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(name, _)| *name == text).map(|(_, hunch)| *hunch);
        found.ok_or_else(|| format!("it must be {}", NAMES.map(|(name, _)| name).join(", ")))
    }
}
