//! How fast consoles are read, ordinary and hostile ones, in the sandbox and without it.
//!
//! `./x bench classify [DIR]`; DIR (default `crash-reports/linux` of the test data) holds consoles in the format of syzkaller's report
//! tests. Goals, on one core: the 603 consoles in 2 s; at most 2.5 times of what the same code takes natively, both starting cold;
//! at most a quarter of a call's fuel; a clean mebibyte in 20 ms; markers looked for at 200 MB/s; 10 MB made to hurt in 1 s, and no
//! failed call. What is printed is the least and the median of some runs: the least is what it takes, the median what a busy machine
//! makes of it.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use kbisect::config::job::PluginLimits;
use kbisect::corpus;
use kbisect::embedded::PLUGINS;
use kbisect::plugin::Engine;
use kbisect::plugin::Plugin;
use kbisect::plugin::Surroundings;
use kbisect::plugin::facts::NoFacts;
use kbisect::policy::Policies;
use kbisect::policy::Watch as _;
use kbisect::policy::console;
use kbisect::trial::console::Console;
use linux_crash::report;

/// The argument with which this program times itself without the sandbox, on the console from standard input.
const NATIVE: &str = "--native";
/// Of how many consoles one is timed natively: each needs a process of its own.
const EVERY: usize = 5;
const MIB: usize = 1 << 20;

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map(String::as_str) {
        Some(NATIVE) => native(),
        folder => measure(&folder.map_or_else(default_folder, PathBuf::from)),
    }
}

fn default_folder() -> PathBuf {
    let data = env::var_os("KBISECT_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), Into::into);
    data.join("crash-reports/linux")
}

/// Times one console, the first that this process reads.
fn native() {
    let mut console = Vec::new();
    io::stdin().read_to_end(&mut console).expect("a console");
    let begun = Instant::now();
    std::hint::black_box(report::reports(&console));
    println!("{}", begun.elapsed().as_nanos());
}

/// What [`native`] says, in milliseconds: the least of `runs`.
fn natively(console: &[u8], runs: usize) -> f64 {
    let once = || {
        let program = env::current_exe().expect("this program");
        let mut child =
            Command::new(program).arg(NATIVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program");
        child.stdin.take().expect("piped").write_all(console).expect("it reads");
        let said = child.wait_with_output().expect("it ends").stdout;
        String::from_utf8_lossy(&said).trim().parse::<f64>().expect("nanoseconds") / 1e6
    };
    (0..runs).map(|_| once()).fold(f64::INFINITY, f64::min)
}

/// What some runs of one thing took, in milliseconds, from the least.
struct Times {
    wall: Vec<f64>,
    /// Of this thread alone: what a busy machine hardly changes. Counted in steps of some milliseconds.
    processor: Vec<f64>,
}

impl Times {
    fn of(runs: usize, mut act: impl FnMut()) -> Self {
        let (mut wall, mut processor): (Vec<f64>, Vec<f64>) = (0..runs)
            .map(|_| {
                let (begun, before) = (Instant::now(), processor_time());
                act();
                (begun.elapsed().as_secs_f64() * 1e3, processor_time() - before)
            })
            .unzip();
        wall.sort_by(f64::total_cmp);
        processor.sort_by(f64::total_cmp);
        Self { wall, processor }
    }

    fn least(&self) -> f64 {
        self.wall[0]
    }

    fn median(&self) -> f64 {
        self.wall[self.wall.len() / 2]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7.1} ms least, {:7.1} ms median", self.least(), self.median())?;
        if self.processor[0] > 30.0 { write!(f, ", {:5.0} ms of processor", self.processor[0]) } else { Ok(()) }
    }
}

/// Milliseconds that this thread has run.
fn processor_time() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

fn measure(folder: &Path) {
    let engine = Engine::new(None).expect("an engine");
    let bundled = PLUGINS.iter().find(|plugin| plugin.id == "linux-crash").expect("it is bundled");
    let limits = PluginLimits::default();
    let plugin = Plugin::load(&engine, bundled.component, None, &serde_json::Value::Null, limits).expect("a fit plugin");
    match corpus::read(folder) {
        Ok(cases) => of_corpus(&plugin, limits, &cases),
        Err(error) => println!("skipped: the corpus: {}: {error}", folder.display()),
    }
    let policies = Policies::load_with(&engine, &[], Arc::new(NoFacts), Arc::new(|_| {})).expect("the bundled plugins");
    of_clean(&plugin, &policies);
    of_hostile(&policies);
}

fn of_corpus(plugin: &Plugin, limits: PluginLimits, cases: &[corpus::Case]) {
    let around = Surroundings::default();
    let sandboxed = |console: &[u8]| plugin.classify(&around, console, &[]);
    let all = Times::of(5, || {
        for case in cases {
            sandboxed(&case.console).result.expect("an answer");
        }
    });
    println!("{} consoles in the sandbox      {}", cases.len(), all);
    let share = |console: &[u8]| {
        let budget = limits.fuel + limits.fuel_per_byte * console.len() as u64;
        100.0 * sandboxed(console).fuel as f64 / budget as f64
    };
    let largest = cases.iter().max_by_key(|case| case.console.len()).expect("it has files");
    let most = cases.iter().map(|case| share(&case.console)).fold(0.0, f64::max);
    let bytes = largest.console.len();
    println!("fuel: {:.1} % of a call's for the largest console ({bytes} bytes), {most:.1} % at most", share(&largest.console));
    let mut ratios: Vec<f64> = cases
        .iter()
        .step_by(EVERY)
        .map(|case| Times::of(3, || drop(sandboxed(&case.console))).least() / natively(&case.console, 3))
        .collect();
    ratios.sort_by(f64::total_cmp);
    let (low, high) = (ratios[ratios.len() / 10], ratios[ratios.len() * 9 / 10]);
    println!(
        "sandboxed / native, both cold     {:.2} in the median of {} consoles, {low:.2} to {high:.2} for 80 %",
        ratios[ratios.len() / 2],
        ratios.len()
    );
}

fn clean(size: usize) -> Vec<u8> {
    let line = b"[   12.345678][  T417] widget 0000:00:04.0: queue 3 is ready, 128 entries, no BUG here\n";
    line.repeat(size / line.len())
}

fn of_clean(plugin: &Plugin, policies: &Policies) {
    let around = Surroundings::default();
    let console = clean(MIB);
    let all = Times::of(15, || assert!(plugin.classify(&around, &console, &[]).result.expect("an answer").reports.is_empty()));
    println!("a clean mebibyte in the sandbox   {all}");
    let noise = [b"[   12.400000] WARNING: The mand mount option has been deprecated\n".to_vec(), console].concat();
    let all = Times::of(15, || assert!(plugin.classify(&around, &noise, &[]).result.expect("an answer").reports.is_empty()));
    println!("the same behind a harmless line   {all}");
    let markers = policies.markers();
    let console = clean(2 * MIB);
    let all = Times::of(25, || {
        let mut reader = Console::new(&markers);
        console.chunks(4096).for_each(|piece| reader.feed(piece));
        assert!(!reader.hit());
    });
    let rate = |ms: f64| console.len() as f64 / 1e3 / ms;
    println!("markers looked for in pieces      {:8.0} MB/s at best, {:.0} MB/s median", rate(all.least()), rate(all.median()));
}

/// Consoles made to hurt.
fn hostile(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |text: &str| text.repeat(size / text.len()).into_bytes();
    let callers = (0..size / 57).flat_map(|n| format!("[    1.000000][ T{n:6}] BUG: KASAN: a in f+0x1/0x2\n").into_bytes());
    vec![
        ("nothing but NULs", vec![0; size]),
        ("an endless line", vec![b'a'; size]),
        ("an endless line of markers", repeated("BUG: ")),
        ("an endless line of stamped markers", repeated("[    1.000000] BUG: x ")),
        ("a million markers", repeated("BUG: foo()\n")),
        ("reports without stacks", repeated("BUG: KASAN: x in f+0x1/0x2\n")),
        ("reports with stacks", repeated("WARNING: \n f+0x1/0x2\n")),
        ("deep nesting", [b"BUG: \n".to_vec(), repeated("<IRQ> ? [<((({{{")].concat()),
        (
            "a stack without an end",
            [b"BUG: KASAN: x in f+0x1/0x2\nCall Trace:\n".to_vec(), repeated(" kasan_f+0x1/0x2\n")].concat(),
        ),
        ("every line another caller", callers.collect()),
        ("empty lines behind a marker", [b"BUG: \n".to_vec(), repeated("\n")].concat()),
        ("bait in one line", [b"INFO: task ".to_vec(), repeated("a: blocked for mor")].concat()),
        ("bait by lines", repeated("INFO: task a: blocked for mor\n")),
        ("lines awaited in vain", repeated("BUG: memory leak\nunreferenced objec\n")),
        ("addresses", repeated("WARNING: possible recursive locking detected\n(a), at: [<ff>] [<ff>] [<ff>] [<ff>] \n")),
    ]
}

fn of_hostile(policies: &Policies) {
    for (name, text) in hostile(10 * MIB) {
        let mut reports = 0;
        let all = Times::of(3, || {
            reports = console::classify(policies, &text, None).unwrap_or_else(|error| panic!("{name}: {error}")).reports.len();
        });
        println!("10 MiB, {name:36} {all}, {reports} reports");
    }
}
