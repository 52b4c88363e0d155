//! Bundled plugin.
