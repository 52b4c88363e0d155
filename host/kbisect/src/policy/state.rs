//! What plugins are told of the bisection under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::Face;
use kbisect_core::policy::Past;
use kbisect_core::policy::Rates;

use super::BisectionState;
use super::property;

/// What does not change while a bisection goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// What is looked for.
    pub(crate) kind: Kind,
    /// Where the crash was seen.
    pub(crate) start: CommitId,
    /// The newest commit known.
    pub(crate) newest: CommitId,
    /// Chance of a wrong name that is put up with.
    pub(crate) delta: f64,
    /// The kernel's architecture, as `uname -m` names it, where it is known.
    pub(crate) arch: Option<&'static str>,
}

impl Situation {
    /// The bisection as plugins see it before anything is known.
    pub(crate) fn at_first(&self, faces: Vec<Face>) -> BisectionState {
        let kind = if self.kind == Kind::Cause { "cause" } else { "fix" };
        let mut properties = BTreeMap::from([
            (property::KIND.to_owned(), kind.to_owned()),
            (property::START_COMMIT.to_owned(), self.start.to_string()),
            (property::DELTA.to_owned(), self.delta.to_string()),
            (property::NEWEST_COMMIT.to_owned(), self.newest.to_string()),
        ]);
        properties.extend(self.arch.map(|arch| (property::ARCH.to_owned(), arch.to_owned())));
        BisectionState { faces, rates: None, history: Arc::default(), properties }
    }

    /// The bisection as plugins see it.
    pub(crate) fn state(&self, faces: Vec<Face>, summary: Summary) -> BisectionState {
        let history = summary
            .tested
            .into_iter()
            .map(|tested| Past {
                commit: tested.commit,
                role: tested.role,
                clean: tested.clean,
                crashed: tested.hits + tested.other,
                void: tested.void,
                verdict: tested.verdict,
            })
            .collect();
        self.later(faces, summary.range, summary.rates, Arc::new(history))
    }

    /// The bisection as plugins see it with so many commits between its ends, where they are known, and these tested.
    pub(crate) fn later(
        &self,
        faces: Vec<Face>,
        range: Option<usize>,
        rates: Option<Rates>,
        history: Arc<Vec<Past>>,
    ) -> BisectionState {
        let mut state = BisectionState { rates, history, ..self.at_first(faces) };
        state.properties.extend(range.map(|range| (property::RANGE_SIZE.to_owned(), range.to_string())));
        state
    }
}
