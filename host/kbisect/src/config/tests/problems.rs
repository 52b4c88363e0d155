//! What is said about job files that are wrong.

use super::*;

#[test]
fn all_problems_are_shown_at_once_with_their_places() {
    let folder = Folder::new();
    let job = r#"repo = "linus"
bda = "v5.10"
kind = "couse"
good = 5
repro = "linux"
time_limit = "5m"
link = "syzbot"

[machine]
kind = "qemu"
memory = 2048
cpu = 2
board = "q35"

[trial]
time_limit = "5 minutes"
repeat = "yes"
command = "run it"
on_timeout = "bad"
files = ["data.bin", { from = "data.bin", to = "tmp" }]

[search]
stratgy = "git"
trust-good = true
delta = 1

[limits]
deadline = "0s"
"#;
    insta::assert_snapshot!(folder.problems(job), @r#"
    job.toml:1:8: `repo`: cannot use linus: No such file or directory (os error 2)
    job.toml:2:1: unknown key `bda`; did you mean `bad`?
    job.toml:3:8: `kind`: must be "cause" or "fix", not "couse"
    job.toml:4:8: `good`: expected a commit or a list of commits, found an integer
    job.toml:5:9: `repro`: linux is a folder, not a file
    job.toml:6:1: unknown key `time_limit`; it belongs to [build] or [trial]
    job.toml:7:8: `link`: must be a link that starts with https://
    job.toml:11:10: [machine] `memory`: expected a size such as "512M" or "2G", found an integer
    job.toml:12:1: unknown key `cpu` in [machine]; did you mean `cpus`?
    job.toml:13:9: [machine] `board`: must be "pc" or "microvm", not "q35"
    job.toml:16:14: [trial] `time_limit`: `5 minutes` is not a duration; write 90s, 5m, 8h or 1h30m
    job.toml:17:10: [trial] `repeat`: expected true or false, found a string
    job.toml:18:11: [trial] `command`: expected a list such as ["./test", "--fast"] (no shell is used), found a string
    job.toml:19:1: [trial] `on_timeout` is for expect = "exit"; with expect = "crash" only a crash counts
    job.toml:20:48: [trial] `files`: must be an absolute path of a file in the machine
    job.toml:23:1: unknown key `stratgy` in [search]; did you mean `strategy`?
    job.toml:24:1: unknown key `trust-good` in [search]; did you mean `trust_good`?
    job.toml:25:9: [search] `delta`: must be from 0.000001 to 0.5
    job.toml:28:12: [limits] `deadline`: `0s` is no time at all
    job.toml: missing `bad`: the commit where the crash was seen
    job.toml: missing [build] `command`: the kernel that it puts into {out} is booted; without it, use [machine] kind = "process"
    "#);
}

#[test]
fn an_empty_job_lacks_what_it_must_have() {
    insta::assert_snapshot!(Folder::new().problems(""), @r#"
    job.toml: missing `repo`: the git repository
    job.toml: missing `bad`: the commit where the crash was seen
    job.toml: missing `repro` or [trial] `command`: what a trial runs
    job.toml: missing [build] `command`: the kernel that it puts into {out} is booted; without it, use [machine] kind = "process"
    "#);
}

#[test]
fn sections_must_be_sections() {
    let job = "repo = 'linux'\nbad = 'x'\nmachine = 'qemu'\nplugin = 'mine'\n[build]\n";
    insta::assert_snapshot!(Folder::new().problems(job), @r#"
    job.toml:3:11: `machine` is a section: write [machine] above its keys
    job.toml:4:10: `plugin` is a list of sections: write [[plugin]] above the keys of each
    job.toml:5:1: missing [build] `command`: program and arguments that build a commit
    job.toml: missing `repro` or [trial] `command`: what a trial runs
    "#);
}

#[test]
fn contradictions_are_refused() {
    let folder = Folder::new();
    let job = r#"repo = "linux"
bad = "v2"
good = ["v1", "v3"]
kind = "fix"
repro = "repro.c"

[build]
command = ["make", "{otu}", "{trial_seed}", "awk '{print}'"]
in_slot = true

[machine]
cpus = 16
memory = "64G"

[limits]
cpus = 4

[trial]
clean = true
on_signal = "bad"

[search]
single_trials = true
"#;
    insta::assert_snapshot!(folder.problems(job), @r#"
    job.toml:3:1: `good`: a fix has one good commit, later than `bad`
    job.toml:8:20: [build] `command`: unknown placeholder {otu}; did you mean {out}?
    job.toml:8:29: [build] `command`: placeholder {trial_seed} is known in trials only
    job.toml:9:1: [build] `in_slot` is for process machines; what is put into {out} is booted
    job.toml:12:1: [machine] `cpus` is 16, more than the 4 of [limits] `cpus`
    job.toml:13:1: [machine] `memory` is 64G, more than the 12G of [limits] `memory`
    job.toml:19:1: [trial] `clean` is for process machines; every machine that boots is fresh
    job.toml:20:1: [trial] `on_signal` is for expect = "exit"; with expect = "crash" only a crash counts
    job.toml:23:1: [search] `single_trials` needs strategy = "git"
    "#);
    let job = r#"repo = "linux"
bad = "v2"
repro = "repro.c"
machine = { kind = "process", own_init = true, board = "pc" }
target.stage = "build"
trial.files = ["data.bin"]
search.reach = true
"#;
    insta::assert_snapshot!(folder.problems(job), @r#"
    job.toml:4:31: [machine] `own_init` is for kind = "qemu"; this machine is of kind "process"
    job.toml:4:48: [machine] `board` is for kind = "qemu"; this machine is of kind "process"
    job.toml:6:7: [trial] `files` is for machines with files of their own; a process sees the host's
    job.toml:7:8: [search] `reach` is for machines of kind "qemu" and crashes of the reproducer
    job.toml: missing [build] `command`: [target] `stage` says that the target is a failure to build
    "#);
}

#[test]
fn a_folder_is_the_root_where_our_init_mounts_it() {
    let folder = Folder::new();
    let job = |machine: &str| {
        let text =
            format!("repo = 'linux'\nbad = 'v2'\nrepro = 'data.bin'\nbuild.command = ['make']\nmachine = {{ {machine} }}\n");
        folder.problems(&text)
    };
    insta::assert_snapshot!(job("root_dir = 'linux', own_init = true"), @"job.toml:5:13: [machine] `root_dir` is for Linux: with `own_init` nobody mounts it");
    insta::assert_snapshot!(job("root_dir = 'data.bin'"), @"job.toml:5:24: [machine] `root_dir`: data.bin is a file, not a folder");
    insta::assert_snapshot!(job("root_dir = '.', kind = 'process'"), @r#"job.toml:5:13: [machine] `root_dir` is for kind = "qemu"; this machine is of kind "process""#);
}

#[test]
fn plugins_are_checked() {
    let folder = Folder::new();
    let job = r#"repo = "linux"
bad = "v2"
repro = "repro.c"
build.command = ["make"]

[[plugin]]
id = "sequental"

[[plugin]]
id = "mine"
path = "mine.wasm"
sha256 = "abc"
hooks = ["classify", "recipients"]
when = { paths = ["drivers/***"], title = ["KASAN*"] }
settings = { limit = inf, "when" = 1979-05-27 }
limits = { fuel = -1, memory = "lots", wall = "1h" }

[[plugin]]
path = "policy.wasm"
prority = 3

[[plugin]]
id = "linux-crash"
path = "policy.wasm"

[[plugin]]
id = "maintainers"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"

[[plugin]]
id = "maintainers"
"#;
    insta::assert_snapshot!(folder.problems(job), @r#"
    job.toml:7:1: [plugin] `id`: no bundled plugin is called "sequental" and there is no `path`; did you mean "sequential"?
    job.toml:11:8: [plugin] `path`: cannot use mine.wasm: No such file or directory (os error 2)
    job.toml:12:10: [plugin] `sha256`: must be 64 hexadecimal digits, as sha256sum prints them
    job.toml:13:10: [plugin] `hooks`: must be "classifier" or "flake-policy" or "recipients" or "suspicion", not "classify"
    job.toml:14:19: [plugin.when] `paths`: not a pattern: wildcards are either regular `*` or recursive `**`
    job.toml:14:35: unknown key `title` in [plugin.when]; did you mean `titles`?
    job.toml:15:22: [plugin] `settings`: must be finite
    job.toml:16:19: [plugin.limits] `fuel`: must be from 0 to 18446744073709551615
    job.toml:16:32: [plugin.limits] `memory`: `lots` is not a size; write 512M or 2G
    job.toml:16:40: [plugin.limits] `wall`: at most 10m
    job.toml:18:1: missing [plugin] `id`: its name in messages, or that of a bundled plugin
    job.toml:20:1: unknown key `prority` in [plugin]; did you mean `priority`?
    job.toml:23:1: [plugin] `id`: "linux-crash" is a bundled plugin; give yours another name
    job.toml:28:1: [plugin] `sha256` is for a plugin with `path`
    job.toml:31:1: [plugin] `id`: "maintainers" is there twice
    "#);
}

#[test]
fn what_is_not_toml_is_refused_where_it_ends() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.problems("repo = 'linux\nbad = = 'x'\nbad = 'y'\nbad = 'z'\n[trial\n"), @r#"
    job.toml:1:14: not TOML: invalid literal string, expected `'`
    job.toml:2:7: not TOML: extra `=`, expected nothing
    job.toml:2:9: not TOML: unexpected key or value, expected newline, `#`
    job.toml:3:1: not TOML: duplicate key
    job.toml:4:1: not TOML: duplicate key
    job.toml:5:7: not TOML: unclosed table, expected `]`
    "#);
    let deep = format!("settings = {}", "[".repeat(100_000));
    assert!(folder.read(&deep).is_err());
}

#[test]
fn files_that_are_no_text_are_refused() {
    let folder = Folder::new();
    let said =
        |file: &str| read_on(&folder.path(file), &HOST).unwrap_err().to_string().replace(folder.path("").to_str().unwrap(), "");
    fs::write(folder.path("bytes"), b"repo = '\xff'").unwrap();
    fs::write(folder.path("long"), "#".repeat(2 << 20)).unwrap();
    insta::assert_snapshot!(format!("{}\n{}\n{}\n{}", said("bytes"), said("long"), said("linux"), said("none")), @r#"
    bytes: cannot read the job file: stream did not contain valid UTF-8
    long: cannot read the job file: longer than 1 MiB
    linux: cannot read the job file: Is a directory (os error 21)
    none: cannot read the job file: No such file or directory (os error 2)
    "#);
}

#[test]
fn a_key_that_was_not_ended_is_meant_rather_than_another_as_near() {
    let keys = ["repo", "repro", "bad"];
    assert_eq!(document::nearest("repr", keys.into_iter()), Some("repro"));
    assert_eq!(document::nearest("rep", keys.into_iter()), Some("repo"));
    assert_eq!(document::nearest("xepo", keys.into_iter()), Some("repo"));
}
