//! The job that `kbisect run -- CMD` stands for.

use kbisect_core::bisector::Strategy;

use super::*;

fn line(folder: &Folder) -> CommandLine {
    CommandLine {
        repo: Some(folder.path("linux")),
        bad: "HEAD".to_owned(),
        command: vec!["./test.sh".to_owned(), "--all".to_owned()],
        ..CommandLine::default()
    }
}

#[test]
fn it_does_as_git_bisect_run() {
    let folder = Folder::new();
    let settled = line(&folder).job(&HOST, &|_| false).unwrap();
    let job = &settled.job;
    assert_eq!(job.machine.kind, job::MachineKind::Process);
    assert!(job.machine.network);
    assert_eq!(job.trial.expect, job::Expect::Exit);
    assert_eq!(job.trial.command, ["./test.sh", "--all"]);
    assert_eq!(job.limits.slots, Some(1));
    assert_eq!(job.build, None);
    assert_eq!(settled.origins.of("bad"), Some(&Origin::CommandLine));
}

#[test]
fn every_value_has_an_origin_and_the_job_file_gives_the_job_back() {
    let folder = Folder::new();
    let full = CommandLine {
        good: vec!["v1".to_owned(), "v2".to_owned()],
        time_limit: Some(std::time::Duration::from_secs(90)),
        slots: Some(3),
        build: Some("make -j4 && cp a b".to_owned()),
        clean: true,
        on_timeout: Some(job::CountAs::Bad),
        on_signal: Some(job::CountAs::Bad),
        strategy: Some(Strategy::Git),
        ..line(&folder)
    };
    for line in [line(&folder), full] {
        let settled = line.job(&HOST, &|_| false).unwrap();
        for line in lines(&settled.job) {
            assert!(settled.origins.of(&line.origin).is_some(), "{line:?}");
        }
        assert_eq!(folder.read(&write(&settled.job)).map(|settled| settled.job), Ok(settled.job));
    }
}

#[test]
fn its_job_file_can_be_read_by_people() {
    let folder = Folder::new();
    let line = CommandLine { good: vec!["v1.0".to_owned()], build: Some("make".to_owned()), ..line(&folder) };
    let text = write(&line.job(&HOST, &|_| false).unwrap().job).replace(folder.path("linux").to_str().unwrap(), "/src/linux");
    insta::assert_snapshot!(text, @r#"
    repo = "/src/linux"
    bad = "HEAD"
    good = "v1.0"
    kind = "cause"

    [build]
    command = ["sh", "-c", "make"]
    time_limit = "3h"
    in_slot = true

    [machine]
    kind = "process"
    memory = "2G"
    cpus = 2
    network = true

    [target]
    stage = "run"

    [trial]
    command = ["./test.sh", "--all"]
    time_limit = "5m"
    repeat = false
    expect = "exit"
    on_timeout = "void"
    on_signal = "void"
    clean = false

    [search]
    strategy = "posterior"
    delta = 0.01
    seed = 0
    trust_good = false
    suspicion = 0.7
    single_trials = false
    revert = false
    tip = "none"
    reach = false
    eras = []

    [limits]
    cpus = 8
    memory = "12G"
    disk = "20G"
    slots = 1
    "#);
}

#[test]
fn the_callers_own_script_is_used_where_it_lies() {
    let folder = Folder::new();
    let own = folder.path("data.bin").display().to_string();
    let relative = "src/config/../lib.rs".to_owned();
    let words = vec!["sh".to_owned(), own.clone(), relative.clone(), "--x".to_owned()];
    let line = CommandLine { command: words.clone(), ..line(&folder) };
    let here = std::env::current_dir().unwrap();
    let command = |own: bool| line.job(&HOST, &|_| own).unwrap().job.trial.command;
    assert_eq!(command(false), words);
    assert_eq!(command(true), ["sh", &own, here.join("src/lib.rs").to_str().unwrap(), "--x"]);
}

#[test]
fn a_wrong_command_line_is_refused_with_all_that_is_wrong() {
    let folder = Folder::new();
    let line = CommandLine {
        repo: Some(folder.path("nowhere")),
        bad: " ".to_owned(),
        good: vec!["v1\n".to_owned()],
        slots: Some(0),
        build: Some("make {trial_seed}".to_owned()),
        command: Vec::new(),
        ..line(&folder)
    };
    let problems = line.job(&HOST, &|_| false).unwrap_err().to_string();
    insta::assert_snapshot!(problems.replace(folder.path("").to_str().unwrap(), ""), @r#"
    --repo: nowhere is not a folder
    --bad: ` ` is no commit
    --good: `v1\n` is no commit
    missing command: write `-- CMD` last
    placeholder {trial_seed} is known in trials only
    --slots: at least 1
    "#);
}
