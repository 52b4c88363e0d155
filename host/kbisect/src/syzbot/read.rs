//! Text -> [`Log`]. Every text that names its aim is a log, however it goes on: what is not understood is kept, with a warning.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::bisector::Kind;
use kbisect_core::commit::CommitId;
use serde::Deserialize;
use serde::Serialize;

use super::Item;
use super::Log;
use super::recognize;
use crate::log_text::quoted;
use crate::log_text::without_terminal_codes;

/// More than this is no bisection log: the longest of 1,070 is 0.5 MB.
pub const MAX_BYTES: u64 = MAX_MIB << 20;

const MAX_MIB: u64 = 16;

/// What some editors put before text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A log says in its first lines what it is.
const HEAD_LINES: usize = 100;

/// More warnings of one log tell nobody anything.
const MAX_WARNINGS: usize = 100;

/// Why a file cannot be read as one of syzbot's bisection logs.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is too large.
    #[error("{}: {} MiB are no bisection log: at most {MAX_MIB} are read", path.display(), bytes.div_ceil(1 << 20))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It is something else.
    #[error("{}: {error}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Error,
    },
}

impl From<FileError> for crate::error::Error {
    fn from(error: FileError) -> Self {
        let refused = Self::user(error.to_string());
        match error {
            FileError::Other { error: Error::Git, .. } => refused.hint("`kbisect import` reads git's logs, too"),
            _ => refused,
        }
    }
}

/// Why a text is not one of syzbot's bisection logs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing.
    #[error("the log is empty")]
    Empty,
    /// It holds zero bytes.
    #[error("no bisection log: it is not text")]
    Binary,
    /// It is what `git bisect log` prints.
    #[error("this is a log of git's own, not one of syzbot's")]
    Git,
    /// It does not say what is bisected.
    #[error(
        "no bisection log of syzbot's: none of the first lines says `bisecting cause commit starting from COMMIT` or `bisecting fixing commit since COMMIT`; the first is `{first}`"
    )]
    NoAim {
        /// Its first line, shortened.
        first: String,
    },
}

/// Something about a log that people should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The line, from 1.
    pub line: usize,
    /// What.
    pub oddity: Oddity,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.oddity)
    }
}

/// What can be odd about a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oddity {
    /// The line is not known; its text, shortened.
    Unknown(String),
    /// The log ends before the answer.
    Cut,
    /// A run of no test.
    RunOfNothing,
    /// Git was told something of a commit that was not tested.
    MarkOfUntested(CommitId),
    /// Terminal codes were taken out.
    TerminalCodes,
    /// Line ends of another system were replaced.
    LineEnds,
    /// Bytes that are not text were replaced.
    NotText,
    /// There were more warnings, this many.
    More(usize),
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text) => write!(f, "not understood, and passed over: `{text}`"),
            Self::Cut => f.write_str("the log ends here, before its answer"),
            Self::RunOfNothing => f.write_str("a run, but no commit is being tested"),
            Self::MarkOfUntested(commit) => write!(f, "git was told of {commit}, which the log does not test"),
            Self::TerminalCodes => f.write_str("terminal codes were taken out from here on"),
            Self::LineEnds => f.write_str("carriage returns at the ends of lines were taken out from here on"),
            Self::NotText => f.write_str("bytes that are no UTF-8 were replaced from here on"),
            Self::More(count) => write!(f, "and {count} more warnings of other lines"),
        }
    }
}

/// Reads a file.
///
/// # Errors
///
/// When it cannot be read, is too large, or is no bisection log of syzbot's.
pub fn read_file(path: &Path) -> Result<Log, FileError> {
    of_bytes(&bytes_of(path)?).map_err(|error| FileError::Other { path: path.to_owned(), error })
}

/// The bytes of a file that may be a bisection log, without a byte order mark.
///
/// # Errors
///
/// When it cannot be read, or is too large.
pub fn bytes_of(path: &Path) -> Result<Vec<u8>, FileError> {
    let io = |error| FileError::Io { path: path.to_owned(), error };
    let file = fs::File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::new();
    // What has no size, such as a pipe, is read no further either.
    if size <= MAX_BYTES {
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    }
    let read = size.max(bytes.len() as u64);
    if read > MAX_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned(), bytes: read });
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

/// Reads a log's bytes; those that are not UTF-8 are replaced, with a warning.
///
/// # Errors
///
/// When it is no bisection log of syzbot's.
pub fn of_bytes(bytes: &[u8]) -> Result<Log, Error> {
    let text = String::from_utf8_lossy(bytes);
    let mut log = read(&text)?;
    if matches!(text, Cow::Owned(_)) {
        let line = text.split('\n').position(|line| line.contains('\u{fffd}')).unwrap_or_default() + 1;
        log.warnings.insert(0, Warning { line, oddity: Oddity::NotText });
    }
    Ok(log)
}

/// Reads a log's text. Takes time proportional to its length.
///
/// # Errors
///
/// When it is no bisection log of syzbot's.
pub fn read(text: &str) -> Result<Log, Error> {
    if text.contains('\0') {
        return Err(Error::Binary);
    }
    let mut warnings = Vec::new();
    let text = clean(text, &mut warnings);
    let first = text.lines().find(|line| !line.trim().is_empty()).ok_or(Error::Empty)?;
    let aim = text.lines().take(HEAD_LINES).find_map(|line| match recognize::in_search(line) {
        Some(Item::Aim { kind, start }) => Some((kind, start)),
        _ => None,
    });
    let Some((kind, start)) = aim else {
        return Err(if first.starts_with("git bisect ") || first.starts_with("# bad: ") || first.starts_with("# good: ") {
            Error::Git
        } else {
            Error::NoAim { first: quoted(first) }
        });
    };
    let (items, tested) = (Vec::new(), HashSet::new());
    Ok(Reader { items, warnings, unwarned: 0, kind, tested, in_git: false, answering: false }.read(&text, start))
}

/// The text without terminal codes and foreign line ends.
fn clean<'a>(text: &'a str, warnings: &mut Vec<Warning>) -> Cow<'a, str> {
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let mut text = Cow::Borrowed(text);
    if let Some(at) = text.find('\x1b') {
        warnings.push(Warning { line: line_of(at), oddity: Oddity::TerminalCodes });
        text = Cow::Owned(without_terminal_codes(&text));
    }
    // Single lines end so in real logs: errors of programs that set the terminal up.
    let first = text.split('\n').next().unwrap_or_default();
    if first.ends_with('\r') {
        warnings.push(Warning { line: 1, oddity: Oddity::LineEnds });
        text = Cow::Owned(text.replace("\r\n", "\n"));
    }
    text
}

struct Reader {
    items: Vec<Item>,
    warnings: Vec<Warning>,
    /// Warnings that were left out.
    unwarned: usize,
    kind: Kind,
    /// The commits tested so far.
    tested: HashSet<CommitId>,
    /// The lines may be git's.
    in_git: bool,
    /// The totals were told.
    answering: bool,
}

impl Reader {
    fn read(mut self, text: &str, start: CommitId) -> Log {
        let final_newline = text.ends_with('\n');
        let mut rest = Some(text.strip_suffix('\n').unwrap_or(text));
        let mut number = 0;
        while let Some(text) = rest {
            number += 1;
            let (line, behind) = match text.split_once('\n') {
                Some((line, behind)) => (line, Some(behind)),
                None => (text, None),
            };
            rest = behind;
            self.line(line, number);
            if let (Some(Item::Crash { report, .. }), Some(behind)) = (self.items.last_mut(), behind) {
                // The report is the rest, whatever it looks like.
                behind.clone_into(report);
                if behind.is_empty() {
                    self.items.push(Item::Blank(1));
                }
                rest = None;
            }
        }
        let answered = |item: &Item| matches!(item, Item::Error(_) | Item::First { .. } | Item::AnyOf { .. } | Item::End(_));
        if !self.items.iter().any(answered) {
            self.warn(number, Oddity::Cut);
        }
        if self.unwarned > 0 {
            self.warnings.push(Warning { line: number, oddity: Oddity::More(self.unwarned) });
        }
        Log { kind: self.kind, start, items: self.items, final_newline, warnings: self.warnings }
    }

    fn warn(&mut self, line: usize, oddity: Oddity) {
        if self.warnings.len() < MAX_WARNINGS || oddity == Oddity::Cut {
            self.warnings.push(Warning { line, oddity });
        } else {
            self.unwarned += 1;
        }
    }

    fn line(&mut self, line: &str, number: usize) {
        if self.is_of_shown_commit(line) {
            self.go_on_with(line);
            return;
        }
        let begun = if self.answering { recognize::in_answer(line) } else { recognize::in_search(line) };
        match begun {
            Some(item) => self.begin(item, number),
            None => self.go_on(line, number),
        }
    }

    /// Whether this line belongs to the commit that git shows, or is its first one.
    fn is_of_shown_commit(&mut self, line: &str) -> bool {
        match self.items.last() {
            // The message is indented by four, the diffstat by one, raw differences begin with a colon.
            Some(Item::Shown(_)) => {
                let header = ["Author: ", "Date: ", "Merge: ", " ", ":"];
                line.is_empty() || header.iter().any(|begin| line.starts_with(begin))
            }
            Some(Item::FirstBad(_) | Item::Git(_)) if self.in_git && line.starts_with("commit ") => {
                self.items.push(Item::Shown(String::new()));
                true
            }
            _ => false,
        }
    }

    fn begin(&mut self, item: Item, number: usize) {
        match &item {
            Item::Testing { commit, .. } => {
                self.tested.insert(*commit);
                self.in_git = false;
            }
            Item::Ran { .. } if self.tested.is_empty() => self.warn(number, Oddity::RunOfNothing),
            Item::BisectStart { .. } => self.in_git = true,
            Item::Marked { commit, .. } => {
                self.in_git = true;
                // For a fix, git is told of commits without a test that cannot have the bug yet.
                if self.kind == Kind::Cause && !self.tested.contains(commit) {
                    self.warn(number, Oddity::MarkOfUntested(*commit));
                }
            }
            Item::Totals { .. } => {
                self.answering = true;
                self.in_git = false;
            }
            Item::FirstBad(_) => self.in_git = true,
            Item::Left { .. } | Item::MergeBaseFirst | Item::CheckedOut { .. } => {}
            _ => self.in_git = false,
        }
        self.items.push(item);
    }

    /// A line that begins nothing: more of the item before, git's, or unknown.
    fn go_on(&mut self, line: &str, number: usize) {
        let empty = line.is_empty();
        match self.items.last_mut() {
            Some(Item::AnyOf { commits, .. }) if recognize::lone_commit(line).is_some() => {
                commits.extend(recognize::lone_commit(line));
            }
            Some(Item::Blank(lines)) if empty => *lines += 1,
            // An error of several lines; what else a run shows has one.
            Some(Item::Ran { said, .. }) if said != "OK" && !said.starts_with("crashed: ") && !said.starts_with("ignore: ") => {
                self.go_on_with(line);
            }
            Some(Item::BuildFailed { .. } | Item::Error(_) | Item::Git(_)) => self.go_on_with(line),
            Some(Item::Unknown(_)) => self.go_on_with(line),
            _ if self.in_git => self.items.push(Item::Git(line.to_owned())),
            _ if empty => self.items.push(Item::Blank(1)),
            Some(Item::Testing { .. } | Item::Compiler(_) | Item::Signature(_)) => {
                self.items.push(Item::BuildFailed { commit: None, why: line.to_owned() });
            }
            _ => {
                self.warn(number, Oddity::Unknown(quoted(line)));
                self.items.push(Item::Unknown(line.to_owned()));
            }
        }
    }

    /// Adds a line to the last item's text.
    fn go_on_with(&mut self, line: &str) {
        let first = matches!(self.items.last(), Some(Item::Shown(text)) if text.is_empty());
        let Some(
            Item::Ran { said: text, .. }
            | Item::BuildFailed { why: text, .. }
            | Item::Error(text)
            | Item::Git(text)
            | Item::Shown(text)
            | Item::Unknown(text),
        ) = self.items.last_mut()
        else {
            return;
        };
        if !first {
            text.push('\n');
        }
        text.push_str(line);
    }
}
