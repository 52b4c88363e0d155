//! What there is to test in a range, and how much a trial of each commit says.

use std::collections::HashMap;

use super::Pace;
use super::by_posterior::WORTH_LEAVING;
use super::range::Range;
use super::search::Search;
use super::whereabouts::IfThere;
use super::whereabouts::Whereabouts;
use crate::graph::Node;
use crate::posterior::Belief;
use crate::posterior::Candidates;
use crate::posterior::Hit;
use crate::posterior::Ranks;
use crate::posterior::Segment;
use crate::select;
use crate::select::Untestable;
use crate::strands::add;

/// Before any trial, a commit's trials are expected to say something as if so many had done so. Less, and the search leaves a commit
/// for its neighbour over two crashes that hide the rest, although what hides it here most likely does so there.
const EXPECTED_TO_SAY: u32 = 4;
/// So many crashes of another bug and nothing else, and it may hide whole stretches of history as broken builds do.
const HIDES: u32 = 3;
/// Values are compared by their first so many bits. Those that differ behind them are equal, and git's order decides.
const SIGNIFICANT: u32 = 30;
/// A kernel is built a second time so often at most without a valid trial.
const REBUILDS: u32 = 2;

/// A commit that may be tested next.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    pub(super) node: Node,
    /// Probability that it is bad.
    pub(super) bad: f64,
    pub(super) hit: Hit,
    /// Bits that a trial gives, in the time that a trial takes, with all that makes the commit more or less worth it.
    pub(super) value: f64,
    /// Its place in git's list.
    pub(super) listed: u32,
    pub(super) rebuild: bool,
    /// Others of the range could not be tested, and it may be as they are: so many were tried in vain next to it, in a row. None where
    /// all could.
    pub(super) doubtful: Option<u32>,
}

impl Offer {
    /// The value without its last bits, in the order of values: equal where two offers are worth the same but for rounding.
    ///
    /// Not "nearly equal": of three offers the first may nearly equal the second and the second the third, and which is best would depend
    /// on their order. Round numbers lie in the middle of what becomes equal to them.
    pub(super) fn rounded(&self) -> u64 {
        let dropped = f64::MANTISSA_DIGITS - 1 - SIGNIFICANT;
        (self.value.to_bits() + (1 << (dropped - 1))) >> dropped
    }
}

/// Sums of what first trials are like in one era.
struct SeenFrom {
    /// Over all candidates, where what a commit does not contain makes it bad.
    all: IfThere,
    ends: IfThere,
    /// Over the candidates that each segment's first member contains, itself left out.
    below: Vec<IfThere>,
}

/// What first trials at untested commits are like.
struct FirstTrials<'s> {
    search: &'s Search<'s>,
    belief: &'s Belief,
    places: &'s Whereabouts,
    seen_from: Vec<SeenFrom>,
    unsure_if_good: f64,
    with_build: f64,
    yields: Yields,
}

impl FirstTrials<'_> {
    fn offer(&self, node: Node, [bad, hit, unsure]: IfThere, listed: u32, yields: f64) -> Offer {
        let belief = self.belief;
        let good = 1.0 - bad;
        let bits = select::bits(hit + good * belief.f, unsure + good * self.unsure_if_good);
        let hit = Hit { bad: if bad > 0.0 { hit / bad } else { belief.r }, good: belief.f };
        let value = bits * yields / if self.search.known.is_built(node) { 1.0 } else { self.with_build };
        Offer { node, bad, hit, value, listed, rebuild: false, doubtful: None }
    }

    /// A first trial of the member of a segment that lies at this place.
    fn at(&self, segment: usize, place: u32) -> Offer {
        let Search { range, eras, .. } = *self.search;
        let rank = range.candidates.at(place);
        let node = range.candidates.node(rank);
        let era = eras.of(node);
        let (SeenFrom { all, ends, below }, places) = (&self.seen_from[era], &self.places.eras[era]);
        let whole = self.places.segments[segment];
        let share = range.candidates.share(Segment { to: place + 1, ..whole }, whole);
        let contained = add(below[segment], &places.segments[segment].map(|sum| sum * share));
        let inside = if range.begins { contained } else { add(*all, &contained.map(|less| -less)) };
        let yields = self.yields.at(&range.candidates, rank);
        let offer = self.offer(node, add(inside, ends), range.candidates.listed(rank), yields);
        Offer { doubtful: self.yields.doubtful(range.candidates.depths()[rank]), ..offer }
    }

    /// The best of some neighbours along which the value rises and then falls.
    fn best_of(&self, segment: usize, Segment { from, to }: Segment) -> Offer {
        let peak = select::peak(from..to, |place| self.at(segment, place).value);
        let best = self.at(segment, peak);
        // Between equals git's order decides, which has the oldest of a strand first.
        self.at(segment, select::first(from..peak, |place| self.at(segment, place).rounded() == best.rounded()))
    }

    /// Neighbours of which nothing is known, in parts along which the value rises and then falls.
    ///
    /// It does where they are of one era, as they are if the first and the last are. The bits do, since the entropy of an outcome is
    /// concave in its chance and all else grows in proportion; and the share that can be tested is concave between the depths of which
    /// something is known. The product of the two has one peak, as its logarithm is concave.
    fn parts(&self, Segment { from, to }: Segment) -> Vec<Segment> {
        let Search { range: Range { candidates, .. }, eras, .. } = self.search;
        let era = |place: u32| eras.of(candidates.node(candidates.at(place)));
        if era(from) != era(to - 1) {
            return (from..to).map(|place| Segment { from: place, to: place + 1 }).collect();
        }
        let Some(untestable) = &self.yields.untestable else {
            return vec![Segment { from, to }];
        };
        // Along a strand each commit contains one more than the one before.
        let depth = candidates.depths()[candidates.at(from)];
        let known = untestable.known().filter_map(|known| Some(from + known.checked_sub(depth)?)).filter(|&place| place < to);
        let mut cuts: Vec<u32> = known.flat_map(|place| [place, place + 1]).chain([from, to]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).map(|cut| Segment { from: cut[0], to: cut[1] }).collect()
    }
}

/// The share of first trials that say something.
struct Yields {
    /// Of commits with trials, by rank.
    own: HashMap<usize, f64>,
    /// Where commits could not be tested.
    untestable: Option<Untestable>,
}

impl Yields {
    /// How many of the range's commits were tried in vain next to this depth, in a row; none where all could be tested.
    fn doubtful(&self, depth: u32) -> Option<u32> {
        self.untestable.as_ref().map(|untestable| untestable.in_a_row(depth))
    }

    fn at(&self, candidates: &Candidates, rank: usize) -> f64 {
        let own = self.own.get(&rank).copied();
        own.unwrap_or_else(|| self.untestable.as_ref().map_or(1.0, |untestable| 1.0 - untestable.at(candidates.depths()[rank])))
    }
}

impl Search<'_> {
    /// Offers of commits without a valid trial: of each at which something is known or under way, and of the best ones between them. With
    /// `all` of every one.
    pub(super) fn untested(
        &self,
        belief: &Belief,
        places: &Whereabouts,
        available: &Ranks,
        under_way: &[Node],
        all: bool,
    ) -> Vec<Offer> {
        let candidates = &self.range.candidates;
        let first = self.first_trials(belief, places);
        let tested = self.range.tested();
        let may = |place: &u32| available[candidates.at(*place)] && !tested[candidates.at(*place)];
        let known = self.known.nodes().chain(self.known.built()).chain(under_way.iter().copied());
        let mut known: Vec<u32> = known.filter_map(|node| candidates.rank(node)).map(|rank| candidates.place(rank)).collect();
        known.sort_unstable();
        known.dedup();
        let mut offers = Vec::new();
        for (number, &segment) in places.segments.iter().enumerate() {
            let inside = known.partition_point(|&place| place < segment.from)..known.partition_point(|&place| place < segment.to);
            let mut from = segment.from;
            for place in known[inside].iter().copied().chain([segment.to]) {
                if all {
                    offers.extend((from..place).filter(may).map(|place| first.at(number, place)));
                } else if from < place {
                    let parts = first.parts(Segment { from, to: place });
                    offers.extend(parts.into_iter().map(|part| first.best_of(number, part)));
                }
                if place < segment.to {
                    offers.extend(may(&place).then(|| first.at(number, place)));
                }
                from = place + 1;
            }
        }
        // Good ends that are trusted; the newest commit of a search for a fix is a candidate itself.
        let trusted = self.range.ends.iter().enumerate().filter(|(_, end)| {
            self.range.posterior.site(end.node).is_none()
                && candidates.rank(end.node).is_none()
                && self.available(belief, end.node)
        });
        offers.extend(trusted.map(|(place, end)| {
            let bad = places.eras[self.eras.of(end.node)].ends[place];
            first.offer(end.node, bad, u32::MAX, self.yields(end.node, 0))
        }));
        offers
    }

    fn first_trials<'s>(&'s self, belief: &'s Belief, places: &'s Whereabouts) -> FirstTrials<'s> {
        let range = self.range;
        let seen_from = places.eras.iter().map(|era| SeenFrom {
            all: if range.begins { [0.0; 3] } else { era.segments.iter().fold([0.0; 3], add) },
            ends: era.of_ends(),
            below: range.candidates.sums_below(&places.segments, &era.segments),
        });
        FirstTrials {
            search: self,
            belief,
            places,
            seen_from: seen_from.collect(),
            unsure_if_good: select::entropy(belief.f),
            with_build: self.with_build(),
            yields: self.first_yields(belief),
        }
    }

    /// Offers of more trials at tested commits.
    pub(super) fn tested(&self, belief: &Belief) -> Vec<Offer> {
        let posterior = &self.range.posterior;
        let sites = posterior.sites.iter().zip(&belief.sites).filter(|(site, _)| self.available(belief, site.node));
        sites
            .map(|(site, belief)| {
                let rebuild = self.may_rebuild(site.node) && belief.rebuilt.bits > WORTH_LEAVING * belief.again.bits;
                let prospect = if rebuild { belief.rebuilt } else { belief.again };
                let listed = self.range.candidates.rank(site.node).map_or(u32::MAX, |rank| self.range.candidates.listed(rank));
                let cost = if rebuild { self.with_build() } else { 1.0 };
                let value = prospect.bits * self.yields(site.node, belief.hidden) / cost;
                Offer { node: site.node, bad: belief.bad, hit: prospect.hit, value, listed, rebuild, doubtful: None }
            })
            .collect()
    }

    /// How many times longer a trial takes with the build before it.
    fn with_build(&self) -> f64 {
        let Pace { build, trial, .. } = self.pace;
        if trial > 0.0 { (build + trial) / trial } else { 1.0 }
    }

    /// The share of first trials that say something: less near commits that could not be tested, or where another bug hid all that a
    /// trial could have shown.
    fn first_yields(&self, belief: &Belief) -> Yields {
        let candidates = &self.range.candidates;
        let (mut broken, mut working) = (Vec::new(), Vec::new());
        let mut own = HashMap::new();
        for (node, tally) in self.known.tallies() {
            if let Some(rank) = candidates.rank(*node) {
                let hidden = self.hidden(belief, *node);
                match tally.valid() - hidden {
                    0 if tally.own_voids() > 0 || hidden >= HIDES => broken.push(rank),
                    0 => {}
                    _ => working.push(rank),
                }
                own.insert(rank, self.yields(*node, hidden));
            }
        }
        let untried = self.known.unbuildable().iter().filter(|node| self.known.trials(**node) == 0);
        let untried: Vec<usize> = untried.filter_map(|&node| candidates.rank(node)).collect();
        let untestable = (!broken.is_empty() || !untried.is_empty()).then(|| {
            let depths = candidates.depths();
            let at = |ranks: &[usize]| -> Vec<u32> { ranks.iter().map(|&rank| depths[rank]).collect() };
            Untestable::new(at(&broken), &at(&untried), at(&working), candidates.len() as u32)
        });
        Yields { own, untestable }
    }

    /// How many of the commit's trials another bug hid.
    fn hidden(&self, belief: &Belief, node: Node) -> u32 {
        self.range.posterior.seen(belief, node).map_or(0, |site| site.hidden)
    }

    /// The share of trials at the commit that say something, guessed from those made.
    fn yields(&self, node: Node, hidden: u32) -> f64 {
        let Some(tally) = self.known.tally(node) else {
            return 1.0;
        };
        let says = tally.valid().saturating_sub(hidden) + EXPECTED_TO_SAY;
        f64::from(says) / f64::from(says + hidden + tally.own_voids())
    }

    fn may_rebuild(&self, node: Node) -> bool {
        self.known.tally(node).is_some_and(|tally| tally.builds == 1 && tally.rebuilt_voids < REBUILDS)
    }
}
