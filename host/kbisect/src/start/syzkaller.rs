//! What syzkaller's programs and the C source made of them ask for: options, and kernel symbols without which they do nothing. Pure.

use serde_json::Value;

/// Options of a `.syz` file: the comment in its head, of either dialect (pkg/csource/options.go).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pairs: Vec<(String, String)>,
}

impl Options {
    /// Reads the options from the comments of a program: `#{"threaded":true,…}` or `# {Threaded:true …}`.
    pub fn of_program(text: &str) -> Option<Self> {
        let comments = text.lines().filter_map(|line| line.strip_prefix('#')).map(str::trim);
        comments.filter(|comment| comment.starts_with('{')).find_map(Self::parse)
    }

    fn parse(text: &str) -> Option<Self> {
        if let Ok(Value::Object(map)) = serde_json::from_str(text) {
            let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            return Some(Self { pairs: map.iter().map(|(key, value)| (key.clone(), plain(value))).collect() });
        }
        let inside = text.strip_prefix('{')?.strip_suffix('}')?;
        let pairs: Vec<(String, String)> = inside
            .split_whitespace()
            .filter_map(|pair| pair.split_once(':'))
            .map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned()))
            .collect();
        (!pairs.is_empty()).then_some(Self { pairs })
    }

    /// An option's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty() && *value != "false")
    }

    /// What turns the program into C source: syz-prog2c with the same options (its flags at syzkaller 1e72964b).
    pub fn prog2c(&self, program: &str) -> String {
        let mut line = format!("syz-prog2c -prog {program}");
        let word = |value: &str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then(|| value.to_owned());
        if self.get("threaded").is_some() {
            line += " -threaded";
        }
        if self.get("repeat").is_some() {
            line += " -repeat 0";
        }
        for (option, flag) in
            [("procs", "procs"), ("slowdown", "slowdown"), ("sandbox", "sandbox"), ("sandbox_arg", "sandbox_arg")]
        {
            if let Some(value) = self.get(option).and_then(word).filter(|value| value != "0") {
                line += &format!(" -{flag} {value}");
            }
        }
        for (option, flag) in [("segv", "segv"), ("tmpdir", "tmpdir"), ("leak", "leak")] {
            if self.get(option).is_some() {
                line += &format!(" -{flag}");
            }
        }
        let features: Vec<&str> =
            FEATURES.iter().map(|(option, ..)| *option).filter(|option| self.get(option).is_some()).collect();
        if !features.is_empty() {
            line += &format!(" -enable {}", features.join(","));
        }
        line
    }
}

/// Features by option, by what C source made of such a program holds, and the symbols that they need.
const FEATURES: [(&str, &str, &[&str]); 8] = [
    ("tun", "/dev/net/tun", &["TUN"]),
    ("usb", "/dev/raw-gadget", &["USB_RAW_GADGET", "USB_DUMMY_HCD"]),
    ("vhci", "/dev/vhci", &["BT_HCIVHCI"]),
    ("wifi", "mac80211_hwsim", &["MAC80211_HWSIM"]),
    ("fault", "fail-nth", &["FAULT_INJECTION", "FAILSLAB"]),
    ("leak", "/sys/kernel/debug/kmemleak", &["DEBUG_KMEMLEAK"]),
    ("binfmt_misc", "/proc/sys/fs/binfmt_misc", &["BINFMT_MISC"]),
    ("devlinkpci", "devlink_", &["NET_DEVLINK"]),
];

/// Symbols that a program's options or its C source ask for, each with what asks.
pub fn symbols(options: Option<&Options>, source: Option<&str>) -> Vec<(&'static str, String)> {
    let mut symbols = Vec::new();
    for (option, sign, needed) in FEATURES {
        let asked = options.is_some_and(|options| options.get(option).is_some());
        let seen = source.is_some_and(|source| source.contains(sign));
        if asked || seen {
            let why = if seen { sign } else { option };
            symbols.extend(needed.iter().map(|symbol| (*symbol, why.to_owned())));
        }
    }
    let sandboxed = options.and_then(|options| options.get("sandbox")) == Some("namespace");
    if sandboxed || source.is_some_and(|source| source.contains("do_sandbox_namespace")) {
        symbols.push(("USER_NS", "sandbox namespace".to_owned()));
    }
    symbols
}

/// Whether a text is a program of syzkaller's: calls such as `r0 = openat$kvm(0x0, …)`, and comments.
pub fn is_program(text: &str) -> bool {
    let mut calls = 0;
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            continue;
        }
        if !is_call(line) {
            return false;
        }
        calls += 1;
    }
    calls > 0
}

/// Whether a line is a call of a program's.
pub fn is_call(line: &str) -> bool {
    let call = match line.split_once(" = ") {
        Some((result, call))
            if result.strip_prefix('r').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) =>
        {
            call
        }
        _ => line,
    };
    let Some((name, rest)) = call.split_once('(') else { return false };
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
    plain && rest.ends_with(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_of_options_are_read() {
        let new = "# See https://goo.gl/kgGztJ for information about syzkaller reproducers.\n\
                   #{\"threaded\":true,\"repeat\":true,\"procs\":6,\"slowdown\":1,\"sandbox\":\"namespace\",\"sandbox_arg\":0,\"tun\":true,\"tmpdir\":true}\n\
                   r0 = socket$inet(0x2, 0x1, 0x0)\nclose(r0)\n";
        let old = "# {Threaded:true Collide:true Repeat:true RepeatTimes:0 Procs:6 Sandbox:namespace Tun:true UseTmpDir:true}\nclose(0x0)\n";
        assert!(is_program(new) && is_program(old));
        let new = Options::of_program(new).expect("options");
        assert_eq!(
            new.prog2c("repro.syz"),
            "syz-prog2c -prog repro.syz -threaded -repeat 0 -procs 6 -slowdown 1 -sandbox namespace -tmpdir -enable tun"
        );
        let old = Options::of_program(old).expect("options");
        assert_eq!(
            old.prog2c("repro.prog"),
            "syz-prog2c -prog repro.prog -threaded -repeat 0 -procs 6 -sandbox namespace -enable tun"
        );
        let names = |options| symbols(Some(options), None).into_iter().map(|(symbol, _)| symbol).collect::<Vec<_>>();
        assert_eq!(names(&new), ["TUN", "USER_NS"]);
        assert_eq!(names(&old), names(&new));
    }

    #[test]
    fn prose_is_no_program() {
        for text in ["", "# only a comment\n", "Hello (you)\n", "close(r0)\nand then\n", "int main(void)\n{\n}\n"] {
            assert!(!is_program(text), "{text:?}");
        }
    }
}
