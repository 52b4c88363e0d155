//! What a job brings from outside its repository: the reproducer, the console, files for the machine, configurations.
//!
//! Owns their copies in the run directory, `inputs/SHA256/NAME`. A run works on the copies from its first trial on, so that it is
//! the same run when it is resumed after the originals have changed or gone. On a process machine the reproducer is run where it
//! lies while it is what it was, since it may look for its neighbours; `inputs/SHA256.from` leads there.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;

use super::directory;
use super::directory::RunDirectory;
use crate::build::signature::hex;
use crate::build::store::digest_of_file;
use crate::config::job::Job;
use crate::config::job::MachineKind;
use crate::config::job::Recipe;
use crate::error::Error;

/// Copies what a new job names, and lets the job name the copies.
pub(super) fn keep(job: &mut Job, directory: &RunDirectory) -> Result<(), Error> {
    let folder = directory.inputs();
    let original = job.repro.clone();
    for path in named(job) {
        let copy = copy(path, &folder).map_err(|error| directory::failed("copy", path, &error))?;
        *path = copy;
    }
    if let (Some(original), Some(copy), MachineKind::Process) = (original, &job.repro, job.machine.kind) {
        if let Some(link) = way_back(copy) {
            symlink(&original, &link).map_err(|error| directory::failed("write", &link, &error))?;
        }
        run_instead(job, |word| Path::new(word) == original);
    }
    Ok(())
}

/// Sees that the copies of a run that goes on are what they were; the directory may have moved since.
pub(super) fn find(job: &mut Job, directory: &RunDirectory) -> Result<(), Error> {
    let folder = directory.inputs();
    for path in named(job).filter(|path| path.starts_with(&folder)) {
        let digest = digest_of_file(path).map_err(|error| directory::failed("read", path, &error))?;
        if !path.parent().is_some_and(|folder| folder.ends_with(hex(&digest))) {
            return Err(Error::user(format!("`{}` was changed since the run began", path.display())).hint("begin a new run"));
        }
    }
    if let (Some(repro), MachineKind::Process) = (job.repro.clone(), job.machine.kind) {
        let within = repro.strip_prefix(directory.path()).unwrap_or(&repro);
        run_instead(job, |word| Path::new(word).ends_with(within));
    }
    Ok(())
}

/// The original of a copied reproducer, where it still is what was copied.
pub(super) fn original(copy: &Path) -> Option<PathBuf> {
    let original = fs::read_link(way_back(copy)?).ok()?;
    let digest = digest_of_file(&original).ok()?;
    copy.parent()?.ends_with(hex(&digest)).then_some(original)
}

/// The link beside a copy's folder that leads to the original.
fn way_back(copy: &Path) -> Option<PathBuf> {
    Some(copy.parent()?.with_extension("from"))
}

/// The paths of everything that is copied.
pub(super) fn named(job: &mut Job) -> impl Iterator<Item = &mut PathBuf> {
    let files = job.trial.files.iter_mut().map(|(from, _)| from);
    let linux = job.build.as_mut().and_then(|build| match &mut build.recipe {
        Recipe::Linux(linux) => Some(linux),
        Recipe::Command(_) => None,
    });
    let configurations = linux.into_iter().flat_map(|linux| linux.config.iter_mut().chain(&mut linux.fragments));
    job.repro.iter_mut().chain(job.crash.iter_mut()).chain(files).chain(configurations)
}

/// Lets a trial whose program is the reproducer run the copy.
fn run_instead(job: &mut Job, is_repro: impl Fn(&str) -> bool) {
    if let (Some(copy), Some(program)) = (&job.repro, job.trial.command.first_mut())
        && is_repro(program)
    {
        *program = copy.to_string_lossy().into_owned();
    }
}

/// Copies a file, with its permissions, into the folder of its digest.
fn copy(from: &Path, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let part = folder.join("part");
    fs::copy(from, &part)?;
    let own = folder.join(hex(&digest_of_file(&part)?));
    fs::create_dir_all(&own)?;
    let to = own.join(from.file_name().unwrap_or_default());
    fs::rename(part, &to)?;
    Ok(to)
}
