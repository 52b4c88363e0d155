//! Places of frames in the distribution's own kernel, held against binutils. Needs its debug package, which is too large to be
//! fetched here: `./x test-linux` says what is skipped where it is missing.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use kbisect::symbols::Symbols;

/// The newest debug kernel here: `$KBISECT_TEST_VMLINUX`, or what a `linux-image-…-dbg` package installs.
fn debug_kernel() -> Option<PathBuf> {
    let stated = std::env::var_os("KBISECT_TEST_VMLINUX").map(PathBuf::from);
    let installed = || {
        let entries = fs::read_dir("/usr/lib/debug/boot").ok()?.flatten().map(|entry| entry.path());
        entries.filter(|path| path.to_string_lossy().contains("/vmlinux-")).max()
    };
    let found = stated.or_else(installed);
    if found.is_none() {
        println!("skipped: no debug kernel; install linux-image-cloud-amd64-dbg or set KBISECT_TEST_VMLINUX");
    }
    found
}

/// Where the modules of a debug kernel are installed.
fn modules(vmlinux: &Path) -> Option<PathBuf> {
    let release = vmlinux.file_name()?.to_str()?.strip_prefix("vmlinux-")?;
    let folder = vmlinux.parent()?.parent()?.join("lib/modules").join(release);
    folder.is_dir().then_some(folder)
}

fn run(program: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("binutils are there");
    let (mut to, input) = (child.stdin.take().expect("piped"), input.to_owned());
    let writer = std::thread::spawn(move || to.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads");
    String::from_utf8(output.stdout).expect("text")
}

/// A frame as the kernel prints it, and the address before the one that it returns to.
struct Frame {
    text: String,
    call: u64,
}

/// `count` frames from all over a file's code, always the same. Functions of one name are left out.
fn frames(file: &Path, module: &str, section: &str, count: usize) -> Vec<Frame> {
    let listed = run("objdump", &["-t", "-j", section, &file.to_string_lossy()], "");
    let mut symbols: Vec<(u64, String)> = listed
        .lines()
        .filter_map(|line| {
            let (place, rest) = line.split_once(&format!(" {section}\t"))?;
            let name = rest.split_whitespace().next_back()?;
            let address = u64::from_str_radix(place.split(' ').next()?, 16).ok()?;
            (!name.starts_with('.')).then(|| (address, name.to_owned()))
        })
        .collect();
    symbols.sort();
    let names: Vec<&str> = symbols.iter().map(|(_, name)| name.as_str()).collect();
    let once = |name: &str| names.iter().filter(|other| **other == name).count() == 1;
    let functions: Vec<(u64, u64, &str)> = symbols
        .windows(2)
        .map(|pair| (pair[0].0, pair[1].0 - pair[0].0, pair[0].1.as_str()))
        .filter(|(_, size, _)| *size >= 48)
        .collect();
    let step = (functions.len() / count).max(1);
    let chosen = functions.iter().step_by(step).filter(|(.., name)| once(name)).take(count).enumerate();
    chosen
        .map(|(nth, (address, size, name))| {
            let offset = 1 + nth as u64 * 31 % (size - 1);
            Frame { text: format!("{name}+{offset:#x}/{size:#x}{module}"), call: address + offset - 1 }
        })
        .collect()
}

/// What binutils say of addresses: for each the places, innermost first, as file and line.
fn by_binutils(file: &Path, section: &str, addresses: &[u64]) -> Vec<Vec<(String, String)>> {
    let input: String = addresses.iter().fold(String::new(), |mut input, address| {
        let _ = writeln!(input, "{address:#x}");
        input
    });
    let file = file.to_string_lossy();
    // With a section, addresses count from its beginning: what those of modules do anyhow.
    let module = ["-i", "-a", "-e", &file, "-j", section];
    let args = if file.ends_with(".ko") { &module[..] } else { &module[..4] };
    let mut all: Vec<Vec<(String, String)>> = Vec::new();
    for line in run("addr2line", args, &input).lines() {
        if line.starts_with("0x") {
            all.push(Vec::new());
        } else if let Some(((file, number), places)) =
            line.split(' ').next().and_then(|place| place.rsplit_once(':')).zip(all.last_mut())
        {
            places.push((file.to_owned(), number.to_owned()));
        }
    }
    all
}

/// The places that are written behind a frame.
fn written(line: &str) -> Vec<(String, String)> {
    let places = line.split_once(" (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(places, _)| places);
    places.split(' ').filter_map(|place| place.rsplit_once(':')).map(|(file, line)| (file.to_owned(), line.to_owned())).collect()
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| *part != ".") {
        match part {
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// How many frames of a file have other places than binutils say, of how many that either knows.
fn differences(symbols: &Symbols, file: &Path, module: &str, section: &str, count: usize) -> (usize, usize) {
    let frames = frames(file, module, section, count);
    let console: String = frames.iter().map(|frame| format!(" {}\n", frame.text)).collect();
    let text = String::from_utf8(symbols.annotate(console.as_bytes(), usize::MAX).text).expect("text");
    let addresses: Vec<u64> = frames.iter().map(|frame| frame.call).collect();
    let expected = by_binutils(file, section, &addresses);
    assert_eq!(expected.len(), frames.len());
    let (mut different, mut known) = (0, 0);
    for (line, expected) in text.lines().zip(expected) {
        let expected: Vec<_> = expected.into_iter().filter(|(file, line)| file != "??" && line != "?" && line != "0").collect();
        let found = written(line);
        // Theirs begins with the folder that it was built in; and where a macro of a header makes a whole function, they take the
        // line's number from the header and the file's name from the unit.
        let fits = |(ours, theirs): (&(String, String), &(String, String))| {
            (plain(&theirs.0).ends_with(&ours.0) || ours.0.ends_with(".h") && theirs.0.ends_with(".c")) && ours.1 == theirs.1
        };
        known += usize::from(!expected.is_empty() || !found.is_empty());
        if expected.len() != found.len() || !found.iter().zip(&expected).all(fits) {
            println!("{line}\n    binutils: {expected:?}");
            different += 1;
        }
    }
    (different, known)
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_places_of_the_kernel_are_those_of_binutils() {
    let Some(vmlinux) = debug_kernel() else { return };
    let symbols = Symbols::new(vmlinux.clone(), None);
    let (different, known) = differences(&symbols, &vmlinux, "", ".text", 300);
    println!("{different} of {known} differ");
    assert!(known > 250 && different == 0, "{different} of {known} differ");
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_thirty_frames_take_less_than_a_second() {
    let Some(vmlinux) = debug_kernel() else { return };
    let console: String = frames(&vmlinux, "", ".text", 30).iter().map(|frame| format!(" {}\n", frame.text)).collect();
    let begun = Instant::now();
    let text = Symbols::new(vmlinux, None).annotate(console.as_bytes(), usize::MAX).text;
    let taken = begun.elapsed().as_secs_f64();
    let text = String::from_utf8(text).expect("text");
    println!("{text}{taken:.2} s");
    assert!(text.lines().filter(|line| !written(line).is_empty()).count() >= 25);
    // Far more than it takes, for the sake of busy machines.
    assert!(taken < 10.0, "{taken} s");
}

#[test]
#[ignore = "slow: ./x test-linux"]
fn linux_places_of_modules_are_those_of_binutils() {
    let Some(vmlinux) = debug_kernel() else { return };
    let Some(modules) = modules(&vmlinux) else {
        println!("skipped: no modules beside {}", vmlinux.display());
        return;
    };
    let symbols = Symbols::new(vmlinux, Some(modules.clone()));
    for (path, module) in
        [("kernel/fs/xfs/xfs.ko", "xfs"), ("kernel/fs/btrfs/btrfs.ko", "btrfs"), ("kernel/fs/fuse/fuse.ko", "fuse")]
    {
        let (different, known) = differences(&symbols, &modules.join(path), &format!(" [{module}]"), ".text", 60);
        println!("{module}: {different} of {known} differ");
        assert!(known > 50 && different == 0, "{module}: {different} of {known} differ");
    }
}
