//! The rules as one table: what the kernel prints, and what it is called.
//!
//! A new kind of oops is one row here and one golden case. The columns are documented on [`Rule`] and [`Form`]; rows are grouped
//! by what detects the bug, and order matters only inside a rule's forms. Names follow syzkaller's, so that titles can be
//! compared with its dashboard's; the wording matched is that of the kernel's own printk calls.

mod access;
mod ends;
mod faults;
mod locks;
mod stuck;
mod warnings;

/// One kind of header: the plain text that says "an oops begins here", and what may follow it.
#[derive(Debug)]
pub struct Rule {
    /// Text that must stand in a line for it to be a header. Doubles as the marker the host scans for.
    pub literal: &'static str,
    /// Lines with one of these texts are not headers, although the literal is there.
    pub except: &'static [&'static str],
    /// Where in the console the literal counts.
    pub place: Place,
    /// Whether it can be part of the oops before it.
    pub follows: Follows,
    /// What this header can turn out to be: the first form that fits wins. Where none does, it is no oops.
    pub forms: &'static [Form],
}

/// Where in the console a header's literal counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anywhere in a line.
    Anywhere,
    /// At the beginning of a line, behind printk's prefix.
    LineStart,
    /// There, and only behind other output of a running kernel.
    AfterBoot,
}

/// Whether a header can be part of the oops before it rather than one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// No: it opens a report as soon as the one before has shown a stack.
    Never,
    /// Yes, until the one before was closed with its end line.
    WhileOpen,
    /// Yes, whenever there was one before: this header only says what became of it.
    Always,
}

/// One thing a header can turn out to be.
#[derive(Debug)]
pub struct Form {
    /// Patterns (see [`crate::template`]): the first at the literal, the others in lines behind it, in order. Captures of all of
    /// them may be used in the titles.
    pub seen: &'static [&'static str],
    /// The title; `{frame}` is the function to blame, any other name a capture.
    pub title: &'static str,
    /// Other titles that the same bug is known by, written the same way.
    pub alt: &'static [&'static str],
    /// Where the function to blame is looked for: the first source that gives one not to be skipped wins.
    pub frame: &'static [Source],
    /// Functions to skip on top of the common list ([`crate::skip`]), because this check itself runs in them.
    pub skip: &'static [&'static str],
    /// Why a report that fits only this form cannot be trusted, when it cannot.
    pub corrupted: Option<&'static str>,
}

/// Where a function to blame can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The function that the header names (the capture `fn`), believed only when a stack follows: a header is easily torn.
    Captured,
    /// The function that the header names, at its word.
    Named,
    /// The instruction pointer: `RIP:`, `pc :`, `PC is at`, `epc :`, `NIP`.
    Pointer,
    /// The first stack trace.
    Trace,
    /// What the CPU was asked to do ([`crate::stall`]): for stalls and overflows, where any function may be the innermost.
    Anchor,
}

/// A rule with nothing set but what its row says.
const RULE: Rule = Rule { literal: "", except: &[], place: Place::Anywhere, follows: Follows::Never, forms: &[] };
/// A form with nothing set but what its row says: the frame is the first one of the trace.
const FORM: Form = Form { seen: &[], title: "", alt: &[], frame: &[Source::Trace], skip: &[], corrupted: None };

const TRACE: &[Source] = &[Source::Trace];
const POINTER: &[Source] = &[Source::Pointer, Source::Trace];
const CAPTURED: &[Source] = &[Source::Captured, Source::Trace];
const NAMED: &[Source] = &[Source::Named, Source::Trace];
/// The trace; the header's own word where that was torn off.
const TRACE_OR_NAMED: &[Source] = &[Source::Trace, Source::Named];
const ANCHOR: &[Source] = &[Source::Anchor];
const NONE: &[Source] = &[];

/// Other titles of a bad access: detectors and architectures name one bug differently.
const BAD_ACCESS: &[&str] = &["bad-access in {frame}"];
const INVALID_FREE: &[&str] = &["invalid-free in {frame}"];
const STACK_OVERFLOW: &[&str] = &["stack-overflow in {frame}"];
const HANG: &[&str] = &["hang in {frame}"];
const STALL: &[&str] = &["stall in {frame}"];

/// All rules, in groups.
const GROUPS: [&[Rule]; 6] = [access::RULES, faults::RULES, locks::RULES, stuck::RULES, warnings::RULES, ends::RULES];

/// All rules. Of two literals that stand at one place in a line, the longer one counts.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    GROUPS.iter().copied().flatten()
}
