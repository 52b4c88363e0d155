//! The function to blame: the first that is not machinery, in the order in which a row says to look.

use crate::frames;
use crate::frames::Frame;
use crate::rules::Row;
use crate::rules::Source;
use crate::rules::Stack;
use crate::skip;
use crate::stacks;
use crate::stacks::Event;
use crate::stall;
use crate::template::Captures;

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame<'a> {
    /// The function of this symbol.
    Function(&'a str),
    /// The report names nobody.
    Nobody,
    /// Something else was printed before the report came to it.
    Torn,
}

/// Looks for the function to blame.
#[must_use]
pub fn blame<'a>(row: &Row, events: &[Event<'a>], captures: &Captures<'a>) -> Blame<'a> {
    for source in row.frame {
        match look(*source, row, events, captures) {
            Blame::Nobody => {}
            found => return found,
        }
    }
    Blame::Nobody
}

fn look<'a>(source: Source, row: &Row, events: &[Event<'a>], captures: &Captures<'a>) -> Blame<'a> {
    let header = || captures.iter().rev().find(|(name, _)| *name == "fn").map(|(_, symbol)| *symbol);
    match source {
        Source::Header => header().filter(|symbol| wanted(row, symbol)).map_or(Blame::Nobody, Blame::Function),
        Source::Backed => match trace(row, events) {
            Blame::Torn => Blame::Torn,
            Blame::Nobody if !header().is_some_and(|symbol| on_stack(events, symbol)) => Blame::Nobody,
            _ => look(Source::Header, row, events, captures),
        },
        Source::Pointer => pointer(row, events),
        Source::Trace => trace(row, events),
        Source::Through => {
            let through: Vec<Event<'a>> = events.iter().filter(|event| **event != Event::Intruder).cloned().collect();
            trace(row, &through)
        }
        Source::Locks => locks(row, events),
        Source::Taken => {
            let taken = events.iter().find_map(|event| match event {
                Event::Lock(frame) => Some(frame.symbol),
                _ => None,
            });
            taken.map_or(Blame::Nobody, Blame::Function)
        }
        Source::Anchor | Source::Interrupted => {
            stall::anchor(events, source == Source::Interrupted).map_or(Blame::Nobody, Blame::Function)
        }
    }
}

/// Whether a stack has a frame of this symbol.
fn on_stack(events: &[Event<'_>], symbol: &str) -> bool {
    events.iter().any(|event| matches!(event, Event::Frame(frame) | Event::Pointer(frame) if frame.symbol == symbol))
}

fn wanted(row: &Row, symbol: &str) -> bool {
    skip::listed(row.keep, symbol) || !skip::skipped(symbol, row.skip)
}

/// The first instruction pointer.
fn pointer<'a>(row: &Row, events: &[Event<'a>]) -> Blame<'a> {
    for event in events {
        match event {
            Event::Intruder => return Blame::Torn,
            Event::Pointer(frame) if frame.inlined => {}
            Event::Pointer(frame) if wanted(row, frame.symbol) => return Blame::Function(frame.symbol),
            Event::Pointer(_) => return Blame::Nobody,
            _ => {}
        }
    }
    Blame::Nobody
}

/// The first stack: from where one is announced, up to another story once it had a frame.
fn trace<'a>(row: &Row, events: &[Event<'a>]) -> Blame<'a> {
    let mut reading = row.stack == Stack::Bare;
    let mut seen = false;
    for event in events {
        match event {
            Event::Intruder => return Blame::Torn,
            Event::Begins => reading = true,
            Event::Ends if reading && seen => return Blame::Nobody,
            Event::Ends => reading = row.stack == Stack::Bare,
            Event::Frame(frame) | Event::Pointer(frame) if reading => {
                seen |= matches!(event, Event::Frame(_));
                if !frame.inlined && wanted(row, frame.symbol) {
                    return Blame::Function(frame.symbol);
                }
            }
            _ => {}
        }
    }
    Blame::Nobody
}

/// Lockdep's whole story.
fn locks<'a>(row: &Row, events: &[Event<'a>]) -> Blame<'a> {
    for event in events {
        match event {
            Event::Intruder => return Blame::Torn,
            Event::Frame(frame) | Event::Lock(frame) if !frame.inlined && wanted(row, frame.symbol) => {
                return Blame::Function(frame.symbol);
            }
            _ => {}
        }
    }
    Blame::Nobody
}

/// The frames that count, innermost first: those of the first stack; for stalls, of the stack that stalled.
#[must_use]
pub fn story<'a>(row: &Row, events: &[Event<'a>]) -> Vec<Frame<'a>> {
    if row.frame.contains(&Source::Anchor) || row.frame.contains(&Source::Interrupted) {
        return stall::stalled(events, row.frame.contains(&Source::Interrupted));
    }
    stacks::traces(events).into_iter().next().unwrap_or_default()
}

/// The function that made what a report is about: the first of the stack behind `made` that is not machinery.
#[must_use]
pub fn origin<'a>(lines: &[&'a str], made: &str) -> Option<&'a str> {
    let from = lines.iter().position(|line| line.contains(made))?;
    lines[from + 1..]
        .iter()
        .map_while(|line| frames::frame(line))
        .filter(|frame| !frame.doubtful && !frame.inlined)
        .map(|frame| frame.symbol)
        .find(|symbol| !skip::skipped(symbol, "*alloc*"))
}
