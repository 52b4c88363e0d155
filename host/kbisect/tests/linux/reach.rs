//! What a clean trial is worth where the reproducer does not get to the crash, on real Linux: a commit that opens the way to an older bug,
//! and its twin that brings the bug; and what is told of system calls. Slow: `./x test-linux`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use kbisect::machine::Ended;
use kbisect::machine::qemu;
use kbisect::machine::qemu::QemuPool;
use kbisect::machine::qemu::probe::Probe;
use kbisect_core::reach::Reach;
use serde_json::Value;

use crate::folders::cache;
use crate::folders::tree;
use crate::guests::cloud_kernel;
use crate::guests::plan;
use crate::guests::reproducer;
use crate::guests::run_in;
use crate::guests::settings;

const FILE: &str = "fs/eventfd.c";
/// Semaphores are refused.
const CHECK: (&str, &str) = (
    "\tif (flags & ~EFD_FLAGS_SET)\n\t\treturn -EINVAL;\n",
    "\tif (flags & ~EFD_FLAGS_SET)\n\t\treturn -EINVAL;\n\tif (flags & EFD_SEMAPHORE)\n\t\treturn -EINVAL;\n",
);
/// They are believed to be 0 after each read.
const BUG: (&str, &str) =
    ("\tctx->count -= *cnt;\n", "\tctx->count -= *cnt;\n\tBUG_ON((ctx->flags & EFD_SEMAPHORE) && ctx->count);\n");
const REPRODUCER: &str = "#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int main(void)
{
	uint64_t count;
	int fd = eventfd(2, EFD_SEMAPHORE);

	return fd < 0 || read(fd, &count, sizeof(count)) != sizeof(count);
}
";

fn git(repo: &Path, args: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(repo).args(args).output().expect("there is git");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is text")
}

/// A commit: its subject, and what it makes of [`FILE`].
type Step = (&'static str, fn(&str) -> String);

fn put(text: &str, (from, to): (&str, &str)) -> String {
    assert_eq!(text.matches(from).count(), 1, "{FILE} has {from:?} once");
    text.replace(from, to)
}

/// Writes the steps on top of the tree, with releases at these steps; the ids.
fn write(repo: &Path, steps: &[Step], releases: &[(&str, usize)]) -> Vec<String> {
    let options = linux_demo::Options { seed: 1, commits: 20, wide: false, cache: cache() };
    let planted = linux_demo::write(&tree(), repo, &options).expect("a tree of Linux");
    let root = &planted.commits[0];
    planted.releases.iter().for_each(|tag| drop(git(repo, &["tag", "-d", tag])));
    let mut text = git(repo, &["show", &format!("{root}:{FILE}")]);
    let mut stream = String::from("reset refs/heads/main\n");
    let _ = writeln!(stream, "from {root}\n");
    for (place, (subject, change)) in steps.iter().enumerate() {
        text = change(&text);
        let who = format!("A U Thor <author@example.org> {} +0000", 1_700_000_000 + place * 60);
        let _ = write!(stream, "commit refs/heads/main\nmark :{}\nauthor {who}\ncommitter {who}\n", place + 1);
        let _ = write!(stream, "data {}\n{subject}\n", subject.len() + 1);
        let _ = write!(stream, "M 100644 inline {FILE}\ndata {}\n{text}\n", text.len());
        let _ = write!(stream, "M 100644 inline notes\ndata {}\n{subject}\n\n", subject.len() + 1);
    }
    for (tag, place) in releases {
        let _ = write!(stream, "reset refs/tags/{tag}\nfrom :{}\n\n", place + 1);
    }
    let mut import = Command::new("git")
        .arg("-C")
        .arg(repo)
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("there is git");
    import.stdin.take().expect("it is piped").write_all(stream.as_bytes()).expect("git reads");
    assert!(import.wait().expect("it is our child").success());
    let mut ids: Vec<String> =
        git(repo, &["rev-list", "--first-parent", "main"]).lines().take(steps.len()).map(str::to_owned).collect();
    ids.reverse();
    ids
}

/// Bisects such a history; its ids, the report as data and as text, and the journal.
fn bisect(steps: &[Step], releases: &[(&str, usize)]) -> (Vec<String>, Value, String, Vec<Value>) {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name);
    let ids = write(&at("linux"), steps, releases);
    fs::write(at("repro.c"), REPRODUCER).expect("a file");
    fs::write(at("config"), linux_demo::config()).expect("a file");
    let job = linux_demo::Job {
        repo: &at("linux"),
        bad: "main",
        good: None,
        repro: &at("repro.c"),
        config: &at("config"),
        seconds: 20,
        strategy: None,
        seed: 1,
        ccache: Some(&cache().join("ccache/demo")),
    };
    fs::write(at("job.toml"), linux_demo::job_toml(&job) + "tip = \"none\"\n").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_kbisect"))
        .args(["run", "job.toml", "--out", "run"])
        .current_dir(dir.path())
        .output()
        .expect("kbisect starts");
    println!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    let read = |name: &str| fs::read_to_string(at("run").join(name)).expect("a file of the run");
    let journal: Vec<Value> = read("journal.jsonl").lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    (ids, serde_json::from_str(&read("report.json")).expect("it is JSON"), read("report.txt"), journal)
}

fn introduced(report: &Value) -> f64 {
    report["named"]["credence"]["introduced"]["chance"].as_f64().expect("it is stated")
}

/// What looking cost at each commit, in ordinary trials there.
fn costs(journal: &[Value]) -> Vec<f64> {
    let seconds = |event: &str, commit: &Value| -> Vec<f64> {
        let of = journal
            .iter()
            .filter(|entry| entry["event"] == event && entry["commit"] == *commit && entry["outcome"]["void"].is_null());
        of.filter_map(|entry| entry["seconds"].as_f64()).filter(|seconds| *seconds > 0.0).collect()
    };
    let looked = journal.iter().filter(|entry| entry["event"] == "reached");
    let cost = |entry: &Value| {
        let trials = seconds("trial-ended", &entry["commit"]);
        entry["seconds"].as_f64().expect("it took time") / (trials.iter().sum::<f64>() / trials.len() as f64)
    };
    looked.map(cost).collect()
}

fn same(text: &str) -> String {
    text.to_owned()
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_commit_that_opens_the_way_to_an_older_bug_does_not_introduce_it() {
    let steps: [Step; 6] = [
        ("eventfd: refuse semaphores", |text| put(text, CHECK)),
        ("eventfd: check the count after a read", |text| put(text, BUG)),
        ("notes: first", same),
        ("notes: second", same),
        ("eventfd: allow semaphores", |text| put(text, (CHECK.1, CHECK.0))),
        ("notes: third", same),
    ];
    let (ids, report, text, journal) = bisect(&steps, &[("v6.0", 0), ("v6.1", 2)]);
    println!("costs: {:?}", costs(&journal));
    assert_eq!(report["named"]["commit"], ids[4]);
    assert!(introduced(&report) <= 0.2, "{}", introduced(&report));
    let parent =
        report["reach"].as_array().expect("a list").iter().find(|one| one["commit"] == ids[3]).expect("it was looked at");
    assert_eq!(parent["reached"], "no");
    assert!(parent["quiet"].as_array().expect("a list").contains(&"eventfd_ctx_do_read".into()), "{parent}");
    assert_eq!(parent["refused"][0]["call"], "eventfd2");
    assert_eq!(parent["refused"][0]["error"], "EINVAL");
    assert!(text.contains("The crash begins to show, the bug is rather older"), "{text}");
    // Where lines are broken hangs on the names of the functions.
    let words = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    assert!(words.contains(": clean, not exercised") && words.contains("eventfd2 → EINVAL here, 1 at"), "{text}");
    assert!(report["tested"].as_array().expect("a list").iter().any(|one| one["commit"] == ids[0]), "the walk goes on");
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_commit_whose_parent_runs_the_same_code_introduces_the_bug() {
    let steps: [Step; 5] = [
        ("notes: first", same),
        ("notes: second", same),
        ("notes: third", same),
        ("eventfd: check the count after a read", |text| put(text, BUG)),
        ("notes: fourth", same),
    ];
    let (ids, report, text, journal) = bisect(&steps, &[("v6.0", 0), ("v6.1", 1)]);
    println!("costs: {:?}", costs(&journal));
    assert_eq!(report["named"]["commit"], ids[3]);
    assert!(introduced(&report) >= 0.9, "{}", introduced(&report));
    assert!(text.contains("exercised: eventfd_ctx_do_read"), "{text}");
}

/// What is told of a reproducer in C on the distribution's kernel, and how it ended.
async fn told_of(body: &str, seconds: u64) -> (Reach, Option<Ended>) {
    let dir = tempfile::tempdir().expect("a folder");
    let probe = Arc::new(Probe::new(Vec::new()));
    let pool = QemuPool::new(qemu::Settings { dir: dir.path().join("machines"), ..settings() }).watched(Arc::clone(&probe));
    let finished = run_in(&pool, "pc", &cloud_kernel(), &plan(reproducer(dir.path(), body), &[], seconds)).await;
    (probe.found(), finished.ended)
}

/// The calls that are told, with their ends.
fn calls(reach: &Reach) -> Vec<String> {
    let told = reach.calls.iter().map(|call| match &call.error {
        Some(error) => format!("{} → {error} {}", call.call, call.count),
        None => format!("{} {}", call.call, call.count),
    });
    told.collect()
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_system_calls_are_told_and_change_nothing() {
    let body = "for (int i = 0; i < 3; i++) syscall(41, 250, 1, 0);
        open(\"/dev/nothing\", 0); if (!fork()) { syscall(41, 1, 1, 0); _exit(0); } sleep(1); return 7;";
    let (reach, ended) = told_of(body, 60).await;
    let told = calls(&reach);
    for call in ["socket(250) → EAFNOSUPPORT 3", "openat(/dev/nothing) → ENOENT 1", "socket(AF_UNIX) 1"] {
        assert!(told.iter().any(|one| one == call), "{call}: {told:?}");
    }
    assert_eq!((ended, reach.calls_unknown), (Some(Ended::Code(7)), None));
    let (_, ended) = told_of("kill(getpid(), SIGSEGV); return 0;", 60).await;
    assert_eq!(ended, Some(Ended::Signal(11)));
    // What runs on is told of, too, and at its full speed after a while; so is what the kernel does not survive.
    let (reach, ended) = told_of("syscall(41, 250, 1, 0); for (;;) getppid();", 6).await;
    assert!(calls(&reach).contains(&"socket(250) → EAFNOSUPPORT 1".to_owned()), "{reach:?}");
    assert_eq!(ended, Some(Ended::TimeLimit));
    let crash =
        "syscall(41, 250, 1, 0); int fd = open(\"/proc/sysrq-trigger\", O_WRONLY); write(fd, \"c\", 1); sleep(60); return 0;";
    let (reach, _) = told_of(crash, 60).await;
    assert!(calls(&reach).contains(&"socket(250) → EAFNOSUPPORT 1".to_owned()), "{reach:?}");
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_reproducers_that_look_whether_they_are_traced_do_not_see_it() {
    let looks = "char line[256]; int pid = -1; FILE *file = fopen(\"/proc/self/status\", \"r\");
        while (fgets(line, sizeof(line), file)) sscanf(line, \"TracerPid: %d\", &pid); return pid ? 9 : 5;";
    let (reach, ended) = told_of(looks, 60).await;
    assert_eq!((ended, reach.calls_unknown.as_deref()), (Some(Ended::Code(5)), Some("it looks whether it is traced")));
    let (reach, ended) = told_of("return syscall(101, 0, 0, 0, 0) ? 9 : 5;", 60).await;
    assert_eq!((ended, reach.calls_unknown.as_deref()), (Some(Ended::Code(5)), Some("it uses ptrace itself")));
    assert!(reach.calls.is_empty());
}
