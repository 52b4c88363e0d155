//! Pocket kernel.
