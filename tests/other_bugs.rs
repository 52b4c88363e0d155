//! Bisections on whose way another bug lies: it gets no vote, is told of, and can be bisected from there.

use std::fs;

use crate::support::Planned;
use crate::support::USE_AFTER_FREE;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::report;
use crate::support::write_history;
use serde_json::Value;

const COMMITS: usize = 40;
/// The target's culprit.
const CULPRIT: usize = 24;
/// The commits that brought and mended the other bug.
const BROUGHT: usize = 15;
const MENDED: usize = 32;

const OTHER: &str = "\
WARNING: CPU: 0 PID: 9 at net/bridge/table.c:77 table_flush+0x3a/0x50 net/bridge/table.c:77
Modules linked in:
CPU: 0 PID: 9 Comm: flush Not tainted 6.1.0 #1
RIP: 0010:table_flush+0x3a/0x50 net/bridge/table.c:77
Call Trace:
 <TASK>
 bridge_down+0x22/0x90 net/bridge/device.c:40
 worker_thread+0x55/0x120 kernel/workqueue.c:2400
 kthread+0xe1/0x110 kernel/kthread.c:376
 </TASK>
---[ end trace 0000000000000000 ]---";

/// A history whose test crashes with each bug where it is, at a rate of .7 and one of .5: the seed chooses, and the other bug comes
/// first where both would.
fn history(world: &World) -> Vec<String> {
    let script = format!(
        "#!/bin/sh\nseed=$(printf %s \"$1\" | cksum | cut -d' ' -f1)\n. ./bugs\n\
         if [ $other = yes ] && [ $((seed % 100)) -lt 50 ]; then cat <<'END'\n{OTHER}\nEND\nexit 1; fi\n\
         if [ $target = yes ] && [ $((seed / 100 % 100)) -lt 70 ]; then cat <<'END'\n{USE_AFTER_FREE}\nEND\nexit 1; fi\nexit 0\n"
    );
    let word = |there: bool| if there { "yes" } else { "no" };
    let commits: Vec<Planned> = (0..COMMITS)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let (target, other) = (word(place >= CULPRIT), word((BROUGHT..MENDED).contains(&place)));
            Planned::on(&parents, format!("change {place}"))
                .file("bugs", format!("target={target}\nother={other}\n"))
                .file("number", place.to_string())
                .script("test.sh", script.clone())
        })
        .collect();
    write_history(world, "repo", &commits, &[])
}

/// A bisection of the target in `run`; the ids of all commits.
fn bisected(world: &World) -> Vec<String> {
    let ids = history(world);
    let job = format!(
        "repo = \"repo\"\nbad = \"main\"\ngood = {:?}\n[machine]\nkind = \"process\"\n\
         [trial]\ncommand = [\"./test.sh\", \"{{trial_seed}}\"]\n[search]\nseed = 5\n",
        ids[0]
    );
    fs::write(world.path("job.toml"), job).unwrap();
    let output = world.kbisect(&["run", "job.toml", "--out", "run"]).output().unwrap();
    let shown = world.shown(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()), "{shown}");

    // It is told in full once, and counted from then on.
    let told: Vec<&str> = shown.lines().filter(|line| line.contains("unrelated: ")).collect();
    assert!(told[0].trim_start().starts_with("unrelated: WARNING in table_flush (s "), "{shown}");
    assert!(told[1..].iter().all(|line| line.ends_with(" commits") && line.contains(" times so far, at ")), "{shown}");
    assert!(shown.contains("                   weight 1.0, no vote; console: trials/"), "{shown}");
    assert!(shown.contains("face    KASAN: slab-use-after-free Read in queue_release   ("), "{shown}");
    ids
}

#[test]
fn another_bug_has_no_vote_and_is_listed_with_its_range_and_rate() {
    let world = World::new();
    let ids = bisected(&world);
    let report = report(&world.path("run"));
    let others = report["other_bugs"].as_array().unwrap();
    assert_eq!(others.len(), 1, "{others:?}");
    let other = &others[0];
    assert_eq!(other["title"], "WARNING in table_flush");
    let count = |value: &Value| value.as_u64().unwrap();
    let seen: Vec<(usize, u64)> = other["seen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| (ids.iter().position(|id| at["commit"] == id.as_str()).unwrap(), count(&at["crashes"])))
        .collect();
    assert!(seen.is_sorted() && seen.iter().all(|(place, _)| (BROUGHT..MENDED).contains(place)), "{seen:?}");
    let (crashes, trials) = (count(&other["crashes"]), count(&other["trials"]));
    assert_eq!(crashes, seen.iter().map(|(_, crashes)| crashes).sum::<u64>());
    assert_eq!(crashes, count(&report["not_counted"]["other_crashes"]["WARNING in table_flush"]));
    let rate = crashes as f64 / trials as f64;
    assert!(crashes >= 4 && (0.2..0.8).contains(&rate), "{crashes} of {trials}");
    assert!(count(&other["hidden"]) <= trials - crashes);

    // Every such crash has its weight beside what was seen, and is no run that crashed for a reader of the log.
    let strays: Vec<Value> = journal(&world.path("run"))
        .into_iter()
        .filter(|entry| entry["outcome"]["crashed"]["report"]["title"] == "WARNING in table_flush")
        .collect();
    assert_eq!(strays.len() as u64, crashes);
    assert!(strays.iter().all(|entry| (entry["weight"].as_f64().unwrap() - 1.0).abs() < 0.05), "{strays:?}");
    let log = fs::read_to_string(world.path("run/bisect.log")).unwrap();
    let ignored: Vec<&str> =
        log.lines().filter(|line| line.contains(": ignore: unrelated: WARNING in table_flush (s ")).collect();
    assert!(!ignored.is_empty() && !log.contains("crashed: WARNING in table_flush"), "{log}");
    assert_eq!(ignored.iter().filter(|line| line.ends_with("; weight 1.0, no vote")).count(), 1, "{log}");
}

#[test]
fn another_bug_can_be_bisected_from_where_it_was_seen() {
    let world = World::new();
    let ids = bisected(&world);
    let report = fs::read_to_string(world.path("run/report.txt")).unwrap();
    let command = report.lines().find_map(|line| line.strip_prefix("  to find where it begins: kbisect ")).unwrap();
    let command = command.replace("DIR", "run");
    world.succeed(&command.split(' ').chain(["--out", "other"]).collect::<Vec<_>>());
    assert_eq!(named(&world.path("other")), Some(ids[BROUGHT].clone()));
    // Of a title alone was made what the start commit showed.
    let faces: Vec<Value> = journal(&world.path("other")).into_iter().filter(|entry| entry["event"] == "target").collect();
    let known = faces.last().unwrap()["faces"].as_array().unwrap();
    assert!(known.iter().any(|face| face["frame"] == "table_flush"), "{known:?}");
}
