//! `kbisect simulate`: how often a strategy names the right commit of a made-up bug, and what it costs.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use kbisect_core::bisector::Settings;
use kbisect_core::bisector::Strategy;
use kbisect_core::simulate::BadFault;
use kbisect_core::simulate::Cell;
use kbisect_core::simulate::Chances;
use kbisect_core::simulate::Dice;
use kbisect_core::simulate::Fault;
use kbisect_core::simulate::History;
use kbisect_core::simulate::Hunch;
use kbisect_core::simulate::Lab;
use kbisect_core::simulate::Searcher;
use kbisect_core::simulate::Shape;
use kbisect_core::simulate::Total;
use kbisect_core::simulate::Worth;
use kbisect_core::simulate::auc;
use serde_json::Value;
use serde_json::json;

use super::flake_policy;
use super::print;
use crate::bounded;
use crate::config::job::Plugin;
use crate::error::Error;
use crate::exit::Exit;
use crate::policy::Notice;
use crate::record::counted;
use crate::simulate::Simulator;

/// A graph may have so many bytes, compressed or not.
const GRAPH: u64 = 1 << 30;

/// Bisect made-up bugs to see how often the right commit is named, and what it costs
///
/// Every run plants a bug in the history and searches it with the real strategies and flake policies, on a clock of its own: nothing is
/// built or booted. Several strategies or rates make one cell each.
#[derive(Debug, clap::Args)]
#[command(after_help = FAULTS, allow_negative_numbers = true)]
pub struct Args {
    /// What is searched: linear:N, dag:N (merges as in git's history, or in that of dag:N:FILE), or graph:FILE, which has one line a
    /// commit: id, time, parents (may be compressed with gzip)
    #[arg(value_name = "HISTORY", default_value = "linear:1000")]
    history: Kind,

    /// Commits between the ends, about (graph:FILE only; else all)
    #[arg(long, value_name = "N")]
    range: Option<usize>,

    /// The bad end (graph:FILE only; else the first line's commit)
    #[arg(long, value_name = "COMMIT")]
    tip: Option<String>,

    /// Chance that a trial at a bad commit shows the crash; more may follow
    #[arg(long, value_name = "R", num_args = 1.., default_values = ["0.95"])]
    repro: Vec<Share>,

    /// Chance that a trial ends in a crash that is another bug
    #[arg(long, value_name = "U", default_value = "0.005")]
    stray: Share,

    /// Chance that a trial at a good commit ends in a crash that looks like the one searched
    #[arg(long, value_name = "F", default_value = "0")]
    false_alarm: Share,

    /// Chance that the classifier is wrong about a crash
    #[arg(long, value_name = "P", default_value = "0.02")]
    misjudged: Share,

    /// Something that goes wrong besides, see below; may be repeated
    #[arg(long = "fault", value_name = "NAME[:PARAM]")]
    faults: Vec<FaultArg>,

    /// What a suspicion plugin knows: right (one commit in twenty looks guilty, and 65 % of the culprits), useless (the culprit as any
    /// commit), wrong (the culprit never), or decoy (all weight on one other commit); else there is none
    #[arg(long, value_name = "NAME")]
    suspicion: Option<Hunch>,

    /// Who searches: posterior, git, syzkaller-2019, syzkaller-2024, or git-run:TRIALS; more may follow
    #[arg(long, value_name = "NAME", num_args = 1.., default_values = ["posterior"])]
    strategy: Vec<Who>,

    /// The flake policy of posterior and git: a bundled one by its name, or a component's file
    #[arg(long, value_name = "PLUGIN", default_value = "sequential")]
    policy: PathBuf,

    /// Chance of a wrong name that is put up with
    #[arg(long, value_name = "P", default_value = "0.01")]
    delta: Share,

    /// Machines that run trials
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    machines: u16,

    /// Kernels that can be built at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    builders: u16,

    /// Bisections of a cell
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    runs: u64,

    /// Where chance begins: the same seed gives the same bugs, whoever searches
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const FAULTS: &str = "\
Faults:
  second-bug[:SHARE[:RATE[:SAME]]]
                              another bug on a part of the range (5 to 60 %), with a rate of its own (.1 to 1), which the classifier
                              takes for the crash with a chance SAME
  title-drift[:SAME]          before some commit the crash has another title, which may be taken for another bug
  exposure[:SHARE]            the crash may begin later than the bug: as often as after a walk through as many releases as real
                              ones need (27 %)
  untestable[:SHARE][:inside|:outside][:boot]
                              20 % of the range, in one stretch, do not build (or boot); the culprit is in it or not
  era[:R]                     before some commit a trial shows the crash with another chance (.3)
  infra[:SHARE]               10 % of the trials are lost
  correlated[:SHARE]          with 2 % of the trials that start, all that run are lost
  older                       the bug is older than the range
  reintroduced                the bug came, was fixed, and came again";

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Share(f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().map_err(|_| "it is no number".to_owned())?;
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err("it is not between 0 and 1".to_owned()) }
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Linear(usize),
    Dag(usize, Option<PathBuf>),
    Graph(PathBuf),
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number of commits"));
        match text.split_once(':') {
            Some(("linear", size)) => Ok(Self::Linear(number(size)?)),
            Some(("dag", rest)) => match rest.split_once(':') {
                Some((size, file)) => Ok(Self::Dag(number(size)?, Some(PathBuf::from(file)))),
                None => Ok(Self::Dag(number(rest)?, None)),
            },
            Some(("graph", file)) if !file.is_empty() => Ok(Self::Graph(PathBuf::from(file))),
            _ => Err("it must be linear:N, dag:N, dag:N:FILE or graph:FILE".to_owned()),
        }
    }
}

/// clap shows what an error says.
#[derive(Debug, Clone, Copy)]
struct FaultArg(Fault);

impl FromStr for FaultArg {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        text.parse().map(Self)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Bisector(Strategy),
    Syzkaller(&'static str),
    GitRun(u32),
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "posterior" => Ok(Self::Bisector(Strategy::Posterior)),
            "git" => Ok(Self::Bisector(Strategy::Git)),
            "syzkaller-2019" => Ok(Self::Syzkaller("2019")),
            "syzkaller-2024" => Ok(Self::Syzkaller("2024")),
            "git-run" => Ok(Self::GitRun(1)),
            _ => {
                let trials = text.strip_prefix("git-run:").and_then(|trials| trials.parse().ok());
                let trials = trials.filter(|trials| (1..=1000).contains(trials)).map(Self::GitRun);
                trials.ok_or_else(|| "it must be posterior, git, syzkaller-2019, syzkaller-2024 or git-run:TRIALS".to_owned())
            }
        }
    }
}

impl Who {
    fn name(self) -> String {
        match self {
            Self::Bisector(Strategy::Posterior) => "posterior".to_owned(),
            Self::Bisector(Strategy::Git) => "git".to_owned(),
            Self::Syzkaller(era) => format!("syzkaller-{era}"),
            Self::GitRun(trials) => format!("git-run:{trials}"),
        }
    }

    fn searcher(self, delta: f64) -> Searcher {
        match self {
            Self::Bisector(strategy) => Searcher::Bisector(Settings { strategy, delta, trust_good: false, single_trials: false }),
            Self::Syzkaller(_) => Searcher::Serial,
            Self::GitRun(trials) => Searcher::GitRun(trials),
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    if !(args.delta.0 > 0.0 && args.delta.0 < 0.5) {
        return Err(Error::user("--delta must be more than 0 and less than 0.5"));
    }
    let history = history(args)?;
    let faults: Vec<Fault> = args.faults.iter().map(|fault| fault.0).collect();
    let simulator = Simulator::new()?;
    let count = (args.repro.len() * args.strategy.len()) as u64;
    let progress = ProgressBar::new(count * args.runs);
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} bisections, {eta} left");
    progress.set_style(style.expect("the template is right"));
    progress.enable_steady_tick(Duration::from_millis(500));
    let mut cells = Vec::new();
    for &repro in &args.repro {
        for &who in &args.strategy {
            let chances = Chances {
                repro: repro.0,
                stray: args.stray.0,
                false_alarm: args.false_alarm.0,
                misjudged: args.misjudged.0,
                ..Chances::default()
            };
            let lab = Lab { machines: args.machines.into(), builders: args.builders.into(), ..Lab::default() };
            let (hunch, searcher) = (args.suspicion, who.searcher(args.delta.0));
            let cell = Cell { history: &history, chances, faults: &faults, hunch, searcher, lab };
            let total = simulator.total(&cell, &policy(args, who), args.runs, args.seed, &|| progress.inc(1))?;
            cells.push(Measured { who, chances, total });
        }
    }
    progress.finish_and_clear();
    for notice in simulator.notices() {
        if let Notice::Warned { message } | Notice::Failed { error: message, .. } = notice {
            super::say(&format!("warning: {message}"));
        }
    }
    for (message, runs) in cells.iter().filter_map(|cell| cell.total.stuck()) {
        super::say(&format!("warning: {runs} runs did not come to an end; the first: {message}"));
    }
    print(&if args.json { to_json(args, &history, &faults, &cells) } else { to_text(args, &history, &cells) })?;
    Ok(Exit::Success)
}

fn policy(args: &Args, who: Who) -> Plugin {
    match who {
        Who::Syzkaller(era) => Plugin { settings: json!({ "era": era }), ..Plugin::bundled("syzkaller-rule") },
        Who::Bisector(_) | Who::GitRun(_) => flake_policy(&args.policy),
    }
}

fn history(args: &Args) -> Result<History, Error> {
    let (made, file) = match &args.history {
        Kind::Linear(commits) => (History::linear(*commits), None),
        Kind::Dag(commits, None) => (History::dag(*commits, &Shape::default(), &mut Dice::new(args.seed)), None),
        Kind::Dag(commits, Some(file)) => {
            let like = History::from_text(&read(file)?, None, None).map_err(|error| in_file(file, &error))?;
            (History::dag(*commits, &Shape::of(&like.graph, like.start), &mut Dice::new(args.seed)), None)
        }
        Kind::Graph(file) => (History::from_text(&read(file)?, args.tip.as_deref(), args.range), Some(file)),
    };
    if file.is_none() && (args.range.is_some() || args.tip.is_some()) {
        return Err(Error::user("--range and --tip have a meaning with graph:FILE only"));
    }
    made.map_err(|error| file.map_or_else(|| Error::user(error.to_string()), |file| in_file(file, &error)))
}

fn in_file(file: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::user(format!("{}: {error}", file.display()))
}

fn read(file: &Path) -> Result<String, Error> {
    let unread = |error| Error::user(format!("cannot read {}: {error}", file.display()));
    let bytes = bounded::read(file, GRAPH).map_err(unread)?;
    let text = if bytes.starts_with(b"\x1f\x8b") {
        bounded::read_from(MultiGzDecoder::new(&bytes[..]), GRAPH).map_err(unread)?
    } else {
        bytes
    };
    String::from_utf8(text).map_err(|_| in_file(file, &"it is not text"))
}

struct Measured {
    who: Who,
    chances: Chances,
    total: Total,
}

fn to_text(args: &Args, history: &History, cells: &[Measured]) -> String {
    let mut text = format!(
        "{} in the range, {} a cell, seed {}\n\n",
        counted(history.range.len() as u64, "commit"),
        counted(args.runs, "bisection"),
        args.seed
    );
    let _ = writeln!(
        text,
        "{:<16}{:>5}{:>8}{:>8}{:>7}{:>7}{:>7}{:>9}{:>8}{:>8}{:>9}{:>8}{:>12}",
        "strategy",
        "r",
        "right",
        "two-way",
        "set",
        "wrong",
        "none",
        "not-mono",
        "stated",
        "trials",
        "commits",
        "builds",
        "wall-clock"
    );
    for cell in cells {
        let share = |worth| format!("{:.1}", 100.0 * cell.total.share(&[worth]));
        let _ = writeln!(
            text,
            "{:<16}{:>5}{:>8}{:>8}{:>7}{:>7}{:>7}{:>9}{:>8}{:>8.1}{:>9.1}{:>8.1}{:>8.0} min",
            cell.who.name(),
            cell.chances.repro,
            share(Worth::Right),
            share(Worth::TwoWay),
            share(Worth::Set),
            share(Worth::Wrong),
            share(Worth::None),
            share(Worth::NotMonotone),
            cell.total.honesty().map_or(String::new(), |names| format!("{:.1}", 100.0 * names.stated)),
            cell.total.mean(|run| run.trials.into()),
            cell.total.mean(|run| run.commits.into()),
            cell.total.mean(|run| run.builds.into()),
            cell.total.mean(|run| run.minutes),
        );
    }
    text
}

fn to_json(args: &Args, history: &History, faults: &[Fault], cells: &[Measured]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let cells: Vec<Value> = cells
        .iter()
        .map(|cell| {
            let Measured { who, chances, total } = cell;
            let share = |worth| total.share(&[worth]);
            json!({
                "strategy": who.name(),
                "policy": if let Who::Bisector(_) = who { Some(args.policy.to_string_lossy()) } else { None },
                "range": history.range.len(),
                "repro": chances.repro,
                "stray": chances.stray,
                "false_alarm": chances.false_alarm,
                "misjudged": chances.misjudged,
                "faults": faults,
                "suspicion": args.suspicion.map(|hunch| hunch.to_string()),
                "delta": args.delta.0,
                "machines": args.machines,
                "builders": args.builders,
                "runs": args.runs,
                "seed": args.seed,
                "right": share(Worth::Right),
                "two_way": share(Worth::TwoWay),
                "set": share(Worth::Set),
                "wrong": share(Worth::Wrong),
                "not_monotone": share(Worth::NotMonotone),
                "none": share(Worth::None),
                "wilson_low": total.interval(&[Worth::Right]).0,
                "stated": total.honesty().map(|names| names.stated),
                "stated_minus_right": total.honesty().map(|names| names.stated - names.seen),
                "introduced_auc": auc(&total.introduced()),
                "trials": total.mean(|run| run.trials.into()),
                "commits": total.mean(|run| run.commits.into()),
                "builds": total.mean(|run| run.builds.into()),
                "wall_minutes": total.mean(|run| run.minutes),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "schema": 1, "cells": cells }))
}
