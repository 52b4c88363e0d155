//! One case as a run of the built program, and what came of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use super::cases::Answer;
use super::cases::Case;
use super::cases::WHOLE;
use super::environment;
use super::environment::SEED;
use super::history::History;
use crate::support::World;
use crate::support::journal;
use crate::support::report;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Strategy `git`, and syzkaller's rule for verdicts.
    Syzkaller,
    /// kbisect's own strategy and policy.
    Posterior,
}

impl Way {
    /// The strategy's name.
    pub(crate) fn strategy(self) -> &'static str {
        match self {
            Self::Syzkaller => "git",
            Self::Posterior => "posterior",
        }
    }
}

/// What is known of the start commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Its hash.
    Known,
    /// A hash that the tree no longer has, and its title.
    Rebased,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Found {
    /// The answer; of several commits these.
    pub(crate) answer: Answer,
    /// The commits of an inconclusive answer.
    pub(crate) several: Vec<u32>,
    /// That nothing mended it yet is the answer, too, if other crashes are the same bug.
    pub(crate) or_none: bool,
    /// Why there is no answer, in kbisect's words.
    pub(crate) why: String,
    /// The kernel of the named commit equals its parent's.
    pub(crate) no_op: bool,
    /// The named commit is a release.
    pub(crate) release: bool,
    /// The report quotes a crash.
    pub(crate) report: bool,
    /// The product of the policy's confidences in the search's verdicts.
    pub(crate) confidence: f64,
    /// What kernels were configured with, where that was to be made smaller and the run began.
    pub(crate) config: Option<String>,
    /// Commits tested and trials made.
    pub(crate) effort: (usize, usize),
}

/// The repository, the machine and the build script that all cases share.
pub(crate) struct Lab {
    world: World,
    history: History,
    /// The same with the files of `tests/config_tree`.
    configured: History,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let history = History::write(&world, "repo", &[]);
        let configured = History::write(&world, "configured", &config_tree());
        let bin = world.path("bin");
        fs::create_dir(&bin).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/parity/machine.c");
        let mut cc = world.command("cc");
        cc.args(["-O1", "-static", "-w", "-o", "bin/qemu-system-x86_64", source]);
        assert!(cc.status().unwrap().success());
        fs::write(bin.join("build.sh"), include_str!("build.sh")).unwrap();
        fs::set_permissions(bin.join("build.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { world, history, configured }
    }

    fn history(&self, case: &Case) -> &History {
        if case.smaller.is_some() { &self.configured } else { &self.history }
    }

    /// Runs a case in a folder of its own.
    pub(crate) fn run(&self, case: &Case, way: Way, start: Start) -> Found {
        let name = format!("{}-{}-{start:?}", case.number, way.strategy());
        let folder = self.world.path(&name);
        environment::write(case, self.history(case), &folder);
        let job = format!("{name}/job.toml");
        fs::write(self.world.path(&job), self.job(case, way, start, &folder)).unwrap();
        let mut kbisect = self.world.kbisect(&["run", &job, "--out", &format!("{name}/run")]);
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(std::iter::once(self.world.path("bin")).chain(std::env::split_paths(&path)));
        let output = kbisect.env("PATH", path.unwrap()).output().unwrap();
        let shown = self.world.shown(&output);
        self.found(case, &folder.join("run"), output.status.code(), &shown)
    }

    fn job(&self, case: &Case, way: Way, start: Start, folder: &Path) -> String {
        let plugin = match way {
            Way::Syzkaller => "[[plugin]]\nid = \"syzkaller-rule\"\n",
            Way::Posterior => "",
        };
        let bad = match start {
            Start::Known => self.history(case).id(case.start).to_owned(),
            Start::Rebased => format!("{} (\"{}\")", "1".repeat(40), case.start),
        };
        let script: PathBuf = self.world.path("bin/build.sh");
        let (repo, build) = match &case.smaller {
            None => ("repo", format!("command = [{script:?}, \"{{src}}\", \"{{out}}\", {folder:?}]")),
            Some(smaller) => {
                fs::write(folder.join("whole.config"), WHOLE).unwrap();
                fs::write(folder.join("small.config"), smaller.baseline).unwrap();
                let (rule, same) = (smaller.rule, format!("{}-{}", case.same.start(), case.same.end()));
                let build = "kind = \"linux\"\narch = \"x86_64\"\nccache = false\nconfig = \"whole.config\"\nminimize = true\nbaseline = \"small.config\"";
                ("configured", format!("{build}\nmake = [\"RULE={rule}\", \"SAME={same}\"]"))
            }
        };
        let (kind, strategy) = (if case.fix { "fix" } else { "cause" }, way.strategy());
        format!(
            "repo = \"../{repo}\"\nkind = \"{kind}\"\nbad = {bad:?}\n\
             [build]\n{build}\n\
             [machine]\nkind = \"qemu\"\nown_init = true\nmemory = \"16M\"\ncpus = 1\n\
             [trial]\ncommand = [{folder:?}, \"{{commit}}\", \"{{trial_seed}}\"]\ntime_limit = \"60s\"\n\
             [search]\nstrategy = \"{strategy}\"\nseed = {SEED}\n[limits]\nslots = {}\n{plugin}",
            if way == Way::Syzkaller { 4 } else { 1 },
        )
    }

    fn found(&self, case: &Case, run: &Path, code: Option<i32>, shown: &str) -> Found {
        let mut found = Found {
            answer: Answer::Error,
            several: Vec::new(),
            or_none: false,
            why: String::new(),
            no_op: false,
            release: false,
            report: false,
            confidence: 1.0,
            config: None,
            effort: (0, 0),
        };
        if let Ok(text) =
            fs::read_to_string(run.join("config-minimized")).or_else(|_| fs::read_to_string(run.join("baseline.config")))
        {
            found.config = Some(options(&text));
        }
        if run.join("journal.jsonl").is_file() {
            let journal = journal(run);
            found.confidence = confidence(&journal);
            found.effort.1 = journal.iter().filter(|entry| entry["event"] == "trial-ended").count();
        }
        match code {
            Some(2) => found.why = shown.lines().find(|line| line.starts_with("error: ")).unwrap_or(shown).to_owned(),
            Some(6) => found.answer = Answer::Infrastructure,
            Some(0 | 3 | 4 | 5) => {
                self.read_report(self.history(case), &mut found, &report(run));
                let text = fs::read_to_string(run.join("report.txt")).unwrap();
                // The mail's lines may be broken anywhere.
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                found.or_none = words.contains("the same bug: then it is not fixed yet (");
                assert_eq!(text.contains("\n  Doubtful: its kernel is the same as its parent's\n"), found.no_op, "{text}");
                assert_eq!(text.contains("\n  Doubtful: it is release v"), found.release, "{text}");
                assert_eq!(logs_one_signature(run), found.no_op);
            }
            _ => panic!("{shown}"),
        }
        found
    }

    fn read_report(&self, history: &History, found: &mut Found, report: &Value) {
        let number = |id: &Value| history.number(id.as_str().unwrap());
        let conclusion = &report["conclusion"];
        match conclusion["end"].as_str().unwrap() {
            "found" => found.answer = Answer::Commit(number(&report["named"]["commit"])),
            "inconclusive" => {
                let suspects = conclusion["suspects"].as_array().unwrap();
                found.several = suspects.iter().map(|suspect| number(&suspect["commit"])).collect();
                found.several.sort_unstable();
                found.answer = Answer::Several(found.several.len());
            }
            "oldest-still-bad" => found.answer = Answer::End(number(&conclusion["oldest"])),
            "newest-still-bad" => found.answer = Answer::End(number(&conclusion["newest"])),
            end => found.why = conclusion["why"].as_str().unwrap_or(end).to_owned(),
        }
        found.no_op = report["named"]["equals_parent"] == true;
        found.release = report["named"]["release"].is_string();
        found.report = !report["splat"].as_str().unwrap().is_empty();
        found.effort.0 = report["tested"].as_array().unwrap().len();
    }
}

/// The files of the tree that is configured as Linux is.
pub(crate) fn config_tree() -> Vec<(&'static str, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config_tree");
    let names = [
        "Makefile",
        "Kconfig",
        "scripts/conf.sh",
        "scripts/conf.awk",
        "scripts/image.sh",
        "scripts/defconfig",
        "scripts/tinyconfig",
    ];
    names.map(|name| (name, fs::read_to_string(root.join(name)).unwrap())).into()
}

/// What a configuration of that tree has on, and its number: sorted, without what all of its configurations have.
pub(crate) fn options(text: &str) -> String {
    let all = ["X86_64=", "64BIT=", "S=\"\"", "CRC="];
    let lines = text.lines().filter_map(|line| line.strip_prefix("CONFIG_"));
    let mut lines: Vec<&str> = lines.filter(|line| !all.iter().any(|all| line.starts_with(all))).collect();
    lines.sort_unstable();
    lines.join(" ")
}

/// Whether the log gives the named commit and its parent one signature.
fn logs_one_signature(run: &Path) -> bool {
    let log = fs::read_to_string(run.join("bisect.log")).unwrap();
    let signature = |of: &str| log.lines().find_map(|line| line.strip_prefix(of));
    let (culprit, parent) = (signature("culprit signature: "), signature("parent  signature: "));
    culprit.is_some() && culprit == parent
}

/// Syzkaller's confidence: the product over the verdicts on commits that git chose, each as it was when the policy first had one.
fn confidence(journal: &[Value]) -> f64 {
    let candidates: Vec<&Value> = journal
        .iter()
        .filter(|entry| entry["event"] == "chosen" && entry["role"] == "candidate")
        .map(|entry| &entry["commit"])
        .collect();
    let mut judged: Vec<&Value> = Vec::new();
    let mut product = 1.0;
    for entry in
        journal.iter().filter(|entry| entry["event"] == "judged" && entry["judgement"]["decision"].get("conclude").is_some())
    {
        if candidates.contains(&&entry["commit"]) && !judged.contains(&&entry["commit"]) {
            judged.push(&entry["commit"]);
            product *= entry["judgement"]["confidence"].as_f64().unwrap();
        }
    }
    product
}
