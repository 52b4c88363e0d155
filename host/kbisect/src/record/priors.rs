//! What the prior from the crash gave to commits, for people.

use kbisect_core::commit::CommitId;
use kbisect_core::prior;
use serde::Deserialize;
use serde::Serialize;

use super::event::Entry;
use super::event::Event;

/// What a suspicion plugin gave to a commit before any trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// The commit.
    pub commit: CommitId,
    /// Which plugin.
    pub plugin: String,
    /// How many times the mean weight of the commits in question it gave.
    pub times: f64,
    /// Why, in one line, where the plugin says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What the last weighing gave to commits of its stretch; nothing where no plugin told any of them from the others.
pub fn priors(entries: &[Entry], commits: impl IntoIterator<Item = CommitId>) -> Vec<Prior> {
    let last = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Weighed { plugin, commits, usual, weights, because, .. } => Some((plugin, *commits, *usual, weights, because)),
        _ => None,
    });
    let Some((plugin, all, usual, weights, because)) = last.filter(|(_, _, _, weights, _)| !weights.is_empty()) else {
        return Vec::new();
    };
    // As the search has it: the usual weight stands once for all commits that have it.
    let mut every: Vec<f64> = vec![usual; all.saturating_sub(weights.len())];
    every.extend(weights.iter().map(|(_, weight)| *weight));
    let relative = prior::relative(&every);
    let others = &relative[relative.len() - weights.len()..];
    let times = |commit: &CommitId| {
        let own = weights.iter().position(|(weighed, _)| weighed == commit);
        own.map_or_else(|| relative.first().copied().unwrap_or(1.0), |place| others[place])
    };
    let reason = |commit: &CommitId| because.iter().find(|(told, _)| told == commit).map(|(_, reason)| reason.clone());
    let told = |commit| Prior { times: times(&commit), reason: reason(&commit), plugin: plugin.clone(), commit };
    commits.into_iter().map(told).collect()
}

impl Prior {
    /// In words: `stack-prior gave it 31 times the average weight: it touches fs/pipe.c, which the crash blames`.
    pub fn told(&self) -> String {
        let times = match self.times {
            times if times >= 10.0 => format!("{times:.0} times"),
            times if times >= 0.1 => format!("{times:.1} times"),
            times if times >= 0.001 => format!("{times:.3} times"),
            _ => "less than a thousandth of".to_owned(),
        };
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!("{} gave it {times} the average weight{reason}", self.plugin)
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::bisector::Stretch;

    use super::*;

    fn commit(number: u8) -> CommitId {
        CommitId::from_bytes([number; 20])
    }

    #[test]
    fn weights_are_told_over_their_mean() {
        let weighed = |weights: &[(u8, f64)], usual: f64| Entry {
            seq: 1,
            time: jiff::Timestamp::UNIX_EPOCH,
            event: Event::Weighed {
                plugin: "p".to_owned(),
                stretch: Stretch { newest: commit(9), oldest: vec![commit(1)] },
                commits: 10,
                guilty: 1,
                bits: 1.0,
                share: 0.7,
                usual,
                weights: weights.iter().map(|&(number, weight)| (commit(number), weight)).collect(),
                because: vec![(commit(2), "it touches a.c".to_owned())],
                seconds: 0.0,
            },
        };
        let told =
            |entries: &[Entry]| -> Vec<String> { priors(entries, [2, 3, 4].map(commit)).iter().map(Prior::told).collect() };
        // 10 commits: 31, 0.0001, and eight of 1.
        insta::assert_snapshot!(told(&[weighed(&[(2, 31.0), (3, 1e-4)], 1.0)]).join("\n"), @"
        p gave it 7.9 times the average weight: it touches a.c
        p gave it less than a thousandth of the average weight
        p gave it 0.3 times the average weight
        ");
        assert_eq!(told(&[weighed(&[(2, 3.0)], 1.0), weighed(&[], 1.0)]), [] as [String; 0]);
        assert_eq!(told(&[]), [] as [String; 0]);
    }
}
