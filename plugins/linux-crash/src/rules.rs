//! The rules as one table: what the kernel prints, and what it is called.
//!
//! A new kind of oops is one row in one of the families below and one golden case in `tests/golden/`. Every row has the columns of
//! [`Row`]; what a row does not set is as in [`row`]. Rows stand in order of precedence: the first whose patterns fit wins, so
//! noise comes first and catch-alls last. Names follow syzkaller's, so that titles can be compared with its dashboard's; the
//! wording matched is that of the kernel's own printk calls.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::template;

mod catchall;
mod faults;
mod locks;
mod memory;
mod noise;
mod panics;
mod stuck;
mod warnings;

/// One form of oops: how it is recognised, what it is called, and whom to blame.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Pattern (see [`crate::template`]) of the line that begins the oops. The plain text before the first capture is what consoles
    /// are scanned for.
    pub header: &'static str,
    /// Title; `{frame}` is the function to blame, any other name a capture of the patterns. Empty: the line is no crash.
    pub title: &'static str,
    /// Patterns of lines behind the header, in order, all needed for the row to fit. Of noise: texts in the line, one is enough.
    pub also: &'static [&'static str],
    /// Other titles that the same bug is known by, written like the title; `{origin}` is the function that made the memory.
    pub alt: &'static [&'static str],
    /// Crash type.
    pub kind: Kind,
    /// Where the function to blame is looked for: the first source that gives one not to be skipped wins. None: the title names none.
    pub frame: &'static [Source],
    /// Functions to skip on top of the common list ([`crate::skip`]), because this check itself runs in them: patterns apart by blanks.
    pub skip: &'static str,
    /// Functions not to skip although a list has them, likewise: this check blames them.
    pub keep: &'static str,
    /// What stack a report of this form has when it is whole.
    pub stack: Stack,
    /// Why a report that fits only this row cannot be trusted, when it cannot.
    pub corrupted: Option<&'static str>,
    /// Where in the console the header counts.
    pub place: Place,
    /// What the header is to an oops that was begun before it.
    pub within: Within,
}

/// Crash type of a row: syzkaller's vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This type; empty when syzkaller has none.
    Is(&'static str),
    /// The checker's name followed by what its title says of the access, as in `KASAN-USE-AFTER-FREE-READ`.
    Access(&'static str),
}

/// Where a function to blame can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The function that the header or a line behind it names (the capture `fn`).
    Header,
    /// The same, but only when a stack follows: without one the report is too torn to be believed.
    Backed,
    /// The instruction pointer: `RIP:`, `pc :`, `PC is at`, `epc :`, `NIP`.
    Pointer,
    /// The stack trace.
    Trace,
    /// The stack trace, even behind another crash: this check itself often crashes before it comes to it.
    Through,
    /// Lockdep's story: where locks were taken (`at: fn`) and every stack, in the order printed.
    Locks,
    /// Where the first lock was taken, machinery or not.
    Taken,
    /// What the CPU was asked to do ([`crate::stall`]): for lockups and overflows, where any function may be the innermost.
    Anchor,
    /// The same, of a stack that a watchdog's interrupt came in on top of.
    Interrupted,
}

/// What stack a whole report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// One behind `Call Trace:` or the like.
    Announced,
    /// One that begins right behind the header.
    Bare,
    /// None is needed.
    None,
}

/// Where in the console a header counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anywhere in a line.
    Anywhere,
    /// At the beginning of a line, behind printk's prefix.
    LineStart,
    /// Only in a line with the kernel's time stamp, where any line has one: programs print such lines too.
    Stamped,
    /// There, and only behind output of a system that had come up.
    AfterBoot,
}

/// What a header is to an oops that was begun before it and is still being printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// Another crash: what follows is no longer the first one's, and it opens a report of its own once that had its stack.
    Other,
    /// A line of it; an oops of its own once the first was closed with its end line.
    Part,
    /// A line of it, whenever there was one before: this header only says what became of it.
    Outcome,
}

/// A row with nothing set but header and title: blames the first function of an announced trace.
const fn row(header: &'static str, title: &'static str) -> Row {
    Row {
        header,
        title,
        also: &[],
        alt: &[],
        kind: Kind::Is(""),
        frame: TRACE,
        skip: "",
        keep: "",
        stack: Stack::Announced,
        corrupted: None,
        place: Place::Anywhere,
        within: Within::Other,
    }
}

/// A line that looks like a header and is none: it has one of these texts, in lower case here and any case there.
const fn noise(header: &'static str, texts: &'static [&'static str]) -> Row {
    row(header, "").also(texts)
}

/// The columns, so that a row reads as a list of what is special about it.
impl Row {
    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn alt(self, alt: &'static [&'static str]) -> Self {
        Self { alt, ..self }
    }

    const fn kind(self, kind: &'static str) -> Self {
        Self { kind: Kind::Is(kind), ..self }
    }

    const fn access(self, checker: &'static str) -> Self {
        Self { kind: Kind::Access(checker), ..self }
    }

    const fn frame(self, frame: &'static [Source]) -> Self {
        Self { frame, ..self }
    }

    /// The title names no function, and no stack is needed.
    const fn frameless(self) -> Self {
        Self { frame: &[], stack: Stack::None, ..self }
    }

    const fn skip(self, skip: &'static str) -> Self {
        Self { skip, ..self }
    }

    const fn keep(self, keep: &'static str) -> Self {
        Self { keep, ..self }
    }

    const fn stack(self, stack: Stack) -> Self {
        Self { stack, ..self }
    }

    const fn corrupted(self, why: &'static str) -> Self {
        Self { corrupted: Some(why), ..self }
    }

    const fn place(self, place: Place) -> Self {
        Self { place, ..self }
    }

    const fn within(self, within: Within) -> Self {
        Self { within, ..self }
    }

    /// The plain text that the header begins with.
    #[must_use]
    pub fn literal(&self) -> &'static str {
        self.header.split(['{', '\n']).next().unwrap_or(self.header)
    }

    /// Whether the row says that a line is no crash.
    #[must_use]
    pub const fn is_noise(&self) -> bool {
        self.title.is_empty()
    }

    /// Whether the row's header fits a text that begins with its literal.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        if self.is_noise() {
            let text = text.to_ascii_lowercase();
            return self.also.iter().any(|noise| text.contains(noise));
        }
        template::starts(self.header, text, &mut Vec::new())
    }
}

/// For [`Row::keep`]: whatever function the header names is to blame, and is called what the header calls it.
pub const ALL: &str = "*";

const TRACE: &[Source] = &[Source::Trace];
const POINTER: &[Source] = &[Source::Pointer, Source::Trace];
const HEADER: &[Source] = &[Source::Header, Source::Trace];
const BACKED: &[Source] = &[Source::Backed, Source::Trace];
/// The trace; the header's own word where that was torn off.
const TRACE_OR_HEADER: &[Source] = &[Source::Trace, Source::Header];
const THROUGH: &[Source] = &[Source::Through];
const LOCKS: &[Source] = &[Source::Locks, Source::Taken];
/// The trace; where it was torn off, the locks.
const TRACE_OR_LOCKS: &[Source] = &[Source::Trace, Source::Locks];
const ANCHOR: &[Source] = &[Source::Anchor];
const INTERRUPTED: &[Source] = &[Source::Interrupted];
/// The same; else what any CPU was at that was asked: the one that found out may have been idle.
const INTERRUPTED_OR_ANSWERING: &[Source] = &[Source::Interrupted, Source::Anchor];

/// Other titles of a bad access: detectors and architectures name one bug differently.
const BAD_ACCESS: &[&str] = &["bad-access in {frame}"];
const INVALID_FREE: &[&str] = &["invalid-free in {frame}"];
const STACK_OVERFLOW: &[&str] = &["stack-overflow in {frame}"];
const HANG: &[&str] = &["hang in {frame}"];
const STALL: &[&str] = &["stall in {frame}"];

/// The families, in order of precedence.
const FAMILIES: [&[Row]; 8] =
    [noise::ROWS, memory::ROWS, faults::ROWS, locks::ROWS, stuck::ROWS, warnings::ROWS, panics::ROWS, catchall::ROWS];

/// All rows, in order of precedence.
pub fn all() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().copied().flatten()
}

/// The texts that consoles are scanned for, each once, with the rows that begin with them.
pub static LITERALS: LazyLock<Vec<(&'static str, Vec<usize>)>> = LazyLock::new(|| {
    let mut literals: Vec<(&'static str, Vec<usize>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (index, row) in all().enumerate() {
        let place = *places.entry(row.literal()).or_insert(literals.len());
        match literals.get_mut(place) {
            Some((_, rows)) => rows.push(index),
            None => literals.push((row.literal(), vec![index])),
        }
    }
    literals
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_found_and_named() {
        for row in all() {
            assert!(row.literal().len() >= 5, "too short to scan for: {row:?}");
            for title in row.alt.iter().chain([&row.title]) {
                assert!(!title.contains("{frame") || !row.frame.is_empty(), "a frame from nowhere: {row:?}");
            }
            assert!(row.is_noise() || row.frame.is_empty() != row.title.contains("{frame"), "an unused frame: {row:?}");
        }
    }
}
