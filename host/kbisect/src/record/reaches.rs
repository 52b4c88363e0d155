//! How far the reproducer got, commit by commit, as data and as text: a fold over events, beside the start commit.

use kbisect_core::commit::CommitId;
use kbisect_core::reach;
use kbisect_core::reach::Compared;
use kbisect_core::reach::Reach;
use kbisect_core::reach::Reached;
use serde::Deserialize;
use serde::Serialize;

use super::event::Entry;
use super::event::Event;

/// Names that are listed; more are counted.
const NAMED: usize = 4;

/// How far the reproducer got at a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReachedAt {
    /// The commit.
    pub commit: CommitId,
    /// The start commit: the others are compared with it. Of itself it says whether that can be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_start: bool,
    /// The start commit, as text.
    pub beside: String,
    /// What was found.
    #[serde(flatten)]
    pub compared: Compared,
    /// How long looking took, in seconds.
    pub seconds: f64,
}

impl ReachedAt {
    /// Whether a clean trial there says nothing of whether the bug is there.
    pub fn is_not_exercised(&self) -> bool {
        self.compared.reached == Reached::No
    }

    /// Whether people need to know: what is compared with tells only where nothing can be.
    pub fn is_worth_telling(&self) -> bool {
        !self.is_start || self.compared.reached != Reached::Yes
    }

    /// What was found, in one line.
    pub fn told(&self) -> String {
        let Compared { reached, ran, quiet, refused, lost, unknown, .. } = &self.compared;
        let mut parts: Vec<String> = Vec::new();
        if !quiet.is_empty() {
            let but = if ran.is_empty() {
                String::new()
            } else {
                format!(" ({} {})", listed(ran), if ran.len() == 1 { "does" } else { "do" })
            };
            parts.push(format!("{} {} not run here{but}", listed(quiet), if quiet.len() == 1 { "does" } else { "do" }));
        } else if !ran.is_empty() && !self.is_start {
            parts.push(format!("{} {} here, too", listed(ran), if ran.len() == 1 { "runs" } else { "run" }));
        }
        for one in refused.iter().take(NAMED) {
            parts.push(format!("{} → {} here, {} at {}", one.call, one.error, one.succeeded, self.beside));
        }
        if refused.len() > NAMED {
            parts.push(format!("and {} more calls", refused.len() - NAMED));
        }
        if !lost.is_empty() {
            parts.push(format!("the configuration lacks {}", listed(lost)));
        }
        if *reached == Reached::Unknown {
            parts.extend(unknown.iter().cloned());
        }
        let word = match reached {
            Reached::No => "not exercised",
            Reached::Yes => "exercised",
            Reached::Unknown => "not known how far the reproducer gets",
        };
        if parts.is_empty() { word.to_owned() } else { format!("{word}: {}", parts.join("; ")) }
    }
}

fn listed(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    names[..names.len().min(NAMED)].join(", ") + &more
}

/// A fold over events.
#[derive(Debug, Default)]
pub struct Reaches {
    start: Option<(CommitId, Reach)>,
    at: Vec<ReachedAt>,
}

impl Reaches {
    /// Of a whole run.
    pub fn of(entries: &[Entry]) -> Self {
        let mut reaches = Self::default();
        for entry in entries {
            reaches.take(&entry.event);
        }
        reaches
    }

    /// Takes in an event; what it tells of a commit.
    pub fn take(&mut self, event: &Event) -> Option<&ReachedAt> {
        let Event::Reached { commit, found, seconds } = event else { return None };
        let (start, baseline) = self.start.get_or_insert_with(|| (*commit, found.clone()));
        let is_start = start == commit;
        let at = ReachedAt {
            commit: *commit,
            is_start,
            beside: start.short(),
            compared: reach::compare(found, baseline),
            seconds: *seconds,
        };
        self.at.retain(|one| one.commit != *commit);
        self.at.push(at);
        self.at.last()
    }

    /// What is known, in the order in which it was looked.
    pub fn into_list(self) -> Vec<ReachedAt> {
        self.at
    }
}

/// Whether clean trials at a commit say nothing of whether the bug is there.
pub fn is_not_exercised(at: &[ReachedAt], commit: &CommitId) -> bool {
    at.iter().any(|one| one.commit == *commit && one.is_not_exercised())
}

#[cfg(test)]
mod tests {
    use kbisect_core::reach::Call;
    use kbisect_core::reach::Function;
    use kbisect_core::reach::Watched;

    use super::*;

    fn found(functions: &[(&str, Watched)], calls: &[(&str, Option<&str>, u64)]) -> Reach {
        Reach {
            functions: functions.iter().map(|&(name, watched)| Function { name: name.to_owned(), watched }).collect(),
            calls: calls
                .iter()
                .map(|&(call, error, count)| Call { call: call.to_owned(), error: error.map(str::to_owned), count })
                .collect(),
            ..Reach::default()
        }
    }

    fn told(reaches: &mut Reaches, number: u8, found: Reach) -> String {
        let event = Event::Reached { commit: CommitId::from_bytes([number; 20]), found, seconds: 1.0 };
        reaches.take(&event).expect("it is told").told()
    }

    #[test]
    fn what_was_reached_is_told_in_a_line() {
        use Watched::Absent;
        use Watched::Quiet;
        use Watched::Ran;
        let mut reaches = Reaches::default();
        let start = found(&[("f", Ran), ("g", Ran), ("h", Ran)], &[("socket(AF_ALG)", None, 3)]);
        assert_eq!(told(&mut reaches, 1, start), "exercised");
        let lines = [
            told(
                &mut reaches,
                2,
                found(&[("f", Quiet), ("g", Quiet), ("h", Ran)], &[("socket(AF_ALG)", Some("EAFNOSUPPORT"), 3)]),
            ),
            told(&mut reaches, 3, found(&[("f", Absent), ("g", Ran), ("h", Ran)], &[])),
            told(
                &mut reaches,
                4,
                Reach {
                    functions_unknown: Some("its vmlinux has no symbols".to_owned()),
                    calls_unknown: Some("it uses ptrace itself".to_owned()),
                    lost: vec!["KASAN".to_owned()],
                    ..Reach::default()
                },
            ),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        not exercised: f, g do not run here (h does); socket(AF_ALG) → EAFNOSUPPORT here, 3 at 010101010101
        exercised: g, h run here, too
        not known how far the reproducer gets: the configuration lacks KASAN; functions: its vmlinux has no symbols; system calls: it uses ptrace itself
        ");
        let list = reaches.into_list();
        let verdicts: Vec<bool> = (1..5).map(|number| is_not_exercised(&list, &CommitId::from_bytes([number; 20]))).collect();
        assert_eq!(verdicts, [false, true, false, false]);
        assert_eq!(list.iter().map(ReachedAt::is_worth_telling).collect::<Vec<_>>(), [false, true, true, true]);
        let json = serde_json::to_string(&list[1]).expect("it is JSON");
        assert_eq!(serde_json::from_str::<ReachedAt>(&json).expect("it is read again"), list[1]);
    }
}
