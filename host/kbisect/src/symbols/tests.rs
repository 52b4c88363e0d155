#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::*;

/// A kernel of one file, with calls that are inlined and functions of one name.
const MAIN: &str = "
#include \"step.h\"
int twice_seen(int x);
static __attribute__((noinline)) int local(int x) { return twice_seen(x) * 3; }
static inline __attribute__((always_inline)) int outer(int x)
{
	return inner(x) + 1;
}
int start_kernel(int x)
{
	int y = local(x);
	y += outer(y);
	return y + local(y);
}
";
const STEP: &str = "int deeper(int x);
static inline __attribute__((always_inline)) int inner(int x)
{
	return deeper(x) + deeper(x + 1);
}
";
const OTHER: &str = "
static __attribute__((noinline)) int local(int x) { volatile int a[8]; for (int i = 0; i < 8; i++) a[i] = x; return a[x & 7]; }
int deeper(int x) { return local(x) + 1; }
int twice_seen(int x) { return local(x + 1) + 2; }
";

fn cc(dir: &Path, args: &[&str]) {
    assert!(Command::new("cc").current_dir(dir).args(args).status().unwrap().success(), "cc {args:?}");
}

/// Writes the kernel's source and builds `vmlinux` in a folder.
fn build(dir: &Path) {
    fs::create_dir_all(dir.join("init")).unwrap();
    fs::create_dir_all(dir.join("lib")).unwrap();
    fs::write(dir.join("init/main.c"), MAIN).unwrap();
    fs::write(dir.join("init/step.h"), STEP).unwrap();
    fs::write(dir.join("lib/other.c"), OTHER).unwrap();
    cc(dir, &["-g", "-O1", "-nostdlib", "-static", "-Wl,-e,start_kernel", "-o", "vmlinux", "init/main.c", "lib/other.c"]);
}

/// The functions of a file as `nm` lists them: address, extent and name, in the order of their addresses.
fn nm(dir: &Path, file: &str) -> Vec<(u64, u64, String)> {
    let listed = Command::new("nm").current_dir(dir).args(["-n", file]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let symbols: Vec<(u64, String)> = listed
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [address, kind, name] = words[..] else { return None };
            "tT".contains(kind).then(|| (u64::from_str_radix(address, 16).unwrap(), name.to_owned()))
        })
        .collect();
    symbols.windows(2).map(|pair| (pair[0].0, pair[1].0 - pair[0].0, pair[0].1.clone())).collect()
}

/// What `addr2line` of binutils says of an address: places from the innermost, in the tree's paths.
fn addr2line(dir: &Path, file: &str, address: u64) -> String {
    let asked = Command::new("addr2line").current_dir(dir).args(["-i", "-e", file, &format!("{address:#x}")]).output().unwrap();
    let root = format!("{}/", dir.display());
    let places: Vec<String> = String::from_utf8(asked.stdout)
        .unwrap()
        .lines()
        // A line may end with " (discriminator 2)".
        .map(|line| line.split(' ').next().unwrap().replace(&root, ""))
        .collect();
    places.join(" ")
}

fn annotated(symbols: &Symbols, console: &str) -> String {
    String::from_utf8(symbols.annotate(console.as_bytes(), usize::MAX).text).unwrap()
}

#[test]
fn places_are_those_of_binutils() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let symbols = Symbols::new(dir.path().join("vmlinux"), None);
    let (mut compared, mut inlined) = (0, 0);
    for (address, extent, name) in nm(dir.path(), "vmlinux") {
        for offset in 1..=extent {
            let frame = format!("{name}+{offset:#x}/{extent:#x}");
            let expected = addr2line(dir.path(), "vmlinux", address + offset - 1);
            assert_eq!(annotated(&symbols, &format!(" {frame}\n")), format!(" {frame} ({expected})\n"));
            compared += 1;
            inlined += usize::from(expected.contains("init/step.h") && expected.matches("init/main.c").count() == 2);
        }
    }
    assert!(compared > 100 && inlined > 2, "{compared} compared, {inlined} in functions inlined twice");
}

#[test]
fn functions_of_one_name_are_told_apart_by_their_size() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let symbols = Symbols::new(dir.path().join("vmlinux"), None);
    let places: Vec<String> = nm(dir.path(), "vmlinux")
        .into_iter()
        .filter(|(.., name)| name == "local")
        .map(|(_, extent, _)| annotated(&symbols, &format!("local+0x4/{extent:#x}")))
        .collect();
    assert_eq!(places.len(), 2);
    assert!(places.iter().any(|place| place.contains("(init/main.c:")), "{places:?}");
    assert!(places.iter().any(|place| place.contains("(lib/other.c:")), "{places:?}");
    // Another build's frame.
    assert_eq!(annotated(&symbols, "local+0x4/0x7777"), "local+0x4/0x7777");
    assert_eq!(annotated(&symbols, "missing+0x4/0x10"), "missing+0x4/0x10");
}

#[test]
fn an_instruction_pointer_is_not_a_return_address() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let symbols = Symbols::new(dir.path().join("vmlinux"), None);
    let (address, extent, name) = nm(dir.path(), "vmlinux").into_iter().find(|(.., name)| name == "start_kernel").unwrap();
    // Where a line begins, the two readings differ.
    let offset = (1..extent).find(|offset| {
        addr2line(dir.path(), "vmlinux", address + offset) != addr2line(dir.path(), "vmlinux", address + offset - 1)
    });
    let offset = offset.unwrap();
    let at = |address| addr2line(dir.path(), "vmlinux", address);
    for (line, expected) in [
        (format!("RIP: 0010:{name}+{offset:#x}/{extent:#x}"), at(address + offset)),
        (format!("pc : {name}+{offset:#x}/{extent:#x}"), at(address + offset)),
        (format!("[    1.0] [T1]  ? {name}+{offset:#x}/{extent:#x}"), at(address + offset - 1)),
    ] {
        assert_eq!(annotated(&symbols, &line), format!("{line} ({expected})"));
    }
}

#[test]
fn frames_of_modules_are_looked_up_in_their_files() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    fs::create_dir_all(dir.path().join("modules/drivers/net")).unwrap();
    cc(dir.path(), &["-g", "-O1", "-c", "-o", "modules/drivers/net/one-two.ko", "lib/other.c"]);
    let symbols = Symbols::new(dir.path().join("vmlinux"), Some(dir.path().join("modules")));
    let (address, extent, _) =
        nm(dir.path(), "modules/drivers/net/one-two.ko").into_iter().find(|(.., name)| name == "deeper").unwrap();
    let expected = addr2line(dir.path(), "modules/drivers/net/one-two.ko", address + 3);
    let frame = format!("deeper+0x4/{extent:#x}");
    assert_eq!(annotated(&symbols, &format!(" {frame} [one_two]\n")), format!(" {frame} ({expected}) [one_two]\n"));
    assert_eq!(
        annotated(&symbols, &format!(" {frame} [one_two 0123456789abcdef]\n")),
        format!(" {frame} ({expected}) [one_two 0123456789abcdef]\n"),
    );
    assert_eq!(annotated(&symbols, &format!(" {frame} [three]\n")), format!(" {frame} [three]\n"));
}

#[test]
fn what_has_its_place_already_stays() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let symbols = Symbols::new(dir.path().join("vmlinux"), None);
    let (_, extent, name) = nm(dir.path(), "vmlinux").into_iter().find(|(.., name)| name == "deeper").unwrap();
    let once = annotated(&symbols, &format!("{name}+0x4/{extent:#x}\n"));
    assert!(once.contains("lib/other.c:3"), "{once}");
    assert_eq!(annotated(&symbols, &once), once);
    let placed = format!("{name}+0x4/{extent:#x} lib/old.c:77\n");
    assert_eq!(annotated(&symbols, &placed), placed);
}

#[test]
fn a_text_stays_within_its_bounds() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let symbols = Symbols::new(dir.path().join("vmlinux"), None);
    let (_, extent, name) = nm(dir.path(), "vmlinux").into_iter().find(|(.., name)| name == "deeper").unwrap();
    let console = format!("{name}+0x4/{extent:#x}\n").repeat(100);
    let whole = symbols.annotate(console.as_bytes(), usize::MAX).text.len();
    for most in [console.len(), console.len() + 40, whole - 1, whole] {
        let text = symbols.annotate(console.as_bytes(), most).text;
        assert!(text.len() <= most && text.iter().filter(|byte| **byte == b'\n').count() == 100);
    }
}

#[test]
fn a_line_of_many_frames_is_not_read_to_its_end_for_each() {
    for (piece, module) in [("f+0x1/0x2 [a ", None), ("f+0x1/0x2(", None), ("f+0x1/0x2 [a] ", Some("a"))] {
        let line = piece.repeat(100_000);
        let found = frame::frames(line.as_bytes());
        assert_eq!(found.len(), 100_000, "{piece}");
        assert!(found.iter().all(|frame| (frame.name, frame.module, frame.placed) == ("f", module, false)));
    }
}

#[test]
fn files_that_cannot_be_read_say_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("vmlinux"), b"\x7fELF and then nonsense").unwrap();
    for file in ["vmlinux", "missing"] {
        assert_eq!(annotated(&Symbols::new(dir.path().join(file), None), "f+0x1/0x2\n"), "f+0x1/0x2\n");
    }
}

/// Sections that say they lie beyond all addresses, or are larger than any file.
#[test]
fn files_that_lie_about_their_sections_are_read_as_far_as_they_go() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    fs::create_dir(dir.path().join("modules")).unwrap();
    cc(dir.path(), &["-g", "-O1", "-c", "-o", "modules/one.ko", "lib/other.c"]);
    let (_, extent, name) = nm(dir.path(), "vmlinux").into_iter().find(|(.., name)| name == "deeper").unwrap();
    let console = format!("{name}+0x4/{extent:#x}\n{name}+0x4/{extent:#x} [one]\n");
    for file in ["vmlinux", "modules/one.ko"] {
        let sound = fs::read(dir.path().join(file)).unwrap();
        let number = |at: usize| u64::from_le_bytes(*sound[at..].first_chunk().unwrap());
        let (headers, count) = (number(0x28) as usize, usize::from(sound[0x3c]));
        // Flags, address, offset, size, link and information, alignment, size of an entry.
        for (section, field) in (0..count).flat_map(|section| (1..8).map(move |field| (section, field * 8))) {
            for lie in [u64::MAX, u64::MAX - 4096, 1 << 50] {
                let mut bytes = sound.clone();
                bytes[headers + section * 64 + field..][..8].copy_from_slice(&lie.to_le_bytes());
                fs::write(dir.path().join(file), bytes).unwrap();
                let symbols = Symbols::new(dir.path().join("vmlinux"), Some(dir.path().join("modules")));
                assert_eq!(annotated(&symbols, &console).lines().count(), 2);
            }
        }
        fs::write(dir.path().join(file), sound).unwrap();
    }
}

#[test]
fn names_of_rust_are_demangled() {
    let symbols = Symbols::new("missing".into(), None);
    let mangled = " _RNvCs1234_7mycrate3foo+0x10/0x20\n";
    assert_eq!(annotated(&symbols, mangled), " mycrate::foo+0x10/0x20\n");
}

proptest! {
    #[test]
    fn spans_of_whole_lines_come_back(lines in proptest::collection::vec(
        prop_oneof!["[ -~]{0,20}", Just(" deeper+0x4/0x1c".to_owned()), Just("RIP: 0010:_RNvCs1234_7mycrate3foo+0x1/0x2".to_owned())],
        1..20,
    ), from in 0_usize..20, count in 0_usize..20) {
        let console: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let annotated = Symbols::new("missing".into(), None).annotate(console.as_bytes(), usize::MAX);
        let text = String::from_utf8(annotated.text.clone()).unwrap();
        prop_assert_eq!(text.lines().count(), console.lines().count());
        let from = from.min(lines.len());
        let to = (from + count).min(lines.len());
        let length = |text: &str, lines: usize| u32::try_from(text.split_inclusive('\n').take(lines).map(str::len).sum::<usize>()).unwrap();
        let span = Span { start: length(&text, from), end: length(&text, to) };
        prop_assert_eq!(annotated.in_console(span), Span { start: length(&console, from), end: length(&console, to) });
    }

    #[test]
    fn any_bytes_keep_their_lines(console in proptest::collection::vec(any::<u8>(), 0..400)) {
        let annotated = Symbols::new("missing".into(), None).annotate(&console, usize::MAX);
        prop_assert_eq!(annotated.text, console);
    }
}
