//! Exit codes of `kbisect run`, `resume` and `demo`. Owns the numbers; they are public and do not change.

use std::process::ExitCode;

/// How a command ended. (`kbisect next` uses git's codes instead.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A culprit (or fix) was named, or the command did what it was asked.
    Success = 0,
    /// A defect in kbisect.
    Internal = 1,
    /// The command line, the job file or the repository is not as it must be.
    User = 2,
    /// Several commits remain.
    Inconclusive = 3,
    /// The start commit did not show the crash.
    NotReproduced = 4,
    /// The end of history still crashes: the oldest release, or HEAD for a fix.
    EndStillCrashes = 5,
    /// Machines, disk or network failed; `kbisect resume` goes on.
    Infrastructure = 6,
    /// The deadline was reached; `kbisect resume` goes on.
    Deadline = 7,
    /// A needed program or device is missing.
    ToolsMissing = 8,
    /// Stopped by a signal; `kbisect resume` goes on.
    Stopped = 130,
}

impl Exit {
    /// Every code with its meaning in a few words, for `--help` and the README.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Success, "culprit named (or the command did what it was asked)"),
        (Self::Internal, "internal error: a defect in kbisect"),
        (Self::User, "user, job or configuration error"),
        (Self::Inconclusive, "inconclusive: several commits remain"),
        (Self::NotReproduced, "the start commit did not show the crash"),
        (Self::EndStillCrashes, "the end of history still crashes (oldest release, or HEAD for a fix)"),
        (Self::Infrastructure, "infrastructure failure; `kbisect resume` goes on"),
        (Self::Deadline, "deadline reached; `kbisect resume` goes on"),
        (Self::ToolsMissing, "a needed program is missing; see `kbisect doctor`"),
        (Self::Stopped, "stopped by a signal; `kbisect resume` goes on"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
