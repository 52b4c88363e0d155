//! The text inside of what people hand over: mails are taken apart, transfer encodings and quotes are undone. Pure.
//!
//! MIME is mail-parser's. What is undone here beside it is what pasting leaves: encoded bodies without their headers, `> ` or blanks in
//! front of every line, and pages of HTML.

use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MimeHeaders as _;
use mail_parser::PartType;

use super::html;

/// Mails inside mails, at most.
const DEPTH: u32 = 6;
/// Encodings and quotes around one text, at most: more quotes than any thread has.
const LAYERS: u32 = 24;
/// Texts that are taken out of one file, at most.
const MOST: usize = 200;

/// Headers by which a mail is known; two of them must be there.
const HEADERS: [&str; 14] = [
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "return-path",
    "received",
    "in-reply-to",
    "references",
    "list-id",
];

/// A text as it was before it was sent, quoted or encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// An attachment's name.
    pub attached: Option<String>,
    /// The bytes; those of attachments may be anything.
    pub bytes: Vec<u8>,
    /// The subject of the mail that it was in.
    pub subject: Option<String>,
    /// That mail's Message-ID, without brackets.
    pub message_id: Option<String>,
    /// Whether anything was undone: the file's own bytes are other ones.
    pub undone: bool,
}

impl Text {
    /// The text for reading.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The texts in a file. There is always one at least.
pub fn texts(bytes: &[u8]) -> Vec<Text> {
    let mut out = Vec::new();
    open(&Text { bytes: bytes.to_vec(), ..Text::default() }, 0, &mut out);
    if out.is_empty() {
        // A mail without a body.
        out.push(Text { undone: true, ..Text::default() });
    }
    out
}

fn open(outer: &Text, depth: u32, out: &mut Vec<Text>) {
    if out.len() >= MOST {
        return;
    }
    let Some((mut text, mut undone)) = characters(&outer.bytes) else {
        out.push(outer.clone());
        return;
    };
    for _ in 0..LAYERS {
        if depth < DEPTH && is_mail(&text) {
            return mails(&text).iter().for_each(|mail| parts(mail, depth, out));
        }
        let page = || html::is_page(&text).then(|| html::text(&text));
        let less = unquoted(&text).or_else(page).or_else(|| from_quoted_printable(&text)).or_else(|| from_base64(&text));
        let less = less.or_else(|| outdented(&text));
        let Some(less) = less else { break };
        (text, undone) = (less, true);
    }
    let undone = undone || outer.undone;
    let bytes = if undone { text.into_bytes() } else { outer.bytes.clone() };
    out.push(Text { bytes, undone, ..outer.clone() });
}

/// The characters of a text, and whether they were stored in an unusual way; none where the bytes are no text.
fn characters(bytes: &[u8]) -> Option<(String, bool)> {
    let units = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => Some((units(rest, u16::from_le_bytes).replace("\r\n", "\n"), true)),
        [0xfe, 0xff, rest @ ..] => Some((units(rest, u16::from_be_bytes).replace("\r\n", "\n"), true)),
        [0xef, 0xbb, 0xbf, rest @ ..] => Some((String::from_utf8_lossy(rest).replace("\r\n", "\n"), true)),
        _ if is_utf16(bytes, 1) => Some((units(bytes, u16::from_le_bytes).replace("\r\n", "\n"), true)),
        _ if is_utf16(bytes, 0) => Some((units(bytes, u16::from_be_bytes).replace("\r\n", "\n"), true)),
        _ if is_binary(bytes) => None,
        _ => Some((String::from_utf8_lossy(bytes).replace("\r\n", "\n"), false)),
    }
}

/// Whether bytes are characters of two bytes each without the mark that says so: nearly all are ASCII's, whose zeroes are the first or the
/// second byte of each.
fn is_utf16(bytes: &[u8], zero: usize) -> bool {
    let head = &bytes[..bytes.len().min(4 << 10)];
    let pairs = head.len() / 2;
    let ascii =
        head.chunks_exact(2).filter(|pair| pair[zero] == 0 && matches!(pair[1 - zero], b'\t' | b'\n' | b'\r' | b' '..=b'~'));
    pairs >= 8 && ascii.count() * 10 >= pairs * 9
}

/// Whether bytes are no text: consoles may hold a few odd ones.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 << 10)];
    let odd = head.iter().filter(|byte| **byte < 9 || (14..27).contains(*byte)).count();
    odd * 20 > head.len()
}

/// Whether a text begins with the headers of a mail.
fn is_mail(text: &str) -> bool {
    let mut known = 0;
    for (index, line) in text.trim_start().lines().enumerate() {
        if line.trim().is_empty() {
            break;
        }
        if index == 0 && line.starts_with("From ") || index > 0 && line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { return false };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return false;
        }
        known += u32::from(HEADERS.contains(&name.to_ascii_lowercase().as_str()));
    }
    known >= 2
}

/// The mails of a mailbox, or the one mail.
fn mails(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    if !text.starts_with("From ") {
        return vec![text];
    }
    let mut starts = vec![0];
    starts.extend(text.match_indices("\n\nFrom ").map(|(at, _)| at + 2).filter(|at| {
        let head = &text[*at..];
        head.split_once('\n').is_some_and(|(_, rest)| is_mail(rest))
    }));
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| text[*start..end].split_once('\n').map_or("", |(_, mail)| mail)).collect()
}

fn parts(mail: &str, depth: u32, out: &mut Vec<Text>) {
    let Some(message) = MessageParser::default().parse(mail.as_bytes()) else { return };
    of_message(&message, depth, out);
}

fn of_message(message: &Message<'_>, depth: u32, out: &mut Vec<Text>) {
    // What is attached as a mail may be none; its subject cannot even be asked for then.
    if message.parts.is_empty() {
        return;
    }
    let subject = message.subject().map(str::to_owned);
    let message_id = message.message_id().map(str::to_owned);
    let plain = message.parts.iter().any(|part| matches!(part.body, PartType::Text(_)));
    for part in &message.parts {
        let attached = part.attachment_name().map(str::to_owned);
        let bytes = match &part.body {
            PartType::Text(text) => text.as_bytes().to_vec(),
            // The same again, for people who like colours.
            PartType::Html(_) if plain && attached.is_none() => continue,
            PartType::Html(html) if attached.is_some() => html.as_bytes().to_vec(),
            PartType::Html(page) => html::text(page).into_bytes(),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.to_vec(),
            PartType::Message(inner) if depth < DEPTH => {
                of_message(inner, depth + 1, out);
                continue;
            }
            PartType::Message(_) | PartType::Multipart(_) => continue,
        };
        let text = Text { attached, bytes, subject: subject.clone(), message_id: message_id.clone(), undone: true };
        open(&text, depth + 1, out);
    }
}

/// A text whose every `=` is that of quoted-printable, decoded. Text that is not encoded has others, such as kernels' rulers; and where
/// all happen to have two digits behind them (`=15`), nothing says that they are meant: a line that goes on in the next one, a blank at
/// a line's end, the sign itself, or a letter beyond ASCII. No text has control characters.
fn from_quoted_printable(text: &str) -> Option<String> {
    let mut escapes = 0;
    let mut meant = false;
    for (at, _) in text.match_indices('=') {
        let rest = &text.as_bytes()[at + 1..];
        let digit =
            |at: usize| rest.get(at).filter(|byte| !byte.is_ascii_lowercase()).and_then(|byte| char::from(*byte).to_digit(16));
        match (rest, digit(0), digit(1)) {
            ([] | [b'\n', ..], ..) => meant = true,
            (_, Some(high), Some(low)) => match (high * 16 + low, rest.get(2)) {
                (0x20 | 0x09, None | Some(b'\n')) | (0x3d | 0x80.., _) => meant = true,
                (0x09 | 0x0a | 0x0d | 0x20..=0x7e, _) => {}
                _ => return None,
            },
            _ => return None,
        }
        escapes += 1;
    }
    (escapes >= 2 && meant).then(|| decoded(text, "quoted-printable")).flatten()
}

/// A text that is all base64, decoded.
fn from_base64(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (last, whole) = lines.split_last()?;
    let first = whole.first()?.len();
    let is_base64 =
        |line: &str| line.trim_end_matches('=').bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    let fits = first >= 60 && whole.iter().all(|line| line.len() == first) && last.len() <= first;
    if !fits || !lines.iter().all(|line| is_base64(line)) {
        return None;
    }
    decoded(text, "base64").filter(|text| !is_binary(text.as_bytes()) && !text.contains('\u{fffd}'))
}

fn decoded(text: &str, encoding: &str) -> Option<String> {
    let mail = format!(
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{}",
        text.trim_start()
    );
    let message = MessageParser::default().parse(mail.as_bytes())?;
    let decoded = match &message.parts.first()?.body {
        PartType::Text(decoded) => decoded.replace("\r\n", "\n"),
        _ => return None,
    };
    (decoded != text && !decoded.trim().is_empty()).then_some(decoded)
}

/// A text without its quotes' marks; none where it has none.
fn unquoted(text: &str) -> Option<String> {
    let mut any = false;
    let mut out = String::with_capacity(text.len());
    // The test robot marks lines in the same way, and says so: the quotes around that line are all that there are.
    let marks = |line: &str| std::iter::successors(less(line), |line| less(line)).count();
    let marked = text.lines().find(|line| line.contains("prefixed by >>)"));
    let most = marked.map_or(usize::MAX, marks);
    for line in text.split_inclusive('\n') {
        let mut line = line;
        let mut depth = 0;
        while let Some(rest) = less(line).filter(|_| depth < most) {
            (line, any) = (rest, true);
            depth += 1;
        }
        out.push_str(line);
    }
    any.then_some(out)
}

/// A line without one mark. KASAN marks the row of memory that it is about in the same way: `>ffff88801e0f4a00: fb fb`.
fn less(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('>')?;
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    if digits >= 8 && rest[digits..].starts_with(':') {
        return None;
    }
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// Lines by which a report, or a crash, is known that was moved to the right as a whole.
const ANCHORS: [&str; 5] =
    ["HEAD commit:", "syzbot found the following", "kernel test robot noticed", "dashboard link:", "Call Trace:"];

/// A text without the blanks that a forwarding program has put before the lines of a report; none where it has put none.
fn outdented(text: &str) -> Option<String> {
    let anchor = text.lines().find(|line| {
        let line = line.trim_start();
        ANCHORS.iter().any(|anchor| line.starts_with(anchor))
    })?;
    let blanks = &anchor[..anchor.len() - anchor.trim_start().len()];
    // Kernels put one blank before lines of a stack.
    if blanks.len() < 2 && blanks != "\t" {
        return None;
    }
    Some(text.split_inclusive('\n').map(|line| line.strip_prefix(blanks).unwrap_or(line)).collect())
}

#[cfg(test)]
pub(super) mod tests;
