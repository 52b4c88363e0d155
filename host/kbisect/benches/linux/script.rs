//! The arms that are `git bisect run` with a shell script, as people write one: one tree, `make`, QEMU, grep.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

use crate::Outcome;
use crate::World;

/// Tests the commit that is checked out in the working directory; `$1` boots at most, until one crashes. What it did it says in `log`.
const SCRIPT: &str = r#"#!/bin/bash
# ARM is this arm's folder, LIMIT the seconds of one trial.
boots=$1
now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ print $1 - $2 }'; }
began=$(now)
cp "$ARM/pristine" .config
make olddefconfig >/dev/null 2>&1 && make -j2 bzImage >"$ARM/make.log" 2>&1
built=$?
echo "build $(since "$began")" >>"$ARM/log"
[ $built = 0 ] || exit 125

boot() {
    timeout $((LIMIT + 120)) qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -M pc -cpu max,la57=off -m 256M \
        -smp 1 -serial stdio -kernel arch/x86/boot/bzImage -initrd "$ARM/initramfs" \
        -append "console=ttyS0,115200 panic=-1 loglevel=7" >"$ARM/console-$1" 2>/dev/null </dev/null
    echo boot >>"$ARM/log"
}
crashed() { grep -q -E 'BUG:|WARNING:|Oops|Kernel panic|INFO: ' "$ARM"/console-* 2>/dev/null; }

rm -f "$ARM"/console-*
n=0
while [ $n -lt "$boots" ]; do
    boot 1 &
    n=$((n + 1))
    if [ $n -lt "$boots" ]; then
        boot 2 &
        n=$((n + 1))
    fi
    # Whichever ends first may have crashed: then the other one need not end.
    while [ -n "$(jobs -r)" ]; do
        wait -n
        if crashed; then
            pkill -P $$ -f boot; pkill -f "$ARM/initramfs"; wait
            exit 1
        fi
    done
    crashed && exit 1
done
exit 0
"#;

/// What runs first in the machine.
const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
cd /tmp
/bin/busybox timeout -s KILL @LIMIT@ /repro
/bin/busybox reboot -f
";

/// Bisects with so many boots of each commit.
pub(crate) fn bisect(world: &World, arm: &str, boots: u32) -> Result<Outcome, String> {
    let folder = prepare(world, arm)?;
    let tree = folder.join("linux");
    let started = Instant::now();
    let git = |args: &[&str]| command(world, &folder, "git").current_dir(&tree).args(args).stdout(Stdio::piped()).output();
    let failed = |error: std::io::Error| format!("git cannot be started: {error}");
    git(&["bisect", "start", &world.planted.start, &world.planted.releases[0]]).map_err(failed)?;
    let script = folder.join("test.sh").display().to_string();
    git(&["bisect", "run", "bash", &script, &boots.to_string()]).map_err(failed)?;
    let seconds = started.elapsed().as_secs_f64();
    let log = git(&["bisect", "log"]).map_err(failed)?;
    let named = String::from_utf8_lossy(&log.stdout)
        .lines()
        .find_map(|line| Some(line.strip_prefix("# first bad commit: [")?.split(']').next()?.to_owned()));
    outcome(&folder, named, seconds)
}

/// How many of so many boots of the start commit crash.
pub(crate) fn measure(world: &World, boots: u32) -> Result<u32, String> {
    let folder = prepare(world, "measure")?;
    let tree = folder.join("linux");
    let status = command(world, &folder, "git").current_dir(&tree).args(["checkout", "-q", &world.planted.start]).status();
    status.map_err(|error| format!("git cannot be started: {error}"))?;
    let script = folder.join("test.sh");
    let mut hits = 0;
    for _ in 0..boots {
        let status = command(world, &folder, "bash").current_dir(&tree).arg(&script).arg("1").status();
        match status.map_err(|error| format!("bash cannot be started: {error}"))?.code() {
            Some(0) => {}
            Some(1) => hits += 1,
            other => return Err(format!("the start commit cannot be tested: the script ended with {other:?}")),
        }
    }
    Ok(hits)
}

/// A clone with everything that the script needs, in a folder of the arm's own.
fn prepare(world: &World, arm: &str) -> Result<std::path::PathBuf, String> {
    let folder = world.arm(arm)?;
    let run = |dir: &Path, program: &str, args: &[&str]| -> Result<(), String> {
        let output = command(world, &folder, program).current_dir(dir).args(args).output();
        let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{program} {}: {said}", args.join(" "))) }
    };
    let text = |path: &Path| path.display().to_string();
    run(&folder, "git", &["clone", "-q", "--shared", "--no-checkout", &text(&world.repo()), "linux"])?;
    let tree = folder.join("linux");
    run(&tree, "git", &["checkout", "-q", &world.planted.start])?;
    run(&tree, "make", &[&format!("KCONFIG_ALLCONFIG={}", text(&world.config())), "allnoconfig"])?;
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"));
    fs::rename(tree.join(".config"), folder.join("pristine")).map_err(|error| format!(".config: {error}"))?;
    put("test.sh", SCRIPT)?;
    let root = folder.join("root");
    for dir in ["bin", "dev", "proc", "sys", "tmp"] {
        fs::create_dir_all(root.join(dir)).map_err(|error| format!("{dir}: {error}"))?;
    }
    put("root/init", &INIT.replace("@LIMIT@", &world.seconds.to_string()))?;
    run(&folder, "gcc", &["-O2", "-static", "-pthread", "-o", "root/repro", &text(&world.repro())])?;
    run(&folder, "sh", &["-c", "cp \"$(command -v busybox)\" root/bin/busybox && chmod 755 root/init"])?;
    // The kernel wants a console before anything is mounted.
    run(&folder, "sh", &["-c", "mknod root/dev/console c 5 1; mknod root/dev/null c 1 3; true"])?;
    run(&folder, "sh", &["-c", "cd root && find . | busybox cpio -o -H newc > ../initramfs"])?;
    Ok(folder)
}

fn command(world: &World, folder: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("ARM", folder).env("LIMIT", world.seconds.to_string()).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.stdin(Stdio::null());
    command
}

/// What the script's log says.
fn outcome(folder: &Path, named: Option<String>, seconds: f64) -> Result<Outcome, String> {
    let path = folder.join("log");
    let log = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let builds: Vec<f64> = log.lines().filter_map(|line| line.strip_prefix("build ")?.trim().parse().ok()).collect();
    let trials = log.lines().filter(|line| *line == "boot").count() as u64;
    Ok(Outcome { named, seconds, first_build: builds.first().copied().unwrap_or(0.0), builds: builds.len() as u64, trials })
}
