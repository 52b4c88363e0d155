//! The search is as often right as it says, in worlds that are as it believes them to be.

use std::thread;

use super::*;

const RUNS: u64 = 1000;
const BINS: usize = 10;
const THREADS: u64 = 2;

#[test]
fn what_is_stated_is_how_often_it_is_so() {
    let history = History::linear(300).unwrap();
    let (mut leaders, mut names, mut introduced) = (Vec::new(), Vec::new(), Vec::new());
    let part = &|runs: Vec<u64>| -> Vec<Told> {
        let told = |run| told(&history, SETTINGS, &Lab::default(), (5, run), &mut Sequential).unwrap();
        runs.into_iter().map(told).collect()
    };
    let all: Vec<Told> = thread::scope(|scope| {
        let parts = (0..THREADS).map(|first| scope.spawn(move || part((first..RUNS).step_by(THREADS as usize).collect())));
        parts.collect::<Vec<_>>().into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    for told in all {
        leaders.extend(told.leader);
        names.extend(told.name);
        introduced.extend(told.introduced);
    }
    for said in [&leaders, &names, &introduced] {
        assert!(said.len() > RUNS as usize / 2, "{}", said.len());
    }
    for (what, said, count) in [("leader", leaders, BINS), ("name", names, BINS), ("introduced", introduced, 2)] {
        for bin in bins(&said, count) {
            println!("{what}: stated {:.3}, seen {:.3} of {}", bin.stated, bin.seen, bin.count);
            assert!(bin.holds(), "{what}: {bin:?}");
        }
    }
}

#[test]
fn bins_hold_as_far_as_chance_goes() {
    let said = |stated, so| Said { stated, so };
    let honest: Vec<Said> = (0..1000).map(|number| said(0.3, number % 10 < 3)).collect();
    assert!(bins(&honest, 1)[0].holds());
    let boasting: Vec<Said> = (0..1000).map(|number| said(0.9, number % 10 < 3)).collect();
    assert!(!bins(&boasting, 1)[0].holds());
    let both: Vec<Said> = honest.into_iter().chain(boasting).collect();
    assert_eq!(
        bins(&both, 4).iter().map(|bin| (bin.count, bin.holds())).collect::<Vec<_>>(),
        [(500, true), (500, true), (500, false), (500, false)]
    );
    assert_eq!(bins(&[], 10), []);
}

#[test]
fn auc_is_the_share_of_pairs_in_order() {
    let of = |said: &[(f64, bool)]| auc(&said.iter().map(|&(stated, so)| Said { stated, so }).collect::<Vec<Said>>());
    assert_eq!(of(&[(0.9, true), (0.1, false)]), Some(1.0));
    assert_eq!(of(&[(0.5, true), (0.5, false)]), Some(0.5));
    assert_eq!(of(&[(0.9, false), (0.5, true), (0.1, false)]), Some(0.5));
    assert_eq!(of(&[(0.9, true), (0.5, true)]), None);
}
