//! Where functions of a kernel begin, by name, for those who want to see whether they run.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use object::Object as _;
use object::ObjectSection as _;
use object::read::ReadCache;

use super::object::Elf;
use super::object::beginnings;

/// Where a function is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At these addresses: static functions may have one name, and compilers make several of one.
    At(Vec<u64>),
    /// The file has the name, but no such function: it is a part of its callers.
    Inlined,
    /// Nothing has the name.
    Absent,
}

/// A function by name, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The name that was asked for.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// The part of a function that compilers move away because it hardly ever runs. It does not begin where the function does.
const COLD: &str = ".cold";

/// Looks for functions in a `vmlinux`. Names that compilers made of one (`name.isra.0`, `name.constprop.1`) count as it, and a name that
/// no symbol has is looked for as reports spell others: `sys_open` and `open` are `__x64_sys_open`, `ksys_open` and their like.
///
/// # Errors
///
/// Why the file tells nothing of functions.
pub fn locate(vmlinux: &Path, names: &[String]) -> Result<Vec<Located>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("its vmlinux cannot be read: {error}");
    let file = File::open(vmlinux).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "it has no vmlinux, or that made room".to_owned(),
        _ => unreadable(&error),
    })?;
    let cache = ReadCache::new(BufReader::new(file));
    let elf = Elf::parse(&cache).map_err(|error| unreadable(&error))?;
    let mut addresses: HashMap<&str, Vec<u64>> = HashMap::new();
    let all = beginnings(&elf);
    if all.is_empty() {
        return Err("its vmlinux has no symbols".to_owned());
    }
    for (name, address) in &all {
        if !name.contains(COLD) {
            addresses.entry(base(name)).or_default().push(*address);
        }
    }
    let wanted: HashSet<&str> = names.iter().map(|name| base(name)).filter(|name| !addresses.contains_key(name)).collect();
    for (symbol, address) in all.iter().filter(|(symbol, _)| !wanted.is_empty() && !symbol.contains(COLD)) {
        for name in told_as(symbol).iter().filter_map(|told| wanted.get(told.as_str())) {
            addresses.entry(name).or_default().push(*address);
        }
    }
    let missing: HashSet<&[u8]> = wanted.into_iter().filter(|name| !addresses.contains_key(name)).map(str::as_bytes).collect();
    // Whatever has a name stands there: variables, too, but a function of the stack is none.
    let strings =
        elf.section_by_name(".debug_str").filter(|_| !missing.is_empty()).and_then(|strings| strings.uncompressed_data().ok());
    let mentioned: HashSet<&[u8]> = match &strings {
        Some(strings) => strings.split(|byte| *byte == 0).filter(|name| missing.contains(name)).collect(),
        None => HashSet::new(),
    };
    let place = |name: &str| match addresses.get(name) {
        Some(addresses) => {
            let mut addresses = addresses.clone();
            addresses.sort_unstable();
            addresses.dedup();
            Place::At(addresses)
        }
        None if mentioned.contains(name.as_bytes()) => Place::Inlined,
        None => Place::Absent,
    };
    Ok(names.iter().map(|name| Located { name: name.clone(), place: place(base(name)) }).collect())
}

/// What reports call a function otherwise than by its symbol. The functions of a system call are named by what they have in common
/// (include/linux/syscalls.h and the architectures' syscall_wrapper.h put the rest before it), those of Rust are demangled.
fn told_as(symbol: &str) -> Vec<String> {
    if symbol.starts_with("_R") {
        return vec![super::demangled(symbol)];
    }
    let symbol = base(symbol);
    let Some((before, call)) = symbol.split_once("sys_") else { return Vec::new() };
    let before = before.strip_suffix("compat_").unwrap_or(before);
    let is_call = matches!(before, "" | "k" | "__") || before.len() > 3 && before.starts_with("__") && before.ends_with('_');
    if is_call { vec![format!("sys_{call}"), call.to_owned()] } else { Vec::new() }
}

/// A function's name without what a compiler added.
fn base(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
