#![allow(clippy::unwrap_used, reason = "tests")]

mod cost;
mod ends;
mod search;
mod set;
mod world;
