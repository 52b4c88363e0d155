//! Words as a shell would need them.

use std::ffi::OsStr;
use std::ffi::OsString;

/// Words as one line of a shell, which gives back these words.
pub fn quoted<S: AsRef<OsStr>>(words: &[S]) -> String {
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,+@%{}".contains(c));
    let quote = |word: &S| {
        let word: OsString = word.into();
        let word = word.to_string_lossy();
        if plain(&word) { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}
