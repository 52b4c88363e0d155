//! What shows the crash: source, a script, a selftest, or what is to be saved.

use std::path::Path;

use super::super::draft::Standing;
use super::super::mail::Sender;
use super::super::pieces::CSource;
use super::super::pieces::Executable;
use super::super::pieces::Selftest;
use super::super::pieces::SyzProgram;
use super::super::syzkaller::Options;
use super::Desk;
use super::best;
use super::shown;
use super::tail;
use super::target::Target;

/// Programs by which a script shows that it builds and boots kernels itself, and so runs outside of them.
const OUTSIDE: [&str; 9] = ["make", "vng", "virtme-run", "virtme-ng", "qemu-system-x86_64", "git", "ssh", "scp", "cargo"];

impl Desk<'_> {
    /// States `repro` and how its end is read.
    pub(super) fn repro(&mut self, target: &Target<'_>) {
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
        if self.report.userspace.as_deref() == Some("i386") {
            self.draft.set(("repro", "file"), file, standing, why);
            self.draft.set(("repro", "arch"), "386", Standing::Found, self.in_report("userspace arch"));
        } else {
            self.draft.set(("", "repro"), file, standing, why);
        }
    }

    fn executable(&mut self, one: &Executable, others: &[String], target: &Target<'_>) {
        let file = self.place(&one.material, if one.script { "repro.sh" } else { "repro" }, one.material.path.is_some());
        let outside = one.script && (!self.is_linux() || calls_outside(&String::from_utf8_lossy(&one.material.bytes)).is_some());
        let suite = (!one.script && one.material.name.contains("testcases/")).then_some("ltp");
        let what = if one.script { "a script" } else { "a program" };
        let (standing, why) = if others.is_empty() {
            (Standing::Found, what.to_owned())
        } else {
            (Standing::Guessed, format!("{what}; the first by name: {} would do as well, take one", others.join(", ")))
        };
        if let Some(suite) = suite {
            self.draft.set(("repro", "file"), file, standing, why);
            self.draft.set(
                ("repro", "suite"),
                suite,
                Standing::Guessed,
                "it lies in `testcases`, as those of the Linux Test Project",
            );
        } else {
            self.draft.set(("", "repro"), file, standing, why);
        }
        if outside {
            let why = if self.is_linux() {
                let word = calls_outside(&String::from_utf8_lossy(&one.material.bytes)).unwrap_or_default();
                format!("the script calls `{word}`, so it runs here, in a checkout of each commit; \"qemu\" runs it in a kernel")
            } else {
                "the repository is not Linux: the script runs here, in a checkout of each commit".to_owned()
            };
            self.draft.set(("machine", "kind"), "process", Standing::Guessed, why);
        }
        if outside || target.console.is_none() && target.title.is_none() {
            let why = "as for `git bisect run`: 0 is good, 125 says nothing, others are bad; \"crash\" counts crashes alone";
            self.draft.set(("trial", "expect"), "exit", Standing::Guessed, why);
        }
    }

    fn selftest(&mut self, test: &Selftest) {
        let folder = shown(&test.folder, &self.around.folder);
        let chosen = match &test.test {
            Some(name) => Some(name.clone()),
            None => match test.collection.tests().collect::<Vec<_>>().as_slice() {
                [one] => Some((*one).to_owned()),
                _ => None,
            },
        };
        let found = (Standing::Found, format!("the selftest {}", test.name));
        match chosen {
            Some(name) if test.collection.scripts.contains(&name) => {
                self.draft.set(("repro", "file"), folder, found.0, format!("{}: a script and its neighbours", found.1));
                self.draft.set(("repro", "entry"), name, Standing::Found, "TEST_PROGS in its Makefile");
            }
            Some(name) => {
                let why = format!("{}, built once from the sources as they are in that folder", found.1);
                self.draft.set(("repro", "file"), format!("{folder}/{name}.c"), found.0, why);
            }
            None => {
                let tests: Vec<&str> = test.collection.tests().collect();
                let first = tests.first().copied().unwrap_or_default();
                let is_script = test.collection.scripts.iter().any(|script| script == first);
                let why = format!("{} has several tests; name one as {}:TEST: {}", test.name, test.name, tests.join(", "));
                if is_script {
                    self.draft.leave(("repro", "file"), folder, Standing::Missing, why);
                    self.draft.leave(("repro", "entry"), first, Standing::Missing, "the first of them");
                } else {
                    self.draft.leave(("repro", "file"), format!("{folder}/{first}.c"), Standing::Missing, why);
                }
                return;
            }
        }
        self.draft.set(("repro", "suite"), "kselftest", Standing::Found, "a skipped test says nothing");
        self.draft.set(("trial", "expect"), "exit", Standing::Guessed, "a failed test is bad; \"crash\" counts crashes alone");
        let (limit, why) = (test.seconds, "the collection's own limit");
        self.draft.set(("trial", "time_limit"), format!("{limit}s"), Standing::Found, why);
    }

    fn no_repro(&mut self, without_main: Option<&CSource>) {
        if let Some(link) = self.report.c.clone() {
            let why = format!("save {link} as repro.c beside this file");
            self.draft.set(("", "repro"), "repro.c", Standing::Missing, why);
            return;
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
        self.draft.leave(("", "repro"), "repro.c", Standing::Missing, why);
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

/// The first program that only makes sense outside of the kernel under test.
fn calls_outside(script: &str) -> Option<&'static str> {
    let code =
        script.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| line.split(" #").next().unwrap_or_default());
    let words: Vec<&str> = code.flat_map(|line| line.split(|c: char| c.is_whitespace() || ";|&()`".contains(c))).collect();
    OUTSIDE.into_iter().find(|program| words.contains(program))
}
