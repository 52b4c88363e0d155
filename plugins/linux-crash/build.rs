//! Writes `places.txt` as tables that need no reading at run time: each call of a plugin starts anew.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Entries of a table from one whole name to the next.
const BLOCK: usize = 16;
/// Set in the number of a module of several files.
const SEVERAL: u16 = 1 << 15;

fn main() {
    println!("cargo::rerun-if-changed=places.txt");
    let text = fs::read_to_string("places.txt").expect("places.txt is there");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<(&str, &str)> = rows.map(|row| row.split_once(": ").expect("each row is `place: names`")).collect();
    let halves = |place| str::split_once(place, " in ").unwrap_or((place, place));
    let places: BTreeMap<&str, &str> = rows.iter().map(|(place, _)| halves(place)).collect();
    let all: BTreeSet<&str> = places.iter().flat_map(|(place, module)| [*place, *module]).collect();
    let number: BTreeMap<&str, u16> = all.iter().copied().zip(0..).collect();
    let mut names = BTreeMap::new();
    for (place, begin) in &rows {
        for name in begin.split_whitespace() {
            assert!(names.insert(name, number[halves(place).0]).is_none(), "{name} stands twice");
        }
    }
    let several: BTreeSet<&str> = places.iter().filter(|(place, module)| place != module).map(|(_, module)| *module).collect();
    let modules = all.iter().map(|place| {
        let module = places.get(place).unwrap_or(place);
        (*place, number[module] | if several.contains(place) { SEVERAL } else { 0 })
    });
    assert!(all.len() < usize::from(SEVERAL), "too many places for their numbers");
    let out = env::var_os("OUT_DIR").expect("cargo names a folder");
    let out = Path::new(&out);
    let places =
        table(out, "PLACES", "The places; the number of each one's module, and whether it is one of several files.", modules);
    let names = table(out, "NAMES", "What names begin with, and the place's number.", names.into_iter());
    let several = format!("/// Set in the number of a module of several files.\nconst SEVERAL: u16 = {SEVERAL};\n");
    fs::write(out.join("places.rs"), several + &places + &names).expect("the folder takes a file");
}

/// Packs names, in order, with a number each: how much of the name before it one begins with, how long the rest is, the rest, and the
/// number. Each block begins with a whole name. Gives the table's code.
fn table<'n>(out: &Path, name: &str, about: &str, entries: impl Iterator<Item = (&'n str, u16)>) -> String {
    let (mut bytes, mut blocks, mut before) = (Vec::new(), Vec::new(), "");
    for (at, (entry, number)) in entries.enumerate() {
        if at % BLOCK == 0 {
            blocks.push(bytes.len());
            before = "";
        }
        let shared = entry.bytes().zip(before.bytes()).take_while(|(one, other)| one == other).count();
        let rest = &entry.as_bytes()[shared..];
        bytes.extend([shared, rest.len()].map(|count| u8::try_from(count).expect("names are short")));
        bytes.extend(rest);
        bytes.extend(number.to_le_bytes());
        before = entry;
    }
    fs::write(out.join(name), bytes).expect("the folder takes a file");
    let mut code = String::new();
    let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))");
    writeln!(code, "/// {about}\nstatic {name}: Table = Table {{ bytes: {bytes}, blocks: &{blocks:?}, every: {BLOCK} }};")
        .expect("a string takes it");
    code
}
