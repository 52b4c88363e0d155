//! Reproducers that are built once, when the run begins: a selftest of the tree under test, or what another repository's build makes.
//!
//! Owns how they are built and what of the result is the reproducer. Checkouts are the session's.

use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::commit::CommitId;

use crate::build::last_lines;
use crate::build::linux::environment;
use crate::build::linux::toolchain;
use crate::build::placeholders::Placeholders;
use crate::config::job::Harness;
use crate::config::job::Selftest;
use crate::error::Error;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;

#[cfg(test)]
mod tests;

/// No build of a reproducer takes longer.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// What is kept of its output.
const OUTPUT: usize = 64 << 10;
/// Lines of it that are shown.
const LINES: usize = 8;

/// The tree's folder of selftests.
pub const SELFTESTS: &str = "tools/testing/selftests";
/// What tests written as scripts read from there.
const SHARED: &str = "kselftest";

/// A reproducer that was built: a folder, and what is run of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The folder.
    pub folder: PathBuf,
    /// Parts of it that are left out; empty: all of it is the reproducer. Names in the folder.
    pub parts: Vec<String>,
    /// Symbols that it needs, as a part of a configuration.
    pub config: Option<PathBuf>,
}

/// Builds a selftest in the checkout `src`, statically. Others of its collection may fail to build.
///
/// # Errors
/// It does not build, with what was said; or there is none of this name, with those that there are.
pub async fn selftest(src: &Path, test: &Selftest, jobs: u32) -> Result<Built, Error> {
    let folder = src.join(SELFTESTS);
    let collection = folder.join(&test.collection);
    let named = format!("{}:{}", test.collection, test.test);
    if !collection.join("Makefile").is_file() {
        return Err(Error::user(format!("repro: the start commit has no selftests `{}`", test.collection))
            .hint(format!("collections are the folders of {SELFTESTS}")));
    }
    // Headers come from the tree where its make can install them; older trees' tests take the host's.
    let jobs = format!("-j{jobs}");
    make(src, &["make", "-s", "-k", &jobs, "headers"]).await?;
    let target = format!("TARGETS={}", test.collection);
    let said = make(src, &["make", "-s", "-k", &jobs, "-C", SELFTESTS, &target, "CC=gcc -static"]).await?;
    if !collection.join(&test.test).is_file() {
        let about: Vec<&str> = said.lines().filter(|line| line.contains(&test.test)).collect();
        let about = if about.is_empty() { said } else { about.join("\n") };
        return Err(Error::user(format!("repro: the selftest {named} does not build:\n{}", last_lines(about.as_bytes(), LINES)))
            .hint(format!("tests are the programs of {SELFTESTS}/{} at the start commit", test.collection)));
    }
    let shared = folder.join(SHARED).is_dir().then(|| SHARED.to_owned());
    let config = Some(collection.join("config")).filter(|config| config.is_file());
    let parts: Vec<String> = [test.collection.clone()].into_iter().chain(shared).collect();
    for part in parts.iter().map(|part| folder.join(part)).chain(config.clone()) {
        if inside(src, &part)? != part {
            return Err(Error::user(format!("repro: `{}` is a link", part.display())));
        }
    }
    Ok(Built { folder, parts, config })
}

/// Builds what a harness's repository has, checked out at `src`.
///
/// # Errors
/// Its build fails, with what it said, or leaves nothing where the reproducer should be.
pub async fn harness(src: &Path, harness: &Harness, commit: &CommitId, jobs: u32) -> Result<Built, Error> {
    let words = Placeholders { src, out: src, jobs, commit }.fill(&harness.build);
    let task = Task::new(words, src, Jail::build(vec![src.to_owned()])).env("LC_ALL", "C").env("TMPDIR", src);
    let (finish, said) = run(&task).await?;
    let told = || format!("{}:\n{}", harness.build.join(" "), last_lines(&said, LINES));
    match finish {
        Finish::Exit(Exit::Code(0)) => {}
        Finish::Exit(exit) => return Err(Error::user(format!("repro: the harness's build ended with {exit}: {}", told()))),
        Finish::TimeLimit => return Err(Error::user(format!("repro: the harness is not built within an hour: {}", told()))),
    }
    if !src.join(&harness.take).is_dir() {
        return Err(Error::user(format!("repro: the harness's build made no folder `{}`", harness.take)));
    }
    let folder = inside(src, Path::new(&harness.take))?;
    Ok(Built { folder, parts: Vec::new(), config: None })
}

/// The real place of something in a checkout. What was built there is a stranger's: a link may lead anywhere.
///
/// # Errors
/// It leads out of the checkout.
pub fn inside(src: &Path, path: &Path) -> Result<PathBuf, Error> {
    let real = |path: &Path| path.canonicalize().map_err(|error| Error::user(format!("repro: `{}`: {error}", path.display())));
    let found = real(&src.join(path))?;
    if found.starts_with(real(src)?) {
        Ok(found)
    } else {
        Err(Error::user(format!("repro: `{}` is a link that leads out of its checkout", path.display())))
    }
}

/// Runs make and gives what it says, whatever its end is: others' tests may fail.
async fn make(src: &Path, words: &[&str]) -> Result<String, Error> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    // What it compiles lies in the checkout, and nothing of ours plays a part: the makefiles are a stranger's.
    let jail = Jail::build(vec![src.to_owned()]).without_homes(toolchain::folders("gcc"));
    let task = Task::new(words, src, jail).only_env(environment::of_build(src, None));
    let (finish, said) = run(&task).await?;
    match finish {
        Finish::TimeLimit => Err(Error::user("repro: the selftests are not built within an hour")),
        Finish::Exit(_) => Ok(String::from_utf8_lossy(&said).into_owned()),
    }
}

async fn run(task: &Task) -> Result<(Finish, Vec<u8>), Error> {
    process::run(task, LIMIT, OUTPUT).await.map_err(|error| Error::infrastructure(error.to_string()))
}
