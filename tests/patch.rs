//! `[[patch]]`: what tested commits are changed by before they are built, and what is said where that cannot be.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::write_history;

const COMMITS: usize = 14;
const CULPRIT: usize = 6;
/// From here on nothing can be tested, until it is mended.
const BROKEN: usize = 3;
const MENDED: usize = 11;

/// A line of commits that cannot be tested where a file says `broken`; `more` adds to each.
fn project(world: &World, more: impl Fn(usize, Planned) -> Planned) -> Vec<String> {
    let commits: Vec<Planned> = (0..COMMITS)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let tools = match place {
                ..BROKEN => "old tools\n",
                BROKEN..MENDED => "top\nbroken\nend\n",
                _ => "top\nworks\nend\n",
            };
            let state = if place < CULPRIT { "fine\n" } else { "bug\n" };
            let commit = Planned::on(&parents, format!("Change {place}")).file("tools", tools).file("state", state);
            let commit = commit
                .file(format!("change-{place}"), "made\n")
                .script("test.sh", "#!/bin/sh\ngrep -q broken tools && exit 125\n! grep -q bug state\n");
            more(place, commit)
        })
        .collect();
    write_history(world, "repo", &commits, &[])
}

/// What the commit that mends the tools changes there, as a mail with a patch has it.
fn write_patch(world: &World, ids: &[String]) {
    let text = world.git("repo", &["format-patch", "--stdout", "-1", &ids[MENDED], "--", "tools"]);
    fs::write(world.path("tools.patch"), text).unwrap();
}

#[test]
fn commits_that_cannot_be_tested_can_be_with_a_patch() {
    let world = World::new();
    let ids = project(&world, |_, commit| commit);
    write_patch(&world, &ids);
    world.job("without.toml", &ids[0], "");
    let output = world.kbisect(&["run", "--quiet", "without.toml", "--out", "without"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", world.shown(&output));
    world.job("job.toml", &ids[0], &format!("[[patch]]\nfile = \"tools.patch\"\nsince = \"{}\"\n", &ids[BROKEN][..12]));
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let report = fs::read_to_string(world.path("run/report.txt")).unwrap();
    assert!(report.contains(&format!("\nChanged by: tools.patch since {}\n", &ids[BROKEN][..12])), "{report}");
    // The run has a copy, and names the whole hash.
    fs::remove_file(world.path("tools.patch")).unwrap();
    let frozen = fs::read_to_string(world.path("run/job.toml")).unwrap();
    assert!(frozen.contains(&format!("since = \"{}\"", ids[BROKEN])), "{frozen}");
    world.succeed(&["trial", "run", &ids[CULPRIT - 1], "-n", "2", "--quiet"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    // Without kbisect it is as it was.
    let output = world.command("sh").arg(world.path("run/reproduce.sh")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", world.shown(&output));
}

#[test]
fn a_commit_is_picked_where_it_is_missing() {
    let world = World::new();
    let ids = project(&world, |_, commit| commit);
    world.job("job.toml", &ids[0], &format!("[[patch]]\ncommit = \"Change {MENDED}\"\nsince = \"{}\"\n", ids[BROKEN]));
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let report = fs::read_to_string(world.path("run/report.txt")).unwrap();
    assert!(report.contains(&format!("\nChanged by: {} since {}\n", &ids[MENDED][..12], &ids[BROKEN][..12])), "{report}");
    let output = world.command("sh").arg(world.path("run/reproduce.sh")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", world.shown(&output));
}

#[test]
fn a_commit_that_a_patch_does_not_fit_is_untestable_and_says_so() {
    let world = World::new();
    let unfit = CULPRIT + 1..=CULPRIT + 3;
    let odd = |place, commit: Planned| if unfit.contains(&place) { commit.file("tools", "mended otherwise\n") } else { commit };
    let ids = project(&world, odd);
    write_patch(&world, &ids);
    world.job("job.toml", &ids[BROKEN], "[[patch]]\nfile = \"tools.patch\"\n");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let why = |id: &String| format!("tools.patch does not apply to {}: tools", &id[..12]);
    let events: Vec<String> = journal(&world.path("run")).iter().map(ToString::to_string).collect();
    assert!(ids[unfit].iter().any(|id| events.iter().any(|event| event.contains(&why(id)))), "{events:#?}");
}

#[test]
fn patches_that_cannot_be_are_told_before_any_work() {
    let world = World::new();
    let ids = project(&world, |_, commit| commit);
    fs::write(world.path("prose.patch"), "This is no patch.\n").unwrap();
    let elsewhere = "--- a/nowhere\n+++ b/nowhere\n@@ -1 +1 @@\n-a\n+b\n";
    fs::write(world.path("elsewhere.patch"), elsewhere).unwrap();
    let patches =
        "[[patch]]\nfile = \"prose.patch\"\n[[patch]]\ncommit = \"no-such-commit\"\n[[patch]]\nfile = \"elsewhere.patch\"\n";
    let said = |patches: &str, command: &[&str]| {
        world.job("job.toml", &ids[0], patches);
        let output = world.kbisect(command).output().unwrap();
        assert!(!world.path("run/journal.jsonl").exists());
        world.shown(&output)
    };
    let check = ["check", "job.toml"];
    insta::assert_snapshot!(said(patches, &check), @"
    --- stderr
    error: prose.patch is no patch that can be applied: no patch found
    error: `no-such-commit` names no commit in `[DIR]/repo/`
    hint: fetch what is new: git -C [DIR]/repo/ fetch --all --tags
    --- exit status 2
    ");
    insta::assert_snapshot!(said("[[patch]]\nfile = \"elsewhere.patch\"\n", &check), @r#"
    --- stderr
    error: elsewhere.patch does not apply to 7aab341835ca: nowhere
    hint: a patch that is for some commits only says so: since = "COMMIT" (those that contain it), until = "COMMIT" (those that do not)
    --- exit status 2
    "#);
    insta::assert_snapshot!(said("[[patch]]\nfile = \"elsewhere.patch\"\ncommit = \"main\"\n", &check), @"
    --- stderr
    error: job.toml:9:1: [patch] needs `file`, a patch, or `commit`, a commit whose changes are picked: one of them
    --- exit status 2
    ");
    insta::assert_snapshot!(said("[[patch]]\nsince = \"main\"\n", &check), @"
    --- stderr
    error: job.toml:9:1: [patch] needs `file`, a patch, or `commit`, a commit whose changes are picked: one of them
    --- exit status 2
    ");
    let run = ["run", "--quiet", "job.toml", "--out", "run"];
    assert_eq!(said("[[patch]]\nfile = \"elsewhere.patch\"\n", &run), said("[[patch]]\nfile = \"elsewhere.patch\"\n", &check));
}
