//! The journal: a run's durable events, one JSON object a line. Owns the file; the meaning of events is elsewhere.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use super::event::Entry;
use super::event::Event;

/// Version of the journal's format; a run directory of another version is refused.
pub const FORMAT: u32 = 1;

/// Ends the process after this many durable events have been written by it, for tests of `resume`.
const ABORT_AFTER: &str = "KBISECT_TEST_ABORT_AFTER";

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("cannot {action} `{}`: {error}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A whole line is not an event.
    #[error("{}:{line}: not a journal entry: {error}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        error: String,
    },
    /// Entries are missing.
    #[error("{}:{line}: entry {found} where {wanted} was to come", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The number found.
        found: u64,
        /// The number that was to come.
        wanted: u64,
    },
    /// The run was made by a kbisect with another format.
    #[error("{}: written in format {found}; this kbisect reads format {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
}

impl JournalError {
    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull)
    }
}

/// An open journal, at its end.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    next: u64,
    written: u64,
    abort_after: Option<u64>,
}

impl Journal {
    /// Starts a journal; the file must not be there.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| JournalError::Io {
            action: "create",
            path: path.to_owned(),
            error,
        })?;
        Ok(Self::at_end(path, file, 0, 1))
    }

    /// Opens a journal to go on with it, and returns what it holds; a torn last line is cut off.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let (entries, length) = read_whole_lines(path)?;
        let io = |action| move |error| JournalError::Io { action, path: path.to_owned(), error };
        let mut file = OpenOptions::new().write(true).open(path).map_err(io("open"))?;
        file.set_len(length).map_err(io("truncate"))?;
        file.seek(SeekFrom::End(0)).map_err(io("open"))?;
        let next = entries.len() as u64 + 1;
        Ok((Self::at_end(path, file, length, next), entries))
    }

    fn at_end(path: &Path, file: File, length: u64, next: u64) -> Self {
        let abort_after = std::env::var(ABORT_AFTER).ok().and_then(|text| text.parse().ok());
        Self { path: path.to_owned(), file, length, next, written: 0, abort_after }
    }

    /// Appends an event and waits until it is on the disk.
    ///
    /// When that fails, what was written of the line is taken back, so that a later try starts on a clean line.
    pub fn append(&mut self, event: Event) -> Result<Entry, JournalError> {
        let mut entries = self.append_all(vec![event])?;
        if self.abort_after == Some(self.written) {
            std::process::abort();
        }
        Ok(entries.pop().expect("one event is one entry"))
    }

    /// Appends events that happened at once, and waits once until they are on the disk; as [`Self::append`] when that fails.
    pub fn append_all(&mut self, events: Vec<Event>) -> Result<Vec<Entry>, JournalError> {
        let time = jiff::Timestamp::now();
        let entries: Vec<Entry> = (self.next..).zip(events).map(|(seq, event)| Entry { seq, time, event }).collect();
        let mut lines = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut lines, entry).expect("events are plain data");
            lines.push(b'\n');
        }
        if let Err(error) = self.file.write_all(&lines).and_then(|()| self.file.sync_data()) {
            // Best effort: reading drops a torn line too.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(JournalError::Io { action: "write", path: self.path.clone(), error });
        }
        self.length += lines.len() as u64;
        self.next += entries.len() as u64;
        self.written += entries.len() as u64;
        Ok(entries)
    }
}

/// The entries of a journal, for looking at it while another process may be writing.
pub fn read(path: &Path) -> Result<Vec<Entry>, JournalError> {
    read_whole_lines(path).map(|(entries, _)| entries)
}

/// The entries and the length of the whole lines they stand in.
fn read_whole_lines(path: &Path) -> Result<(Vec<Entry>, u64), JournalError> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|error| JournalError::Io {
        action: "read",
        path: path.to_owned(),
        error,
    })?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate() {
        if index == 0 {
            check_format(path, line)?;
        }
        let entry: Entry = serde_json::from_slice(line).map_err(|error| JournalError::Broken {
            path: path.to_owned(),
            line: index + 1,
            error: error.to_string(),
        })?;
        let wanted = index as u64 + 1;
        if entry.seq != wanted {
            return Err(JournalError::Gap { path: path.to_owned(), line: index + 1, found: entry.seq, wanted });
        }
        entries.push(entry);
    }
    Ok((entries, whole as u64))
}

/// Looks at the format before anything else, as the rest of the line may differ between formats.
fn check_format(path: &Path, line: &[u8]) -> Result<(), JournalError> {
    #[derive(serde::Deserialize)]
    struct First {
        format: u32,
    }
    match serde_json::from_slice::<First>(line) {
        Ok(First { format }) if format != FORMAT => Err(JournalError::Format { path: path.to_owned(), found: format }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(message: &str) -> Event {
        Event::Warned { message: message.to_owned() }
    }

    #[test]
    fn what_is_appended_is_read_back() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).expect("created");
        let first = journal.append(warned("one")).expect("written");
        let second = journal.append(warned("two\nlines")).expect("written");
        drop(journal);
        let (mut journal, entries) = Journal::open(&path).expect("opened");
        assert_eq!(entries, [first, second]);
        assert_eq!(journal.append(warned("three")).expect("written").seq, 3);
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_tore() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).expect("created");
        journal.append(warned("one")).expect("written");
        journal.append(warned("two")).expect("written");
        let whole = std::fs::read(&path).expect("read");
        let first_line = whole.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
        for cut in first_line..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            let (mut journal, entries) = Journal::open(&path).expect("opened");
            assert_eq!(entries.len(), 1, "cut at {cut}");
            assert_eq!(journal.append(warned("again")).expect("written").seq, 2);
            assert_eq!(read(&path).expect("read").len(), 2);
        }
    }

    #[test]
    fn damage_is_named_with_its_line() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).expect("created");
        journal.append(warned("one")).expect("written");
        let whole = std::fs::read_to_string(&path).expect("read");
        let message = |text: String| {
            std::fs::write(&path, text).expect("written");
            let error = read(&path).expect_err("damaged").to_string();
            error.replace(&path.display().to_string(), "journal.jsonl")
        };
        insta::assert_snapshot!(message(format!("{whole}oops\n")), @"journal.jsonl:2: not a journal entry: expected value at line 1 column 1");
        insta::assert_snapshot!(message(format!("{whole}{whole}")), @"journal.jsonl:2: entry 1 where 2 was to come");
        insta::assert_snapshot!(message(r#"{"seq":1,"event":"started","format":99}"#.to_owned() + "\n"), @"journal.jsonl: written in format 99; this kbisect reads format 1");
    }
}
