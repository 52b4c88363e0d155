//! What the build script built and kbisect carries: the bundled plugins and the guest's init.

/// A plugin that comes with kbisect.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The name that jobs use.
    pub id: &'static str,
    /// The component's bytes.
    pub component: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_what_they_should_be() {
        // Component preamble: magic, version 13, layer 1.
        assert!(PLUGINS.iter().all(|plugin| plugin.component.starts_with(b"\0asm\x0d\0\x01\0")));
        assert!(GUEST_INIT.starts_with(b"\x7fELF"));
    }
}
