//! Finding some hundred plain texts in a console at once.
//!
//! A plugin starts afresh for every call, so what is prepared for the search must cost next to nothing: a bit for each hash of
//! four bytes that a text begins with. Automata search no faster here, and took longer to build than most consoles to read.

/// Bytes of a text that are looked up.
const PREFIX: usize = 4;
/// Hashes have so many bits; with a few hundred texts one place in fifty is looked at twice.
const BITS: u32 = 14;

/// Texts to look for.
#[derive(Debug)]
pub struct Literals {
    /// One bit for each hash.
    begins: Vec<u64>,
    /// How each text begins, the text, and its place among those given; sorted.
    texts: Vec<(u32, &'static str, usize)>,
}

impl Literals {
    /// Prepares the search. Each text has at least four bytes; shorter ones are never found.
    pub fn new(texts: impl Iterator<Item = &'static str>) -> Self {
        let mut begins = vec![0; 1 << (BITS - 6)];
        let mut all: Vec<(u32, &'static str, usize)> = texts
            .enumerate()
            .filter_map(|(index, text)| Some((u32::from_le_bytes(*text.as_bytes().first_chunk::<PREFIX>()?), text, index)))
            .collect();
        all.sort_unstable();
        for (prefix, ..) in &all {
            let hash = hash(*prefix);
            begins[hash / 64] |= 1 << (hash % 64);
        }
        Self { begins, texts: all }
    }

    /// Every occurrence of a text: where it begins, and which of the texts it is. In the order of the places.
    pub fn find<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (usize, usize)> + 't {
        let places = text.windows(PREFIX).enumerate().filter(|(_, window)| {
            let hash = hash(prefix(window));
            self.begins[hash / 64] >> (hash % 64) & 1 == 1
        });
        places.flat_map(move |(at, window)| {
            let prefix = prefix(window);
            let first = self.texts.partition_point(|(other, ..)| *other < prefix);
            let alike = self.texts[first..].iter().take_while(move |(other, ..)| *other == prefix);
            alike.filter(move |(_, literal, _)| text[at..].starts_with(literal.as_bytes())).map(move |(.., index)| (at, *index))
        })
    }
}

/// The first four bytes as a number.
fn prefix(window: &[u8]) -> u32 {
    window.first_chunk().copied().map_or(0, u32::from_le_bytes)
}

/// Knuth's multiplicative hash.
fn hash(prefix: u32) -> usize {
    (prefix.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_occurrence() {
        let texts = ["BUG: ", "BUG: KASAN", "UG: K", "WARNING"];
        let found = |text: &str| Literals::new(texts.into_iter()).find(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found("a BUG: KASAN WARNING"), [(2, 0), (2, 1), (3, 2), (13, 3)]);
        assert_eq!(found("WARNIN"), []);
        assert_eq!(found("BU"), []);
    }
}
