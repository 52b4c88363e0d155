//! How often each system call ended how. Pure; owns which of its arguments tells a call from others of its name (x86-64).

use std::collections::BTreeMap;

use crate::words;

/// So many ways are told of.
const MOST: usize = 512;

/// Where strings that programs ask for by name stand.
const NAMED: [&[u8]; 3] = [b"/dev/", b"/proc/", b"/sys/"];

/// Calls whose first, second or third argument is a number that says what is asked for.
const NUMBERS: [(u64, usize); 10] =
    [(16, 1), (41, 0), (53, 0), (72, 1), (157, 0), (250, 0), (272, 0), (321, 0), (308, 1), (56, 0)];
/// The same for strings: what is opened, mounted, or added to a keyring.
const STRINGS: [(u64, usize); 7] = [(2, 0), (165, 2), (248, 0), (249, 0), (257, 1), (430, 0), (437, 1)];
/// The call with two numbers: `setsockopt`'s level and option.
const SETSOCKOPT: u64 = 54;
/// Those of strings that are paths.
const PATHS: [u64; 3] = [2, 257, 437];

/// A call with what tells it from others of its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    number: u64,
    /// A word, encoded as on the control port; empty: none.
    argument: String,
}

impl Key {
    /// Whether it opens the file that says who traces a process.
    pub(super) fn looks_for_tracers(&self) -> bool {
        self.argument.starts_with("/proc/") && self.argument.ends_with("/status")
    }
}

/// The key of a call with these arguments; `string` reads one from the program's memory.
pub(super) fn key(number: u64, arguments: [u64; 3], string: impl Fn(u64) -> Option<Vec<u8>>) -> Key {
    let place = |table: &[(u64, usize)]| table.iter().find(|(of, _)| *of == number).map(|(_, place)| arguments[*place]);
    let argument = if number == SETSOCKOPT {
        format!("{}:{}", arguments[1] as u32, arguments[2] as u32)
    } else if let Some(value) = place(&NUMBERS) {
        // As 32 bits: what the upper half holds is of no meaning to these.
        format!("{:#x}", value as u32)
    } else if let Some(at) = place(&STRINGS) {
        let text = string(at).unwrap_or_default();
        let meant = !PATHS.contains(&number) || NAMED.iter().any(|folder| text.starts_with(folder));
        if meant && !text.is_empty() { words::encode(&text) } else { String::new() }
    } else {
        String::new()
    };
    Key { number, argument }
}

/// The count.
#[derive(Debug, Default)]
pub(super) struct Digest {
    ends: BTreeMap<(Key, i64), u64>,
    calls: u32,
}

impl Digest {
    /// Takes in how a call ended; the line to tell where it is the first of its kind.
    pub(super) fn ended(&mut self, key: Key, result: i64) -> Option<String> {
        self.calls += 1;
        let errno = if (-4095..0).contains(&result) { -result } else { 0 };
        let place = (key, errno);
        if let Some(count) = self.ends.get_mut(&place) {
            *count += 1;
            return None;
        }
        if self.ends.len() >= MOST {
            return None;
        }
        let told = line(&place, 1);
        self.ends.insert(place, 1);
        Some(told)
    }

    /// Calls that ended.
    pub(super) fn calls(&self) -> u32 {
        self.calls
    }

    /// Lines for what ended so more than once.
    pub(super) fn counts(&self) -> impl Iterator<Item = String> {
        self.ends.iter().filter(|(_, count)| **count > 1).map(|(place, count)| line(place, *count))
    }
}

fn line((Key { number, argument }, errno): &(Key, i64), count: u64) -> String {
    let argument = if argument.is_empty() { "-" } else { argument };
    format!("call {number} {argument} {errno} {count}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at: u64) -> Option<Vec<u8>> {
        match at {
            1 => Some(b"/dev/net/tun".to_vec()),
            2 => Some(b"notes 1%".to_vec()),
            3 => Some(b"/proc/self/status".to_vec()),
            _ => None,
        }
    }

    #[test]
    fn a_call_is_told_once_and_then_counted() {
        let mut digest = Digest::default();
        let socket = || key(41, [38, 5, 0], text);
        assert_eq!(digest.ended(socket(), -97), Some("call 41 0x26 97 1".to_owned()));
        assert_eq!(digest.ended(socket(), -97), None);
        assert_eq!(digest.ended(socket(), 3), Some("call 41 0x26 0 1".to_owned()));
        assert_eq!(digest.ended(key(39, [0; 3], text), i64::MIN), Some("call 39 - 0 1".to_owned()));
        assert_eq!(digest.counts().collect::<Vec<_>>(), ["call 41 0x26 97 2"]);
        assert_eq!(digest.calls(), 4);
    }

    #[test]
    fn what_is_asked_for_tells_calls_apart() {
        let argument = |number, arguments| key(number, arguments, text).argument;
        assert_eq!(argument(257, [u64::MAX - 99, 1, 0]), "/dev/net/tun");
        assert_eq!(argument(257, [0, 2, 0]), "", "files of its own have names that nobody knows");
        assert_eq!(argument(248, [2, 0, 0]), "notes%201%25");
        assert_eq!(argument(257, [0, 9, 0]), "");
        assert_eq!(argument(16, [3, 0xffff_ffff_c008_5520, 0]), "0xc0085520");
        assert_eq!(argument(54, [3, 1, 15]), "1:15");
        assert!(key(257, [0, 3, 0], text).looks_for_tracers() && !key(257, [0, 1, 0], text).looks_for_tracers());
    }

    #[test]
    fn no_program_makes_it_grow_without_end() {
        let mut digest = Digest::default();
        let told = (0..5000_u64).filter_map(|number| digest.ended(key(number + 500, [0; 3], text), 0)).count();
        assert_eq!((told, digest.calls()), (MOST, 5000));
    }
}
