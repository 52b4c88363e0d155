//! What still stands of a run's events, for texts that tell a run as one story.

use std::collections::HashSet;

use super::event::Entry;
use super::event::Event;

/// The events without trials that were taken back and without answers that were overturned.
pub fn standing(entries: &[Entry]) -> Vec<Entry> {
    let retracted: HashSet<u64> = entries.iter().flat_map(|entry| entry.event.taken_back()).map(|trial| trial.0).collect();
    let reopened = entries.iter().rposition(|entry| entry.event.reopens()).unwrap_or(0);
    let stands = |place: usize, event: &Event| match event {
        Event::TrialEnded { trial, .. } | Event::Related { trial, .. } => !retracted.contains(&trial.0),
        Event::Concluded { .. } | Event::Addressed { .. } => place >= reopened,
        _ => true,
    };
    entries.iter().enumerate().filter(|(place, entry)| stands(*place, &entry.event)).map(|(_, entry)| entry.clone()).collect()
}
