//! One file with symbols and debug information: which address a frame stands for, and where in the source that is.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use addr2line::Loader;
use object::Endianness;
use object::Object as _;
use object::ObjectSection as _;
use object::ObjectSymbol as _;
use object::SectionKind;
use object::elf::FileHeader64;
use object::read::ReadCache;
use object::read::elf::ElfFile;

use super::frame::Frame;

/// Where every kernel has this file, seen from the root of its source.
const MAIN: &str = "init/main.c";
/// A function in [`MAIN`].
const IN_MAIN: &str = "start_kernel";

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The path as the compiler saw it.
    pub(super) file: String,
    /// The line, from 1; 0 where only the file is known.
    pub(super) line: u32,
}

/// A function that a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Function {
    address: u64,
    /// What the file says; 0 for much that was written in assembly.
    size: u64,
    /// Up to the next symbol, which is what the kernel prints.
    extent: u64,
}

/// An opened file.
pub(super) struct ObjectFile {
    functions: HashMap<String, Vec<Function>>,
    debug: Loader,
}

impl ObjectFile {
    /// Opens a file and reads its symbols; none where that fails.
    pub(super) fn open(path: &Path) -> Option<Self> {
        Some(Self { functions: functions(path)?, debug: Loader::new(path).ok()? })
    }

    /// The source's root as the compiler saw it, with a slash at its end; none where it cannot be told.
    pub(super) fn root(&mut self) -> Option<String> {
        let start = self.functions.get(IN_MAIN)?.first()?.address;
        let location = self.debug.find_location(start).ok()??;
        Some(location.file?.strip_suffix(MAIN)?.to_owned())
    }

    /// The places of a frame, the innermost first. None where no function fits the frame: another build's symbols would name
    /// wrong lines.
    pub(super) fn places(&mut self, frame: &Frame<'_>) -> Option<Vec<Place>> {
        let named = self.functions.get(frame.name)?;
        let fits = |function: &&Function| [function.extent, function.size].contains(&frame.size);
        let function = named.iter().find(fits)?;
        let address = function.address.checked_add(frame.offset)?;
        // A call as a function's last instruction returns behind its end.
        let probe = if frame.returns && frame.offset > 0 { address - 1 } else { address };
        let mut frames = self.debug.find_frames(probe).ok()?;
        let mut places = Vec::new();
        while let Ok(Some(found)) = frames.next() {
            let Some((file, line)) = found.location.and_then(|location| Some((location.file?, location.line))) else { continue };
            places.push(Place { file: file.to_owned(), line: line.unwrap_or_default() });
        }
        (!places.is_empty()).then_some(places)
    }
}

/// All functions by name, those of one name in the order of their addresses.
fn functions(path: &Path) -> Option<HashMap<String, Vec<Function>>> {
    // Read piece by piece: with debug information such files have hundreds of megabytes.
    let cache = ReadCache::new(BufReader::new(File::open(path).ok()?));
    let file = ElfFile::<FileHeader64<Endianness>, _>::parse(&cache).ok()?;
    let code: HashMap<_, _> = file
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .map(|section| (section.index().0, section.address().saturating_add(section.size())))
        .collect();
    let symbols: Vec<_> = file
        .symbols()
        .filter_map(|symbol| {
            let section = symbol.section_index().filter(|section| code.contains_key(&section.0))?;
            let name = symbol.name().ok().filter(|name| !name.is_empty() && !name.starts_with(['$', '.']))?;
            Some((section.0, symbol.address(), symbol.size(), name.to_owned()))
        })
        .collect();
    let addresses: BTreeSet<_> = symbols.iter().map(|(section, address, ..)| (*section, *address)).collect();
    let mut functions: HashMap<String, Vec<Function>> = HashMap::new();
    for (section, address, size, name) in symbols {
        let next = addresses.range((section, address.saturating_add(1))..).next().filter(|(of, _)| *of == section);
        let end = next.map_or(code[&section], |(_, next)| *next);
        functions.entry(name).or_default().push(Function { address, size, extent: end.saturating_sub(address) });
    }
    for named in functions.values_mut() {
        named.sort_by_key(|function| function.address);
    }
    Some(functions)
}
