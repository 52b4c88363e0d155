//! Syzkaller's end-to-end cases of bisection, through whole runs of the built program on a generated repository, with real builds, jails,
//! plugins and journals; only the machine is scripted.
//!
//! The table is `conformance-data.md` §2.1: the 34 of 37 cases that need no other tree. Those with a smaller configuration run on one
//! whose configurations are real, with kbisect's own way to build Linux. Under strategy
//! `git` with plugin `syzkaller-rule` kbisect must say what syzkaller says; under its own strategy and policy it must name the same commit,
//! or a set that holds it where syzkaller's set follows from its rules. What differs stands in `parity/differences.toml` with a reason.

mod cases;
mod differences;
mod environment;
mod history;
mod judge;
mod run;

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use cases::CASES;
use cases::Case;
use differences::Difference;
use run::Lab;
use run::Start;
use run::Way;

/// Runs at once: they wait for machines most of the time.
const AT_ONCE: usize = 6;

/// What came of a case: its line of the table, and what differs.
type Outcome = (&'static Case, String, Vec<Difference>);

/// Runs a case twice, as syzkaller does: the start commit is there, or gone from the tree and found by its title.
fn outcome(lab: &Lab, case: &'static Case, way: Way) -> Outcome {
    let [found, again] = [Start::Known, Start::Rebased].map(|start| lab.run(case, way, start));
    let differ = judge::differences(case, way, &found);
    assert_eq!(
        judge::differences(case, way, &again),
        differ,
        "case {} with a start commit that is found by its title",
        case.number
    );
    (case, judge::row(case, &found), differ)
}

/// Runs every case one way, prints what came out, and holds what differs against what is known to differ.
fn hold(way: Way) {
    let lab = Lab::new();
    let next = AtomicUsize::new(0);
    let work = || -> Vec<Outcome> {
        let cases = std::iter::from_fn(|| CASES.get(next.fetch_add(1, Ordering::Relaxed)));
        cases.map(|case| outcome(&lab, case, way)).collect()
    };
    let mut outcomes: Vec<Outcome> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    outcomes.sort_by_key(|(case, ..)| case.number);
    let table: String = outcomes.iter().map(|(_, row, _)| format!("{row}\n")).collect();
    println!("{table}");
    let differ: Vec<Difference> = outcomes.into_iter().flat_map(|(.., differ)| differ).collect();
    let known = differences::known(way);
    let without = |of: &[Difference], others: &[Difference]| -> String {
        of.iter().filter(|one| !others.contains(one)).map(|one| format!("  {one}\n")).collect()
    };
    let (new, gone) = (without(&differ, &known), without(&known, &differ));
    assert!(
        new.is_empty() && gone.is_empty(),
        "{table}\ndiffer, and are not in differences.toml:\n{new}in differences.toml, and do not differ so:\n{gone}"
    );
}

#[test]
fn strategy_git_with_syzkallers_rule_says_what_syzkaller_says() {
    hold(Way::Syzkaller);
}

#[test]
fn kbisects_own_way_names_the_same_commits() {
    hold(Way::Posterior);
}
