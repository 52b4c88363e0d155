//! What may go wrong in a simulated world. Owns the names and the bounds of their parameters; [`super::world`] plays them.

use std::fmt;
use std::str::FromStr;

/// Something that makes the truth harder to see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Another bug lives on a part of the range, of 5 to 60 %, and crashes there at a rate of its own, of .1 to 1
    /// (`bisection-science.md` §5.4).
    SecondBug {
        /// That share, if it is not drawn.
        share: Option<f64>,
        /// That rate, if it is not drawn.
        rate: Option<f64>,
        /// What the classifier makes of it, s, if it is not drawn.
        same: Option<f64>,
    },
    /// Before some commit of the range the target has another title; the classifier gives it s = .98 (80 %), .6 (15 %) or .2 (5 %)
    /// (`bisection-science.md` §5.4).
    TitleDrift {
        /// That s, if it is not drawn.
        same: Option<f64>,
    },
    /// In some runs the crash begins later than the bug, at a commit that only exposes it.
    Exposure {
        /// Their share. If it is not given, the good end was found by a walk through releases, drawn as long as real ones are, and
        /// the share is that of the bugs that such a walk makes vanish (27 %; [`crate::credence::table::VANISHED`]).
        share: Option<f64>,
    },
    /// A stretch of the history that cannot be tested.
    Untestable {
        /// Its share of the range.
        share: f64,
        /// Where it is.
        place: Place,
        /// Its kernels build but do not boot.
        boots: bool,
    },
    /// Before some commit of the range a trial shows the bug with another chance.
    Era {
        /// That chance.
        r: f64,
    },
    /// So many trials more fail for the infrastructure's sake.
    Infra {
        /// From 0 to 1.
        share: f64,
    },
    /// The host of all machines fails: with each trial there is this chance that it takes all with it that run.
    Correlated {
        /// From 0 to 1.
        share: f64,
    },
    /// The bug is older than the range.
    Older,
    /// The bug was introduced, fixed and introduced again.
    Reintroduced,
}

/// Where the untestable stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It does not hold the culprit.
    Outside,
    /// It holds the culprit.
    Inside,
    /// Anywhere.
    Anywhere,
}

/// A fault that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFault {
    /// No such name.
    #[error("there is no fault `{0}`; there are {NAMES}")]
    Unknown(String),
    /// A parameter that is not understood.
    #[error("fault `{name}`: `{given}` is not {wanted}")]
    Parameter {
        /// The fault.
        name: &'static str,
        /// What was given.
        given: String,
        /// What can be given.
        wanted: &'static str,
    },
}

const NAMES: &str = "second-bug[:SHARE[:RATE[:SAME]]], title-drift[:SAME], exposure[:SHARE], untestable[:SHARE][:inside|:outside][:boot], era[:R], \
     infra[:SHARE], correlated[:SHARE], older, reintroduced";

const SHARE: &str = "a number from 0 to 1";

impl Fault {
    /// Its name without parameters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SecondBug { .. } => "second-bug",
            Self::TitleDrift { .. } => "title-drift",
            Self::Exposure { .. } => "exposure",
            Self::Untestable { .. } => "untestable",
            Self::Era { .. } => "era",
            Self::Infra { .. } => "infra",
            Self::Correlated { .. } => "correlated",
            Self::Older => "older",
            Self::Reintroduced => "reintroduced",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::SecondBug { share, rate, same } => {
                [share, rate, same].into_iter().flatten().try_for_each(|number| write!(f, ":{number}"))
            }
            Self::TitleDrift { same: number } | Self::Exposure { share: number } => {
                number.iter().try_for_each(|number| write!(f, ":{number}"))
            }
            Self::Infra { share } | Self::Correlated { share } => write!(f, ":{share}"),
            Self::Untestable { share, place, boots } => {
                write!(f, ":{share}")?;
                f.write_str(match place {
                    Place::Outside => ":outside",
                    Place::Inside => ":inside",
                    Place::Anywhere => "",
                })?;
                f.write_str(if *boots { ":boot" } else { "" })
            }
            Self::Era { r } => write!(f, ":{r}"),
            Self::Older | Self::Reintroduced => Ok(()),
        }
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        let mut words = text.split(':');
        let name = words.next().unwrap_or_default();
        let mut fault = match name {
            "second-bug" => Self::SecondBug { share: None, rate: None, same: None },
            "title-drift" => Self::TitleDrift { same: None },
            "exposure" => Self::Exposure { share: None },
            "untestable" => Self::Untestable { share: 0.2, place: Place::Anywhere, boots: false },
            "era" => Self::Era { r: 0.3 },
            "infra" => Self::Infra { share: 0.1 },
            "correlated" => Self::Correlated { share: 0.02 },
            "older" => Self::Older,
            "reintroduced" => Self::Reintroduced,
            _ => return Err(BadFault::Unknown(name.to_owned())),
        };
        for (position, word) in words.enumerate() {
            let name = fault.name();
            let bad = |wanted| BadFault::Parameter { name, given: word.to_owned(), wanted };
            let number = || share(word).ok_or_else(|| bad(SHARE));
            match (&mut fault, position) {
                (Self::SecondBug { share, .. }, 0) => *share = Some(number()?),
                (Self::SecondBug { rate, .. }, 1) => *rate = Some(number()?),
                (Self::SecondBug { same, .. }, 2) => *same = Some(number()?),
                (Self::TitleDrift { same }, 0) => *same = Some(number()?),
                (Self::Exposure { share }, 0) => *share = Some(number()?),
                (Self::Infra { share } | Self::Correlated { share }, 0) => *share = number()?,
                (Self::Era { r }, 0) => *r = number()?,
                (Self::Untestable { share, place, boots }, _) => match word {
                    "inside" => *place = Place::Inside,
                    "outside" => *place = Place::Outside,
                    "boot" => *boots = true,
                    _ if position == 0 => *share = number()?,
                    _ => return Err(bad("`inside`, `outside` or `boot`")),
                },
                _ => return Err(bad("wanted: it has no further parameter")),
            }
        }
        Ok(fault)
    }
}

/// A number from 0 to 1.
fn share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
}
