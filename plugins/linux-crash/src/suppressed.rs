//! Crashes that are noise of the test machine rather than bugs: it ran out of memory, or its own programs failed.

use crate::literals::Literals;

/// Whether a console shows that the machine, not the kernel under test, is to blame.
#[must_use]
pub fn is(console: &[u8]) -> bool {
    let signs = Literals::new(ALONE.iter().chain(KILLED.iter().map(|(sign, _)| sign)).copied());
    signs.find(console).any(|(at, sign)| match sign.checked_sub(ALONE.len()) {
        None => true,
        Some(killed) => {
            let rest = &console[at..];
            let line = rest.split(|&byte| byte == b'\n').next().unwrap_or(rest);
            let line = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]);
            KILLED[killed].1.iter().any(|program| line.contains(program))
        }
    })
}

/// How far behind its sign a killed program is named.
const LONGEST: usize = 256;

/// Texts that say so by themselves: the runtimes of the fuzzer's programs, and init's and libc's last words.
const ALONE: &[&str] = &[
    "panic: cannot allocate memory",
    "panic: failed to start executor binary",
    "panic: failed to create temp dir",
    "failed: pthread_create failed",
    "fatal error: out of memory",
    "fatal error: runtime: out of memory",
    "fatal error: runtime: cannot allocate memory",
    "fatal error: unexpected signal during runtime execution",
    "signal SIGBUS: bus error",
    "SYZFAIL: SIGBUS",
    "INIT: PANIC: segmentation violation!",
    "*** stack smashing detected ***: terminated",
];

/// The kernel killing a program for memory, and the programs without which nothing can be tested.
const KILLED: &[(&str, &[&str])] = &[
    ("Out of memory: Kill", &["(syz-executor", "(syz-execprog", "(syz-fuzzer", "(sshd)"]),
    ("Killed process ", &["(syz-executor", "(syz-execprog", "(syz-fuzzer", "(sshd)"]),
    ("lowmemorykiller: Killing '", &["syz-executor'", "syz-fuzzer'", "sshd'"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_machines_own_failures_are_known() {
        assert!(is(b"panic: cannot allocate memory\n"));
        assert!(is(b"Out of memory: Killed process 12 (syz-executor) total-vm:1kB\n"));
        assert!(is(b"lowmemorykiller: Killing 'sshd' (1), adj 0,\n"));
        assert!(!is(b"Out of memory: Killed process 12 (stress)\nsyz-executor: started\n"));
        assert!(!is(b"WARNING: CPU: 0 PID: 1 at mm/a.c:1 f+0x1/0x2\n"));
    }
}
