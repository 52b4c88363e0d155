//! `kbisect replay`: a syzbot log, judged anew.

use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Strategy;
use kbisect_core::commit::CommitId;

use super::classifiers::Classifiers;
use super::flake_policy;
use super::print;
use crate::error::Error;
use crate::exit::Exit;
use crate::git::Repository;
use crate::policy::Policies;
use crate::record::counted;
use crate::replay;
use crate::replay::Account;
use crate::replay::History;
use crate::session;
use crate::syzbot;
use crate::syzbot::Found;
use crate::syzbot::Line;
use crate::syzbot::Log;
use crate::syzbot::Tested;

/// The flake policy that judges as syzkaller does.
const SYZKALLER_RULE: &str = "syzkaller-rule";

/// Commits that a warning names.
const NAMED: usize = 3;

/// Judge a bisection by syzbot anew, trial by trial
///
/// Every recorded trial is judged by today's classifiers, every commit by a flake policy. Says which verdicts change, how many of the
/// trials would have been needed, and how sure the log's name is. Without a repository a commit is named only if the log leaves no
/// other. With one, the search has its whole history, and the log's trials as evidence.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A bisection log, as syzbot publishes them, or a run that was made of one
    #[arg(value_name = "LOG|DIR")]
    log: PathBuf,

    /// How commits are chosen; `posterior`, the default with --repo, needs the history
    #[arg(long, value_enum)]
    strategy: Option<Choice>,

    /// The flake policy: a bundled one by its name, or a component's file
    #[arg(long, value_name = "PLUGIN")]
    policy: Option<PathBuf>,

    /// A clone of the kernel that holds the log's commits
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,

    #[command(flatten)]
    classifiers: Classifiers,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    /// As git does, by the flake policy's verdicts
    Git,
    /// By the posterior over the whole history
    Posterior,
    /// As git does, by syzkaller's rule
    SyzkallerRule,
}

/// Replays a log.
pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let policy = match (args.strategy, &args.policy) {
        (Some(Choice::Posterior), _) if args.repo.is_none() => {
            return Err(Error::user("strategy `posterior` searches the whole history, which the log does not hold")
                .hint("name a clone with --repo, or leave --strategy out"));
        }
        (Some(Choice::SyzkallerRule), Some(policy)) if policy != Path::new(SYZKALLER_RULE) => {
            return Err(Error::user(format!(
                "strategy `{SYZKALLER_RULE}` and policy `{}` contradict one another",
                policy.display()
            ))
            .hint("`--strategy git` takes any policy"));
        }
        (Some(Choice::SyzkallerRule), _) => Some(Path::new(SYZKALLER_RULE)),
        (_, policy) => policy.as_deref(),
    };
    let log = if args.log.is_dir() { session::imported_log(&args.log)? } else { syzbot::read_file(&args.log)? };
    let policies = args.classifiers.load_with(policy.map(flake_policy).into_iter().collect())?;
    let commits = log.commits();
    let mut warnings: Vec<String> = log.warnings.iter().map(|warning| format!("{}: {warning}", args.log.display())).collect();
    let text = match &args.repo {
        None => told(args, &log, &policies, &History::of_log(&log), None)?,
        Some(repo) => {
            let repository = Repository::open(repo)?;
            let history = history(&repository, &log, &commits, &mut warnings)?;
            told(args, &log, &policies, &history, Some(&repository))?
        }
    };
    warnings.iter().for_each(|warning| super::say(&format!("warning: {warning}")));
    print(&text)?;
    Ok(Exit::Success)
}

/// What is printed.
fn told(
    args: &Args,
    log: &Log,
    policies: &Policies,
    history: &History,
    repository: Option<&Repository>,
) -> Result<String, Error> {
    let strategy = match (args.strategy, repository) {
        (Some(Choice::Git | Choice::SyzkallerRule), Some(_)) => Strategy::Git,
        // On the log's own line the probabilities are all there is to work out.
        _ => Strategy::Posterior,
    };
    let replay = replay::replay(log, policies, history, strategy, Vec::new())?;
    let mut account = Account::new(policies, log, &replay, repository.is_some())?;
    if let (Some(repository), Some(standing)) = (repository, &account.standing) {
        let mut wanted: Vec<CommitId> = standing.suspects.iter().map(|suspect| suspect.commit).collect();
        if let replay::Next::Test(commit) = standing.next {
            wanted.push(commit);
        }
        for commit in wanted {
            let subject = repository.subject(&commit)?;
            account.subjects.insert(commit, subject);
        }
    }
    Ok(if args.json { format!("{}\n", replay::json(&account)) } else { replay::text(&account) })
}

/// The repository's history up to the log's ends. What it lacks of the tested commits is warned of.
fn history(repository: &Repository, log: &Log, commits: &[Tested], warnings: &mut Vec<String>) -> Result<History, Error> {
    let line = Line::of(log, commits);
    let mut ends = line.ends(log, commits);
    let tips: Vec<CommitId> = [ends.start].into_iter().chain(ends.good.iter().copied()).collect();
    // What the clone lacks is said with how to fetch it.
    for tip in &tips {
        repository.resolve(&tip.to_string())?;
    }
    let graph = repository.graph(&tips)?;
    let missing: Vec<String> =
        commits.iter().filter(|one| graph.node(&one.commit).is_none()).map(|one| one.commit.short()).collect();
    if !missing.is_empty() {
        let some = missing.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if missing.len() > NAMED { ", …" } else { "" };
        let is = if missing.len() == 1 { "is" } else { "are" };
        warnings.push(format!(
            "{} of the log's {} {is} not in the history of {} and {is} left out: {some}{more}",
            missing.len(),
            counted(commits.len() as u64, "commit"),
            ends.start.short()
        ));
    }
    ends.releases.retain(|release| graph.node(&release.commit).is_some());
    // Where the log's last release falls, the walk goes on.
    if ends.kind == Kind::Cause {
        let older = repository.releases_to_walk(&ends.start)?;
        let tested: HashSet<CommitId> = ends.releases.iter().map(|release| release.commit).collect();
        let behind = older.iter().rposition(|release| tested.contains(&release.commit)).map_or(0, |last| last + 1);
        ends.releases.extend(older.into_iter().skip(behind));
    }
    if let Found::One { commit, .. } = log.answer().found
        && graph.node(&commit).is_none()
    {
        warnings.push(format!("the commit that the log names, {}, is not in that history", commit.short()));
    }
    Ok(History { graph: Arc::new(graph), ends })
}
