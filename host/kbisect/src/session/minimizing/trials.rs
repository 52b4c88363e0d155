//! Trials of one smaller configuration, until they tell whether it shows the crash.

use std::collections::BTreeMap;
use std::time::Duration;

use kbisect_core::bisector::TrialNumber;
use kbisect_core::minimize::Answer;
use kbisect_core::minimize::showing::Before;
use kbisect_core::minimize::showing::Showing;
use kbisect_core::minimize::showing::showing;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::SAYS_SOMETHING;
use kbisect_core::policy::Stage;

use super::Tests;
use crate::error::Error;
use crate::record::event::Event;
use crate::record::progress::Progress;
use crate::session::directory;
use crate::session::dispatcher::Ending;
use crate::session::dispatcher::start_commit::look;
use crate::session::executor::Ended;
use crate::session::executor::Executor;
use crate::trial::Finished;

/// Infrastructure failures in a row after which the run ends.
const MOST_INFRA: u32 = 5;

/// What the trials came to.
pub(super) struct Tried {
    pub(super) answer: Answer,
    /// Why nobody can tell.
    pub(super) why: String,
    /// Trials that showed the target, and that said something.
    pub(super) shown: (u32, u32),
}

/// Machines at work.
struct Machines {
    executor: Executor,
    free: Vec<u32>,
    running: BTreeMap<TrialNumber, u32>,
    infra: u32,
    ending: Option<Ending>,
}

impl Tests<'_> {
    /// Makes trials until they tell, beside those of an earlier process.
    pub(super) async fn try_it(&mut self, test: u32, kernel: Option<String>) -> Result<Result<Tried, Ending>, Error> {
        let start = self.parts.ends.start;
        let rate = self.state.bisector.rates_at(&start).map_or(1.0, |rates| rates.r);
        let before = Before { rate, clean_enough: self.state.bisector.clean_enough(&start) };
        let executor = Executor::new(self.parts);
        let free = (0..executor.slots()).rev().collect();
        let mut machines = Machines { executor, free, running: BTreeMap::new(), infra: 0, ending: None };
        let deadline: Option<tokio::time::Instant> = self.signals.deadline().map(Into::into);
        loop {
            let said = showing(before, self.state.minimization.trials());
            match &said {
                Showing::Open(more) if machines.ending.is_none() => {
                    let more = (*more as usize).saturating_sub(machines.running.len());
                    for _ in 0..more {
                        let Some(slot) = machines.free.pop() else { break };
                        self.start(&mut machines, slot, kernel.clone());
                    }
                }
                Showing::Open(_) => {}
                _ => machines.executor.cancel_all(),
            }
            if machines.running.is_empty() {
                return Ok(match machines.ending {
                    Some(ending) => Err(ending),
                    None => Ok(self.tried(said)),
                });
            }
            let until = deadline.unwrap_or_else(|| tokio::time::Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                ended = machines.executor.next() => self.take(&mut machines, test, ended)?,
                () = self.signals.next() => {
                    if machines.ending.is_some() {
                        machines.executor.cancel_all();
                    } else {
                        // Best effort: a full disk does not keep anyone from stopping.
                        let _ = crate::session::record(self.recorder, self.state, Event::Stopping);
                        machines.ending = Some(Ending::Signal);
                    }
                }
                () = tokio::time::sleep_until(until), if deadline.is_some() && machines.ending.is_none() => {
                    machines.ending = Some(Ending::Deadline);
                    machines.executor.cancel_all();
                }
            }
        }
    }

    fn start(&mut self, machines: &mut Machines, slot: u32, kernel: Option<String>) {
        let start = self.parts.ends.start;
        let number = self.state.next_number();
        let used = |n: &u32| {
            self.state.past_at(start).any(|past| past.n == *n)
                || self.state.retracted.contains(&(start, *n))
                || machines.running.values().any(|running| running == n)
        };
        let n = (1..).find(|n| !used(n)).expect("numbers do not end");
        machines.running.insert(number, n);
        machines.executor.start_trial(number, start, n, slot, kernel, 1.0);
        self.recorder.progress(&Progress::Trying { trial: number, commit: start, slot });
    }

    fn take(&mut self, machines: &mut Machines, test: u32, ended: Ended) -> Result<(), Error> {
        let (number, slot, end) = match ended {
            Ended::Retrying(failure) => {
                machines.fail(&failure.reason);
                self.recorder.progress(&Progress::Retrying { failure });
                return Ok(());
            }
            Ended::Trial { number, slot, end } => (number, slot, end),
            Ended::Build { .. } | Ended::Weighed(_) | Ended::Probed { .. } => return Ok(()),
        };
        machines.free.push(slot);
        let Some(n) = machines.running.remove(&number) else { return Ok(()) };
        let Some(Finished { mut outcome, reason, console, printed, exposure, seconds, cancelled, .. }) = end.map(|end| *end)
        else {
            self.recorder.progress(&Progress::Cancelled { trial: number });
            return Ok(());
        };
        match &outcome {
            Outcome::Void(failure) if failure.stage == Stage::Infra => {
                machines.fail(&failure.reason);
                return Ok(());
            }
            _ => machines.infra = 0,
        }
        if cancelled && outcome == Outcome::Clean && exposure < SAYS_SOMETHING {
            self.recorder.progress(&Progress::Cancelled { trial: number });
            return Ok(());
        }
        let commit = self.parts.ends.start;
        let directory = &self.parts.directory;
        directory
            .keep_texts(&commit, n, &console, &printed)
            .map_err(|error| directory::failed("write", &directory.trial(&commit, n), &error))?;
        if let Outcome::Crashed(sighting) = &mut outcome {
            sighting.look = look(self.parts, self.state, &sighting.report);
        }
        for event in self.parts.notices.take() {
            crate::session::record(self.recorder, self.state, event)?;
        }
        let event = Event::ConfigTried { test, trial: number, commit, n, outcome, reason, exposure, seconds };
        crate::session::record(self.recorder, self.state, event)
    }

    fn tried(&self, said: Showing) -> Tried {
        let trials = self.state.minimization.trials();
        let hits = trials.iter().filter(|trial| matches!(&trial.outcome, Outcome::Crashed(seen) if seen.is_target())).count();
        let valid = trials.iter().filter(|trial| !matches!(trial.outcome, Outcome::Void(_))).count();
        let shown = (u32::try_from(hits).unwrap_or(u32::MAX), u32::try_from(valid).unwrap_or(u32::MAX));
        let (answer, why) = match said {
            Showing::Shows => (Answer::Shows, String::new()),
            Showing::Gone => (Answer::Gone, String::new()),
            Showing::Untestable(why) => (Answer::Untestable, why),
            Showing::Open(_) => (Answer::Untestable, "its trials broke off".to_owned()),
        };
        Tried { answer, why, shown }
    }
}

impl Machines {
    fn fail(&mut self, reason: &str) {
        self.infra += 1;
        if self.infra >= MOST_INFRA && self.ending.is_none() {
            self.ending =
                Some(Ending::Infrastructure(format!("{MOST_INFRA} infrastructure failures in a row; the last: {reason}")));
            self.executor.cancel_all();
        }
    }
}
