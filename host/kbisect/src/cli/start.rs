//! `kbisect start`: a job from what people have.

use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::print;
use crate::build::linux::toolchain::is_in_path;
use crate::error::Error;
use crate::exit::Exit;
use crate::git;
use crate::plugin::facts::NoFacts;
use crate::policy::Policies;
use crate::policy::console;
use crate::record::counted;
use crate::start::decide;
use crate::start::decide::Repo;
use crate::start::decide::Surroundings;
use crate::start::decide::Wishes;
use crate::start::draft;
use crate::start::draft::Draft;
use crate::start::gather;
use crate::start::gather::Gathered;
use crate::start::pieces;
use crate::start::pieces::Pieces;
use crate::start::put;
use crate::start::repository;
use crate::start::summary::Summary;

/// Files that a job's head names.
const NAMED: usize = 6;

const EXAMPLES: &str = "\
Examples:
  kbisect start mail.txt --repo ../linux
      a report of syzbot's or of the kernel test robot's, as saved or pasted, quoted too
  kbisect start .
      a folder of downloads: console, .config, repro.c?x=13fd…; or one of a syz-manager's crashes
  kbisect start console.txt config repro.c --repo ../linux --good v6.10
  kbisect start timers:posix_timers --repo ../linux --bad v6.12 --good v6.11
      a selftest of the kernel's, by name or folder
  kbisect start ./test.sh --bad HEAD --good v6.11
      a script, as for git bisect run
Then: kbisect check job.toml; kbisect run job.toml.";

/// Write a job file from what you have: a report by mail, a console, a configuration, a reproducer, a test's name
///
/// Files are known by what is in them. Everything that is found, guessed and missing stands in the job file with its reason, and
/// what was inside of mails is put beside it. Nothing is fetched: links and lines to type are told. Your clone is only read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files, folders, `-` for standard input, or a selftest as COLLECTION or COLLECTION:TEST. Default: the working directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The clone of the kernel. Default: where you are, or a `linux` that lies near
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,

    /// The commit that crashes, whatever reports say
    #[arg(long, value_name = "COMMIT")]
    bad: Option<String>,

    /// A commit that is good; may be given several times
    #[arg(long, value_name = "COMMIT")]
    good: Vec<String>,

    /// The job file to write
    #[arg(long, value_name = "FILE", default_value = "job.toml")]
    out: PathBuf,

    /// Write over files that are there
    #[arg(long)]
    force: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let out = std::path::absolute(&args.out).map_err(|error| Error::user(format!("--out: {error}")))?;
    let folder = out.parent().unwrap_or(Path::new("/")).to_owned();
    let repo = repository::find(args.repo.as_deref())?;
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut gathered = gather::gather(&paths, repo.as_ref().map(|repo| repo.path.as_path()))?;
    // What an earlier start has written is no finding.
    gathered.sources.retain(|source| source.path.as_ref() != Some(&out));

    let policies = Policies::load(&[], Arc::new(NoFacts), Arc::new(super::warn))?;
    let classify = |bytes: &[u8]| console::classify(&policies, bytes, None).map(|classified| classified.reports);
    let mut pieces = pieces::sort(&gathered.sources, &classify)?;
    for test in std::mem::take(&mut gathered.selftests) {
        pieces.understood.push((test.name.clone(), "a selftest of the kernel's".to_owned()));
        pieces.selftests.push(test);
    }

    if let Some(repo) = repo.as_ref().filter(|repo| !repo.path.to_str().is_some_and(draft::is_plain)) {
        let what = format!("the clone {:?} has letters in its path that a job file cannot have", repo.path.display().to_string());
        return Err(Error::user(what).hint("hand over a link to it as --repo"));
    }
    let repo = repo.as_ref().map(|repo| Repo {
        path: decide::shown(&repo.path, &folder),
        word: git::quoted(&repo.path),
        standing: repo.standing.clone(),
        history: &repo.history,
    });
    let arch = std::env::consts::ARCH;
    let around = Surroundings {
        repo,
        folder: folder.clone(),
        sources: &gathered.sources,
        arch: if arch == "aarch64" { "arm64" } else { arch },
        is_installed: &is_in_path,
        is_title: &|title| console::is_title(&policies, title),
    };
    let wishes = Wishes { bad: args.bad.clone(), good: args.good.clone() };
    let Some(draft) = decide::decide(&pieces, &wishes, &around) else { return Err(nothing(&pieces, &gathered)) };

    let written = write(args, &out, &folder, &pieces, &draft)?;
    let next = format!("kbisect check {}", git::quoted(&args.out));
    let summary = Summary { pieces: &pieces, skipped: &gathered.skipped, draft: &draft, written: &written, next: &next };
    if args.json {
        let text = serde_json::to_string_pretty(&summary.json()).map_err(|error| Error::internal(error.to_string()))?;
        print(&(text + "\n"))?;
    } else {
        print(&summary.text())?;
    }
    Ok(Exit::Success)
}

/// Writes the job and what goes beside it; gives the names.
fn write(args: &Args, out: &Path, folder: &Path, pieces: &Pieces, draft: &Draft) -> Result<Vec<String>, Error> {
    let near = args.out.parent().unwrap_or(Path::new(""));
    let mut files: Vec<(PathBuf, Vec<u8>)> =
        draft.beside.iter().map(|beside| (folder.join(&beside.name), beside.bytes.clone())).collect();
    let mut names: Vec<String> = draft.beside.iter().map(|beside| near.join(&beside.name).display().to_string()).collect();
    let mut seen = HashSet::new();
    let of: Vec<&str> = pieces.understood.iter().map(|(name, _)| name.as_str()).filter(|name| seen.insert(*name)).collect();
    let more = of.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {}", counted(more as u64, "more file")) } else { String::new() };
    let of = of[..of.len().min(NAMED)].join(", ") + &more;
    let check = format!("kbisect check {}", git::quoted(&args.out));
    files.push((out.to_owned(), draft.render(&of, &check).into_bytes()));
    names.push(args.out.display().to_string());
    put::put(&files, args.force)?;
    Ok(names)
}

fn nothing(pieces: &Pieces, gathered: &Gathered) -> Error {
    let told = pieces.unused.iter().chain(&gathered.skipped);
    let mut lines: Vec<String> = told.map(|(name, why)| format!("{name}: {why}")).collect();
    lines.extend(pieces.understood.iter().map(|(name, what)| format!("{name}: {what}; nothing follows from it alone")));
    lines.insert(0, "there is nothing to make a job of".to_owned());
    Error::user(lines.join("\n")).hint(
        "a console with a crash, a configuration, a reproducer (C, script, program), a report of syzbot's or the kernel test robot's, \
         or a selftest's name will do",
    )
}
