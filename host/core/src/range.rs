//! Releases: which tags are some, in what order they come, and which of them to test on the way back through history.
//!
//! Owns the rule only; the tags come from the caller, and the walk itself is [`crate::bisector`]'s.

use std::cmp::Reverse;

/// A release tag such as `v6.5` or `v5.15.10`; release candidates (`v6.5-rc3`) are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseTag {
    major: u32,
    minor: u32,
    /// 0 for a release without one.
    patch: u32,
}

impl ReleaseTag {
    /// Reads a tag: `v`, two numbers and perhaps a third one with dots between them, and nothing else. A tag with `-rc` and a
    /// number after the second one is well-formed to syzkaller, too, but no release.
    pub fn parse(tag: &str) -> Option<Self> {
        let mut numbers = tag.strip_prefix('v')?.split('.').map(number);
        let (major, minor) = (numbers.next()??, numbers.next()??);
        let patch = numbers.next().unwrap_or(Some(0))?;
        numbers.next().is_none().then_some(Self { major, minor, patch })
    }
}

fn number(digits: &str) -> Option<u32> {
    // `parse` would take a sign, too.
    if digits.bytes().all(|digit| digit.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// The release tags among `tags`, newest first by number; each comes with its text.
pub fn releases<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<(ReleaseTag, &'a str)> {
    let mut releases: Vec<(ReleaseTag, &str)> = tags.into_iter().filter_map(|tag| Some((ReleaseTag::parse(tag)?, tag))).collect();
    releases.sort_by_key(|&(release, tag)| (Reverse(release), tag));
    releases.dedup_by_key(|&mut (release, _)| release);
    releases
}

/// Which of the releases, given newest first, to test on the walk back; their places in the list, newest first.
///
/// Syzkaller's rule (`syzkaller-policy.md` §3). Of stable releases (`v5.15.10`) the two newest and, of more than five, the middle
/// one. Of the others the first three, then every second one up to the thirteenth, then every third, and the oldest in any case.
pub fn pick_releases(releases: &[ReleaseTag]) -> Vec<usize> {
    let (stable, main): (Vec<usize>, Vec<usize>) = (0..releases.len()).partition(|&place| releases[place].patch > 0);
    let mut picks: Vec<usize> = stable.iter().copied().take(2).collect();
    if stable.len() > 5 {
        picks.push(stable[stable.len() / 2]);
    }
    let mut index = 0;
    while index < main.len() {
        picks.push(main[index]);
        index += match index {
            0 | 1 => 1,
            2..=10 => 2,
            _ => 3,
        };
    }
    picks.extend(main.last());
    picks.sort_unstable();
    picks.dedup();
    picks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `from` and `to` count down through minor releases; kernel majors end at .19 (4: .20).
    fn main_line(from: (u32, u32), to: (u32, u32)) -> Vec<String> {
        let mut tags = Vec::new();
        let (mut major, mut minor) = from;
        loop {
            tags.push(format!("v{major}.{minor}"));
            if (major, minor) == to {
                return tags;
            }
            if minor == 0 {
                major -= 1;
                minor = if major == 4 { 20 } else { 19 };
            } else {
                minor -= 1;
            }
        }
    }

    fn picked(tags: &[String]) -> String {
        let releases = releases(tags.iter().map(String::as_str));
        assert_eq!(releases.len(), tags.len());
        let numbers: Vec<ReleaseTag> = releases.iter().map(|&(release, _)| release).collect();
        let picks = pick_releases(&numbers);
        picks.iter().map(|&place| &releases[place].1[1..]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn picks_are_sparser_further_back() {
        assert_eq!(picked(&main_line((6, 5), (5, 4))), "6.5 6.4 6.3 6.1 5.19 5.17 5.15 5.13 5.10 5.7 5.4");
        assert_eq!(picked(&main_line((6, 5), (4, 18))), "6.5 6.4 6.3 6.1 5.19 5.17 5.15 5.13 5.10 5.7 5.4 5.1 4.19 4.18");
    }

    #[test]
    fn few_stable_releases_are_picked() {
        let stable = (1..=10).rev().map(|patch| format!("v5.15.{patch}"));
        let tags: Vec<String> = stable.chain(main_line((5, 15), (5, 4))).collect();
        assert_eq!(tags.len(), 22);
        assert_eq!(picked(&tags), "5.15.10 5.15.9 5.15.5 5.15 5.14 5.13 5.11 5.9 5.7 5.5 5.4");
    }

    #[test]
    fn the_oldest_is_always_picked_and_nothing_twice() {
        for count in 0..40 {
            let releases: Vec<ReleaseTag> = (0..count).rev().map(|minor| ReleaseTag { major: 4, minor, patch: 0 }).collect();
            let picks = pick_releases(&releases);
            assert!(picks.windows(2).all(|pair| pair[0] < pair[1]), "{picks:?}");
            assert_eq!(picks.last().copied(), (count as usize).checked_sub(1));
        }
    }

    #[test]
    fn tags_sort_by_number_and_candidates_are_left_out() {
        let tags =
            ["v5.9", "v5.10", "v5.10-rc3", "v5.10.2", "next-20240101", "v5.10.10", "5.11", "v5", "v5.x", "v5.1.2.3", "v+5.1"];
        let sorted: Vec<&str> = releases(tags).into_iter().map(|(_, tag)| tag).collect();
        assert_eq!(sorted, ["v5.10.10", "v5.10.2", "v5.10", "v5.9"]);
    }

    #[test]
    fn odd_tags_are_no_releases() {
        for tag in ["", "v", "v.", "v1.", "v.1", "v1.2.", "v1.2-rc", "v99999999999.1", "V1.2", "v1.2 "] {
            assert_eq!(ReleaseTag::parse(tag), None, "{tag}");
        }
    }
}
