//! `kbisect status`: where a run stands.

use std::fmt::Write as _;
use std::path::PathBuf;

use kbisect_core::bisector::Summary;

use crate::error::Error;
use crate::exit::Exit;
use crate::record::event::Event;
use crate::record::report::Report;
use crate::record::report_text;
use crate::session;
use crate::session::Past;

/// Show where a run stands: commits tested, the likeliest culprits, and the result once there is one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Prints where a run stands.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let past = session::look(&args.directory)?;
    let mut text = table(&past.summary);
    match Report::from_entries(&past.entries) {
        Some(report) => {
            let _ = write!(text, "\n{}", report_text::render(&report, None));
        }
        None => text += &suspects(&past, &args.directory.display().to_string()),
    }
    super::print(&text)?;
    Ok(Exit::Success)
}

fn table(summary: &Summary) -> String {
    let mut text = match summary.range {
        Some(range) => format!("range   {range} commits, {} left\n", summary.left),
        None => "range   not known yet\n".to_owned(),
    };
    text += "  commit        hit/clean/void/other   P(has the bug)  verdict\n";
    for tested in &summary.tested {
        let verdict = match &tested.verdict {
            None => "open",
            Some(kbisect_core::policy::Verdict::Good) => "good",
            Some(kbisect_core::policy::Verdict::Bad) => "bad",
            Some(kbisect_core::policy::Verdict::Skip(_)) => "skip",
        };
        let _ = writeln!(
            text,
            "  {}  {:>3} {:>5} {:>4} {:>5}     {:>8.3}      {verdict}",
            tested.commit.short(),
            tested.hits,
            tested.clean,
            tested.void,
            tested.other,
            tested.bad
        );
    }
    text
}

fn suspects(past: &Past, directory: &str) -> String {
    let mut text = if past.summary.suspects.is_empty() { String::new() } else { "likeliest\n".to_owned() };
    for suspect in &past.summary.suspects {
        let _ = writeln!(text, "  {:>8}  {}", report_text::percent(suspect.probability), suspect.commit.short());
    }
    let stopped = past.entries.last().and_then(|entry| match &entry.event {
        Event::Stopped { why } => Some(why.as_str()),
        _ => None,
    });
    text += &match (past.in_use, stopped) {
        (true, _) => "state   running\n".to_owned(),
        (false, Some(why)) => format!("state   stopped: {why}\nto go on: kbisect resume {directory}\n"),
        (false, None) => format!("state   broken off\nto go on: kbisect resume {directory}\n"),
    };
    text
}
