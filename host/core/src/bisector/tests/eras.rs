//! Searches across a change of compiler or configuration: r is another beyond it, or the bug does not show there at all.

use super::world::*;
use crate::bisector::*;

const COMMITS: usize = 100;

/// How a search ends among so many commits in a line, where before commit `edge` a trial at a bad commit shows the bug with chance `r`.
fn search(culprit: usize, edge: usize, r: f64, seed: u64) -> Conclusion {
    let mut world = World::new(&line(COMMITS), culprit, 0.95, seed);
    world.elsewhere = ((0..edge).map(id).collect(), r);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    bisector.know_eras(&[id(edge)]);
    run(&mut world, &mut bisector, 3000).conclusion
}

#[test]
fn a_bug_that_shows_less_often_with_another_compiler_is_found() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..80_u64 {
        let (culprit, edge) = (1 + (seed as usize * 37) % (COMMITS - 1), if seed < 40 { 30 } else { 60 });
        match search(culprit, edge, 0.25, seed) {
            Conclusion::Found { suspects } => *(if suspects[0].commit == id(culprit) { &mut right } else { &mut wrong }) += 1,
            Conclusion::Inconclusive { suspects, .. } => assert!(suspects.iter().any(|suspect| suspect.commit == id(culprit))),
            other => panic!("{other:?}"),
        }
    }
    println!("{right} right and {wrong} wrong of 80");
    assert!(right >= 74 && wrong <= 2);
}

#[test]
fn a_change_of_compiler_that_hides_the_bug_is_no_culprit() {
    for culprit in [2, 20, 39] {
        let Conclusion::Inconclusive { suspects, why, .. } = search(culprit, 40, 0.0, culprit as u64) else { panic!("a name") };
        assert_eq!(suspects[0].commit, id(40));
        assert!(suspects.iter().any(|suspect| suspect.commit == id(culprit)), "{suspects:?}");
        let says = format!("the crash begins to show at {}, just where the environment changes", id(40).short());
        assert!(why.starts_with(&says), "{why}");
    }
    // What came in after the change is seen as ever.
    for culprit in [41, 42, 90] {
        let Conclusion::Found { suspects } = search(culprit, 40, 0.0, culprit as u64) else { panic!("no name") };
        assert_eq!(suspects[0].commit, id(culprit));
    }
}

#[test]
fn a_boundary_where_the_compiler_changes_is_as_likely_as_nothing_hiding_the_bug() {
    let Conclusion::Inconclusive { suspects, .. } = search(40, 40, 0.95, 1) else { panic!("a name") };
    // One commit against .03 for each of the 39 before it, and the good end.
    assert_eq!(suspects[0].commit, id(40));
    assert!((suspects[0].probability - 1.0 / (1.0 + 0.03 * 39.0 + 0.06)).abs() < 0.05, "{:?}", suspects[0]);
}

#[test]
fn releases_that_the_history_lacks_or_that_all_contain_change_nothing() {
    let world = World::new(&line(COMMITS), 33, 0.9, 7);
    let plain = run(&mut world.clone(), &mut cause_of(&world, Strategy::Posterior), 500);
    let mut bisector = cause_of(&world, Strategy::Posterior);
    bisector.know_eras(&[id(0), id(1000)]);
    let known = run(&mut world.clone(), &mut bisector, 500);
    assert_eq!((plain.order, plain.conclusion), (known.order, known.conclusion));
}
