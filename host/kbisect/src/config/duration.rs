//! Durations: `90s`, `5m`, `8h`, `1h30m`, `500ms`.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::value;
use super::value::Read;

/// Units with their length in milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration: whole numbers with units `d h m s ms`, each unit at most once, longest first.
///
/// # Errors
/// A message that shows how to write one. Zero and more than 1000 years are refused too.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration; write 90s, 5m, 8h or 1h30m");
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let part = number.parse::<u64>().map_err(|_| wrong())?.checked_mul(*millis);
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = after;
    }
    const MILLENNIUM: u64 = 1_000 * 366 * 86_400_000;
    match total {
        0 if text.trim().is_empty() => Err(wrong()),
        0 => Err(format!("`{text}` is no time at all")),
        MILLENNIUM.. => Err(format!("`{text}` is too long")),
        _ => Ok(Duration::from_millis(total)),
    }
}

/// Writes a duration so that [`parse`] reads it back, to the millisecond.
pub fn format(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if left >= millis {
            text.push_str(&format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A duration in a job file.
pub(super) fn read(value: &Spanned<DeValue<'_>>) -> Read<Duration> {
    match value.get_ref().as_str() {
        Some(text) => parse(text).or_else(|problem| value::complain(value, problem)),
        None => value::mistyped(value, "a duration such as \"90s\", \"5m\" or \"8h\""),
    }
}
