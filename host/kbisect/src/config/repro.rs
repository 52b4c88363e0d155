//! `repro`: what shows the crash, as a path or as a section.

use std::path::Path;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::document::Section;
use super::job::Repro;
use super::job::ReproArch;
use super::job::Suite;
use super::origin::Origin;
use super::path;
use super::value;
use super::value::Read;

/// Architectures by name; 386 is syzkaller's.
pub(super) const ARCHES: [(&str, ReproArch); 2] = [("host", ReproArch::Host), ("386", ReproArch::I386)];

/// Suites by name.
pub(super) const SUITES: [(&str, Suite); 2] = [("kselftest", Suite::Kselftest), ("ltp", Suite::Ltp)];

/// The reproducer, if there is one: `repro = "repro.c"`, or a section.
pub(super) fn read(top: &Section<'_, '_>) -> Option<Repro> {
    let base = top.document().base.clone();
    if top.get("repro", |value| Ok(value.get_ref().is_table())) != Some(true) {
        return top.get("repro", |value| path::file(value, &base)).map(Repro::of);
    }
    let section = top.inner("repro");
    let file =
        section.required("file", "the reproducer: C source, a program, a script or a folder", |value| either(value, &base));
    let repro = Repro {
        arch: section.get_or("arch", |value| value::word(value, &ARCHES), ReproArch::Host, Origin::guess("as this machine")),
        entry: section.get("entry", entry),
        suite: section.get("suite", |value| value::word(value, &SUITES)),
        source: section.get("source", |value| path::file(value, &base)),
        file: file.clone().unwrap_or_default(),
    };
    if file.is_some() {
        check(&section, &repro);
    }
    section.close();
    file.map(|_| repro)
}

/// What does not go together.
fn check(section: &Section<'_, '_>, repro: &Repro) {
    let is_folder = repro.file.is_dir();
    match &repro.entry {
        None if is_folder && !section.has("entry") => {
            let text = format!("[repro] `file`: {} is a folder; `entry` says what is run of it", repro.file.display());
            section.complain(Some("file"), text);
        }
        Some(_) if !is_folder => {
            section.complain(Some("entry"), "[repro] `entry` is for folders; of a file, all is run");
        }
        Some(entry) if !repro.file.join(entry).is_file() => {
            section.complain(Some("entry"), format!("[repro] `entry`: there is no file {entry} in {}", repro.file.display()));
        }
        _ => {}
    }
}

/// A file or a folder.
fn either(value: &Spanned<DeValue<'_>>, base: &Path) -> Read<PathBuf> {
    let path = path::resolve(value, base)?;
    match path.metadata() {
        Ok(_) => Ok(path),
        Err(error) => value::complain(value, format!("cannot use {}: {error}", path.display())),
    }
}

/// A path inside a folder.
fn entry(value: &Spanned<DeValue<'_>>) -> Read<String> {
    let entry = value::line(value)?;
    let inside = Path::new(&entry).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if inside { Ok(entry) } else { value::complain(value, "must be a path inside the folder, such as \"run.sh\"") }
}
