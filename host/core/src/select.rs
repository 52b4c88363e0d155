//! How much a trial is worth: what its outcome says of where the boundary is.
//!
//! Owns the measure and the size of a batch. The probabilities that go in are [`crate::posterior`]'s; which commits may be tested,
//! and for how long the search stays at one, is decided in [`crate::bisector`].

use std::ops::Range;

use crate::posterior::Hit;

/// At most this many trials are proposed at once.
const BATCH: u32 = 16;
/// More trials than this are never asked for at once.
const MOST_TRIALS: u32 = 200;
/// A batch is large enough when a commit that comes out of it clean is bad with at most this probability.
const LEFT_BEHIND: f64 = 0.1;
/// How likely a commit cannot be tested of which nothing is known.
const BROKEN: f64 = 0.02;

/// Bits that the outcome of one trial says about where the boundary is: their mutual information.
///
/// `hit` is the chance of a hit, `uncertain` the mean entropy of the outcome that is left where the boundary is known. Because r is
/// unknown, too, a trial at a commit that is bad in any case may also say something.
pub(crate) fn bits(hit: f64, uncertain: f64) -> f64 {
    (entropy(hit) - uncertain).max(0.0)
}

/// How many trials to start at once at a commit: enough that, were all of them clean, it would probably be time to leave.
pub(crate) fn batch(bad: f64, hit: Hit) -> u32 {
    let odds = |share: f64| share / (1.0 - share);
    let target = LEFT_BEHIND.min(bad / 4.0);
    let fall = ((1.0 - hit.bad) / (1.0 - hit.good)).ln();
    if !(bad > 0.0 && bad < 1.0 && fall < 0.0) {
        return 1;
    }
    let trials = (odds(target) / odds(bad)).ln() / fall;
    (trials.ceil() as u32).clamp(1, BATCH)
}

/// The fewest trials of one outcome that come about by chance with at most this one, where `by_chance` gives the chance of so many; at
/// most 200.
pub(crate) fn enough(allowed: f64, by_chance: impl Fn(u32) -> f64) -> u32 {
    (1..MOST_TRIALS).find(|&trials| by_chance(trials) <= allowed).unwrap_or(MOST_TRIALS)
}

/// The first place where something holds, if it holds from there on; the end if it holds nowhere.
pub(crate) fn first(places: Range<u32>, holds: impl Fn(u32) -> bool) -> u32 {
    let Range { start: mut low, end: mut high } = places;
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Where a value that rises and then falls is highest, in a range that is not empty.
pub(crate) fn peak(places: Range<u32>, value: impl Fn(u32) -> f64) -> u32 {
    first(places.start..places.end - 1, |place| value(place + 1) <= value(place))
}

/// Stretches of history that cannot be tested: how likely a commit is in one, by what its neighbours did.
///
/// Nobody knows how long a stretch is; every order of magnitude is taken for equally likely. So from a commit that could not be tested
/// to the nearest one that could, at a distance D, a commit at a distance d is in the same stretch with 1 − ln(1+d)/ln(1+D).
pub(crate) struct Untestable {
    /// Places of commits that could not be tested, and of those that could, in order.
    broken: Vec<u32>,
    working: Vec<u32>,
    /// Places of those that could not which had a trial for it.
    tried: Vec<u32>,
    len: u32,
}

impl Untestable {
    /// What is known of a range of `len` commits: which could not be tested, with a trial that showed it and without, and which could.
    pub(crate) fn new(mut tried: Vec<u32>, untried: &[u32], mut working: Vec<u32>, len: u32) -> Self {
        let mut broken = [&tried, untried].concat();
        for places in [&mut tried, &mut broken, &mut working] {
            places.sort_unstable();
        }
        Self { broken, working, tried, len }
    }

    /// The places of which something is known, in no order. Between neighbours among them the chance that a commit can be tested is
    /// concave.
    pub(crate) fn known(&self) -> impl Iterator<Item = u32> {
        self.broken.iter().chain(&self.working).copied()
    }

    /// How many commits were tried in vain between the nearest ones on both sides of this place that could be tested.
    pub(crate) fn in_a_row(&self, at: u32) -> u32 {
        let next = self.working.partition_point(|&place| place <= at);
        let tried_until = |end: u32| self.tried.partition_point(|&place| place <= end);
        let before = next.checked_sub(1).map_or(0, |last| tried_until(self.working[last]));
        let behind = self.working.get(next).map_or(self.tried.len(), |&end| tried_until(end));
        (behind - before) as u32
    }

    /// How likely the commit at this place cannot be tested.
    pub(crate) fn at(&self, at: u32) -> f64 {
        let nearest = |places: &[u32]| -> [Option<u32>; 2] {
            let split = places.partition_point(|&place| place <= at);
            [split.checked_sub(1).map(|place| at - places[place]), places.get(split).map(|place| place - at)]
        };
        let (broken, working) = (nearest(&self.broken), nearest(&self.working));
        // What a side tells is its nearest commit.
        let holds = |side: usize| broken[side].filter(|&to| working[side].is_none_or(|works| works > to));
        let reaches = |side: usize, to: u32| share(to, to + working[1 - side].unwrap_or(self.len));
        match (holds(0), holds(1)) {
            (None, None) => 0.0,
            (Some(to), None) => reaches(0, to),
            (None, Some(to)) => reaches(1, to),
            (Some(below), Some(above)) => {
                // One stretch that holds both, or two of them by chance.
                let both = share(below + above, self.len);
                let same = both / (both + BROKEN);
                same + (1.0 - same) * reaches(0, below).max(reaches(1, above))
            }
        }
    }
}

/// How likely a stretch that holds a commit goes on for this distance, when it has ended at `most`.
fn share(distance: u32, most: u32) -> f64 {
    let log = |distance: u32| f64::from(distance).ln_1p();
    if distance >= most { 0.0 } else { 1.0 - log(distance) / log(most) }
}

/// Entropy in bits of an event with this chance.
pub(crate) fn entropy(chance: f64) -> f64 {
    let part = |chance: f64| if chance > 0.0 { -chance * chance.log2() } else { 0.0 };
    part(chance) + part(1.0 - chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_chance_and_a_sure_test_give_one_bit() {
        assert!((bits(0.5, 0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_outcome_that_does_not_depend_on_the_boundary_gives_none() {
        assert_eq!(bits(0.3, entropy(0.3)), 0.0);
        assert_eq!(bits(1.0, 0.0), 0.0);
    }

    #[test]
    fn a_peak_is_found_wherever_it_is() {
        for top in 3..20_u32 {
            assert_eq!(peak(3..20, |place| -f64::from(place.abs_diff(top))), top);
        }
        assert_eq!(peak(3..20, |place| f64::from(place.min(8))), 8);
        assert_eq!(first(3..20, |_| false), 20);
    }

    #[test]
    fn what_was_tried_in_vain_is_counted_up_to_what_could_be_tested() {
        let untestable = Untestable::new(vec![20, 12, 30, 60, 70], &[25, 90], vec![80, 10, 50], 100);
        let rows = [5, 10, 15, 30, 49, 50, 65, 80, 99].map(|at| untestable.in_a_row(at));
        assert_eq!(rows, [0, 3, 3, 3, 3, 2, 2, 0, 0]);
    }

    #[test]
    fn a_rarer_hit_asks_for_more_trials() {
        let of = |r| batch(0.5, Hit { bad: r, good: 0.001 });
        assert_eq!(of(0.99), 1);
        assert_eq!(of(0.5), 4);
        assert_eq!(of(0.01), BATCH);
    }

    #[test]
    fn verification_follows_the_formula() {
        let at = |r: f64| enough(0.0101, |trials| (1.0 - r).powi(trials as i32));
        assert_eq!([at(0.9), at(0.5), at(0.0), at(1.0)], [2, 7, 200, 1]);
    }
}
