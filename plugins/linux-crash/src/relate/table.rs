//! Sorted names with a number each, as `build.rs` packs them. Pure.

/// Names, in order: each as how many bytes it begins with of the one before, how many follow, these, and its number.
#[derive(Debug)]
pub struct Table {
    /// The entries.
    pub bytes: &'static [u8],
    /// Where the entries that are written out whole are.
    pub blocks: &'static [u32],
    /// Entries from one of these to the next.
    pub every: usize,
}

impl Table {
    /// The place in the order and the number of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, u16)> {
        let first = |block: &u32| self.entries(*block).next().map(|(rest, _)| rest.1);
        let behind = self.blocks.partition_point(|block| first(block).is_some_and(|whole| whole <= name.as_bytes()));
        let block = behind.checked_sub(1)?;
        // How much of the name the entry before has; an entry that begins with more of that one than this lies before it, too.
        let mut common = 0;
        for (at, ((shared, rest), number)) in self.entries(self.blocks[block]).take(self.every).enumerate() {
            if shared > common {
                continue;
            }
            if shared < common {
                return None;
            }
            let wanted = &name.as_bytes()[common..];
            let equal = rest.iter().zip(wanted).take_while(|(one, other)| one == other).count();
            if equal == rest.len() && equal == wanted.len() {
                return Some((block * self.every + at, number));
            }
            common += equal;
        }
        None
    }

    /// The name at this place in the order, and its number.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<(String, u16)> {
        let block = *self.blocks.get(index / self.every)?;
        let mut name = Vec::new();
        let mut entries = self.entries(block);
        for ((shared, rest), _) in entries.by_ref().take(index % self.every) {
            name.truncate(shared);
            name.extend(rest);
        }
        let ((shared, rest), number) = entries.next()?;
        name.truncate(shared);
        name.extend(rest);
        Some((String::from_utf8(name).ok()?, number))
    }

    fn entries(&self, from: u32) -> impl Iterator<Item = ((usize, &'static [u8]), u16)> {
        let mut left = &self.bytes[from as usize..];
        std::iter::from_fn(move || {
            let (&[shared, length], rest) = left.split_first_chunk::<2>()?;
            let (rest, behind) = rest.split_at_checked(usize::from(length))?;
            let (number, behind) = behind.split_first_chunk::<2>()?;
            left = behind;
            Some(((usize::from(shared), rest), u16::from_le_bytes(*number)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE: Table = Table { bytes: b"\0\x02ab\x07\0\x02\x01c\x08\0\x01\x02ce\x09\0", blocks: &[0], every: 16 };
    static TWO: Table = Table { bytes: b"\0\x02ab\x07\0\x02\x01c\x08\0\0\x03ace\x09\0", blocks: &[0, 11], every: 2 };

    #[test]
    fn names_are_found_and_others_are_not() {
        for table in [&ONE, &TWO] {
            for (at, (name, number)) in [("ab", 7), ("abc", 8), ("ace", 9)].into_iter().enumerate() {
                assert_eq!(table.find(name), Some((at, number)), "{name}");
                assert_eq!(table.get(at), Some((name.to_owned(), number)));
            }
            for name in ["", "a", "aa", "abb", "abcd", "ac", "acd", "acf", "b"] {
                assert_eq!(table.find(name), None, "{name}");
            }
            assert_eq!(table.get(3), None);
        }
    }
}
