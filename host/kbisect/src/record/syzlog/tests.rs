#![allow(clippy::unwrap_used, reason = "tests")]

use kbisect_core::bisector::Release;
use kbisect_core::bisector::Strategy;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Sighting;

use super::*;
use crate::record::event::HarnessAt;
use crate::syzbot;
use crate::syzbot::Oddity;
use crate::syzbot::Place;
use crate::syzbot::Run;

/// A run in the making; commits are numbers.
#[derive(Default)]
struct Story {
    entries: Vec<Entry>,
    trials: u64,
}

fn commit(number: u8) -> CommitId {
    format!("{number:02x}").repeat(20).parse().unwrap()
}

impl Story {
    fn of(releases: &[(&str, u8)]) -> Self {
        let releases =
            releases.iter().map(|(name, number)| Release { name: (*name).to_owned(), commit: commit(*number) }).collect();
        let mut story = Self::default();
        story.add(Event::Started {
            format: 1,
            version: "1".to_owned(),
            host: "host".to_owned(),
            repo: Some("/linux".to_owned()),
            ends: Ends { kind: Kind::Cause, start: commit(1), good: Vec::new(), releases, head: false, eras: Vec::new() },
            strategy: Strategy::Posterior,
            subject: "start here".to_owned(),
            assumed: Vec::new(),
            imported: None,
            harness: Some(HarnessAt { name: "syzkaller".to_owned(), commit: "5c".repeat(20) }),
        });
        story
    }

    fn add(&mut self, event: Event) {
        let seq = self.entries.len() as u64 + 1;
        let time = jiff::Timestamp::from_second(1_700_000_000 + seq.cast_signed()).unwrap();
        self.entries.push(Entry { seq, time, event });
    }

    fn turn(&mut self, number: u8, role: Role, release: Option<&str>) {
        let (subject, release) = (format!("change {number}"), release.map(str::to_owned));
        self.add(Event::Chosen { commit: commit(number), role, release, subject, left: 1, steps: 1 });
    }

    fn built(&mut self, number: u8) {
        let signature = Some(format!("{number:02x}").repeat(32));
        let result = BuildResult::Built { kernel: None, signature, compiler: None, lost: Vec::new() };
        self.add(Event::BuildEnded { commit: commit(number), build: 1, result, seconds: 60.0 });
    }

    fn trial(&mut self, number: u8, role: Role, crashed: bool) {
        self.trials += 1;
        let report = CrashReport::titled("WARNING in x");
        self.add(Event::TrialEnded {
            trial: TrialNumber(self.trials),
            commit: commit(number),
            role,
            build: 1,
            n: 1,
            outcome: if crashed { Outcome::Crashed(Sighting { report, same: 1.0, look: 0 }) } else { Outcome::Clean },
            reason: String::new(),
            reports: Vec::new(),
            uncounted: 0,
            weight: None,
            exposure: 1.0,
            boot: None,
            seconds: 5.0,
        });
    }

    fn verdict(&mut self, number: u8, verdict: Verdict) {
        let judgement = Judgement { decision: Decision::Conclude(verdict), confidence: 1.0, reason: String::new() };
        self.add(Event::Judged { commit: commit(number), trials: 1, plugin: "sequential".to_owned(), judgement });
    }
}

/// A release is tested in two rounds with nothing between, a commit is left open and comes back, and one trial ends late.
fn in_rounds() -> Story {
    let mut story = Story::of(&[("v1.1", 2), ("v1.0", 3)]);
    story.turn(1, Role::Start, None);
    story.built(1);
    story.trial(1, Role::Start, true);
    story.verdict(1, Verdict::Bad);
    story.turn(2, Role::Release, Some("v1.1"));
    story.built(2);
    story.trial(2, Role::Release, true);
    story.turn(3, Role::Release, Some("v1.0"));
    story.trial(2, Role::Release, false);
    story.turn(2, Role::Release, Some("v1.1"));
    story.trial(2, Role::Release, true);
    story.verdict(2, Verdict::Bad);
    story.turn(3, Role::Release, Some("v1.0"));
    story.built(3);
    story.trial(3, Role::Release, false);
    story.verdict(3, Verdict::Good);
    story.turn(4, Role::Candidate, None);
    story.built(4);
    story.trial(4, Role::Candidate, false);
    story.turn(5, Role::Candidate, None);
    story.built(5);
    story.trial(4, Role::Candidate, false);
    story.trial(5, Role::Candidate, true);
    story.verdict(5, Verdict::Bad);
    story.turn(4, Role::Candidate, None);
    story.trial(4, Role::Candidate, false);
    story.verdict(4, Verdict::Good);
    story
}

#[test]
fn no_line_is_repeated_without_runs_under_it() {
    insta::assert_snapshot!(render(&in_rounds().entries), @r"
    host starts bisection 2023-11-14 22:13:21.0 +0000 UTC
    bisecting cause commit starting from 0101010101010101010101010101010101010101
    building syzkaller on 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
    ensuring issue is reproducible on original commit 0101010101010101010101010101010101010101

    testing commit 0101010101010101010101010101010101010101
    kernel signature: 0101010101010101010101010101010101010101010101010101010101010101
    all runs: crashed: WARNING in x
    testing release v1.1
    testing commit 0202020202020202020202020202020202020202
    kernel signature: 0202020202020202020202020202020202020202020202020202020202020202
    run #0: crashed: WARNING in x
    run #1: OK
    run #2: crashed: WARNING in x
    testing release v1.0
    testing commit 0303030303030303030303030303030303030303
    kernel signature: 0303030303030303030303030303030303030303030303030303030303030303
    all runs: OK
    # git bisect start 0202020202020202020202020202020202020202 0303030303030303030303030303030303030303
    Bisecting: 1 revision left to test after this (roughly 1 step)
    [0404040404040404040404040404040404040404] change 4
    testing commit 0404040404040404040404040404040404040404
    kernel signature: 0404040404040404040404040404040404040404040404040404040404040404
    all runs: OK
    Bisecting: 1 revision left to test after this (roughly 1 step)
    [0505050505050505050505050505050505050505] change 5
    testing commit 0505050505050505050505050505050505050505
    kernel signature: 0505050505050505050505050505050505050505050505050505050505050505
    all runs: crashed: WARNING in x
    # git bisect bad 0505050505050505050505050505050505050505
    Bisecting: 1 revision left to test after this (roughly 1 step)
    [0404040404040404040404040404040404040404] change 4
    testing commit 0404040404040404040404040404040404040404
    all runs: OK
    # git bisect good 0404040404040404040404040404040404040404
    ");
}

#[test]
fn a_reader_of_syzbots_logs_reads_it() {
    let log = syzbot::read(&render(&in_rounds().entries)).unwrap();
    assert!(log.warnings.iter().all(|warning| warning.oddity == Oddity::Cut), "{:?}", log.warnings);
    let commits = log.commits();
    let verdicts: Vec<(CommitId, Place, Option<Mark>)> =
        commits.iter().map(|one| (one.commit, one.place.clone(), one.verdict)).collect();
    let expected = [
        (commit(1), Place::Start, Some(Mark::Bad)),
        (commit(2), Place::Release("v1.1".to_owned()), Some(Mark::Bad)),
        (commit(3), Place::Release("v1.0".to_owned()), Some(Mark::Good)),
        (commit(4), Place::Step, Some(Mark::Good)),
        (commit(5), Place::Step, Some(Mark::Bad)),
    ];
    assert_eq!(verdicts, expected);
    let crashed = Run::Crashed("WARNING in x".to_owned());
    assert_eq!(commits[1].runs, [crashed.clone(), Run::Ok, crashed]);
    assert!(commits[3].runs.iter().all(|run| *run == Run::Ok));
}

#[test]
fn a_good_end_that_falls_begins_another_search() {
    let mut story = Story::of(&[("v1.1", 2), ("v1.0", 3)]);
    story.turn(1, Role::Start, None);
    story.trial(1, Role::Start, true);
    story.verdict(1, Verdict::Bad);
    story.turn(2, Role::Release, Some("v1.1"));
    story.trial(2, Role::Release, false);
    story.turn(4, Role::Candidate, None);
    story.trial(4, Role::Candidate, true);
    story.verdict(4, Verdict::Bad);
    story.turn(2, Role::Release, Some("v1.1"));
    story.trial(2, Role::Release, true);
    story.verdict(2, Verdict::Bad);
    story.turn(3, Role::Release, Some("v1.0"));
    story.trial(3, Role::Release, false);
    story.turn(5, Role::Candidate, None);
    story.trial(5, Role::Candidate, false);
    story.verdict(5, Verdict::Good);
    insta::assert_snapshot!(render(&story.entries), @r"
    host starts bisection 2023-11-14 22:13:21.0 +0000 UTC
    bisecting cause commit starting from 0101010101010101010101010101010101010101
    building syzkaller on 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
    ensuring issue is reproducible on original commit 0101010101010101010101010101010101010101

    testing commit 0101010101010101010101010101010101010101
    all runs: crashed: WARNING in x
    testing release v1.1
    testing commit 0202020202020202020202020202020202020202
    all runs: OK
    # git bisect start 0101010101010101010101010101010101010101 0202020202020202020202020202020202020202
    Bisecting: 1 revision left to test after this (roughly 1 step)
    [0404040404040404040404040404040404040404] change 4
    testing commit 0404040404040404040404040404040404040404
    all runs: crashed: WARNING in x
    # git bisect bad 0404040404040404040404040404040404040404
    testing release v1.1
    testing commit 0202020202020202020202020202020202020202
    all runs: crashed: WARNING in x
    testing release v1.0
    testing commit 0303030303030303030303030303030303030303
    all runs: OK
    # git bisect start 0101010101010101010101010101010101010101 0303030303030303030303030303030303030303
    Bisecting: 1 revision left to test after this (roughly 1 step)
    [0505050505050505050505050505050505050505] change 5
    testing commit 0505050505050505050505050505050505050505
    all runs: OK
    # git bisect good 0505050505050505050505050505050505050505
    ");
}

#[test]
fn what_is_written_as_it_happens_is_what_is_written_at_the_end() {
    let mut story = in_rounds();
    story.add(Event::Stopped { why: "by a signal".to_owned() });
    let mut live = Vec::new();
    let mut log = SyzLog::new(&mut live);
    story.entries.iter().for_each(|entry| log.show(Notice::Durable(entry)));
    let whole = render(&story.entries);
    assert!(whole.starts_with(&String::from_utf8(live).unwrap()), "only the stay that goes on is missing");
}
