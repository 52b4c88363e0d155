//! Both ends: where the crash was seen, and what is known to be good.

use super::super::draft::Standing;
use super::super::mail::Sender;
use super::super::pieces::Console;
use super::super::release;
use super::super::release::Release;
use super::super::trees::Tree;
use super::Desk;
use super::Subject;
use super::target::Target;

/// A commit that could be the start.
struct Candidate {
    /// A name of it.
    name: String,
    /// How it can be found again where history was written anew.
    title: Option<String>,
    standing: Standing,
    why: String,
}

impl Desk<'_> {
    /// States `bad` and `good`.
    pub(super) fn commits(&mut self, target: &Target<'_>) {
        let releases = self.releases(target);
        let Some(start) = self.start(&releases) else {
            let why = "no report and no console tells the commit: the hash or tag that crashes";
            self.draft.leave(("", "bad"), "v6.1", Standing::Missing, why);
            self.good(None);
            return;
        };
        self.differing(&start, &releases);
        let mut name = start.name.clone();
        let found = self.history().map(|history| history.find(&name));
        match found {
            Some(Ok(subject)) => {
                let why = format!("{} (\"{}\")", start.why, subject.title);
                self.draft.set(("", "bad"), name.as_str(), start.standing, why);
            }
            Some(Err(hints)) => {
                // Many merges have one title.
                let title = start.title.as_deref().filter(|title| !title.starts_with("Merge "));
                let by_title = title.and_then(|title| self.history()?.find(title).ok());
                if let Some(Subject { short, title }) = by_title {
                    // What is made anew every day does not have it any more.
                    let lines = if self.is_next() { String::new() } else { self.lines(&name, &releases, &hints) };
                    let fetch = if lines.is_empty() { lines } else { format!("; to fetch itself:{lines}") };
                    let why =
                        format!("{}, {name}, is not in the clone; this commit has its title: \"{title}\"{fetch}", start.why);
                    name.clone_from(&short);
                    self.draft.set(("", "bad"), short, Standing::Guessed, why);
                } else {
                    let why = format!(
                        "{}; the clone has no such commit. To fetch it:{}",
                        start.why,
                        self.lines(&name, &releases, &hints)
                    );
                    self.draft.set(("", "bad"), name.as_str(), Standing::Missing, why);
                }
            }
            None => self.draft.set(("", "bad"), name.as_str(), start.standing, start.why.clone()),
        }
        self.good(Some(&name));
        self.named_already();
    }

    /// The releases that consoles tell, those of the target's first. Consoles that show other crashes than the one which a report is
    /// about tell of other kernels.
    fn releases(&self, target: &Target<'_>) -> Vec<(String, Release)> {
        let own = |console: &Console| target.console.is_some_and(|one| std::ptr::eq(one, console));
        let reported = !self.report_name.is_empty();
        let of_this_bug = |console: &&Console| {
            !reported || console.crashes.iter().any(|crash| target.title.as_ref().is_some_and(|title| crash.title == *title))
        };
        let mut releases: Vec<(String, Release)> = Vec::new();
        let mut add = |name: &str, told: Vec<Release>| releases.extend(told.into_iter().map(|one| (name.to_owned(), one)));
        if let Some(console) = target.console {
            add(&console.material.name, self.of_crash(console, target));
        }
        for console in self.pieces.consoles.iter().filter(|console| !own(console)).filter(of_this_bug) {
            add(&console.material.name, console.releases.clone());
        }
        for (name, told) in &self.pieces.quiet {
            add(name, told.clone());
        }
        releases
    }

    /// The releases that a console tells where it shows the target: one with two crashes may be of two kernels.
    fn of_crash(&self, console: &Console, target: &Target<'_>) -> Vec<Release> {
        let crash = console.crashes.iter().find(|crash| target.title.as_ref() == Some(&crash.title));
        let span = crash.filter(|_| console.crashes.len() > 1).and_then(|crash| crash.span);
        let part = span.and_then(|span| console.material.bytes.get(span.start as usize..span.end as usize));
        let told = part.map(|part| release::on_console(&String::from_utf8_lossy(part))).unwrap_or_default();
        if told.is_empty() { console.releases.clone() } else { told }
    }

    fn start(&self, releases: &[(String, Release)]) -> Option<Candidate> {
        let found = |name: &str, title: Option<String>, why: String| {
            Some(Candidate { name: name.to_owned(), title, standing: Standing::Found, why })
        };
        if let Some(bad) = &self.wishes.bad {
            return found(bad, None, "--bad".to_owned());
        }
        if let Some(start) = &self.report.start {
            return found(&start.hash, start.title.clone(), self.in_report(self.report.start_key));
        }
        if let Some((_, bad)) = &self.report.range {
            return found(bad, None, format!("`#regzbot introduced` in {}", self.report_name));
        }
        // A reproducer's tag tells more than those of the crashes before it.
        let of_repro = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with("repro."));
        let commits = &self.pieces.commits;
        if let Some(word) = commits.iter().find(|word| of_repro(&word.name)).or_else(|| commits.first()) {
            return found(&word.text, None, word.name.clone());
        }
        let told = |release: &&(String, Release)| release.1.commit.is_some();
        if let Some((name, release)) = releases.iter().find(told) {
            return found(release.commit.as_deref()?, None, format!("the kernel's own release, {}, in {name}", release.text));
        }
        if let Some((name, release)) = releases.first() {
            let tag = release.tag.clone()?;
            let (standing, doubt) = if release.changed {
                (Standing::Guessed, ": the nearest tag; that kernel has changes of its own")
            } else if release.of_syzkaller && !tag.starts_with("next-") {
                (Standing::Guessed, ": no `-g…` says the commit, which may be any one after that tag")
            } else {
                (Standing::Found, "")
            };
            let why = format!("the kernel's own release, {}, in {name}{doubt}", release.text);
            return Some(Candidate { name: tag, title: None, standing, why });
        }
        let tests = !self.pieces.executables.is_empty() || !self.pieces.selftests.is_empty();
        (tests && self.history().is_some()).then(|| Candidate {
            name: "HEAD".to_owned(),
            title: None,
            standing: Standing::Guessed,
            why: "where the clone stands".to_owned(),
        })
    }

    /// Says where a console is of another commit than the start.
    fn differing(&mut self, start: &Candidate, releases: &[(String, Release)]) {
        if start.name.len() < 7 || !start.name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return;
        }
        let told: Vec<(&String, &Release, &String)> =
            releases.iter().filter_map(|(name, release)| Some((name, release, release.commit.as_ref()?))).collect();
        let same = |commit: &str| commit.starts_with(&start.name) || start.name.starts_with(commit);
        let other = told.first().filter(|_| !told.iter().any(|(.., commit)| same(commit)));
        let other = other.map(|(name, release, _)| ((*name).clone(), release.text.clone()));
        if let Some((name, text)) = other {
            self.draft.note(format!("{name} is of another kernel, {text}, than `bad`"));
        }
    }

    /// Lines to type that bring a commit into the clone.
    fn lines(&self, name: &str, releases: &[(String, Release)], hints: &[String]) -> String {
        let repo = self.around.repo.as_ref().map_or("linux", |repo| repo.word.as_str());
        let tag = releases.iter().find_map(|(_, release)| release.tag.as_deref());
        let is_hash = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let tree = self.report.tree.as_deref().filter(|_| is_hash).map(Tree::parse);
        let fetch = tree.as_ref().and_then(|tree| tree.fetch(repo, name, tag));
        let mut text = String::new();
        match (&tree, fetch) {
            (_, Some(line)) => text += &format!("\n  {line}"),
            (Some(tree), None) => text += &format!("\nit is in the tree `{}`, whose address kbisect does not know", tree.name),
            (None, None) => {
                for hint in hints {
                    text += &hint.split_once(": git ").map_or_else(|| format!("\n{hint}"), |(_, line)| format!("\n  git {line}"));
                }
            }
        }
        if tree.is_some_and(|tree| tree.is_next()) {
            text += "\nlinux-next is made anew every day: a commit that is gone there can be named by its title";
        }
        text
    }

    /// Whether what was reported is of linux-next.
    fn is_next(&self) -> bool {
        self.report.tree.as_deref().is_some_and(|tree| Tree::parse(tree).is_next())
    }

    fn good(&mut self, bad: Option<&str>) {
        let stated = self.wishes.good.as_slice();
        if !stated.is_empty() {
            let value = match stated {
                [one] => toml::Value::from(one.as_str()),
                more => toml::Value::from(more.to_vec()),
            };
            return self.known_good(value, stated, "--good".to_owned());
        }
        if let Some((good, _)) = self.report.range.clone().filter(|_| self.wishes.bad.is_none() && self.report.start.is_none()) {
            let why = format!("`#regzbot introduced` in {}", self.report_name);
            return self.known_good(toml::Value::from(good.as_str()), &[good], why);
        }
        if self.report.sender == Sender::Robot && self.report.named.is_some() && self.wishes.bad.is_none() {
            let bad = bad.unwrap_or_default();
            let found = "the robot has bisected already, and calls";
            let why = if self.is_merge(bad) {
                format!(
                    "{found} what it names, a merge, bad: from its first parent on, what was merged is in the range and is searched. \
                     good = [\"{bad}^1\", \"{bad}^2\"] would verify only the merge itself; without this line it searches anew"
                )
            } else {
                format!("{found} the parent good: this job only verifies that; without this line it searches anew")
            };
            return self.draft.set(("", "good"), format!("{bad}~1"), Standing::Guessed, why);
        }
        let next = self.is_next();
        let next = next || bad.is_some_and(|bad| bad.starts_with("next-"));
        if let Some(base) = bad.filter(|_| next).and_then(|bad| self.history()?.next_base(bad)) {
            let why = format!("where this linux-next left mainline (\"{}\")", base.title);
            return self.draft.set(("", "good"), base.short, Standing::Guessed, why);
        }
        let why = "none is known: back through the releases, until one does not crash. A good commit that you know saves builds";
        self.draft.leave(("", "good"), "v6.0", Standing::Guessed, why);
    }

    /// States good commits that are known, where the clone has them.
    fn known_good(&mut self, value: toml::Value, names: &[String], why: String) {
        let lacks = names.iter().find_map(|name| Some((name, self.history()?.find(name).err()?)));
        let (standing, why) = match lacks {
            Some((name, hints)) => {
                let lines = self.lines(name, &[], &hints);
                (Standing::Missing, format!("{why}; the clone has no commit {name}. To fetch it:{lines}"))
            }
            None => (Standing::Found, why),
        };
        self.draft.set(("", "good"), value, standing, why);
    }

    fn is_merge(&self, name: &str) -> bool {
        self.history().is_some_and(|history| history.parents(name) > 1)
    }

    /// A bisection that others have finished.
    fn named_already(&mut self) {
        let Some((cited, is_fix)) = &self.report.named else { return };
        let what = if *is_fix { "fixed" } else { "introduced" };
        let title = cited.title.as_ref().map(|title| format!(" (\"{title}\")")).unwrap_or_default();
        let who = if self.report.sender == Sender::Robot { "the robot" } else { "syzbot" };
        let short = cited.hash[..cited.hash.len().min(12)].to_owned();
        let verify = match (self.report.sender, is_fix) {
            (Sender::Robot, _) => String::new(),
            (_, false) if self.is_merge(&short) => {
                format!(". To verify only that: bad = \"{short}\", good = [\"{short}^1\", \"{short}^2\"]")
            }
            (_, false) => format!(". To verify only that: bad = \"{short}\", good = \"{short}~1\""),
            (_, true) => format!(". To verify only that: kind = \"fix\", bad = \"{short}~1\", good = \"{short}\""),
        };
        self.draft.note(format!("{who} says already that {short}{title} has {what} it{verify}"));
    }
}
