//! A guest's first files, as a cpio archive in the kernel's `newc` format (Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! Owns the archive's format and what every Linux guest gets: init, control test, device nodes, a busybox where the host has a
//! static one. Archives may follow one another; later files win.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

/// File types and their bits in a `newc` mode.
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
const DEVICE: u32 = 0o020_000;

/// An archive being written.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    count: u32,
}

impl Archive {
    /// The archive that every Linux guest gets: `init` as `/init`, links to it by the names of what else it does, folders and device
    /// nodes.
    pub fn base(init: &[u8]) -> Self {
        let mut archive = Self::default();
        for folder in ["dev", "proc", "sys", "tmp", "run", "root", "etc", "bin", "lib"] {
            archive.folder(folder);
        }
        // The kernel opens the console for init before anything is mounted; the others are for kernels without devtmpfs.
        for (name, major, minor) in [
            ("console", 5, 1),
            ("null", 1, 3),
            ("zero", 1, 5),
            ("urandom", 1, 9),
            ("kmsg", 1, 11),
            ("tty", 5, 0),
            ("ttyS0", 4, 64),
            ("ttyS1", 4, 65),
        ] {
            archive.entry(&format!("dev/{name}"), DEVICE | 0o666, &[], (major, minor));
        }
        archive.file("init", 0o755, init);
        for name in ["control", "trace", "traced"] {
            archive.entry(name, LINK | 0o777, b"/init", (0, 0));
        }
        archive
    }

    /// Adds a static busybox with links for all that it can do; `applets` as `busybox --list` names them.
    pub fn busybox(&mut self, program: &[u8], applets: &[String]) {
        self.file("bin/busybox", 0o755, program);
        for applet in applets {
            self.entry(&format!("bin/{applet}"), LINK | 0o777, b"busybox", (0, 0));
        }
    }

    /// Adds a file; its folders are added too.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        let path = path.trim_start_matches('/');
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folders(folder);
        }
        self.entry(path, REGULAR | (mode & 0o7777), content, (0, 0));
    }

    /// Adds a file of the host, or a folder with all that is in it, under `to`.
    ///
    /// # Errors
    ///
    /// Something cannot be read; the message names it.
    pub fn host_path(&mut self, from: &Path, to: &str) -> io::Result<()> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", from.display()));
        let found = fs::metadata(from).map_err(named)?;
        if found.is_dir() {
            let to = to.trim_matches('/');
            self.folders(to);
            let mut inside: Vec<PathBuf> =
                fs::read_dir(from).map_err(named)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
            inside.sort();
            for path in inside {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let target = format!("{to}/{name}");
                match fs::read_link(&path) {
                    Ok(link) => {
                        let link = link.as_os_str().as_encoded_bytes();
                        self.entry(target.trim_start_matches('/'), LINK | 0o777, link, (0, 0));
                    }
                    Err(_) => self.host_path(&path, &target)?,
                }
            }
            Ok(())
        } else if found.is_file() {
            let content = fs::read(from).map_err(named)?;
            self.file(to, found.permissions().mode(), &content);
            Ok(())
        } else {
            Err(named(io::Error::other("neither a file nor a folder")))
        }
    }

    /// A folder and those that it lies in; what is there already is let be by the kernel.
    fn folders(&mut self, path: &str) {
        for (end, _) in path.match_indices('/') {
            self.folder(&path[..end]);
        }
        self.folder(path);
    }

    fn folder(&mut self, path: &str) {
        if !path.is_empty() {
            self.entry(path, FOLDER | 0o755, &[], (0, 0));
        }
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8], device: (u32, u32)) {
        self.count += 1;
        let links = if mode & FOLDER != 0 { 2 } else { 1 };
        let name_size = path.len() as u32 + 1;
        let fields = [self.count, mode, 0, 0, links, 0, content.len() as u32, 0, 0, device.0, device.1, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The finished archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[], (0, 0));
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self.bytes
    }
}

/// The host's busybox and what it can do, if it has one that needs no libraries.
pub fn static_busybox() -> Option<(Vec<u8>, Vec<String>)> {
    let path = ["/bin/busybox", "/usr/bin/busybox"].into_iter().map(Path::new).find(|path| path.is_file())?;
    let program = fs::read(path).ok()?;
    if loader(&program).is_some() {
        return None;
    }
    let list = std::process::Command::new(path).arg("--list").output().ok()?;
    let applets = String::from_utf8_lossy(&list.stdout).lines().filter(|name| *name != "busybox").map(str::to_owned).collect();
    Some((program, applets))
}

/// Whether machines have a program at this path, without what a job adds.
pub fn has_program(path: &str) -> bool {
    let name = path.strip_prefix("/bin/");
    static_busybox().is_some_and(|(_, applets)| name.is_some_and(|name| applets.iter().any(|applet| applet == name)))
}

/// The loader that must link a program at run time, as an absolute path: such a reproducer needs it and its libraries in the
/// machine. None for static programs, scripts and whatever else is no 64-bit ELF file.
pub fn loader(program: &[u8]) -> Option<String> {
    use object::read::elf::FileHeader as _;
    use object::read::elf::ProgramHeader as _;
    let header = object::elf::FileHeader64::<object::Endianness>::parse(program).ok()?;
    let endian = header.endian().ok()?;
    let headers = header.program_headers(endian, program).ok()?;
    let named = headers.iter().find_map(|header| header.interpreter(endian, program).ok()?)?;
    Some(String::from_utf8_lossy(named).into_owned())
}

#[cfg(test)]
mod tests;
