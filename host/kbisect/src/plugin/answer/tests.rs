#![allow(clippy::unwrap_used, reason = "tests")]

use kbisect_core::crash::Span;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Trial;
use kbisect_core::policy::Verdict;
use proptest::prelude::*;

use super::*;

fn report(title: &str, span: Option<(u32, u32)>) -> CrashReport {
    let span = span.map(|(start, end)| Span { start, end });
    CrashReport { title: title.to_owned(), span, ..CrashReport::default() }
}

fn titles(reports: &[CrashReport]) -> Vec<&str> {
    reports.iter().map(|report| report.title.as_str()).collect()
}

#[test]
fn edits_apply_in_order_and_reports_stand_in_console_order() {
    let so_far = [report("a", Some((0, 10))), report("b", Some((20, 30))), report("c", Some((40, 50)))];
    let edits = vec![
        ReportEdit::Replace(0, report("A", Some((0, 10)))),
        ReportEdit::Add(report("between", Some((12, 15)))),
        ReportEdit::Ignore(1, "noise".to_owned()),
    ];
    let reports = edit_reports(&so_far, &edits, 100).unwrap();
    assert_eq!(titles(&reports), ["A", "between", "c"]);
    let edits = vec![ReportEdit::Add(report("somewhere", None))];
    assert_eq!(titles(&edit_reports(&so_far, &edits, 100).unwrap()), ["a", "b", "c", "somewhere"]);
}

#[test]
fn senseless_edits_are_refused() {
    let so_far = [report("a", None), report("b", None)];
    let ignore = |index| ReportEdit::Ignore(index, String::new());
    let error = |edits: Vec<ReportEdit>| edit_reports(&so_far, &edits, 100).unwrap_err();
    assert_eq!(error(vec![ignore(2)]), "it edits report 2 of 2");
    assert_eq!(error(vec![ignore(0), ReportEdit::Replace(0, report("x", None))]), "it edits report 0 twice or out of order");
    assert_eq!(error(vec![ignore(1), ignore(0)]), "it edits report 0 twice or out of order");
    assert_eq!(error(vec![ReportEdit::Add(report("\n", None))]), "it reports a crash without a title");
    assert_eq!(error(vec![ReportEdit::Add(report("x", Some((5, 101))))]), "its report spans bytes 5 to 101 of 100");
    assert_eq!(error(vec![ReportEdit::Add(report("x", Some((6, 5))))]), "its report spans bytes 6 to 5 of 100");
}

proptest! {
    /// Against the plainest reading: look up each index's edit.
    #[test]
    fn kept_reports_are_those_that_no_edit_touches(count in 0usize..8, ignored in proptest::collection::btree_set(0u32..8, 0..8)) {
        let so_far: Vec<CrashReport> = (0..count).map(|at| report(&format!("r{at}"), None)).collect();
        let edits = ignored.iter().map(|&at| ReportEdit::Ignore(at, String::new())).collect::<Vec<_>>();
        let result = edit_reports(&so_far, &edits, 0);
        if ignored.iter().any(|&at| at as usize >= count) {
            prop_assert!(result.is_err());
        } else {
            let expected: Vec<CrashReport> =
                so_far.iter().enumerate().filter(|(at, _)| !ignored.contains(&(*at as u32))).map(|(_, r)| r.clone()).collect();
            prop_assert_eq!(result.unwrap(), expected);
        }
    }

    /// Every float is a chance or refused, never both or neither.
    #[test]
    fn only_chances_are_relations(same in proptest::num::f64::ANY) {
        let result = check_relation(&Relation { same, reason: String::new() });
        prop_assert_eq!(result.is_ok(), (0.0..=1.0).contains(&same));
    }
}

fn judgement(decision: Decision, confidence: f64) -> Judgement {
    Judgement { decision, confidence, reason: "two\nlines".to_owned() }
}

fn ask(finished: usize, running: u32) -> Ask {
    let trial = Trial { outcome: Outcome::Clean, exposure: 1.0 };
    Ask { commit: CommitId::from_bytes([0; 20]), role: Role::Start, trials: vec![trial; finished], running, proposed: 1 }
}

#[test]
fn senseless_judgements_are_refused() {
    let check = |decision, confidence, ask: &Ask| check_judgement(judgement(decision, confidence), ask);
    assert_eq!(check(Decision::Want(10), 1.0, &ask(0, 0)).unwrap().reason, "two lines");
    check(Decision::Conclude(Verdict::Good), 0.9, &ask(0, 0)).unwrap();
    let error = check(Decision::Want(10_001), 1.0, &ask(0, 0)).unwrap_err();
    assert_eq!(error, "it wants 10001 trials; more than 10000 make no sense");
    let error = check(Decision::Conclude(Verdict::Bad), f64::NAN, &ask(0, 0)).unwrap_err();
    assert_eq!(error, "the confidence is NaN, not between 0 and 1");
    // A policy that neither wants more nor concludes would stop the bisection for ever.
    let error = check(Decision::Want(3), 1.0, &ask(3, 0)).unwrap_err();
    assert_eq!(error, "it wants 3 trials in all where 3 are finished, and concludes nothing");
    check(Decision::Want(3), 1.0, &ask(3, 1)).unwrap();
}

fn person(email: &str, to: bool) -> Recipient {
    Recipient { name: None, email: email.to_owned(), to, reason: String::new() }
}

#[test]
fn an_address_stands_once_and_to_wins() {
    let add = |email, to| RecipientEdit::Add(person(email, to));
    let edits = vec![add("a@x.org", false), add("b@x.org", true), add("A@x.org", true), add("b@x.org", false)];
    let people = edit_recipients(&[person("c@x.org", false)], edits).unwrap();
    assert_eq!(people, [person("c@x.org", false), person("a@x.org", true), person("b@x.org", true)]);
    let edits =
        vec![RecipientEdit::Remove("B@X.ORG".to_owned(), String::new()), RecipientEdit::Remove("z@x".to_owned(), String::new())];
    assert_eq!(edit_recipients(&people, edits).unwrap(), [person("c@x.org", false), person("a@x.org", true)]);
}

#[test]
fn only_addresses_are_recipients() {
    for bad in ["", "nobody", "@x.org", "a@", "a b@x.org", "a@x.org, b@x.org", "A <a@x.org>", "a@x.org\nBcc: b@x.org"] {
        let error = edit_recipients(&[], vec![RecipientEdit::Add(person(bad, true))]).unwrap_err();
        assert_eq!(error, format!("{bad:?} is no e-mail address"));
    }
    let named = Recipient { name: Some("A\nB".to_owned()), ..person("a@x.org", true) };
    assert_eq!(edit_recipients(&[], vec![RecipientEdit::Add(named)]).unwrap_err(), "\"A\\nB\" is no name");
}

#[test]
fn reasons_are_one_line_and_one_each() {
    let reasons = ["it\ntouches".to_owned(), String::new()];
    assert_eq!(check_reasons(&reasons, 2).unwrap(), ["it touches", ""]);
    assert_eq!(check_reasons(&reasons, 3).unwrap_err(), "it gives 2 reasons for 3 commits");
}

#[test]
fn weights_are_finite_and_one_each() {
    assert_eq!(check_weights(vec![0.0, 2.5], 2).unwrap(), [0.0, 2.5]);
    assert_eq!(check_weights(vec![1.0], 2).unwrap_err(), "it gives 1 weights for 2 commits");
    for bad in [-0.5, f64::INFINITY, f64::NAN, 1.1e9, f64::MAX] {
        let error = check_weights(vec![1.0, bad], 2).unwrap_err();
        assert_eq!(error, format!("it gives the weight {bad}, not one from 0 to 1e9"));
    }
}
