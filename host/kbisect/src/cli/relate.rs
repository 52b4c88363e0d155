//! `kbisect relate`: whether two crashes are the same bug, as the classifiers judge it.

use std::path::Path;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use serde::Deserialize;
use serde_json::json;

use super::classifiers::Classifiers;
use super::print;
use crate::error::Error;
use crate::exit::Exit;
use crate::policy::Policies;
use crate::policy::console;

/// Say how likely two crashes are the same bug
///
/// A crash is a console, a report as `kbisect classify --json` prints it, or `title:` with a title behind it. Of a console or report
/// with several crashes the first counts.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The crash that is looked for; several are faces of one bug
    #[arg(long, value_name = "CRASH", required = true)]
    target: Vec<String>,

    /// The crash that was seen
    #[arg(long, value_name = "CRASH")]
    seen: String,

    #[command(flatten)]
    classifiers: Classifiers,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Relates a crash to the faces of a target.
pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let policies = args.classifiers.load()?;
    let faces = args.target.iter().map(|text| Ok(Face { report: crash(&policies, text)?, trials: 1 }));
    let faces: Vec<Face> = faces.collect::<Result<_, Error>>()?;
    let seen = crash(&policies, &args.seen)?;
    // Outside a repository there is no commit to ask about.
    let relation = policies.relate_to(faces, &seen, &CommitId::from_bytes([0; 20]));
    let relation = relation.map_err(|failure| Error::internal(failure.reason))?;
    print(&if args.json {
        let text = json!({ "schema": 1, "probability": relation.same, "reason": relation.reason });
        format!("{text}\n")
    } else {
        format!("probability  {:.3}\nreason       {}\n", relation.same, relation.reason)
    })?;
    Ok(Exit::Success)
}

/// Reports as `kbisect classify --json` prints them, or one of them alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    Several { reports: Vec<CrashReport> },
    One(Box<CrashReport>),
}

/// The crash that an argument names.
fn crash(policies: &Policies, text: &str) -> Result<CrashReport, Error> {
    if let Some(title) = text.strip_prefix("title:") {
        let title = title.trim();
        if title.is_empty() {
            return Err(Error::user("there is no title behind `title:`"));
        }
        return Ok(CrashReport::titled(title));
    }
    let bytes = console::read(Path::new(text)).map_err(|error| {
        Error::user(format!("cannot read {text}: {error}")).hint("name a file, or write `title:` before a title")
    })?;
    let reports = if bytes.trim_ascii_start().starts_with(b"{") {
        match serde_json::from_slice(&bytes) {
            Ok(Json::Several { reports }) => reports,
            Ok(Json::One(report)) => vec![*report],
            Err(error) => return Err(Error::user(format!("{text} is no crash report: {error}"))),
        }
    } else {
        console::classify(policies, &bytes, None)?.reports
    };
    let first = reports.into_iter().find(|report| !report.title.is_empty());
    first.ok_or_else(|| Error::user(format!("there is no crash in {text}")))
}
