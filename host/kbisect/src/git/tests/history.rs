use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use kbisect_core::graph::Node;

use super::*;
use crate::git::Error;
use crate::git::commit;
use crate::git::commit_graph::CommitGraph;

/// Parents and times by commit, as `git log` prints them.
fn logged(sandbox: &Sandbox, tips: &[&str]) -> BTreeMap<CommitId, (i64, Vec<CommitId>)> {
    let log = sandbox.git(&[&["log", "--format=%H %ct %P"], tips].concat());
    log.lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let id = words.next().unwrap().parse().unwrap();
            let time = words.next().unwrap().parse().unwrap();
            (id, (time, words.map(|word| word.parse().unwrap()).collect()))
        })
        .collect()
}

fn read(graph: &kbisect_core::graph::Graph) -> BTreeMap<CommitId, (i64, Vec<CommitId>)> {
    (0..graph.len() as u32)
        .map(Node)
        .map(|node| (graph.id(node), (graph.time(node), graph.parents(node).iter().map(|&parent| graph.id(parent)).collect())))
        .collect()
}

#[test]
fn graph_is_what_git_log_says() {
    for seed in 0..6 {
        let sandbox = Sandbox::import(random_history(seed, 80).as_bytes());
        for commit_graph in [&[][..], &["--reachable"], &["--reachable", "--split"]] {
            if !commit_graph.is_empty() {
                fs::remove_dir_all(sandbox.path().join(".git/objects/info")).unwrap();
                // A chain of two files for `--split`: the older half first.
                let half = sandbox.git(&["rev-list", "--all", "--skip=40"]);
                let mut git = git_command(&sandbox.path());
                let mut write = git
                    .args(["commit-graph", "write", "--split=no-merge", "--stdin-commits"])
                    .stdin(Stdio::piped())
                    .spawn()
                    .unwrap();
                write.stdin.take().unwrap().write_all(half.as_bytes()).unwrap();
                assert!(write.wait().unwrap().success());
                sandbox.git(&[&["commit-graph", "write"], commit_graph].concat());
            }
            let repository = sandbox.open();
            for tips in [&["b0"][..], &["b1", "b2"], &["b0~3", "b2"]] {
                let ids: Vec<CommitId> = tips.iter().map(|tip| sandbox.id(tip)).collect();
                assert_eq!(read(&repository.graph(&ids).unwrap()), logged(&sandbox, tips), "seed {seed}, tips {tips:?}");
            }
        }
    }
}

#[test]
fn commit_graph_files_say_what_the_commits_say() {
    let sandbox = Sandbox::import(random_history(9, 60).as_bytes());
    let objects = sandbox.path().join(".git/objects");
    let repository = sandbox.open();
    let ids = sandbox.ids(&["rev-list", "--all"]);
    let headers: Vec<_> = ids.iter().map(|id| commit::header(&repository.raw_commit(id).unwrap()).unwrap()).collect();
    assert!(CommitGraph::read(&objects).is_none());
    sandbox.git(&["commit-graph", "write", "--reachable"]);
    let graph = CommitGraph::read(&objects).unwrap();
    for (id, header) in ids.iter().zip(&headers) {
        assert_eq!(graph.header(id).as_ref(), Some(header));
    }
    assert_eq!(graph.header(&CommitId::from_bytes([0; 20])), None);
    assert_eq!(graph.header(&CommitId::from_bytes([255; 20])), None);
    // Damaged files may be refused or lack commits, but are never a reason to stop.
    let path = objects.join("info/commit-graph");
    let sound = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut dice = Dice(9);
    for round in 0..3_000 {
        let mut damaged = sound.clone();
        damaged.truncate(dice.roll(sound.len() as u64 * 2) as usize);
        for _ in 0..dice.roll(4) {
            if !damaged.is_empty() {
                let at = if round % 2 == 0 { dice.roll(damaged.len() as u64) } else { dice.roll(120.min(damaged.len() as u64)) }
                    as usize;
                damaged[at] = dice.roll(256) as u8;
            }
        }
        fs::write(&path, damaged).unwrap();
        if let Some(graph) = CommitGraph::read(&objects) {
            ids.iter().for_each(|id| _ = graph.header(id));
            // One that leads round in a circle is found out.
            if round % 10 == 0 {
                let _ = sandbox.open().graph(&ids);
            }
        }
    }
}

#[test]
fn graph_of_nothing_is_empty() {
    let sandbox = Sandbox::import(random_history(1, 3).as_bytes());
    assert!(sandbox.open().graph(&[]).unwrap().is_empty());
}

#[test]
fn ancestry_is_what_git_says() {
    let sandbox = Sandbox::import(random_history(7, 40).as_bytes());
    let repository = sandbox.open();
    let ids = sandbox.ids(&["rev-list", "--all"]);
    for one in ids.iter().step_by(3) {
        let ancestors = sandbox.ids(&["rev-list", &one.to_string()]);
        for other in &ids {
            assert_eq!(repository.is_ancestor(other, one).unwrap(), ancestors.contains(other), "{other} of {one}");
        }
    }
}

/// Writes the history of a `*.graph.gz` file of the test data as a fast-import stream of empty commits.
fn real_history() -> Option<Vec<u8>> {
    let data = std::env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let packed = data.join("histories/git.git.graph.gz");
    if !packed.is_file() {
        println!("skipped: {} is not there", packed.display());
        return None;
    }
    let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().unwrap();
    let text = String::from_utf8(unpacked.stdout).unwrap();
    let commits: BTreeMap<&str, Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| (line.split(' ').next().unwrap(), line.split_whitespace().skip(1).collect()))
        .collect();
    let mut marks: BTreeMap<&str, usize> = BTreeMap::new();
    // The file has the newest commit first, so the oldest is taken off first; parents that are said to be newer go before.
    let mut stack: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').next().unwrap()).collect();
    let mut stream = String::new();
    while let Some(id) = stack.pop() {
        let (time, parents) = commits[id].split_first().unwrap();
        let missing: Vec<&str> = parents.iter().copied().filter(|parent| !marks.contains_key(parent)).collect();
        if marks.contains_key(id) {
            continue;
        }
        if !missing.is_empty() {
            stack.push(id);
            stack.extend(missing);
            continue;
        }
        marks.insert(id, marks.len() + 1);
        let branch = if parents.is_empty() { format!("root-{id}") } else { "main".to_owned() };
        let _ = write!(stream, "commit refs/heads/{branch}\nmark :{}\n", marks[id]);
        let _ = writeln!(stream, "committer C O Mitter <committer@example.org> {time} +0000");
        let message = format!("commit {id}: a message of about the usual length\n\n{}\n", "words of it ".repeat(40));
        let _ = write!(stream, "data {}\n{message}", message.len());
        for (place, parent) in parents.iter().enumerate() {
            let _ = writeln!(stream, "{} :{}", if place == 0 { "from" } else { "merge" }, marks[parent]);
        }
        let _ = writeln!(stream, "M 100644 inline file\ndata {}\n{id}", id.len());
    }
    Some(stream.into_bytes())
}

#[test]
fn graph_of_a_real_history_is_what_git_log_says() {
    let Some(stream) = real_history() else { return };
    let sandbox = Sandbox::import(&stream);
    let tip = sandbox.id("main");
    sandbox.git(&["gc", "-q"]);
    let repository = sandbox.open();
    let logged = logged(&sandbox, &["main"]);
    let measure = |repository: &Repository, what: &str| {
        let begin = Instant::now();
        let graph = repository.graph(&[tip]).unwrap();
        println!("{} commits, {what}: {:?}", graph.len(), begin.elapsed());
        assert!(read(&graph) == logged);
    };
    measure(&repository, "with git's commit-graph file");
    let objects = sandbox.path().join(".git/objects/info");
    fs::remove_dir_all(objects).unwrap();
    let repository = sandbox.open();
    for round in ["from the commits", "the same again"] {
        measure(&repository, round);
    }
}

#[test]
fn names_resolve_as_in_git() {
    let sandbox = Sandbox::import(random_history(3, 40).as_bytes());
    sandbox.git(&["tag", "v1.0", "b0~4"]);
    sandbox.git(&["tag", "-m", "annotated", "v1.1", "b0~2"]);
    sandbox.git(&["tag", "-m", "of a tag", "v1.1-again", "v1.1"]);
    sandbox.git(&["update-ref", "refs/remotes/origin/main", "b1"]);
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/b0"]);
    let repository = sandbox.open();
    let full = sandbox.id("b0~1").to_string();
    for name in
        [&full, &full[..12], &full[..7], "b0", "HEAD", "HEAD~3", "HEAD^", "v1.0", "v1.1", "v1.1-again", "origin/main", "@"]
    {
        assert_eq!(repository.resolve(name).unwrap(), sandbox.id(name), "{name}");
    }
    let described = sandbox.git(&["describe", "--long", "--tags", "b0"]);
    assert_eq!(repository.resolve(described.trim()).unwrap(), sandbox.id("b0"));
}

#[test]
fn unknown_names_say_what_to_fetch() {
    let sandbox = Sandbox::import(random_history(3, 5).as_bytes());
    sandbox.git(&["tag", "v6.11", "b0"]);
    let repository = sandbox.open();
    let hints = |name: &str| match repository.resolve(name) {
        Err(error @ Error::UnknownName { .. }) => error.hints().join("\n"),
        other => panic!("{name}: {other:?}"),
    };
    assert!(hints("next-20241118").contains("next/linux-next.git tag next-20241118"));
    assert!(hints("v6.12").contains("torvalds/linux.git tag v6.12"));
    assert!(hints("v6.12").contains("look alike: v6.11"));
    assert!(hints("v6.12-rc3~2").contains("torvalds/linux.git tag v6.12-rc3"));
    assert!(hints("v6.1.23").contains("stable/linux.git tag v6.1.23"));
    assert!(hints("0123456789abcdef0123456789abcdef01234567").contains("fetch origin 0123456789abcdef0123456789abcdef01234567"));
    assert!(hints("0123456789ab").contains("give its title"));
    assert!(hints("no such title").contains("title"));
    assert!(hints("topic").contains("fetch --all --tags"));
    for bad in ["", " ", "\0", "..", "b0..b1", "-rf", "HEAD^{/(}", "@{-1}", "b0^9"] {
        assert!(repository.resolve(bad).is_err(), "{bad:?}");
    }
    sandbox.git(&["config", "core.bare", "true"]);
    assert!(matches!(repository.resolve("HEAD:Makefile"), Err(Error::UnknownName { .. } | Error::NotACommit { .. })));
}

#[test]
fn rebased_commits_are_found_by_title() {
    let sandbox = Sandbox::new();
    let year = 366 * 24 * 3600;
    let old = sandbox.commit("f", "0", "mm: fix the thing", 0);
    sandbox.commit("f", "1", "mm: another", 1);
    let kept = sandbox.commit("f", "2", "mm: fix the\nthing twice\n\nmm: fix the thing", 2);
    let again = sandbox.commit("f", "3", "mm: fix the thing", 3);
    sandbox.commit("f", "4", "the tip", 4);
    let repository = sandbox.open();
    let tip = sandbox.id("HEAD");
    assert_eq!(repository.find_by_title("mm: fix the thing", &[tip]).unwrap(), Some(again), "the newest one");
    assert_eq!(repository.find_by_title("mm: fix the thing", &[old]).unwrap(), Some(old));
    assert_eq!(repository.find_by_title(" mm: fix the thing twice\n", &[tip]).unwrap(), Some(kept));
    assert_eq!(repository.find_by_title("mm: fix", &[tip]).unwrap(), None);
    assert_eq!(repository.find_by_title("anything", &[]).unwrap(), None);
    assert_eq!(repository.resolve("mm: another").unwrap(), sandbox.id("HEAD~3"));
    assert_eq!(repository.resolve("0123456789ab (\"mm: another\")").unwrap(), sandbox.id("HEAD~3"));
    assert_eq!(repository.resolve(&format!("commit {} (\"whatever\")", again.short())).unwrap(), again);
    let late = sandbox.commit("f", "5", "five years later", 5 * year);
    assert_eq!(repository.find_by_title("mm: fix the thing", &[late]).unwrap(), None, "too old");
}

#[test]
fn shallow_history_says_how_to_deepen() {
    let sandbox = Sandbox::import(random_history(5, 30).as_bytes());
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/b0"]);
    let shallow = sandbox.beside("shallow");
    let url = format!("file://{}", sandbox.path().display());
    git_in(&sandbox.beside(""), &["clone", "-q", "--bare", "--depth", "3", "-b", "b0", &url, "shallow"]);
    let repository = Repository::open(&shallow).unwrap();
    let tip = repository.resolve("b0").unwrap();
    assert_eq!(tip, sandbox.id("b0"));
    let error = repository.graph(&[tip]).unwrap_err();
    assert!(matches!(error, Error::Shallow { .. }), "{error}");
    // Neither releases nor names are looked for where they cannot be.
    assert!(matches!(repository.releases_to_walk(&tip), Err(Error::Shallow { .. })));
    let unknown = repository.resolve("v6.0").unwrap_err();
    assert!(unknown.hints().iter().any(|hint| hint.ends_with("fetch --unshallow --tags")), "{:?}", unknown.hints());
    let here = git_in(&shallow, &["rev-list", "--all"]);
    let gone = sandbox.ids(&["rev-list", "b0"]).into_iter().find(|id| !here.contains(&id.to_string())).unwrap();
    assert!(matches!(repository.is_ancestor(&gone, &tip), Err(Error::MissingObject { .. })));
    assert!(repository.is_ancestor(&sandbox.id("b0~1"), &tip).unwrap());
    assert!(matches!(repository.is_ancestor(&tip, &sandbox.id("b0~1")), Err(Error::Shallow { .. })));
    let hint = error.hints().remove(0);
    let command = hint.split_once("git ").unwrap().1;
    git_in(&shallow, &command.split(' ').collect::<Vec<_>>());
    assert_eq!(read(&Repository::open(&shallow).unwrap().graph(&[tip]).unwrap()), logged(&sandbox, &["b0"]));
}
