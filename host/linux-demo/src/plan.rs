//! The shape of a history: which commit takes which step, on which branch, when and by whom. Knows nothing of git.

use std::collections::BTreeSet;

use pocket::Draw;

/// What a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The first one, a release.
    Root,
    /// It takes this step.
    Step(usize),
    /// The release in the middle.
    Release,
    /// It merges the second parent.
    Merge,
}

/// A commit to write.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// Indices of earlier commits, the mainline first.
    pub(crate) parents: Vec<usize>,
    pub(crate) role: Role,
    /// All steps taken up to here.
    pub(crate) taken: BTreeSet<usize>,
    /// Whether the release in the middle is among its ancestors, or is it.
    pub(crate) released: bool,
    /// Index of its author; 0 takes the patches.
    pub(crate) author: usize,
    /// Seconds since 1970.
    pub(crate) time: i64,
}

/// Steps that have a place of their own, as indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) culprit: usize,
    pub(crate) stray: usize,
    pub(crate) broken: usize,
    pub(crate) mend: usize,
    pub(crate) wide: [usize; 2],
}

/// What is to happen once so many commits are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Step(usize),
    Break(usize),
    Mend(usize),
    Release,
    /// The culprit, on a branch of its own.
    Branch(usize),
}

/// A plan of `count` commits; `pool` are the steps that may come in any order, in the order to take them in.
///
/// Where things lie follows from `draw`, but that the stray is among the first commits, the release near the middle, and the stretch
/// that does not build at least two commits from the culprit.
pub(crate) fn plan(count: usize, places: &Places, pool: &[usize], people: usize, draw: &mut Draw) -> Vec<Planned> {
    let share = |share: f64| ((count as f64 * share) as usize).max(2);
    let release = share(0.45);
    let stretch = 3.min(count / 8);
    let (culprit, broken) = loop {
        let culprit = draw.between(share(0.1), share(0.9));
        let broken = draw.between(share(0.1), share(0.85));
        let apart = |one: usize, other: usize| one.abs_diff(other) > 2;
        let in_stretch = (broken.saturating_sub(3)..=broken + stretch + 3).contains(&culprit);
        let on_release = (broken..=broken + stretch + 1).contains(&release);
        if !in_stretch && !on_release && apart(culprit, release) {
            break (culprit, broken);
        }
    };
    let on_branch = draw.chance(0.5);
    let mut events = vec![
        (1, Event::Step(places.stray)),
        (release, Event::Release),
        (broken, Event::Break(places.broken)),
        (broken + stretch, Event::Mend(places.mend)),
        (culprit, if on_branch { Event::Branch(places.culprit) } else { Event::Step(places.culprit) }),
        (share(0.3), Event::Step(places.wide[0])),
        (share(0.7), Event::Step(places.wide[1])),
    ];
    events.sort_by_key(|&(at, _)| at);
    let root = Planned {
        parents: Vec::new(),
        role: Role::Root,
        taken: BTreeSet::new(),
        released: false,
        author: 0,
        // Sunday, 11 December 2022, 22:15 UTC: Linux 6.1.
        time: 1_670_796_900,
    };
    let mut planner =
        Planner { draw, people, pool: pool.iter().copied(), commits: vec![root], mainline: vec![0], start: Some(0) };
    let mut events = events.into_iter().peekable();
    while planner.commits.len() < count {
        if let Some((_, event)) = events.next_if(|&(at, _)| at <= planner.commits.len()) {
            planner.event(event);
            continue;
        }
        let room = events.peek().map_or(count, |&(at, _)| at.min(count)).saturating_sub(planner.commits.len());
        if room >= 4 && planner.draw.chance(0.35) {
            let steps = planner.draw.between(2, 4.min(room - 1));
            planner.branch(steps, None);
        } else {
            planner.next();
        }
    }
    planner.commits
}

struct Planner<'a, P> {
    draw: &'a mut Draw,
    people: usize,
    pool: P,
    commits: Vec<Planned>,
    /// First parents from the root to the tip.
    mainline: Vec<usize>,
    /// Place in `mainline` before which no branch begins; none where the tip does not build.
    start: Option<usize>,
}

impl<P: Iterator<Item = usize>> Planner<'_, P> {
    fn tip(&self) -> usize {
        *self.mainline.last().expect("there is a root")
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Step(step) => self.on_mainline(Role::Step(step)),
            Event::Release => self.on_mainline(Role::Release),
            Event::Break(step) => {
                self.start = None;
                self.on_mainline(Role::Step(step));
            }
            Event::Mend(step) => {
                self.on_mainline(Role::Step(step));
                self.start = Some(self.mainline.len() - 1);
            }
            Event::Branch(step) => {
                let steps = self.draw.between(2, 4);
                self.branch(steps, Some(step));
            }
        }
    }

    /// The next step of the pool, right on the mainline.
    fn next(&mut self) {
        let step = self.pool.next().expect("there are more steps than commits");
        self.on_mainline(Role::Step(step));
    }

    fn on_mainline(&mut self, role: Role) {
        let tip = self.tip();
        let index = self.commit(vec![tip], role);
        self.mainline.push(index);
    }

    /// A commit on `parents`, some hours after the newest of all.
    fn commit(&mut self, parents: Vec<usize>, role: Role) -> usize {
        let mut taken = BTreeSet::new();
        for &parent in &parents {
            taken.extend(&self.commits[parent].taken);
        }
        if let Role::Step(step) = role {
            taken.insert(step);
        }
        let released = role == Role::Release || parents.iter().any(|&parent| self.commits[parent].released);
        let author = if matches!(role, Role::Step(_)) { self.draw.between(1, self.people - 1) } else { 0 };
        let hours = i64::try_from(self.draw.between(2, 40)).expect("hours fit");
        let time = self.commits.last().expect("there is a root").time + hours * 3600 + 60 * hours;
        self.commits.push(Planned { parents, role, taken, released, author, time });
        self.commits.len() - 1
    }

    /// A branch of `count` steps, `planted` among them, and its merge; on the mainline where no branch may begin.
    fn branch(&mut self, count: usize, planted: Option<usize>) {
        let place = self.draw.below(count);
        // Not from the tip: the mainline goes on while a branch is written.
        let base = self.start.and_then(|start| {
            let newest = self.mainline.len().checked_sub(2).filter(|&newest| newest >= start)?;
            Some(self.mainline[self.draw.between(start.max(newest.saturating_sub(8)), newest)])
        });
        let Some(base) = base else {
            match planted {
                Some(step) => self.on_mainline(Role::Step(step)),
                None => self.next(),
            }
            return;
        };
        let mut parent = base;
        for n in 0..count {
            let step = match planted {
                Some(step) if n == place => step,
                _ => self.pool.next().expect("there are more steps than commits"),
            };
            parent = self.commit(vec![parent], Role::Step(step));
        }
        let tip = self.tip();
        let merge = self.commit(vec![tip, parent], Role::Merge);
        self.mainline.push(merge);
    }
}

#[cfg(test)]
mod tests;
