//! How a reproducer's end is read. Pure; owns the two readings of an exit status (`expect`), as for `git bisect run` and as for a
//! reproducer that runs until the kernel crashes.

use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;

use super::Plan;
use super::suite;
use crate::config::job::CountAs;
use crate::config::job::Expect;
use crate::config::job::MachineKind;
use crate::machine::Ended;

/// What 255 is for those who run machines of their own.
const OF_255: &str = ", which is vng's when its guest panicked and ssh's when the connection broke";

/// What a reproducer's end says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No sign of the bug. Under `repeat` the reproducer may run again.
    Clean,
    /// The time limit ended a trial without a sign of the bug.
    CleanAtLimit,
    /// A crash that only the end shows, with a report made from it.
    Crashed(Box<CrashReport>),
    /// Nothing, unless the console shows a crash.
    Void(Failure),
    /// Nothing, whatever the console shows: the reproducer itself says that it cannot tell.
    CannotTell(Failure),
}

/// Reads an end. `alive` is whether the machine still answers; it matters at the time limit of a virtual machine.
pub fn read(plan: &Plan, run: u32, ended: &Ended, alive: bool) -> Reading {
    let void = |reason: String| Reading::Void(Failure { stage: Stage::Reproducer, reason });
    // On the host every unexpected status is a failing test; in a virtual machine only the console shows what the kernel did.
    let any_code_counts = plan.expect == Expect::Exit || plan.kind == MachineKind::Process;
    match *ended {
        Ended::Code(0) => Reading::Clean,
        Ended::Code(code) if plan.suite.is_some_and(|suite| suite::passed(suite, code)) => Reading::Clean,
        Ended::Code(125) => Reading::CannotTell(Failure {
            stage: Stage::Reproducer,
            reason: "exit status 125: the reproducer says that it cannot tell".to_owned(),
        }),
        Ended::Code(code @ (126 | 127)) if !any_code_counts => {
            let why = if code == 126 { "not executable" } else { "not found" };
            void(format!("exit status {code}: the reproducer is {why} in the machine"))
        }
        Ended::Code(_) | Ended::Signal(_) if !any_code_counts => Reading::Clean,
        Ended::Code(code @ 1..128) => Reading::Crashed(Box::new(report(format!("exit status {code}"), "EXIT"))),
        Ended::Code(code) => match signal_name(code - 128) {
            Some(_) => signal(plan, code - 128),
            None => by_signal(plan, format!("exit status {code}"), if code == 255 { OF_255 } else { "" }),
        },
        Ended::Signal(number) => signal(plan, number),
        Ended::TimeLimit => at_limit(plan, run, alive),
        Ended::ControlFailed(ref text) => void(format!("the control test answered for the reproducer: {text}")),
        Ended::MachineGone => Reading::Crashed(Box::new(report("lost connection to test machine".to_owned(), "LOST_CONNECTION"))),
    }
}

fn at_limit(plan: &Plan, run: u32, alive: bool) -> Reading {
    if !alive {
        return Reading::Crashed(Box::new(report("no output from test machine".to_owned(), "NO_OUTPUT")));
    }
    if plan.expect == Expect::Crash || run > 1 {
        return Reading::CleanAtLimit;
    }
    let seconds = plan.time_limit.as_secs_f64();
    match plan.on_timeout {
        CountAs::Good => Reading::CleanAtLimit,
        CountAs::Bad => Reading::Crashed(Box::new(report("time limit reached".to_owned(), "TIMEOUT"))),
        CountAs::Void => Reading::Void(Failure {
            stage: Stage::Reproducer,
            reason: format!("still running at the time limit of {seconds} s (--on-timeout good|bad says how to count that)"),
        }),
    }
}

fn signal(plan: &Plan, number: i32) -> Reading {
    let name = signal_name(number).map_or_else(|| number.to_string(), str::to_owned);
    by_signal(plan, format!("killed by signal {name}"), "")
}

/// An end that `git bisect run` would stop at.
fn by_signal(plan: &Plan, title: String, means: &str) -> Reading {
    match plan.on_signal {
        _ if plan.expect == Expect::Crash => Reading::Crashed(Box::new(report(title, "EXIT"))),
        CountAs::Bad => Reading::Crashed(Box::new(report(title, "EXIT"))),
        CountAs::Good => Reading::Clean,
        CountAs::Void => Reading::Void(Failure {
            stage: Stage::Reproducer,
            reason: format!("{title}{means} (--on-signal bad counts that as a crash)"),
        }),
    }
}

fn report(title: String, crash_type: &str) -> CrashReport {
    CrashReport { title, crash_type: crash_type.to_owned(), ..CrashReport::default() }
}

/// A signal's name without `SIG`, as Linux on x86 and arm numbers them.
fn signal_name(number: i32) -> Option<&'static str> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR",
        "SYS",
    ];
    usize::try_from(number).ok()?.checked_sub(1).and_then(|index| NAMES.get(index)).copied()
}

#[cfg(test)]
mod tests;
