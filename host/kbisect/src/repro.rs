//! What a reproducer is, and the program that C source is compiled to: once, before any other work.
//!
//! Owns the compiler's command line and what its failure says. Where copies are kept is the session's, what is run the trial's.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use crate::build::linux::environment;
use crate::build::linux::toolchain;
use crate::build::linux::toolchain::is_in_path;
use crate::config::job::ReproArch;
use crate::error::Error;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;

pub mod made;
#[cfg(test)]
mod tests;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Source that must be compiled.
    C,
    /// A script, and the absolute path of what reads it.
    Script(String),
    /// Something in a folder.
    Folder,
    /// A program for Linux, or whatever else the kernel is to execute.
    Program,
}

/// Bytes at a file's beginning that say what it is.
const HEAD: u64 = 256;
/// No compiler takes longer.
const LIMIT: Duration = Duration::from_secs(120);
/// What is kept of a compiler's output.
const OUTPUT: usize = 64 << 10;
/// Lines of it that are shown.
const LINES: usize = 8;
/// Compilers, best first; `cc` may be anything.
const COMPILERS: [&str; 3] = ["gcc", "cc", "clang"];

/// Folders of the C library's headers of which each architecture has its own, and what the linker says: without a library of 32 bits.
const NO_32_BIT: [&str; 5] = ["error: gnu/", "error: bits/", "error: sys/", "error: asm/", "skipping incompatible"];
/// What to do where a source needs more than it gets.
const BUILD_IT: &str = "or build it yourself, static, and name the program in its place: repro = \"./PROGRAM\"";

/// What the file at `path` is: C source by its name, scripts by their first line.
///
/// # Errors
/// It cannot be read.
pub fn kind(path: &Path) -> io::Result<Kind> {
    if path.is_dir() {
        return Ok(Kind::Folder);
    }
    // Syzkaller's managers call it repro.cprog.
    if path.extension().is_some_and(|end| end == "c" || end == "cprog") {
        return Ok(Kind::C);
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let interpreter = line.strip_prefix("#!").and_then(|rest| rest.split_whitespace().next());
    Ok(interpreter.map_or(Kind::Program, |path| Kind::Script(path.to_owned())))
}

/// Compiles `source` to the static program `to`, whose folder only is written.
///
/// # Errors
/// There is no compiler, or what it says.
pub async fn compile(source: &Path, arch: ReproArch, to: &Path) -> Result<(), Error> {
    let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(compiler) = COMPILERS.into_iter().find(|program| is_in_path(program)) else {
        return Err(
            Error::user(format!("repro: there is no C compiler for {name}")).hint("on Debian: apt-get install gcc libc6-dev")
        );
    };
    let folder = to.parent().unwrap_or(Path::new("/"));
    let mut argv: Vec<OsString> =
        [compiler, "-static", "-pthread", "-O1", "-w", "-fdiagnostics-color=never"].map(Into::into).to_vec();
    if arch == ReproArch::I386 {
        argv.push("-m32".into());
    }
    // By its name C, whatever syzkaller's managers call it.
    argv.extend(["-x", "c"].map(Into::into));
    argv.extend([source.as_os_str().to_owned(), "-o".into(), to.as_os_str().to_owned(), "-lm".into()]);
    // It may be a stranger's, and `#include` reads any file that the compiler can: its neighbours, but nobody's whole home.
    let mut readable = toolchain::folders(compiler);
    readable.extend(
        std::path::absolute(source)
            .ok()
            .and_then(|path| Some(path.parent()?.to_owned()))
            .filter(|near| !toolchain::is_home(near)),
    );
    readable.push(source.to_owned());
    let jail = Jail::build(vec![folder.to_owned()]).without_homes(readable);
    let task = Task::new(argv, folder, jail).only_env(environment::of_build(folder, None));
    let (finish, said) = process::run(&task, LIMIT, OUTPUT).await.map_err(|error| Error::infrastructure(error.to_string()))?;
    let said = String::from_utf8_lossy(&said);
    match finish {
        Finish::Exit(Exit::Code(0)) => Ok(()),
        Finish::TimeLimit => Err(Error::user(format!("repro: {compiler} has not compiled {name} within {} s", LIMIT.as_secs()))),
        Finish::Exit(_) => {
            let shown = said.replace(&source.display().to_string(), &name);
            let error = Error::user(format!("repro: {compiler} cannot compile {name}:\n{}", told(&shown)));
            Err(match remedy(&said, arch) {
                Some(remedy) => error.hint(remedy),
                None => error,
            })
        }
    }
}

/// What to do about what a compiler says, where that is known.
fn remedy(said: &str, arch: ReproArch) -> Option<String> {
    if arch == ReproArch::I386 && NO_32_BIT.iter().any(|sign| said.contains(sign)) {
        return Some("32-bit programs need a library more; on Debian: apt-get install gcc-multilib".to_owned());
    }
    if said.contains("undefined reference to `main'") {
        return Some("a reproducer in C is one file with a main(); name the program where it is built of more".to_owned());
    }
    if said.contains("undefined reference") {
        return Some(format!("it is linked with the C library alone (-static -pthread -lm): do without the others, {BUILD_IT}"));
    }
    let header = said.lines().find_map(|line| line.split_once("fatal error: ")?.1.strip_suffix(": No such file or directory"));
    header.map(|header| format!("{header} is not installed: on Debian, apt-file search {header} names its package; {BUILD_IT}"))
}

/// The lines of a compiler's output that say what is wrong, or else its first ones.
fn told(said: &str) -> String {
    let is_error = |line: &&str| line.contains("error: ") || line.contains("undefined reference") || line.contains("cannot find");
    let errors: Vec<&str> = said.lines().filter(is_error).take(LINES).collect();
    let lines = if errors.is_empty() { said.lines().take(LINES).collect() } else { errors };
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
