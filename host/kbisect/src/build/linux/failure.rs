//! Why a kernel's build failed, out of what its make printed. Owns which lines are causes, and what is the host's fault rather than the
//! commit's. Pure.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Most lines that are told as causes.
const MOST: usize = 20;
/// Longer lines are cut.
const LONGEST: usize = 300;

/// Why a build failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cause {
    /// The lines that say why, the first one first, without the folders of sources and objects.
    pub lines: Vec<String>,
    /// The source file to blame, from the tree's root.
    pub file: Option<String>,
    /// What kind of failure it is.
    pub kind: Kind,
}

/// Whose fault a failure is, and what may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// The sources are wrong: an error with file and line in what the commit has. Building again would say the same.
    Source,
    /// Anything else; old objects in the tree may be to blame, so that a clean build may help.
    #[default]
    Odd,
    /// The compiler crashed: trying again may help.
    CompilerCrash,
    /// Something killed a compiler or make, as the kernel does where memory runs out.
    Killed,
    /// The disk is full.
    DiskFull,
    /// A program that builds need is missing.
    ToolMissing,
}

/// Signs that the host is to blame, surest first.
const OF_THE_HOST: [(&str, Kind); 12] = [
    ("No space left on device", Kind::DiskFull),
    ("Disk quota exceeded", Kind::DiskFull),
    ("Killed signal terminated program", Kind::Killed),
    ("fatal error: Killed", Kind::Killed),
    ("virtual memory exhausted", Kind::Killed),
    ("out of memory allocating", Kind::Killed),
    ("Cannot allocate memory", Kind::Killed),
    ("memory exhausted", Kind::Killed),
    ("fork: retry:", Kind::Killed),
    ("Resource temporarily unavailable", Kind::Killed),
    ("Error 137", Kind::Killed),
    ("LLVM ERROR: out of memory", Kind::Killed),
];

const OF_THE_COMPILER: [&str; 4] = [
    "internal compiler error",
    "PLEASE submit a bug report to",
    "PLEASE ATTACH THE FOLLOWING FILES TO THE BUG REPORT",
    "Segmentation fault signal terminated program",
];

/// What marks a line as a cause, wherever it stands.
const STRONG: [&str; 30] = [
    ": error:",
    ": fatal error:",
    ": Error:",
    "undefined reference to",
    "multiple definition of",
    "undefined symbol:",
    "duplicate symbol:",
    "ERROR: modpost:",
    "relocation truncated to fit",
    "relocation out of range",
    "will not fit in region",
    "overlaps section",
    "cannot move location counter",
    "recursive dependency detected",
    "syntax error",
    "unknown statement",
    "unexpected end statement",
    "invalid statement",
    "file not recognized",
    "file truncated",
    "cannot find -l",
    "command not found",
    ": not found",
    "FAILED: load BTF",
    "BTF: .tmp_vmlinux",
    "Can't open perl script",
    "unrecognized command",
    "unknown argument:",
    "Permission denied",
    "Read-only file system",
];

static PATTERNS: LazyLock<Patterns> = LazyLock::new(Patterns::new);

struct Patterns {
    /// `mm/slab.c:12:3: error:`
    place: Regex,
    /// `make[2]: *** [scripts/Makefile.build:250: mm/slab.o] Error 1`
    target: Regex,
    /// `ld: mm/slab.o: in function`, and what modpost and objtool say of objects.
    object: Regex,
    /// `ERROR: "x" [drivers/net/tun.ko] undefined!`
    undefined: Regex,
}

impl Patterns {
    fn new() -> Self {
        let regex = |text: &str| Regex::new(text).expect("a pattern of our own");
        Self {
            place: regex(r"(?:^|[\s(])([A-Za-z0-9_][A-Za-z0-9_./+-]*\.(?:c|h|S|s|rs|lds|dts|dtsi|asn1|l|y|tbl)):\d+"),
            target: regex(r"^make(?:\[\d+\])?: \*\*\* \[(?:[^\]]*: )?([A-Za-z0-9_./+-]+)\.(?:o|s|i|lds|asn1\.c)\]"),
            object: regex(
                r"([A-Za-z0-9_][A-Za-z0-9_./+-]*)\.o:(?: in function| error: objtool| warning: objtool| file not recognized| relocation|\()",
            ),
            undefined: regex(r#"^ERROR: (?:modpost: )?".*" \[([A-Za-z0-9_./+-]+)\.ko\] undefined!"#),
        }
    }
}

/// Finds the cause in what make printed, where sources and objects lay in these folders.
pub fn cause(output: &str, src: &str, tree: &str) -> Cause {
    let lines: Vec<String> = output.lines().map(|line| bare(line, src, tree)).filter(|line| !line.is_empty()).collect();
    let kind = kind(&lines);
    let wanted: &dyn Fn(&str) -> bool = match kind {
        Kind::DiskFull | Kind::Killed => {
            &|line| !is_of_source(line) && (OF_THE_HOST.iter().any(|(sign, _)| line.contains(sign)) || is_killed(line))
        }
        Kind::CompilerCrash => &|line| OF_THE_COMPILER.iter().any(|sign| line.contains(sign)),
        _ => &is_cause,
    };
    let mut told: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| wanted(line)) {
        if told.len() < MOST && !told.contains(line) {
            told.push(line.clone());
        }
    }
    if told.is_empty() {
        told.extend(lines.iter().find(|line| line.contains("*** ")).or(lines.last()).cloned());
    }
    Cause { file: file(&told, &lines), lines: told, kind }
}

/// A line without its end, the folders of sources and objects, and what terminals are told.
fn bare(line: &str, src: &str, tree: &str) -> String {
    let mut line = line.trim_end().replace('\r', "");
    for folder in [src, tree] {
        if !folder.is_empty() {
            line = line.replace(&format!("{}/", folder.trim_end_matches('/')), "");
        }
    }
    // Some makes name sources relative to the object tree.
    while let Some(at) = line.find("../") {
        line.replace_range(at..at + 3, "");
    }
    if line.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// Whether a failed program says that the disk is full.
pub fn says_disk_full(output: &str) -> bool {
    let full = |line: &str| OF_THE_HOST.iter().any(|(sign, kind)| *kind == Kind::DiskFull && line.contains(sign));
    output.lines().any(|line| full(line) && !is_of_source(line))
}

/// Whether a line only repeats what the sources say: a quoted line, or a message about a place that the sources word themselves, as
/// `#error` and `static_assert` do.
fn is_of_source(line: &str) -> bool {
    let about = [": warning: ", ": note: ", ": error: "].iter().any(|sign| line.contains(sign));
    is_quoted(line) || about && PATTERNS.place.is_match(line)
}

/// A line of source under a compiler's message: `   12 | code` or `      | ^~~~`.
fn is_quoted(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    line == "|" || line.starts_with("| ")
}

fn kind(lines: &[String]) -> Kind {
    // What the sources say is not the host's word.
    let said: Vec<&String> = lines.iter().filter(|line| !is_of_source(line)).collect();
    let any = |signs: &[&str]| said.iter().any(|line| signs.iter().any(|sign| line.contains(sign)));
    if let Some((_, kind)) = OF_THE_HOST.iter().find(|(sign, _)| any(&[sign])) {
        return *kind;
    }
    if said.iter().any(|line| is_killed(line)) {
        return Kind::Killed;
    }
    if any(&OF_THE_COMPILER) {
        return Kind::CompilerCrash;
    }
    if said.iter().any(|line| is_missing_tool(line)) {
        return Kind::ToolMissing;
    }
    // A header that is missing may be one that is made, and made from something old.
    let of_source = |line: &&String| {
        (line.contains(": error:") || line.contains(": fatal error:") || line.contains(": Error:"))
            && PATTERNS.place.is_match(line)
            && !line.contains("No such file or directory")
    };
    if lines.iter().any(|line| of_source(&line)) { Kind::Source } else { Kind::Odd }
}

/// `/bin/sh: line 1: 1234 Killed  cc1 …`, or make's `*** … Killed`.
fn is_killed(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let pid_before = |at: usize| at > 0 && words[at - 1].bytes().all(|byte| byte.is_ascii_digit());
    line == "Killed"
        || (line.contains("sh: ") && words.iter().enumerate().any(|(at, word)| *word == "Killed" && pid_before(at)))
        || (line.starts_with("make") && line.ends_with(" Killed"))
}

/// A shell that misses a program: not one of the tree's own scripts, which a commit may lack.
fn is_missing_tool(line: &str) -> bool {
    if line.starts_with("ccache: error: Could not find compiler") {
        return true;
    }
    let shell = line.contains("/sh: ") || line.starts_with("sh: ") || line.contains("bash: ");
    let end = line.ends_with(": not found") || line.ends_with(": command not found");
    let program = line.rsplit(": ").nth(if line.ends_with("command not found") || line.ends_with(": not found") { 1 } else { 0 });
    shell && end && program.is_some_and(|program| !program.contains('/'))
}

fn is_cause(line: &str) -> bool {
    // Warnings quote lines that say `error:`, too.
    if is_quoted(line) || line.contains(": warning: ") && !line.contains("objtool") {
        return false;
    }
    let of_make = line.contains("*** ") && !is_chain(line);
    of_make
        || STRONG.iter().any(|sign| line.contains(sign))
        || line.starts_with("ERROR: ")
        || line.starts_with("FAILED")
        || line.contains(": error: objtool:")
}

/// Makes that only say that the make below them failed.
fn is_chain(line: &str) -> bool {
    line.contains("] Error ") || line.contains("Waiting for unfinished jobs") || line.contains("[sub-make]")
}

/// The file to blame: where an error is, or what was being made.
fn file(told: &[String], all: &[String]) -> Option<String> {
    let of = |regex: &Regex, line: &str| Some(regex.captures(line)?.get(1)?.as_str().to_owned());
    let source = |stem: String| format!("{stem}.c");
    // Nothing is compiled at the root: what is made there is linked.
    let made = |line: &String| of(&PATTERNS.target, line).filter(|stem| stem.contains('/')).map(source);
    let place = |line: &String| of(&PATTERNS.place, line).filter(|file| !file.starts_with('/') && file.contains('/'));
    let of_object = |line: &String| of(&PATTERNS.object, line).or_else(|| of(&PATTERNS.undefined, line)).map(source);
    // An error in a header is blamed on the header; what was being made comes last, since make prints it last.
    let in_function = || all.iter().filter(|line| line.contains(" in function ")).find_map(of_object);
    let object = || told.iter().find_map(of_object).or_else(in_function);
    told.iter().find_map(place).or_else(object).or_else(|| all.iter().find_map(made))
}

#[cfg(test)]
mod tests;
