//! Source in C and C++: how it is told from other text, and whether it makes a program.

/// Whether a text begins as C source does and includes something.
pub(super) fn begins_as_c(text: &str) -> bool {
    let includes = text.lines().any(is_include);
    begins_as_code(first_line(text)) && (includes || has_main(text) && text.contains('{'))
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim_start).find(|line| !line.is_empty()).unwrap_or_default()
}

/// Whether source may begin with such a line.
fn begins_as_code(line: &str) -> bool {
    const WORDS: [&str; 12] =
        ["//", "/*", "#include", "#define", "#if", "#pragma", "static ", "int ", "void ", "struct ", "typedef ", "const "];
    WORDS.iter().any(|word| line.starts_with(word))
}

/// Whether a line includes a header.
pub(super) fn is_include(line: &str) -> bool {
    included(line).is_some_and(|header| header.starts_with(['<', '"']))
}

/// What stands behind `#include` in a line.
fn included(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include").map(str::trim)
}

/// Whether source is C++: what it includes or says is in no C.
pub(super) fn is_cpp(text: &str) -> bool {
    const WORDS: [&str; 4] = ["using ", "template", "class ", "namespace "];
    let first = first_line(text);
    if !begins_as_code(first) && !WORDS.iter().any(|word| first.starts_with(word)) {
        return false;
    }
    let code = code_of(text);
    let header = |line: &str| {
        let name = included(line).and_then(|header| header.strip_prefix('<')?.strip_suffix('>'));
        name.is_some_and(|name| {
            !name.contains(['.', '/']) && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    let says =
        |line: &str| ["using namespace ", "template <", "template<", "namespace "].iter().any(|word| line.starts_with(word));
    code.lines().any(|line| header(line) || says(line)) || code.contains("std::") && has_main(text)
}

/// C source without comments and with empty strings.
fn code_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.next_if_eq(&'/').is_some() => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if chars.next_if_eq(&'*').is_some() => {
                out.push(' ');
                let mut star = false;
                for c in chars.by_ref() {
                    if star && c == '/' {
                        break;
                    }
                    if c == '\n' {
                        out.push(c);
                    }
                    star = c == '*';
                }
            }
            quote @ ('"' | '\'') => {
                out.push(quote);
                // No string goes on behind its line, but for a backslash before the line's end.
                while let Some(c) = chars.next_if(|c| *c != '\n') {
                    match c {
                        '\\' => drop(chars.next()),
                        c if c == quote => break,
                        _ => {}
                    }
                }
                out.push(quote);
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether source has a `main`, or a macro of the selftests' that makes one.
pub(super) fn has_main(text: &str) -> bool {
    code_of(text).lines().any(|line| {
        let calls = line.match_indices("main").any(|(at, word)| {
            let before = line[..at].chars().next_back();
            let behind = line[at + word.len()..].trim_start();
            before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_') && behind.starts_with('(')
        });
        calls || line.starts_with("TEST_HARNESS_MAIN")
    })
}
