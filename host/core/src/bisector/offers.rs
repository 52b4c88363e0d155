//! What there is to test in a range, and how much a trial of each commit says.

use super::Pace;
use super::by_posterior::WORTH_LEAVING;
use super::search::Search;
use crate::graph::Node;
use crate::posterior::Belief;
use crate::posterior::Hit;
use crate::posterior::Ranks;
use crate::posterior::Rates;
use crate::select;

/// Before any trial, a commit's trials are expected to say something as if so many had done so. Less, and the search leaves a commit
/// for its neighbour over two crashes that hide the rest, although what hides it here most likely does so there.
const EXPECTED_TO_SAY: u32 = 4;
/// So many crashes of another bug and nothing else, and it may hide whole stretches of history as broken builds do.
const HIDES: u32 = 3;
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
    /// Others of the range could not be tested, and it may be as they are.
    pub(super) doubtful: bool,
}

/// What a first trial is like if the boundary is in one place: the probability of that, that times the chance of a hit at a bad commit,
/// and that times the entropy of the outcome there.
type IfThere = [f64; 3];

/// Where the boundary may be, with what first trials are like then.
#[derive(Clone)]
pub(super) struct Whereabouts {
    /// Seen from each era.
    eras: Vec<Places>,
}

/// Where the boundary may be, with what first trials are like then in one era.
#[derive(Clone)]
struct Places {
    /// By rank.
    candidates: Vec<IfThere>,
    /// A good end that is bad after all.
    ends: Vec<IfThere>,
}

impl Whereabouts {
    /// The candidates' probabilities, by rank.
    pub(super) fn mass(&self) -> Vec<f64> {
        self.eras[0].candidates.iter().map(|&[probability, ..]| probability).collect()
    }

    /// The likeliest candidate's probability.
    pub(super) fn most(&self) -> f64 {
        self.eras[0].candidates.iter().fold(0.0, |most, &[probability, ..]| f64::max(most, probability))
    }

    /// Where the boundary may be once the good ends are known to be good.
    pub(super) fn without_ends(&self) -> Self {
        let none = vec![false; self.eras[0].candidates.len()];
        self.given(&none, false, self.chance(&none, false))
    }

    /// The probability that a commit is bad, or that it is good. `makes_bad` says which candidates make it bad; the ends always do.
    pub(super) fn chance(&self, makes_bad: &Ranks, bad: bool) -> f64 {
        self.eras[0].chance(makes_bad, bad)
    }

    /// Where the boundary may be if that commit is bad, or good, which it is with this chance.
    pub(super) fn given(&self, makes_bad: &Ranks, bad: bool, chance: f64) -> Self {
        Self { eras: self.eras.iter().map(|places| places.given(makes_bad, bad, chance)).collect() }
    }
}

impl Places {
    fn ends(&self) -> IfThere {
        self.ends.iter().fold([0.0; 3], |sum, more| plus(sum, *more))
    }

    fn chance(&self, makes_bad: &Ranks, bad: bool) -> f64 {
        let candidates = self.candidates.iter().zip(makes_bad).filter(|(_, makes_bad)| **makes_bad == bad);
        let candidates: f64 = candidates.map(|([probability, ..], _)| probability).sum();
        candidates + if bad { self.ends()[0] } else { 0.0 }
    }

    fn given(&self, makes_bad: &Ranks, bad: bool, chance: f64) -> Self {
        let scale = if chance > 0.0 { 1.0 / chance } else { 0.0 };
        let left = |place: &IfThere, holds: bool| place.map(|part| if holds { part * scale } else { 0.0 });
        Self {
            candidates: self.candidates.iter().zip(makes_bad).map(|(place, makes_bad)| left(place, *makes_bad == bad)).collect(),
            ends: self.ends.iter().map(|end| left(end, bad)).collect(),
        }
    }
}

/// Sums of what first trials are like in one era.
struct SeenFrom {
    /// Over all candidates, where what a commit does not contain makes it bad.
    all: IfThere,
    ends: IfThere,
    /// Over the candidates that each contains, by rank.
    contained: Vec<IfThere>,
}

impl Search<'_> {
    /// Where the boundary may be under a belief, seen from commits of which nothing is known yet.
    pub(super) fn whereabouts(&self, belief: &Belief) -> Whereabouts {
        let heard = |r: f64| (1.0 - self.range.mute) * r + self.range.mute * belief.f;
        let place = |probability: f64, r: f64| [probability, probability * heard(r), probability * select::entropy(heard(r))];
        let seen_from = |rates: &Rates| {
            let by_group: Vec<IfThere> = belief.groups.iter().zip(&rates.group_r).map(|(&group, &r)| place(group, r)).collect();
            Places {
                candidates: self.range.posterior.groups.spread(|group, share| by_group[group].map(|sum| sum * share)),
                ends: belief.ends.iter().zip(&rates.end_r).map(|(&end, &r)| place(end, r)).collect(),
            }
        };
        Whereabouts { eras: belief.eras.iter().map(seen_from).collect() }
    }

    /// Offers of commits without a valid trial, but those of candidates that are less likely than `least`.
    pub(super) fn untested(&self, belief: &Belief, places: &Whereabouts, available: &Ranks, least: f64) -> Vec<Offer> {
        let range = self.range;
        let unsure_if_good = select::entropy(belief.f);
        let candidates = &places.eras[0].candidates;
        let seen_from: Vec<SeenFrom> = places
            .eras
            .iter()
            .map(|places| SeenFrom {
                all: if range.begins { [0.0; 3] } else { places.candidates.iter().fold([0.0; 3], |sum, more| plus(sum, *more)) },
                ends: places.ends(),
                contained: range.candidates.contained_sums(&places.candidates),
            })
            .collect();
        let (yields, doubtful) = self.yields_by_rank(belief);
        let with_build = self.with_build();
        let built = self.built();
        let offer = |node: Node, [bad, hit, unsure]: IfThere, listed: u32, yields: f64, doubtful: bool, built: bool| {
            let good = 1.0 - bad;
            let bits = select::bits(hit + good * belief.f, unsure + good * unsure_if_good);
            let hit = Hit { bad: if bad > 0.0 { hit / bad } else { belief.r }, good: belief.f };
            let value = bits * yields / if built { 1.0 } else { with_build };
            Offer { node, bad, hit, value, listed, rebuild: false, doubtful }
        };
        let tested = range.tested();
        let mut offers: Vec<Offer> = (0..candidates.len())
            .filter(|&rank| available[rank] && !tested[rank] && candidates[rank][0] >= least)
            .map(|rank| {
                let (node, listed) = (range.candidates.node(rank), range.candidates.listed(rank));
                let SeenFrom { all, ends, contained } = &seen_from[self.eras.of(node)];
                let inside = if range.begins { contained[rank] } else { minus(*all, contained[rank]) };
                offer(node, plus(inside, *ends), listed, yields[rank], doubtful, built[rank])
            })
            .collect();
        // Good ends that are trusted; the newest commit of a search for a fix is a candidate itself.
        let trusted = range.ends.iter().enumerate().filter(|(_, end)| {
            range.posterior.site(end.node).is_none()
                && range.candidates.rank(end.node).is_none()
                && self.available(belief, end.node)
        });
        offers.extend(trusted.map(|(place, end)| {
            let bad = places.eras[self.eras.of(end.node)].ends[place];
            offer(end.node, bad, u32::MAX, self.yields(end.node, 0), false, self.known.is_built(end.node))
        }));
        offers
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
                Offer { node: site.node, bad: belief.bad, hit: prospect.hit, value, listed, rebuild, doubtful: false }
            })
            .collect()
    }

    /// Which candidates have a kernel.
    fn built(&self) -> Ranks {
        let mut built = vec![false; self.range.candidates.len()];
        for rank in self.known.built().filter_map(|node| self.range.candidates.rank(node)) {
            built[rank] = true;
        }
        built
    }

    /// How many times longer a trial takes with the build before it.
    fn with_build(&self) -> f64 {
        let Pace { build, trial, .. } = self.pace;
        if trial > 0.0 { (build + trial) / trial } else { 1.0 }
    }

    /// The share of first trials that say something, by rank: less near commits that could not be tested, or where another bug hid all
    /// that a trial could have shown; and whether there are such commits.
    fn yields_by_rank(&self, belief: &Belief) -> (Vec<f64>, bool) {
        let candidates = &self.range.candidates;
        let (mut broken, mut working) = (Vec::new(), Vec::new());
        let mut own = Vec::new();
        for (node, tally) in self.known.tallies() {
            if let Some(rank) = candidates.rank(*node) {
                let hidden = self.hidden(belief, *node);
                match tally.valid() - hidden {
                    0 if tally.own_voids() > 0 || hidden >= HIDES => broken.push(rank),
                    0 => {}
                    _ => working.push(rank),
                }
                own.push((rank, self.yields(*node, hidden)));
            }
        }
        broken.extend(
            self.known
                .unbuildable()
                .iter()
                .filter(|node| self.known.trials(**node) == 0)
                .filter_map(|&node| candidates.rank(node)),
        );
        let mut yields = vec![1.0; candidates.len()];
        let doubtful = !broken.is_empty();
        if doubtful {
            let depths = candidates.depths();
            let at = |ranks: &[usize]| ranks.iter().map(|&rank| depths[rank]).collect();
            let untestable = select::Untestable::new(at(&broken), at(&working), candidates.len() as u32);
            for (rank, &depth) in depths.iter().enumerate() {
                yields[rank] = 1.0 - untestable.at(depth);
            }
        }
        for (rank, share) in own {
            yields[rank] = share;
        }
        (yields, doubtful)
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

fn plus(mut sum: IfThere, more: IfThere) -> IfThere {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
    sum
}

fn minus(sum: IfThere, less: IfThere) -> IfThere {
    plus(sum, less.map(|less| -less))
}
