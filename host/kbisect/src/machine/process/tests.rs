//! Slots over a real repository.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A repository with two commits, made by git.
struct Room {
    dir: TempDir,
    commits: [CommitId; 2],
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = "set -e; git init -q repo; cd repo; git config user.email a@b; git config user.name a
            for n in 1 2; do echo $n > version; git add .; git commit -qm $n; done
            git rev-parse HEAD~1 HEAD";
        let output = Command::new("sh").args(["-c", script]).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut ids =
            String::from_utf8(output.stdout).unwrap().lines().map(|id| id.parse().unwrap()).collect::<Vec<_>>().into_iter();
        let commits = [ids.next().unwrap(), ids.next().unwrap()];
        Self { dir, commits }
    }

    /// What git says in the repository with this on its standard input.
    fn git(&self, args: &[&str], input: &[u8]) -> String {
        let file = self.dir.path().join("input");
        fs::write(&file, input).unwrap();
        let names = ["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), format!("GIT_{who}_EMAIL")));
        let mut command = Command::new("git");
        command.args(args).current_dir(self.dir.path().join("repo")).stdin(fs::File::open(file).unwrap());
        for (name, email) in names {
            command.env(name, "a").env(email, "a@b");
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
    }

    fn pool(&self, clean: bool, build: Option<&str>) -> ProcessPool {
        let build = build.map(|script| SlotBuild {
            command: ["sh", "-c", script, "sh", "{src}", "{out}", "{commit}"].map(str::to_owned).to_vec(),
            time_limit: LONG,
            jobs: 1,
            room: crate::build::room::Room {
                dir: self.dir.path().to_owned(),
                work: self.dir.path().join("slots"),
                limit: 8 << 20,
            },
        });
        ProcessPool::new(Settings {
            patches: Arc::default(),
            repo: self.dir.path().join("repo"),
            dir: self.dir.path().join("slots"),
            slots: 2,
            clean,
            build,
        })
    }

    /// Runs a script as one trial; its end and its console.
    async fn trial(&self, pool: &ProcessPool, commit: usize, slot: u32, script: &str) -> Result<(Ended, String), Failure> {
        let setup = Setup { trial: 1, commit: self.commits[commit], kernel: None, slot, command: Vec::new() };
        let mut machine = pool.create(&setup).await?;
        let mut console = machine.console();
        machine.boot().await?;
        assert_eq!(machine.exec(&Program::Control, LONG).await, Ok(Ended::Code(0)));
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let listen = tokio::spawn(async move {
            let mut seen = Vec::new();
            while let Some(piece) = console.recv().await {
                seen.extend(piece);
            }
            String::from_utf8_lossy(&seen).into_owned()
        });
        let ended = machine.exec(&Program::Reproducer { run: 1, argv }, LONG).await?;
        machine.destroy().await;
        Ok((ended, listen.await.unwrap()))
    }
}

#[tokio::test]
async fn a_trial_runs_in_a_checkout_of_its_commit() {
    let room = Room::new();
    let pool = room.pool(false, None);
    assert_eq!(pool.slots(), 2);
    for (commit, slot) in [(0, 0), (1, 1), (1, 0), (0, 1)] {
        let (ended, console) = room.trial(&pool, commit, slot, "cat version; echo to stderr >&2; exit 7").await.unwrap();
        assert_eq!((ended, console), (Ended::Code(7), format!("{}\nto stderr\n", commit + 1)));
    }
}

#[tokio::test]
async fn tracked_files_are_reset_and_untracked_ones_stay_unless_cleaned() {
    let room = Room::new();
    let dirty = "cat version; ls; echo changed > version; echo product > product; rm -f .git/index";
    for (clean, second) in [(false, "1\nproduct\nversion\n"), (true, "1\nversion\n")] {
        let pool = room.pool(clean, None);
        let slot = u32::from(clean);
        assert_eq!(room.trial(&pool, 0, slot, dirty).await.unwrap().1, "1\nversion\n");
        assert_eq!(room.trial(&pool, 0, slot, dirty).await.unwrap().1, second);
    }
}

#[tokio::test]
async fn a_build_runs_once_for_each_commit_and_slot() {
    let room = Room::new();
    let pool = room.pool(false, Some("cd \"$1\" && [ -d \"$2\" ] && echo \"built $3\" >> product && echo x > made"));
    let product = |times: [usize; 2]| -> String {
        room.commits.iter().zip(times).flat_map(|(id, times)| vec![format!("built {id}\n"); times]).collect()
    };
    for (commit, times) in [(0, [1, 0]), (0, [1, 0]), (1, [1, 1]), (1, [1, 1])] {
        assert_eq!(room.trial(&pool, commit, 0, "cat product").await.unwrap().1, product(times));
    }
    assert_eq!(room.trial(&pool, 1, 1, "cat product").await.unwrap().1, product([0, 1]));
}

#[tokio::test]
async fn what_a_build_puts_out_is_there_in_every_trial() {
    let room = Room::new();
    let pool = room.pool(false, Some("ls \"$2\" | wc -l > left; cat version > \"$2/made\""));
    for (commit, made) in [(0, "1\n0\n"), (0, "1\n0\n"), (1, "2\n0\n"), (1, "2\n0\n"), (0, "1\n0\n")] {
        assert_eq!(room.trial(&pool, commit, 0, "cat ../out/made left").await.unwrap().1, made);
    }
}

#[tokio::test]
async fn a_tree_that_cannot_be_checked_out_is_the_commits_fault() {
    let mut room = Room::new();
    let inner = room.git(&["mktree"], b"");
    let inner: CommitId = inner.parse().unwrap();
    let tree = room
        .git(&["hash-object", "-w", "--literally", "-t", "tree", "--stdin"], &[b"40000 .git\0", &inner.as_bytes()[..]].concat());
    room.commits[1] = room.git(&["commit-tree", "-m", "hostile", &tree], b"").parse().unwrap();
    let failure = room.trial(&room.pool(false, None), 1, 0, "true").await.expect_err("it is not written");
    assert_eq!(failure.stage, Stage::Build, "{}", failure.reason);
    assert_eq!(room.trial(&room.pool(false, None), 0, 0, "cat version").await.unwrap().1, "1\n");
}

#[tokio::test]
async fn a_build_beyond_its_disk_is_ended() {
    let room = Room::new();
    let pool = room.pool(false, Some("yes > big"));
    let failure = room.trial(&pool, 0, 0, "true").await.expect_err("the build takes all there is");
    let told = "the build takes the run directory beyond [limits] `disk` = 8M";
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Build, told));
}

#[tokio::test]
async fn a_failed_build_is_told_and_tried_again() {
    let room = Room::new();
    let pool = room.pool(false, Some("echo once >> tries; echo no rule; [ $(wc -l < tries) -gt 1 ]"));
    let failure = room.trial(&pool, 0, 0, "true").await.expect_err("the first build fails");
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Build, "the build ended with exit status 1: no rule"));
    assert_eq!(room.trial(&pool, 0, 0, "true").await.unwrap().0, Ended::Code(0));
}

#[tokio::test]
async fn every_trial_has_temporary_files_of_its_own() {
    let room = Room::new();
    let pool = room.pool(false, None);
    let script = "ls \"$TMPDIR\"; mktemp > /dev/null; ls \"$TMPDIR\" | wc -l";
    for slot in [0, 0, 1] {
        assert_eq!(room.trial(&pool, 0, slot, script).await.unwrap().1, "1\n");
    }
}

#[tokio::test]
async fn a_slot_holds_one_trial_at_a_time() {
    let room = Room::new();
    let pool = room.pool(false, None);
    let setup = Setup { trial: 1, commit: room.commits[0], kernel: None, slot: 0, command: Vec::new() };
    let first = pool.create(&setup).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), pool.create(&setup)).await.is_err(), "it waits");
    pool.create(&Setup { slot: 1, ..setup.clone() }).await.unwrap().destroy().await;
    first.destroy().await;
    pool.create(&setup).await.unwrap().destroy().await;
    let Err(failure) = pool.create(&Setup { slot: 2, ..setup }).await else { panic!("there are two") };
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Infra, "there is no slot 2"));
}

#[tokio::test]
async fn files_are_copied_into_the_checkout_and_nowhere_else() {
    let room = Room::new();
    let pool = room.pool(false, None);
    let from = room.dir.path().join("file");
    fs::write(&from, "content").unwrap();
    let mut machine =
        pool.create(&Setup { trial: 1, commit: room.commits[0], kernel: None, slot: 0, command: Vec::new() }).await.unwrap();
    machine.copy(&from, "/a/b").await.unwrap();
    assert_eq!(fs::read_to_string(room.dir.path().join("slots/0/src/a/b")).unwrap(), "content");
    for to in ["../x", "a/../../x", "/", "", "./."] {
        let failure = machine.copy(&from, to).await.expect_err(to);
        assert_eq!(failure.stage, Stage::Copy);
    }
    assert!(machine.copy(Path::new("/nowhere"), "x").await.is_err());
}

#[tokio::test]
async fn a_missing_program_is_known_by_its_status() {
    let room = Room::new();
    let pool = room.pool(false, None);
    let machine =
        pool.create(&Setup { trial: 1, commit: room.commits[0], kernel: None, slot: 0, command: Vec::new() }).await.unwrap();
    for (program, code) in [("./missing", 127), ("./version", 126)] {
        let run = Program::Reproducer { run: 1, argv: vec![program.to_owned()] };
        assert_eq!(machine.exec(&run, LONG).await, Ok(Ended::Code(code)));
    }
}

/// Nothing is a crash.
struct Blind;

impl crate::policy::Watch for Blind {
    fn markers(&self) -> Vec<Vec<u8>> {
        vec![b"BUG:".to_vec()]
    }

    fn classify(&self, console: &[u8]) -> Result<Vec<kbisect_core::crash::CrashReport>, Failure> {
        assert!(console.len() <= crate::trial::console::WINDOW);
        Ok(Vec::new())
    }

    fn relate(&self, _: &kbisect_core::crash::CrashReport, _: &CommitId) -> Result<crate::policy::Relation, Failure> {
        unreachable!("there are no reports")
    }
}

#[tokio::test]
async fn a_hundred_megabytes_in_one_line_are_a_trial_like_others() {
    let room = Room::new();
    let script = "printf 'BUG:\\0\\377\\376'; head -c 100000000 /dev/zero; echo; echo the end";
    let plan = crate::trial::Plan {
        commit: room.commits[0],
        kind: crate::config::job::MachineKind::Process,
        stage: crate::config::job::TargetStage::Run,
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        files: Vec::new(),
        time_limit: LONG,
        repeat: false,
        expect: crate::config::job::Expect::Exit,
        on_timeout: crate::config::job::CountAs::Void,
        on_signal: crate::config::job::CountAs::Void,
        suite: None,
        exposure: 1.0,
    };
    let machine = room
        .pool(false, None)
        .create(&Setup { trial: 1, commit: plan.commit, kernel: None, slot: 0, command: Vec::new() })
        .await
        .unwrap();
    let (_go_on, stop) = tokio::sync::watch::channel(false);
    let finished = crate::trial::run(machine, &plan, Arc::new(Blind), stop).await;
    assert_eq!(finished.outcome, kbisect_core::policy::Outcome::Clean);
    assert!(finished.console.starts_with(b"BUG:\0\xff\xfe\0") && finished.console.ends_with(b"\nthe end\n"));
    assert!(finished.console.len() < crate::trial::console::KEPT + 100);
}
