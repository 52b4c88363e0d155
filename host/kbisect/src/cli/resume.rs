//! `kbisect resume`: goes on with a run that was stopped or killed.

use std::path::PathBuf;

use super::run::Assumptions;
use super::run::Show;
use crate::error::Error;
use crate::exit::Exit;
use crate::session;

/// Go on with a run that was stopped, killed, or broke off
///
/// No trial that ended is done again. A run that already has its answer prints it. A deadline begins anew.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Where the repository is now, if it has moved
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,

    #[command(flatten)]
    assume: Assumptions,

    #[command(flatten)]
    show: Show,
}

/// Goes on with a run.
pub fn run(args: Args) -> Result<Exit, Error> {
    let finished = session::resume(&args.directory, args.repo, &args.assume.assume, args.show.display())?;
    args.show.files(&finished);
    Ok(finished.exit)
}
