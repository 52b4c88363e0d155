//! The init of a guest: mounts what programs expect, and runs what the host asks for over the control port.
//!
//! The protocol is written down in kbisect's `machine/control.rs`. The program is static and is packed as `/init`; `/control`, a link to
//! it, runs the control test, and `/trace` and `/traced` a program whose system calls are counted. It prints nothing on the console that
//! looks like a crash, and it never ends: the kernel would panic.

mod control_test;
mod mounts;
mod port;
mod program;
mod root;
mod share;
mod trace;
mod words;

use std::ffi::OsStr;
use std::io;
use std::io::BufRead as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;
use rustix::system::RebootCommand;

use crate::port::Port;
use crate::program::Programs;
use crate::share::First;

fn main() {
    let name = std::env::args_os().next().unwrap_or_default();
    match Path::new(&name).file_name().and_then(OsStr::to_str) {
        Some("control") => std::process::exit(control_test::run()),
        Some("trace") => std::process::exit(trace::run()),
        Some("traced") => std::process::exit(trace::be_traced()),
        _ => {}
    }
    if rustix::process::getpid() != Pid::INIT {
        eprintln!("kbisect-guest is the init of a virtual machine; it does nothing elsewhere");
        std::process::exit(2);
    }
    // An init that ends makes the kernel panic, and that would look like a crash of the kernel under test.
    std::panic::set_hook(Box::new(|_| power_off()));
    if let Some(device) = root::device() {
        let Err(error) = root::go_on(&device);
        say(&error.to_string());
        power_off();
    }
    match share::enter() {
        Ok(first) => {
            if let Err(error) = serve(first.as_ref()) {
                say(&format!("the control port failed: {error}"));
            }
        }
        Err(error) => say(&error.to_string()),
    }
    power_off();
}

/// Sets the guest up and obeys the host until the port closes. `first` is the root that init came with, where it has another one now.
fn serve(first: Option<&First>) -> io::Result<()> {
    mounts::all();
    if let Err(error) = share::unpack(first) {
        say(&format!("cannot put the trial's files in their places: {error}"));
        power_off();
    }
    // Programs start where init is.
    let _ = std::env::set_current_dir("/tmp");
    let (mut lines, port) = Port::open(Path::new("/dev/ttyS1"))?;
    let port = Arc::new(port);
    let programs = Programs::start(Arc::clone(&port));
    port.send_bare_hello()?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nonce") => {
                port.set_nonce(words.next().unwrap_or_default());
                port.send(&format!("hello {}", build_id().unwrap_or_else(|| "-".to_owned())))?;
            }
            Some("control") => programs.control_test()?,
            Some(verb @ ("exec" | "trace")) => {
                let run = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
                programs.reproducer(run, &words.map(words::decode).collect::<Vec<_>>(), verb == "trace")?;
            }
            Some("ping") => port.send("note pong")?,
            Some("off") => power_off(),
            Some(other) => port.send(&format!("note unknown command {}", words::printable(other)))?,
            None => {}
        }
    }
}

/// The running kernel's GNU build id, in hexadecimal.
fn build_id() -> Option<String> {
    words::gnu_build_id(&std::fs::read("/sys/kernel/notes").ok()?)
}

/// Writes one line on the console.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "kbisect-guest: {text}");
}

/// Ends the machine. A restart ends it too (the host forbids reboots), also where there is no way to switch the power off.
fn power_off() -> ! {
    loop {
        let _ = rustix::system::reboot(RebootCommand::Restart);
        std::thread::sleep(Duration::from_secs(1));
    }
}
