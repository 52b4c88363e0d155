//! What cannot be simulated.

use std::fs;

use super::*;

#[test]
fn what_cannot_be_simulated_is_refused() {
    let world = World::new();
    fs::write(world.path("graph.txt"), "a 2 b\n").unwrap();
    fs::write(world.path("bytes.txt"), [0_u8, 159, 146, 150]).unwrap();
    let tries: [&[&str]; 10] = [
        &["linear:0"],
        &["circle:9"],
        &["graph:absent.txt"],
        &["graph:graph.txt", "--tip", "c"],
        &["graph:bytes.txt"],
        &["linear:9", "--range", "3"],
        &["linear:9", "--delta", "0.5"],
        &["linear:9", "--fault", "meteor"],
        &["linear:9", "--policy", "linux-crash"],
        &["linear:9", "--policy", "./absent"],
    ];
    let all: String = tries.iter().map(|args| said(&world, &[&["simulate", "--runs", "1"], *args].concat())).collect();
    insta::assert_snapshot!(all, @r"
    --- stderr
    error: a history of 0 commits cannot be searched: give 1 to 2000000
    --- exit status 2
    --- stderr
    error: invalid value 'circle:9' for '[HISTORY]': it must be linear:N, dag:N, dag:N:FILE or graph:FILE

    For more information, try '--help'.
    --- exit status 2
    --- stderr
    error: cannot read absent.txt: No such file or directory (os error 2)
    --- exit status 2
    --- stderr
    error: graph.txt: the graph holds no commit `c`
    --- exit status 2
    --- stderr
    error: bytes.txt: it is not text
    --- exit status 2
    --- stderr
    error: --range and --tip have a meaning with graph:FILE only
    --- exit status 2
    --- stderr
    error: --delta must be more than 0 and less than 0.5
    --- exit status 2
    --- stderr
    error: invalid value 'meteor' for '--fault <NAME[:PARAM]>': there is no fault `meteor`; there are second-bug[:SHARE[:RATE[:SAME]]], title-drift[:SAME], exposure[:SHARE], untestable[:SHARE][:inside|:outside][:boot], era[:R], infra[:SHARE], correlated[:SHARE], older, reintroduced

    For more information, try '--help'.
    --- exit status 2
    --- stderr
    error: plugin `linux-crash`: `hooks` has no effect, as this plugin always comes first and serves its one hook
    --- exit status 2
    --- stderr
    error: plugin `absent`: cannot read ./absent: No such file or directory (os error 2)
    --- exit status 2
    ");
}

#[test]
fn impossible_chances_and_sizes_are_refused() {
    let world = World::new();
    let options = ["--repro", "--stray", "--false-alarm", "--misjudged", "--delta"];
    for option in options {
        for chance in ["NaN", "-1", "1.5", "inf", "x", ""] {
            let shown = said(&world, &["simulate", "linear:9", "--runs", "1", option, chance]);
            let refused = format!("--- stderr\nerror: invalid value '{chance}' for '{option} ");
            assert!(shown.starts_with(&refused) && shown.ends_with("--- exit status 2\n"), "{shown}");
        }
    }
    fs::write(world.path("cycle.txt"), "a 1 b\nb 1 a\n").unwrap();
    fs::write(world.path("own.txt"), "a 1 a\n").unwrap();
    fs::write(world.path("time.txt"), "a 99999999999999999999 b\nb 1\n").unwrap();
    fs::write(world.path("short.txt"), "b 2 a\na\n").unwrap();
    fs::write(world.path("empty.txt"), "\n\n").unwrap();
    fs::write(world.path("packed.txt"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).unwrap();
    let tries: [&[&str]; 15] = [
        &["linear:2000001"],
        &["linear:99999999999999999999999"],
        &["linear:-5"],
        &["dag:0"],
        &["graph:cycle.txt"],
        &["graph:own.txt"],
        &["graph:time.txt"],
        &["graph:short.txt"],
        &["graph:empty.txt"],
        &["graph:packed.txt"],
        &["graph:."],
        &["dag:9:short.txt"],
        &["linear:9", "--fault", "second-bug:NaN"],
        &["linear:9", "--machines", "0"],
        &["linear:9", "--strategy", "git-run:0"],
    ];
    let first = |args: &&[&str]| {
        let shown = said(&world, &[&["simulate", "--runs", "1"], *args].concat());
        let mut lines = shown.lines();
        format!("{}\n{}\n", lines.nth(1).unwrap(), lines.next_back().unwrap())
    };
    insta::assert_snapshot!(tries.iter().map(first).collect::<String>(), @r"
    error: a history of 2000001 commits cannot be searched: give 1 to 2000000
    --- exit status 2
    error: invalid value 'linear:99999999999999999999999' for '[HISTORY]': `99999999999999999999999` is no number of commits
    --- exit status 2
    error: invalid value 'linear:-5' for '[HISTORY]': `-5` is no number of commits
    --- exit status 2
    error: a history of 0 commits cannot be searched: give 1 to 2000000
    --- exit status 2
    error: cycle.txt: the graph holds a cycle
    --- exit status 2
    error: own.txt: line 1: the commit is its own parent
    --- exit status 2
    error: time.txt: line 1: `99999999999999999999` is no time in seconds
    --- exit status 2
    error: short.txt: line 2: no committer time behind the id
    --- exit status 2
    error: empty.txt: the graph holds no commit
    --- exit status 2
    error: cannot read packed.txt: unexpected end of file
    --- exit status 2
    error: cannot read .: Is a directory (os error 21)
    --- exit status 2
    error: short.txt: line 2: no committer time behind the id
    --- exit status 2
    error: invalid value 'second-bug:NaN' for '--fault <NAME[:PARAM]>': fault `second-bug`: `NaN` is not a number from 0 to 1
    --- exit status 2
    error: invalid value '0' for '--machines <N>': 0 is not in 1..=65535
    --- exit status 2
    error: invalid value 'git-run:0' for '--strategy <NAME>...': it must be posterior, git, syzkaller-2019, syzkaller-2024 or git-run:TRIALS
    --- exit status 2
    ");
}

/// What is at the edge of what can be is searched.
#[test]
fn the_smallest_histories_and_the_surest_chances() {
    let world = World::new();
    fs::write(world.path("one.txt"), "a -9223372036854775808\n").unwrap();
    for history in ["linear:1", "linear:2", "dag:1", "dag:2", "dag:3", "graph:one.txt"] {
        let shown =
            said(&world, &["simulate", history, "--runs", "3", "--repro", "1", "--stray", "0", "--strategy", "posterior", "git"]);
        assert!(shown.matches("   100.0 ").count() >= 2, "{history}: {shown}");
        assert!(shown.ends_with("--- exit status 0\n"), "{shown}");
    }
    // A crash that never shows is not found, and one that everything shows misleads.
    for chances in [["--repro", "0", "--stray", "0"], ["--repro", "1e-400", "--stray", "1"]] {
        let shown = said(&world, &[&["simulate", "linear:9", "--runs", "3"][..], &chances].concat());
        assert!(shown.ends_with("--- exit status 0\n") && !shown.contains("NaN"), "{shown}");
    }
}
