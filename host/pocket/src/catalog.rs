//! All steps and files of one history, and what a file is once some of the steps were taken.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::sources;
use crate::step;
use crate::step::BadSeries;
use crate::step::Step;
use crate::template::BadTemplate;
use crate::template::State;
use crate::template::Template;

/// Which steps were taken, by index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken(Vec<u64>);

impl Taken {
    pub(crate) fn has(&self, step: usize) -> bool {
        self.0.get(step / 64).is_some_and(|word| word >> (step % 64) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, step: usize) {
        if self.0.len() <= step / 64 {
            self.0.resize(step / 64 + 1, 0);
        }
        self.0[step / 64] |= 1 << (step % 64);
    }

    /// As a merge does.
    pub(crate) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    /// Steps of `self` that `other` has not, in order.
    pub(crate) fn beyond(&self, other: &Self) -> Vec<usize> {
        (0..self.0.len() * 64).filter(|&step| self.has(step) && !other.has(step)).collect()
    }
}

/// A file of the tree.
#[derive(Debug)]
struct Source {
    path: String,
    template: Template,
    /// The driver whose steps and values it speaks of.
    driver: Option<String>,
}

#[derive(Debug, Default)]
struct Value {
    default: String,
    set: Vec<(usize, String)>,
}

/// Steps and files.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) steps: Vec<Step>,
    by_id: HashMap<String, usize>,
    /// The step that takes a step back.
    undone_by: HashMap<usize, usize>,
    values: HashMap<String, Value>,
    files: Vec<Source>,
    by_step: BTreeMap<usize, Vec<usize>>,
}

/// What is wrong with the embedded sources.
#[derive(Debug, thiserror::Error)]
pub enum BadSource {
    /// A file of the kernel.
    #[error("{0}: {1}")]
    File(String, BadFile),
    /// A series of history.
    #[error("series {0}: {1}")]
    Series(String, BadFile),
    /// A step that is needed, undone or mentioned, but nowhere described.
    #[error("there is no step `{0}`")]
    NoStep(String),
}

/// Why a file or series cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadFile(String);

impl From<BadTemplate> for BadFile {
    fn from(bad: BadTemplate) -> Self {
        Self(bad.to_string())
    }
}

impl From<BadSeries> for BadFile {
    fn from(bad: BadSeries) -> Self {
        Self(bad.to_string())
    }
}

/// A driver to add: what its source and series call it and its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) values: Vec<(String, String)>,
}

impl Catalog {
    /// The files that are there from the start, with the constants' values.
    pub(crate) fn new() -> Result<Self, BadSource> {
        let mut catalog = Self::default();
        let defaults =
            step::parse_values(sources::DEFAULTS).map_err(|bad| BadSource::Series("defaults".to_owned(), bad.into()))?;
        defaults.into_iter().for_each(|(key, value)| catalog.set_default(&key, &value));
        for (path, source) in sources::FILES {
            catalog.add_file(path, source, None)?;
        }
        Ok(catalog)
    }

    /// Adds a file.
    fn add_file(&mut self, path: &str, source: &str, driver: Option<&str>) -> Result<(), BadSource> {
        let template = Template::parse(source).map_err(|bad| BadSource::File(path.to_owned(), bad.into()))?;
        self.files.push(Source { path: path.to_owned(), template, driver: driver.map(str::to_owned) });
        Ok(())
    }

    /// Gives a constant the value that it has until a step sets it.
    pub(crate) fn set_default(&mut self, key: &str, value: &str) {
        self.values.entry(key.to_owned()).or_default().default = value.to_owned();
    }

    /// Adds a series; returns the new steps.
    pub(crate) fn add_series(&mut self, name: &str, text: &str) -> Result<Vec<usize>, BadSource> {
        let steps = step::parse(text).map_err(|bad| BadSource::Series(name.to_owned(), bad.into()))?;
        Ok(steps.into_iter().map(|step| self.add_step(step)).collect())
    }

    /// Adds one step; returns it.
    pub(crate) fn add_step(&mut self, mut step: Step) -> usize {
        let index = self.steps.len();
        for needed in &mut step.needs {
            if let Some(global) = needed.strip_prefix('/') {
                *needed = global.to_owned();
            }
        }
        for (key, value) in &step.sets {
            self.values.entry(key.clone()).or_default().set.push((index, value.clone()));
        }
        self.by_id.insert(step.id.clone(), index);
        self.steps.push(step);
        index
    }

    /// Adds a driver with its file; returns its steps, the first of which brings it.
    pub(crate) fn add_driver(&mut self, driver: &Driver, kind: &sources::DriverSource) -> Result<Vec<usize>, BadSource> {
        let bad = |bad: BadFile| BadSource::Series(driver.name.clone(), bad);
        let local = |id: &str| id.strip_prefix('/').map_or_else(|| format!("{}/{id}", driver.name), str::to_owned);
        for (key, value) in &driver.values {
            self.set_default(&local(key), value);
        }
        let mut added = Vec::new();
        for mut step in step::parse(kind.series).map_err(|b| bad(b.into()))? {
            step.id = local(&step.id);
            step.needs.iter_mut().for_each(|needed| *needed = local(needed));
            step.sets.iter_mut().for_each(|(key, _)| *key = local(key));
            let view = View { catalog: self, taken: &Taken::default(), driver: Some(&driver.name) };
            for text in [&mut step.subject, &mut step.body] {
                let filled = Template::parse(text).and_then(|template| template.render(&view)).map_err(|b| bad(b.into()))?;
                *text = filled.unwrap_or_default().trim().to_owned();
            }
            if let Some(&base) = added.first() {
                step.needs.push(self.step(base).id.clone());
            }
            added.push(self.add_step(step));
        }
        self.add_file(&driver.path, &format!("@when base\n{}", kind.source), Some(&driver.name))?;
        Ok(added)
    }

    pub(crate) fn step(&self, index: usize) -> &Step {
        &self.steps[index]
    }

    /// The step of a name.
    pub(crate) fn find(&self, id: &str) -> Result<usize, BadSource> {
        self.by_id.get(id).copied().ok_or_else(|| BadSource::NoStep(id.to_owned()))
    }

    /// Whether all that a step needs was taken.
    pub(crate) fn possible(&self, step: usize, taken: &Taken) -> bool {
        self.steps[step].needs.iter().all(|id| self.by_id.get(id).is_some_and(|&needed| taken.has(needed)))
    }

    /// Once all steps are known: which files each touches, and what takes back what.
    pub(crate) fn link(&mut self) -> Result<(), BadSource> {
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(undone) = &step.undoes {
                let undone = self.find(undone)?;
                self.undone_by.insert(undone, index);
            }
            for needed in &step.needs {
                self.find(needed)?;
            }
        }
        let mut touches: Vec<(usize, usize)> = Vec::new();
        for (file, source) in self.files.iter().enumerate() {
            let name = |id: &str| source.driver.as_ref().map_or_else(|| id.to_owned(), |driver| format!("{driver}/{id}"));
            for step in source.template.steps() {
                // Kinds of bugs that were not chosen have no step.
                touches.extend(self.by_id.get(&name(step)).map(|&step| (step, file)));
            }
            for key in source.template.keys() {
                let set = self.values.get(&name(key)).map_or(&[][..], |value| &value.set);
                touches.extend(set.iter().map(|&(step, _)| (step, file)));
            }
        }
        for (step, file) in touches {
            self.by_step.entry(step).or_default().push(file);
            // What takes a step back touches the same files.
            if let Some(&fix) = self.undone_by.get(&step) {
                self.by_step.entry(fix).or_default().push(file);
            }
        }
        Ok(())
    }

    /// All files: path and, where it is there, text.
    pub(crate) fn all_files(&self, taken: &Taken) -> Result<Vec<(&str, Option<String>)>, BadSource> {
        (0..self.files.len()).map(|file| self.file(file, taken)).collect()
    }

    /// The files that `steps` touch, as they are once `taken` was.
    pub(crate) fn touched(&self, steps: &[usize], taken: &Taken) -> Result<Vec<(&str, Option<String>)>, BadSource> {
        let mut files: Vec<usize> = steps.iter().filter_map(|step| self.by_step.get(step)).flatten().copied().collect();
        files.sort_unstable();
        files.dedup();
        files.into_iter().map(|file| self.file(file, taken)).collect()
    }

    fn file(&self, file: usize, taken: &Taken) -> Result<(&str, Option<String>), BadSource> {
        let source = &self.files[file];
        let view = View { catalog: self, taken, driver: source.driver.as_deref() };
        let text = source.template.render(&view).map_err(|bad| BadSource::File(source.path.clone(), bad.into()))?;
        Ok((&source.path, text))
    }
}

/// The steps taken, as a file sees them.
struct View<'a> {
    catalog: &'a Catalog,
    taken: &'a Taken,
    driver: Option<&'a str>,
}

impl View<'_> {
    fn name(&self, id: &str) -> String {
        self.driver.map_or_else(|| id.to_owned(), |driver| format!("{driver}/{id}"))
    }
}

impl State for View<'_> {
    fn taken(&self, step: &str) -> bool {
        let Some(&step) = self.catalog.by_id.get(&self.name(step)) else { return false };
        let undone = self.catalog.undone_by.get(&step).is_some_and(|&fix| self.taken.has(fix));
        self.taken.has(step) && !undone
    }

    fn value(&self, key: &str) -> Option<&str> {
        let value = self.catalog.values.get(&self.name(key))?;
        let set = value.set.iter().rev().find(|&&(step, _)| self.taken.has(step));
        Some(set.map_or(&value.default, |(_, value)| value))
    }
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
