use proptest::prelude::*;

use super::*;

fn functions(words: &str) -> Vec<Function> {
    let one = |word: &str| {
        let (name, state) = word.split_at(word.len() - 1);
        let watched = match state {
            "+" => Watched::Ran,
            "-" => Watched::Quiet,
            "i" => Watched::Inlined,
            "?" => Watched::Unwatched,
            _ => Watched::Absent,
        };
        Function { name: name.to_owned(), watched }
    };
    words.split_whitespace().map(one).collect()
}

fn ran(words: &str) -> Reach {
    Reach { functions: functions(words), ..Reach::default() }
}

fn called(calls: &[(&str, &str, u64)]) -> Reach {
    let call = |&(call, error, count): &(&str, &str, u64)| Call {
        call: call.to_owned(),
        error: (!error.is_empty()).then(|| error.to_owned()),
        count,
    };
    Reach { calls: calls.iter().map(call).collect(), ..Reach::default() }
}

#[test]
fn the_innermost_function_that_both_kernels_have_tells() {
    let start = ran("inner+ mid+ outer+ never-");
    let verdict = |here: &str| compare(&ran(here), &start).reached;
    assert_eq!(verdict("inner+ mid+ outer+"), Reached::Yes);
    assert_eq!(verdict("inner- mid+ outer+"), Reached::No);
    // What is not there, or a part of another, says nothing: the next one stands for it.
    assert_eq!(verdict("innera mid+ outer+"), Reached::Yes);
    assert_eq!(verdict("inneri mid- outer+"), Reached::No);
    assert_eq!(verdict("innera midi outer?"), Reached::Unknown);
    // An innermost one that everything calls.
    assert_eq!(verdict("inner+ mid- outer-"), Reached::No);
    let compared = compare(&ran("inneri mid- outer+"), &start);
    assert_eq!(
        (compared.inlined, compared.quiet, compared.ran),
        (vec!["inner".to_owned()], vec!["mid".to_owned()], vec!["outer".to_owned()])
    );
    // What did not run where it crashes is no mark either.
    assert_eq!(compare(&ran("inner-"), &ran("inner-")).reached, Reached::Unknown);
}

#[test]
fn calls_tell_where_functions_do_not() {
    let start = called(&[("socket(38)", "", 3), ("bind", "", 1), ("read", "EAGAIN", 9)]);
    let compared = compare(&called(&[("socket(38)", "EAFNOSUPPORT", 3)]), &start);
    assert_eq!(compared.reached, Reached::No);
    assert_eq!(compared.refused, [Refused { call: "socket(38)".to_owned(), error: "EAFNOSUPPORT".to_owned(), succeeded: 3 }]);
    for alike in [&[("socket(38)", "", 1), ("socket(38)", "EMFILE", 7)][..], &[("socket(38)", "EINTR", 2)], &[("bind", "", 1)]] {
        let compared = compare(&called(alike), &start);
        assert_eq!((compared.reached, compared.refused), (Reached::Unknown, Vec::new()), "{alike:?}");
    }
    // Functions know better.
    let with = |functions: &str, calls: &Reach| Reach { functions: ran(functions).functions, ..calls.clone() };
    let here = with("inner+", &called(&[("socket(38)", "EAFNOSUPPORT", 3)]));
    assert_eq!(compare(&here, &with("inner+", &start)).reached, Reached::Yes);
}

#[test]
fn what_could_not_be_seen_is_said_and_lost_symbols_are_those_of_this_kernel() {
    let start = Reach { lost: vec!["A".to_owned()], ..ran("f+") };
    let here = Reach {
        functions_unknown: Some("no symbols".to_owned()),
        calls_unknown: Some("no ptrace".to_owned()),
        lost: vec!["A".to_owned(), "KASAN".to_owned()],
        ..Reach::default()
    };
    let compared = compare(&here, &start);
    assert_eq!(compared.unknown, ["functions: no symbols", "system calls: no ptrace"]);
    assert_eq!((compared.lost, compared.reached), (vec!["KASAN".to_owned()], Reached::Unknown));
}

#[test]
fn luck_takes_more_runs() {
    assert_eq!([runs(3, 0), runs(9, 1), runs(5, 5), runs(1, 9), runs(0, 4)], [1, 2, 2, 4, 1]);
}

proptest! {
    /// Whatever runs more often is reached no less, and the order of runs does not matter.
    #[test]
    fn more_that_ran_is_never_less_reached(states in proptest::collection::vec((0..5_usize, 0..5_usize, 0..5_usize), 1..6)) {
        let all = [Watched::Ran, Watched::Quiet, Watched::Inlined, Watched::Absent, Watched::Unwatched];
        let reach = |pick: &dyn Fn(&(usize, usize, usize)) -> usize| Reach {
            functions: states.iter().enumerate().map(|(n, all_of)| Function { name: format!("f{n}"), watched: all[pick(all_of)] }).collect(),
            ..Reach::default()
        };
        let (start, one, other) = (reach(&|of| of.0), reach(&|of| of.1), reach(&|of| of.2));
        prop_assert_ne!(compare(&start, &start).reached, Reached::No);
        let merged = |one: &Reach, other: &Reach| { let mut both = one.clone(); both.merge(other.clone()); both };
        for (place, function) in one.functions.iter().enumerate().filter(|(_, function)| function.watched == Watched::Quiet) {
            let mut more = one.clone();
            more.functions[place].watched = Watched::Ran;
            prop_assert!(compare(&more, &start).reached >= compare(&one, &start).reached, "{}", function.name);
        }
        prop_assert_eq!(merged(&one, &one), one.clone());
        let ran = |reach: &Reach| reach.functions.iter().filter(|function| function.watched == Watched::Ran).count();
        prop_assert_eq!(ran(&merged(&one, &other)), ran(&merged(&other, &one)));
    }
}
