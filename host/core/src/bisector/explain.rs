//! What people ask of a bisection beside its summary: single commits, readings, and what one trial more would change.

use super::Bisector;
use super::Evidence;
use super::Reading;
use super::Summary;
use super::View;
use super::search::NAMED;
use super::stage::Stage;
use crate::commit::CommitId;

impl Bisector {
    /// Probability that a commit has the bug, as the search sees it; none before the start commit is bad, and for commits without
    /// a trial outside of the range.
    pub fn bad(&self, commit: &CommitId) -> Option<f64> {
        let node = self.graph.node(commit)?;
        let View { known, stage } = self.view();
        let range = match stage {
            Stage::Search(range) => range.clone(),
            Stage::Test(..) | Stage::End(_) => self.provisional(known)?,
        };
        let mass: Vec<[f64; 1]> = range.mass().into_iter().map(|mass| [mass]).collect();
        range.bad_at(node, Some(&range.candidates.contained_sums(&mass)))
    }

    /// The ways to read the crashes that may be the target or not, the weightiest first, with what each makes likely; one where no
    /// crash is in doubt, none before the range is known.
    pub fn readings(&self) -> Vec<Reading> {
        let Stage::Search(range) = &self.view().stage else {
            return Vec::new();
        };
        range
            .posterior
            .beliefs
            .iter()
            .map(|belief| Reading {
                as_target: belief.reading.as_target(),
                as_stray: belief.reading.as_stray(),
                weight: belief.weight,
                suspects: range.suspects(&self.graph, &range.posterior.mass(belief), 1.0, NAMED),
            })
            .collect()
    }

    /// Where the bisection would stand if such a trial ended beside all that is recorded.
    pub fn imagine(&self, evidence: Evidence) -> Summary {
        let mut imagined = self.recorded.clone();
        imagined.record(evidence);
        self.with(imagined).summary()
    }
}
