//! What is said of a named commit beside its name: whole bisections of small trees that look like the kernel's.

use std::fs;

use crate::support::Planned;
use crate::support::World;
use crate::support::report;
use crate::support::timeless;
use crate::support::write_history;

/// Commits of the history, and which of them the crash begins with.
const COMMITS: usize = 8;
const CULPRIT: usize = 4;

/// What the crash begins with: a path, and what is added to its text.
type Change<'a> = (&'a str, &'a str);

/// A history whose `CULPRIT` makes this one change, after which the script finds what it looks for; `kernel`: it looks like the kernel's.
fn history(world: &World, (path, added): Change<'_>, kernel: bool) -> Vec<String> {
    let before = "int pipe_read(void)\n{\n\treturn 0;\n}\n";
    let commits: Vec<Planned> = (0..COMMITS)
        .map(|place| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let commit = Planned::on(&parents, format!("change {place}"));
            match place {
                0 => {
                    let all = commit.file(path, before).file("fs/inode.c", "0\n");
                    let all = all.script("test.sh", format!("#!/bin/sh\n! grep -q BROKEN {path}\n"));
                    if kernel { all.file("MAINTAINERS", "Maintainers\n").file("Kconfig", "config A\n") } else { all }
                }
                CULPRIT => commit.file(path, before.replace("\treturn", &format!("{added}\treturn"))),
                _ => commit.file("fs/inode.c", format!("{place}\n")),
            }
        })
        .collect();
    write_history(world, "repo", &commits, &[])
}

/// Bisects that history; what was printed.
fn bisect(change: Change<'_>, kernel: bool) -> (World, String) {
    let world = World::new();
    let ids = history(&world, change, kernel);
    let words = ["run", "--quiet", "--repo", "repo", "--bad", "main", "--good", &ids[0], "--out", "run", "--", "./test.sh"];
    let shown = timeless(&world.shown(&world.kbisect(&words).output().unwrap()));
    (world, shown)
}

#[test]
fn a_change_of_documentation_is_not_named_alone() {
    let (world, shown) = bisect(("Documentation/pipe.rst", "BROKEN\n"), true);
    insta::assert_snapshot!(shown, @r#"
    --- stdout

    No single culprit: the trials lead to 2e6efb6c1352, but it changes only
      documentation (Documentation/pipe.rst): nothing of it is tested, so that
      something else changed there.

      99.6 %  2e6efb6c1352
       0.1 %  550df28c308f

    Look for what else changed between their trials: the environment, the
    configuration, files that were built elsewhere.

    Crash: exit status 1
      (in 6 trials, seen on 25823e0f4d38 ("change 7"))
    Evidence:
      start      25823e0f4d38    3 of 3 trials crash with it
      good end   b6803278dcec    0 of 1 trial crashes with it
                 550df28c308f    0 of 3 trials crash with it
                 72288db0ccb6    1 of 1 trial crashes with it
                 2e6efb6c1352    2 of 2 trials crash with it
    Not counted: nothing
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Files: git-bisect.log
    No person has checked this result.

    Details of the bisection:
    Effort: 10 trials on 5 commits in [TIME]
    --- exit status 3
    "#);
    let report = report(&world.path("run"));
    assert_eq!((&report["caveat"]["kind"], &report["named"]), (&"not-built".into(), &serde_json::Value::Null));
    assert_eq!(report["conclusion"]["end"], "inconclusive");
    let explained = world.kbisect(&["explain", "run"]).output().unwrap();
    let explained = String::from_utf8(explained.stdout).unwrap();
    assert!(explained.contains("\nCaveat: it changes only documentation (Documentation/pipe.rst)\n"), "{explained}");
    // The answer stands when it is asked for again.
    let again = world.kbisect(&["resume", "--quiet", "run"]).output().unwrap();
    assert_eq!(timeless(&world.shown(&again)), shown);
    // To another project its documentation may be what is tested.
    let (_, shown) = bisect(("Documentation/pipe.rst", "BROKEN\n"), false);
    assert!(shown.contains("\nCulprit, ") && !shown.contains("Caveat"), "{shown}");
}

#[test]
fn a_check_is_named_with_that_caveat() {
    let (world, shown) = bisect(("fs/pipe.c", "\tWARN_ON_ONCE(BROKEN);\n"), true);
    insta::assert_snapshot!(shown, @r#"
    --- stdout

    Culprit, 99.6 %:

      commit 12e943a91f1e ("change 4")
      Author: A U Thor <author@example.org>

     fs/pipe.c | 1 +
     1 file changed, 1 insertion(+)

    Caveat: it only adds a check (WARN_ON_ONCE in fs/pipe.c), which shows what
      went wrong before, too. The bug may be older: here it begins to show.

    Crash: exit status 1
      (in 6 trials, seen on af0b5647a6d7 ("change 7"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    12e943a91f1e    2 of 2 trials crash with it
      parent     fec303f2feb8    0 of 3 trials crash with it
      start      af0b5647a6d7    3 of 3 trials crash with it
    Mended already? None of 3 newer commits says so
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: 12e943a91f1e ("change 4")

    Details of the bisection:
    Effort: 10 trials on 5 commits in [TIME]
    --- exit status 0
    "#);
    let report = report(&world.path("run"));
    assert_eq!((&report["caveat"]["kind"], &report["named"]["subject"]), (&"only-shows".into(), &"change 4".into()));
}

#[test]
fn a_default_of_the_configuration_is_named_with_that_caveat() {
    let (_, shown) = bisect(("fs/Kconfig", "\tdefault y # BROKEN\n"), true);
    insta::assert_snapshot!(shown, @r#"
    --- stdout

    Culprit, 99.6 %:

      commit 59b4c6dc5b84 ("change 4")
      Author: A U Thor <author@example.org>

     fs/Kconfig | 1 +
     1 file changed, 1 insertion(+)

    Caveat: it changes only how kernels are configured (fs/Kconfig): what was
      there before is built, or built otherwise. The bug may be older: here it
      begins to show.

    Crash: exit status 1
      (in 6 trials, seen on 37aae8b7d53e ("change 7"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    59b4c6dc5b84    2 of 2 trials crash with it
      parent     4c227bbcabc2    0 of 3 trials crash with it
      start      37aae8b7d53e    3 of 3 trials crash with it
    Mended already? None of 3 newer commits says so
    Not counted: nothing
    Checks: parent PASS
    Machine: a process on the host
    Test: ./test.sh, for at most 5m
    Reproduce: sh reproduce.sh
    Files: git-bisect.log
    To: A U Thor <author@example.org>  (author of the culprit)
    No person has checked this result.

    If you fix it, please add as appropriate:
    | Fixes: 59b4c6dc5b84 ("change 4")

    Details of the bisection:
    Effort: 10 trials on 5 commits in [TIME]
    --- exit status 0
    "#);
}

#[test]
fn a_change_of_code_has_no_caveat() {
    let (world, shown) = bisect(("fs/pipe.c", "\tint x = BROKEN;\n"), true);
    assert!(shown.contains("\nCulprit, ") && !shown.contains("Caveat"), "{shown}");
    assert!(report(&world.path("run")).get("caveat").is_none());
    assert!(fs::read_to_string(world.path("run/report.txt")).unwrap().contains("change 4"));
}
