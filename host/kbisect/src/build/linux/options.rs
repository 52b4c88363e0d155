//! What a tree's Kconfig files say of its options: which of them people may set, and what each needs. Owns as much of the language as
//! that takes; what becomes of a configuration the tree's own make decides.
//!
//! An option is said to need every option that its conditions name without a `!`, in an `||` too. That is more than the truth at times,
//! and then an option stays that could have gone.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use super::LONGEST;
use super::kconfig::is_symbol;

/// No tree has more files of this kind, or nests them deeper.
const MOST_FILES: usize = 20_000;
const DEEPEST: usize = 40;

/// What is said of one option.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// It has a prompt, and is no member of a choice: people may switch it.
    pub settable: bool,
    /// Options that its conditions name.
    pub needs: BTreeSet<String>,
    /// Options that switch it on.
    pub selected_by: BTreeSet<String>,
}

/// The options of a tree, by symbol.
#[derive(Debug, Default)]
pub struct Options {
    known: HashMap<String, Declared>,
}

/// What the lines after a `config` or `menu` belong to.
enum Owner {
    Symbol(String),
    /// The innermost block: a `menu` or `choice`.
    Block,
    Nothing,
}

/// A `menu`, `if` or `choice` that is open.
struct Block {
    needs: BTreeSet<String>,
    choice: bool,
}

struct Reader<'a> {
    src: &'a Path,
    arch: &'a str,
    files: usize,
    blocks: Vec<Block>,
    options: Options,
}

impl Options {
    /// Reads `Kconfig` and all that it names in the sources at `src`, for an architecture's folder (`x86`). What is not there or leads
    /// out of the sources is passed over.
    pub fn read(src: &Path, arch: &str) -> Self {
        let Ok(src) = src.canonicalize() else { return Self::default() };
        let mut reader = Reader { src: &src, arch, files: 0, blocks: Vec::new(), options: Self::default() };
        reader.file(Path::new("Kconfig"), 0);
        reader.options
    }

    /// What is said of a symbol.
    pub fn get(&self, symbol: &str) -> Option<&Declared> {
        self.known.get(symbol)
    }

    /// Whether nothing is known of any.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn declared(&mut self, symbol: &str) -> &mut Declared {
        self.known.entry(symbol.to_owned()).or_default()
    }
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) {
        self.files += 1;
        if self.files > MOST_FILES || depth > DEEPEST {
            return;
        }
        let Some(found) = self.src.join(path).canonicalize().ok().filter(|found| found.starts_with(self.src)) else { return };
        let mut bytes = Vec::new();
        // What cannot be read says nothing.
        if fs::File::open(found).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)).is_ok() {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            self.text(&String::from_utf8_lossy(&bytes), &folder, depth);
        }
    }

    fn text(&mut self, text: &str, folder: &Path, depth: usize) {
        let open = self.blocks.len();
        let mut owner = Owner::Nothing;
        let joined = text.replace("\\\n", " ");
        let mut lines = joined.lines().peekable();
        while let Some(line) = lines.next() {
            let words = line.trim();
            let (word, rest) = words.split_once(char::is_whitespace).map_or((words, ""), |(word, rest)| (word, rest.trim()));
            match word {
                "help" | "---help---" if rest.is_empty() => {
                    let blank = |line: &str| line.trim().is_empty();
                    while lines.next_if(|line| blank(line)).is_some() {}
                    let depth = lines.peek().map_or(0, |line| indentation(line));
                    while depth > 0 && lines.next_if(|line| blank(line) || indentation(line) >= depth).is_some() {}
                }
                "config" | "menuconfig" if is_symbol(rest) => {
                    owner = Owner::Symbol(rest.to_owned());
                    let needs: Vec<String> = self.blocks.iter().flat_map(|block| block.needs.iter().cloned()).collect();
                    self.options.declared(rest).needs.extend(needs);
                }
                "menu" | "choice" => {
                    self.blocks.push(Block { needs: BTreeSet::new(), choice: word == "choice" });
                    owner = Owner::Block;
                }
                "if" => {
                    self.blocks.push(Block { needs: named(rest), choice: false });
                    owner = Owner::Nothing;
                }
                "endmenu" | "endchoice" | "endif" => {
                    if self.blocks.len() > open {
                        self.blocks.pop();
                    }
                    owner = Owner::Nothing;
                }
                "source" | "osource" | "rsource" | "orsource" => {
                    let path = rest.trim_matches('"').replace("$(SRCARCH)", self.arch).replace("$SRCARCH", self.arch);
                    let path = if word.contains("rs") { folder.join(path) } else { PathBuf::from(path) };
                    self.file(&path, depth + 1);
                    owner = Owner::Nothing;
                }
                "comment" | "mainmenu" => owner = Owner::Nothing,
                _ => self.property(&owner, word, rest),
            }
        }
        self.blocks.truncate(open);
    }

    fn property(&mut self, owner: &Owner, word: &str, rest: &str) {
        match (owner, word) {
            (Owner::Block, "depends" | "visible") => {
                let condition = rest.trim_start_matches("on ").trim_start_matches("if ");
                if let Some(block) = self.blocks.last_mut() {
                    block.needs.extend(named(condition));
                }
            }
            (Owner::Symbol(symbol), "depends") => {
                let needs = named(rest.trim_start_matches("on "));
                self.options.declared(symbol).needs.extend(needs);
            }
            (Owner::Symbol(symbol), "bool" | "tristate" | "prompt") if rest.starts_with(['"', '\'']) => {
                let choice = self.blocks.iter().any(|block| block.choice);
                let condition = named(after_prompt(rest));
                let declared = self.options.declared(symbol);
                declared.settable |= !choice;
                declared.needs.extend(condition);
            }
            (Owner::Symbol(symbol), "select" | "imply") => {
                let selected = rest.split_whitespace().next().unwrap_or_default();
                if word == "select" && is_symbol(selected) {
                    self.options.declared(selected).selected_by.insert(symbol.clone());
                }
            }
            _ => {}
        }
    }
}

/// The condition behind a prompt: `"text" if EXPR`.
fn after_prompt(rest: &str) -> &str {
    let quote = if rest.starts_with('"') { '"' } else { '\'' };
    let behind = rest[1..].split_once(quote).map_or("", |(_, behind)| behind);
    behind.trim().strip_prefix("if ").unwrap_or("")
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|letter| letter.is_whitespace()).map(|letter| if letter == '\t' { 8 } else { 1 }).sum()
}

/// The symbols that an expression names without a `!` before them. Macros, quoted text and comments are passed over.
fn named(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = expression;
    let mut negated = false;
    while let Some(letter) = rest.chars().next() {
        let skip = match letter {
            '#' => break,
            '"' | '\'' => rest[1..].find(letter).map_or(rest.len(), |end| end + 2),
            '$' => macro_end(rest),
            _ if letter.is_ascii_alphanumeric() || letter == '_' => {
                let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(rest.len());
                let word = &rest[..end];
                let constant = matches!(word, "y" | "n" | "m" | "if") || word.bytes().all(|byte| byte.is_ascii_digit());
                if !negated && !constant {
                    names.insert(word.to_owned());
                }
                negated = false;
                end
            }
            _ => {
                negated = letter == '!' && !rest.starts_with("!=") || negated && letter.is_whitespace();
                letter.len_utf8()
            }
        };
        rest = &rest[skip..];
    }
    names
}

/// The length of `$(…)` with all that it holds, or of a `$`.
fn macro_end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + letter.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(files: &[(&str, &str)]) -> Options {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Options::read(dir.path(), "x86")
    }

    fn needs(options: &Options, symbol: &str) -> String {
        options.get(symbol).unwrap().needs.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn conditions_come_from_blocks_prompts_and_files() {
        let options = options(&[
            (
                "Kconfig",
                "mainmenu \"Linux\"\nsource \"arch/$(SRCARCH)/Kconfig\"\nsource \"../../etc/passwd\"\nsource \"none\"\n\
                 menu \"Networking\"\n\tdepends on NET && !S390\n\nmenuconfig HAMRADIO\n\tbool \"Amateur\"\n\thelp\n\t  config LIES\n\n\t    depends on LIES\n\t  bool \"x\"\n\
                 if HAMRADIO\nsource \"net/Kconfig\"\nendif\nendmenu\n\
                 choice\n\tprompt \"One of\"\n\tdepends on EXPERT\nconfig ONE\n\tbool \"one\"\nendchoice\n\
                 config LAST\n\ttristate \"last\" if EXPERT && \\\n\t\tMMU\n\tdepends on $(success,cc -m64 LIES) || FOO!=n || \"LIES\" = BAR # LIES\n\tselect HIDDEN if BAR\n\
                 config HIDDEN\n\tbool\n",
            ),
            ("arch/x86/Kconfig", "config X86\n\tdef_bool y\n\tselect HIDDEN\n"),
            ("net/Kconfig", "config AX25\n  tristate 'AX'\n  depends on (INET || IPV6)\nrsource \"rose/Kconfig\"\n"),
            ("net/rose/Kconfig", "config ROSE\n\ttristate \"Rose\"\n\tdepends on AX25 && ! OLD\n"),
        ]);
        assert_eq!(needs(&options, "HAMRADIO"), "NET");
        assert_eq!(needs(&options, "AX25"), "HAMRADIO INET IPV6 NET");
        assert_eq!(needs(&options, "ROSE"), "AX25 HAMRADIO NET");
        assert_eq!(needs(&options, "LAST"), "BAR EXPERT FOO MMU");
        assert_eq!(needs(&options, "ONE"), "EXPERT");
        let settable =
            ["HAMRADIO", "AX25", "ROSE", "LAST", "ONE", "X86", "HIDDEN"].map(|symbol| options.get(symbol).unwrap().settable);
        assert_eq!(settable, [true, true, true, true, false, false, false]);
        assert_eq!(options.get("HIDDEN").unwrap().selected_by.iter().collect::<Vec<_>>(), ["LAST", "X86"]);
        assert!(options.get("LIES").is_none());
    }

    #[test]
    fn files_that_name_themselves_end() {
        let options = options(&[("Kconfig", "config A\n\tbool \"a\"\nsource \"Kconfig\"\nsource \"Kconfig\"\n")]);
        assert!(options.get("A").unwrap().settable);
    }

    proptest! {
        #[test]
        fn any_text_ends_well(text in "((config|if|menu|endif|help|depends on|bool|select|choice|source) ?[A-Z$()\"!&|\\\\ ]{0,6}\n|\\PC{0,9})*") {
            let options = options(&[("Kconfig", &text)]);
            let _ = options.is_empty();
        }
    }
}
