//! The arms that are kbisect: its binary, a cache of its own, and what its report and journal say.

use std::fs;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::Outcome;
use crate::World;

/// How kbisect is told to search.
pub(crate) struct Search {
    /// None: its own.
    pub strategy: Option<&'static str>,
    /// The flake policy.
    pub policy: &'static str,
    /// Whether the good commit is taken for good untested.
    pub trust_good: bool,
}

/// Runs kbisect.
pub(crate) fn run(world: &World, arm: &str, search: &Search, seed: u64) -> Result<Outcome, String> {
    let folder = world.arm(arm)?;
    let (repo, repro, config) = (world.repo(), world.repro(), world.config());
    let mut job = linux_demo::job_toml(&linux_demo::Job {
        repo: &repo,
        bad: &world.planted.start,
        // What the script is told, too.
        good: Some(&world.planted.releases[0]),
        repro: &repro,
        config: &config,
        seconds: world.seconds,
        strategy: search.strategy,
        seed,
        ccache: None,
    });
    // The text ends within [search].
    job += &format!("trust_good = {}\n\n[[plugin]]\nid = \"{}\"\n", search.trust_good, search.policy);
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
