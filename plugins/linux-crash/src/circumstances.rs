//! What a report says beside title and stack that helps to tell whether another one is of the same bug: who made and freed the object,
//! which locks it is about, whose work it was, what the other stacks show. They become properties of the report; `wit/README.md` lists
//! their keys.

use kbisect_sdk::Property;

use crate::frames;
use crate::frames::Frame;
use crate::skip;
use crate::title;

/// Functions or locks that one property lists at most.
const MOST: usize = 24;

/// Stacks of another time, by the line that announces them, and the property that lists their functions.
const STORIES: &[(&str, &str)] = &[
    ("Allocated by task ", "allocated"),
    ("allocated by task ", "allocated"),
    ("Allocated in ", "allocated"),
    ("Uninit was created at:", "allocated"),
    ("Uninit was stored to memory at:", "stored"),
    ("Freed by task ", "freed"),
    ("freed by task ", "freed"),
    ("Freed in ", "freed"),
    ("Last potentially related work creation:", "queued"),
];

/// The properties of a report with these lines. `stacks` are those of the crash itself, `told` the functions reported of them.
#[must_use]
pub fn of(lines: &[&str], stacks: &[Vec<Frame<'_>>], told: &[String]) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut add = |key: &str, values: Vec<String>| {
        if !values.is_empty() {
            properties.push(Property { key: key.to_owned(), value: values.join(" ") });
        }
    };
    for key in ["allocated", "stored", "freed", "queued"] {
        add(key, story(lines, key));
    }
    let others = stacks.iter().flatten().map(|frame| title::function(frame.symbol)).filter(|name| !told.contains(name));
    add("stacks", first(others));
    let locks = lines.iter().filter_map(|line| lock(line));
    add("locks", first(locks));
    let takers = lines.iter().filter_map(|line| frames::lock(line)).map(|frame| title::function(frame.symbol));
    add("locked-in", first(takers));
    let work = lines.iter().find_map(|line| line.strip_prefix("Workqueue: ")?.split_whitespace().nth(1).map(str::to_owned));
    add("work", work.into_iter().collect());
    let cache = lines.iter().find_map(|line| line.split_once("belongs to the cache ")?.1.split_whitespace().next());
    add("cache", cache.into_iter().map(str::to_owned).collect());
    properties
}

/// The functions of the stacks behind the lines that announce this story, machinery left out.
fn story(lines: &[&str], key: &str) -> Vec<String> {
    let begins = |line: &&str| STORIES.iter().any(|(begin, of)| *of == key && line.contains(begin));
    let Some(from) = lines.iter().position(begins) else { return Vec::new() };
    let shown = lines[from + 1..].iter().map_while(|line| frames::frame(line)).filter(|frame| !frame.doubtful);
    first(shown.map(|frame| title::function(frame.symbol)))
}

/// The first of these, each once, without machinery.
fn first(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if kept.len() < MOST && !kept.contains(&name) && !skip::skipped(&name, "") {
            kept.push(name);
        }
    }
    kept
}

/// The class of the lock that a line of lockdep's names: `&group->lock` of `ffff888 (&group->lock){+...}-{2:2}, at: …`. What tells
/// instances of a class apart (`#2`, `/1`) is left out.
fn lock(line: &str) -> Option<String> {
    let (before, _) = line.split_once("){")?;
    let (_, class) = before.split_once('(')?;
    let end = class.find(['#', '/']).unwrap_or(class.len());
    let class = class[..end].trim();
    (!class.is_empty() && !class.contains(' ')).then(|| class.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_locks_and_work() {
        let text = "BUG: KASAN: use-after-free in pond_read+0x1/0x2\nWorkqueue: events pond_work\nAllocated by task 3:\n \
                    kmalloc+0x1/0x2\n pond_new+0x1/0x2\n pond_open+0x1/0x2\n\nFreed by task 4:\n kfree+0x1/0x2\n \
                    pond_drop+0x1/0x2\nwhich belongs to the cache pond_cache of size 8\n\
                    ffff8 (&pond->lock#2){+...}-{2:2}, at: pond_fill+0x1/0x2";
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let properties = of(&lines, &[], &[]);
        let value = |key: &str| properties.iter().find(|property| property.key == key).map(|property| property.value.as_str());
        assert_eq!(value("allocated"), Some("pond_new pond_open"));
        assert_eq!(value("freed"), Some("pond_drop"));
        assert_eq!(value("locks"), Some("&pond->lock"));
        assert_eq!(value("locked-in"), Some("pond_fill"));
        assert_eq!(value("work"), Some("pond_work"));
        assert_eq!(value("cache"), Some("pond_cache"));
        assert_eq!(value("stacks"), None);
    }
}
