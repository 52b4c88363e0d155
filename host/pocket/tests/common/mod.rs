//! Checks out, builds and runs commits of a written history.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use git2::Oid;
use git2::Repository;

/// A history in a folder that lives as long as this.
pub struct History {
    pub dir: tempfile::TempDir,
    pub repo: Repository,
    pub planted: pocket::Planted,
}

pub fn write(options: &pocket::Options) -> History {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let planted = pocket::write(&dir.path().join("repo"), options).expect("the history is written");
    let repo = Repository::open(dir.path().join("repo")).expect("it is a repository");
    History { dir, repo, planted }
}

impl History {
    /// Hash of a commit or tag.
    pub fn id(&self, name: &str) -> Oid {
        let object = self.repo.revparse_single(name).expect("it is there");
        object.peel_to_commit().expect("it is a commit").id()
    }

    /// All commits, the newest first.
    pub fn commits(&self) -> Vec<Oid> {
        let mut walk = self.repo.revwalk().expect("walks");
        walk.set_sorting(git2::Sort::TOPOLOGICAL).expect("sorts");
        walk.push(self.id(&self.planted.start)).expect("starts");
        walk.map(|id| id.expect("walks")).collect()
    }

    /// Whether `commit` is `ancestor` or descends from it.
    pub fn contains(&self, commit: Oid, ancestor: &str) -> bool {
        let ancestor = self.id(ancestor);
        commit == ancestor || self.repo.graph_descendant_of(commit, ancestor).expect("compares")
    }

    pub fn fails(&self, commit: Oid, stretch: &pocket::Stretch) -> bool {
        self.contains(commit, &stretch.from) && !self.contains(commit, &stretch.until)
    }

    /// The tree of `commit`, in a new folder.
    pub fn checkout(&self, commit: Oid) -> PathBuf {
        let dir = self.dir.path().join(format!("{commit}"));
        fs::create_dir_all(&dir).expect("a folder");
        let tree = self.repo.find_commit(commit).and_then(|commit| commit.tree()).expect("it has a tree");
        let mut options = git2::build::CheckoutBuilder::new();
        options.force().target_dir(&dir).update_index(false);
        self.repo.checkout_tree(tree.as_object(), Some(&mut options)).expect("it is checked out");
        dir
    }

    /// Builds `commit` as the job does; the output folder, or what the compiler said.
    pub fn build(&self, commit: Oid) -> Result<PathBuf, String> {
        build(&self.checkout(commit), &self.dir.path().join(format!("{commit}-out")))
    }

    /// Builds `commit` as a process of the host.
    pub fn hosted(&self, commit: Oid) -> Hosted {
        let tree = self.checkout(commit);
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosted");
        fs::remove_file(tree.join("arch/x86/traps.c")).expect("there are traps");
        for file in ["boot.S", "serial.c"] {
            fs::copy(from.join(file), tree.join("arch/x86").join(file)).expect("the port is there");
        }
        let out = build(&tree, &self.dir.path().join(format!("{commit}-hosted"))).expect("the hosted kernel is built");
        Hosted(out.join("kernel"))
    }
}

fn build(tree: &Path, out: &Path) -> Result<PathBuf, String> {
    let done = Command::new("sh").arg("build.sh").arg(tree).arg(out).current_dir(tree).output().expect("sh runs");
    let _ = fs::remove_dir_all(tree);
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    assert!(out.join("kernel").is_file() && out.join("vmlinux").is_file());
    Ok(out.to_owned())
}

/// A kernel that runs as a process.
pub struct Hosted(PathBuf);

/// What one trial printed.
pub struct Run {
    pub control: String,
    pub console: String,
}

impl Run {
    pub fn clean(&self) -> bool {
        self.control.contains(" end 1 0\n") && !self.console.contains("panic")
    }
}

impl Hosted {
    pub fn trial(&self, seed: u64) -> Run {
        let mut child = Command::new(&self.0);
        let mut child =
            child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the kernel runs");
        let mut commands = child.stdin.take().expect("it is a pipe");
        // A kernel that panics at boot takes none.
        let _ = write!(commands, "nonce 00ff\ncontrol\nexec 1 race {seed}\n");
        drop(commands);
        let done = child.wait_with_output().expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints ASCII");
        Run { control: text(&done.stdout), console: text(&done.stderr) }
    }
}

/// Whether kernels can be built here; says so when not.
pub fn compiler() -> bool {
    let found = ["cc", "ld", "nm", "objcopy", "awk"].iter().all(|tool| {
        Command::new(tool).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    });
    if !found {
        eprintln!("skipped: no C compiler");
    }
    found
}
