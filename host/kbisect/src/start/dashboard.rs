//! A bug as syzbot's dashboard gives it in JSON (`&json=1`, dashboard/api/api.go): read as a report by mail. Pure.

use serde::Deserialize;

use super::mail::Cited;
use super::mail::Mail;
use super::mail::Sender;

/// What links without a site start from.
const SITE: &str = "https://syzkaller.appspot.com";

/// What says where the crash was seen.
pub(super) const KEY: &str = "kernel-source-commit";

#[derive(Deserialize)]
struct Bug {
    title: String,
    id: Option<String>,
    #[serde(default)]
    crashes: Vec<Crash>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Crash {
    syz_reproducer: Option<String>,
    c_reproducer: Option<String>,
    kernel_config: Option<String>,
    kernel_source_git: Option<String>,
    kernel_source_commit: Option<String>,
    crash_report_link: Option<String>,
}

/// Reads a bug; none where the text is no such JSON. Of its crashes, the first that has a reproducer in C counts.
pub(super) fn read(text: &str) -> Option<Mail> {
    let bug: Bug = serde_json::from_str(text).ok()?;
    let crash = bug.crashes.iter().find(|crash| crash.c_reproducer.is_some()).or_else(|| bug.crashes.first())?;
    let link = |path: &Option<String>| path.as_deref().filter(|path| !path.is_empty()).map(whole);
    let hash = crash.kernel_source_commit.clone().filter(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    Some(Mail {
        sender: Sender::Syzbot,
        start: hash.filter(|hash| (7..=40).contains(&hash.len())).map(|hash| Cited { hash, title: None }),
        start_key: KEY,
        // Pages of commits name the repository before the question mark or `/log/`.
        tree: crash
            .kernel_source_git
            .as_deref()
            .map(|page| page.split(['?', ' ']).next().unwrap_or_default().trim_end_matches("/log/").to_owned()),
        title: Some(super::mail::title(&bug.title).unwrap_or(bug.title)),
        console: link(&crash.crash_report_link),
        config: link(&crash.kernel_config),
        syz: link(&crash.syz_reproducer),
        c: link(&crash.c_reproducer),
        link: bug.id.filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric())).map(|id| format!("{SITE}/bug?id={id}")),
        ..Mail::default()
    })
}

/// The title in a bug's JSON that was cut off: no more of it can be relied on.
pub(super) fn read_cut(text: &str) -> Option<Mail> {
    if !text.starts_with('{') || !text.contains("\"crashes\":") {
        return None;
    }
    let (_, rest) = text.split_once("\"title\":")?;
    let title = serde_json::Deserializer::from_str(rest).into_iter::<String>().next()?.ok()?;
    Some(Mail { sender: Sender::Syzbot, start_key: KEY, title: super::mail::title(&title), ..Mail::default() })
}

fn whole(path: &str) -> String {
    if path.starts_with('/') { format!("{SITE}{path}") } else { path.to_owned() }
}
