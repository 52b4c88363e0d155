//! The warden: a small shell that outlives a killed kbisect by a moment, and kills what it had running.
//!
//! bwrap's `--die-with-parent` alone leaves two gaps: it may not have asked for its signal yet when its parent dies, and where it
//! dies itself while it sets up the namespaces, its own child waits for it for ever. Owns the shell and the words it is told.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use rustix::process::Pid;

/// Reads `+ GROUP` and `- GROUP`; when nobody can say more, kills the groups that are left.
const SCRIPT: &str = r#"trap '' HUP INT TERM
all=
while read -r what group; do
	case $what in
	+) all="$all $group " ;;
	-) case $all in *" $group "*) all="${all%%" $group "*}${all#*" $group "}" ;; esac ;;
	esac
done
for group in $all; do kill -s KILL -- "-$group"; done"#;

/// What a child that is to start reads first: a line once the warden knows it, or the end of the input where kbisect has died.
pub(super) const GATE: &str = "read -r go && exec \"$@\" < /dev/null";

/// Tells the warden of a process group.
pub(super) fn watch(group: Pid) {
    tell('+', group);
}

/// Tells the warden that a process group has ended.
pub(super) fn forget(group: Pid) {
    tell('-', group);
}

fn tell(what: char, group: Pid) {
    static WARDEN: OnceLock<Option<Mutex<ChildStdin>>> = OnceLock::new();
    let warden = WARDEN.get_or_init(|| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "kbisect-warden"]).current_dir("/").process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        child.ok()?.stdin.map(Mutex::new)
    });
    let Some(warden) = warden else { return };
    // Best effort: without it parent-death signals are all there is.
    let _ = writeln!(warden.lock().unwrap_or_else(PoisonError::into_inner), "{what} {}", group.as_raw_nonzero());
}
