//! Where a commit is, seen from the crash: the nearest thing that it touches.

use kbisect_sdk::maintainers::Section;

use crate::target::Target;

/// A commit that touches more files than these is a sweep: that one of them is on the stack says nothing.
const SWEEP: usize = 100;

/// Where a commit is, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It touches a file to blame.
    Guilty,
    /// It touches one of the files behind it on the stack.
    Near,
    /// It touches a file further from there, or one of another stack in the report.
    Far,
    /// It touches a file that the one to blame called: mostly machinery.
    Before,
    /// It touches another file in the folder of a file to blame.
    Folder,
    /// It touches a file of the same MAINTAINERS entry.
    Entry,
    /// None of this.
    Elsewhere,
    /// It changes nothing by itself, as most merges.
    Nothing,
    /// It touches only what no kernel of this architecture is built from.
    Unbuilt,
}

/// The nearest place that a commit with these files touches.
#[must_use]
pub fn of(target: &Target, files: &[String]) -> Place {
    if files.is_empty() {
        return Place::Nothing;
    }
    if files.len() > SWEEP {
        return Place::Elsewhere;
    }
    let touches = |belongs: &dyn Fn(&str) -> bool| files.iter().any(|file| belongs(file));
    let folder = |file: &str| file.rsplit_once('/').is_some_and(|(folder, _)| target.folders.contains(folder));
    if touches(&|file| target.guilty.contains(file)) {
        Place::Guilty
    } else if touches(&|file| target.near.contains(file)) {
        Place::Near
    } else if touches(&|file| target.far.contains(file)) {
        Place::Far
    } else if touches(&|file| target.before.contains(file)) {
        Place::Before
    } else if files.iter().all(|file| is_unbuilt(file, target.arch)) {
        Place::Unbuilt
    } else if touches(&folder) {
        Place::Folder
    } else if touches(&|file| has(&target.entries, file)) {
        Place::Entry
    } else {
        Place::Elsewhere
    }
}

fn has(entries: &[Section], file: &str) -> bool {
    entries.iter().any(|entry| entry.has(file).is_some())
}

/// Whether no kernel of this architecture is built from a file: text, programs for users, other architectures.
pub(crate) fn is_unbuilt(file: &str, arch: Option<&str>) -> bool {
    const TEXTS: [&str; 3] = [".rst", ".txt", ".md"];
    const FILES: [&str; 4] = ["MAINTAINERS", "CREDITS", ".mailmap", "README"];
    match file.split_once('/') {
        None => FILES.contains(&file),
        // objtool edits the kernel's objects.
        Some(("tools", below)) => !below.starts_with("objtool/"),
        Some(("Documentation", _)) => true,
        Some(("arch", below)) if TEXTS.iter().all(|end| !file.ends_with(end)) => {
            arch.is_some_and(|arch| below.split_once('/').is_some_and(|(folder, _)| folder != arch))
        }
        Some(_) => TEXTS.iter().any(|end| file.ends_with(end)),
    }
}
