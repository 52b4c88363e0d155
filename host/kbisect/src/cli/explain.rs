//! `kbisect explain`: why a run did what it did, and what speaks for whom.

use std::path::PathBuf;

use crate::error::Error;
use crate::exit::Exit;
use crate::record::explanation_text;
use crate::session;

/// Say why commits were tested, what each trial weighed, and what speaks for and against the likeliest
///
/// Without a commit: the run as a short story, its likeliest commits, and what the answer rests on. With one: why it was tested, what
/// each of its trials said, and how likely it had the bug before and after. Reads only; everything is worked out from the journal.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// A commit: hash, tag, branch or title
    #[arg(value_name = "COMMIT")]
    commit: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Explains.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let explanation = session::explain(&args.directory, args.commit.as_deref())?;
    let text = if args.json {
        serde_json::to_string_pretty(&explanation).map_err(|error| Error::internal(error.to_string()))? + "\n"
    } else {
        explanation_text::render(&explanation)
    };
    super::print(&text)?;
    Ok(Exit::Success)
}
