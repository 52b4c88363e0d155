use proptest::prelude::*;

use super::*;
use crate::git::commit;

#[test]
fn texts_are_what_git_log_says() {
    let sandbox = Sandbox::import(random_history(11, 30).as_bytes());
    sandbox.git(&["checkout", "-q", "-f", "b0"]);
    for (time, message) in
        ["title only", "two\nlines of title\n\nbody\n", "\n\n  indented\n\nbody", "tab\there  \n\nx", "é – ü"].iter().enumerate()
    {
        sandbox.commit("f", &time.to_string(), message, time as i64);
    }
    let repository = sandbox.open();
    for id in sandbox.ids(&["rev-list", "--all"]) {
        let show = |format: &str| sandbox.git(&["log", "-1", &format!("--format={format}"), &id.to_string()]);
        assert_eq!(repository.subject(&id).unwrap(), show("%s").trim_end_matches('\n'));
        assert_eq!(repository.message(&id).unwrap().trim_end_matches('\n'), show("%B").trim_end_matches('\n'));
        assert_eq!(repository.time(&id).unwrap().to_string(), show("%ct").trim());
        let author = repository.author(&id).unwrap();
        assert_eq!(format!("{}|{}", author.name, author.email), show("%an|%ae").trim());
        assert_eq!(repository.author_date(&id).unwrap(), show("%ad").trim());
        let parents: Vec<String> = repository.parents(&id).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(parents.join(" "), show("%P").trim());
    }
}

#[test]
fn other_encodings_become_utf8() {
    let raw = |encoding: &str| {
        [b"tree x\nauthor J\xf6rg <j@x> 5 +0000\ncommitter J\xf6rg <j@x> 6 +0000\n", encoding.as_bytes(), b"\nGr\xfc\xdfe\n"]
            .concat()
    };
    let latin1 = raw("encoding ISO-8859-1\n");
    assert_eq!(commit::message(&latin1), "Grüße\n");
    assert_eq!(commit::author(&latin1).unwrap().name, "Jörg");
    assert_eq!(commit::message(&raw("")), "Gr\u{fffd}\u{fffd}e\n");
}

#[test]
fn sign_offs_are_read_from_messages() {
    let message = "x\n\nSigned-off-by: Ann <ann@x>\nsigned-off-by: \"Bob, Jr.\" <bob@x> # comment\n    Signed-off-by: Cy <cy@x>\n\
                   Reviewed-by: Dee <dee@x>\nSigned-off-by: nobody\nThe Signed-off-by: Eve <eve@x>\n";
    let people: Vec<(String, String)> = commit::signed_off_by(message).map(|who| (who.name, who.email)).collect();
    let people: Vec<(&str, &str)> = people.iter().map(|(name, email)| (name.as_str(), email.as_str())).collect();
    assert_eq!(people, [("Ann", "ann@x"), ("Bob, Jr.", "bob@x"), ("Cy", "cy@x")]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(raw: Vec<u8>, header in "(parent |committer |author |encoding )?[ -~\n]{0,80}") {
        for raw in [raw.clone(), [header.as_bytes(), &raw].concat()] {
            let _ = (commit::header(&raw), commit::author(&raw), commit::author_date(&raw));
            let message = commit::message(&raw);
            let _ = (commit::subject(&message), commit::signed_off_by(&message).count());
        }
    }
}

#[test]
fn times_and_zones_beyond_reason_are_none() {
    let raw = |when: &str| format!("tree x\nauthor A <a@b> {when}\ncommitter A <a@b> {when}\n\nx\n").into_bytes();
    for when in
        ["9223372036854775807 +0000", "-9223372036854775808 +0000", "99999999999999999999 +0000", "-1 +0000", "soon +0000"]
    {
        assert_eq!(commit::header(&raw(when)).unwrap().time, 0, "{when}");
        let _ = commit::author_date(&raw(when));
    }
    assert_eq!(commit::header(&raw("1600000000 +0000")).unwrap().time, 1_600_000_000);
    for zone in ["+99999999", "-99999999", "+2147483647", "+51800", "+2400", "-", "+-100"] {
        let date = commit::author_date(&raw(&format!("1600000000 {zone}")));
        assert_eq!(date.as_deref(), Some("Sun Sep 13 12:26:40 2020 +0000"), "{zone}");
    }
    assert_eq!(commit::author_date(&raw("1600000000 -0730")).unwrap(), "Sun Sep 13 04:56:40 2020 -0730");
}

#[test]
fn own_files_are_neither_tracked_nor_ignored() {
    let sandbox = Sandbox::new();
    sandbox.commit(".gitignore", "*.o\n", "ignore objects", 1_600_000_000);
    sandbox.commit("tracked", "x", "a file", 1_600_000_060);
    let (root, repository) = (sandbox.path(), sandbox.open());
    fs::write(root.join("mine.sh"), "x").unwrap();
    fs::write(root.join("built.o"), "x").unwrap();
    fs::write(sandbox.beside("elsewhere"), "x").unwrap();
    assert!(repository.is_untracked(&root.join("mine.sh")));
    assert!(!repository.is_untracked(&root.join("tracked")));
    assert!(!repository.is_untracked(&root.join("built.o")));
    assert!(repository.is_untracked(&sandbox.beside("elsewhere")));
}
