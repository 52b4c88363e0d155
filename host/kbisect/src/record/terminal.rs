//! What a person at a terminal sees: one line for everything settled, and below it what is going on.
//!
//! Without a terminal there are only the lines, plain. Everything goes to standard error; the report goes to standard output.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressState;
use indicatif::ProgressStyle;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;

use super::Renderer;
use super::cited;
use super::counted;
use super::duration;
use super::event::Assumed;
use super::event::BuildResult;
use super::event::Ends;
use super::event::Entry;
use super::event::Event;
use super::event::Notice;
use super::faces::Faces;
use super::mentions::Mention;
use super::mentions::Mentions;
use super::pace::Pace;
use super::progress::Progress;
use super::reaches::Reaches;
use super::report::Counts;
use super::rows;
use super::rows::Row;
use super::rows::Rows;
use crate::git::Reverted;
use crate::harmless::harmless;

/// How many columns of a subject are shown: so many, fewer where the screen is narrow, but not less than these.
const SUBJECT: usize = 40;
const SHORT_SUBJECT: usize = 12;
/// Columns of a row beside the subject.
const ROW: usize = 64;
/// Columns of the table's first line beside the subject.
const HEAD: usize = 71;

/// So many assumptions are told one by one.
const ASSUMED: usize = 8;

/// Without a screen that changes: how much more or less time has to be left than was said last to be said again, and the least time
/// that is worth a line, in seconds.
const CHANGED: f64 = 2.0;
const WORTH_SAYING: f64 = 60.0;

/// Renders to standard error.
pub struct Terminal {
    live: Option<Live>,
    rows: Rows,
    mentions: Mentions,
    faces: Faces,
    reaches: Reaches,
    pace: Pace,
    /// The target's line that was printed last.
    target: String,
    /// What the configuration of the kernel that was built last should have and has not.
    lost: Vec<String>,
    standing: Option<Summary>,
    /// Whether the table has its first line.
    headed: bool,
    /// The range that was shown last.
    range: Option<usize>,
    /// When the run was last said to end.
    said: Option<Instant>,
}

/// The part of the screen that changes.
struct Live {
    screen: MultiProgress,
    now: ProgressBar,
    best: ProgressBar,
    building: Option<CommitId>,
    /// How many commits are being weighed.
    weighing: Option<usize>,
    /// Where it is looked how far the reproducer gets.
    probing: Option<CommitId>,
    trying: BTreeMap<TrialNumber, CommitId>,
    /// When the run ends, as far as can be guessed.
    end: Arc<Mutex<Option<Instant>>>,
}

impl Terminal {
    /// A renderer with a live part when `live`, else with plain lines only.
    pub fn new(live: bool) -> Self {
        Self {
            live: live.then(Live::new),
            rows: Rows::default(),
            mentions: Mentions::default(),
            faces: Faces::default(),
            reaches: Reaches::default(),
            pace: Pace::default(),
            target: String::new(),
            lost: Vec::new(),
            standing: None,
            headed: false,
            range: None,
            said: None,
        }
    }

    fn line(&self, text: &str) {
        let text = harmless(text);
        match &self.live {
            Some(live) => {
                let _ = live.screen.println(&text);
            }
            None => {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    fn durable(&mut self, entry: &Entry) {
        self.pace.take(entry);
        self.faces.take(&entry.event);
        if let Some(row) = self.rows.take(&entry.event) {
            self.row(&row);
        }
        if let Some(mention) = self.mentions.take(&entry.event) {
            self.mention(&mention);
        }
        if let Some(reached) = self.reaches.take(&entry.event).filter(|reached| reached.is_worth_telling()) {
            let line = format!("reach   {} {}", reached.commit.short(), reached.told());
            self.line(&line);
        }
        match &entry.event {
            Event::Started { ends, subject, assumed, .. } => {
                self.line(&start_line(ends, subject));
                self.assumed(assumed);
            }
            Event::Assumed { assumed } => self.assumed(assumed),
            Event::Retracted { trials, assumed } => {
                let trials = (!trials.is_empty()).then(|| counted(trials.len() as u64, "trial"));
                let assumed = (!assumed.is_empty()).then(|| counted(assumed.len() as u64, "assumption"));
                let taken: Vec<String> = trials.into_iter().chain(assumed).collect();
                self.line(&format!("undone  {}", taken.join(" and ")));
            }
            Event::ByHand { commit, subject, trials } => {
                let trials = counted(u64::from(*trials), "trial");
                self.line(&format!("by hand {trials} at {}", cited(commit, &shortened(subject, 60))));
            }
            Event::Tip { name, commit, subject, .. } => {
                let subject = shortened(subject, 40);
                self.line(&format!("newest  {} ({name}: \"{subject}\"): does it still crash?", commit.short()));
            }
            Event::Reverted { commit, at, reverted: Reverted::Made(_) } => {
                let at = if at.is_some() { "newest" } else { "start" };
                self.line(&format!("revert  {} taken back at the {at} commit, to be tested there", commit.short()));
            }
            Event::Reverted { commit, reverted: Reverted::Conflicts(files), .. } => {
                let (commit, files) = (commit.short(), shortened(&files.join(", "), 60));
                self.line(&format!("revert  {commit} cannot be taken back at the start commit ({files})"));
            }
            Event::Minimizing { detectors, options, .. } => {
                let groups = counted(detectors.len() as u64, "group");
                let options = counted(*options as u64, "option");
                self.line(&format!("config  {options} beyond the baseline and {groups} of detectors may go"));
            }
            Event::ConfigTested { tested } => self.line(&format!("        {}", tested.told())),
            Event::Minimized { minimized, .. } => self.line(&format!("config  {}", minimized.told())),
            Event::Resumed { .. } => self.line("resumed; what was done before is kept, and counted below"),
            Event::Weighed { plugin, commits, guilty, bits, .. } => {
                if let Some(live) = &mut self.live {
                    live.weighing = None;
                    live.draw();
                }
                if *guilty > 0 {
                    let commits = counted(*commits as u64, "commit");
                    self.line(&format!(
                        "prior   {guilty} of {commits} look guilty by the crash, worth {bits:.1} bits   ({plugin})"
                    ));
                }
            }
            // The start commit is bad, and so the target is what it showed there.
            Event::Routed { .. } => {
                for face in self.faces.at_start() {
                    self.line(&format!("face    {face}"));
                }
            }
            Event::Target { faces, origin } => {
                if let Some(face) = faces.first() {
                    let frames = if face.trace.is_empty() { String::new() } else { format!("; {} frames", face.trace.len()) };
                    let file = face.guilty_file.as_ref().map_or_else(String::new, |file| format!("; {file}"));
                    let target = format!("target  {}   ({origin}{frames}{file})", face.title);
                    if self.target != target {
                        self.line(&target);
                        self.target = target;
                    }
                }
            }
            Event::BuildEnded { commit, result, seconds, .. } => match result {
                BuildResult::Built { lost, .. } => {
                    if *lost != self.lost && !lost.is_empty() {
                        let lost = lost.join(", ");
                        self.line(&format!(
                            "        the configuration of {} lacks {lost}: what they would have told stays untold",
                            commit.short()
                        ));
                    }
                    self.lost.clone_from(lost);
                }
                BuildResult::Failed(why) | BuildResult::Infra(why) => {
                    let error = why.lines().find(|line| line.contains("error:"));
                    let last = error.or(why.lines().last()).unwrap_or_default();
                    self.line(&format!("        build of {} failed after {}: {last}", commit.short(), duration::short(*seconds)));
                }
            },
            Event::PluginFailed { plugin, hook, error, disabled } => {
                let end = if *disabled { "; it is not asked again" } else { "" };
                self.line(&format!("warning: plugin `{plugin}` failed in {hook}: {error}{end}"));
            }
            Event::PluginLog { plugin, level, message } if level == "warn" || level == "error" => {
                self.line(&format!("{level}: plugin `{plugin}`: {message}"));
            }
            Event::Warned { message } => self.line(&format!("warning: {message}")),
            Event::Concluded { .. } => {
                if let Some(live) = self.live.take() {
                    live.now.finish_and_clear();
                    live.best.finish_and_clear();
                }
            }
            Event::Stopping => self.line("stopping: trials that run are waited for; once more to kill them"),
            Event::Stopped { why } => self.line(&format!("stopped: {why}")),
            Event::Chosen { .. }
            | Event::TrialEnded { .. }
            | Event::CutShort { .. }
            | Event::Reached { .. }
            | Event::ConfigBuilt { .. }
            | Event::ConfigTried { .. }
            | Event::Related { .. }
            | Event::Judged { .. }
            | Event::PluginLog { .. }
            | Event::Addressed { .. } => {}
        }
    }

    /// Tells what is taken for granted, a few of them one by one.
    fn assumed(&self, assumed: &[Assumed]) {
        for Assumed { assumption, subject } in assumed.iter().take(ASSUMED) {
            let verdict = rows::verdict(Some(&assumption.verdict));
            self.line(&format!("assumed {verdict:<4}  {}", cited(&assumption.commit, &shortened(subject, 60))));
        }
        if assumed.len() > ASSUMED {
            self.line(&format!("        and {} more", assumed.len() - ASSUMED));
        }
    }

    /// Tells of another bug's crash: in full the first time, then only how often.
    fn mention(&self, mention: &Mention) {
        if mention.is_first() {
            let Mention { commit, n, .. } = mention;
            self.line(&format!("        {}", mention.in_full()));
            let weighed = mention.weighed().map_or_else(String::new, |weighed| weighed + "; ");
            self.line(&format!("                   {weighed}console: trials/{commit}/{n}/console.zst"));
        } else if mention.is_round() {
            self.line(&format!("        {}", mention.counted()));
        }
    }

    /// Prints a row. While an earlier process's events are gone through, nothing is known of where the search stood.
    fn row(&mut self, row: &Row) {
        let searched = self.standing.as_ref().and_then(|standing| {
            let tested = standing.tested.iter().find(|one| one.commit == row.commit)?;
            let counts = Counts { hits: tested.hits, clean: tested.clean, other: tested.other, void: tested.void };
            Some((counts, rows::probability(standing, tested)))
        });
        // What is tested beside the search has no probability.
        let (counts, probability) = searched.unwrap_or_else(|| (row.counts, "-".to_owned()));
        let screen = self.live.as_ref().and_then(|_| columns());
        let width = screen.map_or(SUBJECT, |columns| columns.saturating_sub(ROW).clamp(SHORT_SUBJECT, SUBJECT));
        if !self.headed {
            self.headed = true;
            let last = if screen.is_some_and(|columns| HEAD + width > columns) { "P(bad)" } else { "P(has the bug)" };
            self.line(&format!("  #  {:<12}  {:<11}  {:<width$}  hit/clean/void/other   {last}", "commit", "why", "subject"));
        }
        let text = format!(
            "{:>3}  {}  {:<11}  {:<width$}  {:>3} {:>5} {:>4} {:>5}     {probability:>5}",
            row.number,
            row.commit.short(),
            row.why,
            shortened(&row.subject, width),
            counts.hits,
            counts.clean,
            counts.void,
            counts.other,
        );
        self.line(&text);
    }

    /// Takes note of where the search stands: a new range is shown, with a guess of the time it takes, and so is another guess.
    fn stand(&mut self, summary: &Summary) {
        self.standing = Some(summary.clone());
        let left = self.pace.left(summary);
        if let Some(live) = &self.live {
            let end = left.map(|left| Instant::now() + Duration::from_secs_f64(left));
            *live.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        }
        let guess = left.map_or_else(String::new, |left| format!(", {} left", duration::about(left)));
        if summary.range.is_some() && summary.range != self.range {
            let range = summary.range.unwrap_or_default();
            let commits = counted(range as u64, "commit");
            self.line(&format!("range   {commits}, about {} to test{guess}", steps(range)));
        } else if self.live.is_some() || !left.is_some_and(|left| self.surprises(left)) {
            return;
        } else {
            self.line(&format!("        elapsed {}{guess}", duration::short(self.pace.spent())));
        }
        self.range = summary.range.or(self.range);
        self.said = left.map(|left| Instant::now() + Duration::from_secs_f64(left));
    }

    /// Whether a guess is far from the one that was said last, and worth a line.
    fn surprises(&self, left: f64) -> bool {
        let Some(said) = self.said else {
            return left >= WORTH_SAYING;
        };
        let expected = said.saturating_duration_since(Instant::now()).as_secs_f64();
        let (less, more) = if left < expected { (left, expected) } else { (expected, left) };
        more >= WORTH_SAYING && more >= less * CHANGED
    }

    fn progress(&mut self, progress: &Progress) {
        if let Progress::Standing(summary) = progress {
            self.stand(summary);
        }
        if let Progress::Retrying { failure } = progress {
            self.line(&format!("warning: tried again: {}", failure.reason));
        }
        let Some(live) = &mut self.live else {
            return;
        };
        match progress {
            Progress::Building { commit, .. } => live.building = Some(*commit),
            Progress::Weighing { commits } => live.weighing = Some(*commits),
            Progress::Probing { commit } => live.probing = Some(*commit),
            Progress::Trying { trial, commit, .. } => {
                live.building = live.building.filter(|building| building != commit);
                live.trying.insert(*trial, *commit);
            }
            Progress::Cancelled { trial } => {
                live.trying.remove(trial);
            }
            Progress::Standing(summary) => live.best.set_message(harmless(&best_line(summary)).into_owned()),
            Progress::Retrying { .. } => {}
        }
        live.draw();
    }
}

impl Renderer for Terminal {
    fn show(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Durable(entry) => {
                if let Some(live) = &mut self.live {
                    live.forget(&entry.event);
                }
                self.durable(entry);
            }
            Notice::Progress(progress) => self.progress(progress),
        }
    }
}

impl Live {
    fn new() -> Self {
        let screen = MultiProgress::new();
        let style = |template| ProgressStyle::with_template(template).expect("a constant template");
        let end = Arc::new(Mutex::new(None));
        let clock = {
            let end = Arc::clone(&end);
            move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                let end: Option<Instant> = *end.lock().unwrap_or_else(PoisonError::into_inner);
                let left = end.and_then(|end| end.checked_duration_since(Instant::now()));
                let _ = text.write_str(&clock(state.elapsed(), left));
            }
        };
        let best = screen.add(ProgressBar::new_spinner().with_style(style("{wide_msg}")));
        let now =
            screen.add(ProgressBar::new_spinner().with_style(style("{spinner} {clock}   {wide_msg}").with_key("clock", clock)));
        now.enable_steady_tick(Duration::from_millis(200));
        Self { screen, now, best, building: None, weighing: None, probing: None, trying: BTreeMap::new(), end }
    }

    /// What ended is no longer going on.
    fn forget(&mut self, event: &Event) {
        match event {
            Event::BuildEnded { .. } => self.building = None,
            Event::Reached { .. } => self.probing = None,
            Event::TrialEnded { trial, .. } => {
                self.trying.remove(trial);
            }
            _ => return,
        }
        self.draw();
    }

    fn draw(&self) {
        let mut text = String::new();
        if let Some(commit) = self.building {
            let _ = write!(text, "building {}  ", commit.short());
        }
        if let Some(commits) = self.weighing {
            let _ = write!(text, "weighing {}  ", counted(commits as u64, "commit"));
        }
        if let Some(commit) = self.probing {
            let _ = write!(text, "what is reached at {}  ", commit.short());
        }
        if let Some((_, commit)) = self.trying.first_key_value() {
            let _ = write!(text, "{} at {}", counted(self.trying.len() as u64, "trial"), commit.short());
        }
        text.push_str("   (Ctrl-C stops; the run can be resumed)");
        self.now.set_message(harmless(&text).into_owned());
    }
}

fn start_line(ends: &Ends, subject: &str) -> String {
    let end = match (ends.kind, ends.good.first(), ends.releases.first()) {
        (Kind::Cause, Some(good), _) => format!("good at {}", good.short()),
        (Kind::Cause, None, Some(release)) => {
            format!("back through {} from {}", counted(ends.releases.len() as u64, "release"), release.name)
        }
        (Kind::Cause, None, None) => "no release before it".to_owned(),
        (Kind::Fix, Some(good), _) if ends.head => format!("looking for its fix up to HEAD ({})", good.short()),
        (Kind::Fix, Some(good), _) => format!("looking for its fix up to {}", good.short()),
        (Kind::Fix, None, _) => "looking for its fix".to_owned(),
    };
    format!("start   {}, {end}", cited(&ends.start, &shortened(subject, 60)))
}

/// The time so far, and what is left where that can be guessed.
fn clock(elapsed: Duration, left: Option<Duration>) -> String {
    let left = left.map_or_else(String::new, |left| format!(", {} left", duration::about(left.as_secs_f64())));
    format!("elapsed {}{left}", duration::short(elapsed.as_secs_f64()))
}

/// How wide the screen is, where standard error is one.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

fn best_line(summary: &Summary) -> String {
    if summary.suspects.is_empty() {
        return String::new();
    }
    let mut parts: Vec<String> =
        summary.suspects.iter().take(3).map(|suspect| format!("{:.2} {}", suspect.probability, suspect.commit.short())).collect();
    let rest: f64 = 1.0 - summary.suspects.iter().take(3).map(|suspect| suspect.probability).sum::<f64>() - summary.good_end_bad;
    if rest > 0.005 {
        parts.push(format!("{rest:.2} others"));
    }
    if summary.good_end_bad > 0.005 {
        parts.push(format!("{:.2} the good end is bad too", summary.good_end_bad));
    }
    if parts.is_empty() { String::new() } else { format!("best so far  {}   ({} left)", parts.join(" · "), summary.left) }
}

/// At most `width` characters, the last an ellipsis where something was cut.
pub fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn steps(range: usize) -> u32 {
    range.max(1).ilog2() + 1
}
