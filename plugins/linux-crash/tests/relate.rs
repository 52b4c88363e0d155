//! Properties of `relate` on any two reports: a chance, the same both ways, and sure of equal ones.

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use linux_crash::relate::compare;
use linux_crash::relate::relate;
use proptest::prelude::*;

/// Reports of few functions and titles, so that two have something in common.
fn reports() -> impl Strategy<Value = CrashReport> {
    let name = prop_oneof![
        "(a_get_a|<a::B as a::C>::get|pond_get)",
        "[a-c]_(get|put|run)(_v2)?",
        "(__)?do_[a-c]",
        Just("corrupted".to_owned()),
        "\\PC{0,12}"
    ];
    let head = prop_oneof![
        Just("KASAN: use-after-free Read in "),
        Just("general protection fault in "),
        Just("INFO: task hung in "),
        Just("possible deadlock in "),
        Just("memory leak in "),
        Just("WARNING in "),
        Just("kernel BUG at net/a/b.c:LINE! "),
        Just("lost connection to test machine"),
        Just("no output from test machine"),
        Just("SYZFAIL: "),
        Just(""),
    ];
    let kind = prop_oneof![Just(""), Just("WARNING"), Just("HANG"), Just("EXIT"), Just("KASAN-USE-AFTER-FREE-READ")];
    let file =
        proptest::option::of(prop_oneof![Just("net/a/b.c"), Just("net/a/c.c"), Just("fs/d.c"), Just("pond/a.c"), Just("x")]);
    (head, name.clone(), kind, proptest::collection::vec(name, 0..8), file).prop_map(|(head, name, kind, trace, file)| {
        CrashReport {
            title: format!("{head}{name}"),
            crash_type: kind.to_owned(),
            frame: trace.first().cloned(),
            trace,
            guilty_file: file.map(str::to_owned),
            ..CrashReport::default()
        }
    })
}

#[test]
fn functions_that_say_nothing_say_the_same_both_ways() {
    let report = |kind: &str, trace: [&str; 2]| CrashReport {
        title: "KASAN: use-after-free Read in a_get".to_owned(),
        crash_type: kind.to_owned(),
        frame: Some("corrupted".to_owned()),
        trace: trace.map(str::to_owned).to_vec(),
        ..CrashReport::default()
    };
    let (one, other) = (report("KASAN-USE-AFTER-FREE-READ", ["corrupted"; 2]), report("", ["corrupted", ""]));
    let (there, back) = (compare(&one, &other), compare(&other, &one));
    assert!((there.same - back.same).abs() < 1e-9, "{there:?} {back:?}");
}

proptest! {
    #[test]
    fn it_is_a_chance_and_the_same_both_ways(one in reports(), other in reports()) {
        let (there, back) = (compare(&one, &other), compare(&other, &one));
        prop_assert!((0.001..=0.999).contains(&there.same), "{there:?}");
        prop_assert!((there.same - back.same).abs() < 1e-9, "{there:?} {back:?}");
        prop_assert!(!there.reason.is_empty());
        let again = compare(&one, &other);
        prop_assert!(there.same.to_bits() == again.same.to_bits() && there.reason == again.reason);
    }

    #[test]
    fn equal_reports_are_one_bug(report in reports()) {
        prop_assert!(compare(&report, &report).same >= 0.97);
    }

    #[test]
    fn the_likeliest_face_counts(seen in reports(), faces in proptest::collection::vec(reports(), 1..4)) {
        let best = faces.iter().map(|face| compare(&seen, face).same).fold(0.0, f64::max);
        let names = |face: &&CrashReport| face.frame.as_deref().is_some_and(|frame| frame != "corrupted");
        let telling = faces.iter().filter(names).map(|face| compare(&seen, face).same).fold(0.0, f64::max);
        let faces: Vec<Face> = faces.into_iter().map(|report| Face { report, trials: 1 }).collect();
        let same = relate(&seen, &faces).map_or(0.0, |relation| relation.same);
        // Only a face that names no function may count for less than it is like.
        prop_assert!(telling <= same && same <= best, "{telling} {same} {best}");
    }
}
