//! How often a bisection is led astray by another bug's crash: `relate` on real bisections whose culprit is known.
//!
//! `./x bench relate [DIR]`; DIR (default `real-bisections` of the test data) has `truth.jsonl`, `logs/ID.txt` in syzbot's format, and
//! perhaps `reports/ID`, a console of the bug. Only titles are known of the crashes in the logs. Three figures:
//!
//! * strays: at the commit where a log first went wrong for another bug's crash, that commit's trials must not say "bad";
//! * bad commits of logs that came out right must be called bad;
//! * good commits of logs that came out right must not be.
//!
//! Each with a 95 % interval that takes a bisection's commits for one draw, for all bisections, for those that `relate`'s weights were
//! tuned on (ids whose first byte is even), and for the others, which are the honest figure.
//!
//! A commit's trials say "bad" when the chance that it is bad, at even prior odds, reaches a threshold. Every look (title) is read
//! both as the target, with weight s, and as a stray, whose trials are void, with weight 1-s; within a reading r is unknown with
//! the start commit's trials as evidence (Beta, from a flat prior) or with a small chance anything, and f is .005. A commit whose crashes are all of one look reaches
//! the chance (1+s)/2, so the threshold .75 stands for s = .5.

#[path = "real/truth.rs"]
mod truth;

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::Arc;

use kbisect::plugin::Engine;
use kbisect::plugin::facts::NoFacts;
use kbisect::policy::Policies;
use kbisect::syzbot::Run;
use kbisect::syzbot::Tested;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use truth::Known;
use truth::Truth;
use truth::titled;

/// Chance of a false alarm in one trial.
const FALSE_ALARM: f64 = 0.005;
/// Chance that a bad commit has another r than the start commit: in right results 9 % of the crashing commits did not crash in every
/// run, 3.6 % not in half of them (`bisection-science.md` §8).
const OTHER_RATE: f64 = 0.05;
/// Looks that are read both ways; the others by the likelier reading.
const DOUBTFUL: usize = 6;
/// Where "bad" begins.
const THRESHOLD: f64 = 0.75;

/// How one commit's trials are read by three rules.
struct Reading {
    known: Known,
    /// The bisection it is of.
    id: String,
    /// Chance of "bad".
    chance: f64,
    /// Whether a crash has a title of the start commit.
    same_title: bool,
    /// Whether there is a crash.
    any: bool,
    /// For the list of misses.
    about: String,
}

fn main() {
    let argument = env::args().skip(1).find(|arg| arg != "--bench");
    let directory = truth::directory(argument.as_deref());
    let engine = Engine::new(None).expect("the engine starts");
    let policies = Policies::load_with(&engine, &[], Arc::new(NoFacts), Arc::new(|_| {})).expect("bundled plugins load");
    let mut readings = Vec::new();
    let mut bisections = 0;
    for (truth, log) in truth::read(&directory) {
        bisections += 1;
        let tested = log.commits();
        let known: Vec<(Known, &Tested)> = tested.iter().filter_map(|one| Some((truth.known(one)?, one))).collect();
        if !known.is_empty() {
            let target = Target::new(&policies, &directory, &truth, &tested);
            readings.extend(known.into_iter().map(|(known, one)| target.read(&policies, known, one)));
        }
    }
    if bisections == 0 {
        return;
    }
    println!("relate on {bisections} real bisections of {}", directory.display());
    print("all", &readings.iter().collect::<Vec<_>>());
    let (tuned, others): (Vec<&Reading>, Vec<&Reading>) = readings.iter().partition(|reading| is_tuned_on(&reading.id));
    print("tuned on", &tuned);
    print("only measured", &others);
    if env::var_os("KBISECT_MISSES").is_some() {
        for reading in readings.iter().filter(|reading| (reading.chance >= THRESHOLD) != (reading.known == Known::Bad)) {
            println!("{:?} {:.3} {}", reading.known, reading.chance, reading.about);
        }
    }
}

/// What is looked for.
struct Target {
    faces: Vec<Face>,
    titles: Vec<String>,
    crashed: u32,
    clean: u32,
    id: String,
    name: String,
}

impl Target {
    fn new(policies: &Policies, directory: &Path, truth: &Truth, tested: &[Tested]) -> Self {
        let mut titles: BTreeMap<&str, u32> = BTreeMap::new();
        let runs = tested.first().map(|start| &start.runs[..]).unwrap_or_default();
        for run in runs {
            if let Run::Crashed(title) = run {
                *titles.entry(title).or_default() += 1;
            }
        }
        let mut faces: Vec<Face> = titles.iter().map(|(title, trials)| titled(title, *trials)).collect();
        faces.extend(truth.faces(policies, directory));
        let all: Vec<String> = titles.keys().copied().chain([truth.title.as_str()]).map(str::to_owned).collect();
        Self {
            faces,
            titles: all,
            crashed: titles.values().sum(),
            clean: u32::try_from(runs.iter().filter(|run| **run == Run::Ok).count()).unwrap_or(u32::MAX),
            id: truth.id.clone(),
            name: format!("{} {}", truth.id, truth.title),
        }
    }

    fn read(&self, policies: &Policies, known: Known, one: &Tested) -> Reading {
        let mut looks: BTreeMap<&str, u32> = BTreeMap::new();
        let mut clean = 0;
        for run in &one.runs {
            match run {
                Run::Crashed(title) => *looks.entry(title).or_default() += 1,
                Run::Ok => clean += 1,
                Run::Void(_) | Run::Ignored(_) => {}
            }
        }
        let mut judged: Vec<(f64, u32)> = Vec::new();
        let mut about = format!("{} | {}", self.name, self.titles.join(", "));
        for (title, count) in &looks {
            let seen = CrashReport::titled(*title);
            let relation = policies.relate_to(self.faces.clone(), &seen, &one.commit).expect("the bundled classifier answers");
            about += &format!("\n      {count} x {title}: {:.3} {}", relation.same, relation.reason);
            judged.push((relation.same, *count));
        }
        about += &format!("\n      {clean} clean");
        Reading {
            known,
            id: self.id.clone(),
            chance: self.chance(judged, clean),
            same_title: looks.keys().any(|title| self.titles.iter().any(|known| known == title)),
            any: !looks.is_empty(),
            about,
        }
    }

    /// Chance that a commit with these looks (s, and how often) and clean trials is bad, at even prior odds.
    fn chance(&self, mut looks: Vec<(f64, u32)>, clean: u32) -> f64 {
        looks.sort_by(|one, other| (one.0 - 0.5).abs().total_cmp(&(other.0 - 0.5).abs()));
        let doubtful = looks.len().min(DOUBTFUL);
        let sure: u32 = looks[doubtful..].iter().filter(|(same, _)| *same >= 0.5).map(|(_, count)| count).sum();
        (0..1_u32 << doubtful)
            .map(|reading| {
                let (mut weight, mut hits) = (1.0, sure);
                for (place, (same, count)) in looks[..doubtful].iter().enumerate() {
                    let target = reading >> place & 1 == 1;
                    weight *= if target { *same } else { 1.0 - same };
                    hits += if target { *count } else { 0 };
                }
                let (bad, good) = (self.if_bad(hits, clean), if_good(hits, clean));
                weight * bad / (bad + good)
            })
            .sum()
    }

    /// Likelihood at a bad commit.
    fn if_bad(&self, hits: u32, clean: u32) -> f64 {
        let start = over_beta(1.0 + f64::from(self.crashed), 1.0 + f64::from(self.clean), hits, clean);
        (1.0 - OTHER_RATE) * start + OTHER_RATE * over_beta(1.0, 1.0, hits, clean)
    }
}

/// The mean of r^hits (1-r)^clean where r has a Beta distribution.
fn over_beta(a: f64, b: f64, hits: u32, clean: u32) -> f64 {
    let shows = (0..hits).map(f64::from).map(|i| (a + i) / (a + b + i)).product::<f64>();
    shows * (0..clean).map(f64::from).map(|i| (b + i) / (a + b + f64::from(hits) + i)).product::<f64>()
}

fn if_good(hits: u32, clean: u32) -> f64 {
    FALSE_ALARM.powi(hits.cast_signed()) * (1.0 - FALSE_ALARM).powi(clean.cast_signed())
}

/// Whether the weights of `relate` were tuned on this bisection.
fn is_tuned_on(id: &str) -> bool {
    id.get(..2).and_then(|byte| u8::from_str_radix(byte, 16).ok()).is_some_and(|byte| byte % 2 == 0)
}

fn print(name: &str, readings: &[&Reading]) {
    let count = |known: Known| readings.iter().filter(|reading| reading.known == known).count();
    let [stray, bad, good] = [Known::Stray, Known::Bad, Known::Good].map(count);
    println!("\n{name}: {stray} stray, {bad} bad and {good} good commits");
    println!("{:<24}{:>18}{:>18}{:>18}", "right, in percent", "stray is not bad", "bad is bad", "good is not bad");
    let row = |name: &str, says_bad: &dyn Fn(&Reading) -> bool| {
        let [stray, bad, good] = [Known::Stray, Known::Bad, Known::Good].map(|known| share(readings, known, says_bad));
        println!("{name:<24}{stray:>18}{bad:>18}{good:>18}");
    };
    row("any crash", &|reading| reading.any);
    row("equal titles", &|reading| reading.same_title);
    for threshold in [0.5, 0.55, 0.58, 0.6, 0.65, 0.7, THRESHOLD, 0.8, 0.85, 0.9, 0.95, 0.98] {
        row(&format!("relate, chance >= {threshold}"), &|reading| reading.chance >= threshold);
    }
}

/// How many of these commits are read rightly, with half the width of the 95 % interval: the commits of one bisection are alike, so the
/// variance is that of a ratio over bisections.
fn share(readings: &[&Reading], known: Known, says_bad: &dyn Fn(&Reading) -> bool) -> String {
    let mut bisections: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for reading in readings.iter().filter(|reading| reading.known == known) {
        let (right, all) = bisections.entry(&reading.id).or_default();
        *right += f64::from(u8::from(says_bad(reading) == (known == Known::Bad)));
        *all += 1.0;
    }
    let (right, all) = bisections.values().fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
    if bisections.len() < 2 {
        return "-".to_owned();
    }
    let (share, count) = (right / all, bisections.len() as f64);
    let spread: f64 = bisections.values().map(|(right, all)| (right - share * all).powi(2)).sum();
    let half = 1.96 * (spread * count / (count - 1.0)).sqrt() / all;
    format!("{:.1} ± {:.1}", 100.0 * share, 100.0 * half)
}
