//! The format and the counts of the labelled pairs (`tests/pairs`); no judge is run here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    family: String,
    subsystem: String,
    kind: String,
    pair: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    same: bool,
    why: String,
    #[serde(default)]
    doubtful: bool,
    target: Side,
    seen: Side,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    #[serde(rename = "type")]
    kind: String,
    subsystem: Option<String>,
    title: Option<String>,
    console: Option<String>,
}

impl Side {
    fn subsystem<'side>(&'side self, family: &'side Family) -> &'side str {
        self.subsystem.as_deref().unwrap_or(&family.subsystem)
    }
}

const KINDS: [&str; 7] = ["memory", "hang", "lockdep", "warn", "other", "drift", "infra"];

fn families(set: &str) -> Vec<Family> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/pairs").join(set);
    let paths = fs::read_dir(folder).expect("pairs").map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a readable file");
            let family: Family = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(family.family.as_str()));
            family
        })
        .collect()
}

#[test]
fn every_pair_is_as_the_readme_says() {
    let mut sets = BTreeMap::new();
    for set in ["first", "second", "third", "fourth"] {
        for family in families(set) {
            let name = &family.family;
            assert!(KINDS.contains(&family.kind.as_str()), "{name}: kind {}", family.kind);
            assert!(!family.pair.is_empty(), "{name} has no pair");
            for pair in &family.pair {
                assert!(!pair.why.is_empty(), "{name}: a pair says not why");
                for side in [&pair.target, &pair.seen] {
                    assert!(!side.kind.is_empty(), "{name}: a side without type");
                    let lines = match (&side.title, &side.console) {
                        (Some(title), None) if !title.is_empty() => continue,
                        (None, Some(console)) => console.trim().lines().count(),
                        _ => panic!("{name}: a side is a title or a console"),
                    };
                    assert!((8..=40).contains(&lines), "{name}: a console of {lines} lines");
                }
            }
            if let Some(other) = sets.insert(name.clone(), set) {
                panic!("{name} is in {other} and in {set}");
            }
        }
    }
}

/// What a set must hold for its figures to mean something.
#[test]
fn the_later_sets_are_large_and_mixed_enough() {
    for set in ["third", "fourth"] {
        large_and_mixed_enough(set);
    }
}

fn large_and_mixed_enough(set: &str) {
    let families = families(set);
    let pairs: Vec<(&Family, &Pair)> =
        families.iter().flat_map(|family| family.pair.iter().map(move |pair| (family, pair))).collect();
    let count = |holds: &dyn Fn(&Family, &Pair) -> bool| pairs.iter().filter(|(family, pair)| holds(family, pair)).count();
    let all = pairs.len();
    let same = count(&|_, pair| pair.same);
    let console = count(&|_, pair| pair.target.console.is_some() || pair.seen.console.is_some());
    let same_of_other_type = count(&|_, pair| pair.same && pair.target.kind != pair.seen.kind);
    let neighbours = count(&|family, pair| !pair.same && pair.target.subsystem(family) == pair.seen.subsystem(family));
    let doubtful = count(&|_, pair| pair.doubtful);
    println!(
        "{set}: {} families, {all} pairs, {same} same ({same_of_other_type} of another type), {neighbours} not the same within a \
         subsystem, {console} with console, {doubtful} doubtful",
        families.len()
    );
    assert!(families.len() >= 60 && all >= 300);
    assert!((0.4..=0.6).contains(&(same as f64 / all as f64)));
    assert!(2 * console >= all && same_of_other_type >= 30 && neighbours >= 30);
}
