//! What people and programs are told of a new job.

use std::fmt::Write as _;

use serde_json::Value;
use serde_json::json;

use super::draft::Draft;
use super::draft::Line;
use super::draft::Standing;
use super::draft::plain;
use super::pieces::Pieces;

/// What was done.
pub struct Summary<'a> {
    /// What the files were taken for.
    pub pieces: &'a Pieces,
    /// What was not read.
    pub skipped: &'a [(String, String)],
    /// The job.
    pub draft: &'a Draft,
    /// The files that were written, the job last.
    pub written: &'a [String],
    /// What to type next.
    pub next: &'a str,
}

impl Summary<'_> {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        rows(&mut text, "understood", self.pieces.understood.iter());
        rows(&mut text, "not used", self.pieces.unused.iter().chain(self.skipped));
        for standing in [Standing::Found, Standing::Guessed, Standing::Missing] {
            let title = match standing {
                Standing::Found => "found",
                Standing::Guessed => "guessed",
                Standing::Missing => "missing",
            };
            // What is left out as usual is in the file.
            let shown = |line: &&Line| line.on || standing == Standing::Missing;
            let lines: Vec<(String, String)> = self.draft.of(standing).filter(shown).map(row).collect();
            rows(&mut text, title, lines.iter());
        }
        for note in &self.draft.notes {
            let _ = writeln!(text, "note: {}", plain(note));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "wrote {}", plain(&self.written.join(", ")));
        let _ = writeln!(text, "next  {}", plain(self.next));
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let pairs = |pairs: &[(String, String)], what: &str| {
            pairs.iter().map(|(name, told)| json!({ "name": name, what: told })).collect::<Vec<_>>()
        };
        let lines: Vec<Value> = self
            .draft
            .lines
            .iter()
            .map(|line| {
                json!({
                    "key": key(line), "value": line.value, "on": line.on, "standing": line.standing.word(), "why": line.why,
                })
            })
            .collect();
        let unused = [pairs(&self.pieces.unused, "why"), pairs(self.skipped, "why")].concat();
        json!({
            "schema": 1,
            "understood": pairs(&self.pieces.understood, "what"),
            "unused": unused,
            "lines": lines,
            "notes": self.draft.notes,
            "written": self.written,
            "next": self.next,
        })
    }
}

fn key(line: &Line) -> String {
    if line.section.is_empty() { line.key.to_owned() } else { format!("{}.{}", line.section, line.key) }
}

fn row(line: &Line) -> (String, String) {
    let name = match (line.section, line.key) {
        ("", key) => key.to_owned(),
        (section, key) => format!("[{section}] {key}"),
    };
    // The value of what is missing is a stand-in.
    let told =
        if line.standing == Standing::Missing && !line.on { line.why.clone() } else { format!("{}  {}", line.value, line.why) };
    (name, told)
}

/// Longest name that others are lined up with.
const NAMES: usize = 28;

fn rows<'p>(text: &mut String, title: &str, rows: impl Iterator<Item = &'p (String, String)> + Clone) {
    let rows = rows.map(|(name, told)| (plain(name), told));
    let width = rows.clone().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(NAMES);
    for (index, (name, told)) in rows.enumerate() {
        if index == 0 {
            let _ = writeln!(text, "{title}");
        }
        let told = told.split('\n').map(plain).collect::<Vec<_>>().join(&format!("\n{:width$}    ", ""));
        let _ = writeln!(text, "  {name:<width$}  {told}");
    }
}
