//! The job file as a whole: its top level, its sections in the order in which they depend on one another.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use kbisect_core::bisector::Kind;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use super::Settled;
use super::build;
use super::document::Document;
use super::document::Section;
use super::host::Host;
use super::job::Build;
use super::job::Job;
use super::job::Machine;
use super::job::Repro;
use super::job::TargetStage;
use super::limits;
use super::machine;
use super::origin::Origin;
use super::patch;
use super::path;
use super::plugin;
use super::problem::Complaint;
use super::problem::Problems;
use super::repro;
use super::search;
use super::target;
use super::trial;
use super::value;
use super::value::Read;

/// Kinds of bisection by name.
pub(super) const KINDS: [(&str, Kind); 2] = [("cause", Kind::Cause), ("fix", Kind::Fix)];

/// No job is longer; what is was given by mistake.
const LONGEST: u64 = 1 << 20;

/// Reads a job file; what it leaves out is settled for this machine.
///
/// # Errors
/// Everything that is wrong with the file, at once.
pub fn read(file: &Path) -> Result<Settled, Problems> {
    read_on(file, &Host::here())
}

/// Reads the job of a run that has begun: its repository may have moved since.
///
/// # Errors
/// As [`read`], but for a repository that is not there.
pub fn read_frozen(file: &Path) -> Result<Settled, Problems> {
    read_as(file, &Host::here(), path::resolve)
}

/// Reads a job file for another machine than this one.
///
/// # Errors
/// As [`read`].
pub fn read_on(file: &Path, host: &Host) -> Result<Settled, Problems> {
    read_as(file, host, path::folder)
}

/// How the repository's path is read.
type ReadRepo = fn(&Spanned<DeValue<'_>>, &Path) -> Read<PathBuf>;

fn read_as(file: &Path, host: &Host, repo: ReadRepo) -> Result<Settled, Problems> {
    let whole = |text: String| Problems::whole(file.to_owned(), text);
    let text = load(file).map_err(|error| whole(format!("cannot read the job file: {error}")))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let base = std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let base = base.map_err(|error| whole(format!("cannot find the job file's folder: {error}")))?;
    settle(file, &text, path::tidy(&base), host, repo)
}

fn load(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 1 MiB"));
    }
    Ok(text)
}

fn settle(file: &Path, text: &str, base: PathBuf, host: &Host, repo: ReadRepo) -> Result<Settled, Problems> {
    let document = Document::new(file, text, base);
    let (table, errors) = DeTable::parse_recoverable(text);
    let malformed = !errors.is_empty();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().trim_end_matches('.').replace('\n', ", ");
        document.complain(Complaint::new(span, format!("not TOML: {message}")));
    }
    if malformed {
        // What follows a syntax error may be misread: its other problems are not worth showing.
        return Err(document.finish().expect_err("a problem was noted"));
    }
    let job = job(document.top(table.get_ref()), host, repo);
    let origins = document.finish()?;
    Ok(Settled { job, origins })
}

/// Reads everything. Where a problem was noted the value is a stand-in, and the job is never used.
fn job(top: Section<'_, '_>, host: &Host, repo: ReadRepo) -> Job {
    let base = &top.document().base;
    let repo = top.required("repo", "the git repository", |value| repo(value, base));
    let bad = top.required("bad", "the commit where the crash was seen", value::line);
    let kind = top.get_or("kind", |value| value::word(value, &KINDS), Kind::Cause, Origin::guess("most look for a cause"));
    let good = top.get_or("good", value::commits, Vec::new(), Origin::guess(no_good(kind)));
    let repro = repro::read(&top);
    let crash = top.get("crash", |value| path::file(value, base));
    let title = top.get("title", value::line);
    let link = top.get("link", link);
    if kind == Kind::Fix && good.len() > 1 {
        top.complain(Some("good"), "`good`: a fix has one good commit, later than `bad`");
    }
    let limits = limits::read(top.inner("limits"), host);
    let machine = machine::read(top.inner("machine"), host, &limits);
    let build = build::read(top.inner("build"), machine.kind);
    let stage = target::read(top.inner("target"));
    // One that is wrong is none that is missing.
    let stand_in = top.has("repro").then(|| Repro::of(PathBuf::new()));
    let trial = trial::read(top.inner("trial"), &machine, stage, repro.as_ref().or(stand_in.as_ref()));
    let search = search::read(top.inner("search"), kind, machine.kind, stage);
    let patches = patch::read(top.each("patch"));
    let plugins = plugin::read(top.each("plugin"));
    check_build(&top, build.as_ref(), &machine, stage);
    check_minimize(&top, build.as_ref(), &machine, stage);
    top.close();
    Job {
        repo: repo.unwrap_or_default(),
        bad: bad.unwrap_or_default(),
        good,
        kind,
        repro,
        crash,
        title,
        link,
        patches,
        build,
        machine,
        stage,
        trial,
        search,
        limits,
        plugins,
    }
}

/// What is taken for `good` when nothing is stated.
pub(super) fn no_good(kind: Kind) -> &'static str {
    match kind {
        Kind::Cause => "back through the releases",
        Kind::Fix => "HEAD",
    }
}

/// Some machines and stages need something to build.
fn check_build(top: &Section<'_, '_>, build: Option<&Build>, machine: &Machine, stage: TargetStage) {
    if build.is_some() {
        return;
    }
    let document = top.document();
    if machine.kind.boots() {
        let hint = "without it, use [machine] kind = \"process\"";
        document.complain_whole(format!("missing [build] `command`: the kernel that it puts into {{out}} is booted; {hint}"));
    } else if stage == TargetStage::Build {
        document.complain_whole("missing [build] `command`: [target] `stage` says that the target is a failure to build");
    }
}

/// What a configuration needs is told by kernels that are booted.
fn check_minimize(top: &Section<'_, '_>, build: Option<&Build>, machine: &Machine, stage: TargetStage) {
    if build.and_then(Build::linux).is_none_or(|linux| linux.minimize.is_none()) {
        return;
    }
    let document = top.document();
    if !machine.kind.boots() {
        document.complain_whole("[build] `minimize` needs machines that boot the kernels: [machine] kind = \"qemu\"");
    } else if stage == TargetStage::Build {
        document.complain_whole(
            "[build] `minimize` needs a crash of a kernel that runs; [target] `stage` says that it fails to build",
        );
    }
}

fn link(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let link = value::line(value)?;
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    if rest.is_some_and(|rest| !rest.is_empty() && !link.contains(char::is_whitespace)) {
        Ok(link)
    } else {
        value::complain(value, "must be a link that starts with https://")
    }
}
