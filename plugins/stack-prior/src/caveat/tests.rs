//! What is said of commits by what they change.

#![allow(clippy::unwrap_used, reason = "tests")]

use kbisect_sdk::fake::FakeCommit;
use kbisect_sdk::fake::FakeHost;
use proptest::prelude::*;

use super::*;

fn said(files: &[&str], diff: Option<&str>, arch: Option<&str>) -> String {
    let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
    match judge(&files, diff, arch) {
        Some(Caveat::NotBuilt(why)) => format!("not built: {why}"),
        Some(Caveat::OnlyShows(why)) => format!("only shows: {why}"),
        None => "-".to_owned(),
    }
}

/// What is said of changes in one file.
fn of_lines(path: &str, lines: &str) -> String {
    let diff = format!(
        "diff --git a/{path} b/{path}\nindex 1..2 100644\n--- a/{path}\n+++ b/{path}\n@@ -1,2 +1,3 @@ int f(void)\n{lines}"
    );
    said(&[path], Some(&diff), Some("x86_64"))
}

#[test]
fn what_is_not_in_the_kernel_is_no_cause() {
    let x86 = Some("x86_64");
    let on = |files: &[&str]| said(files, None, x86);
    assert_eq!(on(&["Documentation/a.rst"]), "not built: it changes only documentation (Documentation/a.rst)");
    assert_eq!(on(&["fs/README.txt", "Documentation/b"]), "not built: it changes only documentation (fs/README.txt)");
    assert_eq!(on(&["MAINTAINERS"]), "not built: it changes only the list of people (MAINTAINERS)");
    assert_eq!(
        on(&["tools/a.c", "fs/a.rst"]),
        "not built: it changes only programs for users, below tools/ and documentation (fs/a.rst)"
    );
    assert_eq!(on(&["arch/um/a.c"]), "not built: it changes only what is built for other machines (arch/um/a.c) than x86_64");
    for built in [&["arch/x86/a.c"][..], &["fs/a.c", "MAINTAINERS"], &["arch/Kconfig", "fs/a.c"], &["tools/objtool/a.c"], &[]] {
        assert_eq!(on(built), "-", "{built:?}");
    }
    // Of a script nobody knows what it tests.
    assert_eq!(said(&["tools/a.c"], None, None), "-");
    assert_eq!(said(&["arch/um/a.c"], None, None), "-");
    assert!(said(&["Documentation/a.rst"], None, None).starts_with("not built"));
}

#[test]
fn what_only_shows_an_older_bug_is_said() {
    let of = |files: &[&str]| said(files, None, Some("x86_64"));
    assert_eq!(
        of(&["mm/kasan/report.c", "MAINTAINERS"]),
        "only shows: it changes only KASAN, which finds bugs that were there before"
    );
    assert_eq!(of(&["mm/kasan/report.c", "mm/slab.c"]), "-");
    assert_eq!(
        of(&["net/Kconfig", "arch/x86/configs/x86_64_defconfig"]),
        "only shows: it changes only how kernels are configured (net/Kconfig): what was there before is built, or built otherwise"
    );
    assert_eq!(of(&["net/Kconfig", "net/a.c"]), "-");
    assert_eq!(
        of_lines("fs/a.c", "+\tWARN_ON_ONCE(!inode);\n"),
        "only shows: it only adds a check (WARN_ON_ONCE in fs/a.c), which shows what went wrong before, too"
    );
    let checks = [
        "+\tBUG_ON(x);\n",
        "+\tVM_BUG_ON_PAGE(PageTail(page), page);\n",
        "+#include <linux/bug.h>\n+\t/* It must be held. */\n+\tlockdep_assert_held(&inode->lock);\n",
        "+\tmight_sleep();\n",
        "+\tkasan_check_read(p, n);\n",
        "+\tif (WARN_ON(!x))\n+\t\treturn -EINVAL;\n",
        "+\tif (WARN(a &&\n+\t\t b, \"no %d\\n\",\n+\t\t c)) {\n+\t\tgoto out;\n+\t}\n",
        "-\tif (x)\n+\tif (WARN_ON(x))\n",
        "-\tBUG_ON(x);\n+\tWARN_ON(x);\n",
        "-\t * old words\n+\t * new words\n+\tASSERT_RTNL();\n",
    ];
    for lines in checks {
        assert!(
            of_lines("fs/a.c", lines).starts_with("only shows: it only adds a check"),
            "{lines}{}",
            of_lines("fs/a.c", lines)
        );
    }
    let ordinary = [
        "+\tWARN_ON(x);\n+\tkfree(x);\n",
        "-\tkfree(x);\n+\tWARN_ON(x);\n",
        "+\tx = 1;\n",
        "+\twarn_on(x);\n",
        "+\t/* a comment */\n",
        "-\tif (y)\n+\tif (WARN_ON(x))\n",
        "+\treturn 0;\n",
    ];
    for lines in ordinary {
        assert_eq!(of_lines("fs/a.c", lines), "-", "{lines}");
    }
    assert_eq!(of_lines("fs/a.rs", "+WARN_ON(x);\n"), "-");
    assert_eq!(
        of_lines("fs/a.c", "-\tatomic_t count;\n-\tatomic_inc(&x->count);\n+\trefcount_t count;\n+\trefcount_inc(&x->count);\n"),
        "only shows: it only has its counters checked (refcount_t in fs/a.c), which shows what went wrong before, too"
    );
    assert_eq!(of_lines("fs/a.c", "-\tatomic_inc(&x->count);\n+\trefcount_inc(&y->count);\n"), "-");
}

#[test]
fn nothing_is_said_of_what_is_no_kernel() {
    let commit = CommitFacts { id: "2".repeat(40), subject: String::new(), files: vec!["Documentation/a.rst".to_owned()] };
    let host = |files: &[&str]| {
        let files = files.iter().map(|&file| (file.to_owned(), String::new())).collect();
        FakeHost { commits: [(commit.id.clone(), FakeCommit { files, ..FakeCommit::default() })].into(), ..FakeHost::default() }
    };
    assert_eq!(of(&host(&["MAINTAINERS"]), &commit, None), None);
    assert!(of(&host(&["MAINTAINERS", "Kconfig"]), &commit, None).is_some());
    let properties = [("arch".to_owned(), "x86_64".to_owned())].into();
    assert!(of(&FakeHost { properties, ..FakeHost::default() }, &commit, None).is_some());
}

proptest! {
    #[test]
    fn no_difference_is_too_odd(lines in "((diff --git |@@ |--- a/|\\+\\+\\+ b/|[-+]\t?(if \\(|WARN_ON\\(|BUG|é\\()*)?[ -~é]{0,12}\n){0,20}", path in "[a-z./]{0,9}") {
        let said = judge(&[path], Some(&lines), Some("x86_64"));
        // A caveat has its reason.
        if let Some(Caveat::NotBuilt(why) | Caveat::OnlyShows(why)) = said {
            prop_assert!(why.starts_with("it "));
        }
    }
}
