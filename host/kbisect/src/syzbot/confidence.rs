//! How sure syzkaller is of a bisection, by its own formula.

use super::Log;
use super::Place;
use crate::gitlog::Mark;

impl Log {
    /// The confidence that syzkaller computes since 2023, worked out for a log of any year: the product over the good steps of
    /// `1 - (1 - p)^clean`, where p is the share of runs that crashed at the start commit, lowered half-way to that of every bad step
    /// that has less. None where the start commit had no valid run. Source: syzkaller's `pkg/bisect` as of 2026-08.
    pub fn confidence(&self) -> Option<f64> {
        let tests = self.tests();
        let start = tests.first()?;
        let share = |crashes: usize, clean: usize| (crashes + clean > 0).then(|| crashes as f64 / (crashes + clean) as f64);
        let mut chance = share(start.crashes(), start.clean())?;
        let mut confidence = 1.0;
        for step in tests.iter().filter(|test| test.place == Place::Step) {
            match step.verdict {
                Some(Mark::Good) => confidence *= 1.0 - (1.0 - chance).powf(step.clean() as f64),
                Some(Mark::Bad) => {
                    if let Some(share) = share(step.crashes(), step.clean()) {
                        chance = f64::min(chance, f64::midpoint(chance, share));
                    }
                }
                Some(Mark::Skip) | None => {}
            }
        }
        Some(confidence)
    }
}
