//! Symbols: where in the source the frames on a console lie, told from a kernel's debug information.
//!
//! Owns what a frame looks like in text ([`frame`]), which address it stands for ([`object`]), where in the source that is ([`debug`]),
//! how the place is written beside the frame, and where functions begin ([`functions`]). A frame names a function, an offset into it and the function's size, never an
//! address, so nothing here minds where the kernel was loaded (KASLR). What a crash is, is not known here: the text that comes out
//! goes to the classifiers, the raw console is what is kept.

mod debug;
mod frame;
pub mod functions;
mod object;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use kbisect_core::crash::Span;

use self::debug::Place;
use self::frame::Frame;
use self::object::ObjectFile;

/// Distinct frames that are looked up on one console: hostile ones may show millions.
const MOST_LOOKUPS: usize = 4096;

/// The debug information of one kernel and its modules.
pub struct Symbols(Mutex<Opened>);

/// Files are opened when the first frame asks for them.
struct Opened {
    vmlinux: PathBuf,
    modules: Option<PathBuf>,
    /// By module name, `""` is the kernel; none where there is no such file or it cannot be read.
    files: HashMap<String, Option<ObjectFile>>,
    /// What every source path begins with; none before it was looked for.
    root: Option<String>,
}

/// A console with places written beside its frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// The text, line for line that of the console.
    pub text: Vec<u8>,
    /// Where each line begins in the text, and where in the console; none where they are the same text.
    lines: Vec<(usize, usize)>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

impl Symbols {
    /// The symbols of a `vmlinux`, and of the modules (`*.ko`, `*.ko.debug`) in a folder tree. Nothing is read yet; what cannot be
    /// read later is as if it were not there.
    pub fn new(vmlinux: PathBuf, modules: Option<PathBuf>) -> Self {
        Self(Mutex::new(Opened { vmlinux, modules, files: HashMap::new(), root: None }))
    }

    /// Writes beside each frame of a console where it lies, in the manner of the kernel's `decode_stacktrace.sh`, with the offset
    /// kept: `do_exit+0x1c/0x2a0 (kernel/exit.c:812)`; where functions were inlined, the innermost place comes first:
    /// `(include/linux/kref.h:64 net/core/sock.c:1740)`. Names of Rust functions are demangled. Paths are those of the source
    /// tree where it can be told, else as the compiler saw them. Where the text would be longer than `most` bytes, further frames
    /// stay as they are.
    pub fn annotate(&self, console: &[u8], most: usize) -> Annotated {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::with_capacity(console.len() + console.len() / 8);
        let mut lines = Vec::new();
        let mut known: HashMap<(String, bool), Option<String>> = HashMap::new();
        let (mut at, mut room) = (0, most.saturating_sub(console.len()));
        for line in console.split_inclusive(|byte| *byte == b'\n') {
            lines.push((text.len(), at));
            let mut copied = 0;
            for frame in frame::frames(line) {
                let key = (String::from_utf8_lossy(&line[frame.range.clone()]).into_owned(), frame.returns);
                if known.len() >= MOST_LOOKUPS && !known.contains_key(&key) {
                    break;
                }
                let places = known.entry(key).or_insert_with(|| opened.places(&frame)).as_ref();
                let (from, end) = (frame.range.start, frame.symbol_end);
                let places = places.filter(|_| !frame.placed).map(|places| format!(" ({places})")).unwrap_or_default();
                let name = demangled(frame.name);
                let longer = (name.len() + places.len()).saturating_sub(frame.name.len());
                if longer > room {
                    break;
                }
                room -= longer;
                text.extend_from_slice(&line[copied..from]);
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(&line[from + frame.name.len()..end]);
                text.extend_from_slice(places.as_bytes());
                copied = end;
            }
            text.extend_from_slice(&line[copied..]);
            at += line.len();
        }
        lines.push((text.len(), at));
        Annotated { text, lines }
    }
}

impl Annotated {
    /// The part of the console that a part of the text stands for, to whole lines at its ends.
    pub fn in_console(&self, span: Span) -> Span {
        let raw = |offset: u32| {
            let line = self.lines.partition_point(|(begin, _)| *begin <= offset as usize).saturating_sub(1);
            let (begin, raw) = self.lines.get(line).copied().unwrap_or_default();
            let next = self.lines.get(line + 1).map_or(raw, |(_, raw)| *raw);
            // Within a line the part before its first frame is the same in both.
            (raw + (offset as usize - begin.min(offset as usize))).min(next.max(raw))
        };
        let most = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span { start: most(raw(span.start)), end: most(raw(span.end)) }
    }
}

impl Opened {
    /// The places of a frame, innermost first, parted by spaces; none where nothing is known.
    fn places(&mut self, frame: &Frame<'_>) -> Option<String> {
        let root = match self.root.clone() {
            Some(root) => root,
            None => {
                let root = self.file("").and_then(ObjectFile::root).unwrap_or_default();
                self.root.insert(root).clone()
            }
        };
        let places = self.file(frame.module.unwrap_or_default())?.places(frame)?;
        let shown: Vec<String> = places.iter().map(|Place { file, line }| format!("{}:{line}", shown(file, &root))).collect();
        Some(shown.join(" "))
    }

    fn file(&mut self, module: &str) -> Option<&mut ObjectFile> {
        if !self.files.contains_key(module) {
            let path = if module.is_empty() {
                Some(self.vmlinux.clone())
            } else {
                self.modules.as_deref().and_then(|modules| find_module(modules, module))
            };
            self.files.insert(module.to_owned(), path.and_then(|path| ObjectFile::open(&path)));
        }
        self.files.get_mut(module)?.as_mut()
    }
}

/// A source path without the folder that the kernel was built in, and without `.` and `..` in it. Blanks and brackets, which would
/// be taken for the text around, are replaced.
fn shown(file: &str, root: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let absolute = file.starts_with('/');
    for part in file.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && !parts.is_empty() {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let path = format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"));
    let path = path.strip_prefix(root).unwrap_or(&path);
    path.replace(|character: char| character.is_whitespace() || "()".contains(character), "_")
}

fn demangled(name: &str) -> String {
    if name.starts_with("_R") { format!("{:#}", rustc_demangle::demangle(name)) } else { name.to_owned() }
}

/// The file of a module: consoles write `_` where file names may have `-`.
fn find_module(modules: &Path, name: &str) -> Option<PathBuf> {
    let mut folders = vec![modules.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> = fs::read_dir(&folder).ok()?.filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(kind) = entry.file_type() else { continue };
            let file = entry.file_name().to_string_lossy().replace('-', "_");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && [".ko", ".ko.debug"].iter().any(|end| file.strip_suffix(end) == Some(name)) {
                return Some(entry.path());
            }
        }
    }
    None
}
