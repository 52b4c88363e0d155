//! What can be seen of a run besides its report: `kbisect status` and `kbisect log`.

use std::fs;

use crate::support::WAITS;
use crate::support::World;
use crate::support::line;
use crate::support::run_words;
use crate::support::timeless;
use crate::support::until;
use crate::support::until_it_waits;
use crate::support::waiting;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;
use serde_json::Value;

/// What a command printed, without how long things took.
fn said(world: &World, args: &[&str]) -> String {
    timeless(&world.shown(&world.kbisect(args).output().unwrap()))
}

#[test]
fn status_of_a_run_that_goes_on_is_stopped_and_ends() {
    let world = World::new();
    // The sixth commit waits for a word.
    let ids = line(&world, "repo", 8, 4, &format!("if [ \"$(cat number)\" = 5 ]; then {WAITS}; fi\nexit 1"));
    let mut run = until_it_waits(&world, &run_words(&ids[0], "run", &[]));
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r"
    --- stdout
    face    exit status 1   (3 of 3 trials at the start commit)
    range   7 commits, 5 left
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      e897c36f5f4c  start       change 7                                3     0    0     0        1.000      bad
      947b274159d0  good end    change 0                                0     1    0     0        0.000      open
      bc37bc1f07e6              change 3                                0     1    0     0        0.026      open
    likeliest
          24 %  0f76ae1600a1
          24 %  75f109bcef35
          24 %  0096ac86a9fa
          24 %  e897c36f5f4c
         0.9 %  b9148b0faeaa
         0.9 %  39180e8fcc86
         0.9 %  bc37bc1f07e6
    so far  5 trials in [TIME]
    state   running
    --- exit status 0
    ");
    kill_process(Pid::from_raw(run.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    until("the signal is taken in", || fs::read_to_string(world.path("run/journal.jsonl")).unwrap().contains("\"stopping\""));
    fs::write(world.path("go"), "").unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r"
    --- stdout
    face    exit status 1   (3 of 3 trials at the start commit)
    range   7 commits, 4 left
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      e897c36f5f4c  start       change 7                                3     0    0     0        1.000      bad
      947b274159d0  good end    change 0                                0     1    0     0        0.000      open
      bc37bc1f07e6              change 3                                0     1    0     0        0.039      open
      75f109bcef35              change 5                                1     0    0     0        0.992      bad
    likeliest
          48 %  0f76ae1600a1
          48 %  75f109bcef35
           1 %  b9148b0faeaa
           1 %  39180e8fcc86
           1 %  bc37bc1f07e6
         0.4 %  0096ac86a9fa
         0.4 %  e897c36f5f4c
    so far  6 trials in [TIME]
    state   stopped: by a signal
    to go on: kbisect resume run
    --- exit status 0
    ");
    let resumed = waiting(&world, &["resume", "--quiet", "run"]).output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", world.shown(&resumed));
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r#"
    --- stdout
    face    exit status 1   (3 of 3 trials at the start commit)
    range   7 commits, 0 left
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      e897c36f5f4c  start       change 7                                3     0    0     0        1.000      bad
      947b274159d0  good end    change 0                                0     1    0     0        0.000      open
      bc37bc1f07e6              change 3                                0     3    0     0        0.004      good
      75f109bcef35              change 5                                1     0    0     0        1.000      bad
      0f76ae1600a1              change 4                                2     0    0     0        1.000      bad

    Culprit, 99.6 %:

      commit 0f76ae1600a1 ("change 4")
      Author: A U Thor <author@example.org>

     number  | 2 +-
     test.sh | 3 ++-
     2 files changed, 3 insertions(+), 2 deletions(-)

    Crash: exit status 1
      (in 6 trials, seen on e897c36f5f4c ("change 7"), which is NOT the
        culprit)
    Evidence (same configuration, same compiler):
      culprit    0f76ae1600a1    2 of 2 trials crash with it
      parent     bc37bc1f07e6    0 of 3 trials crash with it
      start      e897c36f5f4c    3 of 3 trials crash with it
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
    | Fixes: 0f76ae1600a1 ("change 4")

    Details of the bisection:
    Effort: 10 trials on 5 commits in [TIME]
    --- exit status 0
    "#);
}

#[test]
fn status_of_a_run_that_was_killed() {
    let world = World::new();
    let ids = line(&world, "repo", 8, 4, "exit 1");
    world.cut_short(&run_words(&ids[0], "run", &[]), 5);
    insta::assert_snapshot!(said(&world, &["status", "run"]), @r"
    --- stdout
    face    exit status 1   (1 of 1 trial at the start commit)
    range   not known yet
      commit        why         subject                               hit/clean/void/other   P(has the bug)  verdict
      d1b19def845b  start       change 7                                1     0    0     0        0.500      open
    so far  1 trial in [TIME]
    state   broken off, without a word: killed, or the machine went down
    to go on: kbisect resume run
    --- exit status 0
    ");
}

/// A short run by git's choices, in `run`.
fn short_run() -> World {
    let world = World::new();
    let ids = line(&world, "repo", 4, 2, "exit 1");
    world.job("job.toml", &ids[0], "[search]\nstrategy = \"git\"\n");
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    world
}

#[test]
fn the_log_as_text() {
    let world = short_run();
    let shown = said(&world, &["log", "run"]);
    let masked = |line: &str| match line {
        _ if line.contains(" starts bisection ") => "[HOST] starts bisection [TIME]\n".to_owned(),
        _ if line.starts_with("revisions tested: ") => {
            format!("{}, total time: [TIME]\n", line.split_once(", total").unwrap().0)
        }
        _ => format!("{line}\n"),
    };
    insta::assert_snapshot!(shown.lines().map(masked).collect::<String>(), @r#"
    --- stdout
    [HOST] starts bisection [TIME]
    bisecting cause commit starting from 904e34adf1e8dc29d55c983a2854f8342cdc327a
    ensuring issue is reproducible on original commit 904e34adf1e8dc29d55c983a2854f8342cdc327a

    testing commit 904e34adf1e8dc29d55c983a2854f8342cdc327a
    all runs: crashed: exit status 1
    testing commit 947b274159d01b8fb8442fd766d6bcb01e11bcb9
    all runs: OK
    # git bisect start 904e34adf1e8dc29d55c983a2854f8342cdc327a 947b274159d01b8fb8442fd766d6bcb01e11bcb9
    Bisecting: 0 revisions left to test after this (roughly 1 step)
    [3b752d133d5e93f95f8d98167a9017a62baf46fe] change 2
    testing commit 3b752d133d5e93f95f8d98167a9017a62baf46fe
    all runs: crashed: exit status 1
    # git bisect bad 3b752d133d5e93f95f8d98167a9017a62baf46fe
    Bisecting: 0 revisions left to test after this (roughly 0 steps)
    [b9148b0faeaa1c23a5380db0dfd1958b240f337a] change 1
    testing commit b9148b0faeaa1c23a5380db0dfd1958b240f337a
    all runs: OK
    # git bisect good b9148b0faeaa1c23a5380db0dfd1958b240f337a
    testing commit 3b752d133d5e93f95f8d98167a9017a62baf46fe
    all runs: crashed: exit status 1
    3b752d133d5e93f95f8d98167a9017a62baf46fe is the first bad commit
    commit 3b752d133d5e93f95f8d98167a9017a62baf46fe
    Author: A U Thor <author@example.org>
    Date:   Sun Sep 13 12:28:40 2020 +0000

        change 2

     number  | 2 +-
     test.sh | 2 +-
     2 files changed, 2 insertions(+), 2 deletions(-)

    accumulated error probability: 0.01
    revisions tested: 4, total time: [TIME]
    first bad commit: 3b752d133d5e93f95f8d98167a9017a62baf46fe change 2
    recipients (to): ["author@example.org"]
    recipients (cc): []
    crash: exit status 1
    --- exit status 0
    "#);
    assert_eq!(fs::read(world.path("run/bisect.log")).unwrap(), world.kbisect(&["log", "run"]).output().unwrap().stdout);
}

/// A value without what differs from run to run; probabilities are other tests' matter.
fn masked(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "time" | "host" | "repo" | "version" | "seconds" => *value = Value::from("[…]"),
                    // How a policy words its reasons is the policy's.
                    "judgement" => {
                        value["reason"] = Value::from("[…]");
                        masked(value);
                    }
                    _ => masked(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(masked),
        Value::Number(number) if number.is_f64() => *value = Value::from("[…]"),
        _ => {}
    }
}

#[test]
fn the_log_as_json() {
    let world = short_run();
    let output = world.kbisect(&["log", "--format", "json", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, fs::read_to_string(world.path("run/journal.jsonl")).unwrap(), "the journal as it is");
    let lines = text.lines().map(|line| {
        let mut entry: Value = serde_json::from_str(line).unwrap();
        masked(&mut entry);
        format!("{entry}\n")
    });
    insta::assert_snapshot!(lines.collect::<String>(), @r#"
    {"ends":{"good":["947b274159d01b8fb8442fd766d6bcb01e11bcb9"],"kind":"cause","releases":[],"start":"904e34adf1e8dc29d55c983a2854f8342cdc327a"},"event":"started","format":1,"host":"[…]","repo":"[…]","seq":1,"strategy":"git","subject":"change 3","time":"[…]","version":"[…]"}
    {"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"chosen","left":0,"role":"start","seq":2,"steps":0,"subject":"change 3","time":"[…]"}
    {"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"judged","judgement":{"confidence":"[…]","decision":{"want":3},"reason":"[…]"},"plugin":"sequential","seq":3,"time":"[…]","trials":0}
    {"boot":"[…]","build":1,"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"trial-ended","exposure":"[…]","n":1,"outcome":{"crashed":{"look":1,"report":{"title":"exit status 1","type":"EXIT"},"same":"[…]"}},"reason":"there is no target yet to compare with","reports":[{"title":"exit status 1","type":"EXIT"}],"role":"start","seconds":"[…]","seq":4,"time":"[…]","trial":1}
    {"event":"target","faces":[{"title":"exit status 1","type":"EXIT"}],"origin":"start commit","seq":5,"time":"[…]"}
    {"event":"related","outcome":{"crashed":{"look":0,"report":{"title":"exit status 1","type":"EXIT"},"same":"[…]"}},"reason":"the script says that it failed","seq":6,"time":"[…]","trial":1}
    {"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"judged","judgement":{"confidence":"[…]","decision":{"want":3},"reason":"[…]"},"plugin":"sequential","seq":7,"time":"[…]","trials":1}
    {"boot":"[…]","build":1,"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"trial-ended","exposure":"[…]","n":2,"outcome":{"crashed":{"look":0,"report":{"title":"exit status 1","type":"EXIT"},"same":"[…]"}},"reason":"the script says that it failed","reports":[{"title":"exit status 1","type":"EXIT"}],"role":"start","seconds":"[…]","seq":8,"time":"[…]","trial":2}
    {"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"judged","judgement":{"confidence":"[…]","decision":{"want":3},"reason":"[…]"},"plugin":"sequential","seq":9,"time":"[…]","trials":2}
    {"boot":"[…]","build":1,"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"trial-ended","exposure":"[…]","n":3,"outcome":{"crashed":{"look":0,"report":{"title":"exit status 1","type":"EXIT"},"same":"[…]"}},"reason":"the script says that it failed","reports":[{"title":"exit status 1","type":"EXIT"}],"role":"start","seconds":"[…]","seq":10,"time":"[…]","trial":3}
    {"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","event":"judged","judgement":{"confidence":"[…]","decision":{"conclude":"bad"},"reason":"[…]"},"plugin":"sequential","seq":11,"time":"[…]","trials":3}
    {"event":"routed","routes":[["classifier",["linux-crash"]],["flake-policy",["sequential"]],["recipients",["maintainers"]]],"seq":12,"time":"[…]"}
    {"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","event":"chosen","left":0,"role":"good-end","seq":13,"steps":0,"subject":"change 0","time":"[…]"}
    {"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","event":"judged","judgement":{"confidence":"[…]","decision":{"want":2},"reason":"[…]"},"plugin":"sequential","seq":14,"time":"[…]","trials":0}
    {"boot":"[…]","build":1,"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","event":"trial-ended","exposure":"[…]","n":1,"outcome":"clean","role":"good-end","seconds":"[…]","seq":15,"time":"[…]","trial":4}
    {"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","event":"judged","judgement":{"confidence":"[…]","decision":{"want":2},"reason":"[…]"},"plugin":"sequential","seq":16,"time":"[…]","trials":1}
    {"boot":"[…]","build":1,"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","event":"trial-ended","exposure":"[…]","n":2,"outcome":"clean","role":"good-end","seconds":"[…]","seq":17,"time":"[…]","trial":5}
    {"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","event":"judged","judgement":{"confidence":"[…]","decision":{"conclude":"good"},"reason":"[…]"},"plugin":"sequential","seq":18,"time":"[…]","trials":2}
    {"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"chosen","left":0,"role":"candidate","seq":19,"steps":1,"subject":"change 2","time":"[…]"}
    {"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"judged","judgement":{"confidence":"[…]","decision":{"want":2},"reason":"[…]"},"plugin":"sequential","seq":20,"time":"[…]","trials":0}
    {"boot":"[…]","build":1,"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"trial-ended","exposure":"[…]","n":1,"outcome":{"crashed":{"look":0,"report":{"title":"exit status 1","type":"EXIT"},"same":"[…]"}},"reason":"the script says that it failed","reports":[{"title":"exit status 1","type":"EXIT"}],"role":"candidate","seconds":"[…]","seq":21,"time":"[…]","trial":6}
    {"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"judged","judgement":{"confidence":"[…]","decision":{"conclude":"bad"},"reason":"[…]"},"plugin":"sequential","seq":22,"time":"[…]","trials":1}
    {"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","event":"chosen","left":0,"role":"candidate","seq":23,"steps":0,"subject":"change 1","time":"[…]"}
    {"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","event":"judged","judgement":{"confidence":"[…]","decision":{"want":2},"reason":"[…]"},"plugin":"sequential","seq":24,"time":"[…]","trials":0}
    {"boot":"[…]","build":1,"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","event":"trial-ended","exposure":"[…]","n":1,"outcome":"clean","role":"candidate","seconds":"[…]","seq":25,"time":"[…]","trial":7}
    {"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","event":"judged","judgement":{"confidence":"[…]","decision":{"want":2},"reason":"[…]"},"plugin":"sequential","seq":26,"time":"[…]","trials":1}
    {"boot":"[…]","build":1,"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","event":"trial-ended","exposure":"[…]","n":2,"outcome":"clean","role":"candidate","seconds":"[…]","seq":27,"time":"[…]","trial":8}
    {"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","event":"judged","judgement":{"confidence":"[…]","decision":{"conclude":"good"},"reason":"[…]"},"plugin":"sequential","seq":28,"time":"[…]","trials":2}
    {"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"chosen","left":0,"role":"verification","seq":29,"steps":0,"subject":"change 2","time":"[…]"}
    {"boot":"[…]","build":1,"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"trial-ended","exposure":"[…]","n":2,"outcome":{"crashed":{"look":0,"report":{"title":"exit status 1","type":"EXIT"},"same":"[…]"}},"reason":"the script says that it failed","reports":[{"title":"exit status 1","type":"EXIT"}],"role":"verification","seconds":"[…]","seq":30,"time":"[…]","trial":9}
    {"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","event":"judged","judgement":{"confidence":"[…]","decision":{"conclude":"bad"},"reason":"[…]"},"plugin":"sequential","seq":31,"time":"[…]","trials":2}
    {"commit":{"author":"A U Thor <author@example.org>","commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","date":"Sun Sep 13 12:28:40 2020 +0000","diffstat":" number  | 2 +-\n test.sh | 2 +-\n 2 files changed, 2 insertions(+), 2 deletions(-)\n","message":"change 2\n","newer":{"mentions":[],"read":1},"parents":["b9148b0faeaa1c23a5380db0dfd1958b240f337a"],"subject":"change 2"},"conclusion":{"end":"found","suspects":[{"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","probability":"[…]"},{"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","probability":"[…]"},{"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","probability":"[…]"}]},"event":"concluded","seq":32,"summary":{"bits":"[…]","good_end_bad":"[…]","left":0,"range":3,"rates":{"f":"[…]","r":"[…]","r_high":"[…]","r_low":"[…]","u":"[…]"},"steps":0,"suspects":[{"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","probability":"[…]"},{"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","probability":"[…]"},{"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","probability":"[…]"}],"tested":[{"bad":"[…]","clean":0,"commit":"904e34adf1e8dc29d55c983a2854f8342cdc327a","hits":3,"other":0,"role":"start","verdict":"bad","void":0},{"bad":"[…]","clean":2,"commit":"947b274159d01b8fb8442fd766d6bcb01e11bcb9","hits":0,"other":0,"role":"good-end","verdict":"good","void":0},{"bad":"[…]","clean":0,"commit":"3b752d133d5e93f95f8d98167a9017a62baf46fe","hits":2,"other":0,"role":"candidate","verdict":"bad","void":0},{"bad":"[…]","clean":2,"commit":"b9148b0faeaa1c23a5380db0dfd1958b240f337a","hits":0,"other":0,"role":"candidate","verdict":"good","void":0}]},"time":"[…]"}
    {"event":"plugin-log","level":"info","message":"no MAINTAINERS file at 904e34adf1e8dc29d55c983a2854f8342cdc327a: GitError::NotFound(\"MAINTAINERS\")","plugin":"maintainers","seq":33,"time":"[…]"}
    {"event":"addressed","recipients":[{"email":"author@example.org","name":"A U Thor","reason":"author of the culprit","to":true}],"seq":34,"time":"[…]"}
    "#);
}
