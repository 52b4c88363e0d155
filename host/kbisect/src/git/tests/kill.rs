//! SIGKILL while a checkout switches: this test program starts itself, and kills that.

use std::time::Duration;

use super::*;
use crate::git::Checkout;

const SWITCHER: &str = "KBISECT_TEST_SWITCHER";

/// The program that is killed: switches to and fro without end.
#[test]
#[ignore = "not a test of its own"]
fn switcher() {
    let folder = PathBuf::from(std::env::var_os(SWITCHER).unwrap());
    let ids: Vec<CommitId> = fs::read_to_string(folder.join("ids")).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    let mut dice = Dice(u64::from(std::process::id()));
    let mut checkout = Checkout::create(&folder.join("repo"), &folder.join("slot")).unwrap();
    fs::write(folder.join("started"), "").unwrap();
    loop {
        checkout.switch(dice.pick(&ids)).unwrap();
        if dice.roll(3) == 0 {
            checkout.clean().unwrap();
        }
    }
}

#[test]
fn killed_switches_are_mended() {
    let sandbox = Sandbox::import(random_history(80, 60).as_bytes());
    let ids = sandbox.ids(&["rev-list", "--all"]);
    fs::write(sandbox.beside("ids"), ids.iter().map(|id| format!("{id}\n")).collect::<String>()).unwrap();
    git_in(sandbox.folder.path(), &["clone", "-q", "--shared", "--no-checkout", "repo", "oracle"]);
    let oracle = sandbox.beside("oracle");
    fs::write(oracle.join(".git/info/attributes"), "* -text !eol -ident -filter -working-tree-encoding\n").unwrap();
    let before = listing(&sandbox.path());
    let mut dice = Dice(80);
    let mut unfinished = 0;
    for round in 0..40 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "git::tests::kill::switcher", "--ignored", "--nocapture"])
            .env(SWITCHER, sandbox.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !sandbox.beside("started").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the switcher ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(dice.roll(20_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_file(sandbox.beside("started")).unwrap();
        let slot = sandbox.beside("slot");
        unfinished += u32::from(slot.join(".git/kbisect-switching").exists());
        // Every other time the next process goes on where this one was killed, so that unfinished switches pile up.
        if round % 2 == 0 {
            continue;
        }
        let commit = *dice.pick(&ids);
        Checkout::create(&sandbox.path(), &slot).unwrap().switch(&commit).unwrap();
        git_in(&oracle, &["checkout", "-q", "-f", "--detach", &commit.to_string()]);
        git_in(&oracle, &["clean", "-q", "-ffdx"]);
        assert_eq!(tree_on_disk(&slot), tree_on_disk(&oracle), "round {round}");
        assert_eq!(git_in(&slot, &["status", "--porcelain"]), "", "round {round}");
    }
    assert!(unfinished > 0, "no kill hit a switch");
    assert_eq!(listing(&sandbox.path()), before);
}
