//! A simulated world: where the bug is, and what trials show. Owns the truth; knows nothing of how it is searched.

use std::collections::HashMap;

use super::dice::Dice;
use super::fault::Fault;
use super::fault::Place;
use super::history::History;
use crate::crash::CrashReport;
use crate::credence::table::vanished;
use crate::graph::Node;
use crate::graph::NodeSet;
use crate::policy::Failure;
use crate::policy::Outcome;
use crate::policy::Sighting;
use crate::policy::Stage;
use crate::policy::TARGET_LOOK;

/// The classifier's chance of "same bug" for the target, and for another crash.
const SURE: (f64, f64) = (0.97, 0.03);
/// Looks with a number of their own; strays have larger ones.
const SECOND_BUG: u32 = 1;
const DRIFTED: u32 = 2;
const FIRST_STRAY: u32 = 10;
/// What the classifier makes of a second bug, and of a title that drifted: s, and in which share of the bugs
/// (`bisection-science.md` §5.4).
const OF_SECOND_BUGS: [(f64, f64); 3] = [(0.02, 0.85), (0.2, 0.12), (0.6, 0.03)];
const OF_DRIFTED_TITLES: [(f64, f64); 3] = [(0.98, 0.8), (0.6, 0.15), (0.2, 0.05)];

/// Chances that hold everywhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chances {
    /// That a trial at a bad commit shows the target (r).
    pub repro: f64,
    /// That a trial ends in a crash that is not the target (u).
    pub stray: f64,
    /// That a trial at a good commit ends in a crash that looks like the target (f).
    pub false_alarm: f64,
    /// That the classifier takes a crash of the target for another one, or another one for the target.
    pub misjudged: f64,
    /// That the infrastructure fails in a trial.
    pub infra: f64,
    /// That a built kernel cannot show the bug for reasons of its own (λ).
    pub mute: f64,
    /// Minutes from boot until a trial crashes, on average: they are exponentially distributed.
    pub crash_after: f64,
}

impl Default for Chances {
    fn default() -> Self {
        Self { repro: 0.95, stray: 0.005, false_alarm: 0.0, misjudged: 0.02, infra: 0.02, mute: 0.0, crash_after: 0.5 }
    }
}

/// Where the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It begins to show at this commit.
    Boundary {
        /// The commit.
        boundary: Node,
        /// The commit that introduced the bug: the same, or an older one, and then the boundary only exposes it.
        culprit: Node,
    },
    /// It was introduced twice.
    Twice(Node, Node),
    /// It is older than the range.
    Older,
}

impl Truth {
    /// Whether this commit is where the target begins to show.
    pub fn is(&self, node: Node) -> bool {
        match *self {
            Self::Boundary { boundary, .. } => boundary == node,
            Self::Twice(first, second) => first == node || second == node,
            Self::Older => false,
        }
    }

    /// Whether this commit introduced the bug.
    pub fn introduced(&self, node: Node) -> bool {
        match *self {
            Self::Boundary { culprit, .. } => culprit == node,
            Self::Twice(..) | Self::Older => self.is(node),
        }
    }
}

/// How many of 894 releases that were found clean on a walk of so many were so (`bisection-science.md` §8), as shares: the rows of
/// [`crate::credence::table::VANISHED`], each in its middle.
const WALKS: [(u32, f64); 5] = [(1, 516.0), (2, 83.0), (4, 75.0), (6, 108.0), (12, 112.0)];

/// Another bug.
#[derive(Debug, Clone)]
struct SecondBug {
    inside: NodeSet,
    rate: f64,
    same: f64,
}

/// What a trial shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// How it ends if it is let run; a clean one runs for as long as it may.
    pub outcome: Outcome,
    /// Minutes after boot at which it crashes or fails.
    pub after: f64,
}

/// One world: a history with a bug, and dice.
#[derive(Debug, Clone)]
pub struct World {
    /// Where the target is.
    pub truth: Truth,
    /// How guilty the commits of the range look, in their order; none: nobody has an opinion.
    pub suspicion: Option<Vec<f64>>,
    /// How many releases were walked to find the good end.
    pub releases: u32,
    chances: Chances,
    bad: NodeSet,
    second: Option<SecondBug>,
    /// Where the target's title is another, and what the classifier makes of it.
    drifted: Option<(NodeSet, f64)>,
    untestable: Option<(NodeSet, bool)>,
    /// The commits from which on there is another era.
    pub eras: Vec<Node>,
    /// Where r is another.
    era: Option<(NodeSet, f64)>,
    /// The chance that all machines fail at once.
    correlated: f64,
    strays: u32,
    /// Whether a kernel cannot show the bug for reasons of its own.
    mute: HashMap<(Node, u32), bool>,
    dice: Dice,
}

impl World {
    /// A world with these faults; everything about it that is left open is drawn.
    pub fn new(history: &History, chances: Chances, faults: &[Fault], mut dice: Dice) -> Self {
        let graph = &history.graph;
        let anywhere = |dice: &mut Dice| history.range[dice.below(history.range.len())];
        let mut boundary = anywhere(&mut dice);
        let (mut truth, mut exposed) = (None, None);
        let mut world = Self {
            truth: Truth::Older,
            suspicion: None,
            releases: 0,
            chances,
            bad: NodeSet::new(graph.len()),
            second: None,
            drifted: None,
            untestable: None,
            eras: Vec::new(),
            era: None,
            correlated: 0.0,
            strays: 0,
            mute: HashMap::new(),
            dice: Dice::new(0),
        };
        for &fault in faults {
            match fault {
                Fault::SecondBug { share, rate, same } => {
                    let share = share.unwrap_or_else(|| dice.between(0.05, 0.6));
                    let rate = rate.unwrap_or_else(|| dice.between(0.1, 1.0));
                    let same = same.unwrap_or_else(|| dice.pick(&OF_SECOND_BUGS).expect("there are some"));
                    world.second = Some(SecondBug { inside: stretch(history, share, &mut dice), rate, same });
                }
                Fault::TitleDrift { same } => {
                    let same = same.unwrap_or_else(|| dice.pick(&OF_DRIFTED_TITLES).expect("there are some"));
                    let since = anywhere(&mut dice);
                    world.drifted = Some((before(history, since), same));
                }
                Fault::Exposure { share } => {
                    if share.is_none() {
                        world.releases = dice.pick(&WALKS).expect("there are some");
                    }
                    if dice.chance(share.unwrap_or_else(|| vanished(world.releases))) {
                        let newer = graph.descendants(&[boundary]);
                        let newer: Vec<Node> =
                            history.range.iter().copied().filter(|&node| node != boundary && newer.contains(node)).collect();
                        if !newer.is_empty() {
                            exposed = Some(boundary);
                            boundary = newer[dice.below(newer.len())];
                        }
                    }
                }
                Fault::Untestable { share, place, boots } => {
                    world.untestable = Some((untestable(history, share, place, &mut boundary, &mut dice), boots));
                }
                Fault::Era { r } => {
                    let since = anywhere(&mut dice);
                    world.eras.push(since);
                    world.era = Some((before(history, since), r));
                }
                Fault::Infra { share } => world.chances.infra = share,
                Fault::Correlated { share } => world.correlated = share,
                Fault::Older => truth = Some(Truth::Older),
                Fault::Reintroduced => {
                    if let Some(times) = three(history, &mut dice) {
                        let [first, fixed, second] = times;
                        world.bad = graph.descendants(&[first]);
                        let fixed = graph.descendants(&[fixed]);
                        let again = graph.descendants(&[second]);
                        let bad = world.bad.iter().filter(|&node| !fixed.contains(node) || again.contains(node));
                        world.bad = graph.set(&bad.collect::<Vec<Node>>());
                        truth = Some(Truth::Twice(first, second));
                    }
                }
            }
        }
        world.truth = truth.unwrap_or(Truth::Boundary { boundary, culprit: exposed.unwrap_or(boundary) });
        match world.truth {
            Truth::Boundary { boundary, .. } => world.bad = graph.descendants(&[boundary]),
            Truth::Older => world.bad = graph.ancestors(&[history.start]),
            Truth::Twice(..) => {}
        }
        world.dice = dice;
        world
    }

    /// Whether the commit's kernel builds.
    pub fn builds(&self, node: Node) -> bool {
        !self.untestable.as_ref().is_some_and(|(inside, boots)| !boots && inside.contains(node))
    }

    /// Whether the commit cannot be tested.
    pub fn is_untestable(&self, node: Node) -> bool {
        self.untestable.as_ref().is_some_and(|(inside, _)| inside.contains(node))
    }

    /// How many commits of the range cannot be tested.
    pub fn untestable(&self) -> usize {
        self.untestable.as_ref().map_or(0, |(inside, _)| inside.len())
    }

    /// Whether a trial that starts now takes all machines down with it.
    pub fn host_fails(&mut self) -> bool {
        self.correlated > 0.0 && self.dice.chance(self.correlated)
    }

    fn is_mute(&mut self, node: Node, build: u32) -> bool {
        let (mute, dice) = (self.chances.mute, &mut self.dice);
        mute > 0.0 && *self.mute.entry((node, build)).or_insert_with(|| dice.chance(mute))
    }

    /// What a trial of one of the commit's kernels shows.
    pub fn trial(&mut self, node: Node, build: u32) -> Shown {
        if self.dice.chance(self.chances.infra) {
            return void(Stage::Infra, "the machine was lost");
        }
        if self.is_untestable(node) {
            return void(Stage::Boot, "it does not boot");
        }
        let after = |dice: &mut Dice, chances: &Chances| dice.wait(chances.crash_after);
        let mut first: Option<(f64, f64, u32)> = None;
        let mut crash = |at: f64, same: f64, look: u32| {
            if first.is_none_or(|(earliest, ..)| at < earliest) {
                first = Some((at, same, look));
            }
        };
        let bad = self.bad.contains(node);
        let r = self.era.as_ref().filter(|(inside, _)| inside.contains(node)).map_or(self.chances.repro, |(_, r)| *r);
        if bad && !self.is_mute(node, build) && self.dice.chance(r) {
            let at = after(&mut self.dice, &self.chances);
            match self.drifted.as_ref().filter(|(inside, _)| inside.contains(node)) {
                Some((_, same)) => crash(at, *same, DRIFTED),
                None if self.dice.chance(self.chances.misjudged) => {
                    self.strays += 1;
                    crash(at, SURE.1, FIRST_STRAY + self.strays);
                }
                None => crash(at, SURE.0, TARGET_LOOK),
            }
        }
        // Where the bug is, too: only that it is seldom noticed there.
        if self.dice.chance(self.chances.false_alarm) {
            crash(after(&mut self.dice, &self.chances), SURE.0, TARGET_LOOK);
        }
        if let Some(second) = self.second.as_ref().filter(|second| second.inside.contains(node))
            && self.dice.chance(second.rate)
        {
            crash(after(&mut self.dice, &self.chances), second.same, SECOND_BUG);
        }
        if self.dice.chance(self.chances.stray) {
            let same = if self.dice.chance(self.chances.misjudged) { SURE.0 } else { SURE.1 };
            self.strays += 1;
            crash(after(&mut self.dice, &self.chances), same, FIRST_STRAY + self.strays);
        }
        match first {
            None => Shown { outcome: Outcome::Clean, after: f64::INFINITY },
            Some((after, same, look)) => {
                let report = CrashReport::default();
                Shown { outcome: Outcome::Crashed(Sighting { report, same, look }), after }
            }
        }
    }
}

fn void(stage: Stage, reason: &str) -> Shown {
    Shown { outcome: Outcome::Void(Failure { stage, reason: reason.to_owned() }), after: 0.0 }
}

/// All commits that do not contain this one.
fn before(history: &History, since: Node) -> NodeSet {
    let newer = history.graph.descendants(&[since]);
    let nodes = (0..history.graph.len() as u32).map(Node).filter(|&node| !newer.contains(node));
    history.graph.set(&nodes.collect::<Vec<Node>>())
}

/// What was introduced at one commit of the first-parent line and went away at a later one, with about this share of the range
/// between them. The newest commit may be in it.
fn stretch(history: &History, share: f64, dice: &mut Dice) -> NodeSet {
    let line = &history.mainline;
    let length = ((share * line.len() as f64).round() as usize).clamp(1, line.len());
    let first = dice.below(line.len() - length + 1);
    section(history, first, first + length)
}

/// The commits of the range that contain one commit of the first-parent line and not another.
fn section(history: &History, first: usize, end: usize) -> NodeSet {
    let since = history.graph.descendants(&[history.mainline[first]]);
    let until = history.mainline.get(end).map(|&end| history.graph.descendants(&[end]));
    let inside = |&node: &Node| since.contains(node) && !until.as_ref().is_some_and(|until| until.contains(node));
    history.graph.set(&history.range.iter().copied().filter(inside).collect::<Vec<Node>>())
}

/// A stretch that cannot be tested; the ends can. The boundary is drawn again until it lies as asked.
fn untestable(history: &History, share: f64, place: Place, boundary: &mut Node, dice: &mut Dice) -> NodeSet {
    let line = &history.mainline;
    let most = line.len().saturating_sub(2);
    let length = ((share * line.len() as f64).round() as usize).min(most);
    if length == 0 {
        return NodeSet::new(history.graph.len());
    }
    let first = dice.below(most - length + 1);
    let inside = section(history, first, first + length);
    // Of a boundary right behind the stretch all that can be said is that it lies in it or there.
    let behind = line[first + length];
    let fits = |node: Node| match place {
        Place::Anywhere => true,
        Place::Inside => inside.contains(node),
        Place::Outside => !inside.contains(node) && node != behind,
    };
    let fitting: Vec<Node> = history.range.iter().copied().filter(|&node| fits(node)).collect();
    if !fitting.is_empty() && !fits(*boundary) {
        *boundary = fitting[dice.below(fitting.len())];
    }
    inside
}

/// Three commits of the first-parent line in their order.
fn three(history: &History, dice: &mut Dice) -> Option<[Node; 3]> {
    let line = &history.mainline;
    if line.len() < 3 {
        return None;
    }
    let mut places: Vec<usize> = Vec::new();
    while places.len() < 3 {
        let place = dice.below(line.len());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    Some([line[places[0]], line[places[1]], line[places[2]]])
}
