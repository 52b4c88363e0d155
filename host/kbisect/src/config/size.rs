//! Sizes in bytes: `512M`, `2G`; units are powers of 1024.

use toml::Spanned;
use toml::de::DeValue;

use super::value;
use super::value::Read;

/// Units, largest first.
const UNITS: [(char, u32); 4] = [('T', 40), ('G', 30), ('M', 20), ('K', 10)];

/// Reads a size: a whole number with `K`, `M`, `G` or `T` (1024, 1024², …), perhaps followed by `B` or `iB`; without a unit it
/// is bytes.
///
/// # Errors
/// A message that shows how to write one. Zero is refused too.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; write 512M or 2G");
    let trimmed = text.trim();
    let (number, unit) = trimmed.split_at(trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len()));
    let unit = unit.strip_suffix("iB").or_else(|| unit.strip_suffix('B')).unwrap_or(unit);
    let shift = match unit {
        "" => 0,
        _ => UNITS.iter().find(|(name, _)| unit.chars().eq([*name])).ok_or_else(wrong)?.1,
    };
    let number = number.parse::<u64>().map_err(|_| wrong())?;
    match number.checked_mul(1 << shift) {
        None => Err(format!("`{text}` is too large")),
        Some(0) => Err(format!("`{text}` is nothing at all")),
        Some(size) => Ok(size),
    }
}

/// Writes a size so that [`parse`] reads back exactly the same.
pub fn format(size: u64) -> String {
    let exact = UNITS.iter().find(|(_, shift)| size != 0 && size.is_multiple_of(1 << shift));
    exact.map_or_else(|| size.to_string(), |(unit, shift)| format!("{}{unit}", size >> shift))
}

/// Writes a size for people, rounded: `3.4G`; below a megabyte it matters to nobody.
pub fn rounded(size: u64) -> String {
    let unit = UNITS.iter().find(|(_, shift)| size >= 1 << shift && *shift >= 20);
    let Some((unit, shift)) = unit else { return "less than 1M".to_owned() };
    let value = size as f64 / (1_u64 << shift) as f64;
    if value < 10.0 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

/// A size in a job file.
pub(super) fn read(value: &Spanned<DeValue<'_>>) -> Read<u64> {
    match value.get_ref().as_str() {
        Some(text) => parse(text).or_else(|problem| value::complain(value, problem)),
        None => value::mistyped(value, "a size such as \"512M\" or \"2G\""),
    }
}
