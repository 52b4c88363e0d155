//! What of a report is compared. Pure.

use kbisect_sdk::CrashReport;

use super::family;
use super::family::Family;
use super::names;
use super::places;
use super::places::Place;
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
    /// Where the blamed functions and file are.
    pub places: Vec<Place>,
    /// The first function on its stacks that is of a module, not of what runs for all of them; and its place.
    pub actor: Option<(String, Place)>,
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
        let listed = |keys: &[&str]| -> Vec<&'a str> {
            let of = |key: &&str| report.properties.iter().find(|property| property.key == *key);
            keys.iter().filter_map(of).flat_map(|property| property.value.split_whitespace()).collect()
        };
        let functions = |keys: &[&str]| -> Vec<&'a str> { listed(keys).into_iter().filter(telling).collect() };
        if blamed.is_empty() {
            // A report that is too broken to blame anybody may still have a stack.
            let shown = trace.first().copied().or_else(|| functions(&["stacks"]).first().copied());
            blamed.extend(shown.map(str::to_owned));
        }
        // What allocates and frees for everybody makes all objects.
        let maker = |key| functions(&[key]).into_iter().find(|name| places::of_narrow_function(name).is_some());
        let file = report.guilty_file.as_deref().or_else(|| path_in(title));
        let tells = |name: &&String| !vocabulary::is_on_the_way(name);
        let mut found: Vec<Place> = Vec::new();
        for place in
            blamed.iter().filter(tells).filter_map(|name| places::of_function(name)).chain(file.and_then(places::of_file))
        {
            if !found.contains(&place) {
                found.push(place);
            }
        }
        let others = functions(&["allocated", "stored", "freed", "queued", "locked-in", "stacks", "work"]);
        let acting = |name: &str| Some((name.to_owned(), places::of_narrow_function(name)?));
        let shown = trace.iter().chain(&others).copied();
        let actor = shown.chain(blamed.iter().map(String::as_str)).find_map(acting);
        Self {
            title,
            alt_titles: report.alt_titles.iter().map(|title| bare(title)).collect(),
            kind,
            family: family::of(title, kind),
            blamed,
            trace,
            top: report.trace.iter().map(String::as_str).take(DEEP).collect(),
            others,
            makers: ["allocated", "freed"].into_iter().filter_map(maker).collect(),
            locks: listed(&["locks"]).into_iter().filter(|lock| !vocabulary::is_plain_lock(lock)).collect(),
            file,
            places: found,
            actor,
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

    /// The function that it blames which is on this stack.
    #[must_use]
    pub fn blamed_on(&self, stack: &[&str]) -> Option<&str> {
        let on = |name: &&String| stack.iter().any(|frame| names::nearness(name, frame).same);
        self.blamed.iter().find(on).map(String::as_str)
    }

    /// Functions of the stack below those that are blamed.
    pub fn below(&self) -> impl Iterator<Item = &'a str> {
        self.trace.iter().copied().filter(|frame| self.blamed_on(&[frame]).is_none())
    }

    /// Whether all that is blamed is of what runs for everybody.
    #[must_use]
    pub fn is_broad(&self) -> bool {
        self.places.iter().all(|place| place.is_broad)
    }

    /// What happened, without whose it is: the title up to the function.
    #[must_use]
    pub fn head(&self) -> &'a str {
        self.title.rsplit_once(" in ").map_or(self.title, |(head, _)| head)
    }

    /// Whether the same happened, be it read or written, in whatever memory: of a pointer that leads nowhere, the configuration
    /// decides as what it shows; and lockdep tells of what else hangs.
    #[must_use]
    pub fn is_alike_at_head(&self, other: &Self) -> bool {
        let memory = |word: &'a str| ["slab-", "vmalloc-"].iter().find_map(|kind| word.strip_prefix(kind)).unwrap_or(word);
        let told = |look: &Self| {
            let words = look.head().split_whitespace().map(memory);
            words.filter(|word| !["Read", "Write"].contains(word))
        };
        let nowhere = |family: Family| matches!(family, Family::Wild | Family::Null);
        let families = [self.family, other.family];
        families.into_iter().all(nowhere)
            || families == [Family::Stuck, Family::Deadlock]
            || families == [Family::Deadlock, Family::Stuck]
            || told(self).eq(told(other))
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
