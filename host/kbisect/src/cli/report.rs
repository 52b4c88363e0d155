//! `kbisect report`: the result of a run, as a mail.

use std::path::PathBuf;

use crate::error::Error;
use crate::exit::Exit;
use crate::record::report_text;
use crate::session;

/// Print the result of a run as the body of a mail, as report.txt has it
///
/// Plain text of at most 75 columns. Nothing is sent; read it first, nobody else has.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Add the paragraph that makes Linux's regression tracker follow the report. For regressions that people meet, not for what only
    /// a fuzzer does
    #[arg(long)]
    regzbot: bool,

    /// Print it as JSON, as report.json has it
    #[arg(long, conflicts_with = "regzbot")]
    json: bool,
}

/// Prints the report.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let recorded = session::look(&args.directory)?;
    let Some(report) = &recorded.report else {
        let directory = args.directory.display();
        let error = Error::user(format!("the run in `{directory}` has no answer yet"));
        return Err(match (recorded.is_record, recorded.in_use) {
            (true, _) => error,
            (false, true) => error.hint(format!("it is at work; see kbisect status {directory}")),
            (false, false) => error.hint(format!("to go on: kbisect resume {directory}")),
        });
    };
    if args.json {
        let json = serde_json::to_string_pretty(report).map_err(|error| Error::internal(error.to_string()))?;
        super::print(&(json + "\n"))?;
        return Ok(Exit::Success);
    }
    let text = if args.regzbot {
        report_text::for_tracker(report).ok_or_else(|| {
            Error::user(
                "there is nothing for a regression tracker: no commit is named, and no good one was found to begin a range",
            )
        })?
    } else {
        report_text::render(report)
    };
    super::print(&text)?;
    Ok(Exit::Success)
}
