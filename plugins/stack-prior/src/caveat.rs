//! What must be said of a commit beside its name: that nothing of it is in the kernel, or that it may only make an older bug show.
//!
//! A judgement from the changed files and the differences alone. Where it is in doubt it says nothing: a commit that adds a check and
//! something else is an ordinary one.

use kbisect_sdk::Host;
use kbisect_sdk::suspicion::Caveat;
use kbisect_sdk::suspicion::CommitFacts;

use crate::place::is_unbuilt;
use crate::target::folder_of;

mod diff;

use diff::FileDiff;

/// Parts of the paths of what finds bugs, and what people call it.
const DETECTORS: [(&str, &str); 12] = [
    ("mm/kasan/", "KASAN"),
    ("mm/kmsan/", "KMSAN"),
    ("mm/kfence/", "KFENCE"),
    ("mm/kmemleak.c", "kmemleak"),
    ("kernel/kcsan/", "KCSAN"),
    ("kernel/locking/lockdep", "lockdep"),
    ("lib/ubsan", "UBSAN"),
    ("lib/debugobjects.c", "debugobjects"),
    ("lib/ref_tracker.c", "the reference tracker"),
    ("lib/fault-inject", "fault injection"),
    ("kernel/hung_task.c", "the detector of hung tasks"),
    ("kernel/watchdog", "the watchdog"),
];

/// Beginnings of the names of functions that only check. Macros that warn or assert are known by their capitals.
const CHECKS: [&str; 6] = ["lockdep_assert", "might_", "kasan_", "kmsan_", "kcsan_", "assert_"];

/// What is to be said of the named commit; none of most.
#[must_use]
pub fn of(host: &impl Host, commit: &CommitFacts, diff: Option<&str>) -> Option<Caveat> {
    let arch = host.property("arch");
    let has = |path: &str| host.read_file(&commit.id, path).is_ok();
    // What another project is built from nobody knows.
    if arch.is_none() && !(has("MAINTAINERS") && has("Kconfig")) {
        return None;
    }
    judge(&commit.files, diff, arch.as_deref())
}

/// The same of a commit of the kernel's; `arch` is the machine that it runs on, where that is known.
#[must_use]
pub fn judge(files: &[String], diff: Option<&str>, arch: Option<&str>) -> Option<Caveat> {
    let first = files.first()?;
    let folder = arch.and_then(folder_of);
    // A script may test programs for users; a machine runs a kernel.
    let unbuilt = |file: &String| is_unbuilt(file, folder) && (arch.is_some() || !file.starts_with("tools/"));
    if files.iter().all(unbuilt) {
        return Some(Caveat::NotBuilt(format!("it changes only {}", kinds(files, arch))));
    }
    let built: Vec<&String> = files.iter().filter(|file| !unbuilt(file)).collect();
    let detector = |file: &&String| DETECTORS.iter().find(|(path, _)| file.starts_with(path)).map(|(_, name)| *name);
    if let Some(names) = built.iter().map(detector).collect::<Option<Vec<_>>>() {
        return Some(Caveat::OnlyShows(format!("it changes only {}, which finds bugs that were there before", names[0])));
    }
    if built.iter().all(|file| is_choice(file)) {
        let file = built.first().map_or(first, |file| *file);
        return Some(Caveat::OnlyShows(format!(
            "it changes only how kernels are configured ({file}): what was there before is built, or built otherwise"
        )));
    }
    let diffs = diff::read(diff?);
    let code: Vec<&FileDiff<'_>> =
        diffs.iter().filter(|one| !files.iter().any(|file| *file == one.path && unbuilt(file))).collect();
    if code.is_empty() || code.iter().any(|one| !is_code(one.path)) {
        return None;
    }
    if let Some(checks) = code.iter().map(|one| one.only_checks()).collect::<Option<Vec<_>>>() {
        let (check, path) = checks.into_iter().zip(&code).find_map(|(check, one)| Some((check?, one.path)))?;
        return Some(Caveat::OnlyShows(format!(
            "it only adds a check ({check} in {path}), which shows what went wrong before, too"
        )));
    }
    code.iter().all(|one| one.only_counts()).then(|| {
        let path = code[0].path;
        Caveat::OnlyShows(format!(
            "it only has its counters checked (refcount_t in {path}), which shows what went wrong before, too"
        ))
    })
}

fn is_code(path: &str) -> bool {
    [".c", ".h", ".S"].iter().any(|end| path.ends_with(end))
}

/// Whether a file only says what is built.
fn is_choice(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.starts_with("Kconfig") || name.ends_with("defconfig") || name.ends_with(".config")
}

/// What files are of which nothing is built.
fn kinds(files: &[String], arch: Option<&str>) -> String {
    let kind = |file: &String| match file.split('/').next() {
        Some("tools") => "programs for users, below tools/".to_owned(),
        Some("arch") => match arch {
            Some(arch) => format!("what is built for other machines ({file}) than {arch}"),
            None => "what is built for other machines".to_owned(),
        },
        Some("MAINTAINERS" | "CREDITS" | ".mailmap") => format!("the list of people ({file})"),
        _ => format!("documentation ({file})"),
    };
    let mut kinds: Vec<String> = Vec::new();
    let head = |text: &str| text.split(" (").next().unwrap_or_default().to_owned();
    for one in files.iter().map(kind) {
        if !kinds.iter().any(|known| head(known) == head(&one)) {
            kinds.push(one);
        }
    }
    kinds.join(" and ")
}

#[cfg(test)]
mod tests;
