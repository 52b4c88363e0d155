//! The machine traits fit a cloud: everything is a slow request to a program, which may fail.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Stage;
use tokio::task::JoinSet;

use super::*;
use crate::config::job::CountAs;
use crate::config::job::Expect;
use crate::config::job::MachineKind;
use crate::config::job::TargetStage;
use crate::policy::Relation;
use crate::policy::Watch;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;
use crate::trial;

const LONG: Duration = Duration::from_secs(60);

/// A cloud in a folder.
struct Cloud {
    dir: PathBuf,
    /// Names are never used twice.
    instances: AtomicU32,
}

struct Instance {
    dir: PathBuf,
    name: String,
    console: Option<mpsc::Receiver<Vec<u8>>>,
    sender: mpsc::Sender<Vec<u8>>,
    tasks: JoinSet<()>,
}

fn request(dir: &Path, verb: &str, name: &str, args: &[OsString]) -> Task {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/cloud_tests/cloud.sh");
    let words = ["sh".into(), program.into(), dir.into(), verb.into(), name.into()];
    Task::new(words.into_iter().chain(args.iter().cloned()), dir, Jail::trial())
}

/// One request; what it answers.
async fn ask(dir: &Path, verb: &str, name: &str, args: &[OsString]) -> Result<String, Failure> {
    let infra = |reason: String| Failure { stage: Stage::Infra, reason };
    let (finish, said) =
        process::run(&request(dir, verb, name, args), LONG, 1000).await.map_err(|error| infra(error.to_string()))?;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    if finish == Finish::Exit(Exit::Code(0)) { Ok(said) } else { Err(infra(said)) }
}

#[async_trait]
impl Pool for Cloud {
    fn slots(&self) -> u32 {
        4
    }

    async fn create(&self, setup: &Setup) -> Result<Box<dyn Machine>, Failure> {
        let name = format!("trial-{}-{}", setup.trial, self.instances.fetch_add(1, Ordering::Relaxed));
        ask(&self.dir, "create", &name, &[]).await?;
        let (sender, console) = mpsc::channel(16);
        Ok(Box::new(Instance { dir: self.dir.clone(), name, console: Some(console), sender, tasks: JoinSet::new() }))
    }
}

#[async_trait]
impl Machine for Instance {
    fn console(&mut self) -> mpsc::Receiver<Vec<u8>> {
        self.console.take().unwrap()
    }

    fn lag(&self) -> Duration {
        Duration::from_secs(2)
    }

    async fn boot(&mut self) -> Result<Identity, Failure> {
        let (listen, sender) = (request(&self.dir, "console", &self.name, &[]), self.sender.clone());
        self.tasks.spawn(async move {
            let _ = process::stream(&listen, LONG, &sender).await;
        });
        ask(&self.dir, "boot", &self.name, &[]).await.map(|_| Identity::NotAsked)
    }

    async fn copy(&mut self, from: &Path, to: &str) -> Result<(), Failure> {
        ask(&self.dir, "copy", &self.name, &[from.into(), to.into()]).await.map(drop)
    }

    async fn exec(&self, program: &Program, limit: Duration) -> Result<Ended, Failure> {
        let argv = match program {
            Program::Control => vec!["true".into()],
            Program::Reproducer { argv, .. } => argv.iter().map(OsString::from).collect(),
        };
        match tokio::time::timeout(limit, ask(&self.dir, "exec", &self.name, &argv)).await {
            Ok(answer) => Ok(Ended::Code(answer?.strip_prefix("status ").and_then(|code| code.parse().ok()).unwrap())),
            Err(_) => Ok(Ended::TimeLimit),
        }
    }

    async fn alive(&self) -> bool {
        ask(&self.dir, "alive", &self.name, &[]).await.is_ok()
    }

    async fn destroy(mut self: Box<Self>) {
        ask(&self.dir, "destroy", &self.name, &[]).await.unwrap();
        self.tasks.shutdown().await;
    }
}

struct PlainWatch;

impl Watch for PlainWatch {
    fn markers(&self) -> Vec<Vec<u8>> {
        vec![b"BUG:".to_vec()]
    }

    fn classify(&self, _console: &[u8]) -> Result<Vec<CrashReport>, Failure> {
        Ok(vec![CrashReport::default()])
    }

    fn relate(&self, _seen: &CrashReport, _at: &CommitId) -> Result<Relation, Failure> {
        Ok(Relation { same: 1.0, reason: String::new() })
    }
}

#[tokio::test]
async fn trials_come_through_a_cloud_that_fails_often() {
    let dir = tempfile::tempdir().unwrap();
    let repro = dir.path().join("repro");
    fs::write(&repro, "[ $1 -eq 0 ] || echo BUG: seen; exit 0\n").unwrap();
    fs::create_dir(dir.path().join("cloud")).unwrap();
    let cloud = Arc::new(Cloud { dir: dir.path().join("cloud"), instances: AtomicU32::new(0) });
    let failures = Arc::new(AtomicU32::new(0));
    let mut trials = JoinSet::new();
    for number in 0..4_u64 {
        let (cloud, failures, repro) = (Arc::clone(&cloud), Arc::clone(&failures), repro.clone());
        trials.spawn(async move {
            let commit = CommitId::from_bytes([1; 20]);
            let plan = trial::Plan {
                commit,
                kind: MachineKind::Qemu,
                stage: TargetStage::Run,
                command: ["sh".to_owned(), "repro".to_owned(), (number % 2).to_string()].to_vec(),
                files: vec![(repro, "repro".to_owned())],
                time_limit: LONG,
                repeat: false,
                expect: Expect::Crash,
                on_timeout: CountAs::Void,
                on_signal: CountAs::Void,
                suite: None,
                exposure: 1.0,
            };
            let (_go_on, stop) = tokio::sync::watch::channel(false);
            loop {
                let failure =
                    match cloud.create(&Setup { trial: number, commit, kernel: None, slot: 0, command: Vec::new() }).await {
                        Err(failure) => failure,
                        Ok(machine) => match trial::run(machine, &plan, Arc::new(PlainWatch), stop.clone()).await.outcome {
                            Outcome::Void(failure) => failure,
                            outcome => break assert_eq!(outcome == Outcome::Clean, number % 2 == 0),
                        },
                    };
                assert_eq!(failure.stage, Stage::Infra, "{}", failure.reason);
                assert!(failure.reason.starts_with("503 "), "{}", failure.reason);
                failures.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    trials.join_all().await;
    assert!(failures.load(Ordering::Relaxed) > 0, "the cloud did fail");
    assert_eq!(fs::read_dir(&cloud.dir).unwrap().count(), 0, "no instance is left to be paid for");
}
