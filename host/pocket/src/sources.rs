//! The kernel's sources and the series of its history, as files of this crate.

/// The list of maintainers, also a source.
pub(crate) const MAINTAINERS: &str = include_str!("../kernel/MAINTAINERS");
/// The list of contributors, also a source.
pub(crate) const CREDITS: &str = include_str!("../kernel/CREDITS");

/// Constants before any step sets them.
pub(crate) const DEFAULTS: &str = include_str!("../history/defaults.txt");
/// Steps that have a place of their own in the plan.
pub(crate) const PLANTED: &str = include_str!("../history/planted.txt");

/// A subsystem with a series: short name, folder, series.
pub(crate) const SERIES: [(&str, &str, &str); 10] = [
    ("x86", "arch/x86", include_str!("../history/x86.txt")),
    ("kernel", "kernel", include_str!("../history/kernel.txt")),
    ("lib", "lib", include_str!("../history/lib.txt")),
    ("mm", "mm", include_str!("../history/mm.txt")),
    ("fs", "fs", include_str!("../history/fs.txt")),
    ("net", "net", include_str!("../history/net.txt")),
    ("block", "block", include_str!("../history/block.txt")),
    ("base", "drivers/base", include_str!("../history/base.txt")),
    ("usr", "usr", include_str!("../history/usr.txt")),
    ("docs", "Documentation", include_str!("../history/docs.txt")),
];

/// A kind of driver: source, and the series of one driver.
pub(crate) struct DriverSource {
    pub(crate) source: &'static str,
    pub(crate) series: &'static str,
}

/// Chips that are asked for numbers.
pub(crate) const SENSOR: DriverSource =
    DriverSource { source: include_str!("../kernel/drivers/sensor.c.in"), series: include_str!("../history/sensor.txt") };
/// Chips that count time.
pub(crate) const CLOCK: DriverSource =
    DriverSource { source: include_str!("../kernel/drivers/clock.c.in"), series: include_str!("../history/clock.txt") };
/// Chips that drive lines.
pub(crate) const LINES: DriverSource =
    DriverSource { source: include_str!("../kernel/drivers/lines.c.in"), series: include_str!("../history/lines.txt") };
/// Chips that report events.
pub(crate) const EVENTS: DriverSource =
    DriverSource { source: include_str!("../kernel/drivers/events.c.in"), series: include_str!("../history/events.txt") };

/// Path in the tree, and source, of every file but the drivers.
pub(crate) const FILES: [(&str, &str); 75] = [
    ("CREDITS", include_str!("../kernel/CREDITS")),
    ("Documentation/control.rst", include_str!("../kernel/Documentation/control.rst")),
    ("Documentation/drivers.rst", include_str!("../kernel/Documentation/drivers.rst")),
    ("Documentation/locking.rst", include_str!("../kernel/Documentation/locking.rst")),
    ("Documentation/memory.rst", include_str!("../kernel/Documentation/memory.rst")),
    ("MAINTAINERS", include_str!("../kernel/MAINTAINERS")),
    ("Makefile", include_str!("../kernel/Makefile")),
    ("README", include_str!("../kernel/README")),
    ("arch/x86/boot.S", include_str!("../kernel/arch/x86/boot.S")),
    ("arch/x86/io.h", include_str!("../kernel/arch/x86/io.h")),
    ("arch/x86/kernel.lds", include_str!("../kernel/arch/x86/kernel.lds")),
    ("arch/x86/serial.c", include_str!("../kernel/arch/x86/serial.c")),
    ("arch/x86/switch.S", include_str!("../kernel/arch/x86/switch.S")),
    ("arch/x86/traps.c", include_str!("../kernel/arch/x86/traps.c")),
    ("block/partition.c", include_str!("../kernel/block/partition.c")),
    ("block/queue.c", include_str!("../kernel/block/queue.c")),
    ("build.sh", include_str!("../kernel/build.sh")),
    ("drivers/base/core.c", include_str!("../kernel/drivers/base/core.c")),
    ("fs/dcache.c", include_str!("../kernel/fs/dcache.c")),
    ("fs/inode.c", include_str!("../kernel/fs/inode.c")),
    ("fs/pipe.c", include_str!("../kernel/fs/pipe.c")),
    ("include/pocket/arch.h", include_str!("../kernel/include/pocket/arch.h")),
    ("include/pocket/bitmap.h", include_str!("../kernel/include/pocket/bitmap.h")),
    ("include/pocket/block.h", include_str!("../kernel/include/pocket/block.h")),
    ("include/pocket/bug.h", include_str!("../kernel/include/pocket/bug.h")),
    ("include/pocket/control.h", include_str!("../kernel/include/pocket/control.h")),
    ("include/pocket/crc32.h", include_str!("../kernel/include/pocket/crc32.h")),
    ("include/pocket/device.h", include_str!("../kernel/include/pocket/device.h")),
    ("include/pocket/fifo.h", include_str!("../kernel/include/pocket/fifo.h")),
    ("include/pocket/fs.h", include_str!("../kernel/include/pocket/fs.h")),
    ("include/pocket/init.h", include_str!("../kernel/include/pocket/init.h")),
    ("include/pocket/list.h", include_str!("../kernel/include/pocket/list.h")),
    ("include/pocket/lock.h", include_str!("../kernel/include/pocket/lock.h")),
    ("include/pocket/mempool.h", include_str!("../kernel/include/pocket/mempool.h")),
    ("include/pocket/net.h", include_str!("../kernel/include/pocket/net.h")),
    ("include/pocket/notifier.h", include_str!("../kernel/include/pocket/notifier.h")),
    ("include/pocket/printk.h", include_str!("../kernel/include/pocket/printk.h")),
    ("include/pocket/refcount.h", include_str!("../kernel/include/pocket/refcount.h")),
    ("include/pocket/sched.h", include_str!("../kernel/include/pocket/sched.h")),
    ("include/pocket/slab.h", include_str!("../kernel/include/pocket/slab.h")),
    ("include/pocket/sort.h", include_str!("../kernel/include/pocket/sort.h")),
    ("include/pocket/string.h", include_str!("../kernel/include/pocket/string.h")),
    ("include/pocket/timer.h", include_str!("../kernel/include/pocket/timer.h")),
    ("include/pocket/types.h", include_str!("../kernel/include/pocket/types.h")),
    ("include/pocket/wait.h", include_str!("../kernel/include/pocket/wait.h")),
    ("include/pocket/workqueue.h", include_str!("../kernel/include/pocket/workqueue.h")),
    ("init/main.c", include_str!("../kernel/init/main.c")),
    ("kernel/control.c", include_str!("../kernel/kernel/control.c")),
    ("kernel/kallsyms.c", include_str!("../kernel/kernel/kallsyms.c")),
    ("kernel/lockdep.c", include_str!("../kernel/kernel/lockdep.c")),
    ("kernel/mutex.c", include_str!("../kernel/kernel/mutex.c")),
    ("kernel/notifier.c", include_str!("../kernel/kernel/notifier.c")),
    ("kernel/panic.c", include_str!("../kernel/kernel/panic.c")),
    ("kernel/printk.c", include_str!("../kernel/kernel/printk.c")),
    ("kernel/sched.c", include_str!("../kernel/kernel/sched.c")),
    ("kernel/timer.c", include_str!("../kernel/kernel/timer.c")),
    ("kernel/wait.c", include_str!("../kernel/kernel/wait.c")),
    ("kernel/workqueue.c", include_str!("../kernel/kernel/workqueue.c")),
    ("lib/bitmap.c", include_str!("../kernel/lib/bitmap.c")),
    ("lib/crc32.c", include_str!("../kernel/lib/crc32.c")),
    ("lib/fifo.c", include_str!("../kernel/lib/fifo.c")),
    ("lib/list_debug.c", include_str!("../kernel/lib/list_debug.c")),
    ("lib/refcount.c", include_str!("../kernel/lib/refcount.c")),
    ("lib/sort.c", include_str!("../kernel/lib/sort.c")),
    ("lib/string.c", include_str!("../kernel/lib/string.c")),
    ("lib/vsprintf.c", include_str!("../kernel/lib/vsprintf.c")),
    ("mm/kasan.c", include_str!("../kernel/mm/kasan.c")),
    ("mm/mempool.c", include_str!("../kernel/mm/mempool.c")),
    ("mm/slab.c", include_str!("../kernel/mm/slab.c")),
    ("net/checksum.c", include_str!("../kernel/net/checksum.c")),
    ("net/neigh.c", include_str!("../kernel/net/neigh.c")),
    ("net/route.c", include_str!("../kernel/net/route.c")),
    ("net/sock.c", include_str!("../kernel/net/sock.c")),
    ("usr/programs.c", include_str!("../kernel/usr/programs.c")),
    ("usr/race.c", include_str!("../kernel/usr/race.c")),
];
