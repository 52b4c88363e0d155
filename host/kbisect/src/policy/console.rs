//! A whole console at once, as from a file: what a machine's console is read for piece by piece while it talks.

use std::borrow::Cow;
use std::io;
use std::io::Read;
use std::path::Path;

use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Span;

use super::Policies;
use super::Watch as _;
use crate::bounded;
use crate::error::Error;
use crate::plugin::answer::ReportEdit;
use crate::symbols::Symbols;
use crate::trial::console::WINDOW;
use crate::trial::console::windows;

/// Most that is read of a file.
const LONGEST: u64 = 256 << 20;

/// What the classifiers made of a console.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classified {
    /// The crashes, in console order.
    pub reports: Vec<CrashReport>,
    /// Who did what, in turn; plugins that failed are left out.
    pub steps: Vec<(String, Vec<ReportEdit>)>,
    /// What plugins took out, in turn.
    pub ignored: Vec<Ignored>,
}

/// A report that a plugin called no crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Which plugin.
    pub plugin: String,
    /// The report's title.
    pub title: String,
    /// Why, in the plugin's words.
    pub why: String,
}

/// The bytes of a console's file.
///
/// # Errors
///
/// It cannot be read, or is too long for a console.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    bounded::read(path, LONGEST)
}

/// The bytes of a console that somebody hands over.
///
/// # Errors
///
/// As for [`read`].
pub fn read_from(source: impl Read) -> io::Result<Vec<u8>> {
    bounded::read_from(source, LONGEST)
}

/// The crashes on a console of any size, with spans in `console` as given. With symbols, frames get their places first.
///
/// # Errors
///
/// The bundled classifier failed: nobody can say what the console shows.
pub fn classify(policies: &Policies, console: &[u8], symbols: Option<&Symbols>) -> Result<Classified, Error> {
    // Most consoles have no carriage returns.
    let mut text = Cow::Borrowed(console);
    // How much of the text stands before each of them.
    let mut returns: Vec<usize> = Vec::new();
    if console.contains(&b'\r') {
        let parts: Vec<&[u8]> = console.split(|byte| *byte == b'\r').collect();
        returns.extend(parts[..parts.len() - 1].iter().scan(0, |before, part| {
            *before += part.len();
            Some(*before)
        }));
        text = parts.concat().into();
    }
    let place = |offset: usize| {
        let dropped = returns.partition_point(|at| *at < offset);
        u32::try_from(offset + dropped).unwrap_or(u32::MAX)
    };
    let mut all = Classified::default();
    for (begin, window) in windows(&text, &policies.markers()) {
        let annotated = symbols.map(|symbols| symbols.annotate(&window, WINDOW));
        let text = annotated.as_ref().map_or(&window, |annotated| &annotated.text);
        let mut classified = policies.classify_in_steps(text).map_err(|failure| Error::internal(failure.reason))?;
        let shift = |report: &mut CrashReport| {
            report.span = report.span.map(|span| {
                let span = annotated.as_ref().map_or(span, |annotated| annotated.in_console(span));
                Span { start: place(begin + span.start as usize), end: place(begin + span.end as usize) }
            });
        };
        classified.reports.iter_mut().for_each(shift);
        for edit in classified.steps.iter_mut().flat_map(|(_, edits)| edits) {
            match edit {
                ReportEdit::Add(report) | ReportEdit::Replace(_, report) => shift(report),
                ReportEdit::Ignore(..) => {}
            }
        }
        all.reports.extend(classified.reports);
        all.steps.extend(classified.steps);
        all.ignored.extend(classified.ignored);
    }
    Ok(all)
}

/// Whether a kernel may print such a title: a console that is nothing else is a crash, or the title begins with a word by which
/// classifiers know crashes.
pub fn is_title(policies: &Policies, title: &str) -> bool {
    let console = format!("[    1.000000] {title}\n");
    if classify(policies, console.as_bytes(), None).is_ok_and(|classified| !classified.reports.is_empty()) {
        return true;
    }
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
        words.map(str::to_owned).collect()
    };
    let head = title.split(" in ").next().and_then(|head| head.split(": ").next()).unwrap_or_default();
    let markers: Vec<String> = policies.markers().iter().flat_map(|marker| words(&String::from_utf8_lossy(marker))).collect();
    words(head).iter().any(|word| markers.contains(word))
}
