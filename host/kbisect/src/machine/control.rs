//! The control port: how the host tells a guest what to run, and how the guest answers.
//!
//! Owns the protocol and its text form; knows nothing of sockets, QEMU or consoles. The guest's side is `host/guest` (Linux) and
//! the demo's pocket kernel.
//!
//! # The protocol
//!
//! The port is the guest's second serial port (COM2: I/O 0x2f8, Linux `/dev/ttyS1`), raw, 8 bits. Both sides send lines of
//! printable ASCII that end in `\n` (a `\r` before it and empty lines are ignored) and have at most [`MAX_LINE`] bytes. Words are
//! separated by one space. A word that stands for free text or an argument is percent-encoded: bytes outside `!`..`~`, and `%`
//! itself, become `%` and two hexadecimal digits; the empty word is a lone `%`. `TEXT` is the rest of the line and may hold spaces.
//! Numbers are decimal. The host never sends a line before the answer to the one before it came, except `ping` and `off`.
//!
//! ```text
//! guest   kbisect hello                    once, when it can take commands: the boot is over
//! host    nonce HEX                        32 digits, fresh for every boot; the guest keeps them in memory only
//! guest   kbisect HEX hello BUILD-ID       the running kernel's GNU build id in hexadecimal, `-` when there is none
//! host    control                          run the control test
//! guest   kbisect HEX control ok           or: kbisect HEX control fail TEXT
//! host    exec N ARG…                      run the reproducer, N = 1, 2, … within this boot
//! guest   kbisect HEX start N              just before it starts
//! guest   kbisect HEX out N WORD           what run N printed, a piece of it; also late, after its end
//! guest   kbisect HEX end N CODE           exit status 0 to 255, or -S: killed by signal S
//! host    trace N ARG…                     as exec, and tell how the program's system calls end: between start and end come
//! guest   kbisect HEX call N CALL ARG ERRNO COUNT    of the running kernel's architecture; ARG is what tells it from others of its
//!                                          name, `-` none; ERRNO 0 is success; of equal ones the largest COUNT holds
//! guest   kbisect HEX untraced N TEXT      it is not traced (any more), and why
//! host    ping                             at any time after `nonce`, also while a program runs
//! guest   kbisect HEX note pong            the guest is alive
//! guest   kbisect HEX note TEXT            anything worth recording, at any time
//! host    off                              power off; no answer
//! ```
//!
//! Linux guests run `/repro ARG…`, or the first `ARG` itself where it begins with `/`. What the program prints comes as `out` and
//! never to the console (the first serial port): there, it could be taken for a crash. A program that could not be started has
//! ended with 127 (not found) or 126.
//!
//! Everything else that comes over the port is a protocol error, and the trial is void: any other first line, a wrong nonce, an
//! unknown verb, an answer nobody asked for. (A reproducer with root can read the nonce from init's memory and forge an `end`: it
//! can make its own trial clean or void, never another's.) Nothing on the console ever counts as control.

use std::fmt;

/// So many different ends of calls are kept.
const MOST_CALLS: usize = 1024;

/// Longest line, without its end, in bytes.
pub const MAX_LINE: usize = 4096;

/// A line from the guest, after the bare `kbisect hello`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The guest has the nonce; its kernel's build id in hexadecimal, when known.
    Hello(Option<String>),
    /// How the control test ended.
    Control(Result<(), String>),
    /// The run with this number starts.
    Start(u32),
    /// What the run with this number printed, a piece of it.
    Out(u32, Vec<u8>),
    /// The run with this number ended: exit status, or minus the signal.
    End(u32, i32),
    /// A system call ended so in the run with this number.
    Call(u32, CallEnd),
    /// The run with this number is not traced, and why.
    Untraced(u32, String),
    /// Free text.
    Note(String),
}

/// How a system call ended, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEnd {
    /// Which call.
    pub number: u32,
    /// What tells it from others of its name.
    pub argument: Option<String>,
    /// Its error; 0: none.
    pub errno: u32,
    /// How often.
    pub count: u64,
}

/// How the system calls of a run end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// Each way once, in the order in which they first came.
    pub calls: Vec<CallEnd>,
    /// Why they were not traced to their end.
    pub untraced: Option<String>,
}

impl Traced {
    fn take(&mut self, call: CallEnd) {
        let same =
            |known: &&mut CallEnd| (known.number, &known.argument, known.errno) == (call.number, &call.argument, call.errno);
        if let Some(known) = self.calls.iter_mut().find(same) {
            known.count = known.count.max(call.count);
        } else if self.calls.len() < MOST_CALLS {
            // A guest that makes them up fills no memory.
            self.calls.push(call);
        }
    }
}

/// A command for the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The boot's nonce.
    Nonce(String),
    /// Run the control test.
    Control,
    /// Run the reproducer: number and arguments.
    Exec(u32, Vec<String>),
    /// The same, and tell how its system calls end.
    Trace(u32, Vec<String>),
    /// Say that you live.
    Ping,
    /// Power off.
    Off,
}

impl fmt::Display for Command {
    /// The line without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nonce(nonce) => write!(f, "nonce {nonce}"),
            Self::Control => f.write_str("control"),
            Self::Exec(run, args) | Self::Trace(run, args) => {
                write!(f, "{} {run}", if matches!(self, Self::Exec(..)) { "exec" } else { "trace" })?;
                args.iter().try_for_each(|arg| write!(f, " {}", encode(arg.as_bytes())))
            }
            Self::Ping => f.write_str("ping"),
            Self::Off => f.write_str("off"),
        }
    }
}

/// What is wrong with a line on the control port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// The first line is not `kbisect hello`.
    #[error("the guest's first line on the control port is `{0}`, not `kbisect hello`")]
    NoHello(String),
    /// The nonce is missing or wrong.
    #[error("a line without this boot's nonce on the control port: `{0}`")]
    Forged(String),
    /// The verb or its arguments are unknown.
    #[error("a line that is not of the protocol on the control port: `{0}`")]
    Unknown(String),
    /// An answer to nothing.
    #[error("an answer that nobody asked for on the control port: `{0}`")]
    Unasked(String),
    /// No line end within [`MAX_LINE`] bytes.
    #[error("a line of more than {MAX_LINE} bytes on the control port")]
    TooLong,
}

/// Whether `line` is the bare hello that a guest begins with.
pub fn is_bare_hello(line: &[u8]) -> bool {
    line == b"kbisect hello"
}

/// Reads a line that must carry `nonce`.
///
/// # Errors
///
/// Whatever is not exactly a message of the protocol.
pub fn parse(line: &[u8], nonce: &str) -> Result<Message, BadLine> {
    let rest = line
        .strip_prefix(b"kbisect ")
        .and_then(|rest| rest.strip_prefix(nonce.as_bytes()))
        .and_then(|rest| rest.strip_prefix(b" "))
        .ok_or_else(|| BadLine::Forged(shown(line)))?;
    let unknown = || BadLine::Unknown(shown(line));
    if !rest.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Err(unknown());
    }
    let text = std::str::from_utf8(rest).map_err(|_| unknown())?;
    let (verb, args) = text.split_once(' ').unwrap_or((text, ""));
    match verb {
        "hello" if args == "-" => Ok(Message::Hello(None)),
        "hello" if !args.is_empty() && args.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(Message::Hello(Some(args.to_ascii_lowercase())))
        }
        "control" if args == "ok" => Ok(Message::Control(Ok(()))),
        "control" => args.strip_prefix("fail ").map(|text| Message::Control(Err(text.to_owned()))).ok_or_else(unknown),
        "start" => number(args).map(Message::Start).ok_or_else(unknown),
        "out" => {
            let (run, word) = args.split_once(' ').ok_or_else(unknown)?;
            let printed = decode(word).ok_or_else(unknown)?;
            number(run).map(|run| Message::Out(run, printed)).ok_or_else(unknown)
        }
        "end" => {
            let (run, code) = args.split_once(' ').ok_or_else(unknown)?;
            let run = number(run).ok_or_else(unknown)?;
            let code = match code.strip_prefix('-') {
                Some(signal) => number(signal).filter(|signal| (1..=127).contains(signal)).map(|signal| -(signal as i32)),
                None => number(code).filter(|code| *code <= 255).map(|code| code as i32),
            };
            code.map(|code| Message::End(run, code)).ok_or_else(unknown)
        }
        "call" => call(args).map(|(run, call)| Message::Call(run, call)).ok_or_else(unknown),
        "untraced" => {
            let (run, why) = args.split_once(' ').ok_or_else(unknown)?;
            number(run).map(|run| Message::Untraced(run, why.to_owned())).ok_or_else(unknown)
        }
        "note" => Ok(Message::Note(args.to_owned())),
        _ => Err(unknown()),
    }
}

/// `N CALL ARG ERRNO COUNT`.
fn call(args: &str) -> Option<(u32, CallEnd)> {
    let words: Vec<&str> = args.split(' ').collect();
    let [run, of, argument, errno, count] = words[..] else { return None };
    let argument = match argument {
        "-" => None,
        word => Some(readable(&decode(word)?)),
    };
    Some((number(run)?, CallEnd { number: number(of)?, argument, errno: number(errno)?, count: u64::from(number(count)?) }))
}

/// Bytes as text for people: what is no text is shown as such.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// A decimal number without sign.
fn number(word: &str) -> Option<u32> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) { word.parse().ok() } else { None }
}

/// A line as it is shown to people: at most 80 characters, control characters escaped.
pub(super) fn shown(line: &[u8]) -> String {
    let cut = &line[..line.len().min(80)];
    let text: String = cut.escape_ascii().map(char::from).collect();
    if cut.len() < line.len() { format!("{text}…") } else { text }
}

/// Percent-encodes one word.
pub fn encode(word: &[u8]) -> String {
    if word.is_empty() {
        return "%".to_owned();
    }
    let mut text = String::with_capacity(word.len());
    for &byte in word {
        if (b'!'..=b'~').contains(&byte) && byte != b'%' {
            text.push(byte as char);
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Undoes [`encode`]; none where that is no such word.
pub fn decode(word: &str) -> Option<Vec<u8>> {
    let mut rest = match word.as_bytes() {
        b"%" => return Some(Vec::new()),
        bytes => bytes,
    };
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        rest = match first {
            b'%' => {
                let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                &after[2..]
            }
            b'!'..=b'~' => {
                bytes.push(first);
                after
            }
            _ => return None,
        };
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// What both sides have said in one boot: checks every line of the guest against what it was asked. Pure.
#[derive(Debug, Clone)]
pub struct Conversation {
    nonce: String,
    greeted: bool,
    control_asked: bool,
    run_asked: Option<u32>,
    run_started: bool,
    /// The last run that started.
    last_run: u32,
    /// What programs printed, in the order in which it came; its beginning where that is much.
    pub printed: Vec<u8>,
    /// The guest took the nonce; its kernel's build id in hexadecimal, when known.
    pub hello: Option<Option<String>>,
    /// How the control test ended.
    pub control: Option<Result<(), String>>,
    /// The last run that ended: its number, and its exit status or minus its signal.
    pub ended: Option<(u32, i32)>,
    /// How the system calls of the last run that was traced end; none where none was.
    pub traced: Option<Traced>,
    /// Notes so far; every answer to a `ping` is one.
    pub notes: u64,
}

impl Conversation {
    /// Before the first word, with this boot's nonce.
    pub fn new(nonce: String) -> Self {
        Self {
            nonce,
            greeted: false,
            control_asked: false,
            run_asked: None,
            run_started: false,
            last_run: 0,
            printed: Vec::new(),
            hello: None,
            control: None,
            ended: None,
            traced: None,
            notes: 0,
        }
    }

    /// Remembers what the host asks.
    pub fn ask(&mut self, command: &Command) {
        match command {
            Command::Control => (self.control_asked, self.control) = (true, None),
            Command::Exec(run, _) => (self.run_asked, self.run_started) = (Some(*run), false),
            Command::Trace(run, _) => {
                (self.run_asked, self.run_started) = (Some(*run), false);
                self.traced = Some(Traced::default());
            }
            Command::Nonce(_) | Command::Ping | Command::Off => {}
        }
    }

    /// Takes a line from the guest; what the host must answer, if anything.
    ///
    /// # Errors
    ///
    /// The line is not of the protocol, or nobody asked for it.
    pub fn hear(&mut self, line: &[u8]) -> Result<Option<Command>, BadLine> {
        if !self.greeted {
            if !is_bare_hello(line) {
                return Err(BadLine::NoHello(shown(line)));
            }
            self.greeted = true;
            return Ok(Some(Command::Nonce(self.nonce.clone())));
        }
        let unasked = || BadLine::Unasked(shown(line));
        match parse(line, &self.nonce)? {
            Message::Hello(build_id) if self.hello.is_none() => self.hello = Some(build_id),
            Message::Control(result) if self.control_asked => (self.control_asked, self.control) = (false, Some(result)),
            Message::Start(run) if self.run_asked == Some(run) && !self.run_started => {
                (self.run_started, self.last_run) = (true, run);
            }
            // What a program left behind may print after its end.
            Message::Out(run, piece) if (1..=self.last_run).contains(&run) => {
                super::keep(&mut self.printed, &piece);
            }
            Message::End(run, code) if self.run_asked == Some(run) && self.run_started => {
                (self.run_asked, self.ended) = (None, Some((run, code)));
            }
            Message::Call(run, call) if self.run_asked == Some(run) && self.run_started => {
                self.traced.as_mut().ok_or_else(unasked)?.take(call);
            }
            Message::Untraced(run, why) if self.run_asked == Some(run) && self.run_started => {
                self.traced.as_mut().ok_or_else(unasked)?.untraced = Some(why);
            }
            Message::Note(_) if self.hello.is_some() => self.notes += 1,
            _ => return Err(unasked()),
        }
        Ok(None)
    }
}

/// Cuts what comes over the port into lines.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes a piece; the lines that it completes, without their ends and without empty ones.
    ///
    /// # Errors
    ///
    /// [`BadLine::TooLong`]; memory stays bounded.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, BadLine> {
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n");
            if self.partial.len() + text.unwrap_or(part).len() > MAX_LINE + 1 {
                return Err(BadLine::TooLong);
            }
            self.partial.extend_from_slice(text.unwrap_or(part));
            if text.is_some() {
                let mut line = std::mem::take(&mut self.partial);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if line.len() > MAX_LINE {
                    return Err(BadLine::TooLong);
                }
                if !line.is_empty() {
                    lines.push(line);
                }
            }
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests;
