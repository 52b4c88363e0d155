//! What people ask of a bisection beside its summary: single commits, readings, what a trial weighs and what one more would change.

use super::Bisector;
use super::Evidence;
use super::Reading;
use super::Strategy;
use super::Summary;
use super::search::NAMED;
use super::stage::Stage;
use crate::commit::CommitId;
use crate::posterior::Sight;

impl Bisector {
    /// Probability that a commit has the bug, as the search sees it; none before the start commit is bad, and for commits without
    /// a trial outside of the range.
    pub fn bad(&self, commit: &CommitId) -> Option<f64> {
        let range = self.any_range()?;
        range.bad_at(&self.graph, self.graph.node(commit)?)
    }

    /// The ways to read the crashes that may be the target or not, the weightiest first, with what each makes likely; one where no
    /// crash is in doubt, none before the range is known.
    pub fn readings(&self) -> Vec<Reading> {
        match &self.view().stage {
            Stage::Search(range) => range.readings(&self.graph, 1.0, NAMED),
            Stage::Test(..) | Stage::End(_) => Vec::new(),
        }
    }

    /// What a trial weighs in the search beside all that is recorded: how many times likelier it is at a bad commit than at a good
    /// one, 1 being no vote. None where the search weighs nothing: before the start commit is bad, by git's rules, and of void trials.
    pub fn weight(&self, trial: &Evidence) -> Option<f64> {
        if self.settings.strategy == Strategy::Git {
            return None;
        }
        let mut imagined = self.recorded.clone();
        imagined.record(trial.clone());
        let imagined = self.with(imagined);
        let sight = imagined.recorded.course().sight(&trial.trial)?;
        let range = imagined.any_range()?;
        let site = range.posterior.site(self.graph.node(&trial.commit)?)?;
        let says_nothing = matches!(sight, Sight::Clean { .. }) && !range.posterior.sites[site].clean_counts;
        Some(if says_nothing { 1.0 } else { range.posterior.ratio(sight, range.posterior.sites[site].era) })
    }

    /// Where the bisection would stand if such a trial ended beside all that is recorded.
    pub fn imagine(&self, evidence: Evidence) -> Summary {
        let mut imagined = self.recorded.clone();
        imagined.record(evidence);
        self.with(imagined).summary()
    }
}
