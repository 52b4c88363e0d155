//! Text of logs that others wrote: what terminals left in it, and how a line of it is quoted.

/// So much of a line is quoted.
const QUOTED: usize = 80;

/// The text without terminal codes: `ESC [ … LETTER`, and other escapes of two characters.
pub(crate) fn without_terminal_codes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\x1b' {
            plain.push(char);
        } else if chars.next_if_eq(&'[').is_some() {
            while chars.next_if(|char| matches!(char, ' '..='?')).is_some() {}
            chars.next_if(|char| matches!(char, '@'..='~'));
        } else {
            chars.next_if(|char| matches!(char, '('..='~'));
        }
    }
    plain
}

/// A line for a message: control characters are blanks, and a long one is cut.
pub(crate) fn quoted(line: &str) -> String {
    let mut chars = line.chars().map(|char| if char.is_control() { ' ' } else { char });
    let mut text: String = chars.by_ref().take(QUOTED).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    text
}
