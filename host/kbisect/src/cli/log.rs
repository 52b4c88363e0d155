//! `kbisect log`: what happened, as syzbot's text, as git's log, as JSON, or by the clock.

use std::path::Path;
use std::path::PathBuf;

use crate::error::Error;
use crate::exit::Exit;
use crate::gitlog;
use crate::record::standing::standing;
use crate::record::syzlog;
use crate::record::timeline;
use crate::session;
use crate::syzbot;

/// Print what happened in a run, from its first trial to where it stands
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out; or a log by syzbot, which is read and written again
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// `text` is the format of syzbot's bisection logs; `git` is what `git bisect replay` reads; `json` is the journal, one event a
    /// line; `timeline` is when each build and trial ran, and where the time went
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[value(alias = "syzbot")]
    Text,
    Git,
    Json,
    Timeline,
}

/// Prints a run's log.
pub fn run(args: &Args) -> Result<Exit, Error> {
    if args.directory.is_file() && args.format == Format::Text {
        return rewrite(&args.directory);
    }
    let entries = session::entries(&args.directory)?;
    let text = match args.format {
        Format::Text => syzlog::render(&standing(&entries)),
        Format::Git => gitlog::render(&session::git_session(&args.directory)?),
        Format::Timeline => timeline::render(&entries),
        Format::Json => {
            let mut text = String::new();
            for entry in &entries {
                text += &serde_json::to_string(entry).map_err(|error| Error::internal(error.to_string()))?;
                text.push('\n');
            }
            text
        }
    };
    super::print(&text)?;
    Ok(Exit::Success)
}

/// Prints a log by syzbot as it was understood: what was not stands in it as it was, with a warning.
fn rewrite(path: &Path) -> Result<Exit, Error> {
    let log = syzbot::read_file(path)?;
    log.warnings.iter().for_each(|warning| super::say(&format!("warning: {}: {warning}", path.display())));
    super::print(&log.to_string())?;
    Ok(Exit::Success)
}
