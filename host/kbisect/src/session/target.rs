//! Which crash is bisected: what the user stated, or the largest cluster of the crashes at the start commit.

use kbisect_core::crash::CrashReport;

use super::looks::same_face;

/// Origin of a target that was found at the start commit rather than stated.
pub(super) const FOUND: &str = "start commit";

/// The largest cluster is the target's for sure where it is the more frequent one with this chance.
pub(super) const CLEAR: f64 = 0.95;
/// So many trials are added at the start commit while it is not.
pub(super) const MORE: u32 = 5;
/// Trials at the start commit after which the largest cluster is taken though another one is nearly as large.
pub(super) const ENOUGH: u32 = 30;

/// Crashes that are taken for one another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cluster {
    /// Its different faces, most frequent first.
    pub faces: Vec<CrashReport>,
    /// Trials that showed one of them.
    pub trials: u32,
}

impl Cluster {
    /// The title that it shows most often.
    pub(super) fn title(&self) -> &str {
        &self.faces[0].title
    }
}

/// Groups the crashes of the start commit's trials, largest group first; equal ones keep the order in which they were seen.
///
/// `related` says whether two reports are taken for one another; groups are its transitive closure.
pub(crate) fn clusters(reports: &[CrashReport], mut related: impl FnMut(&CrashReport, &CrashReport) -> bool) -> Vec<Cluster> {
    let mut faces: Vec<(&CrashReport, u32)> = Vec::new();
    for report in reports {
        match faces.iter_mut().find(|(face, _)| same_face(face, report)) {
            Some((_, trials)) => *trials += 1,
            None => faces.push((report, 1)),
        }
    }
    let mut group: Vec<usize> = (0..faces.len()).collect();
    for later in 1..faces.len() {
        for earlier in 0..later {
            if group[earlier] != group[later] && related(faces[earlier].0, faces[later].0) {
                let (from, to) = (group[later], group[earlier]);
                group.iter_mut().filter(|member| **member == from).for_each(|member| *member = to);
            }
        }
    }
    let mut clusters: Vec<Cluster> = Vec::new();
    for leader in 0..faces.len() {
        let mut members: Vec<(&CrashReport, u32)> =
            (0..faces.len()).filter(|&face| group[face] == leader).map(|face| faces[face]).collect();
        if members.is_empty() {
            continue;
        }
        members.sort_by_key(|(_, trials)| std::cmp::Reverse(*trials));
        clusters.push(Cluster {
            trials: members.iter().map(|(_, trials)| trials).sum(),
            faces: members.into_iter().map(|(report, _)| report.clone()).collect(),
        });
    }
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.trials));
    clusters
}

/// The chance that of two crashes the first is the more frequent one, after so many trials that showed the one or the other: that more
/// than half of them show the first, where any share is as likely before, is that of at most `first` heads among one more toss.
pub(super) fn leads(first: u32, second: u32) -> f64 {
    let tosses = first + second + 1;
    let (mut ways, mut sum) = (1.0, 0.0);
    for heads in 0..=first {
        sum += ways;
        ways *= f64::from(tosses - heads) / f64::from(heads + 1);
    }
    sum / f64::from(tosses).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(title: &str) -> CrashReport {
        CrashReport::titled(title)
    }

    fn shapes(titles: &[&str]) -> Vec<(Vec<String>, u32)> {
        let reports: Vec<CrashReport> = titles.iter().map(|title| titled(title)).collect();
        let first = |report: &CrashReport| report.title.chars().next();
        clusters(&reports, |one, other| first(one) == first(other))
            .into_iter()
            .map(|cluster| (cluster.faces.into_iter().map(|face| face.title).collect(), cluster.trials))
            .collect()
    }

    #[test]
    fn the_largest_group_of_relatives_comes_first() {
        let owned = |titles: &[&str]| titles.iter().map(|&title| title.to_owned()).collect::<Vec<_>>();
        assert_eq!(shapes(&[]), []);
        assert_eq!(shapes(&["b1", "a1", "a2", "a2"]), [(owned(&["a2", "a1"]), 3), (owned(&["b1"]), 1)]);
        assert_eq!(shapes(&["a", "b"]), [(owned(&["a"]), 1), (owned(&["b"]), 1)]);
    }

    #[test]
    fn the_lead_of_a_crash_is_the_beta_integral_above_a_half() {
        // By summing up p^first (1 - p)^second on both sides of a half.
        let summed = |first: u32, second: u32| {
            let weight = |step: u32| {
                let p = (f64::from(step) + 0.5) / 20_000.0;
                p.powi(first as i32) * (1.0 - p).powi(second as i32)
            };
            let above: f64 = (10_000..20_000).map(weight).sum();
            above / (above + (0..10_000).map(weight).sum::<f64>())
        };
        for (first, second) in [(0, 0), (1, 1), (3, 1), (4, 2), (6, 1), (8, 2), (12, 11), (28, 2)] {
            assert!((leads(first, second) - summed(first, second)).abs() < 1e-6, "{first} {second}");
        }
        assert!(leads(4, 2) < CLEAR && leads(6, 1) >= CLEAR, "{} {}", leads(4, 2), leads(6, 1));
    }
}
