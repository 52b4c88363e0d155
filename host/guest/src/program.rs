//! Runs programs for the host, one at a time, and reaps everything that dies.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::PipeReader;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::WaitIdOptions;
use rustix::process::WaitOptions;
use rustix::process::WaitStatus;

use crate::control_test;
use crate::port::Port;
use crate::trace;
use crate::words;

/// How long the control test may take.
const CONTROL_LIMIT: Duration = Duration::from_secs(10);
/// How long what a dead program wrote may take to arrive. Processes that it left behind may hold its output open.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Most of a run's output that is passed on; what it writes beyond is read and dropped, so that it need not wait.
const OUTPUT: usize = 64 << 10;
/// Bytes of output in one line of the port: encoded, they are three times as many at most.
const PIECE: usize = 1000;

/// The programs of this guest.
#[derive(Debug)]
pub(crate) struct Programs {
    port: Arc<Port>,
    running: Mutex<Option<Running>>,
    /// Something was started: there are children to reap.
    started: Condvar,
}

/// The program under way.
#[derive(Debug)]
struct Running {
    pid: Pid,
    kind: Kind,
    /// Ends when all of its output was passed on.
    output: Option<Receiver<()>>,
    /// Sends what is told of its system calls.
    told: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Control,
    Reproducer(u32),
}

impl Programs {
    /// No program yet; a thread reaps from here on.
    pub(crate) fn start(port: Arc<Port>) -> Arc<Self> {
        let programs = Arc::new(Self { port, running: Mutex::new(None), started: Condvar::new() });
        let reaper = Arc::clone(&programs);
        std::thread::spawn(move || reaper.reap());
        programs
    }

    /// Starts the control test; the answer is sent when it ends or is too slow.
    pub(crate) fn control_test(self: &Arc<Self>) -> io::Result<()> {
        let mut command = Command::new("/control");
        command.stdin(Stdio::null()).process_group(0);
        let mut running = self.lock();
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let text = words::printable(&format!("cannot run /control: {error}"));
                return self.port.send(&format!("control fail {text}"));
            }
        };
        let pid = Pid::from_child(&child);
        *running = Some(Running { pid, kind: Kind::Control, output: None, told: None });
        self.started.notify_one();
        drop(running);
        let watched = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(CONTROL_LIMIT);
            let mut running = watched.lock();
            if running.as_ref().is_some_and(|running| running.kind == Kind::Control) {
                *running = None;
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
                let _ = watched.port.send(&format!("control fail it took longer than {} s", CONTROL_LIMIT.as_secs()));
            }
        });
        Ok(())
    }

    /// Starts a run of the reproducer; its end is sent when it comes, and before that how its system calls end where it is to be traced.
    pub(crate) fn reproducer(&self, run: u32, args: &[OsString], traced: bool) -> io::Result<()> {
        let (program, args) = match args.split_first() {
            Some((first, rest)) if first.as_encoded_bytes().starts_with(b"/") => (first.as_os_str(), rest),
            _ => (OsStr::new("/repro"), args),
        };
        let mut command = Command::new(if traced { OsStr::new(trace::PROGRAM) } else { program });
        // No folder of its own: std then takes posix_spawn, which needs no sockets of the kernel.
        command.args(traced.then_some(program)).args(args).stdin(Stdio::null()).env_clear();
        // What traces tells what it sees where others read.
        let told = if traced {
            let (told, teller) = io::pipe()?;
            command.stdin(teller);
            Some(told)
        } else {
            None
        };
        command.envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/root"), ("TERM", "linux")]);
        // What a program prints is no word of the kernel's: it never comes to the console.
        let (reader, writer) = io::pipe()?;
        command.stdout(writer.try_clone()?).stderr(writer);
        // The lock is held until the child is known: the reaper cannot meet it before.
        let mut running = self.lock();
        self.port.send(&format!("start {run}"))?;
        // Init goes ahead of a reproducer that takes all the CPU, so that it can still answer.
        let _ = rustix::process::setpriority_process(None, 0);
        let spawned = command.process_group(0).spawn();
        let _ = rustix::process::setpriority_process(None, -20);
        // Our ends of the pipes must go, or they never end.
        drop(command);
        match spawned {
            Ok(child) => {
                let pid = Pid::from_child(&child);
                let (done, output) = mpsc::channel();
                let port = Arc::clone(&self.port);
                std::thread::spawn(move || pass_on(run, reader, &port, &done));
                let told = told.map(|told| {
                    let port = Arc::clone(&self.port);
                    std::thread::spawn(move || tell_calls(&port, run, told))
                });
                *running = Some(Running { pid, kind: Kind::Reproducer(run), output: Some(output), told });
                self.started.notify_one();
                Ok(())
            }
            Err(error) => {
                crate::say(&format!("cannot run {}: {error} (is it linked with -static?)", program.to_string_lossy()));
                let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
                self.port.send(&format!("end {run} {code}"))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reap(&self) {
        loop {
            // Only looks, so that a child is never taken from `spawn`, which waits for those that it cannot execute.
            let dead = rustix::process::waitid(rustix::process::WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let mut running = self.lock();
            if running.is_none() && dead.is_err_and(|error| error == Errno::CHILD) {
                drop(self.started.wait(running));
                continue;
            }
            while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
                if running.as_ref().is_some_and(|running| running.pid == pid)
                    && let Some(ended) = running.take()
                {
                    // What it left behind does not meet the next run.
                    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
                    if let Some(output) = &ended.output {
                        let _ = output.recv_timeout(LAST_WORDS);
                    }
                    // All that was told comes before the end.
                    let _ = ended.told.map(JoinHandle::join);
                    self.report(ended.kind, status);
                }
            }
        }
    }

    fn report(&self, kind: Kind, status: WaitStatus) {
        let code = status.exit_status().unwrap_or_else(|| -status.terminating_signal().unwrap_or(1));
        let sent = match kind {
            Kind::Control if code == 0 => self.port.send("control ok"),
            Kind::Control => self.port.send(&format!("control fail cannot {}", control_test::step(code))),
            Kind::Reproducer(run) => self.port.send(&format!("end {run} {code}")),
        };
        if sent.is_err() {
            crate::say("the control port does not take lines");
        }
    }
}

/// Passes on what a program prints until nobody can print any more, and says so to `done`.
fn pass_on(run: u32, mut reader: PipeReader, port: &Port, done: &Sender<()>) {
    let mut piece = [0; PIECE];
    let mut left = OUTPUT;
    while let Ok(count @ 1..) = reader.read(&mut piece) {
        let kept = count.min(left);
        left -= kept;
        if kept > 0 && port.send(&format!("out {run} {}", words::encode(&piece[..kept]))).is_err() {
            left = 0;
        }
    }
    let _ = done.send(());
}

/// Hands on what is told of a run's system calls, until nobody tells more.
fn tell_calls(port: &Port, run: u32, told: PipeReader) {
    for line in BufReader::new(told).lines().map_while(Result::ok) {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        if port.send(&format!("{verb} {run} {rest}")).is_err() {
            return;
        }
    }
}
