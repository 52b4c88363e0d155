//! The worlds of the table, and what kbisect must do in each.

use kbisect_core::simulate::Cell;
use kbisect_core::simulate::Chances;
use kbisect_core::simulate::Fault;
use kbisect_core::simulate::History;
use kbisect_core::simulate::Hunch;
use kbisect_core::simulate::Lab;
use kbisect_core::simulate::Searcher;
use kbisect_core::simulate::Total;
use kbisect_core::simulate::Worth;
use kbisect_core::simulate::auc;
use kbisect_core::simulate::bins;

use crate::honesty;

/// How far the end of an interval may lie on the wrong side of a floor or ceiling.
const MARGIN: f64 = 0.01;
pub(crate) const RIGHT: &[Worth] = &[Worth::Right];
const RIGHT_OR_TWO_WAY: &[Worth] = &[Worth::Right, Worth::TwoWay];
const RIGHT_OR_SET: &[Worth] = &[Worth::Right, Worth::Set];
const RIGHT_OR_NOT_MONOTONE: &[Worth] = &[Worth::Right, Worth::NotMonotone];
const WRONG: &[Worth] = &[Worth::Wrong];
/// Bins of what is stated of having introduced the bug: little more than ten different things are.
const BINS: usize = 5;
/// What a prior that is useless or wrong may cost: a point of accuracy, and a tenth of the trials.
const PRIOR_ACCURACY: f64 = 0.01;
const PRIOR_TRIALS: f64 = 1.1;

/// A bound that the posterior must keep to.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// At least this share is worth one of these.
    Floor(&'static [Worth], f64),
    /// At most.
    Ceiling(&'static [Worth], f64),
    /// Median size of the named sets, against the smallest possible.
    Set(f64),
    /// Commits tested inside an untestable stretch.
    Inside(u32),
    /// Wall-clock against the rule of 2024, with two builders and with one, and trials.
    Cost(f64, f64, f64),
    /// What is stated of having introduced the bug tells those that have from the others in so many pairs, and is as often so.
    Introduced(f64),
}

use Bound::Ceiling;
use Bound::Cost;
use Bound::Floor;

/// A world, and what the posterior must do in it.
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) repro: f64,
    pub(crate) stray: f64,
    pub(crate) false_alarm: f64,
    pub(crate) fault: Option<&'static str>,
    pub(crate) hunch: Option<Hunch>,
    /// Compared with the same world without a hunch, not with other searchers.
    pub(crate) is_about_priors: bool,
    /// Answers that are right there.
    pub(crate) answers: &'static [Worth],
    pub(crate) bounds: &'static [Bound],
}

const fn plain(name: &'static str, repro: f64, stray: f64, bounds: &'static [Bound]) -> World {
    World { name, repro, stray, false_alarm: 0.0, fault: None, hunch: None, is_about_priors: false, answers: RIGHT, bounds }
}

const fn faulty(name: &'static str, repro: f64, fault: &'static str, bounds: &'static [Bound]) -> World {
    World { fault: Some(fault), ..plain(name, repro, 0.005, bounds) }
}

const fn prior(name: &'static str, repro: f64, hunch: Hunch) -> World {
    World { hunch: Some(hunch), is_about_priors: true, ..plain(name, repro, 0.005, &[]) }
}

const COST: Bound = Cost(0.62, 0.70, 0.8);

/// All of them.
pub(crate) const ALL: &[World] = &[
    plain("r=.95 u=.5%", 0.95, 0.005, &[Floor(RIGHT, 0.99), COST]),
    plain("r=.95 u=2%", 0.95, 0.02, &[Floor(RIGHT, 0.99), COST]),
    plain("r=.5 u=.5%", 0.5, 0.005, &[Floor(RIGHT, 0.98), COST]),
    plain("r=.3 u=.5%", 0.3, 0.005, &[Floor(RIGHT, 0.97)]),
    plain("r=.2 u=1%", 0.2, 0.01, &[Floor(RIGHT, 0.95)]),
    plain("r=.1 u=.5%", 0.1, 0.005, &[Floor(RIGHT, 0.80), Ceiling(WRONG, 0.03)]),
    World { false_alarm: 0.01, ..plain("r=.7 f=1%", 0.7, 0.005, &[Floor(RIGHT, 0.97), Ceiling(WRONG, 0.02)]) },
    World { false_alarm: 0.03, ..plain("r=.7 f=3%", 0.7, 0.005, &[Floor(RIGHT, 0.95), Ceiling(WRONG, 0.02)]) },
    faulty("second-bug r=.95", 0.95, "second-bug", &[Floor(RIGHT, 0.94), Floor(RIGHT_OR_TWO_WAY, 0.98), Ceiling(WRONG, 0.01)]),
    faulty("second-bug r=.5", 0.5, "second-bug", &[Floor(RIGHT, 0.91), Floor(RIGHT_OR_TWO_WAY, 0.97), Ceiling(WRONG, 0.01)]),
    faulty("second-bug r=.3", 0.3, "second-bug", &[Floor(RIGHT, 0.86), Floor(RIGHT_OR_TWO_WAY, 0.94), Ceiling(WRONG, 0.01)]),
    faulty("title-drift r=.95", 0.95, "title-drift", &[Floor(RIGHT, 0.79), Floor(RIGHT_OR_TWO_WAY, 0.97), Ceiling(WRONG, 0.01)]),
    faulty("title-drift r=.5", 0.5, "title-drift", &[Floor(RIGHT, 0.78), Floor(RIGHT_OR_TWO_WAY, 0.99), Ceiling(WRONG, 0.01)]),
    faulty("untestable:outside", 0.95, "untestable:outside", &[Floor(RIGHT, 0.98), Bound::Inside(12)]),
    World {
        answers: RIGHT_OR_SET,
        ..faulty("untestable:inside", 0.95, "untestable:inside", &[Floor(RIGHT_OR_SET, 0.97), Bound::Set(1.2), Bound::Inside(12)])
    },
    World { hunch: Some(Hunch::Right), ..faulty("exposure", 0.95, "exposure", &[Floor(RIGHT, 0.98), Bound::Introduced(0.85)]) },
    faulty("era .95 to .3", 0.95, "era:0.3", &[]),
    faulty("infra 10%", 0.95, "infra:0.1", &[]),
    faulty("correlated 2%", 0.95, "correlated", &[]),
    faulty("older", 0.95, "older", &[]),
    World { answers: RIGHT_OR_NOT_MONOTONE, ..faulty("reintroduced", 0.95, "reintroduced", &[]) },
    prior("prior right r=.95", 0.95, Hunch::Right),
    prior("prior useless r=.95", 0.95, Hunch::Useless),
    prior("prior wrong r=.95", 0.95, Hunch::Wrong),
    prior("prior decoy r=.95", 0.95, Hunch::Decoy),
    prior("prior right r=.5", 0.5, Hunch::Right),
    prior("prior useless r=.5", 0.5, Hunch::Useless),
    prior("prior wrong r=.5", 0.5, Hunch::Wrong),
    prior("prior decoy r=.5", 0.5, Hunch::Decoy),
];

impl World {
    /// Its faults.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.fault.iter().map(|fault| fault.parse().expect("the faults above are right")).collect()
    }

    /// A searcher in it.
    pub(crate) fn cell<'a>(&self, history: &'a History, faults: &'a [Fault], searcher: Searcher, builders: usize) -> Cell<'a> {
        let Self { repro, stray, false_alarm, hunch, .. } = *self;
        let chances = Chances { repro, stray, false_alarm, ..Chances::default() };
        // Nobody else knows what to do with it.
        let hunch = hunch.filter(|_| matches!(searcher, Searcher::Bisector(_)));
        Cell { history, chances, faults, hunch, searcher, lab: Lab { builders, ..Lab::default() } }
    }

    /// The bounds that the posterior misses with two builders, with one, and against the rule of 2024.
    pub(crate) fn missed(&self, two: &Total, one: &Total, rule: &Total) -> Vec<String> {
        let mut missed: Vec<String> = self.bounds.iter().filter_map(|bound| miss(bound, two, one, rule)).collect();
        if two.share(self.answers) < rule.share(self.answers) {
            missed.push("behind the rule of 2024".to_owned());
        }
        missed.extend(two.honesty().and_then(|names| honesty::apart(&names)).map(|why| format!("names: {why}")));
        missed
    }

    /// How a prior costs more than it may.
    pub(crate) fn missed_with_prior(&self, with: &Total, without: &Total) -> Vec<String> {
        if self.hunch == Some(Hunch::Right) {
            return Vec::new();
        }
        let (trials, right) = (trials(with) / trials(without), with.share(RIGHT) - without.share(RIGHT));
        let mut missed = Vec::new();
        if trials > PRIOR_TRIALS {
            missed.push(format!("{trials:.3} of the trials without the prior, not {PRIOR_TRIALS}"));
        }
        // The worlds are the same, so that chance does little.
        if right < -PRIOR_ACCURACY {
            missed.push(format!("right in {:.1} points fewer than without the prior", -100.0 * right));
        }
        missed
    }
}

/// Mean minutes of a bisection.
pub(crate) fn minutes(total: &Total) -> f64 {
    total.mean(|run| run.minutes)
}

fn trials(total: &Total) -> f64 {
    total.mean(|run| run.trials.into())
}

/// How the posterior misses a bound, if it does.
fn miss(bound: &Bound, two: &Total, one: &Total, rule: &Total) -> Option<String> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    match *bound {
        Floor(worth, least) => {
            let low = two.interval(worth).0;
            (low < least - MARGIN)
                .then(|| format!("{worth:?} {} (from {}), not {}", percent(two.share(worth)), percent(low), percent(least)))
        }
        Ceiling(worth, most) => {
            let high = two.interval(worth).1;
            (high > most + MARGIN)
                .then(|| format!("{worth:?} {} (to {}), not {}", percent(two.share(worth)), percent(high), percent(most)))
        }
        Bound::Set(most) => {
            let size = two.set_median().filter(|size| *size > most)?;
            Some(format!("the median set has {size:.2} times the commits that it must have, not {most}"))
        }
        Bound::Inside(most) => {
            let inside = two.most_inside();
            (inside > most).then(|| format!("up to {inside} commits tested inside, not {most}"))
        }
        Cost(with_two, with_one, of_trials) => {
            let shares = [
                ("minutes", minutes(two) / minutes(rule), with_two),
                ("minutes with one builder", minutes(one) / minutes(rule), with_one),
                ("trials", trials(two) / trials(rule), of_trials),
            ];
            let over: Vec<String> = shares
                .iter()
                .filter(|(_, share, most)| share > most)
                .map(|(what, share, most)| format!("{share:.2} of the {what} of the rule of 2024, not {most}"))
                .collect();
            (!over.is_empty()).then(|| over.join(", "))
        }
        Bound::Introduced(least) => {
            let said = two.introduced();
            let apart: Vec<String> = bins(&said, BINS).iter().filter_map(honesty::apart).collect();
            let pairs = auc(&said).unwrap_or(0.5);
            match (pairs < least, apart.is_empty()) {
                (true, _) => Some(format!("\"introduced here\" has an AUC of {pairs:.3}, not {least}")),
                (false, false) => Some(format!("\"introduced here\": {}", apart.join("; "))),
                (false, true) => None,
            }
        }
    }
}
