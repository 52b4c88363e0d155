//! What lies beside a report for whoever gets it: git's log, the culprit's configuration and kernel with symbols, its parent's, and a script.
//!
//! Owns which files there are. Kernels are linked, not copied: a debug kernel's symbols are hundreds of megabytes.

use std::fs;
use std::io;
use std::path::Path;

use kbisect_core::commit::CommitId;

use super::directory;
use super::directory::RunDirectory;
use super::git_log;
use crate::build::linux::VARIABLES;
use crate::config::job::Job;
use crate::error::Error;
use crate::gitlog;
use crate::record::event::BuildResult;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::report::Named;
use crate::record::report::SCRIPT;
use crate::record::reproduce;

/// git's log of the bisection.
const GIT_LOG: &str = "git-bisect.log";
/// The configuration that the named commit was built with.
const CONFIG: &str = "config-culprit";
/// The named commit's kernel with its symbols, and that of its first parent.
const SYMBOLS: [&str; 2] = ["vmlinux-culprit", "vmlinux-parent"];

/// Every name, in the order in which a report tells them.
const ALL: [&str; 5] = [SCRIPT, GIT_LOG, CONFIG, SYMBOLS[0], SYMBOLS[1]];

/// Writes what there can be; what was there before is gone.
pub(super) fn write(directory: &RunDirectory, job: &Job, entries: &[Entry], named: Option<&Named>) -> Result<(), Error> {
    forget(directory);
    directory.write(GIT_LOG, &gitlog::render(&git_log::git_session(directory.path())?))?;
    let Some(named) = named else { return Ok(()) };
    let kernel = |commit: &CommitId| Some(directory.kernels().join(kernel(entries, commit)?));
    let own = kernel(&named.text.commit);
    if let Some(own) = &own {
        let config = own.join("config");
        if let Ok(config) = fs::read_to_string(config) {
            directory.write(CONFIG, &config)?;
        }
    }
    let parent = named.text.parents.first().and_then(kernel);
    for (name, kernel) in SYMBOLS.into_iter().zip([&own, &parent]) {
        let vmlinux = kernel.as_ref().map(|kernel| kernel.join("vmlinux")).filter(|vmlinux| vmlinux.is_file());
        if let Some(vmlinux) = vmlinux {
            let to = directory.path().join(name);
            link(&vmlinux, &to).map_err(|error| directory::failed("write", &to, &error))?;
        }
    }
    let variables = own.and_then(|own| fs::read_to_string(own.join(VARIABLES)).ok()).unwrap_or_default();
    let variables: Vec<String> = variables.lines().map(str::to_owned).collect();
    if let Some(script) = reproduce::script(job, directory.path(), &named.text, &variables) {
        directory.write(SCRIPT, &script)?;
    }
    Ok(())
}

/// Which of them a directory has.
pub(super) fn present(directory: &Path) -> Vec<String> {
    ALL.into_iter().filter(|name| directory.join(name).is_file()).map(str::to_owned).collect()
}

/// Removes them: the answer that they belong to no longer stands.
pub(super) fn forget(directory: &RunDirectory) {
    for name in ALL {
        // Best effort, as with the report.
        let _ = fs::remove_file(directory.path().join(name));
    }
}

/// The name of a commit's kernel in the store: of the build that was made last.
fn kernel<'a>(entries: &'a [Entry], of: &CommitId) -> Option<&'a str> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::BuildEnded { commit, result: BuildResult::Built { kernel: Some(kernel), .. }, .. } if commit == of => {
            Some(kernel.as_str())
        }
        _ => None,
    })
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| std::os::unix::fs::symlink(from, to))
}
