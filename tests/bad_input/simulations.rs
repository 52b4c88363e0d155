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
