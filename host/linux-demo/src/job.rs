//! The job that bisects a written history: configuration, reproducer, job file.

use std::fmt::Write as _;
use std::path::Path;

use crate::sources;

/// How often a trial at a bad commit crashes, about; on one virtual CPU, on a processor or in an emulator.
///
/// The reproducer does other things in between, for longer where it is to crash less often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rate {
    /// Nearly always.
    Always,
    /// Seven in ten.
    #[default]
    Most,
    /// Every second time.
    Half,
    /// One in five.
    Few,
}

/// Looks between two chances of the history's warning, which comes seldom then.
pub const LOOKS: u32 = 16;

/// The reproducer's C source: it does not say what is wrong, and ends only when it cannot do its work. `rate` holds for trials of so many
/// seconds; with fewer `looks` than [`LOOKS`] between its chances the history's warning comes more often.
#[must_use]
pub fn reproducer(rate: Rate, seconds: u32, looks: u32) -> String {
    // Measured in trials of five seconds; a race is met as often as it is looked for.
    let pause = match rate {
        Rate::Always => 300,
        Rate::Most => 5000,
        Rate::Half => 9000,
        Rate::Few => 28000,
    } * u64::from(seconds)
        / 5;
    let text = sources::REPRODUCER.replace("#define PAUSE 5000", &format!("#define PAUSE {pause}"));
    text.replace("#define LOOKS 16", &format!("#define LOOKS {}", looks.max(1)))
}

/// The kernel's configuration, as a fragment on top of `allnoconfig`: small, with checks of lists and freed memory.
#[must_use]
pub fn config() -> &'static str {
    sources::CONFIG
}

/// What the job file of a history says beside what is the same for all. Paths are absolute.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// The repository.
    pub repo: &'a Path,
    /// The start commit.
    pub bad: &'a str,
    /// The reproducer's source.
    pub repro: &'a Path,
    /// The configuration fragment.
    pub config: &'a Path,
    /// A commit that is called good; none: releases are tried until one is.
    pub good: Option<&'a str>,
    /// Time of one trial, in seconds.
    pub seconds: u32,
    /// `git` or `posterior`; none: the default.
    pub strategy: Option<&'a str>,
    /// Seed of the search.
    pub seed: u64,
    /// The folder of a compiler cache that several histories share; none: each repository has its own.
    pub ccache: Option<&'a Path>,
}

/// The text of a job file, in TOML.
#[must_use]
pub fn job_toml(job: &Job<'_>) -> String {
    let quoted = |path: &Path| pocket::quoted(&path.to_string_lossy());
    let mut text = format!("repo = {}\nbad = {}\nrepro = {}\n", quoted(job.repo), pocket::quoted(job.bad), quoted(job.repro));
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string does not fail");
    if let Some(good) = job.good {
        line(format!("good = {}", pocket::quoted(good)));
    }
    line(format!("\n[build]\nkind = \"linux\"\nbase = \"allnoconfig\"\nfragments = [{}]", quoted(job.config)));
    if let Some(folder) = job.ccache {
        line(format!("ccache = {}", quoted(folder)));
    }
    line("\n[machine]\nmemory = \"256M\"\ncpus = 1\nboot_limit = \"2m\"".to_owned());
    line(format!("\n[trial]\ntime_limit = \"{}s\"\n\n[search]", job.seconds));
    if let Some(strategy) = job.strategy {
        line(format!("strategy = {}", pocket::quoted(strategy)));
    }
    line(format!("seed = {}", job.seed));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_toml() {
        let paths = ["a \"b\"", "c", "d"].map(Path::new);
        let job = Job {
            repo: paths[0],
            bad: "0123",
            good: Some("v6.1"),
            repro: paths[1],
            config: paths[2],
            seconds: 5,
            strategy: Some("git"),
            seed: 7,
            ccache: Some(Path::new("cache")),
        };
        let text = job_toml(&job);
        let table: toml::Table = text.parse().expect("it is TOML");
        assert_eq!(table["repo"].as_str(), Some("a \"b\""));
        assert_eq!(table["good"].as_str(), Some("v6.1"));
        assert_eq!(table["search"]["strategy"].as_str(), Some("git"));
        assert_eq!(table["build"]["ccache"].as_str(), Some("cache"));
        assert_eq!(table["trial"]["time_limit"].as_str(), Some("5s"));
        let bare = job_toml(&Job { strategy: None, good: None, ..job });
        assert!(!bare.contains("strategy") && !bare.contains("good"), "{bare}");
    }

    #[test]
    fn what_the_source_is_measured_with_stands_in_it() {
        assert_eq!(reproducer(Rate::Most, 5, LOOKS), sources::REPRODUCER);
        let long = reproducer(Rate::Half, 30, 1);
        assert!(long.contains("#define PAUSE 54000\n") && long.contains("#define LOOKS 1\n"), "{long}");
    }

    #[test]
    fn rates_differ_by_the_pause_alone() {
        let texts = [Rate::Always, Rate::Most, Rate::Half, Rate::Few].map(|rate| reproducer(rate, 5, LOOKS));
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]));
        let lines =
            |text: &str| text.lines().filter(|line| !line.starts_with("#define PAUSE")).map(str::to_owned).collect::<Vec<_>>();
        assert!(texts.iter().all(|text| lines(text) == lines(&texts[0])));
    }
}
