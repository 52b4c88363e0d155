//! Reads the bisection logs that syzbot publishes: which commits were tested, and what each run showed.
//!
//! Owns nothing of how kbisect writes such logs (that is `syzlog`'s). Source of the format: `syzkaller-policy.md` §13. Lines that say
//! nothing of runs or marks are passed over, since their wording changed over the years.

use kbisect_core::commit::CommitId;

/// How many runs `all runs: …` stands for: the log does not say; ten were made at most commits.
pub const ALL_RUNS: usize = 10;

/// A commit that was tested, all its tests together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The commit.
    pub commit: CommitId,
    /// The release whose commit this is, as the log names it.
    pub release: Option<String>,
    /// What each run showed.
    pub runs: Vec<Run>,
    /// What git was told, where it was.
    pub mark: Option<Mark>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// Nothing happened.
    Ok,
    /// A crash with this title.
    Crashed(String),
    /// Nothing can be said, and why.
    Void(String),
}

/// What git was told of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It has no bug.
    Good,
    /// It has the bug.
    Bad,
    /// It cannot be tested.
    Skip,
}

/// The commits of a log in the order of their first test. Of a log of something else, none.
pub fn read(log: &str) -> Vec<Tested> {
    let mut tested: Vec<Tested> = Vec::new();
    let mut current: Option<usize> = None;
    let mut release: Option<String> = None;
    for line in log.lines() {
        if let Some(name) = line.strip_prefix("testing release ") {
            release = Some(name.trim().to_owned());
        } else if let Some(rest) = line.strip_prefix("testing commit ") {
            let Some(commit) = first_word(rest) else { continue };
            let known = tested.iter().position(|one| one.commit == commit);
            current = Some(known.unwrap_or(tested.len()));
            if known.is_none() {
                tested.push(Tested { commit, release: release.take(), runs: Vec::new(), mark: None });
            }
            release = None;
        } else if let Some((count, what)) = run(line) {
            if let Some(one) = current.and_then(|at| tested.get_mut(at)) {
                one.runs.extend(std::iter::repeat_n(what, count));
            }
        } else if let Some(rest) = line.strip_prefix("# git bisect ") {
            for (commit, mark) in marks(rest) {
                if let Some(one) = tested.iter_mut().find(|one| one.commit == commit) {
                    one.mark = Some(mark);
                }
            }
        }
    }
    tested
}

fn first_word(text: &str) -> Option<CommitId> {
    text.split_whitespace().next()?.parse().ok()
}

/// How many runs a line speaks of, and what they showed.
fn run(line: &str) -> Option<(usize, Run)> {
    let (count, said) = match line.strip_prefix("all runs: ") {
        Some(said) => (ALL_RUNS, said),
        None => {
            let (number, said) = line.strip_prefix("run #")?.split_once(": ")?;
            number.parse::<u32>().ok()?;
            (1, said)
        }
    };
    Some((
        count,
        match said.strip_prefix("crashed: ") {
            Some(title) => Run::Crashed(title.trim().to_owned()),
            None if said == "OK" => Run::Ok,
            None => Run::Void(said.to_owned()),
        },
    ))
}

fn marks(rest: &str) -> Vec<(CommitId, Mark)> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let said: Vec<(&str, Mark)> = match words[..] {
        ["start", bad, good, ..] => vec![(bad, Mark::Bad), (good, Mark::Good)],
        ["good", commit, ..] => vec![(commit, Mark::Good)],
        ["bad", commit, ..] => vec![(commit, Mark::Bad)],
        ["skip", commit, ..] => vec![(commit, Mark::Skip)],
        _ => Vec::new(),
    };
    said.into_iter().filter_map(|(commit, mark)| Some((commit.parse().ok()?, mark))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_have_their_runs_and_marks() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let log = format!(
            "bisecting cause commit starting from {a}\nbuilding syzkaller on {b}\ntesting commit {a} with gcc (GCC) 8.1.0\n\
             kernel signature: 77\nall runs: crashed: WARNING in x\ntesting release v5.4\ntesting commit {b} with gcc (GCC) 8.1.0\n\
             run #0: OK\nrun #1: boot failed: can't ssh into the instance\nrun #2: crashed: BUG: y\n\
             # git bisect start {a} {b}\nBisecting: 7 revisions left to test after this (roughly 3 steps)\n[{c}] Title\n\
             testing commit {c}\nrun #0: OK\n# git bisect skip {c}\ntesting commit {b} again\nrun #0: OK\n"
        );
        let id = |text: &str| text.parse::<CommitId>().expect("forty digits");
        let tested = |commit: &str, release: Option<&str>, runs, mark| Tested {
            commit: id(commit),
            release: release.map(str::to_owned),
            runs,
            mark: Some(mark),
        };
        let void = Run::Void("boot failed: can't ssh into the instance".to_owned());
        let crash = |title: &str| Run::Crashed(title.to_owned());
        assert_eq!(
            read(&log),
            [
                tested(&a, None, vec![crash("WARNING in x"); ALL_RUNS], Mark::Bad),
                tested(&b, Some("v5.4"), vec![Run::Ok, void, crash("BUG: y"), Run::Ok], Mark::Good),
                tested(&c, None, vec![Run::Ok], Mark::Skip),
            ]
        );
        assert_eq!(read("hello\nrun #0: OK\n"), []);
    }
}
