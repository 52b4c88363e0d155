//! The texts in `history/`.

/// Series of small changes that may come in any order, by topic.
pub(crate) const SERIES: [(&str, &str); 13] = [
    ("fs", include_str!("../history/fs.txt")),
    ("proc", include_str!("../history/proc.txt")),
    ("kernel", include_str!("../history/kernel.txt")),
    ("time", include_str!("../history/time.txt")),
    ("irq", include_str!("../history/irq.txt")),
    ("ipc", include_str!("../history/ipc.txt")),
    ("mm", include_str!("../history/mm.txt")),
    ("lib", include_str!("../history/lib.txt")),
    ("tty", include_str!("../history/tty.txt")),
    ("char", include_str!("../history/char.txt")),
    ("base", include_str!("../history/base.txt")),
    ("init", include_str!("../history/init.txt")),
    ("headers", include_str!("../history/headers.txt")),
];

/// Changes of headers that most files include.
pub(crate) const WIDE: &str = include_str!("../history/wide.txt");

/// What has a place of its own: `culprit`, `stray`, `break` and `mend`.
pub(crate) const PLANTED: &str = include_str!("../history/planted.txt");

/// Who writes patches, one a line; the first one takes them.
pub(crate) const PEOPLE: &str = include_str!("../history/people.txt");

/// What the kernel is configured with, on top of everything else off.
pub(crate) const CONFIG: &str = include_str!("../history/demo.config");

/// The reproducer.
pub(crate) const REPRODUCER: &str = include_str!("../history/repro.c");
