//! What the commit that a search ended at looks like: one that introduced the crash, or one that only exposes an older bug.
//!
//! That is another question than which commit of a range is to blame ([`crate::weights`]): a commit that exposes a bug mostly belongs
//! to the crash's subsystem, too. It adds what the reproducer uses, and the reproducer goes through those files either way.

use kbisect_sdk::suspicion::CommitFacts;
use kbisect_sdk::suspicion::Credit;

use crate::everywhere;
use crate::place::is_unbuilt;
use crate::stack::Stack;

/// The odds of a commit that touches no file of the stack.
///
/// Source of these numbers: 233 bisections by syzbot that no other bug's crash led astray and that named a commit with a diffstat, 132 of
/// them rightly; logistic regression beside the length of the walk and the likeness of the crash (see the core's `credence::table`).
const ELSEWHERE: f64 = 0.42;

/// How many times likelier a commit that touches one is.
const ON_STACK: f64 = 5.2;

/// The power of a walk's length by which a commit that touches files of one subsystem on the stack is less likely, where none of the
/// stack's weight is in the files that it touches: after a long walk, what is found there is often what the reproducer needs to run.
const WALKED: f64 = 1.2;
/// A longer walk than this many releases counts as one of so many.
const LONGEST_WALK: f64 = 12.0;

/// How many times likelier a commit is that changes what every crash looks like: the page allocator's and reclaim's choices, and what
/// lockdep sees. 5 of 24 such names were right.
const MACHINERY: f64 = 0.12;

/// How many times likelier a commit is from which nothing is built, or only something else chosen: none of 47 such names was right.
const INERT: f64 = 0.025;

/// A file of the stack through which the crashes of many bugs pass, beside one of a subsystem.
const EVERYWHERE: f64 = 0.1;

/// What the commit looks like beside the target's stack. None where that shows no files, unless the commit can hardly have introduced
/// anything.
#[must_use]
pub fn of(stack: &Stack, commit: &CommitFacts, releases: u32) -> Option<Credit> {
    let (mut odds, mut reason) = match inert(stack, &commit.files) {
        Some(why) => (ELSEWHERE * INERT, why.to_owned()),
        None if stack.files.is_empty() => return None,
        None => near(stack, &commit.files, releases),
    };
    if let Some(file) = commit.files.iter().find(|file| is_machinery(file)) {
        odds *= MACHINERY;
        reason += &format!(", and {file} changes what all crashes look like");
    }
    Some(Credit { odds, reason })
}

/// Why a commit cannot have introduced anything by itself.
fn inert(stack: &Stack, files: &[String]) -> Option<&'static str> {
    if files.is_empty() {
        Some("it changes nothing by itself")
    } else if files.iter().all(|file| is_unbuilt(file, stack.arch)) {
        Some("nothing is built from what it changes")
    } else if files.iter().all(|file| is_choice(file)) {
        Some("it changes only what is built")
    } else {
        None
    }
}

/// Whether a file only says what is built.
fn is_choice(file: &str) -> bool {
    ["Kconfig", "Makefile"].iter().any(|end| file.ends_with(end))
}

/// The odds by which files of the stack the commit touches.
fn near(stack: &Stack, files: &[String], releases: u32) -> (f64, String) {
    let weight = |file: &str| if everywhere::has(file) { EVERYWHERE } else { 1.0 };
    let touched: Vec<&str> = stack.files.iter().map(String::as_str).filter(|file| files.iter().any(|own| own == file)).collect();
    let Some(first) = touched.first() else {
        return (ELSEWHERE, "it touches no file of the stack".to_owned());
    };
    let all: f64 = stack.files.iter().map(|file| weight(file)).sum();
    let share = touched.iter().map(|file| weight(file)).sum::<f64>() / all;
    let walk = f64::from(releases).clamp(1.0, LONGEST_WALK);
    let of_subsystem = touched.iter().any(|file| !everywhere::has(file));
    let lost = if of_subsystem { walk.powf(-WALKED * (1.0 - share)) } else { 1.0 };
    let others = match touched.len() - 1 {
        0 => String::new(),
        1 => " and another file".to_owned(),
        more => format!(" and {more} other files"),
    };
    (ELSEWHERE * ON_STACK * lost, format!("it touches {first}{others} of the stack's {}", stack.files.len()))
}

/// Whether a file is of what all crashes depend on.
fn is_machinery(file: &str) -> bool {
    file.starts_with("mm/") || file.starts_with("kernel/locking/") || file.contains("lockdep")
}

#[cfg(test)]
mod tests;
