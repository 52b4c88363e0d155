//! What a script says of itself: which program reads it, and whether it runs on the host or in the kernel under test. Pure.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

/// Programs that build and boot kernels, or reach other machines: who calls them stands outside of the kernel under test.
const OUTSIDE: [&str; 9] = ["make", "vng", "virtme-run", "virtme-ng", "git", "ssh", "scp", "cargo", "ninja"];
/// Programs that change the kernel in which they run.
const INSIDE: [&str; 14] = [
    "mount", "umount", "modprobe", "insmod", "rmmod", "ip", "tc", "sysctl", "losetup", "swapon", "dmsetup", "nft", "iptables",
    "unshare",
];
/// Words before a command that are none themselves.
const BEFORE: [&str; 20] = [
    "if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "exec", "nice", "sudo", "env", "nohup", "command",
    "timeout", "ionice", "setsid", "taskset",
];
/// Shells, by name.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"];
/// What other languages start programs with.
const STARTS: [&str; 10] =
    ["run", "call", "check_call", "check_output", "Popen", "system", "popen", "execvp", "getoutput", "create_subprocess_shell"];
/// Substitutions inside of one another, at most.
const DEPTH: u32 = 20;

/// Programs that a script calls, by which it is known where it runs; the first of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// One that makes sense outside of the kernel under test alone.
    pub outside: Option<String>,
    /// One that changes the kernel in which it runs.
    pub inside: Option<String>,
}

/// The program that reads a script, by its name; none without a `#!` line.
pub fn interpreter(text: &str) -> Option<&str> {
    let mut words = text.strip_prefix("#!")?.lines().next()?.split_whitespace();
    let first = base(words.next()?);
    if first != "env" {
        return Some(first);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(base)
}

/// Whether kbisect's own machines have the program: busybox's shell is all that is in them.
pub fn is_in_guests(interpreter: &str) -> bool {
    ["sh", "ash", "busybox"].contains(&interpreter)
}

/// The programs that a script calls.
pub fn calls(text: &str) -> Calls {
    let names = match interpreter(text) {
        Some(other) if !SHELLS.contains(&other) => of_strings(text),
        _ => of_shell(text),
    };
    let first = |is: &dyn Fn(&str) -> bool| names.iter().find(|name| is(name)).cloned();
    Calls {
        outside: first(&|name| OUTSIDE.contains(&name) || name.starts_with("qemu-system-")),
        inside: first(&|name| INSIDE.contains(&name) || name.starts_with("mkfs")),
    }
}

/// Why a script cannot be run as it is, and what to type; `file` is a shell's word.
pub fn flaw(bytes: &[u8], executable: bool, file: &str) -> Option<String> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if bytes.starts_with(b"\xef\xbb\xbf") {
        Some(format!(
            "a byte order mark stands before its `#!`, so that no kernel runs it: sed -i '1s/^\\xef\\xbb\\xbf//' {file}"
        ))
    } else if !bytes.starts_with(b"#!") {
        Some(format!("its first line does not say what reads it: sed -i '1i #!/bin/sh' {file}"))
    } else if first.ends_with(b"\r") {
        Some(format!("its lines end as Windows ends them, and no program is called `sh\\r`: sed -i 's/\\r$//' {file}"))
    } else if !executable {
        Some(format!("it is not executable: chmod +x {file}"))
    } else {
        None
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Programs that a script in another language starts by name.
fn of_strings(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(['"', '\'']) {
        let before = text[..at].trim_end_matches(|c: char| c.is_whitespace() || "[(fbr".contains(c));
        // The letter of a prefix may be the end of a name.
        let starts = |text: &str| STARTS.iter().any(|start| text.ends_with(start));
        if starts(before) || starts(text[..at].trim_end_matches(|c: char| c.is_whitespace() || "[(".contains(c))) {
            let word = text[at + 1..].split(|c: char| c.is_whitespace() || "\"'".contains(c)).next().unwrap_or_default();
            names.push(base(word).to_owned());
        }
    }
    names
}

/// The names of a shell script's commands, in its order.
fn of_shell(text: &str) -> Vec<String> {
    let mut shell = Shell::default();
    shell.read(&mut text.chars().peekable(), None, 0);
    shell.names
}

/// So much of a shell's grammar as tells which words are commands.
#[derive(Default)]
struct Shell {
    names: Vec<String>,
    variables: HashMap<String, String>,
}

impl Shell {
    /// Reads commands up to a closing mark, or to the end.
    fn read(&mut self, chars: &mut Peekable<Chars<'_>>, until: Option<char>, depth: u32) {
        let mut words: Vec<String> = Vec::new();
        let mut word: Option<String> = None;
        let mut open = 0u32;
        let mut here: Vec<String> = Vec::new();
        // The next word is a file, or the end of a here-document.
        let (mut to_file, mut to_here) = (false, false);
        loop {
            let next = chars.next();
            let ends_word = next.is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(c)) || next == until;
            if ends_word && let Some(whole) = word.take() {
                match (to_here, to_file) {
                    (true, _) => here.push(whole),
                    (_, true) => {}
                    _ => words.push(whole),
                }
                (to_file, to_here) = (false, false);
            }
            let Some(c) = next else { break };
            if Some(c) == until && open == 0 {
                break;
            }
            match c {
                '\n' => {
                    self.command(&mut words, depth);
                    for end in here.drain(..) {
                        skip_to(chars, &end);
                    }
                }
                ';' | '&' | '|' => self.command(&mut words, depth),
                '(' if chars.peek() == Some(&')') => words.clear(), // a function's name
                '(' => {
                    open += 1;
                    self.command(&mut words, depth);
                }
                // Without an open one this ends a pattern of `case`.
                ')' if open == 0 => words.clear(),
                ')' => {
                    open -= 1;
                    self.command(&mut words, depth);
                }
                '<' | '>' => {
                    to_file = true;
                    if c == '<' && chars.next_if_eq(&'<').is_some() {
                        to_here = chars.next_if_eq(&'<').is_none();
                        chars.next_if_eq(&'-');
                    }
                    chars.next_if(|c| *c == '&' || *c == '>');
                }
                '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
                c if c.is_whitespace() => {}
                '\\' => match chars.next() {
                    Some('\n') | None => {}
                    Some(c) => word.get_or_insert_default().push(c),
                },
                '\'' => {
                    let word = word.get_or_insert_default();
                    word.extend(chars.by_ref().take_while(|c| *c != '\''));
                }
                '"' => {
                    let word = word.get_or_insert_default();
                    self.quoted(chars, word, depth);
                }
                '`' if depth < DEPTH => {
                    word.get_or_insert_default();
                    self.read(chars, Some('`'), depth + 1);
                }
                '$' if depth < DEPTH && chars.peek() == Some(&'(') => {
                    chars.next();
                    word.get_or_insert_default();
                    self.read(chars, Some(')'), depth + 1);
                }
                c => word.get_or_insert_default().push(c),
            }
        }
        self.command(&mut words, depth);
    }

    /// The rest of a text in double quotes; commands are substituted there, too.
    fn quoted(&mut self, chars: &mut Peekable<Chars<'_>>, word: &mut String, depth: u32) {
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => word.extend(chars.next()),
                '`' if depth < DEPTH => self.read(chars, Some('`'), depth + 1),
                '$' if depth < DEPTH && chars.peek() == Some(&'(') => {
                    chars.next();
                    self.read(chars, Some(')'), depth + 1);
                }
                c => word.push(c),
            }
        }
    }

    /// Notes a command's name; takes its words.
    fn command(&mut self, words: &mut Vec<String>, depth: u32) {
        let words = std::mem::take(words);
        let mut rest = words.as_slice();
        let mut behind = false;
        while let Some((first, more)) = rest.split_first() {
            let option = behind && (first.starts_with('-') || first.starts_with(|c: char| c.is_ascii_digit()));
            if let Some((name, value)) = assignment(first) {
                self.variables.insert(name.to_owned(), value.to_owned());
            } else if BEFORE.contains(&first.as_str()) {
                behind = true;
            } else if !option {
                break;
            }
            rest = more;
        }
        let Some((first, arguments)) = rest.split_first() else { return };
        let name = base(&self.value(first)).to_owned();
        let script = match name.as_str() {
            "eval" => arguments.first(),
            name if SHELLS.contains(&name) => arguments.iter().position(|word| word == "-c").and_then(|at| arguments.get(at + 1)),
            _ => None,
        };
        if let Some(script) = script.filter(|_| depth < DEPTH) {
            self.read(&mut script.chars().peekable(), None, depth + 1);
        }
        self.names.push(name);
    }

    /// A word; of a variable what the script has put into it, else its name says what is meant: `$MAKE`.
    fn value(&self, word: &str) -> String {
        let Some(name) = word.strip_prefix('$') else { return word.to_owned() };
        let name = name.strip_prefix('{').map_or(name, |name| name.trim_end_matches('}'));
        let value = self.variables.get(name).and_then(|value| value.split_whitespace().next());
        value.map_or_else(|| name.to_ascii_lowercase(), str::to_owned)
    }
}

/// Passes over lines up to the end of a here-document.
fn skip_to(chars: &mut Peekable<Chars<'_>>, end: &str) {
    loop {
        let mut line = String::new();
        let mut any = false;
        for c in chars.by_ref() {
            any = true;
            if c == '\n' {
                break;
            }
            line.push(c);
        }
        if !any || line.trim() == end {
            break;
        }
    }
}

fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_count_where_commands_stand() {
        for (script, outside) in [
            ("make -j4", Some("make")),
            ("/usr/bin/make -j8 && ./x", Some("make")),
            ("cd tools && $MAKE", Some("make")),
            ("M=\"/opt/make -k\"\n${M} all", Some("make")),
            ("if ! sudo -n make -s; then exit 125; fi", Some("make")),
            ("CC=gcc timeout 60 nice -n 5 make", Some("make")),
            ("x=$(git rev-parse HEAD)", Some("git")),
            ("echo \"at `git log -1`\"", Some("git")),
            ("qemu-system-aarch64 -kernel x", Some("qemu-system-aarch64")),
            ("sh -c 'make all'", Some("make")),
            ("true | (cd x; vng -- ./t)", Some("vng")),
            ("cat <<EOF | ssh host sh\nmount x\nEOF\n", Some("ssh")),
            ("echo make love", None),
            ("echo $(date) make", None),
            ("# make\n./a # make\n", None),
            ("echo 'a; make'", None),
            ("cat <<EOF\nmake\nEOF\n./a", None),
            ("case $1 in\nmake) ./a ;;\nesac", None),
            ("make() {\n./a\n}", None),
            ("./a >make", None),
            ("./a \\\nmake", None),
            ("makedumpfile x", None),
            ("git_dir=.git\n./a", None),
        ] {
            assert_eq!(calls(&format!("#!/bin/sh\n{script}\n")).outside.as_deref(), outside, "{script}");
        }
        assert_eq!(calls("#!/bin/sh\nsudo mount -t x y z\n").inside.as_deref(), Some("mount"));
    }

    #[test]
    fn other_languages_start_programs_by_name() {
        for (script, outside) in [
            ("import subprocess\nsubprocess.run([\"make\", \"-j4\"])", Some("make")),
            ("os.system(f'vng -- {x}')", Some("vng")),
            ("subprocess.check_call( [ '/usr/bin/git' ])", Some("git")),
            ("print(\"make\")", None),
        ] {
            assert_eq!(calls(&format!("#!/usr/bin/env python3\n{script}\n")).outside.as_deref(), outside, "{script}");
        }
    }

    #[test]
    fn the_first_line_says_who_reads_it() {
        for (line, name) in [
            ("#!/bin/sh -e", Some("sh")),
            ("#! /usr/bin/env -S python3 -u", Some("python3")),
            ("#!/bin/bash", Some("bash")),
            ("#!", None),
            ("make", None),
        ] {
            assert_eq!(interpreter(&format!("{line}\n")), name, "{line}");
        }
        assert!(is_in_guests("sh") && !is_in_guests("bash"));
    }

    #[test]
    fn what_keeps_a_script_from_running_comes_with_its_cure() {
        let told = |bytes: &[u8], executable| flaw(bytes, executable, "t.sh").unwrap_or_default();
        assert!(told(b"#!/bin/sh\r\nmake\r\n", true).ends_with("sed -i 's/\\r$//' t.sh"));
        assert!(told(b"make\n", true).ends_with("sed -i '1i #!/bin/sh' t.sh"));
        assert!(told(b"\xef\xbb\xbf#!/bin/sh\n", true).contains("byte order mark"));
        assert!(told(b"#!/bin/sh\n", false).ends_with("chmod +x t.sh"));
        assert_eq!(told(b"#!/bin/sh\nmake\r\n", true), "");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z $()`'\"\\\\<>&|;#\n{}=]{0,80}|\\PC{0,60}") {
            calls(&format!("#!/bin/sh\n{text}"));
            calls(&format!("#!/usr/bin/python3\n{text}"));
        }
    }
}
