//! The job's patches with their texts read and their commits found. Owns how they are looked up; what applies where is `git`'s.

use std::fs;

use kbisect_core::commit::CommitId;

use crate::config::job;
use crate::error::Error;
use crate::git::Change;
use crate::git::Patch;
use crate::git::Repository;

/// What the job's patches are.
///
/// # Errors
/// All files that are no patches, and all names that are no commits, at once.
pub fn settle(patches: &[job::Patch], repository: &Repository) -> Result<Vec<Patch>, Error> {
    let mut errors = Vec::new();
    let settled = patches.iter().filter_map(|patch| one(patch, repository).map_err(|error| errors.push(error)).ok()).collect();
    if errors.is_empty() { Ok(settled) } else { Err(Error::all(errors)) }
}

fn one(patch: &job::Patch, repository: &Repository) -> Result<Patch, Error> {
    let find = |name: &Option<String>| name.as_ref().map(|name| repository.resolve(name)).transpose();
    let (since, until) = (find(&patch.since)?, find(&patch.until)?);
    let what = match &patch.change {
        job::Change::File(file) => {
            let text = fs::read(file).map_err(|error| Error::user(format!("[patch] `file`: {}: {error}", file.display())))?;
            Patch::of_text(name(&patch.change), &text)?
        }
        job::Change::Commit(commit) => {
            let commit = repository.resolve(commit)?;
            let name = format!("{} (\"{}\")", commit.short(), repository.subject(&commit)?);
            Patch { name, change: Change::Commit(commit), since: None, until: None }
        }
    };
    Ok(Patch { since, until, ..what })
}

/// What people call a change.
pub fn name(change: &job::Change) -> String {
    match change {
        job::Change::File(file) => {
            file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
        }
        job::Change::Commit(commit) => commit.chars().take(12).collect(),
    }
}

/// Lets a job name the commits that were found: branches move.
pub fn pin(job: &mut job::Job, settled: &[Patch]) {
    let text = |commit: &Option<CommitId>| commit.as_ref().map(ToString::to_string);
    for (patch, found) in job.patches.iter_mut().zip(settled) {
        (patch.since, patch.until) = (text(&found.since), text(&found.until));
        if let Change::Commit(commit) = &found.change {
            patch.change = job::Change::Commit(commit.to_string());
        }
    }
}
