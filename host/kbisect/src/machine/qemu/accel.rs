//! KVM or the emulator: tried once for each process, with a real guest. Owns the guest and the decision.
//!
//! That `/dev/kvm` can be opened says little: some hypervisors interpret every instruction of a guest's kernel, some hang. So a
//! guest of a few hundred bytes must get through 64-bit code with paging and 20 million turns of a loop in a second or so.

use std::time::Duration;

use tokio::sync::OnceCell;

use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;

/// How guests run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accel {
    /// On the processor.
    Kvm,
    /// In QEMU's translator, and why not on the processor.
    Tcg(String),
}

impl Accel {
    /// QEMU's name for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg(_) => "tcg",
        }
    }
}

/// A processor needs a tenth of a second; the first trial waits for this.
const LIMIT: Duration = Duration::from_millis(1500);

/// The exit status through isa-debug-exit: 2 · 0x2a + 1.
const PROBE_EXIT: i32 = 85;

/// What works here.
pub async fn probe() -> &'static Accel {
    static PROBE: OnceCell<Accel> = OnceCell::const_new();
    PROBE
        .get_or_init(|| async {
            let mut tried = try_guest("kvm", LIMIT).await;
            if tried.is_err() {
                // Other work on the host may have kept it from its time.
                tried = try_guest("kvm", LIMIT).await;
            }
            tried.map_or_else(Accel::Tcg, |()| Accel::Kvm)
        })
        .await
}

/// Runs the guest under an accelerator, for at most `limit`; says in one line what went wrong.
async fn try_guest(accel: &str, limit: Duration) -> Result<(), String> {
    if accel == "kvm" {
        std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").map_err(|error| format!("/dev/kvm: {error}"))?;
    }
    let dir = tempfile::Builder::new().prefix("kbisect-").tempdir().map_err(|error| error.to_string())?;
    let image = dir.path().join("probe.bin");
    std::fs::write(&image, firmware()).map_err(|error| error.to_string())?;
    let args = [
        "-nodefaults -no-user-config -display none -M pc -m 16 -no-reboot -serial stdio",
        "-device isa-debug-exit,iobase=0xf4,iosize=4 -bios probe.bin -accel",
        accel,
    ];
    let words = args.iter().flat_map(|args| args.split(' '));
    let task = Task::new(std::iter::once(super::PROGRAM).chain(words), dir.path(), Jail::qemu(dir.path().to_owned(), true));
    let (finish, said) = process::run(&task, limit, 4 << 10).await.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said);
    match finish {
        Finish::TimeLimit => Err(format!("{accel} opens, but a tiny guest did not end within {} s", limit.as_secs_f64())),
        Finish::Exit(Exit::Code(PROBE_EXIT)) if said.lines().any(|line| line == "kbisect") => Ok(()),
        Finish::Exit(exit) => {
            let said = said.lines().next().unwrap_or_default();
            Err(format!("a tiny guest under {accel} ended with {exit}: {said}"))
        }
    }
}

/// 64 KiB of firmware: [`PROBE`] at the beginning, and a far jump to it at the reset vector.
fn firmware() -> Vec<u8> {
    const RESET: usize = 0xfff0;
    let mut image = vec![0; 0x1_0000];
    image[..PROBE.len()].copy_from_slice(&PROBE);
    image[RESET..RESET + 5].copy_from_slice(&[0xea, 0x00, 0x00, 0x00, 0xf0]);
    image
}

/// `probe.S`, assembled with `as --64` and linked with `ld -Ttext 0 --oformat binary -e 0`.
#[rustfmt::skip]
const PROBE: [u8; 262] = [
    0xfa, 0x2e, 0x66, 0x0f, 0x01, 0x16, 0x00, 0x01, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0,
    0x66, 0xea, 0x18, 0x00, 0x0f, 0x00, 0x08, 0x00, 0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0x8e, 0xc0,
    0x8e, 0xd0, 0x31, 0xc0, 0xbf, 0x00, 0x10, 0x00, 0x00, 0xb9, 0x00, 0x0c, 0x00, 0x00, 0xfc, 0xf3,
    0xab, 0xc7, 0x05, 0x00, 0x10, 0x00, 0x00, 0x03, 0x20, 0x00, 0x00, 0xc7, 0x05, 0x00, 0x20, 0x00,
    0x00, 0x03, 0x30, 0x00, 0x00, 0xc7, 0x05, 0x00, 0x30, 0x00, 0x00, 0x83, 0x00, 0x00, 0x00, 0xb8,
    0x00, 0x10, 0x00, 0x00, 0x0f, 0x22, 0xd8, 0xb8, 0x20, 0x00, 0x00, 0x00, 0x0f, 0x22, 0xe0, 0xb9,
    0x80, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0x0d, 0x00, 0x01, 0x00, 0x00, 0x0f, 0x30, 0x0f, 0x20, 0xc0,
    0x0d, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0, 0xea, 0x7f, 0x00, 0x0f, 0x00, 0x18, 0x00, 0xbc,
    0x00, 0x00, 0x08, 0x00, 0xb9, 0x00, 0x2d, 0x31, 0x01, 0xe2, 0xfe, 0xbf, 0x00, 0x00, 0x01, 0x00,
    0xb9, 0x00, 0x40, 0x00, 0x00, 0x89, 0x0f, 0x48, 0x83, 0xc7, 0x04, 0xe2, 0xf8, 0x31, 0xdb, 0xbe,
    0x00, 0x00, 0x01, 0x00, 0xb9, 0x00, 0x40, 0x00, 0x00, 0x03, 0x1e, 0x48, 0x83, 0xc6, 0x04, 0xe2,
    0xf8, 0x31, 0xc0, 0x0f, 0xa2, 0xba, 0xf8, 0x03, 0x00, 0x00, 0x48, 0x8d, 0x35, 0x14, 0x00, 0x00,
    0x00, 0xb9, 0x08, 0x00, 0x00, 0x00, 0xac, 0xee, 0xe2, 0xfc, 0xba, 0xf4, 0x00, 0x00, 0x00, 0xb0,
    0x2a, 0xee, 0xf4, 0xeb, 0xfd, 0x6b, 0x62, 0x69, 0x73, 0x65, 0x63, 0x74, 0x0a, 0x0f, 0x1f, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xcf, 0x00,
    0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xaf, 0x00,
    0x1f, 0x00, 0xe0, 0x00, 0x0f, 0x00,
];

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn guest_runs_in_the_emulator() {
        assert_eq!(try_guest("tcg", Duration::from_secs(60)).await, Ok(()));
    }

    #[tokio::test]
    async fn unknown_accelerator_is_no_accelerator() {
        let why = try_guest("abacus", Duration::from_secs(60)).await.expect_err("there is none");
        assert!(why.starts_with("a tiny guest under abacus ended with exit status 1"), "{why}");
    }

    #[test]
    fn bytes_are_those_of_the_source() {
        let dir = tempfile::tempdir().expect("a folder");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/qemu/probe.S");
        let assemble = "as --64 \"$0\" -o o && ld -Ttext 0 --oformat binary -e 0 -o code o";
        let status = Command::new("sh").args(["-c", assemble, source]).current_dir(dir.path()).status().expect("a shell");
        assert!(status.success(), "binutils are there wherever Rust links");
        assert_eq!(std::fs::read(dir.path().join("code")).expect("the code"), PROBE);
    }
}
