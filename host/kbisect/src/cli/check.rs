//! `kbisect check`: what a run would do.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;

use super::doctor::show;
use super::print;
use super::wait;
use crate::check;
use crate::check::Checked;
use crate::check::Range;
use crate::check::Subject;
use crate::config;
use crate::config::duration;
use crate::config::size;
use crate::doctor::Finding;
use crate::error::Error;
use crate::exit::Exit;
use crate::record::cited;
use crate::record::counted;

/// Say what `kbisect run JOB` would do, and what is missing for it
///
/// Shows every value that will be used and where it comes from, how much there is to search, build and test, the commands, which
/// plugins judge what, and what this machine lacks. Takes a few seconds and builds nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The job file
    #[arg(value_name = "JOB.toml")]
    job: PathBuf,

    /// Where the run would be kept
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let settled = config::read(&args.job)?;
    let checked = wait(check::check(settled, &args.out))??;
    print(&render(&checked, &args.out))?;
    match checked.obstacle() {
        Some(error) => Err(error),
        None => Ok(Exit::Success),
    }
}

fn render(checked: &Checked, out: &Path) -> String {
    let mut text = values(checked);
    let mut say = |name: &str, what: &str| {
        let _ = writeln!(text, "{name:<10}{what}");
    };
    say("\nstart", &format!(" {}", cite(&checked.start)));
    range(checked, &mut say);
    for report in &checked.target {
        say("target", &report.title);
    }
    if let (true, Some(title)) = (checked.target.is_empty(), &checked.settled.job.title) {
        say("target", title);
    }
    work(checked, out, &mut say);
    for (name, command) in &checked.commands {
        say(name, command);
    }
    for plugin in checked.plugins.iter().filter(|plugin| !plugin.bundled) {
        let imports = if plugin.imports.is_empty() { "nothing".to_owned() } else { plugin.imports.join(", ") };
        let path = plugin.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        say("plugin", &format!("{} {path} (sha256 {}; may ask for {imports})", plugin.id, &plugin.digest[..12]));
    }
    for (hook, plugins) in &checked.routes {
        say("route", &format!("{hook}: {}", if plugins.is_empty() { "nobody".to_owned() } else { plugins.join(", then ") }));
    }
    let findings: Vec<&Finding> = checked.machine.iter().chain(&checked.inputs).collect();
    if findings.is_empty() {
        say("missing", "nothing");
    } else {
        let _ = writeln!(text, "missing or poor:");
        text.push_str(&show(findings.into_iter()));
    }
    text
}

/// The job file with the origin of every value.
fn values(checked: &Checked) -> String {
    let mut text = String::new();
    let mut section = String::new();
    for line in config::lines(&checked.settled.job) {
        if line.section != section || line.key == "id" {
            let name = if line.section == "plugin" { "[[plugin]]".to_owned() } else { format!("[{}]", line.section) };
            let _ = writeln!(text, "\n{name}");
            section = line.section;
        }
        let value = format!("{} = {}", line.key, line.value);
        match checked.settled.origins.of(&line.origin) {
            Some(origin) => _ = writeln!(text, "{value:<40} # {origin}"),
            None => _ = writeln!(text, "{value}"),
        }
    }
    text
}

fn range(checked: &Checked, say: &mut impl FnMut(&str, &str)) {
    match &checked.range {
        Range::Stated { good, commits } => {
            for good in good {
                say("good", &cite(good));
            }
            say("range", &counted(*commits as u64, "commit"));
        }
        Range::Walk { releases, commits } => {
            let newest = releases.first().map_or("", |release| &release.name);
            let oldest = releases.last().map_or("", |release| &release.name);
            let (count, commits) = (counted(releases.len() as u64, "release"), counted(*commits as u64, "commit"));
            say("range", &format!("back through {count}, {newest} (after it: {commits}) to {oldest}"));
        }
    }
}

fn work(checked: &Checked, out: &Path, say: &mut impl FnMut(&str, &str)) {
    let (work, job) = (&checked.work, &checked.settled.job);
    let builds = counted(u64::from(work.builds), if job.build.is_some() { "build" } else { "commit" });
    let trials = counted(u64::from(work.trials), "trial");
    let minutes = work.time.as_secs().div_ceil(60).max(1);
    let time = duration::format(std::time::Duration::from_secs(minutes * 60));
    let at_once = if work.slots == 1 { String::new() } else { format!(", {} at once", work.slots) };
    say("work", &format!("about {builds} and {trials}{at_once}; about {time} if every trial takes its whole time"));
    let free = crate::doctor::free_disk(out).map(|free| format!(", {} free", size::rounded(free))).unwrap_or_default();
    let about = if work.disk < 1 << 20 { "" } else { "about " };
    say("disk", &format!("{about}{} of the {} allowed{free}", size::rounded(work.disk), size::rounded(job.limits.disk)));
}

fn cite(subject: &Subject) -> String {
    cited(&subject.commit, &subject.subject)
}
