//! What was told of which commit, each commit once.

use std::collections::HashMap;

use super::Error;
use super::Mark;
use super::Marked;

/// Marks in the order in which their commits were first marked. To git a verdict counts more than a skip, before it or behind it.
#[derive(Debug, Default)]
pub struct Marks {
    /// By what tells the commits apart.
    marks: Vec<(String, Marked)>,
    places: HashMap<String, usize>,
}

impl Marks {
    /// Takes in a mark of this commit.
    ///
    /// # Errors
    ///
    /// It contradicts an earlier one.
    pub fn add(&mut self, commit: String, marked: Marked) -> Result<(), Error> {
        let known = self.places.get(&commit).map(|place| &mut self.marks[*place].1);
        match known {
            None => {
                self.places.insert(commit.clone(), self.marks.len());
                self.marks.push((commit, marked));
            }
            Some(known) if known.mark == marked.mark || marked.mark == Mark::Skip => {}
            Some(known) if known.mark == Mark::Skip => *known = marked,
            Some(known) => {
                let (one, other) = (known.mark, marked.mark);
                return Err(Error::Contradiction { line: marked.line, before: known.line, name: marked.name, one, other });
            }
        }
        Ok(())
    }

    /// How many commits have this mark.
    pub(super) fn count(&self, mark: Mark) -> usize {
        self.marks.iter().filter(|(_, one)| one.mark == mark).count()
    }

    /// The commits with their marks.
    pub fn into_marked(self) -> impl Iterator<Item = (String, Marked)> {
        self.marks.into_iter()
    }
}
