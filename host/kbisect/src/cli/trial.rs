//! `kbisect trial`: more trials at a commit of one's choice.

use std::path::PathBuf;

use super::run::Show;
use super::status;
use crate::error::Error;
use crate::exit::Exit;
use crate::session;

/// Make more trials at a commit by hand
///
/// They are evidence like any other: what they say of the commit, and of the crash's rate, counts in the search. Where they leave
/// nothing to search, the run has its answer (again); else `kbisect resume` goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Any commit that the start commit or a good end contains: hash, tag, branch or title
    #[arg(value_name = "COMMIT")]
    commit: String,

    /// How many trials
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    trials: u32,

    #[command(flatten)]
    show: Show,
}

/// Makes the trials and says where the run stands then.
pub fn run(args: &Args) -> Result<Exit, Error> {
    let finished = session::by_hand(&args.directory, &args.commit, args.trials, args.show.display())?;
    if finished.report.is_none() && finished.exit == Exit::Success {
        let recorded = session::look(&args.directory)?;
        args.show.tell(&(status::table(&recorded) + &status::standing(&recorded, &args.directory.display().to_string())))?;
    }
    args.show.files(&finished);
    Ok(finished.exit)
}
