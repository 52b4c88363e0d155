//! What a child may touch, as arguments for bwrap. Owns the profiles and the probe whether bwrap works here.

use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;

/// Where services of the host have their sockets.
const RUN: &str = "/run";

/// What lies there and is none: programs of systems that link them there, and disks that people plug in.
const RUN_KEPT: [&str; 2] = ["/run/current-system", "/run/media"];

/// What root may still do: have to do with files whoever owns them. Mounting, tracing, modules and devices are none of a build's business.
const ROOTS: [&str; 3] = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"];

/// What a child may touch. Every jail has a PID namespace and dies with kbisect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jail {
    /// The caller's network, or none.
    pub network: bool,
    /// The host's files and devices as the caller has them; otherwise files are read-only but for `writable`, `/dev` is a bare one
    /// without the caller's terminal, `/run` with the sockets of the host's services is empty, and root is no more than an owner of files.
    pub host_files: bool,
    /// Folders that are empty to the child, but for what is readable or writable in them.
    pub hidden: Vec<PathBuf>,
    /// Folders that can be read although they lie in hidden ones.
    pub readable: Vec<PathBuf>,
    /// Folders that the child sees under another name, in a hidden one: where they are, the name, and whether they can be written.
    pub mounts: Vec<(PathBuf, PathBuf, bool)>,
    /// Folders that can be written although the rest cannot.
    pub writable: Vec<PathBuf>,
    /// Devices let through although `/dev` is bare; missing ones are left out.
    pub devices: Vec<PathBuf>,
}

impl Jail {
    /// A kernel build: no network, and only `writable` (checkout, output, temporary files) can be written.
    pub fn build(writable: Vec<PathBuf>) -> Self {
        Self { writable, ..Self::default() }
    }

    /// An emulator: no network, its own folder, and `/dev/kvm` where it is used.
    pub fn qemu(dir: PathBuf, kvm: bool) -> Self {
        let devices = if kvm { vec![PathBuf::from("/dev/kvm")] } else { Vec::new() };
        Self { writable: vec![dir], devices, ..Self::default() }
    }

    /// A trial on the host itself: everything is the caller's but the process ids.
    pub fn trial() -> Self {
        Self { network: true, host_files: true, ..Self::default() }
    }

    /// The same without the homes of people and what others left in `/tmp`, but for `readable` in them.
    #[must_use]
    pub fn without_homes(mut self, readable: Vec<PathBuf>) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let homes = ["/home", "/root", "/tmp", "/var/tmp"].map(PathBuf::from).into_iter().chain(home);
        self.hidden = homes.filter(|home| home.is_absolute() && home.is_dir() && home.parent().is_some()).collect();
        self.readable = readable;
        self
    }

    /// bwrap's arguments, up to the program.
    pub(super) fn arguments(&self, cwd: &Path) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["--die-with-parent".into(), "--unshare-pid".into()];
        let mut add = |words: &[&std::ffi::OsStr]| args.extend(words.iter().map(|word| (*word).to_owned()));
        if self.host_files {
            add(&["--dev-bind".as_ref(), "/".as_ref(), "/".as_ref()]);
        } else {
            add(&["--ro-bind".as_ref(), "/".as_ref(), "/".as_ref(), "--dev".as_ref(), "/dev".as_ref()]);
            // Who can open a terminal can type into it. (A session of its own would, but take bwrap's child out of the process group.)
            add(&["--dev-bind".as_ref(), "/dev/null".as_ref(), "/dev/tty".as_ref()]);
            // Shared memory and queues would stay when it ends, and those of the user's other programs are none of its business.
            add(&["--unshare-ipc".as_ref()]);
            // A socket can be connected to whatever it is mounted as.
            if Path::new(RUN).is_dir() {
                add(&["--tmpfs".as_ref(), RUN.as_ref()]);
                for kept in RUN_KEPT {
                    add(&["--ro-bind-try".as_ref(), kept.as_ref(), kept.as_ref()]);
                }
            }
            if rustix::process::geteuid().is_root() {
                add(&["--cap-drop".as_ref(), "ALL".as_ref()]);
                for capability in ROOTS {
                    add(&["--cap-add".as_ref(), capability.as_ref()]);
                }
            }
        }
        add(&["--proc".as_ref(), "/proc".as_ref()]);
        for path in &self.hidden {
            add(&["--tmpfs".as_ref(), path.as_os_str()]);
        }
        for path in &self.readable {
            add(&["--ro-bind".as_ref(), path.as_os_str(), path.as_os_str()]);
        }
        for (from, to, writable) in &self.mounts {
            let bind = if *writable { "--bind" } else { "--ro-bind" };
            add(&[bind.as_ref(), from.as_os_str(), to.as_os_str()]);
        }
        for path in &self.writable {
            add(&["--bind".as_ref(), path.as_os_str(), path.as_os_str()]);
        }
        for path in &self.devices {
            add(&["--dev-bind-try".as_ref(), path.as_os_str(), path.as_os_str()]);
        }
        if !self.network {
            add(&["--unshare-net".as_ref()]);
        }
        add(&["--chdir".as_ref(), cwd.as_os_str(), "--".as_ref()]);
        args
    }
}

/// The bwrap that works here, tried once for each process; none where there is none or it may not make namespaces.
pub fn bwrap() -> Option<&'static Path> {
    probe().as_ref().ok().map(PathBuf::as_path)
}

/// What the user must be told where bwrap does not work.
pub fn warning() -> Option<String> {
    let why = probe().as_ref().err()?;
    Some(format!(
        "bwrap does not work here ({why}): builds reach the network, and processes may outlive kbisect when it is killed \
         (`resume` ends those)"
    ))
}

fn probe() -> &'static Result<PathBuf, String> {
    static PROBE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PROBE.get_or_init(|| {
        let bwrap = PathBuf::from("bwrap");
        let jail = Jail::build(Vec::new());
        let output = Command::new(&bwrap)
            .args(jail.arguments(Path::new("/")))
            .arg("/bin/true")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(bwrap);
        }
        let said = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("it failed").to_owned();
        Err(said)
    })
}
