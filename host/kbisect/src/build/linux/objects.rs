//! Which sources a kernel was made of. Owns the reading of kbuild's `.cmd` files and the list that is kept with a kernel.
//!
//! fixdep leaves beside each object `.NAME.cmd`, with the source (`source_NAME := …`) and every file that it includes (`deps_NAME := \`
//! and a line each). Files of the object tree are left out: they are made, and what they are made from is there, too.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

/// The list's name in a kernel's folder: lines `COUNT PATH`, zstd.
pub const FILE: &str = "sources.zst";

/// A changed file whose effect on a build is not known: as many objects, about, are made anew.
const UNKNOWN: u64 = 3;

/// The sources of a kernel, from the tree's root, each with how many objects depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    objects: BTreeMap<String, u32>,
}

impl Sources {
    /// How many objects are made anew, at most, when these files change. Files that nothing is known of count for a few.
    pub fn cost(&self, changed: &[String]) -> u64 {
        changed.iter().map(|path| self.cost_of(path)).sum()
    }

    fn cost_of(&self, path: &str) -> u64 {
        match self.objects.get(path) {
            Some(objects) => u64::from(*objects),
            None if is_compiled_or_read(path) => 0,
            None => UNKNOWN,
        }
    }

    /// Whether any of these files may be in the kernel. Only of C, Rust, assembly and documentation it is known that a file is not:
    /// makefiles, Kconfig, tables and scripts can do anything.
    pub fn is_built(&self, paths: &[String]) -> bool {
        self.objects.is_empty() || paths.iter().any(|path| self.objects.contains_key(path) || !is_compiled_or_read(path))
    }

    /// The list as it is kept.
    ///
    /// # Errors
    /// It cannot be compressed.
    pub fn pack(&self) -> io::Result<Vec<u8>> {
        let text: String = self.objects.iter().map(|(path, objects)| format!("{objects} {path}\n")).collect();
        zstd::encode_all(text.as_bytes(), 3)
    }

    /// Reads the list that was kept with a kernel; none where there is none.
    pub fn of_kernel(folder: &Path) -> Option<Self> {
        let text = zstd::decode_all(fs::File::open(folder.join(FILE)).ok()?).ok()?;
        let line = |line: &str| {
            let (objects, path) = line.split_once(' ')?;
            Some((path.to_owned(), objects.parse().ok()?))
        };
        Some(Self { objects: String::from_utf8(text).ok()?.lines().filter_map(line).collect() })
    }
}

/// Files that are in a kernel only where an object depends on them, or never.
fn is_compiled_or_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let compiled = [".c", ".h", ".S", ".rs"].iter().any(|end| name.ends_with(end));
    let read =
        path.starts_with("Documentation/") || [".rst", ".txt"].iter().any(|end| name.ends_with(end)) || name == "MAINTAINERS";
    // Programs that the build runs are compiled by rules of their own.
    let tool = path.starts_with("scripts/") || path.starts_with("tools/");
    (compiled && !tool) || read
}

/// The `.cmd` files of an object tree, read as far as they have changed since the last look.
#[derive(Debug, Default)]
pub struct Commands {
    /// Ids of sources by name.
    ids: HashMap<String, u32>,
    names: Vec<String>,
    known: HashMap<PathBuf, (SystemTime, Vec<u32>)>,
}

impl Commands {
    /// Looks at an object tree, which its build saw as `inside`, with the sources at `src`. What cannot be read is left out.
    pub fn look(&mut self, tree: &Path, inside: &Path, src: &Path) -> Sources {
        let mut found = HashMap::new();
        let mut folders = vec![tree.to_owned()];
        let inside = inside.to_string_lossy();
        let prefix = format!("{}/", src.display().to_string().trim_start_matches('/'));
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let Ok(meta) = entry.metadata() else { continue };
                if meta.is_dir() {
                    folders.push(entry.path());
                } else if meta.is_file()
                    && name.starts_with('.')
                    && name.ends_with(".cmd")
                    && let Ok(time) = meta.modified()
                {
                    let path = entry.path();
                    let ids = match self.known.remove(&path) {
                        Some((known, ids)) if known == time => ids,
                        _ => self.read(&super::read(&path).unwrap_or_default(), &inside, &prefix),
                    };
                    found.insert(path, (time, ids));
                }
            }
        }
        self.known = found;
        let mut counts = vec![0_u32; self.names.len()];
        for id in self.known.values().flat_map(|(_, ids)| ids) {
            counts[*id as usize] += 1;
        }
        let counted = self.names.iter().zip(counts).filter(|(_, count)| *count > 0);
        Sources { objects: counted.map(|(name, count)| (name.clone(), count)).collect() }
    }

    /// The sources that one `.cmd` file names. What is relative is so to the object tree.
    fn read(&mut self, text: &str, inside: &str, prefix: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut dependencies = false;
        for line in text.lines() {
            let path = if line.starts_with("source_") {
                line.split_once(":= ").map(|(_, path)| path)
            } else if line.starts_with("deps_") {
                dependencies = true;
                None
            } else if dependencies && line.starts_with(' ') {
                Some(line.trim().trim_end_matches('\\').trim_end())
            } else {
                dependencies = false;
                None
            };
            let Some(path) = path.filter(|path| !path.is_empty() && !path.starts_with("$(")) else { continue };
            let whole = if path.starts_with('/') { plain(path) } else { plain(&format!("{inside}/{path}")) };
            ids.extend(whole.strip_prefix(prefix).map(|path| self.id(path)));
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).expect("no tree has as many files");
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const FORK: &str = "savedcmd_kernel/fork.o := gcc -I/s/include -c -o kernel/fork.o /s/kernel/fork.c\n\nsource_kernel/fork.o := /s/kernel/fork.c\n\ndeps_kernel/fork.o := \\\n    $(wildcard include/config/SMP) \\\n  /s/include/linux/sched.h \\\n  /s/arch/x86/kernel/../include/asm/page.h \\\n  include/generated/autoconf.h \\\n  ../s/mm/slab.h \\\n\nkernel/fork.o: $(deps_kernel/fork.o)\n\n$(deps_kernel/fork.o):\n";

    #[test]
    fn sources_are_read_from_cmd_files_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("kernel")).unwrap();
        let path = dir.path().join("kernel/.fork.o.cmd");
        fs::write(&path, FORK).unwrap();
        fs::write(dir.path().join("kernel/.exit.o.cmd"), FORK.replace("fork", "exit")).unwrap();
        fs::write(dir.path().join("kernel/.built-in.a.cmd"), "savedcmd_kernel/built-in.a := ar rcs\n").unwrap();
        let mut commands = Commands::default();
        let sources = commands.look(dir.path(), Path::new("/o"), Path::new("/s"));
        let names: Vec<&str> = sources.objects.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["arch/x86/include/asm/page.h", "include/linux/sched.h", "kernel/exit.c", "kernel/fork.c", "mm/slab.h"]
        );
        let cost = |sources: &Sources, path: &str| sources.cost(&[path.to_owned()]);
        assert_eq!(
            [cost(&sources, "include/linux/sched.h"), cost(&sources, "kernel/fork.c"), cost(&sources, "mm/slab.c")],
            [2, 1, 0]
        );
        assert_eq!(cost(&sources, "kernel/Makefile"), UNKNOWN);

        let kernel = tempfile::tempdir().unwrap();
        fs::write(kernel.path().join(FILE), sources.pack().unwrap()).unwrap();
        assert_eq!(Sources::of_kernel(kernel.path()), Some(sources));
        assert_eq!(Sources::of_kernel(dir.path()), None);

        fs::write(&path, FORK.replace("sched.h", "wait.h")).unwrap();
        fs::remove_file(dir.path().join("kernel/.exit.o.cmd")).unwrap();
        let sources = commands.look(dir.path(), Path::new("/o"), Path::new("/s"));
        assert_eq!([cost(&sources, "include/linux/sched.h"), cost(&sources, "include/linux/wait.h")], [0, 1]);
    }

    #[test]
    fn only_what_is_surely_not_built_is_said_not_to_be() {
        let sources = Sources { objects: BTreeMap::from([("mm/slab.c".to_owned(), 1)]) };
        let built = |paths: &[&str]| sources.is_built(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        for paths in [
            &["arch/um/kernel/process.c"][..],
            &["Documentation/mm/slab.rst", "MAINTAINERS"],
            &["drivers/net/tun.c", "include/linux/tun.h"],
        ] {
            assert!(!built(paths), "{paths:?}");
        }
        for paths in [
            &["mm/slab.c", "drivers/net/tun.c"][..],
            &["mm/Makefile"],
            &["drivers/net/Kconfig", "drivers/net/tun.c"],
            &["arch/x86/entry/syscalls/syscall_64.tbl"],
            &["scripts/mod/modpost.c"],
            &["tools/objtool/check.c"],
        ] {
            assert!(built(paths), "{paths:?}");
        }
        assert!(Sources::default().is_built(&["a.c".to_owned()]), "where nothing is known, everything may be built");
    }
}
