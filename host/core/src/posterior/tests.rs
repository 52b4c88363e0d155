#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;

use super::rates::Point;
use super::rates::RatePrior;
use super::*;
use crate::commit::CommitId;
use crate::graph::Commit;

/// How many eras the cases have at most.
const ERAS: usize = 3;

/// A history of up to 12 commits; each has up to three earlier ones as parents, and the last one contains all.
fn histories() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..=3), 1..=11).prop_map(|picks| {
        let mut parents: Vec<Vec<usize>> = vec![Vec::new()];
        for picks in picks {
            let mut of: Vec<usize> = picks.iter().map(|pick| pick.index(parents.len())).collect();
            of.sort_unstable();
            of.dedup();
            parents.push(of);
        }
        let tips: Vec<usize> = (0..parents.len()).filter(|tip| !parents.iter().any(|of| of.contains(tip))).collect();
        if tips.len() > 1 {
            parents.push(tips);
        }
        parents
    })
}

fn sights() -> impl Strategy<Value = Sight> {
    prop_oneof![
        4 => (0.2..=1.0).prop_map(|exposure| Sight::Clean { exposure }),
        2 => Just(Sight::Clean { exposure: 1.0 }),
        3 => Just(Sight::Crash { same: 0.999, look: 1 }),
        2 => (0.0..=1.0, 2_u32..6).prop_map(|(same, look)| Sight::Crash { same, look }),
        1 => Just(Sight::Crash { same: 0.0005, look: 3 }),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    parents: Vec<Vec<usize>>,
    /// Good ends; whatever they contain is no candidate.
    good: Vec<usize>,
    /// Commit, build and what was seen.
    seen: Vec<(usize, usize, Sight)>,
    mute: f64,
    begins: bool,
    /// Each commit's weight beforehand; 1 for those beyond.
    weights: Vec<f64>,
    /// Commits of one kernel, each of which was built once; all of the start commit's era.
    same: Vec<usize>,
    /// Each commit's era; 0 for those beyond.
    eras: Vec<usize>,
}

fn cases() -> impl Strategy<Value = Case> {
    let seen = proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..2, sights()), 0..14);
    let good = proptest::collection::vec(any::<prop::sample::Index>(), 1..=2);
    let weights = prop_oneof![Just(Vec::new()), proptest::collection::vec(prop_oneof![Just(1e-4), 0.1..20.0], 12)];
    let same = prop_oneof![Just(Vec::new()), proptest::collection::vec(any::<prop::sample::Index>(), 2..=3)];
    let eras = prop_oneof![Just(Vec::new()), proptest::collection::vec(0..ERAS, 12)];
    (histories(), good, seen, prop_oneof![Just(0.0), Just(0.0005), Just(0.05)], any::<bool>(), weights, same, eras).prop_map(
        |(parents, good, seen, mute, begins, weights, same, mut eras)| {
            let last = parents.len() - 1;
            let mut good: Vec<usize> = good.iter().map(|good| good.index(last)).collect();
            good.sort_unstable();
            good.dedup();
            let same: Vec<usize> = same.iter().map(|commit| commit.index(parents.len())).collect();
            let seen = seen
                .iter()
                .map(|(commit, build, sight)| {
                    let commit = commit.index(parents.len());
                    (commit, if same.contains(&commit) { 0 } else { *build }, *sight)
                })
                .collect();
            for (_, era) in eras.iter_mut().enumerate().filter(|(commit, _)| same.contains(commit)) {
                *era = 0;
            }
            Case { parents, good, seen, mute, begins, weights, same, eras }
        },
    )
}

fn id(number: usize) -> CommitId {
    CommitId::from_bytes([number as u8; 20])
}

impl Case {
    fn graph(&self) -> Graph {
        Graph::new(self.parents.iter().enumerate().map(|(number, parents)| Commit {
            id: id(number),
            time: number as i64,
            parents: parents.iter().map(|&parent| id(parent)).collect(),
        }))
    }

    fn contains(&self, commit: usize, other: usize) -> bool {
        commit == other || self.parents[commit].iter().any(|&parent| self.contains(parent, other))
    }

    fn candidates(&self) -> Vec<usize> {
        (0..self.parents.len()).filter(|&commit| !self.good.iter().any(|&good| self.contains(good, commit))).collect()
    }

    fn weight(&self, commit: usize) -> f64 {
        self.weights.get(commit).copied().unwrap_or(1.0)
    }

    fn era(&self, commit: usize) -> usize {
        self.eras.get(commit).copied().unwrap_or(0)
    }

    fn prior(&self) -> f64 {
        0.1 / self.good.len() as f64
    }

    fn posterior(&self, grid: Grid) -> (Graph, Candidates, Posterior) {
        self.posterior_given(grid, None)
    }

    /// With a commit that is assumed to be bad, or good.
    fn posterior_given(&self, grid: Grid, given: Option<(usize, bool)>) -> (Graph, Candidates, Posterior) {
        let graph = self.graph();
        let node = |number: usize| graph.node(&id(number)).unwrap();
        let good: Vec<Node> = self.good.iter().map(|&good| node(good)).collect();
        let number = |node: Node| (0..self.parents.len()).find(|&number| id(number) == graph.id(node)).unwrap();
        let candidates = Candidates::new(&graph, node(self.parents.len() - 1), &good).weighed(|node| self.weight(number(node)));
        let ends: Vec<GoodEnd> = good.iter().map(|&node| GoodEnd { node, prior: self.prior() }).collect();
        let mut sites: Vec<Site> = Vec::new();
        for &(commit, build, sight) in &self.seen {
            let place = sites.iter().position(|site| site.node == node(commit)).unwrap_or_else(|| {
                sites.push(Site {
                    node: node(commit),
                    kernel: self.same.contains(&commit).then_some(0),
                    era: self.era(commit),
                    kernels: vec![Vec::new(); if self.same.contains(&commit) { 1 } else { 2 }],
                    clean_counts: true,
                    assumed: None,
                });
                sites.len() - 1
            });
            sites[place].kernels[build].push(sight);
        }
        if let Some((commit, bad)) = given {
            let place = sites.iter().position(|site| site.node == node(commit)).unwrap_or_else(|| {
                sites.push(Site {
                    node: node(commit),
                    kernel: None,
                    kernels: Vec::new(),
                    era: self.era(commit),
                    clean_counts: true,
                    assumed: None,
                });
                sites.len() - 1
            });
            sites[place].assumed = Some(bad);
        }
        sites.sort_by_key(|site| site.node);
        let groups = Arc::new(Groups::new(&graph, &candidates, sites.iter().map(|site| site.node).collect()));
        let (begins, mute) = (self.begins, self.mute);
        let question = Question { graph: &graph, groups, begins, ends: &ends, sites, mute, eras: ERAS };
        let posterior = Posterior::new(grid, question);
        (graph, candidates, posterior)
    }

    /// Which commits each hypothesis makes bad: one for each candidate, then one for each good end.
    fn hypotheses(&self) -> Vec<(f64, Vec<bool>)> {
        let all = 0..self.parents.len();
        let candidates = self.candidates();
        let weight: f64 = candidates.iter().map(|&commit| self.weight(commit)).sum();
        let between = 1.0 - self.prior() * self.good.len() as f64;
        let of_candidate = |&culprit: &usize| {
            let bad = all.clone().map(|at| self.contains(at, culprit) == self.begins).collect();
            (between * self.weight(culprit) / weight, bad)
        };
        let of_end = |&end: &usize| {
            let spared = |at: usize| self.good.iter().any(|&other| other != end && self.contains(other, at));
            (self.prior(), all.clone().map(|at| self.contains(at, end) || !spared(at)).collect())
        };
        candidates.iter().map(of_candidate).chain(self.good.iter().map(of_end)).collect()
    }

    /// The looks that are read both ways, with their mean chance.
    fn unsure(&self) -> Vec<(u32, f64)> {
        let mut looks: Vec<(u32, Vec<f64>)> = Vec::new();
        for &(_, _, sight) in &self.seen {
            if let Sight::Crash { same, look } = sight
                && same > 0.001
            {
                match looks.iter_mut().find(|(of, _)| *of == look) {
                    Some((_, chances)) => chances.push(same.min(0.999)),
                    None => looks.push((look, vec![same.min(0.999)])),
                }
            }
        }
        looks.sort_by(|(one, of_one), (other, of_other)| of_other.len().cmp(&of_one.len()).then(one.cmp(other)));
        let means = looks.into_iter().map(|(look, chances)| (look, chances.iter().sum::<f64>() / chances.len() as f64));
        means.filter(|&(_, mean)| mean > 0.02 && mean < 0.98).take(3).collect()
    }

    /// Likelihood of a sight at a good and at a bad commit, straight from the formula; `target` says how its look is read.
    fn likelihood(&self, sight: Sight, target: Option<bool>, r: f64, f: f64) -> (f64, f64) {
        match (sight, target) {
            (Sight::Clean { exposure }, _) => (1.0 - f * exposure, (1.0 - r * exposure) * (1.0 - f * exposure)),
            (Sight::Crash { same, .. }, _) if same <= 0.001 => (1.0, 1.0),
            (_, Some(false)) => (1.0, 1.0),
            (Sight::Crash { same, look }, target) => {
                let (s, u) = if target == Some(true) { (0.999, 0.001) } else { (same.min(0.999), self.strays(look)) };
                let good = u * (1.0 - s) + f * s;
                (good, good * f64::max(1.0, (1.0 - r) + r * s / (u * (1.0 - s) + f * s)))
            }
        }
    }

    /// The rate of strays with this look.
    fn strays(&self, wanted: u32) -> f64 {
        let (mut sum, mut valid) = (0.0, 0.0);
        for &(_, _, sight) in &self.seen {
            match sight {
                Sight::Crash { same, .. } if same <= 0.001 => continue,
                Sight::Crash { same, look } if look == wanted => sum += 1.0 - same.min(0.999),
                _ => {}
            }
            valid += 1.0;
        }
        f64::max(0.001, sum / valid)
    }

    /// For each reading its weight before normalisation, and each hypothesis's posterior probability.
    fn brute_force(&self, grid: &Grid) -> Vec<(f64, Vec<f64>)> {
        let mut hypotheses = self.hypotheses();
        let unsure = self.unsure();
        let shared: Vec<usize> = (0..self.parents.len())
            .filter(|commit| self.same.contains(commit) && self.seen.iter().any(|(at, ..)| at == commit))
            .collect();
        for (prior, bad) in &mut hypotheses {
            if shared.iter().any(|&one| bad[one] != bad[shared[0]]) {
                *prior *= 1e-4;
            }
        }
        (0..1_u32 << unsure.len())
            .map(|reading| {
                let as_target = |look: u32| {
                    let place = unsure.iter().position(|&(unsure, _)| unsure == look)?;
                    Some(reading >> place & 1 == 1)
                };
                // Likelihood of everything at each commit, were it good, were it bad, and were it bad and heard, at each point.
                let at = |commit: usize, point: &Point| {
                    let (mut if_good, mut if_bad, mut heard) = (1.0, 1.0, 1.0);
                    for build in 0..2 {
                        let (mut good, mut bad) = (1.0, 1.0);
                        for &(_, _, sight) in self.seen.iter().filter(|&&(at, of, _)| at == commit && of == build) {
                            let target = if let Sight::Crash { look, .. } = sight { as_target(look) } else { None };
                            let (one, other) = self.likelihood(sight, target, point.r, point.f);
                            good *= one;
                            bad *= other;
                        }
                        if_good *= good;
                        if_bad *= (1.0 - self.mute) * bad + self.mute * good;
                        heard *= bad;
                    }
                    (if_good, if_bad, heard)
                };
                let commits = 0..self.parents.len();
                let at: Vec<Vec<(f64, f64, f64)>> =
                    grid.points.iter().map(|point| commits.clone().map(|commit| at(commit, point)).collect()).collect();
                let product = |era: usize, of: &dyn Fn(usize) -> f64| -> f64 {
                    commits.clone().filter(|&commit| self.era(commit) == era).map(of).product()
                };
                let likelihood = |era: usize, point: usize, bad: &[bool]| {
                    let at = &at[point];
                    // One kernel is mute wherever it runs, or nowhere.
                    let together: &[usize] = if era == 0 && shared.iter().all(|&one| bad[one]) { &shared } else { &[] };
                    let heard: f64 = together.iter().map(|&one| at[one].2).product();
                    let unheard: f64 = together.iter().map(|&one| at[one].0).product();
                    let alone = product(era, &|one| match (together.contains(&one), bad[one]) {
                        (true, _) => 1.0,
                        (false, true) => at[one].1,
                        (false, false) => at[one].0,
                    });
                    alone * ((1.0 - self.mute) * heard + self.mute * unheard)
                };
                // Another era's r is the same as the start commit's, another one, or 0.
                let width = grid.points.iter().filter(|other| other.r == grid.points[0].r).count();
                let in_all = |point: usize, in_era: &dyn Fn(usize, usize) -> f64| -> f64 {
                    let others: Vec<usize> = (0..grid.points.len()).filter(|other| other % width == point % width).collect();
                    let anything = |point: usize| eras::anything(&grid.borders, point / width);
                    let elsewhere = (1..ERAS).filter(|era| self.eras.contains(era)).map(|era| {
                        let anew: f64 = others.iter().map(|&other| anything(other) * in_era(era, other)).sum();
                        let hidden = product(era, &|one| at[point][one].0);
                        0.8 * in_era(era, point) + 0.17 * anew + 0.03 * hidden
                    });
                    in_era(0, point) * elsewhere.product::<f64>()
                };
                let (mut free, mut best) = (0.0_f64, 0.0_f64);
                let mut weights = vec![0.0; hypotheses.len()];
                for (place, point) in grid.points.iter().enumerate() {
                    let freest = |era: usize, point: usize| product(era, &|one| at[point][one].0.max(at[point][one].1));
                    free = free.max(in_all(place, &freest));
                    for (weight, (prior, bad)) in weights.iter_mut().zip(&hypotheses) {
                        let likelihood = in_all(place, &|era, point| likelihood(era, point, bad));
                        best = best.max(likelihood);
                        *weight += point.prior * prior * likelihood;
                    }
                }
                let total: f64 = weights.iter().sum();
                let chance =
                    |(place, &(_, mean)): (usize, &(u32, f64))| if reading >> place & 1 == 1 { mean } else { 1.0 - mean };
                let prior: f64 = unsure.iter().enumerate().map(chance).product();
                (prior * best / free, weights.iter().map(|weight| weight / total).collect())
            })
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn equals_brute_force(case in cases()) {
        let grid = Grid::prior(false);
        let mut expected = case.brute_force(&grid);
        let sum = |readings: &[(f64, Vec<f64>)]| readings.iter().map(|(weight, _)| weight).sum::<f64>();
        let total = sum(&expected);
        // Rounding may decide about a reading at the edge.
        prop_assume!(expected.iter().all(|(weight, _)| (weight / total - 0.02).abs() > 1e-9));
        expected.retain(|(weight, _)| weight / total > 0.02);
        let total = sum(&expected);
        let (graph, candidates, posterior) = case.posterior(grid);
        prop_assert_eq!(posterior.beliefs.len(), expected.len());
        // The order of equally weighty readings is open: match each with one that is near.
        for belief in &posterior.beliefs {
            let mass = posterior.mass(belief);
            let mut found: Vec<f64> = Vec::new();
            for commit in case.candidates() {
                found.push(mass[candidates.rank(graph.node(&id(commit)).unwrap()).unwrap()]);
            }
            found.extend(&belief.ends);
            let near = |(weight, probabilities): &(f64, Vec<f64>)| {
                (weight / total - belief.weight).abs() < 1e-8
                    && probabilities.iter().zip(&found).all(|(one, other)| (one - other).abs() < 1e-8)
            };
            prop_assert!(expected.iter().any(near), "{:?} {:?} not among {:?}", belief.weight, found, expected);
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_crash_that_is_surely_something_else_moves_nothing(case in cases(), at in any::<prop::sample::Index>(), same in 0.0..=0.001) {
        // That a commit's kernel is another's says something by itself.
        let case = Case { same: Vec::new(), ..case };
        let mut with = case.clone();
        with.seen.push((at.index(case.parents.len()), 0, Sight::Crash { same, look: 77 }));
        let (_, _, before) = case.posterior(Grid::prior(false));
        let (_, _, after) = with.posterior(Grid::prior(false));
        let mass = |posterior: &Posterior| {
            let mut sum = vec![0.0; posterior.mass(&posterior.beliefs[0]).len()];
            for belief in &posterior.beliefs {
                for (sum, mass) in sum.iter_mut().zip(posterior.mass(belief)) {
                    *sum += belief.weight * mass;
                }
            }
            sum
        };
        for (before, after) in mass(&before).iter().zip(mass(&after)) {
            prop_assert!((before - after).abs() <= 0.01 * before.max(1e-12), "{before} became {after}");
        }
    }

    /// Sites tell what they contain; sums over what a candidate contains are checked against that.
    #[test]
    fn contained_sums_are_sums_over_what_is_contained(case in cases(), seed in any::<u32>()) {
        let (graph, candidates, _) = case.posterior(Grid::prior(false));
        let quantities: Vec<[f64; 2]> =
            (0..candidates.len()).map(|rank| [f64::from(seed.rotate_left(rank as u32) % 100), rank as f64]).collect();
        let sums = candidates.contained_sums(&quantities);
        for (rank, sum) in sums.iter().enumerate() {
            let contained = candidates.contained(&graph, candidates.node(rank));
            for part in 0..2 {
                let expected: f64 = quantities.iter().zip(&contained).filter(|&(_, &inside)| inside).map(|(of, _)| of[part]).sum();
                prop_assert!((sum[part] - expected).abs() < 1e-9);
            }
        }
    }
}

/// ln Γ by Lanczos' approximation, g = 7.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series = COEFFICIENTS.iter().enumerate().skip(1).fold(COEFFICIENTS[0], |sum, (at, of)| sum + of / (x + at as f64));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// With s ∈ {0, 1} and f fixed, a line's posterior has a closed form: for the prior `w·a·r^(a−1) + (1 − w)·b·r^(b−1)` of r, a
/// culprit with H hits and C clean trials at its bad commits, h hits and c clean ones at its good ones has weight
/// (w·a·B(H+a, C+1) + (1−w)·b·B(H+b, C+1)) · f^h · (1−f)^c.
#[test]
fn on_a_line_the_grid_is_near_the_beta_integral() {
    let (rates, f) = (RatePrior { always: 0.65, shape: 500.0, flaky_shape: 2.0 }, 0.003);
    let mut worst = 0.0_f64;
    // Hits and clean trials at commits 1 to 6 of a line; 0 is good, 6 the newest.
    let counts: [[(u32, u32); 7]; 6] = [
        [(0, 1), (0, 0), (0, 0), (0, 1), (1, 0), (0, 0), (2, 0)],
        [(0, 3), (0, 1), (0, 2), (1, 3), (2, 1), (3, 0), (5, 2)],
        [(0, 10), (0, 5), (0, 9), (1, 8), (4, 6), (2, 9), (7, 9)],
        [(0, 30), (0, 20), (0, 40), (0, 30), (3, 40), (9, 60), (12, 50)],
        [(0, 2), (0, 2), (0, 2), (20, 0), (20, 0), (20, 0), (20, 1)],
        [(0, 6), (1, 5), (0, 9), (6, 5), (7, 4), (0, 1), (30, 29)],
    ];
    for counts in counts {
        let parents: Vec<Vec<usize>> = (0..7_usize).map(|number| number.checked_sub(1).into_iter().collect()).collect();
        let mut seen = Vec::new();
        for (commit, &(hits, clean)) in counts.iter().enumerate() {
            seen.extend((0..hits).map(|_| (commit, 0, Sight::Crash { same: 1.0, look: 1 })));
            seen.extend((0..clean).map(|_| (commit, 0, Sight::Clean { exposure: 1.0 })));
            // Crashes that are surely something else are no evidence.
            seen.push((commit, 0, Sight::Crash { same: 0.0, look: 2 }));
        }
        let case = Case {
            parents,
            good: vec![0],
            seen,
            mute: 0.0,
            begins: true,
            weights: Vec::new(),
            same: Vec::new(),
            eras: Vec::new(),
        };
        let (graph, candidates, posterior) = case.posterior(Grid::new(rates, &[(f, 1.0)]));

        let weight = |culprit: usize| {
            let (mut good, mut bad) = ((0, 0), (0, 0));
            for (commit, &(hits, clean)) in counts.iter().enumerate() {
                let side = if commit >= culprit { &mut bad } else { &mut good };
                *side = (side.0 + hits, side.1 + clean);
            }
            let (hits, clean) = (f64::from(bad.0), f64::from(bad.1));
            let part = |weight: f64, shape: f64| weight * shape * ln_beta(hits + shape, clean + 1.0).exp();
            let integral = part(rates.always, rates.shape) + part(1.0 - rates.always, rates.flaky_shape);
            integral * f.powi(good.0 as i32) * (1.0 - f).powi(good.1 as i32)
        };
        // Culprits 1 to 6, and the good end.
        let weights: Vec<f64> = (1..7).map(|culprit| 0.9 / 6.0 * weight(culprit)).chain([0.1 * weight(0)]).collect();
        let total: f64 = weights.iter().sum();
        let belief = &posterior.beliefs[0];
        let mass = posterior.mass(belief);
        let found = (1..7).map(|commit| mass[candidates.rank(graph.node(&id(commit)).unwrap()).unwrap()]);
        for (found, expected) in found.chain([belief.end_bad()]).zip(weights.iter().map(|weight| weight / total)) {
            worst = worst.max((found - expected).abs());
            assert!((found - expected).abs() < 0.005, "{found} instead of {expected} in {counts:?}");
        }
    }
    println!("largest difference {worst:.5}");
}

#[test]
fn unsure_looks_are_read_both_ways_and_sure_ones_are_not() {
    let crash = |commit, same, look| (commit, 0, Sight::Crash { same, look });
    let parents: Vec<Vec<usize>> = (0..4_usize).map(|number| number.checked_sub(1).into_iter().collect()).collect();
    let seen = vec![crash(3, 0.999, 1), crash(2, 0.4, 2), crash(2, 0.4, 2), crash(1, 0.01, 3)];
    let case =
        Case { parents, good: vec![0], seen, mute: 0.0, begins: true, weights: Vec::new(), same: Vec::new(), eras: Vec::new() };
    let (_, _, posterior) = case.posterior(Grid::prior(false));
    let readings: Vec<(Vec<u32>, Vec<u32>)> =
        posterior.beliefs.iter().map(|belief| (belief.reading.as_target(), belief.reading.as_stray())).collect();
    assert_eq!(readings, [(vec![], vec![2]), (vec![2], vec![])]);
    let weights: Vec<f64> = posterior.beliefs.iter().map(|belief| belief.weight).collect();
    assert!((weights[0] - 0.6).abs() < 0.05 && (weights[1] - 0.4).abs() < 0.05, "{weights:?}");
}

proptest! {
    #[test]
    fn an_assumption_is_a_condition(case in cases(), commit in any::<prop::sample::Index>(), bad in any::<bool>()) {
        let commit = commit.index(case.parents.len());
        let (graph, candidates, free) = case.posterior(Grid::prior(false));
        let (_, _, given) = case.posterior_given(Grid::prior(false), Some((commit, bad)));
        let hypotheses = case.hypotheses();
        let of_rank = |rank: usize| case.candidates().iter().position(|&number| graph.id(candidates.node(rank)) == id(number)).unwrap();
        let in_order = (0..candidates.len()).map(of_rank).chain(candidates.len()..hypotheses.len());
        let holds: Vec<bool> = in_order.map(|hypothesis| hypotheses[hypothesis].1[commit] == bad).collect();
        for belief in &given.beliefs {
            // A reading that fell without the assumption may stand with it.
            let Some(before) = free.beliefs.iter().find(|before| before.reading == belief.reading) else { continue };
            let all = |posterior: &Posterior, belief: &Belief| -> Vec<f64> {
                posterior.mass(belief).into_iter().chain(belief.ends.iter().copied()).collect()
            };
            let (before, after) = (all(&free, before), all(&given, belief));
            let kept: f64 = before.iter().zip(&holds).filter(|&(_, &holds)| holds).map(|(mass, _)| mass).sum();
            if kept < 1e-6 {
                continue;
            }
            for ((before, after), holds) in before.iter().zip(&after).zip(&holds) {
                let expected = if *holds { before / kept } else { 0.0 };
                prop_assert!((after - expected).abs() < 1e-9, "{after} instead of {expected}");
            }
        }
    }
}
