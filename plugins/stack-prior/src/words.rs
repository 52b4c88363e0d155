//! Words that a commit and the crash have in common: parts of the names of functions and files.

use std::collections::HashSet;

use kbisect_sdk::suspicion::CommitFacts;

use crate::target::Target;

/// Shorter words say nothing.
const SHORTEST: usize = 3;

/// Words that stand in so many names and subjects that they say nothing.
const EVERYWHERE: &str = "add fix use the for and remove make new support with from when not into init core kernel file don only all via \
function functions call calls code struct check error driver drivers sys read write open close release free alloc ioctl create destroy \
put get set start stop run handle handler process work update linux include net main common generic base util utils lock unlock move \
convert introduce allow rename handling case before after instead return value list data type name device dev test tests";

/// The words of a text, in lower case, each once.
#[must_use]
pub fn of(text: &str) -> HashSet<String> {
    let all = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    all.filter(|word| word.len() >= SHORTEST && !is_everywhere(word)).collect()
}

fn is_everywhere(word: &str) -> bool {
    EVERYWHERE.split(' ').any(|known| known == word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many words of the commit's subject are among the crash's. Where the crash shows functions only, the names of the files that the
/// commit touches count, too.
#[must_use]
pub fn in_common(target: &Target, commit: &CommitFacts) -> usize {
    common(target, commit).len()
}

/// These words, in alphabetical order.
#[must_use]
pub fn common(target: &Target, commit: &CommitFacts) -> Vec<String> {
    let mut said = of(&commit.subject);
    if !target.has_files() {
        for file in &commit.files {
            let name = file.rsplit_once('/').map_or(&file[..], |(_, name)| name);
            said.extend(of(name.rsplit_once('.').map_or(name, |(stem, _)| stem)));
        }
    }
    let mut common: Vec<String> = said.intersection(&target.words).cloned().collect();
    common.sort();
    common
}
