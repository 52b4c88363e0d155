//! Lines of another story that are printed into a report: what comes behind them may not be the report's own.

/// Whether a line is the kernel telling of something else with a stack of its own: injected faults and failed allocations.
#[must_use]
pub fn is(text: &str) -> bool {
    begins(text) || fails(text)
}

/// Whether a line begins such a story.
#[must_use]
pub fn begins(text: &str) -> bool {
    text.starts_with("FAULT_INJECTION: ") || text.contains(" allocation failure: ")
}

/// Whether a line is a frame of fault injection.
fn fails(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix("[<").and_then(|inside| inside.split_once(">]")).map_or(text, |(_, behind)| behind.trim_start());
    text.strip_prefix("should_fail").is_some_and(|rest| {
        let rest = rest.strip_prefix("slab").unwrap_or(rest);
        rest.starts_with("+0x") || rest.starts_with('.') && rest.contains("+0x")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_stories_are_known() {
        for text in [
            "FAULT_INJECTION: forcing a failure.",
            " should_fail+0x1/0x2",
            " should_failslab+0x1/0x2",
            " [<ffffffff81000000>] should_fail.cold+0x1/0x2",
            "prog: vmalloc: allocation failure: 8 bytes",
        ] {
            assert!(is(text), "{text}");
        }
        for text in [" __should_failslab+0x1/0x2", " ? should_fail+0x1/0x2", "should_fail", " f+0x1/0x2"] {
            assert!(!is(text), "{text}");
        }
    }
}
