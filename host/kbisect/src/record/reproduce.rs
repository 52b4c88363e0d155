//! `reproduce.sh`: builds the named commit as it was tested and runs the reproducer, for people who have no kbisect. Owns the script's text.

use std::fmt::Write as _;
use std::path::Path;

use super::event::CommitText;
use crate::build::linux::make::Arch;
use crate::config::job::Build;
use crate::config::job::Change;
use crate::config::job::Job;
use crate::config::job::MachineKind;
use crate::config::job::Patch;
use crate::config::job::Recipe;
use crate::config::job::Repro;
use crate::machine::qemu;
use crate::machine::qemu::command;

/// Where objects and kernels go, beside the script.
const WORK: &str = "reproduced";

/// The script for a commit of a run in `directory`; `variables` are those that make was given for it. None where a plain shell cannot do
/// it: a kernel that only speaks to kbisect, one with modules, machines with a disk image, with a folder of the host as their root, or
/// with a command of the job's own.
pub fn script(job: &Job, directory: &Path, commit: &CommitText, variables: &[String]) -> Option<String> {
    let builds = job.build.as_ref().filter(|build| !build.in_slot);
    let mut text = head(job, commit);
    for patch in &job.patches {
        text += &changed(patch, directory, commit)?;
    }
    match job.machine.kind {
        MachineKind::Process => {
            if let Some(build) = &job.build {
                text += &run_in_source(build.command()?, commit);
            }
            text += &run_in_source(&inside(&job.trial.command, directory), commit);
        }
        // A disk image is the user's, and so is a command that boots.
        MachineKind::Image | MachineKind::Command => return None,
        MachineKind::Qemu if job.machine.own_init || job.machine.root_dir.is_some() => return None,
        MachineKind::Qemu => {
            text += &kernel(builds?, commit, variables)?;
            text += &machine(job, directory, commit)?;
        }
    }
    Some(text)
}

fn head(job: &Job, commit: &CommitText) -> String {
    let (hash, short, subject) = (commit.commit, commit.commit.short(), &commit.subject);
    let repo = quoted(&job.repo.to_string_lossy());
    // A subject is one line; a line of comment ends with it.
    let subject: String = subject.chars().filter(|letter| !letter.is_control()).collect();
    format!(
        r#"#!/bin/sh
# Tests {short} ("{subject}") as kbisect did.
#
#     sh reproduce.sh [REPOSITORY]
#
# What is made goes to the folder `{WORK}` beside this script; the repository is only read.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=${{1:-{repo}}}
work=$here/{WORK}
if ! git -C "$repository" cat-file -e {hash} 2>/dev/null; then
    echo "reproduce.sh: no {short} in $repository; name a clone that has it" >&2
    exit 2
fi
mkdir -p "$work/out"
[ -d "$work/src" ] || git clone --quiet --shared --no-checkout "$repository" "$work/src"
git -C "$work/src" checkout --quiet --force --detach {hash}
"#
    )
}

/// What changes the checked-out commit, where it is for it and not there yet.
fn changed(patch: &Patch, directory: &Path, commit: &CommitText) -> Option<String> {
    let git = "git -C \"$work/src\"";
    let contains = |part: &str| format!("{git} merge-base --is-ancestor {} {}", quoted(part), commit.commit);
    let since = patch.since.as_ref().map(|since| format!("{} && ", contains(since))).unwrap_or_default();
    let until = patch.until.as_ref().map(|until| format!("! {} && ", contains(until))).unwrap_or_default();
    let (there, apply) = match &patch.change {
        Change::Commit(picked) => (contains(picked), format!("{git} cherry-pick --no-commit {}", quoted(picked))),
        Change::File(file) => {
            let file = format!("\"$here\"/{}", quoted(&of_run(file, directory)?));
            (format!("{git} apply --check --reverse {file} 2>/dev/null"), format!("{git} apply {file}"))
        }
    };
    Some(format!("if {since}{until}! {there}; then\n    {apply}\nfi\n"))
}

/// A command in the checked-out commit.
fn run_in_source(command: &[String], commit: &CommitText) -> String {
    format!("cd \"$work/src\"\n{}\n", words(command, commit))
}

/// Builds the kernel and says where it is.
fn kernel(build: &Build, commit: &CommitText, variables: &[String]) -> Option<String> {
    Some(match &build.recipe {
        Recipe::Command(command) => {
            format!("cd \"$work/src\"\n{}\nkernel=$work/out/kernel\n", words(command, commit))
        }
        Recipe::Linux(linux) if linux.modules => return None,
        Recipe::Linux(linux) => {
            let Arch { target, image, .. } = Arch::find(&linux.arch)?;
            let variables: Vec<String> = variables.iter().map(|variable| quoted(variable)).collect();
            let make = format!("make -C \"$work/src\" O=\"$work/out\" -j\"$(nproc)\" {}", variables.join(" "));
            format!(
                "cp \"$here/config-culprit\" \"$work/out/.config\"\n{make} olddefconfig\n{make} {target}\nkernel=$work/out/{image}\n"
            )
        }
    })
}

/// An initramfs with busybox and the reproducer, and QEMU.
fn machine(job: &Job, directory: &Path, commit: &CommitText) -> Option<String> {
    let machine = &job.machine;
    let mut text = String::from(
        r#"busybox=$(command -v busybox) || { echo "reproduce.sh: a static busybox is missing" >&2; exit 2; }
root=$work/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
cp "$busybox" "$root/bin/busybox"
"#,
    );
    let repro = job.repro.iter().flat_map(Repro::files);
    for (from, to) in repro.chain(job.trial.files.iter().map(|(from, to)| (from.as_path(), to.as_str()))) {
        let (from, to) = (of_run(from, directory)?, quoted(to.trim_start_matches('/')));
        let _ = writeln!(text, "mkdir -p \"$root/$(dirname {to})\"\ncp -R \"$here\"/{} \"$root\"/{to}", quoted(&from));
    }
    let test = words(&job.trial.command, commit);
    let test = if job.trial.repeat { format!("while :; do {test}; done") } else { test };
    let limit = (job.machine.boot_limit + job.trial.time_limit).as_secs();
    let board = if machine.board == "microvm" { "microvm,acpi=off" } else { "pc" };
    let (memory, cpus) = ((machine.memory >> 20).max(1), machine.cpus.max(1));
    let append = quoted(&command::kernel_command_line(&machine.cmdline));
    let emulator = qemu::PROGRAM;
    let _ = write!(
        text,
        r#"cat > "$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
cd /tmp
{test}
echo "reproduce.sh: the test ended with status $?"
reboot -f
END
chmod +x "$root/init"
(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) > "$work/initramfs"
# ACCEL=tcg is for machines whose /dev/kvm does not work.
timeout {limit} {emulator} -M {board} -accel "${{ACCEL:-kvm}}" -accel tcg -cpu max -m {memory}M -smp {cpus} \
    -nodefaults -display none -no-reboot -serial stdio \
    -kernel "$kernel" -initrd "$work/initramfs" -append {append}
"#
    );
    Some(text)
}

/// What placeholders stand for in the script.
const PLACEHOLDERS: [(&str, &str); 4] =
    [("{src}", "\"$work/src\""), ("{out}", "\"$work/out\""), ("{jobs}", "\"$(nproc)\""), ("{here}", "\"$here\"")];

/// A command's words for a shell.
fn words(command: &[String], commit: &CommitText) -> String {
    let word = |word: &String| {
        let word = word.replace("{commit}", &commit.commit.to_string()).replace("{trial_seed}", "1");
        let (mut text, mut rest) = (String::new(), word.as_str());
        while !rest.is_empty() {
            let next = PLACEHOLDERS.iter().filter_map(|(name, value)| Some((rest.find(name)?, name, value))).min();
            let (plain, after) = next.map_or((rest, ""), |(at, name, _)| (&rest[..at], &rest[at + name.len()..]));
            if !plain.is_empty() {
                text += &quoted(plain);
            }
            text += next.map_or("", |(_, _, value)| value);
            rest = after;
        }
        if text.is_empty() { "''".to_owned() } else { text }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The words of a command whose files lie in the run directory, as they are found from the script.
fn inside(command: &[String], directory: &Path) -> Vec<String> {
    command.iter().map(|word| word.replace(&*directory.to_string_lossy(), "{here}")).collect()
}

/// A path within the run directory, from there.
fn of_run(path: &Path, directory: &Path) -> Option<String> {
    path.strip_prefix(directory).ok().map(|path| path.to_string_lossy().into_owned())
}

/// A word for a shell. One with a zero byte is none of ours: nothing can be called with it.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}
