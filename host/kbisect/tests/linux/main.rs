//! The slow tests on real Linux: `./x test-linux`.

mod builds;
mod demo;
mod faults;
mod folders;
mod guests;
mod machines;
mod reach;
mod start;
mod symbols;
