//! A replay as JSON.

use serde_json::Value;
use serde_json::json;

use super::Account;
use super::Next;
use super::Rejudged;
use crate::gitlog::Mark;
use crate::syzbot::Found;
use crate::syzbot::Left;
use crate::syzbot::Place;

/// The whole account.
pub fn json(account: &Account<'_>) -> Value {
    let replay = account.replay;
    let faces = replay.faces.iter().map(|face| json!({ "title": face.report.title, "trials": face.trials }));
    json!({
        "schema": 1,
        "kind": account.log.kind,
        "start": account.log.start,
        "target": faces.collect::<Value>(),
        "policy": replay.commits.last().map(|last| last.policy.as_str()),
        "commits": replay.commits.iter().map(|one| commit(account, one)).collect::<Value>(),
        "trials": { "recorded": replay.recorded(), "needed": replay.needed() },
        "diverged": replay.diverged().map(|one| json!({
            "commit": one.tested.commit,
            "then": word(one.tested.verdict),
            "now": word(one.now()),
            "reason": account.reason(),
        })),
        "then": then(account),
        "now": now(account),
        "credence": account.credence,
        "search": account.standing.as_ref().map(|standing| json!({
            "range": standing.range,
            "suspects": standing.suspects,
            "next": match &standing.next {
                Next::Test(commit) => json!({ "test": commit }),
                Next::Done(conclusion) => json!({ "done": conclusion }),
                Next::Nothing => Value::Null,
            },
        })),
        "warnings": account.log.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn commit(account: &Account<'_>, one: &Rejudged) -> Value {
    let [hits, clean, void, other] = one.tally();
    let (why, release) = match &one.tested.place {
        Place::Start => ("start", None),
        Place::Release(tag) => ("release", Some(tag)),
        Place::Head => ("head", None),
        Place::MergeBase => ("merge-base", None),
        Place::Config => ("config", None),
        Place::Parent => ("parent", None),
        Place::Step => ("step", None),
    };
    let crashes = one.seen.iter().map(
        |seen| json!({ "title": seen.title, "trials": seen.trials, "same": seen.same, "reason": seen.reason, "look": seen.look }),
    );
    json!({
        "commit": one.tested.commit,
        "why": why,
        "release": release,
        "subject": account.subject(&one.tested.commit),
        "hits": hits,
        "clean": clean,
        "void": void,
        "other": other,
        "guessed": one.tested.guessed,
        "crashes": crashes.collect::<Value>(),
        "needed": one.needed,
        "then": word(one.tested.verdict),
        "now": word(one.now()),
        "bad": one.bad,
        "reason": one.judgement.reason,
    })
}

fn word(mark: Option<Mark>) -> Option<String> {
    mark.map(|mark| mark.to_string())
}

fn then(account: &Account<'_>) -> Value {
    match &account.answer.found {
        Found::One { commit, subject, .. } => json!({ "end": "one", "commit": commit, "subject": subject }),
        Found::Several(commits) => json!({ "end": "several", "commits": commits }),
        Found::End { end, .. } => json!({ "end": "last-still-bad", "words": end.to_string() }),
        Found::Error(why) => json!({ "end": "error", "why": why }),
        Found::Nothing => json!({ "end": "cut" }),
    }
}

fn now(account: &Account<'_>) -> Value {
    match &account.left {
        Left::One(commit) => json!({ "end": "one", "commit": commit, "subject": account.subject(commit) }),
        Left::Several { commits, exact, between: (without, with) } => {
            json!({ "end": "several", "count": commits, "exact": exact, "without": without, "with": with })
        }
        Left::Contradiction { with, without } => json!({ "end": "contradiction", "without": without, "with": with }),
        Left::Open => json!({ "end": "open" }),
    }
}
