//! Messages of commits, as kernel developers write them.

use crate::catalog::Catalog;
use crate::draw::Draw;
use crate::people::People;
use crate::people::Person;
use crate::plan::Planned;
use crate::plan::Role;
use crate::series::Pool;

/// The message of `commit`; `fixes` is the abbreviated hash and subject of the commit whose step it takes back.
pub(crate) fn message(
    commit: &Planned,
    catalog: &Catalog,
    pool: &Pool,
    people: &People,
    fixes: Option<(String, &str)>,
    draw: &mut Draw,
) -> String {
    match &commit.role {
        Role::Root => root(&commit.author),
        Role::Release(_, step) => format!("{}\n", catalog.step(*step).subject),
        Role::Merge { topic, steps } => merge(*topic, steps, catalog, pool, people),
        Role::Change(step) => change(*step, commit, catalog, people, fixes, draw),
    }
}

fn root(author: &Person) -> String {
    format!(
        "Pocket 1.0-rc1\n\nThe first one that boots, runs a workload and prints what went wrong.\n\nSigned-off-by: {author}\n"
    )
}

fn merge(topic: usize, steps: &[usize], catalog: &Catalog, pool: &Pool, people: &People) -> String {
    let entry = people.entry(pool.folder(topic));
    let release = pool.name(topic);
    let mut text =
        format!("Merge branch 'for-next' of {}\n\nPull {release} updates from {}:\n\n", entry.tree, entry.maintainers[0].name);
    for &step in steps.iter().rev() {
        text.push_str(&format!(" * {}\n", catalog.step(step).subject));
    }
    text
}

fn change(
    step: usize,
    commit: &Planned,
    catalog: &Catalog,
    people: &People,
    fixes: Option<(String, &str)>,
    draw: &mut Draw,
) -> String {
    let step = catalog.step(step);
    let mut text = format!("{}\n\n", step.subject);
    if !step.body.is_empty() {
        text.push_str(&format!("{}\n\n", step.body));
    }
    if let Some((hash, subject)) = fixes {
        text.push_str(&format!("Fixes: {hash} (\"{subject}\")\n"));
    }
    if draw.chance(0.3) {
        let reviewer = draw.pick(&people.contributors);
        if *reviewer != commit.author {
            text.push_str(&format!("Reviewed-by: {reviewer}\n"));
        }
    }
    text.push_str(&format!("Signed-off-by: {}\n", commit.author));
    if commit.committer != commit.author {
        text.push_str(&format!("Signed-off-by: {}\n", commit.committer));
    }
    text
}
