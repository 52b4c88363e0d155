//! From the pieces to a draft of the job: which console, configuration and reproducer count, what follows from them, what is missing.
//! Pure; of the clone it asks through [`History`] only.

mod build;
mod commits;
mod report;
mod reproducer;
mod target;

use std::path::Path;
use std::path::PathBuf;

use super::draft::Beside;
use super::draft::Draft;
use super::draft::Standing;
use super::mail::Mail;
use super::pieces::CSource;
use super::pieces::Material;
use super::pieces::Pieces;
use super::pieces::Source;

/// What is asked of the user's clone.
pub trait History {
    /// The commit that a name means.
    ///
    /// # Errors
    /// What to do where the clone has none, one suggestion each.
    fn find(&self, name: &str) -> Result<Subject, Vec<String>>;

    /// How many parents a commit has.
    fn parents(&self, name: &str) -> usize;

    /// Whether a commit's tree is Linux.
    fn is_linux(&self, name: &str) -> bool;

    /// Where a commit of linux-next left mainline, if the clone follows linux-next.
    fn next_base(&self, name: &str) -> Option<Subject>;
}

/// A commit of the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Twelve digits.
    pub short: String,
    /// First line of its message.
    pub title: String,
}

/// The user's clone.
pub struct Repo<'a> {
    /// Its path as the job has it.
    pub path: String,
    /// Its path as a shell's word.
    pub word: String,
    /// Why it is this one.
    pub standing: (Standing, String),
    /// Its history.
    pub history: &'a dyn History,
}

/// What the user states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Where the crash was seen.
    pub bad: Option<String>,
    /// Good commits.
    pub good: Vec<String>,
}

/// Where the job will be, and what there is around it.
pub struct Surroundings<'a> {
    /// The clone, where one is known.
    pub repo: Option<Repo<'a>>,
    /// The folder of the job file.
    pub folder: PathBuf,
    /// What was handed over.
    pub sources: &'a [Source],
    /// The architecture of this machine, as the kernel's make names it.
    pub arch: &'a str,
    /// Whether a program is installed.
    pub is_installed: &'a dyn Fn(&str) -> bool,
    /// Whether a title could be one that a kernel prints.
    pub is_title: &'a dyn Fn(&str) -> bool,
}

/// Makes the draft. None where the pieces hold nothing to bisect with.
pub fn decide(pieces: &Pieces, wishes: &Wishes, around: &Surroundings<'_>) -> Option<Draft> {
    let usable = pieces.consoles.len()
        + pieces.configs.len()
        + pieces.sources.len()
        + pieces.programs.len()
        + pieces.executables.len()
        + pieces.selftests.len()
        + pieces.reports.len();
    if usable == 0 {
        return None;
    }
    let mut draft = Draft::default();
    let (report, name) = report::choose(pieces, &mut draft);
    let mut desk = Desk { pieces, wishes, around, report, report_name: name, source: None, draft };
    desk.repository();
    let target = desk.target();
    desk.commits(&target);
    desk.repro(&target);
    desk.build(&target);
    desk.draft.sort();
    Some(desk.draft)
}

/// The work on one draft.
struct Desk<'a> {
    pieces: &'a Pieces,
    wishes: &'a Wishes,
    around: &'a Surroundings<'a>,
    /// What the reports on the bug say together.
    report: Mail,
    report_name: String,
    /// The source that is run, where one is.
    source: Option<&'a CSource>,
    draft: Draft,
}

impl Desk<'_> {
    fn repository(&mut self) {
        match &self.around.repo {
            Some(repo) => {
                let (standing, why) = repo.standing.clone();
                self.draft.set(("", "repo"), repo.path.as_str(), standing, why);
            }
            None => {
                let why = "no clone of the kernel is near: name it here, or with --repo";
                self.draft.leave(("", "repo"), "../linux", Standing::Missing, why);
            }
        }
    }

    /// The clone's history.
    fn history(&self) -> Option<&dyn History> {
        self.around.repo.as_ref().map(|repo| repo.history)
    }

    /// Whether kernels are bisected, and not another project. Without a clone they are: this is what kbisect is for.
    fn is_linux(&self) -> bool {
        let at = self.wishes.bad.as_deref().unwrap_or("HEAD");
        self.history().is_none_or(|history| history.is_linux(at) || history.is_linux("HEAD"))
    }

    /// The path that the job has for a material; what has no file, or one whose name means something else, is put beside the job.
    fn place(&mut self, material: &Material, name: &str, keep: bool) -> String {
        if let (Some(path), true) = (&material.path, keep) {
            return shown(path, &self.around.folder);
        }
        let name = self.free(name, material);
        let beside = Beside { name: name.clone(), from: material.name.clone(), bytes: material.bytes.clone() };
        if !self.draft.beside.contains(&beside) {
            self.draft.beside.push(beside);
        }
        name
    }

    /// A name beside the job that is not that of a file which was handed over: that stays what it is. (`console.txt`, `console-1.txt`)
    fn free(&self, name: &str, material: &Material) -> String {
        let (stem, end) = name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
        let is_free = |name: &String| {
            let path = self.around.folder.join(name);
            let is_other = |source: &Source| source.path.as_ref() == Some(&path) && source.bytes != material.bytes;
            !self.around.sources.iter().any(is_other)
        };
        let mut names = std::iter::once(name.to_owned()).chain((1..).map(|number| format!("{stem}-{number}{end}")));
        names.find(is_free).expect("numbers do not end")
    }

    /// Where something was found.
    fn in_report(&self, line: &str) -> String {
        format!("`{line}:` in {}", self.report_name)
    }
}

/// A path from the job's folder, where it is below it or the folder itself.
pub fn shown(path: &Path, folder: &Path) -> String {
    let below = path.strip_prefix(folder).map(|below| if below.as_os_str().is_empty() { Path::new(".") } else { below });
    below.unwrap_or(path).to_string_lossy().into_owned()
}

/// The best of some things, and the others in order; of equal ones the first by name, numbers by their value.
fn best<T, K: Ord>(things: &[T], rank: impl Fn(&T) -> K, name: impl Fn(&T) -> &str) -> Option<(&T, Vec<&T>)> {
    let mut order: Vec<&T> = things.iter().collect();
    order.sort_by(|one, other| rank(other).cmp(&rank(one)).then_with(|| natural(name(one)).cmp(&natural(name(other)))));
    let (first, rest) = order.split_first()?;
    Some((first, rest.to_vec()))
}

/// A name as words and numbers: `log2` comes before `log10`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts: Vec<(String, u64)> = vec![(String::new(), 0)];
    let mut in_number = false;
    for c in name.chars() {
        let (words, number) = parts.last_mut().expect("there is always one");
        match c.to_digit(10) {
            Some(digit) => {
                *number = number.saturating_mul(10).saturating_add(u64::from(digit));
                in_number = true;
            }
            None if in_number => {
                parts.push((c.to_string(), 0));
                in_number = false;
            }
            None => words.push(c),
        }
    }
    parts
}

/// What a link is about: `x=13fd…` of a dashboard's, by which a downloaded file is known again.
fn tail(link: &str) -> Option<&str> {
    link.rsplit_once("x=").map(|(_, id)| id).filter(|id| id.len() >= 4)
}

#[cfg(test)]
mod tests;
