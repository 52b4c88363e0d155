//! Candidates in segments: parts of a strand between the commits at which something was learned.
//!
//! What is known of a segment's members differs by their prior weights alone, and a commit contains of a segment nothing, all, or the
//! oldest members up to one. So a range of many thousand commits is weighed by its segments, which are few.

use super::Candidates;
use crate::graph::Graph;
use crate::graph::Node;
use crate::strands::add;

/// Neighbours on one strand, oldest first: places in an order that goes strand by strand, see [`Candidates::at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The first place.
    pub(crate) from: u32,
    /// The place after the last one.
    pub(crate) to: u32,
}

/// What became of a segment that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) segment: Segment,
    /// Which segment it is part of.
    pub(crate) of: usize,
    /// It is the part, or all, that is contained.
    pub(crate) contained: bool,
}

impl Segment {
    pub(crate) fn len(self) -> u32 {
        self.to - self.from
    }
}

impl Candidates {
    /// The rank of the candidate at a place.
    pub(crate) fn at(&self, place: u32) -> usize {
        self.in_order[place as usize] as usize
    }

    /// The place of the candidate with this rank.
    pub(crate) fn place(&self, rank: usize) -> u32 {
        self.places[rank]
    }

    /// The prior weight of a segment, or of a part of one.
    pub(crate) fn weight(&self, Segment { from, to }: Segment) -> f64 {
        self.weight_before[to as usize] - self.weight_before[from as usize]
    }

    /// The share of a segment's prior weight that a part of it has.
    pub(crate) fn share(&self, part: Segment, whole: Segment) -> f64 {
        self.weight(part) / self.weight(whole)
    }

    /// The member of a segment that looked guiltiest beforehand, the first in git's list of equal ones, by rank.
    pub(crate) fn likeliest(&self, Segment { from, to }: Segment) -> usize {
        self.leader((from..to).map(|place| self.at(place)).map(|rank| (rank, self.weights()[rank]))).0
    }

    /// All candidates, a segment for each strand.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::with_capacity(self.strands.len());
        for strand in self.in_order.chunk_by(|&one, &other| self.strand(one as usize) == self.strand(other as usize)) {
            let from = segments.last().map_or(0, |last| last.to);
            segments.push(Segment { from, to: from + strand.len() as u32 });
        }
        segments
    }

    /// How many members of each segment the commit contains: the oldest ones.
    pub(crate) fn contained_of(&self, graph: &Graph, node: Node, segments: &[Segment]) -> Vec<u32> {
        let Some(rank) = self.rank(node) else {
            let contained = self.contained(graph, node);
            let of = |segment: &Segment| (segment.from..segment.to).take_while(|&place| contained[self.at(place)]).count() as u32;
            return segments.iter().map(of).collect();
        };
        let (own, place) = (self.strand(rank), self.place(rank));
        let whole = self.strands.contained(own);
        let of = |segment: &Segment| match self.strand(self.at(segment.from)) {
            strand if strand == own => (place + 1).clamp(segment.from, segment.to) - segment.from,
            strand if whole[strand] => segment.len(),
            _ => 0,
        };
        segments.iter().map(of).collect()
    }

    /// For each segment the sums of some quantities over what its first member contains, itself left out. The quantities are the
    /// segments' own.
    pub(crate) fn sums_below<const N: usize>(&self, segments: &[Segment], quantities: &[[f64; N]]) -> Vec<[f64; N]> {
        let strand = |segment: &Segment| self.strand(self.at(segment.from));
        let mut whole = vec![[0.0; N]; self.strands.len()];
        for (segment, quantities) in segments.iter().zip(quantities) {
            whole[strand(segment)] = add(whole[strand(segment)], quantities);
        }
        // From here on: with the segments of the strand that were met.
        let mut below = self.strands.sums_below(&whole);
        let met = segments.iter().zip(quantities).map(|(segment, quantities)| {
            let sums = &mut below[strand(segment)];
            std::mem::replace(sums, add(*sums, quantities))
        });
        met.collect()
    }

    fn strand(&self, rank: usize) -> usize {
        self.strands.of()[rank] as usize
    }
}

/// The segments cut in two where that many members, the oldest ones, are contained in something.
pub(crate) fn cut(segments: &[Segment], contained: &[u32]) -> Vec<Part> {
    let mut parts = Vec::with_capacity(segments.len() + 1);
    for (of, (&Segment { from, to }, &count)) in segments.iter().zip(contained).enumerate() {
        let between = from + count;
        if count > 0 {
            parts.push(Part { segment: Segment { from, to: between }, of, contained: true });
        }
        if between < to {
            parts.push(Part { segment: Segment { from: between, to }, of, contained: false });
        }
    }
    parts
}
