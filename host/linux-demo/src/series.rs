//! Steps of history as they are written down in `history/`: a message, and a patch whose places are found by their text.

/// One commit's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The series that it is from, such as `fs`.
    pub(crate) topic: &'static str,
    /// Its name in the series.
    pub(crate) id: String,
    /// First line of the message.
    pub(crate) subject: String,
    /// The rest, without trailers; may be empty.
    pub(crate) body: String,
    /// What is done to which file.
    pub(crate) changes: Vec<Change>,
}

/// The change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The file, from the tree's root.
    pub(crate) path: String,
    /// What is put in the place of what.
    pub(crate) hunks: Vec<Hunk>,
}

/// Whole lines that are there once, and what comes in their place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hunk {
    pub(crate) old: String,
    pub(crate) new: String,
}

/// A series that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of series `{topic}`: `{text}` cannot be read")]
pub struct BadSeries {
    /// Which series.
    pub topic: &'static str,
    /// Which line, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

/// Reads a series. A step is a line `== ID`, the subject, the body after an empty line, and for each file `--- PATH` with hunks: `@@`
/// and lines as in a unified diff.
pub(crate) fn parse(topic: &'static str, text: &str) -> Result<Vec<Step>, BadSeries> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let bad = || BadSeries { topic, line: index + 1, text: line.to_owned() };
        if let Some(id) = line.strip_prefix("== ") {
            let (id, subject, body) = (id.to_owned(), String::new(), String::new());
            steps.push(Step { topic, id, subject, body, changes: Vec::new() });
            continue;
        }
        let step = steps.last_mut().ok_or_else(bad)?;
        if let Some(path) = line.strip_prefix("--- ") {
            step.changes.push(Change { path: path.to_owned(), hunks: Vec::new() });
        } else if let Some(change) = step.changes.last_mut() {
            if line == "@@" {
                change.hunks.push(Hunk::default());
            } else if !line.is_empty() {
                let hunk = change.hunks.last_mut().ok_or_else(bad)?;
                hunk.line(line).ok_or_else(bad)?;
            }
        } else if step.subject.is_empty() {
            step.subject = line.to_owned();
        } else {
            step.body += line;
            step.body.push('\n');
        }
    }
    for step in &mut steps {
        step.body = step.body.trim().to_owned();
        if step.subject.is_empty() || step.changes.is_empty() || step.changes.iter().any(|change| change.hunks.is_empty()) {
            return Err(BadSeries { topic, line: text.lines().count(), text: format!("== {}", step.id) });
        }
    }
    Ok(steps)
}

impl Hunk {
    /// Takes a line in: ` ` is kept, `-` goes, `+` comes.
    fn line(&mut self, line: &str) -> Option<()> {
        let (sign, text) = line.split_at_checked(1)?;
        let (old, new) = match sign {
            " " => (true, true),
            "-" => (true, false),
            "+" => (false, true),
            _ => return None,
        };
        for (side, there) in [(&mut self.old, old), (&mut self.new, new)] {
            if there {
                side.push_str(text);
                side.push('\n');
            }
        }
        Some(())
    }
}

impl Change {
    /// The file's text after the change; none where a place is not there, or is there more than once.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for hunk in &self.hunks {
            let at = only_place(&text, &hunk.old)?;
            text.replace_range(at..at + hunk.old.len(), &hunk.new);
        }
        Some(text)
    }
}

/// Where whole lines begin that are there exactly once.
fn only_place(text: &str, lines: &str) -> Option<usize> {
    let begins = |at: &usize| *at == 0 || text.as_bytes()[at - 1] == b'\n';
    let mut places = text.match_indices(lines).map(|(at, _)| at).filter(begins);
    let place = places.next()?;
    places.next().is_none().then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: &str = "== a\nx: do a\n\nBecause\nof it.\n--- x/a.c\n@@\n int a;\n-int b;\n+int c;\n@@\n-int z;\n--- x/b.c\n@@\n \n+d\n\n== b\nx: no\n--- y\n@@\n-e\n";

    #[test]
    fn a_series_is_read() {
        let steps = parse("x", SERIES).expect("it reads");
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].subject.as_str(), steps[0].body.as_str()), ("x: do a", "Because\nof it."));
        assert_eq!(steps[0].changes[0].path, "x/a.c");
        assert_eq!(steps[0].changes[0].apply("int z;\nint a;\nint b;\n"), Some("int a;\nint c;\n".to_owned()));
        assert_eq!(steps[0].changes[1].apply("\n"), Some("\nd\n".to_owned()));
    }

    #[test]
    fn a_place_is_whole_lines_that_are_there_once() {
        let change = &parse("x", SERIES).expect("it reads")[1].changes[0];
        for (text, found) in [("e\n", true), ("d\ne\n", true), ("e\ne\n", false), ("de\n", false), ("", false), ("e", false)] {
            assert_eq!(change.apply(text).is_some(), found, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, line) in
            [("x\n", 1), ("== a\nx\n--- y\nz\n", 4), ("== a\nx\n--- y\n@@\n*z\n", 5), ("== a\nx\n", 2), ("== a\n", 1)]
        {
            assert_eq!(parse("x", text).expect_err("it is wrong").line, line, "{text:?}");
        }
    }
}
