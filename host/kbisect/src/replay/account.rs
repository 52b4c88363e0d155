//! What a replay comes to: the log's answer, what the new verdicts leave of it, and how sure its name is.

use std::collections::HashMap;

use kbisect_core::bisector::Action;
use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Plan;
use kbisect_core::bisector::Suspect;
use kbisect_core::commit::CommitId;
use kbisect_core::credence::Credence;

use super::Rejudged;
use super::Replay;
use crate::credence;
use crate::error::Error;
use crate::gitlog::Mark;
use crate::policy::Policies;
use crate::syzbot::Answer;
use crate::syzbot::Found;
use crate::syzbot::Left;
use crate::syzbot::Line;
use crate::syzbot::Log;

/// A replayed log, ready to be told.
#[derive(Debug)]
pub struct Account<'a> {
    /// The log.
    pub log: &'a Log,
    /// It, judged anew.
    pub replay: &'a Replay,
    /// The log's answer.
    pub answer: Answer,
    /// What the new verdicts leave.
    pub left: Left,
    /// How sure the log's name is; none where it names no commit.
    pub credence: Option<Credence>,
    /// Where a search over the repository's history stands; none without one.
    pub standing: Option<Standing>,
    /// First lines of messages, as far as they are known.
    pub subjects: HashMap<CommitId, String>,
}

/// Where a search stands that has the log's trials as evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Commits between the ends.
    pub range: Option<usize>,
    /// The likeliest, best first.
    pub suspects: Vec<Suspect>,
    /// What it would test next, or its end.
    pub next: Next,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A test of this commit.
    Test(CommitId),
    /// Nothing: the answer.
    Done(Conclusion),
    /// The ends leave nothing to search.
    Nothing,
}

impl<'a> Account<'a> {
    /// Works out what follows. `search`: the replay is on a repository's history rather than on the log's own line.
    ///
    /// # Errors
    ///
    /// When the bundled classifier fails.
    pub fn new(policies: &Policies, log: &'a Log, replay: &'a Replay, search: bool) -> Result<Self, Error> {
        let answer = log.answer();
        let commits = log.commits();
        let line = Line::of(log, &commits);
        let left = line.left(|commit| replay.mark(log.kind, commit));
        let subjects = log.subjects();
        let mut credence = None;
        if let Found::One { commit, .. } = &answer.found {
            credence = credence::of_log(policies, log, replay.boundary(commit))?;
        }
        let standing = search.then(|| replay.standing());
        Ok(Self { log, replay, answer, left, credence, standing, subjects })
    }

    /// The first line of a commit's message, where it is known.
    pub fn subject(&self, commit: &CommitId) -> &str {
        self.subjects.get(commit).map_or("", String::as_str)
    }

    /// Why the answer now is what it is, in one line; nothing where all verdicts stand.
    pub fn reason(&self) -> Option<String> {
        let one = self.replay.diverged()?;
        let (then, now) = (one.tested.verdict?, one.now()?);
        let commit = one.tested.commit.short();
        let way = match (&self.left, then) {
            (Left::One(left), _) => format!(", and no other commit is left than {}", left.short()),
            _ => ": git would have gone another way there".to_owned(),
        };
        Some(format!("{commit} was {then} then and is {now} now{way}; {}", why(one)))
    }
}

/// What a verdict goes by: the crashes that do not count, or the policy's words.
fn why(one: &Rejudged) -> String {
    match one.seen.iter().find(|seen| seen.same < kbisect_core::policy::RATHER) {
        Some(seen) => {
            let [hit, clean, ..] = one.tally();
            format!("its trials: {hit} with the target, {clean} clean, {} with `{}`, {}", seen.trials, seen.title, seen.reason)
        }
        None => one.judgement.reason.clone(),
    }
}

impl Replay {
    /// Probability that the crash begins to show at a commit.
    pub fn boundary(&self, commit: &CommitId) -> f64 {
        self.bisector.as_ref().map_or(0.0, |bisector| {
            let suspects = bisector.summary().suspects;
            suspects.iter().find(|suspect| suspect.commit == *commit).map_or(0.0, |suspect| suspect.probability)
        })
    }

    fn standing(&self) -> Standing {
        let Some(bisector) = &self.bisector else {
            return Standing { range: None, suspects: Vec::new(), next: Next::Nothing };
        };
        let summary = bisector.summary();
        let next = match bisector.plan(&[]) {
            Plan::Done(conclusion) => Next::Done(conclusion),
            Plan::Do(actions) => actions
                .iter()
                .find_map(|action| match action {
                    Action::Try { commit, .. } => Some(Next::Test(*commit)),
                    Action::Build(_) => None,
                })
                .unwrap_or(Next::Nothing),
        };
        Standing { range: summary.range, suspects: summary.suspects, next }
    }
}

/// How a mark reads.
pub(super) fn word(mark: Option<Mark>) -> String {
    mark.map_or("open".to_owned(), |mark| mark.to_string())
}
