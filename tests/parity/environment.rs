//! What builds and runs come to at each commit: the rule of the reference's fake environment, as tables for the build script and the
//! machine.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kbisect::trial::seed::trial_seed;

use super::cases::Case;
use super::cases::Noise;
use super::history::History;
use crate::support::USE_AFTER_FREE;

/// The job's seed, from which trials' seeds follow.
pub(crate) const SEED: u64 = 1;
/// Runs for which there are outcomes at each commit; no way to search needs so many.
const RUNS: u32 = 200;
/// Runs of one test: twice as many at the start commit and where the bug is flaky.
const TEST: u32 = 10;

/// The target, or the testing tools' failure.
const PANIC: &str = "\nKernel panic - not syncing: kasan.fault=panic set ...\n";
const SYZFATAL: &str = "SYZFATAL: executor failed 11 times: executor 0: EOF\n";

/// Writes a case's tables into `folder`.
pub(crate) fn write(case: &Case, history: &History, folder: &Path) {
    fs::create_dir_all(folder.join("outcomes")).unwrap();
    fs::create_dir(folder.join("consoles")).unwrap();
    fs::write(folder.join("consoles/kasan"), [USE_AFTER_FREE, PANIC].concat()).unwrap();
    fs::write(folder.join("consoles/syzfatal"), SYZFATAL).unwrap();
    let mut kernels = String::new();
    for (number, id) in history.ids() {
        let _ = writeln!(kernels, "{number} {}", kernel(case, number));
        let commit = id.parse().unwrap();
        let outcomes: String = (0..RUNS)
            .map(|run| format!("{} {}\n", trial_seed(SEED, &commit, u64::from(run) + 1), outcome(case, history, number, run)))
            .collect();
        fs::write(folder.join("outcomes").join(id), outcomes).unwrap();
    }
    fs::write(folder.join("kernels"), kernels).unwrap();
}

fn kernel(case: &Case, number: u32) -> String {
    if case.same.contains(&number) {
        "same".to_owned()
    } else if case.broken.contains(&number) {
        format!("broken {number}")
    } else {
        number.to_string()
    }
}

/// What the commit's run of this number, from 0, ends with.
fn outcome(case: &Case, history: &History, number: u32, run: u32) -> &'static str {
    let runs = if case.flaky || number == case.start { 2 * TEST } else { TEST };
    let run = run % runs;
    if case.infra.contains(&number) {
        return if 2 * run <= runs { "infra" } else { "ok" };
    }
    let has = |commit: u32| history.contains(number, commit);
    let bad = case.bug.is_none_or(has) && !case.mended.is_some_and(has);
    let crashes = if case.flaky { (runs / 6).max(2) } else { runs };
    // Spread over the test: the first runs are the same as the others.
    if bad && run * 7 % runs < crashes {
        return if case.is_syzfatal { "syzfatal" } else { "kasan" };
    }
    match case.noise {
        Noise::Syzfatal if !bad && run == 0 => "syzfatal",
        Noise::LostConnection if !bad && run < runs / 3 => "lost",
        _ => "ok",
    }
}
