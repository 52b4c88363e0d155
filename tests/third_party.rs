//! Plugins of third parties (`plugins/examples`) in bisections of the pocket kernel, with and without them side by side.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::support::Planned;
use crate::support::Tree;
use crate::support::World;
use crate::support::journal;
use crate::support::named;
use crate::support::pocket_sources;
use crate::support::report;
use crate::support::sure_pocket;
use crate::support::write_history;

/// Builds an example and copies it into the world.
fn install(world: &World, example: &str) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let target = Path::new(env!("KBISECT_GUESTS"));
    let component = guest_build::plugins(&workspace, target, &[example]).unwrap().remove(0);
    fs::copy(component, world.path(&format!("{example}.wasm"))).unwrap();
}

/// The pocket kernel's sources as they are at a release without planted bugs.
fn pocket_kernel(world: &World) -> Tree {
    pocket_sources(world, &pocket::Options { repro_rate: 0.7, ..sure_pocket() })
}

/// One commit: its subject, and what it changes.
struct Step {
    subject: String,
    change: Box<dyn Fn(&mut Tree)>,
}

/// A commit that replaces text of a file.
fn edit(subject: &str, path: &'static str, from: &'static str, to: &'static str) -> Step {
    let change = move |tree: &mut Tree| {
        let text = tree.get_mut(path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{path} has {from:?} once");
        *text = text.replace(from, to);
    };
    Step { subject: subject.to_owned(), change: Box::new(change) }
}

/// A commit that only documents something.
fn note(number: usize) -> Step {
    let change = move |tree: &mut Tree| drop(tree.insert(format!("Documentation/notes/{number}"), format!("Note {number}\n")));
    Step { subject: format!("Documentation: add note {number}"), change: Box::new(change) }
}

/// Writes `base` and the steps on top of it; the ids by subject.
fn write_steps(world: &World, base: &Tree, steps: &[Step]) -> BTreeMap<String, String> {
    let mut tree = base.clone();
    let mut commits = vec![Planned { files: base.clone().into_iter().collect(), ..Planned::on(&[], "base") }];
    for (place, step) in steps.iter().enumerate() {
        let before = tree.clone();
        (step.change)(&mut tree);
        let files = tree.iter().filter(|(path, text)| before.get(*path) != Some(text));
        let files = files.map(|(path, text)| (path.clone(), text.clone())).collect();
        commits.push(Planned { files, ..Planned::on(&[place], step.subject.clone()) });
    }
    let ids = write_history(world, "linux", &commits, &[]);
    commits.into_iter().map(|commit| commit.subject).zip(ids).collect()
}

/// How a bisection ended.
struct Ended {
    status: Option<i32>,
    named: Option<String>,
    shown: String,
    run: PathBuf,
}

/// Bisects from the newest commit to the first one, with some plugins.
fn bisect(world: &World, commits: &BTreeMap<String, String>, newest: &str, run: &str, plugins: &str) -> Ended {
    let repo = world.path("linux");
    let job = pocket::Job { repo: &repo, bad: &commits[newest], good: Some(&commits["base"]), strategy: None, seed: 3 };
    fs::write(world.path(&format!("{run}.toml")), pocket::job_toml(&job) + plugins).unwrap();
    let output = world.kbisect(&["run", "--quiet", &format!("{run}.toml"), "--out", run]).output().unwrap();
    let run = world.path(run);
    let named = named(&run).map(|id| commits.iter().find(|(_, known)| **known == id).unwrap().0.clone());
    Ended { status: output.status.code(), named, shown: world.shown(&output), run }
}

/// Titles of all crashes that trials ended with.
fn titles(run: &Path) -> Vec<String> {
    let mut titles: Vec<String> = journal(run)
        .iter()
        .filter(|entry| entry["event"] == "trial-ended")
        .filter_map(|entry| entry["outcome"]["crashed"]["report"]["title"].as_str().map(str::to_owned))
        .collect();
    titles.sort();
    titles.dedup();
    titles
}

/// A volume whose accounts a careless lock spoils: no oops, only ext4's words at the next mount. Two disks beside it are noise, one
/// without a filesystem and one that fails.
#[test]
fn corruption_is_bisected_with_the_filesystems_plugin_and_not_seen_without() {
    const CULPRIT: &str = "volume: hold the lock for the bitmap alone";
    let world = World::new();
    let mut base = pocket_kernel(&world);
    base.insert("fs/volume.c".to_owned(), include_str!("third_party/volume.c").to_owned());
    base.insert("usr/race.c".to_owned(), include_str!("third_party/volume_race.c").to_owned());
    let mut steps = vec![
        note(1),
        edit(
            "race: look at a disk without a filesystem",
            "usr/race.c",
            "static void look_at_disks(void)\n{\n",
            "static void look_at_disks(void)\n{\n\tpr_err(\"EXT4-fs (vdb): VFS: Can't find ext4 filesystem\\n\");\n",
        ),
        note(2),
        edit(
            "race: look at a disk that fails",
            "usr/race.c",
            "ext4 filesystem\\n\");\n",
            "ext4 filesystem\\n\");\n\
             \tpr_err(\"I/O error, dev vdc, sector 2072 op 0x0:(READ) flags 0x3000 phys_seg 1 prio class 2\\n\");\n\
             \tpr_err(\"EXT4-fs error (device vdc1): __ext4_find_entry:1683: inode #2: comm race: reading directory lblock 0\\n\");\n",
        ),
    ];
    steps.extend((3..8).map(note));
    steps.push(edit(
        CULPRIT,
        "fs/volume.c",
        "\tcond_resched();\n\tgroup.free = free - 1;\n\tmutex_unlock(&group.lock);\n",
        "\tmutex_unlock(&group.lock);\n\tcond_resched();\n\tgroup.free = free - 1;\n",
    ));
    steps.extend((8..14).map(note));
    let newest = steps.last().unwrap().subject.clone();
    let commits = write_steps(&world, &base, &steps);

    let without = bisect(&world, &commits, &newest, "without", "");
    assert_eq!((without.status, &without.named), (Some(4), &None), "not reproduced: {}", without.shown);

    install(&world, "filesystems");
    let plugin = "\n[[plugin]]\nid = \"filesystems\"\npath = \"filesystems.wasm\"\n";
    let with = bisect(&world, &commits, &newest, "with", plugin);
    assert_eq!((with.status, with.named.as_deref()), (Some(0), Some(CULPRIT)), "{}", with.shown);
    assert_eq!(titles(&with.run), ["EXT4-fs error in ext4_mb_generate_buddy"]);

    // A job that looks at other devices only sees nothing.
    let settings = format!("{plugin}settings = {{ devices = [\"vdb*\"] }}\n");
    let elsewhere = bisect(&world, &commits, &newest, "elsewhere", &settings);
    assert_eq!((elsewhere.status, &elsewhere.named), (Some(4), &None), "{}", elsewhere.shown);
}

/// A driver complains at every boot, and the target's looks changed on the way: rules tell both.
#[test]
fn an_operators_rules_lead_past_noise_and_past_a_new_name() {
    const NOISE: &str = "sensor: say when a reading is too high";
    const CULPRIT: &str = "ring: do not lock an empty ring";
    const DRIFT: &str = "lib: make a stock of the ring";
    let world = World::new();
    let mut base = pocket_kernel(&world);
    base.insert("kernel/ring.c".to_owned(), include_str!("third_party/ring.c").to_owned());
    base.insert("usr/race.c".to_owned(), include_str!("third_party/ring_race.c").to_owned());
    let moved = |tree: &mut Tree| {
        let ring = tree.insert("kernel/ring.c".to_owned(), "/* See lib/stock.c. */\n".to_owned()).unwrap();
        let stock = ring
            .replace("ring_take", "stock_draw")
            .replace("ring_", "stock_")
            .replace("ring", "stock")
            .replace("BUG_ON", "WARN_ON");
        tree.insert("lib/stock.c".to_owned(), stock);
        let race = tree["usr/race.c"].replace("ring_", "stock_").replace("poll", "drain").replace("stock_drain", "stock_poll");
        tree.insert("usr/race.c".to_owned(), race);
    };
    let mut steps = vec![
        note(1),
        edit(
            NOISE,
            "usr/race.c",
            "static void read_sensor(void)\n{\n",
            "static void read_sensor(void)\n{\n\
             \tpr_warn(\"------------[ cut here ]------------\\nreading 300 is beyond 255\\n\");\n\
             \tpr_warn(\"WARNING: CPU: 0 PID: 1 at usr/race.c:22 read_sensor+0x1b/0x40\\n\");\n\
             \tdump_stack();\n\
             \tpr_warn(\"---[ end trace 0000000000000000 ]---\\n\");\n",
        ),
    ];
    steps.extend((2..6).map(note));
    steps.push(edit(
        CULPRIT,
        "kernel/ring.c",
        "\tbool some;\n\n\tmutex_lock(&ring.lock);\n\tsome = ring.count > 0;\n\tif (some)\n\t\tring_take();\n\tmutex_unlock(&ring.lock);\n\treturn some;\n",
        "\tif (!ring.count)\n\t\treturn false;\n\tmutex_lock(&ring.lock);\n\tring_take();\n\tmutex_unlock(&ring.lock);\n\treturn true;\n",
    ));
    steps.extend((6..10).map(note));
    steps.push(Step { subject: DRIFT.to_owned(), change: Box::new(moved) });
    steps.extend((10..12).map(note));
    let newest = steps.last().unwrap().subject.clone();
    let commits = write_steps(&world, &base, &steps);
    install(&world, "rules");

    let plugin = "\n[[plugin]]\nid = \"rules\"\npath = \"rules.wasm\"\n";
    let ignore = "\n[[plugin.settings.ignore]]\ntitle = \"WARNING in read_*\"\nwhy = \"the emulated sensor knows no limits\"\n";
    let relate = "\n[[plugin.settings.relate]]\nseen = \"kernel BUG in ring_take\"\ntarget = \"WARNING in stock_draw\"\nsame = 0.98\n\
                  why = \"stock_draw was ring_take\"\n";
    let retitle = "\n[[plugin.settings.retitle]]\ntitle = '/ in (ring_take|stock_draw)$/'\nto = \"ring taken from when empty\"\n";

    let mut wrong = Vec::new();
    for (run, rules, expected) in [
        ("without", String::new(), (Some(0), Some(NOISE))),
        // By its older looks the bug is another one, which hides the target: nobody can say where that began.
        ("ignore", format!("{plugin}{ignore}"), (Some(3), None)),
        ("relate", format!("{plugin}{ignore}{relate}"), (Some(0), Some(CULPRIT))),
        ("retitle", format!("{plugin}{ignore}{retitle}"), (Some(0), Some(CULPRIT))),
    ] {
        let ended = bisect(&world, &commits, &newest, run, &rules);
        if (ended.status, ended.named.as_deref()) != expected {
            wrong.push(format!("{run}: {:?} {:?}\n{}", ended.status, titles(&ended.run), ended.shown));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Writes a `job.toml` of which only the plugins matter.
fn write_job(world: &World, plugins: &str) {
    let repo = world.path("linux");
    fs::create_dir_all(&repo).unwrap();
    let job = pocket::Job { repo: &repo, bad: "HEAD", good: None, strategy: None, seed: 1 };
    fs::write(world.path("job.toml"), pocket::job_toml(&job) + plugins).unwrap();
}

/// What operators try first: their rules on a console, and what is said of a mistake in them.
#[test]
fn rules_are_tried_on_a_console_and_refused_by_name() {
    let world = World::new();
    install(&world, "rules");
    let warning = |function: &str| {
        format!(
            "------------[ cut here ]------------\nWARNING: CPU: 0 PID: 9 at drivers/board.c:7 {function}+0x1/0x20\n\
             Call Trace:\n board_work+0x5/0x40\n---[ end trace 0000000000000000 ]---\n"
        )
    };
    fs::write(world.path("console.txt"), warning("read_sensor") + &warning("ring_take") + "board: gone\n").unwrap();
    let job = |rules: &str| write_job(&world, &format!("\n[[plugin]]\nid = \"rules\"\npath = \"rules.wasm\"\n{rules}"));
    let said = |args: &[&str]| world.shown(&world.kbisect(args).output().unwrap());
    job("[[plugin.settings.ignore]]\ntitle = \"WARNING in read_*\"\nwhy = \"no limits\"\n\
         [[plugin.settings.report]]\ntext = \"board: gone\"\ntitle = \"board gone\"\nfile = \"drivers/board.c\"\n\
         [[plugin.settings.relate]]\nseen = \"board gone\"\nsame = 0.5\nwhy = \"it dies of anything\"\n");
    let shown = said(&["classify", "--explain", "--job", "job.toml", "console.txt"]);
    let rules: String =
        shown.lines().filter(|line| !line.starts_with("linux-crash adds ")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(rules, @r"
    --- stdout
    rules ignores report 1: no limits
    rules adds `board gone` by the rule for `board: gone`, lines 11 to 11

    WARNING in ring_take
      type       WARNING
      function   ring_take
      file       drivers/board.c
      trace      board_work
      lines      7 to 11

    board gone
      file       drivers/board.c
      lines      11 to 11
    --- exit status 0
    ");
    insta::assert_snapshot!(
        said(&["relate", "--job", "job.toml", "--target", "title:WARNING in ring_take", "--seen", "title:board gone"]),
        @r"
    --- stdout
    probability  0.500
    reason       it dies of anything
    --- exit status 0
    "
    );
    job("[[plugin.settings.ignore]]\ntitel = \"WARNING in read_*\"\nwhy = \"no limits\"\n\
         [[plugin.settings.retitle]]\ntitle = \"/ring_(take|put)\"\nto = \"ring\"\n\
         [[plugin.settings.relate]]\nseen = \"*\"\nsame = 98\n");
    insta::assert_snapshot!(said(&["classify", "--job", "job.toml", "console.txt"]), @r#"
    --- stderr
    error: plugin `rules` ([DIR]/rules.wasm) refuses its settings: ignore rule 1 (why = "no limits"): unknown field `titel`, expected one of `title`, `type`, `function`, `file`, `why`; relate rule 1 (seen = "*"): `same` is 98: it is a chance, from 0 to 1; retitle rule 1 (title = "/ring_(take|put)"): `/ring_(take|put)` begins a regular expression and does not end it with /
    --- exit status 2
    "#);
}

/// Consoles of a mebibyte that are all markers: an answer within the limits, or the host would warn.
#[test]
fn hostile_consoles_stay_within_the_limits() {
    let world = World::new();
    ["filesystems", "rules"].iter().for_each(|example| install(&world, example));
    let rules: String = (0..50)
        .map(|number| {
            format!(
                "[[plugin.settings.retitle]]\ntitle = '/^(WARNING|KASAN: \\S+|kernel (BUG|panic)) in f{number}_(\\w+)$/'\nto = \"$1\"\n\
                 [[plugin.settings.report]]\ntext = \"nobody says {number}\"\ntitle = \"said\"\n"
            )
        })
        .collect();
    let plugins = format!(
        "\n[[plugin]]\nid = \"filesystems\"\npath = \"filesystems.wasm\"\n[[plugin]]\nid = \"rules\"\npath = \"rules.wasm\"\n{rules}"
    );
    write_job(&world, &plugins);
    let lines = [
        "EXT4-fs (\n".to_owned(),
        "EXT4-fs error (device vda): f:1: \n".to_owned(),
        format!("F2FS-fs (vda): {}\n", "sanity_check_".repeat(60)),
        format!("XFS (vda): Internal error {}\n", "at line 1 of file ".repeat(50)),
        "BTRFS error (device vda".to_owned(),
        "I/O error, dev vda1, sector 1\n".to_owned(),
        "Kernel panic - not syncing: EXT4-fs (device vda): panic forced after error\n".to_owned(),
        "------------[ cut here ]------------\nWARNING: CPU: 0 PID: 9 at a.c:7 f+0x1/0x20\n".to_owned(),
    ];
    for line in lines {
        fs::write(world.path("console.txt"), line.repeat((1 << 20) / line.len())).unwrap();
        let output = world.kbisect(&["classify", "--job", "job.toml", "console.txt"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains("warning"), "{line:?}: {said}");
    }
}

/// What a subsystem's pack decided: conclusions that a commit is good, as plugin and number of trials, and the addresses told.
struct Judged {
    good: Vec<(String, u64)>,
    told: Vec<String>,
}

/// Bisects a small history of `kind`, in git's way, with some plugins.
fn bisect_planted(world: &World, kind: pocket::Kind, plugins: &str) -> Judged {
    let name = format!("{kind:?}-{}", plugins.len());
    let options = pocket::Options { kind: Some(kind), ..sure_pocket() };
    let repo = world.path(&format!("{name}-linux"));
    let planted = pocket::write(&repo, &options).unwrap();
    let good = planted.good.last().map(String::as_str);
    let job = pocket::Job { repo: &repo, bad: &planted.start, good, strategy: Some("git"), seed: 3 };
    fs::write(world.path(&format!("{name}.toml")), pocket::job_toml(&job) + plugins).unwrap();
    let output = world.kbisect(&["run", "--quiet", &format!("{name}.toml"), "--out", &name]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", world.shown(&output));
    let run = world.path(&name);
    assert_eq!(named(&run), Some(planted.culprit));
    let good = journal(&run)
        .iter()
        .filter(|entry| entry["event"] == "judged" && entry["judgement"]["decision"]["conclude"] == "good")
        .map(|entry| (entry["plugin"].as_str().unwrap().to_owned(), entry["trials"].as_u64().unwrap()))
        .collect();
    let recipients = report(&run)["recipients"].as_array().unwrap().clone();
    let told = recipients.iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect();
    Judged { good, told }
}

/// With its pack a subsystem has the trials and the list that it wants, for its own crashes and no others.
#[test]
fn a_subsystem_judges_its_own_crashes_and_no_others() {
    const LIST: &str = "pocket-pipes@lists.example.org";
    let world = World::new();
    install(&world, "subsystem");
    let pack = format!(
        "\n[[plugin]]\nid = \"pipes\"\npath = \"subsystem.wasm\"\nwhen = {{ paths = [\"fs/pipe.c\"] }}\n\
         settings = {{ trials = 16, list = \"{LIST}\" }}\n"
    );
    let usual = |judged: &Judged| judged.good.iter().all(|(plugin, trials)| plugin == "sequential" && *trials < 16);
    let with = bisect_planted(&world, pocket::Kind::LostWakeup, &pack);
    assert!(with.good.iter().any(|one| *one == ("pipes".to_owned(), 16)), "{:?}", with.good);
    assert!(with.told.iter().any(|email| email == LIST), "{:?}", with.told);
    let without = bisect_planted(&world, pocket::Kind::LostWakeup, "");
    let elsewhere = bisect_planted(&world, pocket::Kind::LockOrder, &pack);
    for judged in [without, elsewhere] {
        assert!(!judged.good.is_empty() && usual(&judged), "{:?}", judged.good);
        assert!(!judged.told.is_empty() && !judged.told.iter().any(|email| email == LIST), "{:?}", judged.told);
    }
}
