//! What the host adds to one plugin call: store, instantiation, and copying 64 KB of console in, against a guest that does nothing.
//!
//! The goal is 100 µs or less for `empty guest, 64 KB of console`.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use kbisect::config::job::PluginLimits;
use kbisect::embedded::PLUGINS;
use kbisect::plugin::Engine;
use kbisect::plugin::Plugin;
use kbisect::plugin::Surroundings;

const CONSOLE: usize = 64 << 10;

fn load(engine: &Engine, component: &[u8]) -> Plugin {
    Plugin::load(engine, component, None, &serde_json::Value::Null, PluginLimits::default()).expect("a fit plugin")
}

fn empty_guest() -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there");
    let guests = Path::new(env!("KBISECT_GUESTS"));
    let components = guest_build::plugins(&workspace, guests, &["empty-guest"]).expect("the guest builds");
    fs::read(&components[0]).expect("cargo said that it built it")
}

fn calls(criterion: &mut Criterion) {
    let engine = Engine::new(None).expect("the engine starts");
    let around = Surroundings::default();
    // Ordinary boot messages: nothing for a classifier to find.
    let line = b"[    1.234567] usb 1-1: new high-speed USB device number 2 using dummy_hcd\n";
    let console: Vec<u8> = line.iter().copied().cycle().take(CONSOLE).collect();

    let empty = load(&engine, &empty_guest());
    criterion.bench_function("empty guest, no argument", |bencher| {
        bencher.iter(|| empty.markers(black_box(&around)).result.expect("an answer"));
    });
    criterion.bench_function("empty guest, 64 KB of console", |bencher| {
        bencher.iter(|| empty.classify(black_box(&around), black_box(&console), &[]).result.expect("an answer"));
    });
    let bundled = PLUGINS.iter().find(|plugin| plugin.id == "linux-crash").expect("it is bundled");
    let bundled = load(&engine, bundled.component);
    criterion.bench_function("linux-crash, 64 KB of console without a crash", |bencher| {
        bencher.iter(|| bundled.classify(black_box(&around), black_box(&console), &[]).result.expect("an answer"));
    });
}

criterion_group!(benches, calls);
criterion_main!(benches);
