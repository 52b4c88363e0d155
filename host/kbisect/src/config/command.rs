//! Commands of a job file: lists of arguments, without a shell, with placeholders.

use toml::Spanned;
use toml::de::DeValue;

use super::document::nearest;
use super::value;
use super::value::Read;

/// Every placeholder, and where it is known.
const PLACEHOLDERS: [(&str, &[Place]); 10] = [
    ("src", &[Place::Build]),
    ("out", &[Place::Build]),
    ("jobs", &[Place::Build]),
    ("commit", &[Place::Build, Place::Trial]),
    ("trial_seed", &[Place::Trial]),
    ("kernel", &[Place::Machine]),
    ("kernel_dir", &[Place::Machine]),
    ("command", &[Place::Machine]),
    ("memory", &[Place::Machine]),
    ("cpus", &[Place::Machine]),
];

/// What a command is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Builds in a checkout.
    Build,
    /// Runs in a machine.
    Trial,
    /// Is a machine.
    Machine,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Build => "builds",
            Self::Trial => "trials",
            Self::Machine => "[machine] `command`",
        }
    }
}

/// A command: a program and its arguments.
pub(super) fn read(value: &Spanned<DeValue<'_>>, place: Place) -> Read<Vec<String>> {
    if value.get_ref().is_str() {
        let example = match place {
            Place::Build => "[\"make\", \"-j{jobs}\"]",
            Place::Trial => "[\"./test\", \"--fast\"]",
            Place::Machine => "[\"vng\", \"--verbose\", \"--run\", \"{kernel}\", \"--\", \"{command}\"]",
        };
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
    let names = || PLACEHOLDERS.iter().filter(|(_, places)| places.contains(&place)).map(|(name, _)| *name);
    argument.split('{').skip(1).filter_map(|rest| rest.split_once('}')).find_map(|(inside, _)| {
        if names().any(|name| name == inside) {
            return None;
        }
        if let Some(other) = PLACEHOLDERS.iter().find(|(name, _)| *name == inside).and_then(|(_, places)| places.first()) {
            return Some(format!("placeholder {{{inside}}} is known in {} only", other.name()));
        }
        let near = nearest(inside, names()).filter(|near| inside.len() + 1 >= near.len())?;
        Some(format!("unknown placeholder {{{inside}}}; did you mean {{{near}}}?"))
    })
}
