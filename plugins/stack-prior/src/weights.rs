//! What the plugin believes, as data: how many times more frequent something is among culprits than among commits.
//!
//! Source: the final splats and diffstats of 127 bisections by syzbot whose named commit was right, against 41,000 pairs of such a splat
//! with another bug's commit (`bisection-science.md` §4 and §8). There, .85 of the culprits touch a file of the stack, and .02 of the
//! others. Both are kinder than they may be trusted to be: a bisection that came out right had a reproducer that reached the bug, and
//! fits are made to their data. So the rows of commits that touch the stack have about .7 of what was measured, and the others twice.

use crate::place::Place;

/// A row of [`TABLE`]: where a commit is, and its weight where it has no word of the crash's, one, or more.
type Row = (Place, [f64; 3]);

/// The weights, by the nearest place that a commit touches and by the number of words in common.
pub const TABLE: [Row; 9] = [
    // Measured 81, 90, 176: .51 of the culprits, .004 of the others.
    (Place::Guilty, [50.0, 60.0, 100.0]),
    // Measured 19, 15, 171: .26 and .008.
    (Place::Near, [20.0, 20.0, 60.0]),
    // Measured 12, 15, more: .06 and .005.
    (Place::Far, [10.0, 10.0, 20.0]),
    // Measured 6 in all: .02 and .004.
    (Place::Before, [2.0, 4.0, 6.0]),
    // Measured .7, none, 19: .04 and .02.
    (Place::Folder, [2.0, 4.0, 15.0]),
    // Between its neighbours; no MAINTAINERS files came with the data.
    (Place::Entry, [1.0, 2.0, 15.0]),
    // Measured .1, .1, 8: .10 and .96.
    (Place::Elsewhere, [0.35, 1.0, 12.0]),
    // 26 of 314 wrong names were merges, and none of 273 right ones. Those that change nothing by themselves; a culprit among them is two
    // branches that do not fit together.
    (Place::Nothing, [0.05, 0.05, 0.05]),
    // 14 of 147 wrong names, and none of 127 right ones; such a commit is not in the kernel at all (`bisection-science.md` §4).
    (Place::Unbuilt, [1e-4, 1e-4, 1e-4]),
];

/// The weight of a commit at this place with so many words in common with the crash.
#[must_use]
pub fn of(place: Place, words: usize) -> f64 {
    let row = TABLE.iter().find(|(of, _)| *of == place);
    row.map_or(1.0, |(_, weights)| weights[words.min(weights.len() - 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_places_and_more_words_are_never_worth_less() {
        for (place, weights) in TABLE {
            assert!(weights.is_sorted(), "{place:?}");
            assert!(weights.iter().all(|weight| weight.is_finite() && *weight > 0.0), "{place:?}");
        }
        for words in 0..3 {
            // `Before` is machinery that many crashes pass through; a folder's other files have only little to do with them.
            let ordered = [Place::Guilty, Place::Near, Place::Far, Place::Folder, Place::Entry, Place::Elsewhere, Place::Nothing];
            assert!(ordered.windows(2).all(|pair| of(pair[0], words) >= of(pair[1], words)), "{words}");
        }
        assert_eq!(of(Place::Elsewhere, 99), 12.0);
    }

    /// The mean weight of commits at large is 1, or "no opinion" would be one.
    #[test]
    fn weights_are_over_the_mean() {
        let shares = [
            (Place::Guilty, [12.0, 93.0, 66.0]),
            (Place::Near, [135.0, 155.0, 34.0]),
            (Place::Far, [168.0, 22.0, 0.0]),
            (Place::Before, [102.0, 56.0, 0.0]),
            (Place::Folder, [496.0, 237.0, 69.0]),
            (Place::Elsewhere, [36114.0, 3026.0, 160.0]),
        ];
        let counted = shares.iter().flat_map(|(place, counts)| (0..3).map(move |words| (counts[words], of(*place, words))));
        let (sum, all) = counted.fold((0.0, 0.0), |(sum, all), (count, weight)| (sum + count * weight, all + count));
        assert!((sum / all - 1.0).abs() < 0.1, "{}", sum / all);
    }
}
