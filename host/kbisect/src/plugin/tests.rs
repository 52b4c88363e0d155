#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use insta::assert_snapshot;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Trial;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::config::job::Hook;
use crate::config::job::PluginLimits;
use crate::embedded;
use crate::plugin::answer::CommitFacts;
use crate::plugin::answer::Level;
use crate::plugin::answer::Suspect;
use crate::plugin::testing::EMPTY;
use crate::plugin::testing::ENGINE;
use crate::plugin::testing::SCRIPTED;
use crate::plugin::testing::patched;

fn load(bytes: &[u8], settings: &Value) -> Result<Plugin, LoadError> {
    Plugin::load(&ENGINE, bytes, None, settings, PluginLimits::default())
}

fn scripted(settings: &Value) -> Plugin {
    load(&SCRIPTED, settings).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    load(bytes, &Value::Null).unwrap_err().to_string()
}

fn report(title: &str) -> CrashReport {
    CrashReport::titled(title)
}

fn ask(trials: usize) -> Ask {
    let trial = Trial { outcome: Outcome::Clean, exposure: 1.0 };
    let commit = CommitId::from_bytes([1; 20]);
    Ask { commit, role: Role::Candidate, trials: vec![trial; trials], running: 0, proposed: 4 }
}

fn suspects() -> Vec<Suspect> {
    vec![Suspect { commit: CommitId::from_bytes([1; 20]), probability: 0.9 }]
}

#[test]
fn a_fit_plugin_is_described_by_what_it_exports_and_imports() {
    let plugin = load(&SCRIPTED, &Value::Null).unwrap();
    assert_eq!(plugin.hooks(), [Hook::Classifier, Hook::FlakePolicy, Hook::Recipients, Hook::Suspicion]);
    assert_eq!(plugin.imports(), ["log", "settings", "bisection", "git"]);
    assert_eq!(plugin.digest(), load::digest(&SCRIPTED));
    let plugin = load(&EMPTY, &Value::Null).unwrap();
    assert_eq!(plugin.hooks(), [Hook::Classifier]);
    assert_eq!(plugin.imports(), ["log"]);
}

#[test]
fn files_that_are_no_components_are_refused() {
    assert_snapshot!(refusal(b"\0asm\x01\0\0\0"), @"is a core WebAssembly module, not a component (the linker `wasm-component-ld` makes components)");
    assert_snapshot!(refusal(b"(component)"), @"is WebAssembly text, not a binary component");
    assert_snapshot!(refusal(b"\x7fELF\x02\x01\x01\0"), @"is not a WebAssembly component");
    assert_snapshot!(refusal(b""), @"is not a WebAssembly component");
    assert_snapshot!(refusal(b"\0asm\x0d\0\x01\0"), @"does not export `kbisect:plugin/plugin`, so it is no kbisect plugin");
}

#[test]
fn a_truncated_component_is_refused_wherever_it_ends() {
    assert!(refusal(&EMPTY[..EMPTY.len() / 2]).starts_with("is damaged or truncated: "));
    for length in (9..EMPTY.len()).step_by(EMPTY.len() / 16) {
        let error = load(&EMPTY[..length], &Value::Null).unwrap_err();
        assert!(matches!(error, LoadError::Damaged(_) | LoadError::NoPlugin), "{length} bytes: {error}");
    }
}

#[test]
fn a_digest_that_differs_is_refused() {
    let wanted = "0".repeat(64);
    let error = Plugin::load(&ENGINE, &EMPTY, Some(&wanted), &Value::Null, PluginLimits::default()).unwrap_err();
    let text = error.to_string().replace(&load::digest(&EMPTY), "[digest]");
    assert_snapshot!(text, @"has the SHA-256 digest [digest], but the job says 0000000000000000000000000000000000000000000000000000000000000000");
    let right = load::digest(&EMPTY).to_uppercase();
    Plugin::load(&ENGINE, &EMPTY, Some(&right), &Value::Null, PluginLimits::default()).unwrap();
}

#[test]
fn unknown_imports_are_refused() {
    let other = patched(&SCRIPTED, b"kbisect:plugin/git@0.1.0", b"kbisect:plugin/net@0.1.0");
    assert_snapshot!(refusal(&other), @"imports `kbisect:plugin/net@0.1.0`, which plugins do not get (they may import log, settings, bisection and git of kbisect:plugin)");
    let other = patched(&SCRIPTED, b"kbisect:plugin/git@0.1.0", b"wasi:filesys/types@0.2.0");
    assert_snapshot!(refusal(&other), @"imports `wasi:filesys/types@0.2.0`, which plugins do not get (they may import log, settings, bisection and git of kbisect:plugin)");
}

#[test]
fn other_versions_are_refused() {
    for version in ["9.1.0", "0.2.0", "1.0.0"] {
        let other = patched(&EMPTY, b"@0.1.0", format!("@{version}").as_bytes());
        let error = refusal(&other);
        assert!(error.starts_with(&format!("was built for kbisect:plugin {version}; this kbisect speaks 0.1.0")), "{error}");
    }
    let other = patched(&EMPTY, b"@0.1.0", b"@9.1.0");
    assert_snapshot!(refusal(&other), @"was built for kbisect:plugin 9.1.0; this kbisect speaks 0.1.0 (before 1.0 the minor version must match)");
    // A later patch version speaks the same words.
    load(&patched(&EMPTY, b"@0.1.0", b"@0.1.7"), &Value::Null).unwrap();
}

#[test]
fn a_component_without_our_exports_is_refused() {
    let other = patched(&EMPTY, b"kbisect:plugin/plugin@0.1.0", b"kbisect:plugin/plugan@0.1.0");
    assert_snapshot!(refusal(&other), @"does not export `kbisect:plugin/plugin`, so it is no kbisect plugin");
    let other = patched(&EMPTY, b"kbisect:plugin/classifier@0.1.0", b"kbisect:plugin/classifiar@0.1.0");
    assert_snapshot!(refusal(&other), @"exports no hook (classifier, flake-policy, recipients or suspicion)");
    let other = patched(&EMPTY, b"markers", b"markars");
    assert_snapshot!(refusal(&other), @"does not fit this kbisect's kbisect:plugin 0.1.0: instance export `kbisect:plugin/classifier@0.1.0` does not have export `markers`");
}

#[test]
fn settings_are_checked_by_the_plugin() {
    let settings = json!({ "refuse": ["`depth` must be positive", "`colour` is unknown"] });
    let error = load(&SCRIPTED, &settings).unwrap_err();
    assert_snapshot!(error, @"refuses its settings: `depth` must be positive; `colour` is unknown");
    assert_snapshot!(load(&SCRIPTED, &json!([1])).unwrap_err(), @"settings must be a table");
}

#[test]
fn hooks_answer() {
    let around = Surroundings::default();
    let plugin = scripted(&json!({ "same": 0.25, "trials": 3, "add": "a@example.org" }));
    assert_eq!(plugin.markers(&around).result.unwrap(), ["SCRIPTED"]);
    let edited = plugin.classify(&around, b"x\nSCRIPTED\n", &[report("earlier")]).result.unwrap();
    assert_eq!(edited.reports, [report("earlier"), report("scripted crash")]);
    let relation = plugin.relate(&around, &report("x"), &CommitId::from_bytes([1; 20])).result.unwrap().unwrap();
    assert_eq!((relation.same, relation.reason.as_str()), (0.25, "the script says so"));
    assert_eq!(plugin.judge(&around, &ask(0)).result.unwrap().decision, Decision::Want(3));
    let people = plugin.recipients(&around, &suspects(), &[]).result.unwrap();
    assert_eq!(people.iter().map(|person| person.email.as_str()).collect::<Vec<_>>(), ["a@example.org"]);
    let commit = CommitFacts { id: CommitId::from_bytes([1; 20]), subject: "x".to_owned(), files: vec!["a".to_owned(); 2] };
    assert_eq!(plugin.weigh(&around, &[commit]).result.unwrap(), [2.0]);
}

#[test]
fn the_same_call_takes_the_same_fuel() {
    let plugin = scripted(&json!({}));
    let fuel = || plugin.classify(&Surroundings::default(), b"SCRIPTED", &[]).fuel;
    let first = fuel();
    assert!(first > 0);
    assert_eq!(first, fuel());
}

/// What a classify call comes to.
fn classify(plugin: &Plugin) -> String {
    let answer = plugin.classify(&Surroundings::default(), b"SCRIPTED", &[report("one")]);
    answer.result.map_or_else(|error| error.to_string(), |edited| format!("{} reports", edited.reports.len()))
}

#[test]
fn bad_calls_fail_with_their_cause() {
    let bad = |behaviour: &str| classify(&scripted(&json!({ "do": behaviour })));
    // Some compilers' symbols carry the types that a function was made for.
    let cut = |text: &str, at: &str| text.split(at).next().unwrap().to_owned();
    let inner = |behaviour: &str| cut(&cut(&bad(behaviour), ", called by "), "::<").trim_end_matches(')').to_owned();
    assert_snapshot!(bad("loop"), @"it used up its 1000004400 units of fuel");
    assert_snapshot!(inner("recurse"), @"it trapped: out of bounds memory access (in scripted_guest::recurse");
    assert_snapshot!(bad("allocate"), @"it wanted more than its 128 MiB of memory");
    assert_snapshot!(inner("trap"), @"it trapped: wasm `unreachable` instruction executed (in scripted_guest::misbehave");
    assert_snapshot!(bad("panic").replace(|c: char| c.is_ascii_digit(), "N"), @"it panicked at tests/guests/scripted/src/lib.rs:NN:NN: the script says so");
    assert_snapshot!(bad("err"), @"it says: the script says so");
    assert_snapshot!(bad("log"), @"it handed over more than 1048576 bytes at once");
    assert_snapshot!(bad("output"), @"it handed over more than 1048576 bytes at once");
    assert_snapshot!(bad("ask"), @"it called the host more than 10000 times");
    assert_snapshot!(bad("index"), @"its answer makes no sense: it edits report 4294967295 of 1");
    assert_snapshot!(bad("twice"), @"its answer makes no sense: it edits report 0 twice or out of order");
    // The engine and other plugins are as before.
    assert_snapshot!(classify(&scripted(&json!({}))), @"2 reports");
}

#[test]
fn calls_beyond_the_pool_wait_for_their_turn() {
    let engine = Engine::with_calls(None, 2).unwrap();
    let plugin = Plugin::load(&engine, &SCRIPTED, None, &json!({}), PluginLimits::default()).unwrap();
    let calls = |plugin: &Plugin| (0..20).map(|_| classify(plugin)).collect::<Vec<_>>();
    let said: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| calls(&plugin))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(said, vec!["2 reports"; 160]);
}

#[test]
fn a_call_finds_nothing_of_the_one_before() {
    // A call that leaves its memory full of what it allocated, and traps, in the only place that there is.
    let engine = Engine::with_calls(None, 1).unwrap();
    let with = |settings: &Value| Plugin::load(&engine, &SCRIPTED, None, settings, PluginLimits::default()).unwrap();
    let (bad, good) = (with(&json!({ "do": "allocate" })), with(&json!({})));
    let fuel = || good.classify(&Surroundings::default(), b"SCRIPTED", &[report("one")]).fuel;
    let before = fuel();
    assert_snapshot!(classify(&bad), @"it wanted more than its 128 MiB of memory");
    assert_eq!(fuel(), before);
    assert_snapshot!(classify(&good), @"2 reports");
}

#[test]
fn senseless_answers_of_other_hooks_fail() {
    let around = Surroundings::default();
    let at = CommitId::from_bytes([1; 20]);
    let bad = |behaviour: &str| scripted(&json!({ "do": behaviour }));
    let related = |behaviour| bad(behaviour).relate(&around, &report("x"), &at).result.unwrap_err().to_string();
    assert_snapshot!(related("seven"), @r#"its answer makes no sense: the chance of "same bug" is 7, not between 0 and 1"#);
    assert_snapshot!(related("nan"), @r#"its answer makes no sense: the chance of "same bug" is NaN, not between 0 and 1"#);
    let judged = |behaviour| bad(behaviour).judge(&around, &ask(2)).result.unwrap_err().to_string();
    assert_snapshot!(judged("want"), @"its answer makes no sense: it wants 4000000000 trials; more than 10000 make no sense");
    assert_snapshot!(judged("nan"), @"its answer makes no sense: the confidence is NaN, not between 0 and 1");
    let people = |behaviour| bad(behaviour).recipients(&around, &suspects(), &[]).result.unwrap_err().to_string();
    assert_snapshot!(people("index"), @r#"its answer makes no sense: "not an address" is no e-mail address"#);
    let commit = CommitFacts { id: at, subject: String::new(), files: Vec::new() };
    let weights = |behaviour| bad(behaviour).weigh(&around, std::slice::from_ref(&commit)).result.unwrap_err().to_string();
    assert_snapshot!(weights("twice"), @"its answer makes no sense: it gives 2 weights for 1 commits");
    assert_snapshot!(weights("nan"), @"its answer makes no sense: it gives the weight NaN, not one from 0 to 1e9");
}

#[test]
fn text_that_is_not_utf8_fails_the_call() {
    let plugin =
        load(&patched(&SCRIPTED, b"@@patched@@", b"\xff\xfe\x80\xff\xfe\x80\xff\xfe\x80\xff\xfe"), &Value::Null).unwrap();
    let answer = plugin.classify(&Surroundings::default(), b"PATCHED", &[]);
    assert_snapshot!(answer.result.unwrap_err(), @"it trapped: invalid utf-8 sequence of 1 bytes from index 0");
}

#[test]
fn wall_clock_ends_what_fuel_does_not() {
    let limits = PluginLimits { fuel: u64::MAX, wall: Duration::from_millis(200), ..PluginLimits::default() };
    let plugin = Plugin::load(&ENGINE, &SCRIPTED, None, &json!({ "do": "loop" }), limits).unwrap();
    assert_snapshot!(classify(&plugin), @"it ran longer than 200ms");
}

#[test]
fn long_messages_are_cut_and_too_many_are_dropped() {
    let limits = PluginLimits { fuel: u64::MAX, log: 1000, ..PluginLimits::default() };
    let plugin = Plugin::load(&ENGINE, &SCRIPTED, None, &json!({ "do": "chatter" }), limits).unwrap();
    let answer = plugin.classify(&Surroundings::default(), b"SCRIPTED", &[]);
    assert_eq!(answer.result.unwrap().reports, [report("scripted crash")]);
    let first = &answer.messages[0];
    assert_eq!(first.level, Level::Info);
    assert_eq!(first.text, format!("{} [60440 more bytes cut]", "c".repeat(1000)));
    let said: usize = answer.messages.iter().map(|message| message.text.len()).sum();
    assert!(said < 2 << 20, "{said} bytes were kept");
    assert_eq!(answer.messages.last().unwrap().text, "[further messages of this call are dropped]");
}

#[test]
fn bundled_plugins_import_only_what_they_need() {
    let imports = |id: &str| {
        let bundled = embedded::PLUGINS.iter().find(|bundled| bundled.id == id).unwrap();
        let plugin = load(bundled.component, &Value::Null).unwrap_or_else(|error| panic!("{id} {error}"));
        plugin.imports().to_vec()
    };
    for id in ["linux-crash", "sequential", "syzkaller-rule"] {
        assert!(!imports(id).contains(&"git".to_owned()), "{id} asks for git");
    }
    assert!(imports("maintainers").contains(&"git".to_owned()));
}
