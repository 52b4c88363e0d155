//! Kernel configurations as text. Owns their format, how fragments are merged, and what of a wish a `.config` does not hold.
//!
//! Merging is that of the kernel's scripts/kconfig/merge_config.sh: what a later text says of a symbol replaces what earlier ones said,
//! and stands behind it, since of two members of a `choice` the later line wins.

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;

/// What a line says of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `# CONFIG_X is not set`.
    Unset,
    /// `CONFIG_X=…`: what stands behind the equals sign, quotes included.
    Set(String),
}

impl Value {
    /// Whether it is built, into the kernel or as a module.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::Set(value) if value == "y" || value == "m")
    }
}

/// What is said of one symbol, which is named without `CONFIG_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The symbol.
    pub symbol: String,
    /// Its value.
    pub value: Value,
}

impl Entry {
    /// Reads a line of a `.config`, or `X=y` without the prefix. `X=n` is `# CONFIG_X is not set`.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let (name, value) = match line.strip_prefix('#') {
            Some(comment) => (comment.trim().strip_suffix(" is not set")?, Value::Unset),
            None => {
                let (name, value) = line.split_once('=')?;
                (name, if value == "n" { Value::Unset } else { Value::Set(value.to_owned()) })
            }
        };
        let name = if value == Value::Unset && line.starts_with('#') { name.strip_prefix(PREFIX)? } else { symbol(name) };
        (is_symbol(name) && is_value(&value)).then(|| Self { symbol: name.to_owned(), value })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Unset => write!(f, "# {PREFIX}{} is not set", self.symbol),
            Value::Set(value) => write!(f, "{PREFIX}{}={value}", self.symbol),
        }
    }
}

const PREFIX: &str = "CONFIG_";

/// A symbol's name without `CONFIG_`.
pub fn symbol(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// Whether this can be a symbol's name.
pub fn is_symbol(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A tristate, a number or quoted text.
fn is_value(value: &Value) -> bool {
    let Value::Set(value) = value else { return true };
    let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    let digits = value.strip_prefix('-').unwrap_or(value);
    let number = |digits: &str, hex: bool| {
        !digits.is_empty() && digits.bytes().all(|byte| if hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() })
    };
    quoted
        || value == "y"
        || value == "m"
        || number(digits, false)
        || digits.strip_prefix("0x").is_some_and(|hex| number(hex, true))
}

/// A configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Values by symbol, each with its place.
    values: HashMap<String, (usize, Value)>,
    next: usize,
}

impl Config {
    /// Reads a configuration. The error is the number of a line, from 1, that is neither a comment nor a symbol's.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut config = Self::default();
        for (index, line) in text.lines().enumerate() {
            match Entry::parse(line) {
                Some(entry) => config.set(entry),
                None if line.trim().is_empty() || line.trim_start().starts_with('#') => {}
                None => return Err(index + 1),
            }
        }
        Ok(config)
    }

    /// Says something of a symbol, behind all that was said.
    pub fn set(&mut self, entry: Entry) {
        self.values.insert(entry.symbol, (self.next, entry.value));
        self.next += 1;
    }

    /// Merges another configuration in: what it says wins.
    pub fn merge(&mut self, other: &Self) {
        other.entries().into_iter().for_each(|entry| self.set(entry));
    }

    /// What this says that another configuration says, too.
    pub fn agreeing_with(&self, other: &Self) -> Self {
        let mut agreed = Self::default();
        self.entries()
            .into_iter()
            .filter(|entry| other.get(&entry.symbol) == Some(&entry.value))
            .for_each(|entry| agreed.set(entry));
        agreed
    }

    /// What is said of a symbol.
    pub fn get(&self, symbol: &str) -> Option<&Value> {
        self.values.get(symbol).map(|(_, value)| value)
    }

    /// Whether a symbol is `y` or `m`.
    pub fn is_on(&self, symbol: &str) -> bool {
        self.get(symbol).is_some_and(Value::is_on)
    }

    /// A text value without its quotes.
    pub fn text(&self, symbol: &str) -> Option<&str> {
        match self.get(symbol)? {
            Value::Set(value) => value.strip_prefix('"')?.strip_suffix('"'),
            Value::Unset => None,
        }
    }

    /// Everything that is said, in order.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<(&String, &(usize, Value))> = self.values.iter().collect();
        entries.sort_by_key(|(_, (place, _))| *place);
        entries.into_iter().map(|(symbol, (_, value))| Entry { symbol: symbol.clone(), value: value.clone() }).collect()
    }

    /// Symbols that are modules.
    pub fn modules(&self) -> usize {
        self.values.values().filter(|(_, value)| *value == Value::Set("m".to_owned())).count()
    }

    /// The wishes that this configuration does not hold. A symbol that is not wanted may be missing altogether, and one that is wanted
    /// as a module may be built in.
    pub fn lacks(&self, wishes: &Self) -> Vec<Entry> {
        let held = |wish: &Entry| match (&wish.value, self.get(&wish.symbol)) {
            (Value::Unset, found) => !found.is_some_and(Value::is_on),
            (Value::Set(wanted), Some(Value::Set(found))) => wanted == found || wanted == "m" && found == "y",
            (Value::Set(_), _) => false,
        };
        wishes.entries().into_iter().filter(|wish| !held(wish)).collect()
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for entry in self.entries() {
            writeln!(text, "{entry}")?;
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(text).expect("a configuration")
    }

    #[test]
    fn lines_are_read_as_people_write_them() {
        let said = |line: &str| Entry::parse(line).map(|entry| entry.to_string());
        for (line, told) in [
            ("CONFIG_KASAN=y", "CONFIG_KASAN=y"),
            ("KASAN=y", "CONFIG_KASAN=y"),
            (" CONFIG_NR_CPUS=64 ", "CONFIG_NR_CPUS=64"),
            ("PHYSICAL_START=0x1000000", "CONFIG_PHYSICAL_START=0x1000000"),
            ("CMDLINE=\"a=b c\"", "CONFIG_CMDLINE=\"a=b c\""),
            ("# CONFIG_KCOV is not set", "# CONFIG_KCOV is not set"),
            ("KCOV=n", "# CONFIG_KCOV is not set"),
        ] {
            assert_eq!(said(line).as_deref(), Some(told));
        }
        for line in
            ["", "KASAN", "KASAN = y", "K-ASAN=y", "=y", "KASAN=yes", "KASAN=\"", "# KCOV is not set", "# a comment", "X=1k"]
        {
            assert_eq!(said(line), None, "{line}");
        }
        assert_eq!(Config::parse("CONFIG_A=y\n\n# by hand\nCONFIG_B\n"), Err(4));
    }

    #[test]
    fn what_did_not_stick_is_told() {
        let real = config("CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=\"x\"\n# CONFIG_D is not set\nCONFIG_E=y\n");
        let wishes = config("A=y\nB=y\nC=\"y\"\nD=m\nE=n\nF=n\nG=y\n");
        let lacks: Vec<String> = real.lacks(&wishes).iter().map(ToString::to_string).collect();
        assert_eq!(lacks, ["CONFIG_B=y", "CONFIG_C=\"y\"", "CONFIG_D=m", "# CONFIG_E is not set", "CONFIG_G=y"]);
        assert_eq!(real.lacks(&config("A=m\n")), []);
    }

    /// What merge_config.sh does to a text: of each symbol that the fragment names, the earlier lines go.
    fn merged_by_sed(base: &str, fragment: &str) -> String {
        let script = r#"cat "$1" > all
            for symbol in $(sed -n -e 's/^\(CONFIG_[a-zA-Z0-9_]*\)=.*/\1/p' -e 's/^# \(CONFIG_[a-zA-Z0-9_]*\) is not set$/\1/p' "$2"); do
                sed -i "/$symbol[ =]/d" all
            done
            cat "$2" >> all; cat all"#;
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("base"), base).expect("a file");
        std::fs::write(dir.path().join("fragment"), fragment).expect("a file");
        let said =
            Command::new("sh").args(["-c", script, "sh", "base", "fragment"]).current_dir(dir.path()).output().expect("sh");
        String::from_utf8(said.stdout).expect("text")
    }

    fn text() -> impl Strategy<Value = String> {
        // Each symbol once, as in a fragment; none is another's end, which that sed would take for it.
        let line = |symbol: &'static str| {
            prop_oneof![
                Just(String::new()),
                Just(format!("CONFIG_{symbol}=y\n")),
                Just(format!("CONFIG_{symbol}=m\n")),
                Just(format!("CONFIG_{symbol}=\"a {symbol}\"\n")),
                Just(format!("# CONFIG_{symbol} is not set\n")),
            ]
        };
        ["FUSE", "EXT4", "PCI", "NET"].map(line).prop_map(|lines| lines.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn merging_is_that_of_the_kernels_script(base in text(), fragment in text()) {
            let mut merged = config(&base);
            merged.merge(&config(&fragment));
            prop_assert_eq!(merged.to_string(), merged_by_sed(&base, &fragment));
        }

        #[test]
        fn reading_any_text_ends_well(text in "\\PC{0,80}") {
            if let Ok(config) = Config::parse(&text) {
                prop_assert_eq!(Config::parse(&config.to_string()).map(|again| again.entries()), Ok(config.entries()));
            }
        }
    }
}
