//! The bundled plugins in the real host: each hook answers within its limits, on ordinary and on hostile input.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::Mutex;

use kbisect::config::job::Plugin;
use kbisect::plugin::engine::Engine;
use kbisect::policy::BisectionState;
use kbisect::policy::FactError;
use kbisect::policy::Facts;
use kbisect::policy::Notice;
use kbisect::policy::Policies;
use kbisect::policy::Signature;
use kbisect::policy::Signer;
use kbisect::policy::Suspect;
use kbisect::policy::Watch as _;
use kbisect::policy::property;
use kbisect_core::commit::CommitId;
use kbisect_core::crash::Face;
use kbisect_core::policy::Ask;
use kbisect_core::policy::Decision;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Role;
use kbisect_core::policy::Sighting;
use kbisect_core::policy::Trial;
use kbisect_core::policy::Verdict;

const COMMIT: CommitId = CommitId::from_bytes([0xab; 20]);

const CRASH: &str = "\
[    1.000000] BUG: KASAN: slab-use-after-free in tree_walk+0x1f/0x40
[    1.000001] Read of size 8 at addr ffff888012345678 by task init/42
[    1.000002] Call Trace:
[    1.000003]  kasan_report+0x10/0x20
[    1.000004]  tree_walk+0x1f/0x40 fs/tree/walk.c:12
";

/// A repository with one commit and a MAINTAINERS file as large as the kernel's.
struct Kernel {
    maintainers: String,
}

impl Kernel {
    fn new() -> Self {
        let mut maintainers = String::from("List of maintainers\n\n");
        for section in 0..3000 {
            write!(
                maintainers,
                "DRIVER {section}\nM:\tPerson {section} <p{section}@example.org>\nL:\tlist{section}@example.org\nS:\tMaintained\n\
                 F:\tdrivers/a{section}/\nF:\tinclude/linux/a{section}*.h\n"
            )
            .expect("a string takes everything");
            if section % 10 == 0 {
                write!(maintainers, "N:\t[^a-z]a{section}_\nK:\t\\b(?:a{section}|b{section})_\\w+\\b\n")
                    .expect("a string takes everything");
            }
            maintainers.push('\n');
        }
        maintainers += "TREE\nM:\tTree Keeper <Keeper@example.org>\nL:\ttree@example.org\nS:\tSupported\nF:\tfs/tree/\n\n";
        maintainers += "THE REST\nM:\tPenguin <penguin@example.org>\nL:\tlinux-kernel@vger.kernel.org\nF:\t*\nF:\t*/\n";
        Self { maintainers }
    }
}

impl Facts for Kernel {
    fn changed_files(&self, _commit: &CommitId) -> Result<Vec<String>, FactError> {
        Ok((0..30).map(|file| format!("fs/tree/file{file}.c")).collect())
    }

    fn message(&self, _commit: &CommitId) -> Result<String, FactError> {
        Ok("tree: walk faster\n\nSigned-off-by: An Author <author@example.org>\n".to_owned())
    }

    fn author(&self, _commit: &CommitId) -> Result<Signature, FactError> {
        Ok(Signature { name: "An Author".to_owned(), email: "author@example.org".to_owned() })
    }

    fn parents(&self, _commit: &CommitId) -> Result<Vec<CommitId>, FactError> {
        Ok(vec![CommitId::from_bytes([1; 20])])
    }

    fn read_file(&self, _commit: &CommitId, path: &str) -> Result<String, FactError> {
        if path == "MAINTAINERS" { Ok(self.maintainers.clone()) } else { Err(FactError::NotFound(path.to_owned())) }
    }

    fn is_ancestor(&self, _ancestor: &CommitId, _descendant: &CommitId) -> Result<bool, FactError> {
        Ok(false)
    }

    fn signers(&self, _commit: &CommitId, _paths: &[String], _days: u32) -> Result<Vec<Signer>, FactError> {
        Ok(Vec::new())
    }
}

/// Policies, and what they complained of.
fn policies(plugins: &[Plugin]) -> (Policies, Arc<Mutex<Vec<Notice>>>) {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&notices);
    let sink = Arc::new(move |notice| kept.lock().expect("no test thread panicked").push(notice));
    let engine = Engine::new(None).expect("an engine");
    (Policies::load_with(&engine, plugins, Arc::new(Kernel::new()), sink).expect("the bundled plugins load"), notices)
}

fn complaints(notices: &Mutex<Vec<Notice>>) -> Vec<Notice> {
    let notices = notices.lock().expect("no test thread panicked");
    notices.iter().filter(|notice| !matches!(notice, Notice::Log { .. })).cloned().collect()
}

fn ask(role: Role, trials: Vec<Trial>) -> Ask {
    Ask { commit: COMMIT, role, trials, running: 0, proposed: 1 }
}

#[test]
fn every_hook_answers() {
    let (policies, notices) = policies(&[]);
    assert!(
        policies
            .markers()
            .iter()
            .any(|marker| b"BUG: KASAN: use-after-free in x".windows(marker.len()).any(|part| part == marker))
    );
    let reports = policies.classify(CRASH.as_bytes()).expect("an answer");
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].title, "KASAN: slab-use-after-free Read in tree_walk");
    assert_eq!(reports[0].guilty_file.as_deref(), Some("fs/tree/walk.c"));

    let report = reports[0].clone();
    let hit = Trial { outcome: Outcome::Crashed(Sighting { report: report.clone(), same: 1.0, look: 0 }), exposure: 1.0 };
    let (who, judgement) = policies.judge(&ask(Role::Start, vec![hit; 3]));
    assert_eq!((who.as_str(), judgement.decision), ("sequential", Decision::Conclude(Verdict::Bad)));

    let properties = BTreeMap::from([(property::NEWEST_COMMIT.to_owned(), COMMIT.to_string())]);
    let faces = vec![Face { report: report.clone(), trials: 3 }];
    policies.set_state(BisectionState { faces, properties, ..BisectionState::default() });
    assert!(policies.relate(&report, &COMMIT).expect("an answer").same >= 0.97);

    let people = policies.recipients(&[Suspect { commit: COMMIT, probability: 0.98 }]);
    let addresses: Vec<(&str, bool)> = people.iter().map(|person| (person.email.as_str(), person.to)).collect();
    let expected = [
        ("author@example.org", true),
        ("keeper@example.org", true),
        ("tree@example.org", true),
        ("linux-kernel@vger.kernel.org", false),
    ];
    assert_eq!(complaints(&notices), []);
    assert_eq!(addresses, expected);
}

#[test]
fn hostile_consoles_stay_within_the_limits() {
    const SIZE: usize = 1 << 20;
    let (policies, notices) = policies(&[]);
    for text in [
        "BUG: ",
        "BUG: KASAN: x in f+0x1/0x2\n",
        "WARNING: \n f+0x1/0x2\n",
        "Call Trace:\n f+0x1/0x2\n",
        "general protection fault\nCall Trace:\n kasan_report+0x1/0x2\n",
        "[    1.000000][    T1] INFO: task a blocked for more than \n[    1.000000][    T2] Kernel panic\n",
        "\n",
        "\0",
        "[1.000000] ",
    ] {
        let console = text.repeat(SIZE / text.len());
        assert!(policies.classify(console.as_bytes()).is_ok(), "{text:?}: {:?}", complaints(&notices));
    }
}

#[test]
fn syzkallers_rule_is_chosen_by_its_name() {
    let plugin = |settings| Plugin { priority: 1, settings, ..Plugin::bundled("syzkaller-rule") };
    let (policies, notices) = policies(&[plugin(serde_json::json!({ "era": "2019" }))]);
    let (who, judgement) = policies.judge(&ask(Role::Candidate, Vec::new()));
    assert_eq!((who.as_str(), judgement.decision), ("syzkaller-rule", Decision::Want(10)));
    assert_eq!(complaints(&notices), []);

    let engine = Engine::new(None).expect("an engine");
    let refused =
        Policies::load_with(&engine, &[plugin(serde_json::json!({ "erra": 1 }))], Arc::new(Kernel::new()), Arc::new(|_| {}));
    assert!(refused.expect_err("an unknown setting").to_string().contains("erra"));
}
