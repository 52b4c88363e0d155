use super::*;

const PLACES: Places = Places { culprit: 100, stray: 101, broken: 102, mend: 103, wide: [104, 105] };

#[test]
fn every_plan_has_what_it_is_for() {
    for seed in 0..300 {
        let count = 20 + seed as usize % 70;
        let pool: Vec<usize> = (0..90).collect();
        let plan = plan(count, &PLACES, &pool, 14, &mut Draw::new(seed));
        assert!((count..count + 6).contains(&plan.len()), "{seed}");
        let by_step = |step| plan.iter().position(|commit| commit.role == Role::Step(step)).expect("the step is taken");
        let head = plan.last().expect("a head");
        let release = plan.iter().position(|commit| commit.role == Role::Release).expect("a release");
        // A step is taken once, the newest commit has all, and parents come first.
        let taken: Vec<usize> =
            plan.iter().filter_map(|commit| if let Role::Step(step) = commit.role { Some(step) } else { None }).collect();
        assert_eq!(head.taken, taken.iter().copied().collect(), "{seed}");
        assert_eq!(head.taken.len(), taken.len(), "{seed}");
        assert!(plan.iter().enumerate().all(|(index, commit)| commit.parents.iter().all(|&parent| parent < index)), "{seed}");
        assert!(plan.windows(2).all(|pair| pair[0].time < pair[1].time), "{seed}");
        assert!(head.released && by_step(PLACES.stray) <= 3, "{seed}");
        // Neither the culprit nor its parent is in the stretch that does not build; nor is the release.
        let builds = |commit: &Planned| !commit.taken.contains(&PLACES.broken) || commit.taken.contains(&PLACES.mend);
        let culprit = &plan[by_step(PLACES.culprit)];
        assert!(builds(culprit) && culprit.parents.iter().all(|&parent| builds(&plan[parent])), "{seed}");
        assert!(builds(&plan[release]) && builds(head), "{seed}");
        assert!(plan.iter().any(|commit| !builds(commit)), "{seed}");
    }
}

#[test]
fn long_plans_have_merges_and_seeds_differ() {
    let pool: Vec<usize> = (0..90).collect();
    let of = |seed| plan(60, &PLACES, &pool, 14, &mut Draw::new(seed));
    let merges = |seed| of(seed).iter().filter(|commit| commit.role == Role::Merge).count();
    assert!((0..50).all(|seed| merges(seed) >= 2), "{:?}", (0..50).map(merges).collect::<Vec<_>>());
    let culprits: BTreeSet<usize> =
        (0..50).map(|seed| of(seed).iter().position(|commit| commit.role == Role::Step(100)).expect("a culprit")).collect();
    assert!(culprits.len() > 15);
}
