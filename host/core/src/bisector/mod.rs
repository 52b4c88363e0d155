//! The bisection as a state machine: `plan`, `record`, `judge`, `retract`.
//!
//! Owns what is known and what to do next; acts on nothing. What it knows is a *set* of evidence: any order of recording gives
//! the same state, and the phases (start commit, far end of the range, search, verification) are derived from it, never stored.
//! The probabilities are [`crate::posterior`]'s, the choice among commits [`crate::select`]'s and [`crate::git_compat`]'s.

mod by_git;
mod ends;
mod evidence;
mod far_end;
mod plan;

use std::sync::Arc;

pub use ends::BadEnds;
pub use ends::Ends;
pub use ends::Kind;
pub use ends::Release;
pub use evidence::Evidence;
pub use evidence::Judged;
pub use evidence::TrialNumber;
pub use plan::Action;
pub use plan::Conclusion;
pub use plan::Pending;
pub use plan::Plan;
pub use plan::Reading;
pub use plan::Settings;
pub use plan::Strategy;
pub use plan::Summary;
pub use plan::Suspect;
pub use plan::Tested;

use crate::commit::CommitId;
use crate::graph::Graph;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::Verdict;
use ends::Places;
use evidence::Recorded;
use evidence::Tally;

/// A bisection: what is known, and what follows from it.
#[derive(Debug, Clone)]
pub struct Bisector {
    graph: Arc<Graph>,
    places: Places,
    settings: Settings,
    recorded: Recorded,
}

impl Bisector {
    /// A bisection of which nothing is known yet.
    ///
    /// # Errors
    ///
    /// If the ends name unknown commits or leave nothing to search.
    #[expect(clippy::needless_pass_by_value, reason = "the ends are given away for good")]
    pub fn new(graph: Arc<Graph>, ends: Ends, settings: Settings) -> Result<Self, BadEnds> {
        let places = Places::new(&graph, &ends)?;
        Ok(Self { graph, places, settings, recorded: Recorded::default() })
    }

    /// Takes a finished trial into account; one with the same number is replaced.
    pub fn record(&mut self, evidence: Evidence) {
        self.recorded.record(evidence);
    }

    /// Forgets a trial, and the flake policy's answer that rests on it.
    pub fn retract(&mut self, number: TrialNumber) {
        self.recorded.retract(number);
    }

    /// Takes the flake policy's answer for a commit into account. Of several for one commit, that which saw most trials stands.
    pub fn judge(&mut self, judged: Judged) {
        self.recorded.judge(judged);
    }

    /// What to do next, given what is under way.
    pub fn plan(&self, _pending: &[Pending]) -> Plan {
        self.plan_by_git(&self.known())
    }

    /// Where the bisection stands.
    pub fn summary(&self) -> Summary {
        self.summary_by_git(&self.known())
    }

    fn known(&self) -> Known<'_> {
        Known {
            graph: &self.graph,
            recorded: &self.recorded,
            tallies: self.recorded.tallies(),
            single: self.settings.single_trials,
        }
    }

    fn try_once_more(&self, known: &Known<'_>, node: Node, role: Role) -> Plan {
        let trials = known.tally(node).map_or(0, Tally::trials) + 1;
        Plan::Do(vec![Action::Try { commit: self.graph.id(node), role, trials, rebuild: false }])
    }
}

/// What is known, by commit.
struct Known<'a> {
    graph: &'a Graph,
    recorded: &'a Recorded,
    tallies: Vec<Tally>,
    single: bool,
}

impl Known<'_> {
    fn tally(&self, node: Node) -> Option<&Tally> {
        let commit = self.graph.id(node);
        self.tallies.iter().find(|tally| tally.commit == commit)
    }

    /// The verdict that stands: the policy's, or under single trials what the one valid trial says.
    fn verdict(&self, node: Node) -> Option<Verdict> {
        if !self.single {
            return self.recorded.verdict(&self.graph.id(node));
        }
        let tally = self.tally(node)?;
        if tally.hits > 0 {
            Some(Verdict::Bad)
        } else if tally.clean > 0 {
            Some(Verdict::Good)
        } else if tally.other + tally.own_voids() > 0 {
            Some(Verdict::Skip("its one trial said nothing".to_owned()))
        } else {
            None
        }
    }

    /// Whether no trial at the commit said anything of the kernel.
    fn only_voids(&self, node: Node) -> bool {
        self.tally(node).is_none_or(|tally| tally.valid() == 0)
    }

    fn id(&self, node: Node) -> CommitId {
        self.graph.id(node)
    }
}
