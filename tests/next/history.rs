//! Histories made up by a seed, in real repositories.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

/// A small random number generator (SplitMix64), so that a seed names the same sessions everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// How committers' clocks go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    Right,
    /// Every commit has the same time.
    Stopped,
    /// Several commits share a time.
    Coarse,
    /// Some commits are older than their parents.
    Skewed,
}

/// A commit to make: its parents by number, and its time.
pub(crate) struct Sketch {
    pub(crate) parents: Vec<usize>,
    pub(crate) time: usize,
}

/// Commits, parents before children, with merges of two and three and a few roots. Parents are at most `reach` commits back: 1
/// makes a line, a few make branches that are all merged sooner or later, more make a bush.
pub(crate) fn sketch(random: &mut Random, len: usize, reach: usize, clock: Clock) -> Vec<Sketch> {
    let merges = random.pick(&[5, 30, 60]);
    let mut sketches = Vec::new();
    for number in 0..len {
        let nearest = number.saturating_sub(reach);
        let wanted = match () {
            // Later roots would cut long histories into short ones.
            () if number < 200 && random.percent(1) => 0,
            () if random.percent(merges) => 2 + usize::from(random.percent(10)),
            () => 1,
        };
        let mut parents: Vec<usize> = Vec::new();
        for _ in 0..wanted.min(number - nearest) {
            let parent = nearest + random.below(number - nearest);
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        let time = 1_600_000_000
            + match clock {
                Clock::Right => number * 60,
                Clock::Stopped => 0,
                Clock::Coarse => number / 5,
                Clock::Skewed => number * 10 + random.below(40),
            };
        sketches.push(Sketch { parents, time });
    }
    sketches
}

/// A repository with a history.
pub(crate) struct History {
    dir: TempDir,
    ids: Vec<String>,
    numbers: HashMap<String, usize>,
    parents: Vec<Vec<usize>>,
}

impl History {
    /// Makes the commits, titled by their numbers. The last one is HEAD.
    pub(crate) fn new(sketches: &[Sketch]) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let made = git(dir.path()).args(["init", "-q", "-b", "main", "."]).status().expect("git runs");
        assert!(made.success());
        let mut stream = String::new();
        for (number, sketch) in sketches.iter().enumerate() {
            let title = format!("commit {number}");
            // A commit without `from` would go on top of the branch.
            if sketch.parents.is_empty() {
                stream.push_str("reset refs/heads/main\n");
            }
            writeln!(stream, "commit refs/heads/main\nmark :{}", number + 1).expect("it is a string");
            writeln!(stream, "committer A U Thor <author@example.com> {} +0000", sketch.time).expect("it is a string");
            writeln!(stream, "data {}\n{title}", title.len()).expect("it is a string");
            for (place, parent) in sketch.parents.iter().enumerate() {
                writeln!(stream, "{} :{}", if place == 0 { "from" } else { "merge" }, parent + 1).expect("it is a string");
            }
        }
        let marks = dir.path().join("marks");
        let mut import = git(dir.path())
            .args(["fast-import", "--quiet", "--force"])
            .arg(format!("--export-marks={}", marks.display()))
            .stdin(Stdio::piped())
            .spawn()
            .expect("git runs");
        import.stdin.take().expect("it is piped").write_all(stream.as_bytes()).expect("git reads the stream");
        assert!(import.wait().expect("git ends").success());
        let mut ids = vec![String::new(); sketches.len()];
        for line in fs::read_to_string(marks).expect("git wrote the marks").lines() {
            let (mark, id) = line.split_once(' ').expect("a mark and an id");
            ids[mark[1..].parse::<usize>().expect("a number") - 1] = id.to_owned();
        }
        let numbers = ids.iter().cloned().enumerate().map(|(number, id)| (id, number)).collect();
        Self { dir, ids, numbers, parents: sketches.iter().map(|sketch| sketch.parents.clone()).collect() }
    }

    /// Gives a commit a branch.
    pub(crate) fn branch(&self, name: &str, number: usize) {
        assert!(git(self.path()).args(["branch", name, self.id(number)]).status().expect("git runs").success());
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, number: usize) -> &str {
        &self.ids[number]
    }

    pub(crate) fn number(&self, id: &str) -> usize {
        self.numbers[id]
    }

    /// Which commits `tip` contains, by number.
    pub(crate) fn ancestors(&self, tip: usize) -> Vec<bool> {
        let mut inside = vec![false; self.len()];
        inside[tip] = true;
        for number in (0..=tip).rev() {
            if inside[number] {
                for &parent in &self.parents[number] {
                    inside[parent] = true;
                }
            }
        }
        inside
    }
}

/// git in that folder, deaf to the user's settings.
pub(crate) fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    alone(&mut command, dir);
    command
}

/// kbisect in that folder, deaf to the user's settings.
pub(crate) fn kbisect(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kbisect"));
    alone(&mut command, dir);
    command
}

fn alone(command: &mut Command, dir: &Path) {
    command.env_clear().current_dir(dir).stdin(Stdio::null());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("HOME", dir).env("LC_ALL", "C");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
}
