//! The demo on real Linux, with a short history, and the search for what mended its bug. Slow: `./x test-linux`.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use crate::folders::cache;
use crate::folders::tree;
use linux_demo::LOOKS;
use linux_demo::Rate;

/// Seconds of one trial where this file's own jobs say so.
const SECONDS: u32 = 5;

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_demo_finds_what_was_planted() {
    let dir = tempfile::tempdir().expect("a folder");
    let keep = dir.path().join("demo");
    let output = Command::new(env!("CARGO_BIN_EXE_kbisect"))
        .args(["demo", "--linux", "--commits", "24", "--seed", "2", "--tree"])
        .arg(tree())
        .arg("--keep")
        .arg(&keep)
        .output()
        .expect("kbisect starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("\"): found   "), "what was planted is named");
    let report = std::fs::read_to_string(keep.join("run/report.txt")).expect("a report");
    assert!(report.contains("general protection fault in inotify_show_fdinfo"), "{report}");
    assert!(report.contains("inotify_show_fdinfo+"), "{report}");
    assert!(report.contains("git-bisect.log config-culprit vmlinux-culprit vmlinux-parent"), "{report}");
    let run = keep.join("run");
    let told: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("report.json")).expect("a report")).expect("it is JSON");
    gives_a_shell(&run, told["start"]["commit"].as_str().expect("the start commit"));
    is_reproduced_without_kbisect(&run, &keep.join("linux"));
}

/// A shell in the start commit's kernel, which is built by now.
fn gives_a_shell(run: &Path, commit: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kbisect"))
        .arg("repro")
        .arg(run)
        .args([commit, "--shell"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kbisect starts");
    let mut keys = child.stdin.take().expect("it is piped");
    let mut said = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut until = |word: &str| {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert_ne!(said.read_line(&mut line).expect("the console is text"), 0, "the machine ended before it said {word}");
        }
    };
    until("the reproducer is /repro");
    keys.write_all(b"test -x /repro && echo it is $((40 + 2))\nexit\n").expect("the shell reads");
    until("it is 42");
    assert!(child.wait().expect("it is our child").success());
}

fn is_reproduced_without_kbisect(run: &Path, repository: &Path) {
    let output = Command::new("sh")
        .arg(run.join("reproduce.sh"))
        .arg(repository)
        .env("ACCEL", "tcg")
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Linux version 6."), "{said}\n{errors}");
    // The bug shows in most trials only; the others run until they are ended.
    let ended = output.status.code() == Some(124) || said.contains("general protection fault");
    assert!(ended, "{:?}\n{said}\n{errors}", output.status);
}

/// The bug is taken back some commits behind the start, and a branch that never had it is merged before that: what it brings is clean,
/// and mended nothing.
#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_fix_is_found_behind_a_branch_that_never_had_the_bug() {
    let dir = tempfile::tempdir().expect("a folder");
    let repo = dir.path().join("linux");
    let options = linux_demo::Options { seed: 2, commits: 20, wide: false, cache: cache() };
    let planted = linux_demo::write(&tree(), &repo, &options).expect("a history");
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=Grete Solheim", "-c", "user.email=grete@example.org"];
        let output = Command::new("git").args(identity).args(args).current_dir(&repo).output().expect("git starts");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let change = |name: &str, path: &str| {
        let mut text = std::fs::read_to_string(repo.join(path)).expect("a source");
        text += &format!("\nconst int {name} = 1;\n");
        std::fs::write(repo.join(path), text).expect("a source");
        git(&["commit", "-q", "-a", "-m", &format!("{path}: add {name}")]);
    };
    // Nothing is checked out before.
    git(&["checkout", "-q", "-f", "-B", "side", &planted.releases[0]]);
    change("side_one", "lib/ctype.c");
    change("side_two", "lib/ctype.c");
    git(&["checkout", "-q", "-B", "fixed", &planted.start]);
    change("before_merge", "fs/pipe.c");
    git(&["merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side"]);
    change("before_fix", "fs/pipe.c");
    git(&["revert", "--no-edit", &planted.culprit]);
    let fix = git(&["rev-parse", "HEAD"]);
    change("behind_fix", "fs/pipe.c");

    let [config, repro, job] = ["demo.config", "repro.c", "job.toml"].map(|name| dir.path().join(name));
    std::fs::write(&config, linux_demo::config()).expect("a file");
    std::fs::write(&repro, linux_demo::reproducer(Rate::Most, SECONDS, LOOKS)).expect("a file");
    let text = linux_demo::job_toml(&linux_demo::Job {
        repo: &repo,
        bad: &planted.start,
        good: Some("fixed"),
        repro: &repro,
        config: &config,
        seconds: SECONDS,
        strategy: None,
        seed: 1,
        ccache: Some(&cache().join("ccache/demo")),
    });
    std::fs::write(&job, format!("kind = \"fix\"\n{text}")).expect("a file");
    let run = dir.path().join("run");
    let output =
        Command::new(env!("CARGO_BIN_EXE_kbisect")).arg("run").arg(&job).arg("--out").arg(&run).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("report.json")).expect("a report")).expect("it is JSON");
    assert_eq!(report["named"]["commit"], fix, "{said}");
}
