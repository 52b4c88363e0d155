//! What shows the crash: source, a script, a selftest, or what is to be saved.

use std::path::Path;

use super::super::draft::Standing;
use super::super::kselftest::Limit;
use super::super::mail::Sender;
use super::super::pieces::CSource;
use super::super::pieces::Executable;
use super::super::pieces::Selftest;
use super::super::pieces::SyzProgram;
use super::super::script;
use super::super::script::Calls;
use super::super::syzkaller::Options;
use super::Desk;
use super::best;
use super::shown;
use super::tail;
use super::target::Target;

impl Desk<'_> {
    /// States `repro` and how its end is read.
    pub(super) fn repro(&mut self, target: &Target<'_>) {
        // A commit that builds is good: nothing is run.
        if self.report.build.is_some() {
            return;
        }
        if let Some((test, others)) = self.pieces.selftests.split_first() {
            for other in others {
                self.draft.note(format!("one job runs one test: {} is left out", other.name));
            }
            return self.selftest(test);
        }
        let link = self.report.c.clone();
        let of_link = |source: &CSource| link.as_deref().and_then(tail).is_some_and(|id| source.material.name.contains(id));
        let choice = best(
            &self.pieces.sources,
            |source| (source.has_main, of_link(source), source.generated, source.material.path.is_some()),
            |source| &source.material.name,
        );
        let without_main = choice.as_ref().map(|(source, _)| *source).filter(|source| !source.has_main);
        if let Some((source, others)) = choice.filter(|(source, _)| source.has_main) {
            let equal = |other: &&CSource| {
                other.has_main
                    && other.generated == source.generated
                    && other.material.bytes != source.material.bytes
                    && !of_link(source)
            };
            let equal: Vec<String> = others.into_iter().filter(equal).map(|other| other.material.name.clone()).collect();
            self.source = Some(source);
            self.c_source(source, &equal);
        } else if let Some((one, others)) = best(&self.pieces.executables, |one| one.script, |one| &one.material.name) {
            let others: Vec<String> = others.iter().map(|other| other.material.name.clone()).collect();
            self.executable(one, &others, target);
        } else {
            self.no_repro(without_main);
        }
        let more = self.pieces.sources.iter().any(|source| source.has_main);
        for one in self.pieces.executables.iter().filter(|_| more) {
            self.draft.note(format!("{} is not used: the source is run", one.material.name));
        }
    }

    fn c_source(&mut self, source: &CSource, equal: &[String]) {
        // Compilers, and runs, know source by its name.
        let keep = source.material.path.as_deref().and_then(Path::extension).is_some_and(|end| end == "c" || end == "cprog");
        let file = self.place(&source.material, "repro.c", keep);
        let renamed = if keep { String::new() } else { format!("{}; ", source.material.name) };
        let made = if source.generated { "made by syzkaller" } else { "source with a main()" };
        let (standing, why) = if equal.is_empty() {
            (Standing::Found, format!("{renamed}{made}"))
        } else {
            let names = equal.join(", ");
            (Standing::Guessed, format!("{renamed}{made}; the first by name: {names} would do as well, take one"))
        };
        self.source_file(&file, true, standing, why);
    }

    /// States a source file, whether it is there or not, with the architecture that its program is for.
    fn source_file(&mut self, file: &str, on: bool, standing: Standing, why: String) {
        let narrow = matches!(self.report.userspace.as_deref(), Some("i386" | "386"));
        let place = if narrow { ("repro", "file") } else { ("", "repro") };
        let arch = narrow.then(|| self.in_report("userspace arch"));
        if on {
            self.draft.set(place, file, standing, why);
            arch.into_iter().for_each(|why| self.draft.set(("repro", "arch"), "386", Standing::Found, why));
        } else {
            self.draft.leave(place, file, standing, why);
            arch.into_iter().for_each(|why| self.draft.leave(("repro", "arch"), "386", Standing::Found, why));
        }
    }

    fn executable(&mut self, one: &Executable, others: &[String], target: &Target<'_>) {
        let file = self.place(&one.material, if one.script { "repro.sh" } else { "repro" }, one.material.path.is_some());
        let text = String::from_utf8_lossy(&one.material.bytes);
        let calls = if one.script { script::calls(&text) } else { Calls::default() };
        // In doubt a script runs where it can do no harm; and what came with somebody's mail runs on this host when its user says so.
        let is_for_outside = one.script && (!self.is_linux() || calls.outside.is_some() && calls.inside.is_none());
        let is_handed_over = one.material.path.is_some();
        let suite = (!one.script && one.material.name.contains("testcases/")).then_some("ltp");
        let what = if one.script { "a script" } else { "a program" };
        // What was inside of a mail lies beside the job then.
        let typed = one.material.path.as_ref().map_or(file.as_str(), |_| one.material.name.as_str());
        let word = crate::git::quoted(Path::new(typed));
        let flaw = one.script.then(|| script::flaw(&one.material.bytes, one.executable, &word)).flatten();
        let (standing, why) = if let Some(flaw) = flaw {
            (Standing::Missing, format!("{what} that cannot be run as it is: {flaw}"))
        } else if others.is_empty() {
            (Standing::Found, what.to_owned())
        } else {
            (Standing::Guessed, format!("{what}; the first by name: {} would do as well, take one", others.join(", ")))
        };
        if let Some(suite) = suite {
            self.draft.set(("repro", "file"), file.as_str(), standing, why);
            self.draft.set(
                ("repro", "suite"),
                suite,
                Standing::Guessed,
                "it lies in `testcases`, as those of the Linux Test Project",
            );
        } else {
            self.draft.set(("", "repro"), file.as_str(), standing, why);
        }
        if is_for_outside {
            let of_linux = calls.outside.as_ref().filter(|_| self.is_linux());
            let cause = of_linux.map_or("the repository is not Linux".to_owned(), |word| format!("the script calls `{word}`"));
            if is_handed_over {
                let runs = if of_linux.is_some() {
                    ", so it runs here, in a checkout of each commit; \"qemu\" runs it in a kernel"
                } else {
                    ": the script runs here, in a checkout of each commit"
                };
                self.draft.set(("machine", "kind"), "process", Standing::Guessed, cause + runs);
            } else {
                let why = format!(
                    "{cause}, but it is no file of yours ({}): read {file}; with this line it runs here, with your rights, in a checkout \
                     of each commit",
                    one.material.name
                );
                self.draft.leave(("machine", "kind"), "process", Standing::Missing, why);
            }
        } else if one.script {
            self.inside(one, &calls, script::interpreter(text.trim_start_matches('\u{feff}')));
        }
        if is_for_outside || target.console.is_none() && target.title.is_none() {
            let why = "as for `git bisect run`: 0 is good, 125 says nothing, others are bad; \"crash\" counts crashes alone";
            self.draft.set(("trial", "expect"), "exit", Standing::Guessed, why);
        }
    }

    /// Says what a script that runs in the kernel under test means for the machine.
    fn inside(&mut self, one: &Executable, calls: &Calls, interpreter: Option<&str>) {
        let name = &one.material.name;
        if self.pieces.disks.is_empty() {
            let why = match (&calls.outside, &calls.inside) {
                (Some(outside), Some(inside)) => format!(
                    "{name} calls `{outside}`, as scripts do that build kernels here, and `{inside}`, as those do that run in one: it runs in \
                     the kernel, where it can do no harm"
                ),
                _ => "nothing in the script builds or boots kernels: it runs in the kernel under test".to_owned(),
            };
            let why = format!("{why}; with this line it runs here, in a checkout of each commit");
            self.draft.leave(("machine", "kind"), "process", Standing::Guessed, why);
        }
        let other = interpreter.filter(|interpreter| !script::is_in_guests(interpreter) && self.pieces.disks.is_empty());
        if let Some(interpreter) = other {
            self.draft.note(format!(
                "{name} needs `{interpreter}`, and kbisect's own machines have busybox's shell alone: hand over a disk image that has it \
                 ([machine] kind = \"image\"), or a static program instead of the script"
            ));
        }
    }

    fn selftest(&mut self, test: &Selftest) {
        let collection = &test.collection;
        let chosen = match (&test.test, collection.tests().collect::<Vec<_>>().as_slice()) {
            (Some(name), _) => Some(name.clone()),
            (None, [one]) if !collection.computed => Some((*one).to_owned()),
            _ => None,
        };
        let Some(name) = chosen else { return self.which_selftest(test) };
        let Some(of_tree) = &test.of_tree else { return self.selftest_of_folder(test, &name) };
        let what = "built once from the start commit's tree, by the selftests' own make";
        let (standing, why) = if collection.has(&name) {
            (Standing::Found, format!("the selftest {}, {what}", test.name))
        } else {
            let why = "its Makefile puts the list of its tests together, so that the name is taken on trust";
            (Standing::Guessed, format!("the selftest {}, {what}; {why}", test.name))
        };
        self.draft.set(("repro", "kselftest"), format!("{of_tree}:{name}"), standing, why);
        self.time_limit(test);
    }

    /// Asks for one test of a collection.
    fn which_selftest(&mut self, test: &Selftest) {
        let (collection, name) = (&test.collection, &test.name);
        let known: Vec<&str> = collection.tests().chain(collection.files.iter().map(String::as_str)).collect();
        let why = if known.is_empty() {
            format!("the Makefile of {name} puts the list of its tests together: name one as {name}:TEST")
        } else {
            let more = if collection.computed { ", and others that its Makefile puts together" } else { "" };
            format!("{name} has several tests; name one as {name}:TEST: {}{more}", known.join(", "))
        };
        let first = known.first().copied().unwrap_or("TEST");
        let folder = shown(&test.folder, &self.around.folder);
        match &test.of_tree {
            Some(of_tree) => self.draft.leave(("repro", "kselftest"), format!("{of_tree}:{first}"), Standing::Missing, why),
            None if collection.scripts.iter().any(|script| script == first) => {
                self.draft.leave(("repro", "file"), folder, Standing::Missing, why);
                self.draft.leave(("repro", "entry"), first, Standing::Missing, "the first of them");
            }
            None => self.draft.leave(("repro", "file"), format!("{folder}/{first}.c"), Standing::Missing, why),
        }
    }

    /// A test of a collection that lies in no tree: its own files are taken.
    fn selftest_of_folder(&mut self, test: &Selftest, name: &str) {
        let folder = shown(&test.folder, &self.around.folder);
        let why = format!("the selftest {}, which lies in no tree", test.name);
        if test.collection.scripts.iter().any(|script| script == name) {
            self.draft.set(("repro", "file"), folder, Standing::Found, format!("{why}: a script and its neighbours"));
            self.draft.set(("repro", "entry"), name, Standing::Found, "TEST_PROGS in its Makefile");
        } else {
            let why = format!("{why}: its source, compiled alone");
            self.draft.set(("repro", "file"), format!("{folder}/{name}.c"), Standing::Found, why);
        }
        self.draft.set(("repro", "suite"), "kselftest", Standing::Found, "a skipped test says nothing");
        self.draft.set(("trial", "expect"), "exit", Standing::Guessed, "a failed test is bad; \"crash\" counts crashes alone");
        self.time_limit(test);
    }

    fn time_limit(&mut self, test: &Selftest) {
        let (standing, why) = match test.limit {
            Limit::Stated(_) => (Standing::Found, "`timeout` in the collection's `settings`"),
            Limit::Endless => (Standing::Guessed, "timeout=0 in the collection's `settings` is no limit at all: an hour"),
            Limit::Usual => (Standing::Guessed, "what the selftests' own runner gives where a collection says nothing"),
        };
        self.draft.set(("trial", "time_limit"), format!("{}s", test.limit.seconds()), standing, why);
    }

    fn no_repro(&mut self, without_main: Option<&CSource>) {
        if let Some(link) = self.report.c.clone() {
            let why = format!("save {link} as repro.c beside this file");
            return self.source_file("repro.c", true, Standing::Missing, why);
        }
        if self.report.sender == Sender::Robot && self.report.testcase.as_deref() == Some("boot") {
            let why = self.in_report("in testcase");
            return self.draft.set(
                ("target", "stage"),
                "boot",
                Standing::Found,
                format!("{why}: the crash shows while the kernel boots"),
            );
        }
        let program = best(&self.pieces.programs, |program| program.options.is_some(), |program| &program.material.name);
        let why = if let Some(source) = without_main {
            format!("{} has no main(): it is no program by itself. Name one that is, or a script", source.material.name)
        } else if let Some((program, _)) = program {
            self.of_program(program)
        } else if let Some(link) = self.report.syz.clone() {
            let line = Options::default().prog2c("repro.syz");
            format!(
                "the report has a program of syzkaller's only. Save {link} as repro.syz; its first lines hold options. Syzkaller's tools make \
                 C of it:\n  {line} > repro.c"
            )
        } else if let Some(test) = &self.report.testcase {
            format!("the robot ran `{test}`, which is lkp's: name what that comes to, a program or a script")
        } else {
            "a reproducer: C source, a program or a script. Where the crash shows while booting: [target] stage = \"boot\""
                .to_owned()
        };
        self.source_file("repro.c", false, Standing::Missing, why);
    }

    fn of_program(&self, program: &SyzProgram) -> String {
        let name = program.material.name.as_str();
        let file = if program.material.path.is_some() { name } else { "repro.syz" };
        let options = program.options.clone().unwrap_or_default();
        let collide =
            if options.get("collide").is_some() { " (its option `collide` is of old: newer tools do not know it)" } else { "" };
        format!(
            "{name} is a program of syzkaller's{collide}; syzkaller's tools make C of it:\n  {} > repro.c",
            options.prog2c(file)
        )
    }
}
