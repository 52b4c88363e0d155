//! Frames in text: `name+0xOFFSET/0xSIZE`, perhaps with ` [module]` behind it, as printk's `%pS` and its relatives write them.

use std::ops::Range;

/// One frame on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The function's name, as printed.
    pub(super) name: &'a str,
    /// Bytes from the function's beginning.
    pub(super) offset: u64,
    /// The function's size as the kernel sees it: up to the next symbol.
    pub(super) size: u64,
    /// The module, where one is named.
    pub(super) module: Option<&'a str>,
    /// Whether the address is one that a call returns to, so that the call lies before it.
    pub(super) returns: bool,
    /// Where on the line all of it stands, the module included.
    pub(super) range: Range<usize>,
    /// Where on the line the size ends.
    pub(super) symbol_end: usize,
    /// Whether a place is written behind it already.
    pub(super) placed: bool,
}

/// What stands before a frame that is not the return address of a call: the instruction pointer's line on x86, arm64, arm32 and
/// riscv, and where warnings say they were made.
const EXACT: [&str; 7] = ["RIP:", "EIP:", "IP:", "pc :", "PC is at", "epc :", "WARNING:"];

/// What is looked at behind a frame, in bytes: a line of many frames is not read to its end for each of them.
const LONGEST: usize = 512;

/// The frames on a line, from left to right.
pub(super) fn frames(line: &[u8]) -> Vec<Frame<'_>> {
    // Frames are plain ASCII; where a line is not, its parts are looked at one by one.
    line.utf8_chunks()
        .fold((0, Vec::new()), |(at, mut found), chunk| {
            let text = chunk.valid();
            found.extend(in_text(text).into_iter().map(|frame| Frame {
                range: frame.range.start + at..frame.range.end + at,
                symbol_end: frame.symbol_end + at,
                ..frame
            }));
            (at + text.len() + chunk.invalid().len(), found)
        })
        .1
}

fn in_text(text: &str) -> Vec<Frame<'_>> {
    let returns = !EXACT.iter().any(|mark| text.contains(mark));
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(plus) = text[from..].find("+0x").map(|at| at + from) {
        let begin = text[from..plus].rfind(|character| !in_name(character)).map_or(from, |at| {
            let gap = from + at;
            gap + text[gap..].chars().next().map_or(1, char::len_utf8)
        });
        from = plus + 3;
        let name = &text[begin..plus];
        let Some((offset, offset_end)) = hex(text, plus + 3) else { continue };
        if name.is_empty() || !text[offset_end..].starts_with("/0x") {
            continue;
        }
        let Some((size, symbol_end)) = hex(text, offset_end + 3) else { continue };
        let (module, end) = module(text, symbol_end);
        let placed = placed(&text[symbol_end..]) || placed(&text[end..]);
        found.push(Frame { name, offset, size, module, returns, range: begin..end, symbol_end, placed });
        from = symbol_end;
    }
    found
}

/// Characters of a symbol's name, those of Rust's mangling and of the compiler's clones (`.isra.0`) included.
fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_.$".contains(character)
}

/// The hexadecimal number at an offset, and where it ends.
fn hex(text: &str, at: usize) -> Option<(u64, usize)> {
    let digits = text[at..].bytes().take_while(u8::is_ascii_hexdigit).count();
    Some((u64::from_str_radix(&text[at..at + digits], 16).ok()?, at + digits))
}

/// The module behind a frame, without its build id, and where its bracket ends.
fn module(text: &str, at: usize) -> (Option<&str>, usize) {
    let Some(rest) = text[at..].strip_prefix(" [") else { return (None, at) };
    let near = rest.bytes().take(LONGEST).position(|byte| byte == b']');
    let Some(inside) = near.map(|end| &rest[..end]) else { return (None, at) };
    let name = inside.split(' ').next().unwrap_or_default();
    // `[inline]` is what symbolizers write, not a module.
    if name.is_empty() || name == "inline" || !name.chars().all(|character| in_name(character) || character == '-') {
        return (None, at);
    }
    (Some(name), at + 2 + inside.len() + 1)
}

/// Whether a text begins with a place in the source: `file.c:12`, in brackets or not.
fn placed(text: &str) -> bool {
    let near = &text[..text.floor_char_boundary(LONGEST)];
    let word = near.split_whitespace().next().unwrap_or_default().trim_start_matches('(');
    [".c:", ".h:", ".S:", ".rs:"].iter().any(|end| word.contains(end))
}
