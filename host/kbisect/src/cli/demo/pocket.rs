//! The demo's own small kernel.

use std::path::Path;

use super::Args;
use super::Written;
use super::put;
use crate::error::Error;

/// Writes its history and the job that bisects it.
pub(super) fn write(place: &Path, args: &Args) -> Result<Written, Error> {
    let options = ::pocket::Options {
        seed: args.seed,
        repro_rate: args.repro_rate,
        stray_rate: args.stray_rate,
        second_rate: args.second_rate,
        ..::pocket::Options::default()
    };
    let repo = place.join("linux");
    let planted = ::pocket::write(&repo, &options).map_err(|error| match error {
        ::pocket::Error::Option { .. } => Error::user(error.to_string()),
        ::pocket::Error::Git(_) => Error::infrastructure(error.to_string()),
        ::pocket::Error::Source(_) => Error::internal(error.to_string()),
    })?;
    let mut text = ::pocket::job_toml(&::pocket::Job {
        repo: &repo,
        bad: &planted.start,
        good: None,
        strategy: Some(&args.strategy),
        seed: args.seed,
    });
    text += &format!("\n[[plugin]]\nid = \"{}\"\n", args.policy);
    let job = place.join("job.toml");
    put(&job, &text)?;
    Ok(Written { job, culprit: (planted.culprit, planted.culprit_subject), commits: planted.commits })
}
