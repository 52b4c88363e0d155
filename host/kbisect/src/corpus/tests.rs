#![allow(clippy::unwrap_used, reason = "tests")]

use kbisect_core::crash::Span;

use super::*;

fn case(text: &str) -> Case {
    Case::parse("1".into(), text.as_bytes().to_vec()).unwrap()
}

fn titled(title: &str) -> CrashReport {
    CrashReport::titled(title)
}

fn score(case: &Case, report: Option<&CrashReport>) -> (Vec<Miss>, BTreeMap<Field, Score>) {
    let mut scores = BTreeMap::new();
    (case.score(report, &mut scores), scores)
}

#[test]
fn headers_end_at_the_first_empty_line_and_the_console_before_a_report() {
    let case = case("# a note\r\nTITLE: BUG: x: y\nALT: two\nALT: one\nCORRUPTED: N\n\nfirst\n\nlast\n\nREPORT:\nlast\n");
    assert_eq!(case.console, b"first\n\nlast\n\n");
    assert_eq!(case.expected[&Field::Title], "BUG: x: y");
    assert_eq!(case.expected[&Field::Alternatives], "one; two");
    assert_eq!(case.expected[&Field::Corrupted], "");
    assert!(!case.expected.contains_key(&Field::Frame));
    assert_eq!(Case::parse("1".into(), b"\nconsole\n".to_vec()).unwrap().expected[&Field::Found], "");
}

#[test]
fn other_formats_are_refused() {
    let refused = |text: &str| Case::parse("1".into(), text.as_bytes().to_vec()).unwrap_err();
    assert_eq!(refused("TITLE: x"), "there is no empty line between headers and console");
    assert_eq!(refused("hello\n\n"), "line 1 is no header: `hello`");
    assert!(refused("TITLE: x\nCOLOUR: red\n\n").starts_with("line 2: unknown header `COLOUR`; known are TITLE, "));
}

#[test]
fn a_field_counts_where_it_is_expected_or_given() {
    let expects = case("TITLE: a\nPANICKED: Y\n\n");
    let (misses, scores) = score(&expects, Some(&titled("b")));
    let miss = |field, expected: &str, given: &str| Miss { field, expected: expected.to_owned(), given: given.to_owned() };
    assert_eq!(misses, [miss(Field::Title, "a", "b"), miss(Field::Panicked, "Y", "")]);
    assert_eq!(scores[&Field::Title], Score { wrong: 1, ..Score::default() });
    assert_eq!(scores[&Field::Panicked], Score { missed: 1, ..Score::default() });
    assert_eq!(scores[&Field::Found], Score { right: 1, ..Score::default() });
    assert!(!scores.contains_key(&Field::Corrupted) || scores[&Field::Corrupted].counted() == 0);
    // A crash where there is none.
    let (misses, scores) = score(&case("\nclean\n"), Some(&titled("b")));
    assert_eq!(misses, [miss(Field::Found, "", "Y"), miss(Field::Title, "", "b")]);
    assert_eq!(scores[&Field::Found], Score { extra: 1, ..Score::default() });
    assert_eq!(score(&case("\nclean\n"), None).0, []);
}

#[test]
fn spans_are_compared_by_their_first_and_last_line() {
    let spanned = |start, end| CrashReport { span: Some(Span { start, end }), ..titled("a") };
    let case = case("TITLE: a\nSTART: two\nEND: three\n\none\ntwo\nthree\nfour\n");
    assert_eq!(score(&case, Some(&spanned(4, 14))).0, []);
    assert_eq!(score(&case, Some(&spanned(4, 8))).0[0].given, "two … two");
    assert_eq!(score(&case, Some(&spanned(4, 999))).0[0].given, " … ");
}

#[test]
fn figures_are_those_of_the_textbook() {
    let score = Score { right: 8, wrong: 0, missed: 2, extra: 4 };
    assert_eq!(score.counted(), 14);
    assert!((score.f1() - 2.0 * 8.0 / (12.0 + 10.0)).abs() < 1e-12);
    assert!((score.percent() - 100.0 * 8.0 / 14.0).abs() < 1e-12);
    assert!((Score::default().f1() - 1.0).abs() < 1e-12 && (Score::default().percent() - 100.0).abs() < 1e-12);
}

#[test]
fn blamed_files_alone_are_asked_of_files_that_state_one() {
    assert_eq!(case("FILE: net/a.c\n\nx\n").expected.keys().collect::<Vec<_>>(), [&Field::File]);
    assert_eq!(case("TITLE: t\nFILE: net/a.c\n\nx\n").expected.keys().collect::<Vec<_>>(), [&Field::Title, &Field::File]);
    let file = |text| case(text).expected[&Field::File].clone();
    assert_eq!([file("FILE: .\n\nx\n"), file("FILE: /net/a.c\n\nx\n")], ["", "net/a.c"]);
    assert_eq!(case("TITLE: net-next boot error: BUG: x\nFILE: \n\nx\n").expected[&Field::Title], "BUG: x");
}
