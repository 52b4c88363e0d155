//! What a report says of stacks, line by line: where one begins, its frames, where another story begins.

use crate::frames;
use crate::frames::Frame;
use crate::intruder;

/// Lines that announce a stack.
const BEGINS: &[&str] = &["Call Trace:", "Call trace:", "Backtrace:", "backtrace:", "backtrace (crc", "NMI backtrace for cpu"];

/// Lines behind which frames belong to another story: how memory came to be, other tasks, the end.
const ENDS: &[&str] = &[
    "Allocated by task",
    "Allocated in",
    "Freed by task",
    "Freed in",
    "allocated by task",
    "freed by task",
    "Last potentially related work",
    "The buggy address",
    "Memory state around",
    "Showing all locks held",
    "Kernel panic - not syncing",
    "Uninit was ",
    "Local variable",
    "page last allocated via",
    "page last free",
    "page_owner tracks",
    "Sending NMI",
    "---[ end trace",
];

/// Where a stack ends: entries from user space, and beginnings of kernel threads.
const BOTTOMS: &[&str] =
    &["entry_SYSCALL", "entry_SYSENTER", "entry_INT80", "ret_from_fork_asm", "ret_fast_syscall", "el0t_64_sync"];

/// One thing that a report's lines say of stacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A stack is announced.
    Begins,
    /// A frame that the unwinder is sure of.
    Frame(Frame<'a>),
    /// The kernel's instruction pointer.
    Pointer(Frame<'a>),
    /// Where a lock was taken.
    Lock(Frame<'a>),
    /// Frames behind this belong to another story.
    Ends,
    /// Something else is printed from here on.
    Intruder,
}

/// Frames beyond these are never looked at.
const DEEPEST: usize = 512;

/// Reads the lines of one report, each with whether it begins another crash. Stacks count from the line at `from` on.
pub fn events<'a>(lines: impl Iterator<Item = (&'a str, bool)>, from: usize) -> Vec<Event<'a>> {
    let mut events = Vec::new();
    for (index, (text, intrudes)) in lines.enumerate() {
        if events.len() >= DEEPEST {
            break;
        }
        if intrudes || intruder::is(text) {
            events.push(Event::Intruder);
        } else if index < from {
            continue;
        } else if begins(text) {
            events.push(Event::Begins);
        } else if ENDS.iter().any(|end| text.contains(end)) {
            events.push(Event::Ends);
        } else if let Some(frame) = frames::pointer(text) {
            events.push(Event::Pointer(frame));
        } else if let Some(frame) = frames::lock(text) {
            events.push(Event::Lock(frame));
        } else if let Some(frame) = frames::frame(text)
            && !frame.doubtful
        {
            if events.last() == Some(&Event::Begins) {
                events.extend(frames::callee(text).map(Event::Frame));
            }
            events.push(Event::Frame(frame));
        }
    }
    events
}

/// Whether a line announces a stack.
#[must_use]
pub fn begins(text: &str) -> bool {
    BEGINS.iter().any(|begin| text.contains(begin)) && !text.contains("stack backtrace:")
}

/// The stacks of a report, innermost frame first; none is empty. An instruction pointer before the first stack or inside of one is a
/// frame of it: the kernel prints where it stood, and where a trap or an interrupt came in.
#[must_use]
pub fn traces<'a>(events: &[Event<'a>]) -> Vec<Vec<Frame<'a>>> {
    let announced = events.contains(&Event::Begins);
    let mut traces = vec![Vec::new()];
    let mut stood = Vec::new();
    let mut reading = !announced;
    for event in events {
        match event {
            Event::Begins => {
                reading = true;
                traces.push(std::mem::take(&mut stood));
            }
            Event::Ends => {
                reading = !announced;
                traces.push(Vec::new());
            }
            Event::Frame(frame) | Event::Pointer(frame) if reading => {
                if let Some(trace) = traces.last_mut() {
                    trace.push(frame.clone());
                }
                if BOTTOMS.iter().any(|bottom| frame.symbol.starts_with(bottom)) {
                    traces.push(Vec::new());
                }
            }
            Event::Pointer(frame) if traces.len() == 1 && stood.iter().all(|frame: &Frame<'_>| frame.inlined) => {
                stood.push(frame.clone());
            }
            _ => {}
        }
    }
    traces.retain(|trace| !trace.is_empty());
    traces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_ends_where_another_story_begins() {
        let text = "Call Trace:\n a+0x1/0x2\n ? b+0x1/0x2\n c+0x1/0x2\nAllocated by task 3:\n d+0x1/0x2";
        let events = events(text.lines().map(|line| (line, false)), 0);
        let traces = traces(&events);
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[0].iter().map(|frame| frame.symbol).collect::<Vec<_>>(), ["a", "c"]);
    }
}
