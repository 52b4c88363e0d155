//! Other bugs that the trials came upon: what is told of each, and the job that looks for its beginning.

use std::collections::HashMap;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::OtherBug as Found;
use kbisect_core::bisector::Shown;
use kbisect_core::policy::Outcome;
use kbisect_core::policy::Sighting;

use super::parts;
use super::parts::Parts;
use super::state::State;
use crate::error::Error;
use crate::record::event::OtherAt;
use crate::record::event::OtherBug;

/// Most bugs that are told of.
const MOST: usize = 9;

/// Gathers what the run came upon, the most frequent first, and writes a job file for each into the run directory.
pub(super) fn gather(parts: &Parts, state: &State) -> Result<Vec<OtherBug>, Error> {
    let found = state.bisector.other_bugs();
    found.iter().take(MOST).enumerate().map(|(place, found)| other(parts, state, found, place + 1)).collect()
}

fn other(parts: &Parts, state: &State, found: &Found, number: usize) -> Result<OtherBug, Error> {
    let sightings = || {
        state.trials.values().filter_map(|past| match &past.outcome {
            Outcome::Crashed(sighting) if sighting.look == found.look && !sighting.is_target() => Some(sighting),
            _ => None,
        })
    };
    let mut titles = titles(sightings());
    let title = titles.remove(0);
    let at = |shown: &Shown| OtherAt { shown: *shown, subject: parts.subject(&shown.commit) };
    Ok(OtherBug {
        job: write_job(parts, found, &title, number)?,
        title,
        also: titles,
        look: found.look,
        same: sightings().map(|sighting| sighting.same).fold(0.0, f64::max),
        crashes: found.crashes(),
        trials: found.trials,
        hidden: found.hidden,
        seen: found.seen.iter().map(at).collect(),
        free: found.free.as_ref().map(at),
    })
}

/// The different titles, most frequent first; equally frequent ones by name.
fn titles<'a>(sightings: impl Iterator<Item = &'a Sighting>) -> Vec<String> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for sighting in sightings {
        *counts.entry(&sighting.report.title).or_default() += 1;
    }
    let mut counts: Vec<(&str, u32)> = counts.into_iter().collect();
    counts.sort_by_key(|&(title, count)| (std::cmp::Reverse(count), title));
    counts.into_iter().map(|(title, _)| title.to_owned()).collect()
}

/// Writes the job that looks for the beginning of a bug: from the oldest commit that showed it twice, or once, back to one that is
/// free of it; else through the releases, or to the oldest commit that has not shown it, which is tested first. None is written
/// where nothing older is known.
fn write_job(parts: &Parts, found: &Found, title: &str, number: usize) -> Result<Option<String>, Error> {
    let bad = found.seen.iter().find(|shown| shown.crashes > 1).or(found.seen.first());
    let Some(bad) = bad.map(|shown| shown.commit) else {
        return Ok(None);
    };
    let mut good = found.free;
    if good.is_none() && parts.repository.releases_to_walk(&bad)?.is_empty() {
        good = found.oldest;
        if good.is_none() {
            return Ok(None);
        }
    }
    let mut job = parts.job.clone();
    job.kind = Kind::Cause;
    job.bad = bad.to_string();
    job.good = good.iter().map(|shown| shown.commit.to_string()).collect();
    job.title = Some(title.to_owned());
    (job.crash, job.link) = (None, None);
    let name = format!("other-{number}.toml");
    parts::write_job_as(&name, &job, &parts.directory)?;
    Ok(Some(name))
}
