//! How often each strategy names the right commit of 15,000, and what that costs, in simulation.
//!
//! `./x bench search [--quick | --runs N] [--only WORD] [--searcher WORD] [--range N] [--seed S] [--json FILE]`; 2,000 bisections a cell, 200 with
//! `--quick`; `--only` and `--searcher` take what is called so, or has the word in its name. Each cell is a world (rates and faults, see `kbisect simulate
//! --help`) that five searchers get with the same bugs:
//!
//! * `posterior`, kbisect's own with its default flake policy, two builders and ten machines, and the same with one builder;
//! * `syzkaller-2019` and `-2024`: git's choice with syzkaller's verdicts after a fixed number of trials, one commit after the other;
//! * `git-run` with one trial a commit and with ten; any crash is bad.
//!
//! A floor F holds when the lower end of the 95 % interval (Wilson) is not more than a point below it, a ceiling likewise. Below the
//! table stand the floors that are missed, and where kbisect is behind the rule of 2024.
//!
//! Two more tables, which `--only` knows as `calibration` and `robust-git-bisect`: whether what the search states is as often so in
//! worlds drawn from what it believes, and the benchmark of robust-git-bisect.

mod flips;
mod honesty;
mod worlds;

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use kbisect::config::job::Plugin;
use kbisect::simulate::Simulator;
use kbisect_core::bisector::Settings;
use kbisect_core::bisector::Strategy;
use kbisect_core::simulate::History;
use kbisect_core::simulate::Searcher;
use kbisect_core::simulate::Total;
use kbisect_core::simulate::Worth;
use kbisect_core::simulate::auc;
use kbisect_core::simulate::bins;
use serde_json::Value;
use serde_json::json;
use worlds::World;
use worlds::minutes;

/// A searcher: its name, who it is, its policy's settings, and how many builders it has.
const SEARCHERS: [(&str, Kind, usize); 6] = [
    ("posterior", Kind::Posterior, 2),
    ("  1 builder", Kind::Posterior, 1),
    ("syzkaller-2024", Kind::Syzkaller("2024"), 1),
    ("syzkaller-2019", Kind::Syzkaller("2019"), 1),
    ("git-run:10", Kind::GitRun(10), 1),
    ("git-run:1", Kind::GitRun(1), 1),
];

const SETTINGS: Settings = Settings { strategy: Strategy::Posterior, delta: 0.01, trust_good: false, single_trials: false };

#[derive(Clone, Copy)]
enum Kind {
    Posterior,
    Syzkaller(&'static str),
    GitRun(u32),
}

impl Kind {
    fn searcher(self) -> Searcher {
        match self {
            Self::Posterior => Searcher::Bisector(SETTINGS),
            Self::Syzkaller(_) => Searcher::Serial,
            Self::GitRun(trials) => Searcher::GitRun(trials),
        }
    }

    fn policy(self) -> Plugin {
        match self {
            Self::Syzkaller(era) => Plugin { settings: json!({ "era": era }), ..Plugin::bundled("syzkaller-rule") },
            Self::Posterior | Self::GitRun(_) => Plugin::bundled("sequential"),
        }
    }
}

struct Options {
    runs: u64,
    only: String,
    searcher: String,
    range: usize,
    seed: u64,
    json: Option<String>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self { runs: 2000, only: String::new(), searcher: String::new(), range: 15_000, seed: 1, json: None };
        let mut args = env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
            match arg.as_str() {
                // cargo's own.
                "--bench" => {}
                "--quick" => options.runs = 200,
                "--runs" => options.runs = number(value()?)?.max(1),
                "--only" => options.only = value()?,
                "--searcher" => options.searcher = value()?,
                "--range" => options.range = number(value()?)? as usize,
                "--seed" => options.seed = number(value()?)?,
                "--json" => options.json = Some(value()?),
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
            eprintln!("search: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let history = History::linear(options.range).map_err(|error| error.to_string())?;
    let simulator = Simulator::new().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let mut table = Table {
        options,
        history: &history,
        simulator: &simulator,
        cells: Vec::new(),
        missed: Vec::new(),
        unchecked: 0,
        plain: Vec::new(),
    };
    table.fill()?;
    let Table { cells, mut missed, unchecked, .. } = table;
    let (mut calibration, mut robust) = (Value::Null, Value::Null);
    if honesty::NAME.contains(&options.only) {
        let runs = (honesty::RUNS * options.runs as f64) as u64;
        let (figures, more) = honesty::run(&simulator, SETTINGS, runs, options.seed)?;
        calibration = figures;
        missed.extend(more);
    }
    if flips::NAME.contains(&options.only)
        && let Some((figures, more)) = flips::run(&simulator, options.runs, options.seed)?
    {
        robust = figures;
        missed.extend(more);
    }
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!("\n{minutes:.1} minutes; {}", if missed.is_empty() { "all bounds that were checked hold" } else { "missed:" });
    missed.iter().for_each(|line| println!("  {line}"));
    if unchecked > 0 {
        println!(
            "the bounds of {unchecked} worlds were not checked: that needs kbisect with two builders and one, and the rule of 2024"
        );
    }
    if let Some(file) = &options.json {
        let figures = json!({ "schema": 1, "cells": cells, "calibration": calibration, "robust_git_bisect": robust });
        fs::write(file, format!("{figures:#}\n")).map_err(|error| format!("cannot write {file}: {error}"))?;
    }
    Ok(())
}

/// The table of the worlds, as far as it is filled.
struct Table<'a> {
    options: &'a Options,
    history: &'a History,
    simulator: &'a Simulator,
    cells: Vec<Value>,
    missed: Vec<String>,
    /// Worlds whose bounds were not checked, as a searcher was left out.
    unchecked: u32,
    /// The posterior's totals in worlds without faults or priors, by r and u.
    plain: Vec<((f64, f64), Total)>,
}

impl Table<'_> {
    fn fill(&mut self) -> Result<(), String> {
        let mut worlds = worlds::ALL.iter().filter(|world| world.name.contains(&self.options.only)).peekable();
        if worlds.peek().is_some() {
            let Options { range, runs, seed, .. } = self.options;
            println!("{range} commits, {runs} bisections a cell, 10 machines; seed {seed}\n");
            println!(
                "{:<20}{:<16}{:>7}{:>9}{:>7}{:>9}{:>7}{:>7}{:>8}{:>7}{:>8}{:>9}{:>8}{:>9}",
                "world",
                "searcher",
                "right",
                "two-way",
                "set",
                "not-mono",
                "wrong",
                "none",
                "stated",
                "apart",
                "trials",
                "commits",
                "builds",
                "minutes"
            );
        }
        for world in worlds {
            let missed = if world.is_about_priors { self.with_prior(world)? } else { self.against_others(world)? };
            self.missed.extend(missed.into_iter().map(|why| format!("{}: {why}", world.name)));
        }
        Ok(())
    }

    fn against_others(&mut self, world: &World) -> Result<Vec<String>, String> {
        let wanted = &self.options.searcher;
        let exact = SEARCHERS.iter().any(|(name, ..)| name.trim() == wanted);
        let asked = |name: &str| name.trim() == wanted || !exact && name.contains(wanted);
        let mut totals = Vec::new();
        for (name, kind, builders) in SEARCHERS.into_iter().filter(|(name, ..)| asked(name)) {
            let total = self.total(world, kind, builders)?;
            self.row(if totals.is_empty() { world.name } else { "" }, world, name, builders, &total);
            totals.push(total);
        }
        if world.fault.is_none() && world.false_alarm == 0.0 && asked(SEARCHERS[0].0) {
            self.plain.push(((world.repro, world.stray), totals[0].clone()));
        }
        let [two, one, rule, ..] = &totals[..] else {
            self.unchecked += 1;
            return Ok(Vec::new());
        };
        if let Some((why, runs)) = two.stuck() {
            self.missed.push(format!("{}: {runs} runs did not come to an end: {why}", world.name));
        }
        Ok(world.missed(two, one, rule))
    }

    fn with_prior(&mut self, world: &World) -> Result<Vec<String>, String> {
        let with = self.total(world, Kind::Posterior, 2)?;
        self.row(world.name, world, "posterior", 2, &with);
        let key = (world.repro, world.stray);
        if !self.plain.iter().any(|(of, _)| *of == key) {
            let plain = World { hunch: None, ..*world };
            let total = self.total(&plain, Kind::Posterior, 2)?;
            self.row("", &plain, "  no prior", 2, &total);
            self.plain.push((key, total));
        }
        let without = self.plain.iter().find(|(of, _)| *of == key).map(|(_, total)| total);
        Ok(without.map(|without| world.missed_with_prior(&with, without)).unwrap_or_default())
    }

    fn total(&self, world: &World, kind: Kind, builders: usize) -> Result<Total, String> {
        let faults = world.faults();
        let cell = world.cell(self.history, &faults, kind.searcher(), builders);
        let Options { runs, seed, .. } = *self.options;
        self.simulator.total(&cell, &kind.policy(), runs, seed, &|| {}).map_err(|error| error.to_string())
    }

    /// Prints a row, and keeps its figures.
    fn row(&mut self, shown: &str, world: &World, name: &str, builders: usize, total: &Total) {
        let share = |worth| 100.0 * total.share(&[worth]);
        let names = total.honesty();
        let stated = names.map_or(String::new(), |names| format!("{:.1}", 100.0 * names.stated));
        let apart = names.map_or(String::new(), |names| format!("{:+.1}", 100.0 * (names.stated - names.seen)));
        println!(
            "{shown:<20}{name:<16}{:>7.1}{:>9.1}{:>7.1}{:>9.1}{:>7.1}{:>7.1}{stated:>8}{apart:>7}{:>8.1}{:>9.1}{:>8.1}{:>9.0}",
            share(Worth::Right),
            share(Worth::TwoWay),
            share(Worth::Set),
            share(Worth::NotMonotone),
            share(Worth::Wrong),
            share(Worth::None),
            total.mean(|run| run.trials.into()),
            total.mean(|run| run.commits.into()),
            total.mean(|run| run.builds.into()),
            minutes(total),
        );
        self.cells.push(to_json(world, name.trim(), builders, self.options, total));
    }
}

fn to_json(world: &World, searcher: &str, builders: usize, options: &Options, total: &Total) -> Value {
    let share = |worth| total.share(&[worth]);
    let names = total.honesty();
    let introduced = total.introduced();
    json!({
        "world": world.name, "repro": world.repro, "stray": world.stray, "false_alarm": world.false_alarm, "fault": world.fault,
        "suspicion": world.hunch.map(|hunch| hunch.to_string()),
        "searcher": searcher, "builders": builders, "range": options.range, "runs": options.runs, "seed": options.seed,
        "right": share(Worth::Right), "two_way": share(Worth::TwoWay), "set": share(Worth::Set),
        "not_monotone": share(Worth::NotMonotone), "wrong": share(Worth::Wrong), "none": share(Worth::None),
        "wilson_low": total.interval(worlds::RIGHT).0, "stated": names.map(|names| names.stated),
        "stated_minus_right": names.map(|names| names.stated - names.seen),
        "set_median": total.set_median(), "most_inside": total.most_inside(), "introduced_auc": auc(&introduced),
        "introduced_bins": bins(&introduced, 5).iter().map(honesty::to_json).collect::<Vec<Value>>(),
        "trials": total.mean(|run| run.trials.into()), "commits": total.mean(|run| run.commits.into()),
        "builds_begun": total.mean(|run| run.builds.into()), "wall_minutes": minutes(total),
    })
}
