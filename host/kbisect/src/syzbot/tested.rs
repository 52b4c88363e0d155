//! What a log tested, and what came of it.

use std::collections::HashMap;

use kbisect_core::commit::CommitId;
use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;

use super::Compiler;
use super::Item;
use super::Log;
use crate::gitlog::Mark;

/// Runs that were made at a commit where nothing tells their number.
const USUAL_RUNS: usize = 10;

/// Runs at the start commit, and at every one once the reproducer was seen to be flaky; since 2021.
const MORE_RUNS: usize = 20;

/// Remarks that are followed by the test of a merge base.
const TESTS_A_MERGE_BASE: [&str; 2] = ["is a merge base, check if it has the bug", "no existing result, test the revision"];

/// Why a commit was tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Where the crash was seen.
    Start,
    /// The start commit with a smaller configuration.
    Config,
    /// A release on the walk back.
    Release(String),
    /// The newest commit, for a fix.
    Head,
    /// A merge base of the ends.
    MergeBase,
    /// A step of `git bisect`.
    Step,
    /// The culprit's parent: it was built and not run.
    Parent,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// Nothing happened.
    Ok,
    /// A crash with this title.
    Crashed(String),
    /// A crash that did not count, with this title.
    Ignored(String),
    /// It says nothing of the commit.
    Void(Failure),
}

/// A test of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The commit.
    pub commit: CommitId,
    /// The first line of its message, where git told it.
    pub subject: Option<String>,
    /// Why it was tested.
    pub place: Place,
    /// The compiler's own words, where they are told.
    pub compiler: Option<String>,
    /// Digest of the kernel.
    pub signature: Option<String>,
    /// Why it was not built, mostly in several lines.
    pub build_failed: Option<String>,
    /// How the runs ended, in order.
    pub runs: Vec<Run>,
    /// The runs are told in one line, `all runs: …`: their number is a guess by what other lines of the log show.
    pub guessed: bool,
    /// The verdict, turned round where a fix is looked for: `Bad` is a commit with the crash. What git was told, else what the way
    /// that the bisection took says of the start commit and the releases; none where it says nothing.
    pub verdict: Option<Mark>,
}

impl Tested {
    /// How many runs crashed in a way that counted.
    pub fn crashes(&self) -> usize {
        self.runs.iter().filter(|run| matches!(run, Run::Crashed(_))).count()
    }

    /// How many runs were clean.
    pub fn clean(&self) -> usize {
        self.runs.iter().filter(|run| **run == Run::Ok).count()
    }
}

impl Run {
    /// How a run ended, from the log's words.
    pub fn read(said: &str) -> Self {
        let void = |stage, reason: &str| Self::Void(Failure { stage, reason: one_line(reason) });
        if said == "OK" {
            Self::Ok
        } else if let Some(title) = said.strip_prefix("crashed: ") {
            Self::Crashed(title.trim().to_owned())
        } else if let Some(title) = said.strip_prefix("ignore: ") {
            Self::Ignored(title.trim().to_owned())
        } else if let Some(why) = said.strip_prefix("boot failed: ") {
            // Until 2023 the cloud's refusals were told so.
            let cloud = ["failed to create instance", "failed to get create", "failed to create image", "googleapi: "];
            void(if cloud.iter().any(|begin| why.starts_with(begin)) { Stage::Infra } else { Stage::Boot }, why)
        } else if let Some(why) = said.strip_prefix("basic kernel testing failed: ") {
            void(if why.starts_with("failed to copy ") { Stage::Copy } else { Stage::Control }, why)
        } else {
            let why = ["infra problem: ", "failed: "].iter().find_map(|begin| said.strip_prefix(begin));
            void(Stage::Infra, why.unwrap_or(said))
        }
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

impl Log {
    /// The tests, in the order of the log.
    pub fn tests(&self) -> Vec<Tested> {
        let mut walk =
            Walk { tests: Vec::new(), next: None, searching: false, subjects: HashMap::new(), told_at_once: Vec::new() };
        self.told_whole().iter().for_each(|item| walk.take(item));
        walk.spell_out(self.has_more_runs_at_start());
        let mut tests = walk.tests;
        self.judge(&mut tests);
        tests
    }

    /// The items but for one at the end that was cut off: the first words of a line look like the output of a build that failed, and a
    /// crash's title may have gone on.
    fn told_whole(&self) -> &[Item] {
        match self.items.split_last() {
            Some((Item::BuildFailed { .. }, before)) => before,
            Some((Item::Ran { .. }, before)) if !self.final_newline => before,
            _ => &self.items,
        }
    }

    /// The commits that were run, in the order of their first test, each with all its runs; tests with a smaller configuration are
    /// left out.
    pub fn commits(&self) -> Vec<Tested> {
        let mut commits: Vec<Tested> = Vec::new();
        let mut places: HashMap<CommitId, usize> = HashMap::new();
        for test in self.tests().into_iter().filter(|test| !matches!(test.place, Place::Config | Place::Parent)) {
            match places.get(&test.commit).and_then(|place| commits.get_mut(*place)) {
                Some(known) => {
                    known.runs.extend(test.runs);
                    known.guessed |= test.guessed;
                    known.signature = known.signature.take().or(test.signature);
                    known.build_failed = known.build_failed.take().or(test.build_failed);
                }
                None => {
                    places.insert(test.commit, commits.len());
                    commits.push(test);
                }
            }
        }
        commits
    }

    /// Since the lines name the compiler apart, there are twice as many runs at the start commit.
    fn has_more_runs_at_start(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Compiler(_)))
    }

    /// Fills in the verdicts.
    fn judge(&self, tests: &mut [Tested]) {
        let mut marks: HashMap<CommitId, Mark> = HashMap::new();
        let mut search = false;
        for item in &self.items {
            match item {
                Item::Marked { mark, commit } => {
                    marks.insert(*commit, mark.turned(self.kind));
                }
                Item::BisectStart { bad, good } => {
                    search = true;
                    for (end, mark) in [(bad, Mark::Bad), (good, Mark::Good)] {
                        let named = |test: &&Tested| test.place == Place::Release(end.clone());
                        let commit = end.parse().ok().or_else(|| tests.iter().find(named).map(|test| test.commit));
                        marks.extend(commit.map(|commit| (commit, mark.turned(self.kind))));
                    }
                }
                _ => {}
            }
        }
        let releases = |test: &Tested| matches!(test.place, Place::Release(_));
        let count = tests.iter().filter(|test| releases(test)).count();
        let mut seen = 0;
        let moved_on = tests.len() > 1;
        for test in tests {
            seen += usize::from(releases(test));
            test.verdict = match test.place {
                Place::Config | Place::Parent => None,
                _ if marks.contains_key(&test.commit) => marks.get(&test.commit).copied(),
                // The bisection goes on only from a start commit that crashed.
                Place::Start if moved_on => Some(Mark::Bad),
                // The walk goes on behind a release that crashed, or that could not be tested; it ends before a search at a good one.
                Place::Release(_) if seen < count || search || test.crashes() > 0 => {
                    Some(if test.crashes() > 0 { Mark::Bad } else { Mark::Skip })
                }
                _ => None,
            };
        }
    }
}

/// A walk over the items.
struct Walk {
    tests: Vec<Tested>,
    /// Why the next test is made.
    next: Option<Place>,
    /// `git bisect` has begun.
    searching: bool,
    subjects: HashMap<CommitId, String>,
    /// Tests whose runs are told in one line, with what it says, and whether the reproducer was known to be flaky.
    told_at_once: Vec<(usize, String, bool)>,
}

impl Walk {
    fn take(&mut self, item: &Item) {
        match item {
            Item::Release(tag) => self.next = Some(Place::Release(tag.clone())),
            Item::Head(_) => self.next = Some(Place::Head),
            Item::ParentUntested(_) => self.next = Some(Place::Parent),
            Item::MergeBaseFirst => self.next = Some(Place::MergeBase),
            Item::Remark(text) if TESTS_A_MERGE_BASE.iter().any(|words| text.contains(words)) => {
                self.next = Some(Place::MergeBase);
            }
            Item::BisectStart { .. } => self.searching = true,
            Item::CheckedOut { commit, subject } => {
                self.subjects.insert(*commit, subject.clone());
            }
            Item::Testing { commit, compiler } => self.begin(*commit, compiler.as_ref()),
            Item::Compiler(words) => {
                if let Some(test) = self.tests.last_mut() {
                    test.compiler = Some(words.clone());
                }
            }
            Item::Signature(signature) => {
                if let Some(test) = self.tests.last_mut() {
                    test.signature = Some(signature.clone());
                }
            }
            Item::BuildFailed { why, .. } => {
                if let Some(test) = self.tests.last_mut() {
                    test.build_failed = Some(why.trim_end().to_owned());
                }
            }
            Item::Ran { run: Some(_), said } => {
                if let Some(test) = self.tests.last_mut() {
                    test.runs.push(Run::read(said));
                }
            }
            Item::Ran { run: None, said } => {
                if let Some(last) = self.tests.len().checked_sub(1) {
                    self.told_at_once.push((last, said.clone(), false));
                }
            }
            Item::Remark(text) if text.starts_with("reproducer seems to be flaky") => {
                let last = self.tests.len();
                // Marks every later test: the list is in order.
                self.told_at_once.push((last, String::new(), true));
            }
            _ => {}
        }
    }

    fn begin(&mut self, commit: CommitId, compiler: Option<&Compiler>) {
        let place = match self.next.take() {
            Some(place) => place,
            None if self.tests.is_empty() => Place::Start,
            None if self.searching => Place::Step,
            None => Place::Config,
        };
        self.tests.push(Tested {
            commit,
            subject: self.subjects.get(&commit).cloned(),
            place,
            compiler: compiler.and_then(|compiler| match compiler {
                Compiler::With(words) => Some(words.clone()),
                Compiler::Family(_) => None,
            }),
            signature: None,
            build_failed: None,
            runs: Vec::new(),
            guessed: false,
            verdict: None,
        });
    }

    /// Writes out what `all runs: …` stands for: as many runs as at the test before it that lists them, else as at the one behind it.
    fn spell_out(&mut self, more_at_start: bool) {
        let listed: Vec<(usize, usize)> = self
            .tests
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, test)| !test.runs.is_empty())
            .map(|(at, test)| (at, test.runs.len()))
            .collect();
        let mut flaky = false;
        for (at, said, from_here) in std::mem::take(&mut self.told_at_once) {
            if from_here {
                flaky = true;
                continue;
            }
            let before = listed.partition_point(|(place, _)| *place < at);
            let near = before.checked_sub(1).or((!listed.is_empty()).then_some(before));
            let near = near.and_then(|near| listed.get(near)).map_or(USUAL_RUNS, |(_, runs)| *runs);
            let count = if flaky || at == 0 && more_at_start { MORE_RUNS } else { near };
            let test = &mut self.tests[at];
            test.runs.extend(std::iter::repeat_n(Run::read(&said), count));
            test.guessed = true;
        }
    }
}
