//! A job that is written and read back is the same job.

use std::time::Duration;

use kbisect_core::bisector::Kind;
use kbisect_core::bisector::Strategy as Search;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9/._-]{0,12}", "[a-zé\"'\\\\#=]{1,8}"]
}

fn short() -> impl Strategy<Value = Duration> {
    (1_u64..100_000_000).prop_map(Duration::from_millis)
}

fn settings() -> impl Strategy<Value = serde_json::Value> {
    select(vec![
        json!({}),
        json!({ "era": "2019", "trials": 10, "ratio": 0.25, "exact": true }),
        json!({ "a b": { "c": [1, -2, [3.5, "x"]], "": "\u{1}\n\"" }, "big": i64::MAX, "tiny": 1e-300 }),
    ])
}

prop_compose! {
    fn plugin_limits()(
        (fuel, fuel_per_byte, log) in (0_u64.., 0_u64..10_000, 1_usize..1 << 40),
        (wall, memory, output, host_calls) in ((1_u64..600_000), 1_u64..1 << 40, 1_u64.., 1_u32..),
    ) -> job::PluginLimits {
        job::PluginLimits { fuel, fuel_per_byte, wall: Duration::from_millis(wall), memory, output, log, host_calls }
    }
}

prop_compose! {
    fn plugin(index: usize, wasm: PathBuf)(
        bundled in any::<bool>(),
        sha256 in option::of("[0-9a-f]{64}"),
        hooks in proptest::sample::subsequence(
            vec![job::Hook::Classifier, job::Hook::FlakePolicy, job::Hook::Recipients, job::Hook::Suspicion], 0..=4),
        (paths, titles) in (vec(word(), 0..3), vec(word(), 0..3)),
        priority in any::<i64>(),
        settings in settings(),
        limits in prop_oneof![Just(job::PluginLimits::default()), plugin_limits()],
    ) -> job::Plugin {
        let own = !bundled;
        job::Plugin {
            id: if bundled { crate::embedded::PLUGINS[index].id.to_owned() } else { format!("own-{index}") },
            path: own.then(|| wasm.clone()),
            sha256: sha256.filter(|_| own),
            hooks,
            when: job::When { paths, titles },
            priority,
            settings,
            limits,
        }
    }
}

prop_compose! {
    fn patch(file: PathBuf)(
        (own, commit) in (any::<bool>(), "[0-9a-f]{12}"),
        (since, until) in (option::of("v[5-7]\\.[0-9]{1,2}"), option::of("[0-9a-f]{12}")),
    ) -> job::Patch {
        let change = if own { job::Change::File(file.clone()) } else { job::Change::Commit(commit) };
        job::Patch { change, since, until }
    }
}

prop_compose! {
    fn machine(file: PathBuf)(
        kind in select(machine::KINDS.map(|(_, kind)| kind).to_vec()),
        (root, user, key) in (select(vec!["/dev/vda", "/dev/vda1", "/dev/sda2"]), "[a-z][a-z0-9._-]{0,8}", any::<bool>()),
        own_command in vec(word(), 1..3),
        (memory, cpus, network) in (1_u64..8 << 30, 1_u32..=8, any::<bool>()),
        (cmdline, board) in ("([a-z=]{1,9}( [a-z=]{1,9})?)?", select(vec!["pc", "microvm"])),
        (own_init, with_root) in select(vec![(false, false), (false, true), (true, false)]),
        boot_limit in short(),
    ) -> job::Machine {
        // What a kind does not have stays as the reader settles it.
        let usual = job::Machine { kind, memory, cpus, network, ..machine::usual(&HOST, &limits::of_host(&HOST)) };
        let key = key.then(|| file.clone());
        match kind {
            job::MachineKind::Process => usual,
            job::MachineKind::Qemu => {
                let root_dir = with_root.then(|| file.parent().expect("a file's folder").to_owned());
                job::Machine { cmdline, board: board.to_owned(), own_init, root_dir, boot_limit, ..usual }
            }
            job::MachineKind::Image => {
                let disk = Some(job::Disk { image: file.clone(), root: root.to_owned(), user, key });
                job::Machine { cmdline, boot_limit, disk, ..usual }
            }
            job::MachineKind::Command => {
                let command = own_command.into_iter().chain(["{kernel}".to_owned(), "{command}".to_owned()]).collect();
                job::Machine { command, boot_limit, ..usual }
            }
        }
    }
}

prop_compose! {
    fn trial(kind: job::MachineKind, data: PathBuf)(
        command in vec(word(), 1..4),
        (time_limit, repeat) in (short(), any::<bool>()),
        files in vec("/[a-z]{1,5}(/[a-z]{1,5})?", 0..3),
        expect in select(vec![job::Expect::Exit, job::Expect::Crash]),
        counts in vec(select(vec![job::CountAs::Good, job::CountAs::Bad, job::CountAs::Void]), 2),
        clean in any::<bool>(),
    ) -> job::Trial {
        let exit = expect == job::Expect::Exit;
        job::Trial {
            command,
            time_limit,
            repeat: repeat && kind != job::MachineKind::Command,
            files: files.into_iter().filter(|_| kind.has_own_files()).map(|to| (data.clone(), to)).collect(),
            expect,
            on_timeout: if exit { counts[0] } else { job::CountAs::Void },
            on_signal: if exit { counts[1] } else { job::CountAs::Void },
            clean: clean && !kind.boots(),
        }
    }
}

prop_compose! {
    fn linux(config: PathBuf)(
        (whole, edits, modules) in any::<(bool, bool, bool)>(),
        ccache in select(vec![job::CompilerCache::Off, job::CompilerCache::OfRepository, job::CompilerCache::In("/c".into())]),
        base in vec("[a-z]{1,5}_?(def)?config", 1..3),
        (fragments, set) in (0_usize..3, vec("CONFIG_[A-Z]{1,5}=[ym]", 0..3)),
        require in vec("[A-Z][A-Z0-9_]{0,8}", 0..3),
        (arch, cross_compile) in (select(vec!["x86_64", "arm64"]), "([a-z0-9]{1,5}-)?"),
        toolchain in select(vec![job::Toolchain::Gcc, job::Toolchain::Llvm]),
        compiler in vec((option::of("v[3-6]\\.(0|[1-9][0-9]?)"), "gcc(-[0-9]{1,2})?"), 0..3),
        kcflags in "(-[A-Za-z0-9]{1,5}( -W)?)?",
        (minimize, small) in (option::of(1_u32..), any::<bool>()),
        (make, targets) in (vec("V_[A-Z]{1,5}=[a-z0-9 ]{0,5}[a-z]", 0..3), vec("[a-z]{1,8}", 0..2)),
    ) -> job::Linux {
        job::Linux {
            config: whole.then(|| config.clone()),
            base: if whole { Vec::new() } else { base },
            fragments: vec![config.clone(); fragments],
            set,
            require,
            edits,
            arch: arch.to_owned(),
            cross_compile,
            toolchain,
            compiler: compiler.into_iter().map(|(before, program)| job::CompilerRule { before, program }).collect(),
            kcflags,
            make,
            targets,
            modules,
            ccache,
            minimize: minimize.map(|most| job::Minimize {
                most,
                baseline: if small { job::Baseline::File(config.clone()) } else { job::Baseline::Targets(vec!["tinyconfig".to_owned()]) },
            }),
        }
    }
}

prop_compose! {
    fn build(config: PathBuf)(
        command in vec(word(), 1..4),
        linux in option::of(linux(config)),
        time_limit in short(),
        in_slot in any::<bool>(),
        builders in 1_u32..,
    ) -> job::Build {
        let in_slot = in_slot && linux.is_none();
        let recipe = linux.map_or(job::Recipe::Command(command), |linux| job::Recipe::Linux(Box::new(linux)));
        job::Build { recipe, time_limit, in_slot, builders: if in_slot { 1 } else { builders } }
    }
}

prop_compose! {
    fn limits()(
        (cpus, memory, disk) in (8_u32..64, 8_u64 << 30..1 << 50, 1_u64..),
        deadline in option::of(short()),
        slots in option::of(1_u32..),
    ) -> job::Limits {
        job::Limits { cpus, memory, disk, deadline, slots }
    }
}

prop_compose! {
    fn search()(
        (git, delta, seed) in (any::<bool>(), 1e-6..0.5, any::<u64>()),
        (trust_good, suspicion, single, revert) in (any::<bool>(), 0.0..=0.7, any::<bool>(), any::<bool>()),
        reach in any::<bool>(),
        eras in vec("v[5-7]\\.[0-9]{1,2}", 0..3),
        tip in prop_oneof![Just(job::Tip::None), Just(job::Tip::Newest), "v[5-7]\\.[0-9]{1,2}".prop_map(job::Tip::At)],
    ) -> job::Search {
        let strategy = if git { Search::Git } else { Search::Posterior };
        job::Search { strategy, delta, seed, trust_good, suspicion, single_trials: single && git, revert, tip, reach, eras }
    }
}

prop_compose! {
    fn repro(file: PathBuf)(
        arch in select(vec![job::ReproArch::Host, job::ReproArch::I386]),
        suite in option::of(select(vec![job::Suite::Kselftest, job::Suite::Ltp])),
        compiled in any::<bool>(),
        (made, made_already) in (0..4, any::<bool>()),
        (commit, build, collection, test) in ("[a-z0-9]{1,9}", vec(word(), 1..3), "[a-z]{1,5}(/[a-z]{1,5})?", "[a-z_.]{0,5}[a-z]"),
    ) -> job::Repro {
        let made = match made {
            0 => job::Made::Selftest(job::Selftest { collection, test }),
            1 => {
                let repository = file.parent().unwrap().join("linux");
                job::Made::Harness(job::Harness { repository, commit, build, take: collection })
            }
            _ => return job::Repro { arch, suite, source: compiled.then(|| file.clone()), ..job::Repro::of(file.clone()) },
        };
        // Runs name a folder, and what is run of it.
        let folder = file.parent().unwrap();
        let (made_file, entry) = (if made_already { folder.to_owned() } else { PathBuf::new() }, Some("repro.c".to_owned()));
        job::Repro { entry, suite: Some(suite.unwrap_or(job::Suite::Kselftest)), made: Some(made), ..job::Repro::of(made_file) }
    }
}

fn any_job(folder: &Folder) -> impl Strategy<Value = job::Job> + use<> {
    let path = |name| folder.path(name);
    let (repo, repro, crash, wasm, data) =
        (path("linux"), path("repro.c"), path("crash.txt"), path("policy.wasm"), path("data.bin"));
    let config = path("kernel.config");
    fs::write(&config, "CONFIG_A=y\n").unwrap();
    (machine(data.clone()), limits(), search(), option::of(build(config)), any::<bool>()).prop_flat_map(
        move |(machine, limits, search, build, fix)| {
            let boots = machine.kind.boots();
            let recipe = job::Recipe::Command(vec!["make".to_owned()]);
            let fallback = job::Build { recipe, time_limit: Duration::from_secs(1), in_slot: false, builders: 1 };
            let mut build = match build {
                Some(build) => Some(job::Build { in_slot: build.in_slot && !boots, ..build }),
                None => boots.then_some(fallback),
            };
            let mut minimizes = false;
            if let Some(job::Build { recipe: job::Recipe::Linux(linux), .. }) = &mut build {
                linux.minimize = linux.minimize.take().filter(|_| boots);
                minimizes = linux.minimize.is_some();
            }
            let stages = if build.is_some() && !minimizes {
                vec![job::TargetStage::Build, job::TargetStage::Boot, job::TargetStage::Run]
            } else {
                vec![job::TargetStage::Boot, job::TargetStage::Run]
            };
            let kind = if fix { Kind::Fix } else { Kind::Cause };
            let tip = if fix { job::Tip::None } else { search.tip.clone() };
            let posterior = search.strategy == Search::Posterior;
            let search = job::Search { revert: search.revert && !fix, tip, reach: search.reach && !fix && posterior, ..search };
            let (repo, repro, crash) = (repo.clone(), repro.clone(), crash.clone());
            let texts = (
                word(),
                vec(word(), 0..if fix { 2 } else { 4 }),
                option::of("[A-Z][A-Za-z: -]{0,20}[a-z]"),
                option::of("https://[a-z./?=]{1,20}"),
            );
            let plugins = (0..3).map(|index| plugin(index, wasm.clone()).boxed()).collect::<Vec<_>>();
            (
                texts,
                (option::of(self::repro(repro)), any::<bool>()),
                select(stages),
                trial(machine.kind, data.clone()),
                plugins,
                (0_usize..=3, vec(patch(data.clone()), 0..3)),
            )
                .prop_map(
                    move |((bad, good, title, link), (repro, has_crash), stage, trial, mut plugins, (count, patches))| {
                        plugins.truncate(count);
                        job::Job {
                            repo: repo.clone(),
                            bad,
                            good,
                            kind,
                            repro,
                            crash: has_crash.then(|| crash.clone()),
                            title,
                            link,
                            patches,
                            build: build.clone(),
                            machine: machine.clone(),
                            stage,
                            trial,
                            search: job::Search {
                                reach: search.reach && machine.kind == job::MachineKind::Qemu && stage == job::TargetStage::Run,
                                ..search.clone()
                            },
                            limits: limits.clone(),
                            plugins,
                        }
                    },
                )
        },
    )
}

#[test]
fn a_job_survives_writing() {
    let folder = Folder::new();
    proptest!(|(job in any_job(&folder))| {
        let text = write(&job);
        let settled = folder.read(&text).map_err(|problems| TestCaseError::fail(format!("{problems}\n{text}")))?;
        prop_assert_eq!(&settled.job, &job);
        // Every value that is shown has an origin, and here the origin is the file.
        for line in lines(&job) {
            let nested = ["plugin.", "when", "limits"].iter().any(|part| line.origin.contains(part));
            prop_assert!(nested || settled.origins.of(&line.origin) == Some(&Origin::Job), "{:?}", line);
        }
    });
}

#[test]
fn cutting_or_changing_a_job_file_never_panics() {
    let folder = Folder::new();
    proptest!(|(job in any_job(&folder), at in any::<proptest::sample::Index>(), with in "\\PC{0,3}")| {
        let text = write(&job);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = *at.get(&places);
        let _ = folder.read(&text[..at]);
        let _ = folder.read(&format!("{}{with}{}", &text[..at], &text[at..]));
    });
}
