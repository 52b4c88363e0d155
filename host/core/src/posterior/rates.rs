//! What is believed of r and f before any trial, as weights on a grid.

/// What is believed of r before any trial: the density `always·shape·r^(shape−1) + (1 − always)·flaky_shape·r^(flaky_shape−1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RatePrior {
    /// How sure it is that a reproducer which works at all works every time.
    pub(crate) always: f64,
    /// For those: one miss in `shape + 1` trials on average.
    pub(crate) shape: f64,
    /// For the others: 1 is any rate alike, more leans to higher ones.
    pub(crate) flaky_shape: f64,
}

/// In real bisections 91 % of the commits that crashed did so in every valid run (`bisection-science.md` §8). Believing less costs a
/// trial or two there, and pays where r is .7 or .9: a search that expects r = 1 takes a parent for good that was clean by chance.
/// More caution than this costs more than twice git's trials and five where r is 1. Low rates are seldom met: a shape of 2 saves a
/// tenth of the trials against 1 at r = .7.
const RATES: RatePrior = RatePrior { always: 0.62, shape: 500.0, flaky_shape: 2.0 };
/// The same for a walk through releases. It meets more commits that may be clean by chance, and nobody counts its trials against
/// git's: of 600 simulated walks at r = .9 and .7, .5 and .3 % named a wrong commit instead of 1.2 and 1.5 %, for a trial more at r = 1.
const RATES_ON_A_WALK: RatePrior = RatePrior { always: 0.5, ..RATES };
/// Points of r. They are equally spaced in arcsin √r, where a binomial likelihood has the same width everywhere; `H + C` trials
/// are resolved while 1/(2√(H + C)) is above half the spacing, that is up to some hundreds.
const POINTS: usize = 48;
/// Chances of a false alarm, and how likely each is beforehand: classifiers are good, but not all.
const FALSE_ALARMS: [(f64, f64); 6] = [(0.0005, 0.55), (0.003, 0.2), (0.01, 0.12), (0.03, 0.07), (0.06, 0.04), (0.1, 0.02)];

/// A point of the grid: r, f and their weight before any trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) r: f64,
    pub(crate) f: f64,
    pub(crate) prior: f64,
}

/// Pairs of r and f with weights that add up to 1; r runs slower than f.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) points: Vec<Point>,
    /// Borders of the cells of r: cell `i` lies between borders `i` and `i + 1`.
    pub(crate) borders: Vec<f64>,
    /// How many f there are to each r.
    pub(crate) width: usize,
}

impl Grid {
    /// What is believed before any trial of a search between stated ends, or of one that walks through releases for its good end.
    pub(crate) fn prior(walk: bool) -> Self {
        Self::new(if walk { RATES_ON_A_WALK } else { RATES }, &FALSE_ALARMS)
    }

    /// The grid for this prior of r, and the given weights of f.
    pub(crate) fn new(rates: RatePrior, false_alarms: &[(f64, f64)]) -> Self {
        let angle = |border: usize| std::f64::consts::FRAC_PI_2 * border as f64 / POINTS as f64;
        let borders: Vec<f64> = (0..=POINTS).map(|border| angle(border).sin().powi(2)).collect();
        // The prior's distribution function, and the integral of r times its density.
        let parts = [(rates.always, rates.shape), (1.0 - rates.always, rates.flaky_shape)];
        let below = |r: f64| parts.iter().map(|(weight, shape)| weight * r.powf(*shape)).sum::<f64>();
        let moment =
            |r: f64| parts.iter().map(|(weight, shape)| weight * shape / (shape + 1.0) * r.powf(shape + 1.0)).sum::<f64>();
        let total: f64 = false_alarms.iter().map(|&(_, weight)| weight).sum();
        let mut points = Vec::new();
        for cell in borders.windows(2) {
            let mass = below(cell[1]) - below(cell[0]);
            let r = (moment(cell[1]) - moment(cell[0])) / mass;
            points.extend(false_alarms.iter().map(|&(f, weight)| Point { r, f, prior: mass * weight / total }));
        }
        Self { points, borders, width: false_alarms.len() }
    }

    /// For answers that are wrong equally often at bad and at good commits. How often nobody knows: the density 9·(1 − f)^8, a mean of one
    /// in ten, below ½. A hit at a bad commit has r + (1 − r)·f, so that this is 1 − f where r = (1 − 2f)/(1 − f).
    pub(crate) fn symmetric() -> Self {
        let angle = |border: f64| std::f64::consts::FRAC_PI_4 * (1.0 - border / POINTS as f64);
        let wrong = |border: f64| angle(border).sin().powi(2);
        let r = |f: f64| (1.0 - 2.0 * f) / (1.0 - f);
        let above = |border: f64| (1.0 - wrong(border)).powi(9);
        let all = above(POINTS as f64) - above(0.0);
        let points = (0..POINTS).map(|cell| cell as f64).map(|cell| {
            let f = wrong(cell + 0.5);
            Point { r: r(f), f, prior: (above(cell + 1.0) - above(cell)) / all }
        });
        Self { points: points.collect(), borders: (0..=POINTS).map(|border| r(wrong(border as f64))).collect(), width: 1 }
    }

    /// The mean of r under these weights of the points.
    pub(crate) fn mean_r(&self, weights: &[f64]) -> f64 {
        let total: f64 = weights.iter().sum();
        self.points.iter().zip(weights).map(|(point, weight)| point.r * weight).sum::<f64>() / total
    }

    /// The chance under these weights of the points that a bad commit shows nothing in so many trials.
    pub(crate) fn missed(&self, weights: &[f64], trials: u32) -> f64 {
        let total: f64 = weights.iter().sum();
        let exponent = trials.cast_signed();
        self.points.iter().zip(weights).map(|(point, weight)| weight * (1.0 - point.r).powi(exponent)).sum::<f64>() / total
    }

    /// The chance under these weights of the points that a good commit shows so many false alarms, or more, in so many trials.
    pub(crate) fn alarmed(&self, weights: &[f64], alarms: u32, trials: u32) -> f64 {
        let total: f64 = weights.iter().sum();
        self.points.iter().zip(weights).map(|(point, weight)| weight * at_least(alarms, trials, point.f)).sum::<f64>() / total
    }

    /// The `share` quantile of r under these weights of the points, linear within a cell.
    pub(crate) fn quantile(&self, weights: &[f64], share: f64) -> f64 {
        let total: f64 = weights.iter().sum();
        let mut below = 0.0;
        for (cell, of_r) in weights.chunks(self.width).enumerate() {
            let mass: f64 = of_r.iter().sum::<f64>() / total;
            if below + mass >= share {
                let part = if mass > 0.0 { (share - below) / mass } else { 0.0 };
                return self.borders[cell] + part * (self.borders[cell + 1] - self.borders[cell]);
            }
            below += mass;
        }
        1.0
    }
}

/// The chance of so many hits, or more, in so many trials that hit with this chance each.
pub(crate) fn at_least(hits: u32, trials: u32, chance: f64) -> f64 {
    let (mut fewer, mut exactly) = (0.0, (1.0 - chance).powi(trials.cast_signed()));
    for count in 0..hits.min(trials + 1) {
        fewer += exactly;
        exactly *= f64::from(trials - count) / f64::from(count + 1) * chance / (1.0 - chance);
    }
    (1.0 - fewer).max(0.0)
}
