//! Crashes that are noise of the test machine rather than bugs: it ran out of memory, or its own tools failed.

/// Whether a console shows that the machine, not the kernel under test, is to blame.
#[must_use]
pub fn is(console: &str) -> bool {
    ANYWHERE.iter().any(|text| console.contains(text))
}

/// What stands on a console then.
const ANYWHERE: &[&str] = &["panic: cannot allocate memory", "SYZFAIL: SIGBUS", "INIT: PANIC: segmentation violation!"];
