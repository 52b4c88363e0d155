//! Is it the same bug? How likely a crash is one of the target's faces, at even prior odds.
//!
//! Evidence ([`look`]) is weighed like logistic regression weighs it; the weights were fitted (see [`WEIGHTS`]). [`names`] says how
//! near two functions are, [`family`] which crashes one bug may show as.

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use kbisect_sdk::classifier::Relation;

pub mod family;
pub mod look;
pub mod names;

use self::family::Family;
use self::look::KINDS;
use self::look::Look;
use self::look::evidence;

/// Each kind of evidence, as a phrase that follows "the same bug, since there is …", and its weight in log odds.
///
/// Fitted by penalised logistic regression on the first half of `tests/pairs` and on half of the real bisections' titles.
pub const WEIGHTS: [(&str, f64); KINDS] = [
    ("", -3.95),
    ("the same title", 1.0),
    ("a title that both are known by", 3.5),
    ("the same function", 3.8),
    ("functions with nearly the same name", 3.7),
    ("functions of one name's beginning", 0.4),
    ("one's function on the other's stack", 2.7),
    ("a name like that of one's function on the other's stack", 0.2),
    ("much of the stack in common", 0.9),
    ("no function of the stacks in common", -1.6),
    ("the same type", 0.1),
    ("a related type", 3.2),
    ("types that one bug does not have", -2.9),
    ("the same file or folder", 1.7),
    ("files of different subsystems", -1.6),
];

/// Compares a crash with the target's faces: the likeliest face counts. None where there is no face.
#[must_use]
pub fn relate(seen: &CrashReport, faces: &[Face]) -> Option<Relation> {
    faces.iter().map(|face| compare(seen, &face.report)).max_by(|one, other| one.same.total_cmp(&other.same))
}

/// Compares two crashes.
#[must_use]
pub fn compare(seen: &CrashReport, face: &CrashReport) -> Relation {
    let (seen, face) = (Look::of(seen), Look::of(face));
    let (same, reason) = by_kind(&seen, &face).unwrap_or_else(|| weigh(&seen, &face));
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
        return Some((0.02, format!("the test's own machinery, or a detector that is full: {}", seen.title)));
    }
    if either(Family::Vague) {
        let hangs = either(Family::Stuck);
        return Some(match (equal, hangs) {
            (true, _) => (0.6, format!("the same title, which says little: {}", seen.title)),
            (_, true) => (0.3, format!("an ending that a hang may have: {}", seen.title)),
            _ => (0.1, format!("an ending that says little: {}", seen.title)),
        });
    }
    (equal && !seen.is_specific()).then(|| (0.6, format!("the same title, which says little: {}", seen.title)))
}

/// Adds up the evidence; the reason names what weighed most.
fn weigh(seen: &Look<'_>, face: &Look<'_>) -> (f64, String) {
    let amount = evidence(seen, face).amount;
    let parts = || WEIGHTS.iter().zip(amount).map(|((what, weight), amount)| (*what, weight * amount));
    let odds: f64 = parts().map(|(_, part)| part).sum();
    let mut same = 1.0 / (1.0 + (-odds).exp());
    if !(seen.is_specific() && face.is_specific()) {
        // A title without a function says little, even when it is the same.
        same = same.min(0.6);
    }
    let mut telling: Vec<(&str, f64)> = parts().filter(|(what, part)| !what.is_empty() && part.abs() > 0.3).collect();
    telling.retain(|(_, part)| (*part > 0.0) == (same >= 0.5));
    telling.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    let telling: Vec<&str> = telling.iter().take(2).map(|(what, _)| *what).collect();
    let reason = match (telling.is_empty(), same >= 0.5) {
        (true, true) => format!("much like {}", face.title),
        (true, false) => format!("little in common with {}", face.title),
        (false, true) => format!("{}: {}", telling.join(", "), face.title),
        (false, false) => format!("{}, and little in common with {}", telling.join(", "), face.title),
    };
    (same.clamp(0.001, 0.999), reason)
}

#[cfg(test)]
mod tests;
