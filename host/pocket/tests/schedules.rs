//! How often the planted bugs show, over many schedules of a kernel that runs as a process.

mod common;

use std::collections::BTreeMap;

use pocket::Kind;
use pocket::Options;

/// Share of `n` schedules whose console has `marker`, and of all that crash.
fn shares(kernel: &common::Hosted, marker: &str, n: u64) -> (f64, f64) {
    let mut hits = 0;
    let mut crashes = 0;
    for seed in 0..n {
        let run = kernel.trial(seed);
        let hit = run.console.contains(marker);
        assert!(run.clean() || run.console.contains("Kernel panic - not syncing: "), "{}", run.console);
        hits += u32::from(hit);
        crashes += u32::from(!run.clean());
    }
    (f64::from(hits) / n as f64, f64::from(crashes) / n as f64)
}

/// Titles that the bundled classifier reads in the consoles of `n` schedules, each with how often it comes first.
fn titles(kernel: &common::Hosted, n: u64) -> BTreeMap<String, u64> {
    let mut titles = BTreeMap::new();
    for seed in 0..n {
        let console = kernel.trial(seed).console;
        if let Some(first) = linux_crash::report::reports(console.as_bytes()).into_iter().next() {
            assert_eq!(first.corrupted, None, "{console}");
            *titles.entry(first.title).or_default() += 1;
        }
    }
    titles
}

/// One kind: the culprit hits at the wanted rate, its parent never, and only the stray beside it.
fn check(kind: Kind) {
    if !common::compiler() {
        return;
    }
    let options = Options { seed: 11, kind: Some(kind), second_rate: 0.0, commits: 120, ..Options::default() };
    let history = common::write(&options);
    let stray = history.planted.stray.as_ref().expect("there is a stray").kind;
    let culprit = history.id(&history.planted.culprit);
    let parent = history.repo.find_commit(culprit).and_then(|commit| commit.parent_id(0)).expect("it has a parent");
    let with = history.hosted(culprit);
    let without = history.hosted(parent);
    let titles = titles(&with, 100);
    println!("{titles:?}");
    assert!(titles.get(kind.title()).is_some_and(|&times| times > 50), "{titles:?}");
    assert!(titles.keys().all(|title| [kind.title(), stray.title()].contains(&title.as_str())), "{titles:?}");
    let (hits, crashes) = shares(&with, kind.marker(), 600);
    let (false_hits, parent_crashes) = shares(&without, kind.marker(), 600);
    let (strays, _) = shares(&without, stray.marker(), 600);
    println!("{kind}: {hits:.3} of {crashes:.3}; parent {false_hits:.3} of {parent_crashes:.3}; {stray}: {strays:.3}");
    assert!((hits - options.repro_rate).abs() < 0.1, "{kind}: {hits} at the culprit");
    assert!(false_hits == 0.0, "{kind}: {false_hits} at the parent");
    assert!((strays - options.stray_rate).abs() < 0.03, "{stray}: {strays} at the parent of the culprit");
    assert!((parent_crashes - strays).abs() < 1e-9, "only the stray crashes the parent");
    assert!(crashes - hits < 0.05, "little else crashes the culprit");
}

#[test]
fn use_after_free() {
    check(Kind::UseAfterFree);
}

#[test]
fn missing_reference() {
    check(Kind::Refcount);
}

#[test]
fn lock_order() {
    check(Kind::LockOrder);
}

#[test]
fn lost_wakeup() {
    check(Kind::LostWakeup);
}

#[test]
fn list_corruption() {
    check(Kind::ListCorruption);
}

#[test]
fn lost_update() {
    check(Kind::LostUpdate);
}

#[test]
fn the_rate_is_what_was_asked_for() {
    if !common::compiler() {
        return;
    }
    for rate in [0.3, 0.9] {
        let options = Options { seed: 5, repro_rate: rate, stray_rate: 0.0, second_rate: 0.0, commits: 60, ..Options::default() };
        let history = common::write(&options);
        assert_eq!(history.planted.stray, None);
        let kernel = history.hosted(history.id(&history.planted.start));
        let (hits, crashes) = shares(&kernel, history.planted.kind.marker(), 600);
        println!("wanted {rate}: {hits:.3}");
        assert!((hits - rate).abs() < 0.1, "wanted {rate}, found {hits}");
        assert!((crashes - hits).abs() < 1e-9, "nothing else crashes");
    }
}

/// The second bug hits at its rate from the commit that brings it to the one that mends it, on both sides of the culprit, and
/// nowhere else; both hide each other, but neither changes what the other's commits are.
#[test]
fn the_second_bug_is_where_it_is_said_to_be() {
    if !common::compiler() {
        return;
    }
    for seed in [2, 7] {
        let options = Options { seed, stray_rate: 0.0, commits: 120, ..Options::default() };
        let history = common::write(&options);
        let planted = &history.planted;
        let second = planted.second.as_ref().expect("there is one");
        let (introduced, mended) = (history.id(&second.introduced), history.id(second.mended.as_deref().expect("it is mended")));
        let parent = |id| history.repo.find_commit(id).and_then(|commit| commit.parent_id(0)).expect("it has a parent");
        // Of each commit: which share of schedules shows the culprit's bug, and which the second one.
        let both = |id| {
            let kernel = history.hosted(id);
            let runs: Vec<common::Run> = (0..600).map(|seed| kernel.trial(seed)).collect();
            let share = |marker: &str| runs.iter().filter(|run| run.console.contains(marker)).count() as f64 / 600.0;
            let clean = runs.iter().filter(|run| run.clean()).count() as f64 / 600.0;
            let (first, other) = (share(planted.kind.marker()), share(second.kind.marker()));
            assert!((first + other + clean - 1.0).abs() < 1e-9, "one crash a trial: {first}, {other}, {clean} clean");
            (first, other)
        };
        let (before, brought) = (both(parent(introduced)), both(introduced));
        let (last, after) = (both(parent(mended)), both(mended));
        println!("{} beside {}: {before:?} {brought:?} {last:?} {after:?}", planted.kind, second.kind);
        assert!(before.0 == 0.0 && before.1 == 0.0 && brought.0 == 0.0 && after.1 == 0.0);
        assert!((brought.1 - options.second_rate).abs() < 0.1);
        assert!((after.0 - options.repro_rate).abs() < 0.1);
        // Where a trial could show both, it shows the one that comes first.
        assert!(last.0 > 0.1 && last.1 > 0.05 && last.0 + last.1 < after.0 + brought.1 - 0.1);
    }
}

#[test]
fn half_of_the_titles_name_the_function_at_fault() {
    assert_eq!(Kind::ALL.iter().filter(|kind| kind.names_culprit()).count() * 2, Kind::ALL.len());
}

#[test]
fn a_seed_is_a_schedule() {
    if !common::compiler() {
        return;
    }
    let history = common::write(&Options { seed: 3, commits: 60, ..Options::default() });
    let kernel = history.hosted(history.id(&history.planted.start));
    let first: Vec<String> = (0..40).map(|seed| kernel.trial(seed).console).collect();
    let again: Vec<String> = (0..40).map(|seed| kernel.trial(seed).console).collect();
    assert_eq!(first, again);
    assert!(first.iter().any(|console| *console != first[0]));
}
