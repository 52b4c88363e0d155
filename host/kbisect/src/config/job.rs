//! A job with every value settled.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Strategy;

/// A whole job. Paths are absolute or relative to the working directory (the reader resolves them against the job file).
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The user's repository; only read.
    pub repo: PathBuf,
    /// Where the crash was seen: hash, tag, branch or title.
    pub bad: String,
    /// Known good ends; empty: back through releases (cause) or HEAD (fix).
    pub good: Vec<String>,
    /// What is looked for.
    pub kind: Kind,
    /// The reproducer.
    pub repro: Option<Repro>,
    /// A console that shows the target.
    pub crash: Option<PathBuf>,
    /// The target's title.
    pub title: Option<String>,
    /// A public link for `Closes:`.
    pub link: Option<String>,
    /// What tested commits are changed by, in this order.
    pub patches: Vec<Patch>,
    /// How a commit is built; none: nothing to build.
    pub build: Option<Build>,
    /// What trials run on.
    pub machine: Machine,
    /// At which stage the target shows.
    pub stage: TargetStage,
    /// What one trial does.
    pub trial: Trial,
    /// How to search.
    pub search: Search,
    /// What may be used.
    pub limits: Limits,
    /// Plugins beside the bundled ones, or settings for those.
    pub plugins: Vec<Plugin>,
}

impl Job {
    /// Whether trials boot kernels that must be built first.
    pub fn builds_kernels(&self) -> bool {
        self.builders() > 0
    }

    /// Kernels built at once; 0 where trials boot none.
    pub fn builders(&self) -> u32 {
        self.build.as_ref().filter(|build| !build.in_slot).map_or(0, |build| build.builders)
    }
}

/// One `[[patch]]`: a change that tested commits get before they are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What it changes.
    pub change: Change,
    /// Only commits that contain this one; runs name the whole hash.
    pub since: Option<String>,
    /// Only commits that do not contain this one; runs name the whole hash.
    pub until: Option<String>,
}

/// What a patch changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// What a file says, as `git diff` or `git format-patch` writes it.
    File(PathBuf),
    /// What a commit changed; runs name the whole hash. Commits that contain it have that already.
    Commit(String),
}

/// `repro`, or `[repro]`: what shows the crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repro {
    /// C source, a program or a script, or a folder that holds `entry`.
    pub file: PathBuf,
    /// What C source is compiled for.
    pub arch: ReproArch,
    /// What is run of a folder, from there.
    pub entry: Option<String>,
    /// Whose exit statuses it has; none: of nobody in particular.
    pub suite: Option<Suite>,
    /// The source that `file` was compiled from: runs name both.
    pub source: Option<PathBuf>,
    /// What makes `file` when the run begins; it is empty until then.
    pub made: Option<Made>,
    /// Another one that gets the rest of a trial's time when this one has ended or has had half of it.
    pub then: Option<Box<Repro>>,
}

/// What makes a reproducer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// The selftests of the start commit.
    Selftest(Selftest),
    /// The build of another repository.
    Harness(Harness),
}

/// A selftest of the kernel's own, `COLLECTION:TEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selftest {
    /// A folder of `tools/testing/selftests`.
    pub collection: String,
    /// A program of it.
    pub test: String,
}

/// A commit of a repository, and how it becomes a reproducer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harness {
    /// The repository; only read.
    pub repository: PathBuf,
    /// The commit; runs name the whole hash.
    pub commit: String,
    /// Program and arguments that build it; `{src} {jobs} {commit}` are filled in; the working directory is the checkout.
    pub build: Vec<String>,
    /// The folder of the checkout that is the reproducer.
    pub take: String,
}

impl Repro {
    /// Where it lies in machines that have files of their own.
    pub const PLACE: &str = "/repro";
    /// Where the one lies that is run behind it.
    pub const THEN: &str = "/repro-then";

    /// A file of which no more is said.
    pub fn of(file: PathBuf) -> Self {
        Self { file, arch: ReproArch::Host, entry: None, suite: None, source: None, made: None, then: None }
    }

    /// This one, and the one that is run behind it.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.then.as_deref())
    }

    /// What is put into machines that have files of their own, and where.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.each().map(|repro| repro.file.as_path()).zip([Self::PLACE, Self::THEN])
    }

    /// What is run, where the file or folder lies at this place.
    pub fn program(&self, place: &Path) -> PathBuf {
        self.entry.as_ref().map_or_else(|| place.to_owned(), |entry| place.join(entry))
    }
}

/// What a reproducer is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReproArch {
    /// As this machine.
    Host,
    /// 32-bit x86.
    I386,
}

/// Test suites whose programs say by their exit status that they could not test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// The kernel's own: 4 and KTAP's `# SKIP`.
    Kselftest,
    /// The Linux Test Project: bits for TBROK (2) and TCONF (32).
    Ltp,
}

/// `[build]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// What is done.
    pub recipe: Recipe,
    /// A build that runs longer has failed.
    pub time_limit: Duration,
    /// For process machines: build in each slot's checkout, `{out}` is not required to hold a kernel.
    pub in_slot: bool,
    /// Kernels built at once, each with its share of the CPUs; 1 where slots build for themselves.
    pub builders: u32,
}

impl Build {
    /// The job's own command; none where kbisect knows how to build.
    pub fn command(&self) -> Option<&[String]> {
        match &self.recipe {
            Recipe::Command(command) => Some(command),
            Recipe::Linux(_) => None,
        }
    }

    /// How Linux is built; none where the job has a command of its own.
    pub fn linux(&self) -> Option<&Linux> {
        match &self.recipe {
            Recipe::Command(_) => None,
            Recipe::Linux(linux) => Some(linux),
        }
    }
}

/// What builds a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// Program and arguments; `{src} {out} {jobs} {commit}` are filled in; the working directory is the checkout.
    Command(Vec<String>),
    /// kbisect itself: the commits are of Linux.
    Linux(Box<Linux>),
}

/// `[build]` with `kind = "linux"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linux {
    /// A whole configuration.
    pub config: Option<PathBuf>,
    /// Or what makes one at the start commit: targets such as `defconfig`, `kvm_guest.config`.
    pub base: Vec<String>,
    /// Files with parts of a configuration, which are merged into it in this order.
    pub fragments: Vec<PathBuf>,
    /// Single lines, merged last: `KASAN=y`.
    pub set: Vec<String>,
    /// Symbols that must be on at the start commit, and whose loss elsewhere is told; without `CONFIG_`.
    pub require: Vec<String>,
    /// Whether the configuration is changed below some releases, by a table of what does not build there.
    pub edits: bool,
    /// The architecture, as the kernel's make names it.
    pub arch: String,
    /// What stands before the names of the tools: `aarch64-linux-gnu-`. May be empty.
    pub cross_compile: String,
    /// Whose tools.
    pub toolchain: Toolchain,
    /// Compilers; where none applies, the table by release does.
    pub compiler: Vec<CompilerRule>,
    /// More flags for the compiler. May be empty.
    pub kcflags: String,
    /// More variables for make: `NAME=VALUE`.
    pub make: Vec<String>,
    /// More targets.
    pub targets: Vec<String>,
    /// Whether modules are built and put into the machine.
    pub modules: bool,
    /// Which ccache is used, where there is one.
    pub ccache: CompilerCache,
    /// Whether, and how, the configuration is made smaller before the search.
    pub minimize: Option<Minimize>,
}

/// `[build] ccache`: what builds keep for each other, whatever they keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompilerCache {
    /// Nothing.
    Off,
    /// A cache for the builds of one repository.
    OfRepository,
    /// One that lies here; whoever names it trusts all trees whose builds write into it.
    In(PathBuf),
}

/// `[build] minimize`: the configuration is made as small as the crash allows, at the start commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimize {
    /// Most kernels that are built for it.
    pub most: u32,
    /// What is worth having whatever the crash needs: options beyond it are left out where they can be.
    pub baseline: Baseline,
}

/// `[build] baseline`: a small configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// A whole configuration.
    File(PathBuf),
    /// What makes one at the start commit.
    Targets(Vec<String>),
}

/// Families of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// gcc and binutils.
    Gcc,
    /// clang, lld and LLVM's tools.
    Llvm,
}

/// A compiler, and for which commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerRule {
    /// For commits that do not contain this release (`v5.16`); none: for all.
    pub before: Option<String>,
    /// The program.
    pub program: String,
}

/// `[machine]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Which kind.
    pub kind: MachineKind,
    /// Memory of one machine, in bytes.
    pub memory: u64,
    /// CPUs of one machine.
    pub cpus: u32,
    /// Whether machines reach a network. Process machines of `run -- CMD` have the caller's.
    pub network: bool,
    /// More words for the kernel's command line.
    pub cmdline: String,
    /// QEMU's board: `microvm` or `pc`.
    pub board: String,
    /// The guest speaks the control protocol itself (a freestanding kernel): no initramfs of ours is added.
    pub own_init: bool,
    /// A folder of this host that machines have as their root, over 9p: what they write stays theirs. None: they have what kbisect and
    /// the job bring.
    pub root_dir: Option<PathBuf>,
    /// How long a boot may take.
    pub boot_limit: Duration,
    /// The disk of machines that have one.
    pub disk: Option<Disk>,
    /// What boots a kernel and runs a command in it, for machines that are the job's own command. Program and arguments;
    /// `{kernel} {kernel_dir} {command} {memory} {cpus}` are filled in.
    pub command: Vec<String>,
}

/// A disk image with an sshd, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The image; only read.
    pub image: PathBuf,
    /// The device with the root file system, as the guest names it. It decides how the disk is attached.
    pub root: String,
    /// Who logs in.
    pub user: String,
    /// The private key that the image knows; none: each run makes its own, and the kernel's command line brings it as systemd's
    /// credential `ssh.authorized_keys.root`.
    pub key: Option<PathBuf>,
}

/// Kinds of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineKind {
    /// A virtual machine in QEMU, with an initramfs of ours.
    Qemu,
    /// A virtual machine in QEMU with a disk image, reached by ssh.
    Image,
    /// The job's own command boots a kernel and runs a command in it, which sees the host's files.
    Command,
    /// A process on the host, in a checkout of its own.
    Process,
}

impl MachineKind {
    /// Whether kernels are booted.
    pub fn boots(self) -> bool {
        self != Self::Process
    }

    /// Whether machines have files of their own, so that the reproducer is copied into them.
    pub fn has_own_files(self) -> bool {
        matches!(self, Self::Qemu | Self::Image)
    }
}

/// `[target] stage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetStage {
    /// The target is a failure to build.
    Build,
    /// The target is a crash or hang while booting.
    Boot,
    /// The target is a crash while the reproducer runs.
    Run,
}

/// How a reproducer's exit status is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// As `git bisect run` does: 0 is good, 125 void, others bad.
    Exit,
    /// The reproducer runs until the kernel crashes: 0 and the time limit are clean.
    Crash,
}

/// What a reading turns an event into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountAs {
    /// A clean trial.
    Good,
    /// A crash.
    Bad,
    /// Nothing.
    Void,
}

/// `[trial]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Program and arguments; `{trial_seed}`, `{commit}` are filled in. Default: the reproducer.
    pub command: Vec<String>,
    /// How long the reproducer may run.
    pub time_limit: Duration,
    /// Run the reproducer again and again within one boot until the time limit.
    pub repeat: bool,
    /// More files for the machine: host path and path inside.
    pub files: Vec<(PathBuf, String)>,
    /// How the exit status is read.
    pub expect: Expect,
    /// What a time limit reached counts as (`expect = "exit"`).
    pub on_timeout: CountAs,
    /// What an end by a signal counts as (`expect = "exit"`).
    pub on_signal: CountAs,
    /// Process machines: remove untracked files too before every trial.
    pub clean: bool,
}

/// `[search]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// How to choose the next commit.
    pub strategy: Strategy,
    /// Chance of a wrong name that is put up with.
    pub delta: f64,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Do not test the stated good end.
    pub trust_good: bool,
    /// The share of the prior that follows a suspicion plugin's weights; 0: nobody is asked.
    pub suspicion: f64,
    /// One trial a commit, as `git bisect run`.
    pub single_trials: bool,
    /// Cause: test the start commit without the commit that is to be named.
    pub revert: bool,
    /// Cause: which newer commit is tested once before the search, so that nobody looks for what is mended.
    pub tip: Tip,
    /// Look how far the reproducer gets where much depends on a clean trial.
    pub reach: bool,
    /// Commits, often releases, from which on kernels are built, or run, in another environment.
    pub eras: Vec<String>,
}

/// A newer commit that is tested before the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tip {
    /// None is.
    None,
    /// The newest of the main branches, here and of remotes, that contains the start commit.
    Newest,
    /// This one.
    At(String),
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// CPUs for everything.
    pub cpus: u32,
    /// Memory for machines, in bytes.
    pub memory: u64,
    /// Disk for the run directory, in bytes.
    pub disk: u64,
    /// End after this long.
    pub deadline: Option<Duration>,
    /// Machines at once; none: as many as CPUs and memory allow.
    pub slots: Option<u32>,
}

/// Hooks that a plugin may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// What a console shows, and whether it is the target.
    Classifier,
    /// When a commit has had trials enough.
    FlakePolicy,
    /// Who is told.
    Recipients,
    /// Which commits look guilty.
    Suspicion,
}

/// Where a plugin applies; empty lists match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Globs on the guilty file of the target (recipients: the culprit's changed files).
    pub paths: Vec<String>,
    /// Globs on the target's titles.
    pub titles: Vec<String>,
}

/// Limits of one plugin call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginLimits {
    /// Fuel before any input byte.
    pub fuel: u64,
    /// Fuel for each input byte.
    pub fuel_per_byte: u64,
    /// Wall clock.
    pub wall: Duration,
    /// Memory in bytes.
    pub memory: u64,
    /// Output in bytes.
    pub output: u64,
    /// One log message, in bytes.
    pub log: usize,
    /// Calls into the host.
    pub host_calls: u32,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            fuel: 1_000_000_000,
            fuel_per_byte: 400,
            wall: Duration::from_secs(5),
            memory: 128 << 20,
            output: 1 << 20,
            log: 64 << 10,
            host_calls: 10_000,
        }
    }
}

/// One `[[plugin]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// Its name in messages; without `path` the name of a bundled one.
    pub id: String,
    /// The component's file.
    pub path: Option<PathBuf>,
    /// Digest that the file must have, as 64 hexadecimal digits.
    pub sha256: Option<String>,
    /// The hooks to use; empty: all that it exports.
    pub hooks: Vec<Hook>,
    /// Where it applies.
    pub when: When,
    /// Higher ones come later in chains, and win where one must.
    pub priority: i64,
    /// Its settings, as JSON.
    pub settings: serde_json::Value,
    /// Limits of one call.
    pub limits: PluginLimits,
}

impl Plugin {
    /// A bundled plugin of which no more is said than its name: its own settings, the usual limits.
    pub fn bundled(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            path: None,
            sha256: None,
            hooks: Vec::new(),
            when: When::default(),
            priority: 0,
            settings: serde_json::Value::Null,
            limits: PluginLimits::default(),
        }
    }
}
