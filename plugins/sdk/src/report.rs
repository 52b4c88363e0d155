//! Building blocks of a classifier's answer: reports, put together field by field.

use crate::CrashReport;
use crate::Property;
use crate::Span;
use crate::console::Line;

/// A report is a title and what else is known. `CrashReport::default()` is an empty one, for `..` in an expression; these methods
/// put one together word by word:
///
/// ```
/// use kbisect_sdk::CrashReport;
///
/// let report = CrashReport::new("modem: died in modem_tx").with_type("MODEM").with_frame("modem_tx").with_guilty_file("drivers/modem/tx.c");
/// assert_eq!(report.frame.as_deref(), Some("modem_tx"));
/// ```
impl CrashReport {
    /// A report that has a title and nothing else. The title is what crashes are told apart by first: no addresses, numbers of
    /// processes or times in it.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// With another title that the same bug is known by.
    #[must_use]
    pub fn with_alt_title(mut self, title: impl Into<String>) -> Self {
        self.alt_titles.push(title.into());
        self
    }

    /// Of a type: syzkaller's words, such as `WARNING`, or one of your own.
    #[must_use]
    pub fn with_type(self, crash_type: impl Into<String>) -> Self {
        Self { crash_type: crash_type.into(), ..self }
    }

    /// With the function to blame.
    #[must_use]
    pub fn with_frame(self, function: impl Into<String>) -> Self {
        Self { frame: Some(function.into()), ..self }
    }

    /// With the source file to blame, relative to the kernel tree. It decides which subsystem's plugins judge the bisection
    /// (`when.paths`).
    #[must_use]
    pub fn with_guilty_file(self, path: impl Into<String>) -> Self {
        Self { guilty_file: Some(path.into()), ..self }
    }

    /// Where it stands: from the start of `first` to the end of `last`, lines of the console that `classify` was given.
    #[must_use]
    pub fn with_lines(self, first: &Line<'_>, last: &Line<'_>) -> Self {
        // A console is at most 1 MiB.
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { span: Some(Span { start: offset(first.start), end: offset(last.end) }), ..self }
    }

    /// With the name of the rule that found it, which `kbisect classify --explain` shows.
    #[must_use]
    pub fn with_rule(self, rule: impl Into<String>) -> Self {
        self.with_property("rule", rule)
    }

    /// With open data; `wit/README.md` lists the keys that are known.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push(Property { key: key.into(), value: value.into() });
        self
    }

    /// The title, then the other ones.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.title.as_str()).chain(self.alt_titles.iter().map(String::as_str))
    }
}

#[allow(clippy::derivable_impls, reason = "the type is generated, where `Default` cannot be asked for it alone")]
impl Default for CrashReport {
    fn default() -> Self {
        Self {
            title: String::new(),
            alt_titles: Vec::new(),
            crash_type: String::new(),
            frame: None,
            trace: Vec::new(),
            guilty_file: None,
            corrupted: None,
            suppressed: false,
            panicked: false,
            executor: None,
            span: None,
            properties: Vec::new(),
        }
    }
}
