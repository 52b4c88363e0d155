//! How long it takes to choose the next commit.
//!
//! `./x bench select`. One search after the other, from its first trial to its name, in a line of 15,000 commits, in histories with as
//! many merges as git's own of 15,000 and 45,000, and in a real one of 60,429 where the test data is. Whenever the search makes a plan,
//! what to build ahead included, the time is taken: the mean is that on a processor, where the kernel tells it, as the clock's says more of
//! what else the machine is doing. Beside it stands what git's own first choice takes in the same history.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use flate2::read::MultiGzDecoder;
use kbisect_core::bisector::Action;
use kbisect_core::bisector::Bisector;
use kbisect_core::bisector::Ends;
use kbisect_core::bisector::Evidence;
use kbisect_core::bisector::Judged;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Pace;
use kbisect_core::bisector::Plan;
use kbisect_core::bisector::Settings;
use kbisect_core::bisector::Strategy;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::git_compat;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Trial;
use kbisect_core::simulate::AnyCrash;
use kbisect_core::simulate::Chances;
use kbisect_core::simulate::Dice;
use kbisect_core::simulate::FlakePolicy;
use kbisect_core::simulate::History;
use kbisect_core::simulate::Shape;
use kbisect_core::simulate::Situation;
use kbisect_core::simulate::World;

/// Where merges are as in git's history.
const TIP: &str = "ff75e6c99c29";
const SEARCHES: u64 = 3;
const TRIALS: u64 = 500;

fn main() -> ExitCode {
    let dag = |commits| History::dag(commits, &Shape::default(), &mut Dice::new(5)).expect("the size is right");
    println!(
        "{:<28}{:>8}{:>10}{:>10}{:>10}{:>10}{:>12}",
        "history", "plans", "median ms", "mean ms", "most ms", "limit ms", "git's choice"
    );
    let mut slow = false;
    slow |= measure("a line of 15,000", &History::linear(15_000).expect("the size is right"), Some(2.0));
    slow |= measure("merges, 15,000", &dag(15_000), Some(100.0));
    slow |= measure("merges, 45,000", &dag(45_000), Some(1000.0));
    match real() {
        Some(history) => slow |= measure("git's own, 60,429", &history, None),
        None => println!("git's own history is not there: skipped"),
    }
    if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Milliseconds.
#[derive(Debug, Clone, Copy)]
struct Taken {
    clock: f64,
    /// Of one piece of work only roughly so, as the kernel counts in ticks; the mean of many is right.
    processor: f64,
}

/// Does something, and says how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Taken) {
    let (begun, before) = (Instant::now(), on_processor());
    let made = work();
    let clock = begun.elapsed().as_secs_f64() * 1e3;
    let processor = before.zip(on_processor()).map_or(clock, |(before, after)| after - before);
    (made, Taken { clock, processor })
}

/// Milliseconds that this thread has been on a processor, if the kernel tells (`Documentation/scheduler/sched-stats.rst`).
fn on_processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    (nanoseconds > 0.0).then_some(nanoseconds / 1e6)
}

/// Prints the times of some searches in a history; true if the mean is over the limit.
fn measure(name: &str, history: &History, limit: Option<f64>) -> bool {
    let taken: Vec<Taken> = (0..SEARCHES).flat_map(|run| search(history, run)).collect();
    let mut clock: Vec<f64> = taken.iter().map(|taken| taken.clock).collect();
    clock.sort_unstable_by(f64::total_cmp);
    let ((), git) = timed(|| {
        git_compat::next(&history.graph, history.start, &[history.good], &[], git_compat::Options::default());
    });
    let (count, mean) = (taken.len(), taken.iter().map(|taken| taken.processor).sum::<f64>() / taken.len() as f64);
    let (median, most) = (clock[count / 2], clock[count - 1]);
    let shown = limit.map_or_else(|| "-".to_owned(), |limit| format!("{limit:.0}"));
    println!("{name:<28}{count:>8}{median:>10.2}{mean:>10.2}{most:>10.2}{shown:>10}{:>9.1} ms", git.processor);
    limit.is_some_and(|limit| mean > limit)
}

/// What each plan of one search takes.
fn search(history: &History, run: u64) -> Vec<Taken> {
    let chances = Chances { repro: 0.7, ..Chances::default() };
    let mut world = World::new(history, chances, &[], Dice::of_run(1, run));
    let id = |node| history.graph.id(node);
    let ends = Ends { kind: Kind::Cause, start: id(history.start), good: vec![id(history.good)], releases: Vec::new() };
    let settings = Settings { strategy: Strategy::Posterior, delta: 0.01, trust_good: false, single_trials: false };
    let mut bisector = Bisector::new(Arc::clone(&history.graph), ends, settings).expect("the ends are right");
    bisector.keep_pace(Pace { builders: 2, build: 360.0, trial: 420.0, boot: 120.0, full: 300.0 });
    let mut policy = AnyCrash { trials: 4 };
    let (mut past, mut times): (HashMap<CommitId, Vec<Trial>>, Vec<Taken>) = (HashMap::new(), Vec::new());
    for number in 1..TRIALS {
        let (plan, taken) = timed(|| bisector.plan(&[]));
        times.push(taken);
        let Plan::Do(actions) = plan else { break };
        let Some(&Action::Try { commit, role, rebuild, .. }) = actions.first() else { break };
        let build = if rebuild { 2 } else { 1 };
        let node = history.graph.node(&commit).expect("the plan keeps to the history");
        let trial = Trial { outcome: world.trial(node, build).outcome, exposure: 1.0 };
        let trials = past.entry(commit).or_default();
        trials.push(trial.clone());
        bisector.record(Evidence { number: TrialNumber(number), commit, role, build, trial });
        let ask = Ask { commit, role, trials: trials.clone(), running: 0, proposed: 1 };
        let situation = Situation {
            kind: Kind::Cause,
            start: id(history.start),
            delta: settings.delta,
            range: history.range.len(),
            rates: bisector.rates_at(&commit),
            history: Arc::default(),
        };
        let judgement = policy.judge(&ask, &situation);
        bisector.judge(Judged { commit, trials: trials.len() as u32, judgement });
    }
    times
}

/// The history of git, if it is there.
fn real() -> Option<History> {
    let data = env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let mut text = String::new();
    MultiGzDecoder::new(&fs::read(data.join("histories/git.git.graph.gz")).ok()?[..]).read_to_string(&mut text).ok()?;
    History::from_text(&text, Some(TIP), None).ok()
}
