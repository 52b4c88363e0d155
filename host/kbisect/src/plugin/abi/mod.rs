//! Versions of the plugin interface. Each version is one module that turns its words into the core's.

pub(super) mod v0;
