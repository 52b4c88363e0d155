//! `./x seeds`: the demo with many seeds, and how often it is right.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::cargo::build;
use crate::step::Failure;

/// Seconds after which a demo is ended, and counts as wrong.
const LONGEST: &str = "900";

/// How the demo ended with one seed.
struct Run {
    /// The exit status; 0 only if the named commit is the planted one.
    code: Option<i32>,
    /// The probability stated for the named commit.
    probability: Option<f64>,
    /// The wall-clock time.
    seconds: f64,
    /// How many trials it took.
    trials: Option<u64>,
}

impl Run {
    fn is_right(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs the demo for all seeds. An error when fewer than 19 of 20 are right.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), Failure> {
    let split = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let seeds = parse(&args[..split])?;
    let rest = args.get(split + 1..).unwrap_or_default();
    let kbisect = build(root)?;
    let folder = std::env::temp_dir().join(format!("kbisect-seeds-{}", std::process::id()));
    let mut runs = Vec::new();
    println!("  seed  end  probability  trials  seconds");
    for seed in seeds {
        let run = one(&kbisect, seed, &folder, rest)?;
        let code = run.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        let probability = run.probability.map_or_else(|| "-".to_owned(), |probability| format!("{probability:.4}"));
        let trials = run.trials.map_or_else(|| "-".to_owned(), |trials| trials.to_string());
        println!("{seed:>6}  {code:>3}  {probability:>11}  {trials:>6}  {:>7.1}", run.seconds);
        runs.push(run);
    }
    // What is left is only rubbish.
    let _ = fs::remove_dir_all(&folder);
    summary(&runs)
}

fn summary(runs: &[Run]) -> Result<(), Failure> {
    let right = runs.iter().filter(|run| run.is_right()).count();
    let stated: Vec<f64> = runs.iter().filter_map(|run| run.probability).collect();
    let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    println!("right                    {right} of {}", runs.len());
    println!("mean stated probability  {:.4} (of the {} that named a commit)", mean(&stated), stated.len());
    let trials: Vec<f64> = runs.iter().filter_map(|run| run.trials).map(|trials| trials as f64).collect();
    println!("trials                   mean {:.1}", mean(&trials));
    println!(
        "seconds                  mean {:.1}, median {:.1}, longest {:.1}",
        mean(&seconds),
        seconds.get(seconds.len() / 2).copied().unwrap_or_default(),
        seconds.last().copied().unwrap_or_default()
    );
    if right * 20 >= runs.len() * 19 { Ok(()) } else { Err(Failure::step("fewer than 19 of 20 are right")) }
}

/// Seeds and ranges of seeds: `7`, `1-20`; nothing means 1-20.
fn parse(args: &[String]) -> Result<Vec<u64>, Failure> {
    let wrong = |arg: &str| Failure::usage(format!("`{arg}` is neither a seed nor a range such as 1-20"));
    let mut seeds = Vec::new();
    for arg in args {
        let (first, last) = arg.split_once('-').unwrap_or((arg, arg));
        let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else { return Err(wrong(arg)) };
        if first > last || last - first >= 100_000 {
            return Err(wrong(arg));
        }
        seeds.extend(first..=last);
    }
    if args.is_empty() {
        seeds.extend(1..=20);
    }
    Ok(seeds)
}

/// Runs the demo with one seed, quietly.
fn one(kbisect: &Path, seed: u64, folder: &Path, rest: &[String]) -> Result<Run, Failure> {
    let keep = folder.join(seed.to_string());
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", LONGEST]).arg(kbisect);
    command.args(["demo", "--seed", &seed.to_string(), "--keep"]).arg(&keep).args(rest).stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output().map_err(|error| Failure::step(format!("cannot run the demo: {error}")))?;
    let seconds = start.elapsed().as_secs_f64();
    let report = fs::read(keep.join("run/report.json")).ok();
    let report: Value = report.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        println!("{}", said.lines().rev().take(3).map(|line| format!("        {line}\n")).collect::<String>().trim_end());
        println!("        kept in {}", keep.display());
    }
    Ok(Run {
        code: output.status.code(),
        probability: report["named"]["probability"].as_f64(),
        seconds,
        trials: report["trials"].as_u64(),
    })
}
