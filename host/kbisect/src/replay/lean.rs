//! What a commit's trials lean to where the flake policy would want more of them than the log has.

use kbisect_core::policy::Outcome;
use kbisect_core::policy::Trial;
use kbisect_core::policy::Verdict;

use super::Seen;

/// A crash that is the target's with this chance speaks for itself.
const SURE: f64 = 0.9;

/// How many times oftener a commit that crashes in a bisection is bad than not, before its crashes are looked at. Of the crashing
/// commits whose state is known of 528 real logs, 1,080 are bad and 109 are not; this is cautious, since of logs that went astray
/// only the first wrong commit is known.
const CRASHING_IS_BAD: f64 = 4.0;

/// The verdict that `concluded` becomes, or that the trials lean to where there is none.
pub(super) fn lean(concluded: Option<Verdict>, trials: &[Trial], seen: &[Seen]) -> Option<Verdict> {
    match concluded {
        // A bug may show seldom at one commit; false alarms are rarer.
        Some(Verdict::Good) if seen.iter().any(|seen| seen.same >= SURE) => Some(Verdict::Bad),
        Some(verdict) => Some(verdict),
        None => {
            // One of the looks at least is the target's.
            let target = 1.0 - seen.iter().map(|seen| 1.0 - seen.same).product::<f64>();
            let clean = trials.iter().any(|trial| trial.outcome == Outcome::Clean);
            if target * CRASHING_IS_BAD >= 1.0 - target && !seen.is_empty() {
                Some(Verdict::Bad)
            } else {
                clean.then_some(Verdict::Good)
            }
        }
    }
}
