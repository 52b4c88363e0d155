//! What a person at a terminal sees: one line for everything settled, and below it what is going on.
//!
//! Without a terminal there are only the lines, plain. Everything goes to standard error; the report goes to standard output.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;

use super::Renderer;
use super::duration;
use super::event::BuildResult;
use super::event::Ends;
use super::event::Entry;
use super::event::Event;
use super::event::Notice;
use super::event::Progress;

/// How many columns of a subject are shown.
const SUBJECT: usize = 44;

/// Renders to standard error.
pub struct Terminal {
    live: Option<Live>,
    number: usize,
    current: Option<(CommitId, Role, String)>,
    standing: Option<Summary>,
    range_shown: bool,
}

/// The part of the screen that changes.
struct Live {
    screen: MultiProgress,
    now: ProgressBar,
    best: ProgressBar,
    building: Option<CommitId>,
    trying: BTreeMap<TrialNumber, CommitId>,
    started: Instant,
}

impl Terminal {
    /// A renderer with a live part when `live`, else with plain lines only.
    pub fn new(live: bool) -> Self {
        Self { live: live.then(Live::new), number: 0, current: None, standing: None, range_shown: false }
    }

    fn line(&self, text: &str) {
        match &self.live {
            Some(live) => {
                let _ = live.screen.println(text);
            }
            None => {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    fn durable(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Started { ends, subject, .. } => self.line(&start_line(ends, subject)),
            Event::Resumed { .. } => self.line("resumed"),
            Event::Target { faces, origin } => {
                if let Some(face) = faces.first() {
                    let frames = if face.trace.is_empty() { String::new() } else { format!("; {} frames", face.trace.len()) };
                    let file = face.guilty_file.as_ref().map_or_else(String::new, |file| format!("; {file}"));
                    self.line(&format!("target  {}   ({origin}{frames}{file})", face.title));
                }
            }
            Event::Chosen { commit, role, release, subject, .. } => {
                self.close_row();
                let subject = match release {
                    Some(release) => format!("{release}: {subject}"),
                    None => subject.clone(),
                };
                self.current = Some((*commit, *role, subject));
            }
            Event::BuildEnded { commit, result, seconds, .. } => match result {
                BuildResult::Built { .. } => {}
                BuildResult::Failed(why) | BuildResult::Infra(why) => {
                    let last = why.lines().last().unwrap_or_default();
                    self.line(&format!("        build of {} failed after {}: {last}", commit.short(), duration::short(*seconds)));
                }
            },
            Event::TrialEnded { trial, commit, outcome, reason, .. } => {
                if let Outcome::Crashed(sighting) = outcome
                    && sighting.same < 0.5
                {
                    let (title, same) = (&sighting.report.title, sighting.same);
                    self.line(&format!(
                        "        other: {title} at {}: {same:.2} the target; {reason} (trial {})",
                        commit.short(),
                        trial.0
                    ));
                }
            }
            Event::PluginFailed { plugin, hook, error, disabled } => {
                let end = if *disabled { "; it is not asked again" } else { "" };
                self.line(&format!("warning: plugin `{plugin}` failed in {hook}: {error}{end}"));
            }
            Event::PluginLog { plugin, level, message } if level == "warn" || level == "error" => {
                self.line(&format!("{level}: plugin `{plugin}`: {message}"));
            }
            Event::Warned { message } => self.line(&format!("warning: {message}")),
            Event::Concluded { .. } => {
                self.close_row();
                self.current = None;
                if let Some(live) = self.live.take() {
                    live.now.finish_and_clear();
                    live.best.finish_and_clear();
                }
            }
            Event::Stopped { why } => self.line(&format!("stopped: {why}")),
            Event::Routed { .. }
            | Event::Related { .. }
            | Event::Retracted { .. }
            | Event::Judged { .. }
            | Event::PluginLog { .. }
            | Event::Addressed { .. } => {}
        }
    }

    /// Prints the row of the commit that the search now leaves.
    fn close_row(&mut self) {
        let Some((commit, role, subject)) = self.current.take() else {
            return;
        };
        let Some(tested) = self.standing.as_ref().and_then(|standing| standing.tested.iter().find(|one| one.commit == commit))
        else {
            return;
        };
        if self.number == 0 {
            self.line(&format!("  #  {:<13} {:<w$}  hit/clean/void/other   P(has the bug)", "commit", "subject", w = SUBJECT));
        }
        self.number += 1;
        let row = format!(
            "{:>3}  {}{} {:<w$}  {:>3} {:>5} {:>4} {:>5}     {:.3}",
            self.number,
            commit.short(),
            role_mark(role),
            shortened(&subject, SUBJECT),
            tested.hits,
            tested.clean,
            tested.void,
            tested.other,
            tested.bad,
            w = SUBJECT
        );
        self.line(&row);
    }

    fn progress(&mut self, progress: &Progress) {
        if let Progress::Standing(summary) = progress {
            if let (Some(range), false) = (summary.range, self.range_shown) {
                self.range_shown = true;
                self.line(&format!("range   {range} commits, about {} to test", steps(range)));
            }
            self.standing = Some(summary.clone());
        }
        if let Progress::Retrying { failure } = progress {
            self.line(&format!("warning: tried again: {}", failure.reason));
        }
        let Some(live) = &mut self.live else {
            return;
        };
        match progress {
            Progress::Building { commit, .. } => live.building = Some(*commit),
            Progress::Trying { trial, commit, .. } => {
                live.building = live.building.filter(|building| building != commit);
                live.trying.insert(*trial, *commit);
            }
            Progress::Cancelled { trial } => {
                live.trying.remove(trial);
            }
            Progress::Standing(summary) => live.best.set_message(best_line(summary)),
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
        let best = screen.add(ProgressBar::new_spinner().with_style(style("{msg}")));
        let now = screen.add(ProgressBar::new_spinner().with_style(style("{spinner} {elapsed} {msg}")));
        now.enable_steady_tick(std::time::Duration::from_millis(200));
        Self { screen, now, best, building: None, trying: BTreeMap::new(), started: Instant::now() }
    }

    /// What ended is no longer going on.
    fn forget(&mut self, event: &Event) {
        match event {
            Event::BuildEnded { .. } => self.building = None,
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
        if let Some((_, commit)) = self.trying.first_key_value() {
            let _ = write!(
                text,
                "{} trial{} at {}",
                self.trying.len(),
                if self.trying.len() == 1 { "" } else { "s" },
                commit.short()
            );
        }
        let _ = write!(
            text,
            "   (so far {}; Ctrl-C stops, the run can be resumed)",
            duration::short(self.started.elapsed().as_secs_f64())
        );
        self.now.set_message(text);
    }
}

fn start_line(ends: &Ends, subject: &str) -> String {
    let end = match (ends.kind, ends.good.first(), ends.releases.first()) {
        (Kind::Cause, Some(good), _) => format!("good at {}", good.short()),
        (Kind::Cause, None, Some(release)) => format!("back through {} releases from {}", ends.releases.len(), release.name),
        (Kind::Cause, None, None) => "no release before it".to_owned(),
        (Kind::Fix, Some(good), _) => format!("fixed at {}?", good.short()),
        (Kind::Fix, None, _) => "fixed at HEAD?".to_owned(),
    };
    format!("start   {} (\"{}\"), {end}", ends.start.short(), shortened(subject, 60))
}

fn best_line(summary: &Summary) -> String {
    let mut parts: Vec<String> =
        summary.suspects.iter().take(3).map(|suspect| format!("{:.2} {}", suspect.probability, suspect.commit.short())).collect();
    let rest: f64 = 1.0 - summary.suspects.iter().take(3).map(|suspect| suspect.probability).sum::<f64>() - summary.good_end_bad;
    if rest > 0.005 {
        parts.push(format!("{rest:.2} others"));
    }
    if summary.good_end_bad > 0.005 {
        parts.push(format!("{:.2} older than the good end", summary.good_end_bad));
    }
    if parts.is_empty() { String::new() } else { format!("best so far  {}   ({} left)", parts.join(" · "), summary.left) }
}

/// A mark for commits that are tested for another reason than the search.
fn role_mark(role: Role) -> char {
    match role {
        Role::Start => 's',
        Role::GoodEnd | Role::Release => 'r',
        Role::MergeBase => 'm',
        Role::Verification => 'v',
        Role::Candidate | Role::BaselineConfig => ' ',
    }
}

/// At most `width` characters, the last an ellipsis where something was cut.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn steps(range: usize) -> u32 {
    range.max(1).ilog2() + 1
}
