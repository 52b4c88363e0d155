//! Which lines begin an oops: the rules' literals found in a console, and which of the lines open a report of their own.

use crate::frames;
use crate::intruder;
use crate::literals::Literals;
use crate::rules;
use crate::rules::Place;
use crate::rules::Row;
use crate::rules::Within;
use kbisect_sdk::console;
use kbisect_sdk::console::Line;

/// More crashes than these say nothing new, and an answer has a size limit.
const MOST_REPORTS: usize = 64;
/// Lines with a literal that are looked at in one console; what comes later only repeats.
const MOST_LINES: usize = 2_000;

/// A line that begins an oops.
#[derive(Debug, Clone)]
pub struct Header {
    /// Index of the line; of a symbolized header the last one, which names the function that is not inlined.
    pub line: usize,
    /// Index of the first line: a symbolized header is printed once for each function that is inlined there.
    pub begin: usize,
    /// The rows whose header fits, with the offset in the text where it does; in order of precedence, never noise.
    pub rows: Vec<(&'static Row, usize)>,
}

impl Header {
    /// Whether this is an inlined function's copy of the header in the line at `next`.
    fn repeated(&self, lines: &[Line<'_>], next: usize, rows: &[(&'static Row, usize)]) -> bool {
        let mine = |other: &&'static Row| self.rows.iter().any(|(row, _)| std::ptr::eq(*row, *other));
        self.line + 1 == next && lines[self.line].text.ends_with("[inline]") && rows.iter().any(|(row, _)| mine(row))
    }

    /// Whether only a catch-all fits this header.
    fn is_unknown(&self) -> bool {
        self.rows.first().is_none_or(|(row, _)| row.place == Place::Stamped)
    }

    /// Whether this header was cut by another message, so that only a catch-all fits it, and `next` is one of a known form.
    fn repeated_whole(&self, next: &Header, lines: &[Line<'_>]) -> bool {
        lines[self.line].cut && self.is_unknown() && !next.is_unknown()
    }

    /// Whether this header is of an oops that has a function to blame, and `before` is only a catch-all's: a line that announces no
    /// stack does not swallow the oops that follows. A warning is none: `WARN()` often stands behind a line that says why.
    fn stands_apart(&self, before: &Header) -> bool {
        let oops = |(row, _): &(&'static Row, usize)| !row.frame.is_empty() && !row.header.starts_with("WARNING: ");
        before.is_unknown() && !self.is_unknown() && self.within() != Within::Outcome && self.rows.first().is_some_and(oops)
    }

    /// What this header is to an oops begun before it.
    #[must_use]
    pub fn within(&self) -> Within {
        self.rows.first().map_or(Within::Other, |(row, _)| row.within)
    }
}

/// What the rest of a console tells of a line.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// A system had come up before.
    booted: bool,
    /// The kernel prints time stamps.
    stamps: bool,
}

impl Told {
    /// What is told by the lines before.
    fn of(before: &[Line<'_>]) -> Self {
        let stamps = before.iter().any(|line| line.stamped);
        Self { booted: stamps || before.iter().any(|line| is_call(&line.text)), stamps }
    }
}

/// Whether a line is a call of a program under test, as syzkaller prints them: a system had come up.
fn is_call(text: &str) -> bool {
    let call = text.split_once('(').map_or("", |(name, _)| name);
    let call = call.rsplit(' ').next().unwrap_or(call);
    let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$';
    call.len() > 2 && text.ends_with(')') && call.chars().all(named)
}

/// Finds headers.
#[derive(Debug)]
pub struct Scanner {
    rows: Vec<&'static Row>,
    literals: Literals,
}

impl Scanner {
    /// A scanner for all rules.
    #[must_use]
    pub fn new() -> Self {
        let literals = Literals::new(rules::LITERALS.iter().map(|(literal, _)| *literal));
        let rows: Vec<&'static Row> = rules::all().collect();
        Self { rows, literals }
    }

    /// Offset of the first line with a header, if there is one. Everything before it need not be read at all.
    #[must_use]
    pub fn first_line(&self, console: &[u8]) -> Option<usize> {
        let mut looked = 0;
        let mut read = 0;
        for (at, _) in self.literals.find(console) {
            if at < read {
                continue;
            }
            let newline = |byte: &u8| *byte == b'\n';
            let start = console[read..at].iter().rposition(newline).map_or(read, |before| read + before + 1);
            let end = console[at..].iter().position(newline).map_or(console.len(), |length| at + length);
            if looked == MOST_LINES
                || console::lines(&console[start..end])
                    .iter()
                    .any(|line| !self.rows(line, Told { booted: true, stamps: false }).is_empty())
            {
                return Some(start);
            }
            looked += 1;
            read = end;
        }
        None
    }

    /// The rows whose header fits a line.
    fn rows(&self, line: &Line<'_>, told: Told) -> Vec<(&'static Row, usize)> {
        let text = &*line.text;
        let mut fitting: Vec<(usize, usize)> = Vec::new();
        for (at, literal) in self.literals.find(text.as_bytes()) {
            let Some((_, rows)) = rules::LITERALS.get(literal) else { continue };
            for &index in rows {
                let row = self.rows[index];
                if counts(row, at, line, told) && row.fits(&text[at..]) {
                    fitting.push((index, at));
                }
            }
            if fitting.len() > 64 {
                break;
            }
        }
        fitting.sort_unstable();
        match fitting.first() {
            Some((index, _)) if self.rows[*index].is_noise() => Vec::new(),
            _ => fitting.into_iter().map(|(index, at)| (self.rows[index], at)).collect(),
        }
    }

    /// The lines that begin an oops, in the console's order. `before` is what the console holds before the first line.
    #[must_use]
    pub fn headers(&self, before: &[u8], lines: &[Line<'_>]) -> Vec<Header> {
        let mut headers: Vec<Header> = Vec::new();
        let mut told = Told::of(&console::lines(before));
        told.stamps |= lines.iter().any(|line| line.stamped);
        let mut looked = 0;
        for (index, line) in lines.iter().enumerate() {
            let rows = self.rows(line, told);
            told.booted |= line.stamped;
            if !rows.is_empty() {
                let mut begin = index;
                if let Some(before) = headers.pop_if(|before| before.repeated(lines, index, &rows)) {
                    begin = before.begin;
                }
                headers.push(Header { line: index, begin, rows });
                looked += 1;
                if looked == MOST_LINES {
                    break;
                }
            }
        }
        headers
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a row's literal stands where it may. `DEBUG: ` and `/usr/src/BUG: ` are no bugs.
fn counts(row: &Row, at: usize, line: &Line<'_>, told: Told) -> bool {
    let text = &*line.text;
    let placed = match row.place {
        Place::Anywhere => true,
        Place::LineStart => at == 0,
        // `init[1]: WARNING: …` is a program's, through the kernel's log.
        Place::Stamped => {
            let before = &text[..at];
            (line.stamped || !told.stamps) && !before.ends_with("]: ") && !before.contains("ommand line:")
        }
        Place::AfterBoot => at == 0 && told.booted,
    };
    let capital = row.header.starts_with(|c: char| c.is_ascii_uppercase());
    placed && !text[..at].ends_with(|c: char| c == '/' || capital && c.is_ascii_alphanumeric())
}

/// The headers that open a report of their own: not those that belong to the oops being printed.
#[must_use]
pub fn openings(headers: &[Header], lines: &[Line<'_>]) -> Vec<usize> {
    let mut opened: Vec<usize> = Vec::new();
    let mut next = headers.iter().enumerate().peekable();
    let mut progress = Progress::default();
    let from = headers.first().map_or(lines.len(), |header| header.line);
    for (index, line) in lines.iter().enumerate().skip(from) {
        let before = opened.last().map(|before| &headers[*before]);
        let same = before.is_some_and(|before| same_context(&lines[before.line], line));
        match next.next_if(|(_, header)| header.line == index) {
            Some((place, header))
                if same && !progress.frames && before.is_some_and(|before| before.repeated_whole(header, lines)) =>
            {
                opened.pop();
                opened.push(place);
            }
            Some((place, header)) if before.is_none_or(|before| progress.lets(header, same) || header.stands_apart(before)) => {
                if opened.len() == MOST_REPORTS {
                    break;
                }
                opened.push(place);
                progress = Progress::default();
            }
            _ if same => progress.read(&line.text),
            _ => {}
        }
    }
    opened
}

/// How far the report that is being printed has come.
#[derive(Debug, Default)]
struct Progress {
    frames: bool,
    closed: bool,
}

impl Progress {
    fn read(&mut self, text: &str) {
        if !self.frames {
            self.frames = frames::frame(text).is_some_and(|frame| !frame.doubtful) && !intruder::is(text);
        } else if text.starts_with("---[ end") || text.starts_with("======") {
            self.closed = true;
        }
    }

    /// Whether a header opens a new report behind this one. `same`: it has the same caller.
    fn lets(&self, header: &Header, same: bool) -> bool {
        match header.within() {
            Within::Outcome => false,
            Within::Part if same && !self.closed => false,
            _ => self.frames || !same,
        }
    }
}

/// Whether another line can belong to the message that this one begins: the same caller if that is known, and printed by the kernel
/// if that was.
#[must_use]
pub fn same_context(one: &Line<'_>, other: &Line<'_>) -> bool {
    one.stamped <= other.stamped && one.caller.is_none_or(|caller| other.caller == Some(caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines, by number, that open reports.
    fn opened(console: &str) -> Vec<usize> {
        let lines = console::lines(console.as_bytes());
        let headers = Scanner::new().headers(b"", &lines);
        openings(&headers, &lines).into_iter().map(|place| headers[place].line).collect()
    }

    #[test]
    fn a_report_opens_once_the_one_before_had_its_stack() {
        assert_eq!(opened("BUG: KASAN: a in f+0x1/0x2\ngeneral protection fault\n f+0x1/0x2\n"), [0]);
        assert_eq!(opened("BUG: KASAN: a in f+0x1/0x2\n f+0x1/0x2\ngeneral protection fault\n f+0x1/0x2\n"), [0, 2]);
        assert_eq!(opened("BUG: KASAN: a in f+0x1/0x2\n f+0x1/0x2\nKernel panic - not syncing: Fatal exception\n"), [0]);
    }

    #[test]
    fn an_unknown_line_does_not_swallow_an_oops() {
        assert_eq!(opened("BUG: too many widgets\ngeneral protection fault\n f+0x1/0x2\n"), [0, 1]);
        assert_eq!(opened("BUG: too many widgets\nkernel BUG at a.c:1!\n f+0x1/0x2\n"), [0, 1]);
        assert_eq!(opened("BUG: too many widgets\nWARNING: at a.c:1 f+0x1/0x2\n f+0x1/0x2\n"), [0]);
        assert_eq!(opened("BUG: too many widgets\nKernel panic - not syncing: widgets\n f+0x1/0x2\n"), [0]);
        assert_eq!(opened("BUG: too many widgets\nBUG: too many gadgets\n f+0x1/0x2\n"), [0]);
    }

    #[test]
    fn another_callers_report_is_another_one() {
        let console = "[    1.000000][    T1] BUG: KASAN: a in f+0x1/0x2\n[    1.000000][    T2] general protection fault\n";
        assert_eq!(opened(console), [0, 1]);
    }

    #[test]
    fn a_symbolized_header_is_one_header() {
        let console = "BUG: KASAN: a in g f.h:1 [inline]\nBUG: KASAN: a in f+0x1/0x2 f.c:1\n";
        let lines = console::lines(console.as_bytes());
        let headers = Scanner::new().headers(b"", &lines);
        assert_eq!(headers.iter().map(|header| (header.begin, header.line)).collect::<Vec<_>>(), [(0, 1)]);
    }

    #[test]
    fn only_a_reboot_boots_again() {
        assert!(opened("Booting the kernel.\n").is_empty());
        assert_eq!(opened("[    1.000000] up\nBooting the kernel.\n"), [1]);
        assert!(is_call("mmap(&(0x7f0000000000/0x1000)=nil, 0x1000)") && !is_call("Press (any key)"));
    }
}
