#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use insta::assert_snapshot;
use kbisect_core::crash::Face;
use kbisect_core::credence::Credit;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::Stage;
use kbisect_core::policy::Trial;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::config::job::Hook;
use crate::config::job::Plugin;
use crate::config::job::PluginLimits;
use crate::config::job::When;
use crate::embedded::PLUGINS;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::plugin::Surroundings;
use crate::plugin::load::digest;
use crate::plugin::testing::EMPTY;
use crate::plugin::testing::ENGINE;
use crate::plugin::testing::SCRIPTED;

/// A console that the bundled classifier reads one crash from.
const OOPS: &[u8] = b"[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000008\n\
[    1.000001] #PF: supervisor read access in kernel mode\n\
[    1.000002] Oops: 0000 [#1] PREEMPT SMP\n\
[    1.000003] CPU: 0 PID: 42 Comm: repro Not tainted 6.5.0 #1\n\
[    1.000004] RIP: 0010:pocket_read+0x10/0x40\n\
[    1.000005] Call Trace:\n\
[    1.000006]  <TASK>\n\
[    1.000007]  vfs_read+0x20/0x80\n\
[    1.000008]  ksys_read+0x20/0x80\n\
[    1.000009]  </TASK>\n\
[    1.000010] ---[ end trace 0000000000000000 ]---\n";

/// A repository whose commits all change `net/core/sock.c` and are by one author.
struct Repository;

impl Facts for Repository {
    fn changed_files(&self, _commit: &CommitId) -> Result<Vec<String>, FactError> {
        Ok(vec!["net/core/sock.c".to_owned()])
    }

    fn message(&self, _commit: &CommitId) -> Result<String, FactError> {
        Ok("net: change it\n\nSigned-off-by: Ann Author <ann@example.org>\n".to_owned())
    }

    fn author(&self, _commit: &CommitId) -> Result<Signature, FactError> {
        Ok(Signature { name: "Ann Author".to_owned(), email: "ann@example.org".to_owned() })
    }

    fn parents(&self, _commit: &CommitId) -> Result<Vec<CommitId>, FactError> {
        Ok(Vec::new())
    }

    fn read_file(&self, _commit: &CommitId, path: &str) -> Result<String, FactError> {
        Err(FactError::NotFound(path.to_owned()))
    }

    fn is_ancestor(&self, _ancestor: &CommitId, _descendant: &CommitId) -> Result<bool, FactError> {
        Ok(false)
    }

    fn signers(&self, _commit: &CommitId, _paths: &[String], _days: u32) -> Result<Vec<Signer>, FactError> {
        Ok(Vec::new())
    }
}

/// Components on disk, entries for them, and what the policies told.
struct Bench {
    folder: TempDir,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("scripted.wasm"), &*SCRIPTED).unwrap();
        fs::write(folder.path().join("empty.wasm"), &*EMPTY).unwrap();
        Self { folder, notices: Arc::default() }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A third party's plugin: the scripted one.
    fn entry(&self, id: &str, hooks: &[Hook], settings: Value) -> Plugin {
        let path = Some(self.path("scripted.wasm"));
        Plugin { path, hooks: hooks.to_vec(), settings, ..Plugin::bundled(id) }
    }

    fn load(&self, plugins: &[Plugin]) -> Result<Policies, LoadErrors> {
        let notices = self.notices.clone();
        let sink: Sink = Arc::new(move |notice| notices.lock().unwrap().push(notice));
        Policies::load_with(&ENGINE, plugins, Arc::new(Repository), sink)
    }

    /// All problems, the temporary folder's name taken out.
    fn problems(&self, plugins: &[Plugin]) -> String {
        let text = self.load(plugins).unwrap_err().to_string();
        text.replace(&self.folder.path().display().to_string(), "[folder]")
    }

    /// What was told since the last time: failures only.
    fn failures(&self) -> Vec<(String, String, bool)> {
        let notices = std::mem::take(&mut *self.notices.lock().unwrap());
        let failures = notices.into_iter().filter_map(|notice| match notice {
            Notice::Failed { plugin, hook, error, disabled } => Some((format!("{plugin} {hook}"), error, disabled)),
            _ => None,
        });
        failures.collect()
    }
}

fn when(paths: &[&str], titles: &[&str]) -> When {
    let own = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    When { paths: own(paths), titles: own(titles) }
}

fn face(title: &str, file: &str, trials: u32) -> Face {
    let report = CrashReport { title: title.to_owned(), guilty_file: Some(file.to_owned()), ..CrashReport::default() };
    Face { report, trials }
}

fn commit() -> CommitId {
    CommitId::from_bytes([7; 20])
}

fn ask(outcomes: &[Outcome]) -> Ask {
    let trials = outcomes.iter().map(|outcome| Trial { outcome: outcome.clone(), exposure: 1.0 }).collect();
    Ask { commit: commit(), role: Role::Start, trials, running: 0, proposed: 3 }
}

fn crashed() -> Outcome {
    let report = CrashReport::titled("BUG: bad thing in f");
    Outcome::Crashed(Sighting { report, same: 0.999, look: 0 })
}

fn target() -> BisectionState {
    BisectionState { faces: vec![face("BUG: bad thing in f", "fs/f.c", 3)], ..BisectionState::default() }
}

fn ids(routes: &[(String, Vec<String>)], hook: &str) -> Vec<String> {
    routes.iter().find(|(known, _)| known == hook).map(|(_, ids)| ids.clone()).unwrap_or_default()
}

fn titles(reports: &[CrashReport]) -> Vec<&str> {
    reports.iter().map(|report| report.title.as_str()).collect()
}

#[test]
fn bundled_plugins_judge_by_themselves() {
    let bench = Bench::new();
    let policies = bench.load(&[]).unwrap();
    assert!(!policies.markers().is_empty());
    let reports = policies.classify(OOPS).unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(policies.classify(b"nothing here\n").unwrap().is_empty());
    assert_eq!(policies.relate(&reports[0], &commit()).unwrap().same, 1.0);
    policies.set_state(target());
    assert!(policies.relate(&reports[0], &commit()).unwrap().same < 0.5);
    let (plugin, judgement) = policies.judge(&ask(&[]));
    assert_eq!(plugin, "sequential");
    assert!(matches!(judgement.decision, Decision::Want(1..)), "{judgement:?}");
    let people = policies.recipients(&[Suspect { commit: commit(), probability: 1.0 }]);
    assert!(people.iter().any(|person| person.email == "ann@example.org"), "{people:?}");
    assert_eq!(policies.weigh(&[]), None);
    assert_eq!(bench.failures(), []);
    let known: Vec<String> = policies.describe().into_iter().map(|plugin| plugin.id).collect();
    assert_eq!(known, ["linux-crash", "maintainers", "sequential", "stack-prior"]);
}

#[test]
fn a_bundled_flake_policy_is_chosen_by_its_id() {
    let bench = Bench::new();
    let policies = bench.load(&[Plugin::bundled("syzkaller-rule")]).unwrap();
    assert_eq!(policies.judge(&ask(&[])).0, "syzkaller-rule");
}

#[test]
fn classifiers_edit_in_rising_priority_and_relate_in_falling() {
    let bench = Bench::new();
    let first = bench.entry("first", &[Hook::Classifier], json!({ "same": 0.25 }));
    let last = Plugin { priority: 5, ..bench.entry("last", &[Hook::Classifier], json!({ "ignore": true, "same": 0.75 })) };
    let passes = Plugin { priority: 9, ..bench.entry("passes", &[Hook::Classifier], json!({})) };
    let policies = bench.load(&[passes, last, first]).unwrap();
    // The bundled one reports the oops; `first` adds its own; `last` ignores the oops; `passes` adds its own once more.
    let console = [OOPS, b"SCRIPTED\n"].concat();
    let reports = policies.classify(&console).unwrap();
    assert_eq!(titles(&reports), ["scripted crash", "scripted crash"]);
    let notices = bench.notices.lock().unwrap().clone();
    let message = "ignores BUG: unable to handle kernel NULL pointer dereference in pocket_read: noise".to_owned();
    assert!(notices.contains(&Notice::Log { plugin: "last".to_owned(), level: "info", message }), "{notices:?}");
    policies.set_state(target());
    assert_eq!(policies.relate(&CrashReport::default(), &commit()).unwrap().same, 0.75);
    assert!(policies.markers().contains(&b"SCRIPTED".to_vec()));
    let routes = policies.resolve_routes(&[]).unwrap();
    assert_eq!(ids(&routes, "classifier"), ["linux-crash", "first", "last", "passes"]);
}

#[test]
fn routes_are_resolved_once() {
    let bench = Bench::new();
    let hooks = [Hook::Classifier, Hook::FlakePolicy];
    let net = Plugin { when: when(&["net/**"], &[]), ..bench.entry("net", &hooks, json!({ "trials": 7 })) };
    let policies = bench.load(&[net]).unwrap();
    // Nobody knows the target yet.
    assert_eq!(policies.judge(&ask(&[])).0, "sequential");
    assert!(!policies.markers().contains(&b"SCRIPTED".to_vec()));
    let routes = policies.resolve_routes(&[face("BUG: x", "net/core/sock.c", 1)]).unwrap();
    assert_eq!(ids(&routes, "classifier"), ["linux-crash", "net"]);
    assert_eq!(ids(&routes, "flake-policy"), ["net"]);
    let (plugin, judgement) = policies.judge(&ask(&[crashed()]));
    assert_eq!((plugin.as_str(), judgement.decision), ("net", Decision::Want(7)));
    assert!(policies.markers().contains(&b"SCRIPTED".to_vec()));
    assert_eq!(policies.resolve_routes(&[face("BUG: x", "fs/inode.c", 1)]).unwrap(), routes, "frozen");
}

#[test]
fn routes_follow_file_and_titles_of_the_target() {
    let chosen = |when: When, target: &[Face]| {
        let bench = Bench::new();
        let plugin = Plugin { when, ..bench.entry("mine", &[Hook::FlakePolicy], json!({})) };
        ids(&bench.load(&[plugin]).unwrap().resolve_routes(target).unwrap(), "flake-policy") == ["mine"]
    };
    let mixed = [face("INFO: task hung in f", "fs/f.c", 1), face("KASAN: use-after-free Read in g", "net/g.c", 5)];
    assert!(chosen(when(&[], &[]), &[]));
    assert!(chosen(when(&["net/*"], &[]), &mixed), "the most frequent face's file");
    assert!(!chosen(when(&["fs/*"], &[]), &mixed), "not another face's");
    assert!(!chosen(when(&["net/*"], &[]), &[face("x", "net/core/sock.c", 1)]), "`*` stays in its folder");
    assert!(chosen(when(&["net/**/*.c"], &[]), &[face("x", "net/core/sock.c", 1)]));
    assert!(chosen(when(&[], &["INFO: task hung*"]), &mixed), "any face's title");
    assert!(chosen(when(&["net/*"], &["KASAN: * in g"]), &mixed));
    assert!(!chosen(when(&["net/*"], &["WARNING*"]), &mixed), "both must match");
}

#[test]
fn of_two_flake_policies_the_higher_priority_wins_and_equal_ones_are_an_error() {
    let bench = Bench::new();
    let flake = |id: &str, priority| Plugin { priority, ..bench.entry(id, &[Hook::FlakePolicy], json!({})) };
    let policies = bench.load(&[flake("low", 1), flake("high", 2)]).unwrap();
    assert_eq!(policies.judge(&ask(&[])).0, "high");
    assert_snapshot!(bench.problems(&[flake("one", 1), flake("two", 1)]), @"plugins `one` and `two` both claim `flake-policy` here, with the same priority 1: give one a higher `priority`");
    assert_snapshot!(bench.problems(&[flake("one", 0), Plugin::bundled("syzkaller-rule")]), @"plugins `syzkaller-rule` and `one` both claim `flake-policy` here, with the same priority 0: give one a higher `priority`");
    // When it depends on the target, it shows once the target is known.
    let fs = Plugin { when: when(&["fs/**"], &[]), ..flake("fs", 0) };
    let oopses = Plugin { when: when(&[], &["BUG*"]), ..flake("oopses", 0) };
    let policies = bench.load(&[fs, oopses]).unwrap();
    policies.resolve_routes(&[face("BUG: x", "fs/f.c", 1)]).unwrap_err();
    let routes = policies.resolve_routes(&[face("BUG: x", "net/f.c", 1)]).unwrap();
    assert_eq!(ids(&routes, "flake-policy"), ["oopses"]);
}

#[test]
fn recipients_fold_and_paths_mean_the_culprit() {
    let bench = Bench::new();
    let add =
        |id: &str, paths: &[&str], settings| Plugin { when: when(paths, &[]), ..bench.entry(id, &[Hook::Recipients], settings) };
    let net = add("net", &["net/**"], json!({ "add": "netdev@example.org", "remove": "ann@example.org" }));
    let fs = add("fs", &["fs/**"], json!({ "add": "fsdevel@example.org" }));
    let policies = bench.load(&[net, fs]).unwrap();
    // The target crashes in fs/, the culprit changed net/.
    policies.resolve_routes(&[face("BUG: x", "fs/f.c", 1)]).unwrap();
    let people = policies.recipients(&[Suspect { commit: commit(), probability: 1.0 }]);
    let emails: Vec<&str> = people.iter().map(|person| person.email.as_str()).collect();
    assert!(emails.contains(&"netdev@example.org"), "{emails:?}");
    assert!(!emails.contains(&"fsdevel@example.org"), "{emails:?}");
    assert!(!emails.contains(&"ann@example.org"), "{emails:?}");
}

#[test]
fn a_plugin_may_ask_git() {
    let bench = Bench::new();
    let policies = bench.load(&[bench.entry("asks", &[Hook::Recipients], json!({ "ask-git": true }))]).unwrap();
    let people = policies.recipients(&[Suspect { commit: commit(), probability: 1.0 }]);
    assert!(people.iter().any(|person| person.email == "ann@example.org" && person.to), "{people:?}");
}

fn facts(count: usize) -> Vec<CommitFacts> {
    (0..count).map(|n| CommitFacts { id: commit(), subject: String::new(), files: vec![String::new(); n % 3] }).collect()
}

#[test]
fn suspicion_weighs_any_number_of_commits() {
    let bench = Bench::new();
    let policies = bench.load(&[bench.entry("weighs", &[Hook::Suspicion], json!({}))]).unwrap();
    let expected: Vec<f64> = (0..2_500).map(|n| f64::from(n % 3)).collect();
    assert_eq!(policies.weigh(&facts(2_500)), Some(expected));
    // A few sweeps over the tree are more than one call may hold.
    let files: Vec<String> = (0..1_000).map(|n| format!("{n}{}", "x".repeat(1_000))).collect();
    let sweeps: Vec<CommitFacts> =
        (0..150).map(|_| CommitFacts { id: commit(), subject: String::new(), files: files.clone() }).collect();
    assert_eq!(policies.weigh(&sweeps), Some(vec![1_000.0; 150]));
    assert_eq!(bench.failures(), []);
}

#[test]
fn suspicion_that_fails_is_warned_of_and_has_no_opinion() {
    let bad =
        ["twice", "few", "nan", "negative", "infinite", "huge", "output", "err", "panic", "trap", "loop", "allocate", "ask"];
    for behaviour in bad {
        let bench = Bench::new();
        let limits = PluginLimits { fuel: 200_000_000, ..PluginLimits::default() };
        let plugin = Plugin { limits, ..bench.entry("bad", &[Hook::Suspicion], json!({ "do": behaviour })) };
        let policies = bench.load(&[plugin]).unwrap();
        for round in 1..=4 {
            assert_eq!(policies.weigh(&facts(1_500)), None, "{behaviour}");
            let failures = bench.failures();
            // Whatever the number of calls that were to come: the first that fails is the last. After the third nobody is asked.
            assert_eq!(failures.len(), usize::from(round <= 3), "{behaviour}, round {round}: {failures:?}");
            assert!(
                failures.iter().all(|(who, _, disabled)| who == "bad suspicion" && *disabled == (round == 3)),
                "{failures:?}"
            );
        }
    }
}

#[test]
fn commits_are_weighed_by_the_jobs_plugin_else_by_the_bundled_one() {
    let bench = Bench::new();
    let chosen = |plugins: &[Plugin], target: &[Face]| {
        let policies = bench.load(plugins).unwrap();
        policies.resolve_routes(target).unwrap();
        policies.suspicion().map(str::to_owned)
    };
    let crash = [face("BUG: bad thing in f", "fs/f.c", 3)];
    let exit = [Face { report: CrashReport::titled("exit status 1"), trials: 1 }];
    let mine = |id: &str, priority| Plugin { priority, ..bench.entry(id, &[Hook::Suspicion], json!({})) };
    let of = Some("stack-prior".to_owned());
    assert_eq!(chosen(&[], &crash), of);
    assert_eq!(chosen(&[], &exit), None, "there is nothing that a commit could touch");
    assert_eq!(chosen(&[mine("mine", 0)], &crash).as_deref(), Some("mine"));
    assert_eq!(chosen(&[mine("mine", 0)], &exit).as_deref(), Some("mine"), "what is asked for is asked");
    assert_eq!(chosen(&[mine("low", -1), mine("high", 1)], &crash).as_deref(), Some("high"));
    assert_eq!(chosen(&[Plugin { when: when(&["net/**"], &[]), ..mine("net", 0) }], &crash), of);
    // Named, the bundled one is as any other.
    assert_eq!(chosen(&[mine("mine", 0), Plugin { priority: 1, ..Plugin::bundled("stack-prior") }], &crash), of);
    assert_eq!(chosen(&[Plugin { when: when(&["net/**"], &[]), ..Plugin::bundled("stack-prior") }], &crash), None);
    let both = [mine("one", 0), mine("two", 0)];
    assert_snapshot!(bench.problems(&both), @"plugins `one` and `two` both claim `suspicion` here, with the same priority 0: give one a higher `priority`");
}

#[test]
fn suspicion_credits_the_named_commit() {
    let bench = Bench::new();
    let of = |files: usize| CommitFacts { id: commit(), subject: String::new(), files: vec!["fs/a.c".to_owned(); files] };
    let policies = bench.load(&[bench.entry("credits", &[Hook::Suspicion], json!({}))]).unwrap();
    assert_eq!(policies.attribute(&of(6), 3), Some(Credit { odds: 2.0, reason: "it changes 6 files".to_owned() }));
    assert_eq!(policies.attribute(&of(0), 3), None);
    let policies = bench.load(&[bench.entry("errs", &[Hook::Suspicion], json!({ "do": "nan" }))]).unwrap();
    assert_eq!(policies.attribute(&of(6), 3), None);
}

/// Every bad behaviour, in the hook that it concerns: a warning each time, the bundled answer, and an end after the third.
#[test]
fn bad_plugins_are_warned_of_then_disabled_and_change_nothing() {
    let judge = ["loop", "recurse", "allocate", "trap", "panic", "err", "log", "ask", "want", "nan"];
    let classify = ["output", "index"];
    for behaviour in judge.iter().chain(&classify) {
        let bench = Bench::new();
        // A second of computing each would make the test slow; what differs is only how long the loop runs.
        let limits = PluginLimits { fuel: 200_000_000, ..PluginLimits::default() };
        let plugin = Plugin { limits, ..bench.entry("bad", &[], json!({ "do": behaviour })) };
        let alone = bench.load(&[]).unwrap();
        let policies = bench.load(&[plugin]).unwrap();
        for round in 1..=4 {
            if judge.contains(behaviour) {
                let (by, judgement) = policies.judge(&ask(&[Outcome::Clean]));
                assert_eq!((by, judgement), alone.judge(&ask(&[Outcome::Clean])), "{behaviour}");
            } else {
                assert_eq!(policies.classify(OOPS), alone.classify(OOPS), "{behaviour}");
            }
            let failures = bench.failures();
            let expected = if round <= 3 { 1 } else { 0 };
            assert_eq!(failures.len(), expected, "{behaviour}, round {round}: {failures:?}");
            assert!(failures.iter().all(|(_, _, disabled)| *disabled == (round == 3)), "{behaviour}: {failures:?}");
        }
    }
}

#[test]
fn a_panic_shows_its_text() {
    let bench = Bench::new();
    let policies = bench.load(&[bench.entry("bad", &[Hook::FlakePolicy], json!({ "do": "panic" }))]).unwrap();
    policies.judge(&ask(&[]));
    let (plugin, error, disabled) = bench.failures().remove(0);
    assert_eq!((plugin.as_str(), disabled), ("bad flake-policy", false));
    assert!(error.starts_with("it panicked at tests/guests/scripted/src/lib.rs:"), "{error}");
    assert!(error.ends_with(": the script says so"), "{error}");
}

#[test]
fn a_resumed_bisection_remembers_failures() {
    let bench = Bench::new();
    let policies = bench.load(&[bench.entry("bad", &[Hook::FlakePolicy], json!({ "do": "err" }))]).unwrap();
    policies.recall_failure("bad");
    policies.recall_failure("bad");
    policies.judge(&ask(&[]));
    assert_eq!(bench.failures(), [("bad flake-policy".to_owned(), "it says: the script says so".to_owned(), true)]);
}

#[test]
fn what_plugins_say_reaches_the_record() {
    let bench = Bench::new();
    let policies = bench.load(&[bench.entry("talks", &[Hook::FlakePolicy], json!({ "do": "chatter" }))]).unwrap();
    policies.judge(&ask(&[]));
    let notices = bench.notices.lock().unwrap();
    let said = notices.iter().filter(|notice| matches!(notice, Notice::Log { plugin, level: "info", .. } if plugin == "talks"));
    assert!(said.count() > 3);
}

#[test]
fn a_bundled_plugin_that_fails_never_makes_a_verdict() {
    let bench = Bench::new();
    // Fuel for `check` and `markers`, but not for a long console.
    let classifier = PLUGINS.iter().find(|plugin| plugin.id == "linux-crash").unwrap();
    let limits = PluginLimits::default();
    let loaded = crate::plugin::Plugin::load(&ENGINE, classifier.component, None, &Value::Null, limits).unwrap();
    let fuel = loaded.markers(&Surroundings::default()).fuel * 4;
    let starved = Plugin { limits: PluginLimits { fuel, fuel_per_byte: 0, ..limits }, ..Plugin::bundled("linux-crash") };
    let policies = bench.load(&[starved]).unwrap();
    let long = OOPS.repeat(1_000);
    let failure = policies.classify(&long).unwrap_err();
    assert_eq!(failure.stage, Stage::Infra);
    assert!(failure.reason.starts_with("the bundled classifier `linux-crash` failed: it used up its"), "{}", failure.reason);
    let (_, _, disabled) = bench.failures().remove(0);
    assert!(!disabled, "there is nothing to fall back on");
}

#[test]
fn all_problems_are_reported_at_once() {
    let bench = Bench::new();
    fs::write(bench.path("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let at = |id: &str, file: &str| Plugin { path: Some(bench.path(file)), ..Plugin::bundled(id) };
    let plugins = [
        at("gone", "gone.wasm"),
        at("module", "module.wasm"),
        at("module", "empty.wasm"),
        Plugin::bundled("no-such"),
        at("sequential", "empty.wasm"),
        Plugin { when: when(&["a/**b", "fs/*"], &["["]), ..at("globs", "empty.wasm") },
        Plugin { hooks: vec![Hook::Recipients], ..at("hook", "empty.wasm") },
        Plugin { when: when(&["fs/*"], &[]), ..Plugin::bundled("maintainers") },
        bench.entry("settings", &[], json!({ "refuse": ["no", "never"] })),
    ];
    assert_snapshot!(bench.problems(&plugins), @r"
    plugin `module` is stated twice
    plugin `maintainers`: `when` has no effect, as this plugin always comes first and serves its one hook
    plugin `gone`: cannot read [folder]/gone.wasm: No such file or directory (os error 2)
    plugin `module` ([folder]/module.wasm) is a core WebAssembly module, not a component (the linker `wasm-component-ld` makes components)
    plugin `no-such` has no `path`, and no bundled plugin has this name (linux-crash, maintainers, sequential, stack-prior, syzkaller-rule)
    plugin `sequential` has a `path` but the name of a bundled plugin; give it another `id`
    plugin `globs`: `when.paths` has the bad glob `a/**b`: Pattern syntax error near position 4: recursive wildcards must form a single path component
    plugin `globs`: `when.titles` has the bad glob `[`: Pattern syntax error near position 0: invalid range pattern
    plugin `hook` ([folder]/empty.wasm) has no hook `recipients` (it has classifier)
    plugin `settings` ([folder]/scripted.wasm) refuses its settings: no; never
    ");
    let error: Error = bench.load(&plugins).unwrap_err().into();
    assert_eq!(error.kind, ErrorKind::User);
}

#[test]
fn components_are_copied_by_digest() {
    let bench = Bench::new();
    let policies = bench.load(&[bench.entry("mine", &[Hook::FlakePolicy], json!({}))]).unwrap();
    let run = bench.path("run/plugins");
    policies.copy_components(&run).unwrap();
    policies.copy_components(&run).unwrap();
    assert_eq!(fs::read(run.join(format!("{}.wasm", digest(&SCRIPTED)))).unwrap(), *SCRIPTED);
    assert_eq!(fs::read_dir(&run).unwrap().count(), policies.describe().len());
}
