//! The `kbisect` command.

fn main() {}
