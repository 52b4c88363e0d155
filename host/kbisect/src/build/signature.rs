//! What tells kernels apart: the signature of their loadable sections, and the build id. Owns the definition of both.

use std::fs::File;
use std::io;
use std::io::BufReader;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use object::Endianness;
use object::Object as _;
use object::ObjectSection as _;
use object::elf::ELF_NOTE_GNU;
use object::elf::FileHeader64;
use object::elf::NT_GNU_BUILD_ID;
use object::elf::SHF_ALLOC;
use object::elf::SHT_NOBITS;
use object::elf::SHT_NOTE;
use object::read::ReadCache;
use object::read::elf::ElfFile;
use object::read::elf::NoteIterator;
use object::read::elf::SectionHeader as _;
use sha2::Digest as _;
use sha2::Sha256;

/// The signature of a `vmlinux`: SHA-256 over the SHA-256 of every section that is loaded, has contents and is no note, in the
/// file's order; 64 hexadecimal digits. None where there is no such file, or it is no 64-bit ELF file.
///
/// Notes are left out since they hold the build id, which differs between builds of the same code.
pub fn of_vmlinux(path: &Path) -> Option<String> {
    // Read piece by piece: with debug information such files have hundreds of megabytes, and their headers may claim more than that.
    let contents = File::open(path).ok()?;
    let cache = ReadCache::new(BufReader::new(File::open(path).ok()?));
    let file = ElfFile::<FileHeader64<Endianness>, _>::parse(&cache).ok()?;
    let endian = file.endian();
    let mut all = Sha256::new();
    for section in file.sections() {
        let header = section.elf_section_header();
        let loaded = header.sh_flags(endian) & u64::from(SHF_ALLOC) != 0;
        if loaded && ![SHT_NOBITS, SHT_NOTE].contains(&header.sh_type(endian)) {
            let (from, length) = section.file_range().unwrap_or_default();
            all.update(digest(&contents, from, length).ok()?);
        }
    }
    Some(hex(&all.finalize()))
}

/// SHA-256 of a part of a file.
fn digest(file: &File, from: u64, length: u64) -> io::Result<[u8; 32]> {
    let mut sum = Sha256::new();
    let mut piece = vec![0; 64 << 10];
    let mut done = 0;
    while done < length {
        let part = usize::try_from(length - done).unwrap_or(usize::MAX).min(piece.len());
        file.read_exact_at(&mut piece[..part], from.saturating_add(done))?;
        sum.update(&piece[..part]);
        done += part as u64;
    }
    Ok(sum.finalize().into())
}

/// The GNU build id of a `vmlinux`, in hexadecimal; none where there is no such file or no build id in it.
pub fn build_id(path: &Path) -> Option<String> {
    let cache = ReadCache::new(BufReader::new(File::open(path).ok()?));
    let file = ElfFile::<FileHeader64<Endianness>, _>::parse(&cache).ok()?;
    file.build_id().ok()?.map(hex)
}

/// The GNU build id in the notes of a running kernel, as `/sys/kernel/notes` gives them, in hexadecimal; none where there is none.
pub fn build_id_of_notes(notes: &[u8]) -> Option<String> {
    let notes = NoteIterator::<FileHeader64<Endianness>>::new(Endianness::default(), 4, notes).ok()?;
    let ours = |note: object::read::elf::Note<'_, FileHeader64<Endianness>>| {
        (note.name() == ELF_NOTE_GNU && note.n_type(Endianness::default()) == NT_GNU_BUILD_ID).then(|| hex(note.desc()))
    };
    notes.map_while(Result::ok).find_map(ours)
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
