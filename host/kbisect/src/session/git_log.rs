//! What git would be told of a run: its verdicts, as marks of `git bisect`.

use std::path::Path;

use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::commit::CommitId;
use kbisect_core::graph::Graph;
use kbisect_core::graph::Node;
use kbisect_core::policy::Verdict;

use crate::error::Error;
use crate::gitlog::Mark;
use crate::gitlog::Session;
use crate::gitlog::Told;
use crate::record::event::Ends;

/// A run as a session of `git bisect`: where its verdicts, trials and claims put it.
///
/// Git keeps one bad commit, the last that it is told, so what does not narrow the range is left out of what it is told.
pub fn git_session(directory: &Path) -> Result<Session, Error> {
    let (entries, job, settled) = super::reread(directory)?;
    let ends = settled.ends();
    let state = settled.state(&job, &entries)?;
    let subject = |commit: &CommitId| settled.repository().subject(commit).unwrap_or_default();
    let summary = state.bisector.summary();
    let found = judged(&summary, job.search.delta, subject);
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
