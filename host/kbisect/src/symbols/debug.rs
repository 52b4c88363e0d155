//! A file's debug information: where in the source an address lies.
//!
//! A kernel has hundreds of megabytes of it, so only the compilation units that are asked for are read; which addresses each has
//! is told by its first few hundred bytes. DWARF 2 to 5, in its 32-bit format.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use addr2line::Context;
use addr2line::gimli;
use addr2line::gimli::EndianSlice;
use addr2line::gimli::RunTimeEndian;
use addr2line::gimli::SectionId;
use object::CompressionFormat;
use object::Object as _;
use object::ObjectSection as _;

use super::object::Elf;
use super::object::Layout;

/// What tells the addresses of a unit stands at its beginning, within this many bytes.
const HEAD: u64 = 4096;
/// Unit lengths from here on mean something else.
const RESERVED: u32 = 0xffff_fff0;

/// What addresses are looked up with, beside `.debug_info`. Types, macros and the places of variables say nothing of them.
const NEEDED: [SectionId; 8] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
];

type Reader<'a> = EndianSlice<'a, RunTimeEndian>;

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The path as the compiler saw it.
    pub(super) file: String,
    /// The line, from 1; 0 where only the file is known.
    pub(super) line: u32,
}

/// The debug information of one file.
pub(super) struct Debug {
    info: Info,
    others: HashMap<SectionId, Vec<u8>>,
    endian: RunTimeEndian,
    units: Vec<Unit>,
}

/// Addresses of a compilation unit, and where it stands in `.debug_info`.
struct Unit {
    addresses: Range<u64>,
    stands: Range<u64>,
}

/// `.debug_info`.
enum Info {
    /// At these offsets of a file, as it is.
    Stored(File, Range<u64>),
    /// Where it had to be put right first.
    Memory(Vec<u8>),
}

impl Debug {
    /// Reads what is always needed; none where that fails.
    pub(super) fn read(elf: &Elf<'_>, file: File, layout: &Layout) -> Option<Self> {
        let endian = if elf.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let name = SectionId::DebugInfo.name();
        let stored = elf.section_by_name(name)?.compressed_file_range().ok()?;
        let info = if stored.format == CompressionFormat::None && !layout.relocatable() {
            // What a file says of itself may be more than there is.
            let end = stored.offset.checked_add(stored.uncompressed_size)?;
            if end > file.metadata().ok()?.len() {
                return None;
            }
            Info::Stored(file, stored.offset..end)
        } else {
            Info::Memory(layout.section(elf, name)?)
        };
        let mut others = HashMap::new();
        for id in NEEDED {
            others.insert(id, layout.section(elf, id.name())?);
        }
        let mut debug = Self { info, others, endian, units: Vec::new() };
        debug.units = debug.units();
        Some(debug)
    }

    /// The places of an address: where functions were inlined, the innermost comes first. Empty where nothing is known of it.
    pub(super) fn places(&self, address: u64) -> Vec<Place> {
        let mut torn = false;
        for unit in self.units.iter().filter(|unit| unit.addresses.contains(&address)) {
            match self.places_in(&unit.stands, address) {
                Ok(places) if places.is_empty() => {}
                Ok(places) => return places,
                Err(_) => torn = true,
            }
        }
        if !torn {
            return Vec::new();
        }
        // With link-time optimization units refer to others.
        self.places_in(&(0..self.info.length()), address).unwrap_or_default()
    }

    fn places_in(&self, stands: &Range<u64>, address: u64) -> gimli::Result<Vec<Place>> {
        let units = self.info.bytes(stands).ok_or(gimli::Error::Io)?;
        let context = Context::from_dwarf(self.dwarf(&units))?;
        let mut places = Vec::new();
        let mut frames = context.find_frames(address).skip_all_loads()?;
        while let Some(frame) = frames.next()? {
            let Some((file, line)) = frame.location.and_then(|location| Some((location.file?, location.line))) else { continue };
            places.push(Place { file: file.to_owned(), line: line.unwrap_or_default() });
        }
        Ok(places)
    }

    /// Which addresses each unit has.
    fn units(&self) -> Vec<Unit> {
        let mut units = Vec::new();
        let (mut at, all) = (0, self.info.length());
        while let Some(head) = self.info.bytes(&(at..all.min(at + HEAD))) {
            let mut head = head.into_owned();
            let Some(length) = head.first_chunk().copied() else { break };
            let little = self.endian == RunTimeEndian::Little;
            let length = if little { u32::from_le_bytes(length) } else { u32::from_be_bytes(length) };
            if length >= RESERVED {
                break;
            }
            let end = at + 4 + u64::from(length);
            // What is read here ends where the unit does, or else must look so.
            let shown = length.min(u32::try_from(head.len() - 4).unwrap_or(length));
            head[..4].copy_from_slice(&if little { shown.to_le_bytes() } else { shown.to_be_bytes() });
            let addresses = self.addresses(&head).unwrap_or_default();
            units.extend(addresses.into_iter().map(|addresses| Unit { addresses, stands: at..end }));
            at = end;
        }
        units
    }

    /// The addresses of a unit, of which at least the beginning is given.
    fn addresses(&self, unit: &[u8]) -> gimli::Result<Vec<Range<u64>>> {
        let dwarf = self.dwarf(unit);
        let mut all = Vec::new();
        if let Some(header) = dwarf.units().next()? {
            let unit = dwarf.unit(header)?;
            let mut ranges = dwarf.unit_ranges(&unit)?;
            while let Some(range) = ranges.next()? {
                all.push(range.begin..range.end);
            }
        }
        Ok(all)
    }

    /// The debug information with these units alone.
    fn dwarf<'a>(&'a self, units: &'a [u8]) -> gimli::Dwarf<Reader<'a>> {
        let sections = gimli::DwarfSections::load(|id| {
            let section = if id == SectionId::DebugInfo { units } else { self.others.get(&id).map_or(&[][..], Vec::as_slice) };
            Ok::<_, Infallible>(section)
        });
        sections.unwrap_or_else(|never| match never {}).borrow(|section| EndianSlice::new(section, self.endian))
    }
}

impl Info {
    fn length(&self) -> u64 {
        match self {
            Self::Stored(_, stands) => stands.end - stands.start,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// A part; none where there is no such, or it cannot be read.
    fn bytes(&self, part: &Range<u64>) -> Option<Cow<'_, [u8]>> {
        if part.is_empty() || part.end > self.length() {
            return None;
        }
        match self {
            Self::Stored(file, stands) => {
                let mut bytes = vec![0; usize::try_from(part.end - part.start).ok()?];
                file.read_exact_at(&mut bytes, stands.start + part.start).ok()?;
                Some(bytes.into())
            }
            Self::Memory(bytes) => {
                let part = usize::try_from(part.start).ok()?..usize::try_from(part.end).ok()?;
                bytes.get(part).map(Into::into)
            }
        }
    }
}
