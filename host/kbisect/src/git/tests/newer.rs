use super::*;
use crate::git::Says;
use crate::git::upstream;

fn says(sandbox: &Sandbox, of: &CommitId, start: &CommitId) -> Vec<(String, Says, bool)> {
    let (_, found) = Repository::open(&sandbox.path()).unwrap().mentions(of, &[*of], start).unwrap();
    found.into_iter().map(|one| (one.subject, one.says, one.in_start)).collect()
}

#[test]
fn who_mends_a_commit_or_takes_it_back_is_found_wherever_it_is() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "1", "begin", 0);
    sandbox.commit("a", "2", "mm: culprit", 1);
    let culprit = sandbox.id("HEAD");
    let hash = culprit.to_string();
    sandbox.commit("a", "3", &format!("mm: mend half of it\n\nFixes: {} (\"mm: culprit\")", &hash[..12]), 2);
    sandbox.commit("b", "1", "start", 3);
    let start = sandbox.id("HEAD");
    sandbox.commit("a", "4", &format!("speaks of it\n\nSee commit {hash} (\"mm: culprit\"), which this does not mend."), 4);
    sandbox.commit("a", "5", &format!("mends another\n\nFixes: {} (\"mm: culprit\")", "0".repeat(12)), 5);
    sandbox.commit("a", "6", "too short\n\nFixes: ".to_owned().as_str(), 6);
    sandbox.git(&["checkout", "-q", "-b", "later"]);
    sandbox.commit("a", "7", &format!("Revert \"mm: culprit\"\n\nThis reverts commit {hash}.\n"), 7);
    sandbox.commit("a", "8", "Revert \"mm: culprit\"\n\nIt breaks everything.", 8);
    sandbox.commit("a", "9", &format!("Revert \"mm: culprit\"\n\nThis reverts commit {}.\n", "1".repeat(40)), 9);
    sandbox.commit("a", "10", &format!("mm: the rest\n\nfixes: {hash} (\"mm: culprit\")"), 10);
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(
        says(&sandbox, &culprit, &start),
        [
            ("mm: the rest".to_owned(), Says::Fixes, false),
            ("Revert \"mm: culprit\"".to_owned(), Says::Reverts, false),
            ("Revert \"mm: culprit\"".to_owned(), Says::Reverts, false),
            ("mm: mend half of it".to_owned(), Says::Fixes, true),
        ]
    );
    assert_eq!(says(&sandbox, &start, &start), []);
}

#[test]
fn the_newest_tip_contains_the_commit_and_is_a_main_branch() {
    let sandbox = Sandbox::new();
    sandbox.commit("a", "1", "begin", 0);
    let start = sandbox.id("HEAD");
    let tip = |of: &CommitId| Repository::open(&sandbox.path()).unwrap().newest_tip(of).unwrap();
    assert_eq!(tip(&start), None);
    sandbox.commit("a", "2", "newer", 1);
    let newer = sandbox.id("HEAD");
    assert_eq!(tip(&start).map(|tip| tip.commit), Some(newer));
    assert_eq!(tip(&newer), None);
    // Somebody's topic does not stand for the project, and what has forked off before is not newer.
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    sandbox.commit("a", "3", "topic", 9);
    let topic = sandbox.id("HEAD");
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(tip(&start).map(|tip| tip.commit), Some(newer));
    sandbox.git(&["update-ref", "refs/remotes/origin/master", &topic.to_string()]);
    let found = tip(&start).unwrap();
    assert_eq!((found.name.as_str(), found.commit), ("origin/master", topic));
    assert_eq!(tip(&topic), None);
}

#[test]
fn backports_say_what_they_were_picked_from() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    for text in [
        format!("net: fix\n\ncommit {hash} upstream.\n\nLong text."),
        format!("net: fix\n\n[ Upstream commit {hash} ]\n\nLong text."),
        format!("net: fix\n\nUpstream commit {hash}.\n"),
        format!("net: fix\n\n    commit {hash} upstream\n"),
    ] {
        assert_eq!(upstream(&text).map(|id| id.to_string()).as_deref(), Some(hash), "{text}");
    }
    for text in [
        format!("net: fix\n\nThis mends commit {hash} (\"net: break\") upstream.\n"),
        format!("net: fix\n\n(cherry picked from commit {hash})\n"),
        "net: fix\n\ncommit 0123456789ab upstream.\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(upstream(&text), None, "{text}");
    }
}
