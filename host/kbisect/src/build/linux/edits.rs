//! What is changed in every configuration, and what only below a release. Owns the tables.
//!
//! The table by release is syzkaller's (pkg/vcs/linux_configs.go at 1e72964b): what does not build or boot with today's compilers and
//! images before that release. Its rule that BLK_DEV_INITRD goes is left out: our init travels in an initrd.

use super::kconfig::Entry;
use super::kconfig::Value;
use super::version::Release;
use super::version::Version;

/// Symbols that go below a release.
const BELOW: [(&str, Release); 12] = [
    ("SECURITY_TOMOYO_OMIT_USERSPACE_LOADER", Release::new(5, 2)),
    ("USBIP_VUDC", Release::new(4, 15)),
    ("CAN", Release::new(4, 13)),
    ("HSR", Release::new(4, 12)),
    ("SMC", Release::new(4, 12)),
    ("USBIP_VHCI_HCD", Release::new(4, 10)),
    ("BT_HCIVHCI", Release::new(4, 10)),
    ("NET_TEAM", Release::new(4, 7)),
    ("BATMAN_ADV", Release::new(4, 5)),
    ("UBSAN", Release::new(5, 3)),
    ("KCOV", Release::new(5, 4)),
    ("UNWINDER_ORC", Release::new(5, 4)),
];

/// Where unwinding by ORC goes, frame pointers take its place.
const FRAME_POINTER_BELOW: Release = Release::new(5, 4);

/// Symbols that always go: a random name of the kernel, pahole's debug information, which old trees cannot make and nothing here reads,
/// messages that drown the console, keys and layouts that are drawn anew for each object tree, so that equal code is not an equal kernel.
const ALWAYS: [&str; 7] = [
    "LOCALVERSION_AUTO",
    "DEBUG_INFO_BTF",
    "DEBUG_KOBJECT",
    "MODULE_SIG_ALL",
    "RANDSTRUCT_FULL",
    "RANDSTRUCT_PERFORMANCE",
    "GCC_PLUGIN_RANDSTRUCT",
];

/// The changes for a tree. `MODULE_SIG_KEY` is set empty: without a key, none is made.
pub fn of(version: Version) -> Vec<Entry> {
    let off = |symbol: &str| Entry { symbol: symbol.to_owned(), value: Value::Unset };
    let set = |symbol: &str, value: &str| Entry { symbol: symbol.to_owned(), value: Value::Set(value.to_owned()) };
    let mut entries: Vec<Entry> = ALWAYS.iter().map(|symbol| off(symbol)).collect();
    entries.push(set("MODULE_SIG_KEY", "\"\""));
    entries.extend(BELOW.iter().filter(|(_, release)| !version.has(*release)).map(|(symbol, _)| off(symbol)));
    if !version.has(FRAME_POINTER_BELOW) {
        entries.push(set("UNWINDER_FRAME_POINTER", "y"));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(minor: u32) -> Vec<String> {
        let makefile = format!("VERSION = 5\nPATCHLEVEL = {minor}\nSUBLEVEL = 0\nEXTRAVERSION =\n");
        of(Version::of_makefile(&makefile).expect("a version")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_goes_depends_on_the_release() {
        let (new, old) = (edited(4), edited(3));
        assert!(
            new.contains(&"# CONFIG_LOCALVERSION_AUTO is not set".to_owned())
                && new.contains(&"CONFIG_MODULE_SIG_KEY=\"\"".to_owned())
        );
        assert!(!new.iter().any(|line| line.contains("KCOV") || line.contains("UNWINDER") || line.contains("INITRD")));
        assert!(
            old.contains(&"# CONFIG_KCOV is not set".to_owned()) && old.contains(&"CONFIG_UNWINDER_FRAME_POINTER=y".to_owned())
        );
        assert!(!old.iter().any(|line| line.contains("UBSAN")));
    }
}
