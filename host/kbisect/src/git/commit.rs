//! Reading a commit object's text: header lines up to the first empty line, then the message. Opens nothing.

use kbisect_core::commit::CommitId;

use crate::policy::Signature;

/// What a history walk needs of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Committer time, seconds since the epoch.
    pub(super) time: i64,
    /// Parents in git's order.
    pub(super) parents: Vec<CommitId>,
}

/// Reads the parents and the committer time from a raw commit; `None` if it is malformed.
pub(super) fn header(raw: &[u8]) -> Option<Header> {
    let mut parents = Vec::new();
    for line in lines(raw) {
        if let Some(id) = line.strip_prefix(b"parent ") {
            parents.push(std::str::from_utf8(id).ok()?.parse().ok()?);
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            return Some(Header { time: person(committer)?.1, parents });
        } else if line.is_empty() {
            break;
        }
    }
    None
}

/// The author of a raw commit; `None` if it is malformed.
pub(super) fn author(raw: &[u8]) -> Option<Signature> {
    let line = lines(raw).take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(b"author "))?;
    let (name_email, _) = person(line)?;
    split_address(&text(raw, name_email))
}

/// When a raw commit was written, as git prints dates; `None` if it is malformed.
pub(super) fn author_date(raw: &[u8]) -> Option<String> {
    let line = lines(raw).take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(b"author "))?;
    let (rest, zone) =
        std::str::from_utf8(line.get(line.iter().rposition(|&byte| byte == b'>')? + 1..)?).ok()?.trim().rsplit_once(' ')?;
    let (sign, digits) = zone.split_at_checked(1)?;
    // A zone that is none says nothing of the time.
    let minutes =
        digits.parse::<u16>().ok().filter(|zone| *zone < 2400).map_or(0, |zone| i32::from(zone / 100 * 60 + zone % 100));
    let offset = jiff::tz::Offset::from_seconds(if sign == "-" { -60 } else { 60 } * minutes).ok()?;
    let time = jiff::Timestamp::from_second(rest.trim().parse().ok()?).ok()?.to_zoned(offset.to_time_zone());
    Some(time.strftime("%a %b %-d %H:%M:%S %Y %z").to_string())
}

/// The message of a raw commit as UTF-8; what is not valid is replaced.
pub(super) fn message(raw: &[u8]) -> String {
    let start = raw.windows(2).position(|two| two == b"\n\n").map_or(raw.len(), |at| at + 2);
    text(raw, &raw[start..])
}

/// The subject as git prints it with `%s`: the lines of the first paragraph, joined by spaces.
pub(super) fn subject(message: &str) -> String {
    let mut words = String::new();
    for line in message.lines().skip_while(|line| line.trim().is_empty()) {
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(line);
    }
    words
}

/// Addresses of the message's `Signed-off-by:` lines, in order.
pub(super) fn signed_off_by(message: &str) -> impl Iterator<Item = Signature> + '_ {
    const KEY: &str = "signed-off-by:";
    message.lines().filter_map(|line| {
        let line = line.trim();
        let (key, rest) = line.split_at_checked(KEY.len())?;
        if key.eq_ignore_ascii_case(KEY) { split_address(rest) } else { None }
    })
}

/// Splits `Name <address>`; `None` without an address.
fn split_address(text: &str) -> Option<Signature> {
    let (name, rest) = text.split_once('<')?;
    let (email, _) = rest.split_once('>')?;
    Some(Signature { name: name.trim().trim_matches('"').to_owned(), email: email.trim().to_owned() })
}

fn lines(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    raw.split(|&byte| byte == b'\n')
}

/// Later times are none: the year 100,000 is far from the ends of what can be reckoned with.
const LATEST: i64 = 3_093_527_980_799;

/// Splits `Name <address> SECONDS ZONE` into the person and the seconds; like git, takes 0 for a time that is no number.
fn person(line: &[u8]) -> Option<(&[u8], i64)> {
    let close = line.iter().rposition(|&byte| byte == b'>')?;
    let seconds = line[close + 1..].split(|&byte| byte == b' ').find(|word| !word.is_empty());
    let seconds =
        seconds.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).filter(|time| (0..=LATEST).contains(time));
    Some((&line[..=close], seconds.unwrap_or(0)))
}

/// Bytes of a commit as text: by its `encoding` header if that is Latin-1, else UTF-8.
fn text(raw: &[u8], bytes: &[u8]) -> String {
    let encoding = lines(raw).take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(b"encoding "));
    let latin1 = encoding.is_some_and(|name| {
        [&b"iso-8859-1"[..], b"iso8859-1", b"latin1", b"latin-1"].iter().any(|known| name.eq_ignore_ascii_case(known))
    });
    match std::str::from_utf8(bytes) {
        Ok(text) if !latin1 => text.to_owned(),
        _ if latin1 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
