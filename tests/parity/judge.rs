//! What was found against what syzkaller finds.

use super::cases::Answer;
use super::cases::Case;
use super::differences::Difference;
use super::run::Found;
use super::run::Way;

/// A line of the table.
pub(crate) fn row(case: &Case, found: &Found) -> String {
    let (commits, trials) = found.effort;
    let more = match (found.answer, case.confidence) {
        (Answer::Commit(_), Some(_)) => format!(" ({}; confidence {:.3})", flags(found.no_op, found.release), found.confidence),
        (Answer::Commit(_), None) => format!(" ({})", flags(found.no_op, found.release)),
        (Answer::Error, _) => format!(": {}", found.why),
        _ => String::new(),
    };
    format!("{:>3}  {:<42} {trials:>4} trials at {commits:>2} commits   {}{more}", case.number, case.name, ours(found))
}

fn flags(no_op: bool, release: bool) -> &'static str {
    match (no_op, release) {
        (true, true) => "no-op, release",
        (true, false) => "no-op",
        (false, true) => "release",
        (false, false) => "no flags",
    }
}

/// Where kbisect says something else than syzkaller.
pub(crate) fn differences(case: &Case, way: Way, found: &Found) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |aspect: &str, theirs: String, ours: String| {
        let strategy = way.strategy().to_owned();
        differences.push(Difference { case: case.number, strategy, aspect: aspect.to_owned(), theirs, ours });
    };
    if !right(case, way, found) {
        differ("answer", answer(case.answer), ours(found));
    }
    if let Answer::Commit(_) = found.answer {
        let (theirs, ours) = (flags(case.no_op, case.release), flags(found.no_op, found.release));
        if theirs != ours {
            differ("flags", theirs.to_owned(), ours.to_owned());
        }
    }
    if let Some(report) = case.report.filter(|report| *report != found.report) {
        let word = |there: bool| if there { "there" } else { "not there" };
        differ("report", word(report).to_owned(), word(found.report).to_owned());
    }
    if let (Some(smaller), Some(config)) = (&case.smaller, &found.config)
        && smaller.config != config
    {
        differ("configuration", smaller.config.to_owned(), config.clone());
    }
    // Only syzkaller's rule has a confidence by its formula.
    if let Some((above, below)) = case.confidence.filter(|_| way == Way::Syzkaller)
        && !(found.confidence > above && found.confidence < below)
    {
        differ("confidence", format!("{above} to {below}"), format!("{:.3}", found.confidence));
    }
    differences
}

/// Whether the answer is syzkaller's. The size of a set follows from its rules: of kbisect's own way it is asked that it holds the culprit.
fn right(case: &Case, way: Way, found: &Found) -> bool {
    match (case.answer, found.answer) {
        (Answer::Several(theirs), Answer::Several(ours)) => {
            let culprit = if case.fix { case.mended } else { case.bug };
            found.several.contains(&culprit.unwrap()) && (way == Way::Posterior || ours == theirs)
        }
        (theirs, ours) => theirs == ours,
    }
}

fn answer(answer: Answer) -> String {
    match answer {
        Answer::Commit(commit) => format!("commit {commit}"),
        Answer::End(end) => format!("no commit, up to {end}"),
        Answer::Several(1) => "1 commit".to_owned(),
        Answer::Several(count) => format!("{count} commits"),
        Answer::Error => "an error".to_owned(),
        Answer::Infrastructure => "an infrastructure error".to_owned(),
    }
}

/// kbisect's answer with the commits of a set.
fn ours(found: &Found) -> String {
    let numbers: Vec<String> = found.several.iter().map(u32::to_string).collect();
    let list = if numbers.is_empty() { String::new() } else { format!(": {}", numbers.join(" ")) };
    answer(found.answer) + &list + if found.or_none { ", or none yet" } else { "" }
}
