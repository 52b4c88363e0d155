//! Runs a program under ptrace and tells how its system calls end: each new way at once, since the kernel may not live to the program's
//! end, and how often in all when tracing ends. Traced is only the program's beginning: a program that is stopped at each call runs
//! many times slower. One that looks whether it is traced is let go before it can see it.
//!
//! `/trace PROGRAM ARG…` starts `/traced PROGRAM ARG…`, which asks to be traced and becomes the program. What is told goes to standard
//! input, which is a pipe to init: `call NUMBER ARGUMENT ERRNO COUNT` and `untraced TEXT`.

mod digest;

use std::collections::HashMap;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use nix::libc;
use nix::sys::ptrace;
use nix::sys::ptrace::Options;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::process::WaitOptions;

use self::digest::Digest;
use self::digest::Key;

/// The tracer, as init starts it.
pub(crate) const PROGRAM: &str = "/trace";
/// What becomes the program.
const TRACED: &str = "/traced";

/// So many calls are looked at …
const CALLS: u32 = 4000;
/// … for so long.
const TIME: Duration = Duration::from_secs(2);
/// Of a string that a call is given so many bytes are read.
const STRING: usize = 80;
/// Threads are waited for, too.
const ALL: WaitOptions = WaitOptions::from_bits_retain(0x4000_0000);
/// What a call's result is while it has none.
const NO_RESULT: i64 = -38;
/// The code segment of programs of 32 bits, whose calls have other numbers.
const NARROW: u64 = 0x23;
/// The call that traces.
const PTRACE: u64 = 101;

/// Asks to be traced, and becomes the program that is named. The exit status where that fails.
pub(crate) fn be_traced() -> i32 {
    // Where it fails, the program runs without.
    let _ = ptrace::traceme();
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some((program, args)) = args.split_first() else { return 127 };
    let error = Command::new(program).args(args).exec();
    eprintln!("kbisect-guest: cannot run {}: {error} (is it linked with -static?)", program.to_string_lossy());
    if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }
}

/// Runs the program that is named; its exit status.
pub(crate) fn run() -> i32 {
    let mut command = Command::new(TRACED);
    let child = match command.args(std::env::args_os().skip(1)).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("kbisect-guest: cannot run {TRACED}: {error}");
            return 126;
        }
    };
    Tracer::new(Pid::from_raw(i32::try_from(child.id()).unwrap_or_default())).follow()
}

/// The program with all that it starts.
struct Tracer {
    main: Pid,
    /// Since the program runs; none before.
    began: Option<Instant>,
    known: HashSet<Pid>,
    /// Calls that have not ended.
    inside: HashMap<Pid, Key>,
    digest: Digest,
    /// Whatever stops is let go.
    letting_go: bool,
}

impl Tracer {
    fn new(main: Pid) -> Self {
        Self { main, began: None, known: HashSet::new(), inside: HashMap::new(), digest: Digest::default(), letting_go: false }
    }

    /// Until the program ends; its exit status. Where a signal ended it, the same signal ends this process.
    fn follow(mut self) -> i32 {
        loop {
            let (pid, status) = match rustix::process::wait(ALL) {
                Ok(Some((pid, status))) => (Pid::from_raw(pid.as_raw_nonzero().get()), status.as_raw()),
                Err(rustix::io::Errno::INTR) | Ok(None) => continue,
                Err(_) => return 125,
            };
            if libc::WIFSTOPPED(status) {
                self.stopped(pid, status);
            } else if pid == self.main {
                return self.ended(status);
            } else {
                self.known.remove(&pid);
                self.inside.remove(&pid);
            }
        }
    }

    fn ended(&mut self, status: i32) -> i32 {
        if self.began.is_none() {
            tell("untraced ptrace is not possible in this kernel");
        }
        if !self.letting_go {
            self.tell_counts();
        }
        if libc::WIFEXITED(status) {
            return libc::WEXITSTATUS(status);
        }
        let signal = libc::WTERMSIG(status);
        if let Some(named) = rustix::process::Signal::from_named_raw(signal) {
            // The first SIGSEGV or SIGBUS goes to the handler that std sets, which then sets none.
            for _ in 0..2 {
                let _ = rustix::process::kill_process(rustix::process::getpid(), named);
            }
        }
        128 + signal
    }

    fn stopped(&mut self, pid: Pid, status: i32) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let first = self.known.insert(pid);
        let mut deliver = None;
        if self.began.is_none() && pid == self.main && signal == libc::SIGTRAP {
            // It has just become the program.
            self.began = Some(Instant::now());
            let options = Options::PTRACE_O_TRACESYSGOOD
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE
                | Options::PTRACE_O_TRACEEXEC;
            if ptrace::setoptions(pid, options).is_err() {
                self.give_up("this kernel does not tell of system calls");
            }
        } else if event != 0 || (first && signal == libc::SIGSTOP) {
            // Something new, which is traced from its first stop on.
        } else if signal == libc::SIGTRAP | 0x80 {
            self.called(pid);
        } else {
            deliver = Signal::try_from(signal).ok();
        }
        if self.letting_go {
            let _ = ptrace::detach(pid, deliver);
        } else {
            // It may be gone meanwhile.
            let _ = ptrace::syscall(pid, deliver);
        }
    }

    /// A call begins or ends.
    fn called(&mut self, pid: Pid) {
        if self.letting_go {
            return;
        }
        let Ok(registers) = ptrace::getregs(pid) else { return };
        let result = registers.rax.cast_signed();
        if let Some(key) = self.inside.remove(&pid) {
            if let Some(line) = self.digest.ended(key, result) {
                tell(&line);
            }
        } else if registers.cs == NARROW {
            self.give_up("it is a program of 32 bits");
        } else if registers.orig_rax == PTRACE {
            self.give_up("it uses ptrace itself");
        } else if result == NO_RESULT {
            let arguments = [registers.rdi, registers.rsi, registers.rdx];
            let key = digest::key(registers.orig_rax, arguments, |at| string(pid, at));
            if key.looks_for_tracers() {
                self.give_up("it looks whether it is traced");
            } else {
                self.inside.insert(pid, key);
            }
        }
        let over = self.digest.calls() >= CALLS || self.began.is_some_and(|began| began.elapsed() >= TIME);
        if over && !self.letting_go {
            self.tell_counts();
            self.letting_go = true;
        }
    }

    fn give_up(&mut self, why: &str) {
        tell(&format!("untraced {why}"));
        self.letting_go = true;
    }

    fn tell_counts(&self) {
        self.digest.counts().for_each(|line| tell(&line));
    }
}

/// A string in a program's memory, up to its end; none where it cannot be read.
fn string(pid: Pid, at: u64) -> Option<Vec<u8>> {
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut bytes = vec![0; STRING];
    let count = memory.read_at(&mut bytes, at).ok()?;
    bytes.truncate(count);
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.truncate(end);
    Some(bytes)
}

/// Writes a line for init.
fn tell(line: &str) {
    let mut bytes = line.as_bytes().to_vec();
    bytes.push(b'\n');
    // Shorter than what a pipe takes at once; where init is gone, nobody listens.
    let _ = rustix::io::write(rustix::stdio::stdin(), &bytes);
}
