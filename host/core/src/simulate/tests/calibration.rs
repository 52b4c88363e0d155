//! The search is as often right as it says, in worlds that are as it believes them to be.

use super::*;
use crate::bisector::Conclusion;
use crate::posterior::Grid;
use crate::simulate::search::run_watched;

const RUNS: u64 = 1000;
const BINS: usize = 10;
/// What the search believes of its good end, and of kernels that cannot show the bug.
const GOOD_END_BAD: f64 = 0.02;
const MUTE: f64 = 0.01 / 20.0;

/// What was said once of a run, and whether it was so.
#[derive(Clone, Copy)]
struct Said {
    stated: f64,
    right: bool,
}

#[test]
fn what_is_stated_is_how_often_it_is_so() {
    let history = History::linear(300).unwrap();
    let points: Vec<((f64, f64), f64)> =
        Grid::prior(false).points.iter().map(|point| ((point.r, point.f), point.prior)).collect();
    let (mut leaders, mut names) = (Vec::new(), Vec::new());
    for number in 0..RUNS {
        let mut dice = Dice::of_run(99, number);
        let (repro, false_alarm) = dice.pick(&points).unwrap();
        let faults: &[Fault] = if dice.chance(GOOD_END_BAD) { &[Fault::Older] } else { &[] };
        let chances = Chances { false_alarm, mute: MUTE, ..quiet(repro) };
        let mut world = World::new(&history, chances, faults, Dice::of_run(5, number));
        let truth = world.truth;
        let is = |commit| history.graph.node(&commit).is_some_and(|node| truth.is(node));
        // One step of each run, each as likely.
        let (mut steps, mut leader) = (0, None);
        let ended = run_watched(&history, &mut world, &mut Sequential, SETTINGS, &Lab::default(), &mut |bisector| {
            let summary = bisector.summary();
            if let (Some(first), Some(_)) = (summary.suspects.first(), summary.range) {
                steps += 1;
                if dice.below(steps) == 0 {
                    leader = Some(Said { stated: first.probability, right: is(first.commit) });
                }
            }
        });
        leaders.extend(leader);
        if let Conclusion::Found { suspects } = ended.unwrap().conclusion {
            names.push(Said { stated: suspects[0].probability, right: is(suspects[0].commit) });
        }
    }
    assert!(leaders.len() > RUNS as usize / 2 && names.len() > RUNS as usize / 2, "{} {}", leaders.len(), names.len());
    leaders.sort_by(|one, other| one.stated.total_cmp(&other.stated));
    for bin in leaders.chunks(leaders.len().div_ceil(BINS)).chain([&names[..]]) {
        let (stated, seen) = means(bin);
        let spread = (seen * (1.0 - seen) / bin.len() as f64).sqrt().max((stated * (1.0 - stated) / bin.len() as f64).sqrt());
        assert!((stated - seen).abs() <= 0.02 + 2.0 * spread, "stated {stated:.3}, seen {seen:.3} of {}", bin.len());
    }
}

fn means(said: &[Said]) -> (f64, f64) {
    let count = said.len() as f64;
    let right = said.iter().filter(|said| said.right).count() as f64;
    (said.iter().map(|said| said.stated).sum::<f64>() / count, right / count)
}
