//! Real bisections of the pocket kernel: git, cc, QEMU and the bundled plugins.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::sure_pocket;

/// Whether a line of syzbot's bisection logs is one that its writer has, up to the free text that ends the log.
fn recognised(line: &str) -> bool {
    let hash = |text: &str| [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        [_, "starts", "bisection", ..] | ["representative", "crash:", ..] | ["picked", ..] => true,
        ["bisecting", "cause", "commit", "starting", "from", commit]
        | ["bisecting", "fixing", "commit", "since", commit]
        | ["building", "syzkaller", "on", commit]
        | ["ensuring", "issue", "is", "reproducible", "on", "original", "commit", commit]
        | ["testing", "commit", commit]
        | ["testing", "commit", commit, "with", "gcc", "(GCC)", _]
        | ["testing", "current", "HEAD", commit]
        | ["kernel", "signature:", commit]
        | ["#", "git", "bisect", "good" | "bad" | "skip", commit] => hash(commit),
        ["#", "git", "bisect", "start", bad, good] => hash(bad) && hash(good),
        ["testing", "release", _] => true,
        ["all", "runs:", ref run @ ..] => verdict(run),
        ["run", number, ref run @ ..] => {
            number.strip_prefix('#').and_then(|rest| rest.strip_suffix(':')).is_some_and(|n| n.parse::<u32>().is_ok())
                && verdict(run)
        }
        ["Bisecting:", count, "revision" | "revisions", "left", "to", "test", "after", "this", "(roughly", steps, end] => {
            count.parse::<u32>().is_ok() && steps.parse::<u32>().is_ok() && ["step)", "steps)"].contains(&end)
        }
        ["Bisecting:", "a", "merge", "base", "must", "be", "tested"] => true,
        [commit, _, ..] if commit.starts_with('[') => commit.trim_matches(['[', ']']).len() == 40,
        ["failed", "building", ..] | ["unable", "to", "determine", "the", "verdict:", ..] => true,
        ["false", "negative", "chance:", chance] => chance.parse::<f64>().is_ok(),
        [""] => true,
        _ => false,
    }
}

fn verdict(run: &[&str]) -> bool {
    let text = run.join(" ");
    text == "OK"
        || ["crashed: ", "boot failed: ", "basic kernel testing failed: ", "ignore: ", "infra problem: "]
            .iter()
            .any(|kind| text.starts_with(kind))
}

/// The lines before the commit's own text, in which only the known lines occur.
fn search_part(log: &str) -> Vec<&str> {
    log.lines().take_while(|line| !line.ends_with("is the first bad commit")).collect()
}

/// What the lines mark as good, bad or skip; fails where two contradict each other.
fn marks(lines: &[&str]) -> HashMap<String, String> {
    let mut marks = HashMap::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let said = match words[..] {
            ["#", "git", "bisect", "start", bad, good] => vec![(bad, "bad"), (good, "good")],
            ["#", "git", "bisect", mark, commit] => vec![(commit, mark)],
            _ => continue,
        };
        for (commit, mark) in said {
            let before = marks.insert(commit.to_owned(), mark.to_owned());
            assert!(before.as_deref().is_none_or(|before| before == mark), "{commit} is {before:?} and then {mark}");
        }
    }
    marks
}

#[test]
fn the_reader_knows_every_line_of_real_logs() {
    let data = std::env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), Into::into);
    let Ok(folder) = fs::read_dir(data.join("bisection-logs")) else {
        println!("skipped: there are no bisection logs in {}", data.display());
        return;
    };
    for path in folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "txt")) {
        let log = fs::read_to_string(&path).unwrap();
        let lines = search_part(&log);
        assert!(lines.iter().filter(|line| recognised(line)).count() > 50, "{}", path.display());
        // The text of a failed copy has lines of its own behind its `run #i:` line.
        let mut in_run = false;
        for line in &lines {
            let known = recognised(line);
            assert!(known || in_run, "{}: {line}", path.display());
            in_run = line.starts_with("run #") || line.starts_with("all runs") || (in_run && !known);
        }
        assert!(!marks(&lines).is_empty());
    }
}

fn logged(strategy: &str) {
    let world = World::new();
    let planted = pocket::write(&world.path("linux"), &sure_pocket()).unwrap();
    let job = pocket::job_toml(&pocket::Job {
        repo: &world.path("linux"),
        bad: &planted.start,
        good: None,
        strategy: Some(strategy),
        seed: 3,
    });
    fs::write(world.path("job.toml"), job).unwrap();
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    assert_eq!(named(&world.path("run")), Some(planted.culprit.clone()));
    let log = fs::read_to_string(world.path("run/bisect.log")).unwrap();
    let lines = search_part(&log);
    for line in &lines {
        assert!(recognised(line), "{line:?} in\n{log}");
    }
    let marks = marks(&lines);
    assert_ne!(marks.get(&planted.start).map(String::as_str), Some("good"), "{log}");
    let first = format!("first bad commit: {} {}", planted.culprit, planted.culprit_subject);
    assert!(log.lines().any(|line| line == first), "{log}");
}

#[test]
fn a_posterior_run_writes_a_log_of_known_lines() {
    logged("posterior");
}

#[test]
fn a_git_run_writes_a_log_of_known_lines() {
    logged("git");
}

/// Small: the demo's whole way, in a quarter of a minute.
#[test]
fn the_demo_finds_its_bug_by_gits_choices() {
    let world = World::new();
    let args = ["demo", "--strategy", "git", "--repro-rate", "1", "--stray-rate", "0", "--second-rate", "0", "--keep", "kept"];
    let output = world.kbisect(&args).output().unwrap();
    let shown = world.shown(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("): found   400 commits, "), "{shown}");
    let started = &journal(&world.path("kept/run"))[0];
    assert_eq!(started["strategy"], "git");
    // By git's choices no commit is left before it is judged.
    let chosen: Vec<String> = journal(&world.path("kept/run"))
        .iter()
        .filter(|entry| entry["event"] == "chosen" && entry["role"] == "candidate")
        .map(|entry| entry["commit"].as_str().unwrap().to_owned())
        .collect();
    let different: HashSet<&String> = chosen.iter().collect();
    assert_eq!(different.len(), chosen.len(), "{chosen:?}");
}
