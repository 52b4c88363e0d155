//! What looks like a filesystem's bug and is none.

use kbisect_sdk::CrashReport;
use kbisect_sdk::console::Line;
use regex_lite::Regex;

/// A disk that failed, and where the console says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The disk, such as `vda`; its partitions' names begin with it.
    pub disk: String,
    /// Number of the line, from 0.
    pub line: usize,
}

impl Failed {
    /// Whether a device is the disk, or a partition of it.
    #[must_use]
    pub fn has(&self, device: &str) -> bool {
        let Some(partition) = device.strip_prefix(&self.disk) else { return false };
        // vda1, and nvme0n1p1 where the disk's own name ends with a digit.
        let number =
            if self.disk.ends_with(|c: char| c.is_ascii_digit()) { partition.strip_prefix('p') } else { Some(partition) };
        partition.is_empty()
            || number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Disks with I/O errors, in console order.
#[must_use]
pub fn failed_disks(lines: &[Line<'_>]) -> Vec<Failed> {
    let mut failed: Vec<Failed> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // "I/O error, dev vda, sector 2", "Buffer I/O error on dev vda1, logical block 0", and older "on device".
        let Some((_, rest)) = line.text.split_once("I/O error") else { continue };
        let rest = rest.strip_prefix(',').or_else(|| rest.strip_prefix(" on")).unwrap_or_default();
        let name = rest.strip_prefix(" dev ").or_else(|| rest.strip_prefix(" device ")).unwrap_or_default();
        let disk = name.split([',', ' ']).next().unwrap_or_default();
        // Only the first failure of each disk matters.
        if !disk.is_empty() && !failed.iter().any(|known| known.disk == disk) {
            failed.push(Failed { disk: disk.to_owned(), line: at });
        }
    }
    failed
}

/// The device of a panic that the mount option `errors=panic` asked for.
#[must_use]
pub fn forced_panic(title: &str) -> Option<String> {
    if !title.contains("panic forced after error") {
        return None;
    }
    let pattern = Regex::new(r"\((?:device )?(?<dev>[^)]+)\): panic forced after error").expect("it is a pattern");
    pattern.captures(title).map(|found| found["dev"].to_owned())
}

/// Errors for which newer kernels abort a transaction of btrfs without a warning.
const SILENT: [(&str, &str); 3] = [("-5", "EIO"), ("-12", "ENOMEM"), ("-30", "EROFS")];

/// Why a warning that a transaction of btrfs was aborted is none; none where it is one.
#[must_use]
pub fn harmless_abort(report: &CrashReport, lines: &[Line<'_>]) -> Option<String> {
    let span = report.span?;
    let first = lines.iter().position(|line| line.start >= span.start as usize)?;
    // The words of a warning stand just above it.
    let around = lines[first.saturating_sub(3)..].iter().take_while(|line| line.start < span.end as usize);
    around.into_iter().find_map(|line| {
        let (_, rest) = line.text.split_once("BTRFS: Transaction aborted (error ")?;
        let (_, name) = SILENT.iter().find(|(number, _)| rest.strip_prefix(number).is_some_and(|rest| rest.starts_with(')')))?;
        Some(format!("an aborted transaction of btrfs for {name}, about which newer kernels are silent"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_its_partitions() {
        let on = |disk: &str, device: &str| Failed { disk: disk.to_owned(), line: 0 }.has(device);
        assert!(on("vda", "vda") && on("vda", "vda12") && on("nvme0n1", "nvme0n1p2") && on("vda1", "vda1"));
        assert!(!on("sda", "sdaa") && !on("vda1", "vda12") && !on("nvme0n1", "nvme0n12") && !on("vdb", "vda"));
    }
}
