//! What a written history is made of.

mod common;

use std::collections::BTreeSet;

use pocket::Error;
use pocket::Options;

fn small(seed: u64) -> Options {
    Options { seed, commits: 100, ..Options::default() }
}

#[test]
fn equal_options_give_equal_hashes() {
    let first = common::write(&small(4));
    let again = common::write(&small(4));
    assert_eq!(first.planted, again.planted);
    assert_eq!(first.commits(), again.commits());
    let other = common::write(&small(5));
    assert_ne!(first.planted.start, other.planted.start);
}

#[test]
fn it_looks_like_the_history_of_a_kernel() {
    let history = common::write(&Options::default());
    let commits = history.commits();
    assert_eq!((commits.len(), history.planted.commits), (400, 400));
    let mut merges = 0;
    let mut subjects = BTreeSet::new();
    for &id in &commits {
        let commit = history.repo.find_commit(id).expect("it is there");
        let tree = commit.tree().expect("it has a tree");
        merges += u32::from(commit.parent_count() == 2);
        if let Ok(parent) = commit.parent(0) {
            let before = parent.tree().expect("it has a tree");
            let diff = history.repo.diff_tree_to_tree(Some(&before), Some(&tree), None).expect("compares");
            assert!(diff.deltas().len() > 0, "{id} changes nothing");
        }
        for parent in commit.parents() {
            assert!(parent.time() <= commit.time(), "{id} is older than its parent");
        }
        let message = commit.message().expect("it is UTF-8");
        let subject = message.lines().next().expect("it has a subject").to_owned();
        if commit.parent_count() == 1 {
            assert!(subject.starts_with("Pocket 1.") || message.contains("\nSigned-off-by: "), "{message}");
            assert!(subjects.insert(subject.clone()), "two commits are called {subject}");
        }
    }
    assert!(merges >= 30, "{merges} merges");
    assert!(history.repo.statuses(None).expect("compares").is_empty(), "the newest commit is checked out");
    assert_eq!(
        history.repo.head().and_then(|head| head.peel_to_commit()).expect("a head").id().to_string(),
        history.planted.start
    );
}

#[test]
fn what_is_planted_is_where_it_is_said_to_be() {
    let mut kinds = BTreeSet::new();
    for seed in 1..=12 {
        let history = common::write(&small(seed));
        let planted = &history.planted;
        kinds.insert(planted.kind.title());
        let culprit = history.id(&planted.culprit);
        let start = history.id(&planted.start);
        assert!(history.contains(start, &planted.culprit));
        assert_eq!(planted.releases, ["v1.0", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6"], "seed {seed}");
        assert!(!planted.good.is_empty() && planted.good.len() < planted.releases.len());
        for tag in &planted.releases {
            let id = history.id(tag);
            assert_eq!(history.contains(id, &planted.culprit), !planted.good.contains(tag), "seed {seed}: {tag}");
            assert!(history.contains(start, tag));
            assert!(!history.fails(id, &planted.unbuildable) && !history.fails(id, &planted.unbootable));
        }
        let mut whole = vec![culprit, start];
        whole.extend(history.repo.find_commit(culprit).expect("it is there").parent_ids());
        for commit in whole {
            assert!(!history.fails(commit, &planted.unbuildable), "seed {seed}: {commit} does not build");
            assert!(!history.fails(commit, &planted.unbootable), "seed {seed}: {commit} does not boot");
        }
        let failing = |stretch| history.commits().into_iter().filter(|&id| history.fails(id, stretch)).count();
        let (unbuildable, unbootable) = (failing(&planted.unbuildable), failing(&planted.unbootable));
        assert!((1..=15).contains(&unbuildable) && (1..=15).contains(&unbootable), "{unbuildable}, {unbootable}");
        let stray = planted.stray.as_ref().expect("there is one");
        assert_ne!(stray.kind, planted.kind);
        assert!(
            history.contains(culprit, &stray.introduced)
                && !history.contains(culprit, stray.mended.as_deref().unwrap_or(&planted.start))
        );
        let second = planted.second.as_ref().expect("there is one");
        assert!(![planted.kind, stray.kind].contains(&second.kind));
        let mended = second.mended.as_deref().expect("it is mended");
        let has_second = |&id: &git2::Oid| history.contains(id, &second.introduced) && !history.contains(id, mended);
        let (bad, good): (Vec<git2::Oid>, Vec<git2::Oid>) =
            history.commits().into_iter().filter(has_second).partition(|&id| history.contains(id, &planted.culprit));
        assert!(bad.len() >= 3 && good.len() >= 3, "seed {seed}: {} bad and {} good commits", bad.len(), good.len());
        assert!(!has_second(&start) && !has_second(&history.id(&planted.releases[0])));
    }
    assert!(kinds.len() >= 4, "{kinds:?}");
}

#[test]
fn nothing_in_the_history_knows_what_was_planted() {
    let history = common::write(&small(6));
    let mut seen = BTreeSet::new();
    for id in history.commits() {
        let tree = history.repo.find_commit(id).and_then(|commit| commit.tree()).expect("it has a tree");
        tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob) {
                seen.insert(entry.id());
            }
            git2::TreeWalkResult::Ok
        })
        .expect("walks");
    }
    for id in seen {
        let blob = history.repo.find_blob(id).expect("it is there");
        // The compiler's own flags may speak of debugging: "debug-" ends in a word below.
        let text = String::from_utf8(blob.content().to_vec()).expect("sources are UTF-8").replace("--debug-prefix-map", "");
        for word in ["bug-", "-broken", "-fixed", "@if", "@else", "@end", "@{", "culprit", "stray", "planted"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        // What a line says of the seed: where it comes from, and that it goes to the scheduler.
        for line in text.lines().filter(|line| line.contains("seed")) {
            let known = [
                "seed = (seed ^ (seed >>",
                "seed += 0x9e37",
                "rng = (seed ^ (seed >> 31)) | 1",
                "sched_seed(",
                "chooses",
                "draws",
            ];
            let comment = line.trim_start().starts_with(['*', '/']) || !text.contains("SPDX");
            assert!(comment || known.iter().any(|known| line.contains(known)), "{line}");
        }
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let refused = |options: Options| match pocket::write(dir.path(), &options) {
        Err(error @ Error::Option { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let base = Options::default();
    assert_eq!(refused(Options { commits: 59, ..base.clone() }), "the number of commits must be from 60 to 1000, not 59");
    assert_eq!(refused(Options { repro_rate: 0.0, ..base.clone() }), "the rate of the bug must be above 0 and at most 1, not 0");
    assert_eq!(
        refused(Options { repro_rate: f64::NAN, ..base.clone() }),
        "the rate of the bug must be above 0 and at most 1, not NaN"
    );
    assert_eq!(refused(Options { stray_rate: 1.5, ..base.clone() }), "the rate of the stray must be from 0 to 1, not 1.5");
    assert_eq!(refused(Options { second_rate: -0.1, ..base }), "the rate of the second bug must be from 0 to 1, not -0.1");
    assert_eq!(std::fs::read_dir(dir.path()).expect("it is a folder").count(), 0);
}

#[test]
fn a_folder_with_a_repository_is_refused() {
    let history = common::write(&Options { commits: 60, ..small(1) });
    let error = pocket::write(&history.dir.path().join("repo"), &small(2)).expect_err("there is one already");
    assert!(matches!(error, Error::Git(_)), "{error}");
}
