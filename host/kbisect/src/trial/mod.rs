//! One trial: boot, control test, reproducer, with the console watched all the while; and what came out.
//!
//! Owns the order of the steps, when a crash ends a trial, and at which stage it is void. What a crash is and whether it is the
//! target is asked of [`Watch`]; machines are `machine`'s; what an outcome means is not known here.

pub mod console;
pub mod reading;
pub mod seed;
mod suite;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::Stage;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::timeout;
use tokio::time::timeout_at;

use self::console::Console;
use self::reading::Reading;
use crate::config::job::CountAs;
use crate::config::job::Expect;
use crate::config::job::MachineKind;
use crate::config::job::Suite;
use crate::config::job::TargetStage;
use crate::machine::Ended;
use crate::machine::Machine;
use crate::machine::Program;
use crate::machine::identity::Identity;
use crate::policy::Relation;
use crate::policy::Watch;
use crate::process::load;

/// After the first marker a console is read on until it is quiet for this long …
const QUIET: Duration = Duration::from_secs(2);
/// … or this long in all.
const AT_MOST: Duration = Duration::from_secs(10);
/// A report below this chance of being the target does not end a trial, if the machine lives on.
const SURELY_OTHER: f64 = 0.1;
/// The guest gives its control test 10 s of its own time; a slow emulator, or a busy host, may need more.
const CONTROL_LIMIT: Duration = Duration::from_secs(30);
/// A machine that nobody waits for any more is killed if it does not end by itself within this time.
const CANCEL_LIMIT: Duration = Duration::from_millis(300);

/// What a trial does and how it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The commit under test.
    pub commit: CommitId,
    /// What it runs on.
    pub kind: MachineKind,
    /// At which stage the target shows. With `build`, what was built is clean and is not booted.
    pub stage: TargetStage,
    /// The reproducer and its arguments, placeholders filled in (see [`seed::fill`]).
    pub command: Vec<String>,
    /// Files for the machine: host path, and path inside.
    pub files: Vec<(PathBuf, String)>,
    /// How long the reproducer may run, all runs together.
    pub time_limit: Duration,
    /// Run it again and again until the time limit.
    pub repeat: bool,
    /// How its exit status is read.
    pub expect: Expect,
    /// What the time limit counts as, under [`Expect::Exit`].
    pub on_timeout: CountAs,
    /// What an end by a signal counts as, under [`Expect::Exit`].
    pub on_signal: CountAs,
    /// Whose exit statuses the reproducer has.
    pub suite: Option<Suite>,
    /// A reproducer that shows nothing is stopped after this share of the time limit; always 1 under [`Expect::Exit`].
    pub exposure: f64,
}

/// A trial that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How it ended. A sighting's `look` is 0: only the session knows the looks.
    pub outcome: Outcome,
    /// Why a crash was or was not taken for the target, in one line; empty otherwise.
    pub reason: String,
    /// Every report made: those that could be the outcome's in the order seen, then those of the boot and known noise.
    pub reports: Vec<CrashReport>,
    /// How many of them, the last ones, could not be the outcome's.
    pub uncounted: u32,
    /// The console for the record, at most [`console::KEPT`] bytes.
    pub console: Vec<u8>,
    /// What the reproducer printed, where the machine tells that from the console; bounded.
    pub printed: Vec<u8>,
    /// Share of the full exposure, 0 to 1; for a crash, when it came, or 1 where that is not known.
    pub exposure: f64,
    /// Until the reproducer was started, in seconds; none where it never was.
    pub boot: Option<f64>,
    /// How long it took, in seconds, boot included.
    pub seconds: f64,
    /// It was stopped from outside. The outcome is then clean with the share of exposure that it had, or void (`infra`) where a
    /// share means nothing: before the reproducer ran, under [`Expect::Exit`], and where the console may show a crash that was not
    /// judged yet.
    pub cancelled: bool,
    /// How the reproducer's last run ended, when it did; for messages.
    pub ended: Option<Ended>,
    /// Whether the kernel that ran was the one that was built.
    pub identity: Identity,
}

/// Runs one trial on a fresh machine and destroys it. `true` on `stop` (or its sender's end) cancels, whatever it is at: it is over
/// within half a second.
///
/// Dropping the future kills the machine, since machines die when dropped.
pub async fn run(machine: Box<dyn Machine>, plan: &Plan, watch: Arc<dyn Watch>, stop: watch::Receiver<bool>) -> Finished {
    let started = Instant::now();
    let mut machine = machine;
    let console = Console::new(&watch.markers());
    let pieces = Some(machine.console());
    let lag = machine.lag();
    let mut stop = stop;
    let mut trial = Trial {
        plan,
        watch,
        console,
        lag,
        pieces,
        seen: Vec::new(),
        judging: false,
        began: None,
        exposure: 0.0,
        came: None,
        ended: None,
        identity: Identity::NotAsked,
    };
    let end = tokio::select! {
        biased;
        end = trial.steps(&mut machine) => end,
        () = stopped(&mut stop) => End::Cancelled,
    };
    let printed = machine.printed();
    if let End::Cancelled = end {
        trial.break_off();
        // At the limit it is dropped, and so killed.
        let _ = timeout(CANCEL_LIMIT, machine.destroy()).await;
    } else {
        machine.destroy().await;
    }
    let (outcome, reason, cancelled) = trial.conclude(end);
    let (counted, others): (Vec<Seen>, Vec<Seen>) = trial.seen.into_iter().partition(|seen| seen.counts);
    let uncounted = others.len() as u32;
    let exposure = if matches!(outcome, Outcome::Crashed(_)) { trial.came.unwrap_or(1.0) } else { trial.exposure };
    Finished {
        outcome,
        reason,
        reports: counted.into_iter().chain(others).map(|seen| seen.report).collect(),
        uncounted,
        console: trial.console.into_kept(),
        printed,
        exposure,
        boot: trial.began.map(|began| began.duration_since(started).as_secs_f64()),
        seconds: started.elapsed().as_secs_f64(),
        cancelled,
        ended: trial.ended,
        identity: trial.identity,
    }
}

/// Why the steps of a trial are over.
#[derive(Debug)]
enum End {
    /// The reproducer (or the boot, where the target is a crash of the boot) is through; what its end says.
    Read(Reading),
    /// A crash on the console ended it.
    Crash,
    /// A step failed.
    Failed(Failure),
    /// Stopped from outside.
    Cancelled,
}

/// A report and what was thought of it.
#[derive(Debug)]
struct Seen {
    report: CrashReport,
    relation: Relation,
    /// Whether it can be the trial's report: it was made at the stage in question, and is no known noise.
    counts: bool,
}

/// A trial under way.
struct Trial<'a> {
    plan: &'a Plan,
    watch: Arc<dyn Watch>,
    console: Console,
    lag: Duration,
    /// None once it has ended.
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    seen: Vec<Seen>,
    /// What a marker was found in is with the classifiers.
    judging: bool,
    /// When the reproducer was started for the first time.
    began: Option<Instant>,
    exposure: f64,
    /// The share of the exposure at which the last run's first crash came, or the run ended.
    came: Option<f64>,
    ended: Option<Ended>,
    identity: Identity,
}

impl Trial<'_> {
    async fn steps(&mut self, machine: &mut Box<dyn Machine>) -> End {
        match self.try_steps(machine).await {
            Ok(reading) => End::Read(reading),
            Err(end) => end,
        }
    }

    async fn try_steps(&mut self, machine: &mut Box<dyn Machine>) -> Result<Reading, End> {
        if self.plan.stage == TargetStage::Build {
            self.exposure = 1.0;
            return Ok(Reading::Clean);
        }
        for (from, to) in &self.plan.files {
            machine.copy(from, to).await.map_err(End::Failed)?;
        }
        let of_the_boot = self.plan.stage == TargetStage::Boot;
        let booted = self.attend(machine.boot(), None, of_the_boot).await?;
        if booted.is_err() || of_the_boot {
            self.settle(None, of_the_boot).await?;
            self.exposure = 1.0;
        } else {
            self.close_stage().await?;
        }
        match booted {
            Err(failure) if of_the_boot && failure.stage == Stage::Boot => {
                return Ok(Reading::Crashed(Box::new(CrashReport {
                    title: "boot failure".to_owned(),
                    crash_type: "BOOT".to_owned(),
                    properties: vec![("reason".to_owned(), failure.reason)],
                    ..CrashReport::default()
                })));
            }
            Err(failure) => return Err(End::Failed(self.with_report(failure))),
            Ok(identity) => self.identity = identity,
        }
        if of_the_boot {
            return Ok(Reading::Clean);
        }
        self.control(machine.as_ref()).await?;
        self.reproduce(machine.as_ref()).await
    }

    async fn control(&mut self, machine: &dyn Machine) -> Result<(), End> {
        let ended = self
            .attend(machine.exec(&Program::Control, load::patient(CONTROL_LIMIT)), None, false)
            .await?
            .map_err(End::Failed)?;
        let reason = match ended {
            Ended::Code(0) => return self.close_stage().await,
            Ended::ControlFailed(text) => text,
            Ended::TimeLimit => format!("the control test took longer than {} s", CONTROL_LIMIT.as_secs()),
            Ended::MachineGone => "the machine ended in the control test".to_owned(),
            Ended::Code(code) => format!("exit status {code}"),
            Ended::Signal(signal) => format!("killed by signal {signal}"),
        };
        self.settle(None, false).await?;
        Err(End::Failed(self.with_report(Failure { stage: Stage::Control, reason })))
    }

    /// Runs the reproducer until it, a crash or the time limit ends the trial.
    async fn reproduce(&mut self, machine: &dyn Machine) -> Result<Reading, End> {
        let began = Instant::now();
        self.began = Some(began);
        let limit = self.plan.time_limit.mul_f64(self.plan.exposure);
        for run in 1.. {
            let program = Program::Reproducer { run, argv: self.plan.command.clone() };
            let left = limit.saturating_sub(began.elapsed());
            self.came = None;
            // Only of a suite's programs it matters what they said.
            let before = (self.console.length(), self.plan.suite.map_or(0, |_| machine.printed().len()));
            let attended = self.attend(machine.exec(&program, left), Some(machine), true).await;
            self.exposure = self.share();
            self.came.get_or_insert(self.exposure);
            let ended = match attended? {
                Ok(ended) => ended,
                // A crash may have taken the way to the machine with it.
                Err(failure) => {
                    self.settle(Some(machine), true).await?;
                    return Err(End::Failed(self.with_report(failure)));
                }
            };
            self.ended = Some(ended.clone());
            self.settle(Some(machine), true).await?;
            let alive = ended != Ended::TimeLimit || self.meanwhile(machine.alive()).await;
            self.drain();
            if self.console.hit() {
                // It came while the machine was asked.
                self.settle(Some(machine), true).await?;
            }
            let reading = match suite::cannot_tell(self.plan.suite, &ended, || {
                [self.console.since(before.0), machine.printed().split_off(before.1)].concat()
            }) {
                Some(reason) => Reading::Void(Failure { stage: Stage::Reproducer, reason }),
                None => reading::read(self.plan, run, &ended, alive),
            };
            // A reproducer that ends at once over and over runs until the limit; at the limit, what ran was enough.
            if !(self.plan.repeat && reading == Reading::Clean && began.elapsed() < limit) {
                let through = ended != Ended::TimeLimit && !self.plan.repeat;
                self.exposure = if through { 1.0 } else { self.plan.exposure };
                return Ok(reading);
            }
        }
        Ok(Reading::Clean)
    }

    /// How much of its time the reproducer has had.
    fn share(&self) -> f64 {
        let limit = self.plan.time_limit.as_secs_f64().max(1e-9);
        self.began.map_or(0.0, |began| (began.elapsed().as_secs_f64() / limit).min(1.0))
    }

    /// Stopped in the middle of a step: takes in what has come until now.
    fn break_off(&mut self) {
        self.drain();
        self.judging |= self.console.hit();
        self.exposure = self.share();
    }

    /// Waits for `step` while the console is read. A crash that may be the target, or that the machine did not survive, ends the
    /// trial where `counts`; `machine` is asked whether it lives, where it can be asked during the step.
    async fn attend<T>(&mut self, step: impl Future<Output = T>, machine: Option<&dyn Machine>, counts: bool) -> Result<T, End> {
        let mut step = std::pin::pin!(step);
        let mut quiet: Option<(Instant, Instant)> = None;
        loop {
            let judge_at = quiet.map(|(first, last)| (last + QUIET).min(first + AT_MOST));
            tokio::select! {
                done = &mut step => return Ok(done),
                piece = next(&mut self.pieces), if self.pieces.is_some() => {
                    self.take(piece);
                    if self.console.hit() {
                        let now = Instant::now();
                        if quiet.is_none() {
                            self.came = self.began.map(|_| self.share());
                        }
                        quiet = Some((quiet.map_or(now, |(first, _)| first), now));
                    }
                }
                () = tokio::time::sleep_until(judge_at.unwrap_or_else(Instant::now)), if judge_at.is_some() => {
                    quiet = None;
                    self.judge(machine, counts).await?;
                }
            }
        }
    }

    /// After a step: reads what is still to come and judges it.
    async fn settle(&mut self, machine: Option<&dyn Machine>, counts: bool) -> Result<(), End> {
        self.drain();
        let began = Instant::now();
        let mut last = began;
        while self.pieces.is_some() && !self.lag.is_zero() && last < began + AT_MOST {
            let quiet = if self.console.hit() { QUIET.max(self.lag) } else { self.lag };
            let until = (last + quiet).min(began + AT_MOST);
            let Ok(piece) = timeout_at(until, next(&mut self.pieces)).await else { break };
            self.take(piece);
            last = Instant::now();
        }
        self.judge(machine, counts).await
    }

    /// Judges what came before the reproducer ran, so that it does not count as the reproducer's.
    async fn close_stage(&mut self) -> Result<(), End> {
        self.drain();
        if self.console.hit() { self.settle(None, false).await } else { Ok(()) }
    }

    /// Waits for `step` while the console is only kept.
    async fn meanwhile<T>(&mut self, step: impl Future<Output = T>) -> T {
        let mut step = std::pin::pin!(step);
        loop {
            tokio::select! {
                done = &mut step => return done,
                piece = next(&mut self.pieces), if self.pieces.is_some() => self.take(piece),
            }
        }
    }

    /// Takes what is there already.
    fn drain(&mut self) {
        while let Some(piece) = self.pieces.as_mut().and_then(|pieces| pieces.try_recv().ok()) {
            self.console.feed(&piece);
        }
    }

    fn take(&mut self, piece: Option<Vec<u8>>) {
        match piece {
            Some(piece) => self.console.feed(&piece),
            None => self.pieces = None,
        }
    }

    /// Asks what the console shows since the last time, and whether that ends the trial.
    async fn judge(&mut self, machine: Option<&dyn Machine>, counts: bool) -> Result<(), End> {
        let Some(window) = self.console.take_window() else { return Ok(()) };
        let (watch, commit) = (Arc::clone(&self.watch), self.plan.commit);
        self.judging = true;
        // Plugins compute: off the runtime's threads.
        let asked = tokio::task::spawn_blocking(move || {
            let reports = watch.classify(&window)?;
            let related: Result<Vec<_>, Failure> =
                reports.into_iter().map(|report| watch.relate(&report, &commit).map(|relation| (report, relation))).collect();
            related
        });
        let answer = self.meanwhile(asked).await;
        self.judging = false;
        let related = answer
            .map_err(|error| {
                End::Failed(Failure { stage: Stage::Infra, reason: format!("a classifier call broke off: {error}") })
            })?
            .map_err(End::Failed)?;
        let greatest =
            related.iter().filter(|(report, _)| !report.suppressed).map(|(_, relation)| relation.same).reduce(f64::max);
        self.seen.extend(related.into_iter().map(|(report, relation)| {
            let counts = counts && !report.suppressed;
            Seen { report, relation, counts }
        }));
        match (greatest, machine) {
            (Some(same), _) if counts && same >= SURELY_OTHER => Err(End::Crash),
            (Some(_), Some(machine)) if counts => {
                if self.meanwhile(machine.alive()).await {
                    Ok(())
                } else {
                    Err(End::Crash)
                }
            }
            _ => Ok(()),
        }
    }

    /// Names the last crash on the console in a failure's reason.
    fn with_report(&self, failure: Failure) -> Failure {
        match self.seen.last() {
            Some(seen) => Failure { reason: format!("{} ({})", failure.reason, seen.report.title), ..failure },
            None => failure,
        }
    }

    /// The outcome, why, and whether the trial was cancelled.
    fn conclude(&mut self, end: End) -> (Outcome, String, bool) {
        let void = |failure| (Outcome::Void(failure), String::new(), false);
        match end {
            End::Failed(failure) | End::Read(Reading::CannotTell(failure)) => void(failure),
            End::Cancelled if self.best().is_none() => {
                let share = self.plan.expect == Expect::Crash && self.exposure > 0.0 && !self.judging;
                let reason = "cancelled".to_owned();
                let outcome = if share { Outcome::Clean } else { Outcome::Void(Failure { stage: Stage::Infra, reason }) };
                (outcome, String::new(), true)
            }
            End::Cancelled => self.crashed(true),
            End::Read(_) | End::Crash if self.best().is_some() => self.crashed(false),
            End::Crash => void(Failure { stage: Stage::Infra, reason: "a crash without a report".to_owned() }),
            End::Read(Reading::Void(failure)) => void(failure),
            End::Read(Reading::Clean | Reading::CleanAtLimit) => (Outcome::Clean, String::new(), false),
            End::Read(Reading::Crashed(report)) => match self.watch.relate(&report, &self.plan.commit) {
                Ok(relation) => {
                    self.seen.push(Seen { report: *report, relation, counts: true });
                    self.crashed(false)
                }
                Err(failure) => void(failure),
            },
        }
    }

    /// The trial's report: of those that count, the first with the greatest chance of being the target.
    fn best(&self) -> Option<&Seen> {
        self.seen.iter().filter(|seen| seen.counts).reduce(
            |best, seen| {
                if seen.relation.same > best.relation.same { seen } else { best }
            },
        )
    }

    fn crashed(&self, cancelled: bool) -> (Outcome, String, bool) {
        let best = self.best().expect("asked only where there is one");
        let sighting = Sighting { report: best.report.clone(), same: best.relation.same, look: 0 };
        (Outcome::Crashed(sighting), best.relation.reason.clone(), cancelled)
    }
}

/// The next piece of a console; none at its end.
async fn next(pieces: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match pieces {
        Some(pieces) => pieces.recv().await,
        None => None,
    }
}

/// Waits until the trial is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender's end means that nobody wants the trial any more.
    let _ = stop.wait_for(|stop| *stop).await;
}
