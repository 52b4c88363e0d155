//! One plugin with its place in the chains: hooks in use, scope, priority, failures.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use crate::config::job::Hook;
use crate::plugin::Plugin;
use crate::policy::routes::Scope;

/// Failed calls after which a plugin is not asked any more.
const FAILURES: u32 = 3;

/// A loaded plugin and where it applies.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name in messages.
    pub(super) id: String,
    /// Comes with kbisect.
    pub(super) bundled: bool,
    /// The job names it, so that its priority counts; bundled plugins are there anyway.
    pub(super) stated: bool,
    /// Its file.
    pub(super) path: Option<PathBuf>,
    /// The component's bytes.
    pub(super) component: Cow<'static, [u8]>,
    /// What runs.
    pub(super) plugin: Plugin,
    /// Hooks in use.
    pub(super) hooks: Vec<Hook>,
    /// Where it applies.
    pub(super) scope: Scope,
    /// Its place among others.
    pub(super) priority: i64,
    /// What its classifier looks for.
    pub(super) markers: Vec<String>,
    /// Failed calls so far.
    pub(super) failures: AtomicU32,
}

impl Member {
    /// Whether it serves a hook.
    pub(super) fn serves(&self, hook: Hook) -> bool {
        self.hooks.contains(&hook)
    }

    /// Whether it failed too often. Those that others fall back on are always asked.
    pub(super) fn is_disabled(&self) -> bool {
        !self.is_fallback() && self.failures.load(Ordering::Relaxed) >= FAILURES
    }

    /// Counts a failed call; true: it is not asked any more.
    pub(super) fn count_failure(&self) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.is_disabled()
    }

    fn is_fallback(&self) -> bool {
        self.bundled && super::load::ALWAYS.contains(&self.id.as_str())
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> Description {
        Description {
            id: self.id.clone(),
            bundled: self.bundled,
            path: self.path.clone(),
            digest: self.plugin.digest().to_owned(),
            hooks: self.hooks.clone(),
            imports: self.plugin.imports().to_vec(),
            priority: self.priority,
            when_paths: self.scope.paths_text(),
            when_titles: self.scope.titles_text(),
        }
    }
}

/// A plugin as `kbisect check` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name in messages.
    pub id: String,
    /// Comes with kbisect.
    pub bundled: bool,
    /// Its file.
    pub path: Option<PathBuf>,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub digest: String,
    /// Hooks in use.
    pub hooks: Vec<Hook>,
    /// What it may ask for, such as `git`.
    pub imports: Vec<String>,
    /// Its place among others.
    pub priority: i64,
    /// Globs on the guilty file; empty: everywhere.
    pub when_paths: Vec<String>,
    /// Globs on titles; empty: everywhere.
    pub when_titles: Vec<String>,
}
