//! Writes `places.txt` as tables that need no reading at run time: each call of a plugin starts anew.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=places.txt");
    let text = fs::read_to_string("places.txt").expect("places.txt is there");
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let rows: BTreeMap<&str, &str> = rows.map(|row| row.split_once(": ").expect("each row is `place: names`")).collect();
    let mut names = BTreeMap::new();
    let mut tables =
        String::from("/// The places, in order; a folder of several modules ends with a slash.\nstatic PLACES: &[&str] = &[\n");
    for (index, (place, begin)) in rows.iter().enumerate() {
        writeln!(tables, "    {place:?},").expect("a string takes it");
        for name in begin.split_whitespace() {
            assert!(names.insert(name, index).is_none(), "{name} stands twice");
        }
    }
    tables.push_str("];\n/// What names begin with, in order, and the place's index.\nstatic NAMES: &[(&str, u16)] = &[\n");
    for (name, index) in names {
        writeln!(tables, "    ({name:?}, {index}),").expect("a string takes it");
    }
    tables.push_str("];\n");
    let out = env::var_os("OUT_DIR").expect("cargo names a folder");
    fs::write(Path::new(&out).join("places.rs"), tables).expect("the folder takes a file");
}
