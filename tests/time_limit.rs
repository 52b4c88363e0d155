//! Trials that show nothing end early once it is known how soon the crash comes.

use std::fs;

use crate::support::Planned;
use crate::support::USE_AFTER_FREE;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::write_history;
use serde_json::Value;

const COMMITS: usize = 10;
const CULPRIT: usize = 6;

/// A history whose test crashes at once where the bug is, and otherwise runs for ever.
fn history(world: &World) -> Vec<String> {
    let commits: Vec<Planned> = (0..COMMITS)
        .map(|place: usize| {
            let parents: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let end =
                if place >= CULPRIT { format!("cat <<'END'\n{USE_AFTER_FREE}\nEND\n") } else { "exec sleep 600\n".to_owned() };
            Planned::on(&parents, format!("change {place}"))
                .file("number", place.to_string())
                .script("test.sh", format!("#!/bin/sh\n{end}"))
        })
        .collect();
    write_history(world, "repo", &commits, &[])
}

/// The shares of the time that clean trials had.
fn exposures(world: &World, limit: &str, more: &str) -> Vec<f64> {
    let ids = history(world);
    let job = format!(
        "repo = \"repo\"\nbad = \"main\"\ngood = {:?}\n[machine]\nkind = \"process\"\n\
         [trial]\ncommand = [\"./test.sh\"]\ntime_limit = \"{limit}\"\n{more}\n",
        ids[0]
    );
    fs::write(world.path("job.toml"), job).unwrap();
    world.succeed(&["run", "--quiet", "job.toml", "--out", "run"]);
    assert_eq!(named(&world.path("run")), Some(ids[CULPRIT].clone()));
    let clean = |entry: &Value| (entry["outcome"] == "clean").then(|| entry["exposure"].as_f64().unwrap());
    journal(&world.path("run")).iter().filter_map(clean).collect()
}

#[test]
fn a_clean_trial_is_as_long_as_it_says_something() {
    let world = World::new();
    let shares = exposures(&world, "3s", "expect = \"crash\"");
    assert!(shares.iter().all(|share| (0.2..=1.0).contains(share)), "{shares:?}");
    assert!(shares.iter().any(|&share| share < 0.9), "{shares:?}");
}

#[test]
fn where_the_time_limit_itself_says_something_it_is_kept() {
    let world = World::new();
    let shares = exposures(&world, "1s", "expect = \"exit\"\non_timeout = \"good\"");
    assert!(shares.iter().all(|&share| share == 1.0), "{shares:?}");
}
