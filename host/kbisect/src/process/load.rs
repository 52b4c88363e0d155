//! How busy this host is, and how much longer than usual one must wait for what needs the processors.

use std::fs;
use std::time::Duration;

/// Nobody waits longer than this many times.
const MOST: f64 = 4.0;

/// The time to wait for something that takes at most `limit` where it has a processor to itself.
pub fn patient(limit: Duration) -> Duration {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    limit.mul_f64(factor(&text, processors))
}

/// How many programs share a processor, by the last minute's average in `/proc/loadavg`: from 1 to 4.
fn factor(loadavg: &str, processors: usize) -> f64 {
    let average = loadavg.split(' ').next().and_then(|word| word.parse::<f64>().ok()).filter(|average| average.is_finite());
    (average.unwrap_or(0.0) / processors as f64).clamp(1.0, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_busy_host_makes_patient() {
        for (text, processors, expected) in
            [("0.50 9.0 9.0 1/2 3", 2, 1.0), ("3.00 0 0 1/2 3", 2, 1.5), ("99 0 0", 2, MOST), ("", 2, 1.0), ("NaN 1", 2, 1.0)]
        {
            assert!((factor(text, processors) - expected).abs() < 1e-9, "{text}");
        }
    }
}
