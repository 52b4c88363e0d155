//! Why two crashes are, or are not, taken for one bug: the evidence in words. Pure.

use super::evidence::Kind;
use super::family::Family;
use super::look::Look;
use super::names;
use super::places;
use super::places::Distance;
use crate::skip;

/// A piece of evidence as a clause. None for what is no evidence.
#[must_use]
pub fn clause(kind: Kind, seen: &Look<'_>, face: &Look<'_>) -> Option<String> {
    Some(match kind {
        // `Apart` is said with the places.
        Kind::Always | Kind::Apart | Kind::OwnPlaces => return None,
        Kind::SameTitle => "the same title".to_owned(),
        Kind::OtherTitle => {
            format!("both are known as `{}`", seen.titles().find(|title| face.titles().any(|other| other == *title))?)
        }
        Kind::SameFunction => {
            format!("both blame {}", pair(&seen.blamed, &face.blamed, |one, other| names::nearness(one, other).same)?.0)
        }
        Kind::RelatedThere if seen.family == face.family => return None,
        Kind::AnyonesFunction => "many call that function".to_owned(),
        Kind::OtherCallers => "other functions called it".to_owned(),
        Kind::NearNames => {
            let alike = |one: &str, other: &str| names::nearness(one, other).words > 0.0;
            let (one, other) = pair(&seen.blamed, &face.blamed, alike)?;
            format!("{one} and {other} have names alike")
        }
        Kind::Strangers => format!("nothing connects {} and {}", seen.blamed.first()?, face.blamed.first()?),
        Kind::OnStack => match face.blamed_on(&seen.top) {
            Some(name) => format!("its stack has {name}, which the target's blames"),
            None => format!("it blames {}, which is on the target's stack", seen.blamed_on(&face.top)?),
        },
        Kind::OnOtherStack => match face.blamed_on(&seen.others) {
            Some(name) => format!("{name}, which the target's blames, had to do with its object or locks"),
            None => format!("it blames {}, which had to do with the target's object or locks", seen.blamed_on(&face.others)?),
        },
        Kind::SameActor => format!("both were called by {}", seen.actor.as_ref()?.0),
        Kind::ActorsOfModule => format!("both were called from {}", seen.actor.as_ref()?.1.path),
        Kind::ActorsApart => {
            format!("it was called from {}, the target from {}", seen.actor.as_ref()?.1.path, face.actor.as_ref()?.1.path)
        }
        Kind::SameMaker => {
            format!(
                "both objects were made or freed by {}",
                pair(&seen.makers, &face.makers, |one, other| skip::base(one) == skip::base(other))?.0
            )
        }
        Kind::OtherMaker => "their objects were made and freed by other functions".to_owned(),
        Kind::SameLock => format!("both are about the lock {}", seen.locks.iter().find(|lock| face.locks.contains(lock))?),
        Kind::OtherLocks => "they are about other locks".to_owned(),
        Kind::Stacks => "their stacks share functions".to_owned(),
        Kind::OtherStacks => "their stacks share no function".to_owned(),
        Kind::RelatedType | Kind::Nowhere if seen.family == face.family => {
            format!("both are {}", noun(seen.family))
        }
        Kind::RelatedThere | Kind::RelatedType | Kind::Nowhere => {
            format!("a bug that shows as {} may show as {}", noun(face.family), noun(seen.family))
        }
        Kind::StrangeType if seen.family == face.family => format!("many bugs show as {}", noun(seen.family)),
        Kind::StrangeType => format!("a bug that shows as {} hardly shows as {}", noun(face.family), noun(seen.family)),
        Kind::OneLeaks => "a leak shows as nothing else".to_owned(),
        Kind::RelatedInFile | Kind::RelatedInModule | Kind::RelatedBeside | Kind::RelatedInArea => {
            let (place, other) = places::nearest(&seen.places, &face.places)?;
            let common = match place.distance(other) {
                Distance::File => place.file.clone()?,
                Distance::Module | Distance::Beside => place.path.clone(),
                _ => place.area(),
            };
            format!("both are in {common}")
        }
        Kind::AlikeHeads if seen.head() != face.head() => return None,
        Kind::AlikeHeads => format!("both are `{}`", seen.head()),
        Kind::FarArea => {
            let (place, other) = places::nearest(&seen.places, &face.places)?;
            format!("it is in {}, the target in {}", place.path, other.path)
        }
        Kind::SameHead => format!("both are `{}`, and one names no function", seen.head()),
        Kind::BothHang => "what holds one task up holds up others".to_owned(),
    })
}

/// The first two of two lists that fit, both spelled alike if possible.
fn pair<S: AsRef<str>>(ones: &[S], others: &[S], fits: impl Fn(&str, &str) -> bool) -> Option<(String, String)> {
    let all = ones.iter().flat_map(|one| others.iter().map(move |other| (one.as_ref(), other.as_ref())));
    let fitting = all.filter(|(one, other)| fits(one, other));
    let best = fitting.max_by(|one, other| {
        let words = |(one, other): &(&str, &str)| names::nearness(one, other).words;
        words(one).total_cmp(&words(other))
    });
    best.map(|(one, other)| (one.to_owned(), other.to_owned()))
}

/// What went wrong, as a noun.
pub fn noun(family: Family) -> &'static str {
    match family {
        Family::Lifetime => "use of a freed object",
        Family::Bounds => "access out of bounds",
        Family::Wild => "a wild pointer",
        Family::Null => "a null pointer",
        Family::Stuck => "a hang",
        Family::Deadlock => "a deadlock",
        Family::Locking => "a misused lock",
        Family::Context => "code in a wrong context",
        Family::Check => "a failed check",
        Family::Count => "a wrong count of users",
        Family::Leak => "a memory leak",
        Family::Uninitialised => "use of an unset value",
        Family::Race => "a data race",
        Family::Arithmetic => "undefined arithmetic",
        Family::Vague => "an end without a report",
        Family::Machinery => "a failure of the test itself",
        Family::Other => "another kind of crash",
    }
}
