//! The words of a kernel's make. Pure; owns the variables that say architecture and tools.

use std::ffi::OsString;
use std::path::Path;

use super::toolchain::Compiler;
use crate::config::job::Linux;
use crate::config::job::Toolchain;

/// An architecture of the kernel's: its name for make, what its image is made by and where it lies in the object tree, and the symbol
/// that its configurations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arch {
    /// The value of ARCH.
    pub name: &'static str,
    /// The target that makes what is booted.
    pub target: &'static str,
    /// Where that is.
    pub image: &'static str,
    /// The symbol of its configurations.
    pub symbol: &'static str,
}

/// Every architecture that is known.
pub const ARCHES: [Arch; 9] = [
    Arch { name: "x86_64", target: "bzImage", image: "arch/x86/boot/bzImage", symbol: "X86_64" },
    Arch { name: "i386", target: "bzImage", image: "arch/x86/boot/bzImage", symbol: "X86_32" },
    Arch { name: "arm64", target: "Image", image: "arch/arm64/boot/Image", symbol: "ARM64" },
    Arch { name: "arm", target: "zImage", image: "arch/arm/boot/zImage", symbol: "ARM" },
    Arch { name: "riscv", target: "Image", image: "arch/riscv/boot/Image", symbol: "RISCV" },
    Arch { name: "loongarch", target: "vmlinux.efi", image: "arch/loongarch/boot/vmlinux.efi", symbol: "LOONGARCH" },
    Arch { name: "powerpc", target: "zImage", image: "arch/powerpc/boot/zImage", symbol: "PPC" },
    Arch { name: "s390", target: "bzImage", image: "arch/s390/boot/bzImage", symbol: "S390" },
    Arch { name: "mips", target: "vmlinux", image: "vmlinux", symbol: "MIPS" },
];

impl Arch {
    /// The architecture of this name.
    pub fn find(name: &str) -> Option<Self> {
        ARCHES.into_iter().find(|arch| arch.name == name)
    }
}

/// What one run of make is told.
#[derive(Debug, Clone, Copy)]
pub struct Make<'a> {
    /// The job's part.
    pub job: &'a Linux,
    /// The compiler.
    pub compiler: &'a Compiler,
    /// Whether ccache stands before it.
    pub cached: bool,
    /// CPUs to use.
    pub jobs: u32,
    /// The sources.
    pub src: &'a Path,
    /// The object tree.
    pub tree: &'a Path,
}

impl Make<'_> {
    /// Program and arguments that make some targets.
    pub fn words(&self, targets: &[&str]) -> Vec<OsString> {
        let joined = |name: &str, path: &Path| {
            let mut word = OsString::from(name);
            word.push(path);
            word
        };
        let mut words: Vec<OsString> = vec!["make".into(), "-C".into(), self.src.into(), joined("O=", self.tree)];
        words.push(format!("-j{}", self.jobs.max(1)).into());
        words.extend(self.variables().into_iter().map(Into::into));
        words.extend(targets.iter().map(Into::into));
        words
    }

    /// The variables.
    pub fn variables(&self) -> Vec<String> {
        let job = self.job;
        let mut variables = vec![format!("ARCH={}", job.arch)];
        if !job.cross_compile.is_empty() {
            variables.push(format!("CROSS_COMPILE={}", job.cross_compile));
        }
        let program = &self.compiler.program;
        variables.push(if self.cached { format!("CC=ccache {program}") } else { format!("CC={program}") });
        if job.toolchain == Toolchain::Llvm {
            let suffix = &self.compiler.suffix;
            variables.push("LLVM=1".to_owned());
            let tools = [
                ("LD", "ld.lld"),
                ("AR", "llvm-ar"),
                ("NM", "llvm-nm"),
                ("OBJCOPY", "llvm-objcopy"),
                ("OBJDUMP", "llvm-objdump"),
                ("READELF", "llvm-readelf"),
                ("STRIP", "llvm-strip"),
                ("HOSTCC", "clang"),
                ("HOSTCXX", "clang++"),
                ("HOSTAR", "llvm-ar"),
                ("HOSTLD", "ld.lld"),
            ];
            variables.extend(tools.map(|(name, tool)| format!("{name}={tool}{suffix}")));
        }
        if !job.kcflags.is_empty() {
            variables.push(format!("KCFLAGS={}", job.kcflags));
        }
        variables.extend(job.make.iter().cloned());
        variables
    }
}
