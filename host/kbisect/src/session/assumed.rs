//! Assumptions as people state them: found in the repository, and held against one another before any work.

use std::collections::HashMap;

use kbisect_core::bisector::Assumption;
use kbisect_core::bisector::BadAssumption;
use kbisect_core::commit::CommitId;
use kbisect_core::policy::Verdict;

use super::state::State;
use crate::config::job::Expect;
use crate::config::job::Job;
use crate::config::job::TargetStage;
use crate::error::Error;
use crate::git::Repository;
use crate::record::event::Assumed;
use crate::record::event::Ends;

/// Why a commit that is assumed to be untestable is skipped.
const ASSUMED: &str = "assumed";

/// A verdict that somebody vouches for, and the commit as they name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assume {
    /// The commit: hash, tag, branch or title.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
}

impl Assume {
    /// Reads `good=COMMIT`, `bad=COMMIT` or `skip=COMMIT`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, name) = text.split_once('=').ok_or("write good=COMMIT, bad=COMMIT or skip=COMMIT")?;
        let verdict = match word {
            "good" => Verdict::Good,
            "bad" => Verdict::Bad,
            "skip" => Verdict::Skip(ASSUMED.to_owned()),
            _ => return Err(format!("`{word}` is no verdict: write good=, bad= or skip=")),
        };
        match name.trim() {
            "" => Err(format!("there is no commit behind `{word}=`")),
            name => Ok(Self { name: name.to_owned(), verdict }),
        }
    }
}

/// Finds the commits that are named, each once; two verdicts on one stay for the check.
pub(super) fn look_up(assume: &[Assume], repository: &Repository) -> Result<Vec<Assumed>, Error> {
    let mut assumed: Vec<Assumed> = Vec::new();
    let mut seen: HashMap<CommitId, &Verdict> = HashMap::new();
    for Assume { name, verdict } in assume {
        let commit = repository.resolve(name)?;
        if seen.insert(commit, verdict) != Some(verdict) {
            let assumption = Assumption { commit, verdict: verdict.clone() };
            assumed.push(Assumed { assumption, subject: repository.subject(&commit)? });
        }
    }
    Ok(assumed)
}

/// Sees that these can be assumed beside what is known, and that the run can do without what they spare it.
pub(super) fn check(assumed: &[Assumed], job: &Job, ends: &Ends, state: &State) -> Result<(), Error> {
    let assumptions: Vec<Assumption> = assumed.iter().map(|one| one.assumption.clone()).collect();
    state.bisector.check_assumptions(&assumptions).map_err(|error| refused(&error))?;
    let spares_start = assumptions.iter().any(|one| one.commit == ends.start);
    if spares_start && !knows_target(job, state) {
        return Err(Error::user(format!(
            "the start commit {} is assumed to be bad: without a trial there nothing says which crash is looked for",
            ends.start.short()
        ))
        .hint("name the crash in the job file: title = \"…\", or crash = \"console.txt\"")
        .hint("or leave the assumption out: the trials at the start commit show the crash"));
    }
    Ok(())
}

/// Whether the target is known without a trial at the start commit: it is stated, was seen, or every failure is one.
pub(super) fn knows_target(job: &Job, state: &State) -> bool {
    let stated = job.crash.is_some() || job.title.is_some();
    stated || state.routed || job.trial.expect == Expect::Exit || job.stage != TargetStage::Run
}

fn refused(error: &BadAssumption) -> Error {
    let refused = Error::user(error.to_string());
    match error {
        BadAssumption::Twice { .. } | BadAssumption::GoodContainsBad { .. } | BadAssumption::BadContainsFixed { .. } => {
            refused.hint("an assumption of an earlier command is taken back with: kbisect undo DIR COMMIT")
        }
        BadAssumption::UnknownCommit(_) | BadAssumption::Start(_) => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_with_their_commit() {
        let read = |text: &str| Assume::parse(text).map(|one| (one.verdict, one.name));
        assert_eq!(read("good=v6.1"), Ok((Verdict::Good, "v6.1".to_owned())));
        assert_eq!(read("skip= a title = b"), Ok((Verdict::Skip(ASSUMED.to_owned()), "a title = b".to_owned())));
        for wrong in ["good", "", "=v6.1", "fine=v6.1", "bad=", "bad= "] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
