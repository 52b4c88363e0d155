//! What happened: typed events, the journal that keeps them, and the renderers that show them.
//!
//! Owns every text a run prints or writes. Decides nothing.

pub mod event;
