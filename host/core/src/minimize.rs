//! Which parts of a configuration a crash needs, found with few tests.
//!
//! Owns the choice of what to leave out next and when to stop; what a test's trials say is [`showing`]'s, what a part is (an option, a
//! group of detectors) the caller knows. A test costs a build, so parts go in bulk: all beyond the baseline, then each group, then halves
//! of what cannot go as a whole. This is group testing with the needed parts as defectives (Hwang's binary splitting), except that the half
//! of which nothing is known is tested next where it is larger: what can go goes early, as the tests may run out.
//!
//! Where a smaller set never shows what a larger one does not (the oracle is monotone), no part of the result can be left out alone, but for
//! parts that need one another in a circle.

pub mod showing;

#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::Deserialize;
use serde::Serialize;

/// So many tests may end without an answer (no build, no boot) before it is given up.
pub const UNTESTABLE: u32 = 3;

/// What is to be made smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// For each part, by its number, the parts without which it cannot be there.
    pub needs: Vec<Vec<usize>>,
    /// Parts that are tested for in one go first, in this order. Together they are all parts.
    pub groups: Vec<Range<usize>>,
    /// Of how many others a part of each group is worth as much: the larger of two sets goes first.
    pub weights: Vec<u32>,
    /// Whether there is a configuration that may do by itself, without any part.
    pub baseline: bool,
    /// Most tests.
    pub most: u32,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Test the baseline by itself.
    Baseline,
    /// Test with these parts alone, in rising order.
    Keep(Vec<usize>),
    /// There is nothing more to test.
    Done(End),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What is left.
    pub left: Left,
    /// Why there is no further test.
    pub why: Why,
}

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The baseline does by itself.
    Baseline,
    /// These parts, in rising order.
    Parts(Vec<usize>),
}

/// Why there is no further test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing more can be left out.
    Minimal,
    /// As many tests were made as may be.
    Budget,
    /// [`UNTESTABLE`] of them had no answer.
    Untestable,
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The crash still shows.
    Shows,
    /// It does not.
    Gone,
    /// Nobody can tell.
    Untestable,
}

/// Parts of which something is known together.
#[derive(Debug, Clone)]
struct Segment {
    parts: Vec<usize>,
    /// Without all of them the crash is gone.
    needed: bool,
    /// Of a group that was never tested for: these go first.
    fresh: bool,
    /// How many parts there were when leaving these out changed nothing, since others need them.
    blocked_at: Option<usize>,
}

/// A minimization under way: a function of the answers so far.
#[derive(Debug, Clone)]
pub struct Minimizer {
    problem: Problem,
    weight: Vec<u64>,
    /// The smallest set that showed the crash.
    kept: Vec<bool>,
    baseline_shows: bool,
    baseline_asked: bool,
    segments: Vec<Segment>,
    tests: u32,
    untestable: u32,
}

/// A test that the search is about to make.
enum Question {
    Baseline,
    /// Without `parts` of the segment of this number.
    Without {
        segment: usize,
        parts: Vec<usize>,
        kept: Vec<bool>,
    },
}

impl Minimizer {
    /// Nothing tested yet: all parts together show the crash.
    pub fn new(problem: Problem) -> Self {
        let order = dependents_first(&problem.needs);
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, part)| place[*part] = at);
        let mut weight = vec![1; order.len()];
        for (group, of_group) in problem.groups.iter().zip(&problem.weights) {
            weight[group.clone()].fill(u64::from(*of_group));
        }
        let segments = problem
            .groups
            .iter()
            .filter(|group| !group.is_empty())
            .map(|group| {
                let mut parts: Vec<usize> = group.clone().collect();
                parts.sort_by_key(|part| place[*part]);
                Segment { parts, needed: false, fresh: true, blocked_at: None }
            })
            .collect();
        let kept = vec![true; order.len()];
        let baseline_asked = !problem.baseline;
        Self { problem, weight, kept, baseline_shows: false, baseline_asked, segments, tests: 0, untestable: 0 }
    }

    /// What to do next; the same until an answer is recorded.
    pub fn step(&mut self) -> Step {
        if self.baseline_shows {
            return Step::Done(End { left: Left::Baseline, why: Why::Minimal });
        }
        let done = |why| Step::Done(End { left: Left::Parts(self.left()), why });
        if self.untestable >= UNTESTABLE {
            return done(Why::Untestable);
        }
        if self.tests >= self.problem.most {
            return done(Why::Budget);
        }
        match self.question() {
            None => Step::Done(End { left: Left::Parts(self.left()), why: Why::Minimal }),
            Some(Question::Baseline) => Step::Baseline,
            Some(Question::Without { kept, .. }) => Step::Keep(numbers(&kept)),
        }
    }

    /// Takes in what came of the test that [`Self::step`] asked for. `paid`: it took a build, and counts as a test.
    pub fn record(&mut self, answer: Answer, paid: bool) {
        let Some(question) = self.question() else { return };
        self.tests += u32::from(paid);
        self.untestable += u32::from(answer == Answer::Untestable);
        match (question, answer) {
            (Question::Baseline, _) => {
                self.baseline_asked = true;
                self.baseline_shows = answer == Answer::Shows;
                // Without the last group it is all but the baseline: its halves are asked about at once.
                if let Some(last) = self.segments.last_mut().filter(|last| last.parts.len() > 1) {
                    last.fresh = false;
                    let parts = last.parts.split_off(last.parts.len() / 2);
                    self.segments.push(Segment { parts, needed: false, fresh: false, blocked_at: None });
                }
            }
            (Question::Without { segment, parts, kept }, Answer::Shows) => {
                self.kept = kept;
                let segment = &mut self.segments[segment];
                let whole = segment.parts.len() == parts.len();
                segment.fresh = false;
                if !whole {
                    // What is left of the half that could go is of no more use to the other than before.
                    let rest: Vec<usize> = parts.into_iter().filter(|part| self.kept[*part]).collect();
                    segment.parts.retain(|part| self.kept[*part] && !rest.contains(part));
                    self.segments.push(Segment { parts: rest, needed: false, fresh: false, blocked_at: None });
                }
                self.segments.iter_mut().for_each(|segment| segment.parts.retain(|part| self.kept[*part]));
                self.segments.retain(|segment| !segment.parts.is_empty());
            }
            (Question::Without { segment, parts, .. }, Answer::Gone | Answer::Untestable) => {
                let segment = &mut self.segments[segment];
                segment.fresh = false;
                if segment.parts.len() == parts.len() {
                    segment.needed = true;
                } else {
                    // One needed part is in this half; of the other nothing is known any more.
                    let other = segment.parts.split_off(parts.len());
                    self.segments.push(Segment { parts: other, needed: false, fresh: false, blocked_at: None });
                }
            }
        }
    }

    /// Parts of the smallest set that showed the crash.
    pub fn left(&self) -> Vec<usize> {
        numbers(&self.kept)
    }

    /// Tests that took a build.
    pub fn tests(&self) -> u32 {
        self.tests
    }

    /// The next question, where one is open. Segments that cannot be asked about are set aside on the way.
    fn question(&mut self) -> Option<Question> {
        if !self.baseline_asked {
            return Some(Question::Baseline);
        }
        let count = self.kept.iter().filter(|kept| **kept).count();
        while let Some(number) = self.choose(count) {
            let segment = &self.segments[number];
            let parts = match segment.needed {
                false => segment.parts.clone(),
                true => segment.parts[..segment.parts.len() / 2].to_vec(),
            };
            let kept = self.without(&parts);
            if kept != self.kept {
                return Some(Question::Without { segment: number, parts, kept });
            }
            let segment = &mut self.segments[number];
            if segment.needed {
                // Others need this half: it is the other without which the crash is gone.
                let other = segment.parts.split_off(parts.len());
                let half = std::mem::replace(&mut segment.parts, other);
                self.segments.push(Segment { parts: half, needed: false, fresh: false, blocked_at: Some(count) });
            } else {
                segment.blocked_at = Some(count);
                segment.fresh = false;
            }
        }
        None
    }

    /// The segment to ask about: groups in their order, then the heaviest, and of equal ones that of which less is known.
    fn choose(&self, count: usize) -> Option<usize> {
        let open = |segment: &Segment| segment.blocked_at != Some(count) && !(segment.needed && segment.parts.len() == 1);
        let weight = |segment: &Segment| segment.parts.iter().map(|part| self.weight[*part]).sum::<u64>();
        let candidates = || self.segments.iter().enumerate().filter(|(_, segment)| open(segment));
        let fresh = candidates().find(|(_, segment)| segment.fresh);
        let heaviest =
            || candidates().max_by_key(|(number, segment)| (weight(segment), !segment.needed, std::cmp::Reverse(*number)));
        fresh.or_else(heaviest).map(|(number, _)| number)
    }

    /// What is kept without these parts: all others, and what they need.
    fn without(&self, parts: &[usize]) -> Vec<bool> {
        let mut kept = self.kept.clone();
        parts.iter().for_each(|part| kept[*part] = false);
        let mut open = numbers(&kept);
        while let Some(part) = open.pop() {
            for need in &self.problem.needs[part] {
                // What is gone already was needed by nothing that is left.
                if self.kept[*need] && !kept[*need] {
                    kept[*need] = true;
                    open.push(*need);
                }
            }
        }
        kept
    }
}

fn numbers(kept: &[bool]) -> Vec<usize> {
    kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(number, _)| number).collect()
}

/// The parts in an order in which each stands before those that it needs, near ones near each other. Of parts in a circle some stand behind.
fn dependents_first(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(needs.len());
    let mut seen = vec![false; needs.len()];
    for first in 0..needs.len() {
        // Depth first, each part behind what it needs; turned round in the end.
        let mut open = vec![(first, 0)];
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        while let Some((part, at)) = open.last_mut() {
            match needs[*part].get(*at) {
                Some(&need) => {
                    *at += 1;
                    if !std::mem::replace(&mut seen[need], true) {
                        open.push((need, 0));
                    }
                }
                None => {
                    order.push(*part);
                    open.pop();
                }
            }
        }
    }
    order.reverse();
    order
}
