//! Names of commits. Owns the id type and its text form; knows nothing of repositories.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

/// A full SHA-1 commit id, shown as 40 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CommitId([u8; 20]);

impl CommitId {
    /// Wraps the 20 raw bytes of an object id.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 raw bytes, in git's order (so that byte order is git's oid order).
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The first 12 digits: the form the kernel's documentation asks for.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is not 40 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a commit id of 40 hexadecimal digits")]
pub struct BadCommitId(pub String);

impl FromStr for CommitId {
    type Err = BadCommitId;

    fn from_str(text: &str) -> Result<Self, BadCommitId> {
        let bad = || BadCommitId(text.to_owned());
        if text.len() != 40 || !text.is_ascii() {
            return Err(bad());
        }
        let mut bytes = [0; 20];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let high = (digits[0] as char).to_digit(16).ok_or_else(bad)?;
            let low = (digits[1] as char).to_digit(16).ok_or_else(bad)?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(bytes))
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CommitId {
    type Error = BadCommitId;

    fn try_from(text: String) -> Result<Self, BadCommitId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        let text = "c50eb518e262fa06bd334e6eec172eaf5d7a5bd9";
        let id: CommitId = text.parse().expect("a valid id");
        assert_eq!(id.to_string(), text);
        assert_eq!(id.short(), "c50eb518e262");
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "c50eb518", "zz0eb518e262fa06bd334e6eec172eaf5d7a5bd9", "é0eb518e262fa06bd334e6eec172eaf5d7a5bd9"] {
            assert_eq!(text.parse::<CommitId>(), Err(BadCommitId(text.to_owned())));
        }
    }
}
