//! Looks: which crashes are taken for one another. Owns their numbers.

use kbisect_core::crash::CrashReport;
use kbisect_core::policy::TARGET_LOOK as TARGET;

/// Least chance of "same bug" at which two crashes are taken for one another.
pub(crate) const SAME: f64 = 0.5;
/// Least chance at which a crash has the target's own look. What only may be the target is read both ways, and the target's own
/// crashes must not be read so with it.
const SURE: f64 = 0.98;

/// The looks seen so far, each known by the reports that have it.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    known: Vec<(u32, CrashReport)>,
}

impl Looks {
    /// Notes that a report has a look.
    pub(crate) fn learn(&mut self, look: u32, report: &CrashReport) {
        if !self.known.iter().any(|(_, known)| same_face(known, report)) {
            self.known.push((look, report.clone()));
        }
    }

    /// Notes the target's faces: they have its look from here on, and what was taken for the target before has it no longer.
    pub(crate) fn set_target(&mut self, faces: &[CrashReport]) {
        let fresh = self.fresh();
        self.known.retain(|(_, known)| !faces.iter().any(|face| same_face(known, face)));
        self.known.iter_mut().filter(|(look, _)| *look == TARGET).for_each(|(look, _)| *look = fresh);
        self.known.extend(faces.iter().map(|face| (TARGET, face.clone())));
    }

    /// A number that no look has.
    fn fresh(&self) -> u32 {
        self.known.iter().map(|(look, _)| look + 1).max().unwrap_or(TARGET + 1)
    }

    /// The number of a report's look. `same` says how likely two reports are the same bug; it is asked only about reports that
    /// were never seen.
    pub(crate) fn number(&self, report: &CrashReport, mut same: impl FnMut(&CrashReport, &CrashReport) -> f64) -> u32 {
        if let Some((look, _)) = self.known.iter().find(|(_, known)| same_face(known, report)) {
            return *look;
        }
        let enough = |look: u32| if look == TARGET { SURE } else { SAME };
        let relative = self.known.iter().find(|(look, known)| same(known, report) >= enough(*look)).map(|(look, _)| *look);
        relative.unwrap_or_else(|| self.fresh())
    }
}

/// Whether two reports look the same to a person: title, type and frame.
pub(crate) fn same_face(one: &CrashReport, other: &CrashReport) -> bool {
    one.title == other.title && one.crash_type == other.crash_type && one.frame == other.frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(title: &str) -> CrashReport {
        CrashReport::titled(title)
    }

    #[test]
    fn relatives_share_a_number_and_strangers_do_not() {
        let mut looks = Looks::default();
        looks.set_target(&[titled("KASAN in a")]);
        let same = |one: &CrashReport, other: &CrashReport| if one.title[..4] == other.title[..4] { 0.99 } else { 0.01 };
        assert_eq!(looks.number(&titled("KASAN in b"), same), TARGET);
        assert_eq!(looks.number(&titled("hung in c"), same), 1);
        looks.learn(1, &titled("hung in c"));
        assert_eq!(looks.number(&titled("hung in d"), same), 1);
        assert_eq!(looks.number(&titled("WARN in e"), same), 2);
        assert_eq!(looks.number(&titled("hung in c"), |_, _| panic!("asked about a known report")), 1);
    }

    #[test]
    fn what_may_be_the_target_has_a_look_of_its_own() {
        let mut looks = Looks::default();
        looks.set_target(&[titled("KASAN in a")]);
        let same = |_: &CrashReport, _: &CrashReport| 0.9;
        assert_eq!(looks.number(&titled("hung in a"), same), 1);
        looks.learn(1, &titled("hung in a"));
        assert_eq!(looks.number(&titled("GPF in a"), same), 1, "its relatives share it");
    }

    #[test]
    fn a_target_that_changes_takes_its_number_along() {
        let never = |_: &CrashReport, _: &CrashReport| 0.0;
        let mut looks = Looks::default();
        looks.learn(3, &titled("stray"));
        // The first crash at the start commit may be a stray: it is the target until more is known.
        looks.set_target(&[titled("stray")]);
        assert_eq!(looks.number(&titled("stray"), never), TARGET);
        looks.set_target(&[titled("bug"), titled("bug, other face")]);
        assert_eq!(looks.number(&titled("bug"), never), TARGET);
        assert_eq!(looks.number(&titled("bug, other face"), never), TARGET);
        assert_eq!(looks.number(&titled("stray"), never), 1);
        assert_eq!(looks.number(&titled("third"), never), 2);
    }
}
