//! Stack frames: how the kernel prints them, on every architecture, symbolized or not.

/// One frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The function's symbol as printed.
    pub symbol: &'a str,
    /// Source file, when the console was symbolized.
    pub file: Option<&'a str>,
    /// The unwinder itself doubts it (` ? `).
    pub doubtful: bool,
    /// Inlined into the next frame: known only where the console was symbolized, and so no name for a crash.
    pub inlined: bool,
}

/// The frame a line shows, if it shows one.
///
/// Reads `fn+0x1/0x2 [module] file.c:12`, `[<ffffffff81000000>] ? fn+0x1/0x2`, `fn file.c:12 [inline]`, arm's
/// `[<80101000>] (fn) from [<80102000>] (caller+0x1/0x2)` and `fn from caller+0x1/0x2`.
#[must_use]
pub fn frame(line: &str) -> Option<Frame<'_>> {
    let mut rest = strip_marks(line.trim());
    while let Some(inside) = rest.strip_prefix('[') {
        let (address, behind) = inside.split_once(']')?;
        let hex = address.trim_start_matches('<').trim_end_matches('>');
        if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x') {
            return None;
        }
        rest = behind.trim_start();
    }
    let doubtful = rest.starts_with("? ");
    rest = rest.strip_prefix("? ").unwrap_or(rest);
    if let Some((_, caller)) = rest.split_once(" from ")
        && let Some((symbol, _)) = caller.split_once("+0x")
    {
        // arm names callee and caller; the line is about where the caller was.
        let symbol = symbol_only(symbol.rsplit('(').next()?)?;
        return Some(Frame { symbol, file: file(caller), doubtful, inlined: false });
    }
    // An offset is negative where a return address stands behind a function that does not return.
    if let Some((symbol, behind)) = rest.split_once("+0x").or_else(|| rest.split_once("-0x")) {
        let offset = behind.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(behind.len());
        let size = behind[offset..].strip_prefix("/0x")?;
        let size_end = size.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(size.len());
        if offset == 0 || size_end == 0 {
            return None;
        }
        return symbol_only(symbol).map(|symbol| Frame { symbol, file: file(&size[size_end..]), doubtful, inlined: false });
    }
    if let Some(decoded) = decoded(rest, doubtful) {
        return Some(decoded);
    }
    let inlined = rest.strip_suffix(" [inline]")?;
    let (symbol, place) = inlined.rsplit_once(' ')?;
    Some(Frame { symbol: symbol_only(symbol.trim_end())?, file: Some(file(place)?), doubtful, inlined: true })
}

/// The function at the top of a stack of arm's, which a line names beside its caller: `[<80101000>] (fn) from …` and
/// `fn from …`.
#[must_use]
pub fn callee(line: &str) -> Option<Frame<'_>> {
    let (callee, _) = line.split_once(" from ")?;
    let name = callee.split_whitespace().next_back()?.trim_start_matches('(').trim_end_matches(')');
    Some(Frame { symbol: symbol_only(name)?, file: None, doubtful: false, inlined: false })
}

/// A frame as `decode_stacktrace.sh` prints it: `fn (file.c:12 (discriminator 3) file.h:34) module`, the innermost place first.
fn decoded(rest: &str, doubtful: bool) -> Option<Frame<'_>> {
    let (symbol, places) = rest.split_once(" (")?;
    let (places, _) = places.rsplit_once(')')?;
    let mut words = places.split_whitespace();
    let first = words.next()?;
    let place = |word: &str| word == "(discriminator" || word.ends_with(')') || file(word).is_some();
    let file = file(first)?;
    let symbol = symbol_only(symbol)?;
    words.all(place).then_some(Frame { symbol, file: Some(file), doubtful, inlined: false })
}

/// `<TASK>` and friends stand alone or before the first frame of a section.
fn strip_marks(line: &str) -> &str {
    for mark in ["<IRQ>", "<TASK>", "<NMI>", "<#DF>", "<EOI>", "<<EOE>>", "</IRQ>", "</TASK>", "</NMI>", "</#DF>"] {
        if let Some(rest) = line.strip_prefix(mark) {
            return rest.trim_start();
        }
    }
    line
}

/// The text, if it can be a symbol: C's characters, or a demangled Rust path.
fn symbol_only(symbol: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let path = symbol.contains("::") && symbol.chars().all(|c| plain(c) || " <>:,&*'()[]{}#".contains(c));
    let first = symbol.chars().next()?;
    let c_like = !first.is_ascii_digit() && symbol.chars().all(plain);
    (symbol.len() <= 256 && (c_like || path)).then_some(symbol)
}

/// The source file in what stands behind a frame, such as ` [module] net/core/dev.c:12` or ` (net/core/dev.c:12)`.
fn file(behind: &str) -> Option<&str> {
    behind.split_whitespace().find_map(|word| {
        let (path, line) = word.split_once(':')?;
        let source = [".c", ".h", ".S", ".rs"].iter().any(|end| path.ends_with(end));
        (source && line.starts_with(|c: char| c.is_ascii_digit())).then(|| path.trim_start_matches('(').trim_start_matches("./"))
    })
}

/// The function that the instruction pointer of the kernel stood in, if this line says so.
#[must_use]
pub fn pointer(line: &str) -> Option<Frame<'_>> {
    let line = line.trim_start();
    let rest = [
        "RIP: 0010:",
        "RIP: e030:",
        "RIP: 0018:",
        "RIP  ",
        "RIP: ",
        "RIP ",
        "IP: ",
        "EIP: ",
        "pc : ",
        "PC is at ",
        "EIP is at ",
        "epc : ",
        "NIP ",
        "PC: ",
    ]
    .iter()
    .find_map(|mark| line.strip_prefix(mark))?;
    if rest.starts_with("0033:") || rest.starts_with("0023:") {
        return None;
    }
    frame(rest)
}

/// Where a lock was taken, if this line of lockdep's says so: `(&lock){+.+.}, at: [<c036a6dc>] fn+0x1/0x2`.
#[must_use]
pub fn lock(line: &str) -> Option<Frame<'_>> {
    let (_, place) = line.split_once(", at: ")?;
    frame(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(line: &str) -> Option<&str> {
        frame(line).map(|frame| frame.symbol)
    }

    #[test]
    fn reads_every_architectures_frames() {
        assert_eq!(symbol(" foo.isra.3+0x1/0x20 net/core/dev.c:12"), Some("foo.isra.3"));
        assert_eq!(symbol(" [<ffffffff81000000>] foo+0x1/0x2"), Some("foo"));
        assert_eq!(symbol("[<8028bd5c>] (dup_fd) from [<80132060>] (copy_process+0x58c/0x1844)"), Some("copy_process"));
        assert_eq!(symbol(" dump_stack from panic+0x11c/0x360"), Some("panic"));
        assert_eq!(symbol(" foo include/linux/a.h:12 [inline]"), Some("foo"));
        assert_eq!(symbol(" foo.cold-0x5/0xca"), Some("foo.cold"));
        assert_eq!(symbol(" <TASK>"), None);
        assert_eq!(symbol("[c000000001][c0000002] foo+0x1/0x2 (unreliable)"), Some("foo"));
        assert_eq!(symbol(" <a::B as c::D>::run+0x1/0x2"), Some("<a::B as c::D>::run"));
        assert_eq!(symbol("RAX: 0000+0x1/0x2"), None);
        assert!(frame(" ? foo+0x1/0x2").is_some_and(|frame| frame.doubtful));
        assert_eq!(frame(" foo+0x1/0x2 [ext4] ./fs/ext4/inode.c:3").and_then(|frame| frame.file), Some("fs/ext4/inode.c"));
        assert_eq!(frame(" foo+0x1/0x2 (fs/pipe.c:3 fs/pipe.h:4)").and_then(|frame| frame.file), Some("fs/pipe.c"));
    }

    #[test]
    fn reads_the_kernels_pointer_only() {
        assert_eq!(pointer("RIP: 0010:foo+0x1/0x2").map(|frame| frame.symbol), Some("foo"));
        assert_eq!(pointer("RIP: 0010:[<ffffffff8>]  [<ffffffff8>] foo+0x1/0x2").map(|frame| frame.symbol), Some("foo"));
        assert_eq!(pointer("pc : foo+0x1/0x2").map(|frame| frame.symbol), Some("foo"));
        assert_eq!(pointer("RIP: 0033:0x4510"), None);
    }
}
