//! The elements of a log.

use kbisect_core::bisector::Kind;
use kbisect_core::commit::CommitId;
use serde::Deserialize;
use serde::Serialize;

use crate::gitlog::Mark;

/// What a `testing commit` line says of the compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compiler {
    /// The compiler's own words: `with gcc (GCC) 8.1.0`; until 2021-07.
    With(String),
    /// `gcc` or `clang`; since 2022-07.
    Family(String),
}

/// The last tested revision still crashes, or could not be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Cause, until 2023: the oldest release crashes.
    OldestCrashes,
    /// Cause: the oldest release crashes or could not be tested.
    Oldest,
    /// Fix, until 2023: HEAD crashes.
    HeadCrashes,
    /// Fix: HEAD crashes or could not be tested.
    Head,
}

/// Which recipients a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum List {
    /// `recipients (to)`.
    To,
    /// `recipients (cc)`.
    Cc,
    /// `cc`: all of them; until 2020-07.
    All,
}

/// One element of a log: mostly a line; several lines where a text is handed on. Texts have no line end at their end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// `HOST starts bisection TIME`.
    Host {
        /// The machine.
        host: String,
        /// When, as Go prints times.
        time: String,
    },
    /// `bisecting cause commit starting from COMMIT`, or the same for a fix.
    Aim {
        /// What is looked for.
        kind: Kind,
        /// Where the crash was seen.
        start: CommitId,
    },
    /// `building syzkaller on COMMIT`.
    Syzkaller(String),
    /// `ensuring issue is reproducible on original commit COMMIT`.
    Ensuring(CommitId),
    /// `picked [TAGS] out of N release tags`.
    Picked {
        /// Releases to be tested, newest first.
        tags: Vec<String>,
        /// How many there were.
        of: u32,
    },
    /// `testing release TAG`.
    Release(String),
    /// `testing current HEAD COMMIT`.
    Head(CommitId),
    /// `testing commit COMMIT`.
    Testing {
        /// The commit.
        commit: CommitId,
        /// The compiler, where the line names it.
        compiler: Option<Compiler>,
    },
    /// `compiler: WORDS`.
    Compiler(String),
    /// `kernel signature: DIGITS`.
    Signature(String),
    /// What came of a build that failed: `failed building COMMIT: WHY`, or in old logs the words alone.
    BuildFailed {
        /// The commit, where it is named.
        commit: Option<CommitId>,
        /// Why, mostly several lines.
        why: String,
    },
    /// `run #N: SAID`, or `all runs: SAID`.
    Ran {
        /// The run, from 0; none for all of them.
        run: Option<u32>,
        /// How it ended; an error may have several lines.
        said: String,
    },
    /// `representative crash: TITLE, types: [TYPES]`.
    Representative {
        /// The title.
        title: String,
        /// Crash types, the most frequent first.
        types: Vec<String>,
    },
    /// `false negative chance: NUMBER`.
    FalseNegative(String),
    /// `unable to determine the verdict: WHY`.
    Undecided(String),
    /// `# git bisect start BAD GOOD`; commits, or tags in the oldest logs.
    BisectStart {
        /// The end after the change.
        bad: String,
        /// The end before it.
        good: String,
    },
    /// `# git bisect MARK COMMIT`.
    Marked {
        /// What git was told.
        mark: Mark,
        /// Of which commit.
        commit: CommitId,
    },
    /// `Bisecting: N revisions left to test after this (roughly M steps)`.
    Left {
        /// Revisions.
        revisions: u64,
        /// Steps.
        steps: u64,
    },
    /// `Bisecting: a merge base must be tested`.
    MergeBaseFirst,
    /// `[COMMIT] SUBJECT`.
    CheckedOut {
        /// The commit.
        commit: CommitId,
        /// The first line of its message.
        subject: String,
    },
    /// `COMMIT is the first bad commit`.
    FirstBad(CommitId),
    /// The commit as git shows it: header, message, and diffstat or raw differences.
    Shown(String),
    /// Other words of git.
    Git(String),
    /// `accumulated error probability: NUMBER`.
    ErrorProbability(String),
    /// `parent commit COMMIT wasn't tested`.
    ParentUntested(CommitId),
    /// `culprit signature: DIGITS`, or as it was at first: `kernel signature:   DIGITS`.
    CulpritSignature {
        /// The digits.
        signature: String,
        /// Whether it is the first form.
        first_form: bool,
    },
    /// `parent  signature: DIGITS`, or as it was at first: `previous signature: DIGITS`.
    ParentSignature {
        /// The digits.
        signature: String,
        /// Whether it is the first form.
        first_form: bool,
    },
    /// `revisions tested: N, total time: T (build: T, test: T)`; times as Go prints durations.
    Totals {
        /// Revisions.
        revisions: u64,
        /// All of it.
        total: String,
        /// Building.
        build: String,
        /// Testing.
        test: String,
    },
    /// `error: WHY`: the bisection came to no end.
    Error(String),
    /// `first bad commit: COMMIT SUBJECT`; `good` for a fix.
    First {
        /// What was looked for.
        kind: Kind,
        /// The commit.
        commit: CommitId,
        /// The first line of its message.
        subject: String,
    },
    /// `bisection is inconclusive, the first bad commit could be any of:` and the commits; `good` for a fix.
    AnyOf {
        /// What was looked for.
        kind: Kind,
        /// The commits.
        commits: Vec<CommitId>,
    },
    /// There is nothing to bisect.
    End(End),
    /// `commit msg: SUBJECT` of that last revision.
    EndSubject(String),
    /// Who is to be told.
    Recipients {
        /// Which of them.
        list: List,
        /// Their addresses.
        emails: Vec<String>,
    },
    /// `crash: TITLE` and the report, to the end of the log.
    Crash {
        /// The title.
        title: String,
        /// The report.
        report: String,
    },
    /// A line that is known and says nothing of tests or answers.
    Remark(String),
    /// Empty lines, this many.
    Blank(usize),
    /// What is not known.
    Unknown(String),
}
