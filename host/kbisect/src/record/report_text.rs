//! The result as text (`report.txt`): the body of a mail, culprit first, one screen, lines of at most 75 columns but for tags.
//!
//! Form: what recipients of such mails asked for. The culprit and the start commit cannot be confused; `Fixes:` and `Closes:` are
//! given only for a single named commit, behind `| ` so that tag collectors do not take them.

use std::fmt::Write as _;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Reading;
use kbisect_core::bisector::Suspect;
use kbisect_core::caveat::Caveat;
use kbisect_core::caveat::CaveatKind;
use kbisect_core::commit::CommitId;
use kbisect_core::credence::Credence;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Verdict;

use super::counted;
use super::duration;
use super::event::CommitText;
use super::event::OtherAt;
use super::event::OtherBug;
use super::faces::FaceCount;
use super::mentions;
use super::report::Named;
use super::report::Report;
use super::report::Subject;
use super::report::TestedCommit;
use super::report::Without;
use super::rows;
use super::terminal::shortened;

/// Most columns of a line that is no tag.
const WIDTH: usize = 75;
/// So many assumptions are told one by one.
const ASSUMED: usize = 6;
/// Of so many candidates it is told what they weighed before the trials.
const PRIORS: usize = 5;

/// The text of the report; `link` is the public page of the crash, if there is one.
pub fn render(report: &Report, link: Option<&str>) -> String {
    let mut text = headline(report);
    if report.of_a_log {
        text.push_str("\nThis is what a log of syzbot's comes to, read by today's plugins; nothing\nwas tested here, and of the history only what the log tells is known.\n");
        let agrees = |named: &Subject| report.named.as_ref().is_some_and(|own| own.text.commit == named.commit);
        if let Some(named) = report.log_named.as_ref().filter(|named| !agrees(named)) {
            text += &wrapped("", &format!("The log itself named {} (\"{}\").", named.commit.short(), named.subject));
        }
    }
    if let (Some(caveat), Some(_)) = (&report.caveat, &report.named) {
        text += &caution(report.kind, caveat);
    }
    crash(&mut text, report);
    on_trust(&mut text, report);
    assumed(&mut text, report);
    evidence(&mut text, report);
    if let Some(credence) = report.named.as_ref().and_then(|named| named.credence.as_ref()) {
        sureness(&mut text, credence);
    }
    prior(&mut text, report);
    if let Some(minimized) = &report.minimized {
        text += &wrapped("Configuration: ", &minimized.told());
    }
    not_counted(&mut text, report);
    for other in &report.other_bugs {
        other_bug(&mut text, other);
    }
    let _ = writeln!(
        text,
        "Effort: {} on {} in {} (builds {})",
        counted(report.trials, "trial"),
        counted(report.tested.len() as u64, "commit"),
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

/// The answer in its first line, and the commit it names; without an answer, what can be done.
fn headline(report: &Report) -> String {
    match (&report.conclusion, &report.named) {
        (Conclusion::Found { suspects }, Some(named)) => name(report.kind, named, suspects.get(1)),
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
        (Conclusion::NotReproduced, _) => "Not reproduced: no trial at the start commit showed the crash.\n\n\
             Try a longer time limit ([trial] time_limit, or --time-limit), repeat = true,\n\
             or the machine that the crash was seen on.\n"
            .to_owned(),
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

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Cause => "Culprit",
        Kind::Fix => "Fixed by",
    }
}

fn name(kind: Kind, named: &Named, second: Option<&Suspect>) -> String {
    let second = second
        .filter(|second| second.probability >= 0.005)
        .map_or_else(String::new, |second| format!(" (second: {}, {})", second.commit.short(), percent(second.probability)));
    let sure = match named.probability {
        Some(probability) => percent(probability) + &second,
        None => "by git bisect's rules (no probability was measured)".to_owned(),
    };
    format!(
        "{}, {sure}:\n\n  commit {} (\"{}\")\n{}{}{}",
        title(kind),
        named.text.commit.short(),
        named.text.subject,
        if named.text.author.is_empty() { String::new() } else { format!("  Author: {}\n", named.text.author) },
        named.text.first_release.as_ref().map_or_else(String::new, |name| format!("  First release with it: {name}\n")),
        doubts(&named.text),
    )
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
fn caution(kind: Kind, caveat: &Caveat) -> String {
    let meant = match (kind, caveat.kind) {
        (Kind::Cause, CaveatKind::OnlyShows) => "The bug may be older: here it begins to show.",
        (Kind::Fix, CaveatKind::OnlyShows) => "The bug may still be there: from here on it no longer shows.",
        (_, CaveatKind::NotBuilt) => "Nothing of it is tested.",
    };
    format!("\n{}", wrapped("Caveat: ", &format!("{}. {meant}", caveat.reason)))
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

/// Text behind `head`, broken at blanks so that it fits; further lines are indented a little.
fn wrapped(head: &str, body: &str) -> String {
    let mut text = String::new();
    let mut line = head.to_owned();
    for word in body.split(' ') {
        if line.chars().count() + word.chars().count() > WIDTH && !line.trim().is_empty() {
            let _ = writeln!(text, "{}", line.trim_end());
            "  ".clone_into(&mut line);
        }
        line += word;
        line.push(' ');
    }
    text + line.trim_end() + "\n"
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
    let _ = writeln!(text, "\nCrash: {title}\n  ({times_first}{seen} {}{not})", start.short());
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

/// How the named commit and its parents did; every tested commit when none is named.
fn evidence(text: &mut String, report: &Report) {
    let Some(named) = &report.named else {
        if !report.tested.is_empty() {
            text.push_str("Evidence:\n");
        }
        for tested in &report.tested {
            evidence_line(text, rows::word(tested.tested.role), tested);
        }
        return;
    };
    let of = |commit| report.tested.iter().find(move |tested| tested.tested.commit == commit);
    let what = match report.kind {
        Kind::Cause => "culprit",
        Kind::Fix => "fix",
    };
    let parents = named.text.parents.iter().filter_map(|parent| Some(("parent", of(*parent)?)));
    let lines: Vec<(&str, &TestedCommit)> =
        of(named.text.commit).map(|tested| (what, tested)).into_iter().chain(parents).collect();
    if lines.is_empty() {
        let _ = writeln!(text, "Evidence: none; neither the {what} nor a parent of it was tested");
        return;
    }
    text.push_str("Evidence (same configuration, same compiler):\n");
    for (what, tested) in lines {
        evidence_line(text, what, tested);
    }
    if let Some(without) = &report.reverted {
        without_it(text, report.start.commit, without);
    }
}

/// How the start commit did without the named one.
fn without_it(text: &mut String, start: CommitId, without: &Without) {
    let start = start.short();
    match without {
        Without::Conflicts { conflicts } => {
            let _ = writeln!(text, "  reverted   {start}  cannot be: later changes are in the way ({})", conflicts.join(", "));
        }
        Without::Tested { hits, clean, other, .. } => {
            let valid = hits + clean + other;
            let says = if valid == 0 {
                ""
            } else if *hits == 0 {
                ": without it the crash is gone"
            } else {
                ": without it the crash is still there"
            };
            let _ = writeln!(text, "  reverted   {start}  {}{says}", with_it(*hits, valid));
        }
    }
}

fn evidence_line(text: &mut String, what: &str, tested: &TestedCommit) {
    let counts = &tested.tested;
    let valid = counts.hits + counts.clean + counts.other;
    let _ = writeln!(text, "  {what:<10} {}  {}", counts.commit.short(), with_it(counts.hits, valid));
}

/// How many of a commit's trials crashed with the target.
fn with_it(hits: u32, valid: u32) -> String {
    match valid {
        0 => "no trial had a result".to_owned(),
        _ => format!(
            "{hits:>3} of {} with it",
            counted(u64::from(valid), "trial") + if valid == 1 { " crashes" } else { " crash" }
        ),
    }
}

/// The three chances behind the name, and their product.
fn sureness(text: &mut String, credence: &Credence) {
    let _ = writeln!(text, "That it introduced the crash: {}", percent(credence.probability));
    let parts = [("begins here", &credence.boundary), ("same bug", &credence.same), ("not older", &credence.introduced)];
    for (what, part) in parts {
        let head = format!("  {what:<11} {:>6}  ", percent(part.chance));
        let indent = " ".repeat(head.len());
        let mut line = head;
        for word in part.reason.split(' ') {
            if line.len() + word.len() > WIDTH && line.len() > indent.len() {
                let _ = writeln!(text, "{}", line.trim_end());
                line.clone_from(&indent);
            }
            line += word;
            line.push(' ');
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn not_counted(text: &mut String, report: &Report) {
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

/// A bug that came up besides, and the command that looks for its beginning.
fn other_bug(text: &mut String, other: &OtherBug) {
    let OtherBug { title, crashes, trials, hidden, seen, .. } = other;
    let _ = writeln!(text, "Another bug seen here: {title}   ({})", mentions::chance(other.same));
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
    use kbisect_core::bisector::Shown;
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
        Another bug seen here: WARNING in table_flush   (s = .02)
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
        Another bug seen here: WARNING in table_flush   (s = .02)
          in 2 of 2 trials where it could show, at 1 commit
          at         030303030303    2 of 2  ("net: bridge: change number 3")
        "#);
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
