//! Memory checkers: KASAN, KMSAN, KCSAN, KFENCE, UBSAN, kmemleak, slab debugging, list and page checks.

use super::ALL;
use super::BAD_ACCESS;
use super::HEADER;
use super::INVALID_FREE;
use super::Row;
use super::Source;
use super::Stack;
use super::TRACE_OR_HEADER;
use super::Within;
use super::row;

/// Functions that allocate for a container, which is what leaks.
const LEAKED: &str = "xas_nomem xas_create*";

/// Functions that allocate on behalf of their callers.
const LEAKING: &str = "*alloc* create_object kmemleak_* kobject_* __list_lru_init list_lru_* sk_prot_* *_init_once sget_userns pcpu_* \
     kstrdup* kasprintf device_add* device_create* device_private_init dup_* mempool_* getname*";

/// Ciphers read every byte they are given, initialised or not.
const CIPHERS: &str = "aes* crypto_* cipher_* drbg_* xts_* ecb_* cbc_* rng_* sha* chacha_*";

/// USB's ways to hand a buffer to a device.
const USB: &str = "usb_submit_urb usb_start_wait_urb usb_bulk_msg usb_interrupt_msg usb_control_msg*";

/// Why a line of a slab report cannot stand alone.
const SLAB: &str = "the slab report it belongs to is missing";
const TORN: &str = "the kind of access was not printed";

/// Pools of pages allocate on behalf of their users.
const PAGES: &str = "__set_page_owner page_pool_* __page_pool_* alloc_pages_bulk*";

/// KFENCE's own tests.
const TESTS: &str = "test_kmalloc*";

/// KCSAN names the two functions that race.
const KCSAN: &[Source] = &[Source::Header];

/// Slab debugging: `BUG kmalloc-8 (Not tainted): Poison overwritten`.
const fn slab(header: &'static str, title: &'static str) -> Row {
    row(header, title).kind("DoS").frameless().stack(Stack::Announced)
}

pub(super) const ROWS: &[Row] = &[
    row("BUG: KASAN: double-free or invalid-free in {fn}", "KASAN: invalid-free in {frame}")
        .alt(INVALID_FREE)
        .kind("KASAN-INVALID-FREE")
        .frame(TRACE_OR_HEADER),
    row("BUG: KASAN: invalid-free in {fn}", "KASAN: invalid-free in {frame}")
        .alt(INVALID_FREE)
        .kind("KASAN-INVALID-FREE")
        .frame(TRACE_OR_HEADER),
    row("BUG: KASAN: double-free in {fn}", "KASAN: invalid-free in {frame}").alt(INVALID_FREE).kind("KASAN-INVALID-FREE"),
    row("BUG: KASAN: {what:word} in {fn}", "KASAN: {what} {op} in {frame}")
        .also(&["{op:fn} of size {size:num} "])
        .alt(BAD_ACCESS)
        .access("KASAN")
        .frame(HEADER),
    row("BUG: KASAN: {what:word} in {fn}", "KASAN: {what} {op} in {frame}")
        .also(&["{op:fn} at addr {hex} by task"])
        .alt(BAD_ACCESS)
        .access("KASAN")
        .frame(HEADER),
    row("BUG: KASAN: {what:word} on address", "KASAN: {what} {op}")
        .also(&["{op:fn} of size {size:num} "])
        .access("KASAN")
        .frameless()
        .stack(Stack::Announced),
    row("BUG: KASAN: {what:word} in {any}", "KASAN: {what} in {any}").access("KASAN").frameless().corrupted(TORN),
    row("BUG: KMSAN: kernel-usb-infoleak in {fn}", "KMSAN: kernel-usb-infoleak in {frame}")
        .alt(&["KMSAN origin in {origin}"])
        .kind("KMSAN-INFO-LEAK")
        .skip(USB)
        .stack(Stack::Bare),
    row("BUG: KMSAN: {what:word} in {fn}", "KMSAN: {what} in {frame}")
        .alt(BAD_ACCESS)
        .access("KMSAN")
        .skip(CIPHERS)
        .stack(Stack::Bare),
    row("BUG: KCSAN: {what:word} in {fn} / {b:fn}", "KCSAN: {what} in {frame} / {b}")
        .access("KCSAN")
        .frame(KCSAN)
        .keep(ALL)
        .stack(Stack::Bare),
    row("BUG: KCSAN: assert: {what:word} in {fn} / {b:fn}", "KCSAN: assert: {what} in {frame} / {b}")
        .access("KCSAN")
        .frame(KCSAN)
        .keep(ALL)
        .stack(Stack::Bare),
    row("BUG: KCSAN: assert: {what:word} in {fn}", "KCSAN: assert: {what} in {frame}")
        .access("KCSAN")
        .frame(KCSAN)
        .keep(ALL)
        .stack(Stack::Bare),
    row("BUG: KCSAN: {what:word} in {fn}", "KCSAN: {what} in {frame}").access("KCSAN").frame(KCSAN).keep(ALL).stack(Stack::Bare),
    row("BUG: KFENCE: invalid free in {fn}", "KFENCE: invalid free in {frame}")
        .alt(INVALID_FREE)
        .kind("KFENCE-INVALID-FREE")
        .frame(HEADER)
        .stack(Stack::Bare),
    row("BUG: KFENCE: memory corruption in {fn}", "KFENCE: memory corruption in {frame}")
        .kind("KFENCE-MEMORY-CORRUPTION")
        .frame(HEADER)
        .skip(TESTS)
        .stack(Stack::Bare),
    row("BUG: KFENCE: {what:word} {op:word} in {fn}", "KFENCE: {what} {op} in {frame}")
        .alt(BAD_ACCESS)
        .access("KFENCE")
        .frame(HEADER)
        .stack(Stack::Bare),
    row("UBSAN: Undefined behaviour in {any}", "UBSAN: undefined-behaviour in {frame}").kind("UBSAN"),
    row("UBSAN: array-index-out-of-bounds in {any}", "UBSAN: array-index-out-of-bounds in {frame}").kind("MEMORY_SAFETY_UBSAN"),
    row("UBSAN: {what:word} in {any}", "UBSAN: {what} in {frame}").kind("UBSAN"),
    row("UBSAN: {what:any} at {fn}+0x", "UBSAN: {what:any} in {frame}").kind("UBSAN").frame(HEADER),
    row("BUG: memory leak", "memory leak in {frame}").also(&["unreferenced object"]).kind("LEAK").skip(LEAKING).keep(LEAKED),
    row("BUG: Bad page state", "BUG: Bad page state in {frame}")
        .also(&["page last allocated via"])
        .skip(PAGES)
        .stack(Stack::Bare),
    row("BUG: Bad page state", "BUG: Bad page state in corrupted")
        .frameless()
        .corrupted("who allocated the page was not printed"),
    row("BUG: Bad page map", "BUG: Bad page map").frameless(),
    row("BUG: Bad page cache", "BUG: Bad page cache").frameless(),
    row("BUG: Bad rss-counter state", "BUG: Bad rss-counter state").frameless(),
    row("BUG: non-zero pgtables_bytes on freeing mm", "BUG: non-zero pgtables_bytes on freeing mm: NUM").frameless(),
    row("BUG: Dentry {any}still in use{rest:any}[unmount of {fs:any}]", "BUG: Dentry still in use in unmount")
        .alt(&["BUG: Dentry still in use [unmount of {fs}]"])
        .frameless()
        .stack(Stack::Announced),
    slab("): Object already free", "BUG: Object already free"),
    slab("): Poison overwritten", "BUG: Poison overwritten"),
    slab("): Object padding overwritten", "BUG: Object padding overwritten"),
    slab("): Left Redzone overwritten", "BUG: Left Redzone overwritten"),
    slab("): Right Redzone overwritten", "BUG: Right Redzone overwritten"),
    slab("): kmalloc Redzone overwritten", "BUG: kmalloc Redzone overwritten"),
    slab("): Freelist Pointer check fails", "BUG: Freelist Pointer check fails"),
    slab("): objects {num} > max", "BUG: Wrong number of objects"),
    slab("): inuse {num} > max", "BUG: Wrong number of objects"),
    slab("): Redzone overwritten", "BUG: Redzone overwritten"),
    slab("): Padding overwritten", "BUG: Padding overwritten"),
    slab("): Freepointer corrupt", "BUG: Freepointer corrupt"),
    slab("): Freechain corrupt", "BUG: Freechain corrupt"),
    slab("): Wrong object count", "BUG: Wrong object count"),
    slab("): Wrong number of objects", "BUG: Wrong number of objects"),
    slab("): Object corrupt", "BUG: Object corrupt"),
    slab("): Invalid object pointer", "BUG: Invalid object pointer"),
    slab("): Freelist cycle detected", "BUG: Freelist cycle detected"),
    slab("): Attempt to free object", "BUG: Attempt to free object outside of slab"),
    slab("): Not a valid slab", "BUG: Not a valid slab"),
    slab("): Objects remaining in", "BUG: Objects remaining on __kmem_cache_shutdown()"),
    slab("): Objects remaining on", "BUG: Objects remaining on __kmem_cache_shutdown()"),
    row("INFO: Freed in {what:any}", "INFO: Freed in {what}").frameless().corrupted(SLAB).within(Within::Part),
    row("INFO: Allocated in {what:any}", "INFO: Allocated in {what}").frameless().corrupted(SLAB).within(Within::Part),
];
