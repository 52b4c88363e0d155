//! The words of `wit/` version 0 and the core's, turned into each other.

use kbisect_core::caveat::Caveat;
use kbisect_core::caveat::CaveatKind;
use kbisect_core::crash;
use kbisect_core::policy;

use super::bindings::kbisect::plugin::bisection as wit_bisection;
use super::bindings::kbisect::plugin::git as wit_git;
use super::bindings::kbisect::plugin::log as wit_log;
use super::bindings::kbisect::plugin::types as wit;
use super::exports::classifier as wit_classifier;
use super::exports::flake_policy as wit_flake;
use super::exports::recipients as wit_recipients;
use super::exports::suspicion as wit_suspicion;
use crate::plugin::answer;
use crate::plugin::facts;

impl From<&crash::CrashReport> for wit::CrashReport {
    fn from(report: &crash::CrashReport) -> Self {
        Self {
            title: report.title.clone(),
            alt_titles: report.alt_titles.clone(),
            crash_type: report.crash_type.clone(),
            frame: report.frame.clone(),
            trace: report.trace.clone(),
            guilty_file: report.guilty_file.clone(),
            corrupted: report.corrupted.clone(),
            suppressed: report.suppressed,
            panicked: report.panicked,
            executor: report.executor.clone(),
            span: report.span.map(|span| wit::Span { start: span.start, end: span.end }),
            properties: report
                .properties
                .iter()
                .map(|(key, value)| wit::Property { key: key.clone(), value: value.clone() })
                .collect(),
        }
    }
}

impl From<wit::CrashReport> for crash::CrashReport {
    fn from(report: wit::CrashReport) -> Self {
        Self {
            title: report.title,
            alt_titles: report.alt_titles,
            crash_type: report.crash_type,
            frame: report.frame,
            trace: report.trace,
            guilty_file: report.guilty_file,
            corrupted: report.corrupted,
            suppressed: report.suppressed,
            panicked: report.panicked,
            executor: report.executor,
            span: report.span.map(|span| crash::Span { start: span.start, end: span.end }),
            properties: report.properties.into_iter().map(|property| (property.key, property.value)).collect(),
        }
    }
}

impl From<policy::Role> for wit::Role {
    fn from(role: policy::Role) -> Self {
        match role {
            policy::Role::Start => Self::Start,
            policy::Role::GoodEnd => Self::GoodEnd,
            policy::Role::Release => Self::Release,
            policy::Role::Candidate => Self::Candidate,
            policy::Role::MergeBase => Self::MergeBase,
            policy::Role::BaselineConfig => Self::BaselineConfig,
            policy::Role::Verification => Self::Verification,
        }
    }
}

impl From<&policy::Verdict> for wit::Verdict {
    fn from(verdict: &policy::Verdict) -> Self {
        match verdict {
            policy::Verdict::Good => Self::Good,
            policy::Verdict::Bad => Self::Bad,
            policy::Verdict::Skip(why) => Self::Skip(why.clone()),
        }
    }
}

impl From<wit::Verdict> for policy::Verdict {
    fn from(verdict: wit::Verdict) -> Self {
        match verdict {
            wit::Verdict::Good => Self::Good,
            wit::Verdict::Bad => Self::Bad,
            wit::Verdict::Skip(why) => Self::Skip(why),
        }
    }
}

impl From<policy::Stage> for wit_flake::Stage {
    fn from(stage: policy::Stage) -> Self {
        match stage {
            policy::Stage::Build => Self::Build,
            policy::Stage::Boot => Self::Boot,
            policy::Stage::Control => Self::Control,
            policy::Stage::Copy => Self::Copy,
            policy::Stage::Reproducer => Self::Reproducer,
            policy::Stage::Infra => Self::Infra,
        }
    }
}

impl From<&policy::Ask> for wit_flake::Ask {
    fn from(ask: &policy::Ask) -> Self {
        let outcome = |outcome: &policy::Outcome| match outcome {
            policy::Outcome::Clean => wit_flake::Outcome::Clean,
            policy::Outcome::Crashed(seen) => {
                wit_flake::Outcome::Crashed(wit_flake::Sighting { report: (&seen.report).into(), same: seen.same })
            }
            policy::Outcome::Void(failure) => {
                wit_flake::Outcome::Void(wit_flake::Failure { stage: failure.stage.into(), reason: failure.reason.clone() })
            }
        };
        let trial = |trial: &policy::Trial| wit_flake::Trial { outcome: outcome(&trial.outcome), exposure: trial.exposure };
        Self {
            commit: ask.commit.to_string(),
            role: ask.role.into(),
            trials: ask.trials.iter().map(trial).collect(),
            running: ask.running,
            proposed: ask.proposed,
        }
    }
}

impl From<wit_flake::Judgement> for policy::Judgement {
    fn from(judgement: wit_flake::Judgement) -> Self {
        let decision = match judgement.decision {
            wit_flake::Decision::Want(total) => policy::Decision::Want(total),
            wit_flake::Decision::Conclude(verdict) => policy::Decision::Conclude(verdict.into()),
            wit_flake::Decision::Abort(why) => policy::Decision::Abort(why),
        };
        Self { decision, confidence: judgement.confidence, reason: judgement.reason }
    }
}

impl From<wit_classifier::Edit> for answer::ReportEdit {
    fn from(edit: wit_classifier::Edit) -> Self {
        match edit {
            wit_classifier::Edit::Add(report) => Self::Add(report.into()),
            wit_classifier::Edit::Replace((index, report)) => Self::Replace(index, report.into()),
            wit_classifier::Edit::Ignore((index, why)) => Self::Ignore(index, why),
        }
    }
}

impl From<wit_classifier::Relation> for answer::Relation {
    fn from(relation: wit_classifier::Relation) -> Self {
        Self { same: relation.same, reason: relation.reason }
    }
}

impl From<&answer::Suspect> for wit_recipients::Suspect {
    fn from(suspect: &answer::Suspect) -> Self {
        Self { commit: suspect.commit.to_string(), probability: suspect.probability }
    }
}

impl From<&answer::Recipient> for wit_recipients::Recipient {
    fn from(recipient: &answer::Recipient) -> Self {
        Self {
            name: recipient.name.clone(),
            email: recipient.email.clone(),
            field: if recipient.to { wit_recipients::Field::To } else { wit_recipients::Field::Cc },
            reason: recipient.reason.clone(),
        }
    }
}

impl From<wit_recipients::Edit> for answer::RecipientEdit {
    fn from(edit: wit_recipients::Edit) -> Self {
        match edit {
            wit_recipients::Edit::Add(recipient) => Self::Add(answer::Recipient {
                name: recipient.name,
                email: recipient.email,
                to: recipient.field == wit_recipients::Field::To,
                reason: recipient.reason,
            }),
            wit_recipients::Edit::Remove((email, why)) => Self::Remove(email, why),
        }
    }
}

impl From<&answer::CommitFacts> for wit_suspicion::CommitFacts {
    fn from(commit: &answer::CommitFacts) -> Self {
        Self { id: commit.id.to_string(), subject: commit.subject.clone(), files: commit.files.clone() }
    }
}

impl From<wit_suspicion::Caveat> for Caveat {
    fn from(caveat: wit_suspicion::Caveat) -> Self {
        let (kind, reason) = match caveat {
            wit_suspicion::Caveat::NotBuilt(reason) => (CaveatKind::NotBuilt, reason),
            wit_suspicion::Caveat::OnlyShows(reason) => (CaveatKind::OnlyShows, reason),
        };
        Self { kind, reason: answer::one_line(&reason) }
    }
}

impl From<&crash::Face> for wit_bisection::Face {
    fn from(face: &crash::Face) -> Self {
        Self { report: (&face.report).into(), trials: face.trials }
    }
}

impl From<policy::Rates> for wit_bisection::Rates {
    fn from(rates: policy::Rates) -> Self {
        Self { r: rates.r, r_low: rates.r_low, r_high: rates.r_high, f: rates.f, u: rates.u }
    }
}

impl From<&policy::Past> for wit_bisection::Past {
    fn from(past: &policy::Past) -> Self {
        Self {
            commit: past.commit.to_string(),
            role: past.role.into(),
            clean: past.clean,
            crashed: past.crashed,
            void: past.void,
            verdict: past.verdict.as_ref().map(Into::into),
        }
    }
}

impl From<facts::Signature> for wit_git::Signature {
    fn from(signature: facts::Signature) -> Self {
        Self { name: signature.name, email: signature.email }
    }
}

impl From<facts::Signer> for wit_git::Signer {
    fn from(signer: facts::Signer) -> Self {
        Self { who: signer.who.into(), commits: signer.commits }
    }
}

impl From<facts::FactError> for wit_git::GitError {
    fn from(error: facts::FactError) -> Self {
        match error {
            facts::FactError::NotFound(what) => Self::NotFound(what),
            facts::FactError::TooLarge(bytes) => Self::TooLarge(bytes),
            facts::FactError::Other(why) => Self::Other(why),
        }
    }
}

impl From<wit_log::Level> for answer::Level {
    fn from(level: wit_log::Level) -> Self {
        match level {
            wit_log::Level::Debug => Self::Debug,
            wit_log::Level::Info => Self::Info,
            wit_log::Level::Warn => Self::Warn,
            wit_log::Level::Error => Self::Error,
        }
    }
}
