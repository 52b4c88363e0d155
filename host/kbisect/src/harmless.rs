//! Texts of others on terminals: subjects, titles, file names and plugins' words come from people whom nobody knows, and must not move
//! the cursor, clear the screen or write into the window's title.

use std::borrow::Cow;

/// The text with `?` for every control character but line ends and tabs, and for those that turn the direction of writing.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t') || is_turn(letter);
    if text.chars().any(steers) {
        Cow::Owned(text.chars().map(|letter| if steers(letter) { '?' } else { letter }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Unicode's explicit directions (UAX #9): with them a line looks as if it said something else.
fn is_turn(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_as_a_question_mark() {
        assert!(matches!(harmless("a\tb\nÄ 漢"), Cow::Borrowed("a\tb\nÄ 漢")));
        assert_eq!(harmless("\u{1b}]0;mine\u{7}\u{1b}[2Jx\r\u{9b}1m\u{202e}y"), "?]0;mine??[2Jx??1m?y");
    }
}
