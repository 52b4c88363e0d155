//! Plain values of a job file: text, numbers, switches, lists, one of a few words.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::problem::Complaint;

/// What reading a value gives: the value, or everything that is wrong with it.
pub(super) type Read<T> = Result<T, Vec<Complaint>>;

/// A complaint about a whole value.
pub(super) fn complain<T>(value: &Spanned<DeValue<'_>>, text: impl Into<String>) -> Read<T> {
    Err(vec![Complaint::new(value.span(), text)])
}

/// A complaint about a value's type.
pub(super) fn mistyped<T>(value: &Spanned<DeValue<'_>>, expected: &str) -> Read<T> {
    complain(value, format!("expected {expected}, found {}", kind(value.get_ref())))
}

/// A value's type with its article.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Any text.
pub(super) fn text(value: &Spanned<DeValue<'_>>) -> Read<String> {
    value.get_ref().as_str().map_or_else(|| mistyped(value, "a string"), |text| Ok(text.to_owned()))
}

/// One line of text that is not empty. Blanks at its ends are dropped.
pub(super) fn line(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let text = text(value)?;
    match text.trim() {
        "" => complain(value, "must not be empty"),
        line if line.contains(['\n', '\r', '\0']) => complain(value, "must be one line"),
        line => Ok(line.to_owned()),
    }
}

/// `true` or `false`.
pub(super) fn switch(value: &Spanned<DeValue<'_>>) -> Read<bool> {
    value.get_ref().as_bool().map_or_else(|| mistyped(value, "true or false"), Ok)
}

/// An integer in a range.
pub(super) fn integer(value: &Spanned<DeValue<'_>>, range: RangeInclusive<i128>) -> Read<i128> {
    let Some(integer) = value.get_ref().as_integer() else { return mistyped(value, "an integer") };
    match i128::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => complain(value, format!("must be from {} to {}", range.start(), range.end())),
    }
}

/// A count of at least one.
pub(super) fn count(value: &Spanned<DeValue<'_>>) -> Read<u32> {
    integer(value, 1..=i128::from(u32::MAX)).map(|number| u32::try_from(number).expect("checked by the range"))
}

/// Any number of 64 bits without a sign.
pub(super) fn number(value: &Spanned<DeValue<'_>>) -> Read<u64> {
    integer(value, 0..=i128::from(u64::MAX)).map(|number| u64::try_from(number).expect("checked by the range"))
}

/// A float, or an integer as one.
pub(super) fn float(value: &Spanned<DeValue<'_>>) -> Read<f64> {
    match value.get_ref() {
        DeValue::Float(float) => float.as_str().parse().or_else(|_| mistyped(value, "a number")),
        DeValue::Integer(_) => integer(value, -(1 << 50)..=1 << 50).map(|number| number as f64),
        _ => mistyped(value, "a number"),
    }
}

/// One of a few words, each with its meaning.
pub(super) fn word<T: Copy>(value: &Spanned<DeValue<'_>>, words: &[(&str, T)]) -> Read<T> {
    let expected = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
    let Some(text) = value.get_ref().as_str() else { return mistyped(value, &expected()) };
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, meaning)) => Ok(*meaning),
        None => complain(value, format!("must be {}, not \"{text}\"", expected())),
    }
}

/// A list; each item is read alone, and all complaints are kept.
pub(super) fn list<'v, 'a, T>(
    value: &'v Spanned<DeValue<'a>>,
    item: impl Fn(&'v Spanned<DeValue<'a>>) -> Read<T>,
) -> Read<Vec<T>> {
    let Some(array) = value.get_ref().as_array() else { return mistyped(value, "an array") };
    gather(array.iter().map(item))
}

/// One commit or a list.
pub(super) fn commits(value: &Spanned<DeValue<'_>>) -> Read<Vec<String>> {
    match value.get_ref() {
        DeValue::String(_) => line(value).map(|one| vec![one]),
        DeValue::Array(_) => list(value, line),
        _ => mistyped(value, "a commit or a list of commits"),
    }
}

/// All values, or the complaints of all.
pub(super) fn gather<T>(results: impl IntoIterator<Item = Read<T>>) -> Read<Vec<T>> {
    let mut values = Vec::new();
    let mut complaints = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(more) => complaints.extend(more),
        }
    }
    if complaints.is_empty() { Ok(values) } else { Err(complaints) }
}
