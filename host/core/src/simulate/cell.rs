//! Runs of one kind: how one is made, held against the truth, and many are counted.

use super::calibration::Bin;
use super::calibration::Said;
use super::calibration::bins;
use super::dice::Dice;
use super::fault::Fault;
use super::history::History;
use super::hunch::Hunch;
use super::lab::Lab;
use super::policy::AnyCrash;
use super::policy::FlakePolicy;
use super::search;
use super::search::Ended;
use super::search::Stuck;
use super::serial;
use super::serial::Choices;
use super::world::Chances;
use super::world::Truth;
use super::world::World;
use crate::bisector::Conclusion;
use crate::bisector::Settings;
use crate::bisector::Suspect;
use crate::commit::CommitId;

/// Who searches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Searcher {
    /// The real search, with a flake policy.
    Bisector(Settings),
    /// `git bisect` in the hands of a flake policy that judges one commit after the other; both ends are tested first.
    Serial,
    /// `git bisect run` with a loop of so many trials; any crash is bad.
    GitRun(u32),
}

/// One kind of run: everything but chance.
#[derive(Debug, Clone)]
pub struct Cell<'a> {
    /// What is searched.
    pub history: &'a History,
    /// Chances that hold everywhere.
    pub chances: Chances,
    /// What goes wrong beside.
    pub faults: &'a [Fault],
    /// What a suspicion plugin knows; none: there is none.
    pub hunch: Option<Hunch>,
    /// Who searches.
    pub searcher: Searcher,
    /// With what.
    pub lab: Lab,
}

impl Cell<'_> {
    /// Makes run number `run` of those of `seed`. The same two numbers give the same world to every searcher.
    ///
    /// # Errors
    ///
    /// If the search does not come to an end.
    pub fn run(&self, seed: u64, run: u64, policy: &mut dyn FlakePolicy, choices: &mut Choices) -> Result<Counted, Stuck> {
        let Self { history, chances, faults, hunch, searcher, lab } = self;
        let mut world = World::new(history, *chances, faults, Dice::of_run(seed, run));
        // With dice of its own, so that the world is the same with and without it.
        world.suspicion = hunch.map(|hunch| hunch.weights(history, &world.truth, Dice::of_run(!seed, run)));
        let ended = match *searcher {
            Searcher::Bisector(settings) => search::run(history, &mut world, policy, settings, lab)?,
            Searcher::Serial => serial::run_serially(history, &mut world, policy, lab, true, choices)?,
            Searcher::GitRun(trials) => serial::run_serially(history, &mut world, &mut AnyCrash { trials }, lab, false, choices)?,
        };
        Ok(Counted::new(history, &world, &ended))
    }
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// The truth, outright.
    Right,
    /// The truth under one of two stated readings of crashes that may be the same bug.
    TwoWay,
    /// A set of commits that holds the truth.
    Set,
    /// That no single commit explains what was seen.
    NotMonotone,
    /// No answer.
    None,
    /// Something else than the truth.
    Wrong,
}

/// How one run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// What the answer is worth.
    pub worth: Worth,
    /// The probability that was stated with a name.
    pub stated: Option<f64>,
    /// The probability that was stated with a name of having introduced the bug, were it where the crash begins to show; and whether
    /// it has.
    pub introduced: Option<Said>,
    /// Commits in a set that was named, over those that cannot be told apart whatever is tried.
    pub set: Option<f64>,
    /// Tested commits that cannot be tested.
    pub inside: u32,
    /// Trials that were started.
    pub trials: u32,
    /// Commits tested.
    pub commits: u32,
    /// Builds begun.
    pub builds: u32,
    /// Minutes on the clock.
    pub minutes: f64,
}

impl Counted {
    /// Holds an ended run against the truth.
    fn new(history: &History, world: &World, ended: &Ended) -> Self {
        let is = |commit: CommitId| history.graph.node(&commit).is_some_and(|node| world.truth.is(node));
        let holds = |suspects: &[Suspect]| suspects.iter().any(|suspect| is(suspect.commit));
        let leads = |suspects: &[Suspect]| suspects.first().is_some_and(|suspect| is(suspect.commit));
        let (mut stated, mut set) = (None, None);
        let worth = match &ended.conclusion {
            _ if ended.not_monotone => Worth::NotMonotone,
            Conclusion::Found { suspects } => {
                stated = suspects.first().map(|suspect| suspect.probability);
                if leads(suspects) { Worth::Right } else { Worth::Wrong }
            }
            Conclusion::Inconclusive { readings, .. } if readings.len() > 1 => {
                if readings.iter().take(2).any(|reading| leads(&reading.suspects)) {
                    Worth::TwoWay
                } else if readings.iter().any(|reading| holds(&reading.suspects)) {
                    Worth::Set
                } else {
                    Worth::Wrong
                }
            }
            Conclusion::Inconclusive { suspects, .. } => {
                // The stretch and the commit behind it.
                set = Some(suspects.len() as f64 / (world.untestable() + 1) as f64);
                if holds(suspects) { Worth::Set } else { Worth::Wrong }
            }
            Conclusion::OldestStillBad { .. } if world.truth == Truth::Older => Worth::Right,
            Conclusion::OldestStillBad { .. } => Worth::Wrong,
            Conclusion::NotReproduced | Conclusion::NewestStillBad { .. } | Conclusion::CannotSearch { .. } => Worth::None,
        };
        Self {
            worth,
            stated,
            introduced: ended.introduced(history, &world.truth),
            set,
            inside: ended.tested.iter().filter(|&&node| world.is_untestable(node)).count() as u32,
            trials: ended.trials,
            commits: ended.tested.len() as u32,
            builds: ended.builds,
            minutes: ended.minutes,
        }
    }
}

/// The commit that is named, if one is.
pub(super) fn named(conclusion: &Conclusion) -> Option<&Suspect> {
    if let Conclusion::Found { suspects } = conclusion { suspects.first() } else { None }
}

impl Ended {
    /// What was stated with a name of having introduced the bug, were it where the crash begins to show.
    pub(super) fn introduced(&self, history: &History, truth: &Truth) -> Option<Said> {
        let (credence, named) = self.credence.as_ref().zip(named(&self.conclusion))?;
        let so = history.graph.node(&named.commit).is_some_and(|node| truth.introduced(node));
        Some(Said { stated: credence.introduced.chance, so })
    }
}

/// Many runs of one cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Total {
    runs: Vec<Counted>,
    /// Runs that did not come to an end.
    stuck: u32,
    /// Why the first of them did not.
    why_stuck: Option<String>,
}

impl Total {
    /// Counts one run more.
    pub fn add(&mut self, run: Result<Counted, Stuck>) {
        match run {
            Ok(counted) => self.runs.push(counted),
            Err(stuck) => {
                self.stuck += 1;
                self.why_stuck.get_or_insert_with(|| stuck.to_string());
            }
        }
    }

    /// Why the first run that did not come to an end did not, and how many there are.
    pub fn stuck(&self) -> Option<(&str, u32)> {
        Some((self.why_stuck.as_deref()?, self.stuck))
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.runs.len() + self.stuck as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn count(&self, worth: &[Worth]) -> usize {
        let stuck = if worth.contains(&Worth::None) { self.stuck as usize } else { 0 };
        self.runs.iter().filter(|run| worth.contains(&run.worth)).count() + stuck
    }

    /// The share of runs with an answer worth one of these.
    pub fn share(&self, worth: &[Worth]) -> f64 {
        self.count(worth) as f64 / self.len().max(1) as f64
    }

    /// Wilson's 95 % interval of that share.
    pub fn interval(&self, worth: &[Worth]) -> (f64, f64) {
        wilson(self.count(worth), self.len())
    }

    /// The mean of something over the runs that ended.
    pub fn mean(&self, of: impl Fn(&Counted) -> f64) -> f64 {
        self.runs.iter().map(of).sum::<f64>() / self.runs.len().max(1) as f64
    }

    /// What was stated with names, against how many of these names are right; none without a name.
    pub fn honesty(&self) -> Option<Bin> {
        let said = |run: &Counted| Some(Said { stated: run.stated?, so: run.worth == Worth::Right });
        bins(&self.runs.iter().filter_map(said).collect::<Vec<Said>>(), 1).pop()
    }

    /// What was stated with names of having introduced the bug.
    pub fn introduced(&self) -> Vec<Said> {
        self.runs.iter().filter_map(|run| run.introduced).collect()
    }

    /// The median size of the sets that were named, as a multiple of the smallest possible one.
    pub fn set_median(&self) -> Option<f64> {
        let mut sets: Vec<f64> = self.runs.iter().filter_map(|run| run.set).collect();
        sets.sort_unstable_by(f64::total_cmp);
        sets.get(sets.len() / 2).copied()
    }

    /// The most commits inside an untestable stretch that a run tested.
    pub fn most_inside(&self) -> u32 {
        self.runs.iter().map(|run| run.inside).max().unwrap_or(0)
    }
}

/// Wilson's 95 % interval of a share (E. B. Wilson, "Probable inference", 1927).
pub fn wilson(hits: usize, of: usize) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let (middle, half) = (p + Z * Z / (2.0 * n), Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt());
    let scale = 1.0 + Z * Z / n;
    (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
}
