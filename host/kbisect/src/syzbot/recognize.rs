//! A single line -> the item that it begins.

use kbisect_core::bisector::Kind;
use kbisect_core::commit::CommitId;

use super::Compiler;
use super::End;
use super::Item;
use super::List;
use super::write::word;
use crate::gitlog::Mark;

/// Beginnings of lines that are known and say nothing of tests or answers.
const REMARKS: [&str; 34] = [
    "reproducer seems to be flaky",
    "Reproducer flagged being flaky",
    "reproducer is flaky (",
    "reproducer does not crash the merge base",
    "repro testing failure: ",
    "fetch other tags and check if the commit is present",
    "fetch failed with ",
    "rewritten commit ",
    "check whether we can drop unnecessary instrumentation",
    "there was nothing we could disable",
    "disabling configs for ",
    "the bug reproduces without the instrumentation",
    "crash reproduces with baseline config",
    "testing baseline config failed: ",
    "unable to test using baseline config",
    "minimizing config failed: ",
    "config minimization failed",
    "proceeding with the original config",
    "kconfig minimization: ",
    "minimized to ",
    "split chunk",
    "no way to further split the chunk",
    "testing without sub-chunk ",
    "the chunk can be dropped",
    "no need to test this chunk",
    "we have reached the limit on predicate runs",
    "determining the merge base between ",
    "expected 1 merge base",
    "determine whether the revision contains the guilty commit",
    "no existing result, test the revision",
    "the bug was not introduced yet",
    "crash still not fixed/happens on the oldest tested release",
    "HEAD had kernel build, boot or test errors",
    "failed to detect ",
];

/// The item that this line is, or begins, before the totals were told; none where it is no known line.
pub(super) fn in_search(line: &str) -> Option<Item> {
    let item = of_a_test(line).or_else(|| of_the_way(line)).or_else(|| git(line))?;
    // What would not be written back as it stands is not understood.
    (item.to_string() == line).then_some(item)
}

/// The item that this line is, or begins, behind the totals.
pub(super) fn in_answer(line: &str) -> Option<Item> {
    let item = answer(line)?;
    (item.to_string() == line).then_some(item)
}

/// What is said of one commit and its test.
fn of_a_test(line: &str) -> Option<Item> {
    // By frequency.
    if let Some(rest) = line.strip_prefix("run #") {
        let (run, said) = rest.split_once(": ")?;
        return Some(Item::Ran { run: Some(run.parse().ok()?), said: said.to_owned() });
    }
    if let Some(said) = line.strip_prefix("all runs: ") {
        return Some(Item::Ran { run: None, said: said.to_owned() });
    }
    if let Some(rest) = line.strip_prefix("testing ") {
        return testing(rest);
    }
    if let Some(signature) = line.strip_prefix("kernel signature: ") {
        return Some(match signature.strip_prefix("  ") {
            Some(signature) => Item::CulpritSignature { signature: digits(signature)?, first_form: true },
            None => Item::Signature(digits(signature)?),
        });
    }
    if let Some(words) = line.strip_prefix("compiler: ") {
        return Some(Item::Compiler(words.to_owned()));
    }
    if let Some(rest) = line.strip_prefix("# git bisect ") {
        return marked(rest);
    }
    if let Some(rest) = line.strip_prefix("failed building ") {
        let (commit, why) = rest.split_once(": ")?;
        return Some(Item::BuildFailed { commit: Some(commit.parse().ok()?), why: why.to_owned() });
    }
    if let Some(rest) = line.strip_prefix("representative crash: ") {
        let (title, types) = rest.strip_suffix(']')?.rsplit_once(", types: [")?;
        return Some(Item::Representative { title: title.to_owned(), types: words(types) });
    }
    if let Some(chance) = line.strip_prefix("false negative chance: ") {
        return Some(Item::FalseNegative(chance.to_owned()));
    }
    if let Some(why) = line.strip_prefix("unable to determine the verdict: ") {
        return Some(Item::Undecided(why.to_owned()));
    }
    None
}

/// What is said of the bisection as a whole.
fn of_the_way(line: &str) -> Option<Item> {
    if let Some(start) = line.strip_prefix("bisecting cause commit starting from ") {
        return Some(Item::Aim { kind: Kind::Cause, start: start.parse().ok()? });
    }
    if let Some(start) = line.strip_prefix("bisecting fixing commit since ") {
        return Some(Item::Aim { kind: Kind::Fix, start: start.parse().ok()? });
    }
    if let Some(commit) = line.strip_prefix("building syzkaller on ") {
        return Some(Item::Syzkaller(commit.to_owned()));
    }
    if let Some(commit) = line.strip_prefix("ensuring issue is reproducible on original commit ") {
        return Some(Item::Ensuring(commit.parse().ok()?));
    }
    if let Some(rest) = line.strip_prefix("picked [") {
        let (tags, of) = rest.strip_suffix(" release tags")?.split_once("] out of ")?;
        return Some(Item::Picked { tags: words(tags), of: of.parse().ok()? });
    }
    if let Some(chance) = line.strip_prefix("accumulated error probability: ") {
        return Some(Item::ErrorProbability(chance.to_owned()));
    }
    if let Some(commit) = line.strip_prefix("parent commit ") {
        return Some(Item::ParentUntested(commit.strip_suffix(" wasn't tested")?.parse().ok()?));
    }
    if let Some(signature) = line.strip_prefix("culprit signature: ") {
        return Some(Item::CulpritSignature { signature: digits(signature)?, first_form: false });
    }
    if let Some(signature) = line.strip_prefix("parent  signature: ") {
        return Some(Item::ParentSignature { signature: digits(signature)?, first_form: false });
    }
    if let Some(signature) = line.strip_prefix("previous signature: ") {
        return Some(Item::ParentSignature { signature: digits(signature)?, first_form: true });
    }
    if let Some(rest) = line.strip_prefix("revisions tested: ") {
        return totals(rest);
    }
    if let Some((host, time)) = line.split_once(" starts bisection ") {
        return Some(Item::Host { host: host.to_owned(), time: time.to_owned() });
    }
    let merge_base = line.contains(" is a merge base, check if it has the bug");
    let reachable = line.starts_with("revision ") && line.ends_with(" crashed and is reachable");
    let checked = line.starts_with("checking the merge base ");
    let known = merge_base || reachable || checked || REMARKS.iter().any(|remark| line.starts_with(remark));
    known.then(|| Item::Remark(line.to_owned()))
}

fn testing(rest: &str) -> Option<Item> {
    if let Some(rest) = rest.strip_prefix("commit ") {
        let (commit, compiler) = match rest.split_once(' ') {
            None => (rest, None),
            Some((commit, words)) => (
                commit,
                Some(match words.strip_prefix("with ") {
                    Some(words) => Compiler::With(words.to_owned()),
                    None => Compiler::Family(words.to_owned()),
                }),
            ),
        };
        return Some(Item::Testing { commit: commit.parse().ok()?, compiler });
    }
    if let Some(tag) = rest.strip_prefix("release ") {
        return Some(Item::Release(tag.to_owned()));
    }
    if let Some(commit) = rest.strip_prefix("current HEAD ") {
        return Some(Item::Head(commit.parse().ok()?));
    }
    let known = ["without sub-chunk ", "baseline config failed: "].iter().any(|known| rest.starts_with(known));
    known.then(|| Item::Remark(format!("testing {rest}")))
}

fn marked(rest: &str) -> Option<Item> {
    let (word, ends) = rest.split_once(' ')?;
    let mark = match word {
        "start" => {
            let (bad, good) = ends.split_once(' ')?;
            return Some(Item::BisectStart { bad: bad.to_owned(), good: good.to_owned() });
        }
        "good" => Mark::Good,
        "bad" => Mark::Bad,
        "skip" => Mark::Skip,
        _ => return None,
    };
    Some(Item::Marked { mark, commit: ends.parse().ok()? })
}

fn totals(rest: &str) -> Option<Item> {
    let (revisions, rest) = rest.split_once(", total time: ")?;
    let (total, rest) = rest.split_once(" (build: ")?;
    let (build, test) = rest.strip_suffix(')')?.split_once(", test: ")?;
    Some(Item::Totals {
        revisions: revisions.parse().ok()?,
        total: total.to_owned(),
        build: build.to_owned(),
        test: test.to_owned(),
    })
}

/// Git's own lines, as far as they say something.
fn git(line: &str) -> Option<Item> {
    if let Some(rest) = line.strip_prefix("Bisecting: ") {
        if rest == "a merge base must be tested" {
            return Some(Item::MergeBaseFirst);
        }
        let (revisions, rest) = rest.split_once(" left to test after this (roughly ")?;
        let number = |text: &str| text.split(' ').next()?.parse().ok();
        return Some(Item::Left { revisions: number(revisions)?, steps: number(rest)? });
    }
    if let Some(rest) = line.strip_prefix('[') {
        let (commit, subject) = rest.split_once("] ")?;
        return Some(Item::CheckedOut { commit: commit.parse().ok()?, subject: subject.to_owned() });
    }
    let commit = line.strip_suffix(" is the first bad commit")?;
    Some(Item::FirstBad(commit.parse().ok()?))
}

fn answer(line: &str) -> Option<Item> {
    if let Some(why) = line.strip_prefix("error: ") {
        return Some(Item::Error(why.to_owned()));
    }
    if let Some(title) = line.strip_prefix("crash: ") {
        return Some(Item::Crash { title: title.to_owned(), report: String::new() });
    }
    if let Some(subject) = line.strip_prefix("commit msg: ") {
        return Some(Item::EndSubject(subject.to_owned()));
    }
    for kind in [Kind::Cause, Kind::Fix] {
        let Some(rest) = line.strip_prefix("first ").and_then(|rest| rest.strip_prefix(word(kind))) else { continue };
        if let Some(rest) = rest.strip_prefix(" commit: ") {
            let (commit, subject) = rest.split_once(' ')?;
            return Some(Item::First { kind, commit: commit.parse().ok()?, subject: subject.to_owned() });
        }
    }
    if let Some(rest) = line.strip_prefix("bisection is inconclusive, the first ") {
        let kind = [Kind::Cause, Kind::Fix].into_iter().find(|kind| rest.starts_with(word(*kind)))?;
        return Some(Item::AnyOf { kind, commits: Vec::new() });
    }
    if let Some(end) = End::ALL.into_iter().find(|end| line == end.to_string()) {
        return Some(Item::End(end));
    }
    for list in List::ALL {
        if let Some(rest) = line.strip_prefix(&list.to_string()).and_then(|rest| rest.strip_prefix(": [")) {
            return Some(Item::Recipients { list, emails: quoted(rest.strip_suffix(']')?)? });
        }
    }
    None
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Hexadecimal digits of a signature.
fn digits(text: &str) -> Option<String> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

/// The texts of `"a" "b"`.
fn quoted(text: &str) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.next_if_eq(&'"').is_some() {
        let mut one = String::new();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => one.push(chars.next()?),
                char => one.push(char),
            }
        }
        texts.push(one);
        chars.next_if_eq(&' ');
    }
    chars.next().is_none().then_some(texts)
}

/// The commit of a line that holds nothing else.
pub(super) fn lone_commit(line: &str) -> Option<CommitId> {
    line.parse::<CommitId>().ok().filter(|commit| commit.to_string() == line)
}
