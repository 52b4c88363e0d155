#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;
use tokio::net::UnixStream;

use super::*;
use crate::machine::control::CallEnd;

fn at(name: &str, addresses: &[u64]) -> Located {
    let place = if addresses.is_empty() { Place::Absent } else { Place::At(addresses.to_vec()) };
    Located { name: name.to_owned(), place }
}

/// A debugger's other side, as QEMU speaks: with so many breakpoints, of a guest that comes by these addresses.
async fn emulate(mut stream: UnixStream, breakpoints: usize, path: Vec<u64>) {
    let mut set: BTreeSet<u64> = BTreeSet::new();
    let mut path = path.into_iter();
    let mut here = 0;
    let mut read: Vec<u8> = Vec::new();
    loop {
        let mut piece = [0; 512];
        let Ok(count @ 1..) = stream.read(&mut piece).await else { return };
        read.extend_from_slice(&piece[..count]);
        while let Some(end) = read.iter().position(|byte| *byte == b'#').filter(|end| read.len() >= end + 3) {
            let packet = String::from_utf8(read.drain(..end + 3).collect()).unwrap();
            let data = packet.trim_start_matches('+').strip_prefix('$').unwrap().split('#').next().unwrap().to_owned();
            let address = |data: &str| u64::from_str_radix(data.split(',').nth(1).unwrap(), 16).unwrap();
            let answer = match data.as_bytes()[0] {
                // It tells when it stopped, whether it is asked or not.
                b'?' => "T02thread:01;#00+$T02thread:01;".to_owned(),
                b'Z' if set.len() == breakpoints => "E1c".to_owned(),
                b'Z' => {
                    set.insert(address(&data));
                    "OK".to_owned()
                }
                b'z' => {
                    assert!(set.remove(&address(&data)), "{data}");
                    "OK".to_owned()
                }
                b'g' => format!("{}{:016x}", "0".repeat(256), u64::swap_bytes(here)),
                b'c' => match path.find(|address| set.contains(address) || *address == 1) {
                    Some(address) => {
                        here = address;
                        "T05thread:01;".to_owned()
                    }
                    None => "W00".to_owned(),
                },
                _ => panic!("{data}"),
            };
            stream.write_all(format!("+${answer}#00").as_bytes()).await.unwrap();
        }
    }
}

/// What is seen of such a guest.
async fn seen(functions: Vec<Located>, breakpoints: usize, path: &[u64]) -> Reach {
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join(command::GDB)).unwrap();
    let path = path.to_vec();
    let other = tokio::spawn(async move { emulate(listener.accept().await.unwrap().0, breakpoints, path).await });
    let probe = Probe::new(functions);
    probe.attach(dir.path()).await.unwrap().follow(&probe).await;
    other.await.unwrap();
    probe.found()
}

fn shown(reach: &Reach) -> String {
    let shown: Vec<String> = reach.functions.iter().map(|function| format!("{} {:?}", function.name, function.watched)).collect();
    shown.join(", ")
}

#[tokio::test]
async fn functions_that_run_are_noted_at_their_first_hit() {
    let functions = || vec![at("inner", &[0x100, 0x900]), at("gone", &[]), at("outer", &[0x200]), at("never", &[0x300])];
    // 1: a stop that is none of ours.
    let reach = seen(functions(), 99, &[0x200, 1, 0x200, 0x900, 0x100, 0x200]).await;
    assert_eq!(shown(&reach), "inner Ran, gone Absent, outer Ran, never Quiet");
    assert_eq!((reach.functions_unknown, reach.calls_unknown), (None, Some("not traced".to_owned())));
}

#[tokio::test]
async fn a_processor_with_few_breakpoints_watches_the_first_ones_first() {
    let functions = || (1..=6).map(|number| at(&format!("f{number}"), &[number * 16])).collect::<Vec<_>>();
    let reach = seen(functions(), 4, &[0x50, 0x60, 0x20, 0x50]).await;
    assert_eq!(shown(&reach), "f1 Quiet, f2 Ran, f3 Quiet, f4 Quiet, f5 Ran, f6 Quiet");
    let reach = seen(functions(), 4, &[0x50, 0x60]).await;
    assert_eq!(shown(&reach), "f1 Quiet, f2 Quiet, f3 Quiet, f4 Quiet, f5 Unwatched, f6 Unwatched");
    // Half of a function's addresses are as good as none.
    let reach = seen(vec![at("twice", &[0x10, 0x20, 0x30]), at("once", &[0x40])], 2, &[0x30]).await;
    assert_eq!(shown(&reach), "twice Unwatched, once Unwatched");
}

#[tokio::test]
async fn where_nobody_listens_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let probe = Probe::new(vec![at("f", &[0x10])]);
    assert_eq!(probe.found().functions_unknown.as_deref(), Some("the reproducer was not started"));
    assert!(probe.attach(dir.path()).await.is_none());
    let unknown = probe.found().functions_unknown.unwrap();
    assert!(unknown.starts_with("QEMU's debugger cannot be used: No such file"), "{unknown}");
}

#[test]
fn calls_are_told_by_name_unless_the_program_saw_that_it_was_traced() {
    let probe = Probe::new(Vec::new());
    let call = CallEnd { number: 41, argument: Some("0x26".to_owned()), errno: 97, count: 3 };
    probe.take_calls(Traced { calls: vec![call.clone()], untraced: None });
    let told = probe.found().calls;
    assert_eq!(told, [Call { call: "socket(AF_ALG)".to_owned(), error: Some("EAFNOSUPPORT".to_owned()), count: 3 }]);
    probe.take_calls(Traced { calls: vec![call], untraced: Some("it uses ptrace itself".to_owned()) });
    let found = probe.found();
    assert_eq!((found.calls, found.calls_unknown.as_deref()), (Vec::new(), Some("it uses ptrace itself")));
}
