//! What the trials say: how the named commit did, its parents, the start commit without it, and the newest commit; what was not counted,
//! and which other bugs came up.

use std::fmt::Write as _;

use kbisect_core::bisector::Kind;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Stage;
use kbisect_core::reach::Reached;

use super::fit::wrapped;
use crate::git::Says;
use crate::record::cited;
use crate::record::counted;
use crate::record::event::Newer;
use crate::record::event::OtherAt;
use crate::record::event::OtherBug;
use crate::record::mentions;
use crate::record::report::Counts;
use crate::record::report::Named;
use crate::record::report::Newest;
use crate::record::report::Report;
use crate::record::report::TestedCommit;
use crate::record::report::Without;
use crate::record::rows;
use crate::record::terminal::shortened;

/// So many commits that mend a culprit are shown.
const MENTIONS: usize = 5;

/// How the named commit and its parents did; every tested commit when none is named.
pub(super) fn evidence(text: &mut String, report: &Report) {
    let Some(named) = &report.named else {
        if !report.tested.is_empty() {
            text.push_str("Evidence:\n");
        }
        for tested in &report.tested {
            evidence_line(text, report, rows::word(tested.tested.role), tested);
        }
        return;
    };
    let of = |commit| report.tested.iter().find(move |tested| tested.tested.commit == commit);
    let what = match report.kind {
        Kind::Cause => "culprit",
        Kind::Fix => "fix",
    };
    let parents = named.text.parents.iter().filter_map(|parent| Some(("parent", of(*parent)?)));
    let mut lines: Vec<(&str, &TestedCommit)> =
        of(named.text.commit).map(|tested| (what, tested)).into_iter().chain(parents).collect();
    if lines.is_empty() {
        let _ = writeln!(text, "Evidence: none; neither the {what} nor a parent of it was tested");
        return;
    }
    let is_told = lines.iter().any(|(_, tested)| tested.tested.commit == report.start.commit);
    lines.extend(of(report.start.commit).filter(|_| !is_told).map(|tested| ("start", tested)));
    text.push_str("Evidence (same configuration, same compiler):\n");
    for (what, tested) in lines {
        evidence_line(text, report, what, tested);
    }
    if let Some(without) = &report.reverted {
        without_it(text, report.start.commit, without);
    }
    if let Some(newest) = &report.newest {
        newest_line(text, newest);
    }
}

/// How the newest commit did.
fn newest_line(text: &mut String, newest: &Newest) {
    let Newest { name, commit, counts, .. } = newest;
    let says = match counts {
        Counts { hits: 0, clean: 0, other: 0, .. } => ", nothing is known",
        Counts { hits: 0, .. } => ": gone",
        _ => ": still there",
    };
    let _ = writeln!(text, "  newest     {}  {}{says}  ({name})", commit.short(), with_it(counts.hits, counts.valid()));
}

/// Who mends the named commit or takes it back.
pub(super) fn newer(text: &mut String, named: &Named) {
    let Some(Newer { read, mentions }) = &named.text.newer else { return };
    if mentions.is_empty() && *read == 0 {
        return;
    }
    if mentions.is_empty() {
        let _ = writeln!(text, "Mended already? None of {} says so", counted(*read as u64, "newer commit"));
        return;
    }
    text.push_str("Mended already? These say so:\n");
    for mention in mentions.iter().take(MENTIONS) {
        let says = match mention.says {
            Says::Fixes => "fixes it",
            Says::Reverts => "reverts it",
        };
        let before = if mention.in_start { "; but the crash was seen on a commit with it" } else { "" };
        *text += &wrapped("  ", &format!("{} {says}{before}", cited(&mention.commit, &mention.subject)));
    }
    if mentions.len() > MENTIONS {
        let _ = writeln!(text, "  and {} more", mentions.len() - MENTIONS);
    }
}

/// What was looked at so that the name can be trusted, in a line.
pub(super) fn checks(text: &mut String, report: &Report, named: &Named) {
    let mut checks: Vec<String> = Vec::new();
    let parents = report.tested.iter().filter(|one| named.text.parents.contains(&one.tested.commit));
    let (mut hits, mut clean) = (0, 0);
    for parent in parents {
        hits += parent.tested.hits;
        clean += parent.tested.clean;
    }
    let passed = |passed| if passed { "PASS" } else { "FAIL" };
    if hits + clean > 0 {
        let pass = match report.kind {
            Kind::Cause => hits == 0,
            Kind::Fix => hits > 0,
        };
        checks.push(format!("parent {}", passed(pass)));
    }
    match &report.reverted {
        Some(Without::Conflicts { .. }) => checks.push("revert has conflicts".to_owned()),
        Some(Without::Tested { counts, .. }) if counts.valid() > 0 => checks.push(format!("revert {}", passed(counts.hits == 0))),
        _ => {}
    }
    if named.text.equals_parent || named.kernel_differs {
        checks.push(format!("changes the kernel {}", passed(!named.text.equals_parent)));
    }
    if !checks.is_empty() {
        let _ = writeln!(text, "Checks: {}", checks.join(", "));
    }
}

/// How the start commit, or the newest, did without the named one.
fn without_it(text: &mut String, start: CommitId, without: &Without) {
    match without {
        Without::Conflicts { conflicts } => {
            let (start, files) = (start.short(), conflicts.join(", "));
            let _ = writeln!(text, "  reverted   {start}  cannot be: later changes are in the way ({files})");
        }
        Without::Tested { at, counts, .. } => {
            let valid = counts.valid();
            let says = if valid == 0 {
                ""
            } else if counts.hits == 0 {
                ": gone"
            } else {
                ": still there"
            };
            let at = at.unwrap_or(start).short();
            let _ = writeln!(text, "  reverted   {at}  {}{says}", with_it(counts.hits, valid));
        }
    }
}

fn evidence_line(text: &mut String, report: &Report, what: &str, tested: &TestedCommit) {
    let counts = &tested.tested;
    let valid = counts.hits + counts.clean + counts.other;
    let told = if report.is_not_exercised(&counts.commit) {
        crashed(counts.hits, valid) + ": clean, not exercised"
    } else {
        with_it(counts.hits, valid)
    };
    let _ = writeln!(text, "  {what:<10} {}  {told}", counts.commit.short());
}

/// How far the reproducer got where much depends on a clean trial, for commits of which that is so.
pub(super) fn reach(text: &mut String, report: &Report, of: impl Fn(Reached) -> bool) {
    for one in report.reach.iter().filter(|one| one.is_worth_telling() && of(one.compared.reached)) {
        *text += &wrapped("Reach: ", &format!("{} {}", one.commit.short(), one.told()));
    }
}

/// How many of a commit's trials crashed with the target, and that it is the target.
fn with_it(hits: u32, valid: u32) -> String {
    crashed(hits, valid) + if valid == 0 { "" } else { " with it" }
}

/// How many of a commit's trials crashed with the target.
fn crashed(hits: u32, valid: u32) -> String {
    match valid {
        0 => "no trial had a result".to_owned(),
        1 => format!("{hits:>3} of 1 trial crashes"),
        _ => format!("{hits:>3} of {valid} trials crash"),
    }
}

pub(super) fn not_counted(text: &mut String, report: &Report) {
    let others: u32 = report.not_counted.other_crashes.values().sum();
    let void: u32 = report.not_counted.void.values().sum();
    let mut parts = Vec::new();
    if others > 0 {
        let titles: Vec<&str> = report.not_counted.other_crashes.keys().map(String::as_str).collect();
        parts.push(format!("{} ({})", counted(u64::from(others), "other crash"), titles.join("; ")));
    }
    if void > 0 {
        let stages: Vec<String> =
            report.not_counted.void.iter().map(|(stage, count)| format!("{}: {count}", stage_word(*stage))).collect();
        parts.push(format!("{} ({})", counted(u64::from(void), "void trial"), stages.join(", ")));
    }
    let _ = writeln!(text, "Not counted: {}", if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") });
}

/// The bugs that came up besides, a line each.
pub(super) fn other_bugs(text: &mut String, all: &[OtherBug]) {
    for OtherBug { title, crashes, trials, seen, .. } in all {
        let (trials, commits) = (counted(u64::from(*trials), "trial"), counted(seen.len() as u64, "commit"));
        *text += &wrapped("Another bug seen here: ", &format!("{title} ({crashes} of {trials}, {commits})"));
    }
}

/// A bug that came up besides, and the command that looks for its beginning.
pub(super) fn other_bug(text: &mut String, other: &OtherBug) {
    let OtherBug { title, crashes, trials, hidden, seen, .. } = other;
    let _ = writeln!(text, "The other bug: {title}   ({})", mentions::chance(other.same));
    for title in other.also.iter().take(5) {
        let _ = writeln!(text, "  also: {title}");
    }
    let masked = match hidden {
        0 => String::new(),
        _ => format!("; {hidden} ended with the crash above"),
    };
    let commits = counted(seen.len() as u64, "commit");
    let _ =
        writeln!(text, "  in {crashes} of {} where it could show, at {commits}{masked}", counted(u64::from(*trials), "trial"));
    let at = |word: &str, at: &OtherAt| {
        let OtherAt { shown, subject } = at;
        let share = format!("{} of {}", shown.crashes, shown.trials);
        format!("  {word:<10} {}  {share:>8}  (\"{}\")\n", shown.commit.short(), shortened(subject, 38))
    };
    if let Some(free) = &other.free {
        *text += &at("free of it", free);
    }
    match &seen[..] {
        [first, between @ .., last] if between.len() > 1 => {
            *text += &at("from", first);
            *text += &at("to", last);
        }
        few => few.iter().for_each(|one| *text += &at("at", one)),
    }
    if let Some(job) = &other.job {
        let _ = writeln!(text, "  to find where it begins: kbisect run DIR/{job}");
    }
}

/// Where a void trial failed, as people say it.
fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Build => "does not build",
        Stage::Boot => "does not boot",
        Stage::Control => "control test failed",
        Stage::Copy => "files not copied",
        Stage::Reproducer => "reproducer said nothing",
        Stage::Infra => "host failed",
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::bisector::Shown;

    use super::*;

    fn at(number: u8, crashes: u32, trials: u32) -> OtherAt {
        let commit = format!("{number:02x}").repeat(20).parse().expect("40 digits");
        OtherAt { shown: Shown { commit, crashes, trials }, subject: format!("net: bridge: change number {number}") }
    }

    fn told(other: &OtherBug) -> String {
        let mut text = String::new();
        other_bug(&mut text, other);
        text
    }

    #[test]
    fn another_bug_is_told_with_its_commits_rate_and_what_to_do() {
        let often = OtherBug {
            title: "WARNING in table_flush".to_owned(),
            also: vec!["WARNING in bridge_down".to_owned()],
            look: 2,
            same: 0.0153,
            crashes: 9,
            trials: 20,
            hidden: 4,
            seen: vec![at(3, 1, 4), at(4, 3, 5), at(5, 4, 4), at(6, 1, 3)],
            free: Some(at(2, 0, 12)),
            job: Some("other-1.toml".to_owned()),
        };
        insta::assert_snapshot!(told(&often), @r#"
        The other bug: WARNING in table_flush   (s = .02)
          also: WARNING in bridge_down
          in 9 of 20 trials where it could show, at 4 commits; 4 ended with the crash above
          free of it 020202020202   0 of 12  ("net: bridge: change number 2")
          from       030303030303    1 of 4  ("net: bridge: change number 3")
          to         060606060606    1 of 3  ("net: bridge: change number 6")
          to find where it begins: kbisect run DIR/other-1.toml
        "#);
        let seldom = OtherBug {
            also: Vec::new(),
            crashes: 2,
            trials: 2,
            hidden: 0,
            seen: vec![at(3, 2, 2)],
            free: None,
            job: None,
            ..often
        };
        insta::assert_snapshot!(told(&seldom), @r#"
        The other bug: WARNING in table_flush   (s = .02)
          in 2 of 2 trials where it could show, at 1 commit
          at         030303030303    2 of 2  ("net: bridge: change number 3")
        "#);
    }
}
