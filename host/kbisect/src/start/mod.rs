//! A job from what lies on the desk: reports by mail, consoles, configurations, reproducers, test names.
//!
//! [`gather`] reads files, [`pieces`] says what each is, [`decide`] makes a draft of the job with the origin of every value,
//! [`draft`] writes it down, [`summary`] tells people, [`put`] lays everything in place at once. Nothing is ever fetched. What a
//! crash looks like is the classifiers' to say; the format of job files is `config`'s.

pub mod decide;
pub mod draft;
pub mod gather;
pub mod html;
pub mod kselftest;
pub mod mail;
pub mod pieces;
pub mod put;
pub mod release;
pub mod repository;
pub mod script;
pub mod summary;
pub mod syzkaller;
pub mod text;
pub mod trees;

mod dashboard;

use crate::build::linux::kconfig::Config;
use crate::build::linux::make::ARCHES;

/// The architecture of a configuration, as the kernel's make names it.
fn arch_of(config: &Config) -> Option<&'static str> {
    ARCHES.iter().find(|arch| config.is_on(arch.symbol)).map(|arch| arch.name)
}
