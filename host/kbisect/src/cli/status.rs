//! `kbisect status`: where a run stands.

use std::fmt::Write as _;
use std::path::PathBuf;

use kbisect_core::bisector::Assumption;

use crate::error::Error;
use crate::exit::Exit;
use crate::record::counted;
use crate::record::duration;
use crate::record::event::Event;
use crate::record::faces::Faces;
use crate::record::pace::Pace;
use crate::record::reaches::Reaches;
use crate::record::reaches::is_not_exercised;
use crate::record::report;
use crate::record::report_text;
use crate::record::rows;
use crate::record::terminal;
use crate::session;
use crate::session::Recorded;

/// Show where a run stands: commits tested, the likeliest culprits, the result once there is one
///
/// Reads only: it may be asked while the run goes on. The columns are trials that showed the crash (hit), that ended without one
/// (clean), that say nothing (void: no build, no boot, …), and that crashed with something else (other).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Prints where a run stands.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let recorded = session::look(&args.directory)?;
    let mut text: String = Faces::of(&recorded.entries).at_start().iter().map(|face| format!("face    {face}\n")).collect();
    text += &table(&recorded);
    match &recorded.report {
        Some(report) => {
            let _ = write!(text, "\n{}", report_text::render(report));
        }
        None if recorded.is_record => text.push_str("state   the record of a log that ends before its answer\n"),
        None => text += &standing(&recorded, &args.directory.display().to_string()),
    }
    super::print(&text)?;
    Ok(Exit::Success)
}

pub(super) fn table(recorded: &Recorded) -> String {
    let summary = &recorded.summary;
    let mut text = match summary.range {
        Some(range) => format!("range   {}, {} left\n", counted(range as u64, "commit"), summary.left),
        None if recorded.is_record => "range   not known: that takes the repository, and there is only the log\n".to_owned(),
        None => "range   not known yet\n".to_owned(),
    };
    if summary.tested.is_empty() {
        return text + "no trial has ended yet\n" + &assumed(recorded);
    }
    let _ =
        writeln!(text, "  {:<12}  {:<10}  {:<36}  hit/clean/void/other   P(has the bug)  verdict", "commit", "why", "subject");
    let subjects = report::subjects(&recorded.entries);
    let reached = Reaches::of(&recorded.entries).into_list();
    for tested in &summary.tested {
        let assumed = summary.assumed.iter().any(|one| one.commit == tested.commit);
        let verdict = rows::verdict_of(tested, is_not_exercised(&reached, &tested.commit));
        let verdict = if assumed { format!("{verdict}, assumed") } else { verdict };
        let subject = subjects.get(&tested.commit).map_or("", String::as_str);
        let _ = writeln!(
            text,
            "  {}  {:<10}  {:<36}  {:>3} {:>5} {:>4} {:>5}     {:>8}      {verdict}",
            tested.commit.short(),
            rows::word(tested.role),
            terminal::shortened(subject, 36),
            tested.hits,
            tested.clean,
            tested.void,
            tested.other,
            rows::probability(summary, tested)
        );
    }
    text + &assumed(recorded)
}

/// What is taken for granted of commits without a trial.
fn assumed(recorded: &Recorded) -> String {
    let summary = &recorded.summary;
    let subjects = report::subjects(&recorded.entries);
    let untested = summary.assumed.iter().filter(|one| !summary.tested.iter().any(|tested| tested.commit == one.commit));
    let line = |one: &Assumption| {
        let subject = terminal::shortened(subjects.get(&one.commit).map_or("", String::as_str), 36);
        format!(
            "  {}  {:<10}  {subject:<36}  {:<37}{}\n",
            one.commit.short(),
            "assumed",
            "no trial",
            rows::verdict(Some(&one.verdict))
        )
    };
    let lines: Vec<String> = untested.map(line).collect();
    let more = lines.len().saturating_sub(ASSUMED);
    let mut text: String = lines.into_iter().take(ASSUMED).collect();
    if more > 0 {
        let _ = writeln!(text, "  and {more} more that are assumed");
    }
    text
}

/// So many assumptions are listed.
const ASSUMED: usize = 20;

/// Where a run without an answer stands, and how it goes on.
pub(super) fn standing(recorded: &Recorded, directory: &str) -> String {
    let mut text = if recorded.summary.suspects.is_empty() { String::new() } else { "likeliest\n".to_owned() };
    for suspect in &recorded.summary.suspects {
        let _ = writeln!(text, "  {:>8}  {}", report_text::percent(suspect.probability), suspect.commit.short());
    }
    let mut pace = Pace::default();
    recorded.entries.iter().for_each(|entry| pace.take(entry));
    let trials: u32 = recorded.summary.tested.iter().map(|one| one.hits + one.clean + one.void + one.other).sum();
    let left = pace.left(&recorded.summary).map_or_else(String::new, |left| format!(", {} left", duration::about(left)));
    let so_far = duration::short(pace.spent());
    if trials > 0 {
        let _ = writeln!(text, "so far  {} in {so_far}{left}", counted(u64::from(trials), "trial"));
    }
    let stopped = recorded.entries.last().and_then(|entry| match &entry.event {
        Event::Stopped { why } => Some(why.as_str()),
        _ => None,
    });
    let state = match (recorded.in_use, stopped) {
        (true, _) => return text + "state   running\n",
        (false, Some(why)) => format!("stopped: {why}"),
        (false, None) => "broken off, without a word: killed, or the machine went down".to_owned(),
    };
    text + &format!("state   {state}\nto go on: kbisect resume {directory}\n")
}
