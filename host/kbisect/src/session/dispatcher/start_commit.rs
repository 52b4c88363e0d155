//! What the trials at the start commit say of the target: which crash it is, and when that stands.

use kbisect_core::bisector::Strategy;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::Verdict;

use super::Dispatcher;
use crate::error::Error;
use crate::policy::Watch as _;
use crate::record::duration;
use crate::record::event::Event;
use crate::session::looks::SAME;
use crate::session::looks::same_face;
use crate::session::parts::Parts;
use crate::session::state::State;
use crate::session::target;

/// A reproducer that works less often is rare enough to be told of.
const RARE: f64 = 0.05;
/// Least chance of "same bug" at which a crash at the start commit shows a face of a target that was stated.
const SHOWS: f64 = 0.9;

/// Which look a crash has.
pub(in crate::session) fn look(parts: &Parts, state: &State, report: &CrashReport) -> u32 {
    state.looks.number(report, |one, other| same(parts, one, other))
}

/// How likely two crashes are the same bug; 0 where nobody can say.
fn same(parts: &Parts, one: &CrashReport, other: &CrashReport) -> f64 {
    let face = Face { report: one.clone(), trials: 1 };
    let relation = tokio::task::block_in_place(|| parts.policies.relate_to(vec![face], other, &parts.ends.start));
    relation.map_or(0.0, |relation| relation.same)
}

impl Dispatcher<'_> {
    /// Whether somebody vouches for the start commit being bad: then it is not tested, and the target is what it is now.
    pub(super) fn start_is_assumed(&self) -> bool {
        let start = self.parts.ends.start;
        self.state.bisector.summary().assumed.iter().any(|one| one.commit == start)
    }

    /// Which look a crash has.
    pub(super) fn look(&self, report: &CrashReport) -> u32 {
        look(self.parts, self.state, report)
    }

    /// Learns the target's faces from the crashes at the start commit: their largest cluster, or what shows the target that was
    /// stated.
    pub(super) fn settle_target(&mut self) -> Result<(), Error> {
        if self.state.routed {
            return Ok(());
        }
        let learnt = if self.state.stated() { self.more_faces() } else { self.largest_cluster() };
        let Some(faces) = learnt else {
            return Ok(());
        };
        if faces != self.state.faces {
            self.record(Event::Target { faces, origin: self.state.origin.clone() })?;
        }
        self.relate_start_anew()
    }

    /// What the trials at the start commit say is done before anything new begins: an earlier process may have been killed between a
    /// trial's record and what follows from it.
    pub(super) fn catch_up(&mut self) -> Result<(), Error> {
        if self.state.routed {
            return Ok(());
        }
        let start = self.parts.ends.start;
        if self.state.done(start) > 0 {
            self.settle_target()?;
            self.relate_start_anew()?;
        }
        let concluded = self.state.standing_judgement(start).map(|judgement| &judgement.decision);
        if self.start_is_assumed() || concluded == Some(&Decision::Conclude(Verdict::Bad)) {
            self.freeze_target()?;
        }
        Ok(())
    }

    /// Relates the crashes at the start commit to the target as it is known now.
    fn relate_start_anew(&mut self) -> Result<(), Error> {
        self.parts.tell_policies(self.state);
        let start = self.parts.ends.start;
        let numbers: Vec<TrialNumber> =
            self.state.trials.iter().filter(|(_, past)| past.commit == start).map(|(number, _)| *number).collect();
        for number in numbers {
            let past = &self.state.trials[&number];
            let Outcome::Crashed(old) = &past.outcome else {
                continue;
            };
            let policies = &self.parts.policies;
            let candidates = if past.reports.is_empty() { std::slice::from_ref(&old.report) } else { &past.reports[..] };
            let best = tokio::task::block_in_place(|| {
                candidates
                    .iter()
                    .filter_map(|report| Some((report, policies.relate(report, &start).ok()?)))
                    .max_by(|one, other| one.1.same.total_cmp(&other.1.same))
            });
            let Some((report, relation)) = best else {
                continue;
            };
            let sighting = Sighting { report: report.clone(), same: relation.same, look: self.look(report) };
            if sighting != *old {
                self.record(Event::Related { trial: number, outcome: Outcome::Crashed(sighting), reason: relation.reason })?;
            }
        }
        self.record_policy_notices()
    }

    /// The stated faces, and those that the start commit showed beside them; none where it shows no others.
    fn more_faces(&self) -> Option<Vec<CrashReport>> {
        let mut faces = self.state.faces.clone();
        for past in self.state.past_at(self.parts.ends.start) {
            if let Outcome::Crashed(seen) = &past.outcome
                && seen.same >= SHOWS
                && !faces.iter().any(|face| same_face(face, &seen.report))
            {
                faces.push(seen.report.clone());
            }
        }
        (faces.len() > self.state.faces.len()).then_some(faces)
    }

    fn largest_cluster(&self) -> Option<Vec<CrashReport>> {
        self.start_clusters().into_iter().next().map(|largest| largest.faces)
    }

    fn start_clusters(&self) -> Vec<target::Cluster> {
        let reports: Vec<CrashReport> = self
            .state
            .past_at(self.parts.ends.start)
            .filter_map(|past| match &past.outcome {
                Outcome::Crashed(sighting) => Some(past.reports.first().unwrap_or(&sighting.report).clone()),
                _ => None,
            })
            .collect();
        target::clusters(&reports, |one, other| same(self.parts, one, other) >= SAME)
    }

    /// The crash that would be the target, and the next most frequent one, where nobody stated which is meant and it is not clear which
    /// of the two the start commit shows more often.
    fn rivals(&self) -> Option<[target::Cluster; 2]> {
        if self.state.stated() {
            return None;
        }
        let mut clusters = self.start_clusters().into_iter();
        let rivals = [clusters.next()?, clusters.next()?];
        (target::leads(rivals[0].trials, rivals[1].trials) < target::CLEAR).then_some(rivals)
    }

    /// What the start commit's trials must tell before it is bad, where nobody stated the target: another crash is about as frequent as
    /// the one that would be it. None after so many trials that more would hardly tell.
    pub(super) fn rival_of_target(&self) -> Option<String> {
        let open = self.parts.job.search.strategy == Strategy::Posterior && !self.state.routed;
        if !open || self.state.done(self.parts.ends.start) >= target::ENOUGH {
            return None;
        }
        let [first, second] = self.rivals()?;
        Some(format!(
            "which crash is meant is not clear: {} in {} trials, {} in {}",
            first.title(),
            first.trials,
            second.title(),
            second.trials
        ))
    }

    /// The start commit is bad: the target is what it is now, and so are the routes.
    pub(super) fn freeze_target(&mut self) -> Result<(), Error> {
        if self.state.routed {
            return Ok(());
        }
        if let Some([first, second]) = self.rivals() {
            if first.trials == second.trials {
                return Err(Error::user(format!(
                    "two different crashes are equally frequent at the start commit (in {} of its trials each):\n  {}\n  {}",
                    first.trials,
                    first.title(),
                    second.title()
                ))
                .hint("say which one is meant with `title = \"…\"` in the job file, and begin a new run"));
            }
            let message = format!(
                "the start commit shows another crash nearly as often: {} in {} trials, the target in {}; where the other one is meant, \
                 say `title = \"{}\"` in the job file, and begin a new run",
                second.title(),
                second.trials,
                first.trials,
                second.title(),
            );
            self.record(Event::Warned { message })?;
        }
        self.parts.tell_policies(self.state);
        let routes = self.parts.policies.resolve_routes(&self.state.faces()).map_err(|error| Error::user(error.to_string()))?;
        self.record(Event::Routed { routes })?;
        self.warn_of_cost()
    }

    /// Says before the search begins what a reproducer costs that shows the crash rarely.
    fn warn_of_cost(&mut self) -> Result<(), Error> {
        let outcomes = || self.state.past_at(self.parts.ends.start).map(|past| &past.outcome);
        let hits = outcomes().filter(|outcome| matches!(outcome, Outcome::Crashed(seen) if seen.is_target())).count();
        let valid = outcomes().filter(|outcome| !matches!(outcome, Outcome::Void(_))).count();
        if hits == 0 || hits as f64 >= RARE * valid as f64 {
            return Ok(());
        }
        let trials = (self.parts.job.search.delta.ln() / (1.0 - hits as f64 / valid as f64).ln()).ceil();
        let seconds = trials * self.state.durations.trial() / f64::from(self.executor.slots());
        let message = format!(
            "the reproducer showed the crash in {hits} of {valid} trials: each commit without it takes about {trials} clean ones, {}",
            duration::about(seconds),
        );
        self.record(Event::Warned { message })
    }
}
