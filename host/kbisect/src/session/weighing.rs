//! How guilty commits look before any of them is tested: what a suspicion plugin is told, and what comes of its answer.
//!
//! Owns the facts that are gathered and how an answer is recorded. Which plugin is asked is `policy`'s, what weights are worth the
//! core's.

use std::collections::HashMap;

use kbisect_core::bisector::Stretch;
use kbisect_core::commit::CommitId;
use kbisect_core::prior;

use crate::git;
use crate::git::Repository;
use crate::plugin::answer::MOST_FILES;
use crate::policy::CommitFacts;
use crate::policy::Policies;
use crate::record::event::Event;

/// A commit whose weight is this many times the mean is said to look guilty.
const GUILTY: f64 = 2.0;

/// Of so many commits at most it is asked why they look guilty.
const MOST_REASONS: usize = 200;

/// What was made of the commits between the ends.
#[derive(Debug)]
pub(super) struct Weighed {
    /// Which commits.
    pub(super) stretch: Stretch,
    /// A weight for each, oldest first; none where the plugin failed.
    pub(super) weights: Option<Vec<f64>>,
    /// Why the guiltiest have theirs.
    pub(super) because: Vec<(CommitId, String)>,
    /// Why nobody was asked, where the facts could not be read.
    pub(super) trouble: Option<String>,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
}

/// Weights, and why the guiltiest commits have theirs.
type Answer = (Option<Vec<f64>>, Vec<(CommitId, String)>);

/// Asks the suspicion plugin about commits. Takes some seconds for all commits of a release.
pub(super) fn weigh(repository: &Repository, policies: &Policies, commits: &[CommitId]) -> Result<Answer, git::Error> {
    let facts = |id: &CommitId| -> Result<CommitFacts, git::Error> {
        Ok(CommitFacts { id: *id, subject: repository.subject(id)?, files: repository.own_changes(id, MOST_FILES)? })
    };
    let facts = commits.iter().map(facts).collect::<Result<Vec<_>, _>>()?;
    let Some(weights) = policies.weigh(&facts) else { return Ok((None, Vec::new())) };
    let because = because(policies, &facts, &weights);
    Ok((Some(weights), because))
}

/// Why the guiltiest commits have their weights, as far as the plugin says it.
fn because(policies: &Policies, facts: &[CommitFacts], weights: &[f64]) -> Vec<(CommitId, String)> {
    let usual = commonest(weights);
    let mut guiltiest: Vec<usize> = (0..facts.len()).filter(|&place| weights[place] > usual).collect();
    guiltiest.sort_by(|one, other| weights[*other].total_cmp(&weights[*one]));
    guiltiest.truncate(MOST_REASONS);
    if guiltiest.is_empty() {
        return Vec::new();
    }
    let asked: Vec<CommitFacts> = guiltiest.iter().map(|&place| facts[place].clone()).collect();
    let told = asked.iter().map(|facts| facts.id).zip(policies.because(&asked).unwrap_or_default());
    told.filter(|(_, reason)| !reason.is_empty()).collect()
}

/// The answer as it is recorded: of all weights the commonest, and the commits that have another. Where there is no answer, no commit
/// looks guiltier than another.
pub(super) fn event(weighed: Weighed, commits: &[CommitId], plugin: &str, share: f64) -> Event {
    let Weighed { stretch, weights, because, seconds, .. } = weighed;
    let weights = weights.unwrap_or_else(|| vec![1.0; commits.len()]);
    let usual = commonest(&weights);
    let relative = prior::relative(&weights);
    Event::Weighed {
        plugin: plugin.to_owned(),
        stretch,
        commits: commits.len(),
        guilty: relative.iter().filter(|&&relative| relative >= GUILTY).count(),
        bits: prior::bits(&prior::mixed(&relative, share)),
        share,
        usual,
        weights: commits.iter().copied().zip(weights).filter(|&(_, weight)| weight != usual).collect(),
        because,
        seconds,
    }
}

/// The weight that most commits have.
fn commonest(weights: &[f64]) -> f64 {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for weight in weights {
        *counts.entry(weight.to_bits()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|&(bits, count)| (count, bits));
    most.map_or(1.0, |(bits, _)| f64::from_bits(bits))
}

/// The weights that were recorded, one for each of these commits.
pub(super) fn recorded(commits: &[CommitId], usual: f64, others: &[(CommitId, f64)]) -> Vec<f64> {
    let others: HashMap<CommitId, f64> = others.iter().copied().collect();
    commits.iter().map(|commit| others.get(commit).copied().unwrap_or(usual)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commit(number: usize) -> CommitId {
        format!("{number:040x}").parse().expect("40 digits")
    }

    proptest! {
        #[test]
        fn what_is_recorded_gives_the_weights_back(picks in proptest::collection::vec(0_usize..4, 0..40), failed in any::<bool>()) {
            let commits: Vec<CommitId> = (0..picks.len()).map(commit).collect();
            let weights: Vec<f64> = picks.iter().map(|&pick| [0.1 + 0.2, 1e-4, 60.0, 0.0][pick]).collect();
            let stretch = Stretch { newest: commit(99), oldest: vec![commit(98)] };
            let answer = (!failed).then(|| weights.clone());
            let event = event(Weighed { stretch, weights: answer, because: Vec::new(), trouble: None, seconds: 1.0 }, &commits, "p", 0.7);
            let text = serde_json::to_string(&event).expect("an event is JSON");
            let Event::Weighed { usual, weights: others, bits, .. } = serde_json::from_str(&text).expect("and back") else {
                return Err(TestCaseError::fail("another event"));
            };
            let found = recorded(&commits, usual, &others);
            prop_assert_eq!(&found, if failed { &vec![1.0; commits.len()] } else { &weights });
            prop_assert!(bits >= 0.0);
        }
    }
}
