//! `[target]`: at which stage the crash shows.

use super::document::Section;
use super::job::TargetStage;
use super::origin::Origin;
use super::value;

/// Stages by name.
pub(super) const STAGES: [(&str, TargetStage); 3] =
    [("build", TargetStage::Build), ("boot", TargetStage::Boot), ("run", TargetStage::Run)];

/// The section.
pub(super) fn read(section: Section<'_, '_>) -> TargetStage {
    let origin = Origin::guess("most crashes show while the reproducer runs");
    let stage = section.get_or("stage", |value| value::word(value, &STAGES), TargetStage::Run, origin);
    section.close();
    stage
}
