//! A bisection one commit after the other, as `git bisect` and syzkaller do it, on the simulated clock. Owns no rule of its own: git
//! chooses, the flake policy judges.
//!
//! Nothing is built ahead and nothing verified. Both ends are known, so that syzkaller's walk through the releases is the test of
//! the good end.

use std::collections::HashMap;
use std::sync::Arc;

use super::history::History;
use super::lab::Lab;
use super::policy::FlakePolicy;
use super::policy::Situation;
use super::search::Ended;
use super::search::Stuck;
use super::search::infra;
use super::world::Shown;
use super::world::World;
use crate::bisector::Conclusion;
use crate::bisector::Kind;
use crate::bisector::Suspect;
use crate::commit::CommitId;
use crate::git_compat;
use crate::git_compat::Between;
use crate::git_compat::Next;
use crate::git_compat::Options;
use crate::graph::Node;
use crate::policy::Ask;
use crate::policy::Decision;
use crate::policy::Failure;
use crate::policy::Outcome;
use crate::policy::Past;
use crate::policy::Role;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;

/// Choices that are remembered: most runs share the first ones, which take longest.
const REMEMBERED: usize = 1 << 12;

/// Git's choices in one history, by the marks so far.
#[derive(Debug, Default)]
pub struct Choices {
    made: HashMap<Marks, Next>,
    /// What lay between the ends last, without what was skipped.
    between: Option<(Marks, Between)>,
}

/// The bad commit, the good ones and the skipped ones, as they came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Marks {
    bad: Node,
    good: Vec<Node>,
    skipped: Vec<Node>,
    ancestors_ok: bool,
}

impl Choices {
    fn next(&mut self, history: &History, marks: &Marks) -> Next {
        if let Some(next) = self.made.get(marks) {
            return next.clone();
        }
        let options = Options { ancestors_ok: marks.ancestors_ok, ..Options::default() };
        // Merge bases have been looked at, so that only the choice is left.
        if !marks.skipped.is_empty() && marks.ancestors_ok {
            let ends = Marks { bad: marks.bad, good: marks.good.clone(), skipped: Vec::new(), ancestors_ok: true };
            if self.between.as_ref().is_none_or(|(earlier, _)| *earlier != ends) {
                let between = Between::new(&history.graph, marks.bad, &marks.good, options);
                self.between = Some((ends, between));
            }
            if let Some((_, between)) = &self.between {
                return between.next(&history.graph, &history.graph.set(&marks.skipped));
            }
        }
        let next = git_compat::next(&history.graph, marks.bad, &marks.good, &marks.skipped, options).next;
        if self.made.len() < REMEMBERED {
            self.made.insert(marks.clone(), next.clone());
        }
        next
    }
}

/// Runs one bisection to its end; `ends` says whether the two ends are tested first.
///
/// # Errors
///
/// If the policy aborts it.
pub(super) fn run_serially(
    history: &History,
    world: &mut World,
    policy: &mut dyn FlakePolicy,
    lab: &Lab,
    ends: bool,
    choices: &mut Choices,
) -> Result<Ended, Stuck> {
    let mut run = Run {
        history,
        world,
        policy,
        lab,
        now: 0.0,
        history_of_tests: Arc::default(),
        tested: Vec::new(),
        trials: 0,
        builds: 0,
        sure: 1.0,
    };
    let conclusion = run.conclude(ends, choices)?;
    Ok(Ended {
        conclusion,
        trials: run.trials,
        tested: run.tested,
        builds: run.builds,
        minutes: run.now,
        not_monotone: false,
        credence: None,
    })
}

struct Run<'a> {
    history: &'a History,
    world: &'a mut World,
    policy: &'a mut dyn FlakePolicy,
    lab: &'a Lab,
    now: f64,
    history_of_tests: Arc<Vec<Past>>,
    tested: Vec<Node>,
    trials: u32,
    builds: u32,
    /// The product of the judgements' confidences inside the range.
    sure: f64,
}

impl Run<'_> {
    fn conclude(&mut self, ends: bool, choices: &mut Choices) -> Result<Conclusion, Stuck> {
        let (start, good) = (self.history.start, self.history.good);
        if ends {
            match self.test(start, Role::Start)? {
                Verdict::Bad => {}
                Verdict::Good | Verdict::Skip(_) => return Ok(Conclusion::NotReproduced),
            }
            match self.test(good, Role::Release)? {
                Verdict::Good => {}
                Verdict::Bad => return Ok(Conclusion::OldestStillBad { oldest: self.history.graph.id(good) }),
                Verdict::Skip(why) => return Ok(Conclusion::CannotSearch { why }),
            }
            // Only judgements inside the range count.
            self.sure = 1.0;
        }
        let mut marks = Marks { bad: start, good: vec![good], skipped: Vec::new(), ancestors_ok: false };
        loop {
            let (commit, role) = match choices.next(self.history, &marks) {
                Next::Test { commit, .. } => {
                    marks.ancestors_ok = true;
                    (commit, Role::Candidate)
                }
                Next::TestMergeBase(commit) => (commit, Role::MergeBase),
                Next::FirstBad(commit) => return Ok(Conclusion::Found { suspects: self.suspects(&[commit], self.sure) }),
                Next::OnlySkipped { possible, .. } => {
                    let suspects = self.suspects(&possible, 1.0 / possible.len() as f64);
                    let why = "only skipped commits are left to test".to_owned();
                    return Ok(Conclusion::Inconclusive { suspects, why, readings: Vec::new() });
                }
                Next::MergeBaseBad | Next::GoodAndBad => {
                    return Ok(Conclusion::CannotSearch { why: "good and bad do not fit together".to_owned() });
                }
            };
            match self.test(commit, role)? {
                Verdict::Good => marks.good.push(commit),
                Verdict::Bad => marks.bad = commit,
                Verdict::Skip(_) => marks.skipped.push(commit),
            }
        }
    }

    fn suspects(&self, commits: &[Node], probability: f64) -> Vec<Suspect> {
        commits.iter().map(|&commit| Suspect { commit: self.history.graph.id(commit), probability }).collect()
    }

    /// Builds a commit and runs its trials, as many at a time as there are machines, until the policy has concluded.
    fn test(&mut self, node: Node, role: Role) -> Result<Verdict, Stuck> {
        let commit = self.history.graph.id(node);
        self.tested.push(node);
        self.builds += 1;
        self.now += self.lab.build;
        let mut trials: Vec<Trial> = Vec::new();
        if !self.world.builds(node) {
            let failure = Failure { stage: Stage::Build, reason: "the build failed".to_owned() };
            trials.push(Trial { outcome: Outcome::Void(failure), exposure: 1.0 });
        }
        // What runs: when it ends, and how.
        let mut running: Vec<(f64, Outcome)> = Vec::new();
        loop {
            match self.judge(commit, role, &trials, running.len() as u32)? {
                Decision::Conclude(verdict) => {
                    let decision = Decision::Conclude(verdict.clone());
                    let past = Past::new(commit, role, &trials, Some(&decision));
                    Arc::make_mut(&mut self.history_of_tests).push(past);
                    return Ok(verdict);
                }
                Decision::Abort(why) => return Err(Stuck::Aborted(why)),
                Decision::Want(total) => {
                    let more = (total as usize).saturating_sub(trials.len() + running.len());
                    // Whatever was answered, there is progress.
                    let more = if running.is_empty() { more.max(1) } else { more };
                    for _ in 0..more.min(self.lab.machines - running.len()) {
                        let trial = self.draw(node, &mut running);
                        running.push(trial);
                    }
                }
            }
            let next = (0..running.len()).min_by(|&one, &other| running[one].0.total_cmp(&running[other].0));
            let (ends, outcome) = running.swap_remove(next.expect("one was just started, or is running"));
            self.now = ends;
            trials.push(Trial { outcome, exposure: 1.0 });
        }
    }

    fn draw(&mut self, node: Node, running: &mut [(f64, Outcome)]) -> (f64, Outcome) {
        self.trials += 1;
        if self.world.host_fails() {
            for running in running.iter_mut() {
                *running = (self.now, infra());
            }
        }
        let Shown { outcome, after } = self.world.trial(node, 1);
        let outcome = if after > self.lab.trial { Outcome::Clean } else { outcome };
        (self.now + self.lab.boot + after.min(self.lab.trial), outcome)
    }

    fn judge(&mut self, commit: CommitId, role: Role, trials: &[Trial], running: u32) -> Result<Decision, Stuck> {
        let situation = Situation {
            kind: Kind::Cause,
            start: self.history.graph.id(self.history.start),
            delta: 0.01,
            range: self.history.range.len(),
            rates: None,
            history: Arc::clone(&self.history_of_tests),
        };
        let ask = Ask { commit, role, trials: trials.to_vec(), running, proposed: 1 };
        let judgement = self.policy.judge(&ask, &situation);
        if let Decision::Conclude(_) = judgement.decision {
            self.sure *= judgement.confidence;
        }
        Ok(judgement.decision)
    }
}
