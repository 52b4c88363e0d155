//! Bisect sessions held with git and kbisect side by side.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::process::Command;

use super::history::History;
use super::history::Random;
use super::history::git;
use super::history::kbisect;

/// What a program said, and its exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: Option<i32>,
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    Said { stdout: text(output.stdout), stderr: text(output.stderr), exit: output.status.code() }
}

/// How often each thing was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sessions: usize,
    pub(crate) steps: usize,
    pub(crate) seen: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.steps += other.steps;
        for (what, count) in other.seen {
            *self.seen.entry(what).or_default() += count;
        }
    }

    fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    Bad,
    Skip,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Skip => "skip",
        }
    }
}

/// How marks come about in a session.
struct Manner {
    /// Where the bug came in; without one, marks are random.
    culprit: Option<usize>,
    /// Percentage of commits that cannot be tested.
    skips: usize,
    /// Percentage of marks on a commit that was not handed out.
    strays: usize,
    checkout: bool,
}

/// A session as git sees it.
pub(crate) struct Session<'a> {
    history: &'a History,
    first_parent: bool,
    bad: Option<usize>,
    good: BTreeSet<usize>,
    skip: BTreeSet<usize>,
    /// git's BISECT_EXPECTED_REV.
    expected: Option<usize>,
    /// git's BISECT_ANCESTORS_OK.
    ancestors_ok: bool,
    /// The git commands so far, to show when it fails.
    commands: Vec<String>,
    tally: Tally,
}

impl<'a> Session<'a> {
    /// Holds one session with marks by chance, and compares every answer.
    pub(crate) fn hold(history: &'a History, random: &mut Random) -> Tally {
        let mut session = Self {
            history,
            first_parent: random.percent(25),
            bad: None,
            good: BTreeSet::new(),
            skip: BTreeSet::new(),
            expected: None,
            ancestors_ok: false,
            commands: Vec::new(),
            tally: Tally { sessions: 1, ..Tally::default() },
        };
        if session.first_parent {
            session.tally.see("first parent");
        }
        let (bad, good) = session.ends(random);
        let manner = Manner {
            culprit: random.percent(80).then(|| session.culprit(bad, &good, random)),
            skips: random.pick(&[0, 0, 0, 15, 60, 95]),
            strays: random.pick(&[0, 0, 5]),
            checkout: random.percent(10),
        };
        let mut commit = if random.percent(15) {
            session.start_piecemeal(bad, &good, &manner, random)
        } else {
            session.start(bad, &good, &manner)
        };
        // Where nearly everything is skipped a session would take hundreds of steps.
        while session.tally.steps < 40
            && let Some(handed_out) = commit
        {
            let stray = random.percent(manner.strays);
            let marked = if stray { random.below(history.len()) } else { handed_out };
            let mark = match manner.culprit {
                _ if random.percent(manner.skips) => Mark::Skip,
                Some(culprit) if history.ancestors(marked)[culprit] => Mark::Bad,
                Some(_) => Mark::Good,
                None => random.pick(&[Mark::Good, Mark::Bad]),
            };
            commit = session.mark(mark, marked);
        }
        session.tally
    }

    /// A bad commit and good ones: mostly fit for bisecting, now and then not.
    fn ends(&self, random: &mut Random) -> (usize, Vec<usize>) {
        let len = self.history.len();
        let bad = len - 1 - random.below(len / 3);
        let inside = self.history.ancestors(bad);
        let older: Vec<usize> = (0..len).filter(|&number| inside[number] && number != bad).collect();
        let wanted = 1 + random.below(3);
        let good = (0..wanted).map(|_| match random.below(100) {
            0..3 => bad,
            3..30 => random.below(len),
            _ if older.is_empty() => random.below(len),
            // Long ranges have more to say.
            _ => older[random.below(older.len() / 3 + 1)],
        });
        (bad, good.collect())
    }

    fn culprit(&self, bad: usize, good: &[usize], random: &mut Random) -> usize {
        let mut between = self.history.ancestors(bad);
        for &good in good {
            for (between, outside) in between.iter_mut().zip(self.history.ancestors(good)) {
                *between &= !outside;
            }
        }
        let between: Vec<usize> = (0..self.history.len()).filter(|&number| between[number]).collect();
        // Where nothing lies between, the bug may be anywhere.
        if between.is_empty() || random.percent(10) { random.below(bad + 1) } else { random.pick(&between) }
    }

    /// Begins where a session with a checkout may have left off.
    fn reset(&self, manner: &Manner) {
        if manner.checkout {
            assert_eq!(said(git(self.history.path()).args(["bisect", "reset"])).exit, Some(0));
        }
    }

    fn start(&mut self, bad: usize, good: &[usize], manner: &Manner) -> Option<usize> {
        self.reset(manner);
        self.bad = Some(bad);
        self.good.extend(good);
        let history = self.history;
        let ends = [bad].into_iter().chain(good.iter().copied()).map(|number| history.id(number));
        self.compare(start_arguments(self.first_parent, manner.checkout).into_iter().chain(ends).collect())
    }

    /// Starts without ends and gives them one by one, skips first.
    fn start_piecemeal(&mut self, bad: usize, good: &[usize], manner: &Manner, random: &mut Random) -> Option<usize> {
        self.tally.see("piecemeal");
        self.reset(manner);
        self.compare(start_arguments(self.first_parent, manner.checkout));
        for _ in 0..random.below(4) * manner.skips / 15 {
            self.mark(Mark::Skip, random.below(self.history.len()));
        }
        let mut marks: Vec<(Mark, usize)> = good.iter().map(|&good| (Mark::Good, good)).collect();
        marks.insert(random.below(marks.len() + 1), (Mark::Bad, bad));
        let mut handed_out = None;
        for (mark, number) in marks {
            handed_out = self.mark(mark, number);
            if self.bad.is_some() && !self.good.is_empty() && handed_out.is_none() {
                break;
            }
        }
        handed_out
    }

    fn mark(&mut self, mark: Mark, number: usize) -> Option<usize> {
        match mark {
            Mark::Good => _ = self.good.insert(number),
            Mark::Bad => self.bad = Some(number),
            Mark::Skip => _ = self.skip.insert(number),
        }
        if self.expected.is_some_and(|expected| expected != number) {
            self.tally.see("stray mark");
            self.expected = None;
            self.ancestors_ok = false;
        }
        self.compare(vec![mark.word(), self.history.id(number)])
    }

    /// Runs the git command and kbisect with the marks as they are now; the commit that both hand out, if they do.
    fn compare(&mut self, arguments: Vec<&str>) -> Option<usize> {
        self.commands.push(arguments.join(" "));
        let theirs = plain(&said(git(self.history.path()).arg("bisect").args(arguments)));
        let ours = plain(&self.ours("2.30"));
        let commands = self.commands.join("\n");
        assert_eq!(ours, theirs, "left kbisect, right git, after\n{commands}\nin {}", self.history.path().display());
        self.tally.steps += 1;
        self.tally.see(kind(&ours));
        if ours.stderr.starts_with("warning: the merge base") {
            self.tally.see("merge base skipped");
        }
        // The two rules cannot differ in short ranges.
        if revisions_left(&ours).is_some_and(|left| left > 1500) {
            self.tally.see("test in a long range");
            if self.ours("2.29").stdout != ours.stdout {
                self.tally.see("2.29 chooses otherwise");
            }
        }
        let line = ours.stdout.lines().find_map(|line| line.strip_prefix('['))?;
        let (id, _) = line.split_once(']').expect("an id in brackets");
        self.expected = Some(self.history.number(id));
        self.ancestors_ok |= ours.stdout.contains("left to test after this");
        self.expected
    }

    fn ours(&self, version: &str) -> Said {
        let mut command = kbisect(self.history.path());
        command.args(["next", "--git-compat", version]);
        let id = |number: &usize| self.history.id(*number);
        command.args(self.bad.iter().flat_map(|bad| ["--bad", id(bad)]));
        command.args(self.good.iter().flat_map(|good| ["--good", id(good)]));
        command.args(self.skip.iter().flat_map(|skip| ["--skip", id(skip)]));
        command.args(self.expected.iter().flat_map(|expected| ["--expected", id(expected)]));
        command.args(self.first_parent.then_some("--first-parent"));
        command.args(self.ancestors_ok.then_some("--ancestors-ok"));
        said(&mut command)
    }
}

fn start_arguments(first_parent: bool, checkout: bool) -> Vec<&'static str> {
    let options = [(true, "start"), (!checkout, "--no-checkout"), (first_parent, "--first-parent")];
    options.into_iter().filter_map(|(given, word)| given.then_some(word)).collect()
}

/// An answer in one spelling for all versions of git, without what it shows of the first bad commit.
///
/// Ids on stderr are left out: git keeps only the last four that it prints, so that where there are three or more good commits
/// its messages name some of them in place of the merge base.
fn plain(said: &Said) -> Said {
    // From 2.55 on the terms are quoted.
    let mut stdout = said.stdout.replace("'bad'", "bad").replace("'good'", "good");
    if let Some((first, _)) = stdout.split_once('\n')
        && first.ends_with("is the first bad commit")
    {
        stdout.truncate(first.len() + 1);
    }
    Said { stdout, stderr: without_ids(&said.stderr), exit: said.exit }
}

fn without_ids(text: &str) -> String {
    let words = text.split_inclusive(|end: char| !end.is_ascii_hexdigit());
    words
        .map(|word| if word.trim_end_matches(|end: char| !end.is_ascii_hexdigit()).len() == 40 { &word[40..] } else { word })
        .collect()
}

fn revisions_left(said: &Said) -> Option<usize> {
    let (left, _) = said.stdout.strip_prefix("Bisecting: ")?.split_once(" revision")?;
    left.parse().ok()
}

fn kind(said: &Said) -> &'static str {
    match said.exit {
        Some(0) if said.stdout.contains("left to test after this") => "test",
        Some(0) if said.stdout.contains("a merge base must be tested") => "merge base to test",
        Some(0) if said.stdout.contains("is the first bad commit") => "first bad",
        Some(0) if said.stdout.contains("status: waiting") => "waiting",
        Some(1) if said.stdout.contains("was both good and bad") => "good and bad",
        Some(1) if said.stderr.contains("Maybe you mistook") => "good and bad mixed up",
        Some(2) => "only skipped",
        Some(3) => "merge base is bad",
        _ => panic!("an answer of no known kind: {said:?}"),
    }
}
