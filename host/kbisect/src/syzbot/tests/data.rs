//! On real logs, where they are: 528 of 2018 to 2023 whose culprit is known, and five more.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::*;

/// The texts of the real logs by file; empty where the data is not there.
pub(crate) fn logs() -> Vec<(PathBuf, String)> {
    let data = env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folders = [data.join("bisection-logs"), data.join("real-bisections/logs")];
    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    if files.is_empty() {
        eprintln!("skipped: there are no logs in {}", data.display());
    }
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn every_log_is_understood_and_written_back_byte_for_byte() {
    let mut wrong = Vec::new();
    for (path, text) in logs() {
        let log = read(&text).unwrap();
        if log.to_string() != text {
            wrong.push(format!("{}: not written back", path.display()));
        }
        wrong.extend(log.warnings.iter().map(|warning| format!("{}: {warning}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
