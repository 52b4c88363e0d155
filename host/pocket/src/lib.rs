//! Writes the history of a small kernel, with a bug planted in it, to bisect.
//!
//! The *pocket kernel* is freestanding C and assembly for x86-64: cooperative tasks drawn at yield points, a slab allocator with
//! KASAN, reference counts, mutexes with an order checker, a watchdog, and little subsystems on top. It boots in QEMU by the PVH
//! protocol, prints a Linux-like console on the first serial port and speaks kbisect's control protocol on the second. Its sources
//! are in `kernel/`, the steps of its history in `history/`.
//!
//! [`write()`] puts the steps into an order, on a mainline and on branches that are merged, and plants
//! - a culprit, one of six [`Kind`]s of race, whose rate follows from how many yield points its window has,
//! - a stray, a race in another subsystem that is much narrower, over most of the history,
//! - a second bug, a race in yet another function with a rate of its own, which some commits before the culprit have and some
//!   after it, and whose crash is of another family than the culprit's,
//! - a stretch that does not build, and one that does not boot.
//!
//! The seed of a trial chooses the schedule and nothing else: no source reads it, a rate or a commit's number to decide to crash.
//!
//! This crate owns what the history is. It builds, boots and judges nothing.

mod catalog;
mod draw;
mod driver;
mod job;
mod kind;
mod message;
mod people;
mod plan;
mod repo;
mod series;
mod sources;
mod step;
mod template;
mod window;

use std::path::Path;

pub use catalog::BadFile;
pub use catalog::BadSource;
pub use draw::Draw;
pub use job::Job;
pub use job::job_toml;
pub use job::quoted;
pub use kind::Kind;

use catalog::Catalog;
use people::People;
use plan::Event;
use plan::RELEASES;
use series::Pool;
use window::Window;

/// What history to write. Equal options give equal hashes.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Chooses everything that is not fixed by the other options.
    pub seed: u64,
    /// Share of schedules that show the culprit's bug, above 0 and at most 1.
    pub repro_rate: f64,
    /// Share of schedules that show the stray, from 0 (there is none) to 1.
    pub stray_rate: f64,
    /// Share of schedules that show the second bug, from 0 (there is none) to 1.
    pub second_rate: f64,
    /// Number of commits, from 60 to 1000.
    pub commits: usize,
    /// The culprit's kind; none: the seed chooses.
    pub kind: Option<Kind>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, repro_rate: 0.7, stray_rate: 0.05, second_rate: 0.5, commits: 400, kind: None }
    }
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
    /// What bug it is.
    pub kind: Kind,
    /// Titles of the crash.
    pub titles: Vec<String>,
    /// Tags of all releases, oldest first.
    pub releases: Vec<String>,
    /// Those without the bug, oldest first; never empty.
    pub good: Vec<String>,
    /// The bug that shows now and then, over most of the history.
    pub stray: Option<Stray>,
    /// The bug that shows often, over part of it. The newest commit does not have it: it could not be told there which of two
    /// frequent crashes is meant.
    pub second: Option<Stray>,
    /// The stretch that does not build.
    pub unbuildable: Stretch,
    /// The stretch that does not boot.
    pub unbootable: Stretch,
    /// How many commits were written.
    pub commits: usize,
}

/// A bug that has nothing to do with the culprit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// What bug it is.
    pub kind: Kind,
    /// The commit that brought it, before the culprit.
    pub introduced: String,
    /// The commit that mended it, after the culprit; none: it is there to the end.
    pub mended: Option<String>,
}

/// Commits that fail: those that contain `from` but not `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The first that fails.
    pub from: String,
    /// The first that works again.
    pub until: String,
}

/// Why no history was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option is out of its range.
    #[error("{name} must be {range}, not {value}")]
    Option {
        /// Which.
        name: &'static str,
        /// What it may be.
        range: &'static str,
        /// What it is.
        value: String,
    },
    /// The repository could not be written.
    #[error("cannot write the history: {0}")]
    Git(#[from] git2::Error),
    /// The embedded sources do not fit together.
    #[error("the sources of the pocket kernel are wrong: {0}")]
    Source(#[from] BadSource),
}

/// Steps of what is planted, and where.
struct Planting {
    kind: Kind,
    culprit: usize,
    stray: Option<(Kind, usize, Option<usize>)>,
    second: Option<(Kind, usize, usize)>,
    build: (usize, usize),
    boot: (usize, usize),
    events: Vec<(usize, Event)>,
}

/// Writes a history into a new repository at `dir`, which must not hold one already; its newest commit is checked out.
///
/// # Errors
///
/// Options out of range, and whatever git says.
pub fn write(dir: &Path, options: &Options) -> Result<Planted, Error> {
    check(options)?;
    let mut draw = Draw::new(options.seed);
    let mut catalog = Catalog::new()?;
    // Merges are about one commit in seven.
    let mut pool = Pool::new(&mut catalog, options.commits * 6 / 7)?;
    let people = People::parse(sources::MAINTAINERS, sources::CREDITS);
    let planting = plant(&mut catalog, options, &mut draw)?;
    let plan = plan::plan(&mut catalog, &mut pool, &people, &planting.events, options.commits, &mut draw)?;
    catalog.link()?;
    let written = repo::write(dir, &plan, &catalog, &pool, &people, &mut draw)?;

    let hash = |step: usize| written.by_step[&step].to_string();
    let head = plan.commits.last().expect("a plan has a root");
    let releases: Vec<(usize, usize)> = plan
        .commits
        .iter()
        .enumerate()
        .filter_map(|(index, commit)| match commit.role {
            plan::Role::Release(number, _) => Some((number, index)),
            _ => None,
        })
        .collect();
    let tag = |number: usize| format!("v1.{number}");
    let without = releases.iter().filter(|&&(_, index)| !plan.commits[index].taken.has(planting.culprit));
    debug_assert!(head.taken.has(planting.culprit), "the newest commit has the bug");
    Ok(Planted {
        start: written.commits[written.commits.len() - 1].to_string(),
        culprit: hash(planting.culprit),
        culprit_subject: catalog.step(planting.culprit).subject.clone(),
        kind: planting.kind,
        titles: vec![planting.kind.title().to_owned()],
        releases: releases.iter().map(|&(number, _)| tag(number)).collect(),
        good: without.map(|&(number, _)| tag(number)).collect(),
        stray: planting.stray.map(|(kind, bug, fix)| Stray { kind, introduced: hash(bug), mended: fix.map(hash) }),
        second: planting.second.map(|(kind, bug, fix)| Stray { kind, introduced: hash(bug), mended: Some(hash(fix)) }),
        unbuildable: Stretch { from: hash(planting.build.0), until: hash(planting.build.1) },
        unbootable: Stretch { from: hash(planting.boot.0), until: hash(planting.boot.1) },
        commits: plan.commits.len(),
    })
}

fn check(options: &Options) -> Result<(), Error> {
    let fault = |name, range, value: String| Err(Error::Option { name, range, value });
    if !(60..=1000).contains(&options.commits) {
        return fault("the number of commits", "from 60 to 1000", options.commits.to_string());
    }
    if !(options.repro_rate > 0.0 && options.repro_rate <= 1.0) {
        return fault("the rate of the bug", "above 0 and at most 1", options.repro_rate.to_string());
    }
    if !(0.0..=1.0).contains(&options.stray_rate) {
        return fault("the rate of the stray", "from 0 to 1", options.stray_rate.to_string());
    }
    if !(0.0..=1.0).contains(&options.second_rate) {
        return fault("the rate of the second bug", "from 0 to 1", options.second_rate.to_string());
    }
    Ok(())
}

/// Chooses what is planted and where, and gives the windows their widths.
fn plant(catalog: &mut Catalog, options: &Options, draw: &mut Draw) -> Result<Planting, Error> {
    let kind = options.kind.unwrap_or(*draw.pick(&Kind::ALL));
    let others: Vec<Kind> = Kind::ALL.into_iter().filter(|other| other.topic() != kind.topic()).collect();
    // A crash that says clearly that it is another bug's. Two of one family are told apart less surely, and what is named then
    // depends on whether they are taken for one.
    let foreign: Vec<Kind> = others.iter().copied().filter(|other| other.family() != kind.family()).collect();
    let second = (options.second_rate > 0.0).then(|| *draw.pick(&foreign));
    let others: Vec<Kind> = others.into_iter().filter(|other| Some(*other) != second).collect();
    let stray = (options.stray_rate > 0.0).then(|| (*draw.pick(&others), draw.chance(0.5)));
    set_width(catalog, kind, Window::for_rate(options.repro_rate));
    let mut wanted = vec![kind.steps().0, "build-broken", "build-fixed", "boot-broken", "boot-fixed"];
    if let Some((stray, mended)) = stray {
        set_width(catalog, stray, Window::for_rate(options.stray_rate));
        wanted.push(stray.steps().0);
        wanted.extend(mended.then_some(stray.steps().1));
    }
    if let Some(second) = second {
        set_width(catalog, second, Window::for_rate(options.second_rate));
        wanted.extend([second.steps().0, second.steps().1]);
    }
    let series = step::parse(sources::PLANTED).map_err(|bad| BadSource::Series("planted".to_owned(), bad.into()))?;
    for step in series.into_iter().filter(|step| wanted.contains(&step.id.as_str())) {
        catalog.add_step(step);
    }

    let find = |id: &str| catalog.find(id);
    let culprit = find(kind.steps().0)?;
    let build = (find("build-broken")?, find("build-fixed")?);
    let boot = (find("boot-broken")?, find("boot-fixed")?);
    let stray = match stray {
        Some((kind, mended)) => Some((kind, find(kind.steps().0)?, mended.then(|| find(kind.steps().1)).transpose()?)),
        None => None,
    };
    let second = match second {
        Some(kind) => Some((kind, find(kind.steps().0)?, find(kind.steps().1)?)),
        None => None,
    };

    let at = |share: f64| ((share * options.commits as f64) as usize).max(2);
    let culprit_at = 0.32 + 0.42 * draw.unit();
    let on_branch = draw.chance(0.5);
    let (mut before, mut after) = (build, boot);
    if draw.chance(0.5) {
        std::mem::swap(&mut before, &mut after);
    }
    // Close enough for a search to come by, far enough that the culprit's own parents work.
    let mut near = || 0.05 + 0.05 * draw.unit();
    let before_at = culprit_at - near();
    let after_at = culprit_at + near();
    let stretches = [(before, at(before_at - 0.035), at(before_at)), (after, at(after_at), at(after_at + 0.035))];
    let mut events: Vec<(usize, Event)> = Vec::new();
    for ((breaks, mends), from, until) in stretches {
        events.extend([(from, Event::Break(breaks)), (until, Event::Mend(mends))]);
    }
    // Nothing is released or planted where commits fail.
    let mut place = |share: f64, event: Event| {
        let stretch = stretches.iter().find(|&&(_, from, until)| (from..until).contains(&at(share)));
        events.push((stretch.map_or(at(share), |&(_, _, until)| until), event));
    };
    place(culprit_at, if on_branch { Event::PlantOnBranch(culprit, kind.topic()) } else { Event::Plant(culprit) });
    if let Some((_, bug, fix)) = stray {
        place(0.08 + 0.12 * draw.unit(), Event::Plant(bug));
        if let Some(fix) = fix {
            place(0.89 + 0.07 * draw.unit(), Event::Plant(fix));
        }
    }
    if let Some((_, bug, fix)) = second {
        // On both sides of the culprit: it hides the culprit's bug at bad commits, and looks like one at good ones.
        place(culprit_at - 0.06 - 0.14 * draw.unit(), Event::Plant(bug));
        place(culprit_at + 0.06 + 0.12 * draw.unit(), Event::Plant(fix));
    }
    for number in 0..RELEASES {
        place(0.03 + 0.15 * number as f64, Event::Release(number));
    }
    events.sort_by_key(|&(at, _)| at);
    Ok(Planting { kind, culprit, stray, second, build, boot, events })
}

fn set_width(catalog: &mut Catalog, kind: Kind, window: Window) {
    let (inside, before) = kind.constants();
    catalog.set_default(inside, &window.inside.to_string());
    catalog.set_default(before, &window.before.to_string());
}
