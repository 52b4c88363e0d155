//! How kernels are built and what they run in.

use super::super::arch_of;
use super::super::draft::Standing;
use super::super::mail::Sender;
use super::super::pieces::Configuration;
use super::super::syzkaller;
use super::Desk;
use super::best;
use super::shown;
use super::tail;
use super::target::Target;
use crate::build::linux::make::ARCHES;
use crate::build::linux::needs;

/// Targets that make a configuration that boots in a virtual machine.
const USUAL: [&str; 2] = ["defconfig", "kvm_guest.config"];

impl<'p> Desk<'p> {
    /// States `[build]` and `[machine]`, unless the reproducer builds for itself.
    pub(super) fn build(&mut self, target: &Target<'_>) {
        if self.draft.has("machine", "kind") {
            return;
        }
        if !self.is_linux() {
            let why = "the repository is not Linux: what builds a commit there and puts a kernel into {out}";
            self.draft.leave(("build", "command"), toml::Value::from(vec!["make", "-j{jobs}"]), Standing::Missing, why);
            return;
        }
        let why = if self.around.repo.is_some() { "its Makefile is Linux's" } else { "nearly all are of Linux" };
        self.draft.set(("build", "kind"), "linux", Standing::Guessed, why);
        if self.report.build.as_ref().is_some_and(|said| said.with_warnings) {
            let why = format!("{} is of a build with W=1", self.report_name);
            self.draft.set(("build", "make"), toml::Value::from(vec!["W=1"]), Standing::Found, why);
        }
        let config = self.configuration(target);
        self.fragments();
        self.symbols(config, target);
        self.tools(config, target);
        self.machine();
    }

    /// States where the configuration comes from, and gives it.
    fn configuration(&mut self, target: &Target<'_>) -> Option<&'p Configuration> {
        let pieces = self.pieces;
        let link = self.report.config.clone();
        let of_link = |one: &Configuration| link.as_deref().and_then(tail).is_some_and(|id| one.material.name.contains(id));
        let console = target.console.and_then(|console| console.arch);
        let fits = |one: &Configuration| {
            arch_of(&one.config).is_some_and(|arch| console.map_or(arch == self.around.arch, |wanted| wanted == arch))
        };
        let choice = best(&pieces.configs, |one| (one.whole, of_link(one), fits(one)), |one| &one.material.name);
        let Some((config, others)) = choice.filter(|(one, _)| one.whole) else {
            self.no_config();
            return None;
        };
        let others: Vec<&Configuration> = others.into_iter().filter(|one| one.whole && one.config != config.config).collect();
        let (standing, why) = if others.is_empty() {
            (Standing::Found, String::new())
        } else {
            let why = if of_link(config) {
                "; the report's link leads to it"
            } else if fits(config) && !others.iter().any(|other| fits(other)) {
                "; of several, the one for this architecture"
            } else {
                "; the first by name of several"
            };
            let names: Vec<&str> = others.iter().map(|other| other.material.name.as_str()).collect();
            (Standing::Guessed, format!("{why}; others: {}", names.join(", ")))
        };
        let what = config.config.text("CC_VERSION_TEXT").map_or_else(String::new, |text| format!(", made for {text}"));
        let from = if config.material.path.is_some() { String::new() } else { format!("in {}: ", config.material.name) };
        let file = self.place(&config.material, "kernel.config", true);
        let entries = config.config.entries().len();
        self.draft.set(("build", "config"), file, standing, format!("{from}{entries} lines{what}{why}"));
        Some(config)
    }

    fn no_config(&mut self) {
        let link = self.report.config.clone();
        if let Some(spoiled) = self.pieces.spoiled.first() {
            let file =
                spoiled.path.as_deref().map_or_else(|| "kernel.config".to_owned(), |path| shown(path, &self.around.folder));
            let link = link.map(|link| format!("\nit is at {link}")).unwrap_or_default();
            return self.draft.set(("build", "config"), file, Standing::Missing, format!("{}{link}", spoiled.why));
        }
        if let Some(link) = link {
            let why = if self.report.sender == Sender::Robot && self.report.build.is_none() {
                format!("the configuration is among the files at {link}: save it as kernel.config beside this file")
            } else {
                format!("save {link} as kernel.config beside this file")
            };
            self.draft.set(("build", "config"), "kernel.config", Standing::Missing, why);
            return;
        }
        let why = "there is no configuration: what boots in a virtual machine. Where the crash was seen, /proc/config.gz or /boot/config-* has \
                   a better one";
        self.draft.set(("build", "base"), toml::Value::from(USUAL.to_vec()), Standing::Guessed, why);
    }

    fn fragments(&mut self) {
        let parts: Vec<_> = self.pieces.configs.iter().filter(|one| !one.whole).cloned().collect();
        let mut names = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            names.push(self.place(&part.material, &format!("part-{}.config", index + 1), true));
        }
        let mut why = "part of a configuration";
        // With the key `kselftest` the start commit's own is merged.
        let alone = self.pieces.selftests.first().filter(|_| !self.draft.has("repro", "kselftest"));
        if let Some(config) = alone.and_then(|test| test.config.as_deref()) {
            names.push(shown(config, &self.around.folder));
            why = "what the test needs";
        }
        if !names.is_empty() {
            self.draft.set(("build", "fragments"), toml::Value::from(names), Standing::Found, why);
        }
    }

    /// Symbols that the crash and the reproducer depend on: asked for where there is no configuration yet, else watched.
    fn symbols(&mut self, config: Option<&Configuration>, target: &Target<'_>) {
        let source = self.source.map(|source| String::from_utf8_lossy(&source.material.bytes).into_owned());
        let options = self.pieces.programs.iter().find_map(|program| program.options.as_ref());
        let mut symbols = syzkaller::symbols(options, source.as_deref());
        let checker = target.title.as_deref().and_then(|title| title.split([':', ' ']).next());
        if let Some(checker) = checker.and_then(needs::detector) {
            symbols.push((checker, "the crash is its report".to_owned()));
        }
        if self.draft.has("repro", "arch") && config.is_none_or(|config| arch_of(&config.config) == Some("x86_64")) {
            symbols.push(("IA32_EMULATION", "the reproducer is for 32 bits".to_owned()));
        }
        symbols.sort();
        symbols.dedup_by(|one, other| one.0 == other.0);
        if symbols.is_empty() {
            return;
        }
        let whys = |symbols: &[&(&str, String)]| {
            let whys: Vec<String> = symbols.iter().map(|(symbol, why)| format!("{symbol} ({why})")).collect();
            whys.join(", ")
        };
        let Some(config) = config else {
            if self.draft.has("build", "base") {
                let all: Vec<_> = symbols.iter().collect();
                let lines: Vec<String> = symbols.iter().map(|(symbol, _)| format!("{symbol}=y")).collect();
                self.draft.set(("build", "set"), toml::Value::from(lines), Standing::Guessed, whys(&all));
            }
            return;
        };
        let (on, off): (Vec<_>, Vec<_>) = symbols.iter().partition(|(symbol, _)| config.config.is_on(symbol));
        if !on.is_empty() {
            let names: Vec<&str> = on.iter().map(|(symbol, _)| *symbol).collect();
            self.draft.set(("build", "require"), toml::Value::from(names), Standing::Guessed, whys(&on));
        }
        if !off.is_empty() {
            let lines: Vec<String> = off.iter().map(|(symbol, _)| format!("{symbol}=y")).collect();
            self.draft.note(format!(
                "{} lacks what the crash seems to need: {}. To switch it on: set = {} in [build]",
                config.material.name,
                whys(&off),
                toml::Value::from(lines)
            ));
        }
    }

    /// Architecture and compiler.
    fn tools(&mut self, config: Option<&Configuration>, target: &Target<'_>) {
        let of_console = target.console.and_then(|console| console.arch);
        let of_config = config.and_then(|config| arch_of(&config.config));
        let of_report = self.of_report();
        let (arch, from) = match (of_config, of_console, &of_report) {
            (Some(arch), ..) => (Some(arch), config.map_or("", |config| config.material.name.as_str()).to_owned()),
            (None, Some(arch), _) => (Some(arch), "the console's registers".to_owned()),
            (None, None, Some((arch, from))) => (Some(*arch), from.clone()),
            (None, None, None) => (None, String::new()),
        };
        if let Some(arch) = arch.filter(|arch| *arch != self.around.arch) {
            let machines = "kbisect's machines are of this one's architecture: it builds such kernels and cannot boot them";
            let (standing, why) = if arch == "i386" {
                (Standing::Guessed, format!("{from}; kbisect's init needs a kernel of 64 bits"))
            } else if self.report.build.is_some() {
                (Standing::Found, from.clone())
            } else {
                (Standing::Missing, format!("{from}; {machines}"))
            };
            self.draft.set(("build", "arch"), arch, standing, why);
        }
        if let (Some(arch), Some((other, word))) = (of_config.or(of_console), &of_report)
            && arch != *other
        {
            self.draft
                .note(format!("{word} is {other}, and by {from} it is {arch}, which counts: they are not of the same kernel"));
        }
        if let (Some(one), Some(other)) = (of_config, of_console)
            && one != other
        {
            let name = config.map_or("", |config| config.material.name.as_str());
            self.draft.note(format!("{name} is for {one}, and the console is of {other}: they are not of the same kernel"));
        }
        let of_config =
            config.and_then(|config| config.config.text("CC_VERSION_TEXT")).map(|text| (text.to_owned(), from.clone()));
        let of_report = self.report.compiler.clone().map(|text| (text, self.in_report("compiler")));
        let Some((text, from)) = of_config.or(of_report) else { return };
        let word = text.split([' ', ',']).next().unwrap_or_default();
        if text.contains("clang") {
            self.draft.set(("build", "toolchain"), "llvm", Standing::Found, format!("{from}: {text}"));
        }
        let major = text
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .find(|part| part.contains('.'))
            .and_then(|part| part.split('.').next());
        let family = if text.contains("clang") { "clang" } else { "gcc" };
        let program = match major {
            _ if word.starts_with(family) && word.contains('-') => word.to_owned(),
            Some(major) => format!("{family}-{major}"),
            None => return,
        };
        if !program.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte)) {
            return;
        }
        let there = if (self.around.is_installed)(&program) { "" } else { ", and is not installed here" };
        let why =
            format!("{from} has {text}{there}; without this line the commit's age decides, which builds more of the old ones");
        self.draft.leave(("build", "compiler"), program, Standing::Guessed, why);
    }

    /// The architecture of kernels that a report tells by that of its programs, or by its configuration's name; and where it does. Programs
    /// for 32 bits run on kernels of 64.
    fn of_report(&mut self) -> Option<(&'static str, String)> {
        let (word, place) = match (&self.report.userspace, &self.report.config_name) {
            (Some(word), _) => (word.clone(), self.in_report("userspace arch")),
            (None, Some(name)) => (name.split('-').next().unwrap_or_default().to_owned(), self.in_report("config")),
            (None, None) => return None,
        };
        let by_name = match word.as_str() {
            "amd64" => "x86_64",
            "i386" | "386" if self.report.userspace.is_some() => "x86_64",
            "riscv64" => "riscv",
            "ppc64le" => "powerpc",
            "s390x" => "s390",
            "mips64le" => "mips",
            "loong64" => "loongarch",
            word => word,
        };
        let found = ARCHES.iter().find(|arch| arch.name == by_name).map(|arch| arch.name);
        if found.is_none() {
            self.draft.note(format!("{place} is `{word}`, an architecture that kbisect does not know"));
        }
        Some((found?, place))
    }

    fn machine(&mut self) {
        if let Some((disk, others)) = best(&self.pieces.disks, |_| (), |disk| &disk.material.name) {
            let names: Vec<&str> = others.iter().map(|other| other.material.name.as_str()).collect();
            let others = if names.is_empty() {
                String::new()
            } else {
                format!("; the first by name: {} would do as well", names.join(", "))
            };
            let why = format!("a disk was handed over{others}; without this section kbisect's own init runs the reproducer");
            self.draft.set(("machine", "kind"), "image", Standing::Guessed, why);
            let file = self.place(&disk.material, "disk.img", true);
            self.draft.set(("machine", "image"), file, Standing::Found, "its userspace; the kernel is the one that was built");
            if disk.partitioned {
                self.draft.set(("machine", "root"), "/dev/vda1", Standing::Guessed, "it has partitions, and this is the first");
            }
        }
        if self.report.sender != Sender::Robot {
            return;
        }
        let Some(machine) = self.report.machine.clone() else { return };
        let words: Vec<&str> = machine.split_whitespace().collect();
        let value = |flag: &str| words.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1]);
        let why = self.in_report("test machine");
        if let Some(memory) = value("-m").filter(|memory| memory.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            self.draft.leave(("machine", "memory"), memory, Standing::Found, why.clone());
        }
        if let Some(cpus) = value("-smp").and_then(|cpus| cpus.parse::<i64>().ok()) {
            self.draft.leave(("machine", "cpus"), cpus, Standing::Found, why);
        }
    }
}
