//! Reads what the command line names: files, folders, standard input, selftests. Owns what is read and how much of it.

use std::fs;
use std::io;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use super::draft;
use super::kselftest;
use super::kselftest::Collection;
use super::kselftest::Limit;
use super::pieces;
use super::pieces::Selftest;
use super::pieces::Source;
use crate::bounded;
use crate::error::Error;

/// Most that is read of a file: consoles of fuzzers' machines are a few MiB.
const LONGEST: u64 = 64 << 20;
/// Files of a folder, at most.
const MOST: usize = 500;
/// Most that is read in all.
const ALL: usize = 512 << 20;

/// Where a tree has its selftests.
const SELFTESTS: &str = "tools/testing/selftests";

/// What was read.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Files, in their order.
    pub sources: Vec<Source>,
    /// Selftests.
    pub selftests: Vec<Selftest>,
    /// What was not read, and why.
    pub skipped: Vec<(String, String)>,
}

/// Reads everything that is named. `tree` is the work tree in which selftests are looked for by name.
///
/// # Errors
/// All that cannot be read, at once.
pub fn gather(paths: &[PathBuf], tree: Option<&Path>) -> Result<Gathered, Error> {
    let mut gathered = Gathered::default();
    let mut errors = Vec::new();
    for path in paths {
        if let Err(error) = gathered.add(path, tree) {
            errors.push(error);
        }
    }
    if errors.is_empty() { Ok(gathered) } else { Err(Error::all(errors)) }
}

impl Gathered {
    fn add(&mut self, path: &Path, tree: Option<&Path>) -> Result<(), Error> {
        if path == Path::new("-") {
            let bytes = bounded::read_from(io::stdin().lock(), LONGEST).map_err(|error| failed(path, &error))?;
            self.sources.push(Source { name: "standard input".to_owned(), bytes, ..Source::default() });
            return Ok(());
        }
        let text = path.to_string_lossy();
        if text.starts_with("https:") || text.starts_with("http:") {
            return Err(a_link(&text));
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.folder(path),
            // To open a pipe waits for who writes into it.
            Ok(found) if !found.is_file() => Err(no_file(path, kind(found.file_type()))),
            Ok(_) => match in_collection(path) {
                Some(test) => {
                    self.selftests.push(test);
                    Ok(())
                }
                None => self.file(path),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(test) = of_folder(path).or_else(|| by_name(&text, tree)) {
                    self.selftests.push(test?);
                    return Ok(());
                }
                Err(failed(path, &error))
            }
            Err(error) => Err(failed(path, &error)),
        }
    }

    fn file(&mut self, path: &Path) -> Result<(), Error> {
        if !path.to_str().is_some_and(draft::is_plain) {
            let what = format!("{:?} has letters in its name that a job file cannot have", path.display().to_string());
            return Err(Error::user(what).hint("give it another name"));
        }
        let bytes = match bounded::read(path, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => disk(path).ok_or_else(|| failed(path, &error))?,
            other => other.map_err(|error| failed(path, &error))?,
        };
        if self.sources.iter().map(|source| source.bytes.len()).sum::<usize>() + bytes.len() > ALL {
            return Err(Error::user(format!("{} is too much: 512 MiB were read before it", path.display())));
        }
        let absolute = std::path::absolute(path).map_err(|error| failed(path, &error))?;
        let executable = fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
        self.sources.push(Source { name: path.display().to_string(), path: Some(absolute), bytes, executable });
        Ok(())
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Error> {
        if folder.join(".git").exists() {
            let what = format!("{} is a git repository, not a folder of findings", folder.display());
            return Err(Error::user(what).hint("name it with --repo, and what you have by file or folder"));
        }
        if let Some(collection) = collection(folder) {
            self.selftests.push(selftest(folder.display().to_string(), folder, collection, None)?);
            return Ok(());
        }
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
            .map_err(|error| failed(folder, &error))?;
        entries.sort();
        // A clone beside what was found is nothing that was found.
        entries.retain(|path| !path.join(".git").exists());
        let (files, others): (Vec<PathBuf>, Vec<PathBuf>) = entries.into_iter().partition(|path| path.is_file());
        let (folders, others): (Vec<PathBuf>, Vec<PathBuf>) = others.into_iter().partition(|path| path.is_dir());
        if files.len() > MOST {
            let what = format!("{} has {} files, more than {MOST}", folder.display(), files.len());
            return Err(Error::user(what).hint("name the files that matter, or the folder of one crash"));
        }
        if files.is_empty() {
            let mut what = format!("there is no file in {}", folder.display());
            for path in &others {
                what += &format!("\n{} is {}", path.display(), odd(path));
            }
            let hint = folders.first().map(|first| format!("name the folder of one crash, such as {}", first.display()));
            return Err(hint.into_iter().fold(Error::user(what), Error::hint));
        }
        for path in files {
            match self.file(Path::new(path.strip_prefix("./").unwrap_or(&path))) {
                Ok(()) => {}
                // One bad file of many is no reason to give up.
                Err(error) => self.skipped.push((path.display().to_string(), error.message)),
            }
        }
        let skipped = folders.iter().map(|path| (path.display().to_string(), "a folder: name it to have it read".to_owned()));
        self.skipped.extend(skipped);
        self.skipped.extend(others.iter().map(|path| (path.display().to_string(), odd(path))));
        Ok(())
    }
}

/// What something is that is neither a file nor a folder, nor a link to one.
fn odd(path: &Path) -> String {
    let what = fs::metadata(path).map(|found| kind(found.file_type()));
    match what {
        Ok(kind) => format!("{kind}, not a file"),
        Err(error) if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) => {
            let why = if error.kind() == io::ErrorKind::NotFound { "nothing".to_owned() } else { format!("no file ({error})") };
            format!("a link that leads to {why}")
        }
        Err(error) => format!("something that cannot be looked at: {error}"),
    }
}

fn kind(found: fs::FileType) -> &'static str {
    if found.is_fifo() {
        "a pipe"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn no_file(path: &Path, kind: &str) -> Error {
    let error = Error::user(format!("{} is {kind}, not a file", path.display()));
    error.hint(format!(
        "what comes out of it can be handed over as standard input: kbisect start - < {}",
        crate::git::quoted(path)
    ))
}

/// The first bytes of a file that is too long for anything but a disk, if it is one.
fn disk(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    fs::File::open(path).ok()?.take(pieces::DISK_HEAD).read_to_end(&mut head).ok()?;
    pieces::is_disk(&head).then_some(head)
}

fn failed(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Error::user(format!("{} is longer than 64 MiB", path.display()))
            .hint("cut what matters out of it: the boot's first lines and the crash"),
        io::ErrorKind::NotFound => Error::user(format!("there is no file, folder or selftest `{}`", path.display()))
            .hint("selftests are named as COLLECTION or COLLECTION:TEST and looked for in --repo's work tree"),
        _ => Error::user(format!("cannot read `{}`: {error}", path.display())),
    }
}

/// What to do with a link: nothing is fetched.
fn a_link(link: &str) -> Error {
    let error = Error::user(format!("{link} is a link, and kbisect fetches nothing"));
    if link.contains("/bug?") {
        let json = format!("{link}&json=1");
        return error
            .hint(format!(
                "save what syzbot knows of the bug, and start from that: curl -o bug.json '{json}'; kbisect start bug.json"
            ))
            .hint("or save the report's mail and start from it: it has the console, and links to the rest");
    }
    error.hint("save what it leads to, and name the file")
}

/// A test by its collection's folder and its name, `FOLDER:TEST`; none where there is no such folder.
fn of_folder(path: &Path) -> Option<Result<Selftest, Error>> {
    let (folder, test) = path.to_str()?.rsplit_once(':').filter(|(_, test)| kselftest::is_test(test))?;
    let collection = collection(Path::new(folder))?;
    Some(selftest(path.display().to_string(), Path::new(folder), collection, Some(test)))
}

/// A test by its name, looked for in a work tree; none where the text is no such name or the tree has no such collection.
fn by_name(text: &str, tree: Option<&Path>) -> Option<Result<Selftest, Error>> {
    let (name, test) = kselftest::name(text)?;
    let folder = tree?.join(SELFTESTS).join(name);
    let collection = collection(&folder)?;
    Some(selftest(text.to_owned(), &folder, collection, test))
}

/// A test by one of its files.
fn in_collection(path: &Path) -> Option<Selftest> {
    let folder = path.parent()?;
    let collection = collection(folder)?;
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".c").unwrap_or(name);
    let test = [name, stem].into_iter().find(|test| collection.has(test))?.to_owned();
    selftest(path.display().to_string(), folder, collection, Some(&test)).ok()
}

fn collection(folder: &Path) -> Option<Collection> {
    let makefile = read_file(&folder.join("Makefile"), 1 << 20)?;
    Collection::of_makefile(&String::from_utf8_lossy(&makefile))
}

/// A file that may be there, and may be something else.
fn read_file(path: &Path, most: u64) -> Option<Vec<u8>> {
    if path.is_file() { bounded::read(path, most).ok() } else { None }
}

fn selftest(name: String, folder: &Path, collection: Collection, test: Option<&str>) -> Result<Selftest, Error> {
    let known: Vec<&str> = collection.tests().collect();
    if let Some(test) = test.filter(|test| !collection.computed && !collection.has(test)) {
        let error = Error::user(format!("{} has no test {test}", folder.display()));
        return Err(if known.is_empty() { error } else { error.hint(format!("it has {}", known.join(", "))) });
    }
    let folder = std::path::absolute(folder).map_err(|error| failed(folder, &error))?;
    let settings = read_file(&folder.join("settings"), 64 << 10).unwrap_or_default();
    let config = Some(folder.join("config")).filter(|config| config.is_file());
    Ok(Selftest {
        name,
        limit: Limit::of_settings(&String::from_utf8_lossy(&settings)),
        test: test.map(str::to_owned),
        of_tree: of_tree(&folder),
        collection,
        folder,
        config,
    })
}

/// A collection's name, where it lies in a tree.
fn of_tree(folder: &Path) -> Option<String> {
    let text = folder.components().collect::<PathBuf>().to_str()?.to_owned();
    let (_, name) = text.rsplit_once(&format!("/{SELFTESTS}/"))?;
    kselftest::name(name).filter(|(_, test)| test.is_none()).map(|(name, _)| name.to_owned())
}
