//! Commits build and boot, but for the stretches that do not.

mod common;

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use pocket::Options;

/// Boots in QEMU, asks for all that the protocol has, and switches off: the lines of the control port, and the console.
fn boot(kernel: &Path, board: &str) -> (Vec<String>, String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let socket = dir.path().join("control");
    let console = dir.path().join("console");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let mut qemu = Command::new("qemu-system-x86_64")
        .args(["-M", board, "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "32M"])
        .arg("-kernel")
        .arg(kernel)
        .args(["-serial", &format!("file:{}", console.display())])
        .args(["-chardev", &format!("socket,id=control,path={}", socket.display())])
        .args(["-device", "isa-serial,index=1,chardev=control"])
        .stdin(Stdio::null())
        .spawn()
        .expect("QEMU starts");
    let (mut port, _) = listener.accept().expect("QEMU connects");
    let mut lines = Vec::new();
    let mut answers = BufReader::new(port.try_clone().expect("a second handle")).lines();
    let mut answer = |lines: &mut Vec<String>| match answers.next() {
        Some(Ok(line)) => {
            lines.push(line);
            true
        }
        _ => false,
    };
    if answer(&mut lines) {
        for (command, count) in
            [("nonce 00ff", 1), ("control", 1), ("ping", 1), ("exec 1 nothing%20here", 2), ("exec 2 race 7", 2)]
        {
            writeln!(port, "{command}").expect("the port takes it");
            for _ in 0..count {
                answer(&mut lines);
            }
        }
        let _ = writeln!(port, "off");
    }
    qemu.wait().expect("QEMU ends");
    (lines, std::fs::read_to_string(&console).expect("there is a console"))
}

fn qemu() -> bool {
    let found = Command::new("qemu-system-x86_64").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("skipped: no qemu-system-x86_64");
    }
    found
}

#[test]
fn commits_build_and_their_kernels_run() {
    if !common::compiler() {
        return;
    }
    let history = common::write(&Options::default());
    let planted = &history.planted;
    let whole: Vec<git2::Oid> = history
        .commits()
        .into_iter()
        .filter(|&id| !history.fails(id, &planted.unbuildable) && !history.fails(id, &planted.unbootable))
        .collect();
    let mut sample: Vec<git2::Oid> = whole.iter().copied().step_by(whole.len() / 40).collect();
    sample.extend(planted.releases.iter().map(|tag| history.id(tag)));
    sample.extend([history.id(&planted.culprit), history.id(&planted.unbuildable.until), history.id(&planted.unbootable.until)]);
    assert!(sample.len() >= 40);
    for id in sample {
        let kernel = history.hosted(id);
        let runs: Vec<common::Run> = (0..6).map(|seed| kernel.trial(seed)).collect();
        assert!(runs.iter().all(|run| run.control.contains("kbisect 00ff control ok\nkbisect 00ff start 1\n")), "{id}");
        if !history.contains(id, &planted.culprit) {
            assert!(runs.iter().any(common::Run::clean), "{id}: {}", runs[0].console);
        }
    }
}

#[test]
fn the_stretches_fail_as_they_should() {
    if !common::compiler() {
        return;
    }
    let history = common::write(&Options { seed: 2, ..Options::default() });
    let planted = &history.planted;
    for id in history.commits() {
        if history.fails(id, &planted.unbuildable) {
            let error = history.build(id).expect_err("it does not build");
            assert!(error.contains("net/sock.c") && error.contains("mod_timer"), "{error}");
        } else if history.fails(id, &planted.unbootable) {
            let run = history.hosted(id).trial(1);
            assert!(!run.control.contains("hello") && run.console.contains("Kernel panic - not syncing"), "{}", run.console);
        }
    }
}

#[test]
fn a_kernel_does_not_depend_on_where_it_was_built() {
    if !common::compiler() {
        return;
    }
    let build = || {
        let history = common::write(&Options { commits: 60, ..Options::default() });
        let out = history.build(history.id("v1.0")).expect("it builds");
        ["kernel", "vmlinux"].map(|file| std::fs::read(out.join(file)).expect("it is there"))
    };
    let [first, again] = [build(), build()];
    assert!(first == again, "two builds of one commit differ");
    let place = std::env::temp_dir();
    let place = place.to_str().expect("it is UTF-8").as_bytes();
    assert!(!first[1].windows(place.len()).any(|bytes| bytes == place), "the debug information names the folder");
}

#[test]
fn kernels_boot_in_qemu() {
    if !common::compiler() || !qemu() {
        return;
    }
    let history = common::write(&Options { seed: 1, ..Options::default() });
    let planted = &history.planted;
    let mut boards = ["microvm", "pc"].into_iter().cycle();
    for tag in &planted.good {
        let out = history.build(history.id(tag)).expect("it builds");
        let board = boards.next().expect("it goes on for ever");
        let (lines, console) = boot(&out.join("kernel"), board);
        assert_eq!(lines[0], "kbisect hello", "{tag} on {board}: {console}");
        let id = lines[1].strip_prefix("kbisect 00ff hello ").expect("its build id");
        assert!(id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        assert_eq!(
            lines[2..6],
            ["kbisect 00ff control ok", "kbisect 00ff note pong", "kbisect 00ff start 1", "kbisect 00ff end 1 127"]
        );
        assert_eq!(lines[6], "kbisect 00ff start 2");
        assert!(
            lines.get(7).map(String::as_str) == Some("kbisect 00ff end 2 0") || console.contains("Kernel panic"),
            "{console}"
        );
        assert!(console.contains("[    0.000000] Pocket version 1."), "{console}");
    }
}

#[test]
fn a_kernel_that_does_not_boot_ends_by_itself() {
    if !common::compiler() || !qemu() {
        return;
    }
    let history = common::write(&Options { seed: 1, commits: 60, ..Options::default() });
    let out = history.build(history.id(&history.planted.unbootable.from)).expect("it builds");
    let (lines, console) = boot(&out.join("kernel"), "microvm");
    assert!(lines.is_empty(), "{lines:?}");
    assert!(console.contains("kernel BUG at mm/slab.c:") && console.contains("Kernel panic - not syncing"), "{console}");
}
