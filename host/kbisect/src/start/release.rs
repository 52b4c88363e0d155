//! What a kernel says of itself on its console: `Linux version 6.1.0-rc3-…` and the release in a crash's `CPU:` line. Pure.

/// The commit that a kernel was built from, as far as its release tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The release as printed.
    pub text: String,
    /// Digits of the commit, behind `-g`.
    pub commit: Option<String>,
    /// The tag that it was built from, or after: `v6.1`, `v6.1-rc3`, `v6.1.23`, `next-20250821`.
    pub tag: Option<String>,
    /// Whether the tag alone does not say it: local changes, or a distribution's own.
    pub changed: bool,
    /// Whether syzkaller built it, whose kernels say no more than the last tag where they do not say the commit.
    pub of_syzkaller: bool,
}

impl Release {
    /// Reads what `uname -r` prints.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.trim_end_matches('+');
        let (numbers, rest) = plain.find('-').map_or((plain, ""), |at| (&plain[..at], &plain[at + 1..]));
        let parts: Vec<&str> = numbers.split('.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.len() <= 5 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(is_number) {
            return None;
        }
        let mut words: Vec<&str> = if rest.is_empty() { Vec::new() } else { rest.split('-').collect() };
        let dirty = words.contains(&"dirty");
        words.retain(|word| *word != "dirty");
        let candidate = words.first().copied().filter(|word| {
            word.strip_prefix("rc").is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let commit = words.iter().rev().find_map(|word| {
            let digits = word.strip_prefix('g')?;
            ((7..=40).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digits.to_owned())
        });
        let next =
            words.windows(2).find(|pair| pair[0] == "next" && pair[1].len() == 8 && pair[1].bytes().all(|b| b.is_ascii_digit()));
        let version = match parts.as_slice() {
            // Mainline's releases have no third number in their tags.
            [major, minor] | [major, minor, "0"] if *major != "2" => format!("v{major}.{minor}"),
            _ => format!("v{}", parts.join(".")),
        };
        let tag = match (next, candidate) {
            (Some(pair), _) => format!("next-{}", pair[1]),
            (None, Some(candidate)) => format!("{version}-{candidate}"),
            (None, None) => version,
        };
        let known = |word: &&str| Some(*word) == candidate || *word == "syzkaller" || *word == "next";
        let own = words.iter().any(|word| !known(word) && next.is_none_or(|pair| pair[1] != *word));
        let changed = commit.is_none() && (own || plain.len() < text.len()) || dirty;
        Some(Self { text: text.to_owned(), commit, tag: Some(tag), changed, of_syzkaller: words.contains(&"syzkaller") })
    }
}

/// The releases that a console tells, each once: that of the crash first, then those of banners, newest first.
pub fn on_console(text: &str) -> Vec<Release> {
    let mut releases: Vec<Release> = Vec::new();
    let of_crash = text.lines().filter_map(|line| {
        let at = line.find("ainted")?;
        line.find("CPU:").filter(|cpu| *cpu < at)?;
        let (before, _) = line[at..].split_once(" #")?;
        Release::parse(before.split_whitespace().next_back()?)
    });
    let of_banners = text
        .match_indices("Linux version ")
        .filter_map(|(at, word)| Release::parse(text[at + word.len()..].split_whitespace().next()?));
    let mut banners: Vec<Release> = of_banners.collect();
    banners.reverse();
    for release in of_crash.chain(banners) {
        if !releases.contains(&release) {
            releases.push(release);
        }
    }
    releases
}

/// The architecture that a console's registers tell, as the kernel's make names it.
pub fn arch(text: &str) -> Option<&'static str> {
    let has = |sign: &str| text.contains(sign);
    if has("RIP: 00") || has("RAX: ") {
        Some("x86_64")
    } else if has("EIP: ") && has("EAX: ") {
        Some("i386")
    } else if has("pstate: ") && has("pc : ") {
        Some("arm64")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_name_commits_or_tags() {
        let told = |text: &str| Release::parse(text).map(|release| (release.commit, release.tag, release.changed));
        let some = |text: &str| Some(text.to_owned());
        for (text, commit, tag, changed) in [
            ("5.18.0-syzkaller-11972-gd1dc87763f40", Some("d1dc87763f40"), "v5.18", false),
            ("6.12.0-rc1-syzkaller-00031-ge32cde8d2bd7", Some("e32cde8d2bd7"), "v6.12-rc1", false),
            ("6.17.0-rc2-next-20250821-syzkaller", None, "next-20250821", false),
            ("6.1.0", None, "v6.1", false),
            ("6.1.0-rc3+", None, "v6.1-rc3", true),
            ("6.1.23", None, "v6.1.23", false),
            ("2.6.32", None, "v2.6.32", false),
            ("6.8.0-40-generic", None, "v6.8", true),
            ("6.1.0-00012-g0123456789ab-dirty", Some("0123456789ab"), "v6.1", true),
        ] {
            assert_eq!(told(text), Some((commit.map(str::to_owned), some(tag), changed)), "{text}");
        }
        for text in ["", "6", "6.x", "six", "6.1.2.3", "6..1"] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn the_crashs_own_release_comes_first() {
        let text = "[    0.000000] Linux version 6.1.0 (a@b)\n[    0.000000] Linux version 6.2.0 (a@b)\n\
                    CPU: 0 UID: 0 PID: 12 Comm: a Not tainted 6.3.0-rc1-g0123456789ab #0 PREEMPT\n\
                    CPU: 1 PID: 1 Comm: b Tainted: G        W          6.2.0 #1\n";
        let releases: Vec<String> = on_console(text).into_iter().map(|release| release.text).collect();
        assert_eq!(releases, ["6.3.0-rc1-g0123456789ab", "6.2.0", "6.1.0"]);
    }
}
