//! Everything that happens in a bisection, as data.
//!
//! Durable events are journalled before they are applied; replaying them gives the same state. Progress is never journalled.

use kbisect_core::bisector::Assumption;
use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Ends as CoreEnds;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Release;
use kbisect_core::bisector::Shown;
use kbisect_core::bisector::Strategy;
use kbisect_core::bisector::Stretch;
use kbisect_core::bisector::Summary;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::caveat::Caveat;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::credence::Credence;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::reach::Reach;
use serde::Deserialize;
use serde::Serialize;

use super::minimized::ConfigTest;
use super::minimized::Minimized;
use super::progress::Progress;
use crate::git::Mention;
use crate::git::Reverted;
use crate::syzbot::Log;

/// A durable event with its place and time, as one line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counted from 1, without gaps.
    pub seq: u64,
    /// When, by the host's clock.
    pub time: jiff::Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// The ends of the history in question, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ends {
    /// What is looked for.
    pub kind: Kind,
    /// Where the crash was seen.
    pub start: CommitId,
    /// Commits the user calls good.
    pub good: Vec<CommitId>,
    /// Releases to walk, newest first.
    pub releases: Vec<Release>,
    /// Fix: the good end is the repository's HEAD, because none was stated.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub head: bool,
    /// From each of these on kernels are built, or run, in another environment ([`Bisector::know_eras`]).
    ///
    /// [`Bisector::know_eras`]: kbisect_core::bisector::Bisector::know_eras
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub eras: Vec<CommitId>,
}

impl From<Ends> for CoreEnds {
    fn from(ends: Ends) -> Self {
        Self { kind: ends.kind, start: ends.start, good: ends.good, releases: ends.releases }
    }
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildResult {
    /// It built.
    Built {
        /// Name of the kernel in the run directory's store; none where there is nothing to boot.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        kernel: Option<String>,
        /// Hash of the loadable sections, 64 digits; none where there is no `vmlinux`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        signature: Option<String>,
        /// What its compiler says that it is; none where the job's own command chose it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        compiler: Option<String>,
        /// Symbols that the configuration should have and has not at this commit.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        lost: Vec<String>,
    },
    /// It did not, and the last lines it said.
    Failed(String),
    /// The host is to blame.
    Infra(String),
}

/// The commit of a repository that built a run's reproducer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarnessAt {
    /// The repository's folder.
    pub name: String,
    /// The commit, 40 digits.
    pub commit: String,
}

/// A verdict that somebody vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// The commit and the verdict.
    #[serde(flatten)]
    pub assumption: Assumption,
    /// First line of the commit's message.
    pub subject: String,
}

/// Somebody to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The name, when known.
    pub name: Option<String>,
    /// The address.
    pub email: String,
    /// `to` rather than `cc`.
    pub to: bool,
    /// Why, in one line.
    pub reason: String,
}

/// What people want to see of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitText {
    /// The commit.
    pub commit: CommitId,
    /// First line of the message.
    pub subject: String,
    /// Name and address of the author, as `Name <address>`.
    pub author: String,
    /// When it was written, as git prints dates.
    pub date: String,
    /// The parents, in git's order.
    pub parents: Vec<CommitId>,
    /// The whole message.
    pub message: String,
    /// The diffstat against the first parent, as lines.
    pub diffstat: String,
    /// The first release that contains it, where one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_release: Option<String>,
    /// The release, or release candidate, whose tag it carries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub release: Option<String>,
    /// Its kernel is that of its only parent: the commit changes nothing that is built.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub equals_parent: bool,
    /// The commit of mainline that it was picked from, where it says so: blame and reverts go there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upstream: Option<CommitId>,
    /// Who mends it or takes it back, in all that the repository has, and among how many commits that was looked for; none where that is
    /// not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub newer: Option<Newer>,
}

/// What newer commits say of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newer {
    /// So many were read.
    pub read: usize,
    /// Those that mend it or take it back, newest first.
    pub mentions: Vec<Mention>,
}

/// A commit that showed another bug, or was free of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherAt {
    /// How often it showed there.
    #[serde(flatten)]
    pub shown: Shown,
    /// First line of the commit's message.
    pub subject: String,
}

/// A bug that is not the target, and came up more than once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherBug {
    /// The most frequent of its titles.
    pub title: String,
    /// Its other titles, most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
    /// Its number among the looks.
    pub look: u32,
    /// The greatest chance of being the target that one of its crashes had.
    pub same: f64,
    /// Trials that showed it.
    pub crashes: u32,
    /// Trials that said something, at the tested commits between the oldest and the newest that showed it.
    pub trials: u32,
    /// Of these, trials that ended with the target: it may have come first.
    pub hidden: u32,
    /// The commits that showed it, oldest first.
    pub seen: Vec<OtherAt>,
    /// The newest tested commit before these in which it would have shown by now, were it there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub free: Option<OtherAt>,
    /// The job file in the run's directory that looks for its beginning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
}

/// What happened. The order of fields is the order in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "most events are trials, which are the large ones")]
pub enum Event {
    /// First event of a run.
    Started {
        /// Version of the journal's format.
        format: u32,
        /// kbisect's version.
        version: String,
        /// Host name.
        host: String,
        /// The user's repository, absolute; none where the run is no more than the record of a log.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        repo: Option<String>,
        /// The ends in question.
        ends: Ends,
        /// How commits are chosen.
        strategy: Strategy,
        /// The start commit's subject.
        subject: String,
        /// Verdicts that are taken for granted from the start.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        assumed: Vec<Assumed>,
        /// The log of syzbot's that the run was made of: what is recorded until the run stops first was taken over from it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        imported: Option<Box<Log>>,
        /// What built the reproducer, where another repository did.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        harness: Option<HarnessAt>,
    },
    /// A later process goes on with the run.
    Resumed {
        /// kbisect's version.
        version: String,
    },
    /// The target is settled (again): the last one stands.
    Target {
        /// Its faces.
        faces: Vec<CrashReport>,
        /// Where it comes from: `title`, `crash file`, `start commit`.
        origin: String,
    },
    /// Which plugins serve which hook from here on.
    Routed {
        /// Hook and plugin ids, in order of asking.
        routes: Vec<(String, Vec<String>)>,
    },
    /// A suspicion plugin said how guilty the commits between the ends look, before any of them is tested. Where it failed, all
    /// weights are equal.
    Weighed {
        /// Which.
        plugin: String,
        /// The commits in question.
        #[serde(flatten)]
        stretch: Stretch,
        /// How many they are.
        commits: usize,
        /// How many of them have at least twice the mean weight.
        guilty: usize,
        /// By how many bits the prior makes it less uncertain which commit it is.
        bits: f64,
        /// The share of the prior that follows the weights; the rest is the same for every commit.
        share: f64,
        /// The weight that most commits have.
        usual: f64,
        /// The other commits with their weights, oldest first.
        weights: Vec<(CommitId, f64)>,
        /// Why the guiltiest have theirs.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        because: Vec<(CommitId, String)>,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// The search turned to a commit.
    Chosen {
        /// The commit.
        commit: CommitId,
        /// Why.
        role: Role,
        /// A release's tag.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        release: Option<String>,
        /// The subject.
        subject: String,
        /// Revisions left after this one, as git counts or as the posterior does.
        left: usize,
        /// Rough number of steps for that many.
        steps: usize,
    },
    /// A build ended.
    BuildEnded {
        /// The commit.
        commit: CommitId,
        /// Which build of the commit, from 1.
        build: u32,
        /// How.
        result: BuildResult,
        /// How long, in seconds.
        seconds: f64,
    },
    /// A trial ended.
    TrialEnded {
        /// Its number, unique in the run.
        trial: TrialNumber,
        /// The commit.
        commit: CommitId,
        /// Why it was tested.
        role: Role,
        /// Which build of the commit, from 1.
        build: u32,
        /// Which trial of the commit, from 1: its folder, and part of its seed.
        n: u32,
        /// How it ended.
        outcome: Outcome,
        /// Why a crash was or was not taken for the target, in one line.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        reason: String,
        /// Every report on its console, the outcome's own included: first those that could be it.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        reports: Vec<CrashReport>,
        /// How many of them, the last ones, could not be the outcome's: they came before the reproducer ran, or are known noise.
        #[serde(skip_serializing_if = "is_zero", default)]
        uncounted: u32,
        /// What a crash that is rather not the target weighed in the search when it ended: how many times likelier it is at a bad
        /// commit than at a good one, 1 being no vote. None where the search weighs no crashes yet, or goes by verdicts alone.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        weight: Option<f64>,
        /// Share of the full exposure, 0 to 1.
        exposure: f64,
        /// Until the reproducer was started: the machine made and booted, and its control test. None where it never was.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        boot: Option<f64>,
        /// How long, in seconds.
        seconds: f64,
    },
    /// A trial was cancelled, clean until then, before it could say much: it is weighed, but is no trial to people and policies.
    CutShort {
        /// Its number, unique in the run.
        trial: TrialNumber,
        /// The commit.
        commit: CommitId,
        /// Why it was tested.
        role: Role,
        /// Which build of the commit, from 1.
        build: u32,
        /// Share of the full exposure, 0 to 1.
        exposure: f64,
    },
    /// The commit that is to be named was taken back, to see whether the crash goes with it.
    Reverted {
        /// The commit.
        commit: CommitId,
        /// Where: the newest commit. None: the start commit.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        at: Option<CommitId>,
        /// What became of it.
        reverted: Reverted,
    },
    /// It was looked how far the reproducer gets at a commit: at the start commit first, with which the others are compared. That run is no
    /// evidence.
    Reached {
        /// The commit.
        commit: CommitId,
        /// What was found.
        found: Reach,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// The configuration is made smaller at the start commit from here on.
    Minimizing {
        /// Groups of detectors that may go.
        detectors: Vec<String>,
        /// Groups of detectors that stay because they find crashes of the target's type.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        kept: Vec<String>,
        /// Options that the baseline does not have.
        options: usize,
        /// A digest of all that may go: answers refer to it.
        digest: String,
    },
    /// A kernel of the start commit with a smaller configuration was built.
    ConfigBuilt {
        /// Which smaller configuration, from 1.
        test: u32,
        /// How.
        result: BuildResult,
        /// How long, in seconds.
        seconds: f64,
    },
    /// A trial of such a kernel ended. It is no evidence of the search.
    ConfigTried {
        /// Which smaller configuration, from 1.
        test: u32,
        /// Its number, unique in the run.
        trial: TrialNumber,
        /// The start commit.
        commit: CommitId,
        /// Which trial of the commit, from 1: its folder, and part of its seed.
        n: u32,
        /// How it ended.
        outcome: Outcome,
        /// Why a crash was or was not taken for the target, in one line.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        reason: String,
        /// Share of the full exposure, 0 to 1.
        exposure: f64,
        /// How long, in seconds.
        seconds: f64,
    },
    /// It is settled whether a smaller configuration shows the crash.
    ConfigTested {
        /// What was tested, and what came of it.
        #[serde(flatten)]
        tested: ConfigTest,
    },
    /// The configuration is as small as it gets, or stays as it was. The start commit's trials with another one no longer count.
    Minimized {
        /// What came of it.
        #[serde(flatten)]
        minimized: Minimized,
        /// Those trials.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        retracted: Vec<TrialNumber>,
    },
    /// The newest commit of the history is to be tested, before the search begins, so that nobody looks for what is mended.
    Tip {
        /// The branch, as people type it.
        name: String,
        /// The commit.
        commit: CommitId,
        /// First line of its message.
        subject: String,
        /// Trials at most; the first that shows the crash is the last.
        trials: u32,
    },
    /// A crash is judged again, because the target became clearer.
    Related {
        /// The trial.
        trial: TrialNumber,
        /// The outcome that stands from here on.
        outcome: Outcome,
        /// Why, in one line.
        reason: String,
    },
    /// Verdicts are taken for granted from here on. An answer that was given before no longer stands.
    Assumed {
        /// The verdicts.
        assumed: Vec<Assumed>,
    },
    /// Trials and assumptions are taken back, and with them an answer that was given before.
    Retracted {
        /// The trials.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        trials: Vec<TrialNumber>,
        /// The commits of which nothing is assumed any more.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        assumed: Vec<CommitId>,
    },
    /// Somebody asks for trials at a commit, whatever the search would do. An answer that was given before no longer stands.
    ByHand {
        /// The commit.
        commit: CommitId,
        /// Its subject.
        subject: String,
        /// How many more.
        trials: u32,
    },
    /// The flake policy answered.
    Judged {
        /// The commit.
        commit: CommitId,
        /// Trials it had seen.
        trials: u32,
        /// Which plugin.
        plugin: String,
        /// Its answer.
        judgement: Judgement,
    },
    /// A plugin said something.
    PluginLog {
        /// Which.
        plugin: String,
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// What.
        message: String,
    },
    /// A plugin call failed; the bundled plugin answered instead.
    PluginFailed {
        /// Which.
        plugin: String,
        /// The hook.
        hook: String,
        /// How.
        error: String,
        /// This was the third: the plugin is not asked again.
        disabled: bool,
    },
    /// Something people should know.
    Warned {
        /// What.
        message: String,
    },
    /// The search is over.
    Concluded {
        /// The answer.
        conclusion: Conclusion,
        /// Where everything stands.
        summary: Summary,
        /// The named commit, or the one that history ends with.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        commit: Option<CommitText>,
        /// The console's lines for the target, at most 60.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        splat: String,
        /// The commit that showed it so.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        splat_at: Option<CommitId>,
        /// Other bugs that the trials came upon, the most frequent first.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        others: Vec<OtherBug>,
        /// How sure it is that the named commit introduced the crash, where more is known than the trials say.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        credence: Option<Credence>,
        /// What must be said of the commit that the trials lead to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        caveat: Option<Caveat>,
    },
    /// Who is to be told.
    Addressed {
        /// The list, in order.
        recipients: Vec<Recipient>,
    },
    /// A signal asks the run to stop: nothing more is started, and what runs is waited for.
    Stopping,
    /// The run ended without an answer; `resume` goes on.
    Stopped {
        /// Why: `signal`, `deadline`, `infrastructure`, …
        why: String,
    },
}

/// What serde asks.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Event {
    /// What is taken for granted from this event on.
    pub fn assumed(&self) -> &[Assumed] {
        match self {
            Self::Started { assumed, .. } | Self::Assumed { assumed } => assumed,
            _ => &[],
        }
    }

    /// Trials that no longer count from this event on.
    pub fn taken_back(&self) -> &[TrialNumber] {
        match self {
            Self::Retracted { trials: retracted, .. } | Self::Minimized { retracted, .. } => retracted,
            _ => &[],
        }
    }

    /// Whether an answer that was given before no longer stands.
    pub fn reopens(&self) -> bool {
        matches!(self, Self::Assumed { .. } | Self::Retracted { .. } | Self::ByHand { .. })
    }
}

/// What renderers are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Notice<'a> {
    /// A durable event, already in the journal.
    Durable(&'a Entry),
    /// Progress.
    Progress(&'a Progress),
}
