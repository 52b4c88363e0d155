//! Whole outputs of `kbisect next`, exit status included. What goes to stderr is marked `2>`.

use insta::assert_snapshot;

use super::history::History;
use super::history::Sketch;
use super::history::kbisect;
use super::session::said;

/// Eight commits: a line of seven on `main`, and `side` on top of the second.
fn forked() -> History {
    let parents: [&[usize]; 8] = [&[], &[0], &[1], &[1], &[3], &[4], &[5], &[6]];
    let sketch = |(number, parents): (usize, &&[usize])| Sketch { parents: parents.to_vec(), time: 1_600_000_000 + number * 60 };
    let history = History::new(&parents.iter().enumerate().map(sketch).collect::<Vec<_>>());
    history.branch("side", 2);
    history
}

/// What `kbisect next` says to each line of arguments.
fn shown(history: &History, lines: &[&str]) -> String {
    let one = |line: &&str| {
        let said = said(kbisect(history.path()).arg("next").args(line.split_whitespace()));
        let marked: String = said.stderr.lines().map(|line| format!("2> {line}").trim_end().to_owned() + "\n").collect();
        let here = history.path().display().to_string();
        let text = format!("{}\n{}{marked}", format!("$ kbisect next {line}").trim_end(), said.stdout).replace(&here, "HERE");
        format!("{text}exit status {}\n", said.exit.expect("it was not killed"))
    };
    lines.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_commit_to_test() {
    assert_snapshot!(shown(&forked(), &["--bad main --good main~5"]), @"
    $ kbisect next --bad main --good main~5
    Bisecting: 2 revisions left to test after this (roughly 1 step)
    [84d1ddfb81e58296ebb8b05732c0d224c7ae30d1] commit 4
    exit status 0
    ");
}

#[test]
fn one_revision_and_one_step_are_singular() {
    assert_snapshot!(shown(&forked(), &["--bad main --good main~4"]), @"
    $ kbisect next --bad main --good main~4
    Bisecting: 1 revision left to test after this (roughly 1 step)
    [c98431e6b586bf56750248c9ae3860d66b483372] commit 5
    exit status 0
    ");
}

#[test]
fn the_first_bad_commit() {
    assert_snapshot!(shown(&forked(), &["--bad main --good main~1"]), @"
    $ kbisect next --bad main --good main~1
    52e16410381e50aa06d36e0393c13f1a73957504 is the first bad commit
    exit status 0
    ");
}

#[test]
fn a_skipped_commit_is_walked_away_from() {
    assert_snapshot!(shown(&forked(), &["--bad main --good main~5 --skip main~3 main~2", "--bad main --good main~5 --skip main~4..main~1"]), @"
    $ kbisect next --bad main --good main~5 --skip main~3 main~2
    Bisecting: 2 revisions left to test after this (roughly 1 step)
    [71231a7d4f7772820a9148252fda3c40793ce5a1] commit 6
    exit status 0

    $ kbisect next --bad main --good main~5 --skip main~4..main~1
    Bisecting: 2 revisions left to test after this (roughly 1 step)
    [cbed0109cfc9f54cfb73ac50ae9500672367e8ca] commit 3
    exit status 0
    ");
}

#[test]
fn only_skipped_commits_are_left() {
    assert_snapshot!(shown(&forked(), &["--bad main --good main~3 --skip main~1 --skip main~2", "--bad main --good main~2 --skip main~1 main"]), @"
    $ kbisect next --bad main --good main~3 --skip main~1 --skip main~2
    There are only 'skip'ped commits left to test.
    The first bad commit could be any of:
    71231a7d4f7772820a9148252fda3c40793ce5a1
    c98431e6b586bf56750248c9ae3860d66b483372
    52e16410381e50aa06d36e0393c13f1a73957504
    We cannot bisect more!
    exit status 2

    $ kbisect next --bad main --good main~2 --skip main~1 main
    There are only 'skip'ped commits left to test.
    The first bad commit could be any of:
    71231a7d4f7772820a9148252fda3c40793ce5a1
    52e16410381e50aa06d36e0393c13f1a73957504
    We cannot bisect more!
    exit status 2
    ");
}

#[test]
fn a_merge_base_must_be_tested() {
    assert_snapshot!(shown(&forked(), &["--bad main --good side"]), @"
    $ kbisect next --bad main --good side
    Bisecting: a merge base must be tested
    [2a4759e721de4fc2691d8a92e7b3b4204034942e] commit 1
    exit status 0
    ");
}

#[test]
fn a_skipped_merge_base_is_warned_of() {
    assert_snapshot!(shown(&forked(), &["--bad main --good side --skip main~5", "--bad main --good side --skip main~5 --ancestors-ok"]), @"
    $ kbisect next --bad main --good side --skip main~5
    Bisecting: 2 revisions left to test after this (roughly 1 step)
    [84d1ddfb81e58296ebb8b05732c0d224c7ae30d1] commit 4
    2> warning: the merge base between 52e16410381e50aa06d36e0393c13f1a73957504 and [675aa8fb1c05b594fd2bd6db9a9ba483e3b48f46] must be skipped.
    2> So we cannot be sure the first bad commit is between 2a4759e721de4fc2691d8a92e7b3b4204034942e and 52e16410381e50aa06d36e0393c13f1a73957504.
    2> We continue anyway.
    exit status 0

    $ kbisect next --bad main --good side --skip main~5 --ancestors-ok
    Bisecting: 2 revisions left to test after this (roughly 1 step)
    [84d1ddfb81e58296ebb8b05732c0d224c7ae30d1] commit 4
    exit status 0
    ");
}

#[test]
fn a_bad_merge_base() {
    assert_snapshot!(shown(&forked(), &["--bad main~5 --good side", "--bad main~5 --good side --expected main~5"]), @"
    $ kbisect next --bad main~5 --good side
    2> Some good revs are not ancestors of the bad rev.
    2> git bisect cannot work properly in this case.
    2> Maybe you mistook good and bad revs?
    exit status 1

    $ kbisect next --bad main~5 --good side --expected main~5
    2> The merge base 2a4759e721de4fc2691d8a92e7b3b4204034942e is bad.
    2> This means the bug has been fixed between 2a4759e721de4fc2691d8a92e7b3b4204034942e and [675aa8fb1c05b594fd2bd6db9a9ba483e3b48f46].
    exit status 3
    ");
}

#[test]
fn a_commit_both_good_and_bad() {
    assert_snapshot!(shown(&forked(), &["--bad main --good main"]), @"
    $ kbisect next --bad main --good main
    52e16410381e50aa06d36e0393c13f1a73957504 was both good and bad
    exit status 1
    ");
}

#[test]
fn an_end_that_is_missing() {
    assert_snapshot!(shown(&forked(), &["", "--bad main", "--good main side main"]), @"
    $ kbisect next
    status: waiting for both good and bad commits
    exit status 0

    $ kbisect next --bad main
    status: waiting for good commit(s), bad commit known
    exit status 0

    $ kbisect next --good main side main
    status: waiting for bad commit, 2 good commits known
    exit status 0
    ");
}

#[test]
fn a_revision_that_is_not_there() {
    assert_snapshot!(shown(&forked(), &["--bad nonsense --good main~5", "--bad main --good main~50", "--bad main --good main~5 --skip mian", "--bad main --good main^{tree}"]), @"
    $ kbisect next --bad nonsense --good main~5
    2> error: `nonsense` names no commit in `HERE/`
    2> hint: fetch what is new: git -C HERE/ fetch --all --tags
    exit status 128

    $ kbisect next --bad main --good main~50
    2> error: `main~50` names no commit in `HERE/`
    2> hint: names that look alike: main
    2> hint: fetch what is new: git -C HERE/ fetch --all --tags
    exit status 128

    $ kbisect next --bad main --good main~5 --skip mian
    2> error: `mian` names no commit in `HERE/`
    2> hint: names that look alike: main
    2> hint: fetch what is new: git -C HERE/ fetch --all --tags
    exit status 128

    $ kbisect next --bad main --good main^{tree}
    2> error: `main^{tree}` is not a commit
    exit status 128
    ");
}

#[test]
fn a_repository_that_is_not_there() {
    assert_snapshot!(shown(&forked(), &["--repo nowhere --bad main --good main~5"]), @"
    $ kbisect next --repo nowhere --bad main --good main~5
    2> error: `nowhere` is not a git repository, nor inside one
    2> hint: give the path of a clone, or `git clone` one
    exit status 128
    ");
}

#[test]
fn a_command_line_that_is_wrong() {
    assert_snapshot!(shown(&forked(), &["--bda main", "--bad main --good main~5 --git-compat 2.28", "--good"]), @"
    $ kbisect next --bda main
    2> error: unexpected argument '--bda' found
    2>
    2> Usage: kbisect next [OPTIONS]
    2>
    2> For more information, try '--help'.
    exit status 129

    $ kbisect next --bad main --good main~5 --git-compat 2.28
    2> error: invalid value '2.28' for '--git-compat <VERSION>'
    2>   [possible values: 2.29, 2.30]
    2>
    2>   tip: a similar value exists: '2.29'
    2>
    2> For more information, try '--help'.
    exit status 129

    $ kbisect next --good
    2> error: a value is required for '--good <REV>...' but none was supplied
    2>
    2> For more information, try '--help'.
    exit status 129
    ");
}

/// Both rules in a line of 4,200 commits: one is satisfied with near enough to halfway.
#[test]
fn the_rule_of_an_older_git() {
    let sketch = |number: usize| Sketch { parents: number.checked_sub(1).into_iter().collect(), time: 1_600_000_000 + number };
    let history = History::new(&(0..4200).map(sketch).collect::<Vec<_>>());
    let lines = ["--bad main --good main~4198", "--bad main --good main~4198 --git-compat 2.29"];
    assert_snapshot!(shown(&history, &lines), @"
    $ kbisect next --bad main --good main~4198
    Bisecting: 2099 revisions left to test after this (roughly 11 steps)
    [44e265536a184a9c43dfc6fe51496c72f63b85b5] commit 2099
    exit status 0

    $ kbisect next --bad main --good main~4198 --git-compat 2.29
    Bisecting: 2098 revisions left to test after this (roughly 11 steps)
    [3572a8d2c0a158fb74fc858bfe759bb23d51b2fc] commit 2100
    exit status 0
    ");
}
