//! Why a report cannot be trusted: another message in its header, another crash before its stack, a stack that is missing.

use crate::blame::Blame;
use crate::frames;
use crate::literals::Literals;
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

/// What a cloud's serial port says when its machine is gone in the middle of a line.
const CUT_OFF: &str = "serialport: VM disconnected.";

/// Whether the console ended before the machine had told everything.
#[must_use]
pub fn is_cut_off(console: &[u8]) -> bool {
    Literals::new(std::iter::once(CUT_OFF)).find(console).next().is_some()
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

#[cfg(test)]
mod tests {
    use crate::report;

    fn why(console: &str) -> Option<String> {
        report::reports(console.as_bytes()).into_iter().next().and_then(|report| report.corrupted)
    }

    #[test]
    fn says_what_is_missing() {
        let access = "BUG: KASAN: use-after-free in f+0x1/0x2\nRead of size 8 at addr 1 by task a/1\n";
        for (console, reason) in [
            (format!("{access}Call Trace:\n f+0x1/0x2\n"), None),
            (access.to_owned(), Some("no stack was printed")),
            (
                format!("{access}Call Trace:\n f+0x1/0x2\nFreed by task 3:\n\nend\n"),
                Some("a stack was announced, and none followed"),
            ),
            (
                "BUG: KASAN: use-after-free in kfree+0x1/0x2\nRead of size 8 at addr 1 by task a/1\n".to_owned(),
                Some("no function to blame was printed"),
            ),
            ("BUG: KASAN: use-after-free in f+0x1/0x2\n".to_owned(), Some("the kind of access was not printed")),
            (
                "general protection fault\nBUG: KASAN: x in f+0x1/0x2\nRIP: 0010:f+0x1/0x2\nCall Trace:\n f+0x1/0x2\n".to_owned(),
                Some("another crash was printed before the function to blame"),
            ),
            ("Kernel panic - not syncing: Fatal exception\n".to_owned(), Some("what led to the panic is missing")),
        ] {
            assert_eq!(why(&console).as_deref(), reason, "{console}");
        }
    }

    #[test]
    fn doubtful_frames_do_not_try_the_patience() {
        let doubtful = " ? g+0x1/0x2\n".repeat(40);
        let console = format!("general protection fault\nRIP: 0010:f+0x1/0x2\nCall Trace:\n{doubtful} h+0x1/0x2\n");
        assert_eq!(why(&console), None);
    }
}
