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

/// A file of the object tree: the script that stands before the compiler where ccache is used.
pub const CACHED: &str = ".kbisect-ccache";
/// What it holds. ccache in depend mode does not see that a source embeds a file, and would take the object that embeds an older one: the
/// image of a kernel embeds so what it unpacks, and its setup code.
pub const CACHED_SCRIPT: &str = r#"for source; do :; done
case $source in
*.c | *.S) if grep -q incbin "$source"; then exec "$@"; fi ;;
esac
exec ccache "$@"
"#;

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
        variables.push(match self.cached {
            true => format!("CC=sh {} {program}", self.tree.join(CACHED).display()),
            false => format!("CC={program}"),
        });
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::build::linux::environment::Cache;
    use crate::build::linux::toolchain::is_in_path;

    #[test]
    fn what_embeds_a_file_is_compiled_and_the_rest_is_kept() {
        if !["ccache", "gcc"].into_iter().all(is_in_path) {
            println!("skipped: ccache and gcc are not both installed");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at(CACHED), CACHED_SCRIPT).unwrap();
        // As the kernel's image embeds what it unpacks: the source is the same while the sizes are.
        fs::write(at("piggy.S"), ".section .data\n.incbin \"data.gz\"\n").unwrap();
        fs::write(at("code.c"), "int code(void) { return 1; }\n").unwrap();
        let environment = Cache { dir: at("cache") }.variables();
        let run = |program: &str, words: &[&str]| {
            let output = Command::new(program).args(words).current_dir(dir.path()).envs(environment.clone()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let object = |source: &str| {
            run("sh", &[CACHED, "gcc", "-Wp,-MMD,.o.d", "-c", "-o", "made.o", source]);
            fs::read(at("made.o")).unwrap()
        };
        let embedding = |data: &str| {
            fs::write(at("data.gz"), data).unwrap();
            object("piggy.S")
        };
        assert_ne!(embedding("one kernel"), embedding("no kernel."));
        assert_eq!(object("code.c"), object("code.c"));
        let told = run("ccache", &["--print-stats"]);
        let hits = told.lines().filter(|line| line.ends_with("cache_hit\t1")).count();
        assert_eq!(hits, 1, "{told}");
        // What the configuration asks the compiler comes over standard input.
        assert!(run("sh", &[CACHED, "gcc", "--version"]).contains("gcc"));
    }
}
