//! Where commits are fetched from: the trees that reports name. Pure; nothing is fetched.

use crate::git::KERNEL_ORG;

/// A tree and a branch of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What the report calls it.
    pub name: String,
    /// Its address and branch, where these are known.
    pub remote: Option<(String, String)>,
}

/// Syzbot's names for trees (dashboard's configuration), with the place at kernel.org and the branch.
const NAMES: [(&str, &str, &str); 9] = [
    ("upstream", "torvalds/linux.git", "master"),
    ("mainline", "torvalds/linux.git", "master"),
    ("linux-next", "next/linux-next.git", "master"),
    ("net", "netdev/net.git", "main"),
    ("net-next", "netdev/net-next.git", "main"),
    ("bpf", "bpf/bpf.git", "master"),
    ("bpf-next", "bpf/bpf-next.git", "master"),
    ("usb-testing", "gregkh/usb.git", "usb-testing"),
    ("mm", "akpm/mm.git", "mm-everything"),
];

impl Tree {
    /// Reads `upstream`, `linux-6.1.y`, or an address with a branch behind it.
    pub fn parse(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let (first, branch) = (words.next().unwrap_or_default(), words.next());
        let remote = if first.contains("://") && first.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/+@%".contains(c)) {
            Some((address(first), branch.filter(|branch| is_branch(branch)).unwrap_or("master").to_owned()))
        } else if let Some((_, place, branch)) = NAMES.iter().find(|(name, ..)| *name == first) {
            Some((format!("{KERNEL_ORG}/{place}"), (*branch).to_owned()))
        } else if first.starts_with("linux-") && first.ends_with(".y") && is_branch(first) {
            Some((format!("{KERNEL_ORG}/stable/linux.git"), first.to_owned()))
        } else {
            None
        };
        Self { name: text.split_whitespace().collect::<Vec<_>>().join(" "), remote }
    }

    /// Whether it is linux-next, whose commits do not stay.
    pub fn is_next(&self) -> bool {
        self.name == "linux-next" || self.remote.as_ref().is_some_and(|(address, _)| address.ends_with("/linux-next.git"))
    }

    /// What to type for a commit of this tree; `repo` is a shell's word.
    pub fn fetch(&self, repo: &str, commit: &str, tag: Option<&str>) -> Option<String> {
        let (address, branch) = self.remote.as_ref()?;
        let what = match tag.filter(|tag| self.is_next() && tag.starts_with("next-")) {
            Some(tag) => format!("tag {tag}"),
            None if commit.len() == 40 => commit.to_owned(),
            None => branch.clone(),
        };
        Some(format!("git -C {repo} fetch {address} {what}"))
    }
}

/// An address as git takes it, encrypted where the site can do that; cgit's pages stand for their repositories.
fn address(text: &str) -> String {
    let text = text.trim_end_matches('/');
    for site in ["git.kernel.org/pub/scm/", "git.kernel.org/cgit/"] {
        if let Some((_, rest)) = text.split_once(site) {
            return format!("https://git.kernel.org/pub/scm/{rest}");
        }
    }
    text.to_owned()
}

fn is_branch(text: &str) -> bool {
    !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_become_lines_to_type() {
        let full = "0123456789012345678901234567890123456789";
        for (tree, commit, tag, line) in [
            (
                "upstream",
                "40f71e7cd3c6",
                None,
                "git -C linux fetch https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git master",
            ),
            (
                "linux-6.1.y",
                "40f71e7cd3c6",
                None,
                "git -C linux fetch https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git linux-6.1.y",
            ),
            (
                "git://git.kernel.org/pub/scm/linux/kernel/git/arm64/linux.git for-kernelci",
                "40f71e7cd3c6",
                None,
                "git -C linux fetch https://git.kernel.org/pub/scm/linux/kernel/git/arm64/linux.git for-kernelci",
            ),
            (
                "https://git.kernel.org/cgit/linux/kernel/git/next/linux-next.git master",
                full,
                Some("next-20250821"),
                "git -C linux fetch https://git.kernel.org/pub/scm/linux/kernel/git/next/linux-next.git tag next-20250821",
            ),
            (
                "https://example.org/kernel.git",
                full,
                Some("v6.1"),
                "git -C linux fetch https://example.org/kernel.git 0123456789012345678901234567890123456789",
            ),
        ] {
            assert_eq!(Tree::parse(tree).fetch("linux", commit, tag).as_deref(), Some(line));
        }
        for unknown in ["", "mytree", "https://example.org/;reboot", "linux-$(x).y"] {
            assert_eq!(Tree::parse(unknown).fetch("linux", full, None), None, "{unknown}");
        }
    }
}
