use super::*;

#[test]
fn a_small_machine_is_poor_and_a_large_one_fine() {
    let level = |memory| super::memory(&Host { cpus: 2, memory }).level;
    assert_eq!(level(1 << 30), Level::Poor);
    assert_eq!(level(8 << 30), Level::Fine);
}

#[test]
fn what_mends_kvm_depends_on_what_is_wrong() {
    assert!(kvm_mend("/dev/kvm: Permission denied (os error 13)").is_some_and(|mend| mend.contains("usermod")));
    assert!(kvm_mend("/dev/kvm: No such file or directory (os error 2)").is_some_and(|mend| mend.contains("modprobe")));
    assert_eq!(kvm_mend("kvm opens, but a tiny guest did not end within 3 s"), None);
}

#[test]
fn programs_are_looked_for_where_a_shell_would() {
    assert!(find("sh").is_some());
    assert_eq!(find("no-such-program"), None);
    // A folder in PATH is no program.
    assert_eq!(find("."), None);
    assert_eq!(Finding::of_program("sh", "[trial]"), None);
    assert_eq!(Finding::of_program("./of-the-commit.sh", "[trial]"), None);
}

#[test]
fn the_disk_of_a_folder_that_is_still_to_be_made_is_its_parents() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(free_disk(&folder.path().join("not/yet")).is_some(), free_disk(folder.path()).is_some());
    assert!(free_disk(Path::new("not-yet")).is_some());
}

#[tokio::test]
async fn a_program_tells_its_version_or_why_not() {
    assert!(version("cargo").await.is_ok_and(|version| version.starts_with("cargo 1.")));
    assert!(version("false").await.is_err_and(|why| why.starts_with("it ended with exit status 1")));
}
