//! Files that others hand over, read up to a bound: what has no end, such as a device, must not take the machine's memory.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

/// A file's bytes, where there are no more than `most`.
///
/// # Errors
///
/// It cannot be read, or is longer.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?, most)
}

/// The bytes of anything that can be read, where there are no more than `most`.
///
/// # Errors
///
/// As for [`read`].
pub(crate) fn read_from(source: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}
