//! A log's runs as trials: what each crash is to the target by today's classifiers.

use std::collections::HashMap;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Trial;

use crate::error::Error;
use crate::policy::Policies;
use crate::policy::Relation;
use crate::policy::console;
use crate::session::looks::Looks;
use crate::session::looks::SAME;
use crate::session::target::clusters;
use crate::syzbot::Crash;
use crate::syzbot::Run;
use crate::syzbot::Tested;

/// What a title is taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The title.
    pub title: String,
    /// Chance of being the target.
    pub same: f64,
    /// Why.
    pub reason: String,
    /// Which look it has.
    pub look: u32,
    /// Trials of the commit that showed it.
    pub trials: usize,
}

/// Turns runs into trials; remembers what it was told of a title.
pub(super) struct Reader<'a> {
    policies: &'a Policies,
    faces: Vec<Face>,
    looks: Looks,
    known: HashMap<String, (Relation, u32)>,
}

impl<'a> Reader<'a> {
    /// For a target with these faces.
    pub(super) fn new(policies: &'a Policies, faces: Vec<Face>) -> Self {
        let mut looks = Looks::default();
        let reports: Vec<CrashReport> = faces.iter().map(|face| face.report.clone()).collect();
        looks.set_target(&reports);
        Self { policies, faces, looks, known: HashMap::new() }
    }

    /// The commit's runs as trials, and what its crashes are taken for, the most frequent first.
    ///
    /// # Errors
    ///
    /// When the bundled classifier fails.
    pub(super) fn read(&mut self, test: &Tested) -> Result<(Vec<Trial>, Vec<Seen>), Error> {
        let mut trials = Vec::new();
        let mut seen: Vec<Seen> = Vec::new();
        if let Some(why) = &test.build_failed
            && test.runs.is_empty()
        {
            let reason = why.lines().next().unwrap_or_default().to_owned();
            trials.push(trial(Outcome::Void(Failure { stage: Stage::Build, reason })));
        }
        for run in &test.runs {
            trials.push(trial(match run {
                Run::Ok => Outcome::Clean,
                Run::Void(failure) => Outcome::Void(failure.clone()),
                Run::Ignored(title) => Outcome::Void(Failure { stage: Stage::Reproducer, reason: format!("ignored: {title}") }),
                Run::Crashed(title) => {
                    let (relation, look) = self.relate(title, &test.commit)?;
                    match seen.iter_mut().find(|seen| seen.title == *title) {
                        Some(seen) => seen.trials += 1,
                        None => seen.push(Seen {
                            title: title.clone(),
                            same: relation.same,
                            reason: relation.reason,
                            look,
                            trials: 1,
                        }),
                    }
                    Outcome::Crashed(Sighting { report: CrashReport::titled(title), same: relation.same, look })
                }
            }));
        }
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.trials));
        Ok((trials, seen))
    }

    /// How a title is related to the target, and its look.
    fn relate(&mut self, title: &str, at: &CommitId) -> Result<(Relation, u32), Error> {
        if let Some(known) = self.known.get(title) {
            return Ok(known.clone());
        }
        let report = CrashReport::titled(title);
        let relation = related(self.policies, self.faces.clone(), &report, at)?;
        let policies = self.policies;
        let look = self.looks.number(&report, |one, other| {
            let face = Face { report: one.clone(), trials: 1 };
            related(policies, vec![face], other, at).map_or(0.0, |relation| relation.same)
        });
        self.looks.learn(look, &report);
        self.known.insert(title.to_owned(), (relation.clone(), look));
        Ok((relation, look))
    }
}

fn trial(outcome: Outcome) -> Trial {
    Trial { outcome, exposure: 1.0 }
}

fn related(policies: &Policies, faces: Vec<Face>, seen: &CrashReport, at: &CommitId) -> Result<Relation, Error> {
    policies.relate_to(faces, seen, at).map_err(|failure| Error::internal(failure.reason))
}

/// The target's faces: the largest group of the start commit's crashes that are taken for one another. Where the log ends with a
/// report of one of them, that face has what the report tells.
///
/// # Errors
///
/// When the bundled classifier fails.
pub(super) fn faces(policies: &Policies, start: &Tested, last: Option<&Crash>) -> Result<Vec<Face>, Error> {
    let reports: Vec<CrashReport> = start
        .runs
        .iter()
        .filter_map(|run| match run {
            Run::Crashed(title) => Some(CrashReport::titled(title)),
            _ => None,
        })
        .collect();
    let mut failed = None;
    let groups = clusters(&reports, |one, other| {
        let face = Face { report: one.clone(), trials: 1 };
        match related(policies, vec![face], other, &start.commit) {
            Ok(relation) => relation.same >= SAME,
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let shown = |report: &CrashReport| reports.iter().filter(|one| one.title == report.title).count() as u32;
    let largest = groups.into_iter().next().map(|group| group.faces).unwrap_or_default();
    let mut faces: Vec<Face> = largest.into_iter().map(|report| Face { trials: shown(&report), report }).collect();
    if let Some(crash) = last
        && let Some(face) = faces.iter_mut().find(|face| face.report.title == crash.title)
        && let Some(told) = console::classify(policies, crash.report.as_bytes(), None)?.reports.into_iter().next()
    {
        face.report = CrashReport { title: crash.title.clone(), span: None, ..told };
    }
    Ok(faces)
}
