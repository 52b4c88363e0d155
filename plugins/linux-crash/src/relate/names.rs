//! How near two functions' names are: one function under two names, relatives, or strangers. Pure.
//!
//! A bug moves between the functions of its code, and functions are renamed along history; what stays are the words that their names
//! are made of, above all the first, which in the kernel is nearly always the subsystem's or the object's.

use super::places;
use super::vocabulary;
use crate::skip;

/// How near two names are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Nearness {
    /// The same function, or one under an older or newer name.
    pub same: bool,
    /// Shared words by weight over all words, 0 to 1.
    pub words: f64,
    /// Weight of the first word where both begin with it, 0 to 1.
    pub first: f64,
}

/// Compares two names.
#[must_use]
pub fn nearness(one: &str, other: &str) -> Nearness {
    let (one, other) = (words(one), words(other));
    if one.is_empty() || other.is_empty() {
        return Nearness::default();
    }
    if one == other {
        return Nearness { same: true, words: 1.0, first: 1.0 };
    }
    let (one, other) = (each_once(one), each_once(other));
    let shared: f64 = one.iter().filter(|word| other.contains(word)).map(|word| weight(word)).sum();
    let only =
        |these: &[&str], those: &[&str]| these.iter().filter(|word| !those.contains(word)).map(|word| weight(word)).sum::<f64>();
    let all = shared + only(&one, &other) + only(&other, &one);
    Nearness {
        same: false,
        words: if all > 0.0 { shared / all } else { 0.0 },
        first: if one[0] == other[0] { weight(one[0]) } else { 0.0 },
    }
}

/// Without the repeated words, as in `<widget::Ring as widget::Queue>::push`, so that it does not matter which name comes first.
fn each_once(mut words: Vec<&str>) -> Vec<&str> {
    let all = words.clone();
    let mut place = 0..;
    words.retain(|word| place.next().is_some_and(|place: usize| !all[..place].contains(word)));
    words
}

/// The words of a name, without what distinguishes one function's faces: the compiler's clones, leading underscores, and words for
/// "the inner part", "with the lock held" or "second version".
#[must_use]
pub fn words(name: &str) -> Vec<&str> {
    let name = skip::base(name);
    let all: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let kept: Vec<&str> = all.iter().copied().filter(|word| !vocabulary::is_face(word)).collect();
    if kept.is_empty() { all } else { kept }
}

/// What a shared word says, 0 to 1: little if any subsystem has it, some if it is a subsystem's name, much if it is rarer.
#[must_use]
pub fn weight(word: &str) -> f64 {
    if vocabulary::is_plain(word) || word.len() < 2 || word.bytes().all(|byte| byte.is_ascii_digit()) {
        0.15
    } else if places::is_named(word) {
        0.5
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_of_one_function_are_one() {
        for (one, other) in [
            ("__gfn_to_rmap", "gfn_to_rmap"),
            ("refcount_sub_and_test_checked.isra.0", "refcount_sub_and_test_checked"),
            ("do_exit", "__do_exit"),
            ("__x64_sys_open", "sys_open"),
            ("foo_bar_v2", "foo_bar"),
            ("foo_locked", "foo"),
        ] {
            assert!(nearness(one, other).same, "{one} {other}");
        }
        assert!(!nearness("foo_get", "foo_put").same);
        assert!(!nearness("do_sys", "sys_do").same || words("do_sys") == words("sys_do"));
    }

    #[test]
    fn a_repeated_word_counts_alike_both_ways() {
        let (one, other) = ("<widget::Ring as widget::Queue>::push", "widget_poll");
        assert_eq!(nearness(one, other), nearness(other, one));
    }

    #[test]
    fn relatives_are_nearer_than_strangers() {
        let near = |one: &str, other: &str| nearness(one, other).words;
        assert!(near("btf_decl_tag_resolve", "btf_tag_resolve") > 0.6);
        assert!(near("io_poll_double_wake", "io_poll_remove_double") > near("io_poll_double_wake", "io_read"));
        assert!(near("tls_sk_proto_close", "sk_psock_unlink") < 0.1);
        assert!(nearness("vhost_net_stop_vq", "vhost_chr_write_iter").first > 0.4);
        assert!(nearness("get_foo", "get_bar").first < 0.2);
        assert_eq!(near("", "foo"), 0.0);
    }
}
