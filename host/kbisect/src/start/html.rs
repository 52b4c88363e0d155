//! The text of HTML as it was before a mail program or a browser dressed it: lines are lines, and where only a link's words are shown its
//! address stands in front of them. Pure.

use mail_parser::decoders::html::html_to_text;

/// Elements of which nothing is read.
const SILENT: [&str; 5] = ["head", "style", "script", "template", "title"];
/// Elements that begin and end lines.
const BLOCKS: [&str; 20] = [
    "p",
    "div",
    "tr",
    "li",
    "ul",
    "ol",
    "pre",
    "table",
    "blockquote",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "dd",
    "dt",
    "body",
    "section",
];

/// `&thetasym;` and `&#x10FFFF;` have ten characters; names that are longer are as rare as they are in kernel mail.
const LONGEST_ENTITY: usize = 12;

/// Whether a text is a page of HTML.
pub fn is_page(text: &str) -> bool {
    let text = text.trim_start().as_bytes();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()));
    begins("<!doctype html") || begins("<html")
}

/// The text of a page or a part of one.
pub fn text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    // Where one tag has no end, none behind it has: they are not all sought to the end of the text.
    let mut tags_end = true;
    while let Some(at) = rest.find('<') {
        page.words(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?');
        let end = if is_tag && tags_end { rest.find('>') } else { None };
        tags_end &= !is_tag || end.is_some();
        match end {
            Some(end) => {
                page.tag(&rest[1..end]);
                rest = &rest[end + 1..];
            }
            // Not all that people paste is escaped.
            None => {
                page.words("<");
                rest = &rest[1..];
            }
        }
    }
    page.words(rest);
    page.line();
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    /// Open elements of which nothing is read; one in another of its name does not count.
    silent: Vec<String>,
    /// How many elements are open that keep their lines.
    kept: u32,
    /// The address of an open link, and where its words begin.
    link: Option<(String, usize)>,
}

impl Page {
    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    /// Ends a line, if one is begun.
    fn line(&mut self) {
        if !self.at_line_start() {
            self.out.push('\n');
        }
    }

    fn words(&mut self, text: &str) {
        if !self.silent.is_empty() || text.is_empty() {
            return;
        }
        let text = unescaped(text).replace('\u{a0}', " ").replace("\r\n", "\n");
        if self.kept > 0 {
            self.out += &text;
            return;
        }
        for (index, line) in text.split('\n').enumerate() {
            // Line ends of the file are blanks, and those at a line's ends are nothing.
            let line = if index > 0 { line.trim_start() } else { line };
            if index > 0 && !line.is_empty() && !self.at_line_start() && !self.out.ends_with(' ') {
                self.out.push(' ');
            }
            self.out += line;
        }
    }

    fn tag(&mut self, tag: &str) {
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if SILENT.contains(&name.as_str()) {
            if !closes {
                if !self.silent.contains(&name) {
                    self.silent.push(name);
                }
            } else if let Some(at) = self.silent.iter().rposition(|open| *open == name) {
                self.silent.truncate(at);
            }
            return;
        }
        match name.as_str() {
            "br" => self.out.push('\n'),
            "a" if closes => self.end_of_link(),
            "a" => self.link = attribute(tag, "href").map(|link| (link, self.out.len())),
            name if BLOCKS.contains(&name) => self.line(),
            _ => {}
        }
        if ["pre", "textarea", "listing"].contains(&name.as_str()) {
            self.kept = if closes { self.kept.saturating_sub(1) } else { self.kept + 1 };
        }
    }

    fn end_of_link(&mut self) {
        let Some((link, from)) = self.link.take() else { return };
        let words = self.out.get(from..).unwrap_or_default();
        if link.starts_with("http") && !words.contains("://") && !words.contains('\n') && !words.trim().is_empty() {
            self.out.insert_str(from, &format!("{link} "));
        }
    }
}

/// The value of an attribute.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.to_ascii_lowercase().find(&format!("{name}="))?;
    let value = tag.get(at + name.len() + 1..)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split_whitespace().next()?,
    };
    Some(unescaped(value))
}

/// A text with its entities as characters.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out += &rest[..at];
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';').filter(|end| *end >= 2);
        let entity = end
            .map(|end| &rest[..=end])
            .filter(|entity| entity[1..entity.len() - 1].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#'));
        match entity {
            Some(entity) => {
                out += &html_to_text(entity);
                rest = &rest[entity.len()..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_lines_whatever_makes_them() {
        let plain = "HEAD commit:    0123456789ab x\n\n BUG: a <b> & c\n  d\n";
        let escaped = |line: &str| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let each = |wrap: &dyn Fn(&str) -> String| plain.lines().map(|line| wrap(&escaped(line))).collect::<String>();
        let empty = |line: &str, with: &str| if line.is_empty() { with.to_owned() } else { line.to_owned() };
        for html in [
            format!("<html><head><title>x</title></head><body><pre>{}</pre></body></html>", escaped(plain)),
            format!("<html><body>{}</body>", each(&|line| format!("<div>{}</div>\n", empty(line, "<br>")))),
            format!("<div dir=\"ltr\">{}</div>", each(&|line| format!("{line}<br>\r\n"))).replace("<br>\r\n ", "<br>&nbsp;"),
            each(&|line| format!("<p class=MsoNormal>{}</p>\n", empty(line, "&nbsp;"))),
        ] {
            let told: Vec<String> = text(&html).lines().map(str::to_owned).collect();
            let told: Vec<&str> = told.iter().map(|line| line.trim_end()).collect();
            let wanted: Vec<&str> = plain.lines().collect();
            // Blanks that begin lines of a file are those of its writer.
            let shown: Vec<&str> = told.iter().map(|line| line.trim_start()).collect();
            let bare: Vec<&str> = wanted.iter().map(|line| line.trim_start()).collect();
            assert_eq!(shown, bare, "{html}");
            if !html.contains("<br>\r\n") {
                assert_eq!(told, wanted, "{html}");
            }
        }
    }

    #[test]
    fn links_are_told_where_words_hide_them() {
        let html = "C reproducer: <a href=\"https://example.org/x?a=1&amp;b=2\">here</a><br>\
                    log: <a href='https://example.org/l'>https://example.org/l</a><!-- <b> -->";
        assert_eq!(text(html), "C reproducer: https://example.org/x?a=1&b=2 here\nlog: https://example.org/l\n");
        assert_eq!(text("a < b &c; &amp &#65;&uuml;"), "a < b &c; &amp A\u{fc}\n");
    }

    /// Each of these took minutes and more when the end of a tag or an entity was sought through all that follows, for each anew.
    #[test]
    fn a_long_page_without_ends_is_read_in_one_go() {
        for part in ["<a", "&", "< ", "<style></script>", "<!", "<a href=http:"] {
            let page = part.repeat(1 << 20);
            assert!(text(&page).len() <= 2 * page.len(), "{part}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(html in "[<>a-z/!&;# \n\"'=-]{0,80}|\\PC{0,60}") {
            text(&html);
            is_page(&html);
        }
    }
}
