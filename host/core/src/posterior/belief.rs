//! The posterior under one reading of the looks.

use std::collections::BTreeMap;

use super::Grid;
use super::Sight;
use super::Site;
use super::eras::Rates;
use super::eras::Told;
use super::looks::FALLS;
use super::looks::Reading;
use crate::select;

/// What one reading makes of the evidence.
#[derive(Debug, Clone)]
pub(crate) struct Belief {
    pub(crate) reading: Reading,
    /// The reading's weight among those that stand.
    pub(crate) weight: f64,
    /// Probability that the boundary is in each group of candidates.
    pub(crate) groups: Vec<f64>,
    /// Probability of each good end being bad after all.
    pub(crate) ends: Vec<f64>,
    /// What is believed of r in each era, the start commit's first.
    pub(crate) eras: Vec<Rates>,
    /// Probability that the bug is at commits which were clean because their era hides it.
    pub(crate) hidden: f64,
    /// Mean of r in the start commit's era.
    pub(crate) r: f64,
    /// Mean of f.
    pub(crate) f: f64,
    pub(crate) sites: Vec<SiteBelief>,
    /// How much less likely the evidence is with one boundary than with every tested commit free to be good or bad, as the
    /// difference of the best log-likelihoods: what monotony costs.
    pub(crate) misfit: f64,
}

/// What one reading makes of a tested commit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SiteBelief {
    /// Probability that it is bad.
    pub(crate) bad: f64,
    /// How much likelier its own trials are at a bad commit than at a good one, as a logarithm: what it says without its neighbours.
    pub(crate) alone: f64,
    /// What one more trial is like on its latest kernel.
    pub(crate) again: Prospect,
    /// What one more trial is like on a kernel built anew.
    pub(crate) rebuilt: Prospect,
    /// Crashes with the target.
    pub(crate) hits: u32,
    /// Clean trials, in full exposures.
    pub(crate) clean: f64,
    /// Crashes that hide what the trial would have shown.
    pub(crate) hidden: u32,
}

/// What a trial to come is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Prospect {
    /// Bits that its outcome says about where the boundary is.
    pub(crate) bits: f64,
    /// Chances of a hit.
    pub(crate) hit: Hit,
}

/// Chances of a hit at a bad and at a good commit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    pub(crate) bad: f64,
    pub(crate) good: f64,
}

/// A tested commit's log-likelihoods at each point of the grid.
struct SiteLikelihood {
    good: Vec<f64>,
    bad: Vec<f64>,
    /// The same for a bad commit whose kernels are surely not mute.
    heard: Vec<f64>,
    /// Chance at each point that the latest kernel is mute, were the commit bad.
    mute: Vec<f64>,
}

/// What all readings are made of: see [`Question`](super::Question).
pub(super) struct Case<'a> {
    pub(super) sites: &'a [Site],
    /// For each site which hypotheses make it bad.
    pub(super) bad: &'a [Vec<bool>],
    /// Each hypothesis's prior: the groups', then the ends'.
    pub(super) prior: &'a [f64],
    /// How many of the hypotheses are groups of candidates.
    pub(super) groups: usize,
    pub(super) mute: f64,
    pub(super) eras: usize,
}

impl Belief {
    /// The weight is left at the reading's prior.
    pub(super) fn new(grid: &Grid, reading: Reading, case: &Case<'_>) -> Self {
        let &Case { sites, bad, prior, groups, mute, eras } = case;
        let likelihoods: Vec<SiteLikelihood> = sites.iter().map(|site| site_likelihood(grid, &reading, site, mute)).collect();
        let shared = shared_kernels(grid.points.len(), sites, &likelihoods, mute);
        let all_good = by_era(grid, eras, sites.iter().map(|site| site.era).zip(likelihoods.iter().map(|site| &site.good)));
        let told: Vec<Vec<Told>> = (0..prior.len())
            .map(|hypothesis| {
                let mut logs = all_good.clone();
                for ((site, likelihood), _) in sites.iter().zip(&likelihoods).zip(bad).filter(|(_, bad)| bad[hypothesis]) {
                    for ((log, bad), good) in logs[site.era].iter_mut().zip(&likelihood.bad).zip(&likelihood.good) {
                        *log += bad - good;
                    }
                }
                for shared in shared.iter().filter(|shared| shared.sites.iter().all(|&site| bad[site][hypothesis])) {
                    logs[sites[shared.sites[0]].era].iter_mut().zip(&shared.more).for_each(|(log, more)| *log += more);
                }
                told(grid, logs, &all_good)
            })
            .collect();
        let mut joint: Vec<Vec<f64>> = told.iter().map(|told| together(told)).collect();
        let possible = || joint.iter().zip(prior).filter(|&(_, &prior)| prior > 0.0).flat_map(|(log, _)| log);
        let best = possible().copied().fold(f64::NEG_INFINITY, f64::max);
        let freest: Vec<Vec<f64>> =
            likelihoods.iter().map(|site| site.good.iter().zip(&site.bad).map(|(good, bad)| good.max(*bad)).collect()).collect();
        let freest = by_era(grid, eras, sites.iter().map(|site| site.era).zip(&freest));
        let free = together(&self::told(grid, freest, &all_good)).into_iter().fold(f64::NEG_INFINITY, f64::max);
        for (log, prior) in joint.iter_mut().zip(prior) {
            for (log, point) in log.iter_mut().zip(&grid.points) {
                *log = exp(*log - best) * point.prior * prior;
            }
        }
        let total: f64 = joint.iter().flatten().sum();
        let probability = |weights: &Vec<f64>| weights.iter().sum::<f64>() / total;
        let rates: Vec<Rates> = (0..eras)
            .map(|era| {
                let mut points = vec![0.0; grid.points.len()];
                for (told, weights) in told.iter().zip(&joint) {
                    told[era].add_to(&mut points, grid, weights);
                }
                points.iter_mut().for_each(|point| *point /= total);
                let means: Vec<f64> = told.iter().zip(&joint).map(|(told, weights)| told[era].mean_r(weights)).collect();
                Rates { points, group_r: means[..groups].to_vec(), end_r: means[groups..].to_vec() }
            })
            .collect();
        let hidden: f64 = told
            .iter()
            .zip(&joint)
            .enumerate()
            .map(|(hypothesis, (told, weights))| {
                let has_bad = |era: usize| sites.iter().zip(bad).any(|(site, bad)| site.era == era && bad[hypothesis]);
                let hiding: Vec<&Told> = (1..eras).filter(|&era| has_bad(era)).map(|era| &told[era]).collect();
                let shows = |point: usize| hiding.iter().map(|told| 1.0 - told.hides[point]).product::<f64>();
                weights.iter().enumerate().map(|(point, weight)| weight * (1.0 - shows(point))).sum::<f64>()
            })
            .sum();
        let points = &rates[0].points;
        let of_eras: Vec<Vec<Outcome<'_>>> = (0..eras)
            .map(|era| joint.iter().zip(&told).map(|(weights, told)| Outcome::new(grid, weights, &told[era].r)).collect())
            .collect();
        let sites = sites
            .iter()
            .zip(&likelihoods)
            .zip(bad)
            .map(|((site, likelihood), bad)| {
                // A mute kernel is known by clean trials where r is high; in other eras the grid's points do not say what r is.
                let known = (site.era == 0).then_some(&likelihood.mute);
                let fresh = |outcome: &Outcome<'_>| (1.0 - mute) * outcome.if_bad + mute * outcome.if_good;
                let again = |outcome: &Outcome<'_>| known.map_or_else(|| fresh(outcome), |mute| outcome.if_mute(grid, mute));
                SiteBelief {
                    bad: joint
                        .iter()
                        .zip(bad)
                        .filter(|&(_, &bad)| bad)
                        .map(|(weights, _)| probability(weights))
                        .sum::<f64>()
                        .min(1.0),
                    alone: rates[site.era]
                        .points
                        .iter()
                        .zip(&likelihood.bad)
                        .zip(&likelihood.good)
                        .map(|((point, bad), good)| point * (bad - good))
                        .sum(),
                    again: prospect(&of_eras[site.era], bad, again),
                    rebuilt: prospect(&of_eras[site.era], bad, fresh),
                    ..counts(&reading, site)
                }
            })
            .collect();
        Self {
            weight: reading.prior,
            groups: joint[..groups].iter().map(probability).collect(),
            ends: joint[groups..].iter().map(probability).collect(),
            hidden: hidden / total,
            r: grid.mean_r(points),
            f: grid.points.iter().zip(points).map(|(point, weight)| point.f * weight).sum(),
            eras: rates,
            sites,
            misfit: free - best,
            reading,
        }
    }

    /// Probability that a good end is bad after all.
    pub(crate) fn end_bad(&self) -> f64 {
        self.ends.iter().sum()
    }
}

/// Weighs the beliefs: each by its reading's prior, lowered only by what monotony costs it. Those that fall are removed, the others
/// sorted, the weightiest first.
///
/// Weighing readings by their full likelihoods would favour the freer one for its fit alone (`bisection-science.md` §5.4).
pub(super) fn weigh(beliefs: &mut Vec<Belief>) {
    for belief in beliefs.iter_mut() {
        belief.weight = belief.reading.prior * (-belief.misfit).exp();
    }
    share_out(beliefs);
    let heaviest = beliefs.iter().map(|belief| belief.weight).fold(0.0, f64::max);
    beliefs.retain(|belief| belief.weight > FALLS || belief.weight == heaviest);
    share_out(beliefs);
    beliefs.sort_by(|one, other| other.weight.total_cmp(&one.weight));
}

fn share_out(beliefs: &mut [Belief]) {
    let total: f64 = beliefs.iter().map(|belief| belief.weight).sum();
    for belief in beliefs {
        belief.weight /= total;
    }
}

/// The exponential, where what is next to nothing is nothing: most hypotheses are soon as unlikely, and cost no more.
fn exp(log: f64) -> f64 {
    const NOTHING: f64 = -200.0;
    if log < NOTHING { 0.0 } else { log.exp() }
}

/// Sums of log-likelihoods over the sites of each era.
fn by_era<'l>(grid: &Grid, eras: usize, of_sites: impl Iterator<Item = (usize, &'l Vec<f64>)>) -> Vec<Vec<f64>> {
    let mut sums = vec![vec![0.0; grid.points.len()]; eras];
    for (era, of_site) in of_sites {
        sums[era].iter_mut().zip(of_site).for_each(|(sum, log)| *sum += log);
    }
    sums
}

/// What each era's trials say where these are their log-likelihoods; `all_good` has them were every commit good.
fn told(grid: &Grid, logs: Vec<Vec<f64>>, all_good: &[Vec<f64>]) -> Vec<Told> {
    let of_era = |(era, log): (usize, Vec<f64>)| match era {
        0 => Told::at_start(grid, log),
        _ => Told::elsewhere(grid, &log, &all_good[era]),
    };
    logs.into_iter().enumerate().map(of_era).collect()
}

/// Log-likelihoods of all eras' trials.
fn together(told: &[Told]) -> Vec<f64> {
    let mut sum = told[0].log.clone();
    for told in &told[1..] {
        sum.iter_mut().zip(&told.log).for_each(|(sum, log)| *sum += log);
    }
    sum
}

fn site_likelihood(grid: &Grid, reading: &Reading, site: &Site, mute: f64) -> SiteLikelihood {
    let points = grid.points.len();
    let none = || vec![0.0; points];
    let mut sum = SiteLikelihood { good: none(), bad: none(), heard: none(), mute: vec![mute; points] };
    for kernel in &site.kernels {
        let (mut good, mut bad) = (vec![0.0; points], vec![0.0; points]);
        for (sight, count) in counted(kernel) {
            if matches!(sight, Sight::Clean { .. }) && !site.clean_counts {
                continue;
            }
            let Some(likelihood) = reading.likelihood(sight) else {
                continue;
            };
            for (place, point) in grid.points.iter().enumerate() {
                let (if_good, if_bad) = likelihood(point.r, point.f);
                good[place] += count * if_good.ln();
                bad[place] += count * if_bad.ln();
            }
        }
        for place in 0..points {
            let (either, unheard) = mute_or_not(mute, good[place], bad[place]);
            sum.good[place] += good[place];
            sum.heard[place] += bad[place];
            sum.bad[place] += either;
            sum.mute[place] = unheard;
        }
    }
    sum
}

/// Log-likelihood of what a bad kernel showed, mute or not, and the chance that it is mute.
fn mute_or_not(mute: f64, good: f64, bad: f64) -> (f64, f64) {
    let heard = (1.0 - mute).ln() + bad;
    let unheard = mute.ln() + good;
    let either = heard.max(unheard) + exp(-(heard - unheard).abs()).ln_1p();
    (either, exp(unheard - either))
}

/// Commits of one kernel: where they are all bad, it is mute at all of them or at none.
struct Shared {
    sites: Vec<usize>,
    /// What that adds to the log-likelihoods at each point of the grid.
    more: Vec<f64>,
}

/// The kernels that several tested commits have. Those with a second build are left out: which one is shared is not known.
fn shared_kernels(points: usize, sites: &[Site], likelihoods: &[SiteLikelihood], mute: f64) -> Vec<Shared> {
    let mut of_kernel: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, site) in sites.iter().enumerate() {
        if let (Some(kernel), [_]) = (site.kernel, &site.kernels[..]) {
            of_kernel.entry(kernel).or_default().push(place);
        }
    }
    let several = of_kernel.into_values().filter(|sites| sites.len() > 1);
    several
        .map(|sites| {
            let sum = |of: fn(&SiteLikelihood) -> &Vec<f64>, point: usize| -> f64 {
                sites.iter().map(|&site| of(&likelihoods[site])[point]).sum()
            };
            let more = |point| {
                let (good, heard) = (sum(|site| &site.good, point), sum(|site| &site.heard, point));
                mute_or_not(mute, good, heard).0 - sum(|site| &site.bad, point)
            };
            Shared { more: (0..points).map(more).collect(), sites }
        })
        .collect()
}

/// Equal sights with how often each occurs, in an order that does not depend on that of recording.
fn counted(sights: &[Sight]) -> Vec<(Sight, f64)> {
    let key = |sight: &Sight| match *sight {
        Sight::Clean { exposure } => (None, exposure.to_bits()),
        Sight::Crash { same, look } => (Some(look), same.to_bits()),
    };
    let mut sorted = sights.to_vec();
    sorted.sort_unstable_by_key(key);
    sorted.chunk_by(|one, other| key(one) == key(other)).map(|equal| (equal[0], equal.len() as f64)).collect()
}

/// What a trial is like under one hypothesis. The chances of a hit are sums over the grid's points, each times the point's weight, and
/// so is the total.
struct Outcome<'w> {
    /// The weight of each point, and r there.
    weights: &'w [f64],
    r: &'w [f64],
    total: f64,
    /// A hit at a bad commit whose kernel is not mute.
    if_bad: f64,
    if_good: f64,
}

impl<'w> Outcome<'w> {
    fn new(grid: &Grid, weights: &'w [f64], r: &'w [f64]) -> Self {
        let sum = |chance: &dyn Fn(usize) -> f64| weights.iter().enumerate().map(|(point, weight)| weight * chance(point)).sum();
        let (if_bad, if_good) = (sum(&|point| r[point]), sum(&|point| grid.points[point].f));
        Self { weights, r, total: weights.iter().sum(), if_bad, if_good }
    }

    /// A hit at a bad commit whose kernel is mute with these chances.
    fn if_mute(&self, grid: &Grid, mute: &[f64]) -> f64 {
        let points = self.weights.iter().zip(self.r).zip(&grid.points).zip(mute);
        points.map(|(((weight, r), point), mute)| weight * ((1.0 - mute) * r + mute * point.f)).sum()
    }
}

/// A trial at a commit that the hypotheses in `bad` make bad, where each has this chance of a hit.
fn prospect(outcomes: &[Outcome<'_>], bad: &[bool], if_bad: impl Fn(&Outcome<'_>) -> f64) -> Prospect {
    let (mut bad_sum, mut good_sum) = (Side::default(), Side::default());
    for (outcome, &bad) in outcomes.iter().zip(bad).filter(|(outcome, _)| outcome.total > 0.0) {
        let (side, hit) = if bad { (&mut bad_sum, if_bad(outcome)) } else { (&mut good_sum, outcome.if_good) };
        side.total += outcome.total;
        side.hit += hit;
        side.uncertain += outcome.total * select::entropy(hit / outcome.total);
    }
    let total = bad_sum.total + good_sum.total;
    let uncertain = (bad_sum.uncertain + good_sum.uncertain) / total;
    let bits = select::bits((bad_sum.hit + good_sum.hit) / total, uncertain);
    Prospect { bits, hit: Hit { bad: bad_sum.mean(), good: good_sum.mean() } }
}

/// Sums over the hypotheses that make a commit bad, or good.
#[derive(Default)]
struct Side {
    total: f64,
    hit: f64,
    uncertain: f64,
}

impl Side {
    fn mean(&self) -> f64 {
        if self.total > 0.0 { self.hit / self.total } else { 0.5 }
    }
}

/// What was counted at the site; the rest is left blank.
fn counts(reading: &Reading, site: &Site) -> SiteBelief {
    let blank = Prospect { bits: 0.0, hit: Hit { bad: 0.5, good: 0.5 } };
    let mut sum = SiteBelief { bad: 0.0, alone: 0.0, again: blank, rebuilt: blank, hits: 0, clean: 0.0, hidden: 0 };
    for &sight in site.kernels.iter().flatten() {
        match sight {
            Sight::Clean { exposure } => sum.clean += exposure,
            Sight::Crash { .. } if reading.is_hit(sight) => sum.hits += 1,
            Sight::Crash { .. } => sum.hidden += 1,
        }
    }
    sum
}
