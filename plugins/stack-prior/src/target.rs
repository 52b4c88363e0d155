//! What the crash shows: files with their rank on the stack, functions, and the MAINTAINERS entry of the file to blame.

use std::collections::HashSet;

use kbisect_sdk::CrashReport;
use kbisect_sdk::Host;
use kbisect_sdk::maintainers;
use kbisect_sdk::maintainers::Section;

use crate::words;

/// Files on the stack from the one to blame on, itself included, that are near it.
const NEAR: usize = 5;
/// Functions of a stack whose names count as the crash's words, innermost first.
const FUNCTIONS: usize = 16;
/// The report's property that lists files.
pub(crate) const FILES: &str = "files";

/// What the crash shows.
#[derive(Debug, Default)]
pub struct Target {
    /// The files to blame: one for each look that the crash has.
    pub guilty: HashSet<String>,
    /// Their folders.
    pub folders: HashSet<String>,
    /// Files on the stack behind them, as far as they are near.
    pub near: HashSet<String>,
    /// The other files on the stack behind them, and those of other stacks in the report.
    pub far: HashSet<String>,
    /// The files on the stack before them: what they called.
    pub before: HashSet<String>,
    /// Words of these files' and of the functions' names.
    pub words: HashSet<String>,
    /// The MAINTAINERS entries that are most particularly about the files to blame.
    pub entries: Vec<Section>,
    /// The folder in `arch/` that the kernel is built from, when known.
    pub arch: Option<&'static str>,
}

impl Target {
    /// Reads what the host knows; none where the crash shows neither a file nor a function.
    pub fn read(host: &impl Host) -> Option<Self> {
        let mut target = Self::default();
        for face in host.faces() {
            target.add(&face.report);
        }
        if target.words.is_empty() && target.guilty.is_empty() && target.near.is_empty() {
            return None;
        }
        target.entries = entries(host, &target.guilty);
        target.arch = host.property("arch").and_then(|machine| folder_of(&machine));
        Some(target)
    }

    /// Adds what one look of the crash shows.
    pub fn add(&mut self, report: &CrashReport) {
        let files: Vec<&str> = report
            .properties
            .iter()
            .filter(|property| property.key == FILES)
            .flat_map(|property| property.value.split_whitespace())
            .collect();
        let guilty = report.guilty_file.as_deref();
        let at = guilty.and_then(|guilty| files.iter().position(|file| *file == guilty)).unwrap_or(0);
        let (before, behind) = files.split_at(at);
        let (near, far) = behind.split_at(behind.len().min(NEAR));
        let owned = |files: &[&str]| files.iter().map(|&file| file.to_owned()).collect::<Vec<_>>();
        self.before.extend(owned(before));
        self.near.extend(owned(near));
        self.far.extend(owned(far));
        for file in near.iter().chain(&guilty) {
            let stem = file.rsplit_once('.').map_or(*file, |(stem, _)| stem);
            self.words.extend(words::of(stem));
        }
        if let Some(guilty) = guilty {
            self.folders.extend(guilty.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
            self.guilty.insert(guilty.to_owned());
        }
        for function in report.frame.iter().chain(report.trace.iter().take(FUNCTIONS)) {
            self.words.extend(words::of(function));
        }
    }

    /// Whether files of the stack are known, and not only functions.
    #[must_use]
    pub fn has_files(&self) -> bool {
        !(self.guilty.is_empty() && self.near.is_empty())
    }
}

/// The entries of the MAINTAINERS file that are most particularly about these files.
fn entries(host: &impl Host, files: &HashSet<String>) -> Vec<Section> {
    let text = host.property("newest-commit").and_then(|newest| host.read_file(&newest, "MAINTAINERS").ok());
    let (Some(text), false) = (text, files.is_empty()) else { return Vec::new() };
    let sections = maintainers::parse(&text);
    let first = |file: &String| maintainers::of_file(&sections, file).first().copied();
    files.iter().filter_map(first).filter(|section| !section.is_the_rest()).cloned().collect()
}

/// The folder in `arch/` of a machine as `uname -m` names it; none where it is not known.
pub(crate) fn folder_of(machine: &str) -> Option<&'static str> {
    const FOLDERS: [(&str, &str); 11] = [
        ("x86_64", "x86"),
        ("i386", "x86"),
        ("i686", "x86"),
        ("aarch64", "arm64"),
        ("arm", "arm"),
        ("riscv", "riscv"),
        ("s390", "s390"),
        ("ppc", "powerpc"),
        ("powerpc", "powerpc"),
        ("mips", "mips"),
        ("loongarch", "loongarch"),
    ];
    FOLDERS.iter().find(|(begin, _)| machine.starts_with(begin)).map(|(_, folder)| *folder)
}
