//! The cases, by their numbers in `conformance-data.md` §2.1. Left out are 34, 36 and 37, which need another tree.

use std::ops::RangeInclusive;

/// No commit: none has this number.
const NOWHERE: RangeInclusive<u32> = 0..=0;

/// What a kernel without the bug shows beside clean runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    /// Nothing.
    Nothing,
    /// A failure of the testing tools in the first run.
    Syzfatal,
    /// A third of the machines goes without a word.
    LostConnection,
}

/// A configuration that is to be made smaller, on the tree of `tests/config_tree`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Smaller {
    /// What the kernel is by its configuration, as `scripts/image.sh` has it: the word and the options.
    pub(crate) rule: &'static str,
    /// The baseline.
    pub(crate) baseline: &'static str,
    /// What kernels are configured with in the end.
    pub(crate) config: &'static str,
}

/// What the cases' configurations have on before, and their baseline.
pub(crate) const WHOLE: &str =
    "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\nCONFIG_D=y\nCONFIG_I=42\n# CONFIG_DETECT_HUNG_TASK is not set\n";
const BASELINE: &str = "CONFIG_A=y\n# CONFIG_DETECT_HUNG_TASK is not set\n";

/// The baseline's options, those of the whole configuration, and those without which case 7 shows nothing.
const AS_BASELINE: &str = "A=y I=1";
const AS_BEFORE: &str = "A=y B=y C=y D=y I=42";
const AS_NEEDED: &str = "A=y C=y I=42";

/// One case: what the world is like, and what syzkaller says.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Its number in the reference.
    pub(crate) number: u32,
    /// Its name there.
    pub(crate) name: &'static str,
    /// The fix is looked for.
    pub(crate) fix: bool,
    /// Where the crash was seen.
    pub(crate) start: u32,
    /// The commit that brought the bug; none: it was always there.
    pub(crate) bug: Option<u32>,
    /// The commit that mended it; none, or one that is not there: nothing did.
    pub(crate) mended: Option<u32>,
    /// The reproducer works in two runs of ten, three of twenty.
    pub(crate) flaky: bool,
    /// The bug is a failure of the testing tools.
    pub(crate) is_syzfatal: bool,
    /// What good kernels show.
    pub(crate) noise: Noise,
    /// Commits that do not boot.
    pub(crate) broken: RangeInclusive<u32>,
    /// Commits at which more than half of the machines fail.
    pub(crate) infra: RangeInclusive<u32>,
    /// Commits of one and the same kernel.
    pub(crate) same: RangeInclusive<u32>,
    /// What syzkaller answers.
    pub(crate) answer: Answer,
    /// The kernel of the commit that it names equals the parent's.
    pub(crate) no_op: bool,
    /// The commit that it names is a release.
    pub(crate) release: bool,
    /// Whether a crash report comes with the answer; none: the reference does not say.
    pub(crate) report: Option<bool>,
    /// The configuration, where it is to be made smaller.
    pub(crate) smaller: Option<Smaller>,
    /// Between what the confidence lies.
    pub(crate) confidence: Option<(f64, f64)>,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This commit.
    Commit(u32),
    /// No commit: the oldest or latest one, which is given, still crashes or cannot be tested.
    End(u32),
    /// So many commits.
    Several(usize),
    /// An error.
    Error,
    /// An error that is the infrastructure's.
    Infrastructure,
}

const CAUSE: Case = Case {
    number: 0,
    name: "",
    fix: false,
    start: 905,
    bug: None,
    mended: None,
    flaky: false,
    is_syzfatal: false,
    noise: Noise::Nothing,
    broken: NOWHERE,
    infra: NOWHERE,
    same: NOWHERE,
    answer: Answer::Error,
    no_op: false,
    release: false,
    report: None,
    smaller: None,
    confidence: None,
};
const WITH_BASELINE: Case = Case { bug: Some(602), answer: Answer::Commit(602), ..CAUSE };
const FIX: Case = Case { fix: true, start: 400, ..CAUSE };

/// The cases.
pub(crate) static CASES: [Case; 34] = [
    Case {
        number: 1,
        name: "cause-finds-cause",
        bug: Some(602),
        answer: Answer::Commit(602),
        report: Some(true),
        confidence: Some((0.99, 1.01)),
        ..CAUSE
    },
    Case {
        number: 2,
        name: "cause-finds-cause-flaky",
        bug: Some(605),
        flaky: true,
        answer: Answer::Commit(605),
        report: Some(true),
        confidence: Some((0.8, 0.9)),
        ..CAUSE
    },
    Case {
        number: 3,
        name: "cause-finds-cause-baseline-repro",
        smaller: Some(Smaller { rule: "", baseline: BASELINE, config: AS_BASELINE }),
        ..WITH_BASELINE
    },
    Case {
        number: 4,
        name: "cause-finds-cause-baseline-does-not-repro",
        smaller: Some(Smaller { rule: "mute A B C D", baseline: BASELINE, config: AS_BEFORE }),
        ..WITH_BASELINE
    },
    Case {
        number: 5,
        name: "cause-finds-cause-baseline-fails",
        smaller: Some(Smaller { rule: "fails A B C D", baseline: BASELINE, config: AS_BEFORE }),
        ..WITH_BASELINE
    },
    Case {
        number: 6,
        name: "cause-finds-cause-baseline-skip",
        smaller: Some(Smaller { rule: "broken A B C D", baseline: BASELINE, config: AS_BEFORE }),
        ..WITH_BASELINE
    },
    Case {
        number: 7,
        name: "cause-finds-cause-minimize-succeeds",
        smaller: Some(Smaller { rule: "mute C", baseline: BASELINE, config: AS_NEEDED }),
        ..WITH_BASELINE
    },
    // Its minimizer fails; what fails here is its input.
    Case {
        number: 8,
        name: "cause-finds-cause-minimize-fails",
        smaller: Some(Smaller { rule: "", baseline: "CONFIG_A\n", config: "" }),
        answer: Answer::Error,
        ..WITH_BASELINE
    },
    Case {
        number: 9,
        name: "config-minimize-same-hash",
        bug: Some(905),
        same: 904..=905,
        smaller: Some(Smaller { rule: "mute C", baseline: BASELINE, config: AS_NEEDED }),
        answer: Answer::Commit(905),
        no_op: true,
        ..WITH_BASELINE
    },
    Case { number: 10, name: "cause-does-not-repro", start: 400, ..CAUSE },
    Case { number: 11, name: "cause-crashes-oldest", answer: Answer::End(400), report: Some(true), ..CAUSE },
    Case {
        number: 12,
        name: "cause-inconclusive",
        start: 802,
        bug: Some(605),
        broken: 500..=700,
        answer: Answer::Several(15),
        report: Some(false),
        ..CAUSE
    },
    Case { number: 13, name: "all-releases-broken", start: 802, broken: 100..=800, ..CAUSE },
    Case { number: 14, name: "fix-finds-fix", mended: Some(500), answer: Answer::Commit(500), release: true, ..FIX },
    Case {
        number: 15,
        name: "fix-finds-fix-after-bug",
        start: 802,
        bug: Some(704),
        mended: Some(803),
        answer: Answer::Commit(803),
        ..FIX
    },
    Case {
        number: 16,
        name: "fix-finds-fix-despite-syzfatal",
        mended: Some(500),
        noise: Noise::Syzfatal,
        answer: Answer::Commit(500),
        release: true,
        ..FIX
    },
    Case {
        number: 17,
        name: "fix-finds-fix-despite-lost-connection",
        mended: Some(500),
        noise: Noise::LostConnection,
        answer: Answer::Commit(500),
        release: true,
        ..FIX
    },
    Case {
        number: 18,
        name: "fix-finds-fix-for-syzfatal",
        mended: Some(500),
        is_syzfatal: true,
        answer: Answer::Commit(500),
        release: true,
        ..FIX
    },
    Case { number: 19, name: "fix-does-not-repro", start: 905, mended: Some(900), ..FIX },
    Case {
        number: 20,
        name: "fix-HEAD-broken",
        mended: Some(1000),
        broken: 500..=1000,
        answer: Answer::End(905),
        report: Some(true),
        ..FIX
    },
    Case { number: 21, name: "fix-HEAD-crashes", mended: Some(1000), answer: Answer::End(905), report: Some(true), ..FIX },
    Case {
        number: 22,
        name: "fix-inconclusive",
        start: 500,
        mended: Some(601),
        broken: 600..=700,
        answer: Answer::Several(9),
        ..FIX
    },
    Case {
        number: 23,
        name: "cause-same-binary",
        bug: Some(503),
        same: 502..=503,
        answer: Answer::Commit(503),
        no_op: true,
        ..CAUSE
    },
    Case {
        number: 24,
        name: "cause-same-binary-off-by-one",
        bug: Some(503),
        same: 400..=502,
        answer: Answer::Commit(503),
        ..CAUSE
    },
    Case {
        number: 25,
        name: "cause-same-binary-off-by-one-2",
        bug: Some(503),
        same: 503..=905,
        answer: Answer::Commit(503),
        ..CAUSE
    },
    Case {
        number: 26,
        name: "fix-same-binary",
        mended: Some(503),
        same: 502..=504,
        answer: Answer::Commit(503),
        no_op: true,
        ..FIX
    },
    Case {
        number: 27,
        name: "cause-same-binary-release1",
        bug: Some(500),
        same: 405..=500,
        answer: Answer::Commit(500),
        no_op: true,
        release: true,
        ..CAUSE
    },
    Case {
        number: 28,
        name: "cause-same-binary-release2",
        bug: Some(501),
        same: 500..=501,
        answer: Answer::Commit(501),
        no_op: true,
        ..CAUSE
    },
    Case {
        number: 29,
        name: "cause-same-binary-release3",
        bug: Some(405),
        same: 404..=405,
        answer: Answer::Commit(405),
        no_op: true,
        ..CAUSE
    },
    Case {
        number: 30,
        name: "fix-same-binary-last",
        mended: Some(905),
        same: 904..=905,
        answer: Answer::Commit(905),
        no_op: true,
        ..FIX
    },
    Case { number: 31, name: "fix-release", mended: Some(900), answer: Answer::Commit(900), release: true, ..FIX },
    Case {
        number: 32,
        name: "cause-not-in-previous-release-issue-1527",
        bug: Some(650),
        same: 500..=650,
        answer: Answer::Commit(650),
        no_op: true,
        ..CAUSE
    },
    Case { number: 33, name: "cause-infra-problems", bug: Some(602), infra: 600..=800, answer: Answer::Infrastructure, ..CAUSE },
    Case {
        number: 35,
        name: "cause-finds-other-branch-commit",
        start: 852,
        bug: Some(602),
        answer: Answer::Commit(602),
        report: Some(true),
        ..CAUSE
    },
];
