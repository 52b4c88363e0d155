//! What is wrong with a job file, and where.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use crate::error::Error;

/// A place in a text, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// The place of byte `offset` in `text`; offsets past the end or inside a character count as the character before.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        // Every byte that does not continue a character starts one.
        let column = 1 + before[line_start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
        Self { line, column }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; none when something is missing altogether.
    pub place: Option<Place>,
    /// What, in one line.
    pub text: String,
}

/// Everything that is wrong with a job, in the order of the text. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The job file; none for a job from the command line.
    pub file: Option<PathBuf>,
    /// What is wrong.
    pub list: Vec<Problem>,
}

impl Problems {
    /// A single problem with a file as a whole.
    pub(super) fn whole(file: PathBuf, text: impl Into<String>) -> Self {
        Self { file: Some(file), list: vec![Problem { place: None, text: text.into() }] }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            if let Some(file) = &self.file {
                write!(f, "{}:", file.display())?;
                if let Some(place) = problem.place {
                    write!(f, "{}:{}:", place.line, place.column)?;
                }
                write!(f, " ")?;
            }
            write!(f, "{}", problem.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::user(problems.to_string())
    }
}

/// A problem with a value, found while it is read: where in the file (bytes) and what.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

impl Complaint {
    pub(super) fn new(span: Range<usize>, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}
