//! Mails, encodings and quotes.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn bodies(text: &str) -> Vec<String> {
    texts(text.as_bytes()).iter().map(Text::text).collect()
}

/// As a mail program answers.
pub(crate) fn quoted(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| text.split_inclusive('\n').map(|line| format!("> {line}")).collect())
}

#[test]
fn a_mail_with_an_attachment_is_taken_apart() {
    let mail = "From: A <a@example.org>\nSubject: =?utf-8?q?KASAN=3A_x?=\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n\
                Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain; charset=utf-8\n\
                Content-Transfer-Encoding: base64\n\naGVsbG8sIGhlcmUgaXQgaXMK\n--b\nContent-Type: text/x-csrc; name=\"a.c\"\n\
                Content-Disposition: attachment; filename=\"a.c\"\nContent-Transfer-Encoding: quoted-printable\n\n\
                int main(void)=20\n{ return 1 =3D=3D 1; }\n--b--\n";
    let texts = texts(mail.as_bytes());
    let told: Vec<(Option<&str>, String)> = texts.iter().map(|text| (text.attached.as_deref(), text.text())).collect();
    assert_eq!(told, [(None, "hello, here it is\n".to_owned()), (Some("a.c"), "int main(void) \n{ return 1 == 1; }".to_owned())]);
    assert_eq!((texts[0].subject.as_deref(), texts[0].message_id.as_deref()), (Some("KASAN: x"), Some("1@example.org")));
}

#[test]
fn what_ends_in_the_middle_is_read_so_far() {
    let mail = "From: a@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n\
                --b\nContent-Type: text/plain\n\nfirst line\nsecond li";
    assert_eq!(bodies(mail), ["first line\nsecond li"]);
    assert_eq!(bodies("From: a@example.org\nSubject: x\n"), [""]);
}

#[test]
fn bodies_without_their_headers_are_decoded() {
    assert_eq!(
        bodies("HEAD commit: 1\nhttps://example.org/x=3D1 is lo=\nng\n"),
        ["HEAD commit: 1\nhttps://example.org/x=1 is long\n"]
    );
    // Its numbers would be lost.
    let stall =
        "rcu: INFO: rcu_preempt detected stalls\nidle=102/1/0x40 softirq=1234/1235 fqs=5250\n(t=10502 jiffies g=1293 q=15)\n";
    assert_eq!(bodies(stall), [stall]);
    let console = "=====================\nBUG: x in y\nflags=3D\n";
    assert_eq!(bodies(console), [console], "a kernel's ruler is no soft line break");
    let base64 = "QlVHOiBLQVNBTjogdXNlLWFmdGVyLWZyZWUgaW4gcXVldWVfcmVsZWFzZQpSZWFkIG9m\nIHNpemUgOAo=\n";
    assert_eq!(bodies(base64), ["BUG: KASAN: use-after-free in queue_release\nRead of size 8\n"]);
}

#[test]
fn other_characters_and_html_are_read() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("BUG: x\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(texts(&utf16)[0].text(), "BUG: x\n");
    for units in [u16::to_le_bytes, u16::to_be_bytes] {
        let bare: Vec<u8> = "HEAD commit: 1\r\n".encode_utf16().flat_map(units).collect();
        assert_eq!(texts(&bare)[0].text(), "HEAD commit: 1\n");
    }
    assert_eq!(bodies("<!DOCTYPE html>\n<html><body><pre>BUG: x\n &lt;TASK&gt;\n</pre></body></html>"), ["BUG: x\n <TASK>\n"]);
    let html = "From: a@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>HEAD commit: 1</p><p>git tree: net</p>\n";
    let body = &bodies(html)[0];
    assert!(body.contains("HEAD commit: 1\n") && body.contains("git tree: net"), "{body:?}");
    let latin = "From: a@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nM=FCller\n";
    assert_eq!(bodies(latin), ["Müller\n"]);
}

#[test]
fn a_mailbox_is_all_its_mails() {
    let mail = |subject: &str| {
        format!("From a@example.org Mon Jul  1 10:00:00 2024\nFrom: a@example.org\nSubject: {subject}\n\nbody of {subject}\n\n")
    };
    let all = texts((mail("one") + &mail("two")).as_bytes());
    let subjects: Vec<_> = all.iter().map(|text| text.subject.as_deref().unwrap()).collect();
    assert_eq!(subjects, ["one", "two"]);
}

#[test]
fn what_was_moved_to_the_right_is_moved_back() {
    let mail = "look:\n    syzbot found the following issue on:\n    \n    HEAD commit: 1\n     <TASK>\n     f+0x1/0x2\n";
    assert_eq!(bodies(mail), ["look:\nsyzbot found the following issue on:\n\nHEAD commit: 1\n <TASK>\n f+0x1/0x2\n"]);
    let console = "BUG: x\n Call Trace:\n  f+0x1/0x2\n";
    assert_eq!(bodies(console), [console]);
}

#[test]
fn the_robots_marks_are_no_quotes() {
    let mail = "Hello,\n\nAll errors (new ones prefixed by >>):\n\n   a.c:1: x\n>> a.c:2: y\n";
    assert_eq!(bodies(mail), [mail]);
    assert_eq!(bodies(&quoted(mail, 3)), [mail]);
}

#[test]
fn kasans_own_mark_is_no_quote() {
    let rows = " ffff888012345580: fb fb\n>ffff888012345600: fb fb\n                   ^\n";
    assert_eq!(bodies(rows), [rows]);
    assert_eq!(bodies(&quoted(rows, 3)), [rows]);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!texts(&bytes).is_empty());
    }

    #[test]
    fn any_bytes_behind_headers_are_read(
        kind in prop_oneof![
            Just("text/plain"), Just("multipart/mixed; boundary=b"), Just("message/rfc822"), Just("text/html; charset=utf-7")
        ],
        encoding in prop_oneof![Just("base64"), Just("quoted-printable"), Just("8bit"), Just("odd")],
        body in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'='), Just(b'-'), any::<u8>()], 0..300),
    ) {
        let mut mail = format!("From: a\nSubject: b\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n--b\n").into_bytes();
        mail.extend(body);
        prop_assert!(!texts(&mail).is_empty());
    }

    #[test]
    fn quotes_come_off_as_they_went_on(lines in proptest::collection::vec("[ -~]{0,30}", 1..12), times in 1usize..9) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        prop_assume!(!text.trim().is_empty());
        prop_assert_eq!(bodies(&quoted(&text, times)), bodies(&text));
    }
}
