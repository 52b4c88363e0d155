//! The bisection as a state machine: `plan`, `record`, `judge`, `retract`.
//!
//! Owns what is known and what to do next; acts on nothing. What it knows is a *set* of evidence: any order of recording gives
//! the same state, and the phases (start commit, far end of the range, search, verification) are derived from it, never stored.
//! The probabilities are [`crate::posterior`]'s, the choice among commits [`crate::select`]'s and [`crate::git_compat`]'s.

mod ahead;
mod assumed;
mod by_git;
mod by_posterior;
mod course;
mod ends;
mod eras;
mod evidence;
mod explain;
mod far_end;
mod known;
mod monotone;
mod offers;
mod others;
mod plan;
mod range;
mod reach;
mod search;
mod stage;
mod summary;
mod suspicion;
mod time_limit;
mod whereabouts;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;

pub use assumed::Assumption;
pub use assumed::BadAssumption;
pub use ends::BadEnds;
pub use ends::Ends;
pub use ends::Kind;
pub use ends::Release;
pub use evidence::Built;
pub use evidence::Evidence;
pub use evidence::Judged;
pub use evidence::TrialNumber;
pub use others::OtherBug;
pub use others::Shown;
pub use plan::Action;
pub use plan::Conclusion;
pub use plan::Pace;
pub use plan::Pending;
pub use plan::Plan;
pub use plan::Reading;
pub use plan::Settings;
pub use plan::Strategy;
pub use plan::Summary;
pub use plan::Suspect;
pub use plan::Tested;
pub(crate) use range::MUTE_SHARE;
pub(crate) use range::STATED_BAD;
pub use suspicion::Stretch;

use crate::commit::CommitId;
use crate::graph::Graph;
use crate::graph::Node;
use crate::policy::Role;
use by_git::ByGit;
use by_posterior::ByPosterior;
use ends::Places;
use eras::Eras;
use evidence::Recorded;
use far_end::calibration;
use known::Known;
use range::Kept;
use stage::Choose;
use stage::Stage;
use suspicion::Suspicion;

/// A bisection: what is known, and what follows from it.
#[derive(Debug)]
pub struct Bisector {
    graph: Arc<Graph>,
    places: Places,
    settings: Settings,
    recorded: Recorded,
    pace: Pace,
    /// Where toolchain or configuration change.
    eras: Arc<Eras>,
    /// How guilty commits look before any trial.
    suspicion: Suspicion,
    /// What follows from the evidence, worked out when first asked for.
    view: OnceLock<View>,
    kept: Mutex<Kept>,
}

/// What follows from the evidence.
#[derive(Debug)]
struct View {
    known: Known,
    stage: Stage,
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
        Ok(Self {
            graph,
            places,
            settings,
            recorded: Recorded::default(),
            pace: Pace::default(),
            eras: Arc::default(),
            suspicion: Suspicion::default(),
            view: OnceLock::new(),
            kept: Mutex::default(),
        })
    }

    /// The history in question.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The same bisection with other evidence.
    fn with(&self, recorded: Recorded) -> Self {
        Self {
            graph: Arc::clone(&self.graph),
            places: self.places.clone(),
            settings: self.settings,
            recorded,
            pace: self.pace,
            eras: Arc::clone(&self.eras),
            suspicion: self.suspicion.clone(),
            view: OnceLock::new(),
            kept: Mutex::default(),
        }
    }

    /// From now on plans take into account how long things take, and name kernels to build ahead of need.
    pub fn keep_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Takes a kernel that was built into account.
    pub fn record_build(&mut self, built: Built) {
        self.recorded.record_build(built);
        self.evidence_changed();
    }

    /// Takes into account that a commit has no kernel: it is not tested any more, nor are its neighbours while there are others.
    pub fn record_failed_build(&mut self, commit: CommitId) {
        self.recorded.record_failed_build(commit);
        self.evidence_changed();
    }

    /// Forgets that a commit has no kernel: it may be built again.
    pub fn forget_failed_build(&mut self, commit: &CommitId) {
        self.recorded.forget_failed_build(commit);
        self.evidence_changed();
    }

    /// Takes a finished trial into account; one with the same number is replaced.
    pub fn record(&mut self, evidence: Evidence) {
        self.recorded.record(evidence);
        self.evidence_changed();
    }

    /// Forgets a trial, and the flake policy's answer if it had seen more trials than are left.
    pub fn retract(&mut self, number: TrialNumber) {
        self.recorded.retract(number);
        self.evidence_changed();
    }

    /// Takes the flake policy's answer for a commit into account. Of several for one commit that which saw most trials stands, and
    /// the latest of those that saw equally many.
    pub fn judge(&mut self, judged: Judged) {
        self.recorded.judge(judged);
        self.view = OnceLock::new();
    }

    /// What to do next, given what is under way: the search is slow to leave a commit that something runs at.
    pub fn plan(&self, pending: &[Pending]) -> Plan {
        let View { known, stage } = self.view();
        let plan = match stage {
            Stage::Test(node, role) => self.with_next_end(known, self.once_more(known, *node, *role), *node, *role),
            Stage::Search(range) => self.strategy().plan(self, known, range, pending),
            Stage::End(conclusion) => Plan::Done(conclusion.clone()),
        };
        self.in_time(known, self.calibrating(known, plan, pending))
    }

    /// The plan without cutting short what runs at the start commit: its trials tell r, and how soon the target shows, best when they
    /// run to their end. Meanwhile the next kernel is built.
    fn calibrating(&self, known: &Known, mut plan: Plan, pending: &[Pending]) -> Plan {
        let start = self.graph.id(self.places.start);
        let under_way = pending.iter().find(|pending| pending.commit == start && pending.trials > 0);
        if let (Plan::Do(actions), Some(under_way), Strategy::Posterior) = (&mut plan, under_way, self.settings.strategy)
            && !actions.iter().any(|action| action.commit() == start)
        {
            let trials = known.trials(self.places.start) + under_way.trials;
            actions.push(Action::Try { commit: start, role: Role::Start, trials, rebuild: false, exposure: 1.0 });
        }
        plan
    }

    /// Something changed from which the candidates' prior follows.
    fn forget_view(&mut self) {
        self.view = OnceLock::new();
        self.kept = Mutex::default();
    }

    fn evidence_changed(&mut self) {
        self.view = OnceLock::new();
        self.kept().evidence_changed();
    }

    fn view(&self) -> &View {
        self.view.get_or_init(|| {
            let known = Known::new(&self.graph, &self.recorded, self.settings.single_trials);
            let stage = self.strategy().stage(self, &known);
            View { known, stage }
        })
    }

    fn strategy(&self) -> &'static dyn Choose {
        match self.settings.strategy {
            Strategy::Git => &ByGit,
            Strategy::Posterior => &ByPosterior,
        }
    }

    /// One more trial at a commit that stays under test until it has a verdict; a start commit takes a few in any case.
    fn once_more(&self, known: &Known, node: Node, role: Role) -> Plan {
        let least = if role == Role::Start { calibration(known.tally(node)) } else { 1 };
        let trials = (known.trials(node) + 1).max(least);
        Plan::Do(vec![Action::Try { commit: self.graph.id(node), role, trials, rebuild: false, exposure: 1.0 }])
    }
}
