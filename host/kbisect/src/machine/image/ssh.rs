//! ssh to one machine: its command lines, its key, and what its end means. Owns no machine.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use kbisect_core::policy::Failure;
use tempfile::TempDir;

use crate::machine::infra;
use crate::process;
use crate::process::Exit;
use crate::process::Finish;
use crate::process::Task;
use crate::process::jail::Jail;

/// The socket of the connection that all commands share, in the machine's folder.
pub(super) const MASTER: &str = "ssh.sock";

/// A key is made in a second.
const KEY_LIMIT: Duration = Duration::from_secs(30);

/// ssh's own exit status: it could not connect, or the connection broke.
pub(super) const BROKEN: i32 = 255;

/// A private key that only we can read, as ssh demands, and its public half where kbisect made it.
#[derive(Debug)]
pub(super) struct Key {
    folder: TempDir,
    /// `ssh-ed25519 AAAA…`, without a comment.
    pub(super) public: Option<String>,
}

impl Key {
    /// A copy of the job's key, or a new one for this run; in a folder of its own in `dir`.
    pub(super) async fn get(own: Option<&Path>, dir: &Path) -> Result<Self, Failure> {
        let cannot = |error: &io::Error| infra(format!("cannot keep a key for ssh in `{}`: {error}", dir.display()));
        fs::create_dir_all(dir).map_err(|error| cannot(&error))?;
        let folder = dir.canonicalize().and_then(|dir| tempfile::Builder::new().prefix("key-").tempdir_in(dir));
        let folder = folder.map_err(|error| cannot(&error))?;
        let file = folder.path().join("key");
        if let Some(own) = own {
            let copied = fs::copy(own, &file).and_then(|_| fs::set_permissions(&file, fs::Permissions::from_mode(0o600)));
            copied.map_err(|error| infra(format!("[machine] `key`: {}: {error}", own.display())))?;
            return Ok(Self { folder, public: None });
        }
        let words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "key"];
        let task = Task::new(words, folder.path(), Jail::build(vec![folder.path().to_owned()]));
        let (finish, said) = process::run(&task, KEY_LIMIT, 1 << 10).await.map_err(|error| infra(error.to_string()))?;
        if finish != Finish::Exit(Exit::Code(0)) {
            return Err(infra(format!("ssh-keygen makes no key: {}", crate::build::last_lines(&said, 2))));
        }
        let public = fs::read_to_string(file.with_extension("pub")).map_err(|error| cannot(&error))?;
        Ok(Self { public: Some(public.trim().to_owned()), folder })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}

/// How a machine is reached.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// The port of this host that leads to the machine's sshd.
    pub(super) port: u16,
    /// Who logs in.
    pub(super) user: String,
    /// The private key's file.
    key: PathBuf,
}

impl Way {
    pub(super) fn new(port: u16, user: &str, key: &Key) -> Self {
        Self { port, user: user.to_owned(), key: key.file() }
    }

    /// The connection that the others go through; it runs nothing.
    pub(super) fn master(&self, dir: &Path) -> Task {
        let words = ["-M", "-N", "-o", "ControlPersist=no"].map(OsString::from);
        self.task(dir, &format!("ControlPath={MASTER}"), words.into_iter().chain([self.destination()]).collect())
    }

    /// A command for the machine's shell, through the shared connection.
    pub(super) fn command(&self, dir: &Path, command: &str) -> Task {
        self.task(dir, &format!("ControlPath={MASTER}"), vec!["-n".into(), self.destination(), "--".into(), command.into()])
    }

    /// The same on a connection of its own.
    pub(super) fn command_apart(&self, dir: &Path, command: &str) -> Task {
        self.task(dir, "ControlPath=none", vec!["-n".into(), self.destination(), "--".into(), command.into()])
    }

    /// The same with a file of the machine's folder as its input.
    pub(super) fn command_with_input(&self, dir: &Path, file: &str, command: &str) -> Task {
        let ssh = self.task(dir, &format!("ControlPath={MASTER}"), vec![self.destination(), "--".into(), command.into()]);
        let argv = ["sh", "-c", "exec \"$@\" <\"$0\"", file].map(OsString::from).into_iter().chain(ssh.argv.clone()).collect();
        Task { argv, ..ssh }
    }

    fn destination(&self) -> OsString {
        format!("{}@127.0.0.1", self.user).into()
    }

    /// Nobody's configuration, agent or known hosts play a part.
    fn task(&self, dir: &Path, control: &str, rest: Vec<OsString>) -> Task {
        let options = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=5",
            control,
        ];
        let mut argv: Vec<OsString> = ["ssh", "-F", "none", "-p"].map(OsString::from).into();
        argv.push(self.port.to_string().into());
        argv.extend(["-i".into(), self.key.clone().into_os_string()]);
        argv.extend(options.iter().flat_map(|option| ["-o".into(), OsString::from(option)]));
        argv.extend(rest);
        let mut jail = Jail::build(vec![dir.to_owned()]);
        jail.network = true;
        Task::new(argv, dir, jail)
    }
}

/// Runs a program in the machine's shell so that 255 is ssh's alone: a program's own shows as 254.
pub(super) fn told_apart(program: &str) -> String {
    format!("cd /tmp 2>/dev/null; {program}; s=$?; [ $s != {BROKEN} ] || s=254; exit $s")
}
