//! Reproducers that a run builds from another repository: built once, at the commit that the job names, and named in the record.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::write_history;

/// A project whose file says `bug` from commit 5 on.
fn project(world: &World) -> Vec<String> {
    let commits: Vec<Planned> = (0..9)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let text = if place < 5 { "fine\n" } else { "bug\n" };
            Planned::on(&parents, format!("Change {place}")).file("state", text).file(format!("change-{place}"), "made\n")
        })
        .collect();
    write_history(world, "repo", &commits, &[])
}

/// A harness whose test is right at its first commit only.
fn harness(world: &World) -> Vec<String> {
    let right = "#!/bin/sh\n! grep -q bug state\n";
    let commits = [
        Planned::on(&[], "A test").script("test.in", right),
        Planned::on(&[0], "Break the test").script("test.in", "#!/bin/sh\nexit 125\n"),
    ];
    write_history(world, "syzkaller", &commits, &[])
}

fn job(world: &World, good: &str, bad: &str, commit: &str, build: &str) {
    let text = format!(
        "repo = \"repo\"\nbad = \"{bad}\"\ngood = \"{good}\"\n[repro]\nrepository = \"syzkaller\"\ncommit = \"{commit}\"\n\
         build = [\"sh\", \"-c\", \"{build}\"]\ntake = \"bin\"\nentry = \"test\"\n[machine]\nkind = \"process\"\n\
         [trial]\nexpect = \"exit\"\n"
    );
    fs::write(world.path("job.toml"), text).unwrap();
}

#[test]
fn a_harness_is_built_once_at_its_commit_and_named_in_journal_and_log() {
    let world = World::new();
    let (ids, harness) = (project(&world), harness(&world));
    job(&world, &ids[0], &ids[8], &harness[0], "mkdir bin && cp test.in bin/test");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[5].clone()));
    let log = fs::read_to_string(world.path("run/bisect.log")).unwrap();
    assert!(log.contains(&format!("\nbuilding syzkaller on {}\n", harness[0])), "{log}");
    let started = &journal(&world.path("run"))[0];
    assert!(started.to_string().contains(&harness[0]), "{started}");
    // The frozen job names the commit and what was made of it: a run that goes on builds nothing.
    let frozen = fs::read_to_string(world.path("run/job.toml")).unwrap();
    assert!(frozen.contains(&format!("commit = \"{}\"", harness[0])) && frozen.contains("file = \"inputs/"), "{frozen}");
    assert!(!world.path("run/work/repro").exists());
}

#[test]
fn a_harness_that_does_not_build_is_one_error_before_any_trial() {
    let world = World::new();
    let (ids, harness) = (project(&world), harness(&world));
    job(&world, &ids[0], &ids[8], &harness[1][..12], "echo no compiler; exit 3");
    let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the harness's build ended with exit status 3") && said.contains("no compiler"), "{said}");
}

#[test]
fn a_link_in_a_harness_leads_nowhere() {
    let world = World::new();
    let (ids, harness) = (project(&world), harness(&world));
    for file in ["others/.git/x", "others/test", "others/secret"] {
        let path = world.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "precious\n").unwrap();
    }
    let others = world.path("others");
    for (build, told) in [
        (format!("ln -s {} bin", others.display()), "`bin` is a link that leads out of its checkout"),
        (format!("mkdir bin && ln -s {}/test bin/test", others.display()), "`test` is a link that leads out of its checkout"),
    ] {
        job(&world, &ids[0], &ids[8], &harness[0], &build);
        let output = world.kbisect(&["run", "--quiet", "job.toml", "--out", "run"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{said}");
        assert_eq!(fs::read_to_string(others.join(".git/x")).unwrap(), "precious\n");
        let _ = fs::remove_dir_all(world.path("run"));
    }
}
