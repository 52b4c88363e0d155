//! Example: a subsystem's classifier. What filesystems say of corruption is no oops, so nobody else takes it for a crash; here it is.
//!
//! ```text
//! EXT4-fs error (device vda): ext4_mb_generate_buddy:757: group 0, block bitmap and bg descriptor inconsistent: 40 vs 41 free clusters
//! XFS (vdb): Metadata corruption detected at xfs_agf_verify+0x1b2/0x2c0, xfs_agf block 0x1
//! ```
//!
//! become `EXT4-fs error in ext4_mb_generate_buddy` and `XFS corruption in xfs_agf_verify`, of type `FS-CORRUPTION`: one report for
//! each device, from its first message on, as the later ones follow from it. [`messages`] has the table.
//!
//! Three kinds of noise are ruled out:
//! * messages behind an I/O error of the same disk: the disk failed, not the filesystem;
//! * `panic forced after error`: the mount option `errors=panic` asks for that panic, so the report becomes that of the error, or
//!   none where the error was noise;
//! * `BTRFS: Transaction aborted` for want of a disk or memory (EIO, EROFS, ENOMEM). Older kernels warn there and newer ones do not,
//!   so that a bisection would end at the commit that made them silent.
//!
//! That an image holds no filesystem, or one that is not known, is no corruption, and no message about it is in the table.
//!
//! ```toml
//! [[plugin]]
//! id = "filesystems"
//! path = "filesystems.wasm"
//! settings = { devices = ["vda*"] }
//! ```
//!
//! `devices`: only these count, `*` at the end stands for anything (default: all). A fuzzer that mounts broken images on loop devices
//! leaves those out.
//!
//! No `when` here: it would wait until the target is known, and without this plugin nothing may crash at the start commit.

pub mod messages;
pub mod noise;

use kbisect_sdk::Classifier;
use kbisect_sdk::CrashReport;
use kbisect_sdk::Host;
use kbisect_sdk::Level;
use kbisect_sdk::Plugin;
use kbisect_sdk::classifier::Edit;
use kbisect_sdk::classifier::Relation;
use kbisect_sdk::console;
use kbisect_sdk::console::Line;
use serde_json::Value;

use crate::messages::Message;
use crate::messages::Reader;

/// The type of all reports of this plugin.
pub const TYPE: &str = "FS-CORRUPTION";

/// Messages read of one console: what comes later only repeats, and a call's fuel has an end.
const MOST: usize = 500;

/// The property that names the filesystem.
const FILESYSTEM: &str = "filesystem";

/// The plugin.
#[derive(Debug)]
pub struct Filesystems;

/// Devices that count, as the job file gives them; none: all.
fn devices(host: &impl Host) -> Result<Vec<String>, Vec<String>> {
    let Ok(Value::Object(table)) = serde_json::from_str(&host.settings()) else {
        return Err(vec!["settings are no table".to_owned()]);
    };
    let mut devices = Vec::new();
    let mut errors = Vec::new();
    for (key, value) in &table {
        match (key.as_str(), value) {
            ("devices", Value::Array(list)) if !list.is_empty() => {
                for device in list {
                    match device.as_str().filter(|name| !name.is_empty() && !name.trim_end_matches('*').contains(['*', '/'])) {
                        Some(name) => devices.push(name.to_owned()),
                        None => errors.push(format!("devices: {device} is no name such as \"vda1\" or \"vda*\"")),
                    }
                }
            }
            ("devices", value) => errors.push(format!("devices is {value}: it must be a list such as [\"vda*\"]")),
            _ => errors.push(format!("unknown setting {key}: there is devices")),
        }
    }
    if errors.is_empty() { Ok(devices) } else { Err(errors) }
}

fn is_one_of(device: &str, devices: &[String]) -> bool {
    let matches = |name: &String| match name.strip_suffix('*') {
        Some(start) => device.starts_with(start),
        None => device == name,
    };
    devices.is_empty() || devices.iter().any(matches)
}

/// The crash that a device's first message is. `last` is the last line of the lines about that device that follow it at once.
fn report(message: &Message, first: &Line<'_>, last: &Line<'_>) -> CrashReport {
    let report = CrashReport::new(&message.title)
        .with_type(TYPE)
        .with_guilty_file(&message.file)
        .with_lines(first, last)
        .with_property(FILESYSTEM, message.filesystem)
        .with_rule(message.rule);
    match &message.function {
        Some(function) => report.with_frame(function),
        None => report,
    }
}

impl Plugin for Filesystems {
    fn check(host: &impl Host) -> Result<(), Vec<String>> {
        devices(host).map(drop)
    }
}

impl Classifier for Filesystems {
    fn markers(_host: &impl Host) -> Vec<String> {
        messages::ROWS.iter().map(|row| row.marker.to_owned()).collect()
    }

    fn classify(host: &impl Host, console: &[u8], so_far: &[CrashReport]) -> Result<Vec<Edit>, String> {
        let devices = devices(host).map_err(|errors| errors.join("; "))?;
        let lines = console::lines(console);
        let failed = noise::failed_disks(&lines);
        let reader = Reader::default();
        let mut broken: Vec<(Message, CrashReport)> = Vec::new();
        let candidates = lines.iter().enumerate().filter(|(_, line)| messages::may_be_one(&line.text));
        for (at, line) in candidates.take(MOST) {
            let Some(message) = reader.read(&line.text) else { continue };
            let known = broken.iter().any(|(known, _)| known.device == message.device);
            if known || !is_one_of(&message.device, &devices) {
                continue;
            }
            if let Some(before) = failed.iter().find(|failed| failed.line < at && failed.has(&message.device)) {
                host.log(Level::Debug, &format!("`{}` follows an I/O error of {}", message.title, before.disk));
                continue;
            }
            let about = |line: &&Line<'_>| line.text.contains(&format!("{})", message.device));
            let last = lines[at..].iter().take_while(about).last().unwrap_or(line);
            let report = report(&message, line, last);
            broken.push((message, report));
        }

        let mut edits = Vec::new();
        for (index, old) in (0..).zip(so_far) {
            if let Some(device) = noise::forced_panic(&old.title) {
                match broken.iter().position(|(message, _)| message.device == device) {
                    Some(at) => {
                        let (_, error) = broken.remove(at);
                        edits.push(Edit::Replace((index, CrashReport { panicked: true, ..error })));
                    }
                    None => edits
                        .push(Edit::Ignore((index, format!("{device} is mounted with errors=panic, and what it met is noise")))),
                }
            } else if let Some(why) = noise::harmless_abort(old, &lines) {
                edits.push(Edit::Ignore((index, why)));
            }
        }
        edits.extend(broken.into_iter().map(|(_, report)| Edit::Add(report)));
        Ok(edits)
    }

    /// Corruption against corruption: the place where it is noticed says less than the filesystem. Everything else is for others.
    fn relate(host: &impl Host, seen: &CrashReport, _at: &str) -> Result<Option<Relation>, String> {
        let faces = host.faces();
        let ours = |report: &CrashReport| report.crash_type == TYPE;
        if !ours(seen) || !faces.iter().all(|face| ours(&face.report)) {
            return Ok(None);
        }
        let best = faces.iter().map(|face| resemblance(seen, &face.report)).max_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(best.map(|(same, reason)| Relation { same, reason }))
    }
}

fn resemblance(seen: &CrashReport, face: &CrashReport) -> (f64, String) {
    let filesystem = |report: &CrashReport| {
        report.properties.iter().find(|property| property.key == FILESYSTEM).map(|property| property.value.clone())
    };
    let title = &face.title;
    if seen.title == *title {
        (0.98, format!("the same message: {title}"))
    } else if filesystem(seen) == filesystem(face) {
        (0.6, format!("the same filesystem is corrupt, noticed elsewhere: {title}"))
    } else {
        (0.02, format!("another filesystem than in {title}"))
    }
}

kbisect_sdk::export!(Filesystems: classifier);
