//! What of a report is compared. Pure.

use kbisect_sdk::CrashReport;

use super::areas;
use super::areas::Area;
use super::family;
use super::family::Family;
use super::vocabulary;
use crate::kind;
use crate::title;

/// Functions of a stack that are compared: deeper ones are the way there, not the place.
const DEEP: usize = 12;

/// What of a report is compared; gaps of a report that is only a title are filled from the title.
pub struct Look<'a> {
    /// The title, without the dashboard's counter.
    pub title: &'a str,
    /// The other titles, without counters.
    pub alt_titles: Vec<&'a str>,
    /// The type, from the title where the report has none.
    pub kind: &'a str,
    /// In what way it went wrong.
    pub family: Family,
    /// Functions that are blamed: by the title, and by the report.
    pub blamed: Vec<String>,
    /// Functions of the stack that tell something, innermost first.
    pub trace: Vec<&'a str>,
    /// All functions at the top of the stack, innermost first.
    pub top: Vec<&'a str>,
    /// Functions of its other stacks: who made, freed or queued the object, who took the locks, what other tasks did.
    pub others: Vec<&'a str>,
    /// Functions that made or freed the object.
    pub makers: Vec<&'a str>,
    /// Classes of the locks that it is about, without those that everything takes.
    pub locks: Vec<&'a str>,
    /// The source file that is blamed.
    pub file: Option<&'a str>,
    /// The parts of the kernel that the blamed functions and file belong to.
    pub areas: Vec<Area>,
}

impl<'a> Look<'a> {
    /// What is compared of this report.
    #[must_use]
    pub fn of(report: &'a CrashReport) -> Self {
        let title = bare(&report.title);
        let kind = if report.crash_type.is_empty() { kind::of(title) } else { &report.crash_type };
        let mut blamed: Vec<String> = Vec::new();
        let by_title = named_in(title).map(str::to_owned).or_else(|| in_path(title));
        for name in by_title.into_iter().chain(report.frame.clone()) {
            if !blamed.contains(&name) && name != "corrupted" {
                blamed.push(name);
            }
        }
        let telling = |name: &&str| !vocabulary::is_on_the_way(name);
        let trace: Vec<&str> = report.trace.iter().map(String::as_str).filter(telling).take(DEEP).collect();
        if blamed.is_empty() {
            // A report that is too broken to blame anybody may still have a stack.
            blamed.extend(trace.first().map(|name| (*name).to_owned()));
        }
        let listed = |keys: &[&str]| -> Vec<&'a str> {
            let of = |key: &&str| report.properties.iter().find(|property| property.key == *key);
            keys.iter().filter_map(of).flat_map(|property| property.value.split_whitespace()).collect()
        };
        let functions = |keys: &[&str]| listed(keys).into_iter().filter(telling).collect();
        let maker = |key| listed(&[key]).into_iter().find(telling);
        let file = report.guilty_file.as_deref().or_else(|| path_in(title));
        let tells = |name: &&String| !vocabulary::is_on_the_way(name);
        let by_file = file.and_then(areas::of_file).filter(|area| !area.broad || blamed.iter().any(|name| tells(&name)));
        let mut areas: Vec<Area> = Vec::new();
        for area in blamed.iter().filter(tells).filter_map(|name| areas::of_function(name)).chain(by_file) {
            if !areas.contains(&area) {
                areas.push(area);
            }
        }
        Self {
            title,
            alt_titles: report.alt_titles.iter().map(|title| bare(title)).collect(),
            kind,
            family: family::of(title, kind),
            blamed,
            trace,
            top: report.trace.iter().map(String::as_str).take(DEEP).collect(),
            others: functions(&["allocated", "stored", "freed", "queued", "locked-in", "stacks", "work"]),
            makers: ["allocated", "freed"].into_iter().filter_map(maker).collect(),
            locks: listed(&["locks"]).into_iter().filter(|lock| !vocabulary::is_plain_lock(lock)).collect(),
            file,
            areas,
        }
    }

    /// Whether nothing that is compared tells the two apart.
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        self.title == other.title
            && self.kind == other.kind
            && self.blamed == other.blamed
            && self.trace == other.trace
            && self.file == other.file
    }

    /// The title and the other titles.
    pub fn titles(&self) -> impl Iterator<Item = &'a str> {
        std::iter::once(self.title).chain(self.alt_titles.iter().copied())
    }

    /// Whether the title says whose crash it is.
    #[must_use]
    pub fn is_specific(&self) -> bool {
        !self.title.ends_with(" corrupted") && !matches!(self.family, Family::Vague | Family::Machinery)
    }

    /// What happened, without whose it is: the title up to the function.
    #[must_use]
    pub fn head(&self) -> &str {
        self.title.rsplit_once(" in ").map_or(self.title, |(head, _)| head)
    }
}

/// A title without the dashboard's counter: `KASAN: … in foo (2)`.
fn bare(title: &str) -> &str {
    let counter = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    match title.rsplit_once(" (") {
        Some((head, tail)) if tail.strip_suffix(')').is_some_and(counter) => head,
        _ => title,
    }
}

/// The function that a title names, with a place behind it or not: `… in ucma_close drivers/infiniband/core/ucma.c:LINE`, `… at addr
/// ADDR`.
fn named_in(title: &str) -> Option<&str> {
    let is_place = |place: &str| path_in(place).is_some() || place.starts_with("at addr ");
    let placed = || title.rsplit_once(" in ")?.1.split_once(' ').filter(|(_, place)| is_place(place));
    title::frame_of(title).or_else(|| placed().map(|(name, _)| name))
}

/// The source file that a title such as `kernel BUG at net/rxrpc/conn_object.c:LINE!` names.
fn path_in(title: &str) -> Option<&str> {
    let word = title.split_whitespace().find(|word| word.contains('/') && word.contains(".c:"))?;
    word.find(".c:").map(|end| &word[..end + 2])
}

/// That file as a function's name would have its words: `rxrpc_conn_object`.
fn in_path(title: &str) -> Option<String> {
    let mut parts = path_in(title)?.trim_end_matches(".c").rsplit('/');
    let file = parts.next()?;
    Some(parts.next().map_or_else(|| file.to_owned(), |folder| format!("{folder}_{file}")))
}
