//! The driver's one loop: asks the search what to do, starts it, takes in what ended.
//!
//! Owns the order of things: an event is journalled, then applied, then acted on. What runs is the executor's; what it means is
//! the core's and the plugins'.

mod at_start;
mod exactly;
mod identity;
mod kernels;
mod newest;
mod outcome;
mod reach;
pub(super) mod start_commit;
mod stuck;
mod take_over;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::time::Duration;
use std::time::Instant;

use kbisect_core::bisector::Action;
use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Evidence;
use kbisect_core::bisector::Pending;
use kbisect_core::bisector::Plan;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::SAYS_SOMETHING;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Trial;
use kbisect_core::policy::Verdict;

pub(super) use self::exactly::Errand;
use super::executor::Ended;
use super::executor::Executor;
use super::parts::Parts;
use super::state::State;
use super::target;
use crate::config::job::Expect;
use crate::error::Error;
use crate::machine::Ended as Exited;
use crate::record::event::BuildResult;
use crate::record::event::Event;
use crate::record::progress::Progress;
use crate::record::recorder::Recorder;
use crate::trial::Finished;

/// Infrastructure failures in a row, over all commits, after which the run ends.
const MAX_INFRA_STREAK: u32 = 5;

/// Rounds of planning without an event that was recorded, beside one for each slot, after which the run makes no progress.
const MAX_BARREN_ROUNDS: u32 = 100;

/// Rounds of planning while nothing else happens, after which they will not come to an end.
const MAX_ROUNDS: u32 = 1000;

/// How the loop ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// The search is over.
    Concluded(Conclusion),
    /// A signal; everything that ran has ended and is kept.
    Signal,
    /// The deadline.
    Deadline,
    /// The infrastructure is broken, and how.
    Infrastructure(String),
}

/// What runs for one trial number.
struct Running {
    commit: CommitId,
    role: Role,
    build: u32,
    n: u32,
    /// Trials in all that the search proposed there when this one started.
    proposed: u32,
    cancelled: bool,
}

/// The loop and what it holds.
pub(super) struct Dispatcher<'a> {
    parts: &'a Parts,
    state: &'a mut State,
    recorder: &'a mut Recorder,
    executor: Executor,
    running: BTreeMap<TrialNumber, Running>,
    building: HashSet<(CommitId, u32)>,
    /// Commits that the plan builds ahead of need, the likeliest first.
    ahead: Vec<CommitId>,
    /// Commits are being weighed.
    weighing: bool,
    free_slots: Vec<u32>,
    infra_streak: u32,
    last_infra: String,
    /// Rounds of planning since the last event was recorded.
    barren_rounds: u32,
    /// The newest commit was looked for, and tested.
    newest_done: bool,
    stopping: Option<Ending>,
    /// The only commit that anything is done for.
    only: Option<CommitId>,
    /// It was said that build ids cannot tell which kernel runs.
    unidentified_told: bool,
}

impl<'a> Dispatcher<'a> {
    /// A loop that goes on from `state`.
    pub(super) fn new(parts: &'a Parts, state: &'a mut State, recorder: &'a mut Recorder, executor: Executor) -> Self {
        let free_slots = (0..executor.slots()).rev().collect();
        Self {
            parts,
            state,
            recorder,
            executor,
            running: BTreeMap::new(),
            building: HashSet::new(),
            ahead: Vec::new(),
            weighing: false,
            free_slots,
            infra_streak: 0,
            last_infra: String::new(),
            barren_rounds: 0,
            newest_done: false,
            stopping: None,
            only: None,
            unidentified_told: false,
        }
    }

    /// Runs until there is an answer or a reason to stop.
    pub(super) async fn run(mut self, signals: &mut super::signals::Signals) -> Result<Ending, Error> {
        let deadline = signals.deadline();
        self.catch_up()?;
        loop {
            if let Some(errand) = self.newest()?
                && let Some(ending) = self.exactly(signals, errand).await?
            {
                return Ok(ending);
            }
            while let Some(commit) = self.to_probe(None) {
                if let Some(ending) = self.probe(signals, commit).await? {
                    return Ok(ending);
                }
            }
            if self.stopping.is_none()
                && let Some(ending) = self.advance()?
            {
                self.executor.cancel_all();
                if let Ending::Concluded(conclusion) = &ending {
                    let Some(commit) = self.to_probe(Some(conclusion)) else { return Ok(ending) };
                    if let Some(ending) = self.probe(signals, commit).await? {
                        return Ok(ending);
                    }
                    continue;
                }
                self.stopping = Some(ending);
            }
            if self.stopping.is_some() && self.running.is_empty() && self.building.is_empty() {
                return Ok(self.stopping.take().expect("just seen"));
            }
            self.wait(signals, deadline).await?;
        }
    }

    /// Takes in what happens next.
    async fn wait(&mut self, signals: &mut super::signals::Signals, deadline: Option<Instant>) -> Result<(), Error> {
        let until_deadline = deadline.map_or(Duration::from_secs(3600), |at| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            ended = self.executor.next() => self.take(ended)?,
            () = signals.next() => {
                if self.stopping.is_some() {
                    self.executor.cancel_all();
                } else {
                    // Best effort: a full disk does not keep anyone from stopping.
                    let _ = self.record(Event::Stopping);
                    self.stopping = Some(Ending::Signal);
                    self.executor.cancel_builds();
                }
            }
            () = tokio::time::sleep(until_deadline), if deadline.is_some() && self.stopping.is_none() => {
                self.stopping = Some(Ending::Deadline);
                self.executor.cancel_all();
            }
        }
        Ok(())
    }

    /// Starts everything that the plan asks for and that fits; an ending when there is nothing more to do.
    fn advance(&mut self) -> Result<Option<Ending>, Error> {
        for round in 1.. {
            let pending = self.pending();
            let actions = match self.state.bisector.plan(&pending) {
                Plan::Done(conclusion) => {
                    self.recorder.progress(&Progress::Standing(self.state.bisector.summary()));
                    return Ok(Some(Ending::Concluded(conclusion)));
                }
                Plan::Do(actions) => actions,
            };
            self.cancel_what_left_the_plan(&actions);
            self.ahead = actions
                .iter()
                .filter_map(|action| if let Action::Build(commit) = action { Some(*commit) } else { None })
                .collect();
            if self.weighs_commits() {
                return Ok(None);
            }
            self.barren_rounds += 1;
            if round > MAX_ROUNDS || self.barren_rounds > MAX_BARREN_ROUNDS + self.executor.slots() {
                return Err(self.stuck("the search goes round in circles", &actions));
            }
            let mut again = false;
            for (place, action) in actions.iter().enumerate() {
                match self.serve(action, place == 0)? {
                    Served::Started => {}
                    Served::Changed => {
                        again = true;
                        break;
                    }
                    Served::End(ending) => return Ok(Some(ending)),
                }
            }
            if !again {
                if self.running.is_empty() && self.building.is_empty() {
                    return Err(self.stuck("nothing runs that could be waited for", &actions));
                }
                self.recorder.progress(&Progress::Standing(self.state.bisector.summary()));
                break;
            }
        }
        Ok(None)
    }

    fn pending(&self) -> Vec<Pending> {
        let mut trials: BTreeMap<CommitId, u32> = self.building.iter().map(|(commit, _)| (*commit, 0)).collect();
        for running in self.running.values().filter(|running| !running.cancelled) {
            *trials.entry(running.commit).or_default() += 1;
        }
        trials.into_iter().map(|(commit, trials)| Pending { commit, trials }).collect()
    }

    fn cancel_what_left_the_plan(&mut self, actions: &[Action]) {
        let wanted = |commit: CommitId| actions.iter().any(|action| action.commit() == commit);
        for (number, running) in self.running.iter_mut().filter(|(_, running)| !running.cancelled && !wanted(running.commit)) {
            running.cancelled = true;
            self.executor.cancel_trial(*number);
            self.recorder.progress(&Progress::Cancelled { trial: *number });
        }
        for &(commit, build) in self.building.iter().filter(|(commit, _)| !wanted(*commit)) {
            self.executor.cancel_build(commit, build);
        }
    }

    /// Does what can be done now for one action of the plan.
    fn serve(&mut self, action: &Action, first: bool) -> Result<Served, Error> {
        if self.only.is_some_and(|only| only != action.commit()) {
            return Ok(Served::Started);
        }
        match *action {
            Action::Build(commit) => {
                if !self.state.builds.contains_key(&(commit, 1)) {
                    self.start_build(commit, 1);
                }
                Ok(Served::Started)
            }
            Action::Try { commit, role, trials, rebuild, exposure } => {
                if first && self.state.current != Some((commit, role)) {
                    self.choose(commit, role)?;
                }
                let build = if rebuild { 2 } else { 1 };
                if let Some(served) = self.serve_kernel(commit, role, build)? {
                    return Ok(served);
                }
                self.try_commit(commit, role, build, trials, exposure)
            }
        }
    }

    /// Asks the policy, and starts as many trials as are wanted and fit.
    fn try_commit(&mut self, commit: CommitId, role: Role, build: u32, proposed: u32, exposure: f64) -> Result<Served, Error> {
        let done = self.state.done(commit);
        let running = self.running.values().filter(|running| running.commit == commit && !running.cancelled).count() as u32;
        if self.state.standing_judgement(commit).is_none() {
            return self.judge(commit, role, running, proposed);
        }
        let wanted = match self.state.standing_judgement(commit).map(|judgement| &judgement.decision) {
            Some(Decision::Want(total)) => *total,
            _ => 0,
        };
        let mut total = wanted.max(proposed);
        if total <= done + running && running == 0 {
            // Whatever was answered, an action that the plan holds makes progress.
            total = done + 1;
        }
        for _ in (done + running)..total {
            let Some(slot) = self.free_slots.pop() else {
                break;
            };
            self.start_trial(commit, role, build, slot, proposed, exposure);
        }
        Ok(Served::Started)
    }

    fn judge(&mut self, commit: CommitId, role: Role, running: u32, proposed: u32) -> Result<Served, Error> {
        let trials = self.state.trials_at(commit);
        let seen = trials.len() as u32;
        let (plugin, mut judgement) = if self.parts.job.search.single_trials {
            ("git".to_owned(), single_trial(&trials.iter().map(|trial| &trial.outcome).collect::<Vec<_>>()))
        } else {
            self.parts.tell_policies_at(self.state, &commit);
            tokio::task::block_in_place(|| self.parts.policies.judge(&Ask { commit, role, trials, running, proposed }))
        };
        self.record_policy_notices()?;
        if let (Decision::Want(_), Some(failure)) = (&judgement.decision, self.state.only_voids(commit)) {
            let reason = format!("three trials in a row ended without a result: {}", failure.reason);
            judgement = Judgement { decision: Decision::Conclude(Verdict::Skip(reason.clone())), confidence: 1.0, reason };
        }
        if role == Role::Start
            && judgement.decision == Decision::Conclude(Verdict::Bad)
            && let Some(reason) = self.rival_of_target()
        {
            let decision = Decision::Want(seen + running + target::MORE);
            judgement = Judgement { decision, confidence: judgement.confidence, reason };
        }
        let decision = judgement.decision.clone();
        self.record(Event::Judged { commit, trials: seen, plugin, judgement })?;
        match decision {
            Decision::Want(_) | Decision::Conclude(Verdict::Good | Verdict::Skip(_)) => {}
            Decision::Conclude(Verdict::Bad) if role == Role::Start => self.freeze_target()?,
            Decision::Conclude(Verdict::Bad) => {}
            Decision::Abort(why) => return Ok(Served::End(Ending::Infrastructure(why))),
        }
        Ok(Served::Changed)
    }

    fn choose(&mut self, commit: CommitId, role: Role) -> Result<(), Error> {
        self.turn_to(commit, role, self.parts.subject(&commit))
    }

    fn turn_to(&mut self, commit: CommitId, role: Role, subject: String) -> Result<(), Error> {
        let summary = self.state.bisector.summary();
        let release = self.parts.ends.releases.iter().find(|release| release.commit == commit && role == Role::Release);
        let event = Event::Chosen {
            commit,
            role,
            release: release.map(|release| release.name.clone()),
            subject,
            left: summary.left,
            steps: summary.steps,
        };
        self.recorder.progress(&Progress::Standing(summary));
        self.record(event)
    }

    fn start_trial(&mut self, commit: CommitId, role: Role, build: u32, slot: u32, proposed: u32, exposure: f64) {
        let number = self.state.next_number();
        let n = self.free_index(commit);
        let kernel = match self.state.builds.get(&(commit, build)) {
            Some(BuildResult::Built { kernel, .. }) => kernel.clone(),
            _ => None,
        };
        self.running.insert(number, Running { commit, role, build, n, proposed, cancelled: false });
        self.executor.start_trial(number, commit, n, slot, kernel, exposure);
        self.recorder.progress(&Progress::Trying { trial: number, commit, slot });
    }

    /// The smallest index that no trial of the commit has or had, finished or running.
    fn free_index(&self, commit: CommitId) -> u32 {
        let finished = self.state.trials.values().filter(|past| past.commit == commit).map(|past| past.n);
        let running = self.running.values().filter(|running| running.commit == commit).map(|running| running.n);
        let retracted = self.state.retracted.iter().filter(|(at, _)| *at == commit).map(|(_, n)| *n);
        let used: HashSet<u32> = finished.chain(running).chain(retracted).collect();
        (1..).find(|n| !used.contains(n)).expect("numbers do not end")
    }

    /// Takes in something that ended.
    fn take(&mut self, ended: Ended) -> Result<(), Error> {
        match ended {
            Ended::Retrying(failure) => self.count_infra(failure),
            Ended::Weighed(weighed) => self.take_weights(weighed),
            Ended::Probed { commit, slot, found, seconds } => {
                self.free_slots.push(slot);
                // One that was cancelled is made anew.
                found.map_or(Ok(()), |found| self.record(Event::Reached { commit, found: *found, seconds }))
            }
            Ended::Build { commit, build, result, seconds } => self.take_build(commit, build, result, seconds),
            Ended::Trial { number, slot, end } => {
                self.free_slots.push(slot);
                let Some(running) = self.running.remove(&number) else {
                    return Ok(());
                };
                match end {
                    Some(end) if end.cancelled && end.outcome == Outcome::Clean && self.mute(&running).is_some() => Ok(()),
                    Some(end) if end.cancelled && end.outcome == Outcome::Clean && end.exposure < SAYS_SOMETHING => {
                        let Running { commit, role, build, .. } = running;
                        self.record(Event::CutShort { trial: number, commit, role, build, exposure: end.exposure })
                    }
                    Some(end) => self.take_trial(number, &running, *end),
                    None => Ok(()),
                }
            }
        }
    }

    fn take_trial(&mut self, number: TrialNumber, running: &Running, end: Finished) -> Result<(), Error> {
        match &end.outcome {
            Outcome::Void(failure) if failure.stage == Stage::Infra => self.count_infra(failure.clone())?,
            _ => self.infra_streak = 0,
        }
        let commit = running.commit;
        self.tell_unidentified(&end.identity)?;
        self.parts
            .directory
            .keep_texts(&commit, running.n, &end.console, &end.printed)
            .map_err(|error| super::directory::failed("write", &self.parts.directory.trial(&commit, running.n), &error))?;
        if self.state.trials.is_empty() {
            self.check_command(&end)?;
        }
        let outcome = self.outcome_of(running, end.outcome);
        let exposure = end.exposure;
        self.record_policy_notices()?;
        let weight = self.weight(number, running, &outcome, exposure);
        self.record(Event::TrialEnded {
            trial: number,
            commit,
            role: running.role,
            build: running.build,
            n: running.n,
            outcome,
            reason: end.reason,
            reports: end.reports,
            uncounted: end.uncounted,
            weight,
            exposure,
            boot: end.boot,
            seconds: end.seconds,
        })?;
        if commit == self.parts.ends.start {
            self.settle_target()?;
        }
        // The policy is asked after every outcome, so that what it concludes ends what still runs there.
        let at_work = self.running.values().filter(|other| other.commit == commit && !other.cancelled).count() as u32;
        match self.judge(commit, running.role, at_work, running.proposed)? {
            Served::End(ending) => self.stopping = Some(ending),
            Served::Started | Served::Changed => {}
        }
        Ok(())
    }

    /// What a crash that is rather not the target weighs in the search.
    fn weight(&self, number: TrialNumber, running: &Running, outcome: &Outcome, exposure: f64) -> Option<f64> {
        if !matches!(outcome, Outcome::Crashed(sighting) if !sighting.is_target()) {
            return None;
        }
        let trial = Trial { outcome: outcome.clone(), exposure };
        let Running { commit, role, build, .. } = *running;
        self.state.bisector.weight(&Evidence { number, commit, role, build, trial })
    }

    /// A command that cannot be started, or a script that misses one, is an error of the user's, said before any work is done.
    fn check_command(&self, end: &Finished) -> Result<(), Error> {
        let (what, hint) = match end.ended {
            Some(Exited::Code(127)) => (
                "exit status 127, command not found",
                "the command runs in a checkout of the commit under test: a script that is not committed needs its whole path",
            ),
            Some(Exited::Code(126)) => {
                ("exit status 126, not executable", "a script must be executable (chmod +x) and begin with `#!`")
            }
            _ => return Ok(()),
        };
        if self.parts.job.trial.expect != Expect::Exit {
            return Ok(());
        }
        let command = self.parts.job.trial.command.first().map_or("", String::as_str);
        let error = Error::user(format!("the first trial of `{command}` ended with {what}"));
        let said = String::from_utf8_lossy(if end.printed.is_empty() { &end.console } else { &end.printed });
        Err(last_line(&said).into_iter().fold(error, |error, said| error.hint(format!("its last words: {said}"))).hint(hint))
    }

    fn count_infra(&mut self, failure: Failure) -> Result<(), Error> {
        self.infra_streak += 1;
        self.last_infra.clone_from(&failure.reason);
        if self.infra_streak >= MAX_INFRA_STREAK {
            let why = format!("{MAX_INFRA_STREAK} infrastructure failures in a row; the last: {}", self.last_infra);
            self.stopping.get_or_insert(Ending::Infrastructure(why));
            self.executor.cancel_all();
        }
        self.recorder.progress(&Progress::Retrying { failure });
        Ok(())
    }

    /// Journals an event, then applies it.
    fn record(&mut self, event: Event) -> Result<(), Error> {
        self.barren_rounds = 0;
        super::record(self.recorder, self.state, event)
    }

    /// Journals what plugins said and how they failed since the last time.
    fn record_policy_notices(&mut self) -> Result<(), Error> {
        for event in self.parts.notices.take() {
            self.record(event)?;
        }
        Ok(())
    }
}

/// What serving an action came to.
enum Served {
    /// Everything that can run for it runs.
    Started,
    /// Something was learnt: plan again.
    Changed,
    /// The run ends.
    End(Ending),
}

/// `git bisect run`'s own rule: the first trial is the verdict.
fn single_trial(outcomes: &[&Outcome]) -> Judgement {
    // An infrastructure failure says nothing of the commit: git's script would not have come to an end.
    let is_told = |outcome: &&&Outcome| !matches!(outcome, Outcome::Void(failure) if failure.stage == Stage::Infra);
    let (decision, reason) = match outcomes.iter().find(is_told) {
        None => (Decision::Want(outcomes.len() as u32 + 1), "not tried yet".to_owned()),
        Some(Outcome::Clean) => (Decision::Conclude(Verdict::Good), "its one trial was clean".to_owned()),
        Some(Outcome::Crashed(_)) => (Decision::Conclude(Verdict::Bad), "its one trial crashed".to_owned()),
        Some(Outcome::Void(failure)) => (Decision::Conclude(Verdict::Skip(failure.reason.clone())), failure.reason.clone()),
    };
    Judgement { decision, confidence: 1.0, reason }
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}
