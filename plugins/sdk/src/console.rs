//! A console as lines of kernel text: printk prefixes off, byte offsets kept.
//!
//! Owns what a prefix looks like (time stamps, callers, levels, journald, dmesg) and nothing of what the text means.

use std::borrow::Cow;

/// Text of a message beyond this many bytes is never looked at: none of the kernel's is longer, and an endless line stays cheap.
const LONGEST: usize = 1024;
/// Messages read of one line at most.
const MOST_MESSAGES: usize = 64;

/// The task or CPU that printed a line, as `CONFIG_PRINTK_CALLER` shows it: `T123` or `C0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Task id.
    Task(u32),
    /// CPU number, for messages from interrupts.
    Cpu(u32),
}

/// One message of the console: a line, or the part of one up to the next message's time stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Offset of the line's first byte.
    pub start: usize,
    /// Offset past the line's last byte, its line end excluded.
    pub end: usize,
    /// What the kernel printed: prefix off, invalid bytes replaced, cut where another message was printed into it.
    pub text: Cow<'a, str>,
    /// Who printed it, when the console says so.
    pub caller: Option<Caller>,
    /// A printk time stamp or the log's word for the kernel was there: surely the kernel's own words.
    pub stamped: bool,
    /// Another message follows in the same line, so that this one may be cut.
    pub cut: bool,
}

/// Lines read of a console at most: more than a mebibyte holds of lines that say anything.
const MOST: usize = 1 << 17;

/// What the kernel prints (since 6.12) where another CPU took the console over in the middle of a message, before it prints that
/// message again.
const REPLAYING: &[u8] = b"** replaying previous printk message **";

/// Splits a console into lines; works on any bytes, in linear time. Empty lines are left out, and so is the beginning of a message
/// that is printed again; a line that several messages were printed into is several.
#[must_use]
pub fn lines(console: &[u8]) -> Vec<Line<'_>> {
    let mut all: Vec<Line<'_>> = Vec::new();
    // The line before, and how many messages there were before it; the same of a line that is printed again.
    let mut before: (&[u8], usize) = (b"", 0);
    let mut again = None;
    let mut start = 0;
    for raw in console.split(|&byte| byte == b'\n') {
        if all.len() >= MOST {
            break;
        }
        let end = start + raw.len();
        let line = raw.strip_suffix(b"\r").unwrap_or(raw);
        if line == REPLAYING {
            again = Some(before);
        } else {
            if let Some((cut, at)) = again.take()
                && line.starts_with(cut)
            {
                all.truncate(at);
            }
            before = (line, all.len());
            split(start, end, line, &mut all);
        }
        start = end + 1;
    }
    all
}

/// Adds the messages that stand in one line, `bytes` from `start` on; the line ends at `end`.
fn split<'a>(start: usize, end: usize, bytes: &'a [u8], all: &mut Vec<Line<'a>>) {
    if !bytes.contains(&ESCAPE) {
        return split_plain(start, end, bytes, all);
    }
    let (plain, mut parts) = (without_colours(bytes), Vec::new());
    split_plain(start, end, &plain, &mut parts);
    all.extend(parts.into_iter().map(|part| Line { text: Cow::Owned(part.text.into_owned()), ..part }));
}

/// Begins what tells a terminal its colours.
const ESCAPE: u8 = 0x1b;

/// A line without control sequences (`ESC [ … letter`), as `dmesg --color` and recorded terminals have them.
fn without_colours(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == ESCAPE && bytes.get(at + 1) == Some(&b'[') {
            let last = skip(bytes, at + 2, |byte| (0x20..0x40).contains(&byte));
            at = last + usize::from(bytes.get(last).is_some_and(|byte| (0x40..0x7f).contains(byte)));
        } else {
            plain.push(byte);
            at += 1;
        }
    }
    plain
}

/// The same of a line without control sequences.
fn split_plain<'a>(start: usize, end: usize, bytes: &'a [u8], all: &mut Vec<Line<'a>>) {
    let mut push = |bytes: &'a [u8], stamp: Option<&Stamp>, cut: bool| {
        let journal = if stamp.is_some() { None } else { after_journal(bytes) };
        let text = after_level(journal.unwrap_or(bytes));
        let text = &text[..text.len().min(LONGEST)];
        let stamped = stamp.is_some() || journal.is_some();
        if !text.is_empty() {
            let caller = stamp.and_then(|stamp| stamp.caller);
            all.push(Line { start, end, text: String::from_utf8_lossy(text), caller, stamped, cut });
        }
    };
    let Some(mut stamp) = find_stamp(bytes, 0) else { return push(bytes, None, false) };
    if !is_prefix(&bytes[..stamp.start]) {
        push(bytes[..stamp.start].trim_ascii_end(), None, true);
    }
    for _ in 0..MOST_MESSAGES {
        let next = find_stamp(bytes, stamp.end);
        let until = next.as_ref().map_or(bytes.len(), |next| next.start);
        let text = after_host(&bytes[stamp.end..until]);
        push(if next.is_some() { text.trim_ascii_end() } else { text }, Some(&stamp), next.is_some());
        match next {
            Some(next) => stamp = next,
            None => return,
        }
    }
}

/// Whether what stands before a time stamp is only the way in which the line came here.
fn is_prefix(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    before.len() <= 96
        && (before.is_empty()
            || before.ends_with(b"login:")
            || before.ends_with(b"kernel:")
            || before.ends_with(b">")
            || before.ends_with(b"**")
            || before.starts_with(b"kern") && before.ends_with(b":"))
}

/// Where a time stamp stands, and who it names.
struct Stamp {
    start: usize,
    end: usize,
    caller: Option<Caller>,
}

/// The first `[  12.345678]`, `[  12.345678][  T12]`, `[Sat Nov 21 07:37:00 2026]` or other of dmesg's stamps behind `from`, with one
/// blank behind it.
fn find_stamp(bytes: &[u8], from: usize) -> Option<Stamp> {
    let mut from = from;
    if let Some(end) = iso(bytes).filter(|_| from == 0) {
        let named = caller(bytes, end);
        let past = named.map_or(end, |(_, past)| skip(bytes, past, |byte| byte == b' ').min(past + 1));
        return Some(Stamp { start: 0, end: past, caller: named.map(|(who, _)| who) });
    }
    while let Some(at) = bytes[from..].iter().position(|&byte| byte == b'[') {
        let start = from + at;
        if let Some(mut end) = seconds(bytes, start).or_else(|| wall_clock(bytes, start)).or_else(|| minute(bytes, start)) {
            // Newer programs put a blank between the two.
            let named = caller(bytes, end).or_else(|| caller(bytes, skip(bytes, end, |byte| byte == b' ').min(end + 1)));
            if let Some((_, past)) = named {
                end = past;
            }
            if bytes.get(end) == Some(&b' ') {
                end += 1;
            }
            return Some(Stamp { start, end, caller: named.map(|(who, _)| who) });
        }
        from = start + 1;
    }
    None
}

/// End of `[ SECONDS.MICROS]` that begins at `start`; also with the `+` that `dmesg -H` has.
fn seconds(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = skip(bytes, start + 1, |byte| byte == b' ');
    at += usize::from(bytes.get(at) == Some(&b'+'));
    let whole = at;
    at = skip(bytes, at, |byte| byte.is_ascii_digit());
    if at == whole || at - whole > 12 || bytes.get(at) != Some(&b'.') {
        return None;
    }
    let fraction = at + 1;
    at = skip(bytes, fraction, |byte| byte.is_ascii_digit());
    (at - fraction == 6 && bytes.get(at) == Some(&b']')).then_some(at + 1)
}

/// End of `[Sat Nov 21 07:37:00 2026]`, as `dmesg -T` prints it.
fn wall_clock(bytes: &[u8], start: usize) -> Option<usize> {
    let stamp = bytes.get(start + 1..start + 26)?;
    let shape = stamp.first()?.is_ascii_uppercase() && stamp.get(13) == Some(&b':') && stamp.get(16) == Some(&b':');
    let digits = |range: std::ops::Range<usize>| stamp[range].iter().all(u8::is_ascii_digit);
    (shape && digits(11..13) && digits(14..16) && digits(17..19) && digits(20..24) && stamp[24] == b']').then_some(start + 26)
}

/// End of `[Nov21 07:37]`, which `dmesg -H` prints where a minute begins.
fn minute(bytes: &[u8], start: usize) -> Option<usize> {
    (matches(bytes.get(start + 1..)?, b"Aaa00 00:00]")).then_some(start + 13)
}

/// End of `2026-11-21T07:37:00,123456+00:00 ` at a line's beginning, as `dmesg --time-format iso` prints it.
fn iso(bytes: &[u8]) -> Option<usize> {
    const LOCAL: &[u8] = b"0000-00-00T00:00:00,000000";
    let zoned = matches!(bytes.get(LOCAL.len()), Some(b'+' | b'-')) && matches(bytes.get(LOCAL.len() + 1..)?, b"00:00 ");
    (zoned && matches(bytes, LOCAL)).then_some(LOCAL.len() + 7)
}

/// Whether bytes begin as a pattern says: `0` is any digit, `A` and `a` any letter, all else itself.
fn matches(bytes: &[u8], pattern: &[u8]) -> bool {
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        other => byte == other,
    };
    bytes.len() >= pattern.len() && bytes.iter().zip(pattern).all(fits)
}

/// What stands behind `host kernel: `, which journald's monotonic form has behind the stamp.
fn after_host(text: &[u8]) -> &[u8] {
    const WORD: &[u8] = b" kernel: ";
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.' || byte == b'_';
    let host = skip(text, 0, of_name);
    text[host..].strip_prefix(WORD).filter(|_| host > 0).unwrap_or(text)
}

/// The caller field that begins at `start`, and its end: `[ T1234]`; also with the blanks behind the letter, as logs that were laid out
/// anew have them.
fn caller(bytes: &[u8], start: usize) -> Option<(Caller, usize)> {
    if bytes.get(start) != Some(&b'[') {
        return None;
    }
    let at = skip(bytes, start + 1, |byte| byte == b' ');
    let digits = skip(bytes, at + 1, |byte| byte == b' ');
    let past = skip(bytes, digits, |byte| byte.is_ascii_digit());
    let number = std::str::from_utf8(bytes.get(digits..past)?).ok()?.parse().ok()?;
    if bytes.get(past) != Some(&b']') {
        return None;
    }
    match bytes.get(at)? {
        b'T' => Some((Caller::Task(number), past + 1)),
        b'C' => Some((Caller::Cpu(number), past + 1)),
        _ => None,
    }
}

/// What stands behind `Nov 21 07:37:00 host kernel: `, as syslog and journald print it; none in any other line.
fn after_journal(bytes: &[u8]) -> Option<&[u8]> {
    const WORD: &[u8] = b" kernel: ";
    let head = &bytes[..bytes.len().min(96)];
    let clock =
        head.len() > 15 && head[..30.min(head.len())].windows(3).any(|three| three[1] == b':' && three[0].is_ascii_digit());
    let timed = clock || matches(head, b"0000000000.000000 ");
    let at = head.windows(WORD.len()).position(|window| window == WORD)?;
    timed.then(|| &bytes[at + WORD.len()..])
}

/// What stands behind a level such as `<4>`.
fn after_level(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'<', digit, b'>', rest @ ..] if digit.is_ascii_digit() => rest,
        _ => bytes,
    }
}

fn skip(bytes: &[u8], mut at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    while bytes.get(at).copied().is_some_and(&belongs) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(console: &str) -> Vec<String> {
        lines(console.as_bytes()).into_iter().map(|line| line.text.into_owned()).collect()
    }

    #[test]
    fn takes_every_prefix_off() {
        for prefix in [
            "",
            "[    1.234567] ",
            "[12345.678901][ T1234] ",
            "[    1.234567][    C0] ",
            "[    1.234567][T    0] ",
            "<4>[    1.234567] ",
            "[    1.234567] <4>",
            "<3>",
            "kern  :warn  : [    1.234567] ",
            "** 12 printk messages dropped ** [    1.234567] ",
            "machine login: [    1.234567] ",
            "Nov 21 07:37:00 host kernel: ",
            "Nov 21 07:37:00 host kernel: [    1.234567] ",
            "2026-11-21T07:37:00+0000 host kernel: ",
            "[Sat Nov 21 07:37:00 2026] ",
            // journalctl -o short-monotonic, -o short-unix
            "[   37.104650] myhost kernel: ",
            "1700000000.123456 my-host.example kernel: ",
            // dmesg --time-format iso, -H, and that of util-linux 2.40
            "2026-11-21T07:37:00,123456+00:00 ",
            "2026-11-21T07:37:00,123456-01:00 [ T4117] ",
            "[  +0.000012] ",
            "[Nov21 07:37] ",
            "[   37.104650] [ T4117] ",
            "\x1b[32m[   37.104650] \x1b[0m",
            "\x1b[32mkern  :warn  : [   37.104650] \x1b[0m\x1b[1;31m",
        ] {
            assert_eq!(texts(&format!("{prefix}BUG: here\r\n")), ["BUG: here"], "{prefix}");
        }
    }

    #[test]
    fn cuts_a_message_where_another_was_printed_into_it() {
        let all = lines(b"[    1.000000] BUG: unable to [    1.000001] device lo up\nnext");
        assert_eq!(all[0].text, "BUG: unable to");
        assert!(all[0].cut);
        assert_eq!((&*all[1].text, all[1].cut), ("device lo up", false));
        assert_eq!((all[0].start, all[0].end), (all[1].start, all[1].end));
        assert_eq!((all[2].start, all[2].end), (58, 62));
    }

    #[test]
    fn leaves_out_what_is_printed_again() {
        let whole = "[    1.000000][   T12] BUG: unable to handle";
        for cut in [1, 10, 20, 30, whole.len()] {
            let console = format!("a\n{}\n** replaying previous printk message **\n{whole}\nb", &whole[..cut]);
            assert_eq!(texts(&console), ["a", "BUG: unable to handle", "b"]);
            assert_eq!(texts(&console.replace('\n', "\r\n")), ["a", "BUG: unable to handle", "b"]);
        }
        assert_eq!(texts("a\n** replaying previous printk message **\nb"), ["a", "b"]);
        assert_eq!(texts("** replaying previous printk message **\na"), ["a"]);
    }

    #[test]
    fn names_the_caller() {
        let all = lines(b"[    1.000000][  T12] a\n[    1.000000][    C3] b\n[    1.000000] [x] c");
        assert_eq!(all[0].caller, Some(Caller::Task(12)));
        assert_eq!(all[1].caller, Some(Caller::Cpu(3)));
        assert_eq!((all[2].caller, &*all[2].text), (None, "[x] c"));
    }
}
