//! Loading a plugin: what it is, what it exports and imports, and whether it may be used. Refusals come before any work starts.

use std::fmt;
use std::sync::Arc;

use sha2::Digest;
use sha2::Sha256;
use wasmtime::component::Component;
use wasmtime::component::InstancePre;

use super::abi::v0::Exports;
use super::abi::v0::VERSION;
use super::call::Call;
use super::call::CallError;
use super::call::Surroundings;
use super::engine::Engine;
use crate::config::job::Hook;
use crate::config::job::PluginLimits;

/// The package of `wit/`.
pub(super) const PACKAGE: &str = "kbisect:plugin";
/// What plugins may import; `types` holds no function.
const IMPORTS: [&str; 5] = ["types", "log", "settings", "bisection", "git"];
/// All hooks, by the name of their interface.
pub(super) const HOOKS: [(&str, Hook); 4] = [
    ("classifier", Hook::Classifier),
    ("flake-policy", Hook::FlakePolicy),
    ("recipients", Hook::Recipients),
    ("suspicion", Hook::Suspicion),
];

/// The hook's name in messages and in `wit/`.
pub fn hook_name(hook: Hook) -> &'static str {
    HOOKS.iter().find(|(_, known)| *known == hook).expect("every hook has a name").0
}

/// Why a plugin is refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file has another digest than the job says.
    #[error("has the SHA-256 digest {found}, but the job says {wanted}")]
    Digest {
        /// The file's.
        found: String,
        /// The job's.
        wanted: String,
    },
    /// A module without interface types.
    #[error("is a core WebAssembly module, not a component (the linker `wasm-component-ld` makes components)")]
    CoreModule,
    /// WebAssembly as text.
    #[error("is WebAssembly text, not a binary component")]
    Text,
    /// Anything else.
    #[error("is not a WebAssembly component")]
    NotWasm,
    /// It begins like a component.
    #[error("is damaged or truncated: {0}")]
    Damaged(String),
    /// It asks for more than plugins get.
    #[error("imports `{0}`, which plugins do not get (they may import log, settings, bisection and git of {PACKAGE})")]
    UnknownImport(String),
    /// It speaks another version.
    #[error("was built for {PACKAGE} {found}; this kbisect speaks {VERSION} (before 1.0 the minor version must match)")]
    Version {
        /// The plugin's.
        found: String,
    },
    /// It is some other component.
    #[error("does not export `{PACKAGE}/plugin`, so it is no kbisect plugin")]
    NoPlugin,
    /// It has no use.
    #[error("exports no hook (classifier, flake-policy, recipients or suspicion)")]
    NoHook,
    /// The job wants a hook that is not there.
    #[error("has no hook `{wanted}` (it has {has})")]
    MissingHook {
        /// The job's.
        wanted: &'static str,
        /// What there is.
        has: String,
    },
    /// Names fit, types do not.
    #[error("does not fit this kbisect's {PACKAGE} {VERSION}: {0}")]
    Types(String),
    /// Settings that are no table.
    #[error("settings must be a table")]
    SettingsKind,
    /// `check` refused the settings.
    #[error("refuses its settings: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// `check` or `markers` failed.
    #[error("failed in `{hook}`: {error}")]
    Call {
        /// The function.
        hook: &'static str,
        /// How.
        error: CallError,
    },
    /// A marker that occurs everywhere or nowhere.
    #[error("has an empty marker")]
    EmptyMarker,
}

/// A component that was found fit, with its settings. Calls share nothing.
#[derive(Clone)]
pub struct Plugin {
    pub(super) engine: Engine,
    pub(super) instance: InstancePre<Call>,
    pub(super) exports: Exports,
    pub(super) settings: Arc<str>,
    pub(super) limits: PluginLimits,
    digest: String,
    hooks: Vec<Hook>,
    imports: Vec<String>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("digest", &self.digest).field("hooks", &self.hooks).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Compiles (or takes from the cache) a component, inspects it, and lets it check its settings.
    ///
    /// `wanted` is the digest that it must have, when one is stated; `settings` is a JSON object, or null for an empty one.
    pub fn load(
        engine: &Engine,
        bytes: &[u8],
        wanted: Option<&str>,
        settings: &serde_json::Value,
        limits: PluginLimits,
    ) -> Result<Self, LoadError> {
        let digest = digest(bytes);
        if let Some(wanted) = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(&digest)) {
            return Err(LoadError::Digest { found: digest, wanted: wanted.to_owned() });
        }
        check_kind(bytes)?;
        let component = compile(engine, bytes, &digest)?;
        let (hooks, imports) = inspect(engine, &component)?;
        let types = |error: wasmtime::Error| LoadError::Types(chain(&error));
        let instance = engine.linker.instantiate_pre(&component).map_err(types)?;
        let exports = Exports::find(&instance).map_err(types)?;
        let settings: Arc<str> = match settings {
            serde_json::Value::Null => "{}".into(),
            serde_json::Value::Object(_) => settings.to_string().into(),
            _ => return Err(LoadError::SettingsKind),
        };
        let plugin = Self { engine: engine.clone(), instance, exports, settings, limits, digest, hooks, imports };
        plugin.check()?;
        Ok(plugin)
    }

    /// Checks the types of its functions, then asks `check`.
    fn check(&self) -> Result<(), LoadError> {
        let mut types = None;
        let answer = self.call(&Surroundings::default(), self.settings.len(), |store, instance| {
            if let Err(error) = self.exports.check_types(store, instance) {
                types = Some(LoadError::Types(chain(&error)));
                return Ok(Ok(Ok(())));
            }
            self.exports.plugin.load(&mut *store, instance)?.call_check(store).map(Ok)
        });
        match (types, answer.result) {
            (Some(error), _) => Err(error),
            (None, Ok(Ok(()))) => Ok(()),
            (None, Ok(Err(problems))) => Err(LoadError::Settings(problems)),
            (None, Err(error)) => Err(LoadError::Call { hook: "check", error }),
        }
    }

    /// SHA-256 of the component, 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The hooks that it exports.
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// What it imports, such as `git`: all that it can ask for.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }
}

/// SHA-256, 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Looks at the first bytes: magic, then version and layer.
fn check_kind(bytes: &[u8]) -> Result<(), LoadError> {
    let text = bytes.trim_ascii_start();
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some(b"\0asm\x01\0\0\0") => Err(LoadError::CoreModule),
        _ if text.starts_with(b"(component") || text.starts_with(b"(module") => Err(LoadError::Text),
        _ => Err(LoadError::NotWasm),
    }
}

fn compile(engine: &Engine, bytes: &[u8], digest: &str) -> Result<Component, LoadError> {
    let cached = engine.cache.as_ref().and_then(|cache| cache.load(&engine.wasmtime, digest));
    if let Some(component) = cached {
        return Ok(component);
    }
    let component = Component::from_binary(&engine.wasmtime, bytes);
    let component = component.map_err(|error| LoadError::Damaged(error.root_cause().to_string()))?;
    if let Some(cache) = &engine.cache
        && let Err(error) = cache.store(&engine.wasmtime, digest, &component)
    {
        tracing::warn!("a compiled plugin is not kept: {error}");
    }
    Ok(component)
}

/// What a component exports (hooks) and imports (names within our package).
fn inspect(engine: &Engine, component: &Component) -> Result<(Vec<Hook>, Vec<String>), LoadError> {
    let ty = component.component_type();
    let mut imports = Vec::new();
    for (name, _) in ty.imports(&engine.wasmtime) {
        let (interface, version) = ours(name).ok_or_else(|| LoadError::UnknownImport(name.to_owned()))?;
        check_version(version)?;
        if !IMPORTS.contains(&interface) {
            return Err(LoadError::UnknownImport(name.to_owned()));
        }
        imports.push(interface.to_owned());
    }
    // Its types are no permission.
    imports.retain(|name| name != "types");
    let mut is_plugin = false;
    let mut hooks = Vec::new();
    for (name, _) in ty.exports(&engine.wasmtime) {
        // Some tool chains export interfaces of their own; those are not asked for.
        let Some((interface, version)) = ours(name) else { continue };
        check_version(version)?;
        is_plugin |= interface == "plugin";
        hooks.extend(HOOKS.iter().filter(|(known, _)| *known == interface).map(|(_, hook)| *hook));
    }
    if !is_plugin {
        return Err(LoadError::NoPlugin);
    }
    if hooks.is_empty() {
        return Err(LoadError::NoHook);
    }
    hooks.sort_unstable();
    Ok((hooks, imports))
}

/// Interface and version of a name such as `kbisect:plugin/log@0.1.0`; none for other packages.
fn ours(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.strip_prefix('/')?.split_once('@')
}

/// Before 1.0 every minor version may break, so that major and minor must be ours.
fn check_version(version: &str) -> Result<(), LoadError> {
    let compatible = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    if compatible(version) == compatible(VERSION) { Ok(()) } else { Err(LoadError::Version { found: version.to_owned() }) }
}

/// An error with its causes, in one line.
fn chain(error: &wasmtime::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
