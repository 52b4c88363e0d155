//! `kbisect next` against the installed git, step by step, and its whole output as snapshots.

mod history;
mod session;
mod snapshots;

use std::thread;

use history::Clock;
use history::History;
use history::Random;
use history::sketch;
use session::Session;
use session::Tally;

/// Holds `sessions` sessions on each of the seeds' histories, on all processors. A shape is a history's length and reach.
fn hold(seeds: std::ops::Range<u64>, sessions: usize, shape: impl Fn(&mut Random) -> (usize, usize) + Sync) -> Tally {
    let one = |seed: u64| {
        let mut random = Random(seed);
        let clock = random.pick(&[Clock::Right, Clock::Stopped, Clock::Coarse, Clock::Skewed]);
        let (len, reach) = shape(&mut random);
        let history = History::new(&sketch(&mut random, len, reach, clock));
        let mut tally = Tally::default();
        for _ in 0..sessions {
            tally.add(Session::hold(&history, &mut random));
        }
        tally
    };
    let workers = thread::available_parallelism().map_or(2, usize::from) as u64;
    let work = |worker| seeds.clone().filter(move |seed| seed % workers == worker).map(one).collect::<Vec<_>>();
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let mut tally = Tally::default();
        for thread in threads {
            // The panic of a failed comparison has been printed by then.
            thread.join().expect("kbisect says what git says").into_iter().for_each(|other| tally.add(other));
        }
        tally
    })
}

#[test]
fn random_sessions_go_as_with_git() {
    let tally = hold(0..44, 6, |random| (10 + random.below(190), random.pick(&[1, 2, 3, 5, 10, 24])));
    println!("{tally:#?}");
    assert!(tally.sessions >= 200);
    let kinds = [
        "test",
        "merge base to test",
        "merge base skipped",
        "first bad",
        "only skipped",
        "merge base is bad",
        "good and bad",
        "good and bad mixed up",
        "waiting",
        "first parent",
        "stray mark",
    ];
    for kind in kinds {
        assert!(tally.seen.contains_key(kind), "no session came to: {kind}");
    }
}

/// The shortcut near halfway is only taken in long ranges.
#[test]
fn sessions_in_long_histories_go_as_with_git() {
    let tally = hold(1000..1004, 3, |random| (7000 + random.below(1500), random.pick(&[2, 3])));
    println!("{tally:#?}");
    assert!(tally.seen.contains_key("2.29 chooses otherwise"), "the shortcut was not put to the test");
}
