//! Writes a plan to a repository.

use std::collections::HashMap;
use std::path::Path;

use git2::Oid;
use git2::Repository;
use git2::Signature;
use git2::Time;
use git2::build::TreeUpdateBuilder;

use crate::Error;
use crate::catalog::Catalog;
use crate::draw::Draw;
use crate::message::message;
use crate::people::People;
use crate::people::Person;
use crate::plan::Plan;
use crate::plan::Planned;
use crate::plan::RELEASES;
use crate::plan::Role;
use crate::series::Pool;

const REGULAR: git2::FileMode = git2::FileMode::Blob;

/// What was written.
pub(crate) struct Written {
    /// Hash of each commit of the plan.
    pub(crate) commits: Vec<Oid>,
    /// Hash of the first commit that takes each step.
    pub(crate) by_step: HashMap<usize, Oid>,
}

/// Makes a repository in `dir`, with a `master` that is checked out and all tags.
pub(crate) fn write(
    dir: &Path,
    plan: &Plan,
    catalog: &Catalog,
    pool: &Pool,
    people: &People,
    draw: &mut Draw,
) -> Result<Written, Error> {
    let mut options = git2::RepositoryInitOptions::new();
    options.no_reinit(true).initial_head("master").external_template(false);
    let repo = Repository::init_opts(dir, &options)?;
    let mut written = Written { commits: Vec::new(), by_step: HashMap::new() };
    let mut trees: Vec<Oid> = Vec::new();
    for commit in &plan.commits {
        let tree = tree(&repo, commit, plan, catalog, &trees)?;
        let fixes = undone(commit, catalog).and_then(|step| Some((written.by_step.get(&step)?.to_string(), step)));
        let fixes = fixes.map(|(hash, step)| (hash[..12].to_owned(), catalog.step(step).subject.as_str()));
        let text = message(commit, catalog, pool, people, fixes, draw);
        let parents =
            commit.parents.iter().map(|&parent| repo.find_commit(written.commits[parent])).collect::<Result<Vec<_>, _>>()?;
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let author = signature(&commit.author, commit.authored)?;
        let committer = signature(&commit.committer, commit.committed)?;
        let oid = repo.commit(None, &author, &committer, &text, &repo.find_tree(tree)?, &parents)?;
        trees.push(tree);
        written.commits.push(oid);
        match commit.role {
            Role::Change(step) => _ = written.by_step.insert(step, oid),
            Role::Release(number, _) if number < RELEASES => {
                let name = format!("v1.{number}");
                repo.tag(&name, repo.find_commit(oid)?.as_object(), &committer, &format!("Pocket 1.{number}\n"), false)?;
            }
            _ => {}
        }
    }
    let head = *written.commits.last().expect("a plan has a root");
    repo.reference("refs/heads/master", head, false, "pocket: written")?;
    repo.checkout_head(Some(git2::build::CheckoutBuilder::new().force()))?;
    Ok(written)
}

/// The tree of `commit`: that of its first parent, with the files that its new steps touch.
fn tree(repo: &Repository, commit: &Planned, plan: &Plan, catalog: &Catalog, trees: &[Oid]) -> Result<Oid, Error> {
    let (baseline, files) = match commit.parents.first() {
        None => (repo.treebuilder(None)?.write()?, catalog.all_files(&commit.taken)?),
        Some(&parent) => {
            let new = commit.taken.beyond(&plan.commits[parent].taken);
            (trees[parent], catalog.touched(&new, &commit.taken)?)
        }
    };
    let mut update = TreeUpdateBuilder::new();
    for (path, text) in files {
        if let Some(text) = text {
            update.upsert(path, repo.blob(text.as_bytes())?, REGULAR);
        }
    }
    Ok(update.create_updated(repo, &repo.find_tree(baseline)?)?)
}

/// The step that `commit` takes back.
fn undone(commit: &Planned, catalog: &Catalog) -> Option<usize> {
    let Role::Change(step) = commit.role else { return None };
    catalog.find(catalog.step(step).undoes.as_ref()?).ok()
}

fn signature(who: &Person, when: i64) -> Result<Signature<'static>, git2::Error> {
    Signature::new(&who.name, &who.email, &Time::new(when, who.zone))
}
