//! The text of a mail or of a file: a report, the console in it, and what was pasted into it.

use kbisect_core::crash::CrashReport;

use super::Material;
use super::Report;
use super::Sorting;
use super::Source;
use super::SyzProgram;
use super::code::is_include;
use crate::build::linux::kconfig::Entry;
use crate::error::Error;
use crate::start::mail;
use crate::start::syzkaller;
use crate::start::text::Text;

/// Lines that a configuration inside of a text has at least.
const LEAST_LINES: usize = 8;
/// So many paragraphs above a console are left out at most.
const PARAGRAPHS: usize = 19;

impl Sorting<'_> {
    /// The text of a mail or of a file: a report, and what was pasted into it.
    pub(super) fn body(&mut self, source: &Source, text: &Text, is_mail: bool, index: usize) -> Result<(), Error> {
        let name = &source.name;
        let body = text.text().replace("\r\n", "\n");
        let inside = Material { name: name.clone(), path: None, bytes: text.bytes.clone() };
        // What was quoted or encoded as a whole is known as a whole.
        if text.undone && !is_mail && self.known(&inside, true) {
            return Ok(());
        }
        let mails = mail::read(&body, text.subject.as_deref(), text.message_id.as_deref());
        let report = !mails.is_empty();
        for mail in mails {
            self.understood(name, mail.sender.called());
            self.pieces.reports.push(Report { name: name.clone(), mail });
        }
        let whole = !report && !text.undone && index == 0;
        let crashes = if whole { Some((self.classify)(&text.bytes)?) } else { None };
        match crashes {
            Some(crashes) if self.behind_prose(&crashes, &text.bytes)?.is_none() => {
                self.console_with(&Material { path: source.path.clone(), ..inside }, crashes);
            }
            _ => self.console_inside(name, &body)?,
        }
        self.pasted(name, &body);
        Ok(())
    }

    /// The part of a text that is a console.
    fn console_inside(&mut self, name: &str, body: &str) -> Result<(), Error> {
        let crashes = (self.classify)(body.as_bytes())?;
        let spans: Vec<_> = crashes.iter().filter_map(|crash| crash.span).collect();
        let (Some(start), Some(end)) =
            (spans.iter().map(|span| span.start as usize).min(), spans.iter().map(|span| span.end as usize).max())
        else {
            return Ok(());
        };
        let bytes = body.as_bytes();
        let (start, end) = (start.min(bytes.len()), end.min(bytes.len()));
        let start = bytes[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let end = bytes[end..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |newline| end + newline + 1);
        // What stands below a mail's end is not the kernel's.
        let last = spans.iter().map(|span| span.start as usize).max().unwrap_or(start).clamp(start, end);
        let ends = |line: &&[u8]| matches!(line.trim_ascii_end(), b"---" | b"--");
        let lines = bytes[last..end].split_inclusive(|byte| *byte == b'\n');
        let end = last + lines.take_while(|line| !ends(line)).map(<[u8]>::len).sum::<usize>();
        let part = |bytes: &[u8]| Material { name: name.to_owned(), path: None, bytes: bytes.to_vec() };
        let shown = &bytes[start..end.max(start)];
        let seen = (self.classify)(shown)?;
        let known = match self.behind_prose(&seen, shown)? {
            Some(begin) => self.console(&part(&shown[begin..]))?,
            None => self.console_with(&part(shown), seen),
        };
        if !known {
            // What makes it a crash stands around it.
            self.console_with(&part(bytes), crashes);
        }
        Ok(())
    }

    /// Where a console begins in a text that speaks of its crash before it shows it, in a subject or a sentence, so that the report is
    /// damaged: at the report that is seen from the first paragraph on from which it is not. None where these crashes need no such place,
    /// or there is none.
    fn behind_prose(&self, crashes: &[CrashReport], bytes: &[u8]) -> Result<Option<usize>, Error> {
        if crashes.first().is_none_or(|crash| crash.corrupted.is_none()) {
            return Ok(None);
        }
        let mut paragraph = 0;
        for _ in 0..PARAGRAPHS {
            let Some(blank) = bytes[paragraph..].windows(2).position(|pair| pair == b"\n\n") else { break };
            paragraph += blank + 2;
            match (self.classify)(&bytes[paragraph..])?.first() {
                // The report's first line.
                Some(crash) if crash.corrupted.is_none() => {
                    let first = crash.span.map_or(paragraph, |span| (paragraph + span.start as usize).min(bytes.len()));
                    return Ok(bytes[..first].iter().rposition(|byte| *byte == b'\n').map(|newline| newline + 1));
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(None)
    }

    /// Source, programs and configurations that were pasted into a text.
    fn pasted(&mut self, name: &str, body: &str) {
        let lines: Vec<&str> = body.lines().collect();
        let material = |lines: &[&str]| {
            let text: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
            Material { name: name.to_owned(), path: None, bytes: text.into_bytes() }
        };
        if let Some((start, end)) = c_block(&lines) {
            let block = material(&lines[start..end]);
            let text = String::from_utf8_lossy(&block.bytes).into_owned();
            self.c_source(&block, &text);
        } else if let Some((start, end)) = program_block(&lines) {
            let block = material(&lines[start..end]);
            let options = syzkaller::Options::of_program(&String::from_utf8_lossy(&block.bytes));
            self.understood(name, "a program of syzkaller's");
            self.pieces.programs.push(SyzProgram { material: block, options });
        }
        if let Some((start, end)) = config_block(&lines) {
            let block = material(&lines[start..end]);
            let text = String::from_utf8_lossy(&block.bytes).into_owned();
            self.config(&block, &text);
        }
    }
}

/// Lines of C source: from where it begins to the last closing brace in the first column.
fn c_block(lines: &[&str]) -> Option<(usize, usize)> {
    let begins = |line: &&str| {
        line.starts_with("// autogenerated by syzkaller") || line.starts_with("#define _GNU_SOURCE") || is_include(line)
    };
    let start = lines.iter().position(begins)?;
    let rule = |line: &&str| ["--", "-- ", "---"].contains(line) || line.starts_with("=====");
    let stop = lines[start..].iter().position(rule).map_or(lines.len(), |at| start + at);
    let end = lines[start..stop].iter().rposition(|line| line.trim_end() == "}" || line.trim_end() == "};")?;
    Some((start, start + end + 1))
}

/// Lines of a program of syzkaller's: its options and the calls behind them.
fn program_block(lines: &[&str]) -> Option<(usize, usize)> {
    let start = lines.iter().position(|line| {
        line.strip_prefix('#').map(str::trim_start).is_some_and(|rest| rest.starts_with("{\"") || rest.starts_with("{Threaded:"))
    })?;
    let calls = lines[start + 1..].iter().take_while(|line| syzkaller::is_call(line.trim_end())).count();
    (calls > 0).then_some((start, start + 1 + calls))
}

/// The longest stretch of lines of a configuration.
fn config_block(lines: &[&str]) -> Option<(usize, usize)> {
    let is_entry = |line: &str| (line.starts_with("CONFIG_") || line.starts_with("# CONFIG_")) && Entry::parse(line).is_some();
    let mut best: Option<(usize, usize, usize)> = None;
    let mut at = 0;
    while at < lines.len() {
        if !is_entry(lines[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let (mut said, mut end) = (0, at);
        while at < lines.len() && (is_entry(lines[at]) || lines[at].is_empty() || lines[at].starts_with('#')) {
            if is_entry(lines[at]) {
                (said, end) = (said + 1, at + 1);
            }
            at += 1;
        }
        if said >= LEAST_LINES && best.is_none_or(|(most, ..)| said > most) {
            best = Some((said, start, end));
        }
    }
    best.map(|(_, start, end)| (start, end))
}
