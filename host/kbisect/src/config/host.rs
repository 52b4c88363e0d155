//! What defaults depend on: the machine that kbisect runs on.

use std::fs;
use std::num::NonZero;
use std::thread;

/// CPUs and memory of the machine that kbisect runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// CPUs that this process may use.
    pub cpus: u32,
    /// Bytes of memory that are free for use.
    pub memory: u64,
}

impl Host {
    /// This machine. What cannot be found out is taken to be little: one CPU, 1 GiB.
    pub fn here() -> Self {
        let cpus = thread::available_parallelism().map_or(1, NonZero::get);
        let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
        let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text)).unwrap_or(1 << 30);
        Self { cpus: u32::try_from(cpus).unwrap_or(u32::MAX), memory: available.min(limit.unwrap_or(u64::MAX)) }
    }
}

/// Bytes in the `MemAvailable` line of /proc/meminfo (proc(5); its unit is always kB).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}
