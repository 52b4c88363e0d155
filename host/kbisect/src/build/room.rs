//! The disk that a run may use: how much its directory holds, and when a build takes it beyond. Owns the measures and the wording.
//!
//! The directory's size is looked at again and again while a build runs, which needs no rights and no file system of its own; what
//! is written between two looks may go beyond the limit.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use crate::config::size;

/// With less than this left on the disk no build is begun.
const LEAST: u64 = 16 << 20;
/// Least time between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// Looks take at most about one part in so many of the time.
const SHARE: u32 = 20;

/// A run's directory and its limit.
#[derive(Debug, Clone)]
pub struct Room {
    /// The run directory.
    pub dir: PathBuf,
    /// The folder in it for checkouts and scratch: what builds write into.
    pub work: PathBuf,
    /// Bytes that it may hold.
    pub limit: u64,
}

impl Room {
    /// Bytes on disk that the directory holds. Files that come and go meanwhile may be left out.
    pub fn used(&self) -> u64 {
        used(&self.dir)
    }

    /// Bytes by which a directory that holds so many is fuller than a build should find it; 0 where it is not.
    pub fn excess(&self, used: u64) -> u64 {
        used.saturating_sub(self.limit / 10 * 8)
    }

    /// Why no build can begin: the limit is reached, or the disk is full.
    pub fn lack(&self) -> Option<String> {
        self.lack_with(self.used())
    }

    /// The same where the directory holds so many bytes: to count them takes long where there are many files.
    pub fn lack_with(&self, used: u64) -> Option<String> {
        if used > self.limit {
            let (used, limit) = (size::rounded(used), size::format(self.limit));
            return Some(format!("the run directory holds {used}, and [limits] `disk` in its job.toml allows {limit}"));
        }
        let found = rustix::fs::statvfs(&self.dir).ok()?;
        let free = found.f_bavail.saturating_mul(found.f_frsize);
        (free < LEAST).then(|| format!("the disk is full: {} are free in `{}`", size::rounded(free), self.dir.display()))
    }

    /// Does some work that writes into its `own` folders, but drops it where the directory comes to hold more than it may.
    ///
    /// # Errors
    ///
    /// The limit was passed, be it at the very end.
    pub async fn within<T>(&self, own: &[&Path], work: impl Future<Output = T>) -> Result<T, Beyond> {
        let done = tokio::select! {
            done = work => done,
            () = self.exceeded() => return Err(self.blame(own)),
        };
        if self.used() > self.limit { Err(self.blame(own)) } else { Ok(done) }
    }

    /// Waits until the directory holds more than it may.
    async fn exceeded(&self) {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let (room, began) = (self.clone(), Instant::now());
            // A look that broke off saw nothing.
            if tokio::task::spawn_blocking(move || room.used() > room.limit).await.unwrap_or(false) {
                return;
            }
            pause = PAUSE.max(began.elapsed() * SHARE);
        }
    }

    /// Why a build that went beyond the limit is over.
    fn blame(&self, own: &[&Path]) -> Beyond {
        let limit = size::format(self.limit);
        let kept = self.used().saturating_sub(used(&self.work));
        if kept > self.limit / 2 {
            let kept = size::rounded(kept);
            return Beyond::Run(format!("the run has kept {kept}, and [limits] `disk` in its job.toml allows {limit} in all"));
        }
        if kept + own.iter().map(|folder| used(folder)).sum::<u64>() > self.limit {
            return Beyond::Build(format!("the build takes the run directory beyond [limits] `disk` = {limit}"));
        }
        Beyond::Others(format!("what several builds leave takes the run directory beyond [limits] `disk` = {limit}"))
    }
}

/// Whose fault it is that the limit was passed, and the words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// The build's: it would not have fit alone.
    Build(String),
    /// Nobody's: it would have, without what others have left where they build.
    Others(String),
    /// Nobody's: most of the room was taken by what earlier builds and trials left to keep.
    Run(String),
}

/// Bytes on disk of a folder and all that is in it, each name counted: what `du -l` says. One folder is open at a time, however
/// deep a build has nested them.
pub(super) fn used(dir: &Path) -> u64 {
    let blocks = |found: &fs::Metadata| found.blocks() * 512;
    let mut sum = fs::symlink_metadata(dir).map_or(0, |found| blocks(&found));
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            sum += blocks(&found);
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    sum
}
