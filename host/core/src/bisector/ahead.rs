//! Kernels to build while trials run: those of the commits that are likely to be tested next, whatever the trials show.

use std::rc::Rc;

use super::Action;
use super::Bisector;
use super::Pending;
use super::Plan;
use super::Strategy;
use super::known::Known;
use super::search::Search;
use super::search::best;
use super::whereabouts::Whereabouts;
use crate::graph::Node;
use crate::policy::Role;
use crate::posterior::Belief;
use crate::posterior::Ranks;

/// A kernel that is needed less often than this is not built ahead.
const LIKELY_ENOUGH: f64 = 0.05;

/// A commit that is tested next in some case.
struct Next {
    node: Node,
    /// How likely that case is.
    chance: f64,
    /// Where the boundary may be then.
    places: Rc<Whereabouts>,
}

impl Search<'_> {
    /// The action, and the builds that are likely to be needed after it, the likeliest first; before them those under way that may
    /// still be needed.
    pub(super) fn with_builds(
        &self,
        belief: &Belief,
        places: Whereabouts,
        available: &Ranks,
        action: Action,
        pending: &[Pending],
    ) -> Vec<Action> {
        let node = self.graph.node(&action.commit()).expect("what is tested is in the graph");
        let builds = match &action {
            Action::Try { .. } if self.pace.builders > 0 => {
                let now = Next { node, chance: 1.0, places: Rc::new(places) };
                let ahead = self.ahead(belief, available, &now);
                let begun = self.begun(&now, &ahead, pending);
                let more: Vec<Node> = ahead.into_iter().filter(|node| !begun.contains(node)).collect();
                [begun, more].concat()
            }
            _ => Vec::new(),
        };
        let builds = builds.into_iter().map(|node| Action::Build(self.graph.id(node)));
        std::iter::once(action).chain(builds).collect()
    }

    /// Builds under way, beside that of the commit to test now, which are finished although others look likelier by now: where a build
    /// fails, the search turns to other commits, and turning back it would find nothing but half-built kernels.
    fn begun(&self, now: &Next, ahead: &[Node], pending: &[Pending]) -> Vec<Node> {
        let building =
            pending.iter().filter(|pending| pending.trials == 0).filter_map(|pending| self.graph.node(&pending.commit));
        let mut begun: Vec<Node> = building
            .filter(|&node| node != now.node && !self.known.is_built(node) && self.range.candidates.rank(node).is_some())
            .filter(|node| {
                let tells = || {
                    let divided = self.divided(&now.places, *node);
                    [true, false].iter().all(|&bad| divided.chance(bad) >= LIKELY_ENOUGH)
                };
                ahead.contains(node) || tells()
            })
            .collect();
        begun.sort_by_key(|node| ahead.iter().position(|next| next == node).unwrap_or(ahead.len()));
        let own = u32::from(!self.known.is_built(now.node));
        begun.truncate(self.pace.builders.saturating_sub(own) as usize);
        begun
    }

    /// The commits tested next after this one, by how likely they are; one more than there are builders, as the best may be built.
    fn ahead(&self, belief: &Belief, available: &Ranks, now: &Next) -> Vec<Node> {
        let mut open = self.after(belief, available, now);
        let mut picked = Vec::new();
        while picked.len() <= self.pace.builders as usize {
            let Some(likeliest) = (0..open.len()).max_by(|&one, &other| open[one].chance.total_cmp(&open[other].chance)) else {
                break;
            };
            let next = open.swap_remove(likeliest);
            // Where a test tells next to nothing, what comes after it is the same once more, and so on for ever.
            if picked.contains(&next.node) {
                continue;
            }
            if picked.len() < self.pace.builders as usize {
                open.extend(self.after(belief, available, &next));
            }
            picked.push(next.node);
        }
        picked
    }

    /// What is tested after a commit turned out bad, and after it turned out good.
    fn after(&self, belief: &Belief, available: &Ranks, now: &Next) -> Vec<Next> {
        let divided = self.divided(&now.places, now.node);
        let mut nexts = Vec::new();
        for bad in [true, false] {
            let chance = divided.chance(bad) * now.chance;
            if chance >= LIKELY_ENOUGH {
                let places = Rc::new(divided.given(bad));
                let nodes = self.next_in(belief, available, &places);
                nexts.extend(nodes.into_iter().map(|node| Next { node, chance, places: Rc::clone(&places) }));
            }
        }
        nexts
    }

    /// What is tested next when the boundary is in these places: what verifies the leader, or the best offer.
    fn next_in(&self, belief: &Belief, available: &Ranks, places: &Whereabouts) -> Vec<Node> {
        if let Some(leader) = places.sure(&self.range.candidates, 1.0 - self.delta) {
            let culprit = self.range.candidates.node(leader);
            let sides = self.graph.parents(culprit).iter().copied().chain([culprit]);
            return sides.filter(|&node| self.range.posterior.site(node).is_none() && self.available(belief, node)).collect();
        }
        best(&self.untested(belief, places, available, &[], false)).map(|offer| offer.node).into_iter().collect()
    }
}

impl Bisector {
    /// The plan to test an end of the range, and what is tested after it: the end behind it, or a commit between it and the start.
    pub(super) fn with_next_end(&self, known: &Known, mut plan: Plan, end: Node, role: Role) -> Plan {
        if let Plan::Do(actions) = &mut plan
            && self.pace.builders > 0
            && self.settings.strategy == Strategy::Posterior
        {
            let ends = self.places.good.iter().chain(&self.places.releases);
            let behind = ends.copied().find(|&next| next != end && known.trials(next) == 0);
            let between = matches!(role, Role::GoodEnd | Role::Release).then(|| self.first_between(known, end, role)).flatten();
            actions.extend(between.into_iter().chain(behind).map(|next| Action::Build(self.graph.id(next))));
        }
        plan
    }

    /// What is tested first once this end is good.
    fn first_between(&self, known: &Known, end: Node, role: Role) -> Option<Node> {
        let range = self.range(known, self.places.start, &[end], role == Role::Release);
        let (search, belief) = (self.search(known, &range), &range.posterior.beliefs[0]);
        let places = search.whereabouts(belief).without_ends();
        let available = vec![true; range.candidates.len()];
        search.next_in(belief, &available, &places).into_iter().next()
    }
}
