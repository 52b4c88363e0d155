//! Tests of [`super`].

use proptest::prelude::*;

use super::*;

const FILE: &str = "List of maintainers\n===================\n\n\tM: *Mail* patches to: FullName <address@domain>\n\n\
3C59X NETWORK DRIVER\nM:\tSteffen Klassert <klassert@example.org>\nL:\tnetdev@example.org\nS:\tOdd Fixes\nF:\tdrivers/net/3c59x.c\n\n\
NETWORKING\nM:\tA <a@example.org>\nM:\tB <b@example.org>\nR:\tC <c@example.org>\nL:\tnetdev@example.org\nS:\tSupported\nF:\tdrivers/net/\nF:\tnet/*\n\
X:\tdrivers/net/wireless/\nK:\t\\bnetns\\b\nN:\tveth\n\n\
TEGRA\nM:\tT <t@example.org>\nS:\tMaintained\nN:\t[^a-z]tegra\nF:\tarch/*/tegra/\n\n\
BROKEN\nM:\tnobody\nN:\t(((\nF:\n\nTHE REST\nM:\tL <l@example.org>\nL:\tlinux-kernel@vger.kernel.org\nS:\tBuried alive\nF:\t*\nF:\t*/\n";

fn titles(file: &str) -> Vec<String> {
    of_file(&parse(FILE), file).iter().map(|section| section.title.clone()).collect()
}

#[test]
fn finds_sections_by_path() {
    assert_eq!(titles("drivers/net/3c59x.c"), ["3C59X NETWORK DRIVER", "NETWORKING", "THE REST"]);
    assert_eq!(titles("drivers/net/a/b.c"), ["NETWORKING", "THE REST"]);
    assert_eq!(titles("drivers/net/wireless/a.c"), ["THE REST"]);
    assert_eq!(titles("net/core.c"), ["NETWORKING", "THE REST"]);
    assert_eq!(titles("net/core/dev.c"), ["THE REST"]);
    assert_eq!(titles("arch/arm/tegra/a.c"), ["TEGRA", "THE REST"]);
    assert_eq!(titles("Makefile"), ["THE REST"]);
}

#[test]
fn finds_sections_by_name_and_keyword() {
    assert_eq!(titles("drivers/pci/pci-tegra.c"), ["TEGRA", "THE REST"]);
    let sections = parse(FILE);
    assert_eq!(of_text(&sections, "fix a netns leak").len(), 1);
    assert_eq!(of_text(&sections, "fix netnses").len(), 0);
}

#[test]
fn reads_roles_and_status() {
    let sections = parse(FILE);
    assert_eq!(sections.len(), 5, "the head and the broken section's people are no sections' people");
    assert_eq!(sections[1].maintainers.len(), 2);
    assert_eq!(sections[1].status, Status::Supported);
    assert_eq!(sections[0].status, Status::Neglected);
    assert!(sections[4].is_the_rest());
}

#[test]
fn sees_what_a_pattern_requires() {
    assert_eq!(required(r"\b(?:a|b)_core\b"), "_core");
    assert_eq!(required("[^a-z]tegra"), "tegra");
    assert_eq!(required("abc?d*efg"), "efg");
    assert_eq!(required("abc|abd"), "");
    assert_eq!(required("(?i)abc"), "");
    assert_eq!(required(r"a\.b"), "a");
    assert_eq!(required("a[)b]cd"), "cd");
    assert_eq!(required("a(b"), "");
}

/// The trivially right glob: what `*` stands for is tried out.
fn slow_glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => {
            let part = text.iter().position(|&c| c == b'/').unwrap_or(text.len());
            (0..=part).any(|taken| slow_glob(rest, &text[taken..]))
        }
        Some((&c, rest)) => {
            text.split_first().is_some_and(|(&first, more)| (c == first || c == b'?' && first != b'/') && slow_glob(rest, more))
        }
    }
}

proptest! {
    #[test]
    fn globs_as_the_trivial_way(pattern in "[ab*?/]{0,8}", text in "[ab/]{0,10}") {
        prop_assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), slow_glob(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn what_a_pattern_requires_is_in_every_match(pattern in r"[ab.\\()|?*+^$\[\]{}0-2,:-]{0,12}", text in "[ab.0-2,:-]{0,12}") {
        if let Ok(regex) = Regex::new(&pattern)
            && let Some(found) = regex.find(&text)
        {
            prop_assert!(found.as_str().contains(required(&pattern)), "{} {}", pattern, text);
        }
    }

    #[test]
    fn reads_anything(text in "(?s).{0,400}", file in "(?s).{0,40}") {
        let sections = parse(&text);
        let _ = of_file(&sections, &file);
        let _ = of_text(&sections, &text);
    }

    #[test]
    fn reads_odd_sections(lines in proptest::collection::vec("[MRLSFXNK]:[\t ]?[a-z*?/\\[\\](@<>.:]{0,12}", 0..20)) {
        let sections = parse(&format!("T\n{}", lines.join("\n")));
        let _ = of_file(&sections, "a/b/c.c");
        let _ = of_text(&sections, "text");
    }
}
