//! The error that a command ends with. Rooms have their own `thiserror` enums and convert into this one at their border.

use std::fmt;

use crate::exit::Exit;

/// Whose problem it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line, job file, plugin, repository or reproducer is not as it must be.
    User,
    /// A needed program or device is missing.
    ToolsMissing,
    /// Machines, disk or network failed; trying again may help.
    Infrastructure,
    /// A defect in kbisect.
    Internal,
}

/// An error with its kind and what the user can do about it.
///
/// Messages are lower-case and have no trailing stop; several problems found at once are several lines of one message.
#[derive(Debug)]
pub struct Error {
    /// Whose problem it is.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it, one suggestion each.
    pub hints: Vec<String>,
}

impl Error {
    /// An error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new() }
    }

    /// Something the user must change.
    pub fn user(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::User, message)
    }

    /// Machines, disk or network failed.
    pub fn infrastructure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Infrastructure, message)
    }

    /// A defect in kbisect.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Several errors as one, of the first one's kind; each hint once.
    ///
    /// # Panics
    /// Without an error.
    pub fn all(errors: Vec<Self>) -> Self {
        let kind = errors.first().map(|error| error.kind).expect("at least one error");
        let message = errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("\n");
        let mut hints: Vec<String> = Vec::new();
        for hint in errors.into_iter().flat_map(|error| error.hints) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        Self { kind, message, hints }
    }

    /// Adds a suggestion.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code that goes with the kind.
    pub fn exit(&self) -> Exit {
        match self.kind {
            ErrorKind::User => Exit::User,
            ErrorKind::ToolsMissing => Exit::ToolsMissing,
            ErrorKind::Infrastructure => Exit::Infrastructure,
            ErrorKind::Internal => Exit::Internal,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
