//! Patterns written like the kernel's own printk formats.
//!
//! `"BUG: KASAN: {what:word} in {fn}+0x"`: plain text, and between braces a capture, `{name:class}` or `{class}`. A capture
//! takes the longest run of its class's characters, at least one; `{any}` takes as little as possible until the text behind it
//! fits, possibly nothing. Nothing is ever tried twice except that search, so matching is linear and needs no compiling.
//!
//! | class | characters |
//! |---|---|
//! | `fn` | a C symbol: letters, digits, `_`, `.`, `$` |
//! | `word` | anything but a blank |
//! | `num` | decimal digits |
//! | `hex` | hexadecimal digits and `x` |
//! | `path` | letters, digits, `_`, `-`, `+`, `.`, `,`, `/` |
//! | `any` | anything |
//! | `at` | addresses such as `[<ffffffff81000000>]` and blanks, possibly none: what older kernels print before a symbol |
//!
//! A line feed in a pattern is the line's end.

/// What a template captured: name and text, in the order of the template.
pub type Captures<'t> = Vec<(&'static str, &'t str)>;

/// Matches `template` at the beginning of `text`, which may go on behind it; adds to `captures` only when it fits.
pub fn starts<'t>(template: &'static str, text: &'t str, captures: &mut Captures<'t>) -> bool {
    let before = captures.len();
    let fits = fit(template, text, captures);
    if !fits {
        captures.truncate(before);
    }
    fits
}

/// Matches `template` at the first place in `text` where its leading plain text stands.
pub fn occurs<'t>(template: &'static str, text: &'t str, captures: &mut Captures<'t>) -> bool {
    let (plain, _) = head(template);
    if plain.is_empty() {
        return starts(template, text, captures);
    }
    text.find(plain).is_some_and(|at| starts(template, &text[at..], captures))
}

/// Puts captures into `{name}` of a title; a name that was not captured gives nothing.
#[must_use]
pub fn fill(title: &str, captures: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(title.len() + 32);
    let mut rest = title;
    loop {
        let (plain, capture) = head(rest);
        filled.push_str(plain);
        let Some((inside, behind)) = capture else { return filled };
        let name = inside.split_once(':').map_or(inside, |(name, _)| name);
        if let Some((_, text)) = captures.iter().find(|(known, _)| *known == name) {
            filled.push_str(text);
        }
        rest = behind;
    }
}

/// Plain text up to the first capture; the capture's inside and what stands behind it.
fn head(template: &str) -> (&str, Option<(&str, &str)>) {
    match template.split_once('{') {
        Some((plain, rest)) => {
            let (inside, behind) = rest.split_once('}').unwrap_or((rest, ""));
            (plain, Some((inside, behind)))
        }
        None => (template, None),
    }
}

fn fit<'t>(template: &'static str, text: &'t str, captures: &mut Captures<'t>) -> bool {
    let (mut template, mut text) = (template, text);
    loop {
        let (plain, capture) = head(template);
        if let Some(whole) = plain.strip_suffix('\n') {
            return text.trim_end() == whole;
        }
        let Some(behind) = text.strip_prefix(plain) else { return false };
        text = behind;
        let Some((inside, rest)) = capture else { return true };
        let (name, class) = inside.split_once(':').unwrap_or((inside, inside));
        let length = if class == "any" {
            let (next, more) = head(rest);
            if next.is_empty() && more.is_none() { Some(text.len()) } else { text.find(next) }
        } else if class == "at" {
            Some(addresses(text))
        } else {
            let run = text.find(|c| !belongs(class, c)).unwrap_or(text.len());
            (run > 0).then_some(run)
        };
        let Some(length) = length else { return false };
        captures.push((name, &text[..length]));
        text = &text[length..];
        template = rest;
    }
}

/// Length of the addresses in brackets, and of the blanks, that the text begins with.
fn addresses(text: &str) -> usize {
    let mut rest = text.trim_start();
    while let Some((inside, behind)) = rest.strip_prefix("[<").and_then(|inside| inside.split_once(">]"))
        && inside.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x')
    {
        rest = behind.trim_start();
    }
    text.len() - rest.len()
}

fn belongs(class: &str, c: char) -> bool {
    match class {
        "fn" => c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'),
        "num" => c.is_ascii_digit(),
        "hex" => c.is_ascii_hexdigit() || c == 'x',
        "path" => c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | ',' | '/'),
        _ => !c.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_by_class() {
        let mut captures = Vec::new();
        assert!(starts("BUG: KASAN: {what:word} in {fn}+0x", "BUG: KASAN: use-after-free in foo.cold+0x1/0x2", &mut captures));
        assert_eq!(captures, [("what", "use-after-free"), ("fn", "foo.cold")]);
        assert_eq!(fill("KASAN: {what} in {fn}{none}", &captures), "KASAN: use-after-free in foo.cold");
    }

    #[test]
    fn any_stops_at_the_text_behind_it() {
        let mut captures = Vec::new();
        assert!(occurs("task {any}:{num} blocked", "INFO: task a b:12 blocked for more", &mut captures));
        assert_eq!(captures, [("any", "a b"), ("num", "12")]);
    }

    #[test]
    fn steps_over_addresses() {
        for text in ["at: f+0x1", "at: [<ffffffff81000000>] f+0x1", "at: [<c036a6dc>]     f+0x1"] {
            let mut captures = Vec::new();
            assert!(starts("at: {at}{fn}+0x", text, &mut captures), "{text}");
            assert_eq!(captures.last(), Some(&("fn", "f")));
        }
    }

    #[test]
    fn leaves_no_captures_behind_when_it_does_not_fit() {
        let mut captures = Vec::new();
        assert!(!starts("{num} of {num}!", "1 of 2?", &mut captures));
        assert!(captures.is_empty());
    }
}
