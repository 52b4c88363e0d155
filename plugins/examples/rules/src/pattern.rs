//! Patterns as operators write them: globs, and regular expressions between slashes.

use regex_lite::Regex;
use serde::Deserialize;

/// One pattern.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern {
    regex: Regex,
    is_glob: bool,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a pattern is empty".to_owned());
        }
        let inner = match text.strip_prefix('/') {
            Some(rest) => Some(
                rest.strip_suffix('/')
                    .ok_or_else(|| format!("`{text}` begins a regular expression and does not end it with /"))?,
            ),
            None => None,
        };
        let source = inner.map_or_else(|| glob(&text), str::to_owned);
        let regex = Regex::new(&source).map_err(|error| format!("`{text}` is no pattern: {error}"))?;
        Ok(Self { regex, is_glob: inner.is_none() })
    }
}

impl Pattern {
    /// Whether it fits.
    pub(crate) fn fits(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// What `to` says of a text that fits: `$1` is the first group. A glob has no groups, and `$` is a dollar.
    pub(crate) fn rewrite(&self, text: &str, to: &str) -> Option<String> {
        let found = self.regex.captures(text)?;
        if self.is_glob {
            return Some(to.to_owned());
        }
        let mut title = String::new();
        found.expand(to, &mut title);
        Some(title)
    }

    /// The highest number of a group; globs have none.
    pub(crate) fn groups(&self) -> usize {
        if self.is_glob { 0 } else { self.regex.captures_len() - 1 }
    }
}

/// A glob on the whole text as a regular expression.
fn glob(text: &str) -> String {
    let mut source = String::from("(?s)^");
    for c in text.chars() {
        match c {
            '*' => source.push_str(".*"),
            '?' => source.push('.'),
            c => source.push_str(&regex_lite::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source + "$"
}

/// Patterns of which one must fit: in a job file a text or a list of texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "OneOrMore")]
pub(crate) struct Patterns(pub(crate) Vec<Pattern>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a pattern is a text, or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<OneOrMore> for Patterns {
    type Error = String;

    fn try_from(given: OneOrMore) -> Result<Self, String> {
        let texts = match given {
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) if texts.is_empty() => return Err("a list of patterns is empty".to_owned()),
            OneOrMore::More(texts) => texts,
        };
        texts.into_iter().map(Pattern::try_from).collect::<Result<_, _>>().map(Self)
    }
}

impl Patterns {
    /// Whether one of them fits one of the texts.
    pub(crate) fn fit<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        texts.into_iter().any(|text| self.0.iter().any(|pattern| pattern.fits(text)))
    }
}
