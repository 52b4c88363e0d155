//! Chances are chances, their product is the probability, and better evidence never makes a name less sure.

use proptest::prelude::*;

use super::*;

fn findings() -> impl Strategy<Value = Findings> {
    let credit = proptest::option::of((1e-6..1e6_f64).prop_map(|odds| Credit { odds, reason: "it looks so".to_owned() }));
    let trials = prop_oneof![Just(Trials::Search), Just(Trials::Log)];
    let reached = proptest::option::of(prop_oneof![Just(Reached::No), Just(Reached::Unknown), Just(Reached::Yes)]);
    (0.0..=1.0_f64, trials, 0.0..=1.0_f64, 0.0..=1.0_f64, any::<bool>(), 0..40_u32, reached, credit).prop_map(
        |(boundary, trials, same, shown, equal_kernels, releases, reached, credit)| Findings {
            boundary,
            trials,
            same,
            shown,
            equal_kernels,
            releases,
            reached,
            credit,
        },
    )
}

/// What speaks more for a name.
fn better_seen(reached: Option<Reached>) -> Option<Reached> {
    match reached {
        Some(Reached::No) => None,
        Some(Reached::Unknown) | None | Some(Reached::Yes) => Some(Reached::Yes),
    }
}

proptest! {
    #[test]
    fn the_product_of_three_chances(findings in findings()) {
        let credence = Credence::of(&findings);
        let parts = [&credence.boundary, &credence.same, &credence.introduced];
        for part in parts {
            prop_assert!((0.0..=1.0).contains(&part.chance), "{part:?}");
            prop_assert!(!part.reason.is_empty() && !part.reason.contains('\n'));
        }
        let product: f64 = parts.iter().map(|part| part.chance).product();
        prop_assert!((credence.probability - product).abs() < 1e-12);
        prop_assert!(credence.probability <= parts.iter().map(|part| part.chance).fold(1.0, f64::min));
    }

    #[test]
    fn better_evidence_makes_no_name_less_sure(findings in findings(), more in 0.0..=1.0_f64, times in 1.0..1e3_f64) {
        let sure = Credence::of(&findings).probability;
        let up = |chance: f64| chance + more * (1.0 - chance);
        let better = [
            Findings { boundary: up(findings.boundary), ..findings.clone() },
            Findings { same: up(findings.same), ..findings.clone() },
            Findings { shown: up(findings.shown), ..findings.clone() },
            Findings { equal_kernels: false, ..findings.clone() },
            Findings { releases: findings.releases.saturating_sub(1), ..findings.clone() },
            Findings { reached: better_seen(findings.reached), ..findings.clone() },
            Findings {
                credit: findings.credit.clone().map(|credit| Credit { odds: credit.odds * times, ..credit }),
                ..findings.clone()
            },
        ];
        for better in better {
            prop_assert!(Credence::of(&better).probability >= sure - 1e-12, "{better:?}");
        }
    }
}

#[test]
fn a_walk_of_more_releases_hides_more_bugs() {
    let walks: Vec<f64> = (0..60).map(table::vanished).collect();
    assert!(walks.is_sorted());
    assert_eq!(walks[..3], [0.15, 0.15, 0.31]);
    assert_eq!(walks[59], 0.57);
}

#[test]
fn without_an_opinion_the_walk_alone_counts() {
    let findings = Findings {
        boundary: 1.0,
        trials: Trials::Search,
        same: 1.0,
        shown: 1.0,
        equal_kernels: false,
        releases: 2,
        reached: None,
        credit: None,
    };
    let credence = Credence::of(&findings);
    assert!((credence.introduced.chance - 0.69).abs() < 1e-9);
    assert_eq!(credence.boundary.chance, 1.0);
    for odds in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
        let credit = Some(Credit { odds, reason: "nonsense".to_owned() });
        assert_eq!(Credence::of(&Findings { credit, ..findings.clone() }), credence);
    }
}

#[test]
fn reasons_are_told() {
    let credit = Some(Credit { odds: 2.0, reason: "it touches fs/a.c".to_owned() });
    let findings = Findings {
        boundary: 0.98,
        trials: Trials::Log,
        same: 0.25,
        shown: 0.3,
        equal_kernels: true,
        releases: 3,
        reached: None,
        credit,
    };
    let credence = Credence::of(&findings);
    assert_eq!(credence.boundary.reason, "the log's trials, judged anew, give it 98 %; but its kernel equals its parent's");
    assert_eq!(credence.same.reason, "30 % of its trials show the crash, which is the target's with 25 %");
    assert_eq!(
        credence.introduced.reason,
        "it is clean only 3 releases back, where 34 % of the bugs only hide; it touches fs/a.c; the crash here is unlike that at the start"
    );
}

#[test]
fn what_the_parent_reaches_decides_where_the_trials_cannot() {
    let introduced = |reached, odds: f64| {
        let credit = Some(Credit { odds, reason: "it looks so".to_owned() });
        let findings = Findings {
            boundary: 0.99,
            trials: Trials::Search,
            same: 0.98,
            shown: 1.0,
            equal_kernels: false,
            releases: 1,
            reached,
            credit,
        };
        Credence::of(&findings).introduced.chance
    };
    for odds in [0.5, 1.0, 3.0, 30.0] {
        assert!(introduced(Some(Reached::No), odds) <= 0.2, "{odds}");
        assert!(introduced(Some(Reached::Yes), odds) >= 0.9, "{odds}");
        assert_eq!(introduced(Some(Reached::Unknown), odds), introduced(None, odds));
    }
}
