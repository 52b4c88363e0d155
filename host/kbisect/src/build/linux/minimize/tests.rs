//! Smaller configurations of a tree with real Kconfig files, closed by its own make.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kbisect_core::minimize::Answer;
use kbisect_core::minimize::Minimizer;
use kbisect_core::minimize::Step;
use tempfile::TempDir;

use super::*;
use crate::build::Recipe as AnyRecipe;
use crate::build::linux::prepare;
use crate::build::linux::tests::job;
use crate::build::room::Room;

/// A tree, and a builder's folders.
struct World {
    dir: TempDir,
    settings: Settings,
}

impl World {
    fn new(whole: &str, baseline: &str, set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config_tree");
        assert!(Command::new("cp").arg("-r").arg(tree).arg(dir.path().join("src")).status().unwrap().success());
        let path = |name: &str| dir.path().join(name);
        fs::write(path("whole"), whole).unwrap();
        fs::write(path("small"), baseline).unwrap();
        let baseline =
            if baseline.is_empty() { Baseline::Targets(vec!["defconfig".to_owned()]) } else { Baseline::File(path("small")) };
        let job = crate::config::job::Linux {
            config: Some(path("whole")),
            base: Vec::new(),
            set: set.iter().map(|line| (*line).to_owned()).collect(),
            minimize: Some(Minimize { most: 99, baseline }),
            ..job()
        };
        let recipe = Recipe {
            job,
            needs: vec![("64BIT", "the test")],
            tree: path("tree"),
            baseline: path("baseline.config"),
            merged: false,
            known: Arc::default(),
        };
        let settings = Settings {
            recipe: AnyRecipe::Linux(Box::new(recipe)),
            time_limit: Duration::from_secs(60),
            jobs: 1,
            store: path("kernels"),
            work: path("work"),
            room: Room { dir: dir.path().to_owned(), work: path("work"), limit: 1 << 30 },
            cache: None,
        };
        Self { dir, settings }
    }

    fn recipe(&self) -> &Recipe {
        self.settings.recipe.linux().unwrap()
    }

    fn src(&self) -> PathBuf {
        self.dir.path().join("src")
    }

    async fn prepared(&self) -> Result<Vec<String>, Error> {
        prepare::prepare(&self.settings, self.recipe(), &self.src()).await
    }

    async fn survey(&self, types: &[&str]) -> Survey {
        self.prepared().await.unwrap();
        let types = types.iter().map(|of| (*of).to_owned()).collect();
        survey(&self.settings, self.recipe(), &self.src(), &types).await.unwrap()
    }

    async fn settle(&self, survey: &Survey, left: &Left) -> Settled {
        settle(&self.settings, self.recipe(), &self.src(), &survey.text(left)).await.unwrap()
    }

    /// Makes the configuration as small as `shows` allows; the lines of what is left, sorted, and the tests it took.
    async fn minimized(&self, types: &[&str], shows: impl Fn(&Config) -> bool) -> (String, u32) {
        let survey = self.survey(types).await;
        let mut minimizer = Minimizer::new(survey.problem.clone());
        let left = loop {
            let asked = match minimizer.step() {
                Step::Done(end) => break end.left,
                Step::Baseline => Left::Baseline,
                Step::Keep(parts) => Left::Parts(parts),
            };
            let settled = self.settle(&survey, &asked).await;
            assert_eq!(settled.lacks, Vec::<String>::new());
            let shows = shows(&Config::parse(&settled.text).unwrap());
            minimizer.record(if shows { Answer::Shows } else { Answer::Gone }, true);
        };
        (lines(&self.settle(&survey, &left).await.text), minimizer.tests())
    }
}

/// What is on or has a value, sorted; what every kernel of the tree has, and what only is the tree's idea, left out.
fn lines(text: &str) -> String {
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !["X86_64", "64BIT", "S=\"\""].iter().any(|name| line.contains(name)))
        .map(|line| line.trim_start_matches("CONFIG_"))
        .collect();
    lines.sort_unstable();
    lines.join(" ")
}

const BASELINE: &str = "CONFIG_A=y\nCONFIG_I=1\n# CONFIG_DETECT_HUNG_TASK is not set\n";
const WHOLE: &str = "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\nCONFIG_D=y\nCONFIG_I=42\nCONFIG_S=\"foo\"\nCONFIG_HAMRADIO=y\n\
                     CONFIG_AX25=y\nCONFIG_ROSE=y\n# CONFIG_DETECT_HUNG_TASK is not set\n";

/// Whether the crash shows with a configuration.
type Shows = Box<dyn Fn(&Config) -> bool>;

/// Syzkaller's five cases (`conformance-data.md` §2.4), with the tree's own make for what options need.
#[tokio::test(flavor = "multi_thread")]
async fn syzkallers_cases_come_out_as_its_own() {
    let world = World::new(WHOLE, BASELINE, &[]);
    let on = |symbol: &'static str| move |config: &Config| config.is_on(symbol);
    let both = |config: &Config| config.is_on("C") && config.is_on("D");
    let cases: [(&str, Shows, &str); 5] = [
        ("the baseline does", Box::new(|_| true), "A=y I=1"),
        ("nothing smaller does", Box::new(|_| false), "A=y AX25=y B=y C=y CRC=y D=y HAMRADIO=y I=42 ROSE=y S=\"foo\""),
        ("C is needed", Box::new(on("C")), "A=y C=y I=42 S=\"foo\""),
        ("ROSE is needed", Box::new(on("ROSE")), "A=y AX25=y HAMRADIO=y I=42 ROSE=y S=\"foo\""),
        ("C and D are needed", Box::new(both), "A=y C=y CRC=y D=y I=42 S=\"foo\""),
    ];
    for (case, shows, left) in cases {
        let (found, tests) = world.minimized(&["WARNING"], shows).await;
        assert_eq!(found, left, "{case}, after {tests} tests");
        fs::remove_file(&world.recipe().baseline).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn detectors_go_as_groups_but_for_those_that_find_the_crash() {
    let whole =
        "CONFIG_A=y\nCONFIG_C=m\nCONFIG_KASAN=y\nCONFIG_KASAN_VMALLOC=y\nCONFIG_PROVE_LOCKING=y\nCONFIG_DETECT_HUNG_TASK=y\n";
    let names = |survey: &Survey| survey.parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
    // Those that the baseline has, too, may go.
    let world = World::new(whole, "CONFIG_A=y\nCONFIG_PROVE_LOCKING=y\n", &[]);
    let survey = world.survey(&["KASAN-USE-AFTER-FREE-READ"]).await;
    assert_eq!((names(&survey), survey.detectors), (vec!["hangs".into(), "locks".into(), "C".into(), "KASAN_VMALLOC".into()], 2));
    assert_eq!(survey.kept, ["KASAN"]);
    let none = world.settle(&survey, &Left::Parts(Vec::new())).await;
    assert_eq!(lines(&none.text), "A=y I=1 KASAN=y");
    assert_eq!(survey.detectors_gone(&Left::Parts(vec![1, 3])), ["hangs"]);
    assert_eq!((survey.options_left(&Left::Parts(vec![1, 3])), survey.options()), (1, 2));
    fs::remove_file(&world.recipe().baseline).unwrap();
    let survey = world.survey(&["LOCKDEP"]).await;
    assert_eq!(
        (names(&survey), survey.kept.clone()),
        (vec!["KASAN".into(), "hangs".into(), "C".into()], vec!["locks".to_owned()])
    );
    // What needs a detector goes with it.
    assert_eq!(lines(&world.settle(&survey, &Left::Parts(vec![2])).await.text), "A=y C=m I=1 LOCKDEP=y PROVE_LOCKING=y");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_job_requires_and_what_that_needs_stays() {
    let mut world = World::new(WHOLE, "", &["CONFIG_CHECKED=y", "CONFIG_OLD_NAME=y"]);
    match &mut world.settings.recipe {
        AnyRecipe::Linux(recipe) => recipe.job.require = vec!["ROSE".to_owned(), "CHECKED".to_owned()],
        AnyRecipe::Command(_) => panic!("no Linux"),
    }
    let survey = world.survey(&[]).await;
    // D selects what CHECKED needs.
    let names: Vec<&str> = survey.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["B", "C"]);
    assert!(survey.problem.baseline);
    let left = world.settle(&survey, &Left::Baseline).await;
    assert_eq!((lines(&left.text).as_str(), left.lacks.len()), ("A=y AX25=y CHECKED=y CRC=y D=y HAMRADIO=y I=1 ROSE=y", 0));
    assert_eq!(survey.beyond(), "CONFIG_OLD_NAME=y\n", "other commits may know it");
}

/// Such targets merge with `.config`, whatever else they are told to work on.
#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_that_is_merged_begins_with_nothing() {
    let mut world = World::new(WHOLE, "", &[]);
    match &mut world.settings.recipe {
        AnyRecipe::Linux(recipe) => {
            recipe.job.minimize = Some(Minimize { most: 9, baseline: Baseline::Targets(vec!["tinyconfig".to_owned()]) });
        }
        AnyRecipe::Command(_) => panic!("no Linux"),
    }
    for built_before in [false, true] {
        let names: Vec<String> = world.survey(&[]).await.parts.into_iter().map(|part| part.name).collect();
        assert_eq!(names, ["A", "B", "C", "D", "HAMRADIO", "AX25", "ROSE"], "built before: {built_before}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_with_more_than_the_whole_is_not_tried_by_itself() {
    let world = World::new(WHOLE, "CONFIG_A=y\nCONFIG_GZIP=y\n", &[]);
    assert!(world.survey(&[]).await.problem.baseline, "a choice is no option of its own");
    let world = World::new("CONFIG_A=y\nCONFIG_B=y\n", "CONFIG_A=y\nCONFIG_C=y\n", &[]);
    let survey = world.survey(&[]).await;
    assert!(!survey.problem.baseline);
    assert_eq!(lines(&survey.text(&Left::Parts(Vec::new()))), "A=y I=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_that_cannot_be_made_is_said_before_any_work() {
    let world = World::new(WHOLE, "CONFIG_ARM64=y\n", &[]);
    let error = world.prepared().await.unwrap_err();
    assert!(error.to_string().contains("small is for arm64, and [build] `arch` is x86_64"), "{error}");
    let mut world = World::new(WHOLE, "", &[]);
    match &mut world.settings.recipe {
        AnyRecipe::Linux(recipe) => {
            let baseline = Baseline::Targets(vec!["kvm_guest.config".to_owned()]);
            recipe.job.minimize = Some(Minimize { most: 9, baseline });
        }
        AnyRecipe::Command(_) => panic!("no Linux"),
    }
    let error = world.prepared().await.unwrap_err();
    assert!(error.to_string().contains("No rule to make target 'kvm_guest.config'"), "{error}");
    assert!(!world.recipe().baseline.exists(), "a run that goes on says it again");
}
