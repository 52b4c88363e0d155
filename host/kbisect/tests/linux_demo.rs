//! The demo on real Linux, with a short history. Slow: `./x test-linux`.

use std::path::PathBuf;
use std::process::Command;

/// The sources that the demo takes, or those that the tests have: `KBISECT_TEST_LINUX_TREE`, a folder or an archive.
fn tree() -> Option<PathBuf> {
    let stated = std::env::var_os("KBISECT_TEST_LINUX_TREE").map(PathBuf::from);
    // Other tests take a bare repository, too.
    stated.filter(|tree| tree.is_file() || tree.join("Makefile").is_file()).or_else(linux_demo::installed)
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_demo_finds_what_was_planted() {
    let Some(tree) = tree() else { panic!("no sources of Linux: apt-get install linux-source, or set KBISECT_TEST_LINUX_TREE") };
    let dir = tempfile::tempdir().expect("a folder");
    let keep = dir.path().join("demo");
    let output = Command::new(env!("CARGO_BIN_EXE_kbisect"))
        .args(["demo", "--linux", "--commits", "24", "--seed", "2", "--tree"])
        .arg(&tree)
        .arg("--keep")
        .arg(&keep)
        .output()
        .expect("kbisect starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("\"): found   "), "what was planted is named");
    let report = std::fs::read_to_string(keep.join("run/report.txt")).expect("a report");
    assert!(report.contains("general protection fault in inotify_show_fdinfo"), "{report}");
}
