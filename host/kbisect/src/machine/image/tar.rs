//! Files for a running machine, as a tar archive in POSIX's `ustar` format, which every tar reads.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

/// Bytes of a block.
const BLOCK: usize = 512;

/// An archive of files and folders of the host (with all that is in them), each under the path that comes with it. Folders are not
/// entries: they are made by need, and those that the machine has stay as they are.
///
/// # Errors
/// Something cannot be read or has a name that the format cannot hold; the message names it.
pub(super) fn pack(files: &[(PathBuf, String)]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (from, to) in files {
        add(&mut bytes, from, to.trim_matches('/'))
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", from.display())))?;
    }
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    Ok(bytes)
}

fn add(bytes: &mut Vec<u8>, from: &Path, to: &str) -> io::Result<()> {
    let found = fs::metadata(from)?;
    if !found.is_dir() {
        let content = fs::read(from)?;
        entry(bytes, to, b'0', found.permissions().mode() & 0o7777, "", content.len())?;
        bytes.extend_from_slice(&content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = fs::read_dir(from)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    inside.sort();
    for path in inside {
        let to = format!("{to}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        match fs::read_link(&path) {
            Ok(link) => entry(bytes, &to, b'2', 0o777, &link.to_string_lossy(), 0)?,
            Err(_) => add(bytes, &path, &to)?,
        }
    }
    Ok(())
}

/// The header of an entry. All belong to root and are of the time 0.
fn entry(bytes: &mut Vec<u8>, path: &str, kind: u8, mode: u32, link: &str, size: usize) -> io::Result<()> {
    let too_long = || io::Error::other(format!("the name `{path}` is too long for tar"));
    let (prefix, name) = match path.len() {
        ..=100 => ("", path),
        _ => {
            let cut = path.match_indices('/').map(|(at, _)| at).find(|at| path.len() - at - 1 <= 100).ok_or_else(too_long)?;
            (&path[..cut], &path[cut + 1..])
        }
    };
    if prefix.len() > 155 || link.len() > 100 || size >= 1 << 33 {
        return Err(too_long());
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    put(148, "        ");
    put(157, link);
    put(257, "ustar\x0000");
    put(345, prefix);
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes.extend_from_slice(&header);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn tar_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let deep = "d".repeat(90);
        fs::create_dir_all(from.join(&deep)).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("program"), vec![7; 1000]).unwrap();
        fs::set_permissions(from.join("program"), fs::Permissions::from_mode(0o751)).unwrap();
        fs::write(from.join(&deep).join("e".repeat(90)), "").unwrap();
        symlink("program", from.join("link")).unwrap();
        let bytes = pack(&[(from.clone(), "/tests/all".to_owned()), (from.join("program"), "/repro".to_owned())]).unwrap();
        fs::write(dir.path().join("a.tar"), bytes).unwrap();
        let tar = Command::new("tar").arg("-C").arg(&to).arg("-xf").arg(dir.path().join("a.tar")).status().unwrap();
        assert!(tar.success());
        let diff = Command::new("diff").arg("-r").arg(&from).arg(to.join("tests/all")).status().unwrap();
        assert!(diff.success());
        assert_eq!(fs::metadata(to.join("repro")).unwrap().permissions().mode() & 0o7777, 0o751);
        assert_eq!(fs::read_link(to.join("tests/all/link")).unwrap(), Path::new("program"));
    }

    #[test]
    fn what_is_missing_or_too_long_is_told() {
        let missing = pack(&[("/nowhere/x".into(), "/x".to_owned())]).unwrap_err();
        assert!(missing.to_string().starts_with("/nowhere/x: "), "{missing}");
        let long = pack(&[("/etc/hostname".into(), "x".repeat(300))]).unwrap_err();
        assert!(long.to_string().contains("too long"), "{long}");
    }
}
