//! The end of a search: the named commit's text, who is told, and the result's files.

use std::path::Path;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Suspect;
use kbisect_core::caveat;
use kbisect_core::caveat::Caveat;
use kbisect_core::caveat::CaveatKind;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::Span;
use kbisect_core::credence;
use kbisect_core::credence::Credence;
use kbisect_core::credence::Findings;
use kbisect_core::credence::Trials;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::reach::Reached;

use super::directory::RunDirectory;
use super::materials;
use super::others;
use super::parts::Parts;
use super::state::State;
use crate::build::linux::objects::Sources;
use crate::config::job::Job;
use crate::error::Error;
use crate::git::Repository;
use crate::git::upstream;
use crate::plugin::answer::CommitFacts;
use crate::plugin::answer::MOST_FILES;
use crate::policy;
use crate::policy::Facts as _;
use crate::record::event::BuildResult;
use crate::record::event::CommitText;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::event::Newer;
use crate::record::recorder::Recorder;
use crate::record::report::Report;
use crate::record::report_text;
use crate::record::setting::Setting;
use crate::record::standing::standing;
use crate::record::syzlog;
use crate::symbols::Symbols;

/// Most lines of a console that a result quotes.
const SPLAT_LINES: usize = 60;
/// Lines that stand for a crash that no console shows.
const LAST_WORDS: usize = 20;

/// With the places of its frames it takes no more bytes.
const MOST_OF_SPLAT: usize = 64 << 10;

/// Of a commit that changes more bytes of text than these, the text is not looked at.
const MOST_OF_DIFF: usize = 256 << 10;

/// Records the conclusion and the recipients, as far as an earlier process has not; the answer as it was recorded, which may have a caveat
/// that leaves several commits.
pub(super) fn conclude(
    parts: &Parts,
    state: &mut State,
    recorder: &mut Recorder,
    conclusion: Conclusion,
) -> Result<Conclusion, Error> {
    if state.concluded.is_none() {
        let caveat = caveat(parts, state, &conclusion);
        let conclusion = match (&caveat, spoken_of(&conclusion)) {
            (Some(caveat), Some(commit)) => {
                caveat::qualified(conclusion, caveat, &parts.repository.parents(&commit).unwrap_or_default())
            }
            _ => conclusion,
        };
        let commit = spoken_of(&conclusion).map(|commit| commit_text(parts, state, &commit));
        let (splat, splat_at) = splat(parts, state).unzip();
        let event = Event::Concluded {
            summary: state.bisector.summary(),
            splat: splat.unwrap_or_default(),
            splat_at,
            others: others::gather(parts, state)?,
            credence: credence(parts, state, &conclusion),
            caveat,
            commit,
            conclusion,
        };
        super::record(recorder, state, event)?;
    }
    let recorded = state.concluded.clone().expect("just recorded, if not before");
    if !state.addressed {
        let suspects = match &state.concluded {
            Some(Conclusion::Found { suspects }) => suspects.clone(),
            _ => Vec::new(),
        };
        let recipients = if suspects.is_empty() { Vec::new() } else { told(parts, state, &suspects) };
        for event in parts.notices.take() {
            super::record(recorder, state, event)?;
        }
        super::record(recorder, state, Event::Addressed { recipients })?;
    }
    Ok(recorded)
}

/// What must be said of the commit that is to be named.
fn caveat(parts: &Parts, state: &State, conclusion: &Conclusion) -> Option<Caveat> {
    let Conclusion::Found { suspects } = conclusion else { return None };
    let commit = suspects.first()?.commit;
    let files = parts.repository.own_changes(&commit, MOST_FILES).ok()?;
    if let Some(caveat) = not_compiled(parts, state, &commit, &files) {
        return Some(caveat);
    }
    // What cannot be read is not looked at: the name stands without a caveat.
    let diff = parts.repository.diff(&commit, MOST_OF_DIFF).ok().flatten();
    let facts = CommitFacts { id: commit, subject: parts.subject(&commit), files };
    parts.tell_policies(state);
    tokio::task::block_in_place(|| parts.policies.qualify(&facts, diff.as_deref()))
}

/// That nothing of a commit was compiled, where the lists of what its kernel and its parents' were made of say so.
fn not_compiled(parts: &Parts, state: &State, commit: &CommitId, files: &[String]) -> Option<Caveat> {
    let sources = |commit: &CommitId| match state.builds.get(&(*commit, 1)) {
        Some(BuildResult::Built { kernel: Some(kernel), .. }) => Sources::of_kernel(&parts.directory.kernels().join(kernel)),
        _ => None,
    };
    let own = sources(commit)?;
    let parents = parts.repository.parents(commit).ok()?;
    let first = files.first()?;
    if own.is_built(files) || parents.iter().filter_map(sources).any(|sources| sources.is_built(files)) {
        return None;
    }
    let more = if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() };
    let reason = format!("it changes only files that are not compiled into the kernels that were tested ({first}{more})");
    Some(Caveat { kind: CaveatKind::NotBuilt, reason })
}

/// Writes `report.json`, `report.txt`, `bisect.log` and what lies beside them from the journal; the report, when the run has concluded.
/// Without a job the run is the record of a log.
pub(super) fn write_results(
    directory: &RunDirectory,
    job: Option<&Job>,
    entries: &[Entry],
) -> Result<Option<(Report, String)>, Error> {
    directory.write("bisect.log", &syzlog::render(&standing(entries)))?;
    let Some(found) = Report::from_entries(entries) else {
        directory.forget_report();
        materials::forget(directory);
        return Ok(None);
    };
    if let Some(job) = job {
        materials::write(directory, job, entries, found.named.as_ref())?;
    }
    let report = in_setting(found, directory.path(), job);
    let json = serde_json::to_string_pretty(&report).map_err(|error| Error::internal(error.to_string()))?;
    directory.write("report.json", &(json + "\n"))?;
    let text = report_text::render(&report);
    directory.write("report.txt", &text)?;
    Ok(Some((report, text)))
}

/// A report with what the journal does not know: how the job tested, and what lies in the directory.
pub(super) fn in_setting(report: Report, directory: &Path, job: Option<&Job>) -> Report {
    Report { setting: job.map(Setting::of), files: materials::present(directory), ..report }
}

/// The commit that an ending speaks of.
fn spoken_of(conclusion: &Conclusion) -> Option<CommitId> {
    match conclusion {
        Conclusion::Found { suspects } => suspects.first().map(|first| first.commit),
        Conclusion::OldestStillBad { oldest } => Some(*oldest),
        Conclusion::NewestStillBad { newest } => Some(*newest),
        Conclusion::Inconclusive { .. } | Conclusion::NotReproduced | Conclusion::CannotSearch { .. } => None,
    }
}

/// How sure it is that the named commit introduced the crash. None where a fix is looked for, where the commit had no trial, or where
/// neither a walk through releases nor a plugin says more than the trials.
fn credence(parts: &Parts, state: &State, conclusion: &Conclusion) -> Option<Credence> {
    let Conclusion::Found { suspects } = conclusion else { return None };
    let named = suspects.first().filter(|_| parts.ends.kind == Kind::Cause)?;
    let summary = state.bisector.summary();
    let releases = summary.tested.iter().filter(|tested| tested.role == Role::Release).count();
    let releases = u32::try_from(releases).unwrap_or(u32::MAX);
    let files = parts.repository.own_changes(&named.commit, MOST_FILES).ok()?;
    let facts = CommitFacts { id: named.commit, subject: parts.subject(&named.commit), files };
    parts.tell_policies(state);
    let credit = tokio::task::block_in_place(|| parts.policies.attribute(&facts, releases));
    let parents = parts.repository.parents(&named.commit).ok()?;
    let reached = reached(state, &parents);
    if credit.is_none() && releases == 0 && reached.is_none() {
        return None;
    }
    let trials = state.trials.values().filter(|past| past.commit == named.commit);
    let (same, shown) = credence::shown(trials.map(|past| &past.outcome))?;
    let boundary = named.probability;
    let equal_kernels = equals_parent(state, &named.commit, &parents);
    Some(Credence::of(&Findings { boundary, trials: Trials::Search, same, shown, equal_kernels, releases, reached, credit }))
}

/// Whether the reproducer gets at a commit's clean parents to where it crashes: not at one of them, or at all of which that is known.
fn reached(state: &State, parents: &[CommitId]) -> Option<Reached> {
    parents.iter().filter_map(|parent| state.bisector.reached(parent)).filter(|reached| *reached != Reached::Unknown).min()
}

fn told(parts: &Parts, state: &State, suspects: &[Suspect]) -> Vec<crate::record::event::Recipient> {
    parts.tell_policies(state);
    let suspects: Vec<policy::Suspect> =
        suspects.iter().map(|one| policy::Suspect { commit: one.commit, probability: one.probability }).collect();
    tokio::task::block_in_place(|| parts.policies.recipients(&suspects))
}

/// What people want to see of a commit; what cannot be read is left empty, as the answer itself stands without it.
fn commit_text(parts: &Parts, state: &State, commit: &CommitId) -> CommitText {
    let repository: &Repository = &parts.repository;
    let parents = repository.parents(commit).unwrap_or_default();
    let message = repository.message(commit).unwrap_or_default();
    let upstream = upstream(&message);
    CommitText {
        commit: *commit,
        subject: parts.subject(commit),
        author: parts.facts.author(commit).map(|author| format!("{} <{}>", author.name, author.email)).unwrap_or_default(),
        date: repository.author_date(commit).unwrap_or_default(),
        equals_parent: equals_parent(state, commit, &parents),
        parents,
        diffstat: repository.diffstat(commit).map(|stat| stat.to_string()).unwrap_or_default(),
        first_release: repository.first_release_with(commit).ok().flatten().map(|release| release.name),
        release: repository.release_at(commit).ok().flatten().map(|release| release.name),
        newer: newer(parts, commit, upstream),
        upstream,
        message,
    }
}

/// Who mends a cause or takes it back, in all that the repository has.
fn newer(parts: &Parts, commit: &CommitId, upstream: Option<CommitId>) -> Option<Newer> {
    if parts.ends.kind == Kind::Fix {
        return None;
    }
    let names: Vec<CommitId> = [*commit].into_iter().chain(upstream).collect();
    let found = tokio::task::block_in_place(|| parts.repository.mentions(commit, &names, &parts.ends.start));
    found.ok().map(|(read, mentions)| Newer { read, mentions })
}

/// Whether a commit's kernel is known to be that of its only parent.
fn equals_parent(state: &State, commit: &CommitId, parents: &[CommitId]) -> bool {
    matches!(parents, [parent] if state.same_kernel(*commit, *parent))
}

/// The console's lines for the target, from the trial whose crash is surest, with places beside the frames where its kernel tells them; and
/// the commit of that trial.
fn splat(parts: &Parts, state: &State) -> Option<(String, CommitId)> {
    let surest = state
        .trials
        .values()
        .filter_map(|past| match &past.outcome {
            Outcome::Crashed(sighting) => Some((past, sighting)),
            _ => None,
        })
        .max_by(|one, other| one.1.same.total_cmp(&other.1.same));
    let (past, sighting) = surest?;
    let console = parts.directory.console(&past.commit, past.n).ok()?;
    let text = String::from_utf8_lossy(&console).replace('\r', "");
    let lines = report_lines(&text, sighting.report.span, &sighting.report.title);
    let quoted = |lines: Vec<&str>| -> String {
        lines.into_iter().take(SPLAT_LINES).map(|line| format!("{}\n", printable(line))).collect()
    };
    let text = if lines.is_empty() {
        // Where an exit status is the crash, what the reproducer said last tells more than the kernel.
        quoted(last_lines(&String::from_utf8_lossy(&parts.directory.printed(&past.commit, past.n))))
    } else {
        quoted(lines)
    };
    if text.is_empty() {
        return None;
    }
    let Some(BuildResult::Built { kernel: Some(kernel), .. }) = state.builds.get(&(past.commit, past.build)) else {
        return Some((text, past.commit));
    };
    let folder = parts.directory.kernels().join(kernel);
    let symbols = Symbols::new(folder.join("vmlinux"), Some(folder.join("modules")));
    let annotated = symbols.annotate(text.as_bytes(), MOST_OF_SPLAT).text;
    Some((String::from_utf8_lossy(&annotated).into_owned(), past.commit))
}

/// The lines of the report. Its span is in the classifier's window of the console, which is the whole console unless that is
/// long; then the title's first words are looked for.
fn report_lines<'a>(text: &'a str, span: Option<Span>, title: &str) -> Vec<&'a str> {
    let spanned = span.and_then(|span| text.get(span.start as usize..span.end as usize));
    match spanned {
        Some(part) if !part.trim().is_empty() => part.lines().collect(),
        _ => {
            let words = title.split(" in ").next().unwrap_or(title);
            text.lines().skip_while(|line| !line.contains(words)).collect()
        }
    }
}

fn last_lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_WORDS)..].to_vec()
}

/// A console's line with control characters made visible as spaces.
fn printable(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() && letter != '\t' { ' ' } else { letter }).collect()
}

/// The paths a user may want to look at, relative to where they are.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
        .unwrap_or_else(|| path.to_owned())
        .display()
        .to_string()
}
