//! The bugs that can be planted: what each is, how it shows, and where its window lies.

use std::fmt;

/// What a crash speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Memory that is not what it should be.
    Memory,
    /// Tasks that wait.
    Waiting,
    /// Numbers that do not fit together.
    Counting,
}

/// A bug that a history can hold. Each is a race between two tasks of the workload: one of them passes a window, and the bug shows
/// when the other's event falls into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Write-back uses an inode without a reference, and an unlink frees it.
    UseAfterFree,
    /// A socket's reference is taken after it was found rather than under the lock, and a close drops the last one.
    Refcount,
    /// The block layer takes two locks the other way round when the first is busy.
    LockOrder,
    /// A pipe's writer leaves out a wake-up because of what it saw before it copied.
    LostWakeup,
    /// An entry is put on a list after a look at the list that is out of date.
    ListCorruption,
    /// A directory counts its children from a number that is out of date.
    LostUpdate,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::UseAfterFree, Self::Refcount, Self::LockOrder, Self::LostWakeup, Self::ListCorruption, Self::LostUpdate];

    /// The crash's title, in syzkaller's words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::UseAfterFree => "KASAN: slab-use-after-free Read in inode_write_page",
            Self::Refcount => "WARNING: refcount bug in sock_lookup",
            Self::LockOrder => "possible deadlock in blk_requeue",
            Self::LostWakeup => "INFO: task hung in pipe_read",
            Self::ListCorruption => "BUG: corrupted list in neigh_confirm",
            Self::LostUpdate => "kernel BUG in d_prune",
        }
    }

    /// The function that the culprit changes.
    #[must_use]
    pub fn function(self) -> &'static str {
        match self {
            Self::UseAfterFree => "vfs_sync",
            Self::Refcount => "sock_lookup",
            Self::LockOrder => "blk_requeue",
            Self::LostWakeup => "pipe_write",
            Self::ListCorruption => "neigh_confirm",
            Self::LostUpdate => "d_add",
        }
    }

    /// Whether the title names the function that the culprit changes; so for half of the kinds.
    #[must_use]
    pub fn names_culprit(self) -> bool {
        self.title().ends_with(self.function())
    }

    /// A line of the console that no other crash prints.
    #[must_use]
    pub fn marker(self) -> &'static str {
        match self {
            Self::UseAfterFree => "BUG: KASAN: slab-use-after-free in inode_write_page+",
            Self::Refcount => "refcount_t: addition on 0; use-after-free.",
            Self::LockOrder => "WARNING: possible circular locking dependency detected",
            Self::LostWakeup => "INFO: task reader:",
            Self::ListCorruption => "list_add double add: new=",
            Self::LostUpdate => "kernel BUG at fs/dcache.c:",
        }
    }

    /// The steps that plant it and that mend it.
    pub(crate) fn steps(self) -> (&'static str, &'static str) {
        match self {
            Self::UseAfterFree => ("bug-inode", "fix-inode"),
            Self::Refcount => ("bug-sock", "fix-sock"),
            Self::LockOrder => ("bug-blk", "fix-blk"),
            Self::LostWakeup => ("bug-pipe", "fix-pipe"),
            Self::ListCorruption => ("bug-neigh", "fix-neigh"),
            Self::LostUpdate => ("bug-dcache", "fix-dcache"),
        }
    }

    /// The series of history that its subsystem's steps belong to.
    pub(crate) fn topic(self) -> &'static str {
        match self {
            Self::UseAfterFree | Self::LostWakeup | Self::LostUpdate => "fs",
            Self::Refcount | Self::ListCorruption => "net",
            Self::LockOrder => "block",
        }
    }

    /// What its crash speaks of: bugs of one family may be one bug, as far as their reports tell.
    pub(crate) fn family(self) -> Family {
        match self {
            Self::UseAfterFree | Self::Refcount | Self::ListCorruption => Family::Memory,
            Self::LockOrder | Self::LostWakeup => Family::Waiting,
            Self::LostUpdate => Family::Counting,
        }
    }

    /// The constants of the sources that are yield points inside the window, and before the other task's event.
    pub(crate) fn constants(self) -> (&'static str, &'static str) {
        match self {
            Self::UseAfterFree => ("WB_PAGES", "TRUNC_PAGES"),
            Self::Refcount => ("SK_FILTERS", "SK_BACKLOG"),
            Self::LockOrder => ("BLK_BATCH", "BLK_MERGES"),
            Self::LostWakeup => ("PIPE_COPY_IN", "PIPE_COPY_OUT"),
            Self::ListCorruption => ("NEIGH_PROBES", "NEIGH_SCAN"),
            Self::LostUpdate => ("DHASH_STEPS", "DSCAN_STEPS"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UseAfterFree => "use after free",
            Self::Refcount => "missing reference",
            Self::LockOrder => "lock order",
            Self::LostWakeup => "lost wake-up",
            Self::ListCorruption => "list corruption",
            Self::LostUpdate => "lost update",
        })
    }
}
