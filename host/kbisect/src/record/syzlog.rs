//! `bisect.log`: the run in the text format of syzbot's bisection logs.
//!
//! Format: the line table of syzkaller's `pkg/bisect` as of 2026-08 (which lines exist, in which order). Lines that syzkaller has
//! and a run does not (building syzkaller, the compiler) are left out; nothing is written that a reader of such logs would not
//! recognise. A trial's line is written when its commit is concluded, because trials end in any order.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Verdict;

use super::Renderer;
use super::duration;
use super::event::BuildResult;
use super::event::CommitText;
use super::event::Ends;
use super::event::Entry;
use super::event::Event;
use super::event::Notice;
use super::event::Recipient;

/// Writes the log to `out` as the run goes on.
pub struct SyzLog<W> {
    out: W,
    text: Text,
}

impl<W: Write> SyzLog<W> {
    /// A log to `out`.
    pub fn new(out: W) -> Self {
        Self { out, text: Text::default() }
    }
}

impl<W: Write + Send> Renderer for SyzLog<W> {
    fn show(&mut self, notice: Notice<'_>) {
        if let Notice::Durable(entry) = notice {
            let lines = self.text.take(entry);
            // The log can be written anew from the journal, so a full disk does not end the run here.
            let _ = self.out.write_all(lines.as_bytes()).and_then(|()| self.out.flush());
        }
    }
}

/// The whole log of a run.
pub fn render(entries: &[Entry]) -> String {
    let mut text = Text::default();
    entries.iter().map(|entry| text.take(entry)).collect()
}

/// What the log must remember between events.
#[derive(Default)]
struct Text {
    ends: Option<Ends>,
    /// The commit under test, from `Chosen` on.
    block: Option<Block>,
    /// The ends of the range as far as verdicts settled them.
    bad: Option<CommitId>,
    good: Option<CommitId>,
    /// The release or other good end that the search turned to last: its other end while no verdict names one.
    end: Option<CommitId>,
    bisecting: bool,
    /// What the `# git bisect` lines said, so that none contradicts an earlier one.
    marks: HashMap<CommitId, &'static str>,
    subjects: HashMap<CommitId, String>,
    tested: HashSet<CommitId>,
    build_seconds: f64,
    test_seconds: f64,
    conclusion: Option<(Conclusion, Option<CommitText>, String)>,
    target: String,
    first_time: Option<jiff::Timestamp>,
}

/// One commit's stretch of the log.
struct Block {
    commit: CommitId,
    role: Role,
    runs: Vec<(TrialNumber, String)>,
}

impl Text {
    /// The lines that this event adds.
    fn take(&mut self, entry: &Entry) -> String {
        let mut lines = String::new();
        match &entry.event {
            Event::Started { host, ends, subject, .. } => {
                self.first_time = Some(entry.time);
                self.subjects.insert(ends.start, subject.clone());
                self.ends = Some(ends.clone());
                let _ = writeln!(lines, "{host} starts bisection {}", go_time(entry.time));
                let _ = match ends.kind {
                    Kind::Cause => writeln!(lines, "bisecting cause commit starting from {}", ends.start),
                    Kind::Fix => writeln!(lines, "bisecting fixing commit since {}", ends.start),
                };
            }
            Event::Target { faces, .. } => self.target = faces.first().map(|face| face.title.clone()).unwrap_or_default(),
            Event::Chosen { commit, role, release, subject, left, steps } => {
                self.close_block(&mut lines);
                self.subjects.insert(*commit, subject.clone());
                self.open_block(&mut lines, *commit, *role, release.as_deref(), *left, *steps);
            }
            Event::BuildEnded { commit, result, seconds, .. } => {
                self.build_seconds += seconds;
                let _ = match result {
                    BuildResult::Built { signature: Some(signature), .. } => writeln!(lines, "kernel signature: {signature}"),
                    BuildResult::Built { .. } | BuildResult::Infra(_) => Ok(()),
                    BuildResult::Failed(why) => writeln!(lines, "failed building {commit}: {}", one_line(why)),
                };
            }
            Event::TrialEnded { trial, commit, outcome, seconds, .. } => {
                self.test_seconds += seconds;
                self.tested.insert(*commit);
                if let (Some(block), Some(run)) = (self.block.as_mut().filter(|block| block.commit == *commit), run_text(outcome))
                {
                    block.runs.push((*trial, run));
                }
            }
            Event::Retracted { trial } => {
                if let Some(block) = &mut self.block {
                    block.runs.retain(|(number, _)| number != trial);
                }
            }
            Event::Judged { commit, judgement, .. } => {
                if let Decision::Conclude(verdict) = &judgement.decision {
                    self.conclude(&mut lines, *commit, verdict);
                }
            }
            Event::Concluded { conclusion, commit, splat, .. } => {
                self.close_block(&mut lines);
                self.end_search(&mut lines, conclusion, commit.as_ref(), entry.time);
                self.conclusion = Some((conclusion.clone(), commit.clone(), splat.clone()));
            }
            Event::Addressed { recipients } => self.address(&mut lines, recipients),
            Event::Resumed { .. }
            | Event::Routed { .. }
            | Event::Related { .. }
            | Event::PluginLog { .. }
            | Event::PluginFailed { .. }
            | Event::Warned { .. }
            | Event::Stopped { .. } => {}
        }
        lines
    }

    fn open_block(&mut self, lines: &mut String, commit: CommitId, role: Role, release: Option<&str>, left: usize, steps: usize) {
        let fix = self.ends.as_ref().is_some_and(|ends| ends.kind == Kind::Fix);
        let _ = match (role, release) {
            (Role::Start, _) => writeln!(lines, "ensuring issue is reproducible on original commit {commit}\n"),
            (_, Some(release)) => writeln!(lines, "testing release {release}"),
            (Role::GoodEnd, None) if fix => writeln!(lines, "testing current HEAD {commit}"),
            (Role::MergeBase, _) => {
                self.start_bisecting(lines);
                writeln!(lines, "Bisecting: a merge base must be tested\n[{commit}] {}", self.subjects[&commit])
            }
            (Role::Candidate, _) => {
                self.start_bisecting(lines);
                let (s_left, s_steps) = (if left == 1 { "" } else { "s" }, if steps == 1 { "" } else { "s" });
                writeln!(
                    lines,
                    "Bisecting: {left} revision{s_left} left to test after this (roughly {steps} step{s_steps})\n[{commit}] {}",
                    self.subjects[&commit]
                )
            }
            _ => Ok(()),
        };
        if matches!(role, Role::Release | Role::GoodEnd) && !self.bisecting {
            self.end = Some(commit);
        }
        let _ = writeln!(lines, "testing commit {commit}");
        self.block = Some(Block { commit, role, runs: Vec::new() });
    }

    /// A fix is searched with the verdicts turned round: its bad end is the commit that no longer crashes.
    fn start_bisecting(&mut self, lines: &mut String) {
        let Some(ends) = self.ends.as_ref().filter(|_| !self.bisecting) else {
            return;
        };
        let bad = self.bad.unwrap_or(ends.start);
        let good = self.good.or_else(|| ends.good.first().copied()).or(self.end).unwrap_or(ends.start);
        let (bad, good) = match ends.kind {
            Kind::Cause => (bad, good),
            Kind::Fix => (good, bad),
        };
        let _ = writeln!(lines, "# git bisect start {bad} {good}");
        self.marks.extend([(good, "good"), (bad, "bad")]);
        self.bisecting = true;
    }

    /// Writes the trials of the commit under test.
    fn write_runs(&mut self, lines: &mut String) {
        let Some(block) = &mut self.block else {
            return;
        };
        let mut runs = std::mem::take(&mut block.runs);
        runs.sort_by_key(|(number, _)| *number);
        match runs.split_first() {
            None => {}
            Some(((_, first), rest)) if rest.iter().all(|(_, run)| run == first) => {
                let _ = writeln!(lines, "all runs: {first}");
            }
            Some(_) => {
                for (index, (_, run)) in runs.iter().enumerate() {
                    let _ = writeln!(lines, "run #{index}: {run}");
                }
            }
        }
    }

    fn close_block(&mut self, lines: &mut String) {
        self.write_runs(lines);
        self.block = None;
    }

    fn conclude(&mut self, lines: &mut String, commit: CommitId, verdict: &Verdict) {
        let role = self.block.as_ref().filter(|block| block.commit == commit).map(|block| block.role);
        self.write_runs(lines);
        if let Verdict::Skip(why) = verdict {
            let _ = writeln!(lines, "unable to determine the verdict: {}", one_line(why));
        }
        match (role, verdict) {
            (Some(Role::Start | Role::Release | Role::GoodEnd), Verdict::Bad) => self.bad = Some(commit),
            (Some(Role::Release | Role::GoodEnd), Verdict::Good) => self.good = Some(commit),
            (Some(Role::Candidate | Role::MergeBase), _) => {
                let fix = self.ends.as_ref().is_some_and(|ends| ends.kind == Kind::Fix);
                let mark = match (verdict, fix) {
                    (Verdict::Skip(_), _) => "skip",
                    (Verdict::Good, false) | (Verdict::Bad, true) => "good",
                    (Verdict::Bad, false) | (Verdict::Good, true) => "bad",
                };
                if let std::collections::hash_map::Entry::Vacant(place) = self.marks.entry(commit) {
                    place.insert(mark);
                    let _ = writeln!(lines, "# git bisect {mark} {commit}");
                }
            }
            _ => {}
        }
    }

    fn end_search(&self, lines: &mut String, conclusion: &Conclusion, commit: Option<&CommitText>, now: jiff::Timestamp) {
        if let (Conclusion::Found { suspects }, Some(text)) = (conclusion, commit) {
            // Git's own words, whichever end the fix is at.
            let _ = writeln!(lines, "{} is the first bad commit\n{}", text.commit, commit_text(text));
            let wrong = 1.0 - suspects.first().map_or(0.0, |first| first.probability);
            let _ = writeln!(lines, "accumulated error probability: {wrong:.2}");
        }
        let total = self.first_time.map_or(0.0, |first| now.duration_since(first).as_secs_f64());
        let _ = writeln!(
            lines,
            "revisions tested: {}, total time: {} (build: {}, test: {})",
            self.tested.len(),
            duration::go(total),
            duration::go(self.build_seconds),
            duration::go(self.test_seconds)
        );
    }

    fn address(&self, lines: &mut String, recipients: &[Recipient]) {
        let Some((conclusion, commit, splat)) = &self.conclusion else {
            return;
        };
        let fix = self.ends.as_ref().is_some_and(|ends| ends.kind == Kind::Fix);
        let crash = |lines: &mut String| {
            let _ = writeln!(lines, "crash: {}\n{splat}", self.target);
        };
        match conclusion {
            Conclusion::Found { .. } => {
                if let Some(text) = commit {
                    let what = if fix { "first good commit" } else { "first bad commit" };
                    let _ = writeln!(lines, "{what}: {} {}", text.commit, text.subject);
                }
                let list = |to: bool| {
                    recipients
                        .iter()
                        .filter(|one| one.to == to)
                        .map(|one| format!("{:?}", one.email))
                        .collect::<Vec<_>>()
                        .join(" ")
                };
                let _ = writeln!(lines, "recipients (to): [{}]\nrecipients (cc): [{}]", list(true), list(false));
                crash(lines);
            }
            Conclusion::Inconclusive { suspects, .. } => {
                let what = if fix { "good" } else { "bad" };
                let _ = writeln!(lines, "bisection is inconclusive, the first {what} commit could be any of:");
                for suspect in suspects {
                    let _ = writeln!(lines, "{}", suspect.commit);
                }
            }
            Conclusion::NotReproduced => {
                let _ = writeln!(lines, "error: the crash wasn't reproduced on the original commit");
            }
            Conclusion::OldestStillBad { .. } | Conclusion::NewestStillBad { .. } => {
                let _ = match conclusion {
                    Conclusion::OldestStillBad { .. } => {
                        writeln!(lines, "oldest tested release already had the bug or it had kernel test errors")
                    }
                    _ => writeln!(lines, "crash still not fixed or there were kernel test errors"),
                };
                if let Some(text) = commit {
                    let _ = writeln!(lines, "commit msg: {}", text.subject);
                }
                crash(lines);
            }
            Conclusion::CannotSearch { why } => {
                let _ = writeln!(lines, "error: {}", one_line(why));
            }
        }
    }
}

/// How a trial's line reads; none for a build failure, which has a line of its own.
fn run_text(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Clean => "OK".to_owned(),
        Outcome::Crashed(sighting) => format!("crashed: {}", one_line(&sighting.report.title)),
        Outcome::Void(Failure { stage, reason }) => {
            let what = match stage {
                Stage::Build => return None,
                Stage::Boot => "boot failed",
                Stage::Control | Stage::Copy => "basic kernel testing failed",
                Stage::Reproducer => "ignore",
                Stage::Infra => "infra problem",
            };
            format!("{what}: {}", one_line(reason))
        }
    })
}

/// A commit as `git show --stat` prints it.
fn commit_text(text: &CommitText) -> String {
    let mut shown = format!("commit {}\n", text.commit);
    if text.parents.len() > 1 {
        let parents: Vec<String> = text.parents.iter().map(|parent| parent.to_string()[..7].to_owned()).collect();
        let _ = writeln!(shown, "Merge: {}", parents.join(" "));
    }
    let _ = writeln!(shown, "Author: {}\nDate:   {}\n", text.author, text.date);
    for line in text.message.lines() {
        let _ = writeln!(shown, "    {line}");
    }
    format!("{shown}\n{}", text.diffstat)
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// A time as Go prints it, without the monotonic reading.
fn go_time(time: jiff::Timestamp) -> String {
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC").to_string()
}
