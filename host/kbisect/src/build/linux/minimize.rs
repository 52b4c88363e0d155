//! Which options of a configuration may be left out, and what a smaller configuration is as text. Owns the groups of detectors; which
//! parts a crash needs is found by [`kbisect_core::minimize`], with kernels that the session builds and tries.
//!
//! An option may go if it is on, people may switch it, and the baseline does not have it. Options are only ever switched off: what the
//! whole configuration has off stays off, numbers and texts stay, and what depends on an option that goes the tree's own make drops with
//! it. The baseline by itself is tried first where it has nothing on that the whole configuration has not.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::minimize::Left;
use kbisect_core::minimize::Problem;
use sha2::Digest as _;
use sha2::Sha256;

use super::Bench;
use super::NEW_CONFIG;
use super::Recipe;
use super::Stop;
use super::edits;
use super::kconfig::Config;
use super::kconfig::Entry;
use super::kconfig::Value;
use super::matters;
use super::options::Options;
use super::prepare::other_arch;
use super::read;
use crate::build::Settings;
use crate::build::signature::hex;
use crate::config::job::Baseline;
use crate::config::job::Minimize;
use crate::error::Error;
use crate::record::event::BuildResult;

/// Options that make a kernel look for one kind of mistake.
struct Detector {
    name: &'static str,
    symbols: &'static [&'static str],
    /// Beginnings of the types of crash that it finds.
    finds: &'static [&'static str],
}

/// Groups of detectors; the groups are syzkaller's (pkg/vcs/linux_configs.go at 1e72964b), with the sanitizers that came later. Which
/// types of crash a group is kept for saves a test where it is right, and costs one where it is wrong: what shows is tested.
const DETECTORS: [Detector; 10] = [
    Detector { name: "KASAN", symbols: &["KASAN"], finds: &["KASAN"] },
    Detector { name: "KMSAN", symbols: &["KMSAN"], finds: &["KMSAN"] },
    Detector { name: "KCSAN", symbols: &["KCSAN"], finds: &["KCSAN"] },
    Detector { name: "KFENCE", symbols: &["KFENCE"], finds: &["KFENCE"] },
    Detector { name: "UBSAN", symbols: &["UBSAN"], finds: &["UBSAN", "MEMORY_SAFETY_UBSAN"] },
    Detector {
        name: "hangs",
        symbols: &["DETECT_HUNG_TASK", "SOFTLOCKUP_DETECTOR", "HARDLOCKUP_DETECTOR", "WQ_WATCHDOG"],
        finds: &["HANG"],
    },
    Detector {
        name: "locks",
        symbols: &[
            "PROVE_LOCKING",
            "LOCK_STAT",
            "DEBUG_LOCK_ALLOC",
            "DEBUG_WW_MUTEX_SLOWPATH",
            "DEBUG_MUTEXES",
            "DEBUG_SPINLOCK",
            "DEBUG_RWSEMS",
        ],
        finds: &["LOCKDEP"],
    },
    Detector { name: "sleeping", symbols: &["DEBUG_ATOMIC_SLEEP"], finds: &["ATOMIC_SLEEP"] },
    Detector { name: "leaks", symbols: &["DEBUG_KMEMLEAK"], finds: &["LEAK"] },
    Detector {
        name: "BUG",
        symbols: &["BUG"],
        finds: &["BUG", "WARNING", "REFCOUNT_WARNING", "KCSAN", "LOCKDEP", "UNKNOWN", ""],
    },
];

/// What makes a crash readable stays: without names and places of functions reports can be neither compared nor told.
const TELLING: [&str; 13] = [
    "KALLSYMS",
    "KALLSYMS_ALL",
    "DEBUG_KERNEL",
    "DEBUG_INFO",
    "DEBUG_INFO_DWARF4",
    "DEBUG_INFO_DWARF5",
    "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT",
    "STACKTRACE",
    "FRAME_POINTER",
    "UNWINDER_FRAME_POINTER",
    "UNWINDER_ORC",
    "PRINTK_CALLER",
    "PRINTK_TIME",
];

/// A part that is on or off as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// A detector's name, or the option.
    pub name: String,
    /// What is switched off for it.
    symbols: Vec<String>,
}

/// What may be left out of a configuration.
#[derive(Debug)]
pub struct Survey {
    /// Everything that may go: groups of detectors, then options.
    pub parts: Vec<Part>,
    /// How many of them are groups of detectors.
    pub detectors: usize,
    /// Groups of detectors that stay because they find crashes of the target's type.
    pub kept: Vec<String>,
    /// The search for what is needed.
    pub problem: Problem,
    whole: Config,
    baseline: Config,
    /// What the job asks for and the start commit does not know: other commits may.
    beyond: Config,
}

/// A configuration as the tree makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// All of it, without comments that say nothing of a symbol.
    pub text: String,
    /// Symbols that the machine or the job needs and that are off.
    pub lacks: Vec<String>,
}

impl Survey {
    /// The text that `olddefconfig` makes a configuration of.
    pub fn text(&self, left: &Left) -> String {
        let mut config = match left {
            Left::Baseline => self.baseline.clone(),
            Left::Parts(parts) => {
                let kept: HashSet<usize> = parts.iter().copied().collect();
                let mut config = self.whole.clone();
                let gone = self.parts.iter().enumerate().filter(|(number, _)| !kept.contains(number));
                gone.flat_map(|(_, part)| &part.symbols).for_each(|symbol| config.set(off(symbol)));
                config
            }
        };
        config.merge(&self.beyond);
        config.to_string()
    }

    /// The configuration that everything began with, as [`Settled::text`].
    pub fn whole(&self) -> String {
        self.whole.to_string()
    }

    /// What else the final file says than what the tree made of it.
    pub fn beyond(&self) -> String {
        self.beyond.to_string()
    }

    /// Names of the groups of detectors that are not left.
    pub fn detectors_gone(&self, left: &Left) -> Vec<String> {
        let stays = |number: usize| matches!(left, Left::Parts(parts) if parts.contains(&number));
        (0..self.detectors).filter(|number| !stays(*number)).map(|number| self.parts[number].name.clone()).collect()
    }

    /// How many options are left of those beyond the baseline.
    pub fn options_left(&self, left: &Left) -> usize {
        match left {
            Left::Baseline => 0,
            Left::Parts(parts) => parts.iter().filter(|part| **part >= self.detectors).count(),
        }
    }

    /// How many options the baseline does not have.
    pub fn options(&self) -> usize {
        self.parts.len() - self.detectors
    }

    /// A digest of everything that answers refer to.
    pub fn digest(&self) -> String {
        let texts = [self.whole.to_string(), self.baseline.to_string(), format!("{:?} {:?}", self.parts, self.problem)];
        hex(&texts.iter().fold(Sha256::new(), Sha256::chain_update).finalize())
    }
}

/// Where the baseline lies that a configuration is held against.
fn place(recipe: &Recipe) -> PathBuf {
    recipe.baseline.with_file_name("minimal.config")
}

/// Makes the baseline from the sources of the start commit: what is wrong with it is said before any work.
pub(super) async fn prepare(bench: &Bench<'_>, minimize: &Minimize) -> Result<(), Error> {
    let wished = match &minimize.baseline {
        Baseline::File(path) => {
            let text = read(path).map_err(|error| Error::user(format!("cannot read `{}`: {error}", path.display())))?;
            let config = Config::parse(&text)
                .map_err(|line| Error::user(format!("{}:{line}: this is no line of a configuration", path.display())))?;
            if let Some(other) = other_arch(&config, &bench.recipe.job.arch) {
                let message =
                    format!("baseline: {} is for {other}, and [build] `arch` is {}", path.display(), bench.recipe.job.arch);
                return Err(Error::user(message).hint(format!("give a baseline for {}", bench.recipe.job.arch)));
            }
            config
        }
        Baseline::Targets(targets) => super::prepare::made(bench, "baseline", targets).await?,
    };
    let path = place(bench.recipe);
    super::prepare::write_whole(&path, &wished.to_string())
        .map_err(|error| Error::infrastructure(format!("cannot write `{}`: {error}", path.display())))
}

/// What may be left out, for crashes of these types, of the configuration of the start commit at `src`.
///
/// # Errors
/// Why it cannot be said.
pub async fn survey(settings: &Settings, recipe: &Recipe, src: &Path, types: &BTreeSet<String>) -> Result<Survey, BuildResult> {
    let stopped = |stop: Stop| stop.0.result;
    let infra =
        |what: &Path, error: &dyn std::fmt::Display| BuildResult::Infra(format!("cannot read `{}`: {error}", what.display()));
    let config = |path: &Path| {
        let text = fs::read_to_string(path).map_err(|error| infra(path, &error))?;
        Config::parse(&text).map_err(|line| infra(path, &format!("it was damaged in line {line}")))
    };
    let bench = Bench::new(settings, recipe, src).await.map_err(stopped)?;
    let wishes = bench.wishes(&config(&recipe.baseline)?).map_err(stopped)?;
    let whole = settled(&bench, &wishes.whole.to_string()).await.map_err(stopped)?;
    let mut baseline = config(&place(recipe))?;
    if recipe.job.edits {
        let edits = edits::of(bench.version).into_iter().filter(|entry| matters(&whole, entry));
        edits.for_each(|entry| baseline.set(entry));
    }
    let arch = match recipe.job.arch.as_str() {
        "x86_64" | "i386" => "x86",
        other => other,
    };
    let (src, arch) = (src.to_owned(), arch.to_owned());
    let options = tokio::task::spawn_blocking(move || Options::read(&src, &arch)).await;
    let options = options.map_err(|error| BuildResult::Infra(error.to_string()))?;
    let required = recipe.needs.iter().map(|(symbol, _)| *symbol).chain(recipe.job.require.iter().map(String::as_str));
    let pinned: Vec<&str> = required.chain(TELLING).collect();
    // The baseline gets them, too, with what they need.
    let needed = Needs { whole: &whole, baseline: &baseline, options: &options }.all(pinned.iter().copied());
    let needed = whole.entries().into_iter().filter(|entry| needed.contains(&entry.symbol)).collect::<Vec<Entry>>();
    needed.into_iter().for_each(|entry| baseline.set(entry));
    // What the whole configuration has off is not switched on by a default that the baseline does not speak of.
    let off: Vec<Entry> = whole
        .entries()
        .into_iter()
        .filter(|entry| entry.value == Value::Unset && baseline.get(&entry.symbol).is_none())
        .collect();
    off.into_iter().for_each(|entry| baseline.set(entry));
    let baseline = settled(&bench, &baseline.to_string()).await.map_err(stopped)?;
    let asked = recipe.job.set.iter().filter_map(|line| Entry::parse(line));
    let fragments = recipe.job.fragments.iter().map(|path| config(path)).collect::<Result<Vec<Config>, BuildResult>>()?;
    let mut beyond = Config::default();
    for entry in fragments.iter().flat_map(Config::entries).chain(asked) {
        if whole.get(&entry.symbol).is_none() && entry.value != Value::Unset {
            beyond.set(entry);
        }
    }
    Ok(parts(
        whole,
        baseline,
        &options,
        &pinned,
        types,
        (recipe.job.minimize.as_ref().map_or(0, |minimize| minimize.most), beyond),
    ))
}

/// What the tree makes of a configuration, and what that lacks.
///
/// # Errors
/// Why it makes none.
pub async fn settle(settings: &Settings, recipe: &Recipe, src: &Path, text: &str) -> Result<Settled, BuildResult> {
    let stopped = |stop: Stop| stop.0.result;
    let bench = Bench::new(settings, recipe, src).await.map_err(stopped)?;
    let config = settled(&bench, text).await.map_err(stopped)?;
    let needed = recipe.needs.iter().map(|(symbol, _)| *symbol).chain(recipe.job.require.iter().map(String::as_str));
    let lacks = needed.filter(|symbol| !config.is_on(symbol)).map(str::to_owned).collect();
    Ok(Settled { text: config.to_string(), lacks })
}

async fn settled(bench: &Bench<'_>, text: &str) -> Result<Config, Stop> {
    bench.begin()?;
    bench.settle(text).await?;
    bench.end()?;
    bench.config(NEW_CONFIG)
}

fn off(symbol: &str) -> Entry {
    Entry { symbol: symbol.to_owned(), value: Value::Unset }
}

/// The parts of a configuration that may go.
fn parts(
    whole: Config,
    baseline: Config,
    options: &Options,
    pinned: &[&str],
    types: &BTreeSet<String>,
    (most, beyond): (u32, Config),
) -> Survey {
    let settable = |symbol: &str| options.is_empty() || options.get(symbol).is_some_and(|declared| declared.settable);
    let on: Vec<String> = whole
        .entries()
        .into_iter()
        .filter(|entry| entry.value.is_on())
        .map(|entry| entry.symbol)
        .filter(|symbol| settable(symbol))
        .collect();
    let graph = Needs { whole: &whole, baseline: &baseline, options };
    let here = |detector: &Detector| detector.symbols.iter().any(|symbol| on.iter().any(|other| other == symbol));
    let is_for = |detector: &Detector| {
        types
            .iter()
            .any(|of| detector.finds.iter().any(|find| if find.is_empty() { of.is_empty() } else { of.starts_with(find) }))
    };
    let (needed, idle): (Vec<&Detector>, Vec<&Detector>) =
        DETECTORS.iter().filter(|detector| here(detector)).partition(|detector| is_for(detector));
    let stay = graph.all(pinned.iter().copied().chain(needed.iter().flat_map(|detector| detector.symbols.iter().copied())));
    // What needs an idle detector goes with it, unless something that stays needs it.
    let idle: Vec<&Detector> =
        idle.into_iter().filter(|detector| !detector.symbols.iter().any(|symbol| stay.contains(*symbol))).collect();
    let mut parts: Vec<Part> = idle.iter().map(|detector| Part { name: detector.name.to_owned(), symbols: Vec::new() }).collect();
    for symbol in on.iter().filter(|symbol| !stay.contains(*symbol)) {
        let all = graph.all([symbol.as_str()]);
        if let Some(first) = idle.iter().position(|detector| detector.symbols.iter().any(|of| all.contains(*of))) {
            parts[first].symbols.push(symbol.clone());
        }
    }
    parts.retain(|part| !part.symbols.is_empty());
    let mut owner: HashMap<String, usize> = HashMap::new();
    for (number, part) in parts.iter().enumerate() {
        owner.extend(part.symbols.iter().map(|symbol| (symbol.clone(), number)));
    }
    let detectors = parts.len();
    for symbol in &on {
        if !stay.contains(symbol) && !owner.contains_key(symbol) && !baseline.is_on(symbol) {
            owner.insert(symbol.clone(), parts.len());
            parts.push(Part { name: symbol.clone(), symbols: vec![symbol.clone()] });
        }
    }
    let needs = parts
        .iter()
        .enumerate()
        .map(|(number, part)| {
            let direct = graph.direct(part.symbols.iter().map(String::as_str), |symbol| owner.contains_key(symbol));
            let mut needs: Vec<usize> =
                direct.iter().filter_map(|symbol| owner.get(symbol).copied()).filter(|need| *need != number).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        })
        .collect();
    let more =
        baseline.entries().into_iter().any(|entry| entry.value.is_on() && settable(&entry.symbol) && !whole.is_on(&entry.symbol));
    let count = parts.len() - detectors;
    let problem = Problem {
        needs,
        groups: vec![0..detectors, detectors..parts.len()],
        weights: vec![u32::try_from(count / 8).unwrap_or(u32::MAX).max(1), 1],
        baseline: !more && !parts.is_empty(),
        most,
    };
    Survey {
        parts,
        detectors,
        kept: needed.iter().map(|detector| detector.name.to_owned()).collect(),
        problem,
        whole,
        baseline,
        beyond,
    }
}

/// What options need of one another, as far as it is on.
struct Needs<'a> {
    whole: &'a Config,
    baseline: &'a Config,
    options: &'a Options,
}

impl Needs<'_> {
    /// These and everything that they need.
    fn all<'s>(&self, symbols: impl IntoIterator<Item = &'s str>) -> HashSet<String> {
        let mut all: HashSet<String> = HashSet::new();
        let mut open: Vec<String> = symbols.into_iter().filter(|symbol| self.whole.is_on(symbol)).map(str::to_owned).collect();
        while let Some(symbol) = open.pop() {
            if all.insert(symbol.clone()) {
                open.extend(self.next(&symbol));
            }
        }
        all
    }

    /// What these need first of all that stops the search.
    fn direct<'s>(&self, symbols: impl IntoIterator<Item = &'s str>, stops: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let mut seen: HashSet<String> = HashSet::new();
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = symbols.into_iter().flat_map(|symbol| self.next(symbol)).collect();
        while let Some(symbol) = open.pop() {
            if !seen.insert(symbol.clone()) {
            } else if stops(&symbol) {
                found.insert(symbol);
            } else {
                open.extend(self.next(&symbol));
            }
        }
        found
    }

    /// What a symbol needs itself. One that nobody can set is there for another that selects it: the baseline's, or the first.
    fn next(&self, symbol: &str) -> Vec<String> {
        let Some(declared) = self.options.get(symbol) else { return Vec::new() };
        let on = |symbol: &&String| self.whole.is_on(symbol);
        let mut next: Vec<String> = declared.needs.iter().filter(on).cloned().collect();
        if !declared.settable && !self.baseline.is_on(symbol) {
            let selectors = || declared.selected_by.iter().filter(on);
            if !selectors().any(|selector| self.baseline.is_on(selector)) {
                next.extend(selectors().next().cloned());
            }
        }
        next
    }
}

#[cfg(test)]
mod tests;
