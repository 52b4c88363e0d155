#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;
use crate::process::jail;

fn file(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn files_are_told_apart_by_name_and_first_line() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, expected) in [
        ("repro.c", "int main;", Kind::C),
        ("repro.cprog", "", Kind::C),
        ("repro.sh", "#!/bin/sh -e\nexit 0\n", Kind::Script("/bin/sh".to_owned())),
        ("python", "#! /usr/bin/env python3\n", Kind::Script("/usr/bin/env".to_owned())),
        ("bare", "#!\n/bin/sh\n", Kind::Program),
        ("repro", "\u{7f}ELF", Kind::Program),
        ("empty", "", Kind::Program),
    ] {
        assert_eq!(kind(&file(dir.path(), name, text)).unwrap(), expected, "{name}");
    }
    assert_eq!(kind(dir.path()).unwrap(), Kind::Folder);
    assert!(kind(&dir.path().join("none")).is_err());
}

#[tokio::test]
async fn source_becomes_a_static_program_and_sees_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), "answer.h", "#define ANSWER 42\n");
    let source = file(
        dir.path(),
        "repro.c",
        "#include <pthread.h>\n#include \"answer.h\"\nstatic void *run(void *a) { return a; }\n\
         int main(void) { pthread_t t; return pthread_create(&t, 0, run, 0) ? 1 : ANSWER; }\n",
    );
    let out = tempfile::tempdir().unwrap();
    let program = out.path().join("repro");
    compile(&source, ReproArch::Host, &program).await.unwrap();
    assert_eq!(crate::machine::qemu::initramfs::loader(&fs::read(&program).unwrap()), None);
    assert_ne!(fs::metadata(&program).unwrap().permissions().mode() & 0o111, 0);
    assert_eq!(Command::new(&program).status().unwrap().code(), Some(42));
}

/// A reproducer may be a stranger's: what it includes would be printed, or end in a guest that has a network.
#[tokio::test]
async fn source_sees_no_more_than_its_neighbours() {
    assert!(jail::bwrap().is_some(), "{:?}", jail::warning());
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = file(other.path(), "secret.h", "my words\n");
    let text = format!("#include \"{}\"\nint main(void) {{ return 0; }}\n", secret.display());
    let source = file(dir.path(), "repro.c", &text);
    let error = compile(&source, ReproArch::Host, &dir.path().join("out")).await.unwrap_err();
    assert!(error.message.contains("No such file or directory") && !error.message.contains("my words"), "{error}");
}

#[tokio::test]
async fn the_compilers_errors_are_shown_and_its_warnings_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let source = file(dir.path(), "broken.c", "int main(void) { int unused; undeclared(1); return x; }\n");
    let error = compile(&source, ReproArch::Host, &dir.path().join("out")).await.unwrap_err();
    assert!(error.message.starts_with("repro: gcc cannot compile broken.c:\n  broken.c:1:"), "{error}");
    assert!(error.message.contains("error: ") && !error.message.contains("unused"), "{error}");
    assert!(!error.message.contains(dir.path().to_str().unwrap()), "{error}");
    let source = file(dir.path(), "lone.c", "int elsewhere(void); int main(void) { return elsewhere(); }\n");
    let error = compile(&source, ReproArch::Host, &dir.path().join("out")).await.unwrap_err();
    assert!(error.message.contains("undefined reference to `elsewhere'"), "{error}");
}

#[tokio::test]
async fn what_to_do_about_what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("lib.c", "int usb_init(void); int main(void) { return usb_init(); }", "-static -pthread -lm"),
        ("header.c", "#include <usb-of-mine.h>\nint main(void) { return 0; }", "usb-of-mine.h is not installed"),
        ("nomain.c", "int init(void) { return 0; }", "one file with a main()"),
    ];
    for (name, text, expected) in cases {
        let source = file(dir.path(), name, text);
        let error = compile(&source, ReproArch::Host, &dir.path().join("out")).await.unwrap_err();
        assert!(error.hints.len() == 1 && error.hints[0].contains(expected), "{error} {:?}", error.hints);
    }
    let source = file(dir.path(), "math.c", "double sin(double); int main(int n, char **v) { return sin(n); }\n");
    compile(&source, ReproArch::Host, &dir.path().join("out")).await.unwrap();
}

#[tokio::test]
async fn programs_of_32_bits_are_made_or_the_package_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("repro");
    // What is missing first depends on the header.
    for header in ["stdio.h", "endian.h", "fcntl.h", "errno.h", "pthread.h", "linux/types.h"] {
        let source = file(dir.path(), "repro.c", &format!("#include <{header}>\nint main(void) {{ return sizeof(long); }}\n"));
        match compile(&source, ReproArch::I386, &program).await {
            // ELF's class: 1 is 32 bits.
            Ok(()) => assert_eq!(fs::read(&program).unwrap()[4], 1),
            Err(error) => assert!(error.hints.iter().any(|hint| hint.contains("gcc-multilib")), "{error} {:?}", error.hints),
        }
    }
}
