//! Git: history, releases, facts about commits, and detached checkouts, all on libgit2.
//!
//! Owns everything that reads a user's repository; never writes one (but libgit2, as git does, renews the time of an object or pack that
//! holds already what is to be stored in a checkout). Checkouts are private repositories whose object store is an
//! alternate of the user's. Knows nothing of good and bad, and runs no program: no git, no hooks, no filters.

mod changes;
mod checkout;
mod commit;
mod commit_graph;
mod diffstat;
mod error;
mod facts;
mod files;
mod history;
mod hunks;
mod made;
mod newer;
mod patch;
mod releases;
mod repository;
mod revert;
mod signers;
mod size;
mod soundness;
mod tree;

pub use checkout::Checkout;
pub use diffstat::DiffStat;
pub use diffstat::FileStat;
pub use error::Error;
pub(crate) use error::KERNEL_ORG;
pub use error::Unsupported;
pub(crate) use error::quoted;
pub use facts::Facts;
pub use newer::Mention;
pub use newer::Says;
pub use newer::Tip;
pub use newer::upstream;
pub use patch::Change;
pub use patch::Patch;
pub use repository::Repository;
pub use revert::Reverted;
pub use soundness::Problem;
pub use soundness::problems;

#[cfg(test)]
mod tests;
