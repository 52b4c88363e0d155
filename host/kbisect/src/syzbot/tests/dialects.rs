//! What a log of each time says, as a whole.

use std::fmt::Write as _;

use super::*;

/// The log's meaning as text.
fn shown(text: &str) -> String {
    let log = read(text).unwrap();
    assert_eq!(log.to_string(), text);
    let mut shown = format!("{:?} from {}\n", log.kind, log.start.short());
    for test in log.tests() {
        let verdict = test.verdict.map_or("-".to_owned(), |verdict| verdict.to_string());
        let guessed = if test.guessed { " (guessed)" } else { "" };
        let (runs, crashes, clean) = (test.runs.len(), test.crashes(), test.clean());
        let _ = writeln!(
            shown,
            "{} {:?} {verdict}: {runs} runs{guessed}, {crashes} crashed, {clean} clean",
            test.commit.short(),
            test.place
        );
        let about = [
            ("subject", test.subject),
            ("compiler", test.compiler),
            ("signature", test.signature),
            ("not built", test.build_failed),
        ];
        for (what, text) in about {
            if let Some(text) = text {
                let _ = writeln!(shown, "    {what}: {text:?}");
            }
        }
    }
    let Answer { found, totals, culprit_signature, parent_signature, error_probability, to, cc, crash } = log.answer();
    let _ = writeln!(shown, "{found:?}\n{totals:?}\nculprit {culprit_signature:?}, parent {parent_signature:?}");
    let _ = writeln!(shown, "wrong {error_probability:?}\nto {to:?}, cc {cc:?}\n{crash:?}");
    shown.extend(log.warnings.iter().map(|warning| format!("warning: {warning}\n")));
    shown
}

/// 2018 to 2021: the compiler on the line of the commit, raw differences, one list of recipients.
#[test]
fn the_first_years() {
    let (a, b, c, d) = (id('a'), id('b'), id('c'), id('d'));
    insta::assert_snapshot!(shown(&format!("\
bisecting cause commit starting from {a}
building syzkaller on {b}
testing commit {a} with gcc (GCC) 8.1.0
all runs: crashed: WARNING in x
testing release v5.1
testing commit {b} with gcc (GCC) 8.1.0
certs/signing_key.pem: Permission denied
make: stopped
testing release v5.0
testing commit {d} with gcc (GCC) 7.3.0
all runs: OK
# git bisect start {a} v5.0
Bisecting: 1 revision left to test after this (roughly 1 step)
[{c}] Merge all
testing commit {c} with gcc (GCC) 8.1.0
run #0: basic kernel testing failed: failed to copy test binary to VM: [\"scp\"]: exit status 1
ssh: connect to host 10.128.1.13 port 22: Connection timed out
lost connection

run #1: boot failed: failed to create instance: quota
run #2: OK
run #3: crashed: WARNING in x
run #4: crashed: WARNING in x
# git bisect bad {c}
{c} is the first bad commit
commit {c}
Author: A <a@b>
Date:   Wed Mar 27 13:04:15 2019 +0100

    Merge all
    
    crash: this is not one

:040000 040000 {a} {b} M	kernel
revisions tested: 4, total time: 4h15m51.08835339s (build: 2h6m11.719495533s, test: 312ms)
first bad commit: {c} Merge all
cc: [\"a@b\" \"c@d\"]
crash: WARNING in x
run #0: OK

testing commit {a}
")), @r#"
    Cause from aaaaaaaaaaaa
    aaaaaaaaaaaa Start bad: 5 runs (guessed), 5 crashed, 0 clean
        compiler: "gcc (GCC) 8.1.0"
    bbbbbbbbbbbb Release("v5.1") skip: 0 runs, 0 crashed, 0 clean
        compiler: "gcc (GCC) 8.1.0"
        not built: "certs/signing_key.pem: Permission denied\nmake: stopped"
    dddddddddddd Release("v5.0") good: 5 runs (guessed), 0 crashed, 5 clean
        compiler: "gcc (GCC) 7.3.0"
    cccccccccccc Step bad: 5 runs, 2 crashed, 1 clean
        subject: "Merge all"
        compiler: "gcc (GCC) 8.1.0"
    One { commit: cccccccccccccccccccccccccccccccccccccccc, subject: "Merge all", text: Some(CommitText { author: "A <a@b>", date: "Wed Mar 27 13:04:15 2019 +0100", merge: false, message: "Merge all\n\ncrash: this is not one", changes: [Change { path: "kernel", extent: Top, lines: None }] }) }
    Some(Totals { revisions: 4, total: Some(15351.08835339), build: Some(7571.719495533), test: Some(0.312) })
    culprit None, parent None
    wrong None
    to ["a@b", "c@d"], cc []
    Some(Crash { title: "WARNING in x", report: "run #0: OK\n\ntesting commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" })
    "#);
}

/// 2021 to 2023: the compiler on a line of its own, diffstat, signatures, two lists, an empty line behind git's words.
#[test]
fn the_middle_years() {
    let (a, b, c, d) = (id('a'), id('b'), id('c'), id('d'));
    insta::assert_snapshot!(shown(&format!("\
ci2 starts bisection 2022-10-21 10:44:36.286933466 +0000 UTC m=+9724.217953203
bisecting cause commit starting from {a}
building syzkaller on {b}
ensuring issue is reproducible on original commit {a}

testing commit {a} gcc
compiler: gcc (GCC) 10.2.1 20210217
kernel signature: {a}
all runs: crashed: WARNING in x
testing release v6.0
testing commit {b} gcc
compiler: gcc (GCC) 10.2.1 20210217
kernel signature: {b}
all runs: OK
# git bisect start {a} {b}
Bisecting: 7 revisions left to test after this (roughly 3 steps)
warning: unable to access '/syzkaller/.config/git/ignore': Permission denied
[{c}] x: y

testing commit {c} gcc
compiler: gcc (GCC) 10.2.1 20210217
failed building {c}: x.c:1:1: error: no
x.c:2:2: error: neither
# git bisect skip {c}
Bisecting: 7 revisions left to test after this (roughly 3 steps)
[{d}] x: z

testing commit {d} gcc
compiler: gcc (GCC) 10.2.1 20210217
kernel signature: {a}
run #0: crashed: WARNING in x
run #1: crashed: WARNING in x
run #2: OK
reproducer seems to be flaky
# git bisect bad {d}
{d} is the first bad commit
commit {d}
Merge: 1 2
Author: A <a@b>
Date:   Wed Mar 27 13:04:15 2019 +0100

    x: z

 x.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

parent commit {b} wasn't tested
testing commit {b} gcc
compiler: gcc (GCC) 10.2.1 20210217
kernel signature: {b}
culprit signature: {a}
parent  signature: {b}
Reproducer flagged being flaky
revisions tested: 4, total time: 4h (build: 2h, test: 1h)
first bad commit: {d} x: z
recipients (to): [\"a@b\"]
recipients (cc): []
")), @r#"
    Cause from aaaaaaaaaaaa
    aaaaaaaaaaaa Start bad: 20 runs (guessed), 20 crashed, 0 clean
        compiler: "gcc (GCC) 10.2.1 20210217"
        signature: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    bbbbbbbbbbbb Release("v6.0") good: 3 runs (guessed), 0 crashed, 3 clean
        compiler: "gcc (GCC) 10.2.1 20210217"
        signature: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    cccccccccccc Step skip: 0 runs, 0 crashed, 0 clean
        subject: "x: y"
        compiler: "gcc (GCC) 10.2.1 20210217"
        not built: "x.c:1:1: error: no\nx.c:2:2: error: neither"
    dddddddddddd Step bad: 3 runs, 2 crashed, 1 clean
        subject: "x: z"
        compiler: "gcc (GCC) 10.2.1 20210217"
        signature: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    bbbbbbbbbbbb Parent -: 0 runs, 0 crashed, 0 clean
        compiler: "gcc (GCC) 10.2.1 20210217"
        signature: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    One { commit: dddddddddddddddddddddddddddddddddddddddd, subject: "x: z", text: Some(CommitText { author: "A <a@b>", date: "Wed Mar 27 13:04:15 2019 +0100", merge: true, message: "x: z", changes: [Change { path: "x.c", extent: File, lines: Some(2) }] }) }
    Some(Totals { revisions: 4, total: Some(14400.0), build: Some(7200.0), test: Some(3600.0) })
    culprit Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), parent Some("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
    wrong None
    to ["a@b"], cc []
    None
    "#);
}

/// Since 2023: smaller configurations, representative crashes, chances; and a fix.
#[test]
fn these_days() {
    let (a, b, c, d) = (id('a'), id('b'), id('c'), id('d'));
    insta::assert_snapshot!(shown(&format!("\
ci starts bisection 2025-07-09 13:22:22.587055103 +0000 UTC m=+182.380303436
bisecting fixing commit since {a}
building syzkaller on {b}
ensuring issue is reproducible on original commit {a}

testing commit {a} gcc
compiler: Debian clang version 20.1.7, Debian LLD 20.1.7
kernel signature: {a}
run #0: crashed: INFO: task hung in x
run #1: crashed: INFO: task hung in y
representative crash: INFO: task hung in x, types: [HANG]
check whether we can drop unnecessary instrumentation
disabling configs for [UBSAN BUG], they are not needed
testing commit {a} gcc
compiler: Debian clang version 20.1.7, Debian LLD 20.1.7
kernel signature: {b}
all runs: crashed: INFO: task hung in x
representative crash: INFO: task hung in x, types: [HANG]
the bug reproduces without the instrumentation
kconfig minimization: base=4014 full=7868 leaves diff=2181
testing current HEAD {b}
testing commit {b} gcc
compiler: Debian clang version 20.1.7, Debian LLD 20.1.7
kernel signature: {c}
run #0: ignore: lost connection to test machine
run #1: OK
false negative chance: 0.001
# git bisect start {b} {a}
Bisecting: 2 revisions left to test after this (roughly 1 step)
[{c}] x: y

determine whether the revision contains the guilty commit
revision {a} crashed and is reachable
testing commit {c} gcc
compiler: Debian clang version 20.1.7, Debian LLD 20.1.7
kernel signature: {d}
all runs: OK
false negative chance: 0.000
# git bisect bad {c}
Bisecting: 0 revisions left to test after this (roughly 0 steps)
[{d}] x: z

determine whether the revision contains the guilty commit
checking the merge base {a}
the bug was not introduced yet; pretend that kernel crashed
# git bisect good {d}
{c} is the first bad commit
commit {c}
Author: A <a@b>
Date:   Wed Mar 27 13:04:15 2019 +0100

    x: y

 x.c | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

accumulated error probability: 0.01
reproducer is flaky (0.25 repro chance estimate)
revisions tested: 4, total time: 4h (build: 2h, test: 1h)
first good commit: {c} x: y
recipients (to): []
recipients (cc): []
")), @r#"
    Fix from aaaaaaaaaaaa
    aaaaaaaaaaaa Start bad: 2 runs, 2 crashed, 0 clean
        compiler: "Debian clang version 20.1.7, Debian LLD 20.1.7"
        signature: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    aaaaaaaaaaaa Config -: 2 runs (guessed), 2 crashed, 0 clean
        compiler: "Debian clang version 20.1.7, Debian LLD 20.1.7"
        signature: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    bbbbbbbbbbbb Head good: 2 runs, 0 crashed, 1 clean
        compiler: "Debian clang version 20.1.7, Debian LLD 20.1.7"
        signature: "cccccccccccccccccccccccccccccccccccccccc"
    cccccccccccc Step good: 2 runs (guessed), 0 crashed, 2 clean
        subject: "x: y"
        compiler: "Debian clang version 20.1.7, Debian LLD 20.1.7"
        signature: "dddddddddddddddddddddddddddddddddddddddd"
    One { commit: cccccccccccccccccccccccccccccccccccccccc, subject: "x: y", text: Some(CommitText { author: "A <a@b>", date: "Wed Mar 27 13:04:15 2019 +0100", merge: false, message: "x: y", changes: [Change { path: "x.c", extent: File, lines: Some(2) }] }) }
    Some(Totals { revisions: 4, total: Some(14400.0), build: Some(7200.0), test: Some(3600.0) })
    culprit None, parent None
    wrong Some(0.01)
    to [], cc []
    None
    "#);
}

/// Bisections without a culprit.
#[test]
fn other_ends() {
    let (a, b, c) = (id('a'), id('b'), id('c'));
    let begun = format!("bisecting cause commit starting from {a}\ntesting commit {a} with gcc (GCC) 8.1.0\n");
    let walk =
        format!("all runs: crashed: BUG: x\ntesting release v5.1\ntesting commit {b} with gcc (GCC) 8.1.0\nall runs: OK\n");
    let totals = "revisions tested: 1, total time: 1h (build: 0s, test: 0s)\n";
    let ends = [
        format!("all runs: OK\n{totals}error: the crash wasn't reproduced on the original commit\n"),
        format!(
            "{walk}# git bisect start {a} {b}\nThere are only 'skip'ped commits left to test.\nThe first bad commit could be any of:\n\
             {a}\n{c}\nWe cannot bisect more!\n\n{totals}bisection is inconclusive, the first bad commit could be any of:\n{a}\n{c}\n"
        ),
        format!(
            "{walk}{totals}the crash already happened on the oldest tested release\ncommit msg: Linux 5.1\ncrash: BUG: x\nx\n"
        ),
        format!("{walk}# git bisect start {a} {b}\nBisecting: 4 revisi"),
        format!("{walk}a new kind of line\nand more\n# git bisect bad {c}\n{totals}first bad commit: {c} x\n"),
    ];
    let found = |text: &String| {
        let log = read(&format!("{begun}{text}")).unwrap();
        let verdicts: Vec<String> = log.tests().iter().map(|test| format!("{:?}", test.verdict)).collect();
        let warnings: Vec<String> = log.warnings.iter().map(Warning::to_string).collect();
        format!("{:?}\n  {}\n  {}\n", log.answer().found, verdicts.join(" "), warnings.join("\n  "))
    };
    insta::assert_snapshot!(ends.iter().map(found).collect::<String>(), @r#"
    Error("the crash wasn't reproduced on the original commit")
      None
      
    Several([aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, cccccccccccccccccccccccccccccccccccccccc])
      Some(Bad) Some(Good)
      
    End { end: OldestCrashes, subject: Some("Linux 5.1") }
      Some(Bad) None
      
    Nothing
      Some(Bad) Some(Good)
      line 8: the log ends here, before its answer
    One { commit: cccccccccccccccccccccccccccccccccccccccc, subject: "x", text: None }
      Some(Bad) None
      line 7: not understood, and passed over: `a new kind of line`
      line 9: git was told of cccccccccccccccccccccccccccccccccccccccc, which the log does not test
    "#);
}
