//! What is known to differ, read from `differences.toml`. Owns its form.

use std::fmt;

use super::run::Way;

/// One thing that kbisect says otherwise than syzkaller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The case.
    pub(crate) case: u32,
    /// The strategy under which it differs.
    pub(crate) strategy: String,
    /// `answer`, `flags`, `report` or `confidence`.
    pub(crate) aspect: String,
    /// What syzkaller says.
    pub(crate) theirs: String,
    /// What kbisect says.
    pub(crate) ours: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "case {}, {}, {}: `{}` is `{}` here", self.case, self.strategy, self.aspect, self.theirs, self.ours)
    }
}

/// The differences that are known one way; each has a reason.
pub(crate) fn known(way: Way) -> Vec<Difference> {
    let file: toml::Table = include_str!("differences.toml").parse().unwrap();
    let text = |table: &toml::Table, key: &str| table[key].as_str().unwrap().to_owned();
    let read = |value: &toml::Value| {
        let table = value.as_table().unwrap();
        assert!(text(table, "reason").len() > 40, "a reason is a sentence: {table}");
        Difference {
            case: u32::try_from(table["case"].as_integer().unwrap()).unwrap(),
            strategy: text(table, "strategy"),
            aspect: text(table, "aspect"),
            theirs: text(table, "theirs"),
            ours: text(table, "ours"),
        }
    };
    let all = file.get("difference").and_then(toml::Value::as_array).into_iter().flatten().map(read);
    all.filter(|one| one.strategy == way.strategy()).collect()
}
