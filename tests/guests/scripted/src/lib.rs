//! A plugin with all hooks that does what its settings say. Tests play well-behaved third parties and bad ones with it.
//!
//! * `do`: one of [`BAD`], done in every hook call;
//! * `trials`: trials wanted at a commit before the verdict, 2 unless set;
//! * `add` and `remove`: e-mail addresses to add as `to` and to remove; `ask-git`: add the culprit's author;
//! * `ignore`: call the first report noise; `same`: the answer of `relate`, "none" unless set;
//! * `guilty`: the subject of the only commit that has a weight; else a commit weighs as many as it changes files;
//! * `refuse`: messages with which `check` refuses.

use std::hint::black_box;

use kbisect_sdk::Classifier;
use kbisect_sdk::CrashReport;
use kbisect_sdk::FlakePolicy;
use kbisect_sdk::Host;
use kbisect_sdk::Level;
use kbisect_sdk::Plugin;
use kbisect_sdk::Recipients;
use kbisect_sdk::Suspicion;
use kbisect_sdk::Verdict;
use kbisect_sdk::classifier;
use kbisect_sdk::classifier::Relation;
use kbisect_sdk::flake_policy::Ask;
use kbisect_sdk::flake_policy::Decision;
use kbisect_sdk::flake_policy::Judgement;
use kbisect_sdk::flake_policy::Outcome;
use kbisect_sdk::recipients;
use kbisect_sdk::recipients::Field;
use kbisect_sdk::recipients::Recipient;
use kbisect_sdk::recipients::Suspect;
use kbisect_sdk::suspicion::CommitFacts;
use kbisect_sdk::suspicion::Credit;
use serde_json::Value;

/// What `do` may be. The first ones end the call; the others answer nonsense, or too much.
pub const BAD: [&str; 19] = [
    "loop", "recurse", "allocate", "trap", "panic", "err", "log", "chatter", "ask", "output", "index", "twice", "nan", "seven",
    "want", "few", "negative", "infinite", "huge",
];

/// The plugin.
#[derive(Debug)]
pub struct Scripted;

/// Text that tests overwrite with bytes that are not UTF-8.
const PATCHED: &str = "@@patched@@";

fn settings(host: &impl Host) -> Value {
    serde_json::from_str(&host.settings()).expect("the host gives JSON")
}

fn text(settings: &Value, key: &str) -> String {
    settings[key].as_str().unwrap_or_default().to_owned()
}

/// Does what ends a call; returns what else is asked for.
fn misbehave(host: &impl Host) -> Result<String, String> {
    let bad = text(&settings(host), "do");
    match bad.as_str() {
        "loop" => loop {
            black_box(0);
        },
        "recurse" => {
            black_box(recurse(1));
        }
        "allocate" => {
            let gigabytes: Vec<Vec<u8>> = (0..4).map(|at| vec![at; 1 << 30]).collect();
            black_box(gigabytes);
        }
        "trap" => trap(),
        "panic" => panic!("the script says so"),
        "err" => return Err("the script says so".to_owned()),
        "log" => host.log(Level::Info, &"l".repeat(100 << 20)),
        "chatter" => (0..1700).for_each(|_| host.log(Level::Info, &"c".repeat(60 << 10))),
        "ask" => (0..20_000).for_each(|_| drop(host.property("kind"))),
        _ => {}
    }
    Ok(bad)
}

#[expect(unconditional_recursion, reason = "what it is for")]
fn recurse(depth: u64) -> u64 {
    let frame = [depth; 64];
    recurse(black_box(frame)[0] + 1) + black_box(frame)[1]
}

fn trap() {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
}

fn report(title: String) -> CrashReport {
    CrashReport { title, ..CrashReport::default() }
}

impl Plugin for Scripted {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        let settings = settings(host);
        let refusals = settings["refuse"].as_array().into_iter().flatten();
        let mut problems: Vec<String> = refusals.filter_map(Value::as_str).map(str::to_owned).collect();
        let bad = text(&settings, "do");
        if !bad.is_empty() && !BAD.contains(&bad.as_str()) {
            problems.push(format!("`do` is {bad:?}, not one of {}", BAD.join(", ")));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl Classifier for Scripted {
    fn markers(_host: &impl Host) -> Vec<String> {
        vec!["SCRIPTED".to_owned()]
    }

    fn classify(host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<classifier::Edit>, String> {
        use classifier::Edit;
        let bad = misbehave(host)?;
        Ok(match bad.as_str() {
            "output" => vec![Edit::Add(report("o".repeat(100 << 20)))],
            "index" => vec![Edit::Ignore((u32::MAX, "nonsense".to_owned()))],
            "twice" => (0..2).map(|_| Edit::Ignore((0, "nonsense".to_owned()))).collect(),
            _ if settings(host)["ignore"] == true && !so_far.is_empty() => vec![Edit::Ignore((0, "noise".to_owned()))],
            _ if console.starts_with(b"PATCHED") => vec![Edit::Add(report(PATCHED.to_owned()))],
            _ if console.windows(8).any(|text| text == b"SCRIPTED") => vec![Edit::Add(report("scripted crash".to_owned()))],
            _ => Vec::new(),
        })
    }

    fn relate(host: &impl Host, _seen: &CrashReport, _at: &str) -> Result<Option<Relation>, String> {
        let bad = misbehave(host)?;
        let same = match bad.as_str() {
            "seven" => Some(7.0),
            "nan" => Some(f64::NAN),
            _ => settings(host)["same"].as_f64(),
        };
        Ok(same.map(|same| Relation { same, reason: "the script says so".to_owned() }))
    }
}

impl FlakePolicy for Scripted {
    fn judge(host: &impl Host, ask: &Ask) -> Result<Judgement, String> {
        let bad = misbehave(host)?;
        let trials = settings(host)["trials"].as_u64().unwrap_or(2) as usize;
        let crashed = ask.trials.iter().any(|trial| matches!(trial.outcome, Outcome::Crashed(_)));
        let decision = match bad.as_str() {
            "want" => Decision::Want(4_000_000_000),
            _ if ask.trials.len() < trials => Decision::Want(trials as u32),
            _ if crashed => Decision::Conclude(Verdict::Bad),
            _ => Decision::Conclude(Verdict::Good),
        };
        let confidence = if bad == "nan" { f64::NAN } else { 0.75 };
        Ok(Judgement { decision, confidence, reason: "the script says so".to_owned() })
    }
}

impl Recipients for Scripted {
    fn select(host: &impl Host, suspects: &[Suspect], _so_far: &[Recipient]) -> Result<Vec<recipients::Edit>, String> {
        use recipients::Edit;
        let bad = misbehave(host)?;
        let settings = settings(host);
        let reason = || "the script says so".to_owned();
        let add = |name, email| Edit::Add(Recipient { name, email, field: Field::To, reason: reason() });
        let mut edits = Vec::new();
        match bad.as_str() {
            "output" => edits.push(add(None, "o".repeat(100 << 20))),
            "index" => edits.push(add(None, "not an address".to_owned())),
            _ => {}
        }
        if let Some(email) = settings["add"].as_str() {
            edits.push(add(None, email.to_owned()));
        }
        if let Some(email) = settings["remove"].as_str() {
            edits.push(Edit::Remove((email.to_owned(), reason())));
        }
        if settings["ask-git"] == true {
            for suspect in suspects {
                let author = host.author(&suspect.commit).map_err(|error| format!("{error:?}"))?;
                edits.push(add(Some(author.name), author.email));
            }
        }
        Ok(edits)
    }
}

impl Suspicion for Scripted {
    fn weigh(host: &impl Host, commits: &[CommitFacts]) -> Result<Vec<f64>, String> {
        let bad = misbehave(host)?;
        Ok(match bad.as_str() {
            "twice" => vec![1.0; commits.len() * 2],
            "few" => vec![1.0; commits.len().saturating_sub(1)],
            "nan" => vec![f64::NAN; commits.len()],
            "negative" => vec![-0.5; commits.len()],
            "infinite" => vec![f64::INFINITY; commits.len()],
            "huge" => vec![1e300; commits.len()],
            "output" => vec![1.0; 10 << 20],
            _ if settings(host)["guilty"].is_string() => {
                let guilty = text(&settings(host), "guilty");
                commits.iter().map(|commit| f64::from(u8::from(commit.subject == guilty))).collect()
            }
            _ => commits.iter().map(|commit| commit.files.len() as f64).collect(),
        })
    }

    fn attribute(host: &impl Host, commit: &CommitFacts, releases: u32) -> Result<Option<Credit>, String> {
        let bad = misbehave(host)?;
        let odds = match bad.as_str() {
            "nan" => f64::NAN,
            _ if commit.files.is_empty() => return Ok(None),
            _ => commit.files.len() as f64 / f64::from(releases.max(1)),
        };
        Ok(Some(Credit { odds, reason: format!("it changes {} files\n", commit.files.len()) }))
    }
}

kbisect_sdk::export!(Scripted: classifier, flake_policy, recipients, suspicion);
