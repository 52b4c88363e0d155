//! A machine that is watched: which functions of its kernel run while the reproducer does, and how the reproducer's system calls end.
//!
//! Owns the breakpoints' life: set when the reproducer is about to start, so that the boot does not count, each removed at its first
//! hit, the next one set in its place where the processor has few. Which functions, where they are, and what it means is not known here.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use kbisect_core::reach::Call;
use kbisect_core::reach::Function;
use kbisect_core::reach::Reach;
use kbisect_core::reach::Watched;

use super::command;
use super::gdb::Gdb;
use super::gdb::Stop;
use crate::machine::calls;
use crate::machine::control::Traced;
use crate::symbols::functions::Located;
use crate::symbols::functions::Place;

/// What is watched in one machine, and what was seen.
#[derive(Debug)]
pub struct Probe {
    functions: Vec<Located>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Breakpoints were set.
    watched: bool,
    /// Which functions had one.
    covered: Vec<bool>,
    ran: Vec<bool>,
    trouble: Option<String>,
    traced: Option<Traced>,
}

impl Probe {
    /// Watches these functions, the most telling first.
    pub fn new(functions: Vec<Located>) -> Self {
        let none = vec![false; functions.len()];
        let seen = Seen { covered: none.clone(), ran: none, ..Seen::default() };
        Self { functions, seen: Mutex::new(seen) }
    }

    /// What was seen so far.
    pub fn found(&self) -> Reach {
        let seen = self.seen();
        let function = |(place, located): (usize, &Located)| {
            let watched = match &located.place {
                Place::Inlined => Watched::Inlined,
                Place::Absent => Watched::Absent,
                Place::At(_) if seen.ran[place] => Watched::Ran,
                Place::At(_) if seen.covered[place] => Watched::Quiet,
                Place::At(_) => Watched::Unwatched,
            };
            Function { name: located.name.clone(), watched }
        };
        let functions_unknown = match (&seen.trouble, seen.watched) {
            (Some(trouble), _) => Some(trouble.clone()),
            (None, false) => Some("the reproducer was not started".to_owned()),
            (None, true) => None,
        };
        let (calls, calls_unknown) = match &seen.traced {
            Some(Traced { untraced: Some(why), .. }) => (Vec::new(), Some(why.clone())),
            Some(Traced { calls, .. }) if calls.is_empty() => (Vec::new(), Some("none was seen".to_owned())),
            Some(Traced { calls, .. }) => (calls.iter().map(named).collect(), None),
            None => (Vec::new(), Some("not traced".to_owned())),
        };
        let functions =
            if functions_unknown.is_some() { Vec::new() } else { self.functions.iter().enumerate().map(function).collect() };
        Reach { functions, functions_unknown, calls, calls_unknown, lost: Vec::new() }
    }

    /// Whether all that can run did.
    pub fn has_seen_all(&self) -> bool {
        let there = |located: &Located| matches!(located.place, Place::At(_));
        self.functions.iter().zip(&self.seen().ran).all(|(located, ran)| *ran || !there(located))
    }

    pub(super) fn take_calls(&self, traced: Traced) {
        self.seen().traced = Some(traced);
    }

    /// Sets breakpoints in the machine whose sockets are in this folder, and lets it run; what is to follow it then, as long as it
    /// runs. None where it cannot be watched: then it runs all the same.
    pub(super) async fn attach(&self, dir: &Path) -> Option<Watching> {
        match self.try_attach(dir).await {
            Ok(watching) => {
                self.seen().watched = true;
                Some(watching)
            }
            Err(error) => {
                self.seen().trouble = Some(format!("QEMU's debugger cannot be used: {error}"));
                None
            }
        }
    }

    async fn try_attach(&self, dir: &Path) -> std::io::Result<Watching> {
        let addresses = self.functions.iter().enumerate().filter_map(|(place, located)| match &located.place {
            Place::At(addresses) => Some(addresses.iter().map(move |address| (*address, place))),
            Place::Inlined | Place::Absent => None,
        });
        let gdb = Gdb::connect(dir, command::GDB).await?;
        let mut watching = Watching { gdb, set: Vec::new(), waiting: addresses.flatten().collect() };
        watching.fill(self).await?;
        watching.gdb.go_on().await?;
        Ok(watching)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(end: &crate::machine::control::CallEnd) -> Call {
    calls::named(end.number, end.argument.as_deref(), end.errno, end.count)
}

/// The breakpoints of a running machine: each an address and the function's place among those that are watched.
#[derive(Debug)]
pub(super) struct Watching {
    gdb: Gdb,
    set: Vec<(u64, usize)>,
    waiting: VecDeque<(u64, usize)>,
}

impl Watching {
    /// Takes note of what runs, until the machine ends.
    pub(super) async fn follow(mut self, probe: &Probe) {
        // The machine ends at any time, and with it the connection.
        while let Ok(true) = self.next(probe).await {}
    }

    async fn next(&mut self, probe: &Probe) -> std::io::Result<bool> {
        match self.gdb.stopped().await? {
            Stop::Gone => return Ok(false),
            Stop::Otherwise => {}
            Stop::At(address) => {
                if let Some(&(_, function)) = self.set.iter().find(|(set, _)| *set == address) {
                    probe.seen().ran[function] = true;
                    for &(address, _) in self.set.iter().filter(|(_, of)| *of == function) {
                        self.gdb.remove(address).await?;
                    }
                    self.set.retain(|(_, of)| *of != function);
                    self.waiting.retain(|(_, of)| *of != function);
                    self.fill(probe).await?;
                }
            }
        }
        self.gdb.go_on().await?;
        Ok(true)
    }

    /// Sets as many breakpoints as the processor takes.
    async fn fill(&mut self, probe: &Probe) -> std::io::Result<()> {
        while let Some(&(address, function)) = self.waiting.front() {
            if !self.gdb.set(address).await? {
                return Ok(());
            }
            self.waiting.pop_front();
            self.set.push((address, function));
            // Of a function that is there several times all must have been watched, or that it did not run says nothing.
            if !self.waiting.iter().any(|(_, of)| *of == function) {
                probe.seen().covered[function] = true;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
