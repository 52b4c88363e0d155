//! `{src} {out} {jobs} {commit}` in a build command. Owns their spelling.

use std::ffi::OsString;
use std::path::Path;

use kbisect_core::commit::CommitId;

/// What the placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Placeholders<'a> {
    /// The checkout.
    pub src: &'a Path,
    /// The folder for what is built.
    pub out: &'a Path,
    /// CPUs to use.
    pub jobs: u32,
    /// The commit.
    pub commit: &'a CommitId,
}

impl Placeholders<'_> {
    /// The command with every placeholder replaced; each word stays one word.
    pub fn fill(&self, command: &[String]) -> Vec<OsString> {
        command.iter().map(|word| self.fill_word(word)).collect()
    }

    fn fill_word(&self, word: &str) -> OsString {
        let (jobs, commit) = (self.jobs.to_string(), self.commit.to_string());
        let values = [
            ("{src}", self.src.as_os_str()),
            ("{out}", self.out.as_os_str()),
            ("{jobs}", jobs.as_ref()),
            ("{commit}", commit.as_ref()),
        ];
        let mut filled = OsString::new();
        let mut rest = word;
        while let Some(at) = rest.find('{') {
            filled.push(&rest[..at]);
            rest = &rest[at..];
            if let Some((name, value)) = values.iter().find(|(name, _)| rest.starts_with(name)) {
                filled.push(value);
                rest = &rest[name.len()..];
            } else {
                filled.push("{");
                rest = &rest[1..];
            }
        }
        filled.push(rest);
        filled
    }
}
