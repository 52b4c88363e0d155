use std::sync::Arc;

use super::*;
use crate::git::Facts;
use crate::policy::FactError;
use crate::policy::Facts as _;

const DAY: i64 = 24 * 3600;

fn facts(sandbox: &Sandbox) -> Facts {
    Facts::new(Arc::new(sandbox.open()))
}

#[test]
fn files_are_read_up_to_the_limit() {
    let sandbox = Sandbox::new();
    sandbox.commit("docs/MAINTAINERS", "M: é\n", "one", 0);
    fs::write(sandbox.path().join("binary"), b"\xff\xfe").unwrap();
    fs::write(sandbox.path().join("full"), "x".repeat(4 << 20)).unwrap();
    fs::write(sandbox.path().join("large"), "x".repeat((4 << 20) + 1)).unwrap();
    std::os::unix::fs::symlink("docs/MAINTAINERS", sandbox.path().join("link")).unwrap();
    let id = sandbox.commit("empty", "", "two", 1);
    let facts = facts(&sandbox);
    assert_eq!(facts.read_file(&id, "docs/MAINTAINERS"), Ok("M: é\n".to_owned()));
    assert_eq!(facts.read_file(&id, "empty"), Ok(String::new()));
    assert_eq!(facts.read_file(&id, "full").unwrap().len(), 4 << 20);
    assert_eq!(facts.read_file(&id, "large"), Err(FactError::TooLarge((4 << 20) + 1)));
    assert!(matches!(facts.read_file(&id, "binary"), Err(FactError::Other(_))));
    assert!(matches!(facts.read_file(&id, "link"), Err(FactError::Other(_))));
    assert!(matches!(facts.read_file(&id, "docs"), Err(FactError::Other(_))));
    for path in
        ["nothing", "docs/nothing", "empty/x", "", "/etc/passwd", "../repo/empty", "docs/../empty", "a\0b", "docs//MAINTAINERS/"]
    {
        assert!(facts.read_file(&id, path).is_err(), "{path:?}");
    }
    let unknown = CommitId::from_bytes([7; 20]);
    assert_eq!(facts.read_file(&unknown, "empty"), Err(FactError::NotFound(unknown.to_string())));
    assert_eq!(facts.message(&unknown), Err(FactError::NotFound(unknown.to_string())));
    assert_eq!(facts.changed_files(&unknown), Err(FactError::NotFound(unknown.to_string())));
    assert_eq!(facts.is_ancestor(&unknown, &id), Err(FactError::NotFound(unknown.to_string())));
    assert_eq!(facts.signers(&unknown, &[], 1), Err(FactError::NotFound(unknown.to_string())));
    assert_eq!(facts.changed_files(&id).unwrap(), ["binary", "empty", "full", "large", "link"]);
}

#[test]
fn signers_are_those_of_the_paths_and_days() {
    let sandbox = Sandbox::new();
    let signed = |people: &[&str]| {
        people
            .iter()
            .fold("change\n\n".to_owned(), |text, who| format!("{text}Signed-off-by: {who} <{}@x>\n", who.to_lowercase()))
    };
    sandbox.commit("net/a.c", "0", &signed(&["Old"]), 0);
    sandbox.commit("net/a.c", "1", &signed(&["Ann", "Bob"]), 100 * DAY);
    sandbox.commit("net/b.c", "2", &signed(&["Bob", "Bob"]), 101 * DAY);
    sandbox.commit("mm/a.c", "3", &signed(&["Mem"]), 102 * DAY);
    let tip = sandbox.commit("net/ab/x", "4", &signed(&["Deep"]), 103 * DAY);
    let facts = facts(&sandbox);
    let ask = |paths: &[&str], days: u32| {
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        let signers = facts.signers(&tip, &paths, days).unwrap();
        signers.into_iter().map(|signer| format!("{} {}", signer.who.email, signer.commits)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(ask(&["net"], 50), "bob@x 2, ann@x 1, deep@x 1");
    assert_eq!(ask(&["net/"], 103), "bob@x 2, ann@x 1, deep@x 1, old@x 1");
    assert_eq!(ask(&["net/a.c"], 50), "ann@x 1, bob@x 1");
    assert_eq!(ask(&["net/a.c", "mm/a.c"], 50), "ann@x 1, bob@x 1, mem@x 1");
    assert_eq!(ask(&["net/a"], 500), "");
    assert_eq!(ask(&["net/a.c/x"], 500), "");
    assert_eq!(ask(&["net"], 1), "deep@x 1");
    assert_eq!(ask(&[], 1), "deep@x 1, mem@x 1");
    assert_eq!(ask(&["net"], u32::MAX), "bob@x 2, ann@x 1, deep@x 1, old@x 1");
    assert!(matches!(facts.signers(&tip, &vec![String::new(); 257], 1), Err(FactError::TooLarge(257))));
    assert!(matches!(facts.signers(&tip, &["a/".repeat(1 << 20)], 1), Err(FactError::TooLarge(2_097_152))));
    // What was counted when the time is over is the answer: a call that takes too long loses all that its plugin knows.
    assert!(sandbox.open().signers(&tip, &[], 500, std::time::Instant::now()).unwrap().is_empty());
}

#[test]
fn signers_are_those_of_git_log() {
    let sandbox = Sandbox::import(random_history(31, 80).as_bytes());
    let facts = facts(&sandbox);
    for name in ["b0", "b1", "b2"] {
        let id = sandbox.id(name);
        for paths in ["a", "a/b", "d", "x/y", "Makefile", "x/y/z", "a/b d", "x/y x/y/z a", "a/b/c a/b Makefile none a"] {
            let paths: Vec<&str> = paths.split(' ').collect();
            let log = ["log", "--no-merges", "--full-history", "--format=%H", name, "--"];
            let touched = sandbox.git(&[&log[..], &paths].concat()).lines().count();
            let asked: Vec<String> = paths.iter().map(ToString::to_string).collect();
            let ours = facts.signers(&id, &asked, 10_000).unwrap().first().map_or(0, |signer| signer.commits as usize);
            assert_eq!(ours, touched, "{name} {paths:?}");
        }
    }
}
