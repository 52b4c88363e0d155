//! The job file that bisects a written history.

use std::fmt::Write as _;
use std::path::Path;

/// What the job file of a history says beside what is the same for all.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// The repository.
    pub repo: &'a Path,
    /// The start commit.
    pub bad: &'a str,
    /// A good end; none: back through the releases.
    pub good: Option<&'a str>,
    /// `git` or `posterior`; none: the default.
    pub strategy: Option<&'a str>,
    /// Seed of the search, and so of the schedules.
    pub seed: u64,
}

/// The text of a job file, in TOML: the kernel is built with its own `build.sh`, boots on QEMU's `microvm`, speaks the control
/// protocol itself, and each trial is one schedule of its workload.
#[must_use]
pub fn job_toml(job: &Job<'_>) -> String {
    let mut text = format!("repo = {}\nbad = {}\n", quoted(&job.repo.to_string_lossy()), quoted(job.bad));
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string does not fail");
    if let Some(good) = job.good {
        line(format!("good = {}", quoted(good)));
    }
    line("kind = \"cause\"\n\n[build]".to_owned());
    line("command = [\"sh\", \"build.sh\", \"{src}\", \"{out}\"]\n\n[machine]".to_owned());
    line("kind = \"qemu\"\nboard = \"microvm\"\nmemory = \"32M\"\ncpus = 1\nown_init = true".to_owned());
    line("boot_limit = \"20s\"\n\n[trial]".to_owned());
    line("command = [\"race\", \"{trial_seed}\"]\ntime_limit = \"20s\"\n\n[search]".to_owned());
    if let Some(strategy) = job.strategy {
        line(format!("strategy = {}", quoted(strategy)));
    }
    line(format!("seed = {}", job.seed));
    text
}

/// A basic string of TOML.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).expect("writing to a string does not fail"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_toml() {
        let job = Job { repo: Path::new("a \"b\"\\c\n"), bad: "0123", good: Some("v1.0"), strategy: Some("git"), seed: 7 };
        let text = job_toml(&job);
        let table: toml::Table = text.parse().expect("it is TOML");
        assert_eq!(table["repo"].as_str(), Some("a \"b\"\\c\n"));
        assert_eq!(table["good"].as_str(), Some("v1.0"));
        assert_eq!(table["search"]["seed"].as_integer(), Some(7));
        assert_eq!(table["trial"]["command"][1].as_str(), Some("{trial_seed}"));
        let bare = job_toml(&Job { good: None, strategy: None, ..job });
        assert!(!bare.contains("good") && !bare.contains("strategy"));
    }
}
