//! Which crash: the console that counts, and the title.

use kbisect_core::crash::CrashReport;

use super::super::dashboard::KEY as DASHBOARD;
use super::super::draft::Standing;
use super::super::mail::Sender;
use super::super::pieces::Console;
use super::Desk;
use super::best;
use crate::build::failure_title;

/// The target as far as it is known.
pub(super) struct Target<'p> {
    /// The console that shows it.
    pub(super) console: Option<&'p Console>,
    /// Its title.
    pub(super) title: Option<String>,
}

impl<'p> Desk<'p> {
    /// States `crash`, `title` and `link`.
    pub(super) fn target(&mut self) -> Target<'p> {
        if let Some(title) = self.of_build() {
            return Target { console: None, title };
        }
        let (wanted, from) = self.wanted();
        let shows = |console: &Console, title: &str| console.crashes.iter().any(|crash| is_known_as(crash, title));
        // What a mail shows itself is what it is about, and what else shows that may show more of it.
        let own = self.pieces.consoles.iter().find(|console| self.is_in_report(&console.material.name));
        let own_title = own.map(|console| console.crashes[0].title.as_str());
        let all = &self.pieces.consoles;
        let wanted_is_shown = wanted.as_deref().filter(|title| all.iter().any(|console| shows(console, title)));
        let goal = wanted_is_shown.or(own_title);
        let shows = |console: &Console| goal.is_some_and(|title| shows(console, title));
        let of_repro = |console: &Console| file_name(console).starts_with("repro.");
        let told = |console: &Console| console.releases.iter().any(|release| release.commit.is_some());
        let choice = best(
            &self.pieces.consoles,
            |console| {
                (
                    shows(console),
                    of_repro(console),
                    console.crashes[0].corrupted.is_none(),
                    told(console),
                    console.material.path.is_some(),
                )
            },
            |console| &console.material.name,
        );
        let mut counts = choice.as_ref().map(|(console, _)| *console);
        let title = match choice {
            Some((console, others)) if self.fits(console, wanted.as_deref()) => {
                self.other_consoles(console, &others);
                self.of_console(console, wanted.as_deref(), &from)
            }
            Some((console, others)) => {
                counts = None;
                for console in [console].into_iter().chain(others) {
                    self.draft.note(format!(
                        "{} shows another crash ({}) than the one that {} is about: it is left out. To bisect that one, start from it alone",
                        console.material.name, console.crashes[0].title, self.report_name
                    ));
                }
                self.of_title(wanted, &from)
            }
            None => self.of_title(wanted, &from),
        };
        if matches!(self.report.sender, Sender::Syzbot | Sender::Robot) && counts.is_none() && self.report.start_key != DASHBOARD
        {
            self.draft.note(format!("no crash is in {}, though its kind has one: was it cut?", self.report_name));
        }
        if let Some(link) = &self.report.link {
            let name = self.report_name.clone();
            self.draft.set(("", "link"), link.as_str(), Standing::Found, format!("in {name}; for `Closes:`"));
        }
        Target { console: counts, title }
    }

    /// Whether something was inside of the file that the report is.
    fn is_in_report(&self, name: &str) -> bool {
        !self.report_name.is_empty()
            && (name == self.report_name || name.strip_suffix(&self.report_name).is_some_and(|name| name.ends_with(" in ")))
    }

    /// Whether a console is of the bug that a mail is about: it was in it, or it shows the function in the mail's title. Only titles that
    /// classifiers could give count.
    fn fits(&self, console: &Console, wanted: Option<&str>) -> bool {
        let known = wanted.filter(|_| self.report.title.is_some() && self.report.sender != Sender::Robot);
        let Some(title) = known.filter(|title| (self.around.is_title)(title)) else { return true };
        // Of what hangs each look names another function, and some titles name none.
        let roams = ["hung", "stall", "lockup", "deadlock"].iter().any(|word| title.contains(word));
        let Some((_, function)) = title.rsplit_once(" in ").filter(|_| !roams) else { return true };
        self.is_in_report(&console.material.name)
            || console.crashes.iter().any(|crash| {
                is_known_as(crash, title)
                    || crash.title.ends_with(&format!(" {function}"))
                    || crash.trace.iter().any(|frame| frame == function)
            })
    }

    /// States the target of a report about a build, and gives its title; none where the report is about no build.
    fn of_build(&mut self) -> Option<Option<String>> {
        let said = self.report.build.clone()?;
        if let Some(link) = self.report.link.clone() {
            self.draft.set(("", "link"), link, Standing::Found, format!("in {}; for `Closes:`", self.report_name));
        }
        let why = format!("{} tells what a build says: no machine boots, and nothing runs", self.report_name);
        self.draft.set(("target", "stage"), "build", Standing::Found, why);
        if !self.pieces.consoles.is_empty() {
            let names: Vec<&str> = self.pieces.consoles.iter().map(|console| console.material.name.as_str()).collect();
            self.draft.note(format!("{} counts for nothing: {} is about a build", names.join(", "), self.report_name));
        }
        if said.is_error {
            let title = failure_title(&said.line);
            self.draft.set(("", "title"), title.as_str(), Standing::Found, format!("`{}` in {}", said.line, self.report_name));
            return Some(Some(title));
        }
        self.draft.note(format!(
            "`{}` is a warning: kernels are built all the same, and each commit is good, unless [build] has kcflags = \"-Werror\", \
             with which other warnings count, too",
            said.line
        ));
        Some(None)
    }

    /// The title that was handed over, and where it stands.
    fn wanted(&self) -> (Option<String>, String) {
        if let Some(title) = &self.report.title {
            return (Some(title.clone()), format!("the subject in {}", self.report_name));
        }
        let shown = |text: &str| {
            let crashes = self.pieces.consoles.iter().flat_map(|console| &console.crashes);
            crashes.into_iter().any(|crash| crash.title == text)
        };
        let titles = &self.pieces.titles;
        let word = titles.iter().find(|word| shown(&word.text));
        let word = word.or_else(|| titles.iter().find(|word| (self.around.is_title)(&word.text))).or_else(|| titles.first());
        word.map_or((None, String::new()), |word| (Some(word.text.clone()), word.name.clone()))
    }

    fn of_console(&mut self, console: &'p Console, wanted: Option<&str>, from: &str) -> Option<String> {
        let inside = console.material.path.is_none();
        let from_name = console.material.name.clone();
        let path = self.place(&console.material, "console.txt", true);
        let same = |title: &str| console.crashes.iter().find(|crash| is_known_as(crash, title));
        let crash = wanted.and_then(same).unwrap_or(&console.crashes[0]);
        if let Some(wanted) = wanted.filter(|title| same(title).is_none() && (self.around.is_title)(title))
            && let Some(damage) = &crash.corrupted
        {
            self.draft.set(("", "title"), wanted, Standing::Found, from.to_owned());
            let why = format!(
                "the crash in {from_name} is damaged ({damage}) and shows `{}`: a whole console tells more of the target than its title",
                crash.title
            );
            self.draft.leave(("", "crash"), path, Standing::Guessed, why);
            return Some(wanted.to_owned());
        }
        let frames = crash.trace.len();
        let why = format!(
            "{}{}{}",
            if inside { format!("in {from_name}; ") } else { String::new() },
            crash.title,
            if frames > 0 { format!(" ({})", crate::record::counted(frames as u64, "frame")) } else { String::new() }
        );
        self.draft.set(("", "crash"), path, Standing::Found, why);
        if let Some(why) = &crash.corrupted {
            self.draft.note(format!("the crash in {from_name} is damaged ({why}): the start commit's own crashes may tell more; then leave `crash` out"));
        }
        let mut titles: Vec<&str> = console.crashes.iter().map(|crash| crash.title.as_str()).collect();
        titles.dedup();
        let first = console.crashes[0].title == crash.title;
        if let Some(wanted) = wanted.filter(|wanted| same(wanted).is_some()) {
            if titles.len() > 1 || !first {
                let why = format!("{from}; the console shows other crashes too");
                self.draft.set(("", "title"), wanted, Standing::Found, why);
            }
        } else if let Some(wanted) = wanted
            && ((self.around.is_title)(wanted) || self.report.sender == Sender::Syzbot)
        {
            self.draft.note(format!("{from} says `{wanted}`, and the console shows `{}`: the console counts", crash.title));
        }
        if titles.len() > 1 && !self.draft.has("", "title") {
            let others: Vec<String> =
                titles.iter().filter(|title| **title != crash.title).map(|title| format!("`{title}`")).collect();
            let why = format!("the console's first crash; it shows {} too", others.join(", "));
            self.draft.set(("", "title"), crash.title.as_str(), Standing::Guessed, why);
        }
        Some(crash.title.clone())
    }

    fn of_title(&mut self, wanted: Option<String>, from: &str) -> Option<String> {
        let sender = self.report.sender;
        let Some(title) = wanted else {
            if !self.pieces.executables.is_empty() || !self.pieces.selftests.is_empty() {
                return None;
            }
            let why = "no console and no title: the start commit is tested first, and its most frequent crash is the target";
            self.draft.leave(("", "crash"), "console.txt", Standing::Guessed, why);
            return None;
        };
        if !(self.around.is_title)(&title) {
            let why = format!(
                "`{title}` ({from}) is no title that a kernel prints: the most frequent crash of the start commit is the target"
            );
            self.draft.leave(("", "title"), title.as_str(), Standing::Guessed, why);
            return None;
        }
        if sender == Sender::Robot {
            // The robot writes titles its own way, which no classifier gives.
            let why = format!("{from}; written otherwise than classifiers do: name the console with `crash` instead");
            self.draft.leave(("", "title"), title.as_str(), Standing::Guessed, why);
            return None;
        }
        self.draft.set(("", "title"), title.as_str(), Standing::Found, from.to_owned());
        if let Some(link) = self.report.console.clone() {
            let why = format!("more is known of the target if you save {link} as console.txt and take the `#` away");
            self.draft.leave(("", "crash"), "console.txt", Standing::Guessed, why);
        }
        Some(title)
    }

    fn other_consoles(&mut self, console: &Console, others: &[&Console]) {
        let title = &console.crashes[0].title;
        let differ: Vec<String> = others
            .iter()
            .filter(|other| other.crashes.iter().all(|crash| crash.title != *title))
            .map(|other| format!("{} ({})", other.material.name, other.crashes[0].title))
            .collect();
        if !differ.is_empty() {
            self.draft.note(format!(
                "of several consoles {} counts; other crashes: {}",
                console.material.name,
                differ.join(", ")
            ));
        }
    }
}

/// Whether a title is one of a crash's.
fn is_known_as(crash: &CrashReport, title: &str) -> bool {
    crash.title == title || crash.alt_titles.iter().any(|alt| alt == title)
}

fn file_name(console: &Console) -> &str {
    let name = console.material.name.as_str();
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}
