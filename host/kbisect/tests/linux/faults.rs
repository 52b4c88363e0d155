//! Kernels and reproducers that do their worst, on the distribution's Linux. Slow: `./x test-linux`.

use std::time::Duration;

use kbisect::machine::Ended;
use kbisect::machine::qemu;
use kbisect::trial;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Stage;

use crate::guests::cloud_kernel;
use crate::guests::plan;
use crate::guests::reproducer;
use crate::guests::run;
use crate::guests::run_with;
use crate::guests::settings;

/// What became of a reproducer in C that runs for some seconds at most.
async fn outcome_of(body: &str, seconds: u64) -> trial::Finished {
    let dir = tempfile::tempdir().expect("a folder");
    run("pc", &cloud_kernel(), &plan(reproducer(dir.path(), body), &[], seconds)).await
}

/// How a boot of the kernel fails with these words on its command line.
async fn boot_failure(cmdline: &str, change: impl Fn(&mut qemu::Settings)) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let mut settings = qemu::Settings { cmdline: cmdline.to_owned(), ..settings() };
    change(&mut settings);
    let finished = run_with(settings, &cloud_kernel(), &plan(reproducer(dir.path(), "return 0;"), &[], 10)).await;
    match finished.outcome {
        Outcome::Void(failure) if failure.stage == Stage::Boot => failure.reason,
        other => panic!("{cmdline}: {other:?}"),
    }
}

fn title(finished: trial::Finished) -> String {
    match finished.outcome {
        Outcome::Crashed(sighting) => sighting.report.title,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_boots_that_fail_are_void_and_say_why() {
    // It panics, and the machine ends with it.
    let told = boot_failure("rdinit=/nowhere root=/dev/nothing", |_| {}).await;
    assert!(told.starts_with("the machine ended while it booted (kernel panic: VFS: Unable to mount root fs"), "{told}");
    // It would boot again and again: the machine ends at the first reset.
    let told = boot_failure("rdinit=/bin/reboot", |_| {}).await;
    assert!(told.starts_with("the machine ended while it booted"), "{told}");
    // It says nothing at all, and never gets so far.
    let told = boot_failure("console=none rdinit=/bin/yes", |settings| settings.boot_limit = Duration::from_secs(10)).await;
    assert_eq!(told, "no word on the control port within 10 s");
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_reproducers_that_take_everything_do_not_take_the_trial() {
    // Memory, by all means: the kernel kills it, and that is no crash.
    let finished =
        outcome_of("for (;;) { char *p = malloc(1 << 20); if (p) for (int i = 0; i < 1 << 20; i += 4096) p[i] = 1; }", 60).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Signal(9))));
    assert!(String::from_utf8_lossy(&finished.console).contains("Out of memory: Killed process"));
    // Init cannot be killed.
    let finished = outcome_of("kill(1, SIGKILL); kill(-1, SIGKILL); return 5;", 60).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(5))));
    // The disk, which is memory here.
    let fill = "int fd = open(\"/tmp/full\", O_CREAT | O_WRONLY, 0600); static char b[1 << 16]; while (write(fd, b, sizeof b) > 0); \
                return 6;";
    let finished = outcome_of(fill, 60).await;
    assert_eq!(finished.outcome, Outcome::Clean);
    // The machine itself.
    assert_eq!(title(outcome_of("system(\"reboot -f\"); sleep(60); return 0;", 60).await), "lost connection to test machine");
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_floods_of_the_console_are_bounded_and_hide_no_crash() {
    let flood = "for (;;) puts(\"flood flood flood flood flood flood flood flood flood flood flood flood flood flood\");";
    let finished = outcome_of(flood, 5).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::TimeLimit)));
    assert!(finished.console.len() <= trial::console::KEPT);
    let crash = "if (!fork()) for (;;) puts(\"flood flood flood flood flood flood flood flood flood flood flood flood\");
                 sleep(2); int fd = open(\"/proc/sysrq-trigger\", O_WRONLY); write(fd, \"c\", 1); sleep(60); return 0;";
    assert_eq!(title(outcome_of(crash, 60).await), "kernel panic: sysrq triggered crash");
    // By the kernel itself, too.
    let log = "int fd = open(\"/proc/sysrq-trigger\", O_WRONLY); for (;;) write(fd, \"m\", 1);";
    let finished = outcome_of(log, 5).await;
    assert_eq!(finished.outcome, Outcome::Clean);
    assert!(String::from_utf8_lossy(&finished.console).matches("sysrq: Show Memory").count() > 1);
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_what_a_reproducer_prints_is_no_crash() {
    let prints = "const char *oops = \"[   12.345678] BUG: KASAN: slab-use-after-free in nobody+0x10/0x20\\n\";
                  fputs(oops, stdout); fputs(oops, stderr); fflush(stdout); return 0;";
    let finished = outcome_of(prints, 60).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(0))));
    let printed = String::from_utf8_lossy(&finished.printed);
    assert_eq!(printed.matches("BUG: KASAN: slab-use-after-free in nobody").count(), 2, "{printed}");
    assert!(!String::from_utf8_lossy(&finished.console).contains("KASAN"));
    // What it leaves behind may hold its output open, and prints into nothing.
    let finished =
        outcome_of("if (!fork()) { setsid(); sleep(2); puts(\"late\"); return 0; } puts(\"early\"); return 3;", 60).await;
    assert_eq!((finished.outcome, finished.ended), (Outcome::Clean, Some(Ended::Code(3))));
    assert_eq!(String::from_utf8_lossy(&finished.printed), "early\n");
}

#[tokio::test]
#[ignore = "slow: ./x test-linux"]
async fn linux_guest_that_hangs_is_no_clean_trial() {
    // A program that lets nobody else run on the only processor: init cannot answer.
    let stuck = "int fd = open(\"/proc/sys/kernel/sched_rt_runtime_us\", O_WRONLY); if (write(fd, \"-1\", 2) != 2) return 9;
                 struct sched_param first = {99}; if (sched_setscheduler(0, SCHED_FIFO, &first)) return 8; for (;;);";
    let title = title(outcome_of(stuck, 5).await);
    // On a busy host, where limits are longer, the kernel's own detector may be first.
    assert!(title == "no output from test machine" || title.starts_with("INFO: rcu detected stall"), "{title}");
}
