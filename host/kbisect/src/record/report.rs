//! The result as data (`report.json`), made from the journal alone.

use std::collections::BTreeMap;
use std::collections::HashMap;

use kbisect_core::bisector::Assumption;
use kbisect_core::bisector::Conclusion;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Suspect;
use kbisect_core::bisector::Tested;
use kbisect_core::caveat::Caveat;
use kbisect_core::commit::CommitId;
use kbisect_core::credence::Credence;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Rates;
use kbisect_core::policy::Stage;
use serde::Deserialize;
use serde::Serialize;

use super::cited;
use super::event::BuildResult;
use super::event::CommitText;
use super::event::Entry;
use super::event::Event;
use super::event::OtherBug;
use super::event::Recipient;
use super::faces::FaceCount;
use super::faces::Faces;
use super::minimized::Minimized;
use super::priors::Prior;
use super::priors::priors;
use super::reaches::ReachedAt;
use super::reaches::Reaches;
use super::reaches::is_not_exercised;
use super::setting::Setting;
use crate::git::Reverted;
use crate::syzbot::Found;
use crate::syzbot::Log;

/// Version of the report's shape.
pub const SCHEMA: u32 = 1;

/// What a finished run says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was looked for.
    pub kind: Kind,
    /// Nothing was tested here: this is what a log by syzbot comes to, judged anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_a_log: bool,
    /// The commit that this log named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_named: Option<Subject>,
    /// How it ended, with what remains. Without suspects where a commit is named and its probability was not measured.
    pub conclusion: Conclusion,
    /// The culprit (cause) or the fix; only when one commit is named.
    pub named: Option<Named>,
    /// What must be said of the commit that the trials lead to, whether it is named or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caveat: Option<Caveat>,
    /// What a suspicion plugin gave, before the trials, to the commits of the conclusion, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior: Vec<Prior>,
    /// Where the crash was seen: not the culprit.
    pub start: Subject,
    /// Ends of the range that had no trial of their own, and that nobody vouches for: that they are bad and good was taken on trust.
    pub on_trust: Vec<CommitId>,
    /// Verdicts that somebody vouches for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Assumption>,
    /// The target's titles, most frequent first, then those of other crashes that were taken for it.
    pub titles: Vec<String>,
    /// The same titles with how often each was seen.
    #[serde(default)]
    pub faces: Vec<FaceCount>,
    /// A title for each look of the crashes, by the numbers that readings use.
    pub looks: BTreeMap<u32, String>,
    /// Commits in the range, once it was known.
    pub range: Option<usize>,
    /// Estimated rates.
    pub rates: Option<Rates>,
    /// Every commit tested, oldest test first.
    pub tested: Vec<TestedCommit>,
    /// How the start commit, or the newest, does without the named commit, where that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverted: Option<Without>,
    /// How far the reproducer got where much depends on a clean trial, the start commit first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<ReachedAt>,
    /// What became of making the configuration smaller, where the job asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimized: Option<Minimized>,
    /// How the newest commit of the history did, where it was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Newest>,
    /// What was seen and not counted.
    pub not_counted: NotCounted,
    /// Other bugs that the trials came upon, the most frequent first.
    #[serde(default)]
    pub other_bugs: Vec<OtherBug>,
    /// Trials that ended, of every kind.
    pub trials: u64,
    /// From the first event to the conclusion, in seconds.
    pub seconds: f64,
    /// Of these, spent in builds.
    pub build_seconds: f64,
    /// Sum over all trials, side by side ones each for themselves.
    pub trial_seconds: f64,
    /// Who is to be told.
    pub recipients: Vec<Recipient>,
    /// What went wrong on the way: plugin failures and warnings.
    pub warnings: Vec<String>,
    /// The console's lines for the target.
    pub splat: String,
    /// The commit that showed it so, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub splat_at: Option<CommitId>,
    /// With what it was tested; the journal does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// What lies beside the report, for whoever gets it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// The script that builds the culprit and runs the reproducer, among [`Report::files`].
pub const SCRIPT: &str = "reproduce.sh";

/// How trials ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Trials that crashed with the target.
    pub hits: u32,
    /// Clean trials.
    pub clean: u32,
    /// Trials that crashed with something else.
    pub other: u32,
    /// Void trials.
    pub void: u32,
}

impl Counts {
    /// Trials that say something.
    pub fn valid(&self) -> u32 {
        self.hits + self.clean + self.other
    }

    /// All of them.
    pub fn ended(&self) -> u32 {
        self.valid() + self.void
    }

    /// Takes in how one ended.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Clean => self.clean += 1,
            Outcome::Crashed(sighting) if sighting.is_target() => self.hits += 1,
            Outcome::Crashed(_) => self.other += 1,
            Outcome::Void(_) => self.void += 1,
        }
    }
}

/// The newest commit of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// The branch, as people type it.
    pub name: String,
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub subject: String,
    /// How its trials ended; the first that showed the target was the last.
    #[serde(flatten)]
    pub counts: Counts,
}

/// The start commit, or the newest, without the named commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Without {
    /// It was tested.
    Tested {
        /// The commit that was made.
        commit: CommitId,
        /// Of which: the newest. None: the start commit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<CommitId>,
        /// How its trials ended.
        #[serde(flatten)]
        counts: Counts,
    },
    /// Later changes to these files are in the way.
    Conflicts {
        /// The files.
        conflicts: Vec<String>,
    },
}

/// The commit that is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// The commit.
    #[serde(flatten)]
    pub text: CommitText,
    /// Probability that the crash begins (or ends) to show here, as the search sees it. None where the start commit had no trial:
    /// nobody knows then how often a bad commit crashes.
    pub probability: Option<f64>,
    /// How sure it is that the commit introduced the crash, where more is known than the trials say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credence: Option<Credence>,
    /// The line for the patch that mends it, in the kernel's form.
    pub fixes_tag: String,
    /// What its compiler says that it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// Symbols that its configuration should have and has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Its kernel is known not to be that of its only parent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kernel_differs: bool,
}

/// A commit with its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub subject: String,
}

/// A tested commit with its subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestedCommit {
    /// What is known of it.
    #[serde(flatten)]
    pub tested: Tested,
    /// First line of its message.
    pub subject: String,
}

/// What was seen and not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCounted {
    /// Titles of crashes judged to be something else, with how often.
    pub other_crashes: BTreeMap<String, u32>,
    /// Void trials by stage.
    pub void: BTreeMap<Stage, u32>,
}

impl Report {
    /// The report of a run that has concluded; none before.
    pub fn from_entries(entries: &[Entry]) -> Option<Self> {
        let (started, ends, start_subject, only_log) = entries.iter().find_map(|entry| match &entry.event {
            Event::Started { ends, subject, repo, imported, .. } => {
                Some((entry.time, ends, subject, imported.as_deref().filter(|_| repo.is_none())))
            }
            _ => None,
        })?;
        let took = only_log.and_then(|log| log.answer().totals);
        // What was concluded before something was taken back, assumed or asked for does not stand.
        let mut since = entries.iter().rev().take_while(|entry| !entry.event.reopens());
        let end = since.find(|entry| matches!(entry.event, Event::Concluded { .. }))?;
        let Event::Concluded { conclusion, summary, commit, splat, splat_at, others, credence, caveat } = &end.event else {
            return None;
        };
        let subjects = subjects(entries);
        let outcomes = outcomes(entries);
        let faces = Faces::of(entries).counts();
        let untested = |end: &&CommitId| {
            let counts = |one: &&Tested| one.commit == **end && one.hits + one.clean + one.other > 0;
            !summary.tested.iter().any(|one| counts(&one)) && !summary.assumed.iter().any(|one| one.commit == **end)
        };
        let on_trust: Vec<CommitId> = [&ends.start].into_iter().chain(&ends.good).filter(untested).copied().collect();
        let measured = !on_trust.contains(&ends.start);
        let mut conclusion = conclusion.clone();
        let prior = priors(entries, spoken_of(&conclusion));
        let named = match &mut conclusion {
            Conclusion::Found { suspects } => {
                let probability = suspects.first().filter(|_| measured).map(|first: &Suspect| first.probability);
                if !measured {
                    suspects.clear();
                }
                commit.clone().map(|text| Named::of(text, probability, credence.clone(), entries))
            }
            _ => None,
        };
        let seconds_of = |pick: fn(&Event) -> Option<f64>| {
            entries.iter().filter_map(|entry| pick(&entry.event)).fold(0.0, |sum, seconds| sum + seconds)
        };
        Some(Self {
            schema: SCHEMA,
            kind: ends.kind,
            of_a_log: only_log.is_some(),
            log_named: only_log.and_then(named_by),
            conclusion,
            named,
            caveat: caveat.clone(),
            prior,
            start: Subject { commit: ends.start, subject: start_subject.clone() },
            on_trust,
            assumed: summary.assumed.clone(),
            titles: faces.iter().map(|face| face.title.clone()).collect(),
            faces,
            looks: looks(outcomes.values().copied()),
            range: summary.range,
            rates: summary.rates,
            tested: summary
                .tested
                .iter()
                .map(|tested| TestedCommit {
                    tested: tested.clone(),
                    subject: subjects.get(&tested.commit).cloned().unwrap_or_default(),
                })
                .collect(),
            reverted: without(entries, commit.as_ref(), &outcomes),
            reach: Reaches::of(entries).into_list(),
            minimized: entries.iter().rev().find_map(|entry| match &entry.event {
                Event::Minimized { minimized, .. } => Some(minimized.clone()),
                _ => None,
            }),
            newest: newest(entries, &outcomes),
            not_counted: not_counted(outcomes.values().copied()),
            other_bugs: others.clone(),
            trials: outcomes.len() as u64,
            seconds: took.and_then(|took| took.total).unwrap_or_else(|| end.time.duration_since(started).as_secs_f64()),
            build_seconds: took.and_then(|took| took.build).unwrap_or_else(|| {
                seconds_of(|event| match event {
                    Event::BuildEnded { seconds, .. } | Event::ConfigBuilt { seconds, .. } => Some(*seconds),
                    _ => None,
                })
            }),
            trial_seconds: seconds_of(|event| match event {
                Event::TrialEnded { seconds, .. } | Event::ConfigTried { seconds, .. } => Some(*seconds),
                _ => None,
            }),
            recipients: recipients(entries),
            warnings: warnings(entries),
            splat: splat.clone(),
            splat_at: *splat_at,
            setting: None,
            files: Vec::new(),
        })
    }

    /// Whether clean trials at a commit say nothing of whether the bug is there.
    pub fn is_not_exercised(&self, commit: &CommitId) -> bool {
        is_not_exercised(&self.reach, commit)
    }

    /// Whether the named commit only opens the way to the crash, as far as its clean parents tell.
    pub fn only_shows(&self) -> bool {
        self.kind == Kind::Cause
            && self.named.as_ref().is_some_and(|named| named.text.parents.iter().any(|parent| self.is_not_exercised(parent)))
    }
}

impl Named {
    fn of(text: CommitText, probability: Option<f64>, credence: Option<Credence>, entries: &[Entry]) -> Self {
        let (own, parent) = (kernel(entries, &text.commit), text.parents.first().and_then(|parent| kernel(entries, parent)));
        let differ = matches!((&own, &parent), (Some((Some(own), ..)), Some((Some(parent), ..))) if own != parent);
        let kernel_differs = differ && text.parents.len() == 1;
        let (compiler, lost) = own.map_or((None, Vec::new()), |(_, compiler, lost)| (compiler, lost));
        Self { fixes_tag: fixes_tag(&text), text, probability, credence, compiler, lost, kernel_differs }
    }
}

/// Signature, compiler and lost symbols of a commit's kernel.
fn kernel(entries: &[Entry], of: &CommitId) -> Option<(Option<String>, Option<String>, Vec<String>)> {
    entries.iter().find_map(|entry| match &entry.event {
        Event::BuildEnded { commit, result: BuildResult::Built { signature, compiler, lost, .. }, .. } if commit == of => {
            Some((signature.clone(), compiler.clone(), lost.clone()))
        }
        _ => None,
    })
}

/// How the newest commit did, as far as its trials stand.
fn newest(entries: &[Entry], outcomes: &BTreeMap<u64, &Outcome>) -> Option<Newest> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Tip { name, commit, subject, .. } => Some(Newest {
            name: name.clone(),
            commit: *commit,
            subject: subject.clone(),
            counts: counts(entries, outcomes, commit),
        }),
        _ => None,
    })
}

/// How a commit's trials ended, of those that stand.
fn counts(entries: &[Entry], outcomes: &BTreeMap<u64, &Outcome>, at: &CommitId) -> Counts {
    let mut counts = Counts::default();
    let numbers = entries.iter().filter_map(|entry| match &entry.event {
        Event::TrialEnded { trial, commit, .. } if commit == at => Some(trial.0),
        _ => None,
    });
    numbers.filter_map(|number| outcomes.get(&number)).for_each(|outcome| counts.add(outcome));
    counts
}

/// How it goes without the commit that is named, as far as its trials stand.
fn without(entries: &[Entry], named: Option<&CommitText>, outcomes: &BTreeMap<u64, &Outcome>) -> Option<Without> {
    let named = named?.commit;
    let reverted = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Reverted { commit, at, reverted } if *commit == named => Some((*at, reverted)),
        _ => None,
    })?;
    Some(match reverted {
        (at, Reverted::Made(made)) => Without::Tested { commit: *made, at, counts: counts(entries, outcomes, made) },
        (_, Reverted::Conflicts(files)) => Without::Conflicts { conflicts: files.clone() },
    })
}

/// The commit that a log names.
pub fn named_by(log: &Log) -> Option<Subject> {
    match log.answer().found {
        Found::One { commit, subject, .. } => Some(Subject { commit, subject }),
        _ => None,
    }
}

/// The commits that a conclusion weighs.
fn spoken_of(conclusion: &Conclusion) -> Vec<CommitId> {
    match conclusion {
        Conclusion::Found { suspects } | Conclusion::Inconclusive { suspects, .. } => {
            suspects.iter().map(|suspect| suspect.commit).collect()
        }
        _ => Vec::new(),
    }
}

/// The `Fixes:` line of the kernel's patch rules: 12 digits, the whole subject, one line; of what was picked from mainline, mainline's.
pub fn fixes_tag(text: &CommitText) -> String {
    format!("Fixes: {}", cited(&text.upstream.unwrap_or(text.commit), &text.subject))
}

/// The subjects of all commits the search turned to.
pub fn subjects(entries: &[Entry]) -> HashMap<CommitId, String> {
    let mut subjects = HashMap::new();
    for entry in entries {
        match &entry.event {
            Event::Chosen { commit, subject, .. } | Event::ByHand { commit, subject, .. } => {
                subjects.insert(*commit, subject.clone())
            }
            Event::Started { ends, subject, .. } => subjects.insert(ends.start, subject.clone()),
            _ => None,
        };
        let assumed = entry.event.assumed().iter().map(|one| (one.assumption.commit, one.subject.clone()));
        subjects.extend(assumed);
    }
    subjects
}

/// How each trial that still counts ended, by number.
fn outcomes(entries: &[Entry]) -> BTreeMap<u64, &Outcome> {
    let mut outcomes = BTreeMap::new();
    for entry in entries {
        match &entry.event {
            Event::TrialEnded { trial, outcome, .. } | Event::Related { trial, outcome, .. } => {
                outcomes.insert(trial.0, outcome);
            }
            Event::Retracted { .. } | Event::Minimized { .. } => entry.event.taken_back().iter().for_each(|trial| {
                outcomes.remove(&trial.0);
            }),
            _ => {}
        }
    }
    outcomes
}

fn not_counted<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> NotCounted {
    let mut not_counted = NotCounted::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Clean => {}
            Outcome::Crashed(sighting) if sighting.is_target() => {}
            Outcome::Crashed(sighting) => {
                *not_counted.other_crashes.entry(sighting.report.title.clone()).or_default() += 1;
            }
            Outcome::Void(Failure { stage, .. }) => *not_counted.void.entry(*stage).or_default() += 1,
        }
    }
    not_counted
}

fn looks<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> BTreeMap<u32, String> {
    let mut looks = BTreeMap::new();
    for outcome in outcomes {
        if let Outcome::Crashed(sighting) = outcome {
            looks.entry(sighting.look).or_insert_with(|| sighting.report.title.clone());
        }
    }
    looks
}

fn recipients(entries: &[Entry]) -> Vec<Recipient> {
    let found = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Addressed { recipients } => Some(recipients.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn warnings(entries: &[Entry]) -> Vec<String> {
    let text = |entry: &Entry| match &entry.event {
        Event::Warned { message } => Some(message.clone()),
        Event::PluginFailed { plugin, hook, error, .. } => Some(format!("plugin `{plugin}` failed in {hook}: {error}")),
        _ => None,
    };
    entries.iter().filter_map(text).collect()
}
