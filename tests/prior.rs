//! A suspicion plugin in whole bisections of the pocket kernel: what it saves, that a resumed run keeps its prior, and that one
//! which fails or errs costs little.

use crate::support;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::World;
use crate::support::journal;
use crate::support::named;
use pocket::Planted;
use serde_json::Value;

/// Writes a history of 400 commits that crash in every trial from the culprit on.
fn write(world: &World, seed: u64) -> Planted {
    let rates = pocket::Options { repro_rate: 1.0, stray_rate: 0.0, second_rate: 0.0, ..pocket::Options::default() };
    pocket::write(&world.path(&format!("linux-{seed}")), &pocket::Options { seed, ..rates }).unwrap()
}

/// Writes the job that bisects a written history, with more keys for `[search]`, and plugins.
fn job(world: &World, planted: &Planted, seed: u64, name: &str, search: &str, plugins: &str) {
    let repo = world.path(&format!("linux-{seed}"));
    let good = planted.good.first().map(String::as_str);
    let job = pocket::Job { repo: &repo, bad: &planted.start, good, strategy: None, seed };
    fs::write(world.path(&format!("{name}.toml")), format!("{}{search}{plugins}", pocket::job_toml(&job))).unwrap();
}

fn events(run: &Path, kind: &str) -> Vec<Value> {
    journal(run).into_iter().filter(|entry| entry["event"] == kind).collect()
}

/// Runs a job to its end; what it printed.
fn bisect(world: &World, name: &str, planted: &Planted) -> String {
    let output = world.kbisect(&["run", &format!("{name}.toml"), "--out", name]).output().unwrap();
    let shown = world.shown(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert_eq!(named(&world.path(name)), Some(planted.culprit.clone()), "{shown}");
    shown
}

/// Commits that were built.
fn built(world: &World, name: &str) -> usize {
    let built = events(&world.path(name), "build-ended");
    built.iter().map(|entry| entry["commit"].as_str().unwrap()).collect::<BTreeSet<_>>().len()
}

#[test]
fn the_crashs_stack_saves_builds() {
    let world = World::new();
    let (mut with, mut without) = (0, 0);
    for seed in 1..=3 {
        let planted = write(&world, seed);
        let (uniform, weighed) = (format!("uniform-{seed}"), format!("weighed-{seed}"));
        job(&world, &planted, seed, &uniform, "suspicion = 0\n", "");
        job(&world, &planted, seed, &weighed, "", "");
        assert!(!bisect(&world, &uniform, &planted).contains("\nprior "));
        let shown = bisect(&world, &weighed, &planted);
        let line = shown.lines().find(|line| line.starts_with("prior   ")).unwrap_or_else(|| panic!("{shown}"));
        assert!(line.ends_with(" bits   (stack-prior)"), "{line}");

        assert_eq!(events(&world.path(&uniform), "weighed"), [] as [Value; 0]);
        let prior = &events(&world.path(&weighed), "weighed")[..];
        let [prior] = prior else { panic!("{prior:?}") };
        assert_eq!((&prior["plugin"], &prior["newest"]), (&"stack-prior".into(), &planted.start.clone().into()));
        let weight = |commit: &str| {
            let other = prior["weights"].as_array().unwrap().iter().find(|pair| pair[0] == commit);
            other.map_or(&prior["usual"], |pair| &pair[1]).as_f64().unwrap()
        };
        assert!(weight(&planted.culprit) > prior["usual"].as_f64().unwrap(), "{prior}");
        told(&world, &weighed, &planted.culprit, &shown);
        assert!(prior["bits"].as_f64().unwrap() > 0.3, "{prior}");
        with += built(&world, &weighed);
        without += built(&world, &uniform);
    }
    assert!(with < without, "{with} commits were built, and {without} without a prior");
    println!("{with} commits built with the prior, {without} without");
}

/// What the prior gave to the named commit stands in the report, as text and as data, and in what is explained.
fn told(world: &World, run: &str, culprit: &str, report_text: &str) {
    let report = support::report(&world.path(run));
    let prior = &report["prior"][0];
    assert_eq!((prior["commit"].as_str(), &prior["plugin"]), (Some(culprit), &"stack-prior".into()), "{prior}");
    let reason = prior["reason"].as_str().unwrap_or_else(|| panic!("{prior}"));
    assert!(prior["times"].as_f64().unwrap() > 1.0, "{prior}");
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = one_line(report_text.split("\nBefore the trials: ").nth(1).unwrap_or_else(|| panic!("{report_text}")));
    assert!(
        line.starts_with("stack-prior gave it ") && line.contains(&one_line(&format!("times the average weight: {reason}"))),
        "{line}"
    );
    let explained = world.kbisect(&["explain", run, "--json"]).output().unwrap();
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(explained["candidates"][0]["prior"], *prior);
    let explained = world.kbisect(&["explain", run]).output().unwrap();
    let explained = one_line(&String::from_utf8(explained.stdout).unwrap());
    assert!(
        explained.contains(&one_line(&format!("before stack-prior gave it {}", &line["stack-prior gave it ".len()..]))[..60]),
        "{explained}"
    );
}

#[test]
fn a_resumed_run_keeps_its_prior() {
    let world = World::new();
    let planted = write(&world, 1);
    job(&world, &planted, 1, "whole", "", "");
    bisect(&world, "whole", &planted);
    let entries = journal(&world.path("whole"));
    let at = entries.iter().position(|entry| entry["event"] == "weighed").unwrap();
    // Once before the weights are written, once right behind, once later.
    for cut in [at, at + 1, at + 4] {
        let name = format!("cut-{cut}");
        job(&world, &planted, 1, &name, "", "");
        let mut first = world.kbisect(&["run", "--quiet", &format!("{name}.toml"), "--out", &name]);
        assert_eq!(first.env("KBISECT_TEST_ABORT_AFTER", cut.to_string()).output().unwrap().status.code(), None);
        world.succeed(&["resume", "--quiet", &name]);
        assert_eq!(named(&world.path(&name)), Some(planted.culprit.clone()));
        let weights = |name: &str| {
            let weighed = events(&world.path(name), "weighed");
            assert_eq!(weighed.len(), 1);
            // The looks that the start commit shows, and with them the weights, depend on which of its trials end first.
            ["plugin", "newest", "oldest", "commits", "share"].map(|key| weighed[0][key].clone())
        };
        assert_eq!(weights(&name), weights("whole"));
    }
}

/// Builds the plugin that does what its settings say, and names it in a job.
fn scripted(world: &World, settings: &str) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let target = Path::new(env!("KBISECT_GUESTS"));
    let component = guest_build::plugins(&workspace, target, &["scripted-guest"]).unwrap().remove(0);
    fs::copy(component, world.path("scripted.wasm")).unwrap();
    format!("\n[[plugin]]\nid = \"mine\"\npath = \"scripted.wasm\"\nhooks = [\"suspicion\"]\nsettings = {settings}\n")
}

#[test]
fn a_plugin_that_fails_is_a_warning_and_one_that_errs_misleads_nobody() {
    let world = World::new();
    let planted = write(&world, 1);
    job(&world, &planted, 1, "nan", "", &scripted(&world, r#"{ do = "nan" }"#));
    let shown = bisect(&world, "nan", &planted);
    let warning =
        "warning: plugin `mine` failed in suspicion: its answer makes no sense: it gives the weight NaN, not one from 0 to 1e9";
    assert_eq!(shown.matches(warning).count(), 1, "{shown}");
    let weighed = events(&world.path("nan"), "weighed");
    assert_eq!((&weighed[0]["bits"], &weighed[0]["weights"]), (&Value::from(0.0), &Value::from(Vec::<Value>::new())));

    // All weight is on a commit that is not it, the one before the start, which gets a quarter of the prior for it.
    let decoy = world.git("linux-1", &["log", "-1", "--format=%s", &format!("{}^1", planted.start)]);
    job(&world, &planted, 1, "decoy", "", &scripted(&world, &format!("{{ guilty = {} }}", Value::from(decoy))));
    bisect(&world, "decoy", &planted);
    let bits = events(&world.path("decoy"), "weighed")[0]["bits"].as_f64().unwrap();
    assert!((0.5..1.5).contains(&bits), "{bits}");
}

#[test]
fn no_plugin_misleads_or_hangs_a_short_search() {
    let world = World::new();
    let ids = support::line(&world, "repo", 8, 4, "exit 1");
    for (bad, why) in [
        ("few", "it gives 6 weights for 7 commits"),
        ("twice", "it gives 14 weights for 7 commits"),
        ("negative", "it gives the weight -0.5, not one from 0 to 1e9"),
        ("infinite", "it gives the weight inf, not one from 0 to 1e9"),
        ("huge", "not one from 0 to 1e9"),
        ("trap", "it trapped: wasm `unreachable` instruction executed"),
        ("loop", "units of fuel"),
        ("err", "it says: the script says so"),
    ] {
        let plugin = scripted(&world, &format!("{{ do = \"{bad}\" }}\nlimits = {{ fuel = 20000000 }}"));
        world.job(&format!("{bad}.toml"), &ids[0], &plugin);
        let output = world.kbisect(&["run", &format!("{bad}.toml"), "--out", bad]).output().unwrap();
        let shown = world.shown(&output);
        assert_eq!((output.status.code(), named(&world.path(bad))), (Some(0), Some(ids[4].clone())), "{shown}");
        let warnings: Vec<&str> =
            shown.lines().filter(|line| line.starts_with("warning: plugin `mine` failed in suspicion: ")).collect();
        // It is asked once more, of the named commit.
        assert!(warnings.len() <= 2 && warnings[0].contains(why), "{bad}: {warnings:?}\n{shown}");
    }
}
