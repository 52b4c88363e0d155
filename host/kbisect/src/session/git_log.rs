//! What git would be told of a run: its verdicts, as marks of `git bisect`.

use std::path::Path;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;
use kbisect_core::graph::Graph;
use kbisect_core::graph::Node;
use kbisect_core::policy::Verdict;

use super::recorded;
use super::reread::Reread;
use crate::error::Error;
use crate::gitlog::Mark;
use crate::gitlog::Session;
use crate::gitlog::Told;
use crate::record::event::Ends;
use crate::syzbot::Found;
use crate::syzbot::Item;
use crate::syzbot::Log;
use crate::syzbot::Place;

/// A run as a session of `git bisect`: where its verdicts, trials and claims put it.
///
/// Git keeps one bad commit, the last that it is told, so what does not narrow the range is left out of what it is told.
pub fn git_session(directory: &Path) -> Result<Session, Error> {
    let entries = super::entries(directory)?;
    let reread = Reread::at_end(directory, &entries)?;
    if let Some(log) = recorded::only_log(&entries) {
        return Ok(as_told(log, &reread));
    }
    let Reread { state, names, ends, delta, .. } = &reread;
    let subject = |commit: &CommitId| names.subject(commit);
    let found = judged(&reread.summary(), *delta, subject);
    let first_bad = match &state.concluded {
        Some(Conclusion::Found { suspects }) => suspects.first().map(|first| (first.commit, subject(&first.commit))),
        _ => None,
    };
    let graph = state.bisector.graph();
    let (start, then) = order(graph, ends, found, |commit, mark| Told {
        commit,
        subject: subject(&commit),
        mark,
        remark: Some("as stated, without a trial".to_owned()),
        withheld: None,
    });
    Ok(Session { fix: ends.kind == Kind::Fix, start: turned(start, ends), then: turned(then, ends), first_bad })
}

/// The session that a log tells, where there is no history to place other verdicts in: what git was told then, and beside it what the
/// trials say today.
fn as_told(log: &Log, reread: &Reread) -> Session {
    let summary = reread.summary();
    let fix = log.kind == Kind::Fix;
    let told = |commit: CommitId, mark: Mark| {
        let now = summary.tested.iter().find(|tested| tested.commit == commit).and_then(|tested| tested.verdict.as_ref());
        let now = now.map(|verdict| Mark::of(verdict).turned(log.kind));
        let remark = now.filter(|now| *now != mark).map(|now| format!("by today's policy {}", said(now, fix)));
        Told { commit, subject: reread.names.subject(&commit), mark, remark, withheld: None }
    };
    let tests = log.tests();
    let end = |name: &String| {
        let released = tests.iter().find(|test| test.place == Place::Release(name.clone())).map(|test| test.commit);
        name.parse().ok().or(released)
    };
    let mut start = Vec::new();
    let mut then: Vec<Told> = Vec::new();
    for item in &log.items {
        match item {
            Item::BisectStart { bad, good } => {
                start = [(end(bad), Mark::Bad), (end(good), Mark::Good)]
                    .into_iter()
                    .filter_map(|(commit, mark)| Some(told(commit?, mark)))
                    .collect();
            }
            Item::Marked { mark, commit } => then.push(told(*commit, *mark)),
            _ => {}
        }
    }
    if start.is_empty() {
        // Git was never asked: there are the verdicts that the way to older releases tells.
        let of_walk = tests.iter().filter_map(|test| Some((test.commit, test.verdict?)));
        then = of_walk.map(|(commit, mark)| told(commit, mark.turned(log.kind))).collect();
    }
    let first_bad = match log.answer().found {
        Found::One { commit, subject, .. } => Some((commit, subject)),
        _ => None,
    };
    Session { fix, start, then, first_bad }
}

/// A mark as the log's words have it.
fn said(mark: Mark, fix: bool) -> &'static str {
    match (mark, fix) {
        (Mark::Skip, _) => "untestable",
        (Mark::Good, false) => "good",
        (Mark::Bad, false) => "bad",
        (Mark::Good, true) => "broken",
        (Mark::Bad, true) => "fixed",
    }
}

/// Verdicts that were assumed or concluded, and what the probability says of commits that stayed open.
fn judged(summary: &Summary, delta: f64, subject: impl Fn(&CommitId) -> String) -> Vec<Told> {
    let told = |commit: CommitId, verdict: &Verdict, remark: Option<String>| Told {
        commit,
        subject: subject(&commit),
        mark: Mark::of(verdict),
        remark,
        withheld: None,
    };
    let assumed = summary.assumed.iter().map(|one| told(one.commit, &one.verdict, Some("assumed".to_owned())));
    let mut marks: Vec<Told> = assumed.collect();
    for tested in &summary.tested {
        if marks.iter().any(|told| told.commit == tested.commit) {
            continue;
        }
        let open = |verdict| told(tested.commit, &verdict, Some(format!("open, bad with probability {:.3}", tested.bad)));
        match &tested.verdict {
            Some(verdict) => marks.push(told(tested.commit, verdict, None)),
            None if tested.bad <= delta => marks.push(open(Verdict::Good)),
            None if tested.bad >= 1.0 - delta => marks.push(open(Verdict::Bad)),
            None => {}
        }
    }
    marks
}

/// Sorts marks into what the start is given and what comes then; `stated` makes a mark of a claim that nobody tested.
fn order(graph: &Graph, ends: &Ends, found: Vec<Told>, stated: impl Fn(CommitId, Mark) -> Told) -> (Vec<Told>, Vec<Told>) {
    let known = |commit: &CommitId| found.iter().find(|told| told.commit == *commit).cloned();
    let start = known(&ends.start).unwrap_or_else(|| stated(ends.start, Mark::Bad));
    let good: Vec<Told> = ends
        .good
        .iter()
        .map(|end| known(end).unwrap_or_else(|| stated(*end, Mark::Good)))
        .filter(|told| told.mark == Mark::Good)
        .collect();
    if start.mark != Mark::Bad {
        // The start commit was not shown to be bad: git has nothing to begin with.
        return (Vec::new(), found);
    }
    let mut firsts = vec![start];
    match ends.kind {
        Kind::Cause => firsts.extend(good),
        // To git the commit with the fix is the bad one, and comes first.
        Kind::Fix if good.is_empty() => return (Vec::new(), found),
        Kind::Fix => firsts.splice(0..0, good).for_each(drop),
    }
    let node = |commit: &CommitId| graph.node(commit);
    let mut narrowest: Option<Node> = node(&firsts[0].commit);
    let begins = ends.kind == Kind::Cause;
    let after_start = (!begins).then(|| node(&ends.start)).flatten();
    let rest = found.into_iter().filter(|told| !firsts.iter().any(|first| first.commit == told.commit));
    let then = rest
        .map(|mut told| {
            let inside = node(&told.commit).zip(narrowest).is_some_and(|(node, narrowest)| graph.is_ancestor(node, narrowest));
            let has_bug = |node: Node| after_start.is_none_or(|start| graph.is_ancestor(start, node));
            let narrows = if begins { Mark::Bad } else { Mark::Good };
            if !inside {
                told.withheld = Some("which the first bad commit so far does not contain".to_owned());
            } else if !begins && told.mark == Mark::Good && !node(&told.commit).is_some_and(has_bug) {
                told.withheld = Some("which does not contain the start commit".to_owned());
            } else if told.mark == narrows {
                narrowest = node(&told.commit);
            }
            told
        })
        .collect();
    (firsts, then)
}

/// To git a fix is what turns "broken" into "fixed": its bad side is ours without the crash.
fn turned(told: Vec<Told>, ends: &Ends) -> Vec<Told> {
    let turn = |mut told: Told| {
        told.mark = told.mark.turned(ends.kind);
        told
    };
    told.into_iter().map(turn).collect()
}
