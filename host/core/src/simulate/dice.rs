//! Chance for simulations: small, seeded, and the same everywhere.

/// A generator of random numbers: splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall by this seed alone.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice for one of many runs: far from those of its neighbours.
    pub fn of_run(seed: u64, run: u64) -> Self {
        let mut dice = Self(seed ^ 0x5851_F42D_4C95_7F2D);
        Self(dice.word() ^ Self(run).word())
    }

    /// Any 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A number from 0 to `limit`, exclusive; 0 where there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        // The bias of the remainder is below limit/2^64.
        (self.word() % (limit.max(1) as u64)) as usize
    }

    /// A number from 0 to 1, exclusive.
    pub fn share(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number between two others.
    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.share()
    }

    /// True with this chance.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.share() < chance
    }

    /// A waiting time with this mean, exponentially distributed.
    pub fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }

    /// One of these, each as likely as its weight.
    pub fn pick<T: Copy>(&mut self, of: &[(T, f64)]) -> Option<T> {
        let mut left = self.share() * of.iter().map(|(_, weight)| weight).sum::<f64>();
        let found = of.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        found.or(of.last()).map(|(one, _)| *one)
    }
}
