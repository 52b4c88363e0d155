//! `kbisect classify` and `kbisect relate` as users see them: whole outputs with their exit status.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::World;
use serde_json::Value;

/// A boot with two crashes, as the kernel prints them.
const CONSOLE: &str = "\
[    0.000000] Linux version 6.6.0
[    3.100000] ==================================================================
[    3.100010] BUG: KASAN: slab-use-after-free in ring_take+0x41/0x90
[    3.100020] Read of size 8 at addr ffff888004d2a018 by task reader/71
[    3.100030]
[    3.100040] CPU: 0 PID: 71 Comm: reader Not tainted 6.6.0 #1
[    3.100050] Call Trace:
[    3.100060]  <TASK>
[    3.100070]  dump_stack_lvl+0x64/0x80
[    3.100080]  print_report+0xc4/0x620
[    3.100090]  kasan_report+0xb6/0xf0
[    3.100100]  ring_take+0x41/0x90
[    3.100110]  ring_read+0x1b/0x40
[    3.100120]  vfs_read+0x1b4/0x700
[    3.100130]  do_syscall_64+0x3c/0x90
[    3.100140]  </TASK>
[    3.100150] ==================================================================
[    3.200000] reader: still here
[    9.000000] ------------[ cut here ]------------
[    9.000010] WARNING: CPU: 1 PID: 80 at drivers/ring/slot.c:77 slot_put+0x22/0x30
[    9.000020] CPU: 1 PID: 80 Comm: writer Tainted: G    B  6.6.0 #1
[    9.000030] RIP: 0010:slot_put+0x22/0x30
[    9.000040] Call Trace:
[    9.000050]  <TASK>
[    9.000060]  ring_write+0x88/0x120
[    9.000070]  vfs_write+0x1b4/0x700
[    9.000080]  </TASK>
[    9.000090] ---[ end trace 0000000000000000 ]---
";

fn world() -> World {
    let world = World::new();
    fs::write(world.path("console.txt"), CONSOLE).unwrap();
    world
}

fn said(world: &World, args: &[&str]) -> String {
    world.shown(&world.kbisect(args).output().unwrap())
}

fn json(world: &World, args: &[&str]) -> Value {
    let output = world.kbisect(args).output().unwrap();
    assert!(output.status.success(), "{}", world.shown(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn people_see_every_crash() {
    insta::assert_snapshot!(said(&world(), &["classify", "console.txt"]), @r"
    --- stdout
    KASAN: slab-use-after-free Read in ring_take
      also       bad-access in ring_take
      type       KASAN-USE-AFTER-FREE-READ
      function   ring_take
      trace      dump_stack_lvl < print_report < kasan_report < ring_take < ring_read < vfs_read < do_syscall_64
      lines      3 to 19

    WARNING in slot_put
      type       WARNING
      function   slot_put
      file       drivers/ring/slot.c
      trace      slot_put < ring_write < vfs_write
      lines      20 to 28
    --- exit status 0
    ");
}

#[test]
fn programs_get_every_field() {
    let world = world();
    let printed = json(&world, &["classify", "--json", "console.txt"]);
    assert_eq!(printed["schema"], 1);
    let keys: Vec<&String> = printed["reports"][0].as_object().unwrap().keys().collect();
    insta::assert_snapshot!(
        keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(" "),
        @r"
    alt_titles corrupted end executor frame guilty_file panicked start suppressed title trace type
    "
    );
    let spans = printed["reports"].as_array().unwrap().iter().map(|report| {
        let offset = |key: &str| usize::try_from(report[key].as_u64().unwrap()).unwrap();
        CONSOLE[offset("start")..offset("end")].lines().next().unwrap().to_owned()
    });
    insta::assert_snapshot!(spans.collect::<Vec<_>>().join("\n"), @r"
    [    3.100010] BUG: KASAN: slab-use-after-free in ring_take+0x41/0x90
    [    9.000010] WARNING: CPU: 1 PID: 80 at drivers/ring/slot.c:77 slot_put+0x22/0x30
    ");
    // Offsets are those of the file as it is.
    fs::write(world.path("returns.txt"), CONSOLE.replace('\n', "\r\n")).unwrap();
    let returns = json(&world, &["classify", "--json", "returns.txt"]);
    let text = fs::read(world.path("returns.txt")).unwrap();
    for (plain, with) in printed["reports"].as_array().unwrap().iter().zip(returns["reports"].as_array().unwrap()) {
        assert_eq!(plain["title"], with["title"]);
        let start = usize::try_from(with["start"].as_u64().unwrap()).unwrap();
        let plain_start = usize::try_from(plain["start"].as_u64().unwrap()).unwrap();
        assert!(text[start..].starts_with(&CONSOLE.as_bytes()[plain_start..plain_start + 20]));
    }
}

#[test]
fn the_chain_can_be_shown() {
    let shown = said(&world(), &["classify", "--explain", "console.txt"]);
    insta::assert_snapshot!(shown.split("\n\n").next().unwrap(), @r"
    --- stdout
    linux-crash adds `KASAN: slab-use-after-free Read in ring_take` by the rule for `BUG: KASAN: {what:word} in {fn}`, lines 3 to 19
    linux-crash adds `WARNING in slot_put` by the rule for `WARNING: CPU: {cpu:num} PID: {pid:any} at {path}:{line:num} {fn}+0x`, lines 20 to 28
    ");
}

#[test]
fn a_clean_console_is_no_error() {
    let world = world();
    fs::write(world.path("clean.txt"), "[    0.000000] Linux version 6.6.0\nlogin: \n").unwrap();
    insta::assert_snapshot!(said(&world, &["classify", "clean.txt"]), @r"
    --- stdout
    no crash in clean.txt
    --- exit status 0
    ");
    assert_eq!(json(&world, &["classify", "--json", "clean.txt"]), serde_json::json!({ "schema": 1, "reports": [] }));
    let mut child =
        world.kbisect(&["classify", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"nothing\n").unwrap();
    insta::assert_snapshot!(world.shown(&child.wait_with_output().unwrap()), @r"
    --- stdout
    no crash in standard input
    --- exit status 0
    ");
}

#[test]
fn crashes_far_into_a_console_are_found() {
    let world = world();
    let calm = "[    1.000000] all is well here, and nothing else is to be said of it\n".repeat(60_000);
    fs::write(world.path("long.txt"), format!("{CONSOLE}{calm}{CONSOLE}")).unwrap();
    let reports = json(&world, &["classify", "--json", "long.txt"])["reports"].as_array().unwrap().clone();
    let starts: Vec<u64> = reports.iter().map(|report| report["start"].as_u64().unwrap()).collect();
    let shift = (CONSOLE.len() + calm.len()) as u64;
    assert_eq!(starts.len(), 4, "{starts:?}");
    assert_eq!([starts[2], starts[3]], [starts[0] + shift, starts[1] + shift]);
}

#[test]
fn a_corpus_is_scored() {
    let world = world();
    fs::create_dir(world.path("corpus")).unwrap();
    let right = format!(
        "TITLE: KASAN: slab-use-after-free Read in ring_take\nTYPE: KASAN-USE-AFTER-FREE-READ\nALT: bad-access in ring_take\n\n{CONSOLE}"
    );
    fs::write(world.path("corpus/1"), &right).unwrap();
    fs::write(
        world.path("corpus/2"),
        right.replace("Read in ring_take", "Read in ring_read").replace("bad-access in ring_take", "bad-access in ring_read"),
    )
    .unwrap();
    fs::write(world.path("corpus/10"), "\nall is well\n").unwrap();
    insta::assert_snapshot!(said(&world, &["classify", "--corpus", "corpus", "--failures"]), @r"
    --- stdout
    corpus/2
      title
        - KASAN: slab-use-after-free Read in ring_read
        + KASAN: slab-use-after-free Read in ring_take
      alt
        - bad-access in ring_read
        + bad-access in ring_take
    field       right      of  percent     F1
    found           2       2   100.00  1.000
    title           1       2    50.00  0.500
    type            2       2   100.00  1.000
    alt             1       2    50.00  0.500
    corrupted       0       0   100.00  1.000
    suppressed      0       0   100.00  1.000
    panicked        0       0   100.00  1.000
    executor        0       0   100.00  1.000
    all             2       3    66.67  0.667
    --- exit status 0
    ");
    insta::assert_snapshot!(
        said(&world, &["classify", "--corpus", "corpus", "--min", "title=50", "--min", "all=90"]).split_once("--- stderr").unwrap().1,
        @r"
    error: all: 66.67 % right, less than 90 %
    --- exit status 1
    "
    );
    fs::write(world.path("corpus/11"), "TITLE: x\nCOLOUR: red\n\n").unwrap();
    insta::assert_snapshot!(said(&world, &["classify", "--corpus", "corpus"]), @r"
    --- stderr
    error: cannot read corpus: corpus/11: line 2: unknown header `COLOUR`; known are TITLE, ALT, TYPE, FRAME, CORRUPTED, SUPPRESSED, PANICKED, EXECUTOR, START, END, FILE
    --- exit status 2
    ");
}

#[test]
fn what_cannot_be_classified_is_refused() {
    let world = world();
    fs::write(world.path("no.wasm"), "no component").unwrap();
    insta::assert_snapshot!(
        [
            said(&world, &["classify", "missing.txt"]),
            said(&world, &["classify", "--vmlinux", "missing", "console.txt"]),
            said(&world, &["classify", "--plugin", "no.wasm", "console.txt"]),
            said(&world, &["classify", "--corpus", "."]),
            said(&world, &["classify", "--corpus", "home"]),
        ]
        .concat(),
        @r"
    --- stderr
    error: cannot read missing.txt: No such file or directory (os error 2)
    --- exit status 2
    --- stderr
    error: missing is no file
    --- exit status 2
    --- stderr
    error: plugin `no` (no.wasm) is not a WebAssembly component
    --- exit status 2
    --- stderr
    error: cannot read .: ./console.txt: line 1 is no header: `[    0.000000] Linux version 6.6.0`
    --- exit status 2
    --- stderr
    error: home has no files
    --- exit status 2
    "
    );
}

#[test]
fn crashes_are_related() {
    let world = world();
    let output = world.kbisect(&["classify", "--json", "console.txt"]).output().unwrap();
    fs::write(world.path("report.json"), output.stdout).unwrap();
    let title = "title:KASAN: slab-use-after-free Read in ring_take";
    let chance = |target: &str, seen: &str| {
        json(&world, &["relate", "--json", "--target", target, "--seen", seen])["probability"].as_f64().unwrap()
    };
    assert!(chance("console.txt", "report.json") >= 0.97);
    assert!(chance(title, "console.txt") >= 0.9);
    assert!(chance("title:WARNING in sock_close", "console.txt") <= 0.2);
    insta::assert_snapshot!(said(&world, &["relate", "--target", "title:WARNING in x", "--target", title, "--seen", "console.txt"]), @r"
    --- stdout
    probability  0.984
    reason       like KASAN: slab-use-after-free Read in ring_take: both blame ring_take, the same title
    --- exit status 0
    ");
}

#[test]
fn plugins_come_from_a_job_with_their_settings() {
    let world = world();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guests = Path::new(env!("KBISECT_GUESTS"));
    let component = guest_build::plugins(&workspace, guests, &["scripted-guest"]).unwrap().remove(0);
    let job = format!(
        "repo = \".\"\nbad = \"HEAD\"\nrepro = \"repro\"\n[machine]\nkind = \"process\"\n\
         [[plugin]]\nid = \"ours\"\npath = {component:?}\nsettings = {{ ignore = true, same = 0.25 }}\n"
    );
    fs::write(world.path("highest.toml"), format!("{job}priority = {}\n", i64::MAX)).unwrap();
    fs::copy(component, world.path("second.wasm")).unwrap();
    fs::write(world.path("job.toml"), job).unwrap();
    fs::write(world.path("repro"), "").unwrap();
    insta::assert_snapshot!(
        [
            said(&world, &["classify", "--job", "job.toml", "console.txt"]),
            said(&world, &["relate", "--job", "job.toml", "--target", "console.txt", "--seen", "console.txt"]),
            said(&world, &["classify", "--job", "no.toml", "console.txt"]),
            said(&world, &["classify", "--job", "highest.toml", "--plugin", "second.wasm", "console.txt"]),
        ]
        .concat(),
        @r"
    --- stdout
    WARNING in slot_put
      type       WARNING
      function   slot_put
      file       drivers/ring/slot.c
      trace      slot_put < ring_write < vfs_write
      lines      20 to 28
    --- exit status 0
    --- stdout
    probability  0.250
    reason       the script says so
    --- exit status 0
    --- stderr
    error: no.toml: cannot read the job file: No such file or directory (os error 2)
    --- exit status 2
    --- stderr
    error: plugins `ours` and `second` both claim `flake-policy` here, with the same priority 9223372036854775807: give one a higher `priority`
    --- exit status 2
    ");
}

#[test]
fn what_is_no_crash_is_not_related() {
    let world = world();
    fs::write(world.path("clean.txt"), "all is well\n").unwrap();
    fs::write(world.path("broken.json"), "{ \"reports\": 7 }").unwrap();
    insta::assert_snapshot!(
        ["clean.txt", "missing.txt", "broken.json", "title: "]
            .map(|seen| said(&world, &["relate", "--target", "console.txt", "--seen", seen]))
            .concat(),
        @r"
    --- stderr
    error: there is no crash in clean.txt
    --- exit status 2
    --- stderr
    error: cannot read missing.txt: No such file or directory (os error 2)
    hint: name a file, or write `title:` before a title
    --- exit status 2
    --- stderr
    error: there is no crash in broken.json
    --- exit status 2
    --- stderr
    error: there is no title behind `title:`
    --- exit status 2
    "
    );
}
