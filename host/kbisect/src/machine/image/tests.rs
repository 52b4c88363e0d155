//! What needs no guest. Real ones are in `tests/linux/machines.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command as Tool;

use kbisect_core::commit::CommitId;

use super::*;

fn settings(dir: &Path, image: PathBuf) -> Settings {
    Settings {
        dir: dir.join("machines"),
        slots: 1,
        memory: 64 << 20,
        cpus: 1,
        cmdline: "quiet".to_owned(),
        network: false,
        boot_limit: Duration::from_secs(60),
        disk: Disk { image, root: "/dev/vda".to_owned(), user: "root".to_owned(), key: None },
        init: &[],
    }
}

fn setup(dir: &Path) -> Setup {
    let kernel = Some(dir.to_owned());
    Setup { trial: 1, commit: CommitId::from_bytes([1; 20]), kernel, slot: 0, command: Vec::new() }
}

/// Whether this machine can make keys; says so where it cannot.
fn has_ssh() -> bool {
    let there = Tool::new("ssh-keygen").arg("-?").output().is_ok();
    if !there {
        println!("skipped: there is no ssh-keygen");
    }
    there
}

#[tokio::test]
async fn a_machine_that_ends_in_its_boot_says_so_and_leaves_nothing() {
    if !has_ssh() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("disk, with a comma.img");
    fs::write(&image, vec![0; 1 << 20]).unwrap();
    // The guest of QEMU's own tests: it only resets the machine.
    fs::write(dir.path().join("script"), "\u{6}").unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/qemu/testing.S");
    let build = "as --32 -I . \"$0\" -o o && ld -m elf_i386 -Ttext 0x100000 --oformat binary -e 0x100000 -o kernel o";
    assert!(Tool::new("sh").args(["-c", build, source]).current_dir(dir.path()).status().unwrap().success());
    let pool = ImagePool::new(settings(dir.path(), image));
    let mut machine = pool.create(&setup(dir.path())).await.unwrap();
    let failure = machine.boot().await.expect_err("nothing boots");
    assert_eq!((failure.stage, failure.reason.as_str()), (Stage::Boot, "the machine ended while it booted"));
    assert!(!machine.alive().await);
    machine.destroy().await;
    drop(pool);
    assert_eq!(fs::read_dir(dir.path().join("machines")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_image_that_changes_or_goes_is_the_hosts_fault() {
    if !has_ssh() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("disk.img");
    fs::write(&image, "one").unwrap();
    fs::write(dir.path().join("kernel"), "").unwrap();
    let pool = ImagePool::new(settings(dir.path(), image.clone()));
    pool.create(&setup(dir.path())).await.unwrap().destroy().await;
    for (change, told) in [("other", "was changed while the run went on"), ("", "No such file")] {
        if change.is_empty() {
            fs::remove_file(&image).unwrap();
        } else {
            fs::write(&image, change).unwrap();
        }
        let Err(failure) = pool.create(&setup(dir.path())).await else { panic!("{told}") };
        assert_eq!(failure.stage, Stage::Infra);
        assert!(failure.reason.contains(told), "{}", failure.reason);
    }
}

#[tokio::test]
async fn keys_are_made_or_copied_so_that_only_we_read_them() {
    use std::os::unix::fs::PermissionsExt as _;
    if !has_ssh() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let made = Key::get(None, dir.path()).await.unwrap();
    let public = made.public.clone().unwrap();
    assert!(public.starts_with("ssh-ed25519 ") && !public.contains(['"', '\n']), "{public}");
    let own = dir.path().join("own");
    fs::write(&own, "secret").unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o644)).unwrap();
    let copied = Key::get(Some(&own), dir.path()).await.unwrap();
    assert_eq!(copied.public, None);
    let folder = fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.path().join("key"));
    let modes: Vec<u32> = folder.filter_map(|key| Some(fs::metadata(key).ok()?.permissions().mode() & 0o777)).collect();
    assert_eq!(modes, [0o600, 0o600]);
    let Err(failure) = Key::get(Some(Path::new("/nowhere/key")), dir.path()).await else { panic!("there is none") };
    assert!(failure.reason.starts_with("[machine] `key`: /nowhere/key: "), "{}", failure.reason);
}

#[test]
fn images_are_read_as_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("disk");
    for (bytes, format) in [(&b"QFI\xfb\0\0"[..], "qcow2"), (b"QF", "raw"), (b"", "raw"), (&[0; 4096], "raw")] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(format_of(&file).unwrap(), format);
        assert!(!is_ext4(&file));
    }
    fs::File::create(&file).and_then(|disk| disk.set_len(8 << 20)).unwrap();
    if Tool::new("mke2fs").args(["-q", "-t", "ext4"]).arg(&file).status().is_ok_and(|status| status.success()) {
        assert!(is_ext4(&file));
    }
}

#[test]
fn the_command_line_has_root_and_key_and_the_jobs_last_word() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), dir.path().join("a,b"));
    let text = kernel_command_line(&settings, Some("ssh-ed25519 AAAA"));
    let key = "\"systemd.set_credential=ssh.authorized_keys.root:ssh-ed25519 AAAA\"";
    assert!(text.ends_with(&format!(" root=/dev/vda rw net.ifnames=0 {key} quiet")), "{text}");
    let words = shown(&settings, &accel::Accel::Tcg("no reason".to_owned()), Path::new("{out}"));
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    assert!(words.iter().any(|word| word.ends_with("a,,b")), "{words:?}");
    assert!(words.iter().any(|word| word == "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"), "{words:?}");
}
