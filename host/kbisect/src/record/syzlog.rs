//! `bisect.log`: the run in the text format of syzbot's bisection logs.
//!
//! What lines look like is `syzbot`'s; which are written when follows syzkaller's `pkg/bisect` as of 2026-08. Lines that syzkaller
//! has and a run does not (building syzkaller, the compiler) are left out; nothing is written that a reader of such logs would not
//! recognise. Trials' lines are written when the search leaves their commit, because trials end in any order; where it comes back,
//! the commit has another stretch with the trials that are new. A crash that is rather not the target has the line that syzkaller
//! gives to crashes it does not count, with its title, why it does not count, and what it weighed.
//!
//! Of a run that was made of such a log, the log stands first as it was; what the run did then comes behind the log's search, and in
//! place of the answer that this came to.

use std::collections::BTreeMap;
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
use super::mentions::Mention;
use super::mentions::Mentions;
use super::stays::Stay;
use super::stays::Stays;
use super::stays::Turn;
use crate::gitlog::Mark;
use crate::syzbot::End;
use crate::syzbot::Item;
use crate::syzbot::List;

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

/// The whole log of a run, up to what is known now.
pub fn render(entries: &[Entry]) -> String {
    let mut text = Text::default();
    let mut log: String = entries.iter().map(|entry| text.take(entry)).collect();
    // A run that goes on, or was stopped: the search has not left its commit yet.
    let mut last = String::new();
    text.leave(&mut last, text.stays.current().cloned().as_ref());
    log += &text.behind_import(last);
    log + &text.unwritten.unwrap_or_default()
}

/// The log's text, event by event.
#[derive(Default)]
struct Text {
    ends: Option<Ends>,
    stays: Stays,
    /// What came of builds, where it is not in the log yet: one may end before the search turns to its commit.
    built: HashMap<CommitId, String>,
    /// The signatures of the kernels built first.
    signatures: HashMap<CommitId, String>,
    /// Trials that ended and are not in the log yet, by their commit: some end after the search has left it.
    runs: BTreeMap<CommitId, Vec<(TrialNumber, String)>>,
    /// Why each commit was tested first.
    roles: HashMap<CommitId, Role>,
    mentions: Mentions,
    /// What the policy concluded last, where it is not in the log yet.
    verdicts: HashMap<CommitId, Verdict>,
    /// The ends of the range as far as verdicts settled them.
    bad: Option<CommitId>,
    good: Option<CommitId>,
    /// The release or other good end that the search turned to last: its other end while no verdict names one.
    end: Option<CommitId>,
    bisecting: bool,
    /// What the `# git bisect` lines said, so that none contradicts an earlier one.
    marks: HashMap<CommitId, Mark>,
    tested: HashSet<CommitId>,
    build_seconds: f64,
    test_seconds: f64,
    conclusion: Option<(Conclusion, Option<CommitText>, String)>,
    target: String,
    first_time: Option<jiff::Timestamp>,
    /// What is recorded was taken over from a log, which has its own lines for it.
    importing: bool,
    /// The answer of the log that the run was made of, while nothing was done since.
    unwritten: Option<String>,
}

impl Text {
    /// The text that this event adds.
    fn take(&mut self, entry: &Entry) -> String {
        let lines = self.lines(entry);
        match &entry.event {
            Event::Started { imported: Some(log), .. } => {
                let (search, answer) = log.halves();
                self.importing = true;
                self.unwritten = Some(answer);
                search
            }
            Event::Stopped { .. } if self.importing => {
                let last = self.stays.current().cloned();
                self.leave(&mut String::new(), last.as_ref());
                self.stays = Stays::default();
                self.built.clear();
                self.runs.clear();
                self.importing = false;
                String::new()
            }
            _ => self.behind_import(lines),
        }
    }

    /// Lines of a run's own, which follow the log that it was made of.
    fn behind_import(&mut self, lines: String) -> String {
        if self.importing || lines.is_empty() {
            return String::new();
        }
        match self.unwritten.take() {
            Some(_) => format!("\n{lines}"),
            None => lines,
        }
    }

    /// The lines of this event's own.
    fn lines(&mut self, entry: &Entry) -> String {
        let mut lines = String::new();
        let mention = self.mentions.take(&entry.event);
        if let Turn::From(left) = self.stays.take(&entry.event) {
            self.leave(&mut lines, left.as_ref());
            self.arrive(&mut lines);
        }
        match &entry.event {
            Event::Started { host, ends, harness, .. } => {
                self.first_time = Some(entry.time);
                self.ends = Some(ends.clone());
                put(&mut lines, &Item::Host { host: host.clone(), time: go_time(entry.time) });
                put(&mut lines, &Item::Aim { kind: ends.kind, start: ends.start });
                // The format has a line for this harness alone.
                for harness in harness.iter().filter(|harness| harness.name == "syzkaller") {
                    put(&mut lines, &Item::Syzkaller(harness.commit.clone()));
                }
            }
            Event::Target { faces, .. } => self.target = faces.first().map(|face| face.title.clone()).unwrap_or_default(),
            Event::BuildEnded { commit, result, seconds, .. } => {
                self.build_seconds += seconds;
                let mut line = String::new();
                match result {
                    BuildResult::Built { signature, compiler, .. } => {
                        compiler.iter().for_each(|words| put(&mut line, &Item::Compiler(words.clone())));
                        if let Some(signature) = signature {
                            self.signatures.entry(*commit).or_insert_with(|| signature.clone());
                            put(&mut line, &Item::Signature(signature.clone()));
                        }
                    }
                    BuildResult::Infra(_) => {}
                    BuildResult::Failed(why) => {
                        put(&mut line, &Item::BuildFailed { commit: Some(*commit), why: one_line(why) });
                    }
                }
                if self.stays.current().is_some_and(|stay| stay.commit == *commit) {
                    lines.push_str(&line);
                } else {
                    self.built.insert(*commit, line);
                }
            }
            Event::TrialEnded { trial, commit, role, outcome, seconds, .. } => {
                self.test_seconds += seconds;
                self.tested.insert(*commit);
                self.roles.entry(*commit).or_insert(*role);
                if let Some(run) = run_text(outcome, mention.as_ref()) {
                    self.runs.entry(*commit).or_default().push((*trial, run));
                }
            }
            Event::Related { trial, outcome, .. } => {
                let run = self.runs.values_mut().flatten().find(|(number, _)| number == trial);
                let told = mention.is_some() || matches!(outcome, Outcome::Crashed(sighting) if sighting.is_target());
                if let (Some((_, run)), Some(text), true) = (run, run_text(outcome, mention.as_ref()), told) {
                    *run = text;
                }
            }
            Event::Retracted { .. } | Event::Minimized { .. } => {
                let trials = entry.event.taken_back();
                for runs in self.runs.values_mut() {
                    runs.retain(|(number, _)| !trials.contains(number));
                }
            }
            Event::Judged { commit, judgement, .. } => {
                match &judgement.decision {
                    Decision::Conclude(verdict) => self.verdicts.insert(*commit, verdict.clone()),
                    Decision::Want(_) | Decision::Abort(_) => self.verdicts.remove(commit),
                };
            }
            Event::Concluded { conclusion, commit, splat, .. } => {
                self.leave(&mut lines, self.stays.current().cloned().as_ref());
                self.end_search(&mut lines, conclusion, commit.as_ref(), entry.time);
                self.conclusion = Some((conclusion.clone(), commit.clone(), splat.clone()));
            }
            Event::Addressed { recipients } => self.address(&mut lines, recipients),
            Event::Chosen { .. }
            | Event::Assumed { .. }
            | Event::ByHand { .. }
            | Event::Tip { .. }
            | Event::Reverted { .. }
            | Event::Reached { .. }
            | Event::Minimizing { .. }
            | Event::ConfigBuilt { .. }
            | Event::ConfigTried { .. }
            | Event::ConfigTested { .. }
            | Event::Resumed { .. }
            | Event::Routed { .. }
            | Event::Weighed { .. }
            | Event::PluginLog { .. }
            | Event::PluginFailed { .. }
            | Event::Warned { .. }
            | Event::CutShort { .. }
            | Event::Stopping
            | Event::Stopped { .. } => {}
        }
        lines
    }

    /// Writes the first lines of the stay that begins.
    fn arrive(&mut self, lines: &mut String) {
        let Some(Stay { commit, role, release, subject, left, steps }) = self.stays.current().cloned() else {
            return;
        };
        if matches!(role, Role::MergeBase | Role::Candidate) {
            self.start_bisecting(lines);
        }
        let head = self.ends.as_ref().is_some_and(|ends| ends.head);
        match (role, release) {
            (Role::Start, _) if !self.tested.contains(&commit) => {
                put(lines, &Item::Ensuring(commit));
                put(lines, &Item::Blank(1));
            }
            (_, Some(release)) => put(lines, &Item::Release(release)),
            (Role::GoodEnd, None) if head => put(lines, &Item::Head(commit)),
            (Role::MergeBase, _) => {
                put(lines, &Item::MergeBaseFirst);
                put(lines, &Item::CheckedOut { commit, subject });
            }
            (Role::Candidate, _) => {
                put(lines, &Item::Left { revisions: left as u64, steps: steps as u64 });
                put(lines, &Item::CheckedOut { commit, subject });
            }
            _ => {}
        }
        if matches!(role, Role::Release | Role::GoodEnd) && self.marks.get(&commit) != Some(&Mark::Good) {
            // Where the good end of a search turned out to be bad, another search begins from the next one.
            self.end = Some(commit);
            self.bisecting = false;
        }
        put(lines, &Item::Testing { commit, compiler: None });
        lines.push_str(&self.built.remove(&commit).unwrap_or_default());
    }

    /// A fix is searched with the verdicts turned round: its bad end is the commit that no longer crashes.
    fn start_bisecting(&mut self, lines: &mut String) {
        let Some(ends) = self.ends.as_ref().filter(|_| !self.bisecting) else {
            return;
        };
        let said = |end: &CommitId, mark: Mark| self.marks.get(end).is_some_and(|said| *said != mark);
        let fix = ends.kind == Kind::Fix;
        let crashing = self.bad.filter(|end| !said(end, Mark::Bad.turned(ends.kind))).unwrap_or(ends.start);
        let clean = self.good.or_else(|| ends.good.first().copied()).or(self.end).unwrap_or(ends.start);
        let (bad, good) = if fix { (clean, crashing) } else { (crashing, clean) };
        if said(&good, Mark::Good) || said(&bad, Mark::Bad) {
            return;
        }
        put(lines, &Item::BisectStart { bad: bad.to_string(), good: good.to_string() });
        self.marks.extend([(good, Mark::Good), (bad, Mark::Bad)]);
        self.bisecting = true;
    }

    /// Writes the trials of the commit that the search has left, and of others where trials ended meanwhile; and what was concluded.
    fn leave(&mut self, lines: &mut String, left: Option<&Stay>) {
        let mut runs = std::mem::take(&mut self.runs);
        if let Some(&Stay { commit, role, .. }) = left {
            write_runs(lines, runs.remove(&commit).unwrap_or_default());
            self.conclude(lines, commit, role);
        }
        // What ended at the next commit already is told with what ends there.
        let arrived = self.stays.current().map(|stay| stay.commit);
        self.runs = runs.extract_if(.., |commit, _| arrived == Some(*commit)).collect();
        for (commit, runs) in runs.into_iter().filter(|(_, runs)| !runs.is_empty()) {
            put(lines, &Item::Testing { commit, compiler: None });
            write_runs(lines, runs);
            let role = self.roles.get(&commit).copied().unwrap_or(Role::Verification);
            self.conclude(lines, commit, role);
        }
    }

    fn conclude(&mut self, lines: &mut String, commit: CommitId, role: Role) {
        let Some(verdict) = self.verdicts.remove(&commit) else {
            return;
        };
        if let Verdict::Skip(why) = &verdict {
            put(lines, &Item::Undecided(one_line(why)));
        }
        match (role, &verdict) {
            (Role::Start | Role::Release | Role::GoodEnd, Verdict::Bad) => {
                self.bad = Some(commit);
                self.good = self.good.filter(|good| *good != commit);
            }
            (Role::Release | Role::GoodEnd, Verdict::Good) => self.good = Some(commit),
            (Role::Candidate | Role::MergeBase, _) => {
                let kind = self.ends.as_ref().map_or(Kind::Cause, |ends| ends.kind);
                let mark = Mark::of(&verdict).turned(kind);
                if let std::collections::hash_map::Entry::Vacant(place) = self.marks.entry(commit) {
                    place.insert(mark);
                    put(lines, &Item::Marked { mark, commit });
                }
            }
            _ => {}
        }
    }

    fn end_search(&self, lines: &mut String, conclusion: &Conclusion, commit: Option<&CommitText>, now: jiff::Timestamp) {
        if let (Conclusion::Found { suspects }, Some(text)) = (conclusion, commit) {
            // Git's own words, whichever end the fix is at.
            put(lines, &Item::FirstBad(text.commit));
            put(lines, &Item::Shown(commit_text(text)));
            // Without a trial at the start commit nobody knows how often a bad commit crashes.
            if self.ends.as_ref().is_some_and(|ends| self.tested.contains(&ends.start)) {
                let wrong = 1.0 - suspects.first().map_or(0.0, |first| first.probability);
                put(lines, &Item::ErrorProbability(format!("{wrong:.2}")));
            }
            if let [parent] = &text.parents[..]
                && let (Some(culprit), Some(parent)) = (self.signatures.get(&text.commit), self.signatures.get(parent))
            {
                put(lines, &Item::CulpritSignature { signature: culprit.clone(), first_form: false });
                put(lines, &Item::ParentSignature { signature: parent.clone(), first_form: false });
            }
        }
        let total = self.first_time.map_or(0.0, |first| now.duration_since(first).as_secs_f64());
        let [total, build, test] = [total, self.build_seconds, self.test_seconds].map(duration::go);
        put(lines, &Item::Totals { revisions: self.tested.len() as u64, total, build, test });
    }

    fn address(&self, lines: &mut String, recipients: &[Recipient]) {
        let Some((conclusion, commit, splat)) = &self.conclusion else {
            return;
        };
        let kind = self.ends.as_ref().map_or(Kind::Cause, |ends| ends.kind);
        let crash = |lines: &mut String| {
            if !self.target.is_empty() {
                put(lines, &Item::Crash { title: self.target.clone(), report: splat.clone() });
            }
        };
        match conclusion {
            Conclusion::Found { .. } => {
                if let Some(text) = commit {
                    put(lines, &Item::First { kind, commit: text.commit, subject: text.subject.clone() });
                }
                for list in [List::To, List::Cc] {
                    let emails = recipients.iter().filter(|one| one.to == (list == List::To)).map(|one| one.email.clone());
                    put(lines, &Item::Recipients { list, emails: emails.collect() });
                }
                crash(lines);
            }
            Conclusion::Inconclusive { suspects, .. } => {
                put(lines, &Item::AnyOf { kind, commits: suspects.iter().map(|suspect| suspect.commit).collect() });
            }
            Conclusion::NotReproduced => {
                put(lines, &Item::Error("the crash wasn't reproduced on the original commit".to_owned()));
            }
            Conclusion::OldestStillBad { .. } | Conclusion::NewestStillBad { .. } => {
                let oldest = matches!(conclusion, Conclusion::OldestStillBad { .. });
                put(lines, &Item::End(if oldest { End::Oldest } else { End::Head }));
                if let Some(text) = commit {
                    put(lines, &Item::EndSubject(text.subject.clone()));
                }
                crash(lines);
            }
            Conclusion::CannotSearch { why } => put(lines, &Item::Error(one_line(why))),
        }
    }
}

/// Adds an item's lines.
fn put(lines: &mut String, item: &Item) {
    let _ = writeln!(lines, "{item}");
}

fn write_runs(lines: &mut String, mut runs: Vec<(TrialNumber, String)>) {
    runs.sort_by_key(|(number, _)| *number);
    match runs.split_first() {
        None => {}
        Some(((_, first), rest)) if rest.iter().all(|(_, run)| run == first) => {
            put(lines, &Item::Ran { run: None, said: first.clone() });
        }
        Some(_) => {
            for (number, (_, run)) in (0..).zip(runs) {
                put(lines, &Item::Ran { run: Some(number), said: run });
            }
        }
    }
}

/// How a trial's line reads; none for a build failure, which has a line of its own.
fn run_text(outcome: &Outcome, mention: Option<&Mention>) -> Option<String> {
    if let Some(mention) = mention.filter(|mention| mention.is_unrelated()) {
        let said = match (mention.is_first(), mention.weighed()) {
            (true, Some(weighed)) => format!("{}; {weighed}", mention.in_full()),
            (true, None) => mention.in_full(),
            (false, _) => mention.in_brief(),
        };
        return Some(format!("ignore: {}", one_line(&said)));
    }
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

#[cfg(test)]
mod tests;
