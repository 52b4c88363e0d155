#![allow(clippy::unwrap_used, reason = "tests")]

mod ahead;
mod assumed;
mod cost;
mod ends;
mod eras;
mod offers;
mod others;
mod search;
mod set;
mod stretch;
mod suspicion;
mod world;
