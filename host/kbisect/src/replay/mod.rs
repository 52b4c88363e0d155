//! What today's plugins make of a bisection that is over: every recorded trial is judged anew.
//!
//! Owns the re-judging of syzbot's logs: trials by the classifiers, commits by the flake policy, which is asked after every trial
//! in the recorded order until it concludes. What history there is between the tested commits is the caller's to say: a
//! repository's, or the [`Line`] that the log itself tells. Prints nothing; reads no files.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use kbisect_core::bisector::Bisector;
use kbisect_core::bisector::Ends;
use kbisect_core::bisector::Evidence;
use kbisect_core::bisector::Judged;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Settings;
use kbisect_core::bisector::Strategy;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::Face;
use kbisect_core::graph::Graph;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Trial;
use kbisect_core::policy::Verdict;

use crate::config;
use crate::error::Error;
use crate::gitlog::Mark;
use crate::policy::Policies;
use crate::policy::state::Situation;
use crate::syzbot::Line;
use crate::syzbot::Log;
use crate::syzbot::Place;
use crate::syzbot::Tested;

mod account;
mod json;
mod lean;
mod record;
mod text;
mod trials;

pub use account::Account;
pub use account::Next;
pub use account::Standing;
pub use json::json;
pub use text::in_brief;
pub use text::text;
pub use trials::Seen;

/// Void trials of one stage, and no other, after which the host gives a commit up.
const VOIDS: usize = 3;

/// The history that a log is replayed on.
#[derive(Debug, Clone)]
pub struct History {
    /// The commits.
    pub graph: Arc<Graph>,
    /// The ends of the search.
    pub ends: Ends,
}

impl History {
    /// The line that a log tells of its own.
    pub fn of_log(log: &Log) -> Self {
        let commits = log.commits();
        let line = Line::of(log, &commits);
        Self { graph: Arc::new(line.graph()), ends: line.ends(log, &commits) }
    }
}

/// A log judged anew.
#[derive(Debug)]
pub struct Replay {
    /// The target's faces, most frequent first; none where the start commit did not crash.
    pub faces: Vec<Face>,
    /// The commits in the order of their first test.
    pub commits: Vec<Rejudged>,
    /// The search, with every recorded trial as evidence; none where the ends leave nothing to search.
    pub bisector: Option<Bisector>,
}

/// A tested commit, judged anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejudged {
    /// What the log says of it.
    pub tested: Tested,
    /// Its runs as trials.
    pub trials: Vec<Trial>,
    /// What its crashes are taken for.
    pub seen: Vec<Seen>,
    /// How many of the trials the policy needed: all where it did not conclude.
    pub needed: usize,
    /// Which policy answered last.
    pub policy: String,
    /// Its last answer.
    pub judgement: Judgement,
    /// The verdict: the policy's on all recorded trials, or a skip where the host gave up, else what the trials lean to; none where
    /// they say nothing.
    pub verdict: Option<Verdict>,
    /// Probability that the commit has the bug, by all trials of all commits; none for a commit off the line.
    pub bad: Option<f64>,
}

impl Rejudged {
    /// The verdict as a mark: `Bad` is a commit with the crash.
    pub fn now(&self) -> Option<Mark> {
        self.verdict.as_ref().map(Mark::of)
    }

    /// Whether the verdict is another than the log's.
    pub fn differs(&self) -> bool {
        matches!((self.tested.verdict, self.now()), (Some(then), Some(now)) if then != now)
    }

    /// Trials that crashed with the target, that were clean, that say nothing, and that crashed with something else.
    pub fn tally(&self) -> [usize; 4] {
        let mut tally = [0; 4];
        for trial in &self.trials {
            tally[match &trial.outcome {
                Outcome::Crashed(sighting) if sighting.is_target() => 0,
                Outcome::Clean => 1,
                Outcome::Void(_) => 2,
                Outcome::Crashed(_) => 3,
            }] += 1;
        }
        // A build that failed is no trial that the log made.
        if self.tested.runs.is_empty() {
            tally[2] = 0;
        }
        tally
    }
}

impl Replay {
    /// Trials that the log made.
    pub fn recorded(&self) -> usize {
        self.commits.iter().map(|commit| commit.tested.runs.len()).sum()
    }

    /// Trials of these that the policy needed.
    pub fn needed(&self) -> usize {
        self.commits.iter().map(|commit| commit.needed).sum()
    }

    /// The first commit with another verdict than the log's: from there on git would have gone another way.
    pub fn diverged(&self) -> Option<&Rejudged> {
        self.commits.iter().find(|commit| commit.differs())
    }

    /// The new verdict on a commit, in git's words.
    pub fn mark(&self, kind: Kind, commit: &CommitId) -> Option<Mark> {
        let now = self.commits.iter().find(|one| one.tested.commit == *commit)?.now()?;
        Some(now.turned(kind))
    }
}

/// Judges a log anew. `faces` are what is known of the target beside the log.
///
/// # Errors
///
/// When the bundled classifier fails.
pub fn replay(log: &Log, policies: &Policies, history: &History, strategy: Strategy, faces: Vec<Face>) -> Result<Replay, Error> {
    let commits = log.commits();
    let mut target = match commits.first() {
        Some(start) => trials::faces(policies, start, log.answer().crash.as_ref())?,
        None => Vec::new(),
    };
    target.extend(faces);
    let mut reader = trials::Reader::new(policies, target.clone());
    let settings = Settings { strategy, delta: config::DELTA, trust_good: false, single_trials: false };
    let search = || Bisector::new(Arc::clone(&history.graph), history.ends.clone(), settings).ok();
    let mut bench = Bench { policies, history, faces: &target, run: search(), next: 0 };
    let mut whole = search();
    let mut number = 0;
    let mut rejudged = Vec::new();
    for tested in commits {
        let (trials, seen) = reader.read(&tested)?;
        let role = role(&tested.place);
        let (needed, policy, early, concluded) = bench.judge(&tested, role, &trials);
        let (judgement, concluded) = match concluded {
            // With more trials than it asked for the policy may see it otherwise.
            Some(verdict) if needed < trials.len() && !matches!(verdict, Verdict::Skip(_)) => {
                let ask = Ask { commit: tested.commit, role, trials: trials.clone(), running: 0, proposed: 1 };
                let (_, judgement) = policies.judge(&ask);
                let verdict = match &judgement.decision {
                    Decision::Conclude(verdict) => Some(verdict.clone()),
                    Decision::Want(_) | Decision::Abort(_) => None,
                };
                (judgement, verdict)
            }
            concluded => (early, concluded),
        };
        let verdict = lean::lean(concluded, &trials, &seen);
        if let Some(bisector) = &mut whole {
            for trial in &trials {
                number += 1;
                bisector.record(evidence(number, tested.commit, role, trial));
            }
            let trials = trials.len() as u32;
            bisector.judge(Judged { commit: tested.commit, trials, judgement: with(&judgement, verdict.as_ref()) });
        }
        let needed = needed.min(tested.runs.len());
        rejudged.push(Rejudged { tested, trials, seen, needed, policy, judgement, verdict, bad: None });
    }
    if let Some(bisector) = &whole {
        let chances: HashMap<CommitId, f64> = bisector.summary().tested.iter().map(|one| (one.commit, one.bad)).collect();
        for one in &mut rejudged {
            one.bad = chances.get(&one.tested.commit).copied();
        }
    }
    Ok(Replay { faces: target, commits: rejudged, bisector: whole })
}

/// The run that the policy would have had: it sees the trials that it asked for, and what followed from them.
struct Bench<'a> {
    policies: &'a Policies,
    history: &'a History,
    faces: &'a [Face],
    run: Option<Bisector>,
    next: u64,
}

impl Bench<'_> {
    /// Asks the policy after every trial until it concludes. Gives how many trials it saw, who answered last and what, and the
    /// verdict.
    fn judge(&mut self, tested: &Tested, role: Role, trials: &[Trial]) -> (usize, String, Judgement, Option<Verdict>) {
        self.tell();
        let commit = tested.commit;
        let mut needed = 0;
        let (policy, judgement, verdict) = loop {
            let seen = trials[..needed].to_vec();
            let ask = Ask { commit, role, trials: seen, running: 0, proposed: 1 };
            let (policy, judgement) = self.policies.judge(&ask);
            let verdict = match &judgement.decision {
                Decision::Conclude(verdict) => Some(verdict.clone()),
                Decision::Abort(_) => break (policy, judgement, None),
                // Where a later trial says something, the host would have gone on, too, with better luck.
                Decision::Want(_) => given_up(trials).filter(|_| needed >= VOIDS),
            };
            if verdict.is_some() || needed == trials.len() {
                break (policy, judgement, verdict);
            }
            needed += 1;
        };
        if let Some(bisector) = &mut self.run {
            for trial in &trials[..needed] {
                self.next += 1;
                bisector.record(evidence(self.next, commit, role, trial));
            }
            let judgement = with(&judgement, verdict.as_ref());
            bisector.judge(Judged { commit, trials: needed as u32, judgement });
        }
        (needed, policy, judgement, verdict)
    }

    /// Tells the plugins where the run stands.
    fn tell(&self) {
        let ends = &self.history.ends;
        let newest = if ends.kind == Kind::Cause { Some(ends.start) } else { ends.good.first().copied() };
        let situation = Situation {
            kind: ends.kind,
            start: ends.start,
            newest: newest.unwrap_or(ends.start),
            delta: config::DELTA,
            arch: None,
        };
        let state = match &self.run {
            Some(bisector) => situation.state(self.faces.to_vec(), bisector.summary()),
            None => situation.at_first(self.faces.to_vec()),
        };
        self.policies.set_state(state);
    }
}

fn evidence(number: u64, commit: CommitId, role: Role, trial: &Trial) -> Evidence {
    Evidence { number: TrialNumber(number), commit, role, build: 1, trial: trial.clone() }
}

/// The judgement with what the host decided in its stead.
fn with(judgement: &Judgement, verdict: Option<&Verdict>) -> Judgement {
    match verdict {
        Some(verdict) => Judgement { decision: Decision::Conclude(verdict.clone()), ..judgement.clone() },
        None => judgement.clone(),
    }
}

/// The host's own cap: trials that are all void for one reason, for which the commit is to blame.
fn given_up(trials: &[Trial]) -> Option<Verdict> {
    let mut stages: BTreeMap<Stage, usize> = BTreeMap::new();
    for trial in trials {
        let Outcome::Void(failure) = &trial.outcome else { return None };
        *stages.entry(failure.stage).or_default() += 1;
    }
    let often = stages.into_iter().find(|(stage, voids)| *stage != Stage::Infra && *voids >= VOIDS);
    often.map(|(_, voids)| Verdict::Skip(format!("{voids} trials say nothing, and no other says more")))
}

/// Why a run of kbisect would test the commit.
fn role(place: &Place) -> Role {
    match place {
        Place::Start => Role::Start,
        Place::Release(_) => Role::Release,
        Place::Head => Role::GoodEnd,
        Place::MergeBase => Role::MergeBase,
        Place::Config => Role::BaselineConfig,
        Place::Step | Place::Parent => Role::Candidate,
    }
}

#[cfg(test)]
mod tests;
