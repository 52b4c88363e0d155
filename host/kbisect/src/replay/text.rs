//! A replay as text.

use std::fmt::Write as _;

use super::Account;
use super::Next;
use super::Rejudged;
use super::account::word;
use crate::record::counted;
use crate::record::duration;
use crate::record::report_text::percent;
use crate::record::terminal::shortened;
use crate::syzbot::Found;
use crate::syzbot::Left;
use crate::syzbot::Place;

/// The whole account.
pub fn text(account: &Account<'_>) -> String {
    let mut text = head(account);
    let _ = writeln!(
        text,
        "\n  {:<12}  {:<10}  {:<36}  hit/clean/void/other  needed  then  now   P(has the bug)",
        "commit", "why", "subject"
    );
    for one in &account.replay.commits {
        row(&mut text, account, one);
    }
    let (needed, recorded) = (account.replay.needed(), account.replay.recorded());
    let share = 100.0 * needed as f64 / recorded.max(1) as f64;
    let _ = writeln!(text, "\ntrials     {needed} of {recorded} needed ({share:.0} %)");
    let _ = writeln!(text, "then       {}", then(account));
    let _ = writeln!(text, "now        {}", now(account));
    if let Some(reason) = account.reason() {
        let _ = writeln!(text, "because    {reason}");
    }
    certainty(&mut text, account);
    standing(&mut text, account);
    text
}

/// What the log named and what its trials leave today, in a few lines.
pub fn in_brief(account: &Account<'_>) -> String {
    let mut text = format!("then    {}\nnow     {}\n", then(account), now(account));
    if let Some(credence) = &account.credence
        && let Found::One { commit, .. } = &account.answer.found
    {
        let _ = writeln!(text, "sure    {} introduced it with {}", commit.short(), percent(credence.probability));
    }
    text
}

fn head(account: &Account<'_>) -> String {
    let replay = account.replay;
    let what = if account.log.kind == kbisect_core::bisector::Kind::Cause { "cause" } else { "fix" };
    let took = account.answer.totals.and_then(|totals| totals.total).map(|seconds| format!(", {}", duration::short(seconds)));
    let (commits, trials) = (counted(replay.commits.len() as u64, "commit"), counted(replay.recorded() as u64, "trial"));
    let mut text =
        format!("log        {what}, from {}; {commits}, {trials}{}\n", account.log.start.short(), took.unwrap_or_default());
    if replay.faces.is_empty() {
        text += "target     unknown: the start commit did not crash\n";
    }
    for (place, face) in replay.faces.iter().enumerate() {
        let what = if place == 0 { "target" } else { "" };
        let _ = writeln!(text, "{what:<11}{}   ({})", face.report.title, counted(u64::from(face.trials), "trial"));
    }
    if let Some(last) = replay.commits.last() {
        let _ = writeln!(text, "policy     {}", last.policy);
    }
    text
}

fn row(text: &mut String, account: &Account<'_>, one: &Rejudged) {
    let [hit, clean, void, other] = one.tally();
    let why = match &one.tested.place {
        Place::Start => "start",
        Place::Release(tag) => tag,
        Place::Head => "HEAD",
        Place::MergeBase => "merge base",
        Place::Config => "config",
        Place::Parent => "parent",
        Place::Step => "",
    };
    let row = format!(
        "  {}  {why:<10}  {:<36}  {hit:>3} {clean:>5} {void:>4} {other:>5}    {:>4}   {:<4}  {:<4}  {}{}",
        one.tested.commit.short(),
        shortened(account.subject(&one.tested.commit), 36),
        one.needed,
        word(one.tested.verdict),
        word(one.now()),
        one.bad.map_or_else(String::new, percent),
        if one.differs() { "   <" } else { "" }
    );
    let _ = writeln!(text, "{}", row.trim_end());
    for seen in one.seen.iter().filter(|seen| seen.same < kbisect_core::policy::RATHER) {
        let times = counted(seen.trials as u64, "time");
        let _ = writeln!(text, "      other: {} (s = {:.2}, {times}): {}", seen.title, seen.same, seen.reason);
    }
}

fn then(account: &Account<'_>) -> String {
    match &account.answer.found {
        Found::One { commit, subject, .. } => format!("{} {subject}", commit.short()),
        Found::Several(commits) => format!("no name: one of {}", counted(commits.len() as u64, "commit")),
        Found::End { end, .. } => format!("no name: {end}"),
        Found::Error(why) => format!("no name: {}", why.lines().next().unwrap_or_default()),
        Found::Nothing => "no name: the log ends before its answer".to_owned(),
    }
}

fn now(account: &Account<'_>) -> String {
    match &account.left {
        Left::One(commit) => format!("{} {}", commit.short(), account.subject(commit)),
        Left::Several { commits, exact, between: (without, with) } => {
            let about = if *exact { "" } else { "about " };
            let commits = counted(*commits, "commit");
            format!("no name: the log leaves {about}{commits} between {} and {}", without.short(), with.short())
        }
        Left::Contradiction { with, without } => {
            format!("no name: {} is good, and the older {} bad", without.short(), with.short())
        }
        Left::Open => "no name: the verdicts leave the range open".to_owned(),
    }
}

fn certainty(text: &mut String, account: &Account<'_>) {
    let (Some(credence), Found::One { commit, .. }) = (&account.credence, &account.answer.found) else {
        return;
    };
    let _ = writeln!(text, "\n{} introduced it with {}", commit.short(), percent(credence.probability));
    for (what, part) in [
        ("it begins to show here", &credence.boundary),
        ("it is the same bug", &credence.same),
        ("introduced here", &credence.introduced),
    ] {
        let _ = writeln!(text, "  {what:<22}  {:>8}   {}", percent(part.chance), part.reason);
    }
}

fn standing(text: &mut String, account: &Account<'_>) {
    let Some(standing) = &account.standing else {
        return;
    };
    let range = standing.range.map_or("not known yet".to_owned(), |range| counted(range as u64, "commit"));
    let _ = writeln!(text, "\nrange      {range}");
    for (place, suspect) in standing.suspects.iter().enumerate() {
        let what = if place == 0 { "likeliest" } else { "" };
        let subject = shortened(account.subject(&suspect.commit), 60);
        let _ = writeln!(text, "{what:<11}{:>8}  {} {subject}", percent(suspect.probability), suspect.commit.short());
    }
    let next = match &standing.next {
        Next::Test(commit) => format!("{} {}", commit.short(), account.subject(commit)),
        Next::Done(_) => "nothing: the trials settle it".to_owned(),
        Next::Nothing => "nothing: the ends leave nothing to search".to_owned(),
    };
    let _ = writeln!(text, "next       {}", next.trim_end());
}
