//! What plugins answer, as plain data, and which answers make no sense. A senseless answer is a failed call.

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::credence::Credit;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Judgement;

pub use crate::record::event::Recipient;

/// Odds for a named commit that are higher than this make no sense.
pub const MOST_ODDS: f64 = 1e9;

/// Paths that the suspicion hook is told of one commit at most: of a sweep over the tree, no more would say more.
pub const MOST_FILES: usize = 1_000;

/// More trials than this at one commit make no sense.
pub const MOST_TRIALS: u32 = 10_000;

/// A commit that looks guilty by more than this makes no sense.
pub const MOST_WEIGHT: f64 = 1e9;

/// How grave a plugin's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something failed; a panic's text comes at this level.
    Error,
}

impl Level {
    /// The level's name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How likely a crash is the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Chance of "same bug", were both equally likely beforehand.
    pub same: f64,
    /// Why, in one line.
    pub reason: String,
}

/// An edit of the list of reports.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportEdit {
    /// One more crash.
    Add(CrashReport),
    /// The report at this index reads otherwise.
    Replace(u32, CrashReport),
    /// The report at this index is not a crash, and why.
    Ignore(u32, String),
}

/// What a classifier made of a list of reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// What it did.
    pub edits: Vec<ReportEdit>,
    /// The new list.
    pub reports: Vec<CrashReport>,
}

/// A commit that may be the culprit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// The commit.
    pub commit: CommitId,
    /// Chance that it is.
    pub probability: f64,
}

/// An edit of the list of people to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum RecipientEdit {
    /// One more.
    Add(Recipient),
    /// Not this address, and why.
    Remove(String, String),
}

/// What the suspicion hook is told of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFacts {
    /// The commit.
    pub id: CommitId,
    /// First line of its message.
    pub subject: String,
    /// Paths that differ from every parent: of a merge, only what it changed by itself. At most [`MOST_FILES`].
    pub files: Vec<String>,
}

impl CommitFacts {
    /// About how many bytes it is as an argument.
    pub fn size(&self) -> usize {
        40 + self.subject.len() + self.files.iter().map(|file| 16 + file.len()).sum::<usize>()
    }
}

/// Applies edits to the reports of a console of `length` bytes. Indices refer to the list as given, rise, and occur once. The
/// new list is in console order when every report says where it stands; else new reports come last.
pub(super) fn edit_reports(so_far: &[CrashReport], edits: &[ReportEdit], length: usize) -> Result<Vec<CrashReport>, String> {
    let mut kept: Vec<Option<CrashReport>> = so_far.iter().cloned().map(Some).collect();
    let mut added = Vec::new();
    let mut next = 0;
    for edit in edits {
        let (index, report) = match edit {
            ReportEdit::Add(report) => {
                added.push(sound(report.clone(), length)?);
                continue;
            }
            ReportEdit::Replace(index, report) => (*index, Some(sound(report.clone(), length)?)),
            ReportEdit::Ignore(index, _) => (*index, None),
        };
        let place = kept.get_mut(index as usize);
        let place = place.ok_or_else(|| format!("it edits report {index} of {}", so_far.len()))?;
        if (index as usize) < next {
            return Err(format!("it edits report {index} twice or out of order"));
        }
        next = index as usize + 1;
        *place = report;
    }
    let mut reports: Vec<CrashReport> = kept.into_iter().flatten().chain(added).collect();
    if reports.iter().all(|report| report.span.is_some()) {
        reports.sort_by_key(|report| report.span.map(|span| span.start));
    }
    Ok(reports)
}

fn sound(mut report: CrashReport, length: usize) -> Result<CrashReport, String> {
    report.title = one_line(&report.title);
    if report.title.is_empty() {
        return Err("it reports a crash without a title".to_owned());
    }
    match report.span {
        Some(span) if span.start > span.end || span.end as usize > length => {
            Err(format!("its report spans bytes {} to {} of {length}", span.start, span.end))
        }
        _ => Ok(report),
    }
}

/// Checks that s is a chance.
pub(super) fn check_relation(relation: &Relation) -> Result<Relation, String> {
    chance("the chance of \"same bug\"", relation.same)?;
    Ok(Relation { same: relation.same, reason: one_line(&relation.reason) })
}

/// Checks that the policy wants a number of trials that can be run, and more than there were.
pub(super) fn check_judgement(judgement: Judgement, ask: &Ask) -> Result<Judgement, String> {
    chance("the confidence", judgement.confidence)?;
    if let Decision::Want(total) = judgement.decision {
        if total > MOST_TRIALS {
            return Err(format!("it wants {total} trials; more than {MOST_TRIALS} make no sense"));
        }
        if ask.running == 0 && total as usize <= ask.trials.len() {
            return Err(format!("it wants {total} trials in all where {} are finished, and concludes nothing", ask.trials.len()));
        }
    }
    Ok(Judgement { reason: one_line(&judgement.reason), ..judgement })
}

/// Applies edits to the list of people: an address stands there once, and `to` wins over `cc`.
pub(super) fn edit_recipients(so_far: &[Recipient], edits: Vec<RecipientEdit>) -> Result<Vec<Recipient>, String> {
    let mut people = so_far.to_vec();
    for edit in edits {
        match edit {
            RecipientEdit::Add(new) => {
                check_address(&new)?;
                let new = Recipient { reason: one_line(&new.reason), ..new };
                match people.iter_mut().find(|known| known.email.eq_ignore_ascii_case(&new.email)) {
                    Some(known) => known.to |= new.to,
                    None => people.push(new),
                }
            }
            RecipientEdit::Remove(email, _) => people.retain(|known| !known.email.eq_ignore_ascii_case(&email)),
        }
    }
    Ok(people)
}

fn check_address(recipient: &Recipient) -> Result<(), String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c);
    let email = &recipient.email;
    match email.split_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() && !email.contains(odd) => {}
        _ => return Err(format!("{email:?} is no e-mail address")),
    }
    match &recipient.name {
        Some(name) if name.contains(char::is_control) => Err(format!("{name:?} is no name")),
        _ => Ok(()),
    }
}

/// Checks that there is one weight for each commit, and that each is a number of 0 or more that makes sense.
pub(super) fn check_weights(weights: Vec<f64>, commits: usize) -> Result<Vec<f64>, String> {
    if weights.len() != commits {
        return Err(format!("it gives {} weights for {commits} commits", weights.len()));
    }
    match weights.iter().find(|weight| !(0.0..=MOST_WEIGHT).contains(*weight)) {
        Some(weight) => Err(format!("it gives the weight {weight}, not one from 0 to {MOST_WEIGHT:e}")),
        None => Ok(weights),
    }
}

/// Checks that there is one reason for each commit.
pub(super) fn check_reasons(reasons: &[String], commits: usize) -> Result<Vec<String>, String> {
    if reasons.len() != commits {
        return Err(format!("it gives {} reasons for {commits} commits", reasons.len()));
    }
    Ok(reasons.iter().map(|reason| one_line(reason)).collect())
}

/// Checks that a credit's odds are above 0 and make sense.
pub(super) fn check_credit(odds: f64, reason: &str) -> Result<Credit, String> {
    if odds > 0.0 && odds <= MOST_ODDS {
        Ok(Credit { odds, reason: one_line(reason) })
    } else {
        Err(format!("it gives the odds {odds}, not such above 0 and up to {MOST_ODDS:e}"))
    }
}

fn chance(what: &str, value: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(format!("{what} is {value}, not between 0 and 1")) }
}

/// A text without line ends and other control characters.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
