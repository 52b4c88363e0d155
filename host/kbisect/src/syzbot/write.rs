//! Items as text: the one place that knows what each line looks like.

use std::fmt;

use kbisect_core::bisector::Kind;
use kbisect_core::commit::CommitId;

use super::Compiler;
use super::End;
use super::Item;
use super::List;
use super::Log;

/// How git ends the lines of counts.
fn plural(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::With(words) => write!(f, "with {words}"),
            Self::Family(word) => f.write_str(word),
        }
    }
}

impl End {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OldestCrashes, Self::Oldest, Self::HeadCrashes, Self::Head];
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OldestCrashes => "the crash already happened on the oldest tested release",
            Self::Oldest => "oldest tested release already had the bug or it had kernel test errors",
            Self::HeadCrashes => "the crash still happens on HEAD",
            Self::Head => "crash still not fixed or there were kernel test errors",
        })
    }
}

impl List {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::To, Self::Cc, Self::All];
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::To => "recipients (to)",
            Self::Cc => "recipients (cc)",
            Self::All => "cc",
        })
    }
}

/// What the log calls the commit that is looked for.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Cause => "bad",
        Kind::Fix => "good",
    }
}

impl fmt::Display for Item {
    /// The item's lines, without the last one's end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, time } => write!(f, "{host} starts bisection {time}"),
            Self::Aim { kind: Kind::Cause, start } => write!(f, "bisecting cause commit starting from {start}"),
            Self::Aim { kind: Kind::Fix, start } => write!(f, "bisecting fixing commit since {start}"),
            Self::Syzkaller(commit) => write!(f, "building syzkaller on {commit}"),
            Self::Ensuring(commit) => write!(f, "ensuring issue is reproducible on original commit {commit}"),
            Self::Picked { tags, of } => write!(f, "picked [{}] out of {of} release tags", tags.join(" ")),
            Self::Release(tag) => write!(f, "testing release {tag}"),
            Self::Head(commit) => write!(f, "testing current HEAD {commit}"),
            Self::Testing { commit, compiler: None } => write!(f, "testing commit {commit}"),
            Self::Testing { commit, compiler: Some(compiler) } => write!(f, "testing commit {commit} {compiler}"),
            Self::Compiler(words) => write!(f, "compiler: {words}"),
            Self::Signature(signature) => write!(f, "kernel signature: {signature}"),
            Self::BuildFailed { commit: Some(commit), why } => write!(f, "failed building {commit}: {why}"),
            Self::Ran { run: None, said } => write!(f, "all runs: {said}"),
            Self::Ran { run: Some(run), said } => write!(f, "run #{run}: {said}"),
            Self::Representative { title, types } => {
                write!(f, "representative crash: {title}, types: [{}]", types.join(" "))
            }
            Self::FalseNegative(chance) => write!(f, "false negative chance: {chance}"),
            Self::Undecided(why) => write!(f, "unable to determine the verdict: {why}"),
            Self::BisectStart { bad, good } => write!(f, "# git bisect start {bad} {good}"),
            Self::Marked { mark, commit } => write!(f, "# git bisect {mark} {commit}"),
            Self::Left { revisions, steps } => {
                let (revisions, steps) = (plural(*revisions, "revision"), plural(*steps, "step"));
                write!(f, "Bisecting: {revisions} left to test after this (roughly {steps})")
            }
            Self::MergeBaseFirst => f.write_str("Bisecting: a merge base must be tested"),
            Self::CheckedOut { commit, subject } => write!(f, "[{commit}] {subject}"),
            Self::FirstBad(commit) => write!(f, "{commit} is the first bad commit"),
            Self::ErrorProbability(chance) => write!(f, "accumulated error probability: {chance}"),
            Self::ParentUntested(commit) => write!(f, "parent commit {commit} wasn't tested"),
            Self::CulpritSignature { signature, first_form: false } => write!(f, "culprit signature: {signature}"),
            Self::CulpritSignature { signature, first_form: true } => write!(f, "kernel signature:   {signature}"),
            Self::ParentSignature { signature, first_form: false } => write!(f, "parent  signature: {signature}"),
            Self::ParentSignature { signature, first_form: true } => write!(f, "previous signature: {signature}"),
            Self::Totals { revisions, total, build, test } => {
                write!(f, "revisions tested: {revisions}, total time: {total} (build: {build}, test: {test})")
            }
            Self::Error(why) => write!(f, "error: {why}"),
            Self::First { kind, commit, subject } => write!(f, "first {} commit: {commit} {subject}", word(*kind)),
            Self::AnyOf { kind, commits } => {
                write!(f, "bisection is inconclusive, the first {} commit could be any of:", word(*kind))?;
                commits.iter().try_for_each(|commit: &CommitId| write!(f, "\n{commit}"))
            }
            Self::End(end) => write!(f, "{end}"),
            Self::EndSubject(subject) => write!(f, "commit msg: {subject}"),
            Self::Recipients { list, emails } => {
                let emails: Vec<String> = emails.iter().map(|email| format!("{email:?}")).collect();
                write!(f, "{list}: [{}]", emails.join(" "))
            }
            Self::Crash { title, report } if report.is_empty() => write!(f, "crash: {title}"),
            Self::Crash { title, report } => write!(f, "crash: {title}\n{report}"),
            Self::BuildFailed { commit: None, why: text }
            | Self::Shown(text)
            | Self::Git(text)
            | Self::Remark(text)
            | Self::Unknown(text) => f.write_str(text),
            Self::Blank(lines) => f.write_str(&"\n".repeat(lines.saturating_sub(1))),
        }
    }
}

impl fmt::Display for Log {
    /// The log's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, item) in self.items.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{item}")?;
        }
        f.write_str(if self.final_newline { "\n" } else { "" })
    }
}

impl Log {
    /// The log's text in two parts: the search, without its last line's end, and what follows of the answer it came to. A search that
    /// goes on from here leaves the second part out, as the crash that ends it would swallow what comes behind.
    pub fn halves(&self) -> (String, String) {
        let answers = |item: &Item| matches!(item, Item::FirstBad(_) | Item::Totals { .. });
        let end = self.items.iter().position(answers).unwrap_or(self.items.len());
        let search: Vec<String> = self.items[..end].iter().map(Item::to_string).collect();
        let search = search.join("\n");
        let answer = self.to_string().split_off(search.len());
        (search, answer)
    }
}
