//! `plugins/README.md`, followed word by word in an empty folder: what it tells authors to type works, and prints what it says.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::support::World;

/// A fenced block: its language, the path behind that, its text.
struct Block<'a> {
    language: &'a str,
    path: Option<&'a str>,
    text: &'a str,
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = markdown;
    while let Some((_, opened)) = rest.split_once("```") {
        let (head, body) = opened.split_once('\n').unwrap();
        let (text, behind) = body.split_once("```").unwrap();
        let mut words = head.split(' ');
        blocks.push(Block { language: words.next().unwrap(), path: words.next(), text });
        rest = behind;
    }
    blocks
}

/// Where a tool of the real user keeps what it has: `$NAME`, or a folder of the home.
fn kept(name: &str, folder: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap()).join(folder).into())
}

/// A shell as the author has it, without the network.
fn shell(world: &World, folder: &Path, script: &str) -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_kbisect")).parent().unwrap();
    let path = env::join_paths([program.to_owned()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
    let mut command = world.command("sh");
    command.args(["-ec", script]).current_dir(folder);
    command.env("PATH", path).env("KBISECT", &workspace).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_HOME", kept("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", kept("RUSTUP_HOME", ".rustup"));
    if let Some(sysroot) = guest_build::Rustc::find(&workspace).unwrap().wasm_sysroot().unwrap() {
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", format!("--sysroot {}", sysroot.display()));
    }
    command
}

fn succeed(world: &World, mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", world.shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_way_from_an_empty_folder_to_a_job_is_as_described() {
    let world = World::outside_workspaces();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let readme = fs::read_to_string(workspace.join("plugins/README.md")).unwrap();
    let start = world.path("empty");
    fs::create_dir(&start).unwrap();
    let crate_folder = start.join("modem");
    let mut compared = 0;
    let mut jobs = 0;
    for block in blocks(&readme) {
        let folder = if crate_folder.exists() { &crate_folder } else { &start };
        match (block.language, block.path) {
            ("sh", None) => {
                // The std for WebAssembly is there, and rustup would ask the network.
                let script: String =
                    block.text.lines().filter(|line| !line.starts_with("rustup ")).map(|line| format!("{line}\n")).collect();
                succeed(&world, shell(&world, folder, &script));
                if !folder.join("target").exists() && crate_folder.exists() {
                    // What was compiled once, and versions that are there without the network.
                    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first-plugin");
                    fs::create_dir_all(&target).unwrap();
                    symlink(target, crate_folder.join("target")).unwrap();
                    fs::copy(workspace.join("Cargo.lock"), crate_folder.join("Cargo.lock")).unwrap();
                }
            }
            ("console", None) => {
                let (command, expected) = block.text.split_once('\n').unwrap();
                let command = command.strip_prefix("$ ").unwrap();
                assert_eq!(succeed(&world, shell(&world, folder, command)), expected, "{command}");
                compared += 1;
            }
            ("toml", None) => {
                let job = pocket::Job { repo: &start, bad: "HEAD", good: None, strategy: None, seed: 1 };
                fs::write(start.join("job.toml"), pocket::job_toml(&job) + "\n" + block.text).unwrap();
                let shown = succeed(&world, shell(&world, &start, "kbisect classify --job job.toml modem/console.txt"));
                assert!(shown.starts_with("modem: firmware died in handover\n"), "{shown}");
                jobs += 1;
            }
            (_, Some(path)) => fs::write(folder.join(path), block.text).unwrap(),
            (other, None) => panic!("nobody knows what to do with a block of {other}"),
        }
    }
    assert_eq!((compared, jobs), (1, 1));
}
