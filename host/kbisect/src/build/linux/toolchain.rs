//! Which compiler builds which release. Owns the table by era, the search in `PATH`, and how a compiler tells what it is.
//!
//! The eras are syzkaller's (pkg/vcs/linux.go at 1e72964b): the newest compiler that a release is known to build with. Where that one is
//! not installed the next newer one is taken, then the distribution's own.

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use super::version::Release;
use super::version::Version;
use crate::config::job::CompilerRule;
use crate::config::job::Linux;
use crate::config::job::Toolchain;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;

/// Trees without the release are built with this version of gcc; others with plain `gcc`.
const GCC: [(Release, u32); 4] =
    [(Release::new(4, 11), 5), (Release::new(4, 12), 7), (Release::new(5, 9), 8), (Release::new(5, 16), 10)];

/// The same for clang.
const CLANG: [(Release, u32); 2] = [(Release::new(5, 9), 9), (Release::new(6, 15), 15)];

/// Newer versions are not looked for.
const NEWEST: u32 = 40;

/// A compiler that does not tell its version within this time hangs.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// The compiler for a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// Its program: `gcc-10`, `clang`, `aarch64-linux-gnu-gcc`.
    pub program: String,
    /// What stands behind `gcc` or `clang` in the names of its fellows: `-15`.
    pub suffix: String,
    /// The first line that it prints with `--version`: what a `.config` has as CONFIG_CC_VERSION_TEXT.
    pub identity: String,
    /// The program that the table asks for, where another one is taken for want of it.
    pub instead_of: Option<String>,
}

/// A compiler that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    /// No such program.
    #[error("the compiler `{0}` is not in PATH")]
    Missing(String),
    /// It does not say what it is.
    #[error("the compiler `{0}` does not tell its version: {1}")]
    Broken(String, String),
}

/// How compilers are chosen.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The job's own rules, which go first.
    pub rules: &'a [CompilerRule],
    /// gcc or clang.
    pub toolchain: Toolchain,
    /// What stands before every tool's name.
    pub prefix: &'a str,
}

impl<'a> Choice<'a> {
    /// As a job has it.
    pub fn of(job: &'a Linux) -> Self {
        Self { rules: &job.compiler, toolchain: job.toolchain, prefix: &job.cross_compile }
    }

    /// The compiler for a tree of this version.
    ///
    /// # Errors
    /// It is not there or does not work.
    pub async fn compiler(&self, version: Version) -> Result<Compiler, Lack> {
        let (program, instead_of) = self.program(version, &is_in_path);
        let identity = identity(&program).await?;
        Ok(Compiler { suffix: suffix(&program), identity, instead_of, program })
    }

    /// The releases from which on another program compiles than before, oldest first, with both programs.
    pub fn eras(&self) -> Vec<(Release, String, String)> {
        self.eras_where(&is_in_path)
    }

    fn eras_where(&self, there: &impl Fn(&str) -> bool) -> Vec<(Release, String, String)> {
        let stated = self.rules.iter().filter_map(|rule| Release::parse(rule.before.as_deref()?));
        let mut releases: Vec<Release> = stated.chain(GCC.iter().chain(&CLANG).map(|(release, _)| *release)).collect();
        releases.sort_unstable();
        releases.dedup();
        let programs = |release: Release| {
            let program = |before| self.program(Version::around(release, before), there).0;
            (release, program(true), program(false))
        };
        releases.into_iter().map(programs).filter(|(_, before, after)| before != after).collect()
    }

    /// The programs that the job names.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.program.as_str())
    }

    /// The program for a version, and the one that should be taken if it were there.
    fn program(&self, version: Version, there: &impl Fn(&str) -> bool) -> (String, Option<String>) {
        let applies = |rule: &&CompilerRule| {
            rule.before.as_deref().is_none_or(|before| Release::parse(before).is_some_and(|before| !version.has(before)))
        };
        if let Some(rule) = self.rules.iter().find(applies) {
            return (rule.program.clone(), None);
        }
        let (name, table): (_, &[(Release, u32)]) = match self.toolchain {
            Toolchain::Gcc => (format!("{}gcc", self.prefix), &GCC),
            Toolchain::Llvm => ("clang".to_owned(), &CLANG),
        };
        let Some((_, wanted)) = table.iter().find(|(before, _)| !version.has(*before)) else { return (name, None) };
        let first = format!("{name}-{wanted}");
        match (*wanted..NEWEST).map(|number| format!("{name}-{number}")).find(|program| there(program)) {
            Some(program) if program == first => (program, None),
            Some(program) => (program, Some(first)),
            None => (name, Some(first)),
        }
    }
}

/// `-15` of `clang-15`, nothing of `aarch64-linux-gnu-gcc`.
fn suffix(program: &str) -> String {
    let number = program.rsplit_once('-').map(|(_, number)| number);
    number
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or_else(String::new, |number| format!("-{number}"))
}

/// What a compiler says that it is.
async fn identity(program: &str) -> Result<String, Lack> {
    if !is_in_path(program) {
        return Err(Lack::Missing(program.to_owned()));
    }
    let broken = |why: String| Lack::Broken(program.to_owned(), why);
    // As builds see it.
    let jail = Jail::build(Vec::new()).without_homes(folders(program));
    let task = Task::new([program, "--version"], "/", jail).env("LC_ALL", "C");
    let (finish, said) = process::run(&task, VERSION_LIMIT, 64 << 10).await.map_err(|error| broken(error.to_string()))?;
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().next().unwrap_or_default().trim();
    match finish {
        Finish::Exit(Exit::Code(0)) if !first.is_empty() => Ok(first.to_owned()),
        Finish::Exit(exit) => Err(broken(format!("it ended with {exit}"))),
        Finish::TimeLimit => Err(broken(format!("it hangs ({} s)", VERSION_LIMIT.as_secs()))),
    }
}

/// Whether a program can be executed: by name in `PATH`, or as a path.
pub fn is_in_path(program: &str) -> bool {
    find(program).is_some()
}

/// The folders that a program and its fellows lie in: `/opt/gcc-10` of `/opt/gcc-10/bin/gcc`; and where a link to it was found. None
/// where it was not.
pub fn folders(program: &str) -> Vec<PathBuf> {
    let Some(found) = find(program) else { return Vec::new() };
    let named = std::path::absolute(&found).ok().and_then(|path| Some(path.parent()?.to_owned()));
    named.filter(|folder| !is_home(folder)).into_iter().chain(folder(&found)).collect()
}

fn folder(program: &Path) -> Option<PathBuf> {
    let programs = program.canonicalize().ok()?.parent()?.to_owned();
    let above = programs.parent().filter(|_| programs.ends_with("bin")).map(Path::to_owned);
    Some(above.filter(|above| !is_home(above)).unwrap_or(programs))
}

/// Whether a folder is somebody's whole home, which is never meant.
pub fn is_home(folder: &Path) -> bool {
    env::var_os("HOME").is_some_and(|home| folder == Path::new(&home))
        || folder.starts_with("/home") && folder.components().count() < 4
}

fn find(program: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = |file: &PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(executable);
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32) -> Version {
        Version::of_makefile(&format!("VERSION = {major}\nPATCHLEVEL = {minor}\nSUBLEVEL = 0\nEXTRAVERSION =\n"))
            .expect("a version")
    }

    const PLAIN: Choice<'_> = Choice { rules: &[], toolchain: Toolchain::Gcc, prefix: "" };

    fn chosen(choice: &Choice<'_>, (major, minor): (u32, u32), installed: &[&str]) -> (String, Option<String>) {
        choice.program(version(major, minor), &|program| installed.contains(&program))
    }

    #[test]
    fn each_era_has_its_compiler() {
        let all: Vec<String> = (4..16).map(|number| format!("gcc-{number}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        for (release, program) in [
            ((6, 1), "gcc"),
            ((5, 16), "gcc"),
            ((5, 15), "gcc-10"),
            ((5, 9), "gcc-10"),
            ((5, 8), "gcc-8"),
            ((4, 11), "gcc-7"),
            ((4, 9), "gcc-5"),
        ] {
            assert_eq!(chosen(&PLAIN, release, &all), (program.to_owned(), None));
        }
        let clang = Choice { toolchain: Toolchain::Llvm, prefix: "aarch64-linux-gnu-", ..PLAIN };
        assert_eq!(chosen(&clang, (6, 1), &["clang-15"]), ("clang-15".to_owned(), None));
        assert_eq!(chosen(&clang, (6, 15), &["clang-15"]), ("clang".to_owned(), None));
    }

    #[test]
    fn a_missing_one_is_replaced_by_the_next_newer() {
        assert_eq!(chosen(&PLAIN, (5, 15), &["gcc-9", "gcc-11", "gcc-12"]), ("gcc-11".to_owned(), Some("gcc-10".to_owned())));
        assert_eq!(chosen(&PLAIN, (5, 15), &["gcc-9"]), ("gcc".to_owned(), Some("gcc-10".to_owned())));
        let cross = Choice { prefix: "aarch64-linux-gnu-", ..PLAIN };
        let here = ["gcc-10", "aarch64-linux-gnu-gcc-12"];
        assert_eq!(chosen(&cross, (5, 15), &here).0, "aarch64-linux-gnu-gcc-12");
    }

    #[test]
    fn the_jobs_rules_go_first() {
        let rule =
            |before: Option<&str>, program: &str| CompilerRule { before: before.map(str::to_owned), program: program.to_owned() };
        let rules = [rule(Some("v5.0"), "gcc-8"), rule(Some("v5.16"), "gcc-11")];
        let choice = Choice { rules: &rules, ..PLAIN };
        assert_eq!(chosen(&choice, (4, 19), &[]).0, "gcc-8");
        assert_eq!(chosen(&choice, (5, 15), &["gcc-10"]).0, "gcc-11");
        assert_eq!(chosen(&choice, (6, 1), &[]).0, "gcc");
    }

    #[test]
    fn an_era_begins_where_another_program_compiles() {
        let rules = [CompilerRule { before: Some("v6.2".to_owned()), program: "gcc-11".to_owned() }];
        let choice = Choice { rules: &rules, ..PLAIN };
        let era = |major, minor, before: &str, after: &str| (Release::new(major, minor), before.to_owned(), after.to_owned());
        assert_eq!(choice.eras_where(&|_| true), [era(6, 2, "gcc-11", "gcc")]);
        assert_eq!(PLAIN.eras_where(&|program| program == "gcc-10"), [era(5, 16, "gcc-10", "gcc")]);
        assert_eq!(PLAIN.eras_where(&|_| false), []);
    }

    #[tokio::test]
    async fn compilers_tell_what_they_are() {
        let compiler = PLAIN.compiler(version(6, 1)).await.expect("gcc");
        assert!(compiler.identity.starts_with("gcc (") && compiler.suffix.is_empty(), "{compiler:?}");
        let named = |program: &str| [CompilerRule { before: None, program: program.to_owned() }];
        let lack = Choice { rules: &named("gcc-99"), ..PLAIN }.compiler(version(6, 1)).await.expect_err("no compiler");
        assert_eq!(lack.to_string(), "the compiler `gcc-99` is not in PATH");
        let lack = Choice { rules: &named("false"), ..PLAIN }.compiler(version(6, 1)).await.expect_err("no compiler");
        assert_eq!(lack.to_string(), "the compiler `false` does not tell its version: it ended with exit status 1");
    }

    #[test]
    fn suffixes_are_numbers() {
        for (program, told) in
            [("clang-15", "-15"), ("clang", ""), ("aarch64-linux-gnu-gcc", ""), ("x86_64-linux-gnu-gcc-12", "-12")]
        {
            assert_eq!(suffix(program), told);
        }
    }
}
