//! Simulated bisections with the real flake-policy plugins, on all cores.
//!
//! Owns threads and plugins; worlds, clock and search are [`kbisect_core::simulate`]'s.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;

use kbisect_core::policy::Ask;
use kbisect_core::policy::Judgement;
use kbisect_core::simulate::Cell;
use kbisect_core::simulate::Choices;
use kbisect_core::simulate::FlakePolicy;
use kbisect_core::simulate::Situation;
use kbisect_core::simulate::Total;

use crate::config::job::Plugin;
use crate::plugin::Engine;
use crate::plugin::cache::Cache;
use crate::plugin::cache::default_directory;
use crate::plugin::facts::BisectionState;
use crate::plugin::facts::NoFacts;
use crate::policy::LoadErrors;
use crate::policy::Notice;
use crate::policy::Policies;
use crate::policy::Problem;
use crate::policy::state;

/// A flake policy that is a plugin.
struct Judge {
    policies: Policies,
}

impl FlakePolicy for Judge {
    fn judge(&mut self, ask: &Ask, situation: &Situation) -> Judgement {
        let Situation { kind, start, delta, range, rates, .. } = *situation;
        let fixed = state::Situation { kind, start, newest: start, delta, arch: None };
        self.policies.set_state(fixed.later(Vec::new(), Some(range), rates, Arc::clone(&situation.history)));
        let judgement = self.policies.judge(ask).1;
        // The caller may add to its list without copying it only where nobody else has it: a bisection of a broken stretch is long.
        self.policies.set_state(BisectionState::default());
        judgement
    }
}

/// What simulations need to ask plugins: an engine, and how many threads to use.
pub struct Simulator {
    engine: Engine,
    threads: usize,
    /// What plugins and the policy room have to say, each message once.
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Simulator {
    /// A simulator for all cores.
    ///
    /// # Errors
    ///
    /// If the engine does not start.
    pub fn new() -> Result<Self, LoadErrors> {
        // Without a cache the plugins are compiled again, which takes seconds.
        let cache = default_directory().and_then(|directory| Cache::open(&directory).ok());
        let engine = Engine::new(cache).map_err(|error| LoadErrors(vec![Problem::Engine(error)]))?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { engine, threads, notices: Arc::default() })
    }

    /// Makes runs `0..runs` of the cell with this flake policy; the result does not depend on the number of threads. `done` is called
    /// after each run.
    ///
    /// # Errors
    ///
    /// If the plugin cannot be loaded.
    pub fn total(
        &self,
        cell: &Cell<'_>,
        policy: &Plugin,
        runs: u64,
        seed: u64,
        done: &(dyn Fn() + Sync),
    ) -> Result<Total, LoadErrors> {
        let all = self.each(policy, runs, &|run, policy, choices| {
            let counted = cell.run(seed, run, policy, choices);
            done();
            counted
        })?;
        let mut total = Total::default();
        all.into_iter().for_each(|run| total.add(run));
        Ok(total)
    }

    /// What `one` makes of each of the numbers `0..runs` with this flake policy, in their order; on all cores.
    ///
    /// # Errors
    ///
    /// If the plugin cannot be loaded.
    pub fn each<T: Send>(
        &self,
        policy: &Plugin,
        runs: u64,
        one: &(dyn Fn(u64, &mut dyn FlakePolicy, &mut Choices) -> T + Sync),
    ) -> Result<Vec<T>, LoadErrors> {
        let next = AtomicU64::new(0);
        let work = || -> Result<Vec<(u64, T)>, LoadErrors> {
            let notices = Arc::clone(&self.notices);
            let sink = Arc::new(move |notice| {
                let mut notices = notices.lock().unwrap_or_else(PoisonError::into_inner);
                if !notices.contains(&notice) {
                    notices.push(notice);
                }
            });
            let policies = Policies::load_with(&self.engine, std::slice::from_ref(policy), Arc::new(NoFacts), sink)?;
            let mut judge = Judge { policies };
            let mut choices = Choices::default();
            let mut made = Vec::new();
            loop {
                let run = next.fetch_add(1, Ordering::Relaxed);
                if run >= runs {
                    return Ok(made);
                }
                made.push((run, one(run, &mut judge, &mut choices)));
            }
        };
        let mut all = Vec::new();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            for thread in threads {
                all.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(())
        })?;
        all.sort_by_key(|(run, _)| *run);
        Ok(all.into_iter().map(|(_, made)| made).collect())
    }

    /// What plugins said since this was asked last: warnings, and calls that failed.
    pub fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
