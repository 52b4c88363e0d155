//! Commands of a job file: lists of arguments, without a shell, with placeholders.

use toml::Spanned;
use toml::de::DeValue;

use super::document::nearest;
use super::value;
use super::value::Read;

/// Every placeholder, and whether builds and trials know it.
const PLACEHOLDERS: [(&str, bool, bool); 5] =
    [("src", true, false), ("out", true, false), ("jobs", true, false), ("commit", true, true), ("trial_seed", false, true)];

/// Where a command runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a checkout.
    Build,
    /// In a machine.
    Trial,
}

/// A command: a program and its arguments.
pub(super) fn read(value: &Spanned<DeValue<'_>>, place: Place) -> Read<Vec<String>> {
    if value.get_ref().is_str() {
        let example = if place == Place::Build { "[\"make\", \"-j{jobs}\"]" } else { "[\"./test\", \"--fast\"]" };
        return value::mistyped(value, &format!("a list such as {example} (no shell is used)"));
    }
    let words = value::list(value, |word| {
        let text = value::text(word)?;
        if text.contains('\0') {
            return value::complain(word, "must not contain a NUL character");
        }
        misplaced(&text, place).map_or(Ok(text), |problem| value::complain(word, problem))
    })?;
    match words.first().map(String::as_str) {
        None => value::complain(value, "must not be empty"),
        Some("") => value::complain(value, "the program must not be empty"),
        Some(_) => Ok(words),
    }
}

/// What is wrong with the placeholders of an argument. Braces around anything that is not nearly a placeholder are left alone:
/// scripts have their own use for them.
pub(super) fn misplaced(argument: &str, place: Place) -> Option<String> {
    let known = |(_, build, trial): &(&str, bool, bool)| if place == Place::Build { *build } else { *trial };
    let names = || PLACEHOLDERS.iter().filter(|placeholder| known(placeholder)).map(|(name, ..)| *name);
    argument.split('{').skip(1).filter_map(|rest| rest.split_once('}')).find_map(|(inside, _)| {
        if names().any(|name| name == inside) {
            return None;
        }
        if PLACEHOLDERS.iter().any(|(name, ..)| *name == inside) {
            let other = if place == Place::Build { "trials" } else { "builds" };
            return Some(format!("placeholder {{{inside}}} is known in {other} only"));
        }
        let near = nearest(inside, names()).filter(|near| inside.len() + 1 >= near.len())?;
        Some(format!("unknown placeholder {{{inside}}}; did you mean {{{near}}}?"))
    })
}
