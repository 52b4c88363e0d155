//! `kbisect undo`: takes back trials or assumptions that should not count.

use std::fmt::Write as _;
use std::path::PathBuf;

use kbisect_core::bisector::Summary;
use kbisect_core::policy::Outcome;

use crate::error::Error;
use crate::exit::Exit;
use crate::record::cited;
use crate::record::counted;
use crate::record::report_text::percent;
use crate::record::rows;
use crate::record::terminal::shortened;
use crate::session;
use crate::session::Undo;
use crate::session::Undone;

/// Take back a trial, an assumption, or all trials of a commit
///
/// Without anything named, the trial that ended last. What is taken back no longer counts, and neither does an answer that was given
/// with it; the journal keeps it. `kbisect resume` goes on from there. Refused while the run goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// A trial's number, or a commit: what is assumed of it, else all its trials. Default: the trial that ended last
    #[arg(value_name = "TRIAL|COMMIT")]
    what: Option<String>,
}

/// Takes evidence back and says what that changed.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let what = args.what.as_deref().map_or(Undo::Last, Undo::parse);
    let undone = session::undo(&args.directory, &what)?;
    super::print(&text(&undone, &args.directory.display().to_string()))?;
    Ok(Exit::Success)
}

fn text(undone: &Undone, directory: &str) -> String {
    let Undone { commit, subject, before, after, .. } = undone;
    let mut text = format!("undone  at {}\n", cited(commit, &shortened(subject, 50)));
    for (number, outcome) in &undone.trials {
        let _ = writeln!(text, "        trial {:<5} {}", number.0, said(outcome));
    }
    if let Some(assumed) = &undone.assumed {
        let _ = writeln!(text, "        assumed     {}", rows::verdict(Some(&assumed.verdict)));
    }
    let verdict = |summary: &Summary| {
        let assumed = summary.assumed.iter().find(|one| one.commit == *commit).map(|one| &one.verdict);
        let tested = summary.tested.iter().find(|tested| tested.commit == *commit);
        rows::verdict(assumed.or_else(|| tested.and_then(|tested| tested.verdict.as_ref())))
    };
    let bad = |summary: &Summary| {
        let tested = summary.tested.iter().find(|tested| tested.commit == *commit);
        tested.map_or_else(|| "-".to_owned(), |tested| rows::probability(summary, tested))
    };
    let _ = writeln!(text, "verdict {}, was {}", verdict(after), verdict(before));
    let _ = writeln!(text, "P(bad)  {}, was {}", bad(after), bad(before));
    let _ = writeln!(text, "range   {}, was {}", range(after), range(before));
    for suspect in after.suspects.iter().take(3) {
        let _ = writeln!(text, "        {:>8}  {}", percent(suspect.probability), suspect.commit.short());
    }
    if undone.overturned {
        text.push_str("answer  the one that was given no longer stands\n");
    }
    text + &format!("to go on: kbisect resume {directory}\n")
}

fn range(summary: &Summary) -> String {
    match summary.range {
        Some(range) => {
            format!("{}, {} left, {:.1} bits", counted(range as u64, "commit"), summary.left, summary.bits)
        }
        None => "not known".to_owned(),
    }
}

/// How a trial ended, in a few words.
pub(super) fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Clean => "clean".to_owned(),
        Outcome::Crashed(sighting) => format!("crashed: {}", sighting.report.title),
        Outcome::Void(failure) => format!("void: {}", failure.reason),
    }
}
