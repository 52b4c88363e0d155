//! Several reports at once: which bug it is.

use super::super::draft::Draft;
use super::super::mail::Mail;
use super::super::mail::Sender;
use super::super::pieces::Pieces;
use super::super::pieces::Report;

/// What the reports on one bug say together, and how the file is called that says most. Other bugs' reports are left out, and noted.
pub(super) fn choose(pieces: &Pieces, draft: &mut Draft) -> (Mail, String) {
    let rank = |report: &&Report| match report.mail.sender {
        Sender::Syzbot => 4,
        Sender::Robot => 3,
        Sender::SyzbotBisection => 2,
        Sender::SyzbotPatch => 1,
        Sender::Other => 0,
    };
    let mut order: Vec<&Report> = pieces.reports.iter().collect();
    // Stable: of equal ones the first that was handed over.
    order.sort_by_key(|report| std::cmp::Reverse(rank(report)));
    let Some((first, others)) = order.split_first() else { return (Mail::default(), String::new()) };
    let mut mail = first.mail.clone();
    for other in others {
        if is_another_bug(&mail, &other.mail) {
            let what = called(&other.mail);
            draft.note(format!(
                "{} tells of another bug too ({what}): this job is about {}. For the other one, cut that out and hand over the rest.",
                other.name,
                called(&mail)
            ));
        } else {
            add(&mut mail, &other.mail);
        }
    }
    if let Some(patch) = &mail.patch {
        draft.note(format!("syzbot had applied a patch to that commit, which is not in history: {patch}"));
    }
    (mail, first.name.clone())
}

fn is_another_bug(one: &Mail, other: &Mail) -> bool {
    let differ = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
    let starts = matches!((&one.start, &other.start), (Some(one), Some(other)) if !one.hash.starts_with(&other.hash) && !other.hash.starts_with(&one.hash));
    let titles = differ(&one.title, &other.title);
    // A bug is seen at many commits; its page is one.
    match (&one.link, &other.link) {
        (Some(one), Some(other)) if one == other => false,
        _ => titles || starts && !(one.title.is_some() && one.title == other.title),
    }
}

/// How a bug is called.
fn called(mail: &Mail) -> String {
    let start = mail.start.as_ref().map(|start| format!("the crash at {}", &start.hash[..start.hash.len().min(12)]));
    mail.title.clone().or_else(|| mail.link.clone()).or(start).unwrap_or_else(|| "without a title".to_owned())
}

/// Adds what another report on the same bug says.
fn add(mail: &mut Mail, other: &Mail) {
    if mail.start.is_none() {
        mail.start.clone_from(&other.start);
        mail.start_key = other.start_key;
        mail.tree.clone_from(&other.tree);
    }
    let Mail {
        tree,
        title,
        console,
        config,
        compiler,
        userspace,
        syz,
        c,
        link,
        named,
        range,
        testcase,
        machine,
        patch,
        config_name,
        build,
        ..
    } = mail;
    fill(tree, &other.tree);
    fill(title, &other.title);
    fill(console, &other.console);
    fill(config, &other.config);
    fill(compiler, &other.compiler);
    fill(userspace, &other.userspace);
    fill(syz, &other.syz);
    fill(c, &other.c);
    fill(link, &other.link);
    fill(named, &other.named);
    fill(range, &other.range);
    fill(testcase, &other.testcase);
    fill(machine, &other.machine);
    fill(patch, &other.patch);
    fill(config_name, &other.config_name);
    fill(build, &other.build);
}

fn fill<T: Clone>(slot: &mut Option<T>, other: &Option<T>) {
    if slot.is_none() {
        slot.clone_from(other);
    }
}
