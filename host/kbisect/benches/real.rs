//! What kbisect makes of real bisections whose culprit is known.
//!
//! `./x bench real [DIR] [--json]`; DIR (default `real-bisections` of the test data) has `truth.jsonl` and `logs/ID.txt` in syzbot's
//! format, and perhaps `reports/ID`, a console of the bug. Every log is replayed: each trial is judged anew by the classifiers, each
//! commit by the default flake policy. Three questions:
//!
//! * verdicts: how many of those that are known to be wrong are avoided, and of those known to be right kept;
//! * names: how often the named commit is the culprit, and what three ways to state that probability are worth: kbisect's,
//!   syzkaller's own confidence, and the share that is right. Over the logs that name one commit and show its diffstat;
//! * how many of the recorded trials and builds the default policy would have needed.

#[path = "real/figures.rs"]
mod figures;

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use figures::Bin;
use figures::Figures;
use figures::Stated;
use kbisect::gitlog::Mark;
use kbisect::plugin::Engine;
use kbisect::plugin::facts::NoFacts;
use kbisect::policy::Policies;
use kbisect::policy::console;
use kbisect::replay;
use kbisect::replay::Account;
use kbisect::replay::History;
use kbisect::replay::Line;
use kbisect::replay::Replay;
use kbisect::syzbot;
use kbisect::syzbot::Extent;
use kbisect::syzbot::Found;
use kbisect::syzbot::Log;
use kbisect_core::bisector::Strategy;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use kbisect_core::credence::Credence;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

/// A line of `truth.jsonl`.
#[derive(Debug, Deserialize)]
struct Truth {
    id: String,
    title: String,
    culprit: String,
    named: Option<String>,
    outcome: String,
    first_wrong: Option<String>,
}

/// A bisection and what became of it.
struct Case {
    truth: Truth,
    log: Log,
    replay: Replay,
    /// What kbisect states of the named commit.
    credence: Option<Credence>,
}

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let as_json = args.iter().any(|arg| arg == "--json");
    let directory = args.iter().find(|arg| !arg.starts_with("--")).map_or_else(default_directory, PathBuf::from);
    let Ok(truth) = fs::read_to_string(directory.join("truth.jsonl")) else {
        println!("real: skipped, there is no {}", directory.join("truth.jsonl").display());
        return;
    };
    let engine = Engine::new(None).expect("the engine starts");
    let policies = Policies::load_with(&engine, &[], Arc::new(NoFacts), Arc::new(|_| {})).expect("bundled plugins load");
    let truths = truth.lines().map(|line| serde_json::from_str(line).expect("one object a line"));
    let cases: Vec<Case> = truths.filter_map(|truth| case(&policies, &directory, truth)).collect();
    let verdicts = Verdicts::of(&cases);
    let saved = Saved::of(&cases);
    let ways = ways(&cases);
    if as_json {
        println!("{}", as_one_value(cases.len(), &verdicts, &saved, &ways));
        return;
    }
    println!("{} real bisections of {}\n", cases.len(), directory.display());
    println!("{:<42}{:>6}{:>9}", "verdicts", "of", "share");
    for (what, share) in [
        ("first wrong for another crash, now avoided", verdicts.stray),
        ("rightly bad, still bad", verdicts.bad),
        ("rightly good, still good", verdicts.good),
    ] {
        println!("{what:<42}{:>6}{:>7.1} %", share.of, 100.0 * share.rate());
    }
    println!(
        "\n{:<22}{:>6}{:>7}{:>8}{:>24}{:>18}   bins: stated/seen",
        "named commit", "of", "AUC", "Brier", ">= .85: right (covers)", "<= .15: right"
    );
    let seen = |bin: &Bin, more: &str| if bin.count == 0 { "-".to_owned() } else { format!("{:.2}{more}", bin.seen) };
    for (what, figures) in &ways {
        let bins: Vec<String> = figures.bins.iter().map(|bin| format!("{:.2}/{:.2}", bin.stated, bin.seen)).collect();
        println!(
            "{what:<22}{:>6}{:>7.3}{:>8.3}{:>24}{:>18}   {}",
            figures.bins.iter().map(|bin| bin.count).sum::<usize>(),
            figures.auc,
            figures.brier,
            seen(&figures.sure, &format!(" ({:.2})", figures.covered)),
            seen(&figures.doubted, ""),
            bins.join(" ")
        );
    }
    println!(
        "\nthe default policy needs {} of {} trials ({:.0} %), and {} of {} builds",
        saved.needed,
        saved.recorded,
        100.0 * saved.needed as f64 / saved.recorded.max(1) as f64,
        saved.builds_needed,
        saved.builds
    );
    if env::var_os("KBISECT_MISSES").is_some() {
        misses(&cases);
    }
}

/// The file of figures.
fn as_one_value(count: usize, verdicts: &Verdicts, saved: &Saved, ways: &[(&str, Figures)]) -> Value {
    let mut value = ways[0].1.json();
    let more = json!({
        "schema": 1,
        "bisections": count,
        "stray_avoided": verdicts.stray.rate(),
        "bad_kept": verdicts.bad.rate(),
        "good_kept": verdicts.good.rate(),
        "beside": ways[1..].iter().map(|(what, figures)| json!({ "way": what, "figures": figures.json() })).collect::<Value>(),
        "trials": { "recorded": saved.recorded, "needed": saved.needed },
        "builds": { "recorded": saved.builds, "needed": saved.builds_needed },
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// Three ways to say how sure the logs' names are, kbisect's first.
fn ways(cases: &[Case]) -> [(&'static str, Figures); 3] {
    let (mut stated, mut confident) = (Vec::new(), Vec::new());
    for case in cases {
        let Found::One { commit, text: Some(text), .. } = case.log.answer().found else { continue };
        if !text.changes.iter().any(|change| change.extent != Extent::Top) {
            continue;
        }
        let right = commit.to_string() == case.truth.culprit;
        let chance = case.credence.as_ref().map_or(0.0, |credence| credence.probability);
        stated.push(Stated { chance, right });
        confident.push(Stated { chance: case.log.confidence().unwrap_or_default(), right });
    }
    let share = stated.iter().filter(|one| one.right).count() as f64 / stated.len().max(1) as f64;
    let base: Vec<Stated> = stated.iter().map(|one| Stated { chance: share, ..*one }).collect();
    [
        ("kbisect", Figures::of(&stated)),
        ("syzkaller's confidence", Figures::of(&confident)),
        ("always the base rate", Figures::of(&base)),
    ]
}

fn default_directory() -> PathBuf {
    let data = env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    data.join("real-bisections")
}

/// Reads and replays a log; none where it is not there.
fn case(policies: &Policies, directory: &Path, truth: Truth) -> Option<Case> {
    let log = syzbot::read(&fs::read_to_string(directory.join("logs").join(format!("{}.txt", truth.id))).ok()?);
    let log = log.expect("a bisection log");
    let commits = log.commits();
    let line = Line::of(&log, &commits);
    let history = History { graph: Arc::new(line.graph()), ends: line.ends(&log, &commits) };
    let faces = stated(policies, directory, &truth);
    let mut replay =
        replay::replay(&log, policies, &history, Strategy::Posterior, faces).expect("the bundled classifier answers");
    let credence = Account::new(policies, &log, &replay, false).expect("the bundled classifier answers").credence;
    // Hundreds of histories would fill the memory.
    replay.bisector = None;
    Some(Case { truth, log, replay, credence })
}

/// What a user would know of the crash before the bisection: the dashboard's title, and a report where there is one.
fn stated(policies: &Policies, directory: &Path, truth: &Truth) -> Vec<Face> {
    let mut faces = Vec::new();
    if let Ok(file) = fs::read(directory.join("reports").join(&truth.id))
        && let Some(behind) = file.windows(2).position(|two| two == b"\n\n")
        && let Ok(classified) = console::classify(policies, &file[behind + 2..], None)
    {
        faces.extend(classified.reports.into_iter().take(1).map(|report| Face { report, trials: 1 }));
    }
    let report = CrashReport { title: truth.title.clone(), ..CrashReport::default() };
    faces.push(Face { report, trials: 1 });
    faces
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    held: usize,
    of: usize,
}

impl Share {
    fn add(&mut self, held: bool) {
        self.held += usize::from(held);
        self.of += 1;
    }

    fn rate(self) -> f64 {
        self.held as f64 / self.of.max(1) as f64
    }
}

/// The verdicts that are known to be right or wrong. Of a log that came out right, all of its verdicts are right; of one that
/// another crash led astray, the first wrong one is known.
#[derive(Debug, Default)]
struct Verdicts {
    stray: Share,
    bad: Share,
    good: Share,
}

/// A verdict that is known to be right or wrong.
enum Known {
    /// Bad, for a crash that is another bug's.
    Stray,
    /// Rightly bad.
    Bad,
    /// Rightly good.
    Good,
}

fn known(case: &Case) -> Vec<(Known, &replay::Rejudged)> {
    let wrong = case.truth.first_wrong.as_deref().and_then(|commit| commit.parse::<CommitId>().ok());
    let commits = case.replay.commits.iter().filter(|one| one.tested.crashes() + one.tested.clean() > 0);
    match case.truth.outcome.as_str() {
        "stray" => commits.filter(|one| Some(one.tested.commit) == wrong).map(|one| (Known::Stray, one)).collect(),
        "right" => commits
            .filter(|one| one.tested.place != syzbot::Place::Start)
            .filter_map(|one| match one.tested.verdict? {
                Mark::Bad => Some((Known::Bad, one)),
                Mark::Good => Some((Known::Good, one)),
                Mark::Skip => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl Verdicts {
    fn of(cases: &[Case]) -> Self {
        let mut verdicts = Self::default();
        for (known, one) in cases.iter().flat_map(known) {
            match known {
                Known::Stray => verdicts.stray.add(one.now() != Some(Mark::Bad)),
                Known::Bad => verdicts.bad.add(one.now() == Some(Mark::Bad)),
                Known::Good => verdicts.good.add(one.now() == Some(Mark::Good)),
            }
        }
        verdicts
    }
}

/// What the default policy would have saved.
#[derive(Debug, Default)]
struct Saved {
    recorded: usize,
    needed: usize,
    builds: usize,
    builds_needed: usize,
}

impl Saved {
    fn of(cases: &[Case]) -> Self {
        let mut saved = Self::default();
        for case in cases {
            saved.recorded += case.replay.recorded();
            saved.needed += case.replay.needed();
            saved.builds += case.log.tests().len();
            saved.builds_needed += case.replay.commits.len();
        }
        saved
    }
}

/// Prints the verdicts that are wrong.
fn misses(cases: &[Case]) {
    for case in cases {
        for (known, one) in known(case) {
            let (what, held) = match known {
                Known::Stray => ("stray", one.now() != Some(Mark::Bad)),
                Known::Bad => ("bad", one.now() == Some(Mark::Bad)),
                Known::Good => ("good", one.now() == Some(Mark::Good)),
            };
            if held {
                continue;
            }
            let [hit, clean, void, other] = one.tally();
            println!(
                "{what} {} {} | {} | {hit}/{clean}/{void}/{other} needed {} now {:?}: {} | culprit {} named {}",
                case.truth.id,
                one.tested.commit.short(),
                case.truth.title,
                one.needed,
                one.now(),
                one.judgement.reason,
                case.truth.culprit,
                case.truth.named.as_deref().unwrap_or("-"),
            );
            for seen in &one.seen {
                println!("      {} x {}: {:.3} {}", seen.trials, seen.title, seen.same, seen.reason);
            }
        }
    }
}
