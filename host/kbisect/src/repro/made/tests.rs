//! A tree whose selftests are built as the kernel's are, by real make and gcc.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::*;

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "Makefile", "headers:\n\t@echo '#define ANSWER 0' > answer.h\n");
    write(dir.path(), "tools/testing/selftests/Makefile", "all:\n\t@$(MAKE) -C $(TARGETS)\n");
    let rule = "all: good bad\n%: %.c\n\t@$(CC) -I ../../../.. -o $@ $<\n";
    write(dir.path(), "tools/testing/selftests/timers/Makefile", rule);
    write(dir.path(), "tools/testing/selftests/timers/good.c", "#include <answer.h>\nint main(void) { return ANSWER; }\n");
    write(dir.path(), "tools/testing/selftests/timers/bad.c", "int main(void) { return missing; }\n");
    write(dir.path(), "tools/testing/selftests/timers/config", "CONFIG_POSIX_TIMERS=y\n");
    write(dir.path(), "tools/testing/selftests/kselftest/runner.sh", "");
    dir
}

fn named(collection: &str, test: &str) -> Selftest {
    Selftest { collection: collection.to_owned(), test: test.to_owned() }
}

#[tokio::test]
async fn a_selftest_is_built_though_others_of_its_collection_are_broken() {
    let tree = tree();
    let built = selftest(tree.path(), &named("timers", "good"), 2).await.unwrap();
    assert_eq!((built.parts, built.config.is_some()), (vec!["timers".to_owned(), "kselftest".to_owned()], true));
    let program = fs::read(built.folder.join("timers/good")).unwrap();
    assert_eq!(crate::machine::qemu::initramfs::loader(&program), None, "it is static");
}

#[tokio::test]
async fn what_does_not_build_or_is_not_there_is_one_error() {
    let tree = tree();
    let error = selftest(tree.path(), &named("timers", "bad"), 2).await.unwrap_err().to_string();
    assert!(error.starts_with("repro: the selftest timers:bad does not build:\n") && error.contains("bad.c"), "{error}");
    let error = selftest(tree.path(), &named("timers", "none"), 2).await.unwrap_err().to_string();
    assert!(error.starts_with("repro: the selftest timers:none does not build:"), "{error}");
    let error = selftest(tree.path(), &named("net", "good"), 2).await.unwrap_err().to_string();
    assert_eq!(error, "repro: the start commit has no selftests `net`");
}

#[tokio::test]
async fn a_harness_is_what_its_build_leaves() {
    let (dir, commit) = (tempfile::tempdir().unwrap(), CommitId::from_bytes([1; 20]));
    let recipe = |script: &str, take: &str| Harness {
        repository: PathBuf::new(),
        commit: String::new(),
        build: ["sh", "-c", script].map(str::to_owned).into(),
        take: take.to_owned(),
    };
    let good = recipe("mkdir -p bin && echo {commit} {jobs} > bin/run", "bin");
    let built = harness(dir.path(), &good, &commit, 3).await.unwrap();
    assert_eq!(fs::read_to_string(built.folder.join("run")).unwrap(), format!("{commit} 3\n"));
    for (script, take, told) in [
        ("echo no go compiler; exit 2", "bin", "repro: the harness's build ended with exit status 2: sh -c"),
        ("true", "other", "repro: the harness's build made no folder `other`"),
    ] {
        let error = harness(dir.path(), &recipe(script, take), &commit, 3).await.unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
}
