//! How often the reproducer works, from what was tested so far.

use kbisect_sdk::Past;
use kbisect_sdk::Role;
use kbisect_sdk::Verdict;

/// What is taken for it where the start commit was not tested.
const UNKNOWN: f64 = 0.5;

/// Chance that a run at a bad commit crashes: the share of crashed runs at the start commit, lowered half the way to that of each bad
/// commit of the search where it is less. Source: `syzkaller-policy.md` §5.
#[must_use]
pub fn of(history: &[Past]) -> f64 {
    let share = |past: &Past| match past.clean + past.crashed {
        0 => None,
        valid => Some(f64::from(past.crashed) / f64::from(valid)),
    };
    let start = history.iter().find(|past| past.role == Role::Start).and_then(share).unwrap_or(UNKNOWN);
    let bad = history.iter().filter(|past| past.role == Role::Candidate && past.verdict == Some(Verdict::Bad)).filter_map(share);
    bad.fold(start, |chance, share| chance.min(f64::midpoint(chance, share)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(role: Role, crashed: u32, clean: u32, verdict: Verdict) -> Past {
        Past { commit: String::new(), role, clean, crashed, void: 1, verdict: Some(verdict) }
    }

    #[test]
    fn follows_the_start_commit_and_falls_with_the_search() {
        assert_eq!(of(&[]), UNKNOWN);
        let start = past(Role::Start, 15, 5, Verdict::Bad);
        assert_eq!(of(std::slice::from_ref(&start)), 0.75);
        let release = past(Role::Release, 2, 8, Verdict::Bad);
        let more = past(Role::Candidate, 10, 0, Verdict::Bad);
        let less = past(Role::Candidate, 5, 15, Verdict::Bad);
        let good = past(Role::Candidate, 0, 10, Verdict::Good);
        assert_eq!(of(&[start, release, more, less, good]), 0.5);
    }
}
