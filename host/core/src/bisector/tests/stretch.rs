//! Stretches of history that cannot be tested.

use std::collections::HashSet;

use super::world::*;
use crate::bisector::*;
use crate::policy::Role;
use crate::policy::Stage;
use crate::policy::Verdict;

/// How many commits of the stretch were tested, and how many commits the answer holds, the culprit among them.
fn searched(len: usize, broken: std::ops::Range<usize>, culprit: usize, r: f64, seed: u64) -> (usize, usize) {
    let mut world = World::new(&line(len), culprit, r, seed);
    world.void = broken.clone().map(id).collect();
    let mut bisector = cause_of(&world, Strategy::Posterior);
    let ended = run(&mut world, &mut bisector, 2000);
    let tested: HashSet<_> = ended.order.iter().map(|(commit, _)| *commit).filter(|commit| world.void.contains(commit)).collect();
    let suspects = match &ended.conclusion {
        Conclusion::Found { suspects } => &suspects[..1],
        Conclusion::Inconclusive { suspects, .. } => suspects,
        other => panic!("{other:?}"),
    };
    assert!(suspects.iter().any(|suspect| suspect.commit == id(culprit)), "{culprit} is not among {} commits", suspects.len());
    (tested.len(), suspects.len())
}

/// Runs with a culprit inside the stretch, or outside.
fn runs(len: usize, width: usize, inside: bool, count: u64) -> Vec<(usize, usize)> {
    let mut dice = Dice(len as u64);
    let mut one = |seed| {
        let first = 1 + dice.below(len - width - 1);
        let broken = first..first + width;
        let outside: Vec<usize> = (1..=len).filter(|commit| !broken.contains(commit)).collect();
        let culprit = if inside { first + dice.below(width) } else { outside[dice.below(outside.len())] };
        searched(len, broken, culprit, 0.95, seed)
    };
    (0..count).map(&mut one).collect()
}

#[test]
fn a_stretch_that_holds_the_culprit_is_found_with_few_builds() {
    for (len, width, count) in [(100, 20, 10), (1000, 200, 10), (15000, 3000, 4)] {
        for (tested, size) in runs(len, width, true, count) {
            assert!(tested <= 12, "{tested} tested of {width}");
            assert!(size * 10 <= 13 * (width + 1), "{size} commits named for a stretch of {width}");
        }
    }
}

#[test]
fn a_stretch_elsewhere_is_hardly_noticed() {
    let found = runs(1000, 200, false, 20);
    assert!(found.iter().filter(|&&(_, size)| size == 1).count() >= 18, "{found:?}");
    assert!(found.iter().map(|(tested, _)| tested).sum::<usize>() <= 60, "{found:?}");
}

#[test]
fn a_commit_whose_kernel_did_not_build_ahead_of_need_is_not_tested() {
    let mut world = World::new(&line(100), 50, 1.0, 1);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    for commit in 40..60 {
        bisector.record_failed_build(id(commit));
    }
    let ended = run(&mut world, &mut bisector, 500);
    assert!((40..60).all(|commit| ended.order.iter().all(|(tested, _)| *tested != id(commit))));
    let Conclusion::Inconclusive { suspects, .. } = &ended.conclusion else { panic!("{:?}", ended.conclusion) };
    assert!(suspects.len() <= 25 && suspects.iter().any(|suspect| suspect.commit == id(50)), "{}", suspects.len());
}

#[test]
fn what_others_tried_in_vain_does_not_end_the_search() {
    let mut world = World::new(&line(1000), 450, 1.0, 1);
    world.void = (400..600).map(id).collect();
    let mut bisector = cause_of(&world, Strategy::Posterior);
    // Git's jumps among skipped commits, far from where the stretch ends.
    for (number, commit) in (430..570).step_by(7).enumerate() {
        bisector.record(evidence(1000 + number as u64, id(commit), Role::Candidate, void(Stage::Build)));
        bisector.judge(verdict(id(commit), 1, Verdict::Skip("it does not build".to_owned())));
    }
    let ended = run(&mut world, &mut bisector, 2000);
    let Conclusion::Inconclusive { suspects, .. } = &ended.conclusion else { panic!("{:?}", ended.conclusion) };
    assert!(suspects.len() <= 600 && suspects.iter().any(|suspect| suspect.commit == id(450)), "{}", suspects.len());
}
