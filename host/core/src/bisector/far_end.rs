//! The two ends of the range: is the crash there at the start commit, and is it gone at the other end?

use super::Bisector;
use super::Conclusion;
use super::ends::Kind;
use super::evidence::Tally;
use super::known::Known;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::Verdict;

/// Valid trials at the start commit without which r is not known well enough to begin, where all of them show the target.
const CALIBRATION: u32 = 3;
/// The same where one does not: r, and how soon the target shows, are then learned from trials that nothing cuts short.
const CALIBRATION_OF_FLAKY: u32 = 10;

/// Where the ends stand.
pub(super) enum FarEnd {
    /// This end must be tested (more).
    Test(Node, Role),
    /// The range lies between these.
    Settled {
        /// The oldest end known to be bad.
        bad: Node,
        /// The ends taken for good.
        good: Vec<Node>,
        /// The good end was found on the walk through the releases.
        walked: bool,
    },
    /// There is no range.
    End(Conclusion),
}

/// How an end of the range looks.
pub(super) enum Standing {
    Open,
    Good,
    /// Clean, but not exercised: the bug may be there nevertheless.
    Hidden,
    Bad,
    Skip(String),
}

impl From<Option<Verdict>> for Standing {
    fn from(verdict: Option<Verdict>) -> Self {
        match verdict {
            None => Self::Open,
            Some(Verdict::Good) => Self::Good,
            Some(Verdict::Bad) => Self::Bad,
            Some(Verdict::Skip(why)) => Self::Skip(why),
        }
    }
}

impl Bisector {
    /// Goes through the start commit, the stated good commits and the releases. `standing` says how each good end looks.
    pub(super) fn far_end(&self, known: &Known, standing: impl Fn(Node) -> Standing) -> FarEnd {
        let places = &self.places;
        if self.settings.single_trials && !places.good.is_empty() {
            return FarEnd::Settled { bad: places.start, good: places.good.clone(), walked: false };
        }
        match known.verdict(places.start) {
            None => return FarEnd::Test(places.start, Role::Start),
            Some(Verdict::Bad) if self.wants_calibration(known) => {
                return FarEnd::Test(places.start, Role::Start);
            }
            Some(Verdict::Bad) => {}
            Some(Verdict::Skip(why)) if known.valid(places.start) == 0 => {
                let why = format!("the start commit {} cannot be tested: {why}", self.graph.id(places.start).short());
                return FarEnd::End(Conclusion::CannotSearch { why });
            }
            Some(Verdict::Good | Verdict::Skip(_)) => return FarEnd::End(Conclusion::NotReproduced),
        }
        match places.kind {
            Kind::Cause => self.walk(standing),
            Kind::Fix => self.newest(standing),
        }
    }

    /// Whether more trials at the start commit are needed to know r; not where nobody wants any there.
    fn wants_calibration(&self, known: &Known) -> bool {
        let start = self.places.start;
        !self.settings.single_trials && known.assumed(start).is_none() && known.valid(start) < calibration(known.tally(start))
    }

    fn walk(&self, standing: impl Fn(Node) -> Standing) -> FarEnd {
        let places = &self.places;
        let mut bad = places.start;
        let (mut good, mut left_behind) = (Vec::new(), Vec::new());
        let mut untestable = None;
        for &end in &places.good {
            match standing(end) {
                Standing::Open if self.settings.trust_good => good.push(end),
                Standing::Open => return FarEnd::Test(end, Role::GoodEnd),
                // Somebody calls it good, and the crash does not show there: the boundary lies behind it.
                Standing::Good | Standing::Hidden => good.push(end),
                Standing::Bad => {
                    if self.graph.is_ancestor(end, bad) {
                        bad = end;
                    }
                    left_behind.push(end);
                    untestable = None;
                }
                Standing::Skip(why) => {
                    left_behind.push(end);
                    untestable = Some((end, why));
                }
            }
        }
        if !good.is_empty() {
            return FarEnd::Settled { bad, good, walked: false };
        }
        // The newest of the releases at which the crash only does not show.
        let mut hidden = None;
        for &release in &places.releases {
            // A release that contains an end already left behind is not older than it.
            if left_behind.iter().any(|&end| self.graph.is_ancestor(end, release)) {
                continue;
            }
            match standing(release) {
                Standing::Open => return FarEnd::Test(release, Role::Release),
                Standing::Good => return FarEnd::Settled { bad, good: vec![hidden.unwrap_or(release)], walked: true },
                Standing::Hidden => _ = hidden.get_or_insert(release),
                Standing::Bad => {
                    bad = release;
                    (untestable, hidden) = (None, None);
                }
                Standing::Skip(why) => untestable = Some((release, why)),
            }
        }
        if let Some(hidden) = hidden {
            // Older ones do not tell more. The crash begins to show behind this one, wherever the bug came in.
            return FarEnd::Settled { bad, good: vec![hidden], walked: true };
        }
        FarEnd::End(match untestable {
            Some((end, why)) => {
                let end = self.graph.id(end).short();
                Conclusion::CannotSearch { why: format!("the oldest end of the range, {end}, cannot be tested: {why}") }
            }
            None => Conclusion::OldestStillBad {
                oldest: self.graph.id(left_behind.last().copied().filter(|_| bad == places.start).unwrap_or(bad)),
            },
        })
    }

    fn newest(&self, standing: impl Fn(Node) -> Standing) -> FarEnd {
        let newest = self.places.good[0];
        let settled = FarEnd::Settled { bad: self.places.start, good: vec![newest], walked: false };
        match standing(newest) {
            Standing::Open if self.settings.trust_good => settled,
            Standing::Open => FarEnd::Test(newest, Role::GoodEnd),
            Standing::Good | Standing::Hidden => settled,
            Standing::Bad => FarEnd::End(Conclusion::NewestStillBad { newest: self.graph.id(newest) }),
            Standing::Skip(why) => {
                let why = format!("the newest commit {} cannot be tested: {why}", self.graph.id(newest).short());
                FarEnd::End(Conclusion::CannotSearch { why })
            }
        }
    }
}

/// How many valid trials the start commit should have.
pub(super) fn calibration(start: Option<&Tally>) -> u32 {
    if start.is_some_and(|tally| tally.clean > 0) { CALIBRATION_OF_FLAKY } else { CALIBRATION }
}
