//! The loop where the plan changes under it, on a real repository whose builds do not end by themselves.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::Command;

use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Sighting;

use super::*;
use crate::error::ErrorKind;
use crate::record::journal::Journal;
use crate::session::directory::RunDirectory;
use crate::session::prepare;
use crate::session::signals::Signals;

/// A run of a line of five commits, the first of which is called good.
struct Room {
    _dir: tempfile::TempDir,
    parts: Parts,
    state: State,
    recorder: Recorder,
}

impl Room {
    fn new() -> Self {
        Self::with("")
    }

    /// With more about builds.
    fn with(build: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = "git init -q repo && cd repo && for i in 0 1 2 3 4; do git -c user.name=A -c user.email=a@example.org \
                      commit -q --allow-empty -m \"change $i\"; git tag c$i; done";
        assert!(Command::new("sh").args(["-c", script]).current_dir(dir.path()).status().unwrap().success());
        let job =
            "repo = \"repo\"\nbad = \"c4\"\ngood = \"c0\"\n[build]\ncommand = [\"sh\", \"-c\", \"sleep 1000\", \"{out}\"]\n\
                   [machine]\nown_init = true\nmemory = \"32M\"\ncpus = 1\n[trial]\ncommand = [\"race\"]\n\
                   [limits]\ncpus = 2\nmemory = \"64M\"\n"
                .replace("[machine]", &format!("{build}[machine]"));
        fs::write(dir.path().join("job.toml"), job).unwrap();
        let job = crate::config::read(&dir.path().join("job.toml")).unwrap().job;
        let settled = prepare::settle(&job, &[], &[]).unwrap();
        let state = settled.state(&job, &[]).unwrap();
        let parts = settled.with(job, RunDirectory::create(&dir.path().join("run")).unwrap());
        let recorder = Recorder::new(Journal::create(&parts.directory.journal()).unwrap());
        Self { _dir: dir, parts, state, recorder }
    }

    fn dispatcher(&mut self) -> Dispatcher<'_> {
        Dispatcher::new(&self.parts, &mut self.state, &mut self.recorder, Executor::new(&self.parts))
    }

    fn good_end(&self) -> CommitId {
        self.parts.ends.good[0]
    }
}

/// Records a trial at the start commit.
fn ended(dispatcher: &mut Dispatcher<'_>, commit: CommitId, outcome: Outcome, seconds: f64) {
    let trial = dispatcher.state.next_number();
    let n = dispatcher.state.done(commit) + 1;
    let (reason, reports) = (String::new(), Vec::new());
    let (role, build, weight, exposure) = (Role::Start, 1, None, 1.0);
    let event = Event::TrialEnded {
        trial,
        commit,
        role,
        build,
        n,
        outcome,
        reason,
        reports,
        uncounted: 0,
        weight,
        exposure,
        boot: None,
        seconds,
    };
    dispatcher.record(event).unwrap();
}

/// Records a trial that crashed, and that the policy takes its commit for bad.
fn is_bad(dispatcher: &mut Dispatcher<'_>, commit: CommitId) {
    let report = CrashReport::titled("BUG: bad");
    ended(dispatcher, commit, Outcome::Crashed(Sighting { report, same: 0.99, look: 0 }), 1.0);
    let judgement = Judgement { decision: Decision::Conclude(Verdict::Bad), confidence: 1.0, reason: "it crashed".to_owned() };
    let trials = dispatcher.state.done(commit);
    dispatcher.record(Event::Judged { commit, trials, plugin: "test".to_owned(), judgement }).unwrap();
}

fn is_building(dispatcher: &Dispatcher<'_>, commit: CommitId) -> bool {
    dispatcher.building.iter().eq([&(commit, 1)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_turns_to_another_commit_waits_for_the_builder() {
    let mut room = Room::new();
    let (start, good) = (room.parts.ends.start, room.good_end());
    let mut dispatcher = room.dispatcher();
    assert_eq!(dispatcher.advance().unwrap(), None);
    assert!(is_building(&dispatcher, start));
    // As many as the search wants of the start commit.
    (0..3).for_each(|_| is_bad(&mut dispatcher, start));
    assert_eq!(dispatcher.advance().unwrap(), None, "one round, and then it waits");
    assert!(is_building(&dispatcher, start), "there is one builder");
    // What it builds is not wanted any more.
    let ended = tokio::time::timeout(Duration::from_secs(60), dispatcher.executor.next()).await.unwrap();
    assert!(matches!(&ended, Ended::Build { commit, result: None, .. } if *commit == start), "{ended:?}");
    dispatcher.take(ended).unwrap();
    assert_eq!(dispatcher.advance().unwrap(), None);
    assert!(is_building(&dispatcher, good));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_kernels_are_built_before_they_are_needed() {
    let mut room = Room::with("builders = 2\n");
    let (start, good) = (room.parts.ends.start, room.good_end());
    let mut dispatcher = room.dispatcher();
    for (seconds, ahead) in [(0.5, 0), (300.0, 1)] {
        let result = BuildResult::Built { kernel: None, signature: None, compiler: None, lost: Vec::new() };
        dispatcher.record(Event::BuildEnded { commit: start, build: 1, result, seconds }).unwrap();
        (0..3).for_each(|_| is_bad(&mut dispatcher, start));
        assert_eq!(dispatcher.advance().unwrap(), None);
        assert!(dispatcher.building.contains(&(good, 1)));
        assert_eq!(dispatcher.building.len(), 1 + ahead, "after a build of {seconds} s");
    }
    // Another commit is needed now, and both builders are at work.
    let ahead = dispatcher.building.iter().find(|(commit, _)| *commit != good).unwrap().0;
    dispatcher.build_now(start, 2);
    let ended = tokio::time::timeout(Duration::from_secs(60), dispatcher.executor.next()).await.unwrap();
    assert!(matches!(&ended, Ended::Build { commit, result: None, .. } if *commit == ahead), "{ended:?}");
    dispatcher.take(ended).unwrap();
    dispatcher.build_now(start, 2);
    assert!(dispatcher.building.contains(&(start, 2)) && dispatcher.building.contains(&(good, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_trials_of_a_kernel_that_lost_its_detector_say_nothing() {
    let mut room = Room::new();
    let start = room.parts.ends.start;
    let mut dispatcher = room.dispatcher();
    let running = Running { commit: start, role: Role::Start, build: 1, n: 1, proposed: 1, cancelled: false };
    let kasan = CrashReport { crash_type: "KASAN-READ".to_owned(), ..CrashReport::titled("KASAN: use-after-free Read in f") };
    let oops = CrashReport { crash_type: "MEMORY_SAFETY_BUG".to_owned(), ..CrashReport::titled("BUG: unable to handle f") };
    for (lost, faces, told) in [
        (vec!["KASAN"], vec![&kasan], true),
        (vec!["KCSAN", "PROVE_LOCKING"], vec![&kasan], false),
        // It shows in another way, too.
        (vec!["KASAN"], vec![&kasan, &oops], false),
        (vec!["KASAN"], vec![], false),
        (vec![], vec![&kasan], false),
    ] {
        let lost = lost.into_iter().map(str::to_owned).collect();
        let result = BuildResult::Built { kernel: None, signature: None, compiler: None, lost };
        dispatcher.record(Event::BuildEnded { commit: start, build: 1, result, seconds: 1.0 }).unwrap();
        dispatcher.state.faces = faces.into_iter().cloned().collect();
        let outcome = dispatcher.outcome_of(&running, Outcome::Clean);
        let why = "clean, but the kernel lacks CONFIG_KASAN, without which the target would hardly show";
        let void = Outcome::Void(Failure { stage: Stage::Control, reason: why.to_owned() });
        assert_eq!(outcome, if told { void } else { Outcome::Clean });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_is_the_trial_that_waits_for_it_whatever_is_planned_next() {
    let mut room = Room::with("builders = 2\n");
    let start = room.parts.ends.start;
    let mut dispatcher = room.dispatcher();
    assert_eq!(dispatcher.advance().unwrap(), None);
    assert_eq!(dispatcher.state.current, Some((start, Role::Start)));
    let failed =
        |commit| Ended::Build { commit, build: 1, result: Some(BuildResult::Failed("no rule".to_owned())), seconds: 9.0 };
    dispatcher.take(failed(start)).unwrap();
    let told: Vec<Outcome> = dispatcher.state.past_at(start).map(|past| past.outcome.clone()).collect();
    assert_eq!(told, [Outcome::Void(Failure { stage: Stage::Build, reason: "no rule".to_owned() })]);
    assert!(dispatcher.state.standing_judgement(start).is_some(), "and the policy was asked");
    // Nobody waits for this one.
    let ahead = dispatcher.parts.ends.good[0];
    dispatcher.take(failed(ahead)).unwrap();
    assert_eq!(dispatcher.state.past_at(ahead).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_that_always_leave_the_plan_do_not_go_on_for_ever() {
    let mut room = Room::new();
    let start = room.parts.ends.start;
    let mut dispatcher = room.dispatcher();
    let error = loop {
        match dispatcher.advance() {
            Ok(ending) => assert_eq!(ending, None),
            Err(error) => break error,
        }
        dispatcher.executor.cancel_builds();
        let ended = tokio::time::timeout(Duration::from_secs(60), dispatcher.executor.next()).await.unwrap();
        dispatcher.take(ended).unwrap();
    };
    assert_eq!(error.kind, ErrorKind::Internal);
    let told = format!(
        "the search goes round in circles: the plan is to try {} (Start, 3 trials); at work: nothing; machines that are free: 2",
        start.short()
    );
    assert_eq!(error.message, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_nothing_to_wait_for_is_a_defect_and_says_so() {
    let mut room = Room::new();
    let start = room.parts.ends.start;
    let mut dispatcher = room.dispatcher();
    let result = BuildResult::Built { kernel: None, signature: None, compiler: None, lost: Vec::new() };
    dispatcher.record(Event::BuildEnded { commit: start, build: 1, result, seconds: 1.0 }).unwrap();
    // As if slots had been lost.
    dispatcher.free_slots.clear();
    let error = dispatcher.run(&mut Signals::listen().unwrap()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    let told = format!(
        "nothing runs that could be waited for: the plan is to try {} (Start, 3 trials); at work: nothing; machines that are free: 0",
        start.short()
    );
    assert_eq!(error.message, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rare_crash_costs_is_told_before_the_search() {
    let mut room = Room::new();
    let start = room.parts.ends.start;
    let mut dispatcher = room.dispatcher();
    (0..120).for_each(|_| ended(&mut dispatcher, start, Outcome::Clean, 10.0));
    (0..2).for_each(|_| is_bad(&mut dispatcher, start));
    dispatcher.freeze_target().unwrap();
    let journal = fs::read_to_string(room.parts.directory.journal()).unwrap();
    let warned = journal.lines().find(|line| line.contains("the reproducer showed the crash in")).expect(&journal);
    insta::assert_snapshot!(warned.split_once("\"message\":").unwrap().1, @r#"
    "the reproducer showed the crash in 2 of 122 trials: each commit without it takes about 279 clean ones, about 23 min"}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_nobody_stated_is_told_from_its_rival_first() {
    let mut room = Room::new();
    let start = room.parts.ends.start;
    let mut dispatcher = room.dispatcher();
    let shows = |dispatcher: &mut Dispatcher<'_>, title: &str| {
        let report = CrashReport::titled(title);
        ended(dispatcher, start, Outcome::Crashed(Sighting { report, same: 0.99, look: 0 }), 1.0);
    };
    let (mutex, leak) = ("possible deadlock in mutex_lock", "memory leak in kobject_add");
    (0..3).for_each(|_| shows(&mut dispatcher, mutex));
    assert_eq!(dispatcher.rival_of_target(), None, "there is no other one");
    shows(&mut dispatcher, leak);
    insta::assert_snapshot!(dispatcher.rival_of_target().unwrap(), @"which crash is meant is not clear: possible deadlock in mutex_lock in 3 trials, memory leak in kobject_add in 1");
    (0..3).for_each(|_| shows(&mut dispatcher, mutex));
    assert_eq!(dispatcher.rival_of_target(), None, "six of seven are clear");
    (0..4).for_each(|_| shows(&mut dispatcher, leak));
    assert!(dispatcher.rival_of_target().is_some());
    // Enough is enough.
    (0..19).for_each(|_| ended(&mut dispatcher, start, Outcome::Clean, 1.0));
    assert_eq!(dispatcher.rival_of_target(), None);
    dispatcher.settle_target().unwrap();
    dispatcher.freeze_target().unwrap();
    let journal = fs::read_to_string(room.parts.directory.journal()).unwrap();
    let warned = journal.lines().find(|line| line.contains("\"event\":\"warned\"")).expect(&journal);
    insta::assert_snapshot!(warned.split_once("\"message\":").unwrap().1, @r#""the start commit shows another crash nearly as often: memory leak in kobject_add in 5 trials, the target in 6; where the other one is meant, say `title = \"memory leak in kobject_add\"` in the job file, and begin a new run"}"#);
}
