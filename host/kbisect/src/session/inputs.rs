//! What a job brings from outside its repository: the reproducer, the console, files for the machine, configurations, patches.
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
use super::made;
use crate::build::store::digest;
use crate::config::job::Baseline;
use crate::config::job::Change;
use crate::config::job::Job;
use crate::config::job::MachineKind;
use crate::config::job::Recipe;
use crate::config::job::Repro;
use crate::error::Error;
use crate::repro;
use crate::repro::Kind;
use kbisect_core::commit::CommitId;

/// Copies what a new job names, and lets the job name the copies.
pub(super) fn keep(job: &mut Job, directory: &RunDirectory, start: &CommitId) -> Result<(), Error> {
    let folder = directory.inputs();
    let checkout = made::make(job, directory, start)?;
    let original = job.repro.as_ref().map(|repro| repro.file.clone());
    let next = job.repro.as_ref().and_then(|repro| Some(repro.then.as_ref()?.file.clone()));
    for path in named(job) {
        let copy = copy(path, &folder).map_err(|error| directory::failed("copy", path, &error))?;
        *path = copy;
    }
    if let (Some(original), Some(then)) = (next, job.repro.as_mut().and_then(|repro| repro.then.as_mut())) {
        compiled(then, &original, &folder)?;
    }
    if let (Some(original), Some(repro)) = (original, &mut job.repro) {
        if compiled(repro, &original, &folder)? {
            run_instead(job, |path| path == original);
        } else if !job.machine.kind.has_own_files() && !repro.file.is_dir() {
            if let Some(link) = way_back(&repro.file).filter(|_| job.machine.kind == MachineKind::Process) {
                symlink(&original, &link).map_err(|error| directory::failed("write", &link, &error))?;
            }
            run_instead(job, |path| path == original);
        }
    }
    if let Some(checkout) = checkout {
        let entry = job.repro.as_ref().and_then(|repro| repro.entry.clone()).map(|entry| Path::new(".").join(entry));
        let is_run = |program: &String| Some(Path::new(program)) == entry.as_deref();
        if !job.machine.kind.has_own_files() && job.trial.command.first().is_some_and(is_run) {
            run_instead(job, |path| path == Path::new("."));
        }
        fs::remove_dir_all(&checkout).map_err(|error| directory::failed("remove", &checkout, &error))?;
    }
    Ok(())
}

/// Compiles a reproducer that is C source, which lies beside its headers at `original`, and lets the job name the program and
/// the copied source.
fn compiled(repro: &mut Repro, original: &Path, folder: &Path) -> Result<bool, Error> {
    let failed = |error: &io::Error| directory::failed("write", folder, error);
    if repro::kind(&repro.file).map_err(|error| failed(&error))? != Kind::C {
        return Ok(false);
    }
    // A folder of its own: all that the compiler may write to.
    let part = tempfile::Builder::new().prefix("compile-").tempdir_in(folder).map_err(|error| failed(&error))?;
    let program = part.path().join("repro");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
    runtime.block_on(repro::compile(original, repro.arch, &program))?;
    let copy = copy(&program, folder).map_err(|error| failed(&error))?;
    repro.source = Some(std::mem::replace(&mut repro.file, copy));
    Ok(true)
}

/// Sees that the copies of a run that goes on are what they were; the directory may have moved since.
pub(super) fn find(job: &mut Job, directory: &RunDirectory) -> Result<(), Error> {
    let folder = directory.inputs();
    for path in named(job).filter(|path| path.starts_with(&folder)) {
        let digest = digest(path).map_err(|error| directory::failed("read", path, &error))?;
        if !path.parent().is_some_and(|folder| folder.ends_with(digest)) {
            return Err(Error::user(format!("`{}` was changed since the run began", path.display())).hint("begin a new run"));
        }
    }
    let repro = job.repro.as_ref().filter(|_| !job.machine.kind.has_own_files());
    if let Some(repro) = repro.map(|repro| repro.file.clone()) {
        let within = repro.strip_prefix(directory.path()).unwrap_or(&repro);
        run_instead(job, |path| path.ends_with(within));
    }
    Ok(())
}

/// The original of a copied reproducer, where it still is what was copied.
pub(super) fn original(copy: &Path) -> Option<PathBuf> {
    let original = fs::read_link(way_back(copy)?).ok()?;
    let digest = digest(&original).ok()?;
    copy.parent()?.ends_with(digest).then_some(original)
}

/// The link beside a copy's folder that leads to the original.
fn way_back(copy: &Path) -> Option<PathBuf> {
    Some(copy.parent()?.with_extension("from"))
}

/// The paths of everything that is copied.
pub(super) fn named(job: &mut Job) -> impl Iterator<Item = &mut PathBuf> {
    let repro = job.repro.iter_mut().flat_map(|Repro { file, source, then, .. }| {
        let then = then.iter_mut().flat_map(|then| std::iter::once(&mut then.file).chain(&mut then.source));
        std::iter::once(file).chain(source).chain(then)
    });
    let files = job.trial.files.iter_mut().map(|(from, _)| from);
    let linux = job.build.as_mut().and_then(|build| match &mut build.recipe {
        Recipe::Linux(linux) => Some(linux),
        Recipe::Command(_) => None,
    });
    let configurations = linux.into_iter().flat_map(|linux| {
        let baseline = linux.minimize.iter_mut().filter_map(|minimize| match &mut minimize.baseline {
            Baseline::File(path) => Some(path),
            Baseline::Targets(_) => None,
        });
        linux.config.iter_mut().chain(&mut linux.fragments).chain(baseline)
    });
    let patches = job.patches.iter_mut().filter_map(|patch| match &mut patch.change {
        Change::File(path) => Some(path),
        Change::Commit(_) => None,
    });
    repro.chain(patches).chain(job.crash.iter_mut()).chain(files).chain(configurations)
}

/// Lets a trial whose program is the reproducer, or lies in it, run the copy.
fn run_instead(job: &mut Job, is_repro: impl Fn(&Path) -> bool) {
    let (Some(repro), Some(program)) = (&job.repro, job.trial.command.first_mut()) else { return };
    let within = Path::new(program.as_str()).ancestors().find(|path| is_repro(path));
    let rest = within.and_then(|found| Path::new(program.as_str()).strip_prefix(found).ok());
    let copy = rest.map(|rest| if rest.as_os_str().is_empty() { repro.file.clone() } else { repro.file.join(rest) });
    if let Some(copy) = copy {
        *program = copy.to_string_lossy().into_owned();
    }
}

/// Copies a file or a folder, with its permissions, into the folder of its digest.
fn copy(from: &Path, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let part = folder.join("part");
    copy_all(from, &part)?;
    let own = folder.join(digest(&part)?);
    fs::create_dir_all(&own)?;
    let to = own.join(from.file_name().unwrap_or_default());
    if to.is_dir() {
        fs::remove_dir_all(part)?;
    } else {
        fs::rename(part, &to)?;
    }
    Ok(to)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let (from, to) = (entry?.path(), to);
        let to = to.join(from.file_name().unwrap_or_default());
        match fs::read_link(&from) {
            Ok(target) => symlink(target, to)?,
            Err(_) => copy_all(&from, &to)?,
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())
}
