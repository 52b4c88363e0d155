//! The hooks' calls: arguments in, a checked answer out. A hook that the component does not export must not be asked.

use kbisect_core::caveat::Caveat;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::credence::Credit;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Judgement;
use kbisect_core::policy::Outcome;

use super::answer;
use super::answer::CommitFacts;
use super::answer::Edited;
use super::answer::Recipient;
use super::answer::Relation;
use super::answer::ReportEdit;
use super::answer::Suspect;
use super::call::Answer;
use super::call::CallError;
use super::call::Surroundings;
use super::load::Plugin;

const EXPORTED: &str = "the hook is exported, as inspection at load has shown";

impl Plugin {
    /// Asks for the texts whose presence means "a crash may have started".
    pub fn markers(&self, surroundings: &Surroundings) -> Answer<Vec<String>> {
        self.call(surroundings, 0, |store, instance| {
            let hook = self.exports.classifier.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            Ok(Ok(hook.call_markers(store)?))
        })
    }

    /// Asks what a console shows, given what earlier plugins found.
    pub fn classify(&self, surroundings: &Surroundings, console: &[u8], so_far: &[CrashReport]) -> Answer<Edited> {
        let bytes = console.len() + so_far.iter().map(report_size).sum::<usize>();
        let reports: Vec<_> = so_far.iter().map(Into::into).collect();
        self.call(surroundings, bytes, |store, instance| {
            let hook = self.exports.classifier.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_classify(store, console, &reports)?;
            Ok(answer.map_err(refused).and_then(|edits| {
                let edits: Vec<ReportEdit> = edits.into_iter().map(Into::into).collect();
                let reports = answer::edit_reports(so_far, &edits, console.len()).map_err(CallError::Nonsense)?;
                Ok(Edited { edits, reports })
            }))
        })
    }

    /// Asks whether a crash is the target; none: "ask the next".
    pub fn relate(&self, surroundings: &Surroundings, seen: &CrashReport, at: &CommitId) -> Answer<Option<Relation>> {
        self.call(surroundings, report_size(seen), |store, instance| {
            let hook = self.exports.classifier.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_relate(store, &seen.into(), &at.to_string())?;
            Ok(answer.map_err(refused).and_then(|relation| {
                relation.map(|relation| answer::check_relation(&relation.into()).map_err(CallError::Nonsense)).transpose()
            }))
        })
    }

    /// Asks what a commit's trials so far mean.
    pub fn judge(&self, surroundings: &Surroundings, ask: &Ask) -> Answer<Judgement> {
        let size = |outcome: &Outcome| match outcome {
            Outcome::Clean => 1,
            Outcome::Crashed(seen) => report_size(&seen.report),
            Outcome::Void(failure) => failure.reason.len(),
        };
        let bytes = ask.trials.iter().map(|trial| 16 + size(&trial.outcome)).sum();
        self.call(surroundings, bytes, |store, instance| {
            let hook = self.exports.flake_policy.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_judge(store, &ask.into())?;
            Ok(answer
                .map_err(CallError::Refused)
                .and_then(|judgement| answer::check_judgement(judgement.into(), ask).map_err(CallError::Nonsense)))
        })
    }

    /// Asks who is to be told; the answer is the whole new list.
    pub fn recipients(&self, surroundings: &Surroundings, suspects: &[Suspect], so_far: &[Recipient]) -> Answer<Vec<Recipient>> {
        let bytes = suspects.len() * 48 + so_far.iter().map(|person| person.email.len() + person.reason.len()).sum::<usize>();
        let suspects: Vec<_> = suspects.iter().map(Into::into).collect();
        let people: Vec<_> = so_far.iter().map(Into::into).collect();
        self.call(surroundings, bytes, |store, instance| {
            let hook = self.exports.recipients.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_select(store, &suspects, &people)?;
            Ok(answer.map_err(refused).and_then(|edits| {
                answer::edit_recipients(so_far, edits.into_iter().map(Into::into).collect()).map_err(CallError::Nonsense)
            }))
        })
    }

    /// Asks which commits look guilty: one weight each.
    pub fn weigh(&self, surroundings: &Surroundings, commits: &[CommitFacts]) -> Answer<Vec<f64>> {
        let bytes = commits.iter().map(CommitFacts::size).sum();
        let facts: Vec<_> = commits.iter().map(Into::into).collect();
        self.call(surroundings, bytes, |store, instance| {
            let hook = self.exports.suspicion.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_weigh(store, &facts)?;
            Ok(answer
                .map_err(CallError::Refused)
                .and_then(|weights| answer::check_weights(weights, commits.len()).map_err(CallError::Nonsense)))
        })
    }

    /// Asks why commits have their weights: one text each.
    pub fn because(&self, surroundings: &Surroundings, commits: &[CommitFacts]) -> Answer<Vec<String>> {
        let bytes = commits.iter().map(CommitFacts::size).sum();
        let facts: Vec<_> = commits.iter().map(Into::into).collect();
        self.call(surroundings, bytes, |store, instance| {
            let hook = self.exports.suspicion.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_because(store, &facts)?;
            Ok(answer
                .map_err(refused)
                .and_then(|reasons| answer::check_reasons(&reasons, commits.len()).map_err(CallError::Nonsense)))
        })
    }

    /// Asks what must be said of a commit beside its name; none: nothing.
    pub fn qualify(&self, surroundings: &Surroundings, commit: &CommitFacts, diff: Option<&str>) -> Answer<Option<Caveat>> {
        let bytes = commit.size() + diff.map_or(0, str::len);
        let facts = commit.into();
        self.call(surroundings, bytes, |store, instance| {
            let hook = self.exports.suspicion.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_qualify(store, &facts, diff)?;
            Ok(answer.map_err(refused).map(|caveat| caveat.map(Into::into)))
        })
    }

    /// Asks what a commit that the search ended at looks like; none: no opinion. `releases` were walked back to the first clean one.
    pub fn attribute(&self, surroundings: &Surroundings, commit: &CommitFacts, releases: u32) -> Answer<Option<Credit>> {
        let facts = commit.into();
        self.call(surroundings, commit.size(), |store, instance| {
            let hook = self.exports.suspicion.as_ref().expect(EXPORTED).load(&mut *store, instance)?;
            let answer = hook.call_attribute(store, &facts, releases)?;
            Ok(answer.map_err(refused).and_then(|credit| {
                credit.map(|credit| answer::check_credit(credit.odds, &credit.reason)).transpose().map_err(CallError::Nonsense)
            }))
        })
    }
}

/// The plugin's own error.
#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn refused(why: String) -> CallError {
    CallError::Refused(answer::one_line(&why))
}

/// About how many bytes a report is as an argument.
fn report_size(report: &CrashReport) -> usize {
    let texts = report.alt_titles.iter().chain(&report.trace).map(String::len).sum::<usize>();
    let properties = report.properties.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    report.title.len() + texts + properties
}
