//! Lines of a mail: where they are broken.

use std::fmt::Write as _;

/// Most columns of a line that is no tag.
pub(super) const WIDTH: usize = 75;

/// Text behind `head`, broken at blanks so that it fits; further lines are indented a little.
pub(super) fn wrapped(head: &str, body: &str) -> String {
    let indent = " ".repeat(head.len() - head.trim_start().len() + 2);
    broken(head, body.split(' '), &indent, WIDTH).iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// Lines of at most so many columns, where words are not longer: the first begins with `head`, the others with `indent`.
pub(super) fn broken<'w>(head: &str, words: impl Iterator<Item = &'w str>, indent: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    for word in words {
        if line.chars().count() + word.chars().count() > width && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            indent.clone_into(&mut line);
        }
        line += word;
        line.push(' ');
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The text with every line broken that is too long for a mail, at blanks.
pub(super) fn fitted(text: &str) -> String {
    let mut fitted = String::new();
    for line in text.lines() {
        if line.chars().count() <= WIDTH {
            let _ = writeln!(fitted, "{line}");
            continue;
        }
        let body = line.trim_start();
        fitted += &wrapped(&line[..line.len() - body.len()], body);
    }
    fitted
}

/// Lines of a text, its paragraphs filled anew where one of their lines is longer than so many columns. What is set off (indented, quoted,
/// listed) stays as it is.
pub(super) fn filled(lines: &[&str], width: usize) -> Vec<String> {
    let flows = |line: &str| line.starts_with(|first: char| first.is_alphanumeric() || "\"'`(".contains(first));
    let mut out = Vec::new();
    for paragraph in lines.chunk_by(|one, other| flows(one) && flows(other)) {
        if paragraph.iter().all(|line| line.chars().count() <= width) || !flows(paragraph[0]) {
            out.extend(paragraph.iter().map(|line| (*line).to_owned()));
            continue;
        }
        out.extend(broken("", paragraph.iter().flat_map(|line| line.split_whitespace()), "", width));
    }
    out
}

/// A line of a diffstat that fits: its graph is drawn shorter.
pub(super) fn narrower(line: &str) -> String {
    let over = line.chars().count().saturating_sub(WIDTH);
    let graph = line.len() - line.trim_end_matches(['+', '-']).len();
    if over == 0 || graph <= over {
        return line.to_owned();
    }
    let (text, drawn) = line.split_at(line.len() - graph);
    let plus = drawn.bytes().filter(|byte| *byte == b'+').count();
    let width = graph - over;
    // What is there at all keeps a sign.
    let shorter = (plus * width).div_ceil(graph).min(width - usize::from(plus < graph));
    format!("{text}{}{}", "+".repeat(shorter), "-".repeat(width - shorter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_lines_fit(text in "( {0,6}([a-z]{1,12} ){0,20}\n){0,6}") {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let fitted = fitted(&text);
            prop_assert_eq!(words(&fitted), words(&text));
            prop_assert!(fitted.lines().all(|line| line.chars().count() <= WIDTH), "{}", fitted);
        }
    }

    #[test]
    fn paragraphs_with_long_lines_are_filled_and_the_others_stay() {
        let text = [
            "one two three four",
            "five",
            "",
            "short",
            "lines",
            "  an indented line that is long",
            "> a quoted line that is long",
        ];
        let shown = ["one two three", "four five", "", "short", "lines", text[5], text[6]];
        assert_eq!(filled(&text, 13), shown);
        assert_eq!(filled(&text, 40), text);
        assert!(filled(&[], 5).is_empty());
    }

    #[test]
    fn graphs_are_drawn_shorter() {
        let long = format!(" {:<40} | 120 {}{}", "drivers/net/ethernet/vendor/driver_main.c", "+".repeat(30), "-".repeat(4));
        let short = narrower(&long);
        assert_eq!(short.len(), WIDTH);
        assert!(short.ends_with("+---"), "{short}");
        assert_eq!(narrower(" a.c | 2 +-"), " a.c | 2 +-");
    }
}
