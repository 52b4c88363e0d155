//! What differs from machine to machine and from boot to boot changes nothing: stamps, prefixes, line ends, addresses, numbers of
//! tasks and CPUs, and what was printed before and after. Consoles are the golden cases, and where `KBISECT_TEST_DATA` (default:
//! `../shared` beside the project) has them, those of `crash-reports`; no right answers are needed.

use std::path::Path;
use std::path::PathBuf;
use std::sync::LazyLock;

use kbisect_sdk::golden::Case;
use kbisect_sdk::golden::cases;
use linux_crash::report;

/// A console, and what is seen on it as it is.
struct Console {
    name: String,
    text: String,
    seen: Vec<String>,
}

static CONSOLES: LazyLock<Vec<Console>> = LazyLock::new(|| {
    let console = |case: Case| {
        let text = String::from_utf8_lossy(&case.log).into_owned();
        Console { name: case.name, seen: seen(&text), text }
    };
    known().into_iter().map(console).collect()
});

fn known() -> Vec<Case> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = std::env::var_os("KBISECT_TEST_DATA").map_or_else(|| project.join("../../../shared"), PathBuf::from);
    let mut all = cases(&project.join("tests/golden")).expect("the golden cases");
    for folder in ["crash-reports/linux", "crash-reports/guilty"] {
        match cases(&data.join(folder)) {
            Ok(more) => all.extend(more),
            Err(error) => println!("skipped: {}: {error}", data.join(folder).display()),
        }
    }
    all
}

/// What must not change: name, other names, type, function, file, and whether the report is to be trusted.
fn seen(console: &str) -> Vec<String> {
    let Some(report) = report::reports(console.as_bytes()).into_iter().next() else { return Vec::new() };
    let corrupted = report.corrupted.is_some().to_string();
    let rest =
        [report.title, report.crash_type, report.frame.unwrap_or_default(), report.guilty_file.unwrap_or_default(), corrupted];
    rest.into_iter().chain(report.alt_titles).collect()
}

/// Holds each console against what `change` makes of it; none where it cannot be changed so.
fn unchanged(what: &str, change: impl Fn(&str) -> Option<String>) {
    let mut changed = 0;
    let mut differ = Vec::new();
    for Console { name, text, seen: before } in CONSOLES.iter() {
        let Some(other) = change(text) else { continue };
        changed += 1;
        let after = seen(&other);
        if *before != after {
            differ.push(format!("{name}: {before:?} became {after:?}"));
        }
    }
    assert!(changed >= CONSOLES.len() / 14, "{what}: only {changed} consoles could be changed");
    assert!(differ.is_empty(), "{what}: {} of {changed} consoles differ:\n{}", differ.len(), differ.join("\n"));
}

/// The console with every line changed.
fn each_line(console: &str, change: impl FnMut(&str) -> String) -> String {
    console.split('\n').map(change).collect::<Vec<_>>().join("\n")
}

/// The first stamp of a line, such as `[   12.345678]`, as the offsets of its brackets.
fn stamp(line: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = line[from..].find('[') {
        let start = from + at;
        let length = line[start..].find(']')?;
        let inside = line[start + 1..start + length].trim_start();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if inside.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part) && part.len() == 6) {
            return Some((start, start + length));
        }
        from = start + 1;
    }
    None
}

/// The line with every stamp changed: where messages were printed into each other there are several.
fn each_stamp(line: &str, change: impl Fn(&str) -> String) -> String {
    let mut changed = String::new();
    let mut rest = line;
    while let Some((start, end)) = stamp(rest) {
        changed.push_str(&rest[..start]);
        changed.push_str(&change(&rest[start + 1..end]));
        rest = &rest[end + 1..];
    }
    changed + rest
}

fn is_stamped(line: &str) -> bool {
    stamp(line).is_some_and(|(start, _)| start == 0)
}

/// Whether every line begins with a stamp.
fn all_stamped(console: &str) -> bool {
    console.lines().filter(|line| !line.trim().is_empty()).all(is_stamped)
}

/// Whether lines name the task or CPU that printed them.
fn names_callers(console: &str) -> bool {
    let caller = |behind: &str| {
        let behind = behind.trim_start_matches(' ');
        behind.starts_with(['T', 'C']) && behind[1..].starts_with(|c: char| c.is_ascii_digit())
    };
    console.split("][").skip(1).any(caller)
}

/// The console with each match of `begin` and the run of `digits` behind it replaced by what `other` makes of the number.
fn numbers(console: &str, begin: &str, radix: u32, other: impl Fn(u64) -> String) -> String {
    let mut changed = String::with_capacity(console.len() + 64);
    let mut rest = console;
    while let Some(at) = rest.find(begin) {
        let (before, behind) = rest.split_at(at + begin.len());
        changed.push_str(before);
        let blanks = behind.len() - behind.trim_start_matches(' ').len();
        let run = behind[blanks..].find(|c: char| !c.is_digit(radix)).unwrap_or(behind.len() - blanks);
        let number = u64::from_str_radix(&behind[blanks..blanks + run], radix);
        match number {
            Ok(number) => changed.push_str(&format!("{}{}", &behind[..blanks], other(number))),
            Err(_) => changed.push_str(&behind[..blanks + run]),
        }
        rest = &behind[blanks + run..];
    }
    changed + rest
}

#[test]
fn line_ends() {
    unchanged("carriage returns", |console| Some(console.replace('\n', "\r\n")));
}

#[test]
fn later_stamps() {
    unchanged("later stamps", |console| {
        let later = |inside: &str| format!("[{:12.6}]", inside.trim().parse::<f64>().unwrap_or_default() + 12_345.0);
        Some(each_line(console, |line| each_stamp(line, later)))
    });
}

#[test]
fn other_stamps() {
    for (what, stamp) in [
        ("dmesg -T", "[Sat Nov 21 07:37:00 2026]"),
        ("dmesg -H", "[  +0.000012]"),
        ("dmesg -H at a minute's beginning", "[Nov21 07:37]"),
        ("dmesg --time-format iso", "2026-11-21T07:37:00,123456+00:00"),
        ("journalctl -o short-monotonic", "[   37.104650] myhost kernel:"),
        ("journalctl -o short-unix", "1700000000.123456 myhost kernel:"),
        ("dmesg --color", "\x1b[32m[   37.104650]\x1b[0m"),
    ] {
        unchanged(what, |console| {
            let other = |_: &str| stamp.to_owned();
            // These do not tell who printed a line, and print each message on its own.
            let torn = console.lines().any(|line| {
                let stamps = std::cell::Cell::new(0);
                each_stamp(line, |stamp| {
                    stamps.set(stamps.get() + 1);
                    stamp.to_owned()
                });
                stamps.get() > 1
            });
            let bare = all_stamped(console) && !torn && !console.contains("][") && !console.contains("<4>[");
            bare.then(|| each_line(console, |line| each_stamp(line, other)))
        });
    }
}

#[test]
fn callers_apart() {
    unchanged("a blank before the caller", |console| {
        console.contains("][").then(|| each_line(console, |line| line.replacen("][", "] [", 1)))
    });
}

#[test]
fn prefixes() {
    for prefix in ["<4>", "kern  :warn  : ", "Nov 21 07:37:00 host kernel: "] {
        unchanged(prefix, |console| {
            let prefixed = |line: &str| if is_stamped(line) { format!("{prefix}{line}") } else { line.to_owned() };
            console.lines().any(is_stamped).then(|| each_line(console, prefixed))
        });
    }
}

#[test]
fn lines_that_are_printed_again() {
    unchanged("a replay of every third line", |console| {
        let mut number = 0;
        let replayed = |line: &str| {
            number += 1;
            let cut: String = line.chars().take(number % 60).collect();
            let again = number % 3 == 0 && is_stamped(line);
            if again { format!("{cut}\n** replaying previous printk message **\n{line}") } else { line.to_owned() }
        };
        all_stamped(console).then(|| each_line(console, replayed))
    });
}

#[test]
fn a_caller_for_all() {
    unchanged("one caller", |console| {
        let called = |inside: &str| format!("[{inside}][ T4117]");
        let plain = all_stamped(console) && !names_callers(console);
        plain.then(|| each_line(console, |line| each_stamp(line, called)))
    });
}

#[test]
fn other_tasks_and_cpus() {
    unchanged("other tasks", |console| {
        let console = numbers(console, "][ T", 10, |task| (task + 70_000).to_string());
        let console = numbers(&console, "][T", 10, |task| (task + 70_000).to_string());
        Some(numbers(&console, "PID: ", 10, |pid| (pid + 70_000).to_string()))
    });
    unchanged("other CPUs", |console| {
        let console = numbers(console, "][    C", 10, |cpu| (cpu + 4).to_string());
        let console = numbers(&console, "CPU: ", 10, |cpu| (cpu + 4).to_string());
        Some(numbers(&console, "CPU#", 10, |cpu| (cpu + 4).to_string()))
    });
}

#[test]
fn other_addresses() {
    // Where the kernel, its data and its modules lie.
    unchanged("other addresses", |console| {
        let moved = |rest: u64| format!("{:x}", rest ^ 0x0120_0000);
        let regions = ["ffffffff8", "ffff888", "ffffc900", "ffffffffa"];
        Some(regions.iter().fold(console.to_owned(), |console, region| numbers(&console, region, 16, moved)))
    });
}

/// What machines print that have nothing to complain of.
const CLEAN: &str = "\
Linux version 6.12.0 (builder@host) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC
Command line: console=ttyS0 root=/dev/sda1 panic_on_warn=1 oops=panic
x86/fpu: Supporting XSAVE feature 0x001: 'x87 floating point registers'
BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
rcu: Hierarchical RCU implementation.
rcu: RCU debug extended QS entry/exit.
Running RCU self tests
lockdep is turned off.
debug_vm_pgtable: [debug_vm_pgtable         ]: Validating architecture page table helpers
systemd[1]: Detected virtualization kvm.
EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)
usb 1-1: new high-speed USB device number 2 using dummy_hcd
";

#[test]
fn what_is_printed_around() {
    let around = |console: &str, at: f64| -> String {
        let stamped = console.lines().any(is_stamped);
        let caller = if names_callers(console) { "[    T1]" } else { "" };
        let line = |text: &str| if stamped { format!("[{at:12.6}]{caller} {text}\n") } else { format!("{text}\n") };
        CLEAN.lines().map(line).collect()
    };
    unchanged("a boot before", |console| {
        // A reboot is one only behind output of a system that had come up.
        let again = console.contains("Booting the kernel");
        (!again).then(|| around(console, 0.5) + console)
    });
    unchanged("a boot after", |console| {
        let ended = if console.ends_with('\n') { "" } else { "\n" };
        Some(format!("{console}{ended}{}", around(console, 99_999.5)))
    });
}

#[test]
fn the_changes_change() {
    let line = "[   12.345678][ T4117] CPU: 1 PID: 4117 at ffffffff81000000";
    assert_eq!(stamp(line), Some((0, 13)));
    assert_eq!(numbers(line, "PID: ", 10, |pid| (pid + 1).to_string()), line.replace("PID: 4117", "PID: 4118"));
    assert_eq!(numbers(line, "ffffffff8", 16, |rest| format!("{:x}", rest + 1)), line.replace("81000000", "81000001"));
    let found = CONSOLES.iter().filter(|console| !console.seen.is_empty()).count();
    assert!(found > 200, "{found}");
}
