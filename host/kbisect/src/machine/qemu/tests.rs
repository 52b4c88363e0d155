//! Real QEMU, with a guest of our own (`testing.S`) that plays a script.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command as Tool;

use kbisect_core::commit::CommitId;
use tempfile::TempDir;

use super::*;
use crate::machine::control::MAX_LINE;

// What the guest makes of these bytes of its script.
const CONSOLE: &str = "\u{1}";
const CONTROL: &str = "\u{2}";
const NONCE: &str = "\u{3}";
const READ: &str = "\u{4}";
const HALT: &str = "\u{5}";
const RESET: &str = "\u{6}";
const AGAIN: &str = "\u{7}";
const MARK: &str = "\u{8}";

/// A guest that came up, as a script.
fn booted() -> String {
    format!("{CONTROL}kbisect hello\n{READ}kbisect {NONCE} hello -\n")
}

/// Puts a kernel that plays `script` into `dir`.
fn kernel(dir: &Path, script: &[u8]) {
    fs::write(dir.join("script"), script).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/qemu/testing.S");
    let build = "as --32 -I . \"$0\" -o o && ld -m elf_i386 -Ttext 0x100000 --oformat binary -e 0x100000 -o kernel o";
    assert!(Tool::new("sh").args(["-c", build, source]).current_dir(dir).status().unwrap().success());
}

/// What a test needs for one machine; the folder lives as long.
struct Room {
    dir: TempDir,
    settings: Settings,
    program: String,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            dir: dir.path().join("machines"),
            slots: 1,
            memory: 32 << 20,
            cpus: 1,
            board: "microvm".to_owned(),
            cmdline: String::new(),
            network: false,
            boot_limit: Duration::from_secs(60),
            init: None,
            root_dir: None,
        };
        Self { dir, settings, program: PROGRAM.to_owned() }
    }

    async fn machine(&self, script: &str) -> Box<dyn Machine> {
        kernel(self.dir.path(), script.as_bytes());
        self.machine_as_is().await.unwrap()
    }

    async fn machine_as_is(&self) -> Result<Box<dyn Machine>, Failure> {
        let setup = Setup {
            trial: 7,
            commit: CommitId::from_bytes([1; 20]),
            kernel: Some(self.dir.path().to_owned()),
            slot: 0,
            command: Vec::new(),
        };
        QemuPool::new(self.settings.clone()).with_program(&self.program).create(&setup).await
    }

    /// How a boot with this script fails.
    async fn boot_failure(&self, script: &str) -> Failure {
        let mut machine = self.machine(script).await;
        let failure = machine.boot().await.expect_err("the boot must fail");
        machine.destroy().await;
        assert_eq!(fs::read_dir(&self.settings.dir).unwrap().count(), 0, "a machine leaves nothing");
        failure
    }
}

fn run_once() -> Program {
    Program::Reproducer { run: 1, argv: vec!["race".to_owned(), "two words".to_owned()] }
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_whole_life_on_both_boards() {
    let answers = format!(
        "{READ}kbisect {NONCE} control ok\n{READ}kbisect {NONCE} start 1\n{CONSOLE}hello\r\n\u{c3}\u{28}{CONTROL}kbisect {NONCE} end 1 3\n\
         {READ}kbisect {NONCE} note pong\n{HALT}"
    );
    for board in ["microvm", "pc"] {
        let mut room = Room::new();
        room.settings.board = board.to_owned();
        let mut machine = room.machine(&format!("{}{answers}", booted())).await;
        let mut console = machine.console();
        machine.boot().await.unwrap();
        assert_eq!(machine.exec(&Program::Control, LONG).await, Ok(Ended::Code(0)));
        assert_eq!(machine.exec(&run_once(), LONG).await, Ok(Ended::Code(3)));
        assert!(machine.alive().await);
        machine.destroy().await;
        let mut seen = Vec::new();
        while let Some(piece) = console.recv().await {
            seen.extend(piece);
        }
        assert!(seen.ends_with("hello\r\n\u{c3}\u{28}".as_bytes()), "{board}: {}", seen.escape_ascii());
        assert_eq!(fs::read_dir(&room.settings.dir).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn another_kernel_than_the_one_that_was_built_is_refused() {
    let mut room = Room::new();
    fs::write(room.dir.path().join("build-id"), "00c0ffee").unwrap();
    let failure = room.boot_failure(&format!("{CONTROL}kbisect hello\n{READ}kbisect {NONCE} hello 0badcafe\n{HALT}")).await;
    let told = "the machine runs another kernel than the one that was built: build id 0badcafe, not 00c0ffee";
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Infra, told));
    for (id, init, expected) in [
        ("00C0FFEE", None, Identity::Same),
        ("-", None, Identity::NotAsked),
        ("-", Some(&b""[..]), Identity::Unknown("the kernel does not tell its build id in /sys/kernel/notes".to_owned())),
    ] {
        room.settings.init = init;
        let mut machine = room.machine(&format!("{CONTROL}kbisect hello\n{READ}kbisect {NONCE} hello {id}\n{READ}{HALT}")).await;
        assert_eq!(machine.boot().await, Ok(expected), "{id}");
        machine.destroy().await;
    }
}

#[tokio::test]
async fn a_reset_while_a_program_runs_is_the_machines_end() {
    let room = Room::new();
    let mut machine = room.machine(&format!("{}{READ}kbisect {NONCE} start 1\n{RESET}", booted())).await;
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&run_once(), LONG).await, Ok(Ended::MachineGone));
    assert!(!machine.alive().await);
    machine.destroy().await;
}

#[tokio::test]
async fn a_program_that_goes_on_meets_the_time_limit() {
    let room = Room::new();
    let mut machine = room.machine(&format!("{}{READ}kbisect {NONCE} start 1\n{HALT}", booted())).await;
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&run_once(), Duration::from_millis(100)).await, Ok(Ended::TimeLimit));
    machine.destroy().await;
}

#[tokio::test]
async fn what_is_not_of_the_protocol_is_a_failure_of_the_stage() {
    for (line, told) in [
        ("login:", "a line without this boot's nonce on the control port: `login:`"),
        ("kbisect 00 end 1 0", "a line without this boot's nonce on the control port: `kbisect 00 end 1 0`"),
        ("kbisect hello", "a line without this boot's nonce on the control port: `kbisect hello`"),
    ] {
        let room = Room::new();
        let mut machine = room.machine(&format!("{}{READ}{line}\n{HALT}", booted())).await;
        machine.boot().await.unwrap();
        let failure = machine.exec(&run_once(), LONG).await.expect_err("the trial is void");
        assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Reproducer, told));
        machine.destroy().await;
    }
}

#[tokio::test]
async fn garbage_and_endless_lines_before_the_hello_fail_the_boot() {
    let room = Room::new();
    let failure = room.boot_failure(&format!("{CONTROL}\u{1b}[2J\n{HALT}")).await;
    let told = r"the guest's first line on the control port is `\x1b[2J`, not `kbisect hello`";
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Boot, told));
    let failure = room.boot_failure(&format!("{CONTROL}{MARK}xxxxxxxx{AGAIN}")).await;
    assert_eq!(
        (failure.stage, failure.reason),
        (Stage::Boot, format!("a line of more than {MAX_LINE} bytes on the control port"))
    );
}

#[tokio::test]
async fn a_guest_that_forges_control_on_its_console_gains_nothing() {
    let mut room = Room::new();
    room.settings.boot_limit = Duration::from_secs(2);
    let forged = "kbisect hello\nkbisect 00112233445566778899aabbccddeeff hello -\n";
    let failure = room.boot_failure(&format!("{CONSOLE}{forged}{HALT}")).await;
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Boot, "no word on the control port within 2 s"));

    let ends = format!("{READ}kbisect {NONCE} start 1\n{CONSOLE}kbisect {NONCE} end 1 0\n{HALT}");
    let room = Room::new();
    let mut machine = room.machine(&format!("{}{ends}", booted())).await;
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&run_once(), Duration::from_millis(500)).await, Ok(Ended::TimeLimit));
    machine.destroy().await;
}

#[tokio::test]
async fn a_guest_that_resets_or_hangs_while_it_boots_fails_the_boot() {
    let mut room = Room::new();
    let failure = room.boot_failure(&format!("{CONSOLE}Booting\n{RESET}")).await;
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Boot, "the machine ended while it booted"));
    // The emulator itself must have started by then, on a busy machine, too.
    room.settings.boot_limit = Duration::from_secs(5);
    let failure = room.boot_failure(HALT).await;
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Boot, "no word on the control port within 5 s"));
}

#[tokio::test]
async fn an_endless_console_does_not_fill_memory_or_stop_the_end() {
    let room = Room::new();
    let flood = format!("{}{READ}kbisect {NONCE} start 1\n{CONSOLE}{MARK}no line end\u{0}{AGAIN}", booted());
    let mut machine = room.machine(&flood).await;
    let mut console = machine.console();
    machine.boot().await.unwrap();
    assert_eq!(machine.exec(&run_once(), Duration::from_millis(300)).await, Ok(Ended::TimeLimit));
    // Nobody has read: what is under way is bounded by the channel, and the machine ends all the same.
    assert!(console.len() <= CONSOLE_PIECES);
    machine.destroy().await;
    while console.recv().await.is_some() {}
}

#[tokio::test]
async fn missing_dying_and_refusing_emulators_are_told_apart() {
    let mut room = Room::new();
    room.program = "/nowhere/qemu".to_owned();
    let failure = room.boot_failure(HALT).await;
    assert_eq!(failure.stage, Stage::Infra);
    assert!(failure.reason.starts_with("/nowhere/qemu is not installed"), "{}", failure.reason);

    let fake = room.dir.path().join("fake");
    for (script, told) in [
        ("echo out of memory >&2; exit 1", "ended with exit status 1: out of memory"),
        ("kill -9 $$", "ended with exit status 137: "),
        ("exit 0", "ended at once"),
    ] {
        fs::write(&fake, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        room.program = fake.to_string_lossy().into_owned();
        let failure = room.boot_failure(HALT).await;
        assert_eq!((failure.stage, failure.reason), (Stage::Infra, format!("{} {told}", fake.display())));
    }
    // A fake that never connects.
    fs::write(&fake, "#!/bin/sh\nsleep 1000\n").unwrap();
    room.settings.boot_limit = Duration::from_millis(300);
    let failure = room.boot_failure(HALT).await;
    assert_eq!((failure.stage, failure.reason), (Stage::Infra, format!("{} does not start", fake.display())));
}

#[tokio::test]
async fn a_kernel_that_qemu_refuses_is_the_commits_fault() {
    let room = Room::new();
    fs::write(room.dir.path().join("kernel"), "not a kernel").unwrap();
    let mut machine = room.machine_as_is().await.unwrap();
    let failure = machine.boot().await.expect_err("that does not boot");
    assert_eq!(failure.stage, Stage::Boot);
    assert!(failure.reason.starts_with("qemu-system-x86_64 refuses the kernel: "), "{}", failure.reason);
    machine.destroy().await;

    fs::remove_file(room.dir.path().join("kernel")).unwrap();
    let Err(failure) = room.machine_as_is().await else { panic!("there is no kernel") };
    assert_eq!(failure.stage, Stage::Infra);
}

#[tokio::test]
async fn dropping_a_machine_kills_it() {
    let room = Room::new();
    let mut machine = room.machine(&format!("{}{HALT}", booted())).await;
    machine.boot().await.unwrap();
    let folder = fs::read_dir(&room.settings.dir).unwrap().next().unwrap().unwrap().path();
    let lives = || {
        let with_it = |entry: fs::DirEntry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder);
        fs::read_dir("/proc").unwrap().flatten().any(with_it)
    };
    assert!(lives());
    drop(machine);
    while lives() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_kernel_of_its_own_takes_no_files() {
    let room = Room::new();
    let mut machine = room.machine(HALT).await;
    let failure = machine.copy(Path::new("/etc/hostname"), "/x").await.expect_err("it takes none");
    assert_eq!(failure.stage, Stage::Copy);
}

#[test]
fn the_job_has_the_last_word_on_the_command_line() {
    assert_eq!(command::kernel_command_line(""), "console=ttyS0,115200 panic=-1 loglevel=7");
    assert!(command::kernel_command_line("panic=5").ends_with(" panic=5"));
}
