//! The rules as the job file has them. What makes no sense is refused with the rule's kind and number.

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use kbisect_sdk::console::Line;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::pattern::Pattern;
use crate::pattern::Patterns;

/// All rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) ignore: Vec<Ignore>,
    pub(crate) retitle: Vec<Retitle>,
    pub(crate) report: Vec<Report>,
    pub(crate) relate: Vec<Relate>,
}

/// A crash that is none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignore {
    title: Option<Patterns>,
    #[serde(rename = "type")]
    crash_type: Option<Patterns>,
    function: Option<Patterns>,
    file: Option<Patterns>,
    why: Option<String>,
}

/// A crash by another name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retitle {
    title: Option<Patterns>,
    #[serde(rename = "type")]
    crash_type: Option<Patterns>,
    function: Option<Patterns>,
    file: Option<Patterns>,
    to: String,
}

/// Which crashes a rule is for: all that is given must hold.
#[derive(Debug, Clone, Copy)]
struct When<'a> {
    title: Option<&'a Patterns>,
    crash_type: Option<&'a Patterns>,
    function: Option<&'a Patterns>,
    file: Option<&'a Patterns>,
}

/// A line that is a crash.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    pub(crate) text: String,
    title: String,
    #[serde(rename = "type", default)]
    crash_type: String,
    function: Option<String>,
    file: Option<String>,
}

/// How likely crashes are the same bug.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relate {
    seen: Patterns,
    target: Option<Patterns>,
    pub(crate) same: f64,
    why: Option<String>,
}

impl Settings {
    /// Reads the settings; all that makes no sense is told at once.
    pub(crate) fn read(json: &str) -> Result<Self, Vec<String>> {
        let Ok(Value::Object(table)) = serde_json::from_str(json) else { return Err(vec!["settings are no table".to_owned()]) };
        let mut settings = Self::default();
        let mut errors = Vec::new();
        for (key, value) in table {
            match key.as_str() {
                "ignore" => settings.ignore = rules("ignore", value, &mut errors, Ignore::fault),
                "retitle" => settings.retitle = rules("retitle", value, &mut errors, Retitle::fault),
                "report" => settings.report = rules("report", value, &mut errors, Report::fault),
                "relate" => settings.relate = rules("relate", value, &mut errors, Relate::fault),
                _ => errors.push(format!("unknown setting `{key}`: there are ignore, retitle, report and relate")),
            }
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

/// The rules of one kind; those that make no sense are complained of.
fn rules<T: DeserializeOwned>(
    kind: &str,
    value: Value,
    errors: &mut Vec<String>,
    fault: impl Fn(&T) -> Option<String>,
) -> Vec<T> {
    let Value::Array(list) = value else {
        errors.push(format!("`{kind}` must be a list of rules: write [[plugin.settings.{kind}]] above each"));
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (number, value) in (1..).zip(list) {
        let named = name(&value);
        let rule = serde_json::from_value(value).map_err(|error| error.to_string());
        match rule.and_then(|rule| fault(&rule).map_or(Ok(rule), Err)) {
            Ok(rule) => rules.push(rule),
            Err(error) => errors.push(format!("{kind} rule {number}{named}: {error}")),
        }
    }
    rules
}

/// What an operator knows a rule by.
fn name(rule: &Value) -> String {
    let key = ["title", "seen", "text", "function", "file", "type", "target", "to", "why"]
        .into_iter()
        .find(|key| rule.get(key).is_some());
    key.map(|key| format!(" ({key} = {})", rule[key])).unwrap_or_default()
}

impl When<'_> {
    /// Whether a crash is one of those.
    fn holds(self, report: &CrashReport) -> bool {
        let holds = |patterns: Option<&Patterns>, text: Option<&str>| {
            patterns.is_none_or(|patterns| text.is_some_and(|text| patterns.fit([text])))
        };
        self.title.is_none_or(|patterns| patterns.fit(report.titles()))
            && holds(self.crash_type, Some(&report.crash_type))
            && holds(self.function, report.frame.as_deref())
            && holds(self.file, report.guilty_file.as_deref())
    }

    /// A rule for all crashes is a mistake.
    fn fault(self) -> Option<String> {
        let given = [self.title, self.crash_type, self.function, self.file].into_iter().flatten().count();
        (given == 0).then(|| "it needs a condition: title, type, function or file".to_owned())
    }
}

impl Ignore {
    fn when(&self) -> When<'_> {
        When {
            title: self.title.as_ref(),
            crash_type: self.crash_type.as_ref(),
            function: self.function.as_ref(),
            file: self.file.as_ref(),
        }
    }

    fn fault(&self) -> Option<String> {
        self.when().fault()
    }

    /// Why a crash is none, where the rule is for it.
    pub(crate) fn why(&self, report: &CrashReport) -> Option<String> {
        self.when().holds(report).then(|| reason(self.why.as_ref()))
    }
}

impl Retitle {
    fn when(&self) -> When<'_> {
        When {
            title: self.title.as_ref(),
            crash_type: self.crash_type.as_ref(),
            function: self.function.as_ref(),
            file: self.file.as_ref(),
        }
    }

    fn fault(&self) -> Option<String> {
        if is_blank(&self.to) {
            return Some("`to` is empty".to_owned());
        }
        if let Some(fault) = self.when().fault() {
            return Some(fault);
        }
        // A group that one of several patterns lacks is as wrong as one that all lack.
        let groups = self.title.iter().flat_map(|titles| &titles.0).map(Pattern::groups).min().unwrap_or(0);
        let beyond = highest_group(&self.to).filter(|&group| group > groups)?;
        let has = match groups {
            0 => "is no regular expression with groups".to_owned(),
            1 => "has one group".to_owned(),
            _ => format!("has {groups} groups"),
        };
        Some(format!("`to` has ${beyond}, and `title` {has}"))
    }

    /// The new title of a crash that the rule is for.
    pub(crate) fn title_for(&self, report: &CrashReport) -> Option<String> {
        if !self.when().holds(report) {
            return None;
        }
        let Some(patterns) = &self.title else { return Some(self.to.clone()) };
        let rewritten = report.titles().find_map(|title| patterns.0.iter().find_map(|pattern| pattern.rewrite(title, &self.to)));
        rewritten.filter(|title| !is_blank(title))
    }
}

impl Report {
    fn fault(&self) -> Option<String> {
        let (key, _) = [("text", &self.text), ("title", &self.title)].into_iter().find(|(_, text)| is_blank(text))?;
        Some(format!("`{key}` is empty"))
    }

    /// The crash that a line is.
    pub(crate) fn crash(&self, line: &Line<'_>) -> CrashReport {
        let crash = CrashReport::new(&self.title).with_type(&self.crash_type).with_lines(line, line).with_rule(&self.text);
        CrashReport { frame: self.function.clone(), guilty_file: self.file.clone(), ..crash }
    }
}

impl Relate {
    fn fault(&self) -> Option<String> {
        let chance = (0.0..=1.0).contains(&self.same);
        (!chance).then(|| format!("`same` is {}: it is a chance, from 0 to 1", self.same))
    }

    /// Whether it is about this crash and a target that shows like this.
    pub(crate) fn is_for(&self, seen: &CrashReport, faces: &[Face]) -> bool {
        let target = |patterns: &Patterns| faces.iter().any(|face| patterns.fit(face.report.titles()));
        self.seen.fit(seen.titles()) && self.target.as_ref().is_none_or(target)
    }

    /// Why, in one line.
    pub(crate) fn reason(&self) -> String {
        reason(self.why.as_ref())
    }
}

fn reason(why: Option<&String>) -> String {
    why.filter(|why| !is_blank(why)).cloned().unwrap_or_else(|| "a rule of the job says so".to_owned())
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// The highest `$N` or `${N}` of a template; `$$` is a dollar.
fn highest_group(to: &str) -> Option<usize> {
    let mut rest = to;
    let mut highest = None;
    while let Some((_, after)) = rest.split_once('$') {
        rest = after.strip_prefix('$').unwrap_or(after);
        let name = rest.strip_prefix('{').unwrap_or(rest);
        let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
        if rest.len() == after.len() {
            highest = highest.max(name[..digits].parse().ok());
        }
    }
    highest
}
