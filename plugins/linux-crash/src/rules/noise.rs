//! Lines that look like headers and are none: command lines, programs' own words, and the kernel's harmless notes.

use super::Row;
use super::noise;

pub(super) const ROWS: &[Row] = &[
    // A program died; the kernel only logs it.
    noise("traps: ", &["general protection", "invalid opcode", "divide error", "stack segment", "int3"]),
    // How many reports of damaged pages were left out.
    noise("BUG: Bad page ", &["messages suppressed"]),
    // A program's warnings, and the kernel's about configuration, hardware and deprecated calls.
    noise(
        "WARNING: ",
        &[
            "warning: /",
            "warning: the mand m",
            "uses 32-bit capabilities",
            "unprivileged ebpf is enabled",
            "missed to adjust virtual screen size",
            "uses deprecated",
            "uses wireless extensions",
            "reset corrupted agfl",
            "spectre v2",
            "host memory window",
            "is deprecated",
            "has been deprecated",
            "is insecure",
            "not supported",
        ],
    ),
];
