//! What a trial command's placeholders stand for. Pure.

use kbisect_core::commit::CommitId;
use sha2::Digest as _;
use sha2::Sha256;

/// The seed of trial `n` (from 1) at `commit`: the first 8 bytes, big-endian, of the SHA-256 of the job's seed (8 bytes,
/// big-endian), the commit's 20 bytes and `n` (8 bytes, big-endian).
pub fn trial_seed(job_seed: u64, commit: &CommitId, n: u64) -> u64 {
    let digest = Sha256::new().chain_update(job_seed.to_be_bytes()).chain_update(commit.as_bytes()).chain_update(n.to_be_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest.finalize()[..8]);
    u64::from_be_bytes(first)
}

/// A trial's command with `{trial_seed}` and `{commit}` filled in; each word stays one word.
pub fn fill(command: &[String], seed: u64, commit: &CommitId) -> Vec<String> {
    let (seed, commit) = (seed.to_string(), commit.to_string());
    command.iter().map(|word| word.replace("{trial_seed}", &seed).replace("{commit}", &commit)).collect()
}

#[cfg(test)]
mod tests;
