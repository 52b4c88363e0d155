//! Version 0 of the interface, made by wasmtime from `wit/`: instantiation, the hooks' calls, and the functions plugins import.

use wasmtime::Store;
use wasmtime::component::HasSelf;
use wasmtime::component::Instance;
use wasmtime::component::InstancePre;
use wasmtime::component::Linker;

use crate::plugin::call::Call;

mod convert;
mod imports;

#[allow(missing_docs, clippy::all, reason = "generated")]
pub(in crate::plugin) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "subsystem-plugin",
        imports: { default: trappable },
    });
}

use bindings::exports::kbisect::plugin as exports;
use bindings::kbisect::plugin as imported;

/// What every plugin exports.
pub(in crate::plugin) type PluginExport = exports::plugin::GuestIndices;
/// The classifier hook.
pub(in crate::plugin) type ClassifierExport = exports::classifier::GuestIndices;
/// The flake policy hook.
pub(in crate::plugin) type FlakePolicyExport = exports::flake_policy::GuestIndices;
/// The recipients hook.
pub(in crate::plugin) type RecipientsExport = exports::recipients::GuestIndices;
/// The suspicion hook.
pub(in crate::plugin) type SuspicionExport = exports::suspicion::GuestIndices;

/// The interfaces that a component has, looked up once.
#[derive(Clone)]
pub(in crate::plugin) struct Exports {
    pub(in crate::plugin) plugin: PluginExport,
    pub(in crate::plugin) classifier: Option<ClassifierExport>,
    pub(in crate::plugin) flake_policy: Option<FlakePolicyExport>,
    pub(in crate::plugin) recipients: Option<RecipientsExport>,
    pub(in crate::plugin) suspicion: Option<SuspicionExport>,
}

impl Exports {
    /// Looks up the interfaces; hooks that are not there are none. Fails when a function of an interface is missing.
    pub(in crate::plugin) fn find(pre: &InstancePre<Call>) -> wasmtime::Result<Self> {
        let has = |interface: &str| {
            let name = format!("{}/{interface}@{VERSION}", crate::plugin::load::PACKAGE);
            pre.component().get_export_index(None, &name).is_some()
        };
        Ok(Self {
            plugin: PluginExport::new(pre)?,
            classifier: has("classifier").then(|| ClassifierExport::new(pre)).transpose()?,
            flake_policy: has("flake-policy").then(|| FlakePolicyExport::new(pre)).transpose()?,
            recipients: has("recipients").then(|| RecipientsExport::new(pre)).transpose()?,
            suspicion: has("suspicion").then(|| SuspicionExport::new(pre)).transpose()?,
        })
    }

    /// Checks the types of every function.
    pub(in crate::plugin) fn check_types(&self, store: &mut Store<Call>, instance: &Instance) -> wasmtime::Result<()> {
        self.plugin.load(&mut *store, instance)?;
        self.classifier.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        self.flake_policy.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        self.recipients.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        self.suspicion.as_ref().map(|hook| hook.load(&mut *store, instance)).transpose()?;
        Ok(())
    }
}

/// The version of `wit/` that this module speaks.
pub(in crate::plugin) const VERSION: &str = "0.1.0";

/// Offers everything that plugins may import. No WASI: no clock, randomness, file or network.
pub(in crate::plugin) fn add_imports(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    imported::log::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    imported::settings::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    imported::bisection::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    imported::git::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)
}
