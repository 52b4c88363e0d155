//! What became of making a configuration smaller, as data and as text.

use kbisect_core::minimize::Answer;
use serde::Deserialize;
use serde::Serialize;

use super::counted;

/// Names that are listed; more are counted.
const NAMED: usize = 6;

/// One smaller configuration, and whether it shows the crash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigTest {
    /// Which, from 1.
    pub test: u32,
    /// Options beyond the baseline that it has.
    pub options: usize,
    /// Groups of detectors that it does not have.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub off: Vec<String>,
    /// What came of it.
    pub answer: Answer,
    /// Whether a kernel was built for it: else the tree made of it what was tested before, or nothing that can be used.
    pub paid: bool,
    /// SHA-256 of the configuration as the tree makes it; empty where it makes none.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub digest: String,
    /// Trials that showed the target, and that said something.
    pub shown: (u32, u32),
    /// Why nobody can tell.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub why: String,
}

/// What became of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minimized {
    /// The smaller configuration's file in the run directory; none: kernels are built with the whole one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub config: Option<String>,
    /// Options beyond the baseline that are left.
    pub left: usize,
    /// Options beyond the baseline that there were.
    pub of: usize,
    /// Groups of detectors that are off now.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub off: Vec<String>,
    /// Groups of detectors without which the crash does not show.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub needed: Vec<String>,
    /// Groups of detectors that stayed because they find crashes of the target's type.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub kept: Vec<String>,
    /// Kernels that were built for it.
    pub builds: u32,
    /// Trials that were made for it.
    pub trials: u32,
    /// Why it is not smaller, or no further test was made; none where nothing more can go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

impl ConfigTest {
    /// The test in one line.
    pub fn told(&self) -> String {
        let options = counted(self.options as u64, "option");
        let off = if self.off.is_empty() { String::new() } else { format!(", without {}", listed(&self.off)) };
        let (hits, valid) = self.shown;
        let said = match (self.answer, self.paid) {
            (Answer::Shows, true) => format!("still shows the crash ({hits} of {valid})"),
            (Answer::Gone, true) => format!("does not show the crash ({hits} of {valid})"),
            (Answer::Shows, false) => "is a configuration that shows the crash".to_owned(),
            (Answer::Gone, false) => "is a configuration that does not show the crash".to_owned(),
            (Answer::Untestable, _) => format!("cannot be tested: {}", self.why),
        };
        format!("{options}{off}: {said}")
    }
}

impl Minimized {
    /// What came of it, in one line.
    pub fn told(&self) -> String {
        let effort = match (self.builds, self.trials) {
            (0, _) => String::new(),
            (builds, trials) => {
                format!(" ({} built for it, {})", counted(u64::from(builds), "kernel"), counted(u64::from(trials), "trial"))
            }
        };
        let mut text = match &self.config {
            Some(config) => {
                let of = counted(self.of as u64, "option");
                format!("{config}, with {} of the {of} beyond the baseline{effort}", self.left)
            }
            None => format!("the whole one{effort}"),
        };
        if !self.off.is_empty() {
            text += &format!("; off: {}", listed(&self.off));
        }
        if !self.needed.is_empty() {
            text += &format!("; without {} the crash does not show", listed(&self.needed));
        }
        if !self.kept.is_empty() {
            text += &format!("; {} finds such crashes and stays", listed(&self.kept));
        }
        match &self.why {
            Some(why) => format!("{text}; {why}"),
            None => text,
        }
    }
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text += &format!(" and {} more", names.len() - NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_is_one_line() {
        let smaller = Minimized {
            config: Some("config-minimized".to_owned()),
            left: 3,
            of: 41,
            off: vec!["UBSAN".to_owned(), "locks".to_owned()],
            needed: vec!["hangs".to_owned()],
            kept: vec!["KASAN".to_owned()],
            builds: 7,
            trials: 15,
            why: None,
        };
        assert_eq!(
            smaller.told(),
            "config-minimized, with 3 of the 41 options beyond the baseline (7 kernels built for it, 15 trials); off: UBSAN, locks; \
             without hangs the crash does not show; KASAN finds such crashes and stays"
        );
        let none = Minimized { of: 1, why: Some("3 of the smaller ones could not be tested".to_owned()), ..Minimized::default() };
        assert_eq!(none.told(), "the whole one; 3 of the smaller ones could not be tested");
    }

    #[test]
    fn a_test_is_one_line() {
        let test = ConfigTest {
            test: 2,
            options: 1,
            off: vec!["KASAN".to_owned()],
            answer: Answer::Gone,
            paid: true,
            digest: String::new(),
            shown: (0, 3),
            why: String::new(),
        };
        assert_eq!(test.told(), "1 option, without KASAN: does not show the crash (0 of 3)");
        let test = ConfigTest { answer: Answer::Untestable, why: "it does not build".to_owned(), off: Vec::new(), ..test };
        assert_eq!(test.told(), "1 option: cannot be tested: it does not build");
    }
}
