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
#[path = "real/truth.rs"]
mod truth;

use std::env;
use std::path::Path;
use std::sync::Arc;

use figures::Bin;
use figures::Figures;
use figures::Stated;
use kbisect::gitlog::Mark;
use kbisect::plugin::Engine;
use kbisect::plugin::facts::NoFacts;
use kbisect::policy::Policies;
use kbisect::replay;
use kbisect::replay::Account;
use kbisect::replay::History;
use kbisect::replay::Rejudged;
use kbisect::replay::Replay;
use kbisect::syzbot::Extent;
use kbisect::syzbot::Found;
use kbisect::syzbot::Log;
use kbisect_core::bisector::Strategy;
use kbisect_core::credence::Credence;
use serde_json::Value;
use serde_json::json;
use truth::Known;
use truth::Truth;

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
    let directory = truth::directory(args.iter().find(|arg| !arg.starts_with("--")).map(String::as_str));
    let engine = Engine::new(None).expect("the engine starts");
    let policies = Policies::load_with(&engine, &[], Arc::new(NoFacts), Arc::new(|_| {})).expect("bundled plugins load");
    let cases: Vec<Case> = truth::read(&directory).map(|(truth, log)| case(&policies, &directory, truth, log)).collect();
    if cases.is_empty() {
        return;
    }
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

/// Replays a log.
fn case(policies: &Policies, directory: &Path, truth: Truth, log: Log) -> Case {
    let history = History::of_log(&log);
    let faces = truth.faces(policies, directory);
    let mut replay =
        replay::replay(&log, policies, &history, Strategy::Posterior, faces).expect("the bundled classifier answers");
    let credence = Account::new(policies, &log, &replay, false).expect("the bundled classifier answers").credence;
    // Hundreds of histories would fill the memory.
    replay.bisector = None;
    Case { truth, log, replay, credence }
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

/// The verdicts that are known to be right or wrong, and how many of them are as they should be now.
#[derive(Debug, Default)]
struct Verdicts {
    stray: Share,
    bad: Share,
    good: Share,
}

impl Case {
    /// The commits whose verdict is known to be right or wrong.
    fn known(&self) -> impl Iterator<Item = (Known, &Rejudged)> {
        self.replay.commits.iter().filter_map(|one| Some((self.truth.known(&one.tested)?, one)))
    }
}

/// Whether the verdict is now as it should be.
fn holds(known: Known, one: &Rejudged) -> bool {
    match known {
        Known::Stray => one.now() != Some(Mark::Bad),
        Known::Bad => one.now() == Some(Mark::Bad),
        Known::Good => one.now() == Some(Mark::Good),
    }
}

impl Verdicts {
    fn of(cases: &[Case]) -> Self {
        let mut verdicts = Self::default();
        for (known, one) in cases.iter().flat_map(Case::known) {
            let share = match known {
                Known::Stray => &mut verdicts.stray,
                Known::Bad => &mut verdicts.bad,
                Known::Good => &mut verdicts.good,
            };
            share.add(holds(known, one));
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
        for (known, one) in case.known().filter(|(known, one)| !holds(*known, one)) {
            let [hit, clean, void, other] = one.tally();
            println!(
                "{known:?} {} {} | {} | {hit}/{clean}/{void}/{other} needed {} now {:?}: {} | culprit {} named {}",
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
