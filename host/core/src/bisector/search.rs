//! The search inside a settled range, and the verification of what it finds.

use std::cmp::Reverse;

use super::Action;
use super::Conclusion;
use super::Pace;
use super::Pending;
use super::Plan;
use super::Reading;
use super::Suspect;
use super::by_posterior::WORTH_LEAVING;
use super::eras::Eras;
use super::known::Known;
use super::known::TRIALS;
use super::monotone::Conflict;
use super::offers::Offer;
use super::range::Range;
use super::whereabouts::Whereabouts;
use crate::graph::Graph;
use crate::graph::Node;
use crate::policy::Role;
use crate::policy::Verdict;
use crate::posterior::Belief;
use crate::posterior::Ranks;
use crate::posterior::at_least;
use crate::select;

/// An outcome worth fewer bits than this tells nothing.
const NOTHING: f64 = 1e-6;
/// Near commits that could not be tested, where many builds are in vain, a trial must be worth this share of one whose outcome is open.
const WORTH_A_DOUBTFUL_BUILD: f64 = 0.15;
/// So many commits tried in vain in a row are borne. With each more, the next must be worth twice as much: a search tries 12 at most.
const BORNE: u32 = 10;
/// But what is worth this share is tried: what others tried in vain need not be at the edges of the stretch.
const WORTH_ANOTHER: f64 = 0.6;
/// Where the commits that would tell most are left for that, others must be worth this share: more trials at known ones say little for
/// ever.
const WORTH_GOING_ON: f64 = 0.005;
/// A search that has not ended after so many trials will not.
const TRIALS_IN_ALL: u32 = 10_000;
/// A commit where so many crashes hide the rest, and hardly any trial says something, is left alone. Another bug that shows in every
/// second trial hides all of three in one case of eight: then the culprit or its parent would be given up.
const HIDDEN: u32 = 12;
const MOSTLY_HIDDEN: u32 = 30;
/// How many commits beside the start commit are looked at in one plan of a search for a fix: each takes a walk through history.
const BRANCHES: usize = 64;
/// The culprit itself must have shown the target so often at least.
const HITS: u32 = 2;
/// Chance of a false alarm that a name must bear, however few are believed in: a search of few trials meets none before the one that
/// misleads it. Of 200 simulated searches of 15,000 commits with r = .7 and this chance, six named a wrong commit without it.
const ALARMS: f64 = 0.03;
/// Ranges with fewer halvings than this are short.
const FEW: f64 = 3.0;
/// Runners-up named with the culprit, and suspects in a summary.
pub(super) const NAMED: usize = 10;
/// Suspects of an inconclusive search, at most.
const LISTED: usize = 10_000;
/// The share of the probability that counts as "what is left".
const NEARLY_ALL: f64 = 0.99;

/// A settled range with what is needed to act in it.
pub(super) struct Search<'a> {
    pub(super) graph: &'a Graph,
    pub(super) known: &'a Known,
    pub(super) range: &'a Range,
    /// Chance of a wrong name that is put up with.
    pub(super) delta: f64,
    pub(super) start: Node,
    pub(super) eras: &'a Eras,
    pub(super) pace: Pace,
}

/// What a reading asks for.
enum Step {
    Do(Vec<Action>),
    /// This candidate is the boundary, and verified.
    Named(usize),
    /// Nothing tells more, and why.
    Stuck(String),
}

impl Search<'_> {
    /// Goes through the readings, the weightiest first, until one still asks for a trial.
    pub(super) fn plan(&self, pending: &[Pending]) -> Plan {
        let mut ends = Vec::new();
        for belief in &self.range.posterior.beliefs {
            match self.step(belief, pending) {
                Step::Do(actions) => return Plan::Do(actions),
                end => ends.push(end),
            }
        }
        let conflict = self.conflict(&self.range.posterior.beliefs[0]);
        if let Some(conflict) = &conflict {
            let missing = self.unconfirmed(conflict);
            if !missing.is_empty() {
                return Plan::Do(missing);
            }
        }
        Plan::Done(self.conclude(&ends, conflict))
    }

    fn step(&self, belief: &Belief, pending: &[Pending]) -> Step {
        let (leader, probability) = self.range.posterior.groups.leader(&self.range.candidates, &belief.groups);
        if probability >= 1.0 - self.delta {
            let missing = self.unverified(belief, leader);
            return if missing.is_empty() { Step::Named(leader) } else { Step::Do(missing) };
        }
        // All that is left beside the leader is that an era hides the bug: more trials cannot tell.
        if self.is_at_an_edge(leader) && probability >= (1.0 - self.delta) * (1.0 - belief.hidden) {
            let missing = self.unverified(belief, leader);
            return if missing.is_empty() { Step::Stuck(self.hidden_below(leader)) } else { Step::Do(missing) };
        }
        if belief.end_bad() >= 1.0 - self.delta {
            return Step::Stuck("in one reading of the crashes the good end is bad".to_owned());
        }
        let trials: u32 = self.known.tallies().iter().map(|(_, tally)| tally.trials()).sum();
        if trials >= TRIALS_IN_ALL {
            return Step::Stuck(format!("{trials} trials have not settled it"));
        }
        let available = self.all_available(belief);
        if !self.is_alone(leader, &available) {
            let (twins, mass) = (self.inseparable(leader, &available), self.range.posterior.mass(belief));
            let twins: Vec<f64> = twins.iter().zip(mass).filter(|&(&twin, _)| twin).map(|(_, mass)| mass).collect();
            if twins.len() > 1 && twins.iter().sum::<f64>() >= 1.0 - self.delta {
                let count = twins.len();
                return Step::Stuck(format!("{count} commits cannot be told apart: what lies between them cannot be tested"));
            }
        }
        let places = self.whereabouts(belief);
        match self.choose(belief, &places, &available, pending) {
            Ok(action) => Step::Do(self.with_builds(belief, places, &available, action, pending)),
            Err(why) => Step::Stuck(why.to_owned()),
        }
    }

    /// Whether the candidate has a parent of another era.
    fn is_at_an_edge(&self, rank: usize) -> bool {
        let node = self.range.candidates.node(rank);
        self.graph.parents(node).iter().any(|&parent| self.eras.of(parent) != self.eras.of(node))
    }

    fn hidden_below(&self, rank: usize) -> String {
        let commit = self.graph.id(self.range.candidates.node(rank)).short();
        let (shows, older) = if self.range.begins { ("begins", "an older commit") } else { ("ceases", "another commit") };
        format!(
            "the crash {shows} to show at {commit}, just where the environment changes: either may be why, or {older} that does not \
             show across the change; its parent, tested in the environment of {commit}, would tell"
        )
    }

    /// Whether the commit may be tested (again).
    pub(super) fn available(&self, belief: &Belief, node: Node) -> bool {
        if self.known.unbuildable().contains(&node)
            || matches!(self.known.verdict(node), Some(Verdict::Skip(_)))
            || self.known.trials(node) >= TRIALS
        {
            return false;
        }
        let Some(site) = self.range.posterior.seen(belief, node) else {
            return true;
        };
        let says = f64::from(site.hits) + site.clean;
        let all_hidden = site.hidden >= HIDDEN && says == 0.0;
        !(all_hidden || site.hidden >= MOSTLY_HIDDEN && f64::from(site.hidden) > 4.0 * says)
    }

    /// Which candidates may be tested. Where few are left, those on branches that the bug never reached are left out, too.
    pub(super) fn all_available(&self, belief: &Belief) -> Ranks {
        let node = |rank: usize| self.range.candidates.node(rank);
        let mut available: Ranks = vec![true; self.range.candidates.len()];
        for node in self.known.nodes() {
            if let Some(rank) = self.range.candidates.rank(node) {
                available[rank] = self.available(belief, node);
            }
        }
        if self.range.counts.is_some() {
            let mass = self.range.posterior.mass(belief);
            let left = holding(&mass, 1.0 - self.delta);
            if left <= BRANCHES {
                for rank in self.range.likeliest(&mass, left) {
                    available[rank] = available[rank] && self.missing_base(node(rank)) != Some(None);
                }
            }
        }
        available
    }

    /// Whether it is plain that some available candidates tell the leader from all others: it and its parents do.
    fn is_alone(&self, leader: usize, available: &Ranks) -> bool {
        available[leader] && self.range.candidates.parents(leader).iter().all(|&parent| available[parent as usize])
    }

    /// The candidates that no available one tells from the leader, which is among them.
    fn inseparable(&self, leader: usize, available: &Ranks) -> Ranks {
        let candidates = &self.range.candidates;
        let mut above: Ranks = vec![false; candidates.len()];
        above[leader] = true;
        candidates.spread_up(&mut above);
        let both = |one: &Ranks, other: &dyn Fn(usize) -> bool| -> Ranks {
            one.iter().enumerate().map(|(rank, &member)| member && other(rank)).collect()
        };
        // Nothing that an available commit contains without the leader …
        let mut told_apart = both(available, &|rank| !above[rank]);
        candidates.spread_down(&mut told_apart);
        let mut twins: Ranks = told_apart.iter().map(|told_apart| !told_apart).collect();
        // … and only what every available one with the leader contains, too.
        for lowest in candidates.minimal(&both(available, &|rank| above[rank])) {
            let mut below: Ranks = vec![false; candidates.len()];
            below[lowest] = true;
            candidates.spread_down(&mut below);
            twins = both(&twins, &|rank| below[rank]);
        }
        twins
    }

    /// The commit to test next, or why none is worth it.
    fn choose(
        &self,
        belief: &Belief,
        places: &Whereabouts,
        available: &Ranks,
        pending: &[Pending],
    ) -> Result<Action, &'static str> {
        let (mut nothing, mut least) = ("no trial that can be made says more", NOTHING);
        let under_way: Vec<Node> = pending.iter().filter_map(|pending| self.graph.node(&pending.commit)).collect();
        // In a search for a fix the best may be of no use, and then the next is wanted.
        let mut offers = self.untested(belief, places, available, &under_way, self.range.counts.is_some());
        offers.extend(self.tested(belief));
        let open = select::bits((belief.r + belief.f) / 2.0, (select::entropy(belief.r) + select::entropy(belief.f)) / 2.0);
        let in_vain = |offer: &Offer| {
            let doubled = |in_a_row: u32| WORTH_A_DOUBTFUL_BUILD * f64::from(in_a_row.saturating_sub(BORNE)).exp2();
            let share = |in_a_row| doubled(in_a_row).min(WORTH_ANOTHER);
            offer.doubtful.is_some_and(|in_a_row| offer.value < share(in_a_row) * open)
        };
        for offer in &mut offers {
            if self.is_open(offer.node) || under_way.contains(&offer.node) {
                offer.value *= WORTH_LEAVING;
            }
        }
        offers.retain(|offer| self.known.assumed(offer.node).is_none());
        for _ in 0..BRANCHES {
            let best = best(&offers).ok_or(nothing)?;
            if best.value < least {
                return Err(nothing);
            }
            if in_vain(&best) {
                (nothing, least) = ("a stretch of history cannot be tested", WORTH_GOING_ON * open);
                offers.retain(|offer| !in_vain(offer));
                continue;
            }
            match self.missing_base(best.node) {
                None => return Ok(self.act(&best)),
                Some(Some(base)) => return Ok(self.try_more(base, Role::MergeBase, 1, false)),
                // Whatever it shows says nothing: the bug is not on its branch.
                Some(None) => offers.retain(|offer| offer.node != best.node),
            }
        }
        Err(nothing)
    }

    /// Trials were made at the commit, and the policy has not concluded.
    fn is_open(&self, node: Node) -> bool {
        self.known.trials(node) > 0 && self.known.verdict(node).is_none()
    }

    /// Fix: a commit beside the start commit says something only if a merge base of both has shown the target. `None`: nothing is
    /// missing. `Some(Some(base))`: this merge base must be tested. `Some(None)`: none of them shows it.
    fn missing_base(&self, node: Node) -> Option<Option<Node>> {
        let counts = self.range.counts.as_ref()?;
        if counts.contains(node) {
            return None;
        }
        let bases = self.graph.merge_bases(node, &[self.start]);
        Some(bases.into_iter().find(|&base| self.known.verdict(base).is_none()))
    }

    fn act(&self, offer: &Offer) -> Action {
        let role = match self.known.tally(offer.node) {
            // An end of the range stays one.
            Some(tally) if matches!(tally.role, Role::Start | Role::GoodEnd | Role::Release) => tally.role,
            None if self.range.is_end(offer.node) => Role::GoodEnd,
            Some(_) | None => Role::Candidate,
        };
        self.try_more(offer.node, role, select::batch(offer.bad, offer.hit), offer.rebuild)
    }

    /// A commit that was rebuilt goes on with its second build.
    fn try_more(&self, node: Node, role: Role, more: u32, rebuild: bool) -> Action {
        let rebuilt = self.known.tally(node).is_some_and(|tally| tally.builds > 1);
        Action::Try {
            commit: self.graph.id(node),
            role,
            trials: self.known.trials(node) + more,
            rebuild: rebuild || rebuilt,
            exposure: 1.0,
        }
    }

    /// The trials that the name still lacks: the bad side must have shown the target, the good side must have been clean often
    /// enough. Commits that cannot be tested are left out.
    pub(super) fn unverified(&self, belief: &Belief, named: usize) -> Vec<Action> {
        let range = self.range;
        let culprit = range.candidates.node(named);
        let parents = self.graph.parents(culprit);
        let (bad, good) = if range.begins { (&[culprit][..], parents) } else { (parents, &[culprit][..]) };
        // A parent from before the bug came in cannot show it.
        let counts = |node: &&Node| range.counts.as_ref().is_none_or(|counts| counts.contains(**node));
        let bad = bad.iter().filter(counts).map(|&node| (node, self.missing_hits(belief, node)));
        self.verifying(belief, bad.chain(good.iter().map(|&node| (node, self.missing_cleans(belief, node)))))
    }

    /// The trials without which a bad and a good commit that contradict each other may each be so by chance.
    fn unconfirmed(&self, Conflict { bad, good }: &Conflict) -> Vec<Action> {
        let belief = &self.range.posterior.beliefs[0];
        let missing = [(*bad, self.missing_hits(belief, *bad)), (*good, self.missing_cleans(belief, *good))];
        self.verifying(belief, missing.into_iter())
    }

    fn verifying(&self, belief: &Belief, missing: impl Iterator<Item = (Node, u32)>) -> Vec<Action> {
        missing
            .filter(|&(node, trials)| trials > 0 && self.available(belief, node) && self.known.assumed(node).is_none())
            .map(|(node, trials)| self.try_more(node, Role::Verification, trials, false))
            .collect()
    }

    /// How many trials the bad side lacks: it must have shown the target so often that a good commit does so with a chance of at most δ,
    /// by what is believed of false alarms, and also were they as frequent as in [`ALARMS`].
    fn missing_hits(&self, belief: &Belief, node: Node) -> u32 {
        let (hits, clean) = self.range.posterior.seen(belief, node).map_or((0, 0.0), |site| (site.hits, site.clean));
        let grid = &self.range.posterior.grid;
        let by_chance = |hits: u32| {
            let trials = hits + clean.ceil() as u32;
            grid.alarmed(&belief.eras[0].points, hits, trials).max(at_least(hits, trials, ALARMS))
        };
        let enough = select::enough(self.allowed(), by_chance).max(HITS);
        enough.saturating_sub(hits)
    }

    /// How many trials the good side lacks: so many must be clean there that a bad commit is as clean with a chance of at most δ.
    fn missing_cleans(&self, belief: &Belief, node: Node) -> u32 {
        let enough = self.clean_enough(belief, node);
        let clean = self.range.posterior.seen(belief, node).map_or(0.0, |site| site.clean);
        (f64::from(enough) - clean).ceil().max(0.0) as u32
    }

    /// How many clean trials a bad commit has with a chance that is put up with.
    pub(super) fn clean_enough(&self, belief: &Belief, node: Node) -> u32 {
        let points = &belief.eras[self.eras.of(node)].points;
        select::enough(self.allowed(), |trials| self.range.posterior.grid.missed(points, trials))
    }

    /// The chance of being misled by one commit that is put up with.
    ///
    /// A wrong name needs such a commit, and the longer the range, the more commits a search meets where it may find one: δ is
    /// shared out over the halvings. Ranges of a few commits cannot pay for that within twice git's trials and five.
    fn allowed(&self) -> f64 {
        let halvings = (self.range.candidates.len() as f64).log2();
        self.delta / if halvings < FEW { 1.0 } else { halvings }
    }

    fn conclude(&self, ends: &[Step], conflict: Option<Conflict>) -> Conclusion {
        let named = |end: &Step| if let Step::Named(rank) = end { Some(*rank) } else { None };
        let first = named(&ends[0]);
        if let Some(rank) = first
            && conflict.is_none()
            && ends.iter().all(|end| named(end) == first)
        {
            return Conclusion::Found { suspects: self.range.named(self.graph, self.range.candidates.node(rank)) };
        }
        let stuck = || ends.iter().find_map(|end| if let Step::Stuck(why) = end { Some(why.clone()) } else { None });
        let why = conflict.map(|conflict| self.not_monotone(&conflict)).or_else(stuck);
        let readings = self.range.readings(self.graph, NEARLY_ALL, LISTED);
        Conclusion::Inconclusive {
            suspects: self.range.suspects(self.graph, &self.range.mass(), NEARLY_ALL, LISTED),
            why: why.unwrap_or_else(|| "the answer depends on which crashes are the same bug".to_owned()),
            readings: if readings.len() > 1 { readings } else { Vec::new() },
        }
    }
}

/// How many candidates, the likeliest ones, hold this share of all candidates' probability.
pub(super) fn holding(mass: &[f64], share: f64) -> usize {
    let mut sorted = mass.to_vec();
    sorted.sort_unstable_by(|one, other| other.total_cmp(one));
    let mut left = mass.iter().sum::<f64>() * share;
    let holds = |mass: &&f64| {
        let more = left > 0.0;
        left -= **mass;
        more
    };
    sorted.iter().take_while(holds).count().max(1)
}

/// The most valuable offer, the first in git's list of equal ones.
pub(super) fn best(offers: &[Offer]) -> Option<Offer> {
    offers.iter().copied().min_by_key(|offer| (Reverse(offer.rounded()), offer.listed))
}

impl Range {
    /// Each candidate's probability over all readings, by rank.
    pub(super) fn mass(&self) -> Vec<f64> {
        let mut sum = vec![0.0; self.candidates.len()];
        for belief in &self.posterior.beliefs {
            for (sum, mass) in sum.iter_mut().zip(self.posterior.mass(belief)) {
                *sum += belief.weight * mass;
            }
        }
        sum
    }

    /// The likeliest commits that together hold this share of the candidates' probability, best first, at most so many.
    pub(super) fn suspects(&self, graph: &Graph, mass: &[f64], share: f64, most: usize) -> Vec<Suspect> {
        let suspect = |&rank: &usize| Suspect { commit: graph.id(self.candidates.node(rank)), probability: mass[rank] };
        self.likeliest(mass, holding(mass, share).min(most)).iter().map(suspect).collect()
    }

    /// So many of the likeliest candidates, best first.
    pub(super) fn likeliest(&self, mass: &[f64], count: usize) -> Vec<usize> {
        let mut ranks: Vec<usize> = (0..mass.len()).collect();
        let better = |one: &usize, other: &usize| {
            mass[*other].total_cmp(&mass[*one]).then_with(|| self.candidates.listed(*one).cmp(&self.candidates.listed(*other)))
        };
        if count < ranks.len() {
            ranks.select_nth_unstable_by(count, better);
            ranks.truncate(count);
        }
        ranks.sort_unstable_by(better);
        ranks
    }

    /// What each reading makes likely, the weightiest first: the commits that together hold this share, at most so many.
    pub(super) fn readings(&self, graph: &Graph, share: f64, most: usize) -> Vec<Reading> {
        let reading = |belief: &Belief| Reading {
            as_target: belief.reading.as_target(),
            as_stray: belief.reading.as_stray(),
            weight: belief.weight,
            suspects: self.suspects(graph, &self.posterior.mass(belief), share, most),
            end_bad: belief.end_bad(),
        };
        self.posterior.beliefs.iter().map(reading).collect()
    }

    /// The named commit, then the likeliest others.
    pub(super) fn named(&self, graph: &Graph, named: Node) -> Vec<Suspect> {
        let mass = self.mass();
        let probability = self.candidates.rank(named).map_or(0.0, |rank| mass[rank]);
        let first = Suspect { commit: graph.id(named), probability };
        let others = self.suspects(graph, &mass, 1.0, NAMED).into_iter();
        std::iter::once(first).chain(others.filter(|suspect| suspect.commit != first.commit).take(NAMED - 1)).collect()
    }

    /// Which candidates had a valid trial.
    pub(super) fn tested(&self) -> Ranks {
        let mut tested = vec![false; self.candidates.len()];
        for rank in self.posterior.sites.iter().filter_map(|site| self.candidates.rank(site.node)) {
            tested[rank] = true;
        }
        tested
    }

    fn is_end(&self, node: Node) -> bool {
        self.ends.iter().any(|end| end.node == node)
    }
}
