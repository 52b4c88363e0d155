//! Sums over what commits contain, for all commits of a range at once.

/// Strands whose reach is worked out in one pass, as words of 64.
const BLOCK_WORDS: usize = 4;
const BLOCK: usize = BLOCK_WORDS * 64;
/// Quantities below this are left out where merges are summed up: all of them together are still nothing.
const NEGLIGIBLE: f64 = 1e-12;

/// Commits in runs in which each has one parent, the one before, and is that one's only child: what contains one from outside of
/// the run contains all of it. Commits go by rank, parents before children.
#[derive(Debug)]
pub(crate) struct Strands {
    /// The strand of each commit, by rank.
    of: Vec<u32>,
    /// The strands of the parents of each strand's first commit.
    parents: Vec<Vec<u32>>,
    /// The strands that begin with a merge.
    merges: Vec<usize>,
}

impl Strands {
    /// The strands of commits with these parents, all by rank.
    pub(crate) fn new(parent_ranks: &[Vec<u32>]) -> Self {
        let mut children = vec![0_u32; parent_ranks.len()];
        for &parent in parent_ranks.iter().flatten() {
            children[parent as usize] += 1;
        }
        let mut of: Vec<u32> = Vec::with_capacity(parent_ranks.len());
        let (mut parents, mut merges) = (Vec::new(), Vec::new());
        for ranks in parent_ranks {
            let strand = match ranks[..] {
                [parent] if children[parent as usize] == 1 => of[parent as usize],
                _ => {
                    if ranks.len() > 1 {
                        merges.push(parents.len());
                    }
                    parents.push(ranks.iter().map(|&parent| of[parent as usize]).collect());
                    parents.len() as u32 - 1
                }
            };
            of.push(strand);
        }
        Self { of, parents, merges }
    }

    /// How many strands there are.
    pub(crate) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The strand of each commit, by rank. Strands are numbered parents first.
    pub(crate) fn of(&self) -> &[u32] {
        &self.of
    }

    /// The strands that a commit of this strand contains whole, without its own.
    pub(crate) fn contained(&self, strand: usize) -> Vec<bool> {
        let mut contained = vec![false; self.len()];
        contained[strand] = true;
        for strand in (0..=strand).rev() {
            if contained[strand] {
                for &parent in &self.parents[strand] {
                    contained[parent as usize] = true;
                }
            }
        }
        contained[strand] = false;
        contained
    }

    /// For each commit the sums of some quantities over the commits that it contains, itself included.
    pub(crate) fn contained_sums<const N: usize>(&self, quantities: &[[f64; N]]) -> Vec<[f64; N]> {
        let mut whole = vec![[0.0; N]; self.len()];
        for (&strand, quantities) in self.of.iter().zip(quantities) {
            whole[strand as usize] = add(whole[strand as usize], quantities);
        }
        let mut sums = self.sums_below(&whole);
        // From here on: with the commits of the strand that were met.
        let met = self.of.iter().zip(quantities).map(|(&strand, quantities)| {
            sums[strand as usize] = add(sums[strand as usize], quantities);
            sums[strand as usize]
        });
        met.collect()
    }

    /// For each strand the sums of some quantities over all strands that its first commit contains, itself left out. `whole` has each
    /// strand's own.
    ///
    /// What is below a merge is summed up for a block of strands at a time, sent up from parents to children, one bit each: n·s/64 word
    /// operations for n strands of which s have a quantity that is not nothing, and O(n) memory.
    pub(crate) fn sums_below<const N: usize>(&self, whole: &[[f64; N]]) -> Vec<[f64; N]> {
        let mut sums = vec![[0.0; N]; self.len()];
        self.sum_merges(whole, &mut sums);
        for strand in 0..self.len() {
            if let [parent] = self.parents[strand][..] {
                sums[strand] = add(sums[parent as usize], &whole[parent as usize]);
            }
        }
        sums
    }

    /// The sums over all that lies below each strand that begins with a merge.
    fn sum_merges<const N: usize>(&self, whole: &[[f64; N]], sums: &mut [[f64; N]]) {
        let Some(&last) = self.merges.last() else { return };
        let counts = |strand: &usize| whole[*strand].iter().any(|quantity| quantity.abs() > NEGLIGIBLE);
        let counted: Vec<usize> = (0..last).filter(counts).collect();
        let mut reach = vec![[0_u64; BLOCK_WORDS]; last + 1];
        for block in counted.chunks(BLOCK) {
            let bytes = subset_sums(&block.iter().map(|&strand| whole[strand]).collect::<Vec<[f64; N]>>());
            let mut members = block.iter().copied().enumerate().peekable();
            // Strands before the block cannot contain any of it: they are older.
            let start = block[0];
            for strand in start..=last {
                let mut bits = [0; BLOCK_WORDS];
                for &parent in self.parents[strand].iter().filter(|&&parent| parent as usize >= start) {
                    for (word, more) in bits.iter_mut().zip(reach[parent as usize]) {
                        *word |= more;
                    }
                }
                if self.parents[strand].len() > 1 {
                    let reached = bits.iter().flat_map(|word| word.to_le_bytes());
                    sums[strand] =
                        reached.zip(&bytes).fold(sums[strand], |sum, (byte, subsets)| add(sum, &subsets[usize::from(byte)]));
                }
                if let Some((place, _)) = members.next_if(|&(_, member)| member == strand) {
                    bits[place / 64] |= 1 << (place % 64);
                }
                reach[strand] = bits;
            }
        }
    }
}

/// Adds the one to the other, part by part.
pub(crate) fn add<const N: usize>(mut sum: [f64; N], more: &[f64; N]) -> [f64; N] {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
    sum
}

/// For each eight quantities, the sums over every subset of them.
fn subset_sums<const N: usize>(quantities: &[[f64; N]]) -> Vec<Vec<[f64; N]>> {
    let of_eight = |eight: &[[f64; N]]| {
        let mut sums = vec![[0.0; N]; 256];
        for subset in 1..256_usize {
            let lowest = subset.trailing_zeros() as usize;
            sums[subset] = add(sums[subset & (subset - 1)], eight.get(lowest).unwrap_or(&[0.0; N]));
        }
        sums
    };
    quantities.chunks(8).map(of_eight).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::simulate::Dice;

    /// More strands than fit into a few blocks, and many of them with nothing in them.
    #[test]
    fn sums_over_many_strands_are_sums_over_what_is_contained() {
        let mut dice = Dice::new(3);
        let mut parents: Vec<Vec<u32>> = Vec::new();
        for rank in 0..1500_usize {
            let near = |dice: &mut Dice| (rank - 1 - dice.below(rank.min(12))) as u32;
            let of = if rank == 0 { BTreeSet::new() } else { (0..=dice.below(3).min(1)).map(|_| near(&mut dice)).collect() };
            parents.push(of.into_iter().collect());
        }
        let quantities: Vec<[f64; 2]> =
            (0..parents.len()).map(|rank| [1.0, if dice.chance(0.6) { 0.0 } else { rank as f64 }]).collect();
        let strands = Strands::new(&parents);
        assert!(strands.parents.len() > 3 * BLOCK, "{}", strands.parents.len());
        let sums = strands.contained_sums(&quantities);
        let mut contained: Vec<BTreeSet<usize>> = Vec::new();
        for (rank, sum) in sums.iter().enumerate() {
            let mut inside: BTreeSet<usize> =
                parents[rank].iter().flat_map(|&parent| contained[parent as usize].clone()).collect();
            inside.insert(rank);
            for part in 0..2 {
                let expected: f64 = inside.iter().map(|&rank| quantities[rank][part]).sum();
                assert!((sum[part] - expected).abs() < 1e-6, "{rank}: {} for {expected}", sum[part]);
            }
            contained.push(inside);
        }
    }
}
