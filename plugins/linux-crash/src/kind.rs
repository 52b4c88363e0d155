//! Crash types: syzkaller's vocabulary, by the row that gives a title.
//!
//! The type follows from the title alone, so that a title without a console (from a report or a user) has one too.

use crate::rules;
use crate::rules::Kind;
use crate::template;

/// Type of a crash by its title; empty when nothing is known of it.
#[must_use]
pub fn of(title: &str) -> &'static str {
    if let Some((_, kind)) = OTHERS.iter().find(|(head, _)| title.starts_with(head)) {
        return kind;
    }
    let row = rules::all().find(|row| !row.is_noise() && template::starts(row.title, title, &mut Vec::new()));
    match row.map(|row| row.kind) {
        Some(Kind::Is(kind)) => kind,
        Some(Kind::Access(checker)) => access(checker, title),
        None => "",
    }
}

/// Titles that no console gives: what a script or a machine says.
const OTHERS: &[(&str, &str)] = &[
    ("exit status ", "EXIT"),
    ("lost connection to test machine", "LOST_CONNECTION"),
    ("no output from test machine", "NO_OUTPUT"),
];

/// A checker's type by what its title says of the access; `CHECKER-UNKNOWN` for what syzkaller has no type for.
fn access(checker: &str, title: &str) -> &'static str {
    let title = title.to_ascii_lowercase();
    let told = |(word, _): &&(&str, &str)| title.contains(word);
    let what = WHAT.iter().find(told).map_or("", |(_, what)| what);
    let op = if title.contains(" write") { "WRITE" } else { "READ" };
    let mine = |kind: &&&str| kind.strip_prefix(checker).is_some_and(|rest| rest.starts_with('-'));
    let known = |name: &str| KNOWN.iter().filter(mine).find(|kind| kind[checker.len() + 1..] == *name);
    let kind = match what {
        "" if WHERE.iter().any(|word| title.contains(word)) => known(op),
        "" => None,
        _ => known(what).or_else(|| known(&format!("{what}-{op}"))),
    };
    kind.or_else(|| known("UNKNOWN")).copied().unwrap_or_default()
}

/// Words of titles, and the part of the type they stand for.
const WHAT: &[(&str, &str)] = &[
    ("data-race", "DATARACE"),
    (": assert", "ASSERT"),
    ("uninit-value", "UNINIT-VALUE"),
    ("infoleak", "INFO-LEAK"),
    ("null-ptr-deref", "NULL-POINTER-DEREFERENCE"),
    ("use-after-free", "USE-AFTER-FREE"),
];

/// Words without which a title does not tell of an access.
const WHERE: &[&str] = &[" read", " write", "-out-of-bounds", "-access", "invalid-"];

/// The types of accesses that there are.
const KNOWN: &[&str] = &[
    "KASAN-NULL-POINTER-DEREFERENCE-READ",
    "KASAN-NULL-POINTER-DEREFERENCE-WRITE",
    "KASAN-USE-AFTER-FREE-READ",
    "KASAN-USE-AFTER-FREE-WRITE",
    "KASAN-READ",
    "KASAN-WRITE",
    "KASAN-UNKNOWN",
    "KFENCE-USE-AFTER-FREE-READ",
    "KFENCE-USE-AFTER-FREE-WRITE",
    "KFENCE-READ",
    "KFENCE-WRITE",
    "KFENCE-UNKNOWN",
    "KMSAN-UNINIT-VALUE",
    "KMSAN-INFO-LEAK",
    "KMSAN-USE-AFTER-FREE-READ",
    "KMSAN-UNKNOWN",
    "KCSAN-DATARACE",
    "KCSAN-ASSERT",
    "KCSAN-UNKNOWN",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_types_off_titles() {
        for (title, kind) in [
            ("KASAN: slab-use-after-free Write in f", "KASAN-USE-AFTER-FREE-WRITE"),
            ("KASAN: stack-out-of-bounds Read in f", "KASAN-READ"),
            ("KASAN: invalid-free in f", "KASAN-INVALID-FREE"),
            ("KASAN: null-ptr-deref Write in f", "KASAN-NULL-POINTER-DEREFERENCE-WRITE"),
            ("KMSAN: kernel-infoleak in f", "KMSAN-INFO-LEAK"),
            ("KMSAN: use-after-free in f", "KMSAN-USE-AFTER-FREE-READ"),
            ("KCSAN: data-race in f / g", "KCSAN-DATARACE"),
            ("KCSAN: assert: race in f", "KCSAN-ASSERT"),
            ("KFENCE: use-after-free write in f", "KFENCE-USE-AFTER-FREE-WRITE"),
            ("WARNING in f", "WARNING"),
            ("WARNING: locking bug in f", "LOCKDEP"),
            ("BUG: unable to handle kernel paging request in f", "MEMORY_SAFETY_BUG"),
            ("kernel panic: anything", "DoS"),
            ("exit status 1", "EXIT"),
            ("something else", ""),
        ] {
            assert_eq!(of(title), kind, "{title}");
        }
    }
}
