//! How wide a race's window must be for a wanted rate.
//!
//! Two tasks run, and each yield point draws one of all that can run; others only thin both streams out alike. One task is in its
//! window from its first to its `inside`-th yield, the other's event comes after `before` yields. The number of turns that the one
//! has had when the event comes is negative binomial, so the event falls into the window in
//! Σₖ₌₁^inside C(k + before, k) · 2^−(k + before + 1) of the schedules.

/// Yield points that set a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Yield points inside the window.
    pub(crate) inside: u32,
    /// Yield points before the other task's event.
    pub(crate) before: u32,
}

impl Window {
    /// The share of schedules that hit.
    pub(crate) fn rate(self) -> f64 {
        let before = f64::from(self.before);
        // The term of k = 0, and then each from the one before it.
        let mut term = 0.5f64.powi(i32::try_from(self.before).expect("windows are short") + 1);
        let mut sum = 0.0;
        for k in 1..=self.inside {
            term *= (f64::from(k) + before) / f64::from(k) / 2.0;
            sum += term;
        }
        sum
    }

    /// The window whose rate is nearest to `rate`, and of equally near ones the shortest.
    pub(crate) fn for_rate(rate: f64) -> Self {
        // A window is passed at every trial: 24 yields are what is worth a rate of .97 rather than .95.
        let all = (1..=24).flat_map(|inside| (1..=12).map(move |before| Self { inside, before }));
        let cost = |w: &Self| (w.rate() - rate).abs() + 1e-4 * f64::from(w.inside + w.before);
        all.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("there are windows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All orders of the two tasks' turns that are long enough, each as likely as any other.
    fn counted(window: Window) -> f64 {
        let turns = window.inside + window.before + 1;
        let hits = (0u32..1 << turns)
            .filter(|order| {
                let mut mine = 0;
                let mut theirs = 0;
                for turn in 0..turns {
                    if order >> turn & 1 == 0 {
                        mine += 1;
                    } else {
                        theirs += 1;
                        if theirs == window.before + 1 {
                            return (1..=window.inside).contains(&mine);
                        }
                    }
                }
                false
            })
            .count();
        hits as f64 / f64::from(1u32 << turns)
    }

    #[test]
    fn the_rate_is_the_share_of_orders_that_hit() {
        for inside in 1..=6 {
            for before in 1..=6 {
                let window = Window { inside, before };
                assert!((window.rate() - counted(window)).abs() < 1e-12, "{window:?}");
            }
        }
    }

    #[test]
    fn every_rate_has_a_window_that_is_near() {
        for percent in 1..=97 {
            let rate = f64::from(percent) / 100.0;
            let found = Window::for_rate(rate);
            assert!((found.rate() - rate).abs() < 0.025, "{rate}: {found:?} has {}", found.rate());
        }
    }
}
