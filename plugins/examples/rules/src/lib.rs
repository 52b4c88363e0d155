//! Example: rules that an operator writes into the job file instead of code.
//!
//! ```toml
//! [[plugin]]
//! id = "rules"
//! path = "rules.wasm"
//! priority = 10                               # behind plugins of lower priority: they see what those found
//!
//! [[plugin.settings.ignore]]                  # these are no crashes
//! title = "BUG: sensor: reading * is beyond *"
//! why = "the emulated sensor knows no limits"
//!
//! [[plugin.settings.ignore]]
//! title = "INFO: task hung in *"              # all conditions of a rule must hold
//! file = "drivers/usb/**"
//!
//! [[plugin.settings.retitle]]                 # one name for many
//! title = '/^INFO: rcu (\w+ )?stall in /'     # between slashes: a regular expression
//! to = "INFO: rcu stall"
//!
//! [[plugin.settings.report]]                  # a line that is a crash, too
//! text = "mydrv: firmware died"
//! title = "mydrv: firmware died"
//! file = "drivers/mydrv/core.c"
//!
//! [[plugin.settings.relate]]                  # how likely two crashes are the same bug
//! seen = "kernel BUG in ring_take"
//! target = ["WARNING in queue_pop", "WARNING in queue_pop_*"]
//! same = 0.98
//! why = "queue_pop was ring_take before v1.4"
//! ```
//!
//! | rule | conditions | does |
//! |---|---|---|
//! | `ignore` | `title` `type` `function` `file` | takes the crash off the list; `kbisect classify --explain` shows `why` |
//! | `retitle` | the same | names it `to`; `$1` in `to` is the first group of a regular expression in `title` |
//! | `report` | `text`: a line has it, as it stands | adds a crash `title`, once for each console; `type` `function` `file` are its own |
//! | `relate` | `seen`, `target`: titles of the crash and of the target | says `same`, a chance from 0 to 1, and `why` |
//!
//! Patterns are globs on the whole text (`*` anything, `?` one character) or, between slashes, regular expressions on any part of
//! it. A list of patterns holds where one of them does. Titles are compared with their alternatives. Of each kind the first rule that
//! fits counts: a crash is ignored, or else retitled. A `relate` rule without `target` is for any target. Crashes to which `retitle`
//! rules give one name are the same bug (.98) unless a `relate` rule says otherwise. Where no rule fits, the other plugins say how
//! likely it is.

mod pattern;
mod settings;

use kbisect_sdk::Classifier;
use kbisect_sdk::CrashReport;
use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::classifier::Edit;
use kbisect_sdk::classifier::Relation;
use kbisect_sdk::console;
use kbisect_sdk::console::Line;

use crate::settings::Settings;

/// The plugin.
#[derive(Debug)]
pub struct Rules;

/// The property that holds a retitled crash's title before.
const RETITLED: &str = "retitled";

/// Chance that crashes which rules give one name are one bug.
const ONE_NAME: f64 = 0.98;

fn is_retitled(report: &CrashReport) -> bool {
    report.properties.iter().any(|property| property.key == RETITLED)
}

/// The rules; `check` has refused those that make no sense.
fn rules(host: &impl Host) -> Result<Settings, String> {
    Settings::read(&host.settings()).map_err(|errors| errors.join("; "))
}

/// The first line whose message has a text. The text is looked for in the console at once: to do so line by line costs a hundred
/// times as much where there are many.
fn line_with<'a>(text: &str, console: &[u8], lines: &'a [Line<'a>]) -> Option<&'a Line<'a>> {
    let mut from = 0;
    while let Some(at) = find(&console[from..], text.as_bytes()) {
        let behind = lines.partition_point(|line| line.start <= from + at);
        // A line that several messages were printed into is several.
        let here = lines[..behind].iter().rev().take_while(|line| line.end > from + at);
        if let Some(line) = here.filter(|line| line.text.contains(text)).last() {
            return Some(line);
        }
        from += at + 1;
    }
    None
}

/// Offset of the first occurrence.
fn find(console: &[u8], text: &[u8]) -> Option<usize> {
    let (first, rest) = text.split_first()?;
    let mut from = 0;
    while let Some(at) = console[from..].iter().position(|byte| byte == first) {
        if console[from + at + 1..].starts_with(rest) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

impl Plugin for Rules {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        Settings::read(&host.settings()).map(drop)
    }
}

impl Classifier for Rules {
    fn markers(host: &impl Host) -> Vec<String> {
        let settings = rules(host).unwrap_or_default();
        settings.report.into_iter().map(|rule| rule.text).collect()
    }

    fn classify(host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<Edit>, String> {
        let settings = rules(host)?;
        let mut edits = Vec::new();
        for (index, report) in (0..).zip(so_far) {
            if let Some(why) = settings.ignore.iter().find_map(|rule| rule.why(report)) {
                edits.push(Edit::Ignore((index, why)));
            } else if let Some(title) = settings.retitle.iter().find_map(|rule| rule.title_for(report)) {
                let renamed = CrashReport { title, ..report.clone() }.with_property(RETITLED, &report.title);
                edits.push(Edit::Replace((index, renamed)));
            }
        }
        if !settings.report.is_empty() {
            let lines = console::lines(console);
            let found = settings.report.iter().filter_map(|rule| Some(rule.crash(line_with(&rule.text, console, &lines)?)));
            edits.extend(found.map(Edit::Add));
        }
        Ok(edits)
    }

    fn relate(host: &impl Host, seen: &CrashReport, _at: &str) -> Result<Option<Relation>, String> {
        let settings = rules(host)?;
        let faces = host.faces();
        if let Some(rule) = settings.relate.iter().find(|rule| rule.is_for(seen, &faces)) {
            return Ok(Some(Relation { same: rule.same, reason: rule.reason() }));
        }
        let one_name = is_retitled(seen) && faces.iter().any(|face| is_retitled(&face.report) && face.report.title == seen.title);
        Ok(one_name.then(|| Relation { same: ONE_NAME, reason: format!("rules of the job call both `{}`", seen.title) }))
    }
}

kbisect_sdk::export!(Rules: classifier);

#[cfg(test)]
mod tests;
