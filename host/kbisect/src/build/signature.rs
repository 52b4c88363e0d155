//! What tells kernels apart: the signature of their loadable sections, and the build id. Owns the definition of both.

use std::fs;
use std::path::Path;

use object::Object as _;
use object::ObjectSection as _;
use object::SectionFlags;
use object::elf::SHF_ALLOC;
use object::elf::SHT_NOBITS;
use object::elf::SHT_NOTE;
use sha2::Digest as _;
use sha2::Sha256;

/// The signature of a `vmlinux`: SHA-256 over the SHA-256 of every section that is loaded, has contents and is no note, in the
/// file's order; 64 hexadecimal digits. None where the file is no ELF file.
///
/// Notes are left out since they hold the build id, which differs between builds of the same code.
pub fn of_vmlinux(vmlinux: &[u8]) -> Option<String> {
    let file = object::read::elf::ElfFile64::<object::Endianness>::parse(vmlinux).ok()?;
    let mut all = Sha256::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        let kind = section.elf_section_header().sh_type.get(file.endian());
        if sh_flags & u64::from(SHF_ALLOC) != 0 && kind != SHT_NOBITS && kind != SHT_NOTE {
            all.update(Sha256::digest(section.data().ok()?));
        }
    }
    Some(hex(&all.finalize()))
}

/// The GNU build id of a `vmlinux`, in hexadecimal; none where there is no such file or no build id in it.
pub fn build_id(vmlinux: &Path) -> Option<String> {
    let bytes = fs::read(vmlinux).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    file.build_id().ok()?.map(hex)
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
