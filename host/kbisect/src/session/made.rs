//! Reproducers that a run builds before anything else, in a checkout of their own, which goes when they are copied.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::commit::CommitId;

use super::directory;
use super::directory::RunDirectory;
use crate::config::job::Job;
use crate::config::job::Made;
use crate::config::job::Recipe;
use crate::error::Error;
use crate::git::Checkout;
use crate::git::Repository;
use crate::repro::made;
use crate::repro::made::Built;

/// Builds the reproducer, if the job says how, and lets the job name it; gives the folder to remove once it was copied.
pub(super) fn make(job: &mut Job, directory: &RunDirectory, start: &CommitId) -> Result<Option<PathBuf>, Error> {
    let Some(repro) = job.repro.as_mut().filter(|repro| repro.file.as_os_str().is_empty()) else { return Ok(None) };
    let Some(made) = &mut repro.made else { return Ok(None) };
    let dir = directory.work().join("repro");
    let jobs = job.limits.cpus;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::infrastructure(format!("cannot wait for builds: {error}")))?;
    let (src, built) = match made {
        Made::Selftest(test) => {
            let src = check_out(&job.repo, &dir, start)?;
            let built = runtime.block_on(made::selftest(&src, test, jobs))?;
            (src, built)
        }
        Made::Harness(harness) => {
            let commit = Repository::open(&harness.repository)?.resolve(&harness.commit)?;
            // A branch may move; the run is about this commit.
            harness.commit = commit.to_string();
            let src = check_out(&harness.repository, &dir, &commit)?;
            let built = runtime.block_on(made::harness(&src, harness, &commit, jobs))?;
            (src, built)
        }
    };
    let Built { folder, parts, config } = built;
    let failed = |path: &Path, error: &std::io::Error| directory::failed("move", path, error);
    let mut fragment = None;
    if parts.is_empty() {
        if folder == src {
            // All of the checkout is taken: its history is not part of it.
            let _ = fs::remove_dir_all(folder.join(".git"));
        }
        repro.file = folder;
    } else {
        let whole = dir.join("taken");
        for part in parts {
            let to = whole.join(&part);
            let parent = to.parent().unwrap_or(&whole);
            fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
            fs::rename(folder.join(&part), &to).map_err(|error| failed(&to, &error))?;
        }
        fragment = config.and_then(|config| Some(whole.join(config.strip_prefix(&folder).ok()?)));
        repro.file = whole;
    }
    let entry = repro.entry.clone().unwrap_or_default();
    if !repro.file.join(&entry).is_file() {
        return Err(Error::user(format!("repro: what was built has no file {entry}")));
    }
    made::inside(&repro.file, Path::new(&entry))?;
    // What the tests need is asked of the kernel, too.
    if let (Some(fragment), Some(Recipe::Linux(linux))) = (fragment, job.build.as_mut().map(|build| &mut build.recipe)) {
        linux.fragments.push(fragment);
    }
    Ok(Some(dir))
}

fn check_out(repo: &Path, dir: &Path, commit: &CommitId) -> Result<PathBuf, Error> {
    let mut checkout = Checkout::create(repo, dir)?;
    checkout.switch(commit)?;
    Ok(checkout.path().to_owned())
}
