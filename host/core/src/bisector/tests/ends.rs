//! The start commit, the far end of the range, the walk through releases, and ends that make no sense.

use std::sync::Arc;

use super::world::*;
use crate::bisector::*;
use crate::commit::CommitId;
use crate::graph::Graph;
use crate::policy::Role;
use crate::policy::Stage;
use crate::policy::Trial;
use crate::policy::Verdict;
use crate::reach::Reached;

/// A bisection on a line of 9, with what was recorded.
struct Line {
    bisector: Bisector,
    number: u64,
}

impl Line {
    fn new(kind: Kind, start: usize, good: &[usize], releases: &[usize], settings: Settings) -> Self {
        let graph = Arc::new(graph(&line(9)));
        let release = |&number: &usize| Release { name: format!("v{number}.0"), commit: id(number) };
        let ends = Ends {
            kind,
            start: id(start),
            good: good.iter().map(|&good| id(good)).collect(),
            releases: releases.iter().map(release).collect(),
        };
        Self { bisector: Bisector::new(graph, ends, settings).unwrap(), number: 0 }
    }

    fn see(&mut self, commit: usize, role: Role, count: u32, trial: &Trial) {
        for _ in 0..count {
            self.number += 1;
            self.bisector.record(evidence(self.number, id(commit), role, trial.clone()));
        }
    }

    /// So many trials of one kind, and the verdict.
    fn judge(&mut self, commit: usize, role: Role, count: u32, trial: &Trial, of: Verdict) {
        self.see(commit, role, count, trial);
        self.bisector.judge(verdict(id(commit), count, of));
    }

    fn bad_start(mut self) -> Self {
        let Plan::Do(actions) = self.bisector.plan(&[]) else { panic!("nothing to do") };
        let Action::Try { commit, role: Role::Start, .. } = actions[0] else { panic!("{actions:?}") };
        self.bisector.judge(verdict(commit, 0, Verdict::Bad));
        for _ in 0..5 {
            self.number += 1;
            self.bisector.record(evidence(self.number, commit, Role::Start, crash(0.999, 1)));
        }
        self
    }

    fn next(&self) -> (CommitId, Role) {
        match self.bisector.plan(&[]) {
            Plan::Do(actions) => match actions[0] {
                Action::Try { commit, role, .. } => (commit, role),
                Action::Build(_) => panic!("{actions:?}"),
            },
            Plan::Done(conclusion) => panic!("{conclusion:?}"),
        }
    }

    fn end(&self) -> Conclusion {
        match self.bisector.plan(&[]) {
            Plan::Done(conclusion) => conclusion,
            Plan::Do(actions) => panic!("{actions:?}"),
        }
    }
}

fn posterior() -> Settings {
    settings(Strategy::Posterior)
}

fn skip() -> Verdict {
    Verdict::Skip("does not boot".to_owned())
}

#[test]
fn the_start_commit_comes_first_and_stays_until_it_has_a_verdict() {
    for strategy in [Strategy::Git, Strategy::Posterior] {
        let mut line = Line::new(Kind::Cause, 9, &[0], &[], settings(strategy));
        assert_eq!(line.next(), (id(9), Role::Start));
        line.see(9, Role::Start, 20, &crash(0.999, 1));
        assert_eq!(line.next(), (id(9), Role::Start));
        line.bisector.judge(verdict(id(9), 20, Verdict::Bad));
        assert_eq!(line.next(), (id(0), Role::GoodEnd));
    }
}

#[test]
fn a_start_commit_that_does_not_crash_ends_it() {
    let mut good = Line::new(Kind::Cause, 9, &[0], &[], posterior());
    good.judge(9, Role::Start, 10, &clean(), Verdict::Good);
    assert_eq!(good.end(), Conclusion::NotReproduced);

    let mut unclear = Line::new(Kind::Cause, 9, &[0], &[], posterior());
    unclear.judge(9, Role::Start, 10, &clean(), skip());
    assert_eq!(unclear.end(), Conclusion::NotReproduced);

    let mut unbootable = Line::new(Kind::Cause, 9, &[0], &[], posterior());
    unbootable.judge(9, Role::Start, 2, &void(Stage::Boot), skip());
    assert!(matches!(unbootable.end(), Conclusion::CannotSearch { .. }));
}

#[test]
fn three_voids_of_one_stage_are_enough_but_the_hosts_troubles_are_not() {
    let mut line = Line::new(Kind::Cause, 9, &[0], &[], posterior());
    line.see(9, Role::Start, 5, &void(Stage::Infra));
    assert_eq!(line.next(), (id(9), Role::Start));
    line.see(9, Role::Start, 3, &void(Stage::Build));
    assert!(matches!(line.end(), Conclusion::CannotSearch { .. }));
}

#[test]
fn a_good_end_that_crashes_ends_it_where_there_is_nothing_older() {
    for strategy in [Strategy::Git, Strategy::Posterior] {
        let mut line = Line::new(Kind::Cause, 9, &[3], &[], settings(strategy)).bad_start();
        line.judge(3, Role::GoodEnd, 3, &crash(0.999, 1), Verdict::Bad);
        assert_eq!(line.end(), Conclusion::OldestStillBad { oldest: id(3) });
    }
}

#[test]
fn one_crash_at_the_last_end_ends_nothing() {
    let mut line = Line::new(Kind::Cause, 9, &[3], &[], posterior()).bad_start();
    line.judge(3, Role::GoodEnd, 1, &crash(0.999, 1), Verdict::Bad);
    assert_eq!(line.next(), (id(3), Role::GoodEnd));
}

#[test]
fn a_good_end_that_crashes_is_followed_by_older_releases() {
    let mut line = Line::new(Kind::Cause, 9, &[5], &[7, 4, 2], posterior()).bad_start();
    line.judge(5, Role::GoodEnd, 3, &crash(0.999, 1), Verdict::Bad);
    assert_eq!(line.next(), (id(4), Role::Release), "release 7 is newer than what is known to be bad");
}

#[test]
fn the_walk_stops_at_the_first_good_release_and_walks_over_skipped_ones() {
    for strategy in [Strategy::Git, Strategy::Posterior] {
        let mut line = Line::new(Kind::Cause, 9, &[], &[8, 6, 4, 2], settings(strategy)).bad_start();
        assert_eq!(line.next(), (id(8), Role::Release));
        line.judge(8, Role::Release, 4, &crash(0.999, 1), Verdict::Bad);
        assert_eq!(line.next(), (id(6), Role::Release));
        line.judge(6, Role::Release, 3, &void(Stage::Boot), skip());
        assert_eq!(line.next(), (id(4), Role::Release));
        line.judge(4, Role::Release, 4, &clean(), Verdict::Good);
        let (commit, role) = line.next();
        assert_eq!(role, Role::Candidate);
        assert!([5, 7].map(id).contains(&commit), "{commit:?}");
        assert_eq!(line.bisector.summary().range, Some(4));
    }
}

#[test]
fn the_oldest_release_ends_the_walk() {
    let mut bad = Line::new(Kind::Cause, 9, &[], &[6, 3], posterior()).bad_start();
    bad.judge(6, Role::Release, 4, &crash(0.999, 1), Verdict::Bad);
    bad.judge(3, Role::Release, 4, &crash(0.999, 1), Verdict::Bad);
    assert_eq!(bad.end(), Conclusion::OldestStillBad { oldest: id(3) });

    let mut skipped = Line::new(Kind::Cause, 9, &[], &[6, 3], posterior()).bad_start();
    skipped.judge(6, Role::Release, 4, &crash(0.999, 1), Verdict::Bad);
    skipped.judge(3, Role::Release, 3, &void(Stage::Build), skip());
    assert!(matches!(skipped.end(), Conclusion::CannotSearch { .. }));
}

#[test]
fn a_good_end_falls_when_the_search_says_so() {
    // Release 4 was clean twice at r = ½, and everything after it crashes: it is bad itself.
    let mut line = Line::new(Kind::Cause, 9, &[], &[4, 2], posterior()).bad_start();
    line.see(9, Role::Start, 5, &clean());
    line.judge(4, Role::Release, 2, &clean(), Verdict::Good);
    assert_ne!(line.next().1, Role::Release);
    line.see(5, Role::Candidate, 4, &crash(0.999, 1));
    line.see(5, Role::Candidate, 4, &clean());
    let before = line.bisector.summary().good_end_bad;
    assert!(before > 0.1, "{before}");
    line.see(4, Role::Release, 1, &crash(0.9, 1));
    line.see(4, Role::Release, 1, &crash(0.9, 1));
    assert_eq!(line.next(), (id(2), Role::Release));
}

#[test]
fn a_trusted_good_end_is_not_tested_first() {
    let trusted = Settings { trust_good: true, ..posterior() };
    let line = Line::new(Kind::Cause, 9, &[0], &[], trusted).bad_start();
    assert_eq!(line.next().1, Role::Candidate);
}

#[test]
fn a_fix_is_looked_for_between_the_start_commit_and_a_newer_one() {
    for strategy in [Strategy::Git, Strategy::Posterior] {
        let mut line = Line::new(Kind::Fix, 2, &[9], &[], settings(strategy)).bad_start();
        assert_eq!(line.next(), (id(9), Role::GoodEnd));
        line.judge(9, Role::GoodEnd, 4, &clean(), Verdict::Good);
        assert_eq!(line.next().1, Role::Candidate);
        assert_eq!(line.bisector.summary().range, Some(7));

        let mut crashes = Line::new(Kind::Fix, 2, &[9], &[], settings(strategy)).bad_start();
        crashes.judge(9, Role::GoodEnd, 4, &crash(0.999, 1), Verdict::Bad);
        assert_eq!(crashes.end(), Conclusion::NewestStillBad { newest: id(9) });

        let mut broken = Line::new(Kind::Fix, 2, &[9], &[], settings(strategy)).bad_start();
        broken.judge(9, Role::GoodEnd, 3, &void(Stage::Build), skip());
        assert!(matches!(broken.end(), Conclusion::CannotSearch { .. }));
    }
}

/// 0 ← 1 ← 2 (mainline), 0 ← 3 ← 4 (branch); 5 is another root.
fn forked() -> Arc<Graph> {
    Arc::new(graph(&[vec![], vec![0], vec![1], vec![0], vec![3], vec![]]))
}

fn ends(kind: Kind, start: usize, good: &[usize], releases: &[usize]) -> Ends {
    let release = |&number: &usize| Release { name: format!("v{number}.0"), commit: id(number) };
    Ends {
        kind,
        start: id(start),
        good: good.iter().map(|&good| id(good)).collect(),
        releases: releases.iter().map(release).collect(),
    }
}

#[test]
fn ends_that_make_no_sense_are_refused() {
    let refused = |ends| Bisector::new(forked(), ends, posterior()).unwrap_err();
    assert_eq!(refused(ends(Kind::Cause, 99, &[0], &[])), BadEnds::UnknownCommit(id(99)));
    assert_eq!(refused(ends(Kind::Cause, 2, &[99], &[])), BadEnds::UnknownCommit(id(99)));
    assert_eq!(refused(ends(Kind::Cause, 2, &[], &[])), BadEnds::NoGoodEnd(id(2)));
    assert_eq!(refused(ends(Kind::Cause, 2, &[2], &[])), BadEnds::GoodIsBad(id(2)));
    assert_eq!(refused(ends(Kind::Cause, 1, &[2], &[])), BadEnds::WrongOrder { newer: id(2), older: id(1) });
    assert_eq!(refused(ends(Kind::Fix, 2, &[1], &[])), BadEnds::WrongOrder { newer: id(2), older: id(1) });
    assert_eq!(refused(ends(Kind::Cause, 2, &[5], &[])), BadEnds::Unrelated(id(2), id(5)));
    assert_eq!(refused(ends(Kind::Fix, 1, &[2, 4], &[])), BadEnds::NotOneFixed(2));
    let newer = BadEnds::ReleaseNotOlder { name: "v4.0".to_owned(), start: id(2) };
    assert_eq!(refused(ends(Kind::Cause, 2, &[], &[4])), newer);
    assert_eq!(newer.to_string(), format!("release v4.0 is no ancestor of {}", id(2)));
}

#[test]
fn a_good_commit_on_another_branch_asks_for_their_merge_base() {
    for strategy in [Strategy::Git, Strategy::Posterior] {
        for (trial, of, goes_on) in [(clean(), Verdict::Good, true), (crash(0.999, 1), Verdict::Bad, false)] {
            let mut bisector = Bisector::new(forked(), ends(Kind::Cause, 2, &[4], &[]), settings(strategy)).unwrap();
            let mut number = 0;
            let mut settle = |bisector: &mut Bisector, commit, role, trial: &Trial, of| {
                for _ in 0..5 {
                    number += 1;
                    bisector.record(evidence(number, id(commit), role, trial.clone()));
                }
                bisector.judge(verdict(id(commit), 5, of));
            };
            settle(&mut bisector, 2, Role::Start, &crash(0.999, 1), Verdict::Bad);
            settle(&mut bisector, 4, Role::GoodEnd, &clean(), Verdict::Good);
            let Plan::Do(actions) = bisector.plan(&[]) else { panic!("nothing to do") };
            assert!(matches!(actions[0], Action::Try { commit, role: Role::MergeBase, .. } if commit == id(0)), "{actions:?}");
            settle(&mut bisector, 0, Role::MergeBase, &trial, of);
            let cannot = matches!(bisector.plan(&[]), Plan::Done(Conclusion::CannotSearch { .. }));
            assert_eq!(cannot, !goes_on);
        }
    }
}

/// On the walk back, with what was seen of how far the reproducer gets.
fn walk(releases: &[usize]) -> Line {
    let mut line = Line::new(Kind::Cause, 9, &[], releases, posterior()).bad_start();
    line.judge(releases[0], Role::Release, 4, &clean(), Verdict::Good);
    assert_eq!(line.bisector.worth_probing(None), [id(9), id(releases[0])]);
    line.bisector.record_reach(id(9), Reached::Yes);
    assert_eq!(line.bisector.worth_probing(None), [id(releases[0])]);
    line
}

#[test]
fn the_walk_goes_on_behind_a_release_that_is_not_exercised() {
    let mut line = walk(&[7, 4, 2]);
    line.bisector.record_reach(id(7), Reached::No);
    assert_eq!(line.next(), (id(4), Role::Release));
    // One that is, or whose reach is not known, ends it; the crash begins to show behind the newer one all the same.
    line.judge(4, Role::Release, 4, &clean(), Verdict::Good);
    assert_eq!(line.bisector.worth_probing(None), [], "the end is the newer one, which was looked at");
    assert_eq!(line.bisector.summary().range, Some(2));
    assert_eq!(line.next(), (id(8), Role::Candidate));
    line.judge(8, Role::Candidate, 4, &crash(0.999, 1), Verdict::Bad);
    line.see(7, Role::Verification, 6, &clean());
    let Conclusion::Found { suspects } = line.end() else { panic!("{:?}", line.end()) };
    assert_eq!(suspects[0].commit, id(8));
    assert_eq!(line.bisector.worth_probing(Some(&line.end())), []);
}

#[test]
fn where_nothing_older_is_exercised_the_crash_begins_to_show_behind_the_newest() {
    let mut line = walk(&[7, 4]);
    line.bisector.record_reach(id(7), Reached::No);
    line.judge(4, Role::Release, 4, &clean(), Verdict::Good);
    assert_eq!(line.bisector.summary().range, Some(2));
    let mut line = walk(&[7]);
    line.bisector.record_reach(id(7), Reached::No);
    assert_eq!(line.next(), (id(8), Role::Candidate));
}

#[test]
fn an_older_release_that_crashes_overrules_one_that_is_not_exercised() {
    let mut line = walk(&[7, 4, 1]);
    line.bisector.record_reach(id(7), Reached::No);
    line.judge(4, Role::Release, 4, &crash(0.999, 1), Verdict::Bad);
    line.judge(1, Role::Release, 4, &clean(), Verdict::Good);
    assert_eq!(line.bisector.not_monotone(), None);
    let (commit, role) = line.next();
    assert_eq!(role, Role::Candidate);
    assert!([2, 3].map(id).contains(&commit), "{commit:?}");
    line.judge(2, Role::Candidate, 4, &clean(), Verdict::Good);
    line.judge(3, Role::Candidate, 4, &crash(0.999, 1), Verdict::Bad);
    line.see(2, Role::Verification, 6, &clean());
    let Conclusion::Found { suspects } = line.end() else { panic!("{:?}", line.end()) };
    assert_eq!(suspects[0].commit, id(3));
    // Had nobody looked, the two releases would contradict each other.
    line.bisector.record_reach(id(7), Reached::Unknown);
    assert!(!matches!(line.bisector.plan(&[]), Plan::Done(Conclusion::Found { suspects }) if suspects[0].commit == id(3)));
}

#[test]
fn nobody_looks_where_there_is_nothing_to_compare_with() {
    let mut silent = Line::new(Kind::Cause, 9, &[], &[7, 4], posterior()).bad_start();
    silent.judge(7, Role::Release, 4, &clean(), Verdict::Good);
    silent.bisector.record_reach(id(9), Reached::Unknown);
    assert_eq!(silent.bisector.worth_probing(None), []);
    let mut git = Line::new(Kind::Cause, 9, &[], &[7, 4], settings(Strategy::Git)).bad_start();
    git.judge(7, Role::Release, 4, &clean(), Verdict::Good);
    assert_eq!(git.bisector.worth_probing(None), []);
}
