//! What trials say of commits.

/// A crash or its absence, as the search sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sight {
    /// No crash in this share of the full exposure.
    Clean {
        /// From 0 to 1.
        exposure: f64,
    },
    /// A crash.
    Crash {
        /// Chance that it is the target.
        same: f64,
        /// Its look.
        look: u32,
    },
}
