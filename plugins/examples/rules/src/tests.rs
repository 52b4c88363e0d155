use kbisect_sdk::fake;
use kbisect_sdk::fake::FakeHost;
use serde_json::json;

use super::*;

fn host(settings: &serde_json::Value) -> FakeHost {
    FakeHost::with_settings(&settings.to_string())
}

fn refused(settings: &serde_json::Value) -> Vec<String> {
    Rules::check(&host(settings)).expect_err("settings that make no sense")
}

fn found(title: &str, function: &str, file: &str) -> CrashReport {
    CrashReport::new(title).with_type("HANG").with_frame(function).with_guilty_file(file)
}

fn titles(settings: &serde_json::Value, console: &str, so_far: &[CrashReport]) -> Vec<String> {
    let reports = fake::classify::<Rules>(&host(settings), console.as_bytes(), so_far).expect("sound edits");
    reports.into_iter().map(|report| report.title).collect()
}

#[test]
fn the_documented_rules_are_sound() {
    let docs = include_str!("lib.rs");
    let (_, block) = docs.split_once("//! ```toml\n").expect("the example");
    let (block, _) = block.split_once("//! ```").expect("its end");
    let text: String = block.lines().map(|line| format!("{}\n", line.trim_start_matches("//!"))).collect();
    // The settings as the host gives them: TOML's tables as JSON.
    let table: toml::Table = text.parse().expect("TOML");
    let settings = serde_json::to_string(&table["plugin"][0]["settings"]).expect("JSON");
    assert_eq!(Rules::check(&FakeHost::with_settings(&settings)), Ok(()));
}

#[test]
fn all_conditions_of_a_rule_must_hold() {
    let settings = json!({ "ignore": [
        { "title": "INFO: task hung in *", "file": "drivers/usb/**" },
        { "function": "sock_?lose", "type": ["LEAK", "HANG"] },
    ] });
    let hung = |function, file| found(&format!("INFO: task hung in {function}"), function, file);
    assert!(
        titles(&settings, "", &[hung("usb_kill_urb", "drivers/usb/core/urb.c"), hung("sock_close", "net/socket.c")]).is_empty()
    );
    let others =
        [hung("a", "drivers/net/b.c"), found("INFO: x", "sock_xclose", "drivers/usb/core/urb.c"), CrashReport::new("INFO: y")];
    assert_eq!(titles(&settings, "", &others).len(), 3);
}

#[test]
fn the_first_rule_that_fits_counts_and_ignoring_comes_before_retitling() {
    let settings = json!({
        "ignore": [{ "title": "WARNING in a" }],
        "retitle": [
            { "title": "/^(WARNING|kernel BUG) in (.)/", "to": "$1 near $2" },
            { "title": "*", "to": "something" },
        ],
    });
    let reports = ["WARNING in a", "WARNING in bc", "oops"].map(CrashReport::new);
    assert_eq!(titles(&settings, "", &reports), ["WARNING near b", "something"]);
}

#[test]
fn alternative_titles_are_titles() {
    let settings = json!({ "ignore": [{ "title": "bad-access in *" }] });
    assert!(titles(&settings, "", &[CrashReport::new("KASAN: x").with_alt_title("bad-access in f")]).is_empty());
}

#[test]
fn globs_are_for_the_whole_text_and_take_nothing_else_for_a_sign() {
    let fits = |pattern: &str, title: &str| {
        let settings = json!({ "ignore": [{ "title": pattern }] });
        titles(&settings, "", &[CrashReport::new(title)]).is_empty()
    };
    assert!(fits("BUG: a.b (c)", "BUG: a.b (c)") && !fits("BUG: a.b (c)", "BUG: aXb (c)") && !fits("BUG", "BUG: a"));
    assert!(fits("*[0]+", "x[0]+") && fits("a?c", "abc") && !fits("a?c", "ac") && fits("?", "é"));
    assert!(fits("/ a+$/", "BUG: aaa") && !fits("/^ a/", "BUG: a"));
}

#[test]
fn a_line_can_be_a_crash() {
    let settings =
        json!({ "report": [{ "text": "mydrv: firmware died", "title": "mydrv died", "file": "drivers/mydrv/core.c" }] });
    let console =
        "[    1.000000] mydrv: up\n[    2.000000] mydrv: firmware died at 0x12\n[    3.000000] mydrv: firmware died at 0x13\n";
    let reports = fake::classify::<Rules>(&host(&settings), console.as_bytes(), &[]).expect("sound edits");
    assert_eq!(reports.len(), 1);
    let span = reports[0].span.expect("a span");
    assert!(console[span.start as usize..].starts_with("[    2.000000]") && console[..span.end as usize].ends_with("0x12"));
    assert_eq!(reports[0].guilty_file.as_deref(), Some("drivers/mydrv/core.c"));
    assert!(titles(&settings, "mydrv: up", &[]).is_empty());
    // A text that stands in no message, and then in one that was printed into another.
    let cut = "mydrv: [    1.000000] firmware died\nmydrv: firmwar\n[    2.000000] up [    2.000001] mydrv: firmware died\n";
    assert_eq!(titles(&settings, cut, &[]), ["mydrv died"]);
}

#[test]
fn a_relation_is_for_a_crash_and_a_target() {
    let settings = json!({ "relate": [
        { "seen": "A*", "target": ["B", "C"], "same": 0.98, "why": "they are" },
        { "seen": "A lost connection", "same": 0.4 },
    ] });
    let relate = |seen: &str, target: &str| {
        let host = host(&settings).with_target([CrashReport::new("Z"), CrashReport::new(target)]);
        let relation = Rules::relate(&host, &CrashReport::new(seen), "c").expect("an answer");
        relation.map(|relation| (relation.same, relation.reason))
    };
    assert_eq!(relate("Ax", "C"), Some((0.98, "they are".to_owned())));
    assert_eq!(relate("Ax", "D"), None);
    assert_eq!(relate("B", "Ax"), None, "one way");
    assert_eq!(relate("A lost connection", "D").map(|(same, _)| same), Some(0.4));
}

#[test]
fn crashes_with_one_name_by_rule_are_one_bug() {
    let host = |extra: serde_json::Value| {
        let retitle = json!([{ "title": ["kernel BUG in a", "WARNING in b"], "to": "ab" }]);
        FakeHost::with_settings(&json!({ "retitle": retitle, "relate": extra }).to_string())
    };
    let read =
        |title: &str| fake::classify::<Rules>(&host(json!([])), b"", &[CrashReport::new(title)]).expect("sound edits").remove(0);
    let same = |extra: serde_json::Value, seen: &CrashReport, target: CrashReport| {
        let relation = Rules::relate(&host(extra).with_target([target]), seen, "c").expect("an answer");
        relation.map(|relation| relation.same)
    };
    let (a, b) = (read("kernel BUG in a"), read("WARNING in b"));
    assert_eq!(same(json!([]), &a, b.clone()), Some(0.98));
    assert_eq!(same(json!([{ "seen": "ab", "same": 0.2 }]), &a, b), Some(0.2), "a rule says more");
    assert_eq!(same(json!([]), &a, CrashReport::new("ab")), None, "not by rule");
}

#[test]
fn without_rules_nothing_is_done() {
    assert_eq!(titles(&json!({}), "", &[CrashReport::new("a")]), ["a"]);
    assert!(Rules::markers(&FakeHost::default()).is_empty());
}

#[test]
fn what_makes_no_sense_is_refused_by_rule() {
    let settings = json!({
        "ignor": [],
        "ignore": [{ "title": "ok" }, { "titel": "x" }, {}, { "title": "/(/" }, { "title": "/x" }, { "title": [] }, { "file": "" }, { "title": 7 }],
        "relate": [{ "seen": "a", "same": 7.0 }, { "seen": "a" }],
        "report": [{ "text": " ", "title": "t" }, { "text": "t" }],
        "retitle": [{ "title": "a" }, { "title": "/(a)/", "to": "$2" }, { "title": "a*", "to": "$1" }, { "type": "DoS", "to": "" }],
    });
    let expected = [
        "unknown setting `ignor`: there are ignore, retitle, report and relate",
        "ignore rule 2: unknown field `titel`, expected one of `title`, `type`, `function`, `file`, `why`",
        "ignore rule 3: it needs a condition: title, type, function or file",
        "ignore rule 4 (title = \"/(/\"): `/(/` is no pattern: found open group without closing ')'",
        "ignore rule 5 (title = \"/x\"): `/x` begins a regular expression and does not end it with /",
        "ignore rule 6 (title = []): a list of patterns is empty",
        "ignore rule 7 (file = \"\"): a pattern is empty",
        "ignore rule 8 (title = 7): a pattern is a text, or a list of texts",
        "relate rule 1 (seen = \"a\"): `same` is 7: it is a chance, from 0 to 1",
        "relate rule 2 (seen = \"a\"): missing field `same`",
        "report rule 1 (title = \"t\"): `text` is empty",
        "report rule 2 (text = \"t\"): missing field `title`",
        "retitle rule 1 (title = \"a\"): missing field `to`",
        "retitle rule 2 (title = \"/(a)/\"): `to` has $2, and `title` has one group",
        "retitle rule 3 (title = \"a*\"): `to` has $1, and `title` is no regular expression with groups",
        "retitle rule 4 (type = \"DoS\"): `to` is empty",
    ];
    assert_eq!(refused(&settings), expected);
    assert_eq!(
        refused(&json!({ "ignore": { "title": "x" } }))[0],
        "`ignore` must be a list of rules: write [[plugin.settings.ignore]] above each"
    );
}
