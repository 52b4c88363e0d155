//! The shape of a history: which commit takes which step, on which branch, when and by whom. Knows nothing of git.

use crate::catalog::BadSource;
use crate::catalog::Catalog;
use crate::catalog::Taken;
use crate::draw::Draw;
use crate::people::People;
use crate::people::Person;
use crate::series::Pool;
use crate::step::Step;

/// What a commit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// The first one.
    Root,
    /// It takes this step.
    Change(usize),
    /// It gives the release `1.N` its number, by this step.
    Release(usize, usize),
    /// It merges the second parent, a branch of this topic with these steps.
    Merge {
        /// Index of the topic in the pool.
        topic: usize,
        /// The branch's steps, oldest first.
        steps: Vec<usize>,
    },
}

/// A commit to write.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// Indices of earlier commits, the mainline first.
    pub(crate) parents: Vec<usize>,
    pub(crate) role: Role,
    /// All steps taken up to here.
    pub(crate) taken: Taken,
    pub(crate) author: Person,
    pub(crate) committer: Person,
    /// Seconds since 1970.
    pub(crate) authored: i64,
    pub(crate) committed: i64,
}

/// What has a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The release `1.N`.
    Release(usize),
    /// A step on the mainline.
    Plant(usize),
    /// A step on a branch of this topic, among others.
    PlantOnBranch(usize, &'static str),
    /// A step after which commits fail, until a later `Mend`.
    Break(usize),
    /// The step that ends such a stretch.
    Mend(usize),
}

/// Releases, `1.0` and on.
pub(crate) const RELEASES: usize = 7;

/// A history without objects.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) commits: Vec<Planned>,
}

/// Makes a plan of `count` commits with `events`, each at the number of commits that it comes after, in order.
pub(crate) fn plan(
    catalog: &mut Catalog,
    pool: &mut Pool,
    people: &People,
    events: &[(usize, Event)],
    count: usize,
    draw: &mut Draw,
) -> Result<Plan, BadSource> {
    let mut planner = Planner { catalog, pool, people, draw, commits: Vec::new(), mainline: Vec::new(), whole: None, start: 0 };
    planner.root();
    let mut events = events.iter().copied().peekable();
    while planner.commits.len() < count {
        if let Some((_, event)) = events.next_if(|&(at, _)| at <= planner.commits.len()) {
            planner.event(event)?;
            continue;
        }
        let next = events.peek().map_or(count, |&(at, _)| at.max(planner.commits.len() + 1));
        let room = next.min(count) - planner.commits.len();
        if room < 3 || planner.draw.chance(0.4) || !planner.branch(room, None)? {
            planner.direct()?;
        }
    }
    Ok(Plan { commits: planner.commits })
}

struct Planner<'a> {
    catalog: &'a mut Catalog,
    pool: &'a mut Pool,
    people: &'a People,
    draw: &'a mut Draw,
    commits: Vec<Planned>,
    /// First parents from the root to the tip.
    mainline: Vec<usize>,
    /// Place in `mainline` of the last commit before the stretch that the tip is in, when it is in one that fails.
    whole: Option<usize>,
    /// Place in `mainline` before which no new branch begins: the last stretch's end.
    start: usize,
}

impl Planner<'_> {
    fn tip(&self) -> usize {
        *self.mainline.last().expect("there is a root")
    }

    fn root(&mut self) {
        // Monday, 11 February 2019, 16:00 UTC.
        let time = 1_549_900_800;
        let head = self.people.head().clone();
        self.commits.push(Planned {
            parents: Vec::new(),
            role: Role::Root,
            taken: Taken::default(),
            author: head.clone(),
            committer: head,
            authored: time,
            committed: time,
        });
        self.mainline.push(0);
    }

    fn event(&mut self, event: Event) -> Result<(), BadSource> {
        match event {
            Event::Release(number) => {
                let step = self.release_step(number);
                let head = self.people.head().clone();
                self.on_mainline(Role::Release(number, step), step, head);
            }
            Event::Plant(step) | Event::Break(step) | Event::Mend(step) => {
                match event {
                    Event::Break(_) => self.whole = Some(self.mainline.len() - 1),
                    Event::Mend(_) => self.whole = None,
                    _ => {}
                }
                let author = self.draw.pick(&self.people.contributors).clone();
                self.on_mainline(Role::Change(step), step, author);
                if matches!(event, Event::Mend(_)) {
                    self.start = self.mainline.len() - 1;
                }
            }
            Event::PlantOnBranch(step, topic) => {
                let room = self.draw.between(4, 7);
                if !self.branch(room, Some((step, topic)))? {
                    return self.event(Event::Plant(step));
                }
            }
        }
        Ok(())
    }

    fn release_step(&mut self, number: usize) -> usize {
        const NAMES: [&str; RELEASES] =
            ["Thimble", "Pocket Watch", "Matchbox", "Walnut", "Ladybird", "Hummingbird", "Button Mushroom"];
        self.catalog.add_step(Step {
            id: format!("release-{number}"),
            needs: Vec::new(),
            sets: [("PATCHLEVEL", number.to_string()), ("EXTRAVERSION", String::new()), ("NAME", NAMES[number].to_owned())]
                .map(|(key, value)| (key.to_owned(), value))
                .to_vec(),
            undoes: None,
            subject: format!("Pocket 1.{number}"),
            body: String::new(),
        })
    }

    /// A commit on the mainline.
    fn on_mainline(&mut self, role: Role, step: usize, author: Person) {
        let parent = self.tip();
        let hours = self.draw.between(8, 110);
        let time = self.commits[parent].committed + self.later(hours);
        let index = self.commit(parent, role, step, author, self.people.head().clone(), time);
        self.mainline.push(index);
    }

    fn later(&mut self, hours: usize) -> i64 {
        let seconds = hours * 3600 + self.draw.below(3600);
        i64::try_from(seconds).expect("hours fit")
    }

    fn commit(&mut self, parent: usize, role: Role, step: usize, author: Person, committer: Person, time: i64) -> usize {
        let mut taken = self.commits[parent].taken.clone();
        taken.insert(step);
        let authored = if author == committer {
            time
        } else {
            let hours = self.draw.between(1, 90);
            time - self.later(hours)
        };
        self.commits.push(Planned { parents: vec![parent], role, taken, author, committer, authored, committed: time });
        self.commits.len() - 1
    }

    /// One step of some topic, right on the mainline.
    fn direct(&mut self) -> Result<(), BadSource> {
        let tip = self.tip();
        let topic = self.pool.draw_topic(self.draw);
        let taken = self.commits[tip].taken.clone();
        let step = self.pool.take_any(self.catalog, topic, &taken, self.draw)?;
        let author = self.author(topic);
        self.on_mainline(Role::Change(step), step, author);
        Ok(())
    }

    /// A maintainer for one patch of three, otherwise anybody.
    fn author(&mut self, topic: usize) -> Person {
        let maintainer = self.maintainer(topic);
        if self.draw.chance(0.33) { maintainer } else { self.draw.pick(&self.people.contributors).clone() }
    }

    fn maintainer(&self, topic: usize) -> Person {
        self.people.entry(self.pool.folder(topic)).maintainers[0].clone()
    }

    /// A branch of at most `room` commits, its merge included, with `planted` among its steps; false where no topic has steps.
    fn branch(&mut self, room: usize, planted: Option<(usize, &'static str)>) -> Result<bool, BadSource> {
        let topic = match planted {
            Some((_, name)) => self.pool.topic(name),
            None => self.pool.draw_topic(self.draw),
        };
        let oldest = self.start.max(self.mainline.len().saturating_sub(16));
        let newest = self.whole.unwrap_or(self.mainline.len() - 1);
        let base = self.mainline[self.draw.between(oldest.min(newest), newest)];
        let wanted = self.draw.between(2, (room - 1).clamp(2, 7));
        let place = self.draw.below(wanted);
        let mut taken = self.commits[base].taken.clone();
        let mut steps = Vec::new();
        for n in 0..wanted {
            let step = match planted {
                Some((step, _)) if n == place => step,
                _ => match self.pool.take(self.catalog, topic, &taken, self.draw)? {
                    Some(step) => step,
                    None => continue,
                },
            };
            taken.insert(step);
            steps.push(step);
        }
        if steps.is_empty() || (steps.len() == 1 && planted.is_none()) {
            steps.into_iter().for_each(|step| self.pool.give_back(topic, step));
            return Ok(false);
        }
        self.write_branch(base, topic, &steps);
        Ok(true)
    }

    fn write_branch(&mut self, base: usize, topic: usize, steps: &[usize]) {
        let maintainer = self.maintainer(topic);
        let tip = self.tip();
        let hours = self.draw.between(8, 110);
        let merged = self.commits[tip].committed + self.later(hours);
        let parts = i64::try_from(steps.len()).expect("branches are short") + 2;
        let span = merged - self.commits[base].committed;
        let mut parent = base;
        for &step in steps {
            let author = self.author(topic);
            let time = self.commits[parent].committed + span / parts;
            parent = self.commit(parent, Role::Change(step), step, author, maintainer.clone(), time);
        }
        let mut taken = self.commits[tip].taken.clone();
        taken.union(&self.commits[parent].taken);
        let head = self.people.head().clone();
        self.commits.push(Planned {
            parents: vec![tip, parent],
            role: Role::Merge { topic, steps: steps.to_vec() },
            taken,
            author: head.clone(),
            committer: head,
            authored: merged,
            committed: merged,
        });
        self.mainline.push(self.commits.len() - 1);
    }
}
