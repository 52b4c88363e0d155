//! Plugins: WebAssembly components that judge. Owns the engine, the interface's versions, what a call may use, and which answers
//! make sense.
//!
//! One call is one fresh store: a pure function of component, settings, arguments and the host's answers. Knows nothing of
//! chains, routes and fallbacks: those are `policy`'s.

mod abi;
pub mod answer;
pub mod cache;
pub mod call;
pub mod engine;
pub mod facts;
mod hooks;
pub mod load;

pub use call::Answer;
pub use call::CallError;
pub use call::Message;
pub use call::Surroundings;
pub use engine::Engine;
pub use load::LoadError;
pub use load::Plugin;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
