//! What is worked out by segments of history is what looking at every commit gives.

use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::proptest;
use proptest::test_runner::Config;

use super::world::*;
use crate::bisector::offers::Offer;
use crate::bisector::search::best;
use crate::bisector::*;
use crate::posterior::Belief;
use crate::posterior::Hit;

/// The best of a few offers is the best of all; what they say of commits, and what dividing by a commit gives, follow from the
/// candidates' own probabilities.
fn check(bisector: &Bisector) {
    let View { known, stage: Stage::Search(range) } = bisector.view() else { return };
    let search = bisector.search(known, range);
    let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
    for belief in &range.posterior.beliefs {
        let (places, available) = (search.whereabouts(belief), search.all_available(belief));
        let mass = range.posterior.mass(belief);
        let all = search.untested(belief, &places, &available, &[], true);
        let few = search.untested(belief, &places, &available, &[], false);
        assert!(few.len() <= all.len(), "{} of {}", few.len(), all.len());
        match (best(&few), best(&all)) {
            (Some(few), Some(all)) => {
                let equal = few.node == all.node && few.rounded() == all.rounded();
                assert!(equal || all.value < 1e-12, "{:?} {} or {:?} {}", few.node, few.value, all.node, all.value);
            }
            (few, all) => assert!(few.is_none() && all.is_none()),
        }
        for offer in &all {
            let bad = bad_by_mass(&search.range.candidates.contained(&bisector.graph, offer.node), belief, &mass);
            let divided = search.divided(&places, offer.node);
            if search.range.candidates.rank(offer.node).is_some() {
                assert!(near(offer.bad, bad) && near(divided.chance(true), bad), "{} {bad}", offer.bad);
            }
            assert!(near(divided.chance(true) + divided.chance(false), 1.0));
        }
        let (leader, probability) = range.posterior.groups.leader(&range.candidates, &belief.groups);
        assert!(near(mass[leader], probability) && mass.iter().all(|mass| *mass <= probability + 1e-12));
        if probability > 0.6 {
            assert_eq!(places.sure(&range.candidates, probability - 1e-9), Some(leader));
        }
        assert_eq!(places.sure(&range.candidates, probability.max(0.6) + 1e-9), None);
    }
}

fn offer(node: Node, value: f64) -> Offer {
    let hit = Hit { bad: 0.5, good: 0.01 };
    Offer { node, bad: 0.5, hit, value, listed: node.0, rebuild: false, doubtful: None }
}

#[test]
fn which_offer_is_best_does_not_depend_on_their_order() {
    let graph = graph(&line(4));
    let node = |number| graph.node(&id(number)).unwrap();
    // Each differs from the next by little, and the last from the first by more.
    for step in [1e-10, 4e-10, 7e-10, 1e-9, 2e-9] {
        let offers = [0, 1, 2].map(|number: usize| offer(node(number), 0.125 * (1.0 + step * number as f64)));
        let winners = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
            .map(|order: [usize; 3]| best(&order.map(|place| offers[place])).unwrap().node);
        assert_eq!(winners, [winners[0]; 6], "{step}");
    }
}

#[test]
fn what_differs_by_rounding_is_equal_and_the_first_in_gits_list_is_best() {
    let graph = graph(&line(4));
    let node = |number| graph.node(&id(number)).unwrap();
    for value in [1.0, 0.5, 0.1 + 0.2] {
        let offers = [(2, value + value * f64::EPSILON), (1, value - value * f64::EPSILON), (0, value * (1.0 - 1e-6))];
        let offers = offers.map(|(number, value)| offer(node(number), value));
        assert_eq!(best(&offers).map(|offer| offer.node), Some(node(1)), "{value}");
    }
}

fn bad_by_mass(contained: &[bool], belief: &Belief, mass: &[f64]) -> f64 {
    let inside: f64 = mass.iter().zip(contained).filter(|(_, inside)| **inside).map(|(mass, _)| mass).sum();
    inside + belief.end_bad()
}

proptest! {
    #![proptest_config(Config { cases: 40, ..Config::default() })]

    #[test]
    fn the_best_of_few_is_the_best_of_all(
        (len, branchy, culprit) in (20_usize..150, any::<bool>(), any::<prop::sample::Index>()),
        (seed, r, stray) in (any::<u64>(), 0.3..=1.0, prop::option::of(0.0..=1.0)),
        // A stretch that cannot be tested, an era, and a commit that looks guilty.
        (broken, era, guilty) in (prop::option::of((any::<prop::sample::Index>(), 1_usize..15)),
            prop::option::of(any::<prop::sample::Index>()), prop::option::of(any::<prop::sample::Index>())),
    ) {
        let mut dice = Dice(seed);
        let parents = if branchy { merges(len, &mut dice) } else { line(len) };
        let mut world = World::new(&parents, 1 + culprit.index(parents.len() - 1), r, seed);
        world.stray = stray.map_or((0.0, 0.0), |same| (0.1, same));
        if let Some((first, width)) = broken {
            let first = first.index(parents.len());
            world.void = (first..(first + width).min(parents.len() - 1)).map(id).collect();
        }
        let mut bisector = cause_of(&world, Strategy::Posterior);
        bisector.keep_pace(Pace { builders: 2, build: 360.0, trial: 300.0, ..Pace::default() });
        if let Some(first) = era {
            bisector.know_eras(&[id(first.index(parents.len()))]);
        }
        if let Some(stretch) = bisector.unweighed().filter(|_| guilty.is_some()) {
            let guilty = guilty.map(|guilty| id(guilty.index(parents.len())));
            let weights: Vec<f64> =
                bisector.commits(&stretch).into_iter().map(|commit| if Some(commit) == guilty { 20.0 } else { 0.5 }).collect();
            bisector.weigh(stretch, &weights, 0.7);
        }
        run_watched(&mut world, &mut bisector, 6000, check);
    }
}
