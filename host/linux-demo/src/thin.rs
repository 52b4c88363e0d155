//! Which files of a Linux tree the demo's kernel needs. Owns the rule; a tree is read by [`super::base`].
//!
//! A whole tree is 80,000 files and 1.3 GB, of which the demo's kernel is made from 3,000. What only other machines' kernels are made
//! from is left out, in whole folders; what configures and builds a kernel is kept everywhere, since it refers to all of it.

/// Folders whose code is left out …
const DROPPED: [&str; 11] =
    ["Documentation", "arch", "drivers", "fs", "include/sound", "net", "rust", "samples", "sound", "tools", "virt"];

/// … but for these in them, and what lies directly in `fs`.
const KEPT: [&str; 53] = [
    "arch/x86",
    "drivers/acpi",
    "drivers/base",
    "drivers/bus",
    "drivers/char",
    "drivers/clk",
    "drivers/clocksource",
    "drivers/cpufreq",
    "drivers/cpuidle",
    "drivers/dma",
    "drivers/dma-buf",
    "drivers/firmware",
    "drivers/gpio",
    "drivers/idle",
    "drivers/input",
    "drivers/iommu",
    "drivers/irqchip",
    "drivers/of",
    "drivers/pci",
    "drivers/platform",
    "drivers/pnp",
    "drivers/power",
    "drivers/ptp",
    "drivers/rtc",
    "drivers/tty",
    "drivers/video",
    "drivers/virt",
    "drivers/virtio",
    "fs/autofs",
    "fs/configfs",
    "fs/crypto",
    "fs/debugfs",
    "fs/devpts",
    "fs/exportfs",
    "fs/hugetlbfs",
    "fs/iomap",
    "fs/kernfs",
    "fs/nls",
    "fs/notify",
    "fs/proc",
    "fs/pstore",
    "fs/quota",
    "fs/ramfs",
    "fs/sysfs",
    "fs/tracefs",
    "fs/unicode",
    "fs/verity",
    "tools/arch/x86",
    "tools/build",
    "tools/include",
    "tools/lib",
    "tools/objtool",
    "tools/scripts",
];

/// Whether a file, given from the tree's root, is needed.
pub(crate) fn is_needed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if ["Kconfig", "Makefile", "Kbuild"].iter().any(|build| name.starts_with(build)) {
        return !path.starts_with("tools/testing/");
    }
    if is_in(path, "fs") && path.matches('/').count() == 1 {
        return true;
    }
    !DROPPED.iter().any(|folder| is_in(path, folder)) || KEPT.iter().any(|folder| is_in(path, folder))
}

/// All that the rule rests on, so that what was kept by another rule is told apart.
pub(crate) fn rule() -> String {
    [DROPPED.join(" "), KEPT.join(" ")].join("\n")
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_others_is_left_out_and_the_rest_kept() {
        for needed in [
            "Makefile",
            "scripts/Makefile.build",
            "kernel/fork.c",
            "arch/Kconfig",
            "arch/x86/kernel/tsc.c",
            "drivers/gpu/drm/Kconfig",
            "drivers/tty/tty_io.c",
            "fs/pipe.c",
            "fs/proc/fd.c",
            "include/linux/fs.h",
            "include/dt-bindings/leds/common.h",
            "tools/lib/string.c",
            "Documentation/Kconfig",
        ] {
            assert!(is_needed(needed), "{needed}");
        }
        for other in [
            "Documentation/index.rst",
            "arch/arm/kernel/setup.c",
            "drivers/gpu/drm/drm_drv.c",
            "drivers/basement/a.c",
            "fs/ext4/super.c",
            "sound/core/init.c",
            "tools/perf/perf.c",
            "tools/testing/selftests/Makefile",
        ] {
            assert!(!is_needed(other), "{other}");
        }
    }
}
