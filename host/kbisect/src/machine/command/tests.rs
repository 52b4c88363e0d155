//! Fake commands that boot nothing: small shell scripts that do as `vng` does.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kbisect_core::commit::CommitId;
use proptest::prelude::*;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// The build id of the kernel that this machine itself runs on: fakes run what they are told here.
fn own_build_id() -> Option<String> {
    signature::build_id_of_notes(&fs::read("/sys/kernel/notes").ok()?)
}

/// A machine whose command is a script; the folder lives as long.
struct Room {
    dir: TempDir,
}

impl Room {
    /// `script` finds the kernel as `$1` and the command as `$2`.
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = dir.path().join("fake");
        fs::write(&fake, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.path().join("kernel"), "").unwrap();
        Self { dir }
    }

    fn pool(&self) -> CommandPool {
        CommandPool::new(Settings {
            dir: self.dir.path().join("machines"),
            slots: 1,
            memory: 64 << 20,
            cpus: 3,
            boot_limit: Duration::from_secs(20),
            command: [&self.dir.path().join("fake").display().to_string(), "{kernel}", "{command}", "{memory}M {cpus}"]
                .map(str::to_owned)
                .into(),
        })
    }

    async fn machine(&self, command: &[&str]) -> Box<dyn Machine> {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let kernel = Some(self.dir.path().to_owned());
        let setup = Setup { trial: 1, commit: CommitId::from_bytes([1; 20]), kernel, slot: 0, command };
        self.pool().create(&setup).await.unwrap()
    }

    /// How a boot fails.
    async fn boot_failure(&self) -> Failure {
        let mut machine = self.machine(&["true"]).await;
        let failure = machine.boot().await.expect_err("the boot must fail");
        machine.destroy().await;
        failure
    }
}

fn run_once() -> Program {
    Program::Reproducer { run: 1, argv: Vec::new() }
}

async fn all_of(mut pieces: mpsc::Receiver<Vec<u8>>) -> String {
    let mut seen = Vec::new();
    while let Some(piece) = pieces.recv().await {
        seen.extend(piece);
    }
    String::from_utf8(seen).unwrap()
}

#[tokio::test]
async fn a_program_runs_as_it_is_given_and_what_is_ours_is_no_console() {
    let room = Room::new("echo \"[    0.000000] Linux $1 with $3\"; sh -c \"$2\"; echo bye");
    let mut machine = room.machine(&["sh", "-c", "echo \"<$1>\"; exit 7", "sh", "it's 100% {kernel} $HOME"]).await;
    let console = machine.console();
    // Of a kernel that nobody knows there is nothing to compare.
    assert!(matches!(machine.boot().await, Ok(Identity::Unknown(_))));
    assert_eq!(machine.exec(&Program::Control, LONG).await, Ok(Ended::Code(0)));
    assert_eq!(machine.exec(&run_once(), LONG).await, Ok(Ended::Code(7)));
    let kernel = room.dir.path().canonicalize().unwrap().join("kernel");
    let expected = format!("[    0.000000] Linux {} with 64M 3\n<it's 100% {{kernel}} $HOME>\nbye\n", kernel.display());
    assert_eq!(all_of(console).await, expected);
    machine.destroy().await;
    assert_eq!(fs::read_dir(room.dir.path().join("machines")).unwrap().count(), 0);
}

#[tokio::test]
async fn another_kernel_is_told_by_its_build_id() {
    let Some(own) = own_build_id() else { return println!("skipped: this machine's kernel has no build id") };
    let room = Room::new("sh -c \"$2\"");
    fs::write(room.dir.path().join("build-id"), "00c0ffee").unwrap();
    let failure = room.boot_failure().await;
    assert_eq!(failure.stage, Stage::Infra);
    assert!(failure.reason.ends_with(&format!("build id {own}, not 00c0ffee")), "{}", failure.reason);
    fs::write(room.dir.path().join("build-id"), own).unwrap();
    assert_eq!(room.machine(&["true"]).await.boot().await, Ok(Identity::Same));
}

#[tokio::test]
async fn a_command_that_ends_before_its_guest_spoke_is_a_boot_that_failed() {
    for (script, stage, told) in [
        ("echo Kernel panic; exit 255", Stage::Boot, "exit status 255, which is vng's when its guest panicked, before its guest"),
        ("echo no such option; exit 2", Stage::Boot, "exit status 2 before its guest said a word: no such option"),
        ("exec /nowhere/qemu", Stage::Infra, "is not installed"),
    ] {
        let failure = Room::new(script).boot_failure().await;
        assert_eq!(failure.stage, stage, "{}", failure.reason);
        assert!(failure.reason.contains(told), "{}", failure.reason);
    }
}

#[tokio::test]
async fn a_guest_that_dies_under_its_program_is_gone_whatever_the_status() {
    for status in [0, 1, 255] {
        // Of the program's own end nothing is heard.
        let room = Room::new(&format!("sh -c \"$2\" | grep -v --line-buffered ' end '; exit {status}"));
        let mut machine = room.machine(&["true"]).await;
        machine.boot().await.unwrap();
        assert_eq!(machine.exec(&run_once(), LONG).await, Ok(Ended::MachineGone), "{status}");
        machine.destroy().await;
    }
}

#[tokio::test]
async fn a_guest_that_hangs_is_told_from_one_that_is_busy() {
    let room = Room::new("sh -c \"$2\"");
    let mut machine = room.machine(&["sleep", "1000"]).await;
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&run_once(), Duration::from_millis(100)).await, Ok(Ended::TimeLimit));
    assert!(machine.alive().await);
    machine.destroy().await;
    // The whole guest stands still once its program runs.
    let room = Room::new("sh -c \"$2\" | { read -r hello; echo \"$hello\"; read -r control; echo \"$control\"; sleep 1000; }");
    let mut machine = room.machine(&["sleep", "1000"]).await;
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&run_once(), Duration::from_millis(100)).await, Ok(Ended::TimeLimit));
    assert!(!machine.alive().await);
    machine.destroy().await;
}

#[tokio::test]
async fn a_control_test_that_fails_is_said() {
    let room = Room::new("sh -c \"$2\" | sed -u 's/ control$/ fail/'");
    let mut machine = room.machine(&["true"]).await;
    machine.boot().await.unwrap();
    let told = "cannot read /proc or write a file".to_owned();
    assert_eq!(machine.exec(&Program::Control, LONG).await, Ok(Ended::ControlFailed(told)));
}

/// Nobody tells the guest to begin: what a reproducer shows at once would be taken for the boot's, which is no crash of its.
#[tokio::test]
async fn what_the_reproducer_shows_is_held_back_until_it_is_its_turn() {
    let room = Room::new("echo of the boot; sh -c \"$2\"; echo of the end");
    let mut machine = room.machine(&["echo", "of the reproducer"]).await;
    let mut console = machine.console();
    let mut shown = move || {
        let pieces: Vec<u8> = std::iter::from_fn(|| console.try_recv().ok()).flatten().collect();
        String::from_utf8(pieces).unwrap()
    };
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&Program::Control, LONG).await, Ok(Ended::Code(0)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(shown(), "of the boot\n");
    assert_eq!(machine.exec(&run_once(), LONG).await, Ok(Ended::Code(0)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(shown(), "of the reproducer\nof the end\n");
    machine.destroy().await;
}

#[test]
fn a_line_of_the_kernels_may_stand_before_ours_and_others_nonces_are_text() {
    let mut heard = Heard::default();
    let console = heard.take(b"[ 1.0] abckbisect 12 end 3\r\nkbisect 13 end 4\nkbisect 12 end 5\n", "12");
    assert_eq!(String::from_utf8(console.concat()).unwrap(), "[ 1.0] abckbisect 13 end 4\n");
    assert_eq!(heard.end, Some(3));
}

proptest! {
    #[test]
    fn no_bytes_of_a_guest_break_the_reading(bytes in proptest::collection::vec(any::<u8>(), 0..60), verb in "[a-z]{0,5}") {
        let mut heard = Heard::default();
        let line = [b"kbisect 12 ", verb.as_bytes(), b" ", &bytes, b"\n"].concat();
        heard.take(&line, "12");
        heard.take(&bytes, "12");
        prop_assert!(heard.said.len() <= SAID);
    }
}

#[test]
fn the_line_around_a_program_fits_a_kernels_command_line() {
    let line = guarded("0123456789abcdef", &["/run/bisect/inputs/0123/repro".to_owned()]);
    // virtme packs it with base64 into at most 2048 bytes.
    assert!(line.len() < 512, "{}: {line}", line.len());
    let folder = Path::new("/nowhere");
    let settings = Settings {
        dir: folder.to_owned(),
        slots: 1,
        memory: 1 << 30,
        cpus: 2,
        boot_limit: LONG,
        command: ["vng", "--memory", "{memory}M", "--run", "{kernel}", "--", "{command}"].map(str::to_owned).into(),
    };
    let filled = fill(&settings, folder, "run {kernel}");
    assert_eq!(filled, ["vng", "--memory", "1024M", "--run", "/nowhere/kernel", "--", "run {kernel}"]);
}
