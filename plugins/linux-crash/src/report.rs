//! From a console to reports: which lines belong to each crash, and what the rules say of it.

use kbisect_sdk::CrashReport;
use kbisect_sdk::Property;
use kbisect_sdk::Span;

use crate::blame;
use crate::blame::Blame;
use crate::circumstances;
use crate::corrupted;
use crate::executor;
use crate::guilty;
use crate::header;
use crate::header::Header;
use crate::header::Scanner;
use crate::intruder;
use crate::kind;
use crate::rules;
use crate::rules::Kind;
use crate::rules::Place;
use crate::rules::Row;
use crate::rules::Within;
use crate::stacks;
use crate::stall;
use crate::suppressed;
use crate::template;
use crate::template::Captures;
use crate::title;
use kbisect_sdk::console;
use kbisect_sdk::console::Line;

/// How many lines behind a header its other lines are looked for in.
const NEAR: usize = 200;
/// Lines of a report that are read at most, those of other callers included.
const LONGEST: usize = 4000;
/// A panic's own stack repeats what a report of this many lines has said; KMSAN's are shorter.
const TOLD: usize = 22;
const TOLD_BY_KMSAN: usize = 16;
/// Frames reported of a trace.
const MOST_FRAMES: usize = 64;
/// What KMSAN says before the stack that made uninitialised memory.
const UNINIT: &str = "Uninit was created at:";
const PANIC: &str = "Kernel panic - not syncing";

/// Texts whose presence means that a crash may have started.
#[must_use]
pub fn markers() -> Vec<String> {
    rules::LITERALS.iter().map(|(literal, _)| (*literal).to_owned()).collect()
}

/// The crashes on a console, in its order.
#[must_use]
pub fn reports(console: &[u8]) -> Vec<CrashReport> {
    let scanner = Scanner::new();
    let Some(from) = scanner.first_line(console) else { return Vec::new() };
    let lines: Vec<Line<'_>> = console::lines(&console[from..])
        .into_iter()
        .map(|line| Line { start: line.start + from, end: line.end + from, ..line })
        .collect();
    let headers = scanner.headers(&console[..from], &lines);
    let opened = header::openings(&headers, &lines);
    let panic = lines.iter().rposition(|line| line.text.contains(PANIC));
    let noise = !opened.is_empty() && suppressed::is(console);
    let lost = !opened.is_empty() && corrupted::is_cut_off(console);
    let mut reports = Vec::new();
    for (place, &opening) in opened.iter().enumerate() {
        let console = Console { lines: &lines, headers: &headers[opening..], later: &opened[place + 1..], all: &headers };
        if let Some(report) = console.report() {
            let panicked = panic.is_some_and(|line| line >= headers[opening].line);
            let corrupted = report.corrupted.or_else(|| lost.then(|| "the console was cut off".to_owned()));
            reports.push(CrashReport { panicked, suppressed: noise, corrupted, ..report });
        }
    }
    reports
}

/// What one report is read from.
struct Console<'c, 'a> {
    lines: &'c [Line<'a>],
    /// Its header and those behind.
    headers: &'c [Header],
    /// The headers, by their place among all, that open later reports.
    later: &'c [usize],
    all: &'c [Header],
}

/// One line that belongs to a report.
struct Own<'c, 'a> {
    line: &'c Line<'a>,
    /// It begins another crash.
    intrudes: bool,
}

impl<'c, 'a> Console<'c, 'a> {
    /// What the rules say of one report. None when no row fits.
    fn report(&self) -> Option<CrashReport> {
        let header = self.headers.first()?;
        let first = &self.lines[header.line];
        let (own, headers_end, interrupted) = self.own(header);
        let texts: Vec<&str> = own.iter().map(|own| &*own.line.text).collect();
        let mut captures = Captures::new();
        let (row, at, behind) =
            header.rows.iter().find_map(|&(row, at)| Some((row, at, fits(row, &first.text[at..], &own[1..], &mut captures)?)))?;
        let events = stacks::events(own.iter().skip(1).map(|own| (&*own.line.text, own.intrudes)), behind);
        let blame = blame::blame(row, &events, &captures);
        let symbol = match blame {
            Blame::Function(symbol) => Some(symbol),
            Blame::Nobody | Blame::Torn => None,
        };
        let stuck = row.kind == Kind::Is("HANG");
        let renamed = symbol.filter(|_| row.keep != rules::ALL);
        let name = renamed.map(title::function).map(|name| if stuck { stall::bucket(&name) } else { name });
        let name = name.or_else(|| symbol.map(str::to_owned));
        let origin = blame::origin(&texts, UNINIT).map(title::function);
        if let Some(origin) = &origin {
            captures.push(("origin", origin));
        }
        let mut report = CrashReport::default();
        name_report(&mut report, row, &captures, name.as_deref().unwrap_or("corrupted"), renamed);
        report.frame = name;
        // The words of an unknown header are the title, and another message stands among them.
        let torn = first.cut && row.place == Place::Stamped;
        let torn = torn.then(|| "another message was printed into the header".to_owned());
        report.corrupted = torn.or_else(|| corrupted::why(row, &report.title, &texts, blame, interrupted));
        report.crash_type = kind::of(&report.title).to_owned();
        let printed = self.lines[header.line..].iter().take(LONGEST).map(|line| &*line.text);
        report.executor = texts.iter().copied().chain(printed).find_map(executor::of);
        let story = blame::story(row, &events);
        report.guilty_file = guilty::of(row, &first.text[at..], &texts, &story);
        report.trace =
            story.iter().filter(|frame| !frame.inlined).take(MOST_FRAMES).map(|frame| title::function(frame.symbol)).collect();
        report.trace.dedup();
        let end = own.last().map_or(first.end, |last| last.line.end);
        report.span = Some(Span { start: u32::try_from(self.lines[header.begin].start).ok()?, end: u32::try_from(end).ok()? });
        report.properties.push(Property { key: "rule".to_owned(), value: row.header.to_owned() });
        report.properties.push(Property { key: "headers-end".to_owned(), value: headers_end.to_string() });
        let files = guilty::shown(row, &texts, &story);
        if !files.is_empty() {
            report.properties.push(Property { key: "files".to_owned(), value: files.join(" ") });
        }
        report.properties.extend(circumstances::of(&texts, &stacks::traces(&events), &report.trace));
        Some(report)
    }

    /// The lines of the report: the same caller's, up to the next report's header; where the last of its headers ends; and
    /// whether that next report is why they end.
    fn own(&self, header: &Header) -> (Vec<Own<'c, 'a>>, usize, bool) {
        let first = &self.lines[header.line];
        let same = |line: usize| header::same_context(first, &self.lines[line]);
        let next = self.later.iter().map(|place| self.all[*place].begin).find(|line| same(*line)).unwrap_or(self.lines.len());
        let until = next.min(header.line + LONGEST);
        let kmsan = header.rows.first().is_some_and(|(row, _)| row.header.starts_with("BUG: KMSAN"));
        let told = if kmsan { TOLD_BY_KMSAN } else { TOLD };
        let mut headers = self.headers.iter().skip(1).peekable();
        let mut own = vec![Own { line: first, intrudes: false }];
        let mut headers_end = first.end;
        for index in header.line + 1..until {
            let begins = headers.next_if(|other| other.line == index);
            if !same(index) {
                continue;
            }
            let line = &self.lines[index];
            if line.text.contains(PANIC) && own.len() > told {
                break;
            }
            if begins.is_some() {
                headers_end = line.end;
            }
            own.push(Own { line, intrudes: begins.is_some_and(|other| other.within() == Within::Other) });
        }
        (own, headers_end, until == next && next < self.lines.len())
    }
}

/// Fills in title and other titles.
fn name_report(report: &mut CrashReport, row: &Row, captures: &Captures<'_>, frame: &str, symbol: Option<&str>) {
    let named = |title: &str, frame: &str| {
        let captures: Vec<(&str, &str)> = [("frame", frame)].into_iter().chain(captures.iter().copied()).collect();
        title::sanitize(&template::fill(title, &captures))
    };
    report.title = named(row.title, frame);
    let known = |alt: &&&str| !alt.contains("{origin}") || captures.iter().any(|(name, _)| *name == "origin");
    let mut others: Vec<String> = row.alt.iter().filter(known).map(|alt| named(alt, frame)).collect();
    for other in symbol.into_iter().flat_map(title::other_names).filter(|other| other != frame) {
        others.extend([row.title].iter().chain(row.alt).map(|title| named(title, &other)));
    }
    others.sort();
    others.dedup();
    others.retain(|other| *other != report.title);
    report.alt_titles = others;
}

/// Whether the patterns of a row fit, before anything else is printed: the place of the last line that one of them fits, the one
/// behind the header being the first.
fn fits<'t>(row: &'static Row, header: &'t str, behind: &'t [Own<'_, '_>], captures: &mut Captures<'t>) -> Option<usize> {
    captures.clear();
    if !template::starts(row.header, header, captures) {
        return None;
    }
    let torn = behind.iter().position(|own| own.intrudes || intruder::begins(&own.line.text)).map_or(NEAR, |at| at + 1);
    let mut lines = behind.iter().take(torn.min(NEAR)).map(|own| &*own.line.text).enumerate();
    let mut last = 0;
    for pattern in row.also {
        last = lines.find(|(_, text)| template::occurs(pattern, text, captures))?.0;
    }
    Some(last)
}
