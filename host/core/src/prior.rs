//! A suspicion plugin's weights as prior probabilities: normalised, and mixed with the uniform prior.
//!
//! Mixed, so that no commit's probability falls to nothing: however wrong the weights are, the search needs at most log2 1/(1 − share)
//! bits more for them (`bisection-science.md` §4). Everything here is over a mean of 1.

/// The share of the prior that follows a suspicion plugin's weights where nobody says otherwise. The rest is uniform: wrong weights cost
/// the search at most 1.7 bits (`bisection-science.md` §4).
pub const SHARE: f64 = 0.7;
/// The most of the whole prior that a single commit gets by its weight. The search tests early what has much of it, and again until it is
/// cleared: a plugin that is sure of a wrong one of 15,000 costs 11 % more trials where it gets .7, and 1.5 % where it gets .25.
pub const ONE: f64 = 0.25;
/// The most of a prior that weights may decide about.
const MOST: f64 = 0.99;

/// Weights over their mean. What is no weight, being negative or not finite, counts as 0; where all are 0, or there are none, none is
/// above another.
pub fn relative(weights: &[f64]) -> Vec<f64> {
    let sound = |weight: f64| if weight.is_finite() { weight.max(0.0) } else { 0.0 };
    let largest = weights.iter().copied().map(sound).fold(0.0, f64::max);
    if largest == 0.0 {
        return vec![1.0; weights.len()];
    }
    // Scaled, as a sum of the weights themselves could be too large.
    let scaled = |weight: f64| sound(weight) / largest;
    let mean = weights.iter().copied().map(scaled).sum::<f64>() / weights.len() as f64;
    weights.iter().map(|&weight| scaled(weight) / mean).collect()
}

/// A prior of which this share, at most .99, follows the relative weights; the rest is uniform, and so is what a single commit would
/// have beyond [`ONE`] of the whole by its weight. Its mean is 1, and none is 0.
pub fn mixed(relative: &[f64], share: f64) -> Vec<f64> {
    let share = share.clamp(0.0, MOST);
    let most = ONE * relative.len() as f64;
    let followed: Vec<f64> = relative.iter().map(|relative| (share * relative).min(most)).collect();
    let spare: f64 = relative.iter().zip(&followed).map(|(relative, followed)| share * relative - followed).sum();
    let uniform = 1.0 - share + spare / followed.len().max(1) as f64;
    followed.into_iter().map(|followed| uniform + followed).collect()
}

/// By how many bits a prior with a mean of 1 makes it less uncertain which commit it is: log2 n less its entropy, which is also its
/// divergence from the uniform one.
pub fn bits(prior: &[f64]) -> f64 {
    let sum: f64 = prior.iter().filter(|&&prior| prior > 0.0).map(|prior| prior * prior.log2()).sum();
    if prior.is_empty() { 0.0 } else { (sum / prior.len() as f64).max(0.0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_prior_that_is_right_in_two_of_three_cases_is_worth_two_bits() {
        // .65 of the culprits are among 5 % of the commits (`bisection-science.md` §4).
        let weights: Vec<f64> = (0..1000).map(|commit| if commit < 50 { 0.65 / 0.05 } else { 0.35 / 0.95 }).collect();
        let gained = bits(&relative(&weights));
        assert!((gained - 1.9).abs() < 0.01, "{gained}");
        let mixed = mixed(&relative(&weights), 0.7);
        assert!((bits(&mixed) - 1.07).abs() < 0.01, "{}", bits(&mixed));
    }

    #[test]
    fn weights_that_say_nothing_are_uniform() {
        for weights in [vec![], vec![0.0; 3], vec![7.0; 3], vec![f64::NAN, -1.0, f64::INFINITY], vec![f64::MAX; 3]] {
            assert_eq!(relative(&weights), vec![1.0; weights.len()], "{weights:?}");
            assert_eq!(bits(&relative(&weights)), 0.0);
        }
    }

    proptest! {
        #[test]
        fn a_prior_has_a_mean_of_1_and_no_zeros(weights in proptest::collection::vec(0.0_f64..1e300, 1..50), share in 0.0..=1.0) {
            let prior = mixed(&relative(&weights), share);
            let mean = prior.iter().sum::<f64>() / prior.len() as f64;
            prop_assert!((mean - 1.0).abs() < 1e-9, "{mean}");
            prop_assert!(prior.iter().all(|&prior| prior >= 0.0099));
            let commits = prior.len() as f64;
            let largest = prior.iter().copied().fold(0.0, f64::max);
            let least = prior.iter().copied().fold(f64::MAX, f64::min);
            prop_assert!(largest - least <= ONE * commits + 1e-9, "{prior:?}");
            let entropy: f64 = prior.iter().map(|prior| prior / commits).map(|chance| -chance * chance.log2()).sum();
            prop_assert!((bits(&prior) - (commits.log2() - entropy)).abs() < 1e-9);
        }
    }
}
