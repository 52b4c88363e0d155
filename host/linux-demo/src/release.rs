//! The version in a kernel's top Makefile.

/// What a kernel calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Makefile {
    pub(crate) version: u32,
    pub(crate) patchlevel: u32,
}

impl Makefile {
    /// Reads a top Makefile; none where that is not Linux's.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let value =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('=')?.trim().parse().ok());
        Some(Self { version: value("VERSION")?, patchlevel: value("PATCHLEVEL")? })
    }

    /// The release after it.
    pub(crate) fn next(&self) -> Self {
        Self { patchlevel: self.patchlevel + 1, ..self.clone() }
    }

    /// The tag of the release.
    pub(crate) fn tag(&self) -> String {
        format!("v{}.{}", self.version, self.patchlevel)
    }

    /// A top Makefile with this version: a release of mainline, whatever it was.
    pub(crate) fn write(&self, text: &str) -> String {
        let line = |line: &str| match line.split_once('=').map(|(key, _)| key.trim()) {
            Some("VERSION") => format!("VERSION = {}", self.version),
            Some("PATCHLEVEL") => format!("PATCHLEVEL = {}", self.patchlevel),
            Some("SUBLEVEL") => "SUBLEVEL = 0".to_owned(),
            Some("EXTRAVERSION") => "EXTRAVERSION =".to_owned(),
            _ => line.to_owned(),
        };
        // The version is in the first lines; further down such words are used.
        let (head, rest) = text.split_once("\nNAME").unwrap_or((text, ""));
        let head: Vec<String> = head.lines().map(line).collect();
        if rest.is_empty() { head.join("\n") + "\n" } else { format!("{}\nNAME{rest}", head.join("\n")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written() {
        let text = "# SPDX\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 192\nEXTRAVERSION = -rc3\nNAME = Curry\n\nSUBLEVEL = x\n";
        let makefile = Makefile::read(text).expect("it is Linux's");
        assert_eq!((makefile.tag(), makefile.next().tag()), ("v6.1".to_owned(), "v6.2".to_owned()));
        let next = makefile.next().write(text);
        assert_eq!(next, "# SPDX\nVERSION = 6\nPATCHLEVEL = 2\nSUBLEVEL = 0\nEXTRAVERSION =\nNAME = Curry\n\nSUBLEVEL = x\n");
        assert_eq!(Makefile::read("all:\n\tcc x.c\n"), None);
    }
}
