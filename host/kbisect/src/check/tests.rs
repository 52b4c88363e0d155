#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::config::CommandLine;
use crate::config::Host;

fn job(strategy: Option<Strategy>, slots: u32) -> Job {
    let line = CommandLine {
        bad: "HEAD".to_owned(),
        strategy,
        slots: Some(slots),
        command: vec!["true".to_owned()],
        ..CommandLine::default()
    };
    line.job(&Host { cpus: 4, memory: 8 << 30 }, &|_| false).unwrap().job
}

fn range(commits: usize) -> Range {
    let commit = CommitId::from_bytes([0; 20]);
    Range::Stated { good: vec![Subject { commit, subject: String::new() }], commits }
}

#[test]
fn words_are_quoted_as_a_shell_needs_them() {
    assert_eq!(quoted(&["make", "O={out}", "a b", "it's", ""]), r"make O={out} 'a b' 'it'\''s' ''");
}

#[test]
fn git_s_own_way_takes_a_build_for_each_halving() {
    let work = work(&job(Some(Strategy::Git), 1), &range(1000), 0);
    assert_eq!((work.builds, work.trials, work.slots), (10, 10, 1));
    assert_eq!(work.time, Duration::from_secs(10 * 300));
}

#[test]
fn more_slots_take_less_time_and_more_disk() {
    let few = work(&job(None, 1), &range(1000), 1 << 20);
    let many = work(&job(None, 4), &range(1000), 1 << 20);
    assert_eq!(few.builds, many.builds);
    assert!(many.time < few.time && many.disk > few.disk, "{few:?} {many:?}");
}

#[test]
fn too_little_disk_is_named_with_what_bounds_it() {
    assert!(little_disk(5 << 30, 6 << 30, 7 << 30).is_none());
    let found = |free, allowed| little_disk(5 << 30, free, allowed).unwrap().found;
    assert_eq!(found(1 << 30, 2 << 30), "about 5.0G are needed, 1.0G are free");
    assert_eq!(found(3 << 30, 2 << 30), "about 5.0G are needed, 2.0G [limits] `disk` allows");
}
