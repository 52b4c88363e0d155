//! What finding a culprit in real Linux takes: kbisect against `git bisect run` as people do it, and against syzkaller's rule.
//!
//! `./x bench linux [--only WORD] [--arm WORD] [--seeds N] [--commits N] [--seed S] [--tree PATH] [--place DIR] [--json FILE]`
//!
//! Each setting has a history of small changes on a real tree (`host/linux-demo`), a reproducer that shows the planted bug in so many
//! trials, and a time of one trial; in one of them nearly everything is compiled anew at most steps. Five arms get it, one after the
//! other, each with a clone, an object tree and a cache of its own:
//!
//! * `people`: `git bisect run` with a script that builds in one tree with `make -j`, boots ten times, two machines at a time, and stops at
//!   the first crash; any crash is bad, what does not build is skipped. Its answer counts, right or not;
//! * `oracle`: the same with as many boots as somebody would make who knows r and puts up with one wrong name in a hundred;
//! * `rule`: kbisect with strategy `git` and plugin `syzkaller-rule`;
//! * `kbisect`: its defaults, for `--seeds` histories; the others get the first;
//! * `trusting`: the same, but that the good commit is taken for good untested, as the scripts take it.
//!
//! r is measured first, at the start commit, by boots of the script's own. The first build, which everybody pays, is told apart from the
//! rest of the time. A row is printed when its arm has ended, so that what was measured stands whatever comes.

mod bisector;
mod script;

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use linux_demo::Planted;
use linux_demo::Rate;
use serde_json::Value;
use serde_json::json;

use self::bisector::Search;

/// What is bisected.
struct Setting {
    name: &'static str,
    /// How often a trial shows the bug.
    rate: Rate,
    /// Of one trial.
    seconds: u32,
    /// Of the reproducer between two chances of the history's other bug.
    looks: u32,
    /// Whether nearly everything is compiled anew at most steps.
    wide: bool,
}

const fn setting(name: &'static str, rate: Rate, seconds: u32) -> Setting {
    Setting { name, rate, seconds, looks: 16, wide: false }
}

const SETTINGS: [Setting; 8] = [
    setting("r=1 5s", Rate::Always, 5),
    setting("r=.5 5s", Rate::Half, 5),
    setting("r=.2 5s", Rate::Few, 5),
    setting("r=1 30s", Rate::Always, 30),
    setting("r=.5 30s", Rate::Half, 30),
    setting("r=.2 30s", Rate::Few, 30),
    Setting { looks: 1, ..setting("second bug r=.5 5s", Rate::Half, 5) },
    Setting { wide: true, ..setting("wide headers r=1 5s", Rate::Always, 5) },
];

/// Who bisects.
enum Arm {
    /// `git bisect run`, with so many boots a commit; none: as many as r wants.
    Script(Option<u32>),
    Kbisect(Search),
}

const DEFAULT: Search = Search { strategy: None, policy: "sequential", trust_good: false };

const ARMS: [(&str, Arm); 5] = [
    ("people", Arm::Script(Some(10))),
    ("oracle", Arm::Script(None)),
    ("rule", Arm::Kbisect(Search { strategy: Some("git"), policy: "syzkaller-rule", trust_good: false })),
    ("kbisect", Arm::Kbisect(DEFAULT)),
    ("trusting", Arm::Kbisect(Search { trust_good: true, ..DEFAULT })),
];

/// Chance of a wrong name that the oracle puts up with.
const ORACLES_ERROR: f64 = 0.01;
/// Boots that tell r.
const MEASURED: u32 = 16;

/// What one arm came to.
pub(crate) struct Outcome {
    /// The commit that it named.
    pub named: Option<String>,
    /// Until it ended, in seconds.
    pub seconds: f64,
    /// Of these, the first build.
    pub first_build: f64,
    /// Kernels built.
    pub builds: u64,
    /// Boots.
    pub trials: u64,
}

/// A history with its reproducer, written to a folder.
pub(crate) struct World {
    /// The folder; each arm has one of its own in it.
    pub place: PathBuf,
    /// What is in the history.
    pub planted: Planted,
    /// Seconds of one trial.
    pub seconds: u32,
}

impl World {
    /// The repository.
    pub(crate) fn repo(&self) -> PathBuf {
        self.place.join("linux")
    }

    /// The configuration, as a fragment.
    pub(crate) fn config(&self) -> PathBuf {
        self.place.join("demo.config")
    }

    /// The reproducer's source.
    pub(crate) fn repro(&self) -> PathBuf {
        self.place.join("repro.c")
    }

    /// A fresh folder for an arm.
    pub(crate) fn arm(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.place.join(name);
        let cannot = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(cannot)?;
        }
        fs::create_dir_all(&folder).map_err(cannot)?;
        Ok(folder)
    }
}

struct Options {
    only: String,
    arm: String,
    seeds: u64,
    commits: usize,
    seed: u64,
    tree: Option<PathBuf>,
    place: Option<PathBuf>,
    json: Option<PathBuf>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options =
            Self { only: String::new(), arm: String::new(), seeds: 5, commits: 60, seed: 1, tree: None, place: None, json: None };
        let mut args = env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
            match arg.as_str() {
                // cargo's own.
                "--bench" => {}
                "--only" => options.only = value()?,
                "--arm" => options.arm = value()?,
                "--seeds" => options.seeds = number(value()?)?,
                "--commits" => options.commits = number(value()?)? as usize,
                "--seed" => options.seed = number(value()?)?,
                "--tree" => options.tree = Some(value()?.into()),
                "--place" => options.place = Some(value()?.into()),
                "--json" => options.json = Some(value()?.into()),
                _ => return Err(format!("there is no option {arg}")),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    match Options::read().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("linux: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let tree =
        options.tree.clone().or_else(linux_demo::installed).ok_or("no sources of Linux; ./x demo --linux installs them")?;
    let own = tempfile::tempdir().map_err(|error| error.to_string())?;
    let place = options.place.clone().unwrap_or_else(|| own.path().to_owned());
    println!("{} commits on {}; the first build is told apart\n", options.commits, tree.display());
    println!("setting              arm      seed  right  minutes  first build  builds  trials  CPU min  named");
    let mut rows = Vec::new();
    let exact = SETTINGS.iter().any(|setting| setting.name == options.only);
    let asked = |setting: &&Setting| setting.name == options.only || !exact && setting.name.contains(&options.only);
    for setting in SETTINGS.iter().filter(asked) {
        for (name, arm) in ARMS.iter().filter(|(name, _)| name.contains(&options.arm)) {
            let seeds = if matches!(arm, Arm::Kbisect(Search { strategy: None, .. })) { options.seeds } else { 1 };
            for seed in options.seed..options.seed + seeds {
                let world = write(&place, &tree, options, seed, setting)?;
                let (outcome, cpu) = match arm {
                    Arm::Script(boots) => {
                        let boots = boots.map_or_else(|| oracles_boots(&world, setting.name, options.commits), Ok)?;
                        with_cpu(|| script::bisect(&world, name, boots))
                    }
                    Arm::Kbisect(search) => with_cpu(|| bisector::run(&world, name, search, seed)),
                }?;
                rows.push(row((setting.name, name, seed), &world.planted, &outcome, cpu));
                if let Some(path) = &options.json {
                    let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
                    fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
                }
            }
        }
    }
    Ok(())
}

/// Prints what an arm came to, and returns it for the file of figures.
fn row((setting, arm, seed): (&str, &str, u64), planted: &Planted, outcome: &Outcome, cpu: f64) -> Value {
    let Outcome { named, seconds, first_build, builds, trials } = outcome;
    let right = named.as_ref() == Some(&planted.culprit);
    let minutes = (seconds - first_build) / 60.0;
    let shown = named.as_ref().map_or("nobody", |named| &named[..12]);
    let word = if right { "yes" } else { "no" };
    let (first, cpu) = (first_build / 60.0, cpu / 60.0);
    println!(
        "{setting:<20} {arm:<8} {seed:>4}  {word:<5}  {minutes:>7.1}  {first:>11.1}  {builds:>6}  {trials:>6}  {cpu:>7.1}  {shown}"
    );
    json!({
        "setting": setting, "arm": arm, "seed": seed, "right": right, "named": named, "culprit": planted.culprit,
        "minutes": minutes, "first_build_minutes": first, "builds": builds, "trials": trials, "cpu_minutes": cpu,
    })
}

/// Writes a history with its reproducer, where it is not there already.
fn write(place: &Path, tree: &Path, options: &Options, seed: u64, setting: &Setting) -> Result<World, String> {
    let place = place.join(format!("{}-{seed}", setting.name.replace(' ', "-")));
    fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let place = place.canonicalize().map_err(|error| format!("{}: {error}", place.display()))?;
    let repo = place.join("linux");
    if repo.exists() {
        fs::remove_dir_all(&repo).map_err(|error| format!("{}: {error}", repo.display()))?;
    }
    let cache = place.parent().unwrap_or(&place).join("cache");
    let planted =
        linux_demo::write(tree, &repo, &linux_demo::Options { seed, commits: options.commits, wide: setting.wide, cache })
            .map_err(|error| error.to_string())?;
    let world = World { place, planted, seconds: setting.seconds };
    let put = |path: PathBuf, text: &str| fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()));
    put(world.config(), linux_demo::config())?;
    put(world.repro(), &linux_demo::reproducer(setting.rate, setting.seconds, setting.looks))?;
    Ok(world)
}

/// So many clean boots of a commit with the bug are rare enough for one wrong name in a hundred: a bisection meets about as many commits as
/// it halves the range, each of which could be such a one.
fn boots_for(r: f64, commits: usize) -> u32 {
    let steps = (commits as f64).log2().ceil().max(1.0);
    ((ORACLES_ERROR / steps).ln() / (1.0 - r.clamp(0.02, 0.999)).ln()).ceil().max(1.0) as u32
}

/// Measures r at the start commit, and tells the boots a commit that it wants.
fn oracles_boots(world: &World, setting: &str, commits: usize) -> Result<u32, String> {
    let hits = script::measure(world, MEASURED)?;
    let boots = boots_for((f64::from(hits) + 0.5) / (f64::from(MEASURED) + 1.0), commits);
    println!("{setting:<20} {hits} of {MEASURED} boots of the start commit crash: the oracle takes {boots}");
    Ok(boots)
}

/// What an arm came to, and the seconds of CPU time that it took.
fn with_cpu(run: impl FnOnce() -> Result<Outcome, String>) -> Result<(Outcome, f64), String> {
    let before = cpu_of_machine();
    Ok((run()?, cpu_of_machine() - before))
}

/// CPU time that the whole machine has spent, in seconds: the first line of proc(5)'s `stat`, in ticks of a hundredth. What arms start
/// may be handed on to others than who started it, so that nobody's children are all of it; nothing else should run meanwhile.
fn cpu_of_machine() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let spent = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).enumerate();
    // Idle, waiting for disks, and guests' time, which is counted as the user's already.
    let spent = spent.filter(|(place, _)| ![3, 4, 8, 9].contains(place));
    spent.filter_map(|(_, ticks)| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
