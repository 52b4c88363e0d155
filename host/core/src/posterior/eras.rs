//! r in another environment than the start commit's: eras of compiler or configuration.
//!
//! A trial at a bad commit of another era shows the target as often as at the start commit, or with a chance of its own, or never,
//! because something about the era hides it. Which of the three holds is settled for each era apart, by its own trials.

use super::Grid;

/// How likely r is the same as at the start commit, and how likely the era hides the bug; else r may be anything above [`LEAST`].
///
/// Assumed, not measured: a change of compiler seldom makes a bug of the source vanish. That what shows a bug in every trial here does
/// so in every fourth one there is met more often; with .07 for it, four names of 80 were wrong in such searches, with .17 none.
const SAME: f64 = 0.80;
const HIDES: f64 = 0.03;
/// A bug that shows less often than this is as good as hidden: to tell the two apart would take hundreds of trials.
const LEAST: f64 = 0.05;

/// What is believed of r in an era.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    /// Weight of each point of the grid, given that the era does not hide the bug; not normalised.
    pub(crate) points: Vec<f64>,
    /// Mean of r if the boundary is in each group of candidates.
    pub(crate) group_r: Vec<f64>,
    /// Mean of r if each good end is bad after all.
    pub(crate) end_r: Vec<f64>,
}

/// What the trials of one era say under one hypothesis.
pub(super) struct Told {
    /// Log-likelihood at each point of the grid, which holds the r of the start commit's era.
    pub(super) log: Vec<f64>,
    /// Mean of the era's own r at each point.
    pub(super) r: Vec<f64>,
    /// Chance at each point that the era's r is the same.
    same: Vec<f64>,
    /// Chance at each point that the era's r is drawn anew.
    anew: Vec<f64>,
    /// What that r is then: weights of the points, which add up to 1 for each f. Empty in the start commit's era.
    drawn: Vec<f64>,
    /// Chance at each point that the era hides the bug.
    pub(super) hides: Vec<f64>,
}

/// The chance that an r above [`LEAST`] of which nothing is known lies in the cell of the grid with this number.
pub(super) fn anything(borders: &[f64], cell: usize) -> f64 {
    (borders[cell + 1].max(LEAST) - borders[cell].max(LEAST)) / (1.0 - LEAST)
}

impl Told {
    /// For the era of the start commit, where these are the trials' log-likelihoods.
    pub(super) fn at_start(grid: &Grid, log: Vec<f64>) -> Self {
        let points = grid.points.len();
        let r = grid.points.iter().map(|point| point.r).collect();
        Self { log, r, same: vec![1.0; points], anew: vec![0.0; points], hides: vec![0.0; points], drawn: Vec::new() }
    }

    /// For another era: with the trials' log-likelihoods at its own r, and those if nothing of the bug can be seen there.
    pub(super) fn elsewhere(grid: &Grid, own: &[f64], hidden: &[f64]) -> Self {
        let points = grid.points.len();
        // Everything about one f lies `width` apart.
        let width = grid.width;
        let column = |f: usize| (f..points).step_by(width);
        let anything = |point: usize| anything(&grid.borders, point / width);
        let blank = || vec![0.0; points];
        let mut told = Self { log: blank(), r: blank(), same: blank(), anew: blank(), hides: blank(), drawn: blank() };
        for (f, &hidden) in hidden.iter().take(width).enumerate() {
            let best = column(f).map(|point| own[point]).fold(hidden, f64::max);
            let weight = |point: usize| anything(point) * (own[point] - best).exp();
            let drawn: f64 = column(f).map(weight).sum();
            let mean = column(f).map(|point| weight(point) * grid.points[point].r).sum::<f64>() / drawn.max(f64::MIN_POSITIVE);
            for point in column(f) {
                let parts = [SAME * (own[point] - best).exp(), (1.0 - SAME - HIDES) * drawn, HIDES * (hidden - best).exp()];
                let sum: f64 = parts.iter().sum();
                told.log[point] = best + sum.ln();
                told.same[point] = parts[0] / sum;
                told.anew[point] = parts[1] / sum;
                told.hides[point] = parts[2] / sum;
                told.r[point] = told.same[point] * grid.points[point].r + told.anew[point] * mean;
                told.drawn[point] = weight(point) / drawn.max(f64::MIN_POSITIVE);
            }
        }
        told
    }

    /// Adds to the weights of the era's own points what follows from these of the start commit's.
    pub(super) fn add_to(&self, points: &mut [f64], grid: &Grid, weights: &[f64]) {
        let mut anew = vec![0.0; grid.width];
        for (point, weight) in weights.iter().enumerate() {
            points[point] += weight * self.same[point];
            anew[point % grid.width] += weight * self.anew[point];
        }
        for (point, drawn) in self.drawn.iter().enumerate() {
            points[point] += anew[point % grid.width] * drawn;
        }
    }

    /// Mean of the era's r under these weights of the points.
    pub(super) fn mean_r(&self, weights: &[f64]) -> f64 {
        let total: f64 = weights.iter().sum();
        let sum: f64 = self.r.iter().zip(weights).map(|(r, weight)| r * weight).sum();
        if total > 0.0 { sum / total } else { 0.5 }
    }
}
