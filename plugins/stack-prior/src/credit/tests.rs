//! What a named commit looks like.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const FILES: [&str; 6] =
    ["net/tipc/socket.c", "net/tipc/msg.c", "net/socket.c", "fs/read_write.c", "kernel/fork.c", "net/ipv4/tcp.c"];

fn stack(files: &[&str]) -> Stack {
    Stack { files: files.iter().map(|&file| file.to_owned()).collect(), arch: Some("x86") }
}

fn odds(files: &[&str], releases: u32) -> f64 {
    of(&stack(&FILES[..4]), &commit(files), releases).unwrap().odds
}

fn commit(files: &[&str]) -> CommitFacts {
    CommitFacts { id: "1".repeat(40), subject: String::new(), files: files.iter().map(|&file| file.to_owned()).collect() }
}

#[test]
fn commits_that_can_hardly_have_introduced_anything() {
    let ordinary = odds(&["drivers/net/tun.c"], 1);
    for files in [&[][..], &["arch/um/a.c"], &["Documentation/a.rst", "tools/a.c"], &["net/tipc/Kconfig", "Makefile"]] {
        assert!(odds(files, 1) < 0.1 * ordinary, "{files:?}");
    }
    assert!(odds(&["mm/shmem.c"], 1) < ordinary);
    assert!(odds(&["net/tipc/msg.c", "Documentation/a.rst"], 1) > ordinary);
}

/// After a long walk, a file of the subsystem says little unless much of the stack is in it; one that all pass through still does.
#[test]
fn a_long_walk_takes_from_what_a_subsystems_file_says() {
    assert_eq!(odds(&["net/tipc/msg.c"], 1), odds(&["net/socket.c"], 1));
    assert!(odds(&["net/tipc/msg.c"], 9) < 0.5 * odds(&["net/tipc/msg.c"], 1));
    assert_eq!(odds(&["net/socket.c"], 9), odds(&["net/socket.c"], 1));
    assert!(odds(&["net/tipc/msg.c", "net/tipc/socket.c"], 9) > 2.0 * odds(&["net/tipc/msg.c"], 9));
}

#[test]
fn says_why() {
    let why = |files: &[&str]| of(&stack(&FILES[..4]), &commit(files), 1).unwrap().reason;
    assert_eq!(why(&["net/tipc/msg.c"]), "it touches net/tipc/msg.c of the stack's 4");
    assert_eq!(why(&["net/tipc/msg.c", "net/socket.c"]), "it touches net/tipc/msg.c and another file of the stack's 4");
    assert_eq!(why(&["mm/shmem.c"]), "it touches no file of the stack, and mm/shmem.c changes what all crashes look like");
    assert_eq!(of(&stack(&[]), &commit(&["mm/shmem.c"]), 1), None);
}

proptest! {
    #[test]
    fn odds_are_numbers_that_make_sense(
        shown in proptest::sample::subsequence(FILES.to_vec(), 1..6),
        touched in proptest::sample::subsequence(FILES.to_vec(), 0..6),
        releases in 0..60_u32,
    ) {
        let credit = of(&stack(&shown), &commit(&touched), releases).unwrap();
        prop_assert!((1e-4..1e2).contains(&credit.odds), "{credit:?}");
        let walked = of(&stack(&shown), &commit(&touched), releases + 1).unwrap();
        prop_assert!(walked.odds <= credit.odds);
    }
}
