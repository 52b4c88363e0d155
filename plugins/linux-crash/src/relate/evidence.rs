//! The evidence for and against one bug in two crashes. Pure.

use super::family;
use super::family::Family;
use super::look::Look;
use super::names;
use super::names::Nearness;
use super::places;
use super::places::Distance;
use super::places::Place;
use super::vocabulary;
use crate::skip;

/// Where a function that one report blames counts as being on the other's stack.
const NEAR_TOP: usize = 8;
/// Names that share less than this, by weight, are not alike.
const ALIKE: f64 = 0.1;
/// `on_stack` of a function that is the caller of what the other blames, or nearly so.
const CALLER: f64 = 0.7;
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
    /// Both blame one function, and the types are ones that one wrong access or state shows as.
    RelatedThere,
    /// The one function that both blame is called from everywhere.
    AnyonesFunction,
    /// Both blame one function, and below it their stacks share none.
    OtherCallers,
    /// Both blame functions whose names share words.
    NearNames,
    /// Both blame functions, and neither names nor stacks nor subsystems connect them.
    Strangers,
    /// The function that one blames is on the other's stack.
    OnStack,
    /// The function that one blames made or freed the other's object, took its locks, or is on another of its stacks.
    OnOtherStack,
    /// What both blame is called by one function of some module.
    SameActor,
    /// What is blamed is called from everywhere, here by functions of one module.
    ActorsOfModule,
    /// What is blamed is called from everywhere, here by functions of two subsystems.
    ActorsApart,
    /// One function made or freed both objects.
    SameMaker,
    /// Other functions did.
    OtherMaker,
    /// A lock that both are about.
    SameLock,
    /// Both are about locks, and not the same.
    OtherLocks,
    /// Functions that both stacks have.
    Stacks,
    /// Stacks without a function in common.
    OtherStacks,
    /// Types that one bug may have in two functions, and something connects these.
    RelatedType,
    /// Types that one wrong access or state shows as, in two functions of one source file.
    RelatedInFile,
    /// Such types in two functions of one module, of which nobody knows whether they are of one file.
    RelatedInModule,
    /// Such types in two functions of one module that are of two files.
    RelatedBeside,
    /// Such types in two functions of one subsystem.
    RelatedInArea,
    /// The same happened, in two functions.
    AlikeHeads,
    /// Types that one bug hardly has.
    StrangeType,
    /// Both are of a type that a bug shows at one place.
    OwnPlaces,
    /// One is a leak, which shows as nothing else.
    OneLeaks,
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
    let same_title = one.title == other.title && one.is_specific() && other.is_specific();
    let names = near(&one.blamed, &other.blamed);
    // Code that runs where it must not breaks one rule: it sleeps, or it reads without protection.
    let one_rule =
        if one.family == Family::Context && other.family == Family::Context && one.head() != other.head() { 0.5 } else { 1.0 };
    let kin = if same_title { 1.0 } else { one_rule * family::at_one_place(one.family, other.family) };
    let kin_elsewhere = one_rule * family::elsewhere(one.family, other.family);
    let shared = shared(one, other);
    let fewer = one.trace.len().min(other.trace.len());

    let mut found = vec![(Kind::Always, 1.0)];
    let mut add = |kind: Kind, amount: f64| {
        if amount > 0.0 {
            found.push((kind, amount));
        }
    };
    add(Kind::SameTitle, is(same_title));
    add(Kind::OtherTitle, is(!same_title && share_title(one, other)));
    let either = |ones: &[&str], others: &[&str]| !ones.is_empty() && !others.is_empty();
    let same_maker = one.makers.iter().any(|maker| on(&other.makers, maker));
    add(Kind::SameMaker, is(same_maker));
    add(Kind::OtherMaker, is(!same_maker && either(&one.makers, &other.makers)));
    let same_lock = one.locks.iter().any(|lock| other.locks.contains(lock));
    add(Kind::SameLock, is(same_lock));
    add(Kind::OtherLocks, is(!same_lock && either(&one.locks, &other.locks)));
    add(Kind::OtherStacks, is(fewer >= TELLING && shared == 0));
    add(Kind::OneLeaks, is((one.family == Family::Leak) != (other.family == Family::Leak)));
    let nameless = one.blamed.is_empty() || other.blamed.is_empty();
    let same_head = nameless && one.head() == other.head();
    add(Kind::SameHead, is(same_head));
    let tells = |look: &Look<'_>| look.blamed.iter().any(|name| !vocabulary::is_on_the_way(name));
    let nowhere = !(names.same || same_head || tells(one) && tells(other));
    add(Kind::Nowhere, is(nowhere) * kin_elsewhere);
    if names.same {
        let anyones = is_anyones(one, other);
        add(Kind::SameFunction, 1.0);
        add(Kind::RelatedThere, kin);
        add(Kind::AnyonesFunction, is(anyones));
        add(Kind::OtherCallers, is(other_callers(one, other)) * if anyones { 1.0 } else { 0.5 });
        return found;
    }
    add(Kind::StrangeType, (1.0 - kin).powi(2));
    let on_stack = on_stack(&one.blamed, other).max(on_stack(&other.blamed, one));
    let on_others = on_stack == 0.0 && (one.blamed_on(&other.others).is_some() || other.blamed_on(&one.others).is_some());
    add(Kind::NearNames, names.words);
    add(Kind::OnStack, on_stack * kin.sqrt());
    add(Kind::OnOtherStack, is(on_others) * kin.sqrt());
    let stacks = if fewer >= 2 { shared as f64 / fewer as f64 } else { 0.0 };
    add(Kind::Stacks, stacks);
    // That the types fit says something only of crashes that something else connects: every other crash is of a type that fits.
    let connected = [names.words, on_stack, is(on_others), stacks].into_iter().fold(0.0, f64::max);
    add(Kind::RelatedType, kin_elsewhere * connected.sqrt());
    let both = |family: Family| one.family == family && other.family == family;
    add(Kind::OwnPlaces, is(both(Family::Race) || both(Family::Leak) && on_stack < CALLER));
    add(Kind::BothHang, is(both(Family::Stuck)));
    let places = places::nearest(&one.places, &other.places);
    let distance = places.map(|(place, nearest)| place.distance(nearest));
    let strangers = names.words < ALIKE && distance.is_none_or(|far| far >= Distance::Top) && on_stack == 0.0 && !on_others;
    let strangers = strangers && tells(one) && tells(other);
    add(Kind::Strangers, is(strangers));
    // Two crashes where much runs are no rarity.
    let related = kin * if places.is_some_and(|(place, other)| place.is_broad || other.is_broad) { 0.5 } else { 1.0 };
    add(Kind::AlikeHeads, is(!nameless && one.is_alike_at_head(other)));
    match distance {
        Some(Distance::File) => add(Kind::RelatedInFile, related),
        Some(Distance::Module) => add(Kind::RelatedInModule, related),
        Some(Distance::Beside) => add(Kind::RelatedBeside, related),
        Some(Distance::Area) => add(Kind::RelatedInArea, related),
        None => {}
        Some(_) if area_on(one, other) || area_on(other, one) => {}
        Some(far) => {
            let broad = if one.is_broad() || other.is_broad() { 0.8 } else { 1.0 };
            add(Kind::FarArea, is(far == Distance::Far) * broad * if both(Family::Stuck) { 0.4 } else { 1.0 });
            let sure = |look: &Look<'_>| look.places.iter().any(|place| place.is_known && !place.is_broad);
            add(Kind::Apart, is(strangers && sure(one) && sure(other)));
        }
    }
    if let (Some((actor, place)), Some((other_actor, other_place))) = (&one.actor, &other.actor) {
        let same = names::nearness(actor, other_actor).same;
        let broad = one.is_broad() || other.is_broad();
        add(Kind::SameActor, is(same && on_stack == 0.0));
        add(Kind::ActorsOfModule, is(broad && !same && place.distance(other_place) <= Distance::Beside));
        add(Kind::ActorsApart, is(broad && place.distance(other_place) >= Distance::Top));
    }
    found
}

/// How many telling functions both stacks have.
fn shared(one: &Look<'_>, other: &Look<'_>) -> usize {
    let also_on = |these: &[&str], those: &[&str]| these.iter().filter(|name| on(those, name)).count();
    also_on(&one.trace, &other.trace).min(also_on(&other.trace, &one.trace))
}

/// Whether all functions that both blame are of what runs for everybody.
fn is_anyones(one: &Look<'_>, other: &Look<'_>) -> bool {
    let both = |name: &&String, those: &Look<'_>| those.blamed.iter().any(|other| names::nearness(name, other).same);
    let shared = one.blamed.iter().filter(|name| both(name, other)).chain(other.blamed.iter().filter(|name| both(name, one)));
    !shared.filter_map(|name| places::of_function(name)).any(|place| !place.is_broad)
}

/// Whether both stacks go on below the function that they blame, and share none there.
fn other_callers(one: &Look<'_>, other: &Look<'_>) -> bool {
    let (callers, others): (Vec<&str>, Vec<&str>) = (one.below().collect(), other.below().collect());
    let same = |caller: &&str| others.iter().any(|other| names::nearness(caller, other).same);
    callers.len().min(others.len()) >= 2 && !callers.iter().any(same)
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
    let telling = telling.map_or(0.0, |place| 1.0 / (1.0 + place as f64 / 3.0));
    telling.max(if other.top.iter().any(|frame| same(frame)) { 0.5 } else { 0.0 })
}

/// Whether a narrow area of the one has a function on the other's stacks.
fn area_on(look: &Look<'_>, other: &Look<'_>) -> bool {
    let areas: Vec<String> = look.places.iter().filter(|place| !place.is_broad).map(Place::area).collect();
    let shown = other.trace.iter().chain(&other.others);
    !areas.is_empty() && shown.filter_map(|name| places::of_function(name)).any(|place| areas.contains(&place.area()))
}
