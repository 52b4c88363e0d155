//! How the plugin ranks commits for a crash in a small kernel, and that it answers whatever it is told.

use std::collections::BTreeMap;

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use kbisect_sdk::fake;
use kbisect_sdk::fake::FakeCommit;
use kbisect_sdk::fake::FakeHost;
use kbisect_sdk::suspicion::CommitFacts;
use proptest::prelude::*;
use stack_prior::StackPrior;

const MAINTAINERS: &str = "Maintainers\n\nPIPES\nM:\tP <p@example.org>\nF:\tfs/pipe.c\nF:\tinclude/linux/pipe*\n\nFILESYSTEMS\nL:\tfs@example.org\n\
F:\tfs/\n\nTHE REST\nL:\tall@example.org\nF:\t*\nF:\t*/\n";

fn report() -> CrashReport {
    CrashReport {
        frame: Some("pipe_read".to_owned()),
        trace: ["mutex_lock", "pipe_read", "vfs_read", "ksys_read"].map(str::to_owned).to_vec(),
        ..CrashReport::new("possible deadlock in pipe_read").with_guilty_file("fs/pipe.c").with_property(
            "files",
            "kernel/locking/mutex.c fs/pipe.c fs/read_write.c fs/splice.c a/a.c b/b.c arch/x86/entry/common.c net/socket.c",
        )
    }
}

fn host(report: CrashReport) -> FakeHost {
    let newest = "1".repeat(40);
    let commit =
        FakeCommit { files: BTreeMap::from([("MAINTAINERS".to_owned(), MAINTAINERS.to_owned())]), ..FakeCommit::default() };
    let properties = [("newest-commit", newest.as_str()), ("arch", "x86_64"), ("kind", "cause")];
    FakeHost {
        faces: vec![Face { report, trials: 3 }],
        properties: properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        commits: BTreeMap::from([(newest, commit)]),
        ..FakeHost::default()
    }
}

fn commit(subject: &str, files: &[&str]) -> CommitFacts {
    CommitFacts { id: "2".repeat(40), subject: subject.to_owned(), files: files.iter().map(|&file| file.to_owned()).collect() }
}

/// From the guiltiest to what cannot be it.
#[test]
fn commits_are_ranked_by_what_they_touch_and_say() {
    let commits = [
        commit("pipe: take the mutex in pipe_read() first", &["fs/pipe.c"]),
        commit("fs: tidy up", &["fs/pipe.c", "mm/slab.c"]),
        commit("splice: let pipes grow while vfs reads: pipe", &["fs/splice.c"]),
        commit("fs: read fewer pages", &["fs/read_write.c"]),
        commit("socket: count it", &["net/socket.c"]),
        commit("rcu: mutex and pipe readers", &["kernel/rcu/tree.c"]),
        commit("locking: spin longer", &["kernel/locking/mutex.c"]),
        commit("ext2: one inode less", &["fs/inode.c"]),
        commit("grow", &["include/linux/pipe_fs_i.h"]),
        commit("all over the tree", &vec!["fs/pipe.c"; 101]),
        commit("gpu: blink", &["drivers/gpu/blink.c"]),
        commit("Merge branch 'pipe' of somewhere", &[]),
        commit("arm: pipe", &["arch/arm/kernel/pipe.c"]),
        commit("pipe: document pipe_read()", &["Documentation/pipe.rst", "MAINTAINERS", "fs/README.md", "tools/x.c"]),
    ];
    let weights = fake::weigh::<StackPrior>(&host(report()), &commits).expect("weights");
    let expected = [100.0, 50.0, 60.0, 20.0, 10.0, 12.0, 2.0, 2.0, 1.0, 0.35, 0.35, 0.05, 1e-4, 1e-4];
    for ((commit, weight), expected) in commits.iter().zip(&weights).zip(expected) {
        assert_eq!(*weight, expected, "{}", commit.subject);
    }
}

#[test]
fn an_architecture_that_is_not_known_rules_nothing_out() {
    let mut host = host(report());
    host.properties.remove("arch");
    let commits = [commit("arm: new", &["arch/arm/kernel/a.c"]), commit("tools: objtool", &["tools/objtool/check.c"])];
    assert_eq!(fake::weigh::<StackPrior>(&host, &commits).expect("weights"), [0.35, 0.35]);
}

/// Consoles without debug information name functions only.
#[test]
fn where_no_file_is_known_words_decide() {
    let bare = CrashReport { properties: Vec::new(), guilty_file: None, ..report() };
    let commits = [
        commit("fs: take fewer locks", &["fs/pipe.c"]),
        commit("vfs: ksys, pipe and others", &["fs/x.c"]),
        commit("gpu: blink", &["drivers/gpu/blink.c"]),
    ];
    assert_eq!(fake::weigh::<StackPrior>(&host(bare), &commits).expect("weights"), [1.0, 12.0, 0.35]);
}

#[test]
fn a_crash_that_shows_nothing_makes_nobody_guilty() {
    let commits = [commit("a", &["Documentation/a.rst"]), commit("b", &[])];
    let said = fake::weigh::<StackPrior>(&host(CrashReport::new("exit status 1")), &commits);
    assert_eq!(said.expect("weights"), [1.0, 1.0]);
    assert_eq!(fake::weigh::<StackPrior>(&FakeHost::default(), &commits).expect("weights"), [1.0, 1.0]);
}

#[test]
fn settings_are_refused() {
    use kbisect_sdk::Plugin as _;
    StackPrior::check(&FakeHost::default()).expect("no settings");
    StackPrior::check(&FakeHost::with_settings(r#"{ "a": 1 }"#)).expect_err("it has none");
}

proptest! {
    #[test]
    fn whatever_is_said_weights_are_sound(
        texts in proptest::collection::vec(any::<String>(), 8),
        subjects in proptest::collection::vec(any::<String>(), 0..5),
        paths in proptest::collection::vec("[a-z/. \\PC]{0,12}", 0..6),
    ) {
        let report = CrashReport {
            frame: Some(texts[0].clone()),
            trace: texts[1..3].to_vec(),
            guilty_file: Some(texts[3].clone()),
            ..CrashReport::new(&*texts[4]).with_property("files", texts[5..].join(" "))
        };
        let files: Vec<&str> = paths.iter().map(String::as_str).collect();
        let commits: Vec<CommitFacts> = subjects.iter().map(|subject| commit(subject, &files)).collect();
        let weights = fake::weigh::<StackPrior>(&host(report), &commits);
        prop_assert_eq!(weights.map(|weights| weights.len()), Ok(commits.len()));
    }
}
