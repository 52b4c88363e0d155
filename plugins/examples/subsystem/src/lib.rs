//! Example: a kernel subsystem's pack, flake policy and recipients in one component.
//!
//! A subsystem whose bugs show rarely wants more trials than the default policy asks for, and its results on its own list. `when` says
//! which bugs are its own: those whose guilty file lies there judge with this policy, and results whose culprit changes a file there
//! go to this list. All other bisections stay as they are.
//!
//! ```toml
//! [[plugin]]
//! id = "filesystems"
//! path = "subsystem.wasm"
//! when = { paths = ["fs/**"] }
//! settings = { trials = 30, list = "linux-fsdevel@vger.kernel.org" }
//! ```
//!
//! | setting | | |
//! |---|---|---|
//! | `trials` | 1 to 200, default 20 | a commit is good after this many trials without a crash, and bad at the first crash that is more likely the target than not |
//! | `list` | a mail address, default none | told in place of the list that everybody is on; the others whom `maintainers` found stay |
//!
//! Void trials are done again, at most as many as `trials`; then the commit is skipped, and at once where it does not build. The
//! journal says who judged a commit, by the plugin's `id`.

use kbisect_sdk::FlakePolicy;
use kbisect_sdk::Host;
use kbisect_sdk::Plugin;
use kbisect_sdk::Recipients;
use kbisect_sdk::Verdict;
use kbisect_sdk::flake_policy::Ask;
use kbisect_sdk::flake_policy::Decision;
use kbisect_sdk::flake_policy::Judgement;
use kbisect_sdk::flake_policy::Outcome;
use kbisect_sdk::flake_policy::Stage;
use kbisect_sdk::recipients::Edit;
use kbisect_sdk::recipients::Field;
use kbisect_sdk::recipients::Recipient;
use kbisect_sdk::recipients::Suspect;
use serde_json::Value;

/// The plugin.
#[derive(Debug)]
pub struct Subsystem;

/// What the job file may set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings {
    trials: u32,
    list: Option<String>,
}

impl Settings {
    fn read(json: &str) -> Result<Self, Vec<String>> {
        let Ok(Value::Object(table)) = serde_json::from_str(json) else { return Err(vec!["settings are no table".to_owned()]) };
        let mut settings = Self { trials: 20, list: None };
        let mut errors = Vec::new();
        for (key, value) in &table {
            match key.as_str() {
                "trials" => {
                    match value.as_u64().and_then(|trials| u32::try_from(trials).ok()).filter(|trials| (1..=200).contains(trials))
                    {
                        Some(trials) => settings.trials = trials,
                        None => errors.push(format!("trials is {value}: it can be 1 to 200")),
                    }
                }
                "list" => match value.as_str().filter(|list| list.split('@').count() == 2) {
                    Some(list) => settings.list = Some(list.to_owned()),
                    None => errors.push(format!("list is {value}: it must be a mail address")),
                },
                _ => errors.push(format!("unknown setting {key}: there are trials and list")),
            }
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    fn of(host: &impl Host) -> Result<Self, String> {
        Self::read(&host.settings()).map_err(|errors| errors.join("; "))
    }
}

impl Plugin for Subsystem {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        Settings::read(&host.settings()).map(drop)
    }
}

impl FlakePolicy for Subsystem {
    fn judge(host: &impl Host, ask: &Ask) -> Result<Judgement, String> {
        let wanted = Settings::of(host)?.trials;
        let crashed = ask.trials.iter().any(|trial| matches!(&trial.outcome, Outcome::Crashed(seen) if seen.same > 0.5));
        let void = |stage: Option<Stage>| {
            ask.trials
                .iter()
                .filter(
                    |trial| matches!(&trial.outcome, Outcome::Void(failure) if stage.is_none_or(|stage| failure.stage == stage)),
                )
                .count()
        };
        let valid = u32::try_from(ask.trials.len() - void(None)).unwrap_or(u32::MAX);
        let voids = u32::try_from(void(None)).unwrap_or(u32::MAX);
        let decision = if crashed {
            Decision::Conclude(Verdict::Bad)
        } else if valid >= wanted {
            Decision::Conclude(Verdict::Good)
        } else if void(Some(Stage::Build)) > 0 || voids > wanted {
            Decision::Conclude(Verdict::Skip("too many trials say nothing".to_owned()))
        } else {
            Decision::Want(wanted + voids)
        };
        Ok(Judgement { decision, confidence: 1.0, reason: format!("{valid} of the subsystem's {wanted} trials") })
    }
}

impl Recipients for Subsystem {
    fn select(host: &impl Host, suspects: &[Suspect], so_far: &[Recipient]) -> Result<Vec<Edit>, String> {
        const EVERYBODY: &str = "linux-kernel@vger.kernel.org";
        let Some(list) = Settings::of(host)?.list.filter(|_| !suspects.is_empty()) else { return Ok(Vec::new()) };
        let stands = |email: &str| so_far.iter().any(|known| known.email.eq_ignore_ascii_case(email));
        let mut edits = Vec::new();
        if stands(EVERYBODY) {
            edits.push(Edit::Remove((EVERYBODY.to_owned(), format!("{list} is told instead"))));
        }
        if !stands(&list) {
            edits.push(Edit::Add(Recipient {
                name: None,
                email: list,
                field: Field::To,
                reason: "the subsystem's list".to_owned(),
            }));
        }
        Ok(edits)
    }
}

kbisect_sdk::export!(Subsystem: flake_policy, recipients);

#[cfg(test)]
mod tests {
    use kbisect_sdk::CrashReport;
    use kbisect_sdk::Role;
    use kbisect_sdk::fake::FakeHost;
    use kbisect_sdk::flake_policy::Failure;
    use kbisect_sdk::flake_policy::Sighting;
    use kbisect_sdk::flake_policy::Trial;

    use super::*;

    fn host() -> FakeHost {
        FakeHost { settings: r#"{"trials": 3, "list": "foo@lists.org"}"#.to_owned(), ..FakeHost::default() }
    }

    fn decide(outcomes: Vec<Outcome>) -> Decision {
        let trials = outcomes.into_iter().map(|outcome| Trial { outcome, exposure: 1.0 }).collect();
        let ask = Ask { commit: "c".to_owned(), role: Role::Candidate, trials, running: 0, proposed: 1 };
        Subsystem::judge(&host(), &ask).expect("an answer").decision
    }

    #[test]
    fn runs_the_trials_it_is_told() {
        assert_eq!(decide(vec![]), Decision::Want(3));
        assert_eq!(decide(vec![Outcome::Clean; 3]), Decision::Conclude(Verdict::Good));
        let seen = Sighting { report: CrashReport::default(), same: 0.9 };
        assert_eq!(decide(vec![Outcome::Clean, Outcome::Crashed(seen)]), Decision::Conclude(Verdict::Bad));
        let boot = Failure { stage: Stage::Boot, reason: String::new() };
        assert_eq!(decide(vec![Outcome::Void(boot)]), Decision::Want(4));
    }

    #[test]
    fn tells_its_own_list_instead_of_everybodys() {
        let suspects = [Suspect { commit: "c".to_owned(), probability: 0.9 }];
        let known =
            Recipient { name: None, email: "linux-kernel@vger.kernel.org".to_owned(), field: Field::Cc, reason: String::new() };
        let edits = Subsystem::select(&host(), &suspects, &[known]).expect("an answer");
        assert!(matches!(&edits[0], Edit::Remove((email, _)) if email == "linux-kernel@vger.kernel.org"));
        assert!(matches!(&edits[1], Edit::Add(who) if who.email == "foo@lists.org"));
    }

    #[test]
    fn refuses_settings_that_make_no_sense() {
        let host = FakeHost { settings: r#"{"trials": 0, "list": 3, "x": 1}"#.to_owned(), ..FakeHost::default() };
        assert_eq!(Subsystem::check(&host).expect_err("three mistakes").len(), 3);
    }
}
