//! The numbers behind [`super::Credence`], as data.
//!
//! Source: bisections by syzbot, 2018 to 2023, whose culprit is known from the `Fixes:` tag of the fix. [`VANISHED`] was counted on
//! all 1,070 (`bisection-science.md` §8). The rest was fitted on half of them, on the 300 logs that name one commit with a diffstat
//! (132 of them rightly), by logistic regression with a ridge of 1 on features of unit variance, in two steps: that no crash of
//! another bug led the search astray, on all 300; and, on the 233 where none did, that the name is right.
//!
//! How good that is, by ten-fold cross-validation in which a commit's bugs are in one fold: AUC .902 (.866 to .937 with 95 %), Brier score
//! .115 (.090 to .139); of names stated at .85 or more .88 are right (.80 to .94), and they cover .49 of the right ones (.40 to .59); of
//! those stated at .15 or less .03 are right (.01 to .07). Fitted on one half and judged on the other, 60 times: AUC .907 ± .020, Brier
//! score .119 ± .013. What was tried and adds nothing: rank of the touched file on the stack, folder in common, words of the subject, size
//! of the change, how many titles the bisection met, the crash's kind, the compiler.

use crate::reach::Reached;

/// The chance that what showed at the named commit was the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Same {
    /// Log odds where no trial at the commit shows the target and its crash is as likely another's.
    pub base: f64,
    /// For each unit of the log odds that the crash is the target's.
    pub likeness: f64,
    /// Where all trials show it: a stray shows in some trials, a target mostly in all.
    pub shown: f64,
}

/// Fitted; see the module.
pub const SAME: Same = Same { base: 0.28, likeness: 0.26, shown: 3.15 };

/// How much the log odds of "introduced here" fall where the crash at the commit is surely unlike that at the start: a crash that
/// changes its look on the way is oftener another commit's. Fitted.
pub const DRIFT: f64 = 1.36;

/// The power to which a boundary's probability from a log's trials is taken: a log's answer is seldom wrong for the reasons that its
/// own trials tell of. Chosen; from .05 to .2 nothing depends on it.
pub const LOG_TRUST: f64 = 0.1;

/// A log's trials are never held for surer than this that the boundary is elsewhere: the history between its commits is not known.
pub const LEAST_BOUNDARY: f64 = 0.003;

/// By how much a boundary is less likely at a commit whose kernel equals its parent's. None of 21 such names was right; that signatures
/// are equal by mistake is not known to happen.
pub const EQUAL_KERNELS: f64 = 0.05;

/// After how many releases walked how large a share of those that were found clean had the bug nevertheless: in the middle of each
/// row of §8's table, from the first release back to the ninth and older ones.
pub const VANISHED: [(f64, f64); 5] = [(1.0, 0.15), (2.0, 0.31), (3.5, 0.36), (6.5, 0.43), (12.0, 0.57)];

/// The chance that a release that is clean after a walk of so many, itself included, has the bug nevertheless. A good end that was
/// stated is taken for one release's walk.
pub fn vanished(releases: u32) -> f64 {
    let walk = f64::from(releases);
    let behind = VANISHED.partition_point(|(at, _)| *at <= walk);
    match (behind.checked_sub(1).and_then(|before| VANISHED.get(before)), VANISHED.get(behind)) {
        (Some((from, low)), Some((to, high))) => low + (high - low) * (walk - from) / (to - from),
        (Some((_, share)), None) | (None, Some((_, share))) => *share,
        (None, None) => 0.5,
    }
}

/// Chances that a clean parent is seen to get to the code that crashes, where the bug only hides there and where it is not there. Chosen:
/// most bugs that hide do so because the reproducer does not get there (§8, where a feature, an option or a check came later); the rest
/// by timing, by data or by a detector. A parent without the bug runs the same code unless the commit brought that, too.
pub const SEEN_THERE: (f64, f64) = (0.15, 0.9);

/// Where the parent does not get to the code that crashes, the commit is most often what opened the way, and it hardly matters how guilty
/// it looks: nobody has tested the code before it.
pub const HIDDEN_AT_MOST: f64 = 0.15;

/// How the odds that the commit introduced the bug change with what is known of the parent.
pub(super) fn reach_odds(reached: Option<Reached>) -> f64 {
    let (hiding, without) = SEEN_THERE;
    match reached {
        Some(Reached::Yes) => without / hiding,
        Some(Reached::No) => (1.0 - without) / (1.0 - hiding),
        Some(Reached::Unknown) | None => 1.0,
    }
}

/// Log odds, of a chance that is neither nearer to 0 nor to 1 than .02: nobody is surer whether two crashes are one bug.
pub(super) fn log_odds(chance: f64) -> f64 {
    let chance = chance.clamp(0.02, 0.98);
    (chance / (1.0 - chance)).ln()
}
