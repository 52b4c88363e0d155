//! Real Linux.

use std::path::Path;
use std::path::PathBuf;

use super::Args;
use super::Written;
use super::put;
use crate::caches;
use crate::error::Error;
use crate::error::ErrorKind;

/// Time of one trial, in seconds.
const SECONDS: u32 = 5;

/// Writes the history, the configuration, the reproducer and the job that bisects it.
pub(super) fn write(place: &Path, args: &Args) -> Result<Written, Error> {
    let tree = match &args.tree {
        Some(tree) => tree.clone(),
        None => linux_demo::installed().ok_or_else(no_sources)?,
    };
    let options = linux_demo::Options { seed: args.seed, commits: args.commits, wide: false, cache: cache()? };
    let repo = place.join("linux");
    args.show.tell(&format!("tree    {}\n", tree.display()))?;
    let planted = linux_demo::write(&tree, &repo, &options).map_err(|error| match error {
        linux_demo::Error::Commits { .. }
        | linux_demo::Error::Tree { .. }
        | linux_demo::Error::Place { .. }
        | linux_demo::Error::TooFew(..) => Error::user(error.to_string()),
        linux_demo::Error::Cache { .. } | linux_demo::Error::Git(_) => Error::infrastructure(error.to_string()),
        linux_demo::Error::Series(_) => Error::internal(error.to_string()),
    })?;
    let [config, repro, job] = ["demo.config", "repro.c", "job.toml"].map(|name| place.join(name));
    put(&config, linux_demo::config())?;
    put(&repro, &linux_demo::reproducer(linux_demo::Rate::default(), SECONDS, linux_demo::LOOKS))?;
    let mut text = linux_demo::job_toml(&linux_demo::Job {
        repo: &repo,
        bad: &planted.start,
        good: None,
        repro: &repro,
        config: &config,
        seconds: SECONDS,
        strategy: Some(&args.strategy),
        seed: args.seed,
        // Its histories are all made by kbisect, each in a place of its own.
        ccache: Some(&cache()?.join("ccache/demo")),
    });
    text += &format!("\n[[plugin]]\nid = \"{}\"\n", args.policy);
    put(&job, &text)?;
    Ok(Written { job, culprit: (planted.culprit, planted.culprit_subject), commits: planted.commits.len() })
}

/// Where the tree is kept once it was read.
fn cache() -> Result<PathBuf, Error> {
    caches::root().ok_or_else(|| Error::user("there is no cache folder").hint("set KBISECT_CACHE_DIR, or HOME"))
}

fn no_sources() -> Error {
    Error::new(ErrorKind::ToolsMissing, "there are no sources of Linux in /usr/src")
        .hint("on Debian: sudo apt-get install --no-install-recommends linux-source-6.1 bc bison flex libelf-dev")
        .hint("./x demo --linux installs them; --tree PATH takes any other Linux 6.1 or later")
}
