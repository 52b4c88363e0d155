//! Why a report cannot be trusted: another message in its header, another crash before its stack, a stack that is missing.

use crate::blame::Blame;
use crate::frames;
use crate::rules::Row;
use crate::rules::Stack;

/// How many lines may stand between the announcement of a stack and its first frame.
const PATIENCE: usize = 15;

/// Says why a report cannot be trusted, if it cannot. `lines` are its own, the header first; `interrupted`: the next report follows
/// them, printed by the same caller.
#[must_use]
pub fn why(row: &Row, title: &str, lines: &[&str], blame: Blame<'_>, interrupted: bool) -> Option<String> {
    let reason = if let Some(reason) = row.corrupted {
        reason
    } else if title.ends_with(':') {
        "the header was cut"
    } else if blame == Blame::Torn {
        "another crash was printed before the function to blame"
    } else if row.stack == Stack::None {
        return None;
    } else if blame == Blame::Nobody && !row.frame.is_empty() {
        "no function to blame was printed"
    } else if row.stack == Stack::Announced
        && !lines.iter().any(|line| announces(line))
        && lines.iter().filter(|line| unannounced(line)).count() < 2
    {
        "no stack was printed"
    } else if lines.iter().enumerate().any(|(at, line)| announces(line) && !followed(&lines[at + 1..])) {
        "a stack was announced, and none followed"
    } else if interrupted && row.header.starts_with("BUG: KMSAN") && !lines.iter().any(|line| line.starts_with("=====")) {
        "another crash was printed before this one's end"
    } else {
        return None;
    };
    Some(reason.to_owned())
}

/// Whether a line says that frames follow: those of the crash, or of how its memory was allocated and freed.
fn announces(line: &str) -> bool {
    const WORDS: &[&str] =
        &["Call Trace:", "Call trace:", "Backtrace:", "Allocated by task ", "Freed by task ", "Allocated:", "Freed:"];
    WORDS.iter().any(|word| line.contains(word)) || line.trim_start().starts_with("backtrace")
}

/// Whether a line is a frame that needs no announcement: riscv prints such.
fn unannounced(line: &str) -> bool {
    line.starts_with("[<") && !line.contains(" from ") && frames::frame(line).is_some()
}

/// Whether a frame follows before anything else is announced.
fn followed(lines: &[&str]) -> bool {
    lines
        .iter()
        .filter(|line| frames::frame(line).is_none_or(|frame| !frame.doubtful))
        .take(PATIENCE)
        .take_while(|line| !announces(line))
        .any(|line| {
            line.contains("(stack is not available)") || line.contains("<Same stack as pid") || frames::frame(line).is_some()
        })
}
