//! What reports by mail say in lines of `name: value`: syzbot's, the kernel test robot's (0-day), regzbot's. Pure.
//!
//! The names are those of syzbot's mail_bug.txt and mail_bisect_result.txt and of the robot's mails as sent in 2025.

use super::draft::plain;
use crate::build::linux::failure;

/// Who wrote a report, and of what kind it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sender {
    /// Syzbot, of a bug.
    Syzbot,
    /// Syzbot, of a finished bisection.
    SyzbotBisection,
    /// Syzbot, of a patch that it tried.
    SyzbotPatch,
    /// The kernel test robot.
    Robot,
    /// Somebody else.
    #[default]
    Other,
}

impl Sender {
    /// What the report is called.
    pub fn called(self) -> &'static str {
        match self {
            Self::Syzbot => "a report of syzbot's",
            Self::SyzbotBisection => "syzbot's result of a bisection",
            Self::SyzbotPatch => "syzbot's answer to a patch",
            Self::Robot => "a report of the kernel test robot's",
            Self::Other => "a report",
        }
    }
}

/// A commit as a report names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// Digits of its hash.
    pub hash: String,
    /// The first line of its message, where it is told whole.
    pub title: Option<String>,
}

/// What one report says of one bug. Links are whole; nothing is fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// Who wrote it.
    pub sender: Sender,
    /// Where the crash was seen.
    pub start: Option<Cited>,
    /// The name of the line that says so.
    pub start_key: &'static str,
    /// The tree of that commit.
    pub tree: Option<String>,
    /// The title in the subject, without what mail programs and lists put around it.
    pub title: Option<String>,
    /// The console.
    pub console: Option<String>,
    /// The configuration.
    pub config: Option<String>,
    /// The compiler.
    pub compiler: Option<String>,
    /// The architecture of programs.
    pub userspace: Option<String>,
    /// The syzkaller program.
    pub syz: Option<String>,
    /// The reproducer in C.
    pub c: Option<String>,
    /// A public page of the bug.
    pub link: Option<String>,
    /// The commit that a finished bisection has named, and whether as a fix.
    pub named: Option<(Cited, bool)>,
    /// Good and bad ends of regzbot's `introduced:`.
    pub range: Option<(String, String)>,
    /// The robot's test.
    pub testcase: Option<String>,
    /// The robot's machine, as QEMU's words.
    pub machine: Option<String>,
    /// A patch that was applied.
    pub patch: Option<String>,
    /// The robot's name of the configuration, which begins with the architecture: `x86_64-randconfig-001-20251110`.
    pub config_name: Option<String>,
    /// What a build says, where the report is about that.
    pub build: Option<Said>,
}

/// What a build that a report is about says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The line.
    pub line: String,
    /// Whether it is an error; else kernels are built all the same.
    pub is_error: bool,
    /// Whether it was built with `W=1`.
    pub with_warnings: bool,
}

/// The reports in a text, one for each bug. Empty where no line is known.
pub fn read(text: &str, subject: Option<&str>, message_id: Option<&str>) -> Vec<Mail> {
    let sender = sender(text);
    let mut mails = Vec::new();
    let mut mail = Mail { sender, ..Mail::default() };
    let mut known = false;
    let lines: Vec<&str> = text.lines().map(|line| line.strip_prefix("| ").unwrap_or(line)).collect();
    for (index, line) in lines.iter().enumerate() {
        if let Some(range) = regzbot(line) {
            mail.range.get_or_insert(range);
            known = true;
            continue;
        }
        if let Some(hash) = line.strip_prefix("commit ").filter(|_| sender == Sender::SyzbotBisection) {
            if let Some(cited) = cited(hash) {
                let title =
                    lines[index + 1..].iter().skip_while(|line| !line.trim().is_empty()).find(|line| !line.trim().is_empty());
                let title = title.map(|title| title.trim().to_owned());
                let is_fix = text.contains("fixed by commit");
                mail.named.get_or_insert((Cited { title, ..cited }, is_fix));
                known = true;
            }
            continue;
        }
        if line.starts_with("The kernel config and materials to reproduce are available at") {
            let link = lines[index + 1..].iter().map(|line| line.trim()).find(|line| !line.is_empty());
            mail.config = link.filter(|link| link.starts_with("http")).map(str::to_owned).or(mail.config.take());
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let Some(key) = KEYS.iter().find(|known| key.trim() == **known) else { continue };
        let value = match value.trim() {
            // Mail programs break long lines behind the colon.
            "" => lines.get(index + 1).map(|next| next.trim()).filter(|next| next.starts_with("http")).unwrap_or_default(),
            value => value,
        };
        if value.is_empty() {
            continue;
        }
        if another(&mail, key, value) {
            if mails.len() == MOST_REPORTS {
                break;
            }
            mails.push(std::mem::replace(&mut mail, Mail { sender, ..Mail::default() }));
        }
        known |= note(&mut mail, key, value, lines.get(index + 1).copied().unwrap_or_default());
    }
    if sender == Sender::Robot {
        mail.build = said(&lines);
        known |= mail.build.is_some();
    }
    mails.push(mail);
    // The subject is of the first one; the others have what their texts say.
    let first = &mut mails[0];
    // Who forwards a mail may call it something else.
    if let Some(subject) = subject.filter(|subject| first.title.is_none() || subject.contains("[syzbot")) {
        first.title = title(subject);
    }
    if !known {
        return Vec::new();
    }
    if let (None, Some(id), true) = (&first.link, message_id, first.sender != Sender::Other || first.range.is_some()) {
        first.link = Some(format!("https://lore.kernel.org/r/{id}/"));
    }
    mails
}

/// Reports of one text, at most: a digest has some dozen.
const MOST_REPORTS: usize = 100;

/// Names of lines.
const KEYS: [&str; 23] = [
    "tree",
    "HEAD commit",
    "start commit",
    "git tree",
    "console output",
    "console+strace",
    "kernel config",
    "dashboard link",
    "compiler",
    "userspace arch",
    "syz repro",
    "C reproducer",
    "final oops",
    "patch",
    "Reported-by",
    "Closes",
    "Subject",
    "commit",
    "in testcase",
    "config",
    "test machine",
    "Tree URL",
    "Commit",
];

fn sender(text: &str) -> Sender {
    let has = |sign: &str| text.contains(sign);
    if has("syzbot has bisected this") || has("syzbot suspects this issue was fixed by") {
        Sender::SyzbotBisection
    } else if has("syzbot has tested the proposed patch") || has("syzbot tried to test the proposed patch") {
        Sender::SyzbotPatch
    } else if has("syzbot found the following") || has("syzbot hit the following") || has("dashboard link:") {
        Sender::Syzbot
    } else if has("kernel test robot") || has("we noticed the following") {
        Sender::Robot
    } else {
        Sender::Other
    }
}

/// Whether a line belongs to another bug than what was read so far; replies say the same again.
fn another(mail: &Mail, key: &str, value: &str) -> bool {
    let other_start = |start: &Cited| cited(value).is_some_and(|cited| cited.hash != start.hash);
    match key {
        "HEAD commit" | "start commit" => mail.start.as_ref().is_some_and(other_start),
        "dashboard link" => mail.start.is_none() && mail.link.as_ref().is_some_and(|link| link != value),
        _ => false,
    }
}

/// Notes what a line says, where it is the first to say so. Gives whether a report must hold such a line.
fn note(mail: &mut Mail, key: &str, value: &str, next: &str) -> bool {
    let link = || value.split_whitespace().next().filter(|word| is_link(word)).map(str::to_owned);
    let first = |slot: &mut Option<String>, value: Option<String>| {
        let new = value.is_some();
        if slot.is_none() {
            *slot = value;
        }
        new
    };
    match key {
        "HEAD commit" | "start commit" | "commit" | "Commit" => {
            let Some(cited) = cited(value) else { return false };
            let robot = mail.sender == Sender::Robot && key == "commit";
            if mail.start.is_none() {
                mail.start_key = KEYS.iter().find(|known| **known == key).copied().unwrap_or_default();
                mail.start = Some(cited.clone());
                if robot {
                    mail.named = Some((cited, false));
                    if next.trim_start().starts_with("http") {
                        mail.tree = Some(next.trim().to_owned());
                    }
                }
            }
            true
        }
        "tree" if mail.sender != Sender::Robot => false,
        "tree" | "git tree" | "Tree URL" => first(&mut mail.tree, Some(value.to_owned())),
        "console output" | "console+strace" | "final oops" => first(&mut mail.console, link()),
        "kernel config" => first(&mut mail.config, link()),
        "config" => {
            if mail.sender != Sender::Robot {
                return first(&mut mail.config, link());
            }
            // A name, and where everybody can have the file its link in brackets.
            let (name, link) = value.split_once(" (").unwrap_or((value, ""));
            first(&mut mail.config_name, Some(name.trim().to_owned()));
            first(&mut mail.config, Some(link.trim_end_matches(')').to_owned()).filter(|link| is_link(link)));
            false
        }
        "dashboard link" => {
            mail.link = link().or_else(|| mail.link.take());
            true
        }
        "compiler" => {
            first(&mut mail.compiler, Some(value.to_owned()));
            false
        }
        "userspace arch" => first(&mut mail.userspace, Some(value.to_owned())),
        "syz repro" => first(&mut mail.syz, link()),
        "C reproducer" => first(&mut mail.c, link()),
        "patch" => {
            first(&mut mail.patch, link());
            false
        }
        "Closes" => {
            first(&mut mail.link, link());
            false
        }
        "Reported-by" => {
            let id = value.split_once("syzbot+").and_then(|(_, rest)| rest.split_once('@')).map(|(id, _)| id);
            let id = id.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            first(&mut mail.link, id.map(|id| format!("https://syzkaller.appspot.com/bug?extid={id}")))
        }
        "Subject" => {
            first(&mut mail.title, title(value));
            false
        }
        "in testcase" => first(&mut mail.testcase, Some(value.to_owned())),
        "test machine" => {
            first(&mut mail.machine, Some(value.to_owned()));
            false
        }
        _ => false,
    }
}

/// What the robot's build says: the first line of those that it marks as new, else the first cause of a failure.
fn said(lines: &[&str]) -> Option<Said> {
    let at = lines.iter().position(|line| line.starts_with("All ") && line.contains("prefixed by >>"))?;
    let told: Vec<&str> = lines[at + 1..].iter().take_while(|line| line.trim_end() != "--").copied().collect();
    let new = told.iter().find_map(|line| line.strip_prefix(">>")).map(|line| line.trim().to_owned());
    let line = new.or_else(|| failure::cause(&told.join("\n"), "", "").lines.into_iter().next())?;
    let is_error = !line.contains("warning:");
    Some(Said { line, is_error, with_warnings: lines.iter().any(|line| line.contains("W=1 build")) })
}

/// Whether a word is a link to somewhere in a site; one that was cut with its mail is none.
fn is_link(word: &str) -> bool {
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    rest.and_then(|rest| rest.split_once('/')).is_some_and(|(site, path)| site.contains('.') && !path.is_empty())
}

/// `HASH title`, `HASH ("title")` or `HASH`; titles that are cut with dots are not told.
fn cited(text: &str) -> Option<Cited> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let rest = &text[digits..];
    if !(7..=40).contains(&digits) || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    let rest = rest.trim();
    // The robot counts the commits that it looks at: `[1234/5678] title`.
    let is_count = |text: &str| text.contains('/') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    let counted = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")).filter(|(count, _)| is_count(count));
    let rest = counted.map_or(rest, |(_, title)| title);
    let title = rest.strip_prefix("(\"").and_then(|rest| rest.strip_suffix("\")")).unwrap_or(rest);
    let whole = !title.is_empty() && !title.ends_with("..") && !title.starts_with("(\"");
    Some(Cited { hash: text[..digits].to_owned(), title: whole.then(|| title.to_owned()) })
}

/// `#regzbot introduced: GOOD..BAD`.
fn regzbot(line: &str) -> Option<(String, String)> {
    let rest = line.trim().strip_prefix("#regzbot ")?.trim_start().trim_start_matches('^');
    let (good, bad) = rest.strip_prefix("introduced")?.trim_start_matches([':', ' ']).split_once("..")?;
    let word = |text: &str| {
        let word = text.trim_matches('.').split_whitespace().next()?;
        let plain = !word.starts_with('-') && word.chars().all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c));
        plain.then(|| word.to_owned())
    };
    Some((word(good)?, word(bad)?))
}

/// The title in a subject: without `Re:`, `[syzbot] [net?]` and the number of the bug's reappearance.
pub fn title(subject: &str) -> Option<String> {
    let mut rest = subject.trim();
    loop {
        let less = ["Re:", "RE:", "Fwd:", "FW:", "Fw:", "AW:"].into_iter().find_map(|word| rest.strip_prefix(word));
        let less = less.or_else(|| rest.strip_prefix('[').and_then(|inside| Some(inside.split_once(']')?.1)));
        match less {
            Some(less) => rest = less.trim_start(),
            None => break,
        }
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((title, number)) = rest.rsplit_once(" (")
        && number.strip_suffix(')').is_some_and(is_number)
    {
        rest = title;
    }
    (!rest.is_empty()).then(|| plain(rest).trim().to_owned())
}

#[cfg(test)]
mod tests;
