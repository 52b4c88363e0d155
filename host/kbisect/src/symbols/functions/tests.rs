#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::*;

const ONE: &str = "
static __attribute__((noinline)) int twice(int x) { return x * 3; }
static inline __attribute__((always_inline)) int melted(int x) { return twice(x) + 1; }
int one(int x) { return melted(x); }
__attribute__((section(\".text.unlikely\"))) int part_of_it(int x) __asm__(\"split.cold\");
int part_of_it(int x) { return x; }
int clone(int x) __asm__(\"cloned.constprop.0\");
int clone(int x) { return x + 5; }
int __x64_sys_sum(int x) { return x + 7; }
int __ia32_sys_sum(int x) { return x + 8; }
int ksys_take(int x) { return x + 9; }
int own_sys_take(int x) { return x + 10; }
int _RNvCskwGfYPst2Cb_3foo16example_function(int x) { return x + 11; }
int start(int x) { return one(x); }
";
const OTHER: &str =
    "static __attribute__((noinline)) int twice(int x) { return x * 7; }\nint other(int x) { return twice(x); }\n";

/// A linked file of these; `more` for the linker.
fn vmlinux(more: &[&str]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one.c"), ONE).unwrap();
    fs::write(dir.path().join("other.c"), OTHER).unwrap();
    let args = ["-g", "-O1", "-nostdlib", "-static", "-Wl,-e,start", "-o", "vmlinux", "one.c", "other.c"];
    assert!(Command::new("cc").current_dir(dir.path()).args(args).args(more).status().unwrap().success());
    let path = dir.path().join("vmlinux");
    (dir, path)
}

fn places(path: &Path, names: &[&str]) -> Result<String, String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let shown = |located: Located| match located.place {
        Place::At(addresses) => format!("{} {}", located.name, addresses.len()),
        Place::Inlined => format!("{} inlined", located.name),
        Place::Absent => format!("{} absent", located.name),
    };
    Ok(locate(path, &names)?.into_iter().map(shown).collect::<Vec<_>>().join(", "))
}

#[test]
fn functions_are_found_by_the_names_that_stacks_have() {
    let (_dir, path) = vmlinux(&[]);
    let told = places(&path, &["one", "twice", "twice.isra.0", "melted", "nowhere", "cloned", "split"]);
    assert_eq!(told.unwrap(), "one 1, twice 2, twice.isra.0 2, melted inlined, nowhere absent, cloned 1, split absent");
    let listed = Command::new("nm").arg(&path).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let of_nm: Vec<u64> = listed
        .lines()
        .filter(|line| line.ends_with(" t twice"))
        .map(|line| u64::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap())
        .collect();
    let Place::At(mut found) = locate(&path, &["twice".to_owned()]).unwrap().remove(0).place else { panic!() };
    found.sort_unstable();
    let mut of_nm = of_nm;
    of_nm.sort_unstable();
    assert_eq!(found, of_nm);
}

#[test]
fn functions_are_found_as_reports_spell_them() {
    let (_dir, path) = vmlinux(&[]);
    let told = places(&path, &["sys_sum", "sum", "__x64_sys_sum", "take", "x64_sys_sum", "foo::example_function"]);
    let found = "sys_sum 2, sum 2, __x64_sys_sum 1, take 1, x64_sys_sum absent, foo::example_function 1";
    assert_eq!(told.unwrap(), found);
}

#[test]
fn a_file_without_symbols_says_so() {
    let (dir, path) = vmlinux(&["-s"]);
    assert_eq!(places(&path, &["one"]), Err("its vmlinux has no symbols".to_owned()));
    fs::write(dir.path().join("text"), "no ELF file").unwrap();
    let error = places(&dir.path().join("text"), &["one"]).unwrap_err();
    assert!(error.starts_with("its vmlinux cannot be read: "), "{error}");
    assert_eq!(places(&dir.path().join("none"), &["one"]), Err("it has no vmlinux, or that made room".to_owned()));
}
