//! Writes a history on top of a real Linux tree, with a bug planted in it, to bisect.
//!
//! The first commit is the tree of a distribution's `linux-source` package, or any other of Linux 6.1 or later, thinned out to what
//! the demo's kernel may need (`thin.rs`). On top come small changes of code that this kernel is built from, whose places are found by
//! their text (`history/`): constants, messages, checks, headers. Among them [`write()`] plants
//! - a culprit, a lifetime bug that a race of two system calls shows in most trials only,
//! - a stray, a check that is wrong for a moment now and then, and only warns,
//! - a stretch that does not build.
//!
//! Whether a trial crashes is decided by which instruction a timer's tick interrupts; no source draws or counts.
//!
//! This crate owns what the history is. It builds, boots and judges nothing.

mod base;
mod catalog;
mod job;
mod plan;
mod release;
mod repo;
mod series;
mod sources;
mod thin;

use std::path::Path;
use std::path::PathBuf;

pub use base::installed;
pub use job::Job;
pub use job::LOOKS;
pub use job::Rate;
pub use job::config;
pub use job::job_toml;
pub use job::reproducer;
pub use series::BadSeries;

use catalog::Catalog;
use plan::Places;
use plan::Role;
use pocket::Draw;
use release::Makefile;

/// Fewest and most commits of a history. Branches may add up to five.
pub const COMMITS: std::ops::RangeInclusive<usize> = 20..=90;

/// What history to write. Equal options and trees give equal hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Chooses everything that is not fixed by the other options.
    pub seed: u64,
    /// Number of commits, within [`COMMITS`].
    pub commits: usize,
    /// Whether every change also touches a header that nearly all files include, as most steps between two releases do: nearly
    /// everything is compiled anew then.
    pub wide: bool,
    /// kbisect's cache folder: the tree is read once.
    pub cache: PathBuf,
}

/// A history that was written, and what is in it. Commits are full hexadecimal hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The newest commit, where the crash is seen.
    pub start: String,
    /// The commit that brought the bug.
    pub culprit: String,
    /// Its subject.
    pub culprit_subject: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Tags of both releases, oldest first; the oldest is the first commit, and without the bug.
    pub releases: [String; 2],
    /// The commit that brought the warning.
    pub stray: String,
    /// The first commit that does not build, and the first that builds again.
    pub unbuildable: (String, String),
    /// Every commit, oldest first.
    pub commits: Vec<String>,
    /// Subjects of changes that this tree has no place for.
    pub left_out: Vec<String>,
}

/// Why no history was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option is out of its range.
    #[error("the number of commits must be from {} to {}, not {wanted}", COMMITS.start(), COMMITS.end())]
    Commits {
        /// How many were wanted.
        wanted: usize,
    },
    /// The tree cannot be read.
    #[error("{}: {reason}", path.display())]
    Tree {
        /// Which file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something that must be planted has no place in this tree.
    #[error("this tree's {path} has no place for \"{step}\": its text is another than in Linux 6.1")]
    Place {
        /// The file.
        path: String,
        /// The subject of the change.
        step: String,
    },
    /// Too few of the changes have a place in this tree.
    #[error("this tree has places for {0} changes only, and {1} are needed for so many commits")]
    TooFew(usize, usize),
    /// The cache cannot be written.
    #[error("the cache {}: {reason}", path.display())]
    Cache {
        /// Which file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The repository could not be written.
    #[error("cannot write the history: {0}")]
    Git(#[from] git2::Error),
    /// The embedded series cannot be read.
    #[error(transparent)]
    Series(#[from] BadSeries),
}

impl Error {
    fn no_linux(path: &Path) -> Self {
        Self::Tree { path: path.to_owned(), reason: "is no Linux 6.1 or later".to_owned() }
    }
}

/// Writes a history into a new repository at `dir`, on top of `tree`: a folder with Linux's sources, or an archive that tar can
/// unpack. Nothing is checked out.
///
/// # Errors
///
/// Options out of range, a tree that is none or has no places for what is planted, and whatever git says.
pub fn write(tree: &Path, dir: &Path, options: &Options) -> Result<Planted, Error> {
    if !COMMITS.contains(&options.commits) {
        return Err(Error::Commits { wanted: options.commits });
    }
    let catalog = Catalog::new(options.wide)?;
    let people: Vec<&str> = sources::PEOPLE.lines().collect();
    let base = base::get(tree, &options.cache)?;
    let (possible, left_out) = possible(&base, &catalog, tree)?;
    let places = Places {
        culprit: catalog.planted("culprit"),
        stray: catalog.planted("stray"),
        broken: catalog.planted("break"),
        mend: catalog.planted("mend"),
        wide: catalog.wide().collect::<Vec<_>>().try_into().expect("there are two"),
    };
    let mut draw = Draw::new(options.seed);
    let mut pool: Vec<usize> = catalog.ordinary().filter(|step| possible.contains(step)).collect();
    // The last branch may take some more than are needed.
    if pool.len() < options.commits {
        return Err(Error::TooFew(pool.len(), options.commits));
    }
    for at in (1..pool.len()).rev() {
        pool.swap(at, draw.below(at + 1));
    }
    let plan = plan::plan(options.commits, &places, &pool, people.len(), &mut draw);
    let written = repo::write(dir, &base, &plan, &catalog, &people)?;
    let hash = |index: usize| written.commits[index].to_string();
    let at = |step: usize| plan.iter().position(|commit| commit.role == Role::Step(step)).expect("what is planted is taken");
    let culprit = at(places.culprit);
    Ok(Planted {
        start: hash(plan.len() - 1),
        culprit: hash(culprit),
        culprit_subject: catalog.name(places.culprit),
        parents: plan[culprit].parents.iter().map(|&parent| hash(parent)).collect(),
        releases: written.releases,
        stray: hash(at(places.stray)),
        unbuildable: (hash(at(places.broken)), hash(at(places.mend))),
        commits: (0..plan.len()).map(hash).collect(),
        left_out: left_out.into_iter().map(|step| catalog.name(step)).collect(),
    })
}

/// The steps that the tree has places for, and those that it has none for; what is planted must be among the former.
fn possible(base: &base::Base, catalog: &Catalog, tree: &Path) -> Result<(Vec<usize>, Vec<usize>), Error> {
    let repo = git2::Repository::open_bare(&base.repository)?;
    let root = repo.find_tree(base.tree)?;
    let text = |path: &str| -> Option<String> {
        let blob = repo.find_blob(root.get_path(Path::new(path)).ok()?.id()).ok()?;
        Some(String::from_utf8_lossy(blob.content()).into_owned())
    };
    let version = text("Makefile").and_then(|makefile| Makefile::read(&makefile));
    if version.is_none_or(|makefile| (makefile.version, makefile.patchlevel) < (6, 1)) {
        return Err(Error::no_linux(tree));
    }
    let has_place = |step: usize| {
        let steps = catalog.needs(step).into_iter().chain([step]).collect();
        catalog
            .step(step)
            .changes
            .iter()
            .all(|change| text(&change.path).is_some_and(|text| catalog.apply(&change.path, &steps, text).is_ok()))
    };
    let (possible, left_out): (Vec<usize>, Vec<usize>) = catalog.all().partition(|&step| has_place(step));
    match left_out.iter().find(|&&step| !catalog.ordinary().any(|ordinary| ordinary == step)) {
        None => Ok((possible, left_out)),
        Some(&step) => Err(Error::Place { path: catalog.step(step).changes[0].path.clone(), step: catalog.name(step) }),
    }
}
