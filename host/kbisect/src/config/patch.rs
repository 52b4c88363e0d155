//! `[[patch]]`: changes that tested commits get.

use super::document::Section;
use super::job::Change;
use super::job::Patch;
use super::path;
use super::value;

/// All sections.
pub(super) fn read(sections: Vec<Section<'_, '_>>) -> Vec<Patch> {
    sections.into_iter().map(read_one).collect()
}

fn read_one(section: Section<'_, '_>) -> Patch {
    let base = &section.document().base;
    let file = section.get("file", |value| path::file(value, base));
    let commit = section.get("commit", value::line);
    if section.has("file") == section.has("commit") {
        section.complain(None, "[patch] needs `file`, a patch, or `commit`, a commit whose changes are picked: one of them");
    }
    let patch = Patch {
        change: commit.map_or_else(|| Change::File(file.unwrap_or_default()), Change::Commit),
        since: section.get("since", value::line),
        until: section.get("until", value::line),
    };
    section.close();
    patch
}
