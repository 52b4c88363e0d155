//! A job file while it is read: its sections, the keys that were asked for, and every problem so far.
//!
//! Readers ask for the keys they know; what is left over in the end is unknown. Nothing stops at the first problem.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use super::origin::Origin;
use super::origin::Origins;
use super::problem::Complaint;
use super::problem::Place;
use super::problem::Problem;
use super::problem::Problems;
use super::value;
use super::value::Read;

/// The file and what was found out about it.
pub(super) struct Document<'a> {
    file: &'a Path,
    text: &'a str,
    /// The folder that relative paths start from.
    pub(super) base: PathBuf,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    problems: Vec<Problem>,
    origins: Origins,
    known: Vec<Key>,
    unknown: Vec<(Key, Range<usize>)>,
}

/// A key and the section that it stands in (empty: the top of the file).
#[derive(PartialEq, Eq)]
struct Key {
    section: String,
    name: String,
}

impl<'a> Document<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str, base: PathBuf) -> Self {
        Self { file, text, base, state: RefCell::default() }
    }

    /// Notes a problem at a place of the text.
    pub(super) fn complain(&self, complaint: Complaint) {
        let place = Some(Place::of(self.text, complaint.span.start));
        self.state.borrow_mut().problems.push(Problem { place, text: complaint.text });
    }

    /// Notes that something is missing or does not go together.
    pub(super) fn complain_whole(&self, text: impl Into<String>) {
        self.state.borrow_mut().problems.push(Problem { place: None, text: text.into() });
    }

    /// The top of the file.
    pub(super) fn top<'d>(&'d self, table: &'d DeTable<'a>) -> Section<'d, 'a> {
        Section {
            document: self,
            name: String::new(),
            prefix: String::new(),
            table: Some(table),
            span: None,
            asked: RefCell::default(),
        }
    }

    /// Where the values came from, or all the problems in the order of the text.
    pub(super) fn finish(self) -> Result<Origins, Problems> {
        let state = self.state.into_inner();
        let mut list = state.problems;
        for (key, span) in &state.unknown {
            let text = unknown(key, &state.known);
            list.push(Problem { place: Some(Place::of(self.text, span.start)), text });
        }
        if list.is_empty() {
            return Ok(state.origins);
        }
        // What has no place comes last.
        list.sort_by_key(|problem| (problem.place.is_none(), problem.place));
        Err(Problems { file: Some(self.file.to_owned()), list })
    }
}

/// The message for an unknown key: with the nearest key of its section, or the section it belongs to.
fn unknown(key: &Key, known: &[Key]) -> String {
    let place = if key.section.is_empty() { String::new() } else { format!(" in [{}]", key.section) };
    let here = known.iter().filter(|other| other.section == key.section).map(|other| other.name.as_str());
    let mut elsewhere: Vec<&Key> = known.iter().filter(|other| other.name == key.name).collect();
    elsewhere.dedup_by(|a, b| a.section == b.section);
    let hint = match (nearest(&key.name, here), elsewhere.as_slice()) {
        (Some(nearest), _) => format!("; did you mean `{nearest}`?"),
        (None, []) => String::new(),
        (None, [only]) if only.section.is_empty() => "; it belongs to the top of the file, above every section".to_owned(),
        (None, [first, more @ ..]) => {
            let more = more.iter().map(|key| format!(" or [{}]", key.section));
            format!("; it belongs to [{}]{}", first.section, more.collect::<String>())
        }
    };
    format!("unknown key `{}`{place}{hint}", key.name)
}

/// The word that is meant, if one is near: less than half of its letters differ.
pub(super) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase().replace('-', "_");
    // Of equally near ones, what was begun and not ended.
    let distance = |known: &str| (strsim::osa_distance(&word, known), !known.starts_with(&word));
    let ((changes, _), best) = words.map(|known| (distance(known), known)).min()?;
    (changes * 2 < best.chars().count().max(2)).then_some(best)
}

/// One table of the file; an absent one has no keys.
pub(super) struct Section<'d, 'a> {
    document: &'d Document<'a>,
    /// How messages call it: `machine`; empty for the top of the file.
    name: String,
    /// What its keys start with in the origins: `machine.`.
    prefix: String,
    table: Option<&'d DeTable<'a>>,
    span: Option<Range<usize>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d, 'a> Section<'d, 'a> {
    /// The document it is part of.
    pub(super) fn document(&self) -> &'d Document<'a> {
        self.document
    }

    /// Whether the file has this section.
    pub(super) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the file has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The value of `key`, unless it is absent or wrong (which is noted).
    pub(super) fn get<T>(&self, key: &'static str, read: impl FnOnce(&'d Spanned<DeValue<'a>>) -> Read<T>) -> Option<T> {
        self.asked.borrow_mut().push(key);
        match read(self.entry(key)?) {
            Ok(value) => {
                self.set_origin(key, Origin::Job);
                Some(value)
            }
            Err(complaints) => {
                for complaint in complaints {
                    let text = format!("{}: {}", self.called(key), complaint.text);
                    self.document.complain(Complaint::new(complaint.span, text));
                }
                None
            }
        }
    }

    /// The value of `key`, or else `default`, whose origin is noted.
    pub(super) fn get_or<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&'d Spanned<DeValue<'a>>) -> Read<T>,
        default: T,
        origin: Origin,
    ) -> T {
        self.get(key, read).unwrap_or_else(|| {
            self.set_origin(key, origin);
            default
        })
    }

    /// The value of `key`, whose absence is a problem; `what` says what it is.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        what: &str,
        read: impl FnOnce(&'d Spanned<DeValue<'a>>) -> Read<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.complain(None, format!("missing {}: {what}", self.called(key)));
        }
        self.get(key, read)
    }

    /// Notes where a value comes from that no reader settled.
    pub(super) fn set_origin(&self, key: &str, origin: Origin) {
        self.document.state.borrow_mut().origins.set(format!("{}{key}", self.prefix), origin);
    }

    /// Notes a problem at `key`, or else at the section, or else with the file as a whole.
    pub(super) fn complain(&self, key: Option<&str>, text: impl Into<String>) {
        let key = key.and_then(|key| self.span_of(key));
        match key.or_else(|| self.span.clone()) {
            Some(span) => self.document.complain(Complaint::new(span, text)),
            None => self.document.complain_whole(text),
        }
    }

    /// A table inside this one.
    pub(super) fn inner(&self, key: &'static str) -> Section<'d, 'a> {
        self.asked.borrow_mut().push(key);
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let prefix = format!("{}{key}.", self.prefix);
        let table = self.entry(key).and_then(|value| {
            let table = value.get_ref().as_table();
            if table.is_none() {
                let text = if self.name.is_empty() {
                    format!("`{key}` is a section: write [{key}] above its keys")
                } else {
                    format!("{}: expected a table such as {{ … }}", self.called(key))
                };
                self.document.complain(Complaint::new(value.span(), text));
            }
            Some((table?, value.span()))
        });
        let (table, span) = table.unzip();
        Section { document: self.document, name, prefix, table, span, asked: RefCell::default() }
    }

    /// The tables of the list `key`, such as every `[[plugin]]`.
    pub(super) fn each(&self, key: &'static str) -> Vec<Section<'d, 'a>> {
        self.asked.borrow_mut().push(key);
        let Some(value) = self.entry(key) else { return Vec::new() };
        let tables = value::list(value, |item| {
            let table = item.get_ref().as_table();
            table.map_or_else(|| value::mistyped(item, "a table"), |table| Ok((table, item.span())))
        });
        let Ok(tables) = tables else {
            let text = format!("`{key}` is a list of sections: write [[{key}]] above the keys of each");
            self.document.complain(Complaint::new(value.span(), text));
            return Vec::new();
        };
        let section = |(index, (table, span)): (usize, (&'d DeTable<'a>, Range<usize>))| Section {
            document: self.document,
            name: key.to_owned(),
            prefix: format!("{}{key}.{index}.", self.prefix),
            table: Some(table),
            span: Some(span),
            asked: RefCell::default(),
        };
        tables.into_iter().enumerate().map(section).collect()
    }

    /// Ends the reading of this section: keys that nobody asked for are unknown.
    pub(super) fn close(self) {
        let asked = self.asked.into_inner();
        let mut state = self.document.state.borrow_mut();
        for (key, _) in self.table.into_iter().flat_map(|table| table.iter()) {
            if !asked.contains(&key.get_ref().as_ref()) {
                let unknown = Key { section: self.name.clone(), name: key.get_ref().to_string() };
                state.unknown.push((unknown, key.span()));
            }
        }
        let known = asked.into_iter().map(|name| Key { section: self.name.clone(), name: name.to_owned() });
        state.known.extend(known);
    }

    /// How messages call a key.
    fn called(&self, key: &str) -> String {
        if self.name.is_empty() { format!("`{key}`") } else { format!("[{}] `{key}`", self.name) }
    }

    fn entry(&self, key: &str) -> Option<&'d Spanned<DeValue<'a>>> {
        self.table?.get(key)
    }

    fn span_of(&self, key: &str) -> Option<Range<usize>> {
        self.table?.get_key_value(key).map(|(key, _)| key.span())
    }
}
