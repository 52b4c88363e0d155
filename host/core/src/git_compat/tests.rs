#![allow(clippy::unwrap_used, reason = "tests")]

use super::steps;

#[test]
fn steps_are_gits() {
    let expected = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3];
    // `git rev-list --bisect-vars` on lines of 0 to 12 commits.
    assert_eq!((0..13).map(steps).collect::<Vec<_>>(), expected);
}
