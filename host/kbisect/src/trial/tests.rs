//! Trials on a machine that does what a test says, judged by a classifier that is trivially right.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// `BUG: NAME` on a line is a crash; `target` surely is the target, `noise` is known noise.
struct PlainWatch;

impl Watch for PlainWatch {
    fn markers(&self) -> Vec<Vec<u8>> {
        vec![b"BUG:".to_vec(), b"broken".to_vec()]
    }

    fn classify(&self, console: &[u8]) -> Result<Vec<CrashReport>, Failure> {
        let text = String::from_utf8_lossy(console);
        if text.contains("broken") {
            return Err(Failure { stage: Stage::Infra, reason: "the classifier broke".to_owned() });
        }
        let reports = text.lines().filter_map(|line| line.strip_prefix("BUG: ")).map(|name| CrashReport {
            title: name.to_owned(),
            suppressed: name == "noise",
            ..CrashReport::default()
        });
        Ok(reports.collect())
    }

    fn relate(&self, seen: &CrashReport, _at: &CommitId) -> Result<Relation, Failure> {
        let same = if seen.title == "target" { 0.95 } else { 0.01 };
        Ok(Relation { same, reason: format!("about {}", seen.title) })
    }
}

/// What a step does: console text, and then its end; no end is a step that goes on until its limit.
type Act = (&'static str, Option<Ended>);

struct Fake {
    boot: (&'static str, Result<(), Failure>),
    control: Ended,
    /// One for each run; the last one again and again.
    runs: Vec<Act>,
    alive: bool,
    /// What the console shows while the machine is asked whether it lives.
    dying: &'static str,
    /// The way to the machine breaks in every run.
    breaks: bool,
    /// Never ends when it is asked to.
    stuck: bool,
    lag: Duration,
    sender: mpsc::Sender<Vec<u8>>,
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    run: AtomicUsize,
    log: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(runs: Vec<Act>) -> Self {
        let (sender, pieces) = mpsc::channel(16);
        let control = Ended::Code(0);
        let (alive, lag, pieces, run, log) = (true, Duration::ZERO, Some(pieces), AtomicUsize::new(0), Arc::default());
        Self { boot: ("", Ok(())), control, runs, alive, dying: "", breaks: false, stuck: false, lag, sender, pieces, run, log }
    }

    async fn say(&self, text: &str) {
        for piece in text.as_bytes().chunks(3) {
            let _ = self.sender.send(piece.to_vec()).await;
        }
    }

    fn note(&self, what: &str) {
        self.log.lock().expect("a test does not panic in there").push(what.to_owned());
    }
}

#[async_trait::async_trait]
impl Machine for Fake {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        self.pieces.take().expect("taken once")
    }

    fn lag(&self) -> Duration {
        self.lag
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        self.note("boot");
        self.say(self.boot.0).await;
        self.boot.1.clone().map(|()| Identity::NotAsked)
    }

    async fn copy(&mut self, from: &std::path::Path, to: &str) -> Result<(), Failure> {
        self.note(&format!("copy {to}"));
        let reason = format!("there is no {}", from.display());
        if from.exists() { Ok(()) } else { Err(Failure { stage: Stage::Copy, reason }) }
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        if *program == Program::Control {
            self.note("control");
            return Ok(self.control.clone());
        }
        let run = self.run.fetch_add(1, Ordering::Relaxed);
        self.note(&format!("run {}", run + 1));
        let (text, ended) = self.runs[run.min(self.runs.len() - 1)].clone();
        self.say(text).await;
        if self.breaks {
            return Err(Failure { stage: Stage::Reproducer, reason: "the way broke".to_owned() });
        }
        match ended {
            Some(ended) => Ok(ended),
            None => {
                tokio::time::sleep(limit).await;
                Ok(Ended::TimeLimit)
            }
        }
    }

    async fn alive(&self) -> bool {
        self.note("alive?");
        self.say(self.dying).await;
        self.alive
    }

    async fn destroy(self: Box<Self>) {
        self.note("destroy");
        if self.stuck {
            std::future::pending::<()>().await;
        }
    }
}

fn plan(limit: Duration) -> Plan {
    Plan {
        commit: CommitId::from_bytes([1; 20]),
        kind: MachineKind::Qemu,
        stage: TargetStage::Run,
        command: Vec::new(),
        files: Vec::new(),
        time_limit: limit,
        repeat: false,
        expect: Expect::Crash,
        on_timeout: CountAs::Void,
        on_signal: CountAs::Void,
        suite: None,
        exposure: 1.0,
    }
}

async fn run_fake(fake: Fake, plan: &Plan) -> (Finished, Vec<String>) {
    let log = Arc::clone(&fake.log);
    let (_go_on, stop) = watch::channel(false);
    let finished = run(Box::new(fake), plan, Arc::new(PlainWatch), stop).await;
    let log = log.lock().expect("the machine is gone").clone();
    assert_eq!(log.last().map(String::as_str), Some("destroy"));
    (finished, log)
}

/// A crash's title and chance, or another outcome in words.
fn told(finished: &Finished) -> String {
    match &finished.outcome {
        Outcome::Clean => format!("clean, exposure {:.1}", finished.exposure),
        Outcome::Crashed(sighting) => format!("{} {}", sighting.report.title, sighting.same),
        Outcome::Void(failure) => format!("{:?}: {}", failure.stage, failure.reason),
    }
}

fn titles(finished: &Finished) -> Vec<&str> {
    finished.reports.iter().map(|report| report.title.as_str()).collect()
}

#[tokio::test]
async fn steps_come_in_order_and_nothing_seen_is_clean() {
    let mut plan = plan(LONG);
    plan.files = vec![("/".into(), "/repro".to_owned())];
    let (finished, log) = run_fake(Fake::new(vec![("hello\r\n", Some(Ended::Code(0)))]), &plan).await;
    assert_eq!(told(&finished), "clean, exposure 1.0");
    assert_eq!((finished.console.as_slice(), finished.ended), (&b"hello\n"[..], Some(Ended::Code(0))));
    assert_eq!(log, ["copy /repro", "boot", "control", "run 1", "destroy"]);
}

#[tokio::test]
async fn a_shorter_trial_says_how_much_it_had_unless_its_reproducer_was_through() {
    let short = Plan { exposure: 0.0002, ..plan(Duration::from_secs(1000)) };
    let at_limit = run_fake(Fake::new(vec![("", None)]), &short).await.0;
    assert_eq!((&at_limit.outcome, at_limit.exposure), (&Outcome::Clean, 0.0002));
    assert!(at_limit.seconds < 100.0, "{}", at_limit.seconds);
    let through = run_fake(Fake::new(vec![("", Some(Ended::Code(0)))]), &short).await.0;
    assert_eq!(told(&through), "clean, exposure 1.0");
    let repeated = run_fake(Fake::new(vec![("", Some(Ended::Code(0)))]), &Plan { repeat: true, ..short }).await.0;
    assert_eq!((&repeated.outcome, repeated.exposure), (&Outcome::Clean, 0.0002));
}

#[tokio::test]
async fn the_target_ends_a_trial_at_once() {
    let (finished, log) = run_fake(Fake::new(vec![("x\nBUG: target\ntrace\n", None)]), &plan(LONG)).await;
    assert_eq!(told(&finished), "target 0.95");
    assert_eq!(finished.reason, "about target");
    assert!(finished.exposure < 0.1, "it came early: {}", finished.exposure);
    assert!(finished.seconds < 30.0, "not the time limit");
    assert!(!log.contains(&"alive?".to_owned()));
}

#[tokio::test]
async fn a_stray_does_not_end_a_trial_that_lives_and_the_target_counts_more() {
    let runs = vec![("BUG: stray\n", Some(Ended::Code(0))), ("BUG: target\n", None)];
    let repeated = Plan { repeat: true, ..plan(LONG) };
    let (finished, log) = run_fake(Fake::new(runs), &repeated).await;
    assert_eq!((told(&finished).as_str(), titles(&finished)), ("target 0.95", vec!["stray", "target"]));
    assert_eq!(log, ["boot", "control", "run 1", "alive?", "run 2", "destroy"]);
}

#[tokio::test]
async fn a_stray_that_kills_the_machine_ends_a_trial() {
    let mut fake = Fake::new(vec![("BUG: stray\n", None)]);
    fake.alive = false;
    let (finished, _) = run_fake(fake, &plan(LONG)).await;
    assert_eq!(told(&finished), "stray 0.01");
    assert!(finished.seconds < 30.0);
}

#[tokio::test]
async fn a_crash_before_the_way_to_the_machine_breaks_is_judged() {
    for (text, outcome) in [
        ("BUG: target\n", "target 0.95"),
        ("BUG: noise\n", "Reproducer: the way broke (noise)"),
        ("", "Reproducer: the way broke"),
    ] {
        let mut fake = Fake::new(vec![(text, None)]);
        fake.breaks = true;
        assert_eq!(told(&run_fake(fake, &plan(LONG)).await.0), outcome, "{text}");
    }
}

#[tokio::test]
async fn a_crash_while_the_machine_is_asked_whether_it_lives_is_judged() {
    for alive in [true, false] {
        let mut fake = Fake::new(vec![("", None)]);
        (fake.alive, fake.dying) = (alive, "BUG: target\n");
        let (finished, _) = run_fake(fake, &plan(Duration::from_millis(100))).await;
        assert_eq!(told(&finished), "target 0.95", "{alive}");
    }
}

#[tokio::test]
async fn the_report_with_the_greatest_chance_is_the_trials_and_noise_is_none() {
    let text = "BUG: noise\nBUG: one\nBUG: target\nBUG: two\n";
    let (finished, _) = run_fake(Fake::new(vec![(text, Some(Ended::Code(0)))]), &plan(LONG)).await;
    // What could not be the trial's comes last.
    assert_eq!((told(&finished).as_str(), titles(&finished)), ("target 0.95", vec!["one", "target", "two", "noise"]));
    assert_eq!(finished.uncounted, 1);
    let (finished, _) = run_fake(Fake::new(vec![("BUG: noise\n", Some(Ended::Code(0)))]), &plan(LONG)).await;
    assert_eq!((told(&finished).as_str(), titles(&finished)), ("clean, exposure 1.0", vec!["noise"]));
}

#[tokio::test]
async fn a_report_outranks_every_status_but_125() {
    let mut trials = tokio::task::JoinSet::new();
    for (ended, outcome) in [
        (Ended::Code(0), "stray 0.01"),
        (Ended::Code(1), "stray 0.01"),
        (Ended::Signal(9), "stray 0.01"),
        (Ended::MachineGone, "stray 0.01"),
        (Ended::Code(125), "Reproducer: exit status 125: the reproducer says that it cannot tell"),
    ] {
        for kind in [MachineKind::Process, MachineKind::Qemu] {
            let (plan, ended) = (Plan { kind, expect: Expect::Exit, ..plan(LONG) }, ended.clone());
            trials.spawn(async move {
                let mut fake = Fake::new(vec![("BUG: stray\n", Some(ended.clone()))]);
                fake.lag = Duration::from_millis(30);
                let (finished, _) = run_fake(fake, &plan).await;
                assert_eq!(told(&finished), outcome, "{ended:?} {kind:?}");
            });
        }
    }
    trials.join_all().await;
}

#[tokio::test]
async fn an_end_without_a_report_is_related_too() {
    let (finished, _) = run_fake(Fake::new(vec![("", Some(Ended::MachineGone))]), &plan(LONG)).await;
    assert_eq!(told(&finished), "lost connection to test machine 0.01");
    assert_eq!(finished.reason, "about lost connection to test machine");
}

#[tokio::test]
async fn repeats_go_on_until_the_limit_and_are_one_trial() {
    let repeated = Plan { repeat: true, ..plan(Duration::from_millis(300)) };
    let (finished, log) = run_fake(Fake::new(vec![("", Some(Ended::Code(0)))]), &repeated).await;
    assert_eq!(told(&finished), "clean, exposure 1.0");
    assert!(log.iter().filter(|step| step.starts_with("run ")).count() > 1, "{log:?}");
}

#[tokio::test]
async fn voids_name_their_stage() {
    let failure = |stage, reason: &str| Failure { stage, reason: reason.to_owned() };
    let mut missing = plan(LONG);
    missing.files = vec![("/nowhere".into(), "/x".to_owned())];
    assert_eq!(told(&run_fake(Fake::new(vec![("", None)]), &missing).await.0), "Copy: there is no /nowhere");

    let mut fake = Fake::new(vec![("", None)]);
    fake.boot = ("BUG: target\n", Err(failure(Stage::Boot, "no word")));
    let finished = run_fake(fake, &plan(LONG)).await.0;
    assert_eq!((told(&finished).as_str(), titles(&finished)), ("Boot: no word (target)", vec!["target"]));

    let mut fake = Fake::new(vec![("", None)]);
    fake.control = Ended::ControlFailed("cannot fork".to_owned());
    assert_eq!(told(&run_fake(fake, &plan(LONG)).await.0), "Control: cannot fork");

    let fake = Fake::new(vec![("broken\n", Some(Ended::Code(0)))]);
    assert_eq!(told(&run_fake(fake, &plan(LONG)).await.0), "Infra: the classifier broke");
}

#[tokio::test]
async fn what_a_boot_warns_of_is_kept_but_is_no_trials_crash() {
    let mut fake = Fake::new(vec![("", Some(Ended::Code(0)))]);
    fake.boot = ("BUG: stray\n", Ok(()));
    let (finished, _) = run_fake(fake, &plan(LONG)).await;
    assert_eq!((told(&finished).as_str(), titles(&finished)), ("clean, exposure 1.0", vec!["stray"]));
}

#[tokio::test]
async fn where_the_boot_is_the_target_its_failure_is_a_crash() {
    let boot = |text, result| {
        let mut fake = Fake::new(vec![("", None)]);
        fake.boot = (text, result);
        fake
    };
    let of_the_boot = Plan { stage: TargetStage::Boot, ..plan(LONG) };
    let failed = || Err(Failure { stage: Stage::Boot, reason: "no word".to_owned() });
    let (finished, log) = run_fake(boot("", Ok(())), &of_the_boot).await;
    assert_eq!((told(&finished).as_str(), log.len()), ("clean, exposure 1.0", 2), "the reproducer does not run");
    assert_eq!(told(&run_fake(boot("", failed()), &of_the_boot).await.0), "boot failure 0.01");
    assert_eq!(told(&run_fake(boot("BUG: target\n", failed()), &of_the_boot).await.0), "target 0.95");
    assert_eq!(told(&run_fake(boot("BUG: target\n", Ok(())), &of_the_boot).await.0), "target 0.95");
    let infra = Err(Failure { stage: Stage::Infra, reason: "no disk".to_owned() });
    assert_eq!(told(&run_fake(boot("", infra), &of_the_boot).await.0), "Infra: no disk");
}

#[tokio::test]
async fn a_cancelled_trial_says_how_much_it_had() {
    for (expect, repeat, outcome) in [
        (Expect::Crash, false, Outcome::Clean),
        (Expect::Exit, false, Outcome::Void(Failure { stage: Stage::Infra, reason: "cancelled".to_owned() })),
    ] {
        let plan = Plan { expect, repeat, ..plan(Duration::from_secs(1000)) };
        let (go_on, stop) = watch::channel(false);
        let fake = Fake::new(vec![("", None)]);
        let log = Arc::clone(&fake.log);
        let trial = tokio::spawn(async move { run(Box::new(fake), &plan, Arc::new(PlainWatch), stop).await });
        while !log.lock().expect("no panic").contains(&"run 1".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        go_on.send(true).expect("the trial listens");
        let finished = trial.await.expect("no panic");
        assert_eq!((finished.outcome, finished.cancelled), (outcome, true));
        assert!(finished.exposure < 0.1);
    }
}

#[tokio::test]
async fn a_cancelled_trial_waits_for_nothing_and_keeps_quiet_about_what_was_not_judged() {
    let cancelled = Outcome::Void(Failure { stage: Stage::Infra, reason: "cancelled".to_owned() });
    for (text, outcome) in [("BUG: target\n", cancelled), ("all is well\n", Outcome::Clean)] {
        // The console is read on for ten seconds after the run, and the machine does not end.
        let mut fake = Fake::new(vec![(text, Some(Ended::Code(0)))]);
        (fake.lag, fake.stuck) = (LONG, true);
        let log = Arc::clone(&fake.log);
        let (go_on, stop) = watch::channel(false);
        let trial = tokio::spawn(async move { run(Box::new(fake), &plan(LONG), Arc::new(PlainWatch), stop).await });
        while !log.lock().expect("no panic").contains(&"run 1".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        go_on.send(true).expect("the trial listens");
        let finished = trial.await.expect("no panic");
        assert_eq!((finished.outcome, finished.cancelled), (outcome, true));
        assert_eq!(finished.console, text.as_bytes());
        assert!(finished.seconds < 5.0, "{} s", finished.seconds);
    }
}
