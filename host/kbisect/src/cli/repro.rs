//! `kbisect repro`: one commit's kernel booted again, for somebody who wants to look.

use std::path::PathBuf;

use kbisect_core::policy::Outcome;

use crate::error::Error;
use crate::exit::Exit;
use crate::record::counted;
use crate::record::duration;
use crate::record::mentions;
use crate::session;
use crate::session::Shot;

/// Boot a commit's kernel again with the reproducer, or with a shell, to look at it
///
/// The console is shown as it comes. Nothing of it is recorded or counts; for trials that do, see `kbisect trial`. Ends with 0 where the
/// crash showed, with 4 where it did not. Kernels that are not there are built first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory, as given to --out
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Any commit of the repository: hash, tag, branch or title
    #[arg(value_name = "COMMIT")]
    commit: String,

    /// How many times
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    trials: u32,

    /// Give a shell in the machine instead; the reproducer is /repro
    #[arg(long, conflicts_with = "trials")]
    shell: bool,
}

/// Boots it.
pub fn run(args: &Args) -> Result<Exit, Error> {
    if args.shell {
        session::shell(&args.directory, &args.commit)?;
        return Ok(Exit::Success);
    }
    let (mut hits, mut done) = (0_u32, 0_u32);
    session::repro(&args.directory, &args.commit, args.trials, |seen| {
        done += 1;
        hits += u32::from(matches!(&seen.outcome, Outcome::Crashed(sighting) if sighting.is_target()));
        super::print(&format!("\ntrial   {done} of {}: {}\n", args.trials, told(seen)))
    })?;
    let crash = if hits == 1 { "crashes" } else { "crash" };
    super::print(&format!("seen    {hits} of {} {crash} with the target\n", counted(u64::from(done), "trial")))?;
    Ok(if hits > 0 { Exit::Success } else { Exit::NotReproduced })
}

/// How a trial ended, in a line.
fn told(seen: &Shot) -> String {
    let after = duration::short(seen.seconds);
    match &seen.outcome {
        Outcome::Clean => format!("clean after {after}"),
        Outcome::Crashed(sighting) => {
            let what = if sighting.is_target() { "the target" } else { "another bug" };
            let chance = mentions::chance(sighting.same);
            format!("{} after {after}: {what} ({chance}: {})", sighting.report.title, seen.reason)
        }
        Outcome::Void(failure) => format!("no result: {}", failure.reason),
    }
}
