//! Trials that do not show the crash, show two, or write what no console should hold.

use std::fs;
use std::io::Read as _;

use super::RUN;
use super::RUN_JOB;
use super::project;
use super::said;
use super::shown;
use super::spawn;
use super::timeless;
use super::until;
use crate::support::World;
use crate::support::journal;
use crate::support::line;
use crate::support::named;

#[test]
fn a_start_commit_that_does_not_show_the_crash() {
    let (world, _) = project("exit 0");
    insta::assert_snapshot!(timeless(&said(&world, &RUN)), @r#"
    --- stdout

    Not reproduced: no trial at the start commit showed the crash.

    Try a longer time limit ([trial] time_limit, or --time-limit), or
    repeat = true, or the machine that the crash was seen on.

    Crash: not seen in any trial
      (reported at abfbb5535546 ("change 7"))
    Evidence:
      start      abfbb5535546    0 of 30 trials crash with it
    Not counted: nothing
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 30 trials on 1 commit in [TIME]
    --- exit status 4
    "#);
}

#[test]
fn a_title_that_nothing_has() {
    let oops = "echo '[   10.000000] BUG: KASAN: use-after-free in queue_release+0x1/0x2'
        echo '[   10.000001] Read of size 8 at addr ffff888012345678 by task a/1'";
    let (world, _) = project(oops);
    let job = "repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\ntitle = \"My machine is broken\"\n\
               [machine]\nkind = \"process\"\n[trial]\ncommand = [\"./test.sh\"]\n";
    fs::write(world.path("job.toml"), job).unwrap();
    let shown = timeless(&said(&world, &RUN_JOB));
    insta::assert_snapshot!(shown.lines().take(14).collect::<Vec<_>>().join("\n"), @r#"
    --- stdout

    Not reproduced: no trial at the start commit showed the crash.

    20 trials showed another one. If that is what you mean, say so in the job:

        title = "KASAN: use-after-free Read in queue_release"

    Else try a longer time limit ([trial] time_limit, or --time-limit), or
    repeat = true, or the machine that the crash was seen on.

    Crash: My machine is broken
      (reported at 8deb7e741474 ("change 7"))
    Evidence:
    "#);
}

#[test]
fn a_start_commit_that_cannot_be_tested() {
    let (world, _) = project("echo 'no compiler' >&2; exit 125");
    insta::assert_snapshot!(timeless(&said(&world, &RUN)), @r#"
    --- stdout

    No answer: the start commit 1e045f412be3 cannot be tested: three trials in
      a row ended without a result: exit status 125: the reproducer says that
      it cannot tell.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at 1e045f412be3 ("change 7"))
    Evidence:
      start      1e045f412be3  no trial had a result
    Not counted: 3 void trials (reproducer said nothing: 3)
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 3 trials on 1 commit in [TIME]
    --- exit status 3
    "#);
}

/// Prints what the kernel says when it jumps to nowhere: at first in one function, then in another, then never again.
const TWO_CRASHES: &str = "echo >> \"$TURNS\"\ncase $(wc -l < \"$TURNS\") in 1) f=alpha_one;; 2) f=beta_two;; *) exit 0;; esac\n\
    cat <<END\n\
    [    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n\
    [    1.000001] #PF: supervisor write access in kernel mode\n\
    [    1.000002] Oops: 0002 [#1] SMP\n\
    [    1.000003] CPU: 0 PID: 77 Comm: repro Not tainted 6.1.0 #1\n\
    [    1.000004] RIP: 0010:${f}+0x10/0x20\n\
    [    1.000005] Call Trace:\n\
    [    1.000006]  <TASK>\n\
    [    1.000007]  ${f}_caller+0x30/0x40\n\
    [    1.000008]  do_syscall_64+0x30/0x40\n\
    [    1.000009]  </TASK>\n\
    END\n";

#[test]
fn two_crashes_that_are_equally_frequent() {
    let (world, _) = project(TWO_CRASHES);
    let text = "repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\n[machine]\nkind = \"process\"\ncpus = 1\nmemory = \"64M\"\n\
                [limits]\nslots = 1\n[trial]\ncommand = [\"./test.sh\"]\ntime_limit = \"10s\"\n";
    fs::write(world.path("job.toml"), text).unwrap();
    insta::assert_snapshot!(shown(&world, world.kbisect(&RUN_JOB).env("TURNS", world.path("turns"))), @r#"
    --- stderr
    error: two different crashes are equally frequent at the start commit (in 1 of its trials each):
    error:   BUG: unable to handle kernel NULL pointer dereference in alpha_one
    error:   BUG: unable to handle kernel NULL pointer dereference in beta_two
    hint: say which one is meant with `title = "…"` in the job file, and begin a new run
    --- exit status 2
    "#);
}

#[test]
fn consoles_with_anything_in_them() {
    let (world, ids) = project("printf 'a\\000b\\377\\376\\r\\n\\033[31m\\303\\050'; head -c 100000 /dev/urandom; exit 1");
    let said = said(&world, &RUN);
    assert!(said.ends_with("exit status 0\n"), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains('\0'), "{said}");
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
}

#[test]
fn an_endless_line_of_100_mb() {
    let world = World::new();
    let ids = line(&world, "repo", 3, 1, "head -c 100000000 /dev/zero | tr '\\000' x; exit 1");
    world.git("repo", &["tag", "v1.0", &ids[0]]);
    world.git("repo", &["tag", "v1.1", &ids[2]]);
    let mut args = vec!["run", "--quiet", "--strategy", "git"];
    args.extend(&RUN[2..]);
    let mut child = spawn(&mut world.kbisect(&args));
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    until("the end", || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let now = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| rest.trim().split(' ').next());
        peak = peak.max(now.map_or(0, |now| now.parse::<u64>().unwrap()));
        child.try_wait().unwrap().is_some()
    });
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert_eq!(named(&world.path("run")), Some(ids[1].clone()));
    let trials = journal(&world.path("run")).iter().filter(|entry| entry["event"] == "trial-ended").count();
    assert_eq!(trials, 1, "the commit in between is tried");
    assert!(peak > 0 && peak < 400_000, "{peak} kB of memory at most");
}
