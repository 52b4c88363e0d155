//! One file with symbols and debug information: which address a frame stands for, and where in the source that is.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use object::Endian as _;
use object::Endianness;
use object::Object as _;
use object::ObjectKind;
use object::ObjectSection as _;
use object::ObjectSymbol as _;
use object::RelocationKind;
use object::RelocationTarget;
use object::SectionIndex;
use object::SectionKind;
use object::elf::FileHeader64;
use object::read::ReadCache;
use object::read::elf::ElfFile;

use super::debug::Debug;
use super::debug::Place;
use super::frame::Frame;

/// Where every kernel has this file, seen from the root of its source.
const MAIN: &str = "init/main.c";
/// A function in [`MAIN`].
const IN_MAIN: &str = "start_kernel";

/// A file that is read piece by piece: with debug information such files have hundreds of megabytes.
pub(super) type Elf<'a> = ElfFile<'a, FileHeader64<Endianness>, &'a ReadCache<BufReader<File>>>;

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
    debug: Debug,
}

impl ObjectFile {
    /// Opens a file and reads its symbols; none where that fails.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let cache = ReadCache::new(BufReader::new(file.try_clone().ok()?));
        let elf = Elf::parse(&cache).ok()?;
        let layout = Layout::of(&elf);
        Some(Self { functions: functions(&elf, &layout), debug: Debug::read(&elf, file, &layout)? })
    }

    /// The source's root as the compiler saw it, with a slash at its end; none where it cannot be told.
    pub(super) fn root(&mut self) -> Option<String> {
        let start = self.functions.get(IN_MAIN)?.first()?.address;
        let file = self.debug.places(start).pop()?.file;
        Some(file.strip_suffix(MAIN)?.to_owned())
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
        Some(self.debug.places(probe)).filter(|places| !places.is_empty())
    }
}

/// Where the sections of a file that is not linked yet, such as a module, are taken to lie: one behind the other, so that an
/// address says which section it is in. Those of a linked file lie where it says.
#[derive(Debug)]
pub(super) struct Layout {
    bases: Option<HashMap<SectionIndex, u64>>,
}

impl Layout {
    fn of(elf: &Elf<'_>) -> Self {
        let mut next = 0_u64;
        let mut place = |size: u64| {
            let base = next;
            next = next.saturating_add(size).checked_next_multiple_of(1 << 12).unwrap_or(u64::MAX);
            base
        };
        let code = elf.sections().filter(|section| section.kind() == SectionKind::Text);
        let bases =
            (elf.kind() == ObjectKind::Relocatable).then(|| code.map(|code| (code.index(), place(code.size()))).collect());
        Self { bases }
    }

    /// Whether addresses in the file's sections must be put right first.
    pub(super) fn relocatable(&self) -> bool {
        self.bases.is_some()
    }

    fn base(&self, section: Option<SectionIndex>) -> u64 {
        section.and_then(|section| self.bases.as_ref()?.get(&section).copied()).unwrap_or_default()
    }

    /// The bytes of a section, addresses in them put right; none of one that is not there. None where it cannot be read.
    pub(super) fn section(&self, elf: &Elf<'_>, name: &str) -> Option<Vec<u8>> {
        let Some(section) = elf.section_by_name(name) else { return Some(Vec::new()) };
        let mut bytes = section.uncompressed_data().ok()?.into_owned();
        if !self.relocatable() {
            return Some(bytes);
        }
        for (at, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else { return None };
            let symbol = elf.symbol_by_index(symbol).ok()?;
            let value = self.base(symbol.section_index()).wrapping_add(symbol.address());
            let value = value.wrapping_add_signed(relocation.addend());
            let to = bytes.get_mut(usize::try_from(at).ok()?..)?;
            match (relocation.kind(), relocation.size()) {
                (RelocationKind::Absolute, 64) => to.get_mut(..8)?.copy_from_slice(&elf.endian().write_u64(value)),
                (RelocationKind::Absolute, 32) => {
                    to.get_mut(..4)?.copy_from_slice(&elf.endian().write_u32(u32::try_from(value).ok()?));
                }
                _ => return None,
            }
        }
        Some(bytes)
    }
}

/// The names of all that is code in a linked file, and the addresses at which it begins.
pub(super) fn beginnings(elf: &Elf<'_>) -> Vec<(String, u64)> {
    let all = functions(elf, &Layout::of(elf));
    all.into_iter().flat_map(|(name, named)| named.into_iter().map(move |function| (name.clone(), function.address))).collect()
}

/// All functions by name, those of one name in the order of their addresses.
fn functions(elf: &Elf<'_>, layout: &Layout) -> HashMap<String, Vec<Function>> {
    let code: HashMap<_, _> = elf
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .map(|section| {
            (section.index(), layout.base(Some(section.index())).saturating_add(section.address()).saturating_add(section.size()))
        })
        .collect();
    let mut symbols: Vec<_> = elf
        .symbols()
        .filter_map(|symbol| {
            let section = symbol.section_index().filter(|section| code.contains_key(section))?;
            let name = symbol.name().ok().filter(|name| !name.is_empty() && !name.starts_with(['$', '.']))?;
            Some((section.0, layout.base(Some(section)).wrapping_add(symbol.address()), symbol.size(), name))
        })
        .collect();
    symbols.sort_unstable();
    let mut functions: HashMap<String, Vec<Function>> = HashMap::with_capacity(symbols.len());
    // From the last one on, so that the next symbol's address is known.
    let (mut section_after, mut next, mut end) = (usize::MAX, 0, 0);
    for &(section, address, size, name) in symbols.iter().rev() {
        if section != section_after {
            (section_after, next, end) = (section, address, code[&SectionIndex(section)]);
        } else if address != next {
            (next, end) = (address, next);
        }
        functions.entry(name.to_owned()).or_default().push(Function { address, size, extent: end.saturating_sub(address) });
    }
    for named in functions.values_mut() {
        named.sort_by_key(|function| function.address);
    }
    functions
}
