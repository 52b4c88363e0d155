//! An explanation as text, for terminals of 80 columns.

use std::collections::HashSet;
use std::fmt::Write as _;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;

use super::counted;
use super::explanation::Asked;
use super::explanation::Candidate;
use super::explanation::Counts;
use super::explanation::Explanation;
use super::explanation::Number;
use super::explanation::Standing;
use super::explanation::Stay;
use super::explanation::TrialTold;
use super::mentions;
use super::report::Subject;
use super::report_text::percent;
use super::rows;
use super::terminal::shortened;

/// Columns of a subject behind a commit.
const SUBJECT: usize = 52;
/// A trial whose ratio is this near to 1 is no vote.
const NO_VOTE: f64 = 0.05;
/// So many assumptions are told one by one.
const ASSUMED: usize = 12;
/// Columns of a line.
const WIDTH: usize = 80;

/// The text.
pub fn render(explanation: &Explanation) -> String {
    match &explanation.commit {
        Some(asked) => commit(explanation, asked),
        None => run(explanation),
    }
}

/// The whole run: its way, where it stands, what speaks for whom.
fn run(explanation: &Explanation) -> String {
    let mut text = headline(explanation);
    text += &assumptions(explanation);
    if explanation.stays.is_empty() {
        text.push_str("\nNo trial has ended yet.\n");
    } else {
        let way = if explanation.of_a_log {
            "\nThe way that the log took: what each commit's trials showed, and how likely it\nhas the bug by today's reading of them.\n"
        } else {
            "\nThe way: what each commit's trials showed, how likely it has the bug, and how\nmuch is open (bits: about how many perfect tests are left).\n"
        };
        text.push_str(way);
        text.push_str("  #  commit        why         hit clean void other  P(has it)  bits       is\n");
        explanation.stays.iter().for_each(|stay| text += &row(stay));
    }
    if explanation.retracted > 0 {
        let what = if explanation.retracted == 1 { "trial or assumption" } else { "trials or assumptions" };
        let _ = writeln!(text, "Taken back: {} {what} (still in the counts above).", explanation.retracted);
    }
    text.push('\n');
    if explanation.of_a_log {
        let named = explanation.log_named.as_ref().map_or_else(String::new, |named| format!(" The log named {}.", cited(named)));
        let range = "the range is not known, nor other candidates: there is no history but the log's.";
        text += &wrapped("Now: ", &format!("{}; {range}{named}", answer(explanation)));
    } else {
        let _ = writeln!(text, "Now: {}; {}", standing(&explanation.now), answer(explanation));
    }
    if let Some(caveat) = &explanation.caveat {
        text += &wrapped("Caveat: ", &caveat.reason);
    }
    for one in explanation.reach.iter().filter(|one| one.is_worth_telling()) {
        text += &wrapped("Reach: ", &format!("{} {}", one.commit.short(), one.told()));
    }
    text += &candidates(explanation);
    text + &numbers(&explanation.numbers)
}

fn headline(explanation: &Explanation) -> String {
    let what = match explanation.kind {
        Kind::Cause => "Cause",
        Kind::Fix => "Fix",
    };
    let title = explanation.titles.first().map_or("a crash that is not known yet", String::as_str);
    format!("{what} of {title}\nseen at {}\n", cited(&explanation.start))
}

fn assumptions(explanation: &Explanation) -> String {
    let mut text = String::new();
    for assumed in explanation.assumed.iter().take(ASSUMED) {
        let verdict = rows::verdict(Some(&assumed.assumption.verdict));
        let subject = Subject { commit: assumed.assumption.commit, subject: assumed.subject.clone() };
        let _ = writeln!(text, "assumed {verdict:<4} {}", cited(&subject));
    }
    if explanation.assumed.len() > ASSUMED {
        let _ = writeln!(text, "and {} more that are assumed", explanation.assumed.len() - ASSUMED);
    }
    text
}

/// A commit in one line, cited as far as its subject is known.
fn cited(subject: &Subject) -> String {
    if subject.subject.is_empty() {
        return subject.commit.short();
    }
    super::cited(&subject.commit, &shortened(&subject.subject, SUBJECT))
}

fn row(stay: &Stay) -> String {
    let why = match (&stay.release, stay.by_hand) {
        (_, true) => "by hand",
        (Some(release), false) => release.as_str(),
        (None, false) => rows::word(stay.role),
    };
    let (before, after) = (&stay.before, &stay.after);
    let bits = |standing: &Standing| standing.range.map_or_else(|| "-".to_owned(), |_| format!("{:.1}", standing.bits));
    let Counts { hits, clean, void, other, .. } = stay.counts;
    format!(
        "{:>3}  {}  {:<10} {hits:>4} {clean:>5} {void:>4} {other:>5}  {:>4}→{:<4}  {:>4}→{:<4}  {}\n",
        stay.number,
        stay.commit.commit.short(),
        shortened(why, 10),
        chance(before.bad),
        chance(after.bad),
        bits(before),
        bits(after),
        rows::verdict(stay.verdict.as_ref())
    )
}

/// A probability in four columns; a dash where nobody can say.
fn chance(probability: Option<f64>) -> String {
    probability.map_or_else(|| "-".to_owned(), |probability| format!("{probability:.2}"))
}

fn standing(standing: &Standing) -> String {
    match standing.range {
        Some(range) => format!("{}, {} left, {:.1} bits", counted(range as u64, "commit"), standing.left, standing.bits),
        None => "the range is not known yet".to_owned(),
    }
}

/// Where a search stands, as far as it can be said, and how likely a commit has the bug.
fn stood(explanation: &Explanation, now: &Standing) -> String {
    let range = if explanation.of_a_log { String::new() } else { standing(now) + ", " };
    format!("{range}P(has the bug) {}", precise(now.bad))
}

fn answer(explanation: &Explanation) -> String {
    match &explanation.conclusion {
        None => "no answer yet".to_owned(),
        Some(Conclusion::Found { suspects }) => {
            let what = match explanation.kind {
                Kind::Cause => "the culprit",
                Kind::Fix => "the fix",
            };
            suspects.first().map_or_else(|| "named".to_owned(), |first| format!("{what} is {}", first.commit.short()))
        }
        Some(Conclusion::Inconclusive { why, .. } | Conclusion::CannotSearch { why }) => format!("no answer: {why}"),
        Some(Conclusion::NotReproduced) => "the start commit did not show the crash".to_owned(),
        Some(Conclusion::OldestStillBad { oldest }) => format!("{} already has the bug", oldest.short()),
        Some(Conclusion::NewestStillBad { newest }) => format!("{} still has the bug", newest.short()),
    }
}

fn candidates(explanation: &Explanation) -> String {
    let mut text = String::new();
    for candidate in &explanation.candidates {
        let _ = writeln!(text, "\n{:>8}  {}", percent(candidate.probability), cited(&candidate.commit));
        text += &evidence(explanation.kind, candidate);
    }
    text
}

/// What speaks for and against a candidate.
fn evidence(kind: Kind, candidate: &Candidate) -> String {
    let crashed = |counts: &Counts| (counts.hits, "crashed");
    let clean = |counts: &Counts| (counts.clean, "clean");
    let (with, without) = (&candidate.with, &candidate.without);
    let (for_it, against) = match kind {
        Kind::Cause => (
            [(with, crashed(with), true), (without, clean(without), false)],
            [(with, clean(with), true), (without, crashed(without), false)],
        ),
        Kind::Fix => (
            [(with, clean(with), true), (without, crashed(without), false)],
            [(with, crashed(with), true), (without, clean(without), false)],
        ),
    };
    let said = |(counts, (times, how), contain): (&Counts, (u32, &str), bool)| {
        if times == 0 {
            return None;
        }
        let trials = counted(u64::from(counts.valid()), "trial");
        let commits = counted(u64::from(counts.commits), "tested commit");
        let relation = match (contain, counts.commits) {
            (true, 1) => "that contains it",
            (true, _) => "that contain it",
            (false, _) => "without it",
        };
        Some(format!("{times} of {trials} at {commits} {relation}: {how}"))
    };
    let mut text = String::new();
    for (word, lines) in [("for", for_it), ("against", against)] {
        let lines: Vec<String> = lines.into_iter().filter_map(said).collect();
        for (place, line) in lines.iter().enumerate() {
            let _ = writeln!(text, "{:10}{:<9}{line}", "", if place == 0 { word } else { "" });
        }
        if lines.is_empty() {
            let _ = writeln!(text, "{:10}{word:<9}nothing", "");
        }
    }
    if let Some(prior) = &candidate.prior {
        text += &wrapped(&format!("{:10}{:<9}", "", "before"), &prior.told());
    }
    if let Some(assumed) = &candidate.assumed {
        let _ = writeln!(text, "{:10}{:<9}{}", "", "assumed", rows::verdict(Some(assumed)));
    }
    for parent in &candidate.parents {
        let assumed = parent.assumed.as_ref().map(|verdict| format!("assumed {}, ", rows::verdict(Some(verdict))));
        let said = assumed.unwrap_or_default() + &ended(&parent.own);
        let _ = writeln!(text, "{:10}{:<9}{}: {said}", "", "parent", parent.commit.short());
    }
    text
}

/// How the trials of a commit ended: `9 clean, 1 void`.
fn ended(counts: &Counts) -> String {
    let parts =
        [(counts.hits, "crashed"), (counts.clean, "clean"), (counts.void, "void"), (counts.other, "crashed with something else")];
    let said: Vec<String> = parts.iter().filter(|(times, _)| *times > 0).map(|(times, how)| format!("{times} {how}")).collect();
    if said.is_empty() { "no trial".to_owned() } else { said.join(", ") }
}

fn numbers(numbers: &[Number]) -> String {
    let mut text = String::new();
    if !numbers.is_empty() {
        text.push_str("\nWhat the answer rests on, and what would change it\n");
    }
    for number in numbers {
        let probability = number.probability.map_or_else(|| "-".to_owned(), percent);
        text += &wrapped(&format!("{probability:>8}  "), &number.what);
        if let Some(reason) = &number.reason {
            text += &wrapped(&format!("{:20}", ""), reason);
        }
        for if_so in &number.if_so {
            let probability = if_so.probability.map_or_else(|| "as it is".to_owned(), percent);
            text += &wrapped(&format!("{:10}{probability:>8}  ", ""), &if_so.what);
        }
    }
    text
}

/// Text behind `head`, broken at blanks so that it fits.
fn wrapped(head: &str, body: &str) -> String {
    let indent = head.chars().count();
    let mut text = head.to_owned();
    let mut column = indent;
    for (place, word) in body.split_whitespace().enumerate() {
        let length = word.chars().count();
        if place > 0 && column + 1 + length > WIDTH {
            let _ = write!(text, "\n{:indent$}", "");
            column = indent;
        } else if place > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text + "\n"
}

/// One commit: why it was tested, what each trial said.
fn commit(explanation: &Explanation, asked: &Asked) -> String {
    let mut text = format!("{}\n", cited(&asked.commit));
    if let Some(assumed) = &asked.assumed {
        let _ = writeln!(text, "{:<9}{}", "assumed", rows::verdict(Some(assumed)));
    }
    if asked.trials.is_empty() {
        text.push_str("No trial has ended here.\n");
    }
    let mut reasons = HashSet::new();
    for stay in explanation.stays.iter().filter(|stay| stay.commit.commit == asked.commit.commit) {
        text.push('\n');
        let now = &stay.before;
        text += &wrapped(&format!("{:<9}", format!("#{}", stay.number)), &why(explanation, stay));
        let _ = writeln!(text, "{:<9}{}", "before", stood(explanation, now));
        asked.trials.iter().filter(|trial| trial.stay == stay.number).for_each(|told| text += &trial(told, &mut reasons));
        let now = &stay.after;
        let _ = writeln!(text, "{:<9}{}", "after", stood(explanation, now));
    }
    // What ended when the search had turned away, or was not told why it came.
    let placed = |trial: &&TrialTold| {
        explanation.stays.iter().any(|stay| stay.number == trial.stay && stay.commit.commit == asked.commit.commit)
    };
    let others: Vec<&TrialTold> = asked.trials.iter().filter(|trial| !placed(trial)).collect();
    if !others.is_empty() {
        text.push_str("\nwhile the search was elsewhere\n");
        others.into_iter().for_each(|told| text += &trial(told, &mut reasons));
    }
    if asked.trials.iter().any(|trial| trial.ratio.is_some()) {
        text.push_str("(LR: how many times likelier at a commit with the bug than at one without)\n");
    }
    text.push('\n');
    if let Some((plugin, judgement)) = &asked.judged {
        let decision = match &judgement.decision {
            Decision::Want(trials) => format!("{plugin} wants {} in all", counted(u64::from(*trials), "trial")),
            Decision::Conclude(verdict) => format!("{} by {plugin}", rows::verdict(Some(verdict))),
            Decision::Abort(_) => format!("{plugin} ended the run"),
        };
        text += &wrapped("verdict  ", &format!("{decision}: {}", judgement.reason));
    }
    let _ = writeln!(text, "{:<9}{}", "now", stood(explanation, &asked.now));
    if let Some(candidate) = &asked.candidate {
        let _ = writeln!(text, "{:<9}{} that it is the one", "", percent(candidate.probability));
        text += &evidence(explanation.kind, candidate);
    }
    text
}

fn precise(probability: Option<f64>) -> String {
    probability.map_or_else(|| "-".to_owned(), |probability| format!("{probability:.3}"))
}

/// Why the search turned to a commit, as the plan saw it then.
fn why(explanation: &Explanation, stay: &Stay) -> String {
    if stay.by_hand {
        return "tested by hand: somebody asked for it".to_owned();
    }
    match stay.role {
        Role::Start => "tested as the start commit: its trials say which crash it is, and how often it shows".to_owned(),
        Role::GoodEnd => "tested as the end of the range that is called good, before the search relies on it".to_owned(),
        Role::Release => {
            let release = stay.release.as_deref().unwrap_or("a release");
            format!("tested as {release}, on the way back through the releases to one without the crash")
        }
        Role::MergeBase => "tested as a merge base: what lies on another branch says something only with it".to_owned(),
        Role::BaselineConfig => "tested with a smaller configuration".to_owned(),
        Role::Verification => {
            "tested to verify the name: the culprit must have crashed, its parents must have been clean often enough".to_owned()
        }
        Role::Candidate if explanation.of_a_log => "tested as a step of git bisect".to_owned(),
        Role::Candidate => {
            let split = stay.before.bad.map_or_else(String::new, |bad| {
                format!(", and its trials split the likelihood {:.0} : {:.0}", bad * 100.0, (1.0 - bad) * 100.0)
            });
            format!("tested because it told most of what was left: {} more{split}", counted(stay.before.left as u64, "commit"))
        }
    }
}

/// A trial in a line or two; why a crash was taken for what it was is told once for each look.
fn trial(told: &TrialTold, reasons: &mut HashSet<(u32, String)>) -> String {
    let (said, more) = match &told.outcome {
        Outcome::Clean if told.exposure < 1.0 => (format!("clean until {:.0} % of the time", told.exposure * 100.0), None),
        Outcome::Clean => ("clean".to_owned(), None),
        Outcome::Crashed(sighting) => {
            let how = format!("{}, look {}", mentions::chance(sighting.same), sighting.look);
            let first = reasons.insert((sighting.look, told.reason.clone()));
            let more = if told.reason.is_empty() || !first { how } else { format!("{how}: {}", told.reason) };
            (format!("crashed: {}", sighting.report.title), Some(more))
        }
        Outcome::Void(failure) => (format!("void: {}", failure.reason), None),
    };
    let weighed = match told.ratio {
        _ if told.retracted => "taken back".to_owned(),
        None => "-".to_owned(),
        Some(ratio) if (ratio - 1.0).abs() < NO_VOTE => "LR 1, no vote".to_owned(),
        Some(ratio) if ratio >= 100.0 => format!("LR {ratio:.0}"),
        Some(ratio) => format!("LR {ratio:.2}"),
    };
    let build = if told.build > 1 { format!(" (build {})", told.build) } else { String::new() };
    let number = format!("trial {}", told.trial.0);
    let said = shortened(&format!("{said}{build}"), 33);
    let bits = told.after.range.map_or_else(String::new, |_| format!("  {:.1} bits", told.after.bits));
    let mut text = format!("{number:<11}{said:<34} {weighed:<14} P {}{bits}\n", precise(told.after.bad));
    if let Some(more) = more {
        text += &wrapped(&format!("{:11}", ""), &more);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_blanks() {
        let text = wrapped("   12 %  ", &"word ".repeat(40));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 42);
    }
}
