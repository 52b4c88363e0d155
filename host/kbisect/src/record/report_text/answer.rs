//! The answer itself: the commit that is named, with what it is; or why none is, and what is left.

use std::fmt::Write as _;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Reading;
use kbisect_core::bisector::Suspect;
use kbisect_core::caveat::Caveat;
use kbisect_core::caveat::CaveatKind;

use super::fit::WIDTH;
use super::fit::filled;
use super::fit::narrower;
use super::fit::wrapped;
use super::percent;
use crate::record::cited;
use crate::record::event::CommitText;
use crate::record::report::Named;
use crate::record::report::Report;

/// So many lines of a commit's message are shown.
const MESSAGE: usize = 12;
/// So many files of a commit are shown.
const FILES: usize = 8;

/// The answer in its first line, and the commit it names; without an answer, what can be done.
pub(super) fn headline(report: &Report) -> String {
    match (&report.conclusion, &report.named) {
        (Conclusion::Found { suspects }, Some(named)) => name(report, named, suspects.get(1)),
        (Conclusion::Found { suspects }, None) => format!("{}:\n\n{}", title(report.kind), candidates(suspects)),
        (Conclusion::Inconclusive { suspects, why, readings }, _) => inconclusive(report, suspects, why, readings),
        (Conclusion::NotReproduced, _) if report.of_a_log => {
            "Not reproduced: no trial at the start commit showed the crash.\n".to_owned()
        }
        (Conclusion::OldestStillBad { oldest }, _) if report.of_a_log => {
            format!("Older than the range: the crash is already there at {}.\n", oldest.short())
        }
        (Conclusion::NewestStillBad { newest }, _) if report.of_a_log => {
            format!("Not fixed: the crash is still there at {}.\n", newest.short())
        }
        (Conclusion::NotReproduced, _) => not_reproduced(report),
        (Conclusion::OldestStillBad { oldest }, _) => format!(
            "Older than the range: the crash is already there at {}.\n\nName an older good commit, if you know one.\n",
            oldest.short()
        ),
        (Conclusion::NewestStillBad { newest }, _) => format!(
            "Not fixed: the crash is still there at {}.\n\n\
             Name a newer good commit, after a git fetch perhaps; or look for what\n\
             introduced the crash, with kind = \"cause\".\n",
            newest.short()
        ),
        (Conclusion::CannotSearch { why }, _) => {
            format!("No answer: {why}.\n\nMend that and begin a new run; the consoles of all trials are kept with this one.\n")
        }
    }
}

/// That the start commit does not show the target, and what to try: first of all, whether what it does show is meant.
fn not_reproduced(report: &Report) -> String {
    let mut text = "Not reproduced: no trial at the start commit showed the crash.\n\n".to_owned();
    let shown = report.not_counted.other_crashes.iter().max_by_key(|(_, count)| **count).filter(|(_, count)| **count > 1);
    if let Some((title, count)) = shown {
        let _ = write!(
            text,
            "{count} trials showed another one. If that is what you mean, say so in the job:\n\n    title = {title:?}\n\nElse try"
        );
    } else {
        text += "Try";
    }
    text + " a longer time limit ([trial] time_limit, or --time-limit), or\n\
            repeat = true, or the machine that the crash was seen on.\n"
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Cause => "Culprit",
        Kind::Fix => "Fixed by",
    }
}

fn name(report: &Report, named: &Named, second: Option<&Suspect>) -> String {
    let title = if report.only_shows() { "The crash begins to show, the bug is rather older" } else { title(report.kind) };
    let second = second
        .filter(|second| second.probability >= 0.005)
        .map_or_else(String::new, |second| format!(" (second: {}, {})", second.commit.short(), percent(second.probability)));
    let sure = match named.probability {
        Some(probability) => percent(probability) + &second,
        None => "by git bisect's rules (no probability was measured)".to_owned(),
    };
    format!(
        "{title}, {sure}:\n\n  commit {}\n{}{}{}{}{}",
        cited(&named.text.commit, &named.text.subject),
        if named.text.author.is_empty() { String::new() } else { format!("  Author: {}\n", named.text.author) },
        named.text.first_release.as_ref().map_or_else(String::new, |name| format!("  First release with it: {name}\n")),
        origin(&named.text),
        doubts(&named.text),
        contents(&named.text),
    )
}

/// Where the commit comes from, if that is not where it was found.
fn origin(named: &CommitText) -> String {
    let mut text = String::new();
    if let Some(upstream) = &named.upstream {
        let _ = writeln!(text, "  Picked from mainline's {}: blame and reverts go there", upstream.short());
    }
    if named.parents.len() > 1 {
        text.push_str("  A merge: neither side alone has the crash\n");
    }
    text
}

/// What the commit says and changes.
fn contents(named: &CommitText) -> String {
    let said: Vec<&str> = named.message.trim_end().lines().skip(1).skip_while(|line| line.trim().is_empty()).collect();
    // The last paragraph is trailers, if all of it is.
    let last = said.iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    let trailers = said[last..].iter().all(|line| is_trailer(line));
    let body = if trailers { &said[..last] } else { &said[..] };
    let end = body.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let body = filled(&body[..end], WIDTH - 2);
    let mut text = String::new();
    for line in body.iter().take(MESSAGE) {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    if body.len() > MESSAGE {
        let _ = writeln!(text, "  […{} more lines]", body.len() - MESSAGE);
    }
    let stat: Vec<&str> = named.diffstat.lines().collect();
    let (sum, files) = match stat.split_last() {
        Some((sum, files)) if sum.contains("changed") => (Some(sum), files),
        _ => (None, &stat[..]),
    };
    let mut shown: Vec<String> = files.iter().take(FILES).map(|line| narrower(line)).collect();
    if files.len() > FILES {
        shown.push(format!(" and {} more files", files.len() - FILES));
    }
    shown.extend(sum.map(|sum| (*sum).to_owned()));
    match (text.is_empty(), shown.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("\n{text}"),
        (true, false) => format!("\n{}\n", shown.join("\n")),
        (false, false) => format!("\n{text}\n{}\n", shown.join("\n")),
    }
}

/// Whether a line of a message is a trailer: `Signed-off-by: …`.
fn is_trailer(line: &str) -> bool {
    let name = line.split_once(": ").map_or("", |(name, _)| name);
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    !name.is_empty() && name.chars().all(word) || line.starts_with('[') && line.ends_with(']')
}

/// What speaks against a commit whatever the trials say.
fn doubts(named: &CommitText) -> String {
    let mut text = String::new();
    if named.equals_parent {
        text.push_str("  Doubtful: its kernel is the same as its parent's\n");
    }
    if let Some(release) = &named.release {
        let _ = writeln!(text, "  Doubtful: it is release {release} itself");
    }
    text
}

fn inconclusive(report: &Report, suspects: &[Suspect], why: &str, readings: &[Reading]) -> String {
    let (what, beyond) = match report.kind {
        Kind::Cause => ("culprit", "it is older than the range"),
        Kind::Fix => ("fix", "it is not fixed yet"),
    };
    let head = format!("No single {what}: {why}.\n");
    let mut text = if report.caveat.is_some() { wrapped("", head.trim_end()) } else { head } + "\n";
    if readings.len() > 1 {
        for reading in readings {
            let best = match reading.best() {
                Some(best) => format!("{} ({})", best.commit.short(), percent(best.probability)),
                None => format!("{beyond} ({})", percent(reading.end_bad)),
            };
            let titles: Vec<&str> = reading.as_target.iter().filter_map(|look| Some(report.looks.get(look)?.as_str())).collect();
            let condition = if titles.is_empty() {
                "none of the other crashes is the same bug".to_owned()
            } else {
                format!("{} {} the same bug", titles.join(" and "), if titles.len() == 1 { "is" } else { "are" })
            };
            let _ = writeln!(text, "  {} that {condition}: then {best}", percent(reading.weight));
        }
    }
    if report.of_a_log {
        return text.trim_end().to_owned() + "\n";
    }
    if report.caveat.is_some() {
        return text
            + &candidates(suspects)
            + "\nLook for what else changed between their trials: the environment, the\n\
               configuration, files that were built elsewhere.\n";
    }
    text + &candidates(suspects)
        + "\nTo narrow it down, see in the log why commits were skipped or stayed open\n\
           (kbisect log DIR), mend that, and run again; or look at these by hand.\n"
}

/// A caveat beside a name.
pub(super) fn caution(kind: Kind, caveat: &Caveat) -> String {
    let meant = match (kind, caveat.kind) {
        (Kind::Cause, CaveatKind::OnlyShows) => "The bug may be older: here it begins to show.",
        (Kind::Fix, CaveatKind::OnlyShows) => "The bug may still be there: from here on it no longer shows.",
        (_, CaveatKind::NotBuilt) => "Nothing of it is tested.",
    };
    format!("\n{}", wrapped("Caveat: ", &format!("{}. {meant}", caveat.reason)))
}

fn candidates(suspects: &[Suspect]) -> String {
    let mut text = String::new();
    for suspect in suspects.iter().take(20) {
        let _ = writeln!(text, "  {:>6}  {}", percent(suspect.probability), suspect.commit.short());
    }
    if suspects.len() > 20 {
        let _ = writeln!(text, "  and {} more", suspects.len() - 20);
    }
    text
}
