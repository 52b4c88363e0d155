//! Steps of history: what one commit changes, and how its message puts it. Read from the series in `history/`.

use crate::template::BadTemplate;

/// One change of the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its name in the sources, with the driver before a `/` where it is a driver's.
    pub(crate) id: String,
    /// Steps that must have been taken before.
    pub(crate) needs: Vec<String>,
    /// Values that it sets.
    pub(crate) sets: Vec<(String, String)>,
    /// The step that it takes back.
    pub(crate) undoes: Option<String>,
    /// First line of the message.
    pub(crate) subject: String,
    /// The rest, without trailers; may be empty.
    pub(crate) body: String,
}

/// What is wrong with a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSeries {
    /// A step without a subject.
    #[error("step `{0}` has no subject")]
    NoSubject(String),
    /// A line that belongs to no step, or a `set` without a value.
    #[error("line {0}: `{1}` cannot be read")]
    Line(usize, String),
    /// A value in a message that nobody gives.
    #[error(transparent)]
    Template(#[from] BadTemplate),
}

/// Reads a series: steps that begin with `== ID`, then lines `needs STEP`, `set KEY = VALUE`, `undoes STEP`, then the message.
/// Lines before the first step that begin with `#` are remarks.
pub(crate) fn parse(text: &str) -> Result<Vec<Step>, BadSeries> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = || BadSeries::Line(index + 1, line.to_owned());
        if let Some(id) = line.strip_prefix("== ") {
            steps.push(Step {
                id: id.to_owned(),
                needs: Vec::new(),
                sets: Vec::new(),
                undoes: None,
                subject: String::new(),
                body: String::new(),
            });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            return Err(wrong());
        };
        if !step.subject.is_empty() {
            step.body.push_str(line);
            step.body.push('\n');
        } else if let Some(needed) = line.strip_prefix("needs ") {
            step.needs.push(needed.to_owned());
        } else if let Some(undone) = line.strip_prefix("undoes ") {
            step.undoes = Some(undone.to_owned());
        } else if let Some(set) = line.strip_prefix("set ") {
            let (key, value) = set.split_once(" = ").ok_or_else(wrong)?;
            step.sets.push((key.to_owned(), value.to_owned()));
        } else {
            step.subject = line.to_owned();
        }
    }
    for step in &mut steps {
        if step.subject.is_empty() {
            return Err(BadSeries::NoSubject(step.id.clone()));
        }
        step.body = step.body.trim().to_owned();
    }
    Ok(steps)
}

/// Reads `KEY = VALUE` lines; those that begin with `#` are remarks.
pub(crate) fn parse_values(text: &str) -> Result<Vec<(String, String)>, BadSeries> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let (key, value) = line.split_once(" = ").ok_or_else(|| BadSeries::Line(index + 1, line.to_owned()))?;
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_read() {
        let steps = parse("# remark\n\n== a\nneeds b\nset N = 3 + 4\nx: do a\n\nBecause.\nOf it.\n\n== c\nundoes a\nx: no\n");
        let steps = steps.expect("reads");
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].subject.as_str(), steps[0].body.as_str()), ("x: do a", "Because.\nOf it."));
        assert_eq!((&steps[0].needs, &steps[0].sets), (&vec!["b".to_owned()], &vec![("N".to_owned(), "3 + 4".to_owned())]));
        assert_eq!((steps[1].undoes.as_deref(), steps[1].body.as_str()), (Some("a"), ""));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(parse("x\n"), Err(BadSeries::Line(1, "x".to_owned())));
        assert_eq!(parse("== a\nset N\nx\n"), Err(BadSeries::Line(2, "set N".to_owned())));
        assert_eq!(parse("== a\n== b\nx\n"), Err(BadSeries::NoSubject("a".to_owned())));
        assert_eq!(parse_values("N\n"), Err(BadSeries::Line(1, "N".to_owned())));
    }
}
