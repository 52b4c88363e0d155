use proptest::prelude::*;

use super::*;

const NONCE: &str = "00112233445566778899aabbccddeeff";

fn with_nonce(words: &str) -> Vec<u8> {
    format!("kbisect {NONCE} {words}").into_bytes()
}

/// After the greeting.
fn greeted() -> Conversation {
    let mut talk = Conversation::new(NONCE.to_owned());
    assert_eq!(talk.hear(b"kbisect hello"), Ok(Some(Command::Nonce(NONCE.to_owned()))));
    talk
}

#[test]
fn a_whole_boot() {
    let mut talk = greeted();
    assert_eq!(talk.hear(&with_nonce("hello AB12")), Ok(None));
    assert_eq!(talk.hello, Some(Some("ab12".to_owned())));
    talk.ask(&Command::Control);
    assert_eq!(talk.hear(&with_nonce("control fail cannot fork: no")), Ok(None));
    assert_eq!(talk.control, Some(Err("cannot fork: no".to_owned())));
    for (run, code) in [(1, 0), (2, -11)] {
        talk.ask(&Command::Exec(run, vec![]));
        assert_eq!(talk.hear(&with_nonce(&format!("start {run}"))), Ok(None));
        assert_eq!(talk.hear(&with_nonce("note pong")), Ok(None));
        assert_eq!(talk.hear(&with_nonce(&format!("end {run} {code}"))), Ok(None));
        assert_eq!(talk.ended, Some((run, code)));
    }
    assert_eq!(talk.notes, 2);
}

#[test]
fn only_a_bare_hello_opens() {
    for line in ["kbisect hello ", "kbisect", "hello", "kbisect hello 1", "KBISECT HELLO", "login:"] {
        let mut talk = Conversation::new(NONCE.to_owned());
        assert_eq!(talk.hear(line.as_bytes()), Err(BadLine::NoHello(line.to_owned())), "{line}");
    }
}

#[test]
fn forged_and_malformed_lines_are_refused() {
    for line in [
        "kbisect hello",
        "end 1 0",
        "kbisect deadbeef end 1 0",
        &format!("kbisect {NONCE}"),
        &format!("kbisect {NONCE}x end 1 0"),
    ] {
        assert_eq!(parse(line.as_bytes(), NONCE), Err(BadLine::Forged(line.to_owned())), "{line}");
    }
    for words in [
        "",
        "end",
        "end 1",
        "end 1 256",
        "end 1 -0",
        "end 1 -128",
        "end +1 0",
        "end 1 0 0",
        "end 99999999999 0",
        "out 1",
        "out 1 ",
        "out 1 %4",
        "out 1 %+1",
        "out 1 two words",
        "out x a",
        "start",
        "start x",
        "control",
        "control maybe",
        "hello",
        "hello xyz",
        "quit",
        "call 1 41 - 0",
        "call 1 41 - 0 1 2",
        "call 1 -1 - 0 1",
        "untraced 1",
        "untraced why not",
        "note\u{7f}",
    ] {
        assert!(matches!(parse(&with_nonce(words), NONCE), Err(BadLine::Unknown(_))), "{words}");
    }
}

#[test]
fn answers_to_nothing_are_refused() {
    for words in ["control ok", "start 1", "end 1 0", "out 1 a", "note early"] {
        assert!(matches!(greeted().hear(&with_nonce(words)), Err(BadLine::Unasked(_))), "{words}");
    }
    let mut talk = greeted();
    talk.hear(&with_nonce("hello -")).expect("the answer to the nonce");
    assert!(matches!(talk.hear(&with_nonce("hello -")), Err(BadLine::Unasked(_))), "twice");
    talk.ask(&Command::Exec(2, vec![]));
    for words in ["start 1", "end 2 0", "end 1 0", "out 2 a"] {
        assert!(matches!(talk.clone().hear(&with_nonce(words)), Err(BadLine::Unasked(_))), "{words}");
    }
}

#[test]
fn what_is_told_of_calls_is_kept_while_a_traced_run_goes_on() {
    let mut talk = greeted();
    talk.hear(&with_nonce("hello -")).expect("the answer to the nonce");
    talk.ask(&Command::Exec(1, vec![]));
    talk.hear(&with_nonce("start 1")).expect("it was asked for");
    assert!(matches!(talk.clone().hear(&with_nonce("call 1 41 - 0 1")), Err(BadLine::Unasked(_))), "nobody asked for that");
    talk.hear(&with_nonce("end 1 0")).expect("it was asked for");
    talk.ask(&Command::Trace(2, vec![]));
    assert!(matches!(talk.clone().hear(&with_nonce("call 2 41 - 0 1")), Err(BadLine::Unasked(_))), "before it starts");
    for line in [
        "start 2",
        "call 2 41 0x26 97 1",
        "call 2 257 /dev/a%20%07 0 1",
        "call 2 41 0x26 97 12",
        "untraced 2 it runs on",
        "end 2 0",
    ] {
        talk.hear(&with_nonce(line)).expect(line);
    }
    let call = |number, argument: &str, errno, count| CallEnd { number, argument: Some(argument.to_owned()), errno, count };
    let calls = vec![call(41, "0x26", 97, 12), call(257, "/dev/a ?", 0, 1)];
    assert_eq!(talk.traced, Some(Traced { calls, untraced: Some("it runs on".to_owned()) }));
    assert!(matches!(talk.hear(&with_nonce("call 2 41 0x26 97 13")), Err(BadLine::Unasked(_))), "after its end");
}

#[test]
fn a_guest_that_makes_up_calls_fills_no_memory() {
    let mut traced = Traced::default();
    (0..5000).for_each(|number| traced.take(CallEnd { number, argument: None, errno: 0, count: 1 }));
    assert_eq!(traced.calls.len(), MOST_CALLS);
}

#[test]
fn commands_are_one_line_each() {
    let args = ["race", "", "two words", "100%", "a\nb", "\u{e9}"].map(str::to_owned).to_vec();
    assert_eq!(Command::Exec(7, args).to_string(), "exec 7 race % two%20words 100%25 a%0Ab %C3%A9");
    assert_eq!(Command::Nonce("ab".to_owned()).to_string(), "nonce ab");
    assert_eq!(Command::Trace(2, vec!["x".to_owned()]).to_string(), "trace 2 x");
}

#[test]
fn what_a_run_prints_is_kept_up_to_a_bound() {
    let mut talk = greeted();
    talk.hear(&with_nonce("hello -")).expect("the answer to the nonce");
    talk.ask(&Command::Exec(1, vec![]));
    for words in ["start 1", "out 1 one%0A", "end 1 0", "out 1 late", "out 1 %"] {
        talk.hear(&with_nonce(words)).unwrap_or_else(|error| panic!("{words}: {error}"));
    }
    assert_eq!(talk.printed, b"one\nlate");
    assert!(matches!(talk.hear(&with_nonce("out 2 a")), Err(BadLine::Unasked(_))), "it did not start");
    let long = format!("out 1 {}", "x".repeat(4000));
    (0..100).for_each(|_| drop(talk.hear(&with_nonce(&long)).expect("it may print")));
    assert_eq!(talk.printed.len(), 256 << 10);
}

#[test]
fn an_endless_line_is_refused_early() {
    let mut lines = Lines::default();
    let refused = (0..100).find(|_| lines.feed(&[b'x'; 100]).is_err());
    assert_eq!(refused, Some(MAX_LINE / 100));
}

proptest! {
    #[test]
    fn lines_do_not_depend_on_the_pieces(text in "([a-c]{0,5}(\r)?\n){0,6}[a-c]{0,3}", cuts in prop::collection::vec(0_usize..40, 0..6)) {
        let expected: Vec<Vec<u8>> = match text.rsplit_once('\n') {
            Some((complete, _)) => complete.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec()).filter(|line| !line.is_empty()).collect(),
            None => Vec::new(),
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for pair in cuts.windows(2) {
            seen.extend(lines.feed(&text.as_bytes()[pair[0]..pair[1]]).expect("short lines"));
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn words_come_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(line in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = parse(&line, NONCE);
        let _ = parse(&[&with_nonce("")[..], &line].concat(), NONCE);
    }
}
