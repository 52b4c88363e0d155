//! The classifiers that `kbisect classify` and `kbisect relate` ask outside of a bisection.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config;
use crate::config::job::Plugin;
use crate::error::Error;
use crate::plugin::facts::NoFacts;
use crate::policy::Notice;
use crate::policy::Policies;

/// Which classifiers come in beside the bundled one.
#[derive(Debug, clap::Args)]
pub struct Classifiers {
    /// A classifier of yours; more may follow. They edit what the bundled one reports, and are asked before it whether two crashes
    /// are one bug
    #[arg(long, value_name = "COMPONENT.wasm")]
    plugin: Vec<PathBuf>,

    /// The plugins of a job file, with their settings; those with `when` wait for a target and take no part
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,
}

impl Classifiers {
    /// Loads them: the job's first, then the given ones in their order. What plugins say goes to standard error.
    ///
    /// # Errors
    ///
    /// The job file or one of the components is refused.
    pub(super) fn load(&self) -> Result<Policies, Error> {
        self.load_with(Vec::new())
    }

    /// As [`Self::load`], with other plugins beside them.
    ///
    /// # Errors
    ///
    /// The job file or one of the components is refused.
    pub(super) fn load_with(&self, more: Vec<Plugin>) -> Result<Policies, Error> {
        let mut plugins = match &self.job {
            Some(job) => config::read(job)?.job.plugins,
            None => Vec::new(),
        };
        let highest = plugins.iter().map(|plugin| plugin.priority).max().unwrap_or(-1);
        let given = (1..).zip(&self.plugin).map(|(place, path)| Plugin {
            path: Some(path.clone()),
            priority: highest.saturating_add(place),
            ..Plugin::bundled(&path.file_stem().unwrap_or_default().to_string_lossy())
        });
        plugins.extend(given);
        plugins.extend(more);
        let tell = |notice: Notice| match notice {
            Notice::Log { plugin, level, message } => super::say(&format!("{plugin}: {level}: {message}")),
            warning => super::warn(warning),
        };
        Ok(Policies::load(&plugins, Arc::new(NoFacts), Arc::new(tell))?)
    }
}
