//! Why a run did what it did: its journal, gone through again with the search beside it.

use std::collections::HashMap;
use std::path::Path;

use kbisect_core::bisector::Evidence;
use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Summary;
use kbisect_core::bisector::Tested;
use kbisect_core::bisector::TrialNumber;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::credence::Credence;
use kbisect_core::credence::Part;
use kbisect_core::graph::NodeSet;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::TARGET_LOOK;
use kbisect_core::policy::Trial;
use kbisect_core::policy::Verdict;

use super::recorded;
use super::reread::Names;
use super::reread::Reread;
use super::state::State;
use crate::error::Error;
use crate::record::event::Ends;
use crate::record::event::Entry;
use crate::record::event::Event;
use crate::record::explanation::Asked;
use crate::record::explanation::Candidate;
use crate::record::explanation::Counts;
use crate::record::explanation::Explanation;
use crate::record::explanation::IfSo;
use crate::record::explanation::Number;
use crate::record::explanation::Parent;
use crate::record::explanation::SCHEMA;
use crate::record::explanation::Standing;
use crate::record::explanation::Stay;
use crate::record::explanation::TrialTold;
use crate::record::faces::Faces;
use crate::record::priors::priors;
use crate::record::reaches::Reaches;
use crate::record::report;
use crate::record::report::Subject;

/// So many candidates are told of, and none but the first that is less likely than this.
const CANDIDATES: usize = 5;
const LIKELY: f64 = 0.0005;
/// A trial that nobody has made.
const IMAGINED: TrialNumber = TrialNumber(u64::MAX);
/// The chance of being the target that an imagined crash has.
const SURELY: f64 = 0.999;

/// Explains a run, or one commit in it; other processes may be working on it.
pub fn explain(directory: &Path, commit: Option<&str>) -> Result<Explanation, Error> {
    let entries = super::entries(directory)?;
    let Reread { state, names, ends, .. } = Reread::open(directory, &entries)?;
    let asked = commit.map(|name| names.resolve(name, &entries)).transpose()?;
    let ends = &ends;
    let mut telling = Telling::new(state, &names, asked);
    entries.iter().for_each(|entry| telling.take(entry));
    telling.close();
    let Telling { state, stays, trials, judged, retracted, .. } = telling;
    let concluded = entries.iter().rev().take_while(|entry| !entry.event.reopens()).find_map(|entry| match &entry.event {
        Event::Concluded { credence, caveat, .. } => Some((credence.as_ref(), caveat.clone())),
        _ => None,
    });
    let (credence, caveat) = concluded.unwrap_or_default();
    let told = Told { entries: &entries, names: &names, ends, state: &state, summary: names.summary(&state), credence };
    if let Some(asked) = asked {
        told.check(asked)?;
    }
    let assumed = entries.iter().flat_map(|entry| entry.event.assumed());
    let stands = |one: &&crate::record::event::Assumed| told.summary.assumed.contains(&one.assumption);
    Ok(Explanation {
        schema: SCHEMA,
        kind: ends.kind,
        start: told.subject(ends.start),
        titles: Faces::of(&entries).counts().into_iter().map(|face| face.title).collect(),
        assumed: assumed.filter(stands).cloned().collect(),
        retracted,
        of_a_log: names.are_of_a_log(),
        log_named: recorded::only_log(&entries).and_then(report::named_by),
        stays,
        commit: asked.map(|commit| told.asked(commit, trials, judged)),
        now: standing(&names, &state, None),
        caveat,
        reach: Reaches::of(&entries).into_list(),
        candidates: told.candidates(),
        numbers: told.numbers(),
        conclusion: state.concluded.clone(),
    })
}

/// Where the search stands, and how likely a commit has the bug.
fn standing(names: &Names, state: &State, commit: Option<CommitId>) -> Standing {
    let Summary { range, left, bits, .. } = names.summary(state);
    Standing { range, left, bits, bad: commit.and_then(|commit| state.bisector.bad(&commit)) }
}

/// The journal, gone through once.
struct Telling<'a> {
    state: State,
    names: &'a Names,
    asked: Option<CommitId>,
    stays: Vec<Stay>,
    /// The stay that goes on; it counts once a trial ended in it.
    open: Option<Stay>,
    by_hand: bool,
    trials: Vec<TrialTold>,
    judged: Option<(String, Judgement)>,
    retracted: usize,
}

impl<'a> Telling<'a> {
    fn new(state: State, names: &'a Names, asked: Option<CommitId>) -> Self {
        Self {
            state,
            names,
            asked,
            stays: Vec::new(),
            open: None,
            by_hand: false,
            trials: Vec::new(),
            judged: None,
            retracted: 0,
        }
    }

    fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Chosen { commit, role, release, subject, .. } if self.turns_to(commit) => {
                self.close();
                let standing = standing(self.names, &self.state, Some(*commit));
                self.open = Some(Stay {
                    number: self.stays.len() + 1,
                    commit: Subject { commit: *commit, subject: subject.clone() },
                    role: *role,
                    release: release.clone(),
                    by_hand: std::mem::take(&mut self.by_hand),
                    counts: Counts::default(),
                    before: standing,
                    after: standing,
                    verdict: None,
                });
            }
            Event::ByHand { .. } => {
                self.close();
                self.by_hand = true;
            }
            Event::TrialEnded { .. } => return self.trial(&entry.event),
            Event::Related { trial, outcome, reason } => {
                if let Some(told) = self.trials.iter_mut().find(|told| told.trial == *trial) {
                    told.outcome = outcome.clone();
                    told.reason.clone_from(reason);
                }
            }
            Event::Retracted { trials, assumed } => {
                self.retracted += trials.len() + assumed.len();
                self.trials.iter_mut().filter(|told| trials.contains(&told.trial)).for_each(|told| told.retracted = true);
            }
            Event::Minimized { retracted, .. } => {
                self.trials.iter_mut().filter(|told| retracted.contains(&told.trial)).for_each(|told| told.retracted = true);
            }
            Event::Judged { commit, plugin, judgement, .. } if Some(*commit) == self.asked => {
                self.judged = Some((plugin.clone(), judgement.clone()));
            }
            _ => {}
        }
        self.state.apply(&entry.event);
    }

    /// Whether a stay at the commit begins, rather than goes on.
    fn turns_to(&self, commit: &CommitId) -> bool {
        self.by_hand || self.open.as_ref().is_none_or(|open| open.commit.commit != *commit)
    }

    fn trial(&mut self, event: &Event) {
        let Event::TrialEnded { trial, commit, role, build, n, outcome, reason, exposure, .. } = event else {
            return;
        };
        let evidence = || {
            let trial_seen = Trial { outcome: outcome.clone(), exposure: *exposure };
            Evidence { number: *trial, commit: *commit, role: *role, build: *build, trial: trial_seen }
        };
        let asked = self.asked == Some(*commit);
        let ratio = if asked { self.state.bisector.weight(&evidence()) } else { None };
        self.state.apply(event);
        if let Some(open) = self.open.as_mut().filter(|open| open.commit.commit == *commit) {
            open.counts.commits = 1;
            count(&mut open.counts, outcome);
        }
        if asked {
            self.trials.push(TrialTold {
                trial: *trial,
                n: *n,
                build: *build,
                stay: self.open.as_ref().map_or(self.stays.len(), |open| open.number),
                outcome: outcome.clone(),
                reason: reason.clone(),
                exposure: *exposure,
                ratio,
                after: standing(self.names, &self.state, Some(*commit)),
                retracted: false,
            });
        }
    }

    /// The search turns away.
    fn close(&mut self) {
        if let Some(mut stay) = self.open.take().filter(|stay| stay.counts.commits > 0) {
            let summary = self.names.summary(&self.state);
            let tested = summary.tested.iter().find(|tested| tested.commit == stay.commit.commit);
            stay.verdict = tested.and_then(|tested| tested.verdict.clone());
            stay.after = standing(self.names, &self.state, Some(stay.commit.commit));
            self.stays.push(stay);
        }
    }
}

fn count(counts: &mut Counts, outcome: &Outcome) {
    match outcome {
        Outcome::Clean => counts.clean += 1,
        Outcome::Crashed(sighting) if sighting.is_target() => counts.hits += 1,
        Outcome::Crashed(_) => counts.other += 1,
        Outcome::Void(_) => counts.void += 1,
    }
}

/// A run as it stands, and what can be said of it.
struct Told<'a> {
    entries: &'a [Entry],
    names: &'a Names,
    ends: &'a Ends,
    state: &'a State,
    summary: Summary,
    /// How sure the answer is of itself, where it says so.
    credence: Option<&'a Credence>,
}

impl Told<'_> {
    fn subject(&self, commit: CommitId) -> Subject {
        Subject { commit, subject: self.names.subject(&commit) }
    }

    fn check(&self, asked: CommitId) -> Result<(), Error> {
        if self.state.bisector.graph().node(&asked).is_some() {
            return Ok(());
        }
        Err(Error::user(format!("commit {} is not in the history at hand", asked.short()))
            .hint("kbisect explain DIR tells the run, and which commits are likely"))
    }

    fn asked(&self, commit: CommitId, trials: Vec<TrialTold>, judged: Option<(String, Judgement)>) -> Asked {
        let suspect = self.state.bisector.readings().iter().fold(None, |sum: Option<f64>, reading| {
            let here = reading.suspects.iter().find(|suspect| suspect.commit == commit)?;
            Some(sum.unwrap_or(0.0) + reading.weight * here.probability)
        });
        Asked {
            commit: self.subject(commit),
            assumed: self.assumed(commit),
            trials,
            judged,
            now: standing(self.names, self.state, Some(commit)),
            candidate: suspect.filter(|_| !self.names.are_of_a_log()).map(|probability| self.candidate(commit, probability)),
        }
    }

    fn assumed(&self, commit: CommitId) -> Option<Verdict> {
        self.summary.assumed.iter().find(|one| one.commit == commit).map(|one| one.verdict.clone())
    }

    fn candidates(&self) -> Vec<Candidate> {
        let likely = |place: usize, probability: f64| place == 0 || probability >= LIKELY;
        let suspects = self.summary.suspects.iter().take(CANDIDATES).enumerate();
        let suspects = suspects.filter(|(place, suspect)| likely(*place, suspect.probability)).map(|(_, suspect)| suspect);
        suspects.map(|suspect| self.candidate(suspect.commit, suspect.probability)).collect()
    }

    fn candidate(&self, commit: CommitId, probability: f64) -> Candidate {
        let graph = self.state.bisector.graph();
        let node = graph.node(&commit);
        let above: Option<NodeSet> = node.map(|node| graph.descendants(&[node]));
        let contains = |tested: &&Tested| {
            let place = graph.node(&tested.commit);
            place.zip(above.as_ref()).is_some_and(|(place, above)| above.contains(place))
        };
        let (with, without): (Vec<&Tested>, Vec<&Tested>) = self.summary.tested.iter().partition(contains);
        let own = |commit: CommitId| sum(self.summary.tested.iter().filter(|tested| tested.commit == commit));
        let parents = node.map_or(&[][..], |node| graph.parents(node));
        Candidate {
            commit: self.subject(commit),
            probability,
            own: own(commit),
            prior: priors(self.entries, [commit]).pop(),
            with: sum(with.into_iter()),
            without: sum(without.into_iter()),
            assumed: self.assumed(commit),
            parents: parents
                .iter()
                .map(|&parent| graph.id(parent))
                .map(|commit| Parent { commit, own: own(commit), assumed: self.assumed(commit) })
                .collect(),
        }
    }

    /// The numbers, each with what one trial more would make of it.
    fn numbers(&self) -> Vec<Number> {
        let Some(leader) = self.summary.suspects.first() else {
            return self.credence.into_iter().flat_map(|credence| parts(credence, self.ends.kind)).collect();
        };
        // Without a trial at the start commit nobody knows how often a bad commit crashes.
        let vouched_for = self.summary.assumed.iter().any(|one| one.commit == self.ends.start);
        let measured = vouched_for || self.summary.tested.iter().any(|tested| tested.commit == self.ends.start);
        let named = |summary: &Summary| {
            summary.suspects.iter().find(|suspect| suspect.commit == leader.commit).map_or(0.0, |suspect| suspect.probability)
        };
        let graph = self.state.bisector.graph();
        let parents: Vec<CommitId> = graph
            .node(&leader.commit)
            .map_or(&[][..], |node| graph.parents(node))
            .iter()
            .map(|&parent| graph.id(parent))
            .collect();
        let shows = match self.ends.kind {
            Kind::Cause => format!("the crash begins to show at {}", leader.commit.short()),
            Kind::Fix => format!("the crash ends to show at {}", leader.commit.short()),
        };
        let around = std::iter::once((leader.commit, "there")).chain(parents.into_iter().map(|parent| (parent, "at its parent")));
        let mut numbers = vec![Number {
            what: shows,
            probability: measured.then_some(leader.probability),
            reason: None,
            if_so: around
                .flat_map(|(commit, place)| [(commit, place, true), (commit, place, false)])
                .map(|(commit, place, crash)| IfSo {
                    what: format!("one more trial {place} ({}) {}", commit.short(), if crash { "crashes" } else { "is clean" }),
                    probability: self.imagine(commit, crash).map(|summary| named(&summary)),
                })
                .collect(),
        }];
        numbers.extend(self.good_end());
        numbers.push(self.same_bug());
        numbers.extend(self.credence.into_iter().flat_map(introduced));
        numbers
    }

    /// Where the bisection would stand after one trial more; none where it would not count.
    fn imagine(&self, commit: CommitId, crash: bool) -> Option<Summary> {
        if self.summary.assumed.iter().any(|one| one.commit == commit) {
            return None;
        }
        let report = self.state.faces.first().cloned().unwrap_or_else(CrashReport::default);
        let outcome = if crash { Outcome::Crashed(Sighting { report, same: SURELY, look: TARGET_LOOK }) } else { Outcome::Clean };
        let past = self.state.past_at(commit).last();
        Some(self.state.bisector.imagine(Evidence {
            number: IMAGINED,
            commit,
            role: past.map_or(Role::Candidate, |past| past.role),
            build: past.map_or(1, |past| past.build),
            trial: Trial { outcome, exposure: 1.0 },
        }))
    }

    fn good_end(&self) -> Option<Number> {
        self.summary.range?;
        let ends = self.summary.tested.iter().filter(|tested| matches!(tested.role, Role::GoodEnd | Role::Release));
        let good: Vec<CommitId> = ends.filter(|tested| tested.bad < 0.5).map(|tested| tested.commit).collect();
        let (what, crash) = match self.ends.kind {
            Kind::Cause => ("the good end is bad after all, and the crash is older", true),
            Kind::Fix => ("the newest commit still crashes after all", true),
        };
        let if_so = good.into_iter().map(|end| IfSo {
            what: format!("one more trial at {} crashes", end.short()),
            probability: self.imagine(end, crash).map(|summary| summary.good_end_bad),
        });
        let probability = Some(self.summary.good_end_bad);
        Some(Number { what: what.to_owned(), probability, reason: None, if_so: if_so.collect() })
    }

    /// Whether all that counted as the target is one bug, and nothing of it was passed over.
    fn same_bug(&self) -> Number {
        let readings = self.state.bisector.readings();
        let mut doubtful: HashMap<u32, (&str, f64)> = HashMap::new();
        for past in self.state.trials.values() {
            if let Outcome::Crashed(sighting) = &past.outcome {
                doubtful.entry(sighting.look).or_insert((&sighting.report.title, sighting.same));
            }
        }
        let title = |look: &u32| doubtful.get(look).map_or("?", |(title, _)| title).to_owned();
        let beyond = match self.ends.kind {
            Kind::Cause => "it is older than the range",
            Kind::Fix => "it is not fixed yet",
        };
        let if_so = readings.iter().skip(1).map(|reading| {
            let best = reading.best().map_or_else(|| beyond.to_owned(), |best| best.commit.short());
            let as_target: Vec<String> = reading.as_target.iter().map(title).collect();
            let as_stray: Vec<String> = reading.as_stray.iter().map(title).collect();
            let is = |titles: &[String], words: &str| (!titles.is_empty()).then(|| format!("{} {words}", titles.join(", ")));
            let said: Vec<String> = is(&as_target, "the same bug").into_iter().chain(is(&as_stray, "another bug")).collect();
            let what = format!("{}: then {best}", said.join(", "));
            IfSo { what, probability: Some(reading.weight) }
        });
        Number {
            what: "the crashes are read right: which are the same bug, and which another".to_owned(),
            probability: readings.first().map(|first| first.weight),
            reason: None,
            if_so: if_so.collect(),
        }
    }
}

/// What an answer rests on that is no search's.
fn parts(credence: &Credence, kind: Kind) -> Vec<Number> {
    let number = |what: String, part: &Part| Number {
        what,
        probability: Some(part.chance),
        reason: Some(part.reason.clone()),
        if_so: Vec::new(),
    };
    let shows = if kind == Kind::Cause { "begins" } else { "ends" };
    let mut numbers = vec![
        number(format!("the crash {shows} to show at the commit that is named"), &credence.boundary),
        number("it is the same bug that shows there".to_owned(), &credence.same),
    ];
    numbers.extend(introduced(credence));
    numbers
}

/// That the commit introduced the crash rather than only exposes an older one, and with that the name as a whole.
fn introduced(credence: &Credence) -> [Number; 2] {
    let number = |what: &str, probability, reason: &str| Number {
        what: what.to_owned(),
        probability: Some(probability),
        reason: Some(reason.to_owned()),
        if_so: Vec::new(),
    };
    [
        number("it came in here, rather than only to show from here on", credence.introduced.chance, &credence.introduced.reason),
        number(
            "all of it: this commit introduced the crash",
            credence.probability,
            "the product of the boundary, the same bug and this",
        ),
    ]
}

fn sum<'a>(tested: impl Iterator<Item = &'a Tested>) -> Counts {
    tested.fold(Counts::default(), |sum, tested| Counts {
        commits: sum.commits + 1,
        hits: sum.hits + tested.hits,
        clean: sum.clean + tested.clean,
        void: sum.void + tested.void,
        other: sum.other + tested.other,
    })
}
