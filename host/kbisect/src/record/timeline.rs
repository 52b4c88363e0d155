//! Where the time of a run went: every build and trial with when it ran, and how much of the run was building, booting, running the
//! reproducer, and waiting. Owns that text; times are the journal's.

use std::fmt::Write as _;

use super::counted;
use super::duration;
use super::event::Entry;
use super::event::Event;

/// Something that ran, in seconds from the run's first event.
struct Span {
    from: f64,
    to: f64,
    what: What,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Build,
    Boot,
    Run,
    /// No process worked on the run.
    Away,
}

/// The text: a line for each build and trial in the order in which they began, and the sums.
pub fn render(entries: &[Entry]) -> String {
    let Some(first) = entries.first() else { return String::new() };
    let end = entries.iter().rev().find(|entry| !matches!(entry.event, Event::Resumed { .. })).unwrap_or(first);
    let at = |entry: &Entry| entry.time.duration_since(first.time).as_secs_f64();
    let mut spans = Vec::new();
    let mut before = first;
    for entry in entries {
        spans.extend(of(&entry.event, at(entry)));
        if let Event::Resumed { .. } = entry.event {
            spans.push(Span { from: at(before), to: at(entry), what: What::Away, text: String::new() });
        }
        before = entry;
    }
    spans.sort_by(|one, other| one.from.total_cmp(&other.from).then(one.to.total_cmp(&other.to)));
    let mut text = String::from("from      to        what\n");
    for span in spans.iter().filter(|span| !span.text.is_empty()) {
        let _ = writeln!(text, "{:<8}  {:<8}  {}", clock(span.from), clock(span.to), span.text);
    }
    text + &sums(&spans, at(end))
}

/// What an event that came so late tells of what ran until then: a trial's boot, and its run.
fn of(event: &Event, at: f64) -> Vec<Span> {
    match event {
        Event::BuildEnded { commit, build, result, seconds } => {
            let again = if *build > 1 { " from clean" } else { "" };
            let how = match result {
                super::event::BuildResult::Built { .. } => "",
                super::event::BuildResult::Failed(_) => ": failed",
                super::event::BuildResult::Infra(_) => ": broken off",
            };
            let text = format!("build    {}{again}{how}", commit.short());
            vec![Span { from: at - seconds, to: at, what: What::Build, text }]
        }
        Event::TrialEnded { trial, commit, outcome, boot, seconds, .. } if *seconds > 0.0 => {
            let began = at - seconds;
            let booted = began + boot.unwrap_or(*seconds);
            let text = format!("trial {:<3} {} {}", trial.0, commit.short(), outcome_word(outcome));
            vec![
                Span { from: began, to: booted, what: What::Boot, text: String::new() },
                Span { from: booted, to: at, what: What::Run, text: String::new() },
                Span { from: began, to: at, what: What::Run, text },
            ]
            .into_iter()
            .filter(|span| !span.text.is_empty() || span.to > span.from)
            .collect()
        }
        _ => Vec::new(),
    }
}

fn outcome_word(outcome: &kbisect_core::policy::Outcome) -> &'static str {
    use kbisect_core::policy::Outcome;
    match outcome {
        Outcome::Clean => "clean",
        Outcome::Crashed(sighting) if sighting.is_target() => "crashed",
        Outcome::Crashed(_) => "crashed with something else",
        Outcome::Void(_) => "void",
    }
}

/// Hours, minutes, seconds.
fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
}

/// How much of the time something was at work, by what it was; and what all machines and builders did together.
fn sums(spans: &[Span], end: f64) -> String {
    // Lines that people see cover boot and run of a trial once more.
    let parts: Vec<&Span> = spans.iter().filter(|span| span.what == What::Build || span.text.is_empty()).collect();
    let mut cuts: Vec<f64> = parts.iter().flat_map(|span| [span.from, span.to]).chain([0.0, end]).collect();
    cuts.retain(|cut| (0.0..=end).contains(cut));
    cuts.sort_by(f64::total_cmp);
    let (mut building, mut both, mut trying, mut waiting, mut away) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for pair in cuts.windows(2) {
        let (middle, length) = (f64::midpoint(pair[0], pair[1]), pair[1] - pair[0]);
        let at_work = |what: What| parts.iter().any(|span| span.what == what && span.from <= middle && middle < span.to);
        let trial = at_work(What::Boot) || at_work(What::Run);
        *match (at_work(What::Away), at_work(What::Build), trial) {
            (true, ..) => &mut away,
            (_, true, true) => &mut both,
            (_, true, false) => &mut building,
            (_, false, true) => &mut trying,
            (_, false, false) => &mut waiting,
        } += length;
    }
    let whole = (end - away).max(f64::MIN_POSITIVE);
    let mut text = format!("\nin all                    {}\n", duration::short(end - away));
    let shares = [("only building", building), ("building, and trials", both), ("only trials", trying), ("neither", waiting)];
    for (what, seconds) in shares {
        let _ = writeln!(text, "  {what:<22}  {:<10} {:>3.0} %", duration::short(seconds), seconds / whole * 100.0);
    }
    let sum = |what: What| parts.iter().filter(|span| span.what == what).map(|span| span.to - span.from).sum::<f64>();
    let count = |what: What| parts.iter().filter(|span| span.what == what).count() as u64;
    let trials = spans.iter().filter(|span| span.what == What::Run && !span.text.is_empty()).count() as u64;
    let _ = writeln!(
        text,
        "all builders              {} in {}\nall machines              {}: {} until the reproducer was started, {} from then on",
        duration::short(sum(What::Build)),
        counted(count(What::Build), "build"),
        counted(trials, "trial"),
        duration::short(sum(What::Boot)),
        duration::short(sum(What::Run)),
    );
    text
}

#[cfg(test)]
mod tests {
    use kbisect_core::bisector::TrialNumber;
    use kbisect_core::policy::Outcome;
    use kbisect_core::policy::Role;

    use super::*;
    use crate::record::event::BuildResult;

    fn entry(second: i64, event: Event) -> Entry {
        Entry { seq: 0, time: jiff::Timestamp::from_second(1_700_000_000 + second).expect("a time"), event }
    }

    #[test]
    fn builds_and_trials_beside_each_other_and_a_night_in_between() {
        let commit = "1234567890123456789012345678901234567890".parse().expect("40 digits");
        let built = |second, seconds: f64| {
            let result = BuildResult::Built { kernel: None, signature: None, compiler: None, lost: Vec::new() };
            entry(second, Event::BuildEnded { commit, build: 1, result, seconds })
        };
        let tried = |second, trial, boot, seconds| {
            let (role, reason) = (Role::Start, String::new());
            let (outcome, reports, weight) = (Outcome::Clean, Vec::new(), None);
            let trial = TrialNumber(trial);
            let event = Event::TrialEnded {
                trial,
                commit,
                role,
                build: 1,
                n: 1,
                outcome,
                reason,
                reports,
                uncounted: 0,
                weight,
                exposure: 1.0,
                boot,
                seconds,
            };
            entry(second, event)
        };
        let entries = [
            entry(0, Event::Warned { message: String::new() }),
            built(100, 90.0),
            tried(130, 1, Some(10.0), 30.0),
            tried(140, 2, None, 20.0),
            built(150, 40.0),
            entry(40_000, Event::Resumed { version: String::new() }),
            tried(40_020, 3, Some(5.0), 20.0),
        ];
        insta::assert_snapshot!(render(&entries), @r"
        from      to        what
        0:00:10   0:01:40   build    123456789012
        0:01:40   0:02:10   trial 1   123456789012 clean
        0:01:50   0:02:30   build    123456789012
        0:02:00   0:02:20   trial 2   123456789012 clean
        11:06:40  11:07:00  trial 3   123456789012 clean

        in all                    2:50 min
          only building           1:40 min    59 %
          building, and trials    30.0 s      18 %
          only trials             30.0 s      18 %
          neither                 10.0 s       6 %
        all builders              2:10 min in 2 builds
        all machines              3 trials: 35.0 s until the reproducer was started, 35.0 s from then on
        ");
    }
}
