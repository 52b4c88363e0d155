//! Where the boundary may be: what the choice of a commit to test, and of those after it, is made from.

use super::search::Search;
use crate::graph::Node;
use crate::posterior::Belief;
use crate::posterior::Candidates;
use crate::posterior::Part;
use crate::posterior::Rates;
use crate::posterior::Segment;
use crate::posterior::cut;
use crate::select;
use crate::strands::add;

/// What a first trial is like if the boundary is in some places: the probability of that, that times the chance of a hit at a bad
/// commit, and that times the entropy of the outcome there.
pub(super) type IfThere = [f64; 3];

/// Where the boundary may be, with what first trials are like then.
#[derive(Clone)]
pub(super) struct Whereabouts {
    pub(super) segments: Vec<Segment>,
    /// Seen from each era.
    pub(super) eras: Vec<Places>,
}

/// Where the boundary may be, with what first trials are like then in one era.
#[derive(Clone)]
pub(super) struct Places {
    /// In each segment.
    pub(super) segments: Vec<IfThere>,
    /// A good end that is bad after all.
    pub(super) ends: Vec<IfThere>,
}

/// Where the boundary may be, divided by whether that makes a commit bad.
pub(super) struct Divided {
    places: Whereabouts,
    /// For each segment. The ends always make it bad.
    bad: Vec<bool>,
}

impl Whereabouts {
    /// The candidate, by rank, that is at least so likely, which is ½ or more; none if no one is.
    pub(super) fn sure(&self, candidates: &Candidates, enough: f64) -> Option<usize> {
        let mut segments = self.segments.iter().zip(&self.eras[0].segments);
        let (&segment, &[probability, ..]) = segments.find(|(_, [probability, ..])| *probability >= enough)?;
        let rank = candidates.likeliest(segment);
        (probability * candidates.weights()[rank] / candidates.weight(segment) >= enough).then_some(rank)
    }

    /// Where the boundary may be once the good ends are known to be good.
    pub(super) fn without_ends(self) -> Self {
        let bad = vec![false; self.segments.len()];
        Divided { places: self, bad }.given(false)
    }

    /// The same with segments cut where some of their members, the oldest so many, are contained in something.
    fn cut(&self, candidates: &Candidates, contained: &[u32]) -> (Self, Vec<Part>) {
        let parts = cut(&self.segments, contained);
        let of_part = |places: &[IfThere], part: &Part| {
            let whole = self.segments[part.of];
            if part.segment == whole {
                return places[part.of];
            }
            let share = candidates.share(part.segment, whole);
            places[part.of].map(|sum| sum * share)
        };
        let cut = |places: &Places| Places {
            segments: parts.iter().map(|part| of_part(&places.segments, part)).collect(),
            ends: places.ends.clone(),
        };
        (Self { segments: parts.iter().map(|part| part.segment).collect(), eras: self.eras.iter().map(cut).collect() }, parts)
    }
}

impl Divided {
    /// The probability that the commit is bad, or that it is good.
    pub(super) fn chance(&self, bad: bool) -> f64 {
        let places = &self.places.eras[0];
        let segments = places.segments.iter().zip(&self.bad).filter(|(_, makes_bad)| **makes_bad == bad);
        let segments: f64 = segments.map(|([probability, ..], _)| probability).sum();
        segments + if bad { places.of_ends()[0] } else { 0.0 }
    }

    /// Where the boundary may be if the commit is bad, or good.
    pub(super) fn given(&self, bad: bool) -> Whereabouts {
        let chance = self.chance(bad);
        let scale = if chance > 0.0 { 1.0 / chance } else { 0.0 };
        let left = |place: &IfThere, holds: bool| place.map(|part| if holds { part * scale } else { 0.0 });
        let given = |places: &Places| Places {
            segments: places.segments.iter().zip(&self.bad).map(|(place, makes_bad)| left(place, *makes_bad == bad)).collect(),
            ends: places.ends.iter().map(|end| left(end, bad)).collect(),
        };
        Whereabouts { segments: self.places.segments.clone(), eras: self.places.eras.iter().map(given).collect() }
    }
}

impl Places {
    /// Sums over the ends.
    pub(super) fn of_ends(&self) -> IfThere {
        self.ends.iter().fold([0.0; 3], add)
    }
}

impl Search<'_> {
    /// Where the boundary may be under a belief, seen from commits of which nothing is known yet.
    pub(super) fn whereabouts(&self, belief: &Belief) -> Whereabouts {
        let heard = |r: f64| (1.0 - self.range.mute) * r + self.range.mute * belief.f;
        let place = |probability: f64, r: f64| [probability, probability * heard(r), probability * select::entropy(heard(r))];
        let groups = &self.range.posterior.groups;
        let seen_from = |rates: &Rates| {
            let by_group: Vec<IfThere> = belief.groups.iter().zip(&rates.group_r).map(|(&group, &r)| place(group, r)).collect();
            Places {
                segments: groups.spread_segments(|group, share| by_group[group].map(|sum| sum * share)),
                ends: belief.ends.iter().zip(&rates.end_r).map(|(&end, &r)| place(end, r)).collect(),
            }
        };
        Whereabouts { segments: groups.segments.clone(), eras: belief.eras.iter().map(seen_from).collect() }
    }

    /// Where the boundary may be, divided by whether that makes the commit bad.
    pub(super) fn divided(&self, places: &Whereabouts, node: Node) -> Divided {
        let candidates = &self.range.candidates;
        let contained = candidates.contained_of(self.graph, node, &places.segments);
        let (places, parts) = places.cut(candidates, &contained);
        Divided { places, bad: parts.iter().map(|part| part.contained == self.range.begins).collect() }
    }
}
