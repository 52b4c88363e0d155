//! Why a commit has its weight, in words.

use kbisect_sdk::suspicion::CommitFacts;

use crate::place;
use crate::place::Place;
use crate::target::Target;
use crate::words;

/// So many words are quoted.
const QUOTED: usize = 3;

/// Why the commit looks as guilty as it does, in one line.
#[must_use]
pub fn of(target: &Target, commit: &CommitFacts) -> String {
    let first = |belongs: &dyn Fn(&str) -> bool| commit.files.iter().find(|file| belongs(file)).map_or("", String::as_str);
    let folder = |file: &str| file.rsplit_once('/').is_some_and(|(folder, _)| target.folders.contains(folder));
    let place = match place::of(target, &commit.files) {
        Place::Guilty => format!("it touches {}, which the crash blames", first(&|file| target.guilty.contains(file))),
        Place::Near => format!("it touches {}, near the blame on the stack", first(&|file| target.near.contains(file))),
        Place::Far => format!("it touches {}, farther up the stack", first(&|file| target.far.contains(file))),
        Place::Before => format!("it touches {}, which was called at the end", first(&|file| target.before.contains(file))),
        Place::Folder => format!("it touches {}, beside the file to blame", first(&folder)),
        Place::Entry => {
            let file = first(&|file| target.entries.iter().any(|entry| entry.has(file).is_some()));
            format!("it touches {file}, of the same entry in MAINTAINERS")
        }
        Place::Elsewhere => "it touches nothing that the crash shows".to_owned(),
        Place::Nothing => "it changes nothing by itself".to_owned(),
        Place::Unbuilt => "no kernel for this machine is built from it".to_owned(),
    };
    let common = words::common(target, commit);
    if common.is_empty() {
        return place;
    }
    let quoted = common.iter().take(QUOTED).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let more = if common.len() > QUOTED { ", …" } else { "" };
    format!("{place}, and speaks of {quoted}{more}")
}
