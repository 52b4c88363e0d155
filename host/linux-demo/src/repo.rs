//! Writes a plan to a repository, on top of a tree that another one holds.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use git2::Oid;
use git2::Repository;
use git2::Signature;
use git2::Time;
use git2::build::TreeUpdateBuilder;

use crate::Error;
use crate::base::Base;
use crate::catalog::Catalog;
use crate::plan::Planned;
use crate::plan::Role;
use crate::release::Makefile;

/// What was written.
pub(crate) struct Written {
    /// Hash of each commit of the plan.
    pub(crate) commits: Vec<Oid>,
    /// Tags of the two releases, oldest first.
    pub(crate) releases: [String; 2],
}

/// Makes a repository in `dir` with a `master` and both tags. Nothing is checked out: nobody builds in it.
pub(crate) fn write(dir: &Path, base: &Base, plan: &[Planned], catalog: &Catalog, people: &[&str]) -> Result<Written, Error> {
    let mut options = git2::RepositoryInitOptions::new();
    options.no_reinit(true).initial_head("master").external_template(false);
    let repo = Repository::init_opts(dir, &options)?;
    share(&base.repository, repo.path()).map_err(|error| Error::Tree { path: dir.to_owned(), reason: error.to_string() })?;
    // Opened again, so that the packs are seen.
    let repo = Repository::open(dir)?;
    let mut texts = Texts { repo: &repo, base: repo.find_tree(base.tree)?, catalog, found: HashMap::new() };
    let makefile = Makefile::read(&texts.original("Makefile")?).ok_or_else(|| Error::no_linux(Path::new("Makefile")))?;
    let releases = [makefile.tag(), makefile.next().tag()];
    let mut commits: Vec<Oid> = Vec::new();
    for commit in plan {
        let tree = texts.tree(commit, &makefile)?;
        let message = message(commit, plan, catalog, &releases, people);
        let parents = commit.parents.iter().map(|&parent| repo.find_commit(commits[parent])).collect::<Result<Vec<_>, _>>()?;
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let author = signature(people[commit.author], commit.time)?;
        let committer = signature(people[0], commit.time)?;
        let oid = repo.commit(None, &author, &committer, &message, &repo.find_tree(tree)?, &parents)?;
        commits.push(oid);
        let tag = match commit.role {
            Role::Root => Some(&releases[0]),
            Role::Release => Some(&releases[1]),
            Role::Step(_) | Role::Merge => None,
        };
        if let Some(tag) = tag {
            repo.tag(tag, repo.find_commit(oid)?.as_object(), &committer, &subject(commit, plan, catalog, &releases), false)?;
        }
    }
    let head = *commits.last().expect("a plan has a root");
    repo.reference("refs/heads/master", head, false, "linux-demo: written")?;
    Ok(Written { commits, releases })
}

/// Gives a repository the packs of another: as further names of the same files, or as copies where that cannot be.
fn share(from: &Path, to: &Path) -> std::io::Result<()> {
    let (from, to) = (from.join("objects/pack"), to.join("objects/pack"));
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        fs::hard_link(entry.path(), &to).or_else(|_| fs::copy(entry.path(), &to).map(drop))?;
    }
    Ok(())
}

/// Texts of files as commits have them.
struct Texts<'a> {
    repo: &'a Repository,
    base: git2::Tree<'a>,
    catalog: &'a Catalog,
    /// Files with the steps that change them: what it comes to.
    found: HashMap<(String, BTreeSet<usize>), Oid>,
}

impl Texts<'_> {
    /// A file of the tree that the history begins with.
    fn original(&self, path: &str) -> Result<String, Error> {
        let entry = self.base.get_path(Path::new(path))?;
        Ok(String::from_utf8_lossy(self.repo.find_blob(entry.id())?.content()).into_owned())
    }

    /// The tree of a commit: the first one, with what all its steps make of the files that they touch.
    fn tree(&mut self, commit: &Planned, makefile: &Makefile) -> Result<Oid, Error> {
        let mut update = TreeUpdateBuilder::new();
        let release = if commit.released { makefile.next() } else { makefile.clone() };
        let text = release.write(&self.original("Makefile")?);
        update.upsert("Makefile", self.repo.blob(text.as_bytes())?, git2::FileMode::Blob);
        for (path, steps) in self.catalog.touched(&commit.taken) {
            let blob = self.text(path, steps)?;
            update.upsert(path, blob, git2::FileMode::Blob);
        }
        Ok(update.create_updated(self.repo, &self.base)?)
    }

    fn text(&mut self, path: &str, steps: BTreeSet<usize>) -> Result<Oid, Error> {
        let key = (path.to_owned(), steps);
        if let Some(&known) = self.found.get(&key) {
            return Ok(known);
        }
        let text = self.catalog.apply(path, &key.1, self.original(path)?)?;
        let blob = self.repo.blob(text.as_bytes())?;
        self.found.insert(key, blob);
        Ok(blob)
    }
}

fn subject(commit: &Planned, plan: &[Planned], catalog: &Catalog, releases: &[String; 2]) -> String {
    match commit.role {
        Role::Root => format!("Linux {}", releases[0].trim_start_matches('v')),
        Role::Release => format!("Linux {}", releases[1].trim_start_matches('v')),
        Role::Step(step) => catalog.step(step).subject.clone(),
        Role::Merge => {
            let branch = &plan[commit.parents[1]];
            let Role::Step(last) = branch.role else { return "Merge branch 'for-next'".to_owned() };
            format!("Merge branch 'for-next/{}'", catalog.step(last).topic)
        }
    }
}

fn message(commit: &Planned, plan: &[Planned], catalog: &Catalog, releases: &[String; 2], people: &[&str]) -> String {
    let mut text = subject(commit, plan, catalog, releases) + "\n";
    if let Role::Step(step) = commit.role {
        let body = &catalog.step(step).body;
        if !body.is_empty() {
            text += &format!("\n{body}\n");
        }
    }
    text += &format!("\nSigned-off-by: {}\n", people[commit.author]);
    if commit.author != 0 {
        text += &format!("Signed-off-by: {}\n", people[0]);
    }
    text
}

fn signature(who: &str, time: i64) -> Result<Signature<'static>, Error> {
    let (name, email) = who.trim_end_matches('>').split_once(" <").expect("people have names and addresses");
    Ok(Signature::new(name, email, &Time::new(time, 0))?)
}
