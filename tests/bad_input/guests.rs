//! Guests that forge control messages, and one that floods its console: real QEMU, with a kernel that plays a script.

use std::fs;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Signal;

use super::RUN_JOB;
use super::project;
use super::script;
use super::shown;
use super::signal;
use super::spawn;
use super::timeless;
use super::until;
use super::wait;
use crate::support::World;
use crate::support::journal;
use crate::support::named;

// What the guest makes of these bytes of its script (see the head of `testing.S`).
const CONSOLE: &str = "\u{1}";
const CONTROL: &str = "\u{2}";
const NONCE: &str = "\u{3}";
const READ: &str = "\u{4}";
const HALT: &str = "\u{5}";
const AGAIN: &str = "\u{7}";
const MARK: &str = "\u{8}";

const CRASH: &str = "[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n\
    [    1.000001] #PF: supervisor write access in kernel mode\n\
    [    1.000002] Oops: 0002 [#1] SMP\n\
    [    1.000003] CPU: 0 PID: 77 Comm: repro Not tainted 6.1.0 #1\n\
    [    1.000004] RIP: 0010:alpha_one+0x10/0x20\n\
    [    1.000005] Call Trace:\n\
    [    1.000006]  <TASK>\n\
    [    1.000007]  alpha_two+0x30/0x40\n\
    [    1.000008]  </TASK>\n";

/// A guest that has booted, passed the control test and begun its first run.
fn begun() -> String {
    format!(
        "{CONTROL}kbisect hello\n{READ}kbisect {NONCE} hello -\n{READ}kbisect {NONCE} control ok\n{READ}kbisect {NONCE} start 1\n"
    )
}

/// Scripts of a guest whose run is clean, and of one that crashes and stays there.
pub(crate) fn clean_and_crashed() -> (String, String) {
    let end = format!("{CONTROL}kbisect {NONCE} end 1 0\n{HALT}");
    (format!("{}{end}", begun()), format!("{}{CONSOLE}{CRASH}{end}", begun()))
}

/// [`project`] with a kernel that plays one script up to the fourth commit and another from the fifth on; none where kernels
/// cannot be made or booted here.
pub(crate) fn world(before: &str, after: &str) -> Option<(World, Vec<String>)> {
    for tool in ["as", "ld", "qemu-system-x86_64"] {
        if Command::new(tool).arg("--version").output().is_err() {
            eprintln!("skipped: there is no {tool}");
            return None;
        }
    }
    let (world, ids) = project("exit 1");
    fs::write(world.path("before"), before).unwrap();
    fs::write(world.path("after"), after).unwrap();
    let build = script(
        &world,
        "build.sh",
        "if [ \"$(cat number)\" -ge 4 ]; then play=after; else play=before; fi\n\
         cd \"$TMPDIR\" && cp \"${0%/*}/$play\" script && as --32 -I . \"$2\" -o o &&\n\
         ld -m elf_i386 -Ttext 0x100000 --oformat binary -e 0x100000 -o \"$1/kernel\" o",
    );
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/qemu/testing.S");
    let text = format!(
        "repo = \"repo\"\nbad = \"v1.1\"\ngood = \"v1.0\"\n[build]\ncommand = [\"{build}\", \"{{out}}\", \"{source}\"]\n\
         [machine]\nboard = \"microvm\"\nmemory = \"32M\"\ncpus = 1\nown_init = true\nboot_limit = \"20s\"\n\
         [trial]\ncommand = [\"race\"]\ntime_limit = \"20s\"\n\
         [search]\nstrategy = \"git\"\nsingle_trials = true\n[limits]\ncpus = 1\nmemory = \"64M\"\n"
    );
    fs::write(world.path("job.toml"), text).unwrap();
    Some((world, ids))
}

/// What a run says whose start commit's kernel plays this script.
fn fails(script: &str) -> Option<String> {
    let (world, _) = world("", script)?;
    let job = fs::read_to_string(world.path("job.toml")).unwrap().replace("\"20s\"", "\"2s\"");
    // With the policy's trials: three that say nothing end it.
    let job = job.replace("[search]\nstrategy = \"git\"\nsingle_trials = true\n", "");
    fs::write(world.path("job.toml"), job).unwrap();
    Some(timeless(&shown(&world, &mut world.kbisect(&RUN_JOB))))
}

#[test]
fn a_bisection_whose_guests_forge_control_messages() {
    // All that an answer could be, with the boot's own nonce, on the console; good and bad guests say the opposite of what is so.
    let forged = |end: u8| format!("{CONSOLE}kbisect hello\nkbisect {NONCE} control fail forged\nkbisect {NONCE} end 1 {end}\n");
    let clean = format!("{}{}{CONTROL}kbisect {NONCE} end 1 0\n{HALT}", begun(), forged(1));
    // On the control port a reproducer with root can forge its own end; what the kernel printed outranks it.
    let crashed = format!("{}{}{CRASH}{CONTROL}kbisect {NONCE} end 1 0\n{HALT}", begun(), forged(0));
    let Some((world, ids)) = world(&clean, &crashed) else { return };
    let output = wait(spawn(&mut world.kbisect(&RUN_JOB)));
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    assert_eq!(named(&world.path("run")), Some(ids[4].clone()));
    let voids = journal(&world.path("run")).iter().filter(|entry| !entry["outcome"]["void"].is_null()).count();
    assert_eq!(voids, 0, "no line on a console counted");
}

#[test]
fn a_guest_that_speaks_only_on_its_console() {
    let script = format!("{CONSOLE}kbisect hello\nkbisect 00112233445566778899aabbccddeeff hello -\n{HALT}");
    let Some(said) = fails(&script) else { return };
    insta::assert_snapshot!(said, @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: three trials in
      a row ended without a result: no word on the control port within 2 s.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 3 void trials (does not boot: 3)
    Build: build.sh {out} testing.S
    Machine: QEMU (microvm), 1 CPU, 32M
    Test: race, for at most 2s
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 3 trials on 1 commit in [TIME]
    --- exit status 3
    "#);
}

#[test]
fn a_guest_that_forges_on_the_control_port() {
    let Some(said) = fails(&format!("{}{CONTROL}kbisect 00112233445566778899aabbccddeeff end 1 0\n{HALT}", begun())) else {
        return;
    };
    insta::assert_snapshot!(said, @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: three trials in
      a row ended without a result: a line without this boot's nonce on the
      control port: `kbisect 00112233445566778899aabbccddeeff end 1 0`.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 3 void trials (reproducer said nothing: 3)
    Build: build.sh {out} testing.S
    Machine: QEMU (microvm), 1 CPU, 32M
    Test: race, for at most 2s
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 3 trials on 1 commit in [TIME]
    --- exit status 3
    "#);
    let Some(said) = fails(&format!("{}{CONTROL}kbisect {NONCE} end 2 0\n{HALT}", begun())) else { return };
    let nonce = said.split("`kbisect ").nth(1).and_then(|rest| rest.get(..32)).unwrap_or_default();
    let said = said.replace(nonce, "[NONCE]");
    insta::assert_snapshot!(said, @r#"
    --- stdout

    No answer: the start commit d1b19def845b cannot be tested: three trials in
      a row ended without a result: an answer that nobody asked for on the
      control port: `kbisect [NONCE] end 2 0`.

    Mend that and begin a new run; the consoles of all trials are kept with
      this one.

    Crash: not seen in any trial
      (reported at d1b19def845b ("change 7"))
    Evidence:
      start      d1b19def845b  no trial had a result
    Not counted: 3 void trials (reproducer said nothing: 3)
    Build: build.sh {out} testing.S
    Machine: QEMU (microvm), 1 CPU, 32M
    Test: race, for at most 2s
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 3 trials on 1 commit in [TIME]
    --- exit status 3
    "#);
}

#[test]
fn two_signals_do_not_wait_for_a_console_to_settle() {
    // The run is over, and the console is read on for ten seconds at most while it goes on.
    let script = format!("{}{CONSOLE}{CRASH}{CONTROL}kbisect {NONCE} end 1 0\n{CONSOLE}{MARK}{CRASH}{AGAIN}", begun());
    let Some((world, _)) = world("", &script) else { return };
    let run = spawn(&mut world.kbisect(&RUN_JOB));
    let machines = world.path("run/work/machines");
    until("the first machine", || fs::read_dir(&machines).is_ok_and(|mut inside| inside.next().is_some()));
    std::thread::sleep(Duration::from_secs(1));
    signal(run.id(), Signal::INT);
    until("the signal is taken in", || fs::read_to_string(world.path("run/journal.jsonl")).unwrap().contains("\"stopping\""));
    let began = Instant::now();
    signal(run.id(), Signal::INT);
    let said = world.shown(&wait(run));
    let took = began.elapsed();
    insta::assert_snapshot!(said, @r"
    --- stderr
    stopped: by a signal
    to go on: kbisect resume run
    --- exit status 130
    ");
    // One second on a quiet machine; to wait for the console took eight more.
    assert!(took < Duration::from_secs(4), "{took:?}");
    let trials = journal(&world.path("run")).iter().filter(|entry| entry["event"] == "trial-ended").count();
    assert_eq!(trials, 0, "what the console shows was not judged, so the trial says nothing");
}
