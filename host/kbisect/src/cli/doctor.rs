//! `kbisect doctor`: what is there and what is missing.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

use super::print;
use super::wait;
use crate::doctor;
use crate::doctor::Finding;
use crate::doctor::Level;
use crate::doctor::Need;
use crate::error::Error;
use crate::exit::Exit;

/// Say what this machine has and lacks for bisecting, and how to mend it
///
/// Everything is really tried: KVM and bwrap are there only if a guest and a child ran. Ends with status 8 when something is
/// missing without which some bisections are impossible, with 2 when the repository cannot be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look at this repository too
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let machine = wait(doctor::machine(&Need::ALL, Path::new(".")))?;
    let repository = args.repo.as_deref().map(doctor::repository).unwrap_or_default();
    print(&show(machine.iter().chain(&repository)))?;
    if machine.iter().chain(&repository).any(|finding| finding.level != Level::Fine) {
        print("\npoor: bisections work, but slower or with less. MISSING: some bisections are impossible.\n")?;
    }
    let lacks = |findings: &[Finding]| findings.iter().any(|finding| finding.level == Level::Missing);
    Ok(if lacks(&machine) {
        Exit::ToolsMissing
    } else if lacks(&repository) {
        Exit::User
    } else {
        Exit::Success
    })
}

/// A line for each finding, with what mends it below.
pub(super) fn show<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let mut text = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Fine => "ok",
            Level::Poor => "poor",
            Level::Missing => "MISSING",
        };
        let _ = writeln!(text, "{level:<8}{:<20}{}", finding.what, finding.found);
        for mend in &finding.mend {
            let _ = writeln!(text, "{:<28}to mend it: {mend}", "");
        }
    }
    text
}
