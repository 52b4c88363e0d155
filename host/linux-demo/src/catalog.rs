//! All steps that a tree has places for.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::Error;
use crate::series;
use crate::series::BadSeries;
use crate::series::Change;
use crate::series::Hunk;
use crate::series::Step;
use crate::sources;

/// A header that nearly all files include, and a line of it that is there once.
const WIDE: (&str, &str) = ("include/linux/list.h", "static inline void INIT_LIST_HEAD(struct list_head *list)\n");

/// Steps, by index.
#[derive(Debug)]
pub(crate) struct Catalog {
    steps: Vec<Step>,
    /// Where the series of what is planted begins; that of wide headers comes before it.
    planted: usize,
    wide: usize,
}

impl Catalog {
    /// Everything that is written down. With `wide`, steps that may come in any order also change a header that nearly all files
    /// include: each declares something there, which a cache of preprocessed sources sees as well.
    pub(crate) fn new(wide: bool) -> Result<Self, BadSeries> {
        let mut steps = Vec::new();
        for (topic, text) in sources::SERIES {
            steps.extend(series::parse(topic, text)?);
        }
        if wide {
            let (path, line) = WIDE;
            for (number, step) in steps.iter_mut().enumerate() {
                let hunk = Hunk { old: line.to_owned(), new: format!("struct list_user_{number};\n{line}") };
                step.changes.push(Change { path: path.to_owned(), hunks: vec![hunk] });
            }
        }
        let wide = steps.len();
        steps.extend(series::parse("headers", sources::WIDE)?);
        let planted = steps.len();
        steps.extend(series::parse("fs", sources::PLANTED)?);
        Ok(Self { steps, planted, wide })
    }

    pub(crate) fn step(&self, step: usize) -> &Step {
        &self.steps[step]
    }

    /// What is planted, by name.
    pub(crate) fn planted(&self, id: &str) -> usize {
        let at = self.steps[self.planted..].iter().position(|step| step.id == id);
        self.planted + at.expect("the series of what is planted has it")
    }

    /// Changes of headers that most files include.
    pub(crate) fn wide(&self) -> impl Iterator<Item = usize> {
        self.wide..self.planted
    }

    /// Steps that may come in any order.
    pub(crate) fn ordinary(&self) -> impl Iterator<Item = usize> {
        0..self.wide
    }

    /// Every step.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> {
        0..self.steps.len()
    }

    /// The files that any of `steps` changes, and which do.
    pub(crate) fn touched(&self, steps: &BTreeSet<usize>) -> BTreeMap<&str, BTreeSet<usize>> {
        let mut touched: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for &step in steps {
            for change in &self.steps[step].changes {
                touched.entry(&change.path).or_default().insert(step);
            }
        }
        touched
    }

    /// What `steps` make of a file.
    pub(crate) fn apply(&self, path: &str, steps: &BTreeSet<usize>, text: String) -> Result<String, Error> {
        let mut text = text;
        for &step in steps {
            for change in self.steps[step].changes.iter().filter(|change| change.path == path) {
                text = change.apply(&text).ok_or_else(|| Error::Place { path: path.to_owned(), step: self.name(step) })?;
            }
        }
        Ok(text)
    }

    /// What a step is called in messages.
    pub(crate) fn name(&self, step: usize) -> String {
        self.steps[step].subject.clone()
    }

    /// The step that must come before this one: what it mends.
    pub(crate) fn needs(&self, step: usize) -> Option<usize> {
        (self.steps[step].id == "mend" && step >= self.planted).then(|| self.planted("break"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_steps_change_the_same_lines() {
        let catalog = Catalog::new(false).expect("it reads");
        let mut lines = BTreeMap::new();
        for step in catalog.all() {
            for change in &catalog.step(step).changes {
                for hunk in change.hunks.iter().filter(|_| catalog.needs(step).is_none()) {
                    let other = lines.insert((change.path.clone(), hunk.old.clone()), step);
                    assert_eq!(other, None, "{}: {}", catalog.name(step), hunk.old);
                }
            }
        }
    }

    #[test]
    fn subjects_are_short_and_tell_commits_apart() {
        let catalog = Catalog::new(false).expect("it reads");
        let subjects: BTreeSet<&str> = catalog.all().map(|step| catalog.step(step).subject.as_str()).collect();
        assert_eq!(subjects.len(), catalog.all().count());
        assert!(subjects.iter().all(|subject| subject.len() <= 75 && subject.contains(": ")));
        assert!(catalog.ordinary().count() >= 70, "{}", catalog.ordinary().count());
    }
}
