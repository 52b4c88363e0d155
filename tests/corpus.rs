//! How well the bundled classifier reads consoles whose right answer is known. What is right once stays right.
//!
//! `KBISECT_TEST_DATA` says where the consoles are (default: `../shared` beside the project); where they are not, the test says that
//! it was skipped. `corpus.ratchet` holds the figures, `CORPUS.FIELD RIGHT COUNTED` a line: they may rise, never fall.
//! `KBISECT_RATCHET=write` writes them anew, and `kbisect classify --corpus DIR --failures` shows what is not right.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::support::World;

/// What a corpus is called in the ratchet, and where it lies in the test data.
const CORPORA: [(&str, &str); 3] =
    [("guilty", "crash-reports/guilty"), ("linux", "crash-reports/linux"), ("real", "real-bisections/reports")];

/// How many files are right in a field, of those in which it is expected or given.
#[derive(Debug, Clone, Copy)]
struct Figure {
    right: u32,
    counted: u32,
}

impl Figure {
    fn share(self) -> f64 {
        f64::from(self.right) / f64::from(self.counted)
    }
}

/// Reads lines of a name and two numbers, whatever stands behind them; fields that no file has are left out.
fn figures(lines: &str) -> BTreeMap<String, Figure> {
    let figure = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let (right, counted) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (counted > 0).then_some((name, Figure { right, counted }))
    };
    lines.lines().filter_map(figure).collect()
}

fn data() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("KBISECT_TEST_DATA").map_or_else(beside, PathBuf::from)
}

fn ratchet() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus.ratchet")
}

#[test]
fn no_figure_falls() {
    let world = World::new();
    let mut known = figures(&std::fs::read_to_string(ratchet()).unwrap());
    let mut fallen = Vec::new();
    for (name, folder) in CORPORA {
        let folder = data().join(folder);
        if !folder.exists() {
            println!("skipped: no test data in {}", folder.display());
            continue;
        }
        let output = world.kbisect(&["classify", "--corpus", folder.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{}", world.shown(&output));
        let table = String::from_utf8(output.stdout).unwrap();
        println!("{name}\n{table}");
        for (field, now) in figures(&table) {
            let field = format!("{name}.{field}");
            if let Some(before) = known.insert(field.clone(), now)
                && now.share() < before.share() - 1e-9
            {
                fallen.push(format!("{field}: {} of {}, was {} of {}", now.right, now.counted, before.right, before.counted));
            }
        }
    }
    if std::env::var("KBISECT_RATCHET").is_ok_and(|mode| mode == "write") {
        let mut lines = String::new();
        for (field, figure) in &known {
            writeln!(lines, "{field} {} {}", figure.right, figure.counted).unwrap();
        }
        std::fs::write(ratchet(), lines).unwrap();
    } else {
        assert!(fallen.is_empty(), "worse than before: {fallen:#?}");
    }
}
