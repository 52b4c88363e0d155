//! What was handed over, sorted by what it is: consoles, configurations, reproducers, reports. Files are known by what is in them,
//! never by their names alone. Pure but for the classifiers, which are asked what a console shows.

mod body;
mod code;

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::crash::CrashReport;

use super::dashboard;
use super::draft::plain;
use super::kselftest::Collection;
use super::kselftest::Limit;
use super::mail::Mail;
use super::release;
use super::release::Release;
use super::script;
use super::syzkaller;
use super::text;
use super::text::Text;
use crate::build::linux::kconfig::Config;
use crate::build::linux::kconfig::Entry;
use crate::error::Error;
use crate::syzbot;

/// A configuration with fewer lines is a part of one.
const WHOLE: usize = 300;

/// A file that was handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// How it is called in messages.
    pub name: String,
    /// Where it is; none for standard input.
    pub path: Option<PathBuf>,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it may be executed.
    pub executable: bool,
}

/// Something of use, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// How it is called in messages.
    pub name: String,
    /// The file that is it; none where it was inside of one.
    pub path: Option<PathBuf>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A console with a crash.
#[derive(Debug, Clone, PartialEq)]
pub struct Console {
    /// The console.
    pub material: Material,
    /// The crashes, in its order; at least one.
    pub crashes: Vec<CrashReport>,
    /// The releases that it tells.
    pub releases: Vec<Release>,
    /// The architecture that its registers tell.
    pub arch: Option<&'static str>,
}

/// A kernel configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The file.
    pub material: Material,
    /// What it says.
    pub config: Config,
    /// Whether it is a whole one, not a part to be merged.
    pub whole: bool,
}

/// C source of a reproducer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSource {
    /// The file.
    pub material: Material,
    /// Whether syzkaller wrote it.
    pub generated: bool,
    /// Whether it has a `main`.
    pub has_main: bool,
}

/// A program of syzkaller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyzProgram {
    /// The file.
    pub material: Material,
    /// Its options.
    pub options: Option<syzkaller::Options>,
}

/// A script or a program that can be run as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// The file.
    pub material: Material,
    /// Whether it is a script.
    pub script: bool,
    /// Whether it may be executed.
    pub executable: bool,
}

/// A configuration that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoiled {
    /// How it is called in messages.
    pub name: String,
    /// The file that will be one when the fault is mended; none where it was inside of one.
    pub path: Option<PathBuf>,
    /// What is wrong, and what to do.
    pub why: String,
}

/// A collection of kernel selftests, or one of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selftest {
    /// What it was asked for by.
    pub name: String,
    /// The collection's folder.
    pub folder: PathBuf,
    /// The collection.
    pub collection: Collection,
    /// The test that was asked for.
    pub test: Option<String>,
    /// The collection's name, where its folder lies in a tree.
    pub of_tree: Option<String>,
    /// How long a test may take.
    pub limit: Limit,
    /// Its `config`, where it has one.
    pub config: Option<PathBuf>,
}

/// A disk with a userspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The file.
    pub material: Material,
    /// Whether its file system is in a partition, not the whole of it.
    pub partitioned: bool,
}

/// A report and what it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The file.
    pub name: String,
    /// What it says.
    pub mail: Mail,
}

/// A line of text that says one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The file.
    pub name: String,
    /// What stands there.
    pub text: String,
}

/// Everything that was handed over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pieces {
    /// Consoles that show a crash.
    pub consoles: Vec<Console>,
    /// Consoles of kernels that show none.
    pub quiet: Vec<(String, Vec<Release>)>,
    /// Configurations and parts of them.
    pub configs: Vec<Configuration>,
    /// Configurations that cannot be read.
    pub spoiled: Vec<Spoiled>,
    /// C sources.
    pub sources: Vec<CSource>,
    /// Programs of syzkaller's.
    pub programs: Vec<SyzProgram>,
    /// Scripts and programs.
    pub executables: Vec<Executable>,
    /// Selftests.
    pub selftests: Vec<Selftest>,
    /// Disks.
    pub disks: Vec<Disk>,
    /// Reports, one for each bug in each file.
    pub reports: Vec<Report>,
    /// Files of one line that is no commit: titles, perhaps.
    pub titles: Vec<Word>,
    /// Files of one commit.
    pub commits: Vec<Word>,
    /// What each file was taken for, in their order.
    pub understood: Vec<(String, String)>,
    /// Files of which nothing is used, and why.
    pub unused: Vec<(String, String)>,
}

/// Says what a console shows.
pub type Classify<'a> = dyn Fn(&[u8]) -> Result<Vec<CrashReport>, Error> + 'a;

/// Sorts files by what they are.
///
/// # Errors
/// The classifiers failed.
pub fn sort(sources: &[Source], classify: &Classify<'_>) -> Result<Pieces, Error> {
    let mut sorting = Sorting { pieces: Pieces::default(), classify };
    for source in sources {
        let before = sorting.told();
        sorting.file(source)?;
        if sorting.told() == before && !sorting.bare_script(source) {
            sorting.unused(&source.name, "no crash, configuration, reproducer or report of a known kind is in it");
        }
    }
    Ok(sorting.pieces)
}

struct Sorting<'a> {
    pieces: Pieces,
    classify: &'a Classify<'a>,
}

impl Sorting<'_> {
    fn told(&self) -> usize {
        self.pieces.understood.len() + self.pieces.unused.len()
    }

    fn unused(&mut self, name: &str, why: impl Into<String>) {
        self.pieces.unused.push((name.to_owned(), why.into()));
    }

    fn understood(&mut self, name: &str, what: impl Into<String>) {
        self.pieces.understood.push((name.to_owned(), what.into()));
    }

    fn file(&mut self, source: &Source) -> Result<(), Error> {
        let material = Material { name: source.name.clone(), path: source.path.clone(), bytes: source.bytes.clone() };
        if self.known(&material, source.executable) {
            return Ok(());
        }
        let texts = text::texts(&source.bytes);
        let is_mail = texts.len() > 1 || texts.iter().any(|text| text.subject.is_some() || text.message_id.is_some());
        for (index, text) in texts.iter().enumerate() {
            match &text.attached {
                Some(name) => self.attachment(source, name, text)?,
                None => self.body(source, text, is_mail, index)?,
            }
        }
        Ok(())
    }

    /// A file inside of a mail.
    fn attachment(&mut self, source: &Source, name: &str, text: &Text) -> Result<(), Error> {
        let name = format!("{} in {}", plain(name), source.name);
        let material = Material { name: name.clone(), path: None, bytes: text.bytes.clone() };
        // What is put beside the job gets the mode that it needs.
        if self.known(&material, true) || self.console(&material)? {
            return Ok(());
        }
        self.unused(&name, "no crash, configuration or reproducer is in it");
        Ok(())
    }

    /// Whatever is known by its first bytes or as a whole. Gives whether it was.
    fn known(&mut self, material: &Material, executable: bool) -> bool {
        let (name, bytes) = (material.name.clone(), material.bytes.as_slice());
        if bytes.iter().all(u8::is_ascii_whitespace) {
            self.unused(&name, "it is empty");
            return true;
        }
        if let Some((what, line)) = packed(bytes, material) {
            let why = format!("packed with {what}: unpack it ({line}) and name what is in it");
            self.packed_config(material, what, &line);
            self.unused(&name, why);
            return true;
        }
        if let Some(why) = no_reproducer(bytes) {
            self.unused(&name, why);
            return true;
        }
        if is_disk(bytes) {
            self.understood(&name, "a disk with a userspace");
            self.pieces.disks.push(Disk { material: material.clone(), partitioned: !is_file_system(bytes) });
            return true;
        }
        if bytes.starts_with(b"\x7fELF") {
            self.understood(&name, "a program");
            self.pieces.executables.push(Executable { material: material.clone(), script: false, executable });
            return true;
        }
        if text::is_binary(bytes) {
            return false;
        }
        let text = String::from_utf8_lossy(bytes);
        self.known_text(material, &text, executable)
    }

    fn known_text(&mut self, material: &Material, text: &str, executable: bool) -> bool {
        let name = material.name.clone();
        if text.trim_start_matches('\u{feff}').starts_with("#!") {
            if text.contains("export_top_env") {
                self.unused(&name, "a job of the kernel test robot's, which `lkp qemu -k KERNEL -m MODULES FILE` runs");
                return true;
            }
            self.understood(&name, "a script");
            self.pieces.executables.push(Executable { material: material.clone(), script: true, executable });
            return true;
        }
        if let Some(whose) = bisection_log(text) {
            let of = name.split(" in ").last().unwrap_or(&name);
            self.unused(&name, format!("a bisection log of {whose}: kbisect import {of} makes a run of it"));
            return true;
        }
        if is_job(text) {
            self.unused(&name, "a job file of kbisect's");
            return true;
        }
        if let Some(mail) = dashboard::read(text) {
            self.understood(&name, "a bug of syzbot's dashboard");
            self.pieces.reports.push(Report { name, mail });
            return true;
        }
        if let Some(mail) = dashboard::read_cut(text) {
            self.understood(&name, "a bug of syzbot's dashboard, cut off: save it again for commit and links");
            self.pieces.reports.push(Report { name, mail });
            return true;
        }
        if is_config(text) {
            self.config(material, text);
            return true;
        }
        if syzkaller::is_program(text) {
            self.understood(&name, "a program of syzkaller's");
            self.pieces.programs.push(SyzProgram { material: material.clone(), options: syzkaller::Options::of_program(text) });
            return true;
        }
        let is_cpp = code::is_cpp(text);
        if code::begins_as_c(text) && !is_cpp {
            self.c_source(material, text);
            return true;
        }
        if is_cpp {
            let line = format!("g++ -static -o repro {}", word(material));
            self.unused(
                &name,
                format!("source in C++, which kbisect does not compile: name the program that comes of it ({line})"),
            );
            return true;
        }
        self.word(&name, text)
    }

    /// Something executable that is nothing else: a script without a line that says what reads it, where its commands are programs that are
    /// known. Gives whether it is one.
    fn bare_script(&mut self, source: &Source) -> bool {
        let text = String::from_utf8_lossy(&source.bytes);
        if !source.executable || text::is_binary(&source.bytes) || script::calls(&text) == script::Calls::default() {
            return false;
        }
        self.understood(&source.name, "a script without a `#!` line");
        let material = Material { name: source.name.clone(), path: source.path.clone(), bytes: source.bytes.clone() };
        self.pieces.executables.push(Executable { material, script: true, executable: true });
        true
    }

    /// Notes that something packed may be the configuration: nothing else tells than its name.
    fn packed_config(&mut self, material: &Material, what: &str, line: &str) {
        let file = material.path.as_deref().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or(&material.name);
        if !file.contains("config") {
            return;
        }
        let path = material.path.as_ref().map(|path| path.with_extension(""));
        let why = format!("{} is packed with {what}; unpack it:\n  {line}", material.name);
        self.pieces.spoiled.push(Spoiled { name: material.name.clone(), path, why });
    }

    fn config(&mut self, material: &Material, text: &str) {
        let name = &material.name;
        match Config::parse(text) {
            Ok(config) => {
                let whole = text.contains("Automatically generated file; DO NOT EDIT") || config.entries().len() >= WHOLE;
                // Programs that send mails drop the last line's end.
                let cut = whole && material.path.is_some() && !text.ends_with('\n');
                let what = match (whole, cut) {
                    (true, false) => "a configuration",
                    (true, true) => "a configuration that ends within a line",
                    (false, _) => "a part of a configuration",
                };
                let more: Vec<&str> = super::arch_of(&config).into_iter().chain(config.text("CC_VERSION_TEXT")).collect();
                self.understood(name, [what].into_iter().chain(more).collect::<Vec<_>>().join(", "));
                self.pieces.configs.push(Configuration { material: material.clone(), config, whole });
            }
            Err(line) => {
                let said = text.lines().nth(line - 1).unwrap_or_default();
                let cut = if line == text.lines().count() { "; it was cut there" } else { "" };
                let why = format!("line {line} of {name} is damaged: `{said}`{cut}. Get it whole, or mend that line");
                self.pieces.spoiled.push(Spoiled { name: name.clone(), path: material.path.clone(), why });
                self.unused(name, format!("a configuration whose line {line} is damaged: `{said}`"));
            }
        }
    }

    fn c_source(&mut self, material: &Material, text: &str) {
        let generated = text.contains("autogenerated by syzkaller");
        let has_main = code::has_main(text);
        let what = match (generated, has_main) {
            (true, true) => "a reproducer in C, made by syzkaller",
            (false, true) => "a reproducer in C",
            (_, false) => "C source without a main()",
        };
        self.understood(&material.name, what);
        self.pieces.sources.push(CSource { material: material.clone(), generated, has_main });
    }

    /// A file of one line, such as a syz-manager's `description` and `tag0`.
    fn word(&mut self, name: &str, text: &str) -> bool {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (Some(line), None) = (lines.next(), lines.next()) else { return false };
        if line.len() > 200 || line.starts_with('>') {
            return false;
        }
        if is_record(name) {
            self.unused(name, "a record of a syz-manager's, of which nothing follows");
            return true;
        }
        let digits = line.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits && (12..=40).contains(&line.len()) {
            self.understood(name, "a commit");
            self.pieces.commits.push(Word { name: name.to_owned(), text: line.to_owned() });
        } else {
            self.pieces.titles.push(Word { name: name.to_owned(), text: line.to_owned() });
            self.understood(name, "one line, taken for a title");
        }
        true
    }

    /// A console by itself. Gives whether it is one.
    fn console(&mut self, material: &Material) -> Result<bool, Error> {
        let crashes = (self.classify)(&material.bytes)?;
        Ok(self.console_with(material, crashes))
    }

    /// A console by itself, with what the classifiers see on it. Gives whether it is one.
    fn console_with(&mut self, material: &Material, crashes: Vec<CrashReport>) -> bool {
        let crashes: Vec<CrashReport> = crashes.into_iter().filter(|crash| !crash.suppressed).collect();
        let text = String::from_utf8_lossy(&material.bytes);
        let releases = release::on_console(&text);
        if crashes.is_empty() {
            if !releases.is_empty() {
                self.unused(&material.name, "a kernel's console on which no classifier sees a crash");
                self.pieces.quiet.push((material.name.clone(), releases));
                return true;
            }
            return false;
        }
        let more = crashes.len() - 1;
        let also = if more > 0 { format!(", and {}", crate::record::counted(more as u64, "crash")) } else { String::new() };
        let doubt = crashes[0].corrupted.as_ref().map(|why| format!(" (damaged: {why})")).unwrap_or_default();
        self.understood(&material.name, format!("a console: {}{doubt}{also}", crashes[0].title));
        self.pieces.consoles.push(Console { material: material.clone(), crashes, arch: release::arch(&text), releases });
        true
    }
}

/// What a file is packed with, and what unpacks it.
fn packed(bytes: &[u8], material: &Material) -> Option<(&'static str, String)> {
    let with = [
        (b"\x1f\x8b".as_slice(), "gzip", "gzip -dk"),
        (b"\xfd7zXZ\0", "xz", "xz -dk"),
        (b"\x28\xb5\x2f\xfd", "zstd", "zstd -d"),
        (b"BZh", "bzip2", "bzip2 -dk"),
        (b"PK\x03\x04", "zip", "unzip"),
    ];
    let (_, what, line) = with.into_iter().find(|(magic, ..)| bytes.starts_with(magic))?;
    Some((what, format!("{line} {}", word(material))))
}

/// A shell's word for a file: what was inside of a mail has the name that it is saved by.
fn word(material: &Material) -> String {
    let name = material.name.split(" in ").next().unwrap_or(&material.name);
    crate::git::quoted(Path::new(name))
}

/// Files of a syz-manager's crash directory that tell of its machines and its search.
fn is_record(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("machineInfo") || file == "repro.stats" || file == "title-stat"
}

/// Whose bisection log a text is.
fn bisection_log(text: &str) -> Option<&'static str> {
    // Mails quote such logs, too.
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if ["git bisect start", "# bad: [", "# good: [", "# status: "].iter().any(|begin| first.starts_with(begin)) {
        return Some("git's");
    }
    syzbot::read(text).is_ok().then_some("syzbot's")
}

/// Bytes at a disk's beginning by which it is known.
pub const DISK_HEAD: u64 = 2048;

/// Whether a file begins as a disk does: with an ext4 file system, or with a table of partitions.
pub fn is_disk(head: &[u8]) -> bool {
    let boots = head.get(0x1fe..0x200) == Some(b"\x55\xaa") && head.get(0x202..0x206) != Some(b"HdrS");
    // The first partition has a kind; text has none of this.
    let has_partition = boots && head.get(0x1c2).is_some_and(|kind| *kind != 0) && text::is_binary(head);
    has_partition || is_file_system(head)
}

/// The magic number of ext2 to ext4.
fn is_file_system(head: &[u8]) -> bool {
    head.get(0x438..0x43a) == Some(b"\x53\xef") && text::is_binary(head)
}

/// What can be executed, and is no reproducer.
fn no_reproducer(bytes: &[u8]) -> Option<String> {
    let is_image = bytes.get(0x202..0x206) == Some(b"HdrS");
    let is_elf = bytes.starts_with(b"\x7fELF");
    let banner = b"Linux version %s".as_slice();
    let kernel = is_elf && bytes.windows(banner.len()).any(|window| window == banner) || is_image;
    let kind = bytes.get(16).copied().filter(|_| is_elf);
    match kind {
        _ if kernel => Some("a kernel: kbisect builds its own".to_owned()),
        Some(1) => Some("an object file or a module: kbisect builds its own".to_owned()),
        Some(4) => Some("a memory dump, which kbisect does not read".to_owned()),
        _ => None,
    }
}

/// A job file of ours.
fn is_job(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("repo = ")) && text.parse::<toml::Table>().is_ok()
}

/// A text whose lines are those of a configuration, but for one or two.
fn is_config(text: &str) -> bool {
    let (mut said, mut other) = (0, 0);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let symbol = line.starts_with("CONFIG_") || line.starts_with("# CONFIG_");
        if symbol && Entry::parse(line).is_some() {
            said += 1;
        } else if !line.starts_with('#') {
            other += 1;
        }
    }
    said > 0 && other * 20 <= said || said > 2 && other <= 1
}

#[cfg(test)]
mod tests;
