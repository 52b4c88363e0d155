//! apt-get: installing packages, and an isolated configuration for looking into another suite without changing the machine's own.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::step::Failure;
use crate::step::read;

/// Installs packages; where the package lists are missing or old they are fetched first.
pub(super) fn install(packages: &[&str]) -> Result<(), Failure> {
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.args(["--yes", "--quiet", "--no-install-recommends", "install"]).args(packages);
        read(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    if apt_get().is_err() {
        read(Command::new("apt-get").args(["--quiet", "update"]))?;
        apt_get()?;
    }
    Ok(())
}

/// The mirrors that the machine takes its distribution from, likeliest first.
pub(super) fn mirrors() -> Result<Vec<String>, Failure> {
    let format = "$(CODENAME) $(RELEASE) $(REPO_URI)";
    let targets = read(Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    let codename = codename();
    let mut mirrors: Vec<(bool, String)> = Vec::new();
    for target in targets.lines() {
        let Some((names, mirror)) = target.rsplit_once(' ') else { continue };
        let own = codename.as_deref().is_some_and(|codename| names.split(' ').any(|name| name == codename));
        if !mirrors.iter().any(|(_, known)| known == mirror) {
            mirrors.push((own, mirror.to_owned()));
        }
    }
    mirrors.sort_by_key(|(own, _)| !own);
    Ok(mirrors.into_iter().map(|(_, mirror)| mirror).collect())
}

/// The distribution's code name, such as `bookworm`.
pub(super) fn codename() -> Option<String> {
    let release = fs::read_to_string("/etc/os-release").ok()?;
    release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).map(|name| name.trim_matches('"').to_owned())
}

/// One suite of one mirror, with lists and caches in a folder of its own.
pub(super) struct Suite {
    folder: PathBuf,
}

impl Suite {
    /// Fetches the suite's lists into `folder`; an error when the mirror does not have it.
    pub(super) fn fetch(folder: &Path, mirror: &str, suite: &str) -> Result<Self, Failure> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part)).map_err(Failure::step)?;
        }
        fs::write(folder.join("sources.list"), format!("deb {mirror} {suite} main\n")).map_err(Failure::step)?;
        let suite = Self { folder: folder.to_owned() };
        read(suite.command("apt-get").args(["--quiet", "--error-on=any", "update"]))?;
        Ok(suite)
    }

    /// The versions of a package that the suite has.
    pub(super) fn versions(&self, package: &str) -> Result<Vec<String>, Failure> {
        let table = read(self.command("apt-cache").args(["madison", package]))?;
        Ok(table.lines().filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned())).collect())
    }

    /// Downloads a package and unpacks it into `to`. Nothing is installed.
    pub(super) fn unpack(&self, package: &str, version: &str, to: &Path) -> Result<(), Failure> {
        let download = self.folder.join("download");
        fs::create_dir_all(&download).map_err(Failure::step)?;
        let mut command = self.command("apt-get");
        // apt's own user may not write here, and nothing here needs its protection.
        command.args(["-o", "APT::Sandbox::User=root", "--quiet", "download", &format!("{package}={version}")]);
        read(command.current_dir(&download))?;
        let files = fs::read_dir(&download).map_err(Failure::step)?;
        let file = files.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "deb"));
        let file = file.ok_or_else(|| Failure::step(format!("apt-get downloaded no {package}")))?;
        read(Command::new("dpkg-deb").arg("--extract").arg(file).arg(to)).map(drop)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let at = |key: &str, path: PathBuf| format!("{key}={}", path.display());
        let options = [
            at("Dir::Etc::SourceList", self.folder.join("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            at("Dir::State::Lists", self.folder.join("lists")),
            at("Dir::Cache", self.folder.join("cache")),
            "Acquire::Languages=none".to_owned(),
            "APT::Update::Post-Invoke::=true".to_owned(),
        ];
        command.args(options.iter().flat_map(|option| ["-o", option]));
        command
    }
}
