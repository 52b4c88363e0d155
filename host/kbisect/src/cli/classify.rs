//! `kbisect classify`: what the classifiers see on a console, and how well they do on a corpus of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;

use kbisect_core::crash::CrashReport;
use serde_json::json;

use super::classifiers::Classifiers;
use super::print;
use crate::corpus;
use crate::corpus::Case;
use crate::corpus::FIELDS;
use crate::corpus::Field;
use crate::corpus::Score;
use crate::error::Error;
use crate::exit::Exit;
use crate::plugin::answer::ReportEdit;
use crate::policy::Policies;
use crate::policy::console;
use crate::policy::console::Classified;
use crate::symbols::Symbols;

/// Say which crashes a kernel console shows
///
/// Prints title, type, function and file to blame of every crash, in console order. A console without a crash is no error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The console; standard input where it is `-` or left out
    #[arg(value_name = "FILE", conflicts_with = "corpus")]
    file: Option<PathBuf>,

    #[command(flatten)]
    classifiers: Classifiers,

    /// The kernel with its debug information: frames then get files and lines
    #[arg(long, value_name = "VMLINUX", conflicts_with = "corpus")]
    vmlinux: Option<PathBuf>,

    /// Where the kernel's modules are, with their debug information
    #[arg(long, value_name = "DIR", requires = "vmlinux")]
    modules: Option<PathBuf>,

    /// Print JSON
    #[arg(long, conflicts_with = "corpus")]
    json: bool,

    /// Show what each classifier did, and which of its rules matched where
    #[arg(long, conflicts_with_all = ["json", "corpus"])]
    explain: bool,

    /// Classify every file of a folder in the format of syzkaller's report tests, and print how many fields are right
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,

    /// Show expected and given where they differ
    #[arg(long, requires = "corpus")]
    failures: bool,

    /// Exit with 1 where less than this share of a field is right, in percent, such as title=99; more may follow
    #[arg(long, value_name = "FIELD=PERCENT", requires = "corpus")]
    min: Vec<Least>,
}

/// A share that a field must reach; none: all fields of a file together.
#[derive(Debug, Clone, Copy)]
struct Least {
    field: Option<Field>,
    percent: f64,
}

impl FromStr for Least {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || FIELDS.map(Field::name).join(", ") + ", all";
        let (name, percent) = text.split_once('=').ok_or("it must look like title=99")?;
        let field = match FIELDS.into_iter().find(|field| field.name() == name) {
            None if name != "all" => return Err(format!("no field `{name}`; there are {}", names())),
            field => field,
        };
        let percent: f64 = percent.parse().map_err(|_| format!("`{percent}` is no number"))?;
        if (0.0..=100.0).contains(&percent) { Ok(Self { field, percent }) } else { Err("it is between 0 and 100".to_owned()) }
    }
}

/// Classifies a console, or a corpus.
pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let policies = args.classifiers.load()?;
    if let Some(folder) = &args.corpus {
        return of_corpus(&policies, folder, args.failures, &args.min);
    }
    let (name, console) = read(args.file.as_deref())?;
    if let Some(vmlinux) = args.vmlinux.as_ref().filter(|vmlinux| !vmlinux.is_file()) {
        return Err(Error::user(format!("{} is no file", vmlinux.display())));
    }
    let symbols = args.vmlinux.clone().map(|vmlinux| Symbols::new(vmlinux, args.modules.clone()));
    let classified = console::classify(&policies, &console, symbols.as_ref())?;
    print(&if args.json {
        as_json(&classified.reports)?
    } else if args.explain {
        steps(&classified, &console) + "\n" + &for_people(&classified.reports, &console, &name)
    } else {
        for_people(&classified.reports, &console, &name)
    })?;
    Ok(Exit::Success)
}

/// A console and what it is called in messages.
fn read(file: Option<&Path>) -> Result<(String, Vec<u8>), Error> {
    let (name, console) = match file.filter(|file| *file != Path::new("-")) {
        Some(file) => (file.display().to_string(), console::read(file)),
        None => ("standard input".to_owned(), console::read_from(io::stdin().lock())),
    };
    let console = console.map_err(|error| Error::user(format!("cannot read {name}: {error}")))?;
    Ok((name, console))
}

/// All fields of every report; `start` and `end` are offsets in bytes, null where the classifier does not say.
fn as_json(reports: &[CrashReport]) -> Result<String, Error> {
    let reports: Vec<_> = reports
        .iter()
        .map(|report| {
            json!({
                "title": report.title,
                "alt_titles": report.alt_titles,
                "type": report.crash_type,
                "frame": report.frame,
                "trace": report.trace,
                "guilty_file": report.guilty_file,
                "corrupted": report.corrupted,
                "suppressed": report.suppressed,
                "panicked": report.panicked,
                "executor": report.executor,
                "start": report.span.map(|span| span.start),
                "end": report.span.map(|span| span.end),
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({ "schema": 1, "reports": reports }));
    text.map(|text| text + "\n").map_err(|error| Error::internal(error.to_string()))
}

fn for_people(reports: &[CrashReport], console: &[u8], name: &str) -> String {
    if reports.is_empty() {
        return format!("no crash in {name}\n");
    }
    let mut text = String::new();
    for (number, report) in reports.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", report.title);
        let mut say = |what: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                let _ = writeln!(text, "  {what:<10} {value}");
            }
        };
        for title in &report.alt_titles {
            say("also", Some(title.clone()));
        }
        say("type", Some(report.crash_type.clone()));
        say("function", report.frame.clone());
        say("file", report.guilty_file.clone());
        say("trace", Some(report.trace.join(" < ")));
        say("executor", report.executor.clone());
        say("panicked", report.panicked.then(|| "yes".to_owned()));
        say("suppressed", report.suppressed.then(|| "yes: known noise, never the crash that is looked for".to_owned()));
        say("corrupted", report.corrupted.clone());
        say("lines", lines(report, console).map(|(first, last)| format!("{first} to {last}")));
    }
    text
}

/// The first and the last line of a report, from 1.
fn lines(report: &CrashReport, console: &[u8]) -> Option<(usize, usize)> {
    let span = report.span?;
    let newlines = |end: usize| console[..end.min(console.len())].iter().filter(|byte| **byte == b'\n').count();
    let first = newlines(span.start as usize) + 1;
    // The end lies behind the last line's newline.
    Some((first, newlines((span.end as usize).saturating_sub(1)).max(first - 1) + 1))
}

/// What each classifier did.
fn steps(classified: &Classified, console: &[u8]) -> String {
    let mut text = String::new();
    for (plugin, edits) in &classified.steps {
        if edits.is_empty() {
            let _ = writeln!(text, "{plugin} changes nothing");
        }
        for edit in edits {
            let _ = match edit {
                ReportEdit::Add(report) => writeln!(text, "{plugin} adds `{}`{}", report.title, why(report, console)),
                ReportEdit::Replace(index, report) => {
                    writeln!(text, "{plugin} makes report {} `{}`{}", index + 1, report.title, why(report, console))
                }
                ReportEdit::Ignore(index, why) => writeln!(text, "{plugin} ignores report {}: {why}", index + 1),
            };
        }
    }
    if classified.steps.is_empty() {
        text.push_str("no classifier was asked: none of their markers is on the console\n");
    }
    text
}

/// The rule behind a report, as far as the plugin says (property `rule`), and where.
fn why(report: &CrashReport, console: &[u8]) -> String {
    let rule = report.properties.iter().find(|(key, _)| key == RULE).map(|(_, value)| format!(" by the rule for `{value}`"));
    let place = lines(report, console).map(|(first, last)| format!(", lines {first} to {last}"));
    rule.unwrap_or_default() + &place.unwrap_or_default()
}

/// The property of a report that names the rule by which it was found.
const RULE: &str = "rule";

/// Scores the classifiers on a folder of consoles.
fn of_corpus(policies: &Policies, folder: &Path, failures: bool, least: &[Least]) -> Result<Exit, Error> {
    let failed = |error| Error::user(format!("cannot read {}: {error}", folder.display()));
    let cases = corpus::read(folder).map_err(failed)?;
    if cases.is_empty() {
        return Err(Error::user(format!("{} has no files", folder.display())));
    }
    let mut scores: BTreeMap<Field, Score> = BTreeMap::new();
    let mut whole = 0;
    let mut text = String::new();
    for case in &cases {
        let reports = console::classify(policies, &case.console, None)?.reports;
        let misses = case.score(reports.first(), &mut scores);
        whole += u32::from(misses.is_empty());
        if failures && !misses.is_empty() {
            text += &differences(case, &misses);
        }
    }
    let whole = Score { right: whole, wrong: u32::try_from(cases.len()).unwrap_or(u32::MAX) - whole, ..Score::default() };
    let rows = FIELDS.into_iter().filter_map(|field| Some((field.name(), scores.get(&field)?))).chain([("all", &whole)]);
    let _ = writeln!(text, "{:<11}{:>6}{:>8}{:>9}{:>7}", "field", "right", "of", "percent", "F1");
    for (name, score) in rows {
        let (right, counted) = (score.right, score.counted());
        let _ = writeln!(text, "{name:<11}{right:>6}{counted:>8}{:>9.2}{:>7.3}", score.percent(), score.f1());
    }
    print(&text)?;
    let mut below = Vec::new();
    for least in least {
        let score = least.field.map_or(Some(&whole), |field| scores.get(&field)).copied().unwrap_or_default();
        if score.percent() < least.percent {
            let name = least.field.map_or("all", Field::name);
            below.push(format!("{name}: {:.2} % right, less than {} %", score.percent(), least.percent));
        }
    }
    if below.is_empty() { Ok(Exit::Success) } else { Err(Error::internal(below.join("\n"))) }
}

fn differences(case: &Case, misses: &[corpus::Miss]) -> String {
    let mut text = format!("{}\n", case.path.display());
    for miss in misses {
        let _ = writeln!(text, "  {}", miss.field.name());
        for (sign, value) in [('-', &miss.expected), ('+', &miss.given)] {
            if !value.is_empty() {
                let _ = writeln!(text, "    {sign} {value}");
            }
        }
    }
    text
}
