//! Where the hunks of a patch lie in a commit's files, which have other lines before them than when the patch was made. Owns the search,
//! which finds what `git apply` finds (`Documentation/git-apply`: exact lines, any offset, no fuzz); libgit2 looks at the place that a hunk
//! names alone.

use git2::Diff;
use git2::DiffLineType;
use git2::Patch;
use git2::Repository;
use git2::Tree;

/// A diff's text with each hunk's place where its lines are in a tree's files; a hunk that is nowhere keeps its place. No file is in it
/// twice.
pub(super) fn placed(git: &Repository, tree: &Tree<'_>, text: &[u8]) -> Result<Vec<u8>, git2::Error> {
    let diff = Diff::from_buffer(text)?;
    let mut places = Vec::new();
    for number in 0..diff.deltas().len() {
        let Some(patch) = Patch::from_diff(&diff, number)? else { continue };
        let found = patch.delta().old_file().path().and_then(|path| tree.get_path(path).ok()?.to_object(git).ok());
        let mut image = Image::of(found.as_ref().and_then(|found| found.as_blob()).map(git2::Blob::content).unwrap_or_default());
        for hunk in 0..patch.num_hunks() {
            places.push(image.take(&Hunk::read(&patch, hunk)?));
        }
    }
    Ok(renumbered(text, &places))
}

/// What a hunk says of a file, as lines with their ends.
struct Hunk {
    /// Its first line in the old file, and in the new one, from 1.
    starts: (usize, usize),
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
    /// It ends with lines that it leaves alone.
    trails: bool,
}

impl Hunk {
    fn read(patch: &Patch<'_>, number: usize) -> Result<Self, git2::Error> {
        let (place, lines) = patch.hunk(number)?;
        let starts = (place.old_start() as usize, place.new_start() as usize);
        let mut hunk = Self { starts, old: Vec::new(), new: Vec::new(), trails: false };
        for line in 0..lines {
            let line = patch.line_in_hunk(number, line)?;
            let (old, new) = match line.origin_value() {
                DiffLineType::Context => (true, true),
                DiffLineType::Deletion => (true, false),
                DiffLineType::Addition => (false, true),
                // The line before it has no end: one that goes, one that comes, or one that stays.
                end => {
                    let (of_old, of_new) = (end != DiffLineType::DeleteEOFNL, end != DiffLineType::AddEOFNL);
                    for line in hunk.old.last_mut().filter(|_| of_old).into_iter().chain(hunk.new.last_mut().filter(|_| of_new)) {
                        line.pop();
                    }
                    continue;
                }
            };
            hunk.trails = old && new;
            if old {
                hunk.old.push(line.content().to_vec());
            }
            if new {
                hunk.new.push(line.content().to_vec());
            }
        }
        Ok(hunk)
    }
}

/// A file while hunks are applied to it, one after the other.
struct Image {
    /// Lines with their ends, and whether a hunk was there already.
    lines: Vec<(Vec<u8>, bool)>,
    /// Lines that it has more (or less) than the old file.
    grown: isize,
}

impl Image {
    fn of(content: &[u8]) -> Self {
        Self { lines: content.split_inclusive(|byte| *byte == b'\n').map(|line| (line.to_vec(), false)).collect(), grown: 0 }
    }

    /// Applies a hunk where its old lines are, and returns where that is in the old file and in the new one, from 1; none where they are
    /// nowhere.
    fn take(&mut self, hunk: &Hunk) -> Option<(usize, usize)> {
        let at = self.find(hunk)?;
        let new = hunk.new.iter().map(|line| (line.clone(), true));
        self.lines.splice(at..at + hunk.old.len(), new);
        let before = at.checked_add_signed(-self.grown)?;
        self.grown += hunk.new.len().cast_signed() - hunk.old.len().cast_signed();
        Some((before + 1, at + 1))
    }

    /// The place nearest to the one that the hunk names, later ones first. What begins with the file must be at its beginning, what leaves
    /// nothing behind it must be at its end.
    fn find(&self, hunk: &Hunk) -> Option<usize> {
        let last = self.lines.len().checked_sub(hunk.old.len())?;
        let named = hunk.starts.1.saturating_sub(1).min(self.lines.len());
        if hunk.old.is_empty() {
            // Nothing tells where it belongs but what it names.
            return Some(named);
        }
        let fits = |at: usize| {
            let lines = &self.lines[at..at + hunk.old.len()];
            lines.iter().zip(&hunk.old).all(|((line, taken), old)| !taken && line == old)
        };
        let (first, last) = match (hunk.starts.0 <= 1, hunk.trails) {
            (true, true) => (0, 0),
            (true, false) if last > 0 => return None,
            (true, false) => (0, 0),
            (false, true) => (0, last),
            (false, false) => (last, last),
        };
        (first..=last).filter(|at| fits(*at)).min_by_key(|at| (at.abs_diff(named), *at < named))
    }
}

/// The text with other places in the headings of its hunks, in their order; none leaves what is there.
fn renumbered(text: &[u8], places: &[Option<(usize, usize)>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut places = places.iter();
    // Lines of a hunk that are still to come, old and new; and whether a heading may come.
    let (mut old, mut new, mut expecting, mut headed) = (0, 0, false, false);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if old > 0 || new > 0 {
            let (of_old, of_new) = match line.first() {
                Some(b'-') => (1, 0),
                Some(b'+') => (0, 1),
                Some(b'\\') => (0, 0),
                _ => (1, 1),
            };
            (old, new) = (usize::saturating_sub(old, of_old), usize::saturating_sub(new, of_new));
        } else if let Some(heading) = Heading::read(line).filter(|_| expecting) {
            (old, new) = (heading.old, heading.new);
            if let Some(Some((before, after))) = places.next() {
                out.extend_from_slice(format!("@@ -{before},{old} +{after},{new} @@").as_bytes());
                out.extend_from_slice(heading.rest);
                continue;
            }
        } else {
            headed |= line.starts_with(b"diff --git ");
            // Between hunks there is only what says that a line has no end.
            expecting = headed && line.starts_with(b"+++ ") || expecting && line.starts_with(b"\\");
        }
        out.extend_from_slice(line);
    }
    out
}

/// `@@ -1,2 +3,4 @@ rest`.
struct Heading<'a> {
    old: usize,
    new: usize,
    rest: &'a [u8],
}

impl<'a> Heading<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let inside = line.strip_prefix(b"@@ -")?;
        let end = inside.windows(3).position(|three| three == b" @@")?;
        let (old, new) = std::str::from_utf8(&inside[..end]).ok()?.split_once(" +")?;
        let count = |range: &str| range.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok());
        Some(Self { old: count(old)?, new: count(new)?, rest: &inside[end + 3..] })
    }
}
