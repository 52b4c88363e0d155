//! `kbisect next`: what `git bisect` would do with these marks, with its words and its exit status, without touching the repository.

use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use kbisect_core::commit::CommitId;
use kbisect_core::git_compat;
use kbisect_core::git_compat::Next;
use kbisect_core::git_compat::Options;
use kbisect_core::git_compat::Step;
use kbisect_core::git_compat::Version;
use kbisect_core::graph::Graph;
use kbisect_core::graph::Node;

use super::print;
use crate::error::Error;
use crate::git;
use crate::git::Repository;

const OK: u8 = 0;
const FAILED: u8 = 1;
const ONLY_SKIPPED_LEFT: u8 = 2;
const MERGE_BASE_BAD: u8 = 3;

/// git's exit status for a revision or repository that cannot be read.
pub(super) const FATAL: u8 = 128;

/// git's exit status for a command line that it does not understand.
pub(super) const USAGE: u8 = 129;

/// Print the commit that git bisect would check out next
///
/// Prints what `git bisect start BAD GOOD…`, followed by the skips, prints: the `Bisecting:` line and the commit to test as
/// `[HASH] SUBJECT`, or how the bisection ends. Nothing is checked out, and the repository is not written to.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    /// Repository to read: a work tree, a folder in one, or a bare repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,

    /// The bad commit, as any revision that git understands
    #[arg(long, value_name = "REV")]
    bad: Option<String>,

    /// A good commit; more of them may follow
    #[arg(long, value_name = "REV", num_args = 1..)]
    good: Vec<String>,

    /// A commit that cannot be tested, or a range A..B of them; more may follow
    #[arg(long, value_name = "REV", num_args = 1..)]
    skip: Vec<String>,

    /// Follow only the first parent of merge commits
    #[arg(long)]
    first_parent: bool,

    /// Whose rule for "near enough to halfway" to use: 2.29 is the exact one, as used up to that version
    #[arg(long, value_name = "VERSION", default_value = "2.30")]
    git_compat: GitVersion,

    /// The commit that was handed out last, as in git's BISECT_EXPECTED_REV: a bad merge base then means that the bug was fixed
    #[arg(long, value_name = "REV")]
    expected: Option<String>,

    /// Do not look at merge bases again, as git does not once it has made BISECT_ANCESTORS_OK
    #[arg(long)]
    ancestors_ok: bool,
}

const EXIT_STATUS: &str = "\
Exit status (git's own):
    0  there is a commit to test, or the first bad commit is known
    1  good and bad do not fit together
    2  only skipped commits are left
    3  the merge base is bad: the bug has been fixed between it and a good commit
  128  the repository or a revision cannot be read
  129  the command line is wrong";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GitVersion {
    #[value(name = "2.29")]
    V2_29,
    #[value(name = "2.30")]
    V2_30,
}

impl From<GitVersion> for Version {
    fn from(version: GitVersion) -> Self {
        match version {
            GitVersion::V2_29 => Self::V2_29,
            GitVersion::V2_30 => Self::V2_30,
        }
    }
}

/// Runs the command; the exit code is git's.
///
/// # Errors
///
/// When the repository or a revision in it cannot be read, or standard output cannot be written.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let repository = Repository::open(&args.repo)?;
    let resolve = |revision: &String| repository.resolve(revision);
    let bad = args.bad.as_ref().map(resolve).transpose()?;
    let mut good = args.good.iter().map(resolve).collect::<Result<Vec<CommitId>, _>>()?;
    let skips = args.skip.iter().map(|text| Skip::resolve(&repository, text)).collect::<Result<Vec<Skip>, _>>()?;
    let expected = args.expected.as_ref().map(resolve).transpose()?;
    // Git lists its refs by id, each once.
    good.sort_unstable();
    good.dedup();
    let (Some(bad), false) = (bad, good.is_empty()) else {
        print(&format!("{}\n", waiting(bad.is_some(), good.len())))?;
        return Ok(ExitCode::SUCCESS);
    };

    let mut tips = good.clone();
    tips.push(bad);
    tips.extend(skips.iter().flat_map(Skip::tips));
    let graph = repository.graph(&tips)?;
    let node = |id: &CommitId| graph.node(id).expect("the graph holds its tips");
    let goods: Vec<Node> = good.iter().map(node).collect();
    let skipped: Vec<Node> = skips.iter().flat_map(|skip| skip.commits(&graph)).collect();
    let options = Options { version: args.git_compat.into(), first_parent: args.first_parent, ancestors_ok: args.ancestors_ok };
    let step = git_compat::next(&graph, node(&bad), &goods, &skipped, options);

    let session = Session { repository: &repository, graph: &graph, bad, good: &good, expected };
    let (text, exit) = session.say(&step)?;
    print(&text)?;
    Ok(exit.into())
}

/// What the words need besides the step.
struct Session<'a> {
    repository: &'a Repository,
    graph: &'a Graph,
    bad: CommitId,
    good: &'a [CommitId],
    expected: Option<CommitId>,
}

impl Session<'_> {
    /// Prints git's warnings; gives its standard output and exit status.
    fn say(&self, step: &Step) -> Result<(String, u8), Error> {
        for &base in &step.skipped_merge_bases {
            warn(&skipped_merge_base(&self.graph.id(base), &self.bad, self.good));
        }
        let bad = self.bad;
        Ok(match &step.next {
            Next::Test { commit, left, steps } => (bisecting(*left, *steps) + &self.checkout(*commit)?, OK),
            Next::TestMergeBase(base) => (format!("Bisecting: a merge base must be tested\n{}", self.checkout(*base)?), OK),
            Next::FirstBad(_) => (format!("{bad} is the first bad commit\n"), OK),
            Next::OnlySkipped { could_be, .. } => (only_skipped(self.graph, could_be), ONLY_SKIPPED_LEFT),
            Next::GoodAndBad => (format!("{bad} was both good and bad\n"), FAILED),
            Next::MergeBaseBad if self.expected == Some(bad) => {
                warn(&fixed_since(&bad, self.good));
                (String::new(), MERGE_BASE_BAD)
            }
            Next::MergeBaseBad => {
                warn(MISTAKEN);
                (String::new(), FAILED)
            }
        })
    }

    fn checkout(&self, commit: Node) -> Result<String, Error> {
        let id = self.graph.id(commit);
        Ok(format!("[{id}] {}\n", self.repository.subject(&id)?))
    }
}

/// What one `--skip` names.
enum Skip {
    One(CommitId),
    /// The commits in the second that the first lacks.
    Range(CommitId, CommitId),
}

impl Skip {
    /// As `git bisect skip` reads it: `A..B` is a range, and an end that is left out is HEAD.
    fn resolve(repository: &Repository, text: &str) -> Result<Self, git::Error> {
        let end = |name: &str| repository.resolve(if name.is_empty() { "HEAD" } else { name });
        match text.split_once("..") {
            Some((from, to)) => Ok(Self::Range(end(from)?, end(to)?)),
            None => Ok(Self::One(repository.resolve(text)?)),
        }
    }

    fn tips(&self) -> Vec<CommitId> {
        match *self {
            Self::One(commit) => vec![commit],
            Self::Range(from, to) => vec![from, to],
        }
    }

    fn commits(&self, graph: &Graph) -> Vec<Node> {
        let node = |id: &CommitId| graph.node(id).expect("the graph holds its tips");
        match self {
            Self::One(commit) => vec![node(commit)],
            Self::Range(from, to) => graph.range(node(to), &[node(from)]),
        }
    }
}

/// Writes to stderr; nothing is left to say where that is gone.
fn warn(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn waiting(bad: bool, good: usize) -> String {
    match (bad, good) {
        (false, 0) => "status: waiting for both good and bad commits".to_owned(),
        (false, 1) => "status: waiting for bad commit, 1 good commit known".to_owned(),
        (false, _) => format!("status: waiting for bad commit, {good} good commits known"),
        (true, _) => "status: waiting for good commit(s), bad commit known".to_owned(),
    }
}

fn bisecting(left: usize, steps: u32) -> String {
    let revisions = if left == 1 { "revision" } else { "revisions" };
    let rough = if steps == 1 { "step" } else { "steps" };
    format!("Bisecting: {left} {revisions} left to test after this (roughly {steps} {rough})\n")
}

fn only_skipped(graph: &Graph, could_be: &[Node]) -> String {
    let commits: String = could_be.iter().map(|&node| format!("{}\n", graph.id(node))).collect();
    format!(
        "There are only 'skip'ped commits left to test.\nThe first bad commit could be any of:\n{commits}We cannot bisect more!\n"
    )
}

fn skipped_merge_base(base: &CommitId, bad: &CommitId, good: &[CommitId]) -> String {
    format!(
        "warning: the merge base between {bad} and [{}] must be skipped.\n\
         So we cannot be sure the first bad commit is between {base} and {bad}.\n\
         We continue anyway.\n",
        listed(good)
    )
}

fn fixed_since(bad: &CommitId, good: &[CommitId]) -> String {
    format!("The merge base {bad} is bad.\nThis means the bug has been fixed between {bad} and [{}].\n", listed(good))
}

const MISTAKEN: &str = "\
Some good revs are not ancestors of the bad rev.
git bisect cannot work properly in this case.
Maybe you mistook good and bad revs?
";

fn listed(commits: &[CommitId]) -> String {
    commits.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
