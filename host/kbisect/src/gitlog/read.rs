//! Reads logs, leniently as to spelling and strictly as to what they say.

use super::Mark;
use super::Marks;
use crate::log_text::quoted;
use crate::log_text::without_terminal_codes;

/// Why a text is no log of git's, or cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing.
    #[error("the log is empty")]
    Empty,
    /// No line begins with `git bisect`.
    #[error("no bisection log of git's: no line begins with `git bisect`; the first is `{first}`")]
    NotALog {
        /// The first line, shortened.
        first: String,
    },
    /// A line that git would refuse, too.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// One commit has two marks that contradict one another.
    #[error("line {line}: `{name}` was marked {one} in line {before}, and is {other} here")]
    Contradiction {
        /// Counted from 1.
        line: usize,
        /// Where it was marked first.
        before: usize,
        /// The commit as the log names it.
        name: String,
        /// The first mark.
        one: Mark,
        /// The other.
        other: Mark,
    },
    /// Nothing is marked bad.
    #[error("no commit is marked {0}: there is nothing to bisect yet")]
    NoBad(String),
}

/// A mark in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The line, from 1.
    pub line: usize,
    /// What git was told.
    pub mark: Mark,
    /// The commit: mostly 40 digits, else what the user wrote.
    pub name: String,
}

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The words for good and bad.
    pub terms: (String, String),
    /// The marks in their order, each commit once: a skip that got a verdict later is left out.
    pub marks: Vec<Marked>,
    /// How many of the good marks came with the start.
    pub good_at_start: usize,
    /// The first bad commit, where the log names it.
    pub first_bad: Option<String>,
    /// Only first parents were followed.
    pub first_parent: bool,
    /// Paths that were given to the start.
    pub paths: Vec<String>,
}

impl Log {
    /// The first commit that was marked bad: where the bug was seen.
    pub fn start(&self) -> &Marked {
        self.marks.iter().find(|one| one.mark == Mark::Bad).expect("a log without one is refused")
    }

    /// Whether the words say that what is looked for is the end of a bug.
    pub fn looks_for_a_fix(&self) -> bool {
        let (good, bad) = &self.terms;
        let is = |word: &str, words: &[&str]| words.iter().any(|one| word.eq_ignore_ascii_case(one));
        is(bad, &["fixed", "good", "clean", "works", "working"])
            || is(good, &["broken", "bad", "unfixed", "buggy", "crashes", "crashing"])
    }
}

/// Reads a log. Terminal codes, carriage returns and the marks of quoted mail are passed over, as are comments but for the commits that
/// a start was given.
///
/// # Errors
///
/// [`Error`]; nothing is guessed where git would refuse.
pub fn read(text: &str) -> Result<Log, Error> {
    let text = without_terminal_codes(text);
    let mut reader = Reader::default();
    for (place, line) in text.lines().enumerate() {
        reader.line(place + 1, unquoted(line))?;
    }
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    match first {
        None => Err(Error::Empty),
        Some(first) if !reader.is_log => Err(Error::NotALog { first: quoted(first) }),
        Some(_) => reader.log(),
    }
}

#[derive(Default)]
struct Reader {
    is_log: bool,
    terms: Option<(String, String)>,
    marks: Marks,
    good_at_start: usize,
    first_bad: Option<String>,
    first_parent: bool,
    paths: Vec<String>,
    /// What comments said of commits since the last command: they come before a start.
    commented: Vec<Commented>,
}

/// A commit in a comment, with the word that is said of it: the start behind the comment may say what it means.
struct Commented {
    line: usize,
    said: String,
    hash: String,
}

impl Reader {
    fn line(&mut self, line: usize, text: &str) -> Result<(), Error> {
        if let Some(comment) = text.strip_prefix('#') {
            self.comment(line, comment.trim());
            return Ok(());
        }
        // Until 2008 git's commands had a hyphen.
        let Some(rest) = text.strip_prefix("git bisect").or_else(|| text.strip_prefix("git-bisect")) else {
            return Ok(());
        };
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return Ok(());
        }
        self.is_log = true;
        let words = words(rest).ok_or_else(|| wrong(line, "a quote is not closed"))?;
        match words.split_first() {
            None => Err(wrong(line, "`git bisect` without a command: the line is cut off")),
            Some((verb, words)) if verb == "start" => self.start(line, words),
            Some((verb, _)) if verb == "terms" => Ok(()),
            Some((verb, words)) => {
                let Some(mark) = self.mark(verb) else {
                    return Err(wrong(line, &format!("`git bisect {}` is nothing that git replays", quoted(verb))));
                };
                self.commented.clear();
                if words.is_empty() {
                    return Err(wrong(line, &format!("`git bisect {verb}` names no commit")));
                }
                words.iter().try_for_each(|name| self.add(Marked { line, mark, name: name.clone() }))
            }
        }
    }

    /// `bad: [HASH] SUBJECT`, `first bad commit: [HASH] SUBJECT`.
    fn comment(&mut self, line: usize, comment: &str) {
        let Some((said, rest)) = comment.split_once(": [") else {
            return;
        };
        let Some((hash, _)) = rest.split_once(']') else {
            return;
        };
        if !is_hash(hash) {
            return;
        }
        if said.starts_with("first ") && said.ends_with(" commit") {
            self.first_bad = Some(hash.to_owned());
        } else {
            self.commented.push(Commented { line, said: said.to_owned(), hash: hash.to_owned() });
        }
    }

    fn mark(&self, word: &str) -> Option<Mark> {
        match &self.terms {
            Some((good, _)) if word == good => Some(Mark::Good),
            Some((_, bad)) if word == bad => Some(Mark::Bad),
            _ => match word {
                "good" | "old" => Some(Mark::Good),
                "bad" | "new" => Some(Mark::Bad),
                "skip" => Some(Mark::Skip),
                _ => None,
            },
        }
    }

    fn start(&mut self, line: usize, words: &[String]) -> Result<(), Error> {
        let (mut good, mut bad) = (None, None);
        let mut names: Vec<&String> = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (key, value) = word.split_once('=').map_or((word.as_str(), None), |(key, value)| (key, Some(value.to_owned())));
            match key {
                "--term-good" | "--term-old" | "--term-bad" | "--term-new" => {
                    let term = value.or_else(|| words.next().cloned());
                    let term = term.ok_or_else(|| wrong(line, &format!("`{key}` without a term")))?;
                    *(if key == "--term-good" || key == "--term-old" { &mut good } else { &mut bad }) = Some(term);
                }
                "--first-parent" => self.first_parent = true,
                "--no-checkout" => {}
                "--" => self.paths.extend(words.by_ref().cloned()),
                _ if word.starts_with("--") => {
                    return Err(wrong(line, &format!("`{}` is no option of `git bisect start`", quoted(word))));
                }
                _ => names.push(word),
            }
        }
        if good.is_some() || bad.is_some() {
            self.terms = Some((good.unwrap_or_else(|| "good".to_owned()), bad.unwrap_or_else(|| "bad".to_owned())));
        }
        self.marks = Marks::default();
        // The comments say which commits the names were: a branch may point elsewhere by now.
        let commented = std::mem::take(&mut self.commented).into_iter();
        let commented: Vec<Marked> = commented
            .filter_map(|Commented { line, said, hash }| Some(Marked { line, mark: self.mark(&said)?, name: hash }))
            .collect();
        // Where the log was cut at its head, they do not say all.
        let told = commented.iter().any(|one| one.mark == Mark::Bad);
        if !told {
            for (place, name) in names.into_iter().enumerate() {
                let mark = if place == 0 { Mark::Bad } else { Mark::Good };
                self.add(Marked { line, mark, name: name.clone() })?;
            }
        } else {
            commented.into_iter().try_for_each(|one| self.add(one))?;
        }
        self.good_at_start = self.marks.count(Mark::Good);
        Ok(())
    }

    /// Adds a mark. To git a verdict counts more than a skip, and a commit that is good and bad is an error.
    fn add(&mut self, marked: Marked) -> Result<(), Error> {
        self.marks.add(marked.name.clone(), marked)
    }

    fn log(self) -> Result<Log, Error> {
        let terms = self.terms.unwrap_or_else(|| ("good".to_owned(), "bad".to_owned()));
        if self.marks.count(Mark::Bad) == 0 {
            return Err(Error::NoBad(terms.1));
        }
        let Self { marks, good_at_start, first_bad, first_parent, paths, .. } = self;
        let marks = marks.into_marked().map(|(_, marked)| marked).collect();
        Ok(Log { terms, marks, good_at_start, first_bad, first_parent, paths })
    }
}

fn wrong(line: usize, what: &str) -> Error {
    Error::Line { line, what: what.to_owned() }
}

/// A line without blanks around it, and as it was before somebody answered the mail that it stands in.
fn unquoted(line: &str) -> &str {
    line.trim_start_matches(|letter: char| letter == '>' || letter.is_whitespace()).trim_end()
}

fn is_hash(text: &str) -> bool {
    text.len() >= 7 && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The words of a line as git quotes them for a shell; none where a quote is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next()? {
                        '\'' => break,
                        letter => word.push(letter),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(letters.next()?),
            _ if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const C: &str = "cccccccccccccccccccccccccccccccccccccccc";

    fn marks(log: &str) -> Vec<(Mark, String)> {
        read(log).expect("a log").marks.into_iter().map(|one| (one.mark, one.name)).collect()
    }

    fn of(mark: Mark, name: &str) -> (Mark, String) {
        (mark, name.to_owned())
    }

    #[test]
    fn comments_say_what_the_names_of_a_start_were() {
        let log = format!(
            "# bad: [{A}] a title\n# good: [{B}] it's [x] another\ngit bisect start 'HEAD' 'v6.0'\n\
             # status: waiting for both good and bad commits\n# skip: [{C}] third\ngit bisect skip {C}\n\
             # first bad commit: [{A}] a title\n"
        );
        assert_eq!(marks(&log), [of(Mark::Bad, A), of(Mark::Good, B), of(Mark::Skip, C)]);
        let log = read(&log).expect("a log");
        assert_eq!((log.good_at_start, log.first_bad.as_deref(), log.start().name.as_str()), (1, Some(A), A));
    }

    #[test]
    fn older_spellings_and_marks_one_by_one() {
        let log = format!("git-bisect start\n# bad: [{A}] t\ngit-bisect bad {A}\n# good: [{B}] t\ngit-bisect good {B}\n");
        assert_eq!(marks(&log), [of(Mark::Bad, A), of(Mark::Good, B)]);
        assert_eq!(marks("  git bisect start 'HEAD' 'v6.0' 'v5.9'\n").len(), 3);
    }

    #[test]
    fn terms_are_read_from_the_start() {
        let log = format!(
            "# fixed: [{A}] t\n# broken: [{B}] t\ngit bisect start '--term-old=broken' '--term-new' 'fixed' 'HEAD' 'v6.0'\n\
             # broken: [{C}] t\ngit bisect broken {C}\n# first 'fixed' commit: [{A}] t\n"
        );
        assert_eq!(marks(&log), [of(Mark::Bad, A), of(Mark::Good, B), of(Mark::Good, C)]);
        let log = read(&log).expect("a log");
        assert!(log.looks_for_a_fix());
        assert_eq!(log.first_bad.as_deref(), Some(A));
    }

    #[test]
    fn a_verdict_outweighs_a_skip() {
        let log = format!("git bisect start {A} {B}\ngit bisect skip {C}\ngit bisect good {C}\ngit bisect skip {C}\n");
        assert_eq!(marks(&log)[2], of(Mark::Good, C));
    }

    #[test]
    fn a_quoted_log_is_as_good() {
        let log = format!("Hi,\n> > # bad: [{A}] t\n> > # good: [{B}] t\n>> git bisect start 'HEAD' 'v6.0'\n\nThanks\n");
        assert_eq!(marks(&log), [of(Mark::Bad, A), of(Mark::Good, B)]);
    }

    #[test]
    fn names_count_where_the_comments_before_a_start_were_cut_off() {
        let log = format!("# good: [{B}] t\ngit bisect start 'HEAD' 'v6.0'\n# skip: [{C}] t\ngit bisect skip {C}\n");
        assert_eq!(marks(&log), [of(Mark::Bad, "HEAD"), of(Mark::Good, "v6.0"), of(Mark::Skip, C)]);
        let log = format!("# broken: [{B}] t\ngit bisect start '--term-old=broken' '--term-new=fixed' 'HEAD' 'v6.0'\n");
        assert_eq!(marks(&log), [of(Mark::Bad, "HEAD"), of(Mark::Good, "v6.0")]);
    }

    #[test]
    fn terminal_codes_and_line_ends_are_passed_over() {
        let log = format!("\u{1b}[1;33mgit bisect start\u{1b}[m\r\ngit bisect bad \u{1b}[31m{A}\u{1b}[0m\r\n");
        assert_eq!(marks(&log), [of(Mark::Bad, A)]);
    }

    #[test]
    fn what_git_would_refuse_is_refused() {
        let refused = |log: &str| read(log).expect_err("refused").to_string();
        insta::assert_snapshot!(refused(""), @"the log is empty");
        insta::assert_snapshot!(refused("all runs: OK\n"), @"no bisection log of git's: no line begins with `git bisect`; the first is `all runs: OK`");
        insta::assert_snapshot!(refused("git bisect start\ngit bisect frob x\n"), @"line 2: `git bisect frob` is nothing that git replays");
        insta::assert_snapshot!(refused("git bisect start\ngit bisect good\n"), @"line 2: `git bisect good` names no commit");
        insta::assert_snapshot!(refused("git bisect start 'HEAD\n"), @"line 1: a quote is not closed");
        insta::assert_snapshot!(refused("git bisect\n"), @"line 1: `git bisect` without a command: the line is cut off");
        insta::assert_snapshot!(refused("git bisect start --frob\n"), @"line 1: `--frob` is no option of `git bisect start`");
        insta::assert_snapshot!(refused("git bisect start\ngit bisect good v1\n"), @"no commit is marked bad: there is nothing to bisect yet");
        insta::assert_snapshot!(refused("git bisect start\ngit bisect good v1\ngit bisect bad v1\n"), @"line 3: `v1` was marked good in line 2, and is bad here");
    }

    #[test]
    fn a_log_that_is_cut_tells_less_or_is_refused() {
        let whole = format!(
            "git bisect start\n# bad: [{A}] a title\ngit bisect bad {A}\n# good: [{B}] b\ngit bisect good {B}\n# skip: [{C}] c\n\
             git bisect skip {C}\n# first bad commit: [{A}] a title\n"
        );
        let all = marks(&whole);
        for at in 0..whole.len() {
            match read(&whole[..at]) {
                // The last name may be cut short; the repository knows it or not.
                Ok(log) => log.marks.iter().zip(&all).for_each(|(one, (mark, name))| {
                    assert!(one.mark == *mark && name.starts_with(&one.name), "{}", &whole[..at]);
                }),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in "(git bisect (start|good|bad|skip|terms)? ?['a-f0-9 =-]{0,30}\n|# (good|bad): \\[?[a-f0-9]{0,40}\\]?\n|\\PC{0,20}\n){0,12}") {
            let _ = read(&text);
        }
    }
}
