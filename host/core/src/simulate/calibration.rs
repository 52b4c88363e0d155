//! Whether what is stated with a probability is so as often as that.

/// A probability that was stated, and whether what it was stated of is so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// From 0 to 1.
    pub stated: f64,
    /// Whether it is so.
    pub so: bool,
}

/// Some statements of about the same probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// How many there are.
    pub count: usize,
    /// The mean of what was stated.
    pub stated: f64,
    /// The share of what is so.
    pub seen: f64,
}

/// Two points beside what chance explains.
const LEEWAY: f64 = 0.02;

impl Bin {
    fn new(said: &[Said]) -> Self {
        let count = said.len() as f64;
        let stated = said.iter().map(|said| said.stated).sum::<f64>() / count;
        let seen = said.iter().filter(|said| said.so).count() as f64 / count;
        Self { count: said.len(), stated, seen }
    }

    /// How far the two may be apart: two points, and two standard errors of the share of so many that are each so with the stated
    /// probability.
    pub fn leeway(&self) -> f64 {
        LEEWAY + 2.0 * (self.stated * (1.0 - self.stated) / self.count as f64).sqrt()
    }

    /// Whether they are no farther apart.
    pub fn holds(&self) -> bool {
        (self.stated - self.seen).abs() <= self.leeway()
    }
}

/// The statements in so many bins of equal count, but for the last ones: the least probable first. Fewer where there are few.
pub fn bins(said: &[Said], count: usize) -> Vec<Bin> {
    let mut sorted = said.to_vec();
    sorted.sort_by(|one, other| one.stated.total_cmp(&other.stated));
    sorted.chunks(sorted.len().div_ceil(count.max(1)).max(1)).map(Bin::new).collect()
}

/// The chance that of one statement that is so and one that is not, the first was stated with the higher probability; of equal ones,
/// half. None where all are so, or none is.
pub fn auc(said: &[Said]) -> Option<f64> {
    let mut sorted = said.to_vec();
    sorted.sort_by(|one, other| one.stated.total_cmp(&other.stated));
    let so = |said: &[Said]| said.iter().filter(|said| said.so).count() as f64;
    let (mut below, mut won) = (0.0, 0.0);
    for equal in sorted.chunk_by(|one, other| one.stated == other.stated) {
        let not = equal.len() as f64 - so(equal);
        won += so(equal) * (below + not / 2.0);
        below += not;
    }
    let pairs = so(said) * below;
    (pairs > 0.0).then(|| won / pairs)
}
