//! `repro`: what shows the crash, as a path or as a section.

use std::path::Path;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::command;
use super::command::Place;
use super::document::Section;
use super::job::Harness;
use super::job::Made;
use super::job::Repro;
use super::job::ReproArch;
use super::job::Selftest;
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
    let made = made(&section);
    let what = "the reproducer: C source, a program, a script or a folder";
    let file = match &made {
        // Runs name what was made.
        Some(_) => Some(section.get("file", |value| either(value, &base)).unwrap_or_default()),
        None => section.required("file", what, |value| either(value, &base)),
    };
    let (usual_entry, usual_suite) = match &made {
        Some(Made::Selftest(test)) => (Some(format!("{}/{}", test.collection, test.test)), Some(Suite::Kselftest)),
        _ => (None, None),
    };
    let arch = section.get_or("arch", |value| value::word(value, &ARCHES), ReproArch::Host, Origin::guess("as this machine"));
    let then = section.get("then", |value| path::file(value, &base)).map(|file| {
        let source = section.get("then_source", |value| path::file(value, &base));
        Box::new(Repro { arch, source, ..Repro::of(file) })
    });
    let repro = Repro {
        arch,
        entry: section.get("entry", entry).or(usual_entry),
        suite: section.get("suite", |value| value::word(value, &SUITES)).or(usual_suite),
        source: section.get("source", |value| path::file(value, &base)),
        file: file.clone().unwrap_or_default(),
        made,
        then,
    };
    if repro.made.is_some() && repro.entry.is_none() {
        section.complain(None, "[repro] missing `entry`: what is run of the folder that is taken");
    } else if file.is_some() && !repro.file.as_os_str().is_empty() {
        check(&section, &repro);
    }
    section.close();
    file.map(|_| repro)
}

/// What makes the reproducer, where the section says so.
fn made(section: &Section<'_, '_>) -> Option<Made> {
    let base = &section.document().base;
    let selftest = section.get("kselftest", selftest);
    if !section.has("repository") {
        for key in ["commit", "build", "take"].into_iter().filter(|key| section.has(key)) {
            section.complain(Some(key), format!("[repro] `{key}` goes with `repository`"));
        }
        return selftest.map(Made::Selftest);
    }
    if section.has("kselftest") {
        section.complain(Some("kselftest"), "[repro] `kselftest` and `repository` do not go together");
    }
    let repository = section.get("repository", |value| path::folder(value, base));
    let commit = section.required("commit", "the harness's commit", value::line);
    let build =
        section.required("build", "program and arguments that build the harness", |value| command::read(value, Place::Build));
    let take = section.get_or("take", take, ".".to_owned(), Origin::guess("all of the harness"));
    Some(Made::Harness(Harness { repository: repository?, commit: commit?, build: build?, take }))
}

/// `COLLECTION:TEST`, as `run_kselftest.sh -t` takes it.
fn selftest(value: &Spanned<DeValue<'_>>) -> Read<Selftest> {
    let text = value::line(value)?;
    let is_path =
        |path: &str| !path.is_empty() && Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    match text.split_once(':') {
        Some((collection, test)) if is_path(collection) && is_path(test) => {
            Ok(Selftest { collection: collection.to_owned(), test: test.to_owned() })
        }
        _ => value::complain(value, "must be COLLECTION:TEST, such as \"timers:posix_timers\""),
    }
}

/// A folder of a checkout; `.` is all of it.
fn take(value: &Spanned<DeValue<'_>>) -> Read<String> {
    if value.get_ref().as_str() == Some(".") { Ok(".".to_owned()) } else { entry(value) }
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
