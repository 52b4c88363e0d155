//! The arms that are kbisect: its binary, a cache of its own, and what its report and journal say.

use std::fs;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::Outcome;
use crate::World;

/// Runs kbisect with a strategy (none: its own) and a flake policy.
pub(crate) fn run(world: &World, arm: &str, strategy: Option<&str>, policy: &str, seed: u64) -> Result<Outcome, String> {
    let folder = world.arm(arm)?;
    let (repo, repro, config) = (world.repo(), world.repro(), world.config());
    let mut job = linux_demo::job_toml(&linux_demo::Job {
        repo: &repo,
        bad: &world.planted.start,
        repro: &repro,
        config: &config,
        seconds: world.seconds,
        strategy,
        seed,
    });
    job += &format!("\n[[plugin]]\nid = \"{policy}\"\n");
    let (file, out) = (folder.join("job.toml"), folder.join("run"));
    fs::write(&file, job).map_err(|error| format!("{}: {error}", file.display()))?;
    let started = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_kbisect"))
        .args(["run", "--quiet"])
        .arg(&file)
        .arg("--out")
        .arg(&out)
        // What is cached for one arm serves no other.
        .env("KBISECT_CACHE_DIR", folder.join("cache"))
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("kbisect cannot be started: {error}"))?;
    let seconds = started.elapsed().as_secs_f64();
    let report = fs::read_to_string(out.join("report.json"))
        .map_err(|error| format!("kbisect ended with {status} and left no report in {}: {error}", out.display()))?;
    let report: Value = serde_json::from_str(&report).map_err(|error| error.to_string())?;
    let journal = fs::read_to_string(out.join("journal.jsonl")).map_err(|error| error.to_string())?;
    let builds: Vec<f64> = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["event"] == "build-ended")
        .filter_map(|event| event["seconds"].as_f64())
        .collect();
    Ok(Outcome {
        named: report["named"]["commit"].as_str().map(str::to_owned),
        seconds,
        first_build: builds.first().copied().unwrap_or(0.0),
        builds: builds.len() as u64,
        trials: report["trials"].as_u64().unwrap_or(0),
    })
}
