//! Writes logs as git 2.30 and later does.

use std::fmt::Write as _;

use kbisect_core::commit::CommitId;

use super::Mark;

/// Terms of a search for a fix: what crashes is old, what does not is new.
const FIX_TERMS: [&str; 2] = ["broken", "fixed"];

/// A commit and what git is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub subject: String,
    /// What git is told.
    pub mark: Mark,
    /// Where the verdict comes from, where that is not plain.
    pub remark: Option<String>,
    /// Why git is not told after all; the line is a comment then.
    pub withheld: Option<String>,
}

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// A fix is looked for: the words say so.
    pub fix: bool,
    /// What the start is given: the bad commit first.
    pub start: Vec<Told>,
    /// What git is told then, in order.
    pub then: Vec<Told>,
    /// The first bad commit, and its subject.
    pub first_bad: Option<(CommitId, String)>,
}

/// The log's text.
pub fn render(session: &Session) -> String {
    let word = |mark: Mark| match (mark, session.fix) {
        (Mark::Good, true) => FIX_TERMS[0],
        (Mark::Bad, true) => FIX_TERMS[1],
        (_, false) | (Mark::Skip, true) => mark.word(),
    };
    let comment = |told: &Told| {
        let remark = told.remark.as_ref().map_or_else(String::new, |remark| format!("# {remark}\n"));
        let line = format!("# {}: [{}] {}", word(told.mark), told.commit, told.subject);
        format!("{remark}{}\n", line.trim_end())
    };
    let mut log: String = session.start.iter().map(comment).collect();
    log.push_str("git bisect start");
    if session.fix {
        let [old, new] = FIX_TERMS;
        let _ = write!(log, " '--term-old={old}' '--term-new={new}'");
    }
    for told in &session.start {
        let _ = write!(log, " '{}'", told.commit);
    }
    log.push('\n');
    for told in &session.then {
        match &told.withheld {
            None => {
                log += &comment(told);
                let _ = writeln!(log, "git bisect {} {}", word(told.mark), told.commit);
            }
            Some(why) => {
                let _ = writeln!(log, "# not told to git: {} {}, {why}", word(told.mark), told.commit);
            }
        }
    }
    if let Some((commit, subject)) = &session.first_bad {
        let _ = writeln!(log, "# first {} commit: [{commit}] {subject}", word(Mark::Bad));
    }
    log
}
