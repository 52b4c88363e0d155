//! Worlds drawn from what the search believes beforehand, and what it says in them: there its probabilities must hold.

use super::calibration::Said;
use super::cell::named;
use super::dice::Dice;
use super::fault::Fault;
use super::history::History;
use super::lab::Lab;
use super::policy::FlakePolicy;
use super::search::Stuck;
use super::search::run_watched;
use super::world::Chances;
use super::world::World;
use crate::bisector::MUTE_SHARE;
use crate::bisector::STATED_BAD;
use crate::bisector::Settings;
use crate::posterior::Grid;

/// The share of the worlds in which some crashes have a look of their own.
const UNSURE_LOOKS: f64 = 0.3;
/// Rates of strays; any order of magnitude between them is as likely.
const STRAYS: (f64, f64) = (0.0005, 0.02);
/// A crash with s = .97 is something else as often as one with s = .03 is the target.
const MISJUDGED: f64 = 0.03;

/// What was said in one search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// Of the likeliest commit at one step, any alike, that the crash begins to show there; none if it never came to that.
    pub leader: Option<Said>,
    /// Of the commit that was named, the same.
    pub name: Option<Said>,
    /// Of the commit that was named, that it introduced the bug, if the crash begins to show there.
    pub introduced: Option<Said>,
}

impl World {
    /// A world with r, f, mute kernels and a good end that is bad after all as often as the search believes; strays; the bug may be
    /// older than what exposes it; and some crashes may have a look that is the target with a chance s, which the classifier knows.
    pub fn believed(history: &History, delta: f64, mut dice: Dice) -> Self {
        let points: Vec<((f64, f64), f64)> =
            Grid::prior(false).points.iter().map(|point| ((point.r, point.f), point.prior)).collect();
        let (repro, false_alarm) = dice.pick(&points).expect("the grid has points");
        let stray = dice.between(STRAYS.0.ln(), STRAYS.1.ln()).exp();
        let mut faults = vec![if dice.chance(STATED_BAD) { Fault::Older } else { Fault::Exposure { share: None } }];
        if dice.chance(UNSURE_LOOKS) {
            let same = dice.share();
            faults.push(if dice.chance(same) {
                Fault::TitleDrift { same: Some(same) }
            } else {
                Fault::SecondBug { share: None, rate: None, same: Some(same) }
            });
        }
        let mute = delta * MUTE_SHARE;
        let chances = Chances { repro, stray, false_alarm, mute, misjudged: MISJUDGED, ..Chances::default() };
        Self::new(history, chances, &faults, dice)
    }
}

/// Makes run number `run` of those of `seed`.
///
/// # Errors
///
/// If the search does not come to an end.
pub fn told(
    history: &History,
    settings: Settings,
    lab: &Lab,
    (seed, run): (u64, u64),
    policy: &mut dyn FlakePolicy,
) -> Result<Told, Stuck> {
    let mut dice = Dice::of_run(!seed, run);
    let mut world = World::believed(history, settings.delta, Dice::of_run(seed, run));
    let truth = world.truth;
    let is = |commit| history.graph.node(&commit).is_some_and(|node| truth.is(node));
    let (mut steps, mut leader) = (0, None);
    let ended = run_watched(history, &mut world, policy, settings, lab, &mut |bisector| {
        steps += 1;
        if dice.below(steps) != 0 {
            return;
        }
        // A step before the range is known counts as none.
        match bisector.summary().suspects.first() {
            Some(first) => leader = Some(Said { stated: first.probability, so: is(first.commit) }),
            None => steps -= 1,
        }
    })?;
    let suspect = named(&ended.conclusion);
    let name = suspect.map(|named| Said { stated: named.probability, so: is(named.commit) });
    let introduced = ended.introduced(history, &truth);
    Ok(Told { leader, name, introduced })
}
