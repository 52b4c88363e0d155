//! What a reproducer reached at a commit, and so what a clean trial there is worth.
//!
//! A reproducer that no longer gets to the code in which the kernel crashed is clean at a commit that has the bug. So at commits where
//! much depends on "clean" it is run once more and watched: which functions of the target's stack ran, how its system calls ended, and
//! which symbols the configuration lacks. That run is no evidence itself. Owns what it found, the comparison with the start commit,
//! where the crash does show, and what follows for a clean trial; who watches, and how, is not known here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// What became of one function of the target's stack while the reproducer ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watched {
    /// It ran.
    Ran,
    /// It is there and did not run.
    Quiet,
    /// The compiler made it a part of its callers: the next one in the stack stands for it.
    Inlined,
    /// The kernel has no such function.
    Absent,
    /// It could not be watched: the processor has only so many breakpoints.
    Unwatched,
}

/// A function of the target's stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub watched: Watched,
}

/// How often a system call ended so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Call {
    /// The call, with what tells it from others of its name: `socket(38)`, `openat(/dev/kvm)`.
    pub call: String,
    /// Its error; none where it succeeded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// How often.
    pub count: u64,
}

/// What a run that was watched found at a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Functions of the target's stack, the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub functions: Vec<Function>,
    /// Why nothing is known of functions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub functions_unknown: Option<String>,
    /// How system calls ended.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub calls: Vec<Call>,
    /// Why nothing is known of system calls.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calls_unknown: Option<String>,
    /// Symbols that the configuration should have and has not at this commit.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lost: Vec<String>,
}

impl Reach {
    /// Whether it tells anything that another commit could be compared with.
    pub fn says_something(&self) -> bool {
        self.functions.iter().any(|function| function.watched == Watched::Ran)
            || self.calls.iter().any(|call| call.error.is_none())
    }

    /// Takes in what another run at the same commit found: what ran in one of them was reached.
    pub fn merge(&mut self, other: Self) {
        for more in other.functions {
            match self.functions.iter_mut().find(|function| function.name == more.name) {
                Some(known) if more.watched == Watched::Ran => known.watched = Watched::Ran,
                Some(_) => {}
                None => self.functions.push(more),
            }
        }
        for more in other.calls {
            match self.calls.iter_mut().find(|call| (&call.call, &call.error) == (&more.call, &more.error)) {
                Some(known) => known.count += more.count,
                None => self.calls.push(more),
            }
        }
        self.functions_unknown =
            if self.functions.is_empty() { other.functions_unknown.or(self.functions_unknown.take()) } else { None };
        self.calls_unknown = if self.calls.is_empty() { other.calls_unknown.or(self.calls_unknown.take()) } else { None };
        self.lost.extend(other.lost.into_iter().filter(|symbol| !self.lost.contains(symbol)).collect::<Vec<_>>());
    }
}

/// Whether a reproducer got where it gets at the start commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// It did not: a clean trial says nothing of whether the bug is there.
    No,
    /// Nobody can say.
    Unknown,
    /// It did.
    Yes,
}

/// A system call that succeeds at the start commit and never does here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The call.
    pub call: String,
    /// How it ended here.
    pub error: String,
    /// How often it succeeded at the start commit.
    pub succeeded: u64,
}

/// What a reproducer reached at a commit, beside the start commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The verdict.
    pub reached: Reached,
    /// The share of what ran at the start commit, and is there, that ran here: what a clean trial is worth; none where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub share: Option<f64>,
    /// Functions that ran at the start commit, the innermost first, and here, too.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ran: Vec<String>,
    /// Functions that ran at the start commit, the innermost first, and did not here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub quiet: Vec<String>,
    /// Functions that ran at the start commit and are no functions of their own here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub inlined: Vec<String>,
    /// Functions that ran at the start commit and that this kernel has not.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub absent: Vec<String>,
    /// Calls that succeed at the start commit and never do here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<Refused>,
    /// Symbols that this configuration lacks and that of the start commit has.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lost: Vec<String>,
    /// What could not be seen, and why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unknown: Vec<String>,
}

/// A clean trial that reached less than this share of the functions is not one that was there: only what everything runs was run.
const MOST: f64 = 0.5;

/// Errors that say how busy things are, not what the kernel has.
const PASSING: [&str; 12] = [
    "EAGAIN",
    "EINTR",
    "ENOMEM",
    "EBUSY",
    "ETIMEDOUT",
    "ESRCH",
    "ECHILD",
    "EINPROGRESS",
    "EALREADY",
    "ECONNRESET",
    "ECONNREFUSED",
    "EPIPE",
];

/// Compares what was reached at a commit with the start commit.
///
/// Of functions only those count that ran at the start commit and are there in both kernels: a function that came in later, or that
/// was renamed or inlined, says nothing. The innermost of them tells, where the crash was; the others guard against one that everything
/// calls. Calls tell where functions do not.
pub fn compare(here: &Reach, start: &Reach) -> Compared {
    let mut compared = Compared {
        reached: Reached::Unknown,
        share: None,
        ran: Vec::new(),
        quiet: Vec::new(),
        inlined: Vec::new(),
        absent: Vec::new(),
        refused: refused(here, start),
        lost: here.lost.iter().filter(|symbol| !start.lost.contains(symbol)).cloned().collect(),
        unknown: Vec::new(),
    };
    let state = |name: &str| here.functions.iter().find(|function| function.name == name).map(|function| function.watched);
    for Function { name, .. } in start.functions.iter().filter(|function| function.watched == Watched::Ran) {
        let list = match state(name) {
            Some(Watched::Ran) => &mut compared.ran,
            Some(Watched::Quiet) => &mut compared.quiet,
            Some(Watched::Inlined) => &mut compared.inlined,
            Some(Watched::Absent) => &mut compared.absent,
            Some(Watched::Unwatched) | None => continue,
        };
        list.push(name.clone());
    }
    let unknown = [
        ("functions", &here.functions_unknown, &start.functions_unknown),
        ("system calls", &here.calls_unknown, &start.calls_unknown),
    ];
    for (what, here, start) in unknown {
        if let Some(why) = here.as_ref().or(start.as_ref()) {
            compared.unknown.push(format!("{what}: {why}"));
        }
    }
    if !start.functions.is_empty() && start.functions.iter().all(|function| function.watched != Watched::Ran) {
        compared.unknown.push("functions: none of the stack was seen to run at the start commit".to_owned());
    }
    let (ran, quiet) = (compared.ran.len(), compared.quiet.len());
    let innermost_ran = || {
        start.functions.iter().find_map(|function| match state(&function.name) {
            Some(Watched::Ran) if compared.ran.contains(&function.name) => Some(true),
            Some(Watched::Quiet) if compared.quiet.contains(&function.name) => Some(false),
            _ => None,
        })
    };
    match innermost_ran() {
        Some(innermost) => {
            let share = if innermost { ran as f64 / (ran + quiet) as f64 } else { 0.0 };
            compared.share = Some(share);
            compared.reached = if share >= MOST { Reached::Yes } else { Reached::No };
        }
        None if !compared.refused.is_empty() => (compared.share, compared.reached) = (Some(0.0), Reached::No),
        // That all calls end as they did says little of what they did inside.
        None => {}
    }
    compared
}

/// The calls that succeed at the start commit and always fail here, in the order of the start commit's.
fn refused(here: &Reach, start: &Reach) -> Vec<Refused> {
    let mut ends: BTreeMap<&str, (bool, Option<&Call>)> = BTreeMap::new();
    for call in &here.calls {
        let (succeeded, failed) = ends.entry(&call.call).or_default();
        match &call.error {
            None => *succeeded = true,
            Some(error) if PASSING.contains(&error.as_str()) => {}
            Some(_) if failed.is_none_or(|most| most.count < call.count) => *failed = Some(call),
            Some(_) => {}
        }
    }
    let mut refused = Vec::new();
    for call in start.calls.iter().filter(|call| call.error.is_none()) {
        if let Some((false, Some(failed))) = ends.get(call.call.as_str()) {
            let error = failed.error.clone().unwrap_or_default();
            refused.push(Refused { call: call.call.clone(), error, succeeded: call.count });
        }
    }
    refused
}

/// How many runs may be needed to say that something is not reached: one where every trial at the start commit shows the target, more
/// where it takes luck.
pub fn runs(hits: u32, clean: u32) -> u32 {
    if clean == 0 || hits == 0 { 1 } else { (clean.div_ceil(hits) + 1).min(4) }
}

#[cfg(test)]
mod tests;
