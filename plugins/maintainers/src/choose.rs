//! The policy: whom to tell of a culprit, as what, and why.

use std::collections::BTreeMap;

use kbisect_sdk::GitError;
use kbisect_sdk::Host;
use kbisect_sdk::Level;
use kbisect_sdk::maintainers;
use kbisect_sdk::maintainers::Section;
use kbisect_sdk::maintainers::Status;
use kbisect_sdk::maintainers::person;
use kbisect_sdk::maintainers::person::Person;
use kbisect_sdk::recipients::Edit;
use kbisect_sdk::recipients::Field;
use kbisect_sdk::recipients::Recipient;
use kbisect_sdk::recipients::Suspect;

use crate::trailers;

/// A commit less likely than this is not told about: the people named would be the wrong ones more often than not.
const LIKELY: f64 = 0.5;
/// With fewer people than these, those active in the files are looked for too.
const FEW: usize = 3;
/// How far back activity counts, in days.
const ACTIVE: u32 = 365;
/// A share of the most active one's commits, one of this many, that makes somebody active.
const SHARE: u32 = 5;
/// Active people added at most.
const MOST_ACTIVE: usize = 4;
/// A commit that touches more files than these is a sweep: its files say nothing of whom it concerns.
const SWEEP: usize = 40;

/// The list everybody reads, so nobody does: To only when there is no other.
const EVERYBODY: &str = "linux-kernel@vger.kernel.org";

/// Edits the list of people for the most likely suspect.
///
/// # Errors
/// When the suspect's commit cannot be read.
pub fn choose(host: &impl Host, suspects: &[Suspect], so_far: &[Recipient]) -> Result<Vec<Edit>, String> {
    let best = suspects.iter().max_by(|one, other| one.probability.total_cmp(&other.probability));
    let Some(culprit) = best.filter(|suspect| suspect.probability >= LIKELY) else { return Ok(Vec::new()) };
    let unread = |error: GitError| format!("commit {} cannot be read: {error:?}", culprit.commit);
    let message = host.message(&culprit.commit).map_err(unread)?;
    let author = host.author(&culprit.commit).map_err(unread)?;
    let merge = host.parents(&culprit.commit).map_err(unread)?.len() > 1;

    let named = if host.property("kind").as_deref() == Some("fix") { "fix" } else { "culprit" };
    let mut people = People::default();
    people.offer(person::person(&author.email, Some(author.name)), Field::To, &format!("author of the {named}"));
    for (person, role) in trailers::people(&message) {
        people.offer(Some(person), Field::To, &format!("{role} of the {named}"));
    }
    let tagged = people.by_address.len();

    let newest = host.property("newest-commit").unwrap_or_else(|| culprit.commit.clone());
    let sections = read_sections(host, &newest);
    let mut files = blamed_files(host);
    if tagged < FEW && !merge {
        let changed = host.changed_files(&culprit.commit).map_err(unread)?;
        if changed.len() <= SWEEP {
            files.extend(changed);
        }
        for section in maintainers::of_text(&sections, &message) {
            add_section(&mut people, section, Field::Cc, &format!("the {named}'s message"));
        }
    }
    files.sort();
    files.dedup();
    for file in &files {
        for section in maintainers::of_file(&sections, file) {
            add_section(&mut people, section, Field::To, file);
        }
    }
    people.settle_everybody();
    if people.persons() < FEW {
        add_active(host, &mut people, &newest, &files);
    }
    Ok(people.edits(so_far))
}

/// Files that the target's own crashes blame. Crashes that were judged unrelated are no faces, so their people stay out.
fn blamed_files(host: &impl Host) -> Vec<String> {
    host.faces().into_iter().filter(|face| face.report.corrupted.is_none()).filter_map(|face| face.report.guilty_file).collect()
}

fn read_sections(host: &impl Host, commit: &str) -> Vec<Section> {
    match host.read_file(commit, "MAINTAINERS") {
        Ok(text) => maintainers::parse(&text),
        Err(error) => {
            host.log(Level::Info, &format!("no MAINTAINERS file at {commit}: {error:?}"));
            Vec::new()
        }
    }
}

/// Adds a section's people. Of the section that has every file only the list is taken.
fn add_section(people: &mut People, section: &Section, field: Field, why: &str) {
    let title = &section.title;
    if !section.is_the_rest() {
        let (role, kept) = match section.status {
            Status::Supported => ("supporter", field),
            Status::Maintained => ("maintainer", field),
            Status::Neglected => ("odd fixer", Field::Cc),
        };
        for person in &section.maintainers {
            people.offer(Some(person.clone()), kept, &format!("{role} of {title} ({why})"));
        }
        for person in &section.reviewers {
            people.offer(Some(person.clone()), Field::Cc, &format!("reviewer of {title} ({why})"));
        }
    }
    for list in &section.lists {
        people.offer_list(list.clone(), field, &format!("list of {title} ({why})"));
    }
}

/// Adds those who signed much of what touched the files lately.
fn add_active(host: &impl Host, people: &mut People, newest: &str, files: &[String]) {
    if files.is_empty() {
        return;
    }
    match host.signers(newest, files, ACTIVE) {
        Ok(signers) => {
            let most = signers.iter().map(|signer| signer.commits).max().unwrap_or_default();
            let active = signers.into_iter().filter(|signer| signer.commits > 0 && signer.commits.saturating_mul(SHARE) >= most);
            for signer in active.take(MOST_ACTIVE) {
                let why = format!("signed {} commits to these files within a year", signer.commits);
                people.offer(person::person(&signer.who.email, Some(signer.who.name)), Field::Cc, &why);
            }
        }
        Err(error) => host.log(Level::Warn, &format!("who was active is unknown: {error:?}")),
    }
}

/// The people found: each address once.
#[derive(Debug, Default)]
struct People {
    by_address: BTreeMap<String, Found>,
}

#[derive(Debug)]
struct Found {
    /// Place in the order they were found.
    order: usize,
    person: Person,
    field: Field,
    reason: String,
    list: bool,
}

impl People {
    fn offer(&mut self, person: Option<Person>, field: Field, reason: &str) {
        self.add(person, field, reason, false);
    }

    fn offer_list(&mut self, list: Person, field: Field, reason: &str) {
        self.add(Some(list), field, reason, true);
    }

    /// Adds somebody, or makes a Cc a To; the first reason stays unless the field changes.
    fn add(&mut self, person: Option<Person>, field: Field, reason: &str, list: bool) {
        let Some(person) = person.filter(|person| !person::unwanted(&person.email)) else { return };
        let order = self.by_address.len();
        let key = person::key(&person.email);
        let found = self.by_address.entry(key).or_insert_with(|| Found { order, person, field, reason: reason.to_owned(), list });
        if found.field == Field::Cc && field == Field::To {
            found.field = field;
            reason.clone_into(&mut found.reason);
        }
    }

    fn persons(&self) -> usize {
        self.by_address.values().filter(|found| !found.list).count()
    }

    /// The list that everybody reads is Cc if there is another list.
    fn settle_everybody(&mut self) {
        let others = self.by_address.iter().any(|(key, found)| found.list && key != EVERYBODY);
        if let Some(found) = self.by_address.get_mut(EVERYBODY) {
            found.field = if others { Field::Cc } else { Field::To };
        }
    }

    /// What to change in the list so far: To first, then Cc, each in the order they were found.
    fn edits(self, so_far: &[Recipient]) -> Vec<Edit> {
        let mut found: Vec<(String, Found)> = self.by_address.into_iter().collect();
        found.sort_by_key(|(_, found)| (found.field == Field::Cc, found.order));
        let mut edits = Vec::new();
        for (key, found) in found {
            // Added again, To wins over Cc.
            let before = so_far.iter().find(|known| person::key(&known.email) == key);
            if before.is_some_and(|before| before.field == Field::To || found.field == Field::Cc) {
                continue;
            }
            let Person { name, email } = found.person;
            edits.push(Edit::Add(Recipient {
                name,
                email: email.to_ascii_lowercase(),
                field: found.field,
                reason: found.reason,
            }));
        }
        edits
    }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
