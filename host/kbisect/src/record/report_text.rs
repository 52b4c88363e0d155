//! The result as text (`report.txt`): the body of a mail, culprit first, one screen, lines of at most 75 columns but for tags.
//!
//! Form: what recipients of such mails asked for. The culprit and the start commit cannot be confused; `Fixes:` and `Closes:` are
//! given only for a single named commit, behind `| ` so that tag collectors do not take them.

use std::fmt::Write as _;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Suspect;

use super::duration;
use super::report::Named;
use super::report::Report;
use super::report::TestedCommit;

/// The text of the report; `link` is the public page of the crash, if there is one.
pub fn render(report: &Report, link: Option<&str>) -> String {
    let mut text = headline(report);
    crash(&mut text, report);
    evidence(&mut text, report);
    not_counted(&mut text, report);
    let _ = writeln!(
        text,
        "Effort: {} trials on {} commits in {} (builds {})",
        report.trials,
        report.tested.len(),
        duration::short(report.seconds),
        duration::short(report.build_seconds)
    );
    for warning in &report.warnings {
        let _ = writeln!(text, "Warning: {warning}");
    }
    recipients(&mut text, report);
    if let Some(named) = &report.named {
        tags(&mut text, named, report.kind, link);
    }
    if !report.splat.is_empty() {
        let _ = write!(text, "\n{}", report.splat);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

/// The answer in its first line, and the commit it names.
fn headline(report: &Report) -> String {
    let mut text = String::new();
    let what = match report.kind {
        Kind::Cause => "Culprit",
        Kind::Fix => "Fix",
    };
    let _ = match (&report.conclusion, &report.named) {
        (Conclusion::Found { suspects }, Some(named)) => {
            let second = suspects.get(1).filter(|second| second.probability >= 0.005).map_or_else(String::new, |second| {
                format!(" (second: {}, {})", second.commit.short(), percent(second.probability))
            });
            write!(
                text,
                "{what}, {}{second}:\n\n  commit {} (\"{}\")\n  Author: {}{}\n",
                percent(named.probability),
                named.text.commit.short(),
                named.text.subject,
                named.text.author,
                named.text.first_release.as_ref().map_or_else(String::new, |name| format!("\n  First release with it: {name}")),
            )
        }
        (Conclusion::Inconclusive { suspects, why, readings }, _) => {
            let _ = writeln!(text, "No single {}: {why}.\n", what.to_lowercase());
            if readings.len() > 1 {
                for reading in readings {
                    let best = reading
                        .suspects
                        .first()
                        .map_or_else(String::new, |best| format!("{} ({})", best.commit.short(), percent(best.probability)));
                    let _ = writeln!(
                        text,
                        "  {} that looks {:?} are the same bug: {best}",
                        percent(reading.weight),
                        reading.as_target
                    );
                }
            }
            write!(text, "{}", candidates(suspects))
        }
        (Conclusion::Found { suspects }, None) => write!(text, "{what}:\n\n{}", candidates(suspects)),
        (Conclusion::NotReproduced, _) => writeln!(
            text,
            "Not reproduced: no trial at the start commit showed the crash.\n\nTry a longer [trial] time_limit, repeat = true, or the machine the crash was seen on."
        ),
        (Conclusion::OldestStillBad { oldest }, _) => writeln!(
            text,
            "Older than the range: the crash is already there at {}.\n\nName an older good commit, if you know one.",
            oldest.short()
        ),
        (Conclusion::NewestStillBad { newest }, _) => {
            writeln!(text, "Not fixed: the crash is still there at {}.", newest.short())
        }
        (Conclusion::CannotSearch { why }, _) => writeln!(text, "No answer: {why}."),
    };
    text
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

fn crash(text: &mut String, report: &Report) {
    let title = report.titles.first().map_or("(not seen)", String::as_str);
    let not = match (&report.named, report.kind) {
        (Some(named), _) if named.text.commit == report.start.commit => "which is the culprit itself",
        (_, Kind::Cause) => "which is NOT the culprit",
        (_, Kind::Fix) => "which is NOT the fix",
    };
    let seen = report.start.commit.short();
    let _ = match report.named {
        Some(_) => writeln!(text, "\nCrash: {title}\n  (seen on {seen}, {not})"),
        None => writeln!(text, "\nCrash: {title}\n  (seen on {seen})"),
    };
    for other in report.titles.iter().skip(1).take(5) {
        let _ = writeln!(text, "  also: {other}");
    }
}

/// How the named commit and its parents did; every tested commit when none is named.
fn evidence(text: &mut String, report: &Report) {
    let Some(named) = &report.named else {
        text.push_str("Evidence:\n");
        for tested in &report.tested {
            evidence_line(text, "", tested);
        }
        return;
    };
    text.push_str("Evidence (same configuration, same compiler):\n");
    let of = |commit| report.tested.iter().find(move |tested| tested.tested.commit == commit);
    let what = match report.kind {
        Kind::Cause => "culprit",
        Kind::Fix => "fix",
    };
    if let Some(tested) = of(named.text.commit) {
        evidence_line(text, what, tested);
    }
    for parent in &named.text.parents {
        if let Some(tested) = of(*parent) {
            evidence_line(text, "parent", tested);
        }
    }
}

fn evidence_line(text: &mut String, what: &str, tested: &TestedCommit) {
    let counts = &tested.tested;
    let valid = counts.hits + counts.clean + counts.other;
    let _ = writeln!(text, "  {what:<8}{}  {:>3} of {valid} trials crash with it", counts.commit.short(), counts.hits);
}

fn not_counted(text: &mut String, report: &Report) {
    let others: u32 = report.not_counted.other_crashes.values().sum();
    let void: u32 = report.not_counted.void.values().sum();
    let titles: Vec<&str> = report.not_counted.other_crashes.keys().map(String::as_str).collect();
    let _ = write!(text, "Not counted: {others} other crash{}", if others == 1 { "" } else { "es" });
    if !titles.is_empty() {
        let _ = write!(text, " ({})", titles.join("; "));
    }
    let _ = writeln!(text, ", {void} void trial{}", if void == 1 { "" } else { "s" });
}

fn recipients(text: &mut String, report: &Report) {
    for one in &report.recipients {
        let field = if one.to { "To" } else { "Cc" };
        let who = one.name.as_ref().map_or_else(|| one.email.clone(), |name| format!("{name} <{}>", one.email));
        let _ = writeln!(text, "{field}: {who}  ({})", one.reason);
    }
    text.push_str("No person has checked this result.\n");
}

fn tags(text: &mut String, named: &Named, kind: Kind, link: Option<&str>) {
    if kind == Kind::Fix {
        return;
    }
    let _ = writeln!(text, "\nIf you fix it, please add as appropriate:\n| {}", named.fixes_tag);
    if let Some(link) = link {
        let _ = writeln!(text, "| Closes: {link}");
    }
}

/// A probability as people read it: never 100 % or 0 %, because nothing here is certain.
pub fn percent(probability: f64) -> String {
    match probability * 100.0 {
        p if p > 99.9 => "> 99.9 %".to_owned(),
        p if p >= 99.0 => format!("{p:.1} %"),
        p if p >= 1.0 => format!("{p:.0} %"),
        p if p >= 0.1 => format!("{p:.1} %"),
        _ => "< 0.1 %".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_never_certain() {
        for (probability, text) in
            [(1.0, "> 99.9 %"), (0.995, "99.5 %"), (0.97, "97 %"), (0.0123, "1 %"), (0.004, "0.4 %"), (0.0, "< 0.1 %")]
        {
            assert_eq!(percent(probability), text);
        }
    }
}
