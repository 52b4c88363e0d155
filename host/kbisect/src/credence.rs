//! How sure the name is that a bisection log gives: the facts for [`Credence`], from the log alone.
//!
//! Owns what of a log speaks for its name and against it: the crashes at the named commit beside those at the start commit, how many
//! releases were walked, and what the commit touches beside the log's final splat. Who judges these is the plugins'; how they become
//! chances, the core's.

use std::collections::BTreeMap;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::crash::Face;
use kbisect_core::credence::Credence;
use kbisect_core::credence::Findings;
use kbisect_core::credence::Trials;

use crate::error::Error;
use crate::plugin::answer::CommitFacts;
use crate::policy::BisectionState;
use crate::policy::Policies;
use crate::policy::console;
use crate::policy::property;
use crate::syzbot::CommitText;
use crate::syzbot::Extent;
use crate::syzbot::Found;
use crate::syzbot::Log;
use crate::syzbot::Place;
use crate::syzbot::Run;
use crate::syzbot::Tested;

#[cfg(test)]
mod tests;

/// The report's property that lists its source files.
const FILES: &str = "files";

/// How sure the commit is that a log names; none where it names none. `boundary` is the probability that the crash begins to show
/// there, by the log's trials judged anew.
///
/// # Errors
///
/// When the bundled classifier fails.
pub fn of_log(policies: &Policies, log: &Log, boundary: f64) -> Result<Option<Credence>, Error> {
    Ok(findings(policies, log, boundary)?.map(|findings| Credence::of(&findings)))
}

/// What is known of the commit that a log names; none where it names none.
///
/// # Errors
///
/// When the bundled classifier fails.
pub fn findings(policies: &Policies, log: &Log, boundary: f64) -> Result<Option<Findings>, Error> {
    let answer = log.answer();
    let Found::One { commit, subject, text } = answer.found else { return Ok(None) };
    let equal_kernels = answer.culprit_signature.is_some() && answer.culprit_signature == answer.parent_signature;
    let tests = log.tests();
    let target = Target { policies, commit, faces: tests.first().map(faces).unwrap_or_default() };
    let (shown, likest) = target.at_commit(&tests)?;
    let splat = match &answer.crash {
        Some(crash) => console::classify(policies, crash.report.as_bytes(), None)?.reports.into_iter().next(),
        None => None,
    };
    let same = match &splat {
        Some(report) => target.same(report)?,
        None => likest,
    };
    let releases = tests.iter().filter(|tested| matches!(tested.place, Place::Release(_))).count();
    let releases = u32::try_from(releases).unwrap_or(u32::MAX);
    let credit = text.zip(splat).and_then(|(text, splat)| {
        let facts = CommitFacts { id: commit, subject, files: files(&text, &splat) };
        let report = answer.crash.as_ref().map_or("", |crash| &crash.report);
        policies.attribute_in(shows(splat, report), &facts, releases)
    });
    Ok(Some(Findings { boundary, trials: Trials::Log, same, shown, equal_kernels, releases, reached: None, credit }))
}

/// The looks that the crash had at the start commit: titles, since a log shows no more.
fn faces(start: &Tested) -> Vec<Face> {
    let mut titles: BTreeMap<&str, u32> = BTreeMap::new();
    for run in &start.runs {
        if let Run::Crashed(title) = run {
            *titles.entry(title).or_default() += 1;
        }
    }
    titles.into_iter().map(|(title, trials)| Face { report: CrashReport::titled(title), trials }).collect()
}

/// What is looked for, and where it was found.
struct Target<'a> {
    policies: &'a Policies,
    commit: CommitId,
    faces: Vec<Face>,
}

impl Target<'_> {
    fn same(&self, report: &CrashReport) -> Result<f64, Error> {
        let relation = self.policies.relate_to(self.faces.clone(), report, &self.commit);
        Ok(relation.map_err(|failure| Error::internal(failure.reason))?.same)
    }

    /// The share of the commit's valid trials that show the target, each by its chance, and the highest such chance.
    fn at_commit(&self, tests: &[Tested]) -> Result<(f64, f64), Error> {
        let mut chances: BTreeMap<&str, f64> = BTreeMap::new();
        let (mut sum, mut valid, mut likest) = (0.0, 0_u32, 0.0_f64);
        for run in tests.iter().filter(|tested| tested.commit == self.commit).flat_map(|tested| &tested.runs) {
            match run {
                Run::Crashed(title) => {
                    let chance = match chances.get(title.as_str()) {
                        Some(chance) => *chance,
                        None => self.same(&CrashReport::titled(title))?,
                    };
                    chances.insert(title, chance);
                    sum += chance;
                    likest = likest.max(chance);
                    valid += 1;
                }
                Run::Ok => valid += 1,
                Run::Ignored(_) | Run::Void(_) => {}
            }
        }
        Ok((sum / f64::from(valid.max(1)), likest))
    }
}

/// The bisection as a suspicion plugin sees it: the target looks as the final splat does.
fn shows(splat: CrashReport, text: &str) -> BisectionState {
    // Symbolized reports name files of the architecture, the entry from user space at least.
    const MACHINES: [(&str, &str); 3] = [("arch/x86/", "x86_64"), ("arch/arm64/", "aarch64"), ("arch/riscv/", "riscv64")];
    let machine = MACHINES.iter().find(|(folder, _)| text.contains(folder));
    let properties = machine.map(|(_, machine)| (property::ARCH.to_owned(), (*machine).to_owned())).into_iter().collect();
    BisectionState { faces: vec![Face { report: splat, trials: 1 }], properties, ..BisectionState::default() }
}

/// The paths that the commit changes, as suspicion plugins are told: a merge's are not known to be its own. Paths that the log
/// shortens are those of the splat's files that they may stand for.
fn files(text: &CommitText, splat: &CrashReport) -> Vec<String> {
    if text.merge {
        return Vec::new();
    }
    let listed = splat.properties.iter().filter(|(key, _)| key == FILES);
    let shown: Vec<&str> = listed.flat_map(|(_, files)| files.split_whitespace()).chain(splat.guilty_file.as_deref()).collect();
    let full = |change: &crate::syzbot::Change| match change.extent {
        Extent::File => change.path.clone(),
        Extent::Tail | Extent::Top => {
            shown.iter().find(|file| change.may_touch(file)).map_or(change.path.clone(), |file| (*file).to_owned())
        }
    };
    text.changes.iter().map(full).collect()
}
