//! From what people have to the culprit, on real Linux: a pasted mail and two downloads, a crash directory, a selftest. Slow:
//! `./x test-linux`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::folders::tree;
use linux_demo::Planted;
use linux_demo::Rate;
use tempfile::TempDir;

/// Seconds of one trial.
const SECONDS: u32 = 5;

/// What somebody answered to a report of syzbot's: the report is quoted.
const MAIL: &str = "\
Subject: Re: [syzbot] [fs?] general protection fault in inotify_show_fdinfo

On Mon, syzbot wrote:
> Hello,
>
> syzbot found the following issue on:
>
> HEAD commit:    @COMMIT@
> git tree:       upstream
> console output: https://syzkaller.appspot.com/x/log.txt?x=15b3a0de580000
> kernel config:  https://syzkaller.appspot.com/x/.config?x=6d1f0c2ab7e3958d
> dashboard link: https://syzkaller.appspot.com/bug?extid=5b2d60c1f9a87e43d20c
> compiler:       gcc (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40
> C reproducer:   https://syzkaller.appspot.com/x/repro.c?x=13c5d7f2580000
>
> IMPORTANT: if you fix the issue, please add the following tag to the commit:
> Reported-by: syzbot+5b2d60c1f9a87e43d20c@syzkaller.appspotmail.com
>
> general protection fault, probably for non-canonical address 0x6b6b6b6b6b6b6b9b: 0000 [#1] PREEMPT
> CPU: 0 PID: 41 Comm: repro Not tainted 6.1.0-demo #1
> RIP: 0010:inotify_show_fdinfo+0x2b/0xc4
> Code: 55 41 54 49 89 fc 53 48 8b 86 c8 00 00 00 48 8d 58 30 <48> 8b 40 30 48 39 c3
> RSP: 0018:ffffc900000b7d80 EFLAGS: 00010202
> RAX: 6b6b6b6b6b6b6b6b RBX: 6b6b6b6b6b6b6b9b RCX: 0000000000000000
> Call Trace:
>  <TASK>
>  seq_show+0x12e/0x18a
>  seq_read_iter+0x119/0x37c
>  seq_read+0xb5/0xe1
>  vfs_read+0xb1/0x1c9
>  ksys_read+0x61/0xbd
>  do_syscall_64+0x6b/0x8f
>  entry_SYSCALL_64_after_hwframe+0x64/0xce
>  </TASK>
> ---[ end trace 0000000000000000 ]---

I can look at that next week. Does anybody know since when?
";

fn done(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    println!("{said}");
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn kbisect(dir: &Path, args: &[&str]) -> String {
    done(Command::new(env!("CARGO_BIN_EXE_kbisect")).args(args).current_dir(dir))
}

/// A folder with the demo's history in `linux`.
fn history() -> (TempDir, Planted) {
    let made = tempfile::tempdir().expect("a folder");
    let options = linux_demo::Options { seed: 3, commits: 24, wide: false, cache: made.path().join("cache") };
    let planted = linux_demo::write(&tree(), &made.path().join("linux"), &options).expect("a history");
    (made, planted)
}

/// The whole configuration of the start commit's kernel, made by its own Makefile.
fn configuration(dir: &Path, planted: &Planted) -> Vec<u8> {
    let work = dir.join("work");
    done(Command::new("git").args(["clone", "--quiet", "--shared", "--no-checkout", "linux", "work"]).current_dir(dir));
    done(Command::new("git").args(["checkout", "--quiet", &planted.start]).current_dir(&work));
    let fragment = dir.join("fragment");
    let symbols = "CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y\nCONFIG_DEBUG_INFO_REDUCED=y\n";
    fs::write(&fragment, format!("{}{symbols}", linux_demo::config())).expect("a file");
    done(Command::new("make").arg(format!("KCONFIG_ALLCONFIG={}", fragment.display())).arg("allnoconfig").current_dir(&work));
    fs::read(work.join(".config")).expect("a configuration")
}

/// States in the job what nobody can know from what was handed over: this reproducer runs until it is stopped, and shows the bug at once
/// or not at all.
fn limit_time(dir: &Path) {
    let job = fs::read_to_string(dir.join("job.toml")).expect("a job");
    fs::write(dir.join("job.toml"), format!("{job}\n[trial]\ntime_limit = \"{SECONDS}s\"\n")).expect("a job");
}

/// Runs the job; the report.
fn culprit_is_found(dir: &Path, culprit: &str) -> String {
    kbisect(dir, &["run", "job.toml", "--out", "run", "--quiet"]);
    let said = kbisect(dir, &["report", "run"]);
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("run/report.json")).expect("a report")).expect("it is JSON");
    assert_eq!(report["named"]["commit"], culprit, "{said}");
    said
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_mail_and_downloads_lead_to_the_culprit() {
    let (made, planted) = history();
    let dir = made.path();
    let bug = dir.join("bug");
    fs::create_dir(&bug).expect("a folder");
    let put = |name: &str, bytes: &[u8]| fs::write(bug.join(name), bytes).expect("a file");
    put("mail", MAIL.replace("@COMMIT@", &planted.start[..12]).as_bytes());
    put("repro.c?x=13c5d7f2580000", linux_demo::reproducer(Rate::Most, SECONDS, linux_demo::LOOKS).as_bytes());
    put(".config?x=6d1f0c2ab7e3958d", &configuration(dir, &planted));

    let said = kbisect(dir, &["start", "bug", "--repo", "linux"]);
    assert!(said.contains("next  kbisect check job.toml"), "{said}");
    assert!(!said.contains("\nmissing\n"), "{said}");
    limit_time(dir);
    let said = kbisect(dir, &["check", "job.toml"]);
    assert!(said.contains("general protection fault in inotify_show_fdinfo"), "{said}");
    let said = culprit_is_found(dir, &planted.culprit);
    assert!(said.contains("inotify_show_fdinfo+") && said.contains("fs/notify/fdinfo.c:"), "frames have places: {said}");
    assert!(said.contains("| Closes: https://syzkaller.appspot.com/bug?extid=5b2d60c1f9a87e43d20c"), "{said}");
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_crash_directory_leads_to_the_culprit() {
    let (made, planted) = history();
    let dir = made.path();
    let crash = dir.join("crash");
    fs::create_dir(&crash).expect("a folder");
    let put = |name: &str, text: &str| fs::write(crash.join(name), text).expect("a file");
    let console: String = MAIL
        .lines()
        .filter_map(|line| line.strip_prefix("> "))
        .skip_while(|line| !line.contains("0000 [#1]"))
        .flat_map(|line| [line, "\n"])
        .collect();
    put("description", "general protection fault in inotify_show_fdinfo\n");
    put("log0", &console);
    put("report0", &console);
    put("tag0", &planted.culprit);
    put("repro.cprog", &linux_demo::reproducer(Rate::Most, SECONDS, linux_demo::LOOKS));
    // What a manager does not keep.
    fs::write(dir.join("kernel.config"), configuration(dir, &planted)).expect("a file");
    let parent = &planted.parents[0];
    let said = kbisect(dir, &["start", "crash", "kernel.config", "--repo", "linux", "--good", parent]);
    assert!(!said.contains("\nmissing\n"), "{said}");
    limit_time(dir);
    culprit_is_found(dir, &planted.culprit);
}

/// What makes a selftest of the reproducer: it ends, and says so.
const ENDS: &str = "
#include <signal.h>
#include <string.h>

static void end(int signal)
{
	const char said[] = \"ok 1 fdinfo\\n\";

	_exit(write(1, said, strlen(said)) < 0);
}

__attribute__((constructor)) static void begin(void)
{
	signal(SIGALRM, end);
	alarm(5);
}
";

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_selftest_leads_to_the_culprit() {
    let (made, planted) = history();
    let dir = made.path();
    fs::write(dir.join("kernel.config"), configuration(dir, &planted)).expect("a file");
    let work = dir.join("work");
    let git = |args: &[&str]| {
        done(Command::new("git").args(["-c", "user.name=A", "-c", "user.email=a@example.org"]).args(args).current_dir(&work))
    };
    git(&["checkout", "--quiet", "--force", &planted.parents[0]]);
    let tests = work.join("tools/testing/selftests");
    fs::create_dir_all(tests.join("inotify")).expect("a folder");
    let put = |name: &str, text: &str| fs::write(tests.join(name), text).expect("a file");
    put("Makefile", "all:\n\tfor target in $(TARGETS); do $(MAKE) -C $$target; done\n");
    put(
        "inotify/Makefile",
        "TEST_GEN_PROGS := fdinfo\n\nall: $(TEST_GEN_PROGS)\n\nfdinfo: fdinfo.c\n\t$(CC) -O1 -pthread -o $@ $<\n",
    );
    put("inotify/fdinfo.c", &(linux_demo::reproducer(Rate::Most, SECONDS, linux_demo::LOOKS) + ENDS));
    git(&["add", "--force", "tools/testing"]);
    git(&["commit", "--quiet", "-m", "selftests: inotify: look at fdinfo"]);
    let good = git(&["rev-parse", "HEAD"]);
    git(&["cherry-pick", &planted.culprit]);
    let culprit = git(&["rev-parse", "HEAD"]);
    let (good, culprit) = (good.trim(), culprit.trim());
    let said = kbisect(dir, &["start", "inotify:fdinfo", "kernel.config", "--repo", "work", "--bad", culprit, "--good", good]);
    assert!(!said.contains("\nmissing\n"), "{said}");
    kbisect(dir, &["check", "job.toml"]);
    let said = culprit_is_found(dir, culprit);
    assert!(said.contains("in inotify_show_fdinfo"), "{said}");
}
