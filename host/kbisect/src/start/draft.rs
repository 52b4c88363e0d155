//! A job before it is a file: every value with where it comes from, and what is missing. Owns how that is written down. Pure.

use std::fmt::Write as _;

use toml::Value;

use crate::harmless::harmless;

/// Longest line with its comment behind it; longer comments stand above.
const WIDTH: usize = 110;
/// Longest line of a comment, where its words allow that.
const COMMENT: usize = 96;

/// How well a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was handed over.
    Found,
    /// It follows from something else, or is usual.
    Guessed,
    /// It is not there, or not all that it needs is.
    Missing,
}

impl Standing {
    /// The word that comments and JSON have for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Guessed => "guess",
            Self::Missing => "missing",
        }
    }
}

/// A line of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The section; empty: the top of the file.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// The value as TOML.
    pub value: String,
    /// Whether it counts, or is a comment that waits for somebody.
    pub on: bool,
    /// How well it is known.
    pub standing: Standing,
    /// From what, or what to do; lines to type stand on lines of their own.
    pub why: String,
}

/// A file that goes beside the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Its name.
    pub name: String,
    /// What it was in.
    pub from: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A job with the origin of every value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The lines; those of a section are together once they are written.
    pub lines: Vec<Line>,
    /// What people should know.
    pub notes: Vec<String>,
    /// Files that the job needs beside it.
    pub beside: Vec<Beside>,
}

/// The keys at the top of the file, in its order; those of sections stay as they were stated.
const TOP: [&str; 7] = ["repo", "bad", "good", "repro", "crash", "title", "link"];

/// Sections in the order of the file.
const SECTIONS: [&str; 6] = ["", "repro", "build", "machine", "target", "trial"];

impl Draft {
    /// States a value.
    pub fn set(
        &mut self,
        place: (&'static str, &'static str),
        value: impl Into<Value>,
        standing: Standing,
        why: impl Into<String>,
    ) {
        self.line(place, value.into(), true, standing, why.into());
    }

    /// Leaves a value to people: the line is a comment.
    pub fn leave(
        &mut self,
        place: (&'static str, &'static str),
        value: impl Into<Value>,
        standing: Standing,
        why: impl Into<String>,
    ) {
        self.line(place, value.into(), false, standing, why.into());
    }

    fn line(&mut self, (section, key): (&'static str, &'static str), value: Value, on: bool, standing: Standing, why: String) {
        self.lines.push(Line { section, key, value: one_line(value).to_string(), on, standing, why });
    }

    /// Says something.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The lines of a standing.
    pub fn of(&self, standing: Standing) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.standing == standing)
    }

    /// Puts the lines into the file's order.
    pub fn sort(&mut self) {
        let place = |list: &[&str], word: &str| list.iter().position(|one| *one == word);
        self.lines.sort_by_key(|line| (place(&SECTIONS, line.section), place(&TOP, line.key)));
    }

    /// Whether a value is stated.
    pub fn has(&self, section: &str, key: &str) -> bool {
        self.lines.iter().any(|line| line.on && line.section == section && line.key == key)
    }

    /// The job file. `head` says what it was made of, `check` what to type to see what is left.
    pub fn render(&self, head: &str, check: &str) -> String {
        let mut text = comment(&format!(
            "Made by `kbisect start` of {head}. Comments say what was found, and where; what is a guess, and from what; and what is \
             missing."
        ));
        text += &comment(&format!("What it comes to, and what is left to do: {check}"));
        for note in &self.notes {
            text += &comment(&format!("Note: {note}"));
        }
        for section in SECTIONS {
            let lines: Vec<&Line> = self.lines.iter().filter(|line| line.section == section).collect();
            if lines.is_empty() {
                continue;
            }
            text.push('\n');
            if !section.is_empty() {
                let mark = if lines.iter().any(|line| line.on) { "" } else { "# " };
                let _ = writeln!(text, "{mark}[{section}]");
            }
            for line in lines {
                text += &written(line);
            }
        }
        text
    }
}

fn written(line: &Line) -> String {
    let mark = if line.on { "" } else { "# " };
    let stated = format!("{mark}{} = {}", line.key, line.value);
    let why = format!("{}: {}", line.standing.word(), line.why);
    let short = format!("{stated}  # {}", plain(&why));
    if !why.contains('\n') && short.chars().count() <= WIDTH { short + "\n" } else { comment(&why) + &stated + "\n" }
}

/// Lines of a comment, broken between words; lines of the text stay lines.
fn comment(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split('\n') {
        let mut line = String::from("#");
        for word in plain(paragraph).split(' ') {
            // What is to be typed must not be broken.
            let typed = paragraph.starts_with("  ");
            if !typed && line.chars().count() > 1 && line.chars().count() + 1 + word.chars().count() > COMMENT {
                out += &line;
                out.push('\n');
                line = String::from("#");
            }
            line.push(' ');
            line += word;
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// A text that stays on its line, in comments of TOML as on terminals.
pub(super) fn plain(text: &str) -> String {
    harmless(text).replace('\n', " ")
}

/// Whether a job can have this text as it is.
pub(crate) fn is_plain(text: &str) -> bool {
    plain(text) == text
}

/// A value that stays on its line.
fn one_line(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(one_line).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_told_the_file_is_toml(why in "\\PC{0,60}|[\\x00-\\x7f]{0,200}", value in "\\PC{0,40}|[\\x00-\\x7f]{0,40}", on: bool) {
            let mut draft = Draft::default();
            draft.note(why.clone());
            draft.lines.push(Line {
                section: "", key: "bad", value: one_line(Value::from(value.clone())).to_string(), on, standing: Standing::Missing, why,
            });
            let text = draft.render(&value, "kbisect check job.toml");
            let table: toml::Table = text.parse().map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            let plain = plain(&value);
            prop_assert_eq!(table.get("bad").and_then(Value::as_str), on.then_some(plain.as_str()));
        }
    }

    #[test]
    fn lines_to_type_are_not_broken() {
        let long = format!("  git fetch {} master", "https://example.org/".repeat(8));
        assert_eq!(comment(&format!("fetch it:\n{long}")), format!("# fetch it:\n# {long}\n"));
    }
}
