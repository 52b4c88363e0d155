//! The record of a log whose repository nobody has at hand: a run directory that tells what was tried elsewhere, and what today's
//! plugins make of it.
//!
//! Without the history nobody knows what lies between the tested commits. The search stands on the [`Line`] that the log tells, for the
//! probabilities of the commits that it tested; ranges and candidates that follow from its guessed lengths are told nobody.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use kbisect_core::bisector::Bisector;
use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Ends as CoreEnds;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Release;
use kbisect_core::bisector::Settings;
use kbisect_core::bisector::Strategy;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::credence::Credence;
use kbisect_core::graph::Commit;
use kbisect_core::graph::Graph;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;

use super::directory::RunDirectory;
use super::finish;
use super::import::IMPORTED;
use super::parts::journal_error;
use super::state::State;
use crate::config;
use crate::error::Error;
use crate::record::event::CommitText;
use crate::record::event::Ends;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::event::Recipient;
use crate::record::journal;
use crate::record::journal::Journal;
use crate::record::report;
use crate::record::report::Report;
use crate::syzbot::Line;
use crate::syzbot::Log;
use crate::syzbot::Place;

/// Why there is no more to do in such a directory.
const RECORDED: &str = "the record of a log; nothing can be tested without its repository";

/// A log, judged anew, as it is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The log.
    pub log: Log,
    /// The target's faces; none where the start commit did not crash.
    pub faces: Vec<CrashReport>,
    /// Its tests, in its order.
    pub tests: Vec<RecordedTest>,
    /// What is to be known beside.
    pub warnings: Vec<String>,
    /// The answer, where the log has one.
    pub answer: Option<RecordedAnswer>,
}

/// A test of a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedTest {
    /// The commit.
    pub commit: CommitId,
    /// The first line of its message; empty where the log does not tell it.
    pub subject: String,
    /// Why it was tested.
    pub role: Role,
    /// A release's tag.
    pub release: Option<String>,
    /// How its trials ended, and why crashes were taken for what they are.
    pub trials: Vec<(Outcome, String)>,
    /// The flake policy, and what it says of all trials at the commit until here; none of trials that do not count.
    pub judged: Option<(String, Judgement)>,
}

/// What a log's trials come to.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedAnswer {
    /// The answer.
    pub conclusion: Conclusion,
    /// The commit that it speaks of, as far as the log shows it.
    pub commit: Option<CommitText>,
    /// How sure it is that the commit introduced the crash.
    pub credence: Option<Credence>,
    /// The log's last crash.
    pub splat: String,
    /// Who is to be told.
    pub recipients: Vec<Recipient>,
}

/// Makes a new directory that holds a record; the report, where the log has an answer.
pub fn keep_record(record: Record, out: &Path) -> Result<Option<Report>, Error> {
    let directory = RunDirectory::for_record(out)?;
    let written = write(record, &directory);
    if written.is_err() {
        directory.remove();
    }
    written
}

fn write(record: Record, directory: &RunDirectory) -> Result<Option<Report>, Error> {
    let Record { log, faces, tests, warnings, answer } = record;
    let mut state = State::of_record(search(&log)?);
    let mut journal = Journal::create(&directory.journal()).map_err(|error| journal_error(&error))?;
    let mut events = vec![started(log)];
    if !faces.is_empty() {
        events.push(Event::Target { faces, origin: super::target::FOUND.to_owned() });
    }
    events.extend(warnings.into_iter().map(|message| Event::Warned { message }));
    let mut done: HashMap<CommitId, u32> = HashMap::new();
    for test in tests {
        events.extend(told(test, &mut done, &mut state));
    }
    events.iter().for_each(|event| state.apply(event));
    if let Some(RecordedAnswer { conclusion, commit, credence, splat, recipients }) = answer {
        let summary = without_history(state.bisector.summary());
        events.push(Event::Concluded {
            conclusion,
            summary,
            commit,
            splat,
            splat_at: None,
            others: Vec::new(),
            credence,
            caveat: None,
        });
        events.push(Event::Addressed { recipients });
    }
    events.push(Event::Stopped { why: IMPORTED.to_owned() });
    let entries = journal.append_all(events).map_err(|error| journal_error(&error))?;
    Ok(finish::write_results(directory, None, &entries)?.map(|(report, _)| report))
}

fn started(log: Log) -> Event {
    Event::Started {
        format: journal::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: super::directory::host(),
        repo: None,
        ends: ends(&log),
        strategy: Strategy::Posterior,
        subject: log.subjects().remove(&log.start).unwrap_or_default(),
        assumed: Vec::new(),
        imported: Some(Box::new(log)),
        harness: None,
    }
}

/// The ends of what a log tested.
pub(super) fn ends(log: &Log) -> Ends {
    let mut ends =
        Ends { kind: log.kind, start: log.start, good: Vec::new(), releases: Vec::new(), head: false, eras: Vec::new() };
    for test in log.tests() {
        match test.place {
            Place::Release(name) => ends.releases.push(Release { name, commit: test.commit }),
            Place::Head => ends.good.push(test.commit),
            _ => {}
        }
    }
    ends.head = !ends.good.is_empty();
    ends
}

/// A test as events; `done` counts the trials of each commit.
fn told(test: RecordedTest, done: &mut HashMap<CommitId, u32>, state: &mut State) -> Vec<Event> {
    let RecordedTest { commit, subject, role, release, trials, judged } = test;
    let n = done.entry(commit).or_default();
    let mut events = vec![Event::Chosen { commit, role, release, subject, left: 0, steps: 0 }];
    for (outcome, reason) in trials {
        *n += 1;
        let reports = match &outcome {
            Outcome::Crashed(sighting) => vec![sighting.report.clone()],
            Outcome::Clean | Outcome::Void(_) => Vec::new(),
        };
        events.push(Event::TrialEnded {
            trial: state.next_number(),
            commit,
            role,
            build: 1,
            n: *n,
            outcome,
            reason,
            reports,
            uncounted: 0,
            weight: None,
            exposure: 1.0,
            boot: None,
            seconds: 0.0,
        });
    }
    events.extend(judged.map(|(plugin, judgement)| Event::Judged { commit, trials: *n, plugin, judgement }));
    events
}

/// The log of syzbot's that a run was made of.
pub(super) fn log(entries: &[Entry]) -> Option<&Log> {
    entries.iter().find_map(|entry| match &entry.event {
        Event::Started { imported, .. } => imported.as_deref(),
        _ => None,
    })
}

/// The log that a run without a repository is the record of; none of other runs.
pub(super) fn only_log(entries: &[Entry]) -> Option<&Log> {
    entries.iter().find_map(|entry| match &entry.event {
        Event::Started { imported, repo: None, .. } => imported.as_deref(),
        _ => None,
    })
}

/// The search over the log's line. What is not on the line (merge bases, commits that were skipped) is part of no other commit's history.
pub(super) fn search(log: &Log) -> Result<Bisector, Error> {
    let commits = log.commits();
    let line = Line::of(log, &commits);
    let mut ends = line.ends(log, &commits);
    let mut history = line.commits();
    if !history.iter().any(|one| one.id == ends.start) || ends.good.is_empty() && ends.releases.is_empty() {
        (history, ends) = nothing_but_the_start(log);
    }
    let known: HashSet<CommitId> = history.iter().map(|one| one.id).collect();
    let beside = commits.iter().filter(|test| !known.contains(&test.commit));
    history.extend(beside.map(|test| Commit { id: test.commit, time: 0, parents: Vec::new() }));
    let settings = Settings { strategy: Strategy::Posterior, delta: config::DELTA, trust_good: false, single_trials: false };
    Bisector::new(Arc::new(Graph::new(history)), ends, settings).map_err(|error| Error::internal(error.to_string()))
}

/// A start commit, and one without a name where its far end would be: the log tested none.
fn nothing_but_the_start(log: &Log) -> (Vec<Commit>, CoreEnds) {
    let start = log.start;
    let nameless = [0xff, 0xfe].map(|byte| CommitId::from_bytes([byte; 20])).into_iter().find(|id| *id != start);
    let nameless = nameless.expect("two ids are not both the start");
    let (older, newer) = if log.kind == Kind::Cause { (nameless, start) } else { (start, nameless) };
    let history = vec![Commit { id: older, time: 0, parents: Vec::new() }, Commit { id: newer, time: 1, parents: vec![older] }];
    let mut ends = CoreEnds { kind: log.kind, start, good: Vec::new(), releases: Vec::new() };
    match log.kind {
        Kind::Cause => ends.releases.push(Release { name: String::new(), commit: nameless }),
        Kind::Fix => ends.good.push(nameless),
    }
    (history, ends)
}

/// What may be told of a search on a line: nothing that follows from how long its gaps are.
pub(super) fn without_history(summary: Summary) -> Summary {
    Summary { range: None, left: 0, steps: 0, bits: 0.0, suspects: Vec::new(), good_end_bad: 0.0, ..summary }
}

/// First lines of messages, as far as the log tells them.
pub(super) fn subjects(entries: &[Entry]) -> HashMap<CommitId, String> {
    let mut subjects = report::subjects(entries);
    if let Some(log) = only_log(entries) {
        subjects.extend(log.subjects());
    }
    subjects
}

/// The commit that somebody means, of those that the log names.
pub(super) fn resolve(name: &str, entries: &[Entry]) -> Result<CommitId, Error> {
    let subjects = subjects(entries);
    let tests = only_log(entries).map(Log::tests).unwrap_or_default();
    let released = tests.iter().find(|test| matches!(&test.place, Place::Release(tag) if tag == name));
    if let Some(test) = released {
        return Ok(test.commit);
    }
    let named: HashSet<CommitId> = tests.iter().map(|test| test.commit).chain(subjects.keys().copied()).collect();
    let digits = name.to_ascii_lowercase();
    let meant = |commit: &&CommitId| {
        digits.len() >= 4 && commit.to_string().starts_with(&digits) || subjects.get(commit).is_some_and(|one| one == name)
    };
    let mut found = named.iter().filter(meant);
    match (found.next(), found.next()) {
        (Some(commit), None) => Ok(*commit),
        (Some(_), Some(_)) => Err(Error::user(format!("`{name}` may be several commits of the log"))),
        (None, _) => Err(Error::user(format!("the log names no commit `{name}`"))
            .hint("commits go by their hash, a release's tag, or the first line of the message, as far as the log tells them")),
    }
}

/// Refuses what takes a repository, where a run has none.
pub(super) fn refuse(directory: &Path, entries: &[Entry]) -> Result<(), Error> {
    if only_log(entries).is_none() {
        return Ok(());
    }
    let name = finish::shown(directory);
    Err(Error::user(format!("`{name}` is {RECORDED}")).hint(format!(
        "with a clone that holds its commits, and a job file that names it and says how to build and test: kbisect import {name} --job JOB.toml --out RUN"
    )))
}
