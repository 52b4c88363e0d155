//! The steps that are still to be taken, by subsystem; drivers are made as they are needed.

use crate::catalog::BadSource;
use crate::catalog::Catalog;
use crate::catalog::Taken;
use crate::draw::Draw;
use crate::driver;
use crate::driver::CLASSES;
use crate::sources;

/// A subsystem.
#[derive(Debug)]
struct Topic {
    name: &'static str,
    folder: &'static str,
    /// Steps not yet taken, in the order that they were written down.
    steps: Vec<usize>,
    /// Index of its class where it is one of drivers.
    class: Option<usize>,
}

/// Steps to take.
#[derive(Debug)]
pub(crate) struct Pool {
    topics: Vec<Topic>,
    drivers: Vec<String>,
    /// How many more commits will want a step.
    wanted: usize,
}

impl Pool {
    /// All series, for a history that wants about `wanted` steps.
    pub(crate) fn new(catalog: &mut Catalog, wanted: usize) -> Result<Self, BadSource> {
        let mut topics = Vec::new();
        for (name, folder, series) in sources::SERIES {
            topics.push(Topic { name, folder, steps: catalog.add_series(name, series)?, class: None });
        }
        for (class, kind) in CLASSES.iter().enumerate() {
            topics.push(Topic { name: kind.name, folder: kind.folder, steps: Vec::new(), class: Some(class) });
        }
        Ok(Self { topics, drivers: Vec::new(), wanted })
    }

    pub(crate) fn name(&self, topic: usize) -> &'static str {
        self.topics[topic].name
    }

    pub(crate) fn folder(&self, topic: usize) -> &'static str {
        self.topics[topic].folder
    }

    /// The topic of a name.
    pub(crate) fn topic(&self, name: &str) -> usize {
        self.topics.iter().position(|topic| topic.name == name).expect("bugs name series that there are")
    }

    /// A topic, the written series as often as lets them last to the end.
    pub(crate) fn draw_topic(&self, draw: &mut Draw) -> usize {
        let written: usize = self.topics.iter().filter(|topic| topic.class.is_none()).map(|topic| topic.steps.len()).sum();
        if draw.chance((written as f64 / self.wanted.max(1) as f64).min(0.75)) {
            let mut at = draw.below(written);
            for (index, topic) in self.topics.iter().enumerate().filter(|(_, topic)| topic.class.is_none()) {
                if at < topic.steps.len() {
                    return index;
                }
                at -= topic.steps.len();
            }
        }
        self.topics.len() - 1 - draw.below(CLASSES.len())
    }

    /// One of the next steps of `topic` that is possible after `taken`; none where there is none.
    pub(crate) fn take(
        &mut self,
        catalog: &mut Catalog,
        topic: usize,
        taken: &Taken,
        draw: &mut Draw,
    ) -> Result<Option<usize>, BadSource> {
        const AHEAD: usize = 5;
        let Topic { steps, class, .. } = &mut self.topics[topic];
        let possible = |steps: &[usize], catalog: &Catalog| -> Vec<usize> {
            (0..steps.len()).filter(|&at| catalog.possible(steps[at], taken)).take(AHEAD).collect()
        };
        let mut places = possible(steps, catalog);
        if let (true, Some(class)) = (places.is_empty(), *class) {
            let new = driver::draw(&CLASSES[class], &self.drivers, draw);
            steps.extend(catalog.add_driver(&new, &CLASSES[class].kind)?);
            self.drivers.push(new.name);
            places = possible(steps, catalog);
        }
        if places.is_empty() {
            return Ok(None);
        }
        self.wanted = self.wanted.saturating_sub(1);
        Ok(Some(steps.remove(*draw.pick(&places))))
    }

    /// A step of `topic`, or of some class of drivers where that has none: those never end.
    pub(crate) fn take_any(
        &mut self,
        catalog: &mut Catalog,
        topic: usize,
        taken: &Taken,
        draw: &mut Draw,
    ) -> Result<usize, BadSource> {
        if let Some(step) = self.take(catalog, topic, taken, draw)? {
            return Ok(step);
        }
        let class = self.topics.len() - 1 - draw.below(CLASSES.len());
        Ok(self.take(catalog, class, taken, draw)?.expect("a new driver needs nothing"))
    }

    /// Puts a step back that was not used.
    pub(crate) fn give_back(&mut self, topic: usize, step: usize) {
        self.topics[topic].steps.insert(0, step);
        self.wanted += 1;
    }
}
