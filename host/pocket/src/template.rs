//! Sources with alternatives: what a file is made of, given which steps of history have been taken.
//!
//! Lines of a source that begin with `@` are not part of the file:
//!
//! ```text
//! @when STEP      first line: the file is there only once STEP was taken
//! @if STEP        what follows is there once STEP was taken …
//! @else           … and this instead until then
//! @end
//! ```
//!
//! `@{KEY}` in a line stands for a value that steps may set.

/// A parsed source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// The step that brings the file.
    pub(crate) when: Option<String>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
    If { step: String, then: Vec<Part>, otherwise: Vec<Part> },
}

/// What a template asks for while it is rendered.
pub(crate) trait State {
    /// Whether a step was taken, and not undone.
    fn taken(&self, step: &str) -> bool;
    /// A value; none where there is no such key.
    fn value(&self, key: &str) -> Option<&str>;
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTemplate {
    /// `@else`, `@end` or the end of the file where none may be, or a line with an unknown word.
    #[error("line {0}: `{1}` does not belong here")]
    Line(usize, String),
    /// `@{` without an end.
    #[error("line {0}: a value without an end")]
    OpenValue(usize),
    /// A value that nobody gives.
    #[error("no value for `{0}`")]
    NoValue(String),
}

/// Lines of an `@if` that is still open: the step, its first part once `@else` was seen, and the line it began in.
struct Open {
    step: String,
    then: Option<Vec<Part>>,
    line: usize,
}

impl Template {
    /// Reads a source.
    pub(crate) fn parse(source: &str) -> Result<Self, BadTemplate> {
        let mut when = None;
        let mut open: Vec<Open> = Vec::new();
        let mut levels: Vec<Vec<Part>> = vec![Vec::new()];
        for (index, line) in source.lines().enumerate() {
            let number = index + 1;
            let wrong = || BadTemplate::Line(number, line.to_owned());
            let parts = levels.last_mut().expect("the file's own level stays");
            if let Some(step) = line.strip_prefix("@when ").filter(|_| index == 0) {
                when = Some(step.to_owned());
            } else if let Some(step) = line.strip_prefix("@if ") {
                open.push(Open { step: step.to_owned(), then: None, line: number });
                levels.push(Vec::new());
            } else if line == "@else" {
                let last = open.last_mut().filter(|o| o.then.is_none()).ok_or_else(wrong)?;
                last.then = Some(std::mem::take(parts));
            } else if line == "@end" {
                let Open { step, then, .. } = open.pop().ok_or_else(wrong)?;
                let last = levels.pop().expect("each open part has a level");
                let (then, otherwise) = match then {
                    Some(then) => (then, last),
                    None => (last, Vec::new()),
                };
                levels.last_mut().expect("the file's own level stays").push(Part::If { step, then, otherwise });
            } else if line.starts_with('@') && !line.starts_with("@{") {
                return Err(wrong());
            } else {
                text(line, number, parts)?;
            }
        }
        if let Some(open) = open.pop() {
            return Err(BadTemplate::Line(open.line, format!("@if {}", open.step)));
        }
        Ok(Self { when, parts: levels.pop().expect("the file's own level stays") })
    }

    /// The file as `state` has it; none while it is not there.
    pub(crate) fn render(&self, state: &dyn State) -> Result<Option<String>, BadTemplate> {
        if self.when.as_deref().is_some_and(|step| !state.taken(step)) {
            return Ok(None);
        }
        let mut out = String::new();
        render(&self.parts, state, &mut out)?;
        Ok(Some(out))
    }

    /// The steps that it mentions.
    pub(crate) fn steps(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self.when.as_deref().into_iter().collect();
        mentioned(&self.parts, &mut |part| {
            if let Part::If { step, .. } = part {
                found.push(step);
            }
        });
        found
    }

    /// The keys that it mentions.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let mut found = Vec::new();
        mentioned(&self.parts, &mut |part| {
            if let Part::Value(key) = part {
                found.push(key.as_str());
            }
        });
        found
    }
}

fn text(line: &str, number: usize, parts: &mut Vec<Part>) -> Result<(), BadTemplate> {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("@{") {
        let (key, after) = after.split_once('}').ok_or(BadTemplate::OpenValue(number))?;
        push_text(parts, before);
        parts.push(Part::Value(key.to_owned()));
        rest = after;
    }
    push_text(parts, rest);
    push_text(parts, "\n");
    Ok(())
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

fn render(parts: &[Part], state: &dyn State, out: &mut String) -> Result<(), BadTemplate> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value(key) => out.push_str(state.value(key).ok_or_else(|| BadTemplate::NoValue(key.clone()))?),
            Part::If { step, then, otherwise } => render(if state.taken(step) { then } else { otherwise }, state, out)?,
        }
    }
    Ok(())
}

fn mentioned<'a>(parts: &'a [Part], each: &mut dyn FnMut(&'a Part)) {
    for part in parts {
        each(part);
        if let Part::If { then, otherwise, .. } = part {
            mentioned(then, each);
            mentioned(otherwise, each);
        }
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
