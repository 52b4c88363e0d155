//! The evidence for and against one bug in two crashes. Pure.

use super::areas;
use super::areas::Area;
use super::family;
use super::family::Family;
use super::look::Look;
use super::names;
use super::names::Nearness;
use super::vocabulary;
use crate::skip;

/// Where a function that one report blames counts as being on the other's stack.
const NEAR_TOP: usize = 8;
/// Names that share less than this, by weight, are not alike.
const ALIKE: f64 = 0.1;
/// Stacks of fewer telling functions than this say nothing by having none in common.
const TELLING: usize = 3;

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None: what two crashes are that have nothing to compare.
    Always,
    /// One title.
    SameTitle,
    /// A title that both are known by.
    OtherTitle,
    /// Both blame one function.
    SameFunction,
    /// Both blame functions whose names share words.
    NearNames,
    /// Both blame functions, and neither names nor stacks nor subsystems connect them.
    Strangers,
    /// The function that one blames is on the other's stack.
    OnStack,
    /// The function that one blames made or freed the other's object, took its locks, or is on another of its stacks.
    OnOtherStack,
    /// One function made or freed both objects.
    SameMaker,
    /// Other functions did.
    OtherMaker,
    /// A lock that both are about.
    SameLock,
    /// Functions that both stacks have.
    Stacks,
    /// Stacks without a function in common.
    OtherStacks,
    /// Types that one bug may have.
    RelatedType,
    /// Types that one bug may have, in one subsystem.
    RelatedInArea,
    /// Types that one bug hardly has.
    StrangeType,
    /// One is a leak, which shows as nothing else.
    OneLeaks,
    /// Other subsystems of one part of the tree.
    OtherArea,
    /// Subsystems of other parts of the tree.
    FarArea,
    /// Both subsystems are known, and little runs through either but what is meant for it.
    Apart,
    /// The same words of what happened, and one of the two does not say where.
    SameHead,
    /// A related type, and one of the two does not say where.
    Nowhere,
    /// Both hang.
    BothHang,
}

/// What evidence there is, and how much of each kind, above 0 and at most 1.
#[must_use]
pub fn evidence(one: &Look<'_>, other: &Look<'_>) -> Vec<(Kind, f64)> {
    let is = |yes: bool| f64::from(u8::from(yes));
    let same_title = one.title == other.title && one.is_specific();
    let other_title = !same_title && share_title(one, other);
    let names = near(&one.blamed, &other.blamed);
    let on_stack = on_stack(&one.blamed, other).max(on_stack(&other.blamed, one));
    let near_stack = words_on_stack(&one.blamed, &other.trace).max(words_on_stack(&other.blamed, &one.trace));
    let also_on = |these: &[&str], those: &[&str]| these.iter().filter(|name| on(those, name)).count();
    let shared = also_on(&one.trace, &other.trace).min(also_on(&other.trace, &one.trace));
    let fewer = one.trace.len().min(other.trace.len());
    let stacks = if fewer >= 2 { shared as f64 / fewer as f64 } else { 0.0 };
    let kinship = if same_title { 1.0 } else { family::kinship(one.family, other.family) };

    let mut found = vec![(Kind::Always, 1.0)];
    let mut add = |kind: Kind, amount: f64| {
        if amount > 0.0 {
            found.push((kind, amount));
        }
    };
    add(Kind::SameTitle, is(same_title));
    add(Kind::OtherTitle, is(other_title));
    add(Kind::Stacks, stacks);
    add(Kind::OtherStacks, is(fewer >= TELLING && shared == 0));
    let same_maker = one.makers.iter().any(|maker| on(&other.makers, maker));
    add(Kind::SameMaker, is(same_maker));
    add(Kind::OtherMaker, is(!same_maker && !one.makers.is_empty() && !other.makers.is_empty()));
    add(Kind::SameLock, is(one.locks.iter().any(|lock| other.locks.contains(lock))));

    // That the types fit says something only of crashes that something else connects: every other crash is of a type that fits.
    let connected = [is(names.same || same_title || other_title), names.words, names.first, on_stack, near_stack, stacks];
    add(Kind::RelatedType, kinship * connected.into_iter().fold(0.0, f64::max).sqrt());
    add(Kind::StrangeType, (1.0 - kinship).powi(2));
    add(Kind::OneLeaks, is((one.family == Family::Leak) != (other.family == Family::Leak)));
    if one.blamed.is_empty() || other.blamed.is_empty() {
        let same_head = one.head() == other.head();
        add(Kind::SameHead, is(same_head));
        add(Kind::Nowhere, is(!same_head) * kinship);
    }
    if names.same {
        add(Kind::SameFunction, 1.0);
        return found;
    }
    add(Kind::NearNames, names.words);
    add(Kind::OnStack, on_stack);
    let among =
        |blamed: &[String], stack: &[&str]| stack.iter().any(|frame| blamed.iter().any(|name| names::nearness(name, frame).same));
    let on_others = among(&one.blamed, &other.others) || among(&other.blamed, &one.others);
    add(Kind::OnOtherStack, is(on_others && on_stack == 0.0));
    let both_hang = one.family == Family::Stuck && other.family == Family::Stuck;
    add(Kind::BothHang, is(both_hang));
    let area = common(&one.areas, &other.areas);
    let strangers = names.words < ALIKE && area.is_none() && on_stack == 0.0 && !on_others;
    let tells = |look: &Look<'_>| look.blamed.iter().any(|name| !vocabulary::is_on_the_way(name));
    add(Kind::Strangers, is(strangers && tells(one) && tells(other)));
    match area {
        // Two crashes in a part through which much runs are no rarity.
        Some(broad) => add(Kind::RelatedInArea, if broad { 0.0 } else { kinship }),
        None if one.areas.is_empty() || other.areas.is_empty() => {}
        None if area_on(&one.areas, other) || area_on(&other.areas, one) => {}
        None => {
            let near = one.areas.iter().any(|area| other.areas.iter().any(|other| area.is_near(other)));
            add(if near { Kind::OtherArea } else { Kind::FarArea }, if both_hang { 0.4 } else { 1.0 });
            let sure = |look: &Look<'_>| look.areas.iter().any(|area| area.known && !area.broad);
            add(Kind::Apart, is(strangers && sure(one) && sure(other)));
        }
    }
    found
}

/// Whether both are known by one title that says whose crash it is.
fn share_title(one: &Look<'_>, other: &Look<'_>) -> bool {
    one.titles().any(|title| !title.ends_with(" corrupted") && other.titles().any(|other| other == title))
}

/// The nearest of two lists of names.
fn near(ones: &[String], others: &[String]) -> Nearness {
    let all = ones.iter().flat_map(|one| others.iter().map(move |other| names::nearness(one, other)));
    all.fold(Nearness::default(), |best, next| Nearness {
        same: best.same || next.same,
        words: best.words.max(next.words),
        first: best.first.max(next.first),
    })
}

fn on(trace: &[&str], name: &str) -> bool {
    trace.iter().any(|other| skip::base(other) == skip::base(name))
}

/// Whether a blamed function is on the other's stack: 1 at its top, less further down, and half as much where many stacks have it.
fn on_stack(blamed: &[String], other: &Look<'_>) -> f64 {
    let same = |frame: &str| blamed.iter().any(|name| names::nearness(name, frame).same);
    let telling = other.trace.iter().take(NEAR_TOP).position(|frame| same(frame));
    let telling = telling.map_or(0.0, |place| 1.0 - place as f64 / (2 * NEAR_TOP) as f64);
    telling.max(if other.top.iter().any(|frame| same(frame)) { 0.5 } else { 0.0 })
}

/// How near a blamed function comes to one at the top of the other's stack.
fn words_on_stack(blamed: &[String], trace: &[&str]) -> f64 {
    let frames = trace.iter().take(NEAR_TOP / 2);
    let near = frames.flat_map(|frame| blamed.iter().map(move |name| names::nearness(name, frame)));
    near.map(|near| near.words.max(near.first / 2.0)).fold(0.0, f64::max)
}

/// Whether what they have in common is only a broad area; none where they have no area in common. One is broad where either takes it
/// for one.
fn common(ones: &[Area], others: &[Area]) -> Option<bool> {
    let pairs = ones.iter().flat_map(|one| others.iter().filter(|other| one.is(other)).map(|other| one.broad || other.broad));
    pairs.min()
}

/// Whether a narrow area of the one has a function on the other's stack.
fn area_on(areas: &[Area], other: &Look<'_>) -> bool {
    let on_stack = || other.trace.iter().chain(&other.others).filter_map(|name| areas::of_function(name));
    areas.iter().filter(|area| !area.broad).any(|area| on_stack().any(|other| other.is(area)))
}
