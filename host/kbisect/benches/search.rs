//! How often each strategy names the right commit of 15,000, and what that costs, in simulation.
//!
//! `./x bench search [--quick | --runs N] [--only WORD] [--range N] [--seed S] [--json FILE]`; 2,000 bisections a cell, 200 with
//! `--quick`. Each cell is a world (rates and faults, see `kbisect simulate --help`) that five searchers get with the same bugs:
//!
//! * `posterior`, kbisect's own with its default flake policy, two builders and ten machines, and the same with one builder;
//! * `syzkaller-2019` and `-2024`: git's choice with syzkaller's verdicts after a fixed number of trials, one commit after the other;
//! * `git-run` with one trial a commit and with ten; any crash is bad.
//!
//! A floor F holds when the lower end of the 95 % interval (Wilson) is not more than a point below it, a ceiling likewise. Below the
//! table stand the floors that are missed, and where kbisect is behind the rule of 2024.

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use kbisect::config::job::Plugin;
use kbisect::simulate::Simulator;
use kbisect_core::bisector::Settings;
use kbisect_core::bisector::Strategy;
use kbisect_core::simulate::Cell;
use kbisect_core::simulate::Chances;
use kbisect_core::simulate::Fault;
use kbisect_core::simulate::History;
use kbisect_core::simulate::Lab;
use kbisect_core::simulate::Searcher;
use kbisect_core::simulate::Total;
use kbisect_core::simulate::Worth;
use serde_json::Value;
use serde_json::json;

/// How far the end of an interval may lie on the wrong side of a floor or ceiling.
const MARGIN: f64 = 0.01;
const RIGHT: &[Worth] = &[Worth::Right];
const RIGHT_OR_TWO_WAY: &[Worth] = &[Worth::Right, Worth::TwoWay];
const RIGHT_OR_SET: &[Worth] = &[Worth::Right, Worth::Set];
const WRONG: &[Worth] = &[Worth::Wrong];

/// A bound that the posterior must keep to.
#[derive(Clone, Copy)]
enum Bound {
    /// At least this share is worth one of these.
    Floor(&'static [Worth], f64),
    /// At most.
    Ceiling(&'static [Worth], f64),
    /// Median size of the named sets, against the smallest possible.
    Set(f64),
    /// Commits tested inside an untestable stretch.
    Inside(u32),
    /// Wall-clock against the rule of 2024, with two builders and with one, and trials.
    Cost(f64, f64, f64),
}

/// A world, and what the posterior must do in it.
struct World {
    name: &'static str,
    repro: f64,
    stray: f64,
    false_alarm: f64,
    fault: Option<&'static str>,
    bounds: &'static [Bound],
}

const fn plain(name: &'static str, repro: f64, stray: f64, bounds: &'static [Bound]) -> World {
    World { name, repro, stray, false_alarm: 0.0, fault: None, bounds }
}

const fn faulty(name: &'static str, repro: f64, fault: &'static str, bounds: &'static [Bound]) -> World {
    World { name, repro, stray: 0.005, false_alarm: 0.0, fault: Some(fault), bounds }
}

use Bound::Ceiling;
use Bound::Cost;
use Bound::Floor;

const COST: Bound = Cost(0.62, 0.70, 0.8);

const WORLDS: &[World] = &[
    plain("r=.95 u=.5%", 0.95, 0.005, &[Floor(RIGHT, 0.99), COST]),
    plain("r=.95 u=2%", 0.95, 0.02, &[Floor(RIGHT, 0.99), COST]),
    plain("r=.5 u=.5%", 0.5, 0.005, &[Floor(RIGHT, 0.98), COST]),
    plain("r=.3 u=.5%", 0.3, 0.005, &[Floor(RIGHT, 0.97)]),
    plain("r=.2 u=1%", 0.2, 0.01, &[Floor(RIGHT, 0.95)]),
    plain("r=.1 u=.5%", 0.1, 0.005, &[Floor(RIGHT, 0.80), Ceiling(WRONG, 0.03)]),
    World { false_alarm: 0.01, ..plain("r=.7 f=1%", 0.7, 0.005, &[Floor(RIGHT, 0.97), Ceiling(WRONG, 0.02)]) },
    World { false_alarm: 0.03, ..plain("r=.7 f=3%", 0.7, 0.005, &[Floor(RIGHT, 0.95), Ceiling(WRONG, 0.02)]) },
    faulty("second-bug r=.95", 0.95, "second-bug", &[Floor(RIGHT, 0.94), Floor(RIGHT_OR_TWO_WAY, 0.98), Ceiling(WRONG, 0.01)]),
    faulty("second-bug r=.5", 0.5, "second-bug", &[Floor(RIGHT, 0.91), Floor(RIGHT_OR_TWO_WAY, 0.97), Ceiling(WRONG, 0.01)]),
    faulty("second-bug r=.3", 0.3, "second-bug", &[Floor(RIGHT, 0.86), Floor(RIGHT_OR_TWO_WAY, 0.94), Ceiling(WRONG, 0.01)]),
    faulty("title-drift r=.95", 0.95, "title-drift", &[Floor(RIGHT, 0.79), Floor(RIGHT_OR_TWO_WAY, 0.97), Ceiling(WRONG, 0.01)]),
    faulty("title-drift r=.5", 0.5, "title-drift", &[Floor(RIGHT, 0.78), Floor(RIGHT_OR_TWO_WAY, 0.99), Ceiling(WRONG, 0.01)]),
    faulty("untestable:outside", 0.95, "untestable:outside", &[Floor(RIGHT, 0.98), Bound::Inside(12)]),
    faulty("untestable:inside", 0.95, "untestable:inside", &[Floor(RIGHT_OR_SET, 0.97), Bound::Set(1.2), Bound::Inside(12)]),
    faulty("exposure", 0.95, "exposure", &[Floor(RIGHT, 0.98)]),
    faulty("era .95 to .3", 0.95, "era:0.3", &[]),
    faulty("infra 10%", 0.95, "infra:0.1", &[]),
    faulty("correlated 2%", 0.95, "correlated", &[]),
    faulty("older", 0.95, "older", &[]),
    faulty("reintroduced", 0.95, "reintroduced", &[]),
];

/// A searcher: its name, who it is, its policy's settings, and how many builders it has.
const SEARCHERS: [(&str, Kind, usize); 6] = [
    ("posterior", Kind::Posterior, 2),
    ("  1 builder", Kind::Posterior, 1),
    ("syzkaller-2024", Kind::Syzkaller("2024"), 1),
    ("syzkaller-2019", Kind::Syzkaller("2019"), 1),
    ("git-run:10", Kind::GitRun(10), 1),
    ("git-run:1", Kind::GitRun(1), 1),
];

#[derive(Clone, Copy)]
enum Kind {
    Posterior,
    Syzkaller(&'static str),
    GitRun(u32),
}

impl Kind {
    fn searcher(self) -> Searcher {
        match self {
            Self::Posterior => Searcher::Bisector(Settings {
                strategy: Strategy::Posterior,
                delta: 0.01,
                trust_good: false,
                single_trials: false,
            }),
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
    range: usize,
    seed: u64,
    json: Option<String>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self { runs: 2000, only: String::new(), range: 15_000, seed: 1, json: None };
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
    println!("{} commits, {} bisections a cell, 10 machines; seed {}\n", options.range, options.runs, options.seed);
    println!(
        "{:<20}{:<16}{:>7}{:>9}{:>7}{:>7}{:>7}{:>8}{:>8}{:>9}{:>8}{:>9}",
        "world", "searcher", "right", "two-way", "set", "wrong", "none", "stated", "trials", "commits", "builds", "minutes"
    );
    let (mut missed, mut cells) = (Vec::new(), Vec::new());
    for world in WORLDS.iter().filter(|world| world.name.contains(&options.only)) {
        let faults: Vec<Fault> = world.fault.iter().map(|fault| fault.parse().expect("the faults above are right")).collect();
        let chances = Chances { repro: world.repro, stray: world.stray, false_alarm: world.false_alarm, ..Chances::default() };
        let mut totals = Vec::new();
        for (place, (name, kind, builders)) in SEARCHERS.into_iter().enumerate() {
            let lab = Lab { builders, ..Lab::default() };
            let cell = Cell { history: &history, chances, faults: &faults, searcher: kind.searcher(), lab };
            let total = simulator.total(&cell, &kind.policy(), options.runs, options.seed, &|| {});
            let total = total.map_err(|error| error.to_string())?;
            print_row(if place == 0 { world.name } else { "" }, name, &total);
            if let (true, Some((why, runs))) = (matches!(kind, Kind::Posterior), total.stuck()) {
                missed.push(format!("{}: {runs} runs did not come to an end: {why}", world.name));
            }
            cells.push(to_json(world, name.trim(), builders, options, &total));
            totals.push(total);
        }
        missed.extend(world.bounds.iter().filter_map(|bound| miss(bound, &totals)).map(|why| format!("{}: {why}", world.name)));
        if totals[0].share(RIGHT) <= totals[2].share(RIGHT) {
            missed.push(format!("{}: not ahead of the rule of 2024", world.name));
        }
    }
    println!(
        "\n{:.0} minutes; {}",
        start.elapsed().as_secs_f64() / 60.0,
        if missed.is_empty() { "all bounds hold" } else { "missed:" }
    );
    missed.iter().for_each(|line| println!("  {line}"));
    if let Some(file) = &options.json {
        let text = format!("{:#}\n", json!({ "schema": 1, "cells": cells }));
        fs::write(file, text).map_err(|error| format!("cannot write {file}: {error}"))?;
    }
    Ok(())
}

fn print_row(world: &str, name: &str, total: &Total) {
    let share = |worth| 100.0 * total.share(&[worth]);
    let stated = total.honesty().map_or(String::new(), |(stated, _)| format!("{:.1}", 100.0 * stated));
    println!(
        "{world:<20}{name:<16}{:>7.1}{:>9.1}{:>7.1}{:>7.1}{:>7.1}{stated:>8}{:>8.1}{:>9.1}{:>8.1}{:>9.0}",
        share(Worth::Right),
        share(Worth::TwoWay),
        share(Worth::Set),
        share(Worth::Wrong),
        share(Worth::None),
        total.mean(|run| run.trials.into()),
        total.mean(|run| run.commits.into()),
        total.mean(|run| run.builds.into()),
        minutes(total),
    );
}

fn minutes(total: &Total) -> f64 {
    total.mean(|run| run.minutes)
}

fn to_json(world: &World, searcher: &str, builders: usize, options: &Options, total: &Total) -> Value {
    let share = |worth| total.share(&[worth]);
    json!({
        "world": world.name, "repro": world.repro, "stray": world.stray, "false_alarm": world.false_alarm, "fault": world.fault,
        "searcher": searcher, "builders": builders, "range": options.range, "runs": options.runs, "seed": options.seed,
        "right": share(Worth::Right), "two_way": share(Worth::TwoWay), "set": share(Worth::Set), "wrong": share(Worth::Wrong),
        "none": share(Worth::None), "wilson_low": total.interval(RIGHT).0, "stated": total.honesty().map(|(stated, _)| stated),
        "trials": total.mean(|run| run.trials.into()), "commits": total.mean(|run| run.commits.into()),
        "builds_begun": total.mean(|run| run.builds.into()), "wall_minutes": minutes(total),
    })
}

/// How the posterior misses a bound, if it does. The totals are those of [`SEARCHERS`], in order.
fn miss(bound: &Bound, totals: &[Total]) -> Option<String> {
    let [two, one, rule] = [&totals[0], &totals[1], &totals[2]];
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    match *bound {
        Floor(worth, least) => {
            let low = two.interval(worth).0;
            (low < least - MARGIN)
                .then(|| format!("{worth:?} {} (from {}), not {}", percent(two.share(worth)), percent(low), percent(least)))
        }
        Ceiling(worth, most) => {
            let high = two.interval(worth).1;
            (high > most + MARGIN)
                .then(|| format!("{worth:?} {} (to {}), not {}", percent(two.share(worth)), percent(high), percent(most)))
        }
        Bound::Set(most) => {
            let size = two.set_median().filter(|size| *size > most)?;
            Some(format!("the median set has {size:.2} times the commits that it must have, not {most}"))
        }
        Bound::Inside(most) => {
            let inside = two.most_inside();
            (inside > most).then(|| format!("up to {inside} commits tested inside, not {most}"))
        }
        Cost(with_two, with_one, trials) => {
            let against = |total: &Total, of: fn(&Total) -> f64| of(total) / of(rule);
            let shares = [
                ("minutes", against(two, minutes), with_two),
                ("minutes with one builder", against(one, minutes), with_one),
                ("trials", against(two, |total| total.mean(|run| run.trials.into())), trials),
            ];
            let over: Vec<String> = shares
                .iter()
                .filter(|(_, share, most)| share > most)
                .map(|(what, share, most)| format!("{share:.2} of the {what} of the rule of 2024, not {most}"))
                .collect();
            (!over.is_empty()).then(|| over.join(", "))
        }
    }
}
