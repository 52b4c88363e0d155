//! Consoles that are put together from several sources: only whole lines of each are handed on, so that none tears another's apart.

use tokio::sync::mpsc;

/// A line that is longer is handed on in parts.
const LONGEST: usize = 64 << 10;

/// Cuts pieces at the ends of lines.
#[derive(Debug, Default)]
pub(super) struct WholeLines {
    partial: Vec<u8>,
}

impl WholeLines {
    /// Takes a piece; the whole lines that there are now, with their ends. May be empty.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Vec<u8> {
        self.partial.extend_from_slice(piece);
        let end = match self.partial.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if self.partial.len() > LONGEST => self.partial.len(),
            None => 0,
        };
        let rest = self.partial.split_off(end);
        std::mem::replace(&mut self.partial, rest)
    }

    /// What is left at the end, without the end of its line.
    pub(super) fn rest(self) -> Vec<u8> {
        self.partial
    }
}

/// Hands on whole lines until `from` ends.
pub(super) async fn forward(mut from: mpsc::Receiver<Vec<u8>>, to: mpsc::Sender<Vec<u8>>) {
    let mut lines = WholeLines::default();
    while let Some(piece) = from.recv().await {
        let whole = lines.feed(&piece);
        // A trial that listens no more does not stop the guest.
        if !whole.is_empty() {
            let _ = to.send(whole).await;
        }
    }
    let rest = lines.rest();
    if !rest.is_empty() {
        let _ = to.send(rest).await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_lines_stay_whole(pieces in proptest::collection::vec("[a-b\n]{0,9}", 0..9)) {
            let mut lines = WholeLines::default();
            let mut seen = String::new();
            for piece in &pieces {
                let whole = String::from_utf8(lines.feed(piece.as_bytes())).expect("ASCII");
                prop_assert!(whole.is_empty() || whole.ends_with('\n'));
                seen += &whole;
            }
            let rest = String::from_utf8(lines.rest()).expect("ASCII");
            prop_assert!(!rest.contains('\n'));
            prop_assert_eq!(seen + &rest, pieces.concat());
        }
    }

    #[test]
    fn a_line_without_end_does_not_fill_memory() {
        let mut lines = WholeLines::default();
        let most = (0..100)
            .map(|_| {
                lines.feed(&[b'x'; 4096]);
                lines.partial.len()
            })
            .max();
        assert!(most <= Some(LONGEST + 4096));
    }
}
