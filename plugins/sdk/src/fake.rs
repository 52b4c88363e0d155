//! A host made of plain values, for native unit tests of plugins, and what the host does with their answers.
//!
//! ```
//! use kbisect_sdk::Host;
//! use kbisect_sdk::Level;
//! use kbisect_sdk::fake::FakeHost;
//!
//! let host = FakeHost { faces: vec![], ..FakeHost::with_settings(r#"{ "loud": true }"#) };
//! host.log(Level::Warn, "here");
//! assert_eq!(host.logged.borrow().len(), 1);
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::Classifier;
use crate::CrashReport;
use crate::Face;
use crate::GitError;
use crate::Host;
use crate::Level;
use crate::Past;
use crate::Rates;
use crate::Signature;
use crate::Signer;
use crate::Suspicion;
use crate::classifier::Edit;
use crate::suspicion::CommitFacts;

/// Answers what its fields say. [`FakeHost::default`] is the host outside a bisection.
#[derive(Debug, Default)]
pub struct FakeHost {
    /// Settings as JSON text; an empty text stands for `{}`.
    pub settings: String,
    /// The target's faces.
    pub faces: Vec<Face>,
    /// Per-trial rates.
    pub estimate: Option<Rates>,
    /// Commits tested.
    pub history: Vec<Past>,
    /// Open data.
    pub properties: BTreeMap<String, String>,
    /// The repository, by commit id.
    pub commits: BTreeMap<String, FakeCommit>,
    /// The answer to every `signers` question.
    pub signers: Vec<Signer>,
    /// What the plugin logged.
    pub logged: RefCell<Vec<(Level, String)>>,
}

/// One commit of a [`FakeHost`].
#[derive(Debug, Clone, Default)]
pub struct FakeCommit {
    /// The whole message.
    pub message: String,
    /// Author's name.
    pub author_name: String,
    /// Author's address.
    pub author_email: String,
    /// Parents.
    pub parents: Vec<String>,
    /// Paths that differ from the first parent.
    pub changed_files: Vec<String>,
    /// Text of the files in its tree, by path.
    pub files: BTreeMap<String, String>,
}

impl FakeHost {
    /// The host outside a bisection, with settings as JSON text.
    #[must_use]
    pub fn with_settings(json: &str) -> Self {
        Self { settings: json.to_owned(), ..Self::default() }
    }

    /// With a target that was seen with these reports, once each.
    #[must_use]
    pub fn with_target(self, reports: impl IntoIterator<Item = CrashReport>) -> Self {
        Self { faces: reports.into_iter().map(|report| Face { report, trials: 1 }).collect(), ..self }
    }

    fn commit(&self, commit: &str) -> Result<&FakeCommit, GitError> {
        self.commits.get(commit).ok_or_else(|| GitError::NotFound(commit.to_owned()))
    }
}

impl Host for FakeHost {
    fn log(&self, level: Level, message: &str) {
        self.logged.borrow_mut().push((level, message.to_owned()));
    }

    fn settings(&self) -> String {
        if self.settings.is_empty() { "{}".to_owned() } else { self.settings.clone() }
    }

    fn faces(&self) -> Vec<Face> {
        self.faces.clone()
    }

    fn estimate(&self) -> Option<Rates> {
        self.estimate
    }

    fn history(&self) -> Vec<Past> {
        self.history.clone()
    }

    fn property(&self, key: &str) -> Option<String> {
        self.properties.get(key).cloned()
    }

    fn changed_files(&self, commit: &str) -> Result<Vec<String>, GitError> {
        Ok(self.commit(commit)?.changed_files.clone())
    }

    fn message(&self, commit: &str) -> Result<String, GitError> {
        Ok(self.commit(commit)?.message.clone())
    }

    fn author(&self, commit: &str) -> Result<Signature, GitError> {
        let commit = self.commit(commit)?;
        Ok(Signature { name: commit.author_name.clone(), email: commit.author_email.clone() })
    }

    fn parents(&self, commit: &str) -> Result<Vec<String>, GitError> {
        Ok(self.commit(commit)?.parents.clone())
    }

    fn read_file(&self, commit: &str, path: &str) -> Result<String, GitError> {
        self.commit(commit)?.files.get(path).cloned().ok_or_else(|| GitError::NotFound(path.to_owned()))
    }

    fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, GitError> {
        self.commit(ancestor)?;
        let mut seen = BTreeSet::new();
        let mut open = vec![descendant];
        while let Some(commit) = open.pop() {
            if commit == ancestor {
                return Ok(true);
            }
            if seen.insert(commit) {
                open.extend(self.commit(commit)?.parents.iter().map(String::as_str));
            }
        }
        Ok(false)
    }

    fn signers(&self, commit: &str, _paths: &[String], _days: u32) -> Result<Vec<Signer>, GitError> {
        self.commit(commit)?;
        Ok(self.signers.clone())
    }
}

/// The reports that a classifier makes of a console, as the host would have them: `classify` is not called where none of its markers
/// is on the console and nobody before it found a crash, and its edits are applied by [`edited`].
///
/// # Errors
///
/// What the plugin says, and what the host takes for a failed call.
pub fn classify<P: Classifier>(host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<CrashReport>, String> {
    let markers = P::markers(host);
    if markers.iter().any(String::is_empty) {
        return Err("a marker is empty".to_owned());
    }
    let occurs = |marker: &String| console.windows(marker.len()).any(|window| window == marker.as_bytes());
    if so_far.is_empty() && !markers.iter().any(occurs) {
        return Ok(Vec::new());
    }
    edited(so_far, P::classify(host, console, so_far)?, console.len())
}

/// Applies edits as the host does: indices refer to `so_far`, rise and occur once each; a report has a title, and its span lies within
/// a console of `length` bytes. The new list is in console order where every report has a span; else new ones come last.
///
/// # Errors
///
/// What the host takes for a failed call.
pub fn edited(so_far: &[CrashReport], edits: Vec<Edit>, length: usize) -> Result<Vec<CrashReport>, String> {
    let mut kept: Vec<Option<CrashReport>> = so_far.iter().cloned().map(Some).collect();
    let mut added = Vec::new();
    let mut next = 0;
    for edit in edits {
        let (index, report) = match edit {
            Edit::Add(report) => {
                added.push(sound(report, length)?);
                continue;
            }
            Edit::Replace((index, report)) => (index, Some(sound(report, length)?)),
            Edit::Ignore((index, _)) => (index, None),
        };
        let place = kept.get_mut(index as usize).ok_or_else(|| format!("report {index} of {} is edited", so_far.len()))?;
        if index < next {
            return Err(format!("report {index} is edited twice or out of order"));
        }
        next = index + 1;
        *place = report;
    }
    let mut reports: Vec<CrashReport> = kept.into_iter().flatten().chain(added).collect();
    if reports.iter().all(|report| report.span.is_some()) {
        reports.sort_by_key(|report| report.span.map(|span| span.start));
    }
    Ok(reports)
}

fn sound(report: CrashReport, length: usize) -> Result<CrashReport, String> {
    if report.title.trim().is_empty() {
        return Err("a report has no title".to_owned());
    }
    match report.span {
        Some(span) if span.start > span.end || span.end as usize > length => {
            Err(format!("`{}` spans bytes {} to {} of {length}", report.title, span.start, span.end))
        }
        _ => Ok(report),
    }
}

/// The weights that a suspicion plugin gives to commits, asked and checked as the host does: at most 1,000 commits at a time, one weight
/// for each, finite, from 0 to 1,000,000,000.
///
/// # Errors
///
/// What the plugin says, and what the host takes for a failed call.
pub fn weigh<P: Suspicion>(host: &impl Host, commits: &[CommitFacts]) -> Result<Vec<f64>, String> {
    let mut weights = Vec::new();
    for some in commits.chunks(1_000) {
        let answer = P::weigh(host, some)?;
        if answer.len() != some.len() {
            return Err(format!("{} weights are given for {} commits", answer.len(), some.len()));
        }
        if let Some(weight) = answer.iter().find(|weight| !(0.0..=1e9).contains(*weight)) {
            return Err(format!("{weight} is given as a weight"));
        }
        weights.extend(answer);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plugin;
    use crate::console;

    struct Knock;

    impl Plugin for Knock {}

    impl Classifier for Knock {
        fn markers(_host: &impl Host) -> Vec<String> {
            vec!["knock".to_owned()]
        }

        fn classify(_host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<Edit>, String> {
            let ignored = so_far.iter().enumerate().map(|(index, _)| Edit::Ignore((index as u32, "not this one".to_owned())));
            let knocks =
                console::lines(console).into_iter().map(|line| Edit::Add(CrashReport::new(&*line.text).with_lines(&line, &line)));
            Ok(ignored.chain(knocks).collect())
        }
    }

    fn titles(console: &str, so_far: &[CrashReport]) -> Vec<String> {
        let reports = classify::<Knock>(&FakeHost::default(), console.as_bytes(), so_far).expect("sound edits");
        reports.into_iter().map(|report| report.title).collect()
    }

    #[test]
    fn nobody_is_asked_without_a_marker() {
        assert!(titles("who is there", &[]).is_empty());
        assert_eq!(titles("<3>knock\nwho is there", &[]), ["knock", "who is there"]);
        assert_eq!(titles("who is there", &[CrashReport::new("a")]), ["who is there"]);
    }

    #[test]
    fn senseless_edits_are_refused_as_the_host_does() {
        let so_far = [CrashReport::new("a"), CrashReport::new("b")];
        let ignore = |index| Edit::Ignore((index, String::new()));
        let error = |edits: Vec<Edit>| edited(&so_far, edits, 10).expect_err("a senseless edit");
        assert_eq!(error(vec![ignore(2)]), "report 2 of 2 is edited");
        assert_eq!(error(vec![ignore(1), ignore(1)]), "report 1 is edited twice or out of order");
        assert_eq!(error(vec![ignore(1), ignore(0)]), "report 0 is edited twice or out of order");
        assert_eq!(error(vec![Edit::Add(CrashReport::new(" "))]), "a report has no title");
        let console = b"123456789012345";
        let long = &console::lines(console)[0];
        let beyond = CrashReport::new("x").with_lines(long, long);
        assert_eq!(error(vec![Edit::Add(beyond)]), "`x` spans bytes 0 to 15 of 10");
    }
}
