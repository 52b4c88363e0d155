//! `relate` on labelled pairs of crashes (`tests/pairs` of the project).

use std::fs;
use std::path::Path;

use kbisect_sdk::CrashReport;
use linux_crash::relate::look::Look;
use linux_crash::relate::look::evidence;
use serde::Deserialize;

#[derive(Deserialize)]
struct Family {
    pair: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    same: bool,
    #[serde(default)]
    doubtful: bool,
    why: String,
    target: Side,
    seen: Side,
}

#[derive(Deserialize)]
struct Side {
    title: Option<String>,
    console: Option<String>,
}

impl Side {
    fn report(&self) -> CrashReport {
        match (&self.title, &self.console) {
            (Some(title), None) => CrashReport { title: title.clone(), ..CrashReport::default() },
            (None, Some(console)) => {
                {
                    // Where there is no crash, what is shown first is how the machine failed.
                    let failure =
                        || CrashReport { title: console.lines().next().unwrap_or_default().to_owned(), ..CrashReport::default() };
                    linux_crash::report::reports(console.trim_start().as_bytes()).into_iter().next().unwrap_or_else(failure)
                }
            }
            _ => panic!("a side is a title or a console"),
        }
    }
}

/// A pair with its family's name.
struct Named {
    family: String,
    pair: Pair,
}

fn pairs(half: &str) -> Vec<Named> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/pairs").join(half);
    let mut paths: Vec<_> = fs::read_dir(folder).expect("pairs").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).expect("a readable file");
        toml::from_str::<Family>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).pair
    };
    let named = |path: &Path, pair| Named {
        family: path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        pair,
    };
    paths.iter().flat_map(|path| read(path).into_iter().map(|pair| named(path, pair)).collect::<Vec<_>>()).collect()
}

/// Prints the evidence of every pair of the first half, for fitting.
#[test]
#[ignore = "prints what weights are fitted to"]
fn evidence_of_the_first_half() {
    for Named { family, pair } in pairs("first") {
        if pair.doubtful {
            continue;
        }
        let (seen, target) = (pair.seen.report(), pair.target.report());
        let amount = linux_crash::relate::look::evidence(
            &linux_crash::relate::look::Look::of(&seen),
            &linux_crash::relate::look::Look::of(&target),
        )
        .amount;
        let relation = linux_crash::relate::compare(&seen, &target);
        println!(
            "ROW\t{family}\t{}\t{:?}\t{:.3}\t{}\t{}\t{}\t{}",
            u8::from(pair.same),
            amount,
            relation.same,
            target.title,
            seen.title,
            relation.reason,
            pair.why
        );
    }
    // Crashes of different families are different bugs.
    let all: Vec<(String, CrashReport, CrashReport)> =
        pairs("first").into_iter().map(|one| (one.family, one.pair.target.report(), one.pair.seen.report())).collect();
    for (at, (family, target, _)) in all.iter().enumerate() {
        let (other, _, seen) = &all[(at * 7 + 101) % all.len()];
        if family != other {
            let amount = evidence(&Look::of(seen), &Look::of(target)).amount;
            println!("ROW\t{family}/{other}\t0\t{amount:?}\t0\t{}\t{}\t\tdifferent families", target.title, seen.title);
        }
    }
    let Ok(file) = std::env::var("KBISECT_TITLES") else { return };
    for line in fs::read_to_string(file).expect("titles").lines() {
        let [id, label, face, seen] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let titled = |title: &str| CrashReport { title: title.to_owned(), ..CrashReport::default() };
        let (face, seen) = (titled(face), titled(seen));
        let amount = linux_crash::relate::look::evidence(
            &linux_crash::relate::look::Look::of(&seen),
            &linux_crash::relate::look::Look::of(&face),
        )
        .amount;
        println!("REAL\t{id}\t{label}\t{amount:?}\t{}\t{}", face.title, seen.title);
    }
}
