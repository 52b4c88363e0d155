//! Which crash types stand for the first test: crashes of the infrastructure's own types are ignored unless they do.

use std::collections::BTreeMap;

use kbisect_sdk::Face;

/// Types of the target's faces that stand for it, most frequent first.
///
/// Groups by type; leaves out hangs that are less than half when there is something else, and lost connections whenever there is;
/// at most three, until more than two thirds of the crashes are covered. Source: `syzkaller-policy.md` §5.3.
#[must_use]
pub fn types(faces: &[Face]) -> Vec<String> {
    let mut counts: BTreeMap<&str, (u32, usize)> = BTreeMap::new();
    for (place, face) in faces.iter().enumerate() {
        let kind = if face.report.crash_type.is_empty() { "UNKNOWN" } else { face.report.crash_type.as_str() };
        counts.entry(kind).or_insert((0, place)).0 += face.trials;
    }
    let all: u32 = counts.values().map(|(count, _)| count).sum();
    let several = counts.len() > 1;
    let mut groups: Vec<(&str, u32, usize)> = counts
        .into_iter()
        .map(|(kind, (count, place))| (kind, count, place))
        .filter(|(kind, count, _)| !several || !(*kind == "LOST_CONNECTION" || *kind == "HANG" && 2 * count < all))
        .collect();
    groups.sort_by_key(|(_, count, place)| (std::cmp::Reverse(*count), *place));
    let mut taken = 0;
    let mut kept = Vec::new();
    for (kind, count, _) in groups.into_iter().take(3) {
        kept.push(kind.to_owned());
        taken += count;
        if 3 * taken > 2 * all {
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use kbisect_sdk::CrashReport;

    use super::*;

    fn types_of(counts: &[(&str, u32)]) -> Vec<String> {
        let faces: Vec<Face> = counts
            .iter()
            .map(|(kind, trials)| Face {
                report: CrashReport { crash_type: (*kind).to_owned(), ..CrashReport::default() },
                trials: *trials,
            })
            .collect();
        types(&faces)
    }

    /// The table of `conformance-data.md` §2.2.
    #[test]
    fn representative_types() {
        assert_eq!(types_of(&[("KASAN-READ", 4), ("BUG", 2), ("LOCKDEP", 1)]), ["KASAN-READ", "BUG"]);
        assert_eq!(types_of(&[("KASAN-READ", 3), ("HANG", 3), ("WARNING", 1)]), ["KASAN-READ", "WARNING"]);
        assert_eq!(types_of(&[("KASAN-READ", 2), ("HANG", 4)]), ["HANG", "KASAN-READ"]);
        assert_eq!(types_of(&[("UNKNOWN", 4), ("HANG", 2)]), ["UNKNOWN"]);
        assert_eq!(types_of(&[("LOST_CONNECTION", 3), ("WARNING", 3)]), ["WARNING"]);
        assert_eq!(types_of(&[("LOST_CONNECTION", 6)]), ["LOST_CONNECTION"]);
    }
}
