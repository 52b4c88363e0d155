//! A watch that shows the classifiers a console with the places of its frames.

use std::sync::Arc;

use kbisect_core::commit::CommitId;
use kbisect_core::crash::CrashReport;
use kbisect_core::policy::Failure;

use super::Relation;
use super::Watch;
use crate::symbols::Symbols;
use crate::trial::console::WINDOW;

/// A [`Watch`] for machines whose kernel's debug information is at hand. Spans are those of the console as it came.
pub struct Symbolized {
    watch: Arc<dyn Watch>,
    symbols: Arc<Symbols>,
}

impl Symbolized {
    /// What `watch` says of consoles with places from `symbols`.
    pub fn new(watch: Arc<dyn Watch>, symbols: Arc<Symbols>) -> Self {
        Self { watch, symbols }
    }
}

impl Watch for Symbolized {
    fn markers(&self) -> Vec<Vec<u8>> {
        self.watch.markers()
    }

    fn classify(&self, console: &[u8]) -> Result<Vec<CrashReport>, Failure> {
        let annotated = self.symbols.annotate(console, WINDOW);
        let mut reports = self.watch.classify(&annotated.text)?;
        for report in &mut reports {
            report.span = report.span.map(|span| annotated.in_console(span));
        }
        Ok(reports)
    }

    fn relate(&self, seen: &CrashReport, at: &CommitId) -> Result<Relation, Failure> {
        self.watch.relate(seen, at)
    }
}
