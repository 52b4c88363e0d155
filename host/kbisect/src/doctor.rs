//! What this machine and a repository have and lack, and what mends it. Owns the list of tools; installs nothing.

use std::env;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::build::linux::needs;
use crate::config::Host;
use crate::config::default_image;
use crate::config::size;
use crate::git;
use crate::machine::qemu::accel;
use crate::machine::qemu::accel::Accel;
use crate::machine::qemu::initramfs::static_busybox;
use crate::process;
use crate::process::Task;
use crate::process::jail;
use crate::process::jail::Jail;

#[cfg(test)]
mod tests;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Fine,
    /// Missing or poor: bisections are slower or can do less.
    Poor,
    /// Missing: some bisections are impossible.
    Missing,
}

/// What needs things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every bisection.
    Always,
    /// Bisections that boot kernels.
    Qemu,
    /// Bisections on machines with a disk image.
    Image,
    /// Bisections that build Linux.
    Linux,
}

/// The finding of the image that machines have where a job names none.
pub const IMAGE: &str = "image";

impl Need {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Always, Self::Qemu, Self::Image, Self::Linux];
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its name.
    pub what: String,
    /// How it is.
    pub level: Level,
    /// What was found, in one line.
    pub found: String,
    /// What mends it, one command or suggestion each; empty when it is fine or nothing helps.
    pub mend: Vec<String>,
}

impl Finding {
    fn new(what: &str, level: Level, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), level, found: found.into(), mend: Vec::new() }
    }

    fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend.push(mend.into());
        self
    }

    /// The program of a job's command; none when it is there. Names with a slash are files of a commit or of the host, which only
    /// the trial can find.
    pub fn of_program(program: &str, section: &str) -> Option<Self> {
        if program.contains('/') || find(program).is_some() {
            return None;
        }
        let found = format!("the program of {section} `command` is not in PATH");
        Some(Self::new(program, Level::Missing, found).mend(format!("install {program}, or give its path")))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.found)
    }
}

/// A program that kbisect or builds use.
struct Tool {
    program: &'static str,
    package: &'static str,
    need: Need,
    /// How bad it is when it is missing.
    lack: Level,
    use_: &'static str,
}

const TOOLS: [Tool; 11] = [
    Tool::new("qemu-system-x86_64", "qemu-system-x86", Need::Qemu, Level::Missing, "boots kernels"),
    Tool::new("ssh", "openssh-client", Need::Image, Level::Missing, "reaches machines of kind \"image\""),
    Tool::new("gcc", "gcc", Need::Linux, Level::Missing, "compiles kernels"),
    Tool::new("clang", "clang", Need::Linux, Level::Poor, "compiles kernels whose config says so"),
    Tool::new("ld", "binutils", Need::Linux, Level::Missing, "links kernels"),
    Tool::new("make", "make", Need::Linux, Level::Missing, "builds kernels"),
    Tool::new("flex", "flex", Need::Linux, Level::Poor, "Linux builds need it"),
    Tool::new("bison", "bison", Need::Linux, Level::Poor, "Linux builds need it"),
    Tool::new("bc", "bc", Need::Linux, Level::Poor, "Linux builds need it"),
    Tool::new("perl", "perl", Need::Linux, Level::Poor, "Linux builds need it"),
    Tool::new("ccache", "ccache", Need::Linux, Level::Poor, "builds compile again what another commit compiled already"),
];

impl Tool {
    const fn new(program: &'static str, package: &'static str, need: Need, lack: Level, use_: &'static str) -> Self {
        Self { program, package, need, lack, use_ }
    }
}

/// What `place`'s disk should have free: a debug kernel's build takes about 5 GiB, and forty kernels are kept.
const DISK: u64 = 20 << 30;

/// One machine of 2 GiB, and something for a build.
const MEMORY: u64 = 3 << 30;

/// A program that does not tell its version within this time hangs.
const VERSION_LIMIT: Duration = Duration::from_secs(5);

/// Looks at what `needs` need of this machine; runs would be kept below `place`.
pub async fn machine(needs: &[Need], place: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tool in TOOLS.iter().filter(|tool| needs.contains(&tool.need)) {
        findings.push(look(tool).await);
        if tool.need == Need::Qemu {
            findings.push(kvm().await);
            findings.push(busybox());
        }
    }
    if needs.contains(&Need::Image) {
        findings.push(image());
    }
    if needs.contains(&Need::Linux) {
        findings.extend(headers());
    }
    if needs.contains(&Need::Always) {
        findings.push(bwrap());
        findings.push(Finding::new("git", Level::Fine, "not needed: repositories are read without it"));
        findings.push(disk(place));
        findings.push(memory(&Host::here()));
    }
    findings
}

/// Looks at a repository: what keeps it from being read, and what may surprise.
pub fn repository(path: &Path) -> Vec<Finding> {
    let problems = git::problems(path);
    if problems.is_empty() {
        return vec![Finding::new("repository", Level::Fine, format!("{} can be read", path.display()))];
    }
    let finding = |problem: git::Problem| Finding {
        what: "repository".to_owned(),
        level: if problem.fatal { Level::Missing } else { Level::Poor },
        found: problem.message,
        mend: problem.hints,
    };
    problems.into_iter().map(finding).collect()
}

async fn look(tool: &Tool) -> Finding {
    if find(tool.program).is_none() {
        let found = format!("not in PATH ({})", tool.use_);
        return Finding::new(tool.program, tool.lack, found).mend(install(tool.package));
    }
    match version(tool.program).await {
        Ok(version) => Finding::new(tool.program, Level::Fine, version),
        Err(why) => {
            let found = format!("does not tell its version: {why} ({})", tool.use_);
            Finding::new(tool.program, tool.lack, found).mend(install(tool.package))
        }
    }
}

/// The first line that `PROGRAM --version` prints, or what it has instead.
async fn version(program: &str) -> Result<String, String> {
    let option = if program == "ssh" { "-V" } else { "--version" };
    let task = Task::new([program, option], "/", Jail::trial());
    let (finish, said) = process::run(&task, VERSION_LIMIT, 64 << 10).await.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said);
    // perl begins with an empty line.
    let first = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match finish {
        process::Finish::Exit(process::Exit::Code(0)) => Ok(first.to_owned()),
        process::Finish::Exit(exit) => Err(format!("it ended with {exit}: {first}")),
        process::Finish::TimeLimit => Err(format!("it hangs ({} s)", VERSION_LIMIT.as_secs())),
    }
}

/// The accelerator, tried with a real guest: a machine may open /dev/kvm and then hang.
async fn kvm() -> Finding {
    if find("qemu-system-x86_64").is_none() {
        return Finding::new("kvm", Level::Poor, "not tried, as QEMU is missing");
    }
    match accel::probe().await {
        Accel::Kvm => Finding::new("kvm", Level::Fine, "a small guest ran under it"),
        Accel::Tcg(why) => {
            let found = format!("{why}; guests run in QEMU's translator, several times slower");
            let finding = Finding::new("kvm", Level::Poor, found);
            match kvm_mend(why) {
                Some(mend) => finding.mend(mend),
                None => finding,
            }
        }
    }
}

fn kvm_mend(why: &str) -> Option<&'static str> {
    if why.contains("Permission denied") {
        Some("sudo usermod --append --groups kvm \"$USER\", then log in again")
    } else if why.contains("No such file") {
        Some("sudo modprobe kvm_intel (or kvm_amd); in a virtual machine, its host must allow nested virtualization")
    } else {
        // It opens and yet runs nothing: a matter of the machine below.
        None
    }
}

/// Headers of libraries that the kernel's own tools are built with.
fn headers() -> impl Iterator<Item = Finding> {
    let missing: Vec<(&str, &str)> = needs::headers(true).collect();
    needs::headers(false).map(move |header| {
        let (name, package) = header;
        if missing.contains(&header) {
            return Finding::new(name, Level::Poor, "not there (some Linux builds need it)").mend(install(package));
        }
        Finding::new(name, Level::Fine, format!("there ({package})"))
    })
}

fn busybox() -> Finding {
    match static_busybox() {
        Some((_, applets)) => Finding::new("busybox", Level::Fine, format!("static, {} commands for guests", applets.len())),
        None => {
            let found = "no static one: guests have no shell";
            Finding::new("busybox", Level::Poor, found).mend(install("busybox-static"))
        }
    }
}

fn image() -> Finding {
    match default_image() {
        Some(image) if image.is_file() => Finding::new(IMAGE, Level::Fine, format!("{} (./x image made it)", image.display())),
        _ => Finding::new(IMAGE, Level::Poor, "no image where jobs of [machine] kind \"image\" look for one")
            .mend("./x image in kbisect's sources makes one, or name yours in [machine] `image`"),
    }
}

fn bwrap() -> Finding {
    match jail::warning() {
        None => Finding::new("bwrap", Level::Fine, "a child ran in namespaces of its own"),
        Some(warning) if find("bwrap").is_none() => Finding::new("bwrap", Level::Poor, warning).mend(install("bubblewrap")),
        Some(warning) => Finding::new("bwrap", Level::Poor, warning)
            .mend("allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"),
    }
}

fn disk(place: &Path) -> Finding {
    match free_disk(place) {
        Some(free) => {
            let level = if free < DISK { Level::Poor } else { Level::Fine };
            let found = format!("{} free in {}", size::rounded(free), place.display());
            let finding = Finding::new("disk", level, found);
            if level == Level::Fine {
                finding
            } else {
                finding.mend("a debug kernel's build takes about 5G: use --out on a larger disk")
            }
        }
        None => Finding::new("disk", Level::Poor, format!("cannot tell what is free in {}", place.display())),
    }
}

/// Bytes that an ordinary user may still write below `place`, or where it will be made.
pub fn free_disk(place: &Path) -> Option<u64> {
    let there = place.ancestors().find(|folder| folder.exists()).filter(|folder| !folder.as_os_str().is_empty());
    let stat = rustix::fs::statvfs(there.unwrap_or(Path::new("."))).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

fn memory(host: &Host) -> Finding {
    let found = format!("{} free, {} CPUs", size::rounded(host.memory), host.cpus);
    if host.memory < MEMORY {
        Finding::new("memory", Level::Poor, found).mend("state less in [machine] `memory`, or end other programs")
    } else {
        Finding::new("memory", Level::Fine, found)
    }
}

/// The file of a program in `PATH`.
fn find(program: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = env::var_os("PATH")?;
    let executable = |file: &PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    env::split_paths(&path).map(|folder| folder.join(program)).find(executable)
}

/// The command that installs a package of Debian's; other distributions name theirs alike.
fn install(package: &str) -> String {
    let sudo = if rustix::process::geteuid().is_root() { "" } else { "sudo " };
    format!("{sudo}apt-get install --no-install-recommends {package}")
}
