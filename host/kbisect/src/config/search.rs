//! `[search]`: how the next commit is chosen and when the search ends.

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Strategy;

use super::document::Section;
use super::job::MachineKind;
use super::job::Search;
use super::job::TargetStage;
use super::job::Tip;
use super::origin::Origin;
use super::value;

/// Strategies by name.
pub(super) const STRATEGIES: [(&str, Strategy); 2] = [("posterior", Strategy::Posterior), ("git", Strategy::Git)];

/// Chance of a wrong name that is put up with where none is stated.
pub const DELTA: f64 = 0.01;

/// The share of the prior that may follow a suspicion plugin's weights.
pub(super) const SUSPICION: f64 = kbisect_core::prior::SHARE;

/// No newer commit is tested.
const NO_TIP: &str = "none";
/// The newest one that there is.
const NEWEST: &str = "newest";

/// The section, where `kind` is looked for, on machines of a kind, and the target shows at this stage.
pub(super) fn read(section: Section<'_, '_>, kind: Kind, machine: MachineKind, stage: TargetStage) -> Search {
    let strategy = |value: &_| value::word(value, &STRATEGIES);
    let strategy = section.get_or("strategy", strategy, Strategy::Posterior, Origin::guess("knows that tests are flaky"));
    let (tip, why) = match machine.boots() && kind == Kind::Cause && strategy == Strategy::Posterior {
        true => (Tip::Newest, "the crash may be mended there"),
        false => (Tip::None, "as git bisect"),
    };
    let watched = machine == MachineKind::Qemu && stage == TargetStage::Run && cfg!(target_arch = "x86_64");
    let reach = watched && kind == Kind::Cause && strategy == Strategy::Posterior;
    let why_reach = if reach { "clean says nothing where the crash is not reached" } else { "for causes in QEMU" };
    let search = Search {
        strategy,
        delta: section.get_or("delta", delta, DELTA, Origin::guess("one wrong name in a hundred")),
        seed: section.get_or("seed", value::number, 0, Origin::guess("any will do")),
        trust_good: section.get_or("trust_good", value::switch, false, Origin::guess("good ends are tested first")),
        suspicion: section.get_or("suspicion", suspicion, SUSPICION, Origin::guess("the rest is the same for every commit")),
        single_trials: section.get_or("single_trials", value::switch, false, Origin::guess("as many trials as it takes")),
        revert: section.get_or("revert", value::switch, false, Origin::guess("costs a build and some trials")),
        tip: section.get_or("tip", newer, tip, Origin::guess(why)),
        reach: section.get_or("reach", value::switch, reach, Origin::guess(why_reach)),
        eras: section.get_or("eras", value::commits, Vec::new(), Origin::guess("one compiler and one configuration for all")),
    };
    if search.single_trials && search.strategy != Strategy::Git {
        section.complain(Some("single_trials"), "[search] `single_trials` needs strategy = \"git\"");
    }
    if kind == Kind::Fix && search.revert {
        section.complain(Some("revert"), "[search] `revert` takes a cause back; a fix is not taken back");
    }
    if kind == Kind::Fix && search.tip != Tip::None {
        section.complain(Some("tip"), "[search] `tip` is for causes; a fix is looked for up to `good`, or HEAD");
    }
    if search.reach && !reach {
        let lacks = match (watched, kind) {
            (false, _) => "machines of kind \"qemu\" and crashes of the reproducer",
            (true, Kind::Fix) => "causes",
            (true, Kind::Cause) => "strategy = \"posterior\"",
        };
        section.complain(Some("reach"), format!("[search] `reach` is for {lacks}"));
    }
    section.close();
    search
}

/// As [`newer`] reads it.
pub(super) fn tip_text(tip: &Tip) -> &str {
    match tip {
        Tip::None => NO_TIP,
        Tip::Newest => NEWEST,
        Tip::At(commit) => commit,
    }
}

fn newer(value: &toml::Spanned<toml::de::DeValue<'_>>) -> value::Read<Tip> {
    Ok(match value::line(value)?.as_str() {
        NO_TIP => Tip::None,
        NEWEST => Tip::Newest,
        commit => Tip::At(commit.to_owned()),
    })
}

fn delta(value: &toml::Spanned<toml::de::DeValue<'_>>) -> value::Read<f64> {
    match value::float(value)? {
        delta if (1e-6..=0.5).contains(&delta) => Ok(delta),
        _ => value::complain(value, "must be from 0.000001 to 0.5"),
    }
}

fn suspicion(value: &toml::Spanned<toml::de::DeValue<'_>>) -> value::Read<f64> {
    match value::float(value)? {
        share if (0.0..=SUSPICION).contains(&share) => Ok(share),
        _ => value::complain(value, format!("must be from 0, which asks no plugin, to {SUSPICION}")),
    }
}
