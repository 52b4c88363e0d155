//! What a clean trial is worth where the reproducer does not get to the crash: whole bisections of the pocket kernel.

use std::fs;

use crate::support::Planned;
use crate::support::Tree;
use crate::support::World;
use crate::support::journal;
use crate::support::pocket_sources;
use crate::support::report;
use crate::support::sure_pocket;
use crate::support::write_history;
use serde_json::Value;

const INODE: &str = "fs/inode.c";
const SYNC: &str = "int vfs_sync(u32 ino)\n{\n";
/// Write-back, before anybody may use it.
const CHECKED: &str = "int vfs_sync(u32 ino)\n{\n\tif (!vfs_writeback)\n\t\treturn -ENOENT;\n";
const SOUND: &str = "\tinode_write_pages(inode);\n\tiput(inode);\n\treturn 0;\n";
/// The inode may go while its pages are written.
const BUG: &str = "\tiput(inode);\n\tinode_write_pages(inode);\n\treturn 0;\n";

/// What a commit does.
enum Step {
    Note,
    /// Brings the bug.
    Bug,
    /// Lets nobody use what the bug is in.
    Close,
    /// Lets everybody use it.
    Open,
}

/// The pocket kernel's sources as they are at a release without planted bugs.
fn sources(world: &World) -> Tree {
    pocket_sources(world, &pocket::Options { kind: Some(pocket::Kind::UseAfterFree), ..sure_pocket() })
}

fn replace(tree: &mut Tree, path: &str, from: &str, to: &str) {
    let text = tree.get_mut(path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{path} has {from:?} once");
    *text = text.replace(from, to);
}

/// Writes a kernel, and the steps on top of it, with releases at these commits; a job for it. The ids.
fn write(world: &World, base: &Tree, steps: &[Step], releases: &[usize], more: &str) -> Vec<String> {
    let mut tree = base.clone();
    let mut commits = vec![Planned { files: base.clone().into_iter().collect(), ..Planned::on(&[], "kernel: import") }];
    for (place, step) in steps.iter().enumerate() {
        let planned = |subject: &str, path: &str, tree: &Tree| Planned::on(&[place], subject).file(path, tree[path].clone());
        commits.push(match step {
            Step::Note => {
                let path = format!("Documentation/notes/{place}");
                tree.insert(path.clone(), format!("Note {place}\n"));
                planned(&format!("Documentation: add note {place}"), &path, &tree)
            }
            Step::Bug => {
                replace(&mut tree, INODE, SOUND, BUG);
                planned("fs: drop the reference earlier", INODE, &tree)
            }
            Step::Close => {
                close(&mut tree);
                planned("fs: disable write-back", INODE, &tree)
            }
            Step::Open => {
                replace(&mut tree, INODE, CHECKED, SYNC);
                planned("fs: enable write-back", INODE, &tree)
            }
        });
    }
    let tags: Vec<String> = (0..releases.len()).map(|number| format!("v1.{number}")).collect();
    let tags: Vec<(&str, usize)> = tags.iter().map(String::as_str).zip(releases.iter().copied()).collect();
    let ids = write_history(world, "linux", &commits, &tags);
    let job = pocket::Job { repo: &world.path("linux"), bad: "main", good: None, strategy: None, seed: 5 };
    fs::write(world.path("job.toml"), pocket::job_toml(&job) + more).unwrap();
    ids
}

fn close(tree: &mut Tree) {
    replace(tree, INODE, SYNC, CHECKED);
    if !tree[INODE].contains("static bool vfs_writeback;") {
        replace(
            tree,
            INODE,
            "static struct list_head inode_hash[",
            "static bool vfs_writeback;\nstatic struct list_head inode_hash[",
        );
    }
}

/// Runs the job; the result as data and as text, and the lines that a run shows.
fn bisect(world: &World) -> (Value, String, String) {
    let output = world.kbisect(&["run", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    let text = fs::read_to_string(world.path("run/report.txt")).unwrap();
    (report(&world.path("run")), text, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// How sure it is that the named commit introduced the crash.
fn introduced(report: &Value) -> f64 {
    report["named"]["credence"]["introduced"]["chance"].as_f64().unwrap()
}

/// Hashes by name instead, and without what differs from run to run.
fn named(text: &str, ids: &[String]) -> String {
    ids.iter().enumerate().fold(text.to_owned(), |text, (place, id)| text.replace(&id[..12], &format!("<commit {place:>2}>")))
}

/// The lines that begin so, and those that go on with them.
fn lines(text: &str, heads: &[&str]) -> String {
    let mut shown = String::new();
    let mut on = false;
    for line in text.lines() {
        on = heads.iter().any(|head| line.starts_with(head)) || on && line.starts_with("  ");
        if on {
            shown += line;
            shown.push('\n');
        }
    }
    shown
}

/// What looking cost, in ordinary trials of the same commit.
fn costs(world: &World) -> Vec<f64> {
    let entries = journal(&world.path("run"));
    let seconds = |event: &str, commit: &Value| -> Vec<f64> {
        let of = entries
            .iter()
            .filter(|entry| entry["event"] == event && entry["commit"] == *commit && entry["outcome"]["void"].is_null());
        of.map(|entry| entry["seconds"].as_f64().unwrap()).filter(|seconds| *seconds > 0.0).collect()
    };
    let looked = entries.iter().filter(|entry| entry["event"] == "reached");
    looked
        .map(|entry| {
            let trials = seconds("trial-ended", &entry["commit"]);
            entry["seconds"].as_f64().unwrap() / (trials.iter().sum::<f64>() / trials.len() as f64)
        })
        .collect()
}

#[test]
fn a_commit_that_opens_the_way_to_an_older_bug_does_not_introduce_it() {
    let world = World::new();
    let mut base = sources(&world);
    close(&mut base);
    let ids = write(&world, &base, &[Step::Note, Step::Bug, Step::Note, Step::Note, Step::Open, Step::Note], &[0, 3], "");
    let (report, text, shown) = bisect(&world);
    println!("{shown}{text}\n{:?}", costs(&world));
    assert_eq!(report["named"]["commit"], ids[5]);
    assert!(introduced(&report) <= 0.2, "{}", introduced(&report));
    // The walk went on behind the newer release.
    let releases: Vec<&Value> = report["tested"].as_array().unwrap().iter().filter(|one| one["role"] == "release").collect();
    assert_eq!(releases.iter().map(|one| &one["commit"]).collect::<Vec<_>>(), [&ids[3], &ids[0]]);
    insta::assert_snapshot!(named(&lines(&text, &["The crash begins", "Evidence", "Reach", "  not older"]), &ids), @"
    The crash begins to show, the bug is rather older, > 99.9 %:
    Evidence (same configuration, same compiler):
      culprit    <commit  5>    2 of 2 trials crash with it
      parent     <commit  4>    0 of 2 trials crash: clean, not exercised
      start      <commit  6>    3 of 3 trials crash with it
    Reach: <commit  3> not exercised: inode_write_page, inode_write_pages do
      not run here (vfs_sync, sync_task, task_main, ret_from_fork do)
    Reach: <commit  4> not exercised: inode_write_page, inode_write_pages do
      not run here (vfs_sync, sync_task, task_main, ret_from_fork do)
      not older     15 %  it is clean only 2 releases back, where 31 % of the
                          bugs only hide; its parent does not get to the code
                          that crashes, so that clean says nothing there; it
                          touches fs/inode.c of the stack's 6
    ");
    insta::assert_snapshot!(named(&lines(&shown, &["reach "]), &ids), @r"
    reach   <commit  3> not exercised: inode_write_page, inode_write_pages do not run here (vfs_sync, sync_task, task_main, ret_from_fork do)
    reach   <commit  4> not exercised: inode_write_page, inode_write_pages do not run here (vfs_sync, sync_task, task_main, ret_from_fork do)
    ");
    assert!(!text.contains("| Fixes:"), "nobody may blame it:\n{text}");
    let status = world.kbisect(&["status", "run"]).output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.lines().any(|line| line.contains(&ids[3][..12]) && line.ends_with("good, not exercised")), "{status}");
    let explained = world.kbisect(&["explain", "run"]).output().unwrap();
    let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.contains(&format!("Reach: {} not exercised: ", &ids[4][..12])), "{explained}");
}

#[test]
fn a_commit_whose_parent_runs_the_same_code_introduces_the_bug() {
    let world = World::new();
    let base = sources(&world);
    let ids = write(&world, &base, &[Step::Note, Step::Note, Step::Note, Step::Note, Step::Bug, Step::Note], &[0, 3], "");
    let (report, text, shown) = bisect(&world);
    println!("{shown}{text}\n{:?}", costs(&world));
    assert_eq!(report["named"]["commit"], ids[5]);
    assert!(introduced(&report) >= 0.9, "{}", introduced(&report));
    let releases = report["tested"].as_array().unwrap().iter().filter(|one| one["role"] == "release").count();
    assert_eq!(releases, 1, "the walk ends at a release that is exercised");
    insta::assert_snapshot!(named(&lines(&text, &["Culprit", "Evidence", "Reach"]), &ids), @"
    Culprit, > 99.9 %:
    Evidence (same configuration, same compiler):
      culprit    <commit  5>    2 of 2 trials crash with it
      parent     <commit  4>    0 of 2 trials crash with it
      start      <commit  6>    3 of 3 trials crash with it
    Reach: <commit  3> exercised: inode_write_page, inode_write_pages,
      vfs_sync, sync_task and 2 more run here, too
    Reach: <commit  4> exercised: inode_write_page, inode_write_pages,
      vfs_sync, sync_task and 2 more run here, too
    ");
    assert!(text.contains("| Fixes:"), "{text}");
}

#[test]
fn a_release_that_hides_the_bug_does_not_hide_where_it_came_from() {
    let world = World::new();
    let base = sources(&world);
    let steps = [Step::Note, Step::Bug, Step::Note, Step::Note, Step::Close, Step::Note, Step::Open, Step::Note];
    let ids = write(&world, &base, &steps, &[0, 3, 6], "");
    let (report, text, shown) = bisect(&world);
    println!("{shown}{text}");
    assert_eq!(report["named"]["commit"], ids[2]);
    assert!(introduced(&report) >= 0.9, "{}", introduced(&report));
    let hidden = report["reach"].as_array().unwrap().iter().find(|one| one["commit"] == ids[6]).unwrap();
    assert_eq!(hidden["reached"], "no");
}

#[test]
fn a_job_may_do_without() {
    let world = World::new();
    let mut base = sources(&world);
    close(&mut base);
    let ids = write(&world, &base, &[Step::Bug, Step::Note, Step::Open, Step::Note], &[0, 2], "reach = false\n");
    let (report, text, _) = bisect(&world);
    assert_eq!(report["named"]["commit"], ids[3]);
    assert!(report.get("reach").is_none() && !text.contains("Reach"), "{text}");
    assert!(introduced(&report) > 0.5, "nobody looked");
}

#[test]
fn a_kernel_without_symbols_says_that_nothing_is_known() {
    let world = World::new();
    let mut base = sources(&world);
    close(&mut base);
    replace(
        &mut base,
        "build.sh",
        "objcopy --strip-all \"$out/vmlinux\" \"$out/kernel\"\n",
        "objcopy --strip-all \"$out/vmlinux\" \"$out/kernel\"\nstrip \"$out/vmlinux\"\n",
    );
    let ids = write(&world, &base, &[Step::Bug, Step::Note, Step::Open, Step::Note], &[0, 2], "");
    let (report, text, _) = bisect(&world);
    assert_eq!(report["named"]["commit"], ids[3]);
    insta::assert_snapshot!(named(&lines(&text, &["Reach"]), &ids), @r"
    Reach: <commit  4> not known how far the reproducer gets: functions: its
      vmlinux has no symbols; system calls: not traced
    ");
    assert_eq!(
        journal(&world.path("run")).iter().filter(|entry| entry["event"] == "reached").count(),
        1,
        "nothing to compare with"
    );
}

#[test]
fn a_run_that_is_killed_looks_once() {
    let world = World::new();
    let mut base = sources(&world);
    close(&mut base);
    let ids = write(&world, &base, &[Step::Bug, Step::Note, Step::Note, Step::Open, Step::Note], &[0, 2], "");
    bisect(&world);
    let whole = journal(&world.path("run"));
    let places: Vec<usize> =
        whole.iter().enumerate().filter(|(_, entry)| entry["event"] == "reached").map(|(place, _)| place + 1).collect();
    assert_eq!(places.len(), 3, "start, newer release, parent: {places:?}");
    for (number, at) in [places[0] - 1, places[1]].into_iter().enumerate() {
        let run = format!("cut-{number}");
        world.cut_short(&["run", "--quiet", "job.toml", "--out", &run], at as u32);
        world.succeed(&["resume", "--quiet", &run]);
        let resumed = report(&world.path(&run));
        assert_eq!(resumed["named"]["commit"], ids[4]);
        assert!(introduced(&resumed) <= 0.2);
        let looked = journal(&world.path(&run))
            .into_iter()
            .filter(|entry| entry["event"] == "reached")
            .map(|entry| entry["commit"].clone());
        let mut looked: Vec<String> = looked.map(|commit| commit.as_str().unwrap().to_owned()).collect();
        looked.sort();
        let mut expected: Vec<String> = whole
            .iter()
            .filter(|entry| entry["event"] == "reached")
            .map(|entry| entry["commit"].as_str().unwrap().to_owned())
            .collect();
        expected.sort();
        assert_eq!(looked, expected);
    }
}
