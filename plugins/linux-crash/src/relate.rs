//! Is it the same bug? How likely a crash is one of the target's faces, at even prior odds.
//!
//! What is compared of a report is its [`look`]. The [`evidence`] in two looks is weighed like logistic regression weighs it; the
//! weights were fitted (see [`WEIGHTS`]). [`names`] says how near two functions are, [`places`] which part of the kernel they belong to,
//! [`family`] which crashes one bug may show as, [`vocabulary`] what says little, [`reasons`] puts the result in words.

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use kbisect_sdk::classifier::Relation;

pub mod evidence;
pub mod family;
pub mod look;
pub mod names;
pub mod places;
pub mod reasons;
pub mod table;
pub mod vocabulary;

use self::evidence::Kind;
use self::evidence::evidence;
use self::family::Family;
use self::look::Look;

/// The weight of each kind of evidence, in log odds.
///
/// Fitted by logistic regression to the first three sets of `tests/pairs`; to three pairs of crashes of different families there for
/// each of these, which weigh two fifths; and, with half a pair's weight for each culprit, to half of the real bisections (see `./x bench
/// relate`): each title seen at commits with and without the bug against the target's likeliest face that names a function, where a
/// crash at a commit with the bug is the bug's with .995 beforehand when it has the target's title, else with .93. Penalised by .35
/// (weight - prior)², 40 for `FarArea`; the priors are what a developer would say, and no weight may have the other sign
/// than its prior or, of those that speak for one bug, be less than .35 (`RelatedInArea`, `Nowhere`). `Stacks` is
/// .6 above that, by hand: a function that was renamed and moved has no more in common with itself than the way there, and a search
/// must not take it for surely another bug (`tests/third_party.rs` has such a history). With each tenth of the families left out of the
/// fit in turn, the three sets have a precision of 87 %, a recall of 82 % and a Brier score of .103.
pub const WEIGHTS: [(Kind, f64); 34] = [
    (Kind::Always, -1.94),
    (Kind::SameTitle, 0.35),
    (Kind::OtherTitle, 2.66),
    (Kind::SameFunction, 1.63),
    (Kind::RelatedThere, 4.09),
    (Kind::AnyonesFunction, -1.13),
    (Kind::OtherCallers, -1.43),
    (Kind::NearNames, 3.13),
    (Kind::Strangers, -0.63),
    (Kind::OnStack, 4.38),
    (Kind::OnOtherStack, 2.62),
    (Kind::SameActor, 0.35),
    (Kind::ActorsOfModule, 1.54),
    (Kind::ActorsApart, -0.93),
    (Kind::SameMaker, 0.89),
    (Kind::OtherMaker, -2.57),
    (Kind::SameLock, 1.78),
    (Kind::OtherLocks, -1.81),
    (Kind::Stacks, 0.95),
    (Kind::OtherStacks, -1.68),
    (Kind::RelatedType, 0.75),
    (Kind::RelatedInFile, 1.92),
    (Kind::RelatedInModule, 0.61),
    (Kind::RelatedBeside, 0.45),
    (Kind::RelatedInArea, 0.35),
    (Kind::AlikeHeads, 1.19),
    (Kind::StrangeType, -3.22),
    (Kind::OwnPlaces, -1.28),
    (Kind::OneLeaks, -2.46),
    (Kind::FarArea, -1.07),
    (Kind::Apart, -2.46),
    (Kind::SameHead, 2.54),
    (Kind::Nowhere, 0.35),
    (Kind::BothHang, 0.68),
];

fn weight(kind: Kind) -> f64 {
    WEIGHTS.iter().find(|(weighed, _)| *weighed == kind).map_or(0.0, |(_, weight)| *weight)
}

/// However unlike two crashes are, this is the least chance that they are one bug: memory that one part of the kernel smashes belongs
/// to another.
const LEAST: f64 = 0.012;
/// However alike, two bugs may be at one place.
const MOST: f64 = 0.999;
/// Evidence that weighs less, in log odds, is not worth a word.
const TELLING: f64 = 0.3;
/// What a face says of a crash that is not like it at all: nothing.
const FLOOR: f64 = 0.02;

/// Compares a crash with the target's faces: the likeliest face counts. None where there is no face.
///
/// A face that names no function may be another bug's crash that the start commit has as well. Where the target has faces that name
/// some, it counts as far as it is like one of them, or may be of one bug with it by what went wrong: memory that is smashed often
/// leaves no stack to read, but a machine that stalls beside a crash is mostly just overloaded.
#[must_use]
pub fn relate(seen: &CrashReport, faces: &[Face]) -> Option<Relation> {
    let seen = Look::of(seen);
    let faces: Vec<Look<'_>> = faces.iter().map(|face| Look::of(&face.report)).collect();
    let telling: Vec<&Look<'_>> = faces.iter().filter(|face| !face.blamed.is_empty()).collect();
    let trust = |face: &Look<'_>| {
        let stuck = matches!(face.family, Family::Stuck | Family::Vague);
        let kin = |other: &Look<'_>| if stuck { 0.0 } else { family::at_one_place(face.family, other.family) };
        let like = telling.iter().map(|other| likeness(face, other).same.max(kin(other)));
        let like = like.reduce(f64::max);
        if face.blamed.is_empty() { like.unwrap_or(1.0) } else { 1.0 }
    };
    let relations = faces.iter().map(|face| {
        let Relation { same, reason } = likeness(&seen, face);
        if same <= FLOOR {
            return Relation { same, reason };
        }
        let trusted = same - (same - FLOOR) * (1.0 - trust(face));
        let doubt =
            if trusted < 0.5 && same >= 0.5 { ", but that may be another bug beside the target's other faces" } else { "" };
        Relation { same: trusted, reason: reason + doubt }
    });
    relations.max_by(|one, other| one.same.total_cmp(&other.same))
}

/// Compares two crashes.
#[must_use]
pub fn compare(seen: &CrashReport, face: &CrashReport) -> Relation {
    likeness(&Look::of(seen), &Look::of(face))
}

fn likeness(seen: &Look<'_>, face: &Look<'_>) -> Relation {
    let (same, reason) = by_kind(seen, face).unwrap_or_else(|| weigh(seen, face));
    Relation { same, reason }
}

/// What the kinds of the two crashes settle alone.
fn by_kind(seen: &Look<'_>, face: &Look<'_>) -> Option<(f64, String)> {
    let either = |family: Family| seen.family == family || face.family == family;
    let equal = seen.title == face.title;
    if seen.kind == "EXIT" || face.kind == "EXIT" {
        // What a script calls failure is one thing; a kernel's own report is another, and a script may see it or not.
        return Some(if seen.kind == face.kind {
            (0.999, "the script says that it failed".to_owned())
        } else {
            (0.5, "one is the script's word, the other the kernel's".to_owned())
        });
    }
    if seen.is_equal(face) {
        return Some((0.98, format!("the same in all that is known of it: {}", seen.title)));
    }
    if either(Family::Machinery) && !equal {
        return Some((0.01, format!("the test's own machinery, or a detector that is full: {}", seen.title)));
    }
    if either(Family::Vague) {
        let ends =
            |end: &Look<'_>, bug: &Look<'_>| end.family == Family::Vague && family::may_end(bug.title, bug.family, end.title);
        return Some(match (equal, ends(seen, face) || ends(face, seen)) {
            (true, _) => (0.6, format!("the same title, which says little: {}", seen.title)),
            (_, true) => {
                let shown = if seen.family == Family::Vague { face } else { seen };
                (0.3, format!("an ending that {} may have: {}", reasons::noun(shown.family), seen.title))
            }
            _ => (0.1, format!("an ending that says little: {}", seen.title)),
        });
    }
    let nowhere = seen.blamed.is_empty() || face.blamed.is_empty();
    (equal && nowhere && !(seen.is_specific() && face.is_specific()))
        .then(|| (0.6, format!("the same title, which says little: {}", seen.title)))
}

/// Adds up the evidence; the reason names what weighed most.
fn weigh(seen: &Look<'_>, face: &Look<'_>) -> (f64, String) {
    let mut parts: Vec<(Kind, f64)> =
        evidence(seen, face).into_iter().map(|(kind, amount)| (kind, weight(kind) * amount)).collect();
    let odds: f64 = parts.iter().map(|(_, part)| part).sum();
    let mut same = (LEAST + (1.0 - LEAST) / (1.0 + (-odds).exp())).min(MOST);
    if seen.blamed.is_empty() || face.blamed.is_empty() {
        // A crash without a function says little, even when the title is the same.
        same = same.min(0.6);
    }
    // Whether the two types fit is one thing to say.
    let of_types = |kind: Kind| matches!(kind, Kind::RelatedType | Kind::StrangeType);
    let types: f64 = parts.iter().filter(|(kind, _)| of_types(*kind)).map(|(_, part)| part).sum();
    parts.retain(|(kind, _)| !of_types(*kind));
    parts.push((if types > 0.0 { Kind::RelatedType } else { Kind::StrangeType }, types));
    parts.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    let clauses = |speaks_for: bool| -> String {
        let telling = parts.iter().filter(|(_, part)| part.abs() > TELLING && (*part > 0.0) == speaks_for);
        let clauses: Vec<String> = telling.filter_map(|(kind, _)| reasons::clause(*kind, seen, face)).take(2).collect();
        clauses.join(", ")
    };
    let (speaking_for, against) = (clauses(true), clauses(false));
    let reason = match (same >= 0.5, speaking_for.is_empty(), against.is_empty()) {
        (true, true, _) => format!("like {}", face.title),
        (true, false, _) => format!("like {}: {speaking_for}", face.title),
        (false, true, true) => format!("unlike {}: nothing in common", face.title),
        (false, true, false) => format!("unlike {}: {against}", face.title),
        (false, false, true) => format!("unlike {}: no more in common than that {speaking_for}", face.title),
        (false, false, false) => format!("unlike {}: {against}, though {speaking_for}", face.title),
    };
    (same, reason)
}

#[cfg(test)]
mod tests;
