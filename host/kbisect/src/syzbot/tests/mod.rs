#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

pub(crate) mod data;
mod dialects;

fn id(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// A line as one of the dialects has it, or one like it that is broken.
fn a_line() -> impl Strategy<Value = String> {
    let (a, b) = (id('a'), id('b'));
    let known = [
        format!("testing commit {a} with gcc (GCC) 8.1.0"),
        format!("testing commit {b} gcc"),
        format!("testing commit {b}"),
        "testing release v5.4".to_owned(),
        "testing current HEAD ".to_owned() + &a,
        "compiler: gcc (GCC) 10.2.1 20210217".to_owned(),
        format!("kernel signature: {a}"),
        format!("kernel signature:   {a}"),
        "all runs: OK".to_owned(),
        "all runs: crashed: WARNING in x".to_owned(),
        "run #0: OK".to_owned(),
        "run #07: OK".to_owned(),
        "run #1: crashed: KASAN: use-after-free Read in x".to_owned(),
        "run #2: boot failed: failed to run [\"scp\"]: exit status 1".to_owned(),
        "ssh: connect to host 10.128.1.13 port 22: Connection timed out\r".to_owned(),
        String::new(),
        "run #3: ignore: lost connection to test machine".to_owned(),
        "representative crash: a, types: [x], types: [HANG UNKNOWN]".to_owned(),
        format!("failed building {a}: x.c:1:1: error: no"),
        "make: *** [x] Error 2".to_owned(),
        format!("# git bisect start {a} v5.4"),
        format!("# git bisect good {b}"),
        format!("# git bisect bad {a}"),
        "Bisecting: 1 revision left to test after this (roughly 1 step)".to_owned(),
        "Bisecting: 1 revisions left to test after this (roughly 1 step)".to_owned(),
        format!("[{b}] run #0: OK"),
        format!("{a} is the first bad commit"),
        format!("commit {a}"),
        "Author: A <a@b>".to_owned(),
        "Date:   Wed Mar 27 13:04:15 2019 +0100".to_owned(),
        "    testing commit".to_owned(),
        " net/a.c | 2 +-".to_owned(),
        format!(":040000 040000 {a} {b} M\tnet"),
        format!("culprit signature: {a}"),
        format!("parent  signature: {a}"),
        "revisions tested: 19, total time: 4h25m11.4s (build: 2h8m, test: 2h14m)".to_owned(),
        format!("first bad commit: {a} x: y"),
        "recipients (to): [\"a@b\" \"c@d\"]".to_owned(),
        "recipients (cc): []".to_owned(),
        "cc: [\"a\\\"b\"]".to_owned(),
        "crash: WARNING in x".to_owned(),
        "error: bisection is taking too long (>8h0m0s), aborting".to_owned(),
        "bisection is inconclusive, the first bad commit could be any of:".to_owned(),
        a,
        "the crash already happened on the oldest tested release".to_owned(),
        "commit msg: Linux 5.11".to_owned(),
    ];
    prop_oneof![20 => proptest::sample::select(known.to_vec()), 1 => "[ -~\\t€]{0,60}", 1 => "(run #|testing |\\[|first |crash: |cc: \\[)[ -~]{0,60}"]
}

fn a_log() -> impl Strategy<Value = String> {
    (prop::collection::vec(a_line(), 0..60), any::<bool>()).prop_map(|(lines, end)| {
        let mut text = format!("bisecting cause commit starting from {}\n{}", id('a'), lines.join("\n"));
        if end {
            text.push('\n');
        }
        text
    })
}

proptest! {
    #[test]
    fn whatever_follows_the_aim_is_written_back(text in a_log()) {
        let log = read(&text).unwrap();
        prop_assert_eq!(log.to_string(), text);
        // Neither fails, whatever there is.
        let runs: usize = log.tests().iter().map(|test| test.runs.len()).sum();
        prop_assert!(runs <= 20 * log.items.len());
        log.answer();
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC*|[\\x01-\\x7f]{0,200}") {
        if let Ok(log) = read(&format!("bisecting fixing commit since {}\n{text}", id('a'))) {
            log.tests();
            log.answer();
        }
        // Without an aim it is no log.
        prop_assert!(read(&text).is_err());
    }

    #[test]
    fn every_cut_of_a_log_is_read(text in a_log(), share in 0.0..1.0_f64) {
        let mut at = (share * text.len() as f64) as usize;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let cut = &text[..at];
        match read(cut) {
            Ok(log) => prop_assert_eq!(log.to_string(), cut),
            // Before the aim is told, or the end of its line.
            Err(_) => prop_assert!(at < text.find('\n').unwrap() || at == 0),
        }
    }
}

#[test]
fn what_is_no_log_is_refused() {
    let refused = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(refused(""), "the log is empty");
    assert_eq!(refused("\n \n"), "the log is empty");
    assert_eq!(refused("bisecting\0"), "no bisection log: it is not text");
    assert_eq!(refused("git bisect start\n# bad: [1] x\n"), "this is a log of git's own, not one of syzbot's");
    assert_eq!(refused("# bad: [1] x\n"), "this is a log of git's own, not one of syzbot's");
    insta::assert_snapshot!(refused(&format!("\u{fffd}{}\n", "x".repeat(200))), @r"
    no bisection log of syzbot's: none of the first lines says `bisecting cause commit starting from COMMIT` or `bisecting fixing commit since COMMIT`; the first is `�xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
    ");
}

#[test]
fn terminal_codes_and_foreign_line_ends_are_taken_out() {
    let aim = format!("bisecting cause commit starting from {}", id('a'));
    let log = read(&format!("\x1b[1m{aim}\x1b[0m\r\nrun \x1b[31m#0: OK\x1b]\r\n")).unwrap();
    let said: Vec<String> = log.warnings.iter().map(Warning::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    line 1: terminal codes were taken out from here on
    line 1: carriage returns at the ends of lines were taken out from here on
    line 2: a run, but no commit is being tested
    line 2: the log ends here, before its answer
    ");
    assert_eq!(log.to_string(), format!("{aim}\nrun #0: OK\n"));
}

#[test]
fn too_large_a_file_is_not_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MAX_BYTES + 1).unwrap();
    assert!(matches!(read_file(file.path()), Err(FileError::TooLarge { bytes, .. }) if bytes == MAX_BYTES + 1));
}

#[test]
fn many_odd_lines_are_a_hundred_warnings_and_a_number() {
    let lines: String = (0..10_000).map(|number| format!("odd {number}\nrun #0: OK\n")).collect();
    let log = read(&format!("bisecting cause commit starting from {}\n{lines}", id('a'))).unwrap();
    let last: Vec<String> = log.warnings.iter().rev().take(2).map(Warning::to_string).collect();
    assert_eq!(log.warnings.len(), 102);
    insta::assert_snapshot!(last.join("\n"), @r"
    line 20001: and 19900 more warnings of other lines
    line 20001: the log ends here, before its answer
    ");
}

#[test]
fn changes_have_their_paths() {
    let text = "commit 1\nMerge: 1 2\nAuthor: A <a@b>\nDate:   now\n\n    Subject\n    \n    Author: not this one\n\n \
                drivers/net/x.c | 12 ++--\n .../dpaa2/switch.c | 3 +\n a/{b => c}/d.c | 0\n a/{ => new}/e.c | 1 +\n old.c => new.c | 2 +-\n \
                x.bin | Bin 0 -> 12 bytes\n 3 files changed, 4 insertions(+)\n\n:040000 040000 1 2 M\tkernel\n:100644 100644 1 2 M\tMakefile\n";
    let commit = commit_text::read(text);
    assert_eq!((commit.author.as_str(), commit.date.as_str(), commit.merge), ("A <a@b>", "now", true));
    assert_eq!(commit.message, "Subject\n\nAuthor: not this one");
    let changes: Vec<String> =
        commit.changes.iter().map(|change| format!("{:?} {} {:?}", change.extent, change.path, change.lines)).collect();
    insta::assert_snapshot!(changes.join("\n"), @r"
    File drivers/net/x.c Some(12)
    Tail dpaa2/switch.c Some(3)
    File a/c/d.c Some(0)
    File a/new/e.c Some(1)
    File new.c Some(2)
    File x.bin None
    Top kernel None
    File Makefile None
    ");
    let touched = |file: &str| commit.changes.iter().filter(|change| change.may_touch(file)).count();
    assert_eq!(["drivers/net/x.c", "net/x.c", "drivers/net/dpaa2/switch.c", "xdpaa2/switch.c"].map(touched), [1, 0, 1, 0]);
    assert_eq!(["kernel/fork.c", "kernels/x.c", "Makefile", "kernel/Makefile"].map(touched), [1, 0, 1, 1]);
}

#[test]
fn every_run_is_one_of_four() {
    let said = [
        "OK",
        "crashed: WARNING in x",
        "ignore: lost connection to test machine",
        "boot failed: can't ssh into the instance",
        "boot failed: failed to create instance: googleapi: Error 403\nmore",
        "basic kernel testing failed: WARNING in kvm_wait",
        "basic kernel testing failed: failed to copy syz-execprog to VM: x\r\n\n",
        "infra problem: quota",
        "failed: failed to run binary in VM",
        "something new",
    ];
    let runs: Vec<String> = said.iter().map(|said| format!("{:?}", Run::read(said))).collect();
    insta::assert_snapshot!(runs.join("\n"), @r#"
    Ok
    Crashed("WARNING in x")
    Ignored("lost connection to test machine")
    Void(Failure { stage: Boot, reason: "can't ssh into the instance" })
    Void(Failure { stage: Infra, reason: "failed to create instance: googleapi: Error 403; more" })
    Void(Failure { stage: Control, reason: "WARNING in kvm_wait" })
    Void(Failure { stage: Copy, reason: "failed to copy syz-execprog to VM: x" })
    Void(Failure { stage: Infra, reason: "quota" })
    Void(Failure { stage: Infra, reason: "failed to run binary in VM" })
    Void(Failure { stage: Infra, reason: "something new" })
    "#);
}

#[test]
fn syzkallers_confidence_falls_with_every_clean_step() {
    let (a, b, c, d) = (id('a'), id('b'), id('c'), id('d'));
    let runs = |crashed: usize, clean: usize| -> String {
        let said = ["crashed: BUG: x"].repeat(crashed).into_iter().chain(["OK"].repeat(clean));
        (0..).zip(said).map(|(run, said): (u32, &str)| format!("run #{run}: {said}\n")).collect()
    };
    let text = format!(
        "bisecting cause commit starting from {a}\ntesting commit {a} gcc\n{}testing release v1\ntesting commit {b} gcc\n{}\
         # git bisect start {a} {b}\ntesting commit {c} gcc\n{}# git bisect bad {c}\ntesting commit {d} gcc\n{}# git bisect good {d}\n",
        runs(1, 1),
        runs(0, 4),
        runs(1, 3),
        runs(0, 2),
    );
    // p is .5 at first and .375 behind the bad step; releases do not count.
    assert_eq!(read(&text).unwrap().confidence(), Some(1.0 - 0.625_f64.powi(2)));
    assert_eq!(read(&format!("bisecting cause commit starting from {a}\n")).unwrap().confidence(), None);
}

/// Logs of three times, with everything that has several lines.
fn of_three_times() -> [String; 3] {
    let (a, b, c) = (id('a'), id('b'), id('c'));
    let shown = format!(
        "{b} is the first bad commit\ncommit {b}\nAuthor: Ä <a@b>\nDate:   Wed Mar 27 13:04:15 2019 +0100\n\n    subject\n    \n    \
         run #0: crashed: no run\n    testing commit {c}\n\n"
    );
    let end = |stat: &str, to: &str| {
        format!(
            "{shown}{stat}revisions tested: 3, total time: 4h25m11.4s (build: 2h8m, test: 2h14m)\nfirst bad commit: {b} subject\n{to}\
             crash: BUG: x\nrun #0: OK\ntesting commit {c}\n"
        )
    };
    [
        format!(
            "bisecting cause commit starting from {a}\nbuilding syzkaller on {c}\ntesting commit {a} with gcc (GCC) 8.1.0\n\
             all runs: crashed: BUG: x\ntesting release v5.1\ntesting commit {c} with gcc (GCC) 8.1.0\nrun #0: OK\n\
             run #1: boot failed: failed to run [\"scp\"]: exit status 1\nssh: connect to host\r\nlost connection\n\nrun #2: OK\n\
             # git bisect start v5.2 v5.1\nBisecting: 1 revision left to test after this (roughly 1 step)\n[{b}] subject\n\
             testing commit {b} with gcc (GCC) 8.1.0\nall runs: crashed: BUG: x\n# git bisect bad {b}\n{}",
            end(&format!(":040000 040000 {a} {c} M\tnet\n"), "cc: [\"a@b\" \"c@d\"]\n")
        ),
        format!(
            "bisecting cause commit starting from {a}\ntesting commit {a}\ncompiler: gcc (GCC) 10.2.1\nkernel signature: {a}\n\
             run #0: crashed: BUG: x\nrun #1: crashed: WARNING in y\ntesting release v5.1\ntesting commit {c}\n\
             failed building {c}: x.c:1: error: no\nmake: *** [x] Error 2\ntesting release v5.0\ntesting commit {b}\nall runs: OK\n\
             # git bisect start {a} {b}\nBisecting: 0 revisions left to test after this (roughly 0 steps)\n[{c}] s\n\
             testing commit {c}\nrun #0: basic kernel testing failed: x\n# git bisect skip {c}\n\
             There are only 'skip'ped commits left to test.\nThe first bad commit could be any of:\n{c}\n{a}\nWe cannot bisect more!\n\
             revisions tested: 3, total time: 4h (build: 2h, test: 2h)\n\
             bisection is inconclusive, the first bad commit could be any of:\n{c}\n{a}\nrecipients (to): []\n"
        ),
        format!(
            "ci starts bisection 2023-01-01 00:00:00 +0000 UTC m=+1.0\nbisecting fixing commit since {a}\nbuilding syzkaller on {c}\n\
             ensuring issue is reproducible on original commit {a}\n\ntesting commit {a} gcc\ncompiler: gcc (Debian) 10.2.1\n\
             run #0: crashed: BUG: x\nrun #1: ignore: lost connection to test machine\nrun #2: infra problem: quota\n\
             representative crash: BUG: x, types: [UNKNOWN]\ntesting current HEAD {b}\ntesting commit {b} gcc\nall runs: OK\n\
             false negative chance: 0.000\n# git bisect start {b} {a}\n{}",
            end(" net/a.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\naccumulated error probability: 0.00\n", "")
                .replace("first bad commit:", "first good commit:")
        ),
    ]
}

#[test]
fn a_log_is_read_wherever_it_was_cut() {
    for whole in of_three_times() {
        let log = read(&whole).unwrap();
        assert_eq!(log.warnings, [], "{whole}");
        let aimed = whole.lines().take_while(|line| !line.starts_with("bisecting ")).map(|line| line.len() + 1).sum::<usize>();
        let aimed = aimed + whole[aimed..].find('\n').unwrap();
        let whole_tests = log.tests();
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let cut = &whole[..at];
            if at < aimed {
                assert!(read(cut).is_err(), "{cut}");
                continue;
            }
            let log = read(cut).unwrap();
            assert_eq!(log.to_string(), cut);
            let (search, answer) = log.halves();
            assert_eq!(search + &answer, cut);
            // A cut log tells no other tests than the whole one, and one with no answer says so.
            let tests = log.tests();
            let commits = |tests: &[Tested]| tests.iter().map(|test| test.commit).collect::<Vec<_>>();
            assert!(commits(&whole_tests).starts_with(&commits(&tests)), "{cut}");
            let unanswered = log.answer().found == Found::Nothing;
            assert_eq!(log.warnings.iter().any(|warning| warning.oddity == Oddity::Cut), unanswered, "{cut}");
            // It comes back from the journal as it was.
            let kept: Log = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
            assert_eq!(kept, log);
        }
    }
}
