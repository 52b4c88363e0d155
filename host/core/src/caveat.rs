//! What must be said of a named commit beside its name, and what that makes of an answer. Who says it is a plugin's.

use serde::Deserialize;
use serde::Serialize;

use crate::bisector::Conclusion;
use crate::bisector::Suspect;
use crate::commit::CommitId;

/// A runner-up that is less likely is no neighbour worth naming.
const WORTH_NAMING: f64 = 0.005;

/// What kind of caveat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaveatKind {
    /// Nothing of the commit is in what is tested: it cannot be the cause.
    NotBuilt,
    /// It may only make an older bug show: it adds a check, a detector, or a default of the configuration.
    OnlyShows,
}

/// A caveat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caveat {
    /// Which kind.
    pub kind: CaveatKind,
    /// What the commit does, in one line: `it changes only documentation (Documentation/a.rst)`.
    pub reason: String,
}

/// The answer with its caveat. A commit from which nothing is built is never the sole answer: it stands among its `parents` and the
/// runners-up, with why no one of them is named.
pub fn qualified(conclusion: Conclusion, caveat: &Caveat, parents: &[CommitId]) -> Conclusion {
    let Conclusion::Found { suspects } = conclusion else { return conclusion };
    let (CaveatKind::NotBuilt, Some(named)) = (caveat.kind, suspects.first()) else { return Conclusion::Found { suspects } };
    let near = |suspect: &Suspect| parents.contains(&suspect.commit) || suspect.probability >= WORTH_NAMING;
    let mut left = vec![*named];
    left.extend(suspects[1..].iter().filter(|suspect| near(suspect)));
    let untold = parents.iter().filter(|parent| !suspects.iter().any(|suspect| suspect.commit == **parent));
    left.extend(untold.map(|parent| Suspect { commit: *parent, probability: 0.0 }));
    let why = format!(
        "the trials lead to {}, but {}: nothing of it is tested, so that something else changed there",
        named.commit.short(),
        caveat.reason
    );
    Conclusion::Inconclusive { suspects: left, why, readings: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(number: u8) -> CommitId {
        CommitId::from_bytes([number; 20])
    }

    fn found() -> Conclusion {
        let suspect = |number, probability| Suspect { commit: commit(number), probability };
        Conclusion::Found { suspects: vec![suspect(5, 0.97), suspect(6, 0.02), suspect(4, 0.003), suspect(7, 0.001)] }
    }

    #[test]
    fn what_is_not_built_stands_among_its_neighbours() {
        let caveat = Caveat { kind: CaveatKind::NotBuilt, reason: "it changes only documentation (a.rst)".to_owned() };
        let Conclusion::Inconclusive { suspects, why, .. } = qualified(found(), &caveat, &[commit(4), commit(3)]) else {
            panic!("it is named alone");
        };
        let left: Vec<CommitId> = suspects.iter().map(|suspect| suspect.commit).collect();
        assert_eq!(left, [commit(5), commit(6), commit(4), commit(3)]);
        assert_eq!(
            why,
            "the trials lead to 050505050505, but it changes only documentation (a.rst): nothing of it is tested, so that something else \
             changed there"
        );
    }

    #[test]
    fn other_answers_stand() {
        let shows = Caveat { kind: CaveatKind::OnlyShows, reason: String::new() };
        assert_eq!(qualified(found(), &shows, &[commit(4)]), found());
        let unbuilt = Caveat { kind: CaveatKind::NotBuilt, reason: String::new() };
        assert_eq!(qualified(Conclusion::NotReproduced, &unbuilt, &[]), Conclusion::NotReproduced);
    }
}
