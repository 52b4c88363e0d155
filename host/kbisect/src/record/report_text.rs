//! The result as text (`report.txt`): the body of a mail, culprit first, one screen, lines of at most 75 columns but for tags; then the
//! console's lines, and behind them what only those read who doubt the answer.
//!
//! Form: what recipients of such mails asked for. The culprit and the start commit cannot be confused; `Fixes:` and `Closes:` are
//! given only for a single commit that the trials confirm and nobody has mended, behind `| ` so that tag collectors do not take them.

mod answer;
mod evidence;
mod fit;

use std::fmt::Write as _;

use kbisect_core::bisector::Kind;
use kbisect_core::caveat::CaveatKind;
use kbisect_core::commit::CommitId;
use kbisect_core::credence::Credence;
use kbisect_core::policy::Role;
use kbisect_core::policy::Verdict;
use kbisect_core::reach::Reached;

use self::fit::WIDTH;
use self::fit::broken;
use self::fit::fitted;
use self::fit::wrapped;
use super::cited;
use super::counted;
use super::duration;
use super::event::Recipient;
use super::faces::FaceCount;
use super::report::Named;
use super::report::Report;
use super::report::SCRIPT;

/// The list of the tracker.
const REGRESSIONS: &str = "regressions@lists.linux.dev";
/// So many assumptions are told one by one.
const ASSUMED: usize = 6;
/// Of so many candidates it is told what they weighed before the trials.
const PRIORS: usize = 5;

/// The text of the report.
pub fn render(report: &Report) -> String {
    let mut text = answer::headline(report);
    if report.of_a_log {
        text.push_str("\nThis is what a log of syzbot's comes to, read by today's plugins; nothing\nwas tested here, and of the history only what the log tells is known.\n");
        let agrees =
            report.log_named.as_ref().is_none_or(|log| report.named.as_ref().is_some_and(|own| own.text.commit == log.commit));
        if let Some(named) = report.log_named.as_ref().filter(|_| !agrees) {
            text += &wrapped("", &format!("The log itself named {}.", cited(&named.commit, &named.subject)));
        }
    }
    if let (Some(caveat), Some(_)) = (&report.caveat, &report.named) {
        text += &answer::caution(report.kind, caveat);
    }
    crash(&mut text, report);
    on_trust(&mut text, report);
    assumed(&mut text, report);
    evidence::evidence(&mut text, report);
    evidence::reach(&mut text, report, |reached| reached == Reached::No);
    if let Some(named) = &report.named {
        evidence::newer(&mut text, named);
        if let Some(credence) = &named.credence {
            let _ = writeln!(text, "That it introduced the crash: {}", percent(credence.probability));
        }
    }
    if let Some(minimized) = &report.minimized {
        text += &wrapped("Configuration: ", &minimized.told());
    }
    evidence::not_counted(&mut text, report);
    evidence::other_bugs(&mut text, &report.other_bugs);
    if let Some(named) = &report.named {
        evidence::checks(&mut text, report, named);
    }
    setting(&mut text, report);
    for warning in &report.warnings {
        let _ = writeln!(text, "Warning: {warning}");
    }
    recipients(&mut text, report);
    let mut text = fitted(&text);
    if let Some(named) = &report.named {
        tags(&mut text, report, named);
    }
    splat(&mut text, report);
    text + &fitted(&details(report))
}

/// The console's lines.
fn splat(text: &mut String, report: &Report) {
    if report.splat.is_empty() {
        return;
    }
    let subject = |commit: CommitId| report.tested.iter().find(|one| one.tested.commit == commit).map(|one| one.subject.as_str());
    match report.splat_at {
        Some(at) => {
            let at = subject(at).map_or_else(|| at.short(), |subject| cited(&at, subject));
            *text += &format!("\n{}\n", wrapped("", &format!("The crash at {at}:")));
        }
        None => text.push('\n'),
    }
    *text += &report.splat;
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Why the answer is as sure as it is, what else was looked at, and what that took.
fn details(report: &Report) -> String {
    let mut text = "\nDetails of the bisection:\n".to_owned();
    if let Some(credence) = report.named.as_ref().and_then(|named| named.credence.as_ref()) {
        sureness(&mut text, credence);
    }
    prior(&mut text, report);
    evidence::reach(&mut text, report, |reached| reached != Reached::No);
    for other in &report.other_bugs {
        evidence::other_bug(&mut text, other);
    }
    let _ = writeln!(
        text,
        "Effort: {} on {} in {} (builds {})",
        counted(report.trials, "trial"),
        counted(report.tested.len() as u64, "commit"),
        duration::short(report.seconds),
        duration::short(report.build_seconds)
    );
    text
}

/// The text for the regression tracker of Linux: its list is told (`reporting-regressions.rst`), and its paragraph stands at the end
/// (`handling-regressions.rst`). None for a fix, and where nothing is known.
pub fn for_tracker(report: &Report) -> Option<String> {
    let paragraph = regzbot(report)?;
    let mut report = report.clone();
    if !report.recipients.iter().any(|one| one.email == REGRESSIONS) {
        let reason = "tracks regressions".to_owned();
        report.recipients.push(Recipient { name: None, email: REGRESSIONS.to_owned(), to: false, reason });
    }
    Some(render(&report) + &paragraph)
}

/// The tracker's paragraph: the culprit, or where only a range is known that.
fn regzbot(report: &Report) -> Option<String> {
    if report.kind == Kind::Fix {
        return None;
    }
    let introduced = match &report.named {
        Some(named) => named.text.upstream.unwrap_or(named.text.commit).short(),
        None => {
            let good = |role: Role| matches!(role, Role::GoodEnd | Role::Release | Role::MergeBase);
            let known = report.tested.iter().rev().map(|one| &one.tested);
            let good = known.clone().find(|one| good(one.role) && one.verdict == Some(Verdict::Good))?;
            format!("{}..{}", good.commit.short(), report.start.commit.short())
        }
    };
    let title = report.titles.first().map_or_else(String::new, |title| format!("#regzbot title: {title}\n"));
    Some(format!("\n#regzbot introduced: {introduced}\n{title}\n"))
}

/// With what it was tested, and how to see it again.
fn setting(text: &mut String, report: &Report) {
    if let Some(setting) = &report.setting {
        let built = report.named.as_ref().and_then(|named| named.compiler.as_ref());
        if let Some(build) = &setting.build {
            let _ = writeln!(text, "Build: {build}{}", built.map_or_else(String::new, |compiler| format!(", {compiler}")));
        }
        for patch in &setting.patches {
            let _ = writeln!(text, "Changed by: {patch}");
        }
        let _ = writeln!(text, "Machine: {}\nTest: {}", setting.machine, setting.test);
    }
    if let Some(named) = report.named.as_ref().filter(|named| !named.lost.is_empty()) {
        let _ = writeln!(text, "Not in the configuration there: {}", named.lost.join(", "));
    }
    let (script, files): (Vec<&String>, Vec<&String>) = report.files.iter().partition(|name| *name == SCRIPT);
    if !script.is_empty() {
        let _ = writeln!(text, "Reproduce: sh {SCRIPT}");
    }
    if !files.is_empty() {
        let files: Vec<&str> = files.into_iter().map(String::as_str).collect();
        let _ = writeln!(text, "Files: {}", files.join(" "));
    }
}

/// What commits weighed before the trials.
fn prior(text: &mut String, report: &Report) {
    match (&report.named, &report.prior[..]) {
        (Some(_), [named, ..]) => *text += &wrapped("Before the trials: ", &named.told()),
        (None, all) => {
            for one in all.iter().take(PRIORS) {
                *text += &wrapped(&format!("Before the trials: {}  ", one.commit.short()), &one.told());
            }
        }
        (Some(_), []) => {}
    }
}

fn crash(text: &mut String, report: &Report) {
    let title = report.titles.first().map_or("not seen in any trial", String::as_str);
    let start = report.start.commit;
    let not = match (&report.named, report.kind) {
        (None, _) => "",
        (Some(named), Kind::Cause) if named.text.commit == start => ", which is the culprit itself",
        (Some(_), Kind::Cause) => ", which is NOT the culprit",
        (Some(_), Kind::Fix) => ", which is NOT the fix",
    };
    let hit = report.tested.iter().any(|one| one.tested.commit == start && one.tested.hits > 0);
    let seen = if hit { "seen on" } else { "reported at" };
    let times = |face: &FaceCount| format!("in {}", counted(u64::from(face.trials), "trial"));
    let times_first = match report.faces.first() {
        Some(face) if face.trials > 0 => format!("{}, ", times(face)),
        _ => String::new(),
    };
    let start = cited(&start, &report.start.subject);
    let _ = write!(text, "\nCrash: {title}\n{}", wrapped("  ", &format!("({times_first}{seen} {start}{not})")));
    for face in report.faces.iter().skip(1).take(5) {
        let _ = writeln!(text, "  also: {}   ({})", face.title, times(face));
    }
}

/// The ends that no trial has confirmed.
fn on_trust(text: &mut String, report: &Report) {
    if report.on_trust.is_empty() || report.named.is_none() {
        return;
    }
    let claim = |end: &CommitId| {
        let claimed = match (*end == report.start.commit, report.kind) {
            (true, Kind::Cause) => "is bad",
            (true, Kind::Fix) => "crashes",
            (false, Kind::Cause) => "is good",
            (false, Kind::Fix) => "is fixed",
        };
        format!("{} {claimed}", end.short())
    };
    let claims: Vec<String> = report.on_trust.iter().map(claim).collect();
    let _ = writeln!(text, "Taken on trust, not tested: {}", claims.join(", "));
    if report.on_trust.contains(&report.start.commit) {
        text.push_str("  (strategy posterior tests the ends first, and measures how sure it is)\n");
    }
}

/// What somebody vouches for.
fn assumed(text: &mut String, report: &Report) {
    for one in report.assumed.iter().take(ASSUMED) {
        let _ = writeln!(text, "Assumed: {} is {}", one.commit.short(), said(&one.verdict));
    }
    if report.assumed.len() > ASSUMED {
        let _ = writeln!(text, "Assumed: {} more verdicts", report.assumed.len() - ASSUMED);
    }
}

fn said(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Bad => "bad",
        Verdict::Skip(_) => "untestable",
    }
}

/// The three chances behind the name, and their product.
fn sureness(text: &mut String, credence: &Credence) {
    let _ = writeln!(text, "That it introduced the crash: {}", percent(credence.probability));
    let parts = [("begins here", &credence.boundary), ("same bug", &credence.same), ("not older", &credence.introduced)];
    for (what, part) in parts {
        let head = format!("  {what:<11} {:>6}  ", percent(part.chance));
        for line in broken(&head, part.reason.split(' '), &" ".repeat(head.len()), WIDTH) {
            let _ = writeln!(text, "{line}");
        }
    }
}

fn recipients(text: &mut String, report: &Report) {
    for one in &report.recipients {
        let field = if one.to { "To" } else { "Cc" };
        let who = one.name.as_ref().map_or_else(|| one.email.clone(), |name| format!("{name} <{}>", one.email));
        let _ = writeln!(text, "{field}: {who}  ({})", one.reason);
    }
    text.push_str("No person has checked this result.\n");
}

fn tags(text: &mut String, report: &Report, named: &Named) {
    let link = report.setting.as_ref().and_then(|setting| setting.link.as_ref());
    let fixes = is_confirmed(report, named).then(|| named.fixes_tag.clone());
    let tags: Vec<String> = fixes.into_iter().chain(link.map(|link| format!("Closes: {link}"))).collect();
    let is_mended = named.text.newer.iter().flat_map(|newer| &newer.mentions).any(|mention| !mention.in_start);
    if report.kind == Kind::Fix || tags.is_empty() || is_mended {
        return;
    }
    text.push_str("\nIf you fix it, please add as appropriate:\n");
    for tag in tags {
        let _ = writeln!(text, "| {tag}");
    }
}

/// Whether a patch may blame the commit: it crashed, or what it was built of is known to, a parent of it is known to be good, none crashed
/// although the reproducer got there, and its change is in the kernel. A log that others made is taken at its word.
fn is_confirmed(report: &Report, named: &Named) -> bool {
    let of = |commit: &CommitId| report.tested.iter().find(|one| one.tested.commit == *commit).map(|one| &one.tested);
    let clean = |parent: &CommitId| of(parent).is_none_or(|parent| parent.hits == 0) && !report.is_not_exercised(parent);
    let good = |parent: &CommitId| of(parent).is_some_and(|one| one.clean + one.other > 0 || one.verdict == Some(Verdict::Good));
    let told_apart = named.text.parents.is_empty() || named.text.parents.iter().any(good);
    let built = told_apart
        && !named.text.equals_parent
        && report.caveat.as_ref().is_none_or(|caveat| caveat.kind != CaveatKind::NotBuilt);
    report.of_a_log || built && of(&named.text.commit).is_some_and(|own| own.hits > 0) && named.text.parents.iter().all(clean)
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
    use kbisect_core::credence::Credit;
    use kbisect_core::credence::Findings;
    use kbisect_core::credence::Trials;

    use super::*;

    #[test]
    fn probabilities_are_never_certain() {
        for (probability, text) in
            [(1.0, "> 99.9 %"), (0.995, "99.5 %"), (0.97, "97 %"), (0.0123, "1 %"), (0.004, "0.4 %"), (0.0, "< 0.1 %")]
        {
            assert_eq!(percent(probability), text);
        }
    }

    #[test]
    fn three_chances_in_lines_that_fit_a_mail() {
        let credit = Credit { odds: 2.16, reason: "it touches net/netfilter/nf_tables_api.c of the stack's 7".to_owned() };
        let credence = Credence::of(&Findings {
            boundary: 0.995,
            trials: Trials::Search,
            same: 0.98,
            shown: 1.0,
            equal_kernels: false,
            releases: 4,
            reached: None,
            credit: Some(credit),
        });
        let mut text = String::new();
        sureness(&mut text, &credence);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        insta::assert_snapshot!(text, @r"
        That it introduced the crash: 77 %
          begins here 99.5 %  the trials leave 1 % for other commits
          same bug      99 %  100 % of its trials show the crash, which is the
                              target's with 98 %
          not older     78 %  it is clean only 4 releases back, where 37 % of the
                              bugs only hide; it touches
                              net/netfilter/nf_tables_api.c of the stack's 7
        ");
    }
}
