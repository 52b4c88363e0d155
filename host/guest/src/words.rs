//! Text forms of the control port, and the build id. Pure.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

/// Undoes the percent-encoding of one word; a lone `%` is the empty word. What is no encoding stands for itself.
pub(crate) fn decode(word: &str) -> OsString {
    if word == "%" {
        return OsString::new();
    }
    let bytes = word.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    OsString::from_vec(decoded)
}

/// Percent-encodes bytes into one word that is not empty.
pub(crate) fn encode(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "%".to_owned();
    }
    let mut word = String::with_capacity(bytes.len());
    for &byte in bytes {
        if (b'!'..=b'~').contains(&byte) && byte != b'%' {
            word.push(byte as char);
        } else {
            word += &format!("%{byte:02X}");
        }
    }
    word
}

/// Free text for the port: one line of printable ASCII, at most 1,000 bytes.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(1000).collect()
}

/// The GNU build id among ELF notes, in hexadecimal.
pub(crate) fn gnu_build_id(notes: &[u8]) -> Option<String> {
    const NT_GNU_BUILD_ID: usize = 3;
    let word = |at: usize| Some(u32::from_ne_bytes(notes.get(at..at + 4)?.try_into().ok()?) as usize);
    let mut at = 0;
    loop {
        let (name_size, size, kind) = (word(at)?, word(at + 4)?, word(at + 8)?);
        let name = at + 12;
        let text = name.checked_add(name_size.checked_next_multiple_of(4)?)?;
        let end = text.checked_add(size)?;
        if kind == NT_GNU_BUILD_ID && notes.get(name..name + name_size)? == b"GNU\0" {
            return Some(notes.get(text..end)?.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        at = end.checked_next_multiple_of(4)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded() {
        for (word, meant) in [("%", ""), ("a", "a"), ("a%20b%25", "a b%"), ("%4", "%4"), ("%zz%0a", "%zz\n"), ("100%", "100%")] {
            assert_eq!(decode(word), OsString::from(meant), "{word}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for text in ["", "a", " %\n", "100%25", "\u{e9}\u{7f}"] {
            let word = encode(text.as_bytes());
            assert!(word.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{word}");
            assert_eq!(decode(&word), OsString::from(text));
        }
    }

    #[test]
    fn text_stays_on_one_line() {
        assert_eq!(printable("a\nb\u{e9}"), "a?b?");
        assert_eq!(printable(&"x".repeat(5000)).len(), 1000);
    }

    #[test]
    fn build_id_is_found_behind_other_notes() {
        let note = |kind: u32, name: &[u8], text: &[u8]| {
            let mut note = Vec::new();
            for word in [name.len() as u32, text.len() as u32, kind] {
                note.extend(word.to_ne_bytes());
            }
            for part in [name, text] {
                note.extend(part);
                note.resize(note.len().next_multiple_of(4), 0);
            }
            note
        };
        let notes = [note(3, b"Xen\0", b"no"), note(1, b"GNU\0", b"abcde"), note(3, b"GNU\0", &[0xab, 0x01, 0xff])].concat();
        assert_eq!(gnu_build_id(&notes), Some("ab01ff".to_owned()));
        for cut in 0..notes.len() - 1 {
            assert_eq!(gnu_build_id(&notes[..cut]), None, "{cut}");
        }
    }
}
