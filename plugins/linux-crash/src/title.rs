//! Titles: what stays of a text when everything is taken out that differs from run to run.

use crate::guilty;

/// Titles are cut at this many bytes, as syzkaller cuts them.
const LONGEST: usize = 120;

/// Makes a title comparable: addresses become `ADDR`, numbers `NUM`, line numbers `LINE`; printable ASCII only.
///
/// Source: `syzkaller-policy.md` §11, title sanitizing.
#[must_use]
pub fn sanitize(title: &str) -> String {
    let mut clean = String::with_capacity(title.len());
    let mut after_symbol = false;
    for (index, word) in title.split_whitespace().enumerate() {
        // A symbolized console says behind a symbol where it stands.
        if std::mem::replace(&mut after_symbol, word.contains("+0x")) && guilty::named(word).is_some() {
            continue;
        }
        if index > 0 {
            clean.push(' ');
        }
        if clean.len() > 4 * LONGEST {
            break;
        }
        push_word(&mut clean, word);
    }
    let mut clean: String = clean.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    clean.truncate(LONGEST);
    clean.truncate(clean.trim_end_matches(' ').len());
    clean
}

/// Takes the offsets, addresses and numbers out of one word.
fn push_word(clean: &mut String, word: &str) {
    let (word, behind) = match word.split_once("+0x") {
        Some((symbol, rest)) if !symbol.is_empty() => {
            (symbol, rest.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '/' || c == 'x'))
        }
        _ => (word, ""),
    };
    push_tokens(clean, word);
    push_tokens(clean, behind);
}

/// Takes the addresses and numbers out of one word.
fn push_tokens(clean: &mut String, word: &str) {
    let word = word.strip_prefix("syz-executor").map_or(word, |rest| {
        clean.push_str("syz-executor");
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
    });
    let mut rest = word;
    let mut before = clean.chars().next_back();
    while let Some(c) = rest.chars().next() {
        let run = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if run == 0 {
            clean.push(c);
            before = Some(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let token = &rest[..run];
        let after_colon = before == Some(':') && clean.trim_end_matches(':').ends_with(is_path_end);
        if is_address(token) {
            clean.push_str("ADDR");
        } else if token.bytes().all(|byte| byte.is_ascii_digit()) {
            clean.push_str(if after_colon { "LINE" } else { "NUM" });
        } else {
            push_name(clean, token);
        }
        before = token.chars().next_back();
        rest = &rest[run..];
    }
}

/// Takes out of a name what only one kernel has: a program's tag as in `bpf_prog_9e69188709424cd0`.
fn push_name(clean: &mut String, name: &str) {
    for (index, part) in name.split('_').enumerate() {
        if index > 0 {
            clean.push('_');
        }
        if part.len() >= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            clean.push_str("ADDR");
            continue;
        }
        clean.push_str(part);
    }
}

/// `0x` and hexadecimal digits, or at least eight of them with a decimal one among them.
fn is_address(token: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    token.strip_prefix("0x").is_some_and(hex) || token.len() >= 8 && hex(token) && token.bytes().any(|byte| byte.is_ascii_digit())
}

/// The last letter of `.c`, `.h`, `.S` or `.rs`.
fn is_path_end(c: char) -> bool {
    matches!(c, 'c' | 'h' | 'S' | 's')
}

/// The name a function has in titles: compilers' suffixes off, and one name for the ways a system call is entered.
#[must_use]
pub fn function(symbol: &str) -> String {
    let demangled = demangle(symbol);
    let name = crate::skip::base(demangled.as_deref().unwrap_or(symbol));
    if let Some(call) = call(name, BODIES) {
        return call.to_owned();
    }
    call(name, ENTRIES).map_or_else(|| name.to_owned(), |call| format!("sys_{call}"))
}

/// A symbol of Rust's, or a plain function's of C++, as its source spells it.
fn demangle(symbol: &str) -> Option<String> {
    if let Ok(demangled) = rustc_demangle::try_demangle(symbol) {
        return Some(format!("{demangled:#}"));
    }
    let rest = symbol.strip_prefix("_Z")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let length: usize = rest[..digits].parse().ok()?;
    rest[digits..].get(..length).map(str::to_owned)
}

/// Other names that the function of a symbol has had in titles.
#[must_use]
pub fn other_names(symbol: &str) -> Vec<String> {
    if demangle(symbol).is_some() {
        return Vec::new();
    }
    let name = crate::skip::base(symbol).to_owned();
    let body =
        call(&name, BODIES).filter(|_| !name.starts_with("compat_") && !name.starts_with("ksys_") && !name.starts_with("SyS_"));
    body.map(|call| format!("sys_{call}")).into_iter().chain([name.clone()]).collect()
}

/// The system call that a name with one of these beginnings stands for.
fn call<'n>(name: &'n str, beginnings: &str) -> Option<&'n str> {
    beginnings.split_whitespace().find_map(|beginning| name.strip_prefix(beginning)).filter(|call| !call.is_empty())
}

/// How the body of a system call is called, by the macros that define it and by callers inside of the kernel.
const BODIES: &str =
    "__do_sys_ __se_sys_ __do_compat_sys_ __se_compat_sys_ compat_SyS_ compat_SYSC_ SyS_ SYSC_ ksys_ sys_ __sys_";

/// How architectures call the entry of a system call.
const ENTRIES: &str = "__x64_compat_sys_ __ia32_compat_sys_ __arm64_compat_sys_ __x32_compat_sys_ __x64_sys_ __ia32_sys_ __arm64_sys_ \
     __riscv_sys_ __s390x_sys_ __powerpc_sys_";

/// The function a title names, if it names one: what stands behind the last ` in `.
#[must_use]
pub fn frame_of(title: &str) -> Option<&str> {
    let (_, frame) = title.rsplit_once(" in ")?;
    let frame = frame.split(" / ").next()?;
    (!frame.is_empty() && frame != "corrupted" && !frame.contains(' ')).then_some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_differs() {
        assert_eq!(
            sanitize("KASAN: use-after-free in foo+0x1/0x2 at addr ffff8800a1b2c3d4"),
            "KASAN: use-after-free in foo at addr ADDR"
        );
        assert_eq!(sanitize("INFO: Freed in foo+0x14/0x20 age=57 cpu=0 pid=18338"), "INFO: Freed in foo age=NUM cpu=NUM pid=NUM");
        assert_eq!(sanitize("unknown-block(0,0)"), "unknown-block(NUM,NUM)");
        assert_eq!(sanitize("suspicious at ./include/linux/rcupdate.h:302"), "suspicious at ./include/linux/rcupdate.h:LINE");
        assert_eq!(sanitize("in nl802154_dump_wpan_phy"), "in nl802154_dump_wpan_phy");
        assert_eq!(sanitize("in ieee80211_rx_list"), "in ieee80211_rx_list");
        assert_eq!(sanitize("in bpf_prog_9e69188709424cd0"), "in bpf_prog_ADDR");
        assert_eq!(sanitize(&"x".repeat(500)).len(), 120);
    }

    #[test]
    fn one_name_for_a_system_call() {
        assert_eq!(function("__x64_sys_open"), "sys_open");
        assert_eq!(function("foo.isra.0.cold"), "foo");
        assert_eq!(function("_RNvCskwGfYPst2Cb_3foo16example_function"), "foo::example_function");
        assert_eq!(function("_Z4initi"), "init");
        assert_eq!(frame_of("KASAN: use-after-free Read in foo"), Some("foo"));
        assert_eq!(frame_of("INFO: task hung in corrupted"), None);
    }
}
