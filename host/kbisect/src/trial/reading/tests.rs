use std::time::Duration;

use kbisect_core::commit::CommitId;

use super::*;
use crate::config::job::TargetStage;

fn plan(kind: MachineKind, expect: Expect) -> Plan {
    Plan {
        commit: CommitId::from_bytes([1; 20]),
        kind,
        stage: TargetStage::Run,
        command: Vec::new(),
        files: Vec::new(),
        time_limit: Duration::from_secs(90),
        repeat: false,
        expect,
        on_timeout: CountAs::Void,
        on_signal: CountAs::Void,
        suite: None,
        exposure: 1.0,
    }
}

/// A reading in one word and its text.
fn told(plan: &Plan, ended: &Ended) -> String {
    match read(plan, 1, ended, true) {
        Reading::Clean => "clean".to_owned(),
        Reading::CleanAtLimit => "clean at the limit".to_owned(),
        Reading::Crashed(report) => format!("crashed: {} [{}]", report.title, report.crash_type),
        Reading::Void(failure) => format!("void: {}", failure.reason),
        Reading::CannotTell(failure) => format!("cannot tell: {}", failure.reason),
    }
}

#[test]
fn statuses_are_read_as_by_git_bisect_run() {
    let exit = plan(MachineKind::Process, Expect::Exit);
    assert_eq!(told(&exit, &Ended::Code(0)), "clean");
    for code in (1..=124).chain([126, 127]) {
        assert_eq!(told(&exit, &Ended::Code(code)), format!("crashed: exit status {code} [EXIT]"));
    }
    assert_eq!(told(&exit, &Ended::Code(125)), "cannot tell: exit status 125: the reproducer says that it cannot tell");
    for ended in [Ended::Code(139), Ended::Signal(11)] {
        assert_eq!(told(&exit, &ended), "void: killed by signal SEGV (--on-signal bad counts that as a crash)");
    }
    for code in [128, 160] {
        assert_eq!(told(&exit, &Ended::Code(code)), format!("void: exit status {code} (--on-signal bad counts that as a crash)"));
    }
    assert_eq!(
        told(&exit, &Ended::Code(255)),
        "void: exit status 255, which is vng's when its guest panicked and ssh's when the connection broke \
         (--on-signal bad counts that as a crash)"
    );
    assert_eq!(
        told(&exit, &Ended::TimeLimit),
        "void: still running at the time limit of 90 s (--on-timeout good|bad says how to count that)"
    );
}

#[test]
fn limits_and_signals_count_as_the_job_says() {
    let mut exit = plan(MachineKind::Process, Expect::Exit);
    (exit.on_timeout, exit.on_signal) = (CountAs::Bad, CountAs::Bad);
    assert_eq!(told(&exit, &Ended::TimeLimit), "crashed: time limit reached [TIMEOUT]");
    assert_eq!(told(&exit, &Ended::Signal(6)), "crashed: killed by signal ABRT [EXIT]");
    assert_eq!(told(&exit, &Ended::Code(134)), "crashed: killed by signal ABRT [EXIT]");
    (exit.on_timeout, exit.on_signal) = (CountAs::Good, CountAs::Good);
    assert_eq!(told(&exit, &Ended::TimeLimit), "clean at the limit");
    assert_eq!(told(&exit, &Ended::Signal(6)), "clean");
}

#[test]
fn a_reproducer_that_runs_until_it_crashes() {
    let crash = plan(MachineKind::Process, Expect::Crash);
    assert_eq!(told(&crash, &Ended::Code(0)), "clean");
    assert_eq!(told(&crash, &Ended::TimeLimit), "clean at the limit");
    assert!(told(&crash, &Ended::Code(125)).starts_with("cannot tell: "));
    for (code, title) in
        [(1, "exit status 1"), (127, "exit status 127"), (139, "killed by signal SEGV"), (200, "exit status 200")]
    {
        assert_eq!(told(&crash, &Ended::Code(code)), format!("crashed: {title} [EXIT]"));
    }
    assert_eq!(told(&crash, &Ended::Signal(9)), "crashed: killed by signal KILL [EXIT]");
}

#[test]
fn in_a_virtual_machine_only_the_console_shows_what_the_kernel_did() {
    let crash = plan(MachineKind::Qemu, Expect::Crash);
    for ended in [Ended::Code(0), Ended::Code(1), Ended::Code(200), Ended::Signal(11)] {
        assert_eq!(told(&crash, &ended), "clean");
    }
    assert_eq!(told(&crash, &Ended::Code(127)), "void: exit status 127: the reproducer is not found in the machine");
    assert_eq!(told(&crash, &Ended::Code(126)), "void: exit status 126: the reproducer is not executable in the machine");
    assert_eq!(told(&crash, &Ended::MachineGone), "crashed: lost connection to test machine [LOST_CONNECTION]");
    let exit = plan(MachineKind::Qemu, Expect::Exit);
    assert_eq!(told(&exit, &Ended::Code(1)), "crashed: exit status 1 [EXIT]");
}

#[test]
fn a_machine_that_hangs_at_the_limit_is_no_clean_one() {
    let crash = plan(MachineKind::Qemu, Expect::Crash);
    let Reading::Crashed(report) = read(&crash, 1, &Ended::TimeLimit, false) else { panic!("it hangs") };
    assert_eq!(report.title, "no output from test machine");
}

#[test]
fn the_limit_within_a_later_run_is_clean() {
    let exit = plan(MachineKind::Process, Expect::Exit);
    assert_eq!(read(&exit, 2, &Ended::TimeLimit, true), Reading::CleanAtLimit);
}
