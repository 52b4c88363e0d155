//! Child processes: one way to spawn them, with limits and with the least rights that work.
