//! Where in the kernel a function or a file is, and how near two places are. Pure.
//!
//! `places.txt` knows where functions are by how their names begin; the file is what mostly handles one kind of object, the module what
//! such an object's life mostly stays in, the area (the folder that MAINTAINERS lists a subsystem under) what the code that works with
//! it is part of.

use super::names;
use super::table::Table;
use super::vocabulary;
use crate::skip;

include!(concat!(env!("OUT_DIR"), "/places.rs"));

/// A module, or a folder of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The module: a source file without its ending, or a folder; `pond_*` for what only is known by how its functions' names begin.
    pub path: String,
    /// The source file without its ending, where it is known.
    pub file: Option<String>,
    /// Whether the tree has it.
    pub is_known: bool,
    /// Whether it is one module.
    pub is_module: bool,
    /// Whether much runs through it whatever goes on, so that two crashes in it are no rarity.
    pub is_broad: bool,
}

/// How near two places are, from near to far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distance {
    /// One source file.
    File,
    /// One module, and nobody knows whether one file of it.
    Module,
    /// Two files of one module.
    Beside,
    /// One area.
    Area,
    /// Other areas below one top folder, or nobody knows.
    Top,
    /// Other parts of the tree.
    Far,
}

impl Place {
    /// The place of this number in the table.
    fn at(number: usize) -> Option<Self> {
        let (path, module) = PLACES.get(number)?;
        let has_files = module & SEVERAL != 0;
        let (module, _) = PLACES.get(usize::from(module & !SEVERAL))?;
        let is_module = !path.ends_with('/');
        let file = (is_module && !has_files).then_some(path);
        let path = module.trim_end_matches('/').to_owned();
        let is_broad = is_broad(&path);
        Some(Self { path, file, is_known: true, is_module, is_broad })
    }

    /// What a name's first word stands for where nobody knows it: in the kernel that is a driver's or an object's name.
    fn guess(name: &str) -> Option<Self> {
        let tells = |first: &&str| first.len() > 2 && names::weight(first) == 1.0 && !vocabulary::is_on_the_way(name);
        let first = names::words(name).first().copied().filter(tells)?;
        Some(Self { path: format!("{first}_*"), file: None, is_known: false, is_module: true, is_broad: false })
    }

    /// How near two places are.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        let (one, two) = (home(&self.path), home(&other.path));
        if one == two && self.is_module && other.is_module {
            match (&self.file, &other.file) {
                (Some(file), Some(other)) => {
                    if home(file) == home(other) {
                        Distance::File
                    } else {
                        Distance::Beside
                    }
                }
                _ => Distance::Module,
            }
        } else if one == two || is_below(&one, &two) || is_below(&two, &one) || area(&one) == area(&two) {
            Distance::Area
        } else if !(self.is_known && other.is_known) || one.split('/').next() == two.split('/').next() {
            Distance::Top
        } else {
            Distance::Far
        }
    }

    /// The area that it is in.
    #[must_use]
    pub fn area(&self) -> String {
        area(&home(&self.path)).to_owned()
    }
}

/// The place of a function, when its name tells.
#[must_use]
pub fn of_function(name: &str) -> Option<Place> {
    let bare = skip::base(name).trim_start_matches('_');
    if let Some(place) = named(&format!("{}$", bare.strip_prefix("x64_").or_else(|| bare.strip_prefix("ia32_")).unwrap_or(bare)))
    {
        return Some(place);
    }
    let words: Vec<&str> = bare.split('_').filter(|word| !word.is_empty()).collect();
    let entered = words.iter().take_while(|word| ENTRIES.contains(*word)).count();
    let words = &words[entered..];
    let verb = usize::from(words.first().is_some_and(|word| vocabulary::is_plain(word)));
    let known = beginning(words).or_else(|| if verb > 0 { beginning(&words[verb..]) } else { None });
    known.or_else(|| Place::guess(name))
}

/// The place of the longest entry that these words begin with.
fn beginning(words: &[&str]) -> Option<Place> {
    let first = words.first()?;
    // `dbBackSplit` is `dbX` in the table.
    let hump = first
        .find(|c: char| c.is_ascii_uppercase())
        .filter(|at| *at > 0 && first.bytes().take(*at).all(|b| b.is_ascii_lowercase()));
    let first = hump.map_or_else(|| (*first).to_owned(), |at| format!("{}X", &first[..at]));
    let begin = |count: usize| [&[first.as_str()], &words[1..count]].concat().join("_");
    (1..=words.len().min(MOST_WORDS)).rev().find_map(|count| named(&begin(count)))
}

/// The place of an entry of the table.
fn named(name: &str) -> Option<Place> {
    let (_, place) = NAMES.find(name)?;
    Place::at(usize::from(place))
}

/// Whether a word alone names a place.
#[must_use]
pub fn is_named(word: &str) -> bool {
    NAMES.find(word).is_some()
}

/// The place of a function of what does not run for everybody.
#[must_use]
pub fn of_narrow_function(name: &str) -> Option<Place> {
    of_function(name).filter(|place| !place.is_broad)
}

/// The nearest two of two lists of places; none where one is empty.
pub fn nearest<'l>(ones: &'l [Place], others: &'l [Place]) -> Option<(&'l Place, &'l Place)> {
    let all = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    all.min_by_key(|(one, other)| {
        let distance = one.distance(other);
        (distance, distance <= Distance::Area && (one.is_broad || other.is_broad))
    })
}

/// The place of a source file: the module that it is part of, as far as the table tells.
#[must_use]
pub fn of_file(path: &str) -> Option<Place> {
    if path.starts_with("arch/") && path.contains("/entry/") {
        return None;
    }
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let ends = stem.match_indices('/').map(|(at, _)| at).chain([stem.len()]);
    let known = ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| PLACES.find(&stem[..end]));
    let known = known.and_then(|(number, _)| Place::at(number));
    let path = known.map_or_else(|| stem.to_owned(), |place| place.path);
    let is_broad = is_broad(&path);
    Some(Place { path, file: Some(stem.to_owned()), is_known: true, is_module: true, is_broad })
}

/// How names of functions begin that are an inner part, or the entry of a system call.
const ENTRIES: &[&str] = &["do", "sys", "ksys", "se", "x64", "ia32", "compat"];

/// Words that an entry of the table has at most, whole names aside.
const MOST_WORDS: usize = 4;

/// Whether a path lies below another.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_broad(path: &str) -> bool {
    BROAD.split_whitespace().any(|broad| path == broad || is_below(path, broad))
}

/// A path where its subsystem is at home.
fn home(path: &str) -> String {
    let moved = ELSEWHERE.iter().find(|(from, _)| path == *from || is_below(path, from));
    moved.map_or_else(
        || path.to_owned(),
        |(from, to)| if path == *from { (*to).to_owned() } else { format!("{to}{}", &path[from.len()..]) },
    )
}

/// The area of a place: the subsystem's folder.
fn area(path: &str) -> &str {
    let deep = if FLAT.split_whitespace().any(|top| path == top || is_below(path, top)) {
        1
    } else if DEEP.split_whitespace().any(|top| is_below(path, top)) {
        3
    } else {
        2
    };
    path.match_indices('/').nth(deep - 1).map_or(path, |(at, _)| &path[..at])
}

/// Folders that are one area.
const FLAT: &str = "mm io_uring block ipc crypto";

/// Folders whose subfolders hold several areas each.
const DEEP: &str = "arch drivers/media drivers/usb drivers/net drivers/gpu drivers/infiniband drivers/input drivers/staging drivers/tty \
    drivers/video drivers/char drivers/misc drivers/target drivers/hid";

/// Places that much runs through whatever goes on.
const BROAD: &str = "mm lib block net/core net/netlink net/socket net/ipv4 net/ipv6 drivers/base drivers/usb/core \
    drivers/media/v4l2-core drivers/tty/tty_io kernel/sched kernel/rcu kernel/time kernel/locking kernel/workqueue kernel/fork \
    kernel/exit kernel/signal kernel/softirq kernel/notifier kernel/kthread kernel/task_work kernel/irq kernel/printk \
    fs/kernfs fs/proc fs/dcache fs/inode fs/super fs/namespace fs/file_table fs/buffer fs/libfs fs/read_write fs/open fs/ioctl \
    fs/splice arch/x86/kernel arch/x86/mm arch/x86/entry security/security";

/// Folders and files that belong to a subsystem of another folder.
const ELSEWHERE: &[(&str, &str)] = &[
    ("fs/jbd2", "fs/ext4"),
    ("fs/io_uring", "io_uring"),
    ("fs/io-wq", "io_uring"),
    ("net/9p", "fs/9p"),
    ("net/ceph", "fs/ceph"),
    ("fs/cifs", "fs/smb"),
    ("fs/ksmbd", "fs/smb"),
    ("fs/hfsplus", "fs/hfs"),
    ("fs/nfsd", "fs/nfs"),
    ("net/sunrpc", "fs/nfs"),
    ("fs/sysfs", "fs/kernfs"),
    ("fs/userfaultfd", "mm/userfaultfd"),
    ("fs/hugetlbfs", "mm/hugetlb"),
    ("net/ipv4/netfilter", "net/netfilter"),
    ("net/ipv6/netfilter", "net/netfilter"),
    ("net/bridge/netfilter", "net/netfilter"),
    ("net/wireless", "net/mac80211"),
    ("drivers/net/wireless/mac80211_hwsim", "net/mac80211"),
    ("net/mac802154", "net/ieee802154"),
    ("drivers/net/ieee802154", "net/ieee802154"),
    ("drivers/net/can", "net/can"),
    ("drivers/bluetooth", "net/bluetooth"),
    ("drivers/nfc", "net/nfc"),
    ("net/core/sock_map", "net/skmsg"),
    ("net/core/skmsg", "net/skmsg"),
    ("net/ipv4/tcp_bpf", "net/skmsg"),
    ("net/strparser", "net/kcm"),
    ("net/core/filter", "kernel/bpf"),
    ("net/bpf", "kernel/bpf"),
    ("kernel/trace/bpf_trace", "kernel/bpf"),
    ("virt/kvm", "arch/x86/kvm"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_a_place() {
        for (name, path) in [
            ("route4_get", "net/sched/cls_route"),
            ("__tcf_chain_put", "net/sched/cls_api"),
            ("tcindex_set_parms", "net/sched/cls_tcindex"),
            ("blk_mq_free_rqs", "block/blk-mq"),
            ("usbvision_release", "drivers/media/usb/usbvision"),
            ("dbBackSplit", "fs/jfs"),
            ("do_mount", "fs/namespace"),
            ("path_lookupat", "fs/namei"),
            ("tipc_sk_lookup", "net/tipc"),
        ] {
            assert_eq!(of_function(name).map(|place| place.path).as_deref(), Some(path), "{name}");
        }
        assert_eq!(of_function("zork_read").map(|place| (place.path, place.is_known)), Some(("zork_*".to_owned(), false)));
        assert_eq!(of_function("get_two"), None);
        assert_eq!(of_function(""), None);
    }

    #[test]
    fn files_are_part_of_a_module() {
        let file = |path: &str| of_file(path).map(|place| place.path);
        assert_eq!(file("net/sched/cls_route.c").as_deref(), Some("net/sched/cls_route"));
        assert_eq!(file("net/tipc/socket.c").as_deref(), Some("net/tipc"));
        assert_eq!(file("drivers/zork/zork.c").as_deref(), Some("drivers/zork/zork"));
        assert!(of_file("mm/slub.c").is_some_and(|place| place.is_broad));
    }

    #[test]
    fn files_of_a_module_are_told_apart() {
        let between = |one: &str, other: &str| of_function(one).zip(of_function(other)).map(|(one, other)| one.distance(&other));
        assert_eq!(between("tipc_sk_lookup", "tipc_listen"), Some(Distance::File));
        assert_eq!(between("tipc_sk_lookup", "tipc_nl_node_dump"), Some(Distance::Beside));
        assert_eq!(between("zork_read", "zork_write"), Some(Distance::Module));
        let with = |path: &str| of_function("tipc_sk_lookup").zip(of_file(path)).map(|(one, other)| one.distance(&other));
        assert_eq!(with("net/tipc/socket.c"), Some(Distance::File));
        assert_eq!(with("net/tipc/newer.c"), Some(Distance::Beside));
        assert_eq!(of_function("nft_table_lookup").map(|place| place.path).as_deref(), Some("net/netfilter/nf_tables"));
    }

    #[test]
    fn places_are_near_or_far() {
        let between = |one: &str, other: &str| of_function(one).zip(of_function(other)).map(|(one, other)| one.distance(&other));
        assert_eq!(between("route4_get", "tcf_chain_put"), Some(Distance::Area));
        assert_eq!(between("route4_get", "tipc_sk_lookup"), Some(Distance::Top));
        assert_eq!(between("route4_get", "xfs_iget"), Some(Distance::Far));
    }
}
