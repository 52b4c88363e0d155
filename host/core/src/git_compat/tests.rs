#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use proptest::sample::Index;

use super::oracle::Oracle;
use super::*;
use crate::graph::Commit;
use crate::testing::histories;
use crate::testing::id;
use crate::testing::node;

/// What the oracle says, in the words of [`Next`]; the two endings in which nothing is chosen are told apart by `bad`'s range.
fn expected(graph: &Graph, bad: Node, good: &[Node], skipped: &[Node], options: Options) -> Option<Next> {
    let oracle = Oracle { graph, version: options.version, first_parent: options.first_parent };
    let choice = oracle.choose(bad, good, skipped)?;
    if choice.commit == bad {
        return Some(Next::FirstBad(bad));
    }
    let left = choice.all - choice.reaches - 1;
    Some(Next::Test { commit: choice.commit, left, steps: steps(choice.all) })
}

fn options() -> impl Strategy<Value = Options> {
    let version = prop_oneof![Just(Version::V2_29), Just(Version::V2_30)];
    (version, any::<bool>()).prop_map(|(version, first_parent)| Options { version, first_parent, ancestors_ok: true })
}

fn any_mark() -> impl Strategy<Value = Mark> {
    prop_oneof![Just(Mark::Good), Just(Mark::Bad), Just(Mark::Skip)]
}

fn picks(graph: &Graph, indices: &[Index]) -> Vec<Node> {
    indices.iter().map(|index| Node(index.index(graph.len()) as u32)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_choice_is_the_literal_rules(
        history in histories(60),
        bad in any::<Index>(),
        good in prop::collection::vec(any::<Index>(), 0..3),
        skipped in prop_oneof![prop::collection::vec(any::<Index>(), 0..1), prop::collection::vec(any::<Index>(), 1..30)],
        options in options(),
    ) {
        let graph = Graph::new(history);
        let bad = Node(((graph.len() - 1) as u32).saturating_sub(bad.index(5) as u32));
        let (good, skipped) = (picks(&graph, &good), picks(&graph, &skipped));
        let step = next(&graph, bad, &good, &skipped, options);
        prop_assert!(step.skipped_merge_bases.is_empty());
        match (expected(&graph, bad, &good, &skipped, options), step.next) {
            (Some(expected), next) => prop_assert_eq!(next, expected),
            (None, Next::GoodAndBad) => prop_assert!(graph.range(bad, &good).is_empty()),
            (None, Next::OnlySkipped { could_be, possible }) => {
                let mut skipped_or_bad = skipped;
                skipped_or_bad.push(bad);
                prop_assert!(could_be.iter().all(|commit| skipped_or_bad.contains(commit)));
                prop_assert!(could_be.contains(&bad));
                let mut possible = possible;
                possible.sort_unstable();
                prop_assert_eq!(possible, graph.range(bad, &good));
            }
            (None, next) => prop_assert!(false, "{next:?}"),
        }
    }

    #[test]
    fn marks_are_sets(
        history in histories(40),
        good in prop::collection::vec(any::<Index>(), 1..4),
        skipped in prop::collection::vec(any::<Index>(), 0..10),
        mut options in options(),
    ) {
        let graph = Graph::new(history);
        options.ancestors_ok = false;
        let bad = Node(graph.len() as u32 - 1);
        let (mut good, mut skipped) = (picks(&graph, &good), picks(&graph, &skipped));
        let step = next(&graph, bad, &good, &skipped, options);
        good.push(good[0]);
        good.reverse();
        skipped.extend_from_within(..);
        skipped.reverse();
        prop_assert_eq!(next(&graph, bad, &good, &skipped, options), step);
    }

    /// Steps that were kept say what they would say anew, whichever marks came, changed or were taken back since.
    #[test]
    fn kept_steps_change_nothing(
        history in histories(40),
        good in prop::collection::vec(any::<Index>(), 1..3),
        sessions in prop::collection::vec(prop::collection::vec(prop::option::of(any_mark()), 40), 1..6),
    ) {
        let graph = Graph::new(history);
        let (bad, good) = (Node(graph.len() as u32 - 1), picks(&graph, &good));
        let mut kept = Steps::default();
        for marks in sessions {
            let go = |steps: &mut Steps| steps.replay(&graph, bad, &good, Options::default(), |commit| marks[commit.0 as usize]);
            prop_assert_eq!(go(&mut kept), go(&mut Steps::default()));
        }
    }

    /// Whatever the marks say, a session ends, and never hands out a commit twice.
    #[test]
    fn a_session_ends(
        history in histories(40),
        good in prop::collection::vec(any::<Index>(), 1..3),
        marks in prop::collection::vec(any_mark(), 40),
        mut options in options(),
    ) {
        let graph = Graph::new(history);
        options.ancestors_ok = false;
        let bad = Node(graph.len() as u32 - 1);
        let mut handed_out = graph.set(&[]);
        let step = Steps::default().replay(&graph, bad, &picks(&graph, &good), options, |commit| {
            assert!(handed_out.insert(commit), "handed out twice");
            Some(marks[commit.0 as usize])
        });
        prop_assert!(!matches!(step.next, Next::Test { .. } | Next::TestMergeBase(_)), "{step:?}");
    }
}

/// A history long enough for the two rules to differ: `lines` lines of `length` commits, merged one after the other.
fn long_history(lines: usize, length: usize) -> Vec<Commit> {
    let mut commits = Vec::new();
    let mut tips: Vec<usize> = Vec::new();
    let mut add = |parents: &[usize]| {
        let number = commits.len();
        let time = 1000 + number as i64 / 3 + (number as i64 * 7919) % 40;
        commits.push(Commit { id: id(number), time, parents: parents.iter().copied().map(id).collect() });
        number
    };
    for line in 0..lines {
        let mut tip = add(&tips.last().copied().into_iter().collect::<Vec<_>>());
        for _ in 1..length + line % 7 {
            tip = add(&[tip]);
        }
        // Branches fork from the line before and come back two lines later.
        let merged: Vec<usize> = [tip].into_iter().chain(tips.len().checked_sub(2).map(|at| tips[at])).collect();
        tips.push(add(&merged));
    }
    add(&tips[tips.len().saturating_sub(2)..]);
    commits
}

#[test]
fn the_choice_is_the_literal_rules_in_long_histories() {
    let mut differ = 0;
    for (lines, length) in [(1, 4200), (9, 460), (70, 58), (250, 14)] {
        let history = long_history(lines, length);
        assert!(history.len() >= 4096, "{}", history.len());
        let graph = Graph::new(history);
        let bad = Node(graph.len() as u32 - 1);
        let choice = |version| {
            let options = Options { version, first_parent: false, ancestors_ok: true };
            let step = next(&graph, bad, &[], &[], options);
            assert_eq!(Some(&step.next), expected(&graph, bad, &[], &[], options).as_ref());
            step.next
        };
        differ += usize::from(choice(Version::V2_29) != choice(Version::V2_30));
    }
    assert!(differ > 0, "the rules were not told apart");
}

/// The figures are those of `git rev-list --bisect-vars` on lines of 0 to 12 commits.
#[test]
fn steps_are_gits() {
    let expected = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3];
    assert_eq!((0..13).map(steps).collect::<Vec<_>>(), expected);
}

/// Commits by number, oldest first, each with its parents' numbers; times are the numbers.
fn graph_of(parents: &[&[usize]]) -> Graph {
    let commit = |(number, parents): (usize, &&[usize])| Commit {
        id: id(number),
        time: number as i64,
        parents: parents.iter().copied().map(id).collect(),
    };
    Graph::new(parents.iter().enumerate().map(commit))
}

/// 0 ← 1 ← 2 ← 3 (bad), and 1 ← 4 (good) beside it.
fn forked() -> Graph {
    graph_of(&[&[], &[0], &[1], &[2], &[1]])
}

#[test]
fn a_good_commit_beside_the_bad_one_asks_for_the_merge_base() {
    let graph = forked();
    let at = |number| node(&graph, number);
    let step = |good: &[Node], skipped: &[Node], bad| next(&graph, bad, good, skipped, Options::default());
    assert_eq!(step(&[at(4)], &[], at(3)).next, Next::TestMergeBase(at(1)));
    assert_eq!(step(&[at(4), at(1)], &[], at(3)).next, Next::Test { commit: at(2), left: 0, steps: 0 });
    assert_eq!(step(&[at(4)], &[], at(1)), Step { next: Next::MergeBaseBad, skipped_merge_bases: Vec::new() });
    let doubtful = step(&[at(4)], &[at(1)], at(3));
    assert_eq!(doubtful.skipped_merge_bases, [at(1)]);
    assert_eq!(doubtful.next, Next::Test { commit: at(2), left: 0, steps: 0 });
    let checked = Options { ancestors_ok: true, ..Options::default() };
    assert_eq!(next(&graph, at(3), &[at(4)], &[], checked).next, Next::Test { commit: at(2), left: 0, steps: 0 });
}

#[test]
fn a_session_goes_by_the_marks_it_needs() {
    let graph = forked();
    let at = |number| node(&graph, number);
    let session = |marks: &[(usize, Mark)]| {
        let mark = |commit| marks.iter().find(|(number, _)| at(*number) == commit).map(|(_, mark)| *mark);
        Steps::default().replay(&graph, at(3), &[at(4)], Options::default(), mark)
    };
    assert_eq!(session(&[]).next, Next::TestMergeBase(at(1)));
    assert_eq!(session(&[(1, Mark::Bad)]).next, Next::MergeBaseBad);
    assert_eq!(session(&[(1, Mark::Good), (0, Mark::Bad)]).next, Next::Test { commit: at(2), left: 0, steps: 0 });
    assert_eq!(session(&[(2, Mark::Good), (1, Mark::Good)]).next, Next::FirstBad(at(3)));
    assert_eq!(session(&[(1, Mark::Good), (2, Mark::Bad)]).next, Next::FirstBad(at(2)));
    let skipped = session(&[(1, Mark::Good), (2, Mark::Skip)]).next;
    assert_eq!(skipped, Next::OnlySkipped { could_be: vec![at(2), at(3)], possible: vec![at(3), at(2)] });
}

#[test]
fn a_good_commit_that_contains_the_bad_one_leaves_nothing() {
    let graph = forked();
    let at = |number| node(&graph, number);
    assert_eq!(next(&graph, at(3), &[at(3)], &[], Options::default()).next, Next::GoodAndBad);
    assert_eq!(next(&graph, at(2), &[at(3)], &[], Options::default()).next, Next::MergeBaseBad);
}
