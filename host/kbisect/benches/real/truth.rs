//! Real bisections whose culprit is known: `truth.jsonl`, the logs and reports beside it, and which verdicts are right or wrong.

#![allow(dead_code, reason = "each benchmark uses its part of it")]

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use kbisect::gitlog::Mark;
use kbisect::policy::Policies;
use kbisect::policy::console;
use kbisect::syzbot;
use kbisect::syzbot::Log;
use kbisect::syzbot::Place;
use kbisect::syzbot::Tested;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use serde::Deserialize;

/// A line of `truth.jsonl`.
#[derive(Debug, Deserialize)]
pub(crate) struct Truth {
    /// The bisection's name.
    pub(crate) id: String,
    /// The bug's title.
    pub(crate) title: String,
    /// The commit that introduced it.
    pub(crate) culprit: String,
    /// The commit that the log names.
    pub(crate) named: Option<String>,
    /// How the log came out: `right`, `stray` (led astray by another crash), and others.
    outcome: String,
    /// The first commit that it was wrong about.
    first_wrong: Option<String>,
}

/// A verdict that is known to be right or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Bad, for a crash that is another bug's.
    Stray,
    /// Rightly bad.
    Bad,
    /// Rightly good.
    Good,
}

/// The folder of an argument, else that of the test data.
pub(crate) fn directory(argument: Option<&str>) -> PathBuf {
    argument.map_or_else(
        || {
            let data = env::var_os("KBISECT_TEST_DATA")
                .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
            data.join("real-bisections")
        },
        PathBuf::from,
    )
}

/// The bisections of a folder whose logs are there; says so where there are none.
pub(crate) fn read(directory: &Path) -> impl Iterator<Item = (Truth, Log)> {
    let file = directory.join("truth.jsonl");
    let lines = fs::read_to_string(&file).unwrap_or_else(|_| {
        println!("skipped: there is no {}", file.display());
        String::new()
    });
    let truths: Vec<Truth> = lines.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let logs = directory.join("logs");
    truths.into_iter().filter_map(move |truth| {
        let text = fs::read(logs.join(format!("{}.txt", truth.id))).ok()?;
        Some((truth, syzbot::read(&String::from_utf8_lossy(&text)).expect("a bisection log")))
    })
}

impl Truth {
    /// What is known of the verdict on a commit. Of a log that came out right, all verdicts on commits that it ran are right; of one
    /// that another crash led astray, the first wrong one is known.
    pub(crate) fn known(&self, tested: &Tested) -> Option<Known> {
        if tested.crashes() + tested.clean() == 0 {
            return None;
        }
        match self.outcome.as_str() {
            "stray" => {
                let wrong = self.first_wrong.as_deref().and_then(|commit| commit.parse::<CommitId>().ok());
                (Some(tested.commit) == wrong).then_some(Known::Stray)
            }
            "right" if tested.place != Place::Start => match tested.verdict? {
                Mark::Bad => Some(Known::Bad),
                Mark::Good => Some(Known::Good),
                Mark::Skip => None,
            },
            _ => None,
        }
    }

    /// What a user would know of the crash before the bisection: the dashboard's title, and a report where there is one.
    pub(crate) fn faces(&self, policies: &Policies, directory: &Path) -> Vec<Face> {
        let mut faces = Vec::new();
        if let Ok(file) = fs::read(directory.join("reports").join(&self.id))
            && let Some(behind) = file.windows(2).position(|two| two == b"\n\n")
            && let Ok(classified) = console::classify(policies, &file[behind + 2..], None)
        {
            faces.extend(classified.reports.into_iter().take(1).map(|report| Face { report, trials: 1 }));
        }
        faces.push(titled(&self.title, 1));
        faces
    }
}

/// A crash of which no more is known than its title.
pub(crate) fn titled(title: &str, trials: u32) -> Face {
    Face { report: CrashReport::titled(title), trials }
}
