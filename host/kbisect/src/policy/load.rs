//! Loads the bundled plugins and the job's, and says everything that is wrong with them at once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;

use glob::PatternError;

use super::member::Member;
use super::routes::Conflict;
use super::routes::Scope;
use crate::bounded;
use crate::config::job;
use crate::config::job::Hook;
use crate::embedded::Bundled;
use crate::embedded::PLUGINS;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::plugin::Engine;
use crate::plugin::LoadError;
use crate::plugin::Plugin;
use crate::plugin::Surroundings;
use crate::plugin::engine::EngineError;
use crate::plugin::load::hook_name;

/// Most that is read of a component's file.
const LONGEST: u64 = 64 << 20;

/// The bundled plugins that are always there, and that others fall back on.
pub(super) const ALWAYS: [&str; 3] = ["linux-crash", "sequential", "maintainers"];
/// The bundled classifier.
const CLASSIFIER: &str = "linux-crash";
/// The bundled flake policy that judges where nobody else does.
pub(super) const FLAKE_POLICY: &str = "sequential";
/// The bundled plugin that weighs commits where nobody else does. Where it fails, no commit looks guiltier than another.
pub(super) const SUSPICION: &str = "stack-prior";

/// Something wrong with the plugins of a job.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The component is refused.
    #[error("plugin `{id}`{} {error}", in_file(path.as_deref()))]
    Refused {
        /// The plugin.
        id: String,
        /// Its file; none for a bundled one.
        path: Option<PathBuf>,
        /// Why.
        error: LoadError,
    },
    /// The file cannot be read.
    #[error("plugin `{id}`: cannot read {}: {error}", path.display())]
    Read {
        /// The plugin.
        id: String,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Two entries of one name.
    #[error("plugin `{0}` is stated twice")]
    Twice(String),
    /// No file, and no bundled plugin of this name.
    #[error("plugin `{id}` has no `path`, and no bundled plugin has this name ({known})")]
    NotBundled {
        /// The plugin.
        id: String,
        /// The bundled ones.
        known: String,
    },
    /// A file under the name of a bundled plugin.
    #[error("plugin `{0}` has a `path` but the name of a bundled plugin; give it another `id`")]
    Taken(String),
    /// A bundled plugin that is always there cannot be restricted.
    #[error("plugin `{id}`: `{key}` has no effect, as this plugin always comes first and serves its one hook")]
    NoEffect {
        /// The plugin.
        id: String,
        /// The key.
        key: &'static str,
    },
    /// A glob that is none.
    #[error("plugin `{id}`: `when.{key}` has the bad glob `{glob}`: {error}")]
    Glob {
        /// The plugin.
        id: String,
        /// `paths` or `titles`.
        key: &'static str,
        /// The text.
        glob: String,
        /// Why.
        error: PatternError,
    },
    /// Two plugins claim what only one can have, whatever the target is.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn in_file(path: Option<&Path>) -> String {
    path.map(|path| format!(" ({})", path.display())).unwrap_or_default()
}

impl Problem {
    /// Whether kbisect rather than the job is to blame.
    fn is_internal(&self) -> bool {
        match self {
            Self::Engine(_) => true,
            Self::Refused { path: None, error, .. } => {
                !matches!(error, LoadError::Settings(_) | LoadError::SettingsKind | LoadError::MissingHook { .. })
            }
            _ => false,
        }
    }
}

/// All problems at once; never empty.
#[derive(Debug)]
pub struct LoadErrors(pub Vec<Problem>);

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for LoadErrors {}

impl From<LoadErrors> for Error {
    fn from(errors: LoadErrors) -> Self {
        let internal = errors.0.iter().any(Problem::is_internal);
        Self::new(if internal { ErrorKind::Internal } else { ErrorKind::User }, errors.to_string())
    }
}

/// Loads everything: the bundled plugins in use, then the job's in its order.
pub(super) fn members(engine: &Engine, plugins: &[job::Plugin]) -> Result<Vec<Member>, LoadErrors> {
    let mut problems = Vec::new();
    let mut members = Vec::new();
    let mut names = BTreeSet::new();
    for stated in plugins.iter().filter(|stated| !names.insert(stated.id.as_str())) {
        problems.push(Problem::Twice(stated.id.clone()));
    }
    for bundled in PLUGINS {
        let stated = plugins.iter().find(|stated| stated.id == bundled.id && stated.path.is_none());
        if stated.is_some() || ALWAYS.contains(&bundled.id) || bundled.id == SUSPICION {
            keep(&mut members, &mut problems, load_bundled(engine, bundled, stated));
        }
    }
    for stated in plugins {
        let is_bundled = PLUGINS.iter().any(|bundled| bundled.id == stated.id);
        match &stated.path {
            Some(_) if is_bundled => problems.push(Problem::Taken(stated.id.clone())),
            Some(path) => keep(&mut members, &mut problems, load_file(engine, stated, path)),
            None if is_bundled => {}
            None => {
                let known = PLUGINS.iter().map(|bundled| bundled.id).collect::<Vec<_>>().join(", ");
                problems.push(Problem::NotBundled { id: stated.id.clone(), known });
            }
        }
    }
    if problems.is_empty() { Ok(members) } else { Err(LoadErrors(problems)) }
}

fn keep(members: &mut Vec<Member>, problems: &mut Vec<Problem>, loaded: Result<Member, Vec<Problem>>) {
    match loaded {
        Ok(member) => members.push(member),
        Err(more) => problems.extend(more),
    }
}

fn load_bundled(engine: &Engine, bundled: &Bundled, stated: Option<&job::Plugin>) -> Result<Member, Vec<Problem>> {
    let default = job::Plugin::bundled(bundled.id);
    let entry = stated.unwrap_or(&default);
    if ALWAYS.contains(&bundled.id) && bundled.id != FLAKE_POLICY {
        let keys = [("hooks", !entry.hooks.is_empty()), ("when", entry.when != job::When::default())];
        let refused: Vec<Problem> =
            keys.iter().filter(|(_, is_set)| *is_set).map(|(key, _)| Problem::NoEffect { id: entry.id.clone(), key }).collect();
        if !refused.is_empty() {
            return Err(refused);
        }
    }
    let mut member = load(engine, entry, Cow::Borrowed(bundled.component), true)?;
    member.stated = stated.is_some();
    Ok(member)
}

fn load_file(engine: &Engine, entry: &job::Plugin, path: &Path) -> Result<Member, Vec<Problem>> {
    let bytes = bounded::read(path, LONGEST)
        .map_err(|error| vec![Problem::Read { id: entry.id.clone(), path: path.to_owned(), error }])?;
    load(engine, entry, Cow::Owned(bytes), false)
}

fn load(engine: &Engine, entry: &job::Plugin, component: Cow<'static, [u8]>, bundled: bool) -> Result<Member, Vec<Problem>> {
    let mut problems = Vec::new();
    let refused = |error| Problem::Refused { id: entry.id.clone(), path: entry.path.clone(), error };
    let scope = Scope::new(&entry.when).unwrap_or_else(|bad| {
        let id = &entry.id;
        problems.extend(bad.into_iter().map(|(key, glob, error)| Problem::Glob { id: id.clone(), key, glob, error }));
        Scope::default()
    });
    let wanted = entry.sha256.as_deref();
    let plugin = Plugin::load(engine, &component, wanted, &entry.settings, entry.limits);
    let used = plugin.and_then(|plugin| {
        let hooks = used_hooks(&plugin, &entry.hooks)?;
        let markers = if hooks.contains(&Hook::Classifier) { markers(&plugin)? } else { Vec::new() };
        Ok((plugin, hooks, markers))
    });
    match used {
        Ok((plugin, hooks, markers)) if problems.is_empty() => Ok(Member {
            id: entry.id.clone(),
            bundled,
            stated: true,
            path: entry.path.clone(),
            component,
            plugin,
            hooks,
            scope,
            priority: entry.priority,
            markers,
            failures: AtomicU32::new(0),
        }),
        Ok(_) => Err(problems),
        Err(error) => {
            problems.push(refused(error));
            Err(problems)
        }
    }
}

/// The hooks that the job wants, or all that there are.
fn used_hooks(plugin: &Plugin, wanted: &[Hook]) -> Result<Vec<Hook>, LoadError> {
    if let Some(missing) = wanted.iter().find(|wanted| !plugin.hooks().contains(wanted)) {
        let has = plugin.hooks().iter().map(|hook| hook_name(*hook)).collect::<Vec<_>>().join(", ");
        return Err(LoadError::MissingHook { wanted: hook_name(*missing), has });
    }
    Ok(if wanted.is_empty() { plugin.hooks().to_vec() } else { wanted.to_vec() })
}

/// Asks for markers once, before any work: a classifier that cannot say what to look for would make every trial clean.
fn markers(plugin: &Plugin) -> Result<Vec<String>, LoadError> {
    let answer = plugin.markers(&Surroundings::default());
    let markers = answer.result.map_err(|error| LoadError::Call { hook: "markers", error })?;
    if markers.iter().any(String::is_empty) { Err(LoadError::EmptyMarker) } else { Ok(markers) }
}

/// The place of the bundled classifier.
pub(super) fn bundled_classifier(members: &[Member]) -> usize {
    members.iter().position(|member| member.bundled && member.id == CLASSIFIER).expect("the bundled classifier is always loaded")
}

/// The place of the bundled suspicion plugin.
pub(super) fn bundled_suspicion(members: &[Member]) -> usize {
    members.iter().position(|member| member.bundled && member.id == SUSPICION).expect("the bundled plugin is always loaded")
}

/// The place of the bundled flake policy.
pub(super) fn bundled_flake_policy(members: &[Member]) -> usize {
    members.iter().position(|member| member.bundled && member.id == FLAKE_POLICY).expect("the bundled policy is always loaded")
}
