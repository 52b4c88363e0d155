//! What kbisect does, seen from outside: the built program on real repositories, guests and plugins.
//!
//! One program for all of it: each would be linked with everything, and while one test waits another runs.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod boots;
mod bundled_plugins;
mod caveat;
mod check;
mod classify;
mod corpus;
mod eras;
mod first_plugin;
mod fix;
mod harness;
mod histories;
mod job;
mod kernel_build;
mod kills;
mod logs;
mod mail;
mod minimize;
mod next;
mod other_bugs;
mod parity;
mod patch;
mod people;
mod pocket;
mod prior;
mod reach;
mod replay;
mod revert;
mod run_command;
mod show;
mod start;
mod support;
mod third_party;
mod time_limit;
