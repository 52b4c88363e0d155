//! A console as it comes: keeps a bounded part of it, and finds where a crash may have started.
//!
//! Pure: pieces of any size go in, in any division, and the same comes out. Owns the bounds of what is kept and of what
//! `classify` is given; knows no crash, only the classifiers' markers.

use std::collections::VecDeque;

use aho_corasick::AhoCorasick;

/// Most that is kept of a console.
pub const KEPT: usize = 16 << 20;
/// Most that `classify` is given.
pub const WINDOW: usize = 1 << 20;
/// Of which this much may lie before the first marker.
pub const BEFORE: usize = 128 << 10;

/// A whole console is read in pieces of this size.
const PIECE: usize = 64 << 10;

/// Kept from the beginning; the rest of [`KEPT`] is the end.
const HEAD: usize = 4 << 20;

/// One console.
#[derive(Debug)]
pub struct Console {
    /// None where there are no markers: nothing ever hits.
    markers: Option<AhoCorasick>,
    longest: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
    /// What came since the last window, cut to what a window may need.
    recent: Vec<u8>,
    /// Whether `recent` begins in the middle of a line.
    mid_line: bool,
    /// How far `recent` was searched.
    searched: usize,
    /// Where in `recent` the first marker begins.
    marker: Option<usize>,
    /// Bytes of the window that did not fit.
    overflow: u64,
}

impl Console {
    /// An empty console with these markers. Empty markers are ignored.
    pub fn new(markers: &[Vec<u8>]) -> Self {
        let markers: Vec<&Vec<u8>> = markers.iter().filter(|marker| !marker.is_empty()).collect();
        let longest = markers.iter().map(|marker| marker.len()).max().unwrap_or_default();
        // Building fails only for automata of more than 2^31 states.
        let markers = if markers.is_empty() { None } else { AhoCorasick::new(markers).ok() };
        Self {
            markers,
            longest,
            head: Vec::new(),
            tail: VecDeque::new(),
            left_out: 0,
            recent: Vec::new(),
            mid_line: false,
            searched: 0,
            marker: None,
            overflow: 0,
        }
    }

    /// Takes the next piece; carriage returns are dropped.
    pub fn feed(&mut self, piece: &[u8]) {
        if piece.contains(&b'\r') {
            let without: Vec<u8> = piece.split(|byte| *byte == b'\r').collect::<Vec<_>>().concat();
            self.take(&without);
        } else {
            self.take(piece);
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.keep(piece);
        if let Some(marker) = self.marker {
            let fits = (marker + WINDOW - BEFORE).saturating_sub(self.recent.len()).min(piece.len());
            self.recent.extend_from_slice(&piece[..fits]);
            self.overflow += (piece.len() - fits) as u64;
            return;
        }
        self.recent.extend_from_slice(piece);
        let from = self.searched.saturating_sub(self.longest.saturating_sub(1));
        let hit = self.markers.as_ref().and_then(|markers| markers.find(&self.recent[from..]));
        self.searched = self.recent.len();
        if let Some(hit) = hit {
            let marker = from + hit.start();
            self.forget(marker.saturating_sub(BEFORE));
            let marker = marker.min(BEFORE);
            self.marker = Some(marker);
            let most = marker + WINDOW - BEFORE;
            self.overflow = self.recent.len().saturating_sub(most) as u64;
            self.recent.truncate(most);
        } else if self.recent.len() > 4 * BEFORE {
            self.forget(self.recent.len() - BEFORE - self.longest);
        }
    }

    /// Drops the first `count` bytes of `recent`.
    fn forget(&mut self, count: usize) {
        if count > 0 {
            self.mid_line = self.recent[count - 1] != b'\n';
            self.recent.drain(..count);
            self.searched = self.searched.saturating_sub(count);
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let fits = piece.len().min(HEAD - self.head.len());
        self.head.extend_from_slice(&piece[..fits]);
        self.tail.extend(&piece[fits..]);
        let over = self.tail.len().saturating_sub(KEPT - HEAD);
        self.tail.drain(..over);
        self.left_out += over as u64;
    }

    /// Whether a marker was seen since the last window was taken.
    pub fn hit(&self) -> bool {
        self.marker.is_some()
    }

    /// What `classify` is to be given, if a marker was seen: at most [`BEFORE`] bytes before it and the rest of [`WINDOW`] after
    /// it, cut at line ends where something is left out. The next window begins after this one.
    pub fn take_window(&mut self) -> Option<Vec<u8>> {
        let marker = self.marker.take()?;
        let mut window = std::mem::take(&mut self.recent);
        if self.overflow > 0
            && let Some(end) = window[marker..].iter().rposition(|byte| *byte == b'\n')
        {
            window.truncate(marker + end + 1);
        }
        if self.mid_line
            && let Some(end) = window[..marker].iter().position(|byte| *byte == b'\n')
        {
            window.drain(..=end);
        }
        self.mid_line = self.overflow > 0 || window.last().is_some_and(|byte| *byte != b'\n');
        (self.searched, self.overflow) = (0, 0);
        Some(window)
    }

    /// How many bytes came so far.
    pub fn length(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64 + self.left_out
    }

    /// What came after the first `from` bytes, as far as it is kept.
    pub fn since(&self, from: u64) -> Vec<u8> {
        let head = usize::try_from(from).map_or(self.head.len(), |from| from.min(self.head.len()));
        let gone = self.head.len() as u64 + self.left_out;
        let tail = usize::try_from(from.saturating_sub(gone)).map_or(self.tail.len(), |from| from.min(self.tail.len()));
        self.head[head..].iter().chain(self.tail.range(tail..)).copied().collect()
    }

    /// The console for the record: all of it up to [`KEPT`], else its beginning and its end with a line that says what is missing.
    pub fn into_kept(self) -> Vec<u8> {
        let mut kept = self.head;
        if self.left_out > 0 {
            kept.extend_from_slice(format!("\n[kbisect: {} bytes left out]\n", self.left_out).as_bytes());
        }
        kept.extend(self.tail);
        kept
    }
}

/// The parts of a whole console that `classify` is to be given, each with the offset at which it begins. Carriage returns must be
/// gone.
pub fn windows(console: &[u8], markers: &[Vec<u8>]) -> Vec<(usize, Vec<u8>)> {
    let mut reader = Console::new(markers);
    let mut windows = Vec::new();
    let mut read = 0;
    for piece in console.chunks(PIECE) {
        reader.take(piece);
        read += piece.len();
        // Taken before anything overflows, so that each window ends where reading stands.
        let full = reader.marker.is_some_and(|marker| reader.recent.len() + PIECE > marker + WINDOW - BEFORE);
        if full || read == console.len() {
            windows.extend(reader.take_window().map(|window| (read - window.len(), window)));
        }
    }
    windows
}

#[cfg(test)]
mod tests;
