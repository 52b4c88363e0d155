//! Builds of Linux. Owns the way from a commit's sources to a kernel: configuration, compiler, object tree, make, and what its failure
//! means. The files beside this one own a part each.
//!
//! Sources are checked out in place and objects stay from build to build, so that only what changed is made anew; the sources cannot be
//! written by the build. The configuration is that of the start commit at every commit (`baseline`), with the job's fragments and single
//! lines merged in, and goes through `olddefconfig`.

pub mod edits;
pub mod environment;
pub mod failure;
pub mod kconfig;
pub mod make;
pub mod minimize;
pub mod needs;
pub mod objects;
pub mod options;
pub mod prepare;
pub mod toolchain;
pub mod tree;
pub mod version;

use std::fs;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use kbisect_core::commit::CommitId;
use tempfile::TempDir;

use self::environment::Cache;
use self::failure::Kind;
use self::kconfig::Config;
use self::kconfig::Value;
use self::make::Arch;
use self::make::Make;
use self::needs::Need;
use self::objects::Commands;
use self::objects::Sources;
use self::toolchain::Choice;
use self::toolchain::Compiler;
use self::toolchain::Lack;
use self::tree::Tree;
use self::version::Version;
use super::Finished;
use super::Settings;
use super::folders;
use super::kept;
use super::store;
use crate::config::job::Linux;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail;
use crate::process::jail::Jail;
use crate::record::event::BuildResult;

/// Where a configuration is made before it takes the place of the last.
const NEW_CONFIG: &str = ".kbisect-config";

/// What builds see sources and objects as, in every builder of every run: paths get into kernels and into what caches go by.
const PLACES: [&str; 2] = ["/tmp/kbisect/src", "/tmp/kbisect/tree"];

/// Beside a kernel: the variables that make was given, one a line, without what is this machine's own.
pub const VARIABLES: &str = "make-variables";

/// No file of a build that is read whole is longer.
const LONGEST: u64 = 64 << 20;

/// How commits of Linux are built.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The job's part.
    pub job: Linux,
    /// Symbols that the machine needs.
    pub needs: Vec<Need>,
    /// The object tree.
    pub tree: PathBuf,
    /// The configuration that every commit starts from.
    pub baseline: PathBuf,
    /// The job's fragments and single lines are in it already, as far as they are wanted.
    pub merged: bool,
    /// What is known of the object tree's sources.
    pub known: Arc<Mutex<Known>>,
}

/// What is known of an object tree.
#[derive(Debug, Default)]
pub struct Known {
    commands: Commands,
    sources: Option<Arc<Sources>>,
}

impl Recipe {
    /// The commit that the object tree was last built for.
    pub fn built_last(&self) -> Option<CommitId> {
        Tree::at(&self.tree).commit()
    }

    /// About how many objects are made anew when these files change.
    pub fn cost(&self, changed: &[String]) -> u64 {
        let sources = self.known.lock().unwrap_or_else(PoisonError::into_inner).sources.clone();
        sources.unwrap_or_default().cost(changed)
    }

    /// Removes all objects.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn wipe(&self) -> io::Result<()> {
        Tree::at(&self.tree).wipe()
    }

    /// The same with an empty object tree beside this one.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn afresh(&self) -> io::Result<Self> {
        let fresh = Self { tree: self.tree.with_extension("fresh"), known: Arc::default(), ..self.clone() };
        fresh.wipe()?;
        Ok(fresh)
    }

    /// Gives up a tree made by [`Recipe::afresh`]; `take` where it takes the place of this one, whose objects are no good.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn give_up(&self, fresh: &Self, take: bool) -> io::Result<()> {
        let fresh = Tree::at(&fresh.tree);
        if !take {
            return fresh.remove();
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known::default();
        fresh.replace(&Tree::at(&self.tree))
    }

    fn choice(&self) -> Choice<'_> {
        Choice::of(&self.job)
    }

    fn arch(&self) -> Arch {
        Arch::find(&self.job.arch).expect("the reader knows the same architectures")
    }
}

/// Whether a change of these files may change what becomes of a configuration. `Kconfig` files ask the compiler through scripts, and
/// the makefiles say how it is called.
fn touches_configuration(changed: &[String]) -> bool {
    changed.iter().any(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.starts_with("Kconfig")
            || path.starts_with("scripts/")
            || path == "Makefile"
            || path.starts_with("arch/") && name == "Makefile"
    })
}

/// How a build ended that goes no further.
#[derive(Debug)]
pub(super) struct Stop(Box<Finished>);

impl Stop {
    fn new(result: BuildResult) -> Self {
        Self(Box::new(Finished { result, output: Vec::new(), odd: false }))
    }

    fn infra(what: &str, error: impl std::fmt::Display) -> Self {
        Self::new(BuildResult::Infra(format!("{what}: {error}")))
    }

    fn failed(why: impl Into<String>) -> Self {
        Self::new(BuildResult::Failed(why.into()))
    }
}

/// Builds `commit`, which is checked out at `src`. `changed` tells what differs between the commit that the tree was last configured for
/// and this one; none where that cannot be told.
pub(super) async fn run(
    settings: &Settings,
    recipe: &Recipe,
    src: &Path,
    commit: &CommitId,
    changed: impl Fn(&CommitId) -> Option<Vec<String>>,
) -> Finished {
    match build(settings, recipe, src, commit, changed).await {
        Ok(result) => Finished { result, output: Vec::new(), odd: false },
        Err(Stop(finished)) => *finished,
    }
}

async fn build(
    settings: &Settings,
    recipe: &Recipe,
    src: &Path,
    commit: &CommitId,
    changed: impl Fn(&CommitId) -> Option<Vec<String>>,
) -> Result<BuildResult, Stop> {
    let baseline = fs::read_to_string(&recipe.baseline)
        .map_err(|error| Stop::infra(&format!("cannot read `{}`", recipe.baseline.display()), error))?;
    let baseline = Config::parse(&baseline)
        .map_err(|line| Stop::new(BuildResult::Infra(format!("`{}` was damaged in line {line}", recipe.baseline.display()))))?;
    let bench = Bench::new(settings, recipe, src).await?;
    let wishes = bench.wishes(&baseline)?;
    bench.begin()?;
    let config = bench.configure(&wishes.whole, commit, changed).await?;
    // From here on only what make touches is in doubt.
    bench.end()?;
    bench.begin()?;
    let lost = wishes.lost(&config);
    let arch = recipe.arch();
    let mut targets = vec![arch.target];
    targets.extend(recipe.job.targets.iter().map(String::as_str));
    let modules = recipe.job.modules && config.is_on("MODULES");
    if modules {
        targets.push("modules");
    }
    bench.make_patiently(&targets).await?;
    if modules {
        let mut into = std::ffi::OsString::from("INSTALL_MOD_PATH=");
        into.push(bench.out.path().join("modules"));
        bench.make_with(&["modules_install"], &[into, "INSTALL_MOD_STRIP=1".into()], settings.jobs).await?;
    }
    bench.end()?;
    bench.keep(&arch, commit, lost).await
}

/// What the job wants of a configuration at one commit.
struct Wishes {
    /// All of it, as text for `olddefconfig`.
    whole: Config,
    /// What the job asks for by itself, and detectors: it is told where these get lost.
    watched: Config,
}

impl Wishes {
    /// Symbols that were wanted on and are not.
    fn lost(&self, config: &Config) -> Vec<String> {
        let lacks = config.lacks(&self.watched).into_iter();
        let mut lost: Vec<String> = lacks.filter(|wish| wish.value != Value::Unset).map(|wish| wish.symbol).collect();
        lost.sort_unstable();
        lost
    }
}

/// Everything that one build works with.
struct Bench<'a> {
    settings: &'a Settings,
    recipe: &'a Recipe,
    src: &'a Path,
    tree: Tree,
    /// Sources and objects as the build sees them.
    inside: [PathBuf; 2],
    warm: bool,
    out: TempDir,
    tmp: TempDir,
    version: Version,
    compiler: Compiler,
    cache: Option<Cache>,
    began: Instant,
}

impl<'a> Bench<'a> {
    async fn new(settings: &'a Settings, recipe: &'a Recipe, src: &'a Path) -> Result<Self, Stop> {
        let makefile = own_file(src, "Makefile").and_then(|path| read(&path).ok()).unwrap_or_default();
        let version = Version::of_makefile(&makefile).filter(|_| own_file(src, "Kconfig").is_some());
        let Some(version) = version else {
            let why = "this is no Linux: it has no Kconfig, or no Makefile with VERSION, PATCHLEVEL and SUBLEVEL";
            return Err(Stop::failed(why));
        };
        let compiler =
            recipe.choice().compiler(version).await.map_err(|lack: Lack| Stop::new(BuildResult::Infra(lack.to_string())))?;
        let folder = |error| Stop::infra(&format!("cannot make a folder in `{}`", settings.work.display()), error);
        let (out, tmp) = folders(&settings.work).map_err(folder)?;
        let tree =
            Tree::open(&recipe.tree).map_err(|error| Stop::infra("cannot clean up after a build that was cut short", error))?;
        let (warm, cache) = (tree.is_warm(), settings.cache.clone().map(|dir| Cache { dir }));
        let inside = match jail::bwrap() {
            Some(_) => PLACES.map(PathBuf::from),
            None => [src.to_owned(), tree.dir().to_owned()],
        };
        Ok(Self { settings, recipe, src, tree, inside, warm, out, tmp, version, compiler, cache, began: Instant::now() })
    }

    fn begin(&self) -> Result<(), Stop> {
        self.tree.begin().map_err(|error| Stop::infra("cannot write into the object tree", error))
    }

    fn end(&self) -> Result<(), Stop> {
        self.tree.end().map_err(|error| Stop::infra("cannot write into the object tree", error))
    }

    /// What is wanted at this commit, on top of the baseline: first what the release needs, then what the job says.
    fn wishes(&self, baseline: &Config) -> Result<Wishes, Stop> {
        let job = &self.recipe.job;
        let mut whole = baseline.clone();
        if job.edits {
            edits::of(self.version).into_iter().filter(|entry| matters(baseline, entry)).for_each(|entry| whole.set(entry));
        }
        let mut asked = Config::default();
        for path in &job.fragments {
            let text = read(path).map_err(|error| Stop::infra(&format!("cannot read `{}`", path.display()), error))?;
            let fragment = Config::parse(&text)
                .map_err(|line| Stop::new(BuildResult::Infra(format!("`{}` was damaged in line {line}", path.display()))))?;
            asked.merge(&fragment);
        }
        job.set.iter().filter_map(|line| kconfig::Entry::parse(line)).for_each(|entry| asked.set(entry));
        if self.recipe.merged {
            // What was taken out is not missed.
            asked = asked.agreeing_with(baseline);
        } else {
            whole.merge(&asked);
        }
        let mut watched = asked;
        let on = |symbol: &str| kconfig::Entry { symbol: symbol.to_owned(), value: Value::Set("y".to_owned()) };
        let others = job.require.iter().map(String::as_str).chain(self.recipe.needs.iter().map(|(symbol, _)| *symbol));
        let detectors: Vec<&str> = needs::detectors(&whole).collect();
        for symbol in others.chain(detectors) {
            if watched.get(symbol).is_none() {
                watched.set(on(symbol));
            }
        }
        Ok(Wishes { whole, watched })
    }

    /// Brings the tree's `.config` to what is wanted, and reads what became of it.
    async fn configure(
        &self,
        wishes: &Config,
        commit: &CommitId,
        changed: impl Fn(&CommitId) -> Option<Vec<String>>,
    ) -> Result<Config, Stop> {
        let (wished, identity) = (wishes.to_string(), &self.compiler.identity);
        let same = self.tree.configured_for(&wished, identity).and_then(|before| changed(&before));
        if same.is_none_or(|changed| touches_configuration(&changed)) {
            self.old_defconfig(&wished).await?;
        }
        self.tree.note(commit, &wished, identity).map_err(|error| Stop::infra("cannot write into the object tree", error))?;
        self.config(".config")
    }

    async fn old_defconfig(&self, wished: &str) -> Result<(), Stop> {
        self.settle(wished).await?;
        self.tree.configure(NEW_CONFIG).map_err(|error| Stop::infra("cannot write into the object tree", error))
    }

    /// Lets the tree make a whole configuration of what is wished, beside the one that it is built with.
    async fn settle(&self, wished: &str) -> Result<(), Stop> {
        self.tree.write(NEW_CONFIG, wished).map_err(|error| Stop::infra("cannot write into the object tree", error))?;
        self.make_with(&["olddefconfig"], &[format!("KCONFIG_CONFIG={NEW_CONFIG}").into()], self.settings.jobs).await
    }

    fn config(&self, name: &str) -> Result<Config, Stop> {
        let path = self.tree.own_file(name).ok_or_else(|| Stop::failed("the tree made no configuration"))?;
        let text = read(&path).map_err(|error| Stop::infra("cannot read from the object tree", error))?;
        Config::parse(&text).map_err(|line| Stop::failed(format!("the tree's configuration is malformed in line {line}")))
    }

    /// Makes targets; once more where the compiler crashed, and with half the jobs where memory may have run out.
    async fn make_patiently(&self, targets: &[&str]) -> Result<(), Stop> {
        let jobs = self.settings.jobs;
        let first = match self.try_make(targets, &[], jobs).await? {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        let jobs = match first.kind {
            Kind::CompilerCrash => jobs,
            Kind::Killed if jobs > 1 => {
                let cleaned = self.tree.clean_up();
                cleaned.map_err(|error| Stop::infra("cannot clean up after a build that was killed", error))?;
                self.begin()?;
                jobs / 2
            }
            _ => return Err(self.stop(first)),
        };
        self.try_make(targets, &[], jobs).await?.map_err(|failed| self.stop(failed))
    }

    async fn make_with(&self, targets: &[&str], more: &[std::ffi::OsString], jobs: u32) -> Result<(), Stop> {
        self.try_make(targets, more, jobs).await?.map_err(|failed| self.stop(failed))
    }

    /// Runs make. The outer error is no failure of make's.
    async fn try_make(&self, targets: &[&str], more: &[std::ffi::OsString], jobs: u32) -> Result<Result<(), Failed>, Stop> {
        let [src, tree] = &self.inside;
        let make = Make { job: &self.recipe.job, compiler: &self.compiler, cached: self.cache.is_some(), jobs, src, tree };
        if make.cached {
            let written = self.tree.write(make::CACHED, make::CACHED_SCRIPT);
            written.map_err(|error| Stop::infra("cannot write into the object tree", error))?;
        }
        let mut words = make.words(targets);
        words.extend(more.iter().cloned());
        let task =
            Task::new(words, self.tmp.path(), self.jail()).only_env(environment::of_build(self.tmp.path(), self.cache.as_ref()));
        let left = self.settings.time_limit.saturating_sub(self.began.elapsed());
        let (finish, output) = self.settings.execute(&task, left, &[self.src, self.tree.dir()]).await.map_err(Stop::new)?;
        let exit = match finish {
            Finish::Exit(Exit::Code(0)) => return Ok(Ok(())),
            Finish::TimeLimit => {
                let limit = self.settings.time_limit.as_secs_f64();
                let result = BuildResult::Failed(format!("the build ran longer than {limit} s"));
                return Err(Stop(Box::new(Finished { result, output, odd: false })));
            }
            Finish::Exit(exit) => exit,
        };
        let text = String::from_utf8_lossy(&output);
        let mut cause = failure::cause(&text, &src.to_string_lossy(), &tree.to_string_lossy());
        if super::is_full(self.out.path()) {
            cause.kind = Kind::DiskFull;
        } else if matches!(exit, Exit::Signal(9) | Exit::Code(137)) {
            cause.kind = Kind::Killed;
        }
        let at = cause.file.map_or_else(String::new, |file| format!(" at {file}"));
        let lines: String = cause.lines.iter().flat_map(|line| ["\n", line]).collect();
        let told = format!("make {} ended with {exit}{at}{lines}", targets.join(" "));
        Ok(Err(Failed { told, output, kind: cause.kind }))
    }

    /// What a failure of make means.
    fn stop(&self, failed: Failed) -> Stop {
        let Failed { told, output, kind } = failed;
        if !matches!(kind, Kind::Killed | Kind::DiskFull) {
            // It ended by itself: what it left is whole, or gone. A mark that stays costs time alone.
            let _ = self.tree.end();
        }
        let result = match kind {
            Kind::DiskFull => BuildResult::Infra(format!("the disk is full: {told}")),
            Kind::Killed => {
                BuildResult::Infra(format!("something killed the build, as the kernel does when memory runs out: {told}"))
            }
            Kind::ToolMissing => BuildResult::Infra(format!("a program that builds need is missing: {told}")),
            Kind::Source | Kind::Odd | Kind::CompilerCrash => BuildResult::Failed(told),
        };
        Stop(Box::new(Finished { result, output, odd: self.warm && kind == Kind::Odd }))
    }

    /// What a build may touch: its objects, output and temporary files. The homes of people are out of sight.
    fn jail(&self) -> Jail {
        let mut writable = vec![self.out.path().to_owned(), self.tmp.path().to_owned()];
        writable.extend(self.cache.iter().map(|cache| cache.dir.clone()));
        let mut jail = Jail::build(writable).without_homes(toolchain::folders(&self.compiler.program));
        let [src, tree] = &self.inside;
        jail.mounts = vec![(self.src.to_owned(), src.clone(), false), (self.tree.dir().to_owned(), tree.clone(), true)];
        jail
    }

    /// Puts what is kept of the build into the store.
    async fn keep(self, arch: &Arch, commit: &CommitId, lost: Vec<String>) -> Result<BuildResult, Stop> {
        let [src, tree] = &self.inside;
        let plain = Make { job: &self.recipe.job, compiler: &self.compiler, cached: false, jobs: 1, src, tree };
        let variables: String = plain.variables().iter().map(|variable| format!("{variable}\n")).collect();
        let Self { settings, recipe, inside, tree, out, compiler, .. } = self;
        let (image, known) = (arch.image, Arc::clone(&recipe.known));
        let (work, [src, tree_inside]) = (settings.work.clone(), inside);
        let gathered = tokio::task::spawn_blocking(move || -> Result<TempDir, Stop> {
            let cannot = |error: io::Error| Stop::infra("cannot keep what was built", error);
            // The build could write into its own output folder, and may have left links there.
            let kept = tempfile::Builder::new().prefix("kept-").tempdir_in(work).map_err(cannot)?;
            for (from, to) in [(image, "kernel"), ("vmlinux", "vmlinux"), (".config", "config")] {
                let from = tree.own_file(from).ok_or_else(|| Stop::failed(format!("the build ended well but made no {from}")))?;
                if let Some(why) = store::too_large(&from, to).map_err(cannot)? {
                    return Err(Stop::failed(format!("the build ended well, but {why}")));
                }
                fs::copy(from, kept.path().join(to)).map_err(cannot)?;
            }
            fs::write(kept.path().join(VARIABLES), variables).map_err(cannot)?;
            let modules = out.path().join("modules");
            if fs::symlink_metadata(&modules).is_ok_and(|found| found.is_dir()) {
                fs::rename(modules, kept.path().join("modules")).map_err(cannot)?;
            }
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let sources = Arc::new(known.commands.look(tree.dir(), &tree_inside, &src));
            fs::write(kept.path().join(objects::FILE), sources.pack().map_err(cannot)?).map_err(cannot)?;
            known.sources = Some(sources);
            Ok(kept)
        });
        let out = gathered.await.map_err(|error| Stop::infra("keeping what was built broke off", error))??;
        tracing::debug!(%commit, compiler = compiler.identity, "built");
        Ok(kept(settings, out, Some(compiler.identity), lost).await)
    }
}

/// A make that failed.
struct Failed {
    told: String,
    output: Vec<u8>,
    kind: Kind,
}

/// Whether a change of the table's is one: what is off already is not written again, and no symbol is set that the configuration does
/// not know.
fn matters(config: &Config, entry: &kconfig::Entry) -> bool {
    match (&entry.value, config.get(&entry.symbol)) {
        (Value::Unset, found) => found.is_some_and(Value::is_on),
        (Value::Set(_), found) => found.is_some() || entry.symbol == "UNWINDER_FRAME_POINTER" && config.is_on("UNWINDER_ORC"),
    }
}

/// A file of a folder that builds or commits fill, which no link may lead out of; no pipe and no device, which may not end.
fn own_file(dir: &Path, name: &str) -> Option<PathBuf> {
    let path = dir.join(name).canonicalize().ok()?;
    (path.starts_with(dir.canonicalize().ok()?) && path.is_file()).then_some(path)
}

/// A file's text, if it is not too long to be one. Bytes that are not UTF-8 are replaced.
fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
