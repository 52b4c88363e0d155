//! Tests of [`super`].

use kbisect_sdk::CrashReport;
use kbisect_sdk::Face;
use kbisect_sdk::Signature;
use kbisect_sdk::Signer;
use kbisect_sdk::fake::FakeCommit;
use kbisect_sdk::fake::FakeHost;

use super::*;

const MAINTAINERS: &str = "FOO\nM:\tFoo Boss <boss@foo.org>\nR:\tFoo Eye <Eye@foo.org>\nL:\tfoo@lists.org\nL:\tfoo-private@lists.org (subscribers-only)\n\
S:\tMaintained\nF:\tfs/foo/\n\nBAR\nM:\tBar Boss <boss@bar.org>\nS:\tOdd Fixes\nF:\tdrivers/bar.c\n\n\
THE REST\nM:\tPenguin <penguin@x.org>\nL:\tlinux-kernel@vger.kernel.org\nS:\tBuried alive\nF:\t*\nF:\t*/\n";

fn host(message: &str, changed: &[&str], guilty: Option<&str>) -> FakeHost {
    let mut host = FakeHost::default();
    let mut newest = FakeCommit::default();
    newest.files.insert("MAINTAINERS".to_owned(), MAINTAINERS.to_owned());
    host.commits.insert("new".to_owned(), newest);
    let culprit = FakeCommit {
        message: message.to_owned(),
        author_name: "An Author".to_owned(),
        author_email: "Author@x.org".to_owned(),
        parents: vec!["parent".to_owned()],
        changed_files: changed.iter().map(|&file| file.to_owned()).collect(),
        ..FakeCommit::default()
    };
    host.commits.insert("culprit".to_owned(), culprit);
    host.properties.insert("newest-commit".to_owned(), "new".to_owned());
    let report = CrashReport { guilty_file: guilty.map(str::to_owned), ..CrashReport::default() };
    host.faces.push(Face { report, trials: 3 });
    host
}

fn suspects(probability: f64) -> Vec<Suspect> {
    vec![Suspect { commit: "culprit".to_owned(), probability }, Suspect { commit: "other".to_owned(), probability: 0.01 }]
}

fn list(host: &FakeHost, so_far: &[Recipient]) -> Vec<String> {
    choose(host, &suspects(0.97), so_far)
        .expect("an answer")
        .into_iter()
        .map(|edit| match edit {
            Edit::Add(who) => format!("{} {}", if who.field == Field::To { "to" } else { "cc" }, who.email),
            Edit::Remove((email, _)) => format!("remove {email}"),
        })
        .collect()
}

#[test]
fn a_commit_with_enough_tags_needs_no_file() {
    let message = "a: b\n\nReviewed-by: R <r@x.org>\nCc: stable@vger.kernel.org\nAcked-by: stable@vger.kernel.org\n\
        Signed-off-by: An Author <author@X.org>\nSigned-off-by: C <c@x.org>\n";
    assert_eq!(list(&host(message, &["fs/foo/a.c"], None), &[]), ["to author@x.org", "to r@x.org", "to c@x.org"]);
}

#[test]
fn few_tags_are_filled_up_from_the_files() {
    let found = list(&host("a: b\n", &["fs/foo/a.c", "drivers/bar.c"], None), &[]);
    assert_eq!(
        found,
        [
            "to author@x.org",
            "to boss@foo.org",
            "to foo@lists.org",
            "cc boss@bar.org",
            "cc linux-kernel@vger.kernel.org",
            "cc eye@foo.org"
        ]
    );
}

#[test]
fn the_crashs_own_file_counts_always() {
    let message = "a: b\n\nReviewed-by: R <r@x.org>\nAcked-by: Q <q@x.org>\n";
    let found = list(&host(message, &[], Some("drivers/bar.c")), &[]);
    assert_eq!(found, ["to author@x.org", "to r@x.org", "to q@x.org", "to linux-kernel@vger.kernel.org", "cc boss@bar.org"]);
}

#[test]
fn an_unrelated_crashs_people_stay_out() {
    // Only faces of the target are asked; a corrupted one blames nobody.
    let mut host = host("a: b\n\nReviewed-by: R <r@x.org>\nAcked-by: Q <q@x.org>\n", &[], Some("drivers/bar.c"));
    host.faces[0].report.corrupted = Some("cut".to_owned());
    assert_eq!(list(&host, &[]), ["to author@x.org", "to r@x.org", "to q@x.org"]);
}

#[test]
fn an_address_stands_once_and_to_wins() {
    let known = |email: &str, field| Recipient { name: None, email: email.to_owned(), field, reason: String::new() };
    let so_far = [known("AUTHOR@x.org", Field::Cc), known("boss@foo.org", Field::To)];
    let found = list(&host("a: b\n", &["fs/foo/a.c"], None), &so_far);
    assert_eq!(found[0], "to author@x.org");
    assert!(!found.iter().any(|line| line.contains("boss@foo.org")));
}

#[test]
fn activity_helps_when_there_is_nobody() {
    let mut host = host("a: b\n", &["lib/x.c"], None);
    let signer =
        |name: &str, commits| Signer { who: Signature { name: name.to_owned(), email: format!("{name}@x.org") }, commits };
    host.signers = vec![signer("busy", 50), signer("some", 10), signer("rare", 9)];
    assert_eq!(list(&host, &[]), ["to author@x.org", "to linux-kernel@vger.kernel.org", "cc busy@x.org", "cc some@x.org"]);
}

#[test]
fn nobody_is_told_of_an_unlikely_commit() {
    let host = host("a: b\n", &["fs/foo/a.c"], None);
    assert_eq!(choose(&host, &suspects(0.4), &[]), Ok(Vec::new()));
    assert_eq!(choose(&host, &[], &[]), Ok(Vec::new()));
}

#[test]
fn a_commit_that_cannot_be_read_is_an_error() {
    let host = FakeHost::default();
    assert!(choose(&host, &suspects(0.9), &[]).is_err());
}

#[test]
fn a_project_without_a_maintainers_file_has_its_commits_people() {
    let mut host = host("a: b\n", &["fs/foo/a.c"], None);
    host.properties.clear();
    assert_eq!(list(&host, &[]), ["to author@x.org"]);
}
