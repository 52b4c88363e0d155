//! Names and addresses as people write them into commits and the MAINTAINERS file.

/// Somebody with a mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, when one is given.
    pub name: Option<String>,
    /// The address as written; compare with [`key`].
    pub email: String,
}

/// What two spellings of one address have in common.
#[must_use]
pub fn key(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

/// Reads `Name <address>`, `"Name, Odd" <address>` or a bare address; a remark in parentheses behind it is left out.
#[must_use]
pub fn parse(text: &str) -> Option<Person> {
    let text = text.trim();
    if let Some((name, rest)) = text.split_once('<') {
        let (email, _) = rest.split_once('>')?;
        let name = name.trim().trim_matches('"').trim();
        let printable = name.chars().filter(|c| !c.is_control()).collect::<String>();
        return person(email, (!printable.is_empty()).then_some(printable));
    }
    person(text.split([' ', '\t', '(']).next()?, None)
}

/// A person, if the address is one that may stand in a mail's header.
#[must_use]
pub fn person(email: &str, name: Option<String>) -> Option<Person> {
    let email = email.trim();
    let (local, domain) = email.split_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\@".contains(c);
    let sound = !local.is_empty() && domain.contains('.') && email.len() <= 254 && !local.contains(odd) && !domain.contains(odd);
    sound.then(|| Person { name, email: email.to_owned() })
}

/// Whether nobody wants mail for a culprit there: the stable tree's list, robots, and the bot that reported the crash.
#[must_use]
pub fn unwanted(email: &str) -> bool {
    let key = key(email);
    let (local, domain) = key.split_once('@').unwrap_or((&key, ""));
    local == "stable" && domain.ends_with("kernel.org")
        || local.starts_with("syzbot+")
        || local.starts_with("noreply")
        || local.starts_with("no-reply")
        || domain.ends_with("noreply.github.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_people_write_them() {
        let both = |text: &str| parse(text).map(|person| (person.name.unwrap_or_default(), person.email));
        let pair = |name: &str, email: &str| Some((name.to_owned(), email.to_owned()));
        assert_eq!(both("A B <a@b.org>"), pair("A B", "a@b.org"));
        assert_eq!(both("\"B, A\" <a@b.org> # 5.4+"), pair("B, A", "a@b.org"));
        assert_eq!(both("list@b.org (moderated for non-subscribers)"), pair("", "list@b.org"));
        assert_eq!(both("A B <a@b.org"), None);
        assert_eq!(both("nobody"), None);
        assert_eq!(both("A <a@b.org\nBcc: x@y.org>"), None);
    }

    #[test]
    fn drops_stable_and_robots() {
        assert!(unwanted("Stable@vger.kernel.org"));
        assert!(unwanted("syzbot+123@syzkaller.appspotmail.com"));
        assert!(!unwanted("stable@example.org"));
    }
}
