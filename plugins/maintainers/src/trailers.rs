//! People a commit names: its trailers.

use kbisect_sdk::maintainers::person;
use kbisect_sdk::maintainers::person::Person;

/// The people who stand for a commit, and as what, in its order.
///
/// `Signed-off-by`, `Reviewed-*`, `Acked-*`, `Tested-*` and `…-and-…` of them; `Cc:` and `Reported-by:` alone do not make one
/// responsible. Source: `syzkaller-policy.md` §12.
#[must_use]
pub fn people(message: &str) -> Vec<(Person, String)> {
    message.lines().filter_map(trailer).collect()
}

fn trailer(line: &str) -> Option<(Person, String)> {
    let (role, rest) = line.trim().split_once(':')?;
    let lower = role.to_ascii_lowercase();
    let word = lower.strip_suffix("-by").or_else(|| lower.strip_suffix("-off"))?;
    let stands = word == "signed-off"
        || word == "co-developed"
        || word.split("-and-").any(|part| matches!(part, "reviewed" | "acked" | "tested"));
    if !stands {
        return None;
    }
    Some((person::parse(rest)?, role.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_who_stands_for_a_commit() {
        let message = "a: b\n\nReported-by: no <no@x.org>\nReported-and-tested-by: T <t@x.org>\nCc: c@x.org\n\
            Cc: stable@vger.kernel.org\nsigned-off-by: S <S@x.org>\nReviewed-by: nonsense\nActed-by: a@x.org\n";
        let found: Vec<String> = people(message).into_iter().map(|(person, role)| format!("{role} {}", person.email)).collect();
        assert_eq!(found, ["Reported-and-tested-by t@x.org", "signed-off-by S@x.org"]);
    }
}
