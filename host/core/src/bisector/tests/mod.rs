#![allow(clippy::unwrap_used, reason = "tests")]

mod cost;
mod world;
