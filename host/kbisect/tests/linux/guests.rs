//! What the tests on the distribution's kernel share: the kernel, reproducers in C, one trial.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::folders;
use kbisect::config::job::CountAs;
use kbisect::config::job::Expect;
use kbisect::config::job::MachineKind;
use kbisect::config::job::TargetStage;
use kbisect::machine::Pool;
use kbisect::machine::Setup;
use kbisect::machine::qemu;
use kbisect::plugin::Engine;
use kbisect::plugin::facts::NoFacts;
use kbisect::policy::Policies;
use kbisect::trial;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Outcome;

/// The newest cloud kernel of the distribution, as a folder that holds `kernel`, and its modules in one beside it; downloaded once.
pub(crate) fn cloud_kernel() -> PathBuf {
    let dir = folders::downloads();
    let script = "set -e
        package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -1)
        if [ ! -d \"$package.modules\" ]; then
            new=$(mktemp -d new.XXXXXX) && mkdir \"$new/kernel\" \"$new/modules\" && cd \"$new\"
            apt-get -q download \"$package\" >&2
            dpkg-deb -x ./*.deb . && cp boot/vmlinuz-* kernel/kernel && mv lib modules/lib && depmod -b modules $(ls modules/lib/modules)
            cd ..
            [ -d \"$package\" ] || mv -T \"$new/kernel\" \"$package\"
            [ -d \"$package.modules\" ] || mv -T \"$new/modules\" \"$package.modules\"
            rm -rf \"$new\"
        fi
        echo \"$package\"";
    let output = Command::new("sh").args(["-c", script]).current_dir(&dir).output().expect("a shell");
    assert!(output.status.success(), "no kernel: {}", String::from_utf8_lossy(&output.stderr));
    dir.join(String::from_utf8_lossy(&output.stdout).trim())
}

/// A static program for the guest.
pub(crate) fn reproducer(dir: &Path, body: &str) -> PathBuf {
    let (source, program) = (dir.join("repro.c"), dir.join("repro"));
    let headers = ["fcntl", "sched", "signal", "stdio", "stdlib", "unistd"].map(|name| format!("#include <{name}.h>\n")).concat();
    fs::write(&source, format!("{headers}int main(int argc, char **argv) {{ (void)argc; (void)argv; {body} }}\n"))
        .expect("the source");
    let status = Command::new("cc").args(["-static", "-o"]).args([&program, &source]).status().expect("a compiler");
    assert!(status.success());
    program
}

pub(crate) fn plan(reproducer: PathBuf, command: &[&str], seconds: u64) -> trial::Plan {
    trial::Plan {
        commit: CommitId::from_bytes([1; 20]),
        kind: MachineKind::Qemu,
        stage: TargetStage::Run,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        files: vec![(reproducer, "/repro".to_owned())],
        time_limit: Duration::from_secs(seconds),
        repeat: false,
        expect: Expect::Crash,
        on_timeout: CountAs::Void,
        on_signal: CountAs::Void,
        suite: None,
        exposure: 1.0,
    }
}

/// A machine as jobs have it that say nothing, but smaller.
pub(crate) fn settings() -> qemu::Settings {
    qemu::Settings {
        dir: PathBuf::new(),
        slots: 1,
        memory: 512 << 20,
        cpus: 1,
        board: "pc".to_owned(),
        cmdline: String::new(),
        network: false,
        boot_limit: Duration::from_secs(120),
        init: Some(kbisect::embedded::GUEST_INIT),
        root_dir: None,
    }
}

pub(crate) async fn run(board: &str, kernel: &Path, plan: &trial::Plan) -> trial::Finished {
    run_with(qemu::Settings { board: board.to_owned(), ..settings() }, kernel, plan).await
}

pub(crate) async fn run_with(settings: qemu::Settings, kernel: &Path, plan: &trial::Plan) -> trial::Finished {
    let dir = tempfile::tempdir().expect("a folder");
    let name = settings.board.clone();
    let pool = qemu::QemuPool::new(qemu::Settings { dir: dir.path().to_owned(), ..settings });
    run_in(&pool, &name, kernel, plan).await
}

pub(crate) async fn run_in(pool: &dyn Pool, name: &str, kernel: &Path, plan: &trial::Plan) -> trial::Finished {
    let engine = Engine::new(None).expect("an engine");
    let policies = Policies::load_with(&engine, &[], Arc::new(NoFacts), Arc::new(|_| {})).expect("the bundled plugins");
    let setup = Setup { trial: 1, commit: plan.commit, kernel: Some(kernel.to_owned()), slot: 0, command: plan.command.clone() };
    let machine = pool.create(&setup).await.expect("a machine");
    let (_go_on, stop) = tokio::sync::watch::channel(false);
    let finished = trial::run(machine, plan, Arc::new(policies), stop).await;
    println!("{name}: {:?} ({:.1} s)", finished.outcome, finished.seconds);
    if !matches!(finished.outcome, Outcome::Clean) {
        println!("{}", String::from_utf8_lossy(&finished.console));
    }
    finished
}
