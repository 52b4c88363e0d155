//! Who else is at work. A guest that seems to hang while builds and other guests take the processors may only be slow: such a trial is
//! made again, once, with nothing beside it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use kbisect_core::policy::Outcome;
use kbisect_core::policy::Stage;
use tokio::sync::OwnedRwLockReadGuard;
use tokio::sync::OwnedRwLockWriteGuard;
use tokio::sync::RwLock;

use crate::trial::Finished;

/// What runs in a run: builds and trials.
#[derive(Debug, Default)]
pub(super) struct Bustle {
    /// Held shared by everything that runs, and alone by what must be alone.
    gate: Arc<RwLock<()>>,
    /// Runs now.
    running: AtomicU64,
    /// Was started, ever.
    started: AtomicU64,
}

/// Something that runs, until it is dropped.
#[derive(Debug)]
pub(super) struct Presence {
    bustle: Arc<Bustle>,
    _guard: OwnedRwLockReadGuard<()>,
    /// Things that had been started when this was, itself included.
    started: u64,
    /// Something ran already.
    joined: bool,
}

impl Bustle {
    /// Something starts, once nothing runs that must be alone.
    pub(super) async fn enter(self: &Arc<Self>) -> Presence {
        let guard = Arc::clone(&self.gate).read_owned().await;
        let joined = self.running.fetch_add(1, Ordering::SeqCst) > 0;
        let started = self.started.fetch_add(1, Ordering::SeqCst) + 1;
        Presence { bustle: Arc::clone(self), _guard: guard, started, joined }
    }

    /// Waits until nothing runs; nothing starts while the guard is held.
    pub(super) async fn alone(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.gate).write_owned().await
    }
}

impl Presence {
    /// Whether anything else ran meanwhile.
    pub(super) fn had_company(&self) -> bool {
        self.joined || self.bustle.started.load(Ordering::SeqCst) > self.started
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.bustle.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether a trial ended as one does whose guest only got too little of the processors: it did not answer, it went without a word, it
/// was too slow for its boot or its control test and showed no crash there, or the way to it broke while the reproducer ran.
pub(super) fn may_be_slow(finished: &Finished) -> bool {
    match &finished.outcome {
        Outcome::Crashed(sighting) => ["NO_OUTPUT", "LOST_CONNECTION", "BOOT"].contains(&sighting.report.crash_type.as_str()),
        Outcome::Void(_) if finished.cancelled => false,
        Outcome::Void(failure) => match failure.stage {
            Stage::Boot => finished.reports.is_empty(),
            Stage::Control => true,
            Stage::Reproducer => finished.ended.is_none(),
            _ => false,
        },
        Outcome::Clean => false,
    }
}

#[cfg(test)]
mod tests {
    use kbisect_core::crash::CrashReport;
    use kbisect_core::policy::Failure;

    use super::*;
    use crate::machine::Ended;
    use crate::session::executor;

    #[test]
    fn who_may_only_have_been_slow_gets_another_trial() {
        let void = |stage| executor::void(Failure { stage, reason: "no word".to_owned() }, 1.0);
        for (stage, slow) in [(Stage::Boot, true), (Stage::Control, true), (Stage::Reproducer, true), (Stage::Copy, false)] {
            assert_eq!(may_be_slow(&void(stage)), slow, "{stage:?}");
            assert!(!may_be_slow(&Finished { cancelled: true, ..void(stage) }));
        }
        let crashed = Finished { reports: vec![CrashReport::default()], ..void(Stage::Boot) };
        assert!(!may_be_slow(&crashed), "it says why it did not come up");
        let said = Finished { ended: Some(Ended::Code(125)), ..void(Stage::Reproducer) };
        assert!(!may_be_slow(&said), "it was through");
    }

    #[tokio::test]
    async fn company_is_who_ran_at_any_time_and_nobody_is_beside_who_is_alone() {
        let bustle = Arc::new(Bustle::default());
        let first = bustle.enter().await;
        assert!(!first.had_company());
        let second = bustle.enter().await;
        assert!(first.had_company() && second.had_company());
        drop(second);
        assert!(first.had_company(), "it had");
        let (waiting, other) = (Arc::clone(&bustle), Arc::clone(&bustle));
        let alone = tokio::spawn(async move { waiting.alone().await });
        tokio::task::yield_now().await;
        assert!(!alone.is_finished(), "the first still runs");
        let late = tokio::spawn(async move { other.enter().await });
        drop(first);
        let guard = alone.await.expect("it gets its turn");
        tokio::task::yield_now().await;
        assert!(!late.is_finished(), "nothing starts beside it");
        drop(guard);
        assert!(!late.await.expect("then it starts").had_company());
    }
}
