//! From a console to reports: which headers open one, which lines belong to it, and what the rules say of it.

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use aho_corasick::MatchKind;
use kbisect_sdk::CrashReport;
use kbisect_sdk::Span;

use crate::console;
use crate::console::Line;
use crate::frames;
use crate::frames::Frame;
use crate::frames::Stacks;
use crate::guilty;
use crate::kind;
use crate::rules;
use crate::rules::Follows;
use crate::rules::Form;
use crate::rules::Place;
use crate::rules::Rule;
use crate::rules::Source;
use crate::skip;
use crate::stall;
use crate::template;
use crate::template::Captures;
use crate::title;

/// More crashes than these say nothing new, and an answer has a size limit.
const MOST_REPORTS: usize = 64;
/// How many lines behind a header its other lines are looked for in.
const NEAR: usize = 200;
/// How many lines of a report are looked for behind the header of another caller's report.
const INTERLEAVED: usize = 2000;
/// Frames reported of a trace.
const MOST_FRAMES: usize = 64;

/// Texts whose presence means that a crash may have started.
#[must_use]
pub fn markers() -> Vec<String> {
    rules::all().map(|rule| rule.literal.to_owned()).collect()
}

/// The crashes on a console, in its order.
#[must_use]
pub fn reports(console: &[u8]) -> Vec<CrashReport> {
    let lines = console::lines(console);
    let opened = openings(&lines);
    let panic = lines.iter().rposition(|line| line.text.contains("Kernel panic - not syncing"));
    opened
        .iter()
        .enumerate()
        .filter_map(|(place, header)| {
            let report = report(header, extent(&lines, header, &opened[place + 1..]))?;
            Some(CrashReport { panicked: panic.is_some_and(|line| line >= header.line), ..report })
        })
        .collect()
}

/// The lines that can belong to a report: up to the next one. Another caller's report is printed in between, not instead.
fn extent<'l, 'a>(lines: &'l [Line<'a>], header: &Header, later: &[Header]) -> &'l [Line<'a>] {
    let start = &lines[header.line];
    let next = later.iter().find(|other| same_context(start, &lines[other.line])).map_or(lines.len(), |other| other.line);
    let foreign = later.first().map_or(next, |other| other.line);
    &lines[header.line..next.min(foreign.saturating_add(INTERLEAVED))]
}

/// A line that begins an oops.
#[derive(Debug, Clone, Copy)]
struct Header {
    /// Index of the line.
    line: usize,
    /// Where the rule's literal stands in its text.
    at: usize,
    rule: &'static Rule,
}

/// The headers that open a report of their own.
fn openings(lines: &[Line<'_>]) -> Vec<Header> {
    let rules: Vec<&'static Rule> = rules::all().collect();
    let Ok(literals) = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(rules.iter().map(|rule| rule.literal))
    else {
        return Vec::new();
    };
    let mut opened: Vec<Header> = Vec::new();
    let mut current = Open::default();
    let mut booted = false;
    for (index, line) in lines.iter().enumerate() {
        let found = literals
            .find_iter(&*line.text)
            .map(|found| Header { line: index, at: found.start(), rule: rules[found.pattern().as_usize()] })
            .find(|header| counts(header, line, booted));
        booted |= line.stamped;
        if let Some(header) = found
            && current.lets(&header, lines, opened.last())
        {
            if opened.len() == MOST_REPORTS {
                break;
            }
            opened.push(header);
            current = Open::default();
        } else if let Some(header) = opened.last()
            && same_context(&lines[header.line], line)
        {
            current.read(&line.text);
        }
    }
    opened
}

/// Whether the literal stands where it may, and the line is none of the exceptions (which are compared without regard to case).
fn counts(header: &Header, line: &Line<'_>, booted: bool) -> bool {
    let placed = match header.rule.place {
        Place::Anywhere => true,
        Place::LineStart => header.at == 0,
        Place::AfterBoot => header.at == 0 && booted,
    };
    // `DEBUG: ` and `/usr/src/BUG: ` are no bugs.
    let capital = header.rule.literal.starts_with(|c: char| c.is_ascii_uppercase());
    let inside = |c: char| c == '/' || capital && c.is_ascii_alphanumeric();
    let whole = !line.text[..header.at].ends_with(inside);
    placed
        && whole
        && (header.rule.except.is_empty() || {
            let text = line.text.to_ascii_lowercase();
            !header.rule.except.iter().any(|except| text.contains(&except.to_ascii_lowercase()))
        })
}

/// How far the report that is being printed has come.
#[derive(Debug, Default)]
struct Open {
    frames: bool,
    closed: bool,
}

impl Open {
    fn read(&mut self, text: &str) {
        if !self.frames {
            self.frames = frames::frame(text).is_some_and(|frame| !frame.doubtful);
        } else if text.starts_with("---[ end") || text.starts_with("======") {
            self.closed = true;
        }
    }

    /// Whether a header opens a new report, given the one before.
    fn lets(&self, header: &Header, lines: &[Line<'_>], before: Option<&Header>) -> bool {
        let Some(before) = before else { return true };
        match header.rule.follows {
            Follows::Always => false,
            Follows::WhileOpen if !self.closed => false,
            _ => self.frames || !same_context(&lines[before.line], &lines[header.line]),
        }
    }
}

/// Whether two lines can belong to one message: the same caller, as far as the console says.
fn same_context(one: &Line<'_>, other: &Line<'_>) -> bool {
    match (one.caller, other.caller) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// What the rules say of one report; `lines` begin with its header. None when no form of its rule fits.
fn report(header: &Header, lines: &[Line<'_>]) -> Option<CrashReport> {
    let first = &lines[0];
    let text = &first.text[header.at..];
    let own = || lines.iter().filter(|line| same_context(first, line)).map(|line| &*line.text);
    let stacks = frames::stacks(own());
    let mut report = CrashReport::default();
    let mut captures = Captures::new();
    captures.push(("prefix", prefix(&first.text)));
    let form = header.rule.forms.iter().find(|form| fits(form, text, own().skip(1), &mut captures))?;
    let symbol = blame(form, &stacks, &captures);
    let name = symbol.map(|symbol| stall::bucket(&title::function(symbol)));
    let nameless = !form.frame.is_empty() && name.is_none();
    name_report(&mut report, form, &captures, name.as_deref().unwrap_or("corrupted"), symbol);
    report.frame = name;
    report.corrupted = if first.cut {
        Some("another message was printed into the header".to_owned())
    } else if nameless {
        Some("no function to blame was printed".to_owned())
    } else if stacks.broken {
        Some("a stack was announced, and none followed".to_owned())
    } else {
        form.corrupted.map(str::to_owned)
    };
    report.crash_type = kind::of(&report.title).to_owned();
    report.executor = own().find_map(executor);
    report.guilty_file = guilty_file(form, &stacks).or_else(|| guilty::pick(guilty::named(text).into_iter())).map(str::to_owned);
    report.trace = trace(form, &stacks);
    report.span = span(first, lines);
    Some(report)
}

/// Fills in title and other titles.
fn name_report(report: &mut CrashReport, form: &Form, captures: &Captures<'_>, frame: &str, symbol: Option<&str>) {
    let named = |title: &&str, frame: &str| {
        let captures: Vec<(&str, &str)> = captures.iter().copied().chain([("frame", frame)]).collect();
        title::sanitize(&template::fill(title, &captures))
    };
    report.title = named(&form.title, frame);
    let mut others: Vec<String> = form.alt.iter().map(|alt| named(alt, frame)).collect();
    // A system call is also known by the name of its entry.
    if let Some(symbol) = symbol.map(skip::base)
        && symbol != frame
    {
        others.extend([form.title].iter().chain(form.alt).map(|title| named(title, symbol)));
    }
    others.sort();
    others.dedup();
    others.retain(|other| *other != report.title);
    report.alt_titles = others;
}

/// `BUG` or `WARNING`: which of the two lockdep's banner says.
fn prefix(text: &str) -> &'static str {
    if text.contains("BUG:") { "BUG" } else { "WARNING" }
}

fn fits<'t>(form: &Form, header: &'t str, behind: impl Iterator<Item = &'t str>, captures: &mut Captures<'t>) -> bool {
    let before = captures.len();
    let Some((first, others)) = form.seen.split_first() else { return false };
    let mut behind = behind.take(NEAR);
    let fits = template::starts(first, header, captures)
        && others.iter().all(|pattern| behind.any(|text| template::occurs(pattern, text, captures)));
    if !fits {
        captures.truncate(before);
    }
    fits
}

/// The symbol of the function to blame.
fn blame<'a>(form: &Form, stacks: &Stacks<'a>, captures: &Captures<'a>) -> Option<&'a str> {
    let wanted = |symbol: &&'a str| !skip::skipped(symbol, form.skip);
    let named = || captures.iter().find(|(name, _)| *name == "fn").map(|(_, symbol)| *symbol);
    let followed = !stacks.traces.is_empty();
    form.frame.iter().find_map(|source| match source {
        Source::Named => named(),
        Source::Captured => named().filter(|symbol| followed && wanted(symbol)),
        Source::Pointer => stacks.pointer.iter().find(|frame| !frame.inlined).map(|frame| frame.symbol).filter(wanted),
        Source::Trace => stacks.first().iter().filter(|frame| !frame.inlined).map(|frame| frame.symbol).find(wanted),
        Source::Anchor => stall::anchor(stacks).map(|frame| frame.symbol),
    })
}

/// The frames that count: those behind the interrupt for stalls, the instruction pointer first otherwise.
fn counted<'f, 'a>(form: &Form, stacks: &'f Stacks<'a>) -> impl Iterator<Item = &'f Frame<'a>> {
    let trace = if form.frame.contains(&Source::Anchor) { stall::stalled(stacks) } else { stacks.first() };
    let pointed = form.frame.contains(&Source::Pointer);
    stacks.pointer.iter().filter(move |_| pointed).chain(trace)
}

fn trace(form: &Form, stacks: &Stacks<'_>) -> Vec<String> {
    let mut names: Vec<String> = counted(form, stacks)
        .filter(|frame| !frame.inlined)
        .take(MOST_FRAMES)
        .map(|frame| title::function(frame.symbol))
        .collect();
    names.dedup();
    names
}

fn guilty_file<'a>(form: &Form, stacks: &Stacks<'a>) -> Option<&'a str> {
    guilty::pick(counted(form, stacks).filter_map(|frame| frame.file))
}

/// Which of syzkaller's executors the crashing task was: `Comm: syz.3.456` is `proc=3, id=456`.
fn executor(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Comm: syz.")?;
    let (process, rest) = rest.split_once('.')?;
    let id = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
    let digits = !id.is_empty() && !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| format!("proc={process}, id={id}"))
}

/// From the header to the last line that is the kernel's, line ends included where there is one.
fn span(first: &Line<'_>, lines: &[Line<'_>]) -> Option<Span> {
    let last = lines.iter().rfind(|line| line.end > line.start).unwrap_or(first);
    Some(Span { start: u32::try_from(first.start).ok()?, end: u32::try_from(last.end).ok()? })
}
