use proptest::prelude::*;

use super::*;

/// What a console says that gets everything in these pieces: the windows, and what is kept.
fn fed<'a>(markers: &[&str], pieces: impl IntoIterator<Item = &'a [u8]>) -> (Option<Vec<u8>>, Vec<u8>) {
    let markers: Vec<Vec<u8>> = markers.iter().map(|marker| marker.as_bytes().to_vec()).collect();
    let mut console = Console::new(&markers);
    for piece in pieces {
        console.feed(piece);
    }
    (console.take_window(), console.into_kept())
}

#[test]
fn without_a_marker_there_is_no_window() {
    assert_eq!(fed(&["BUG:"], [&b"all is well\nBUG"[..]]), (None, b"all is well\nBUG".to_vec()));
    assert_eq!(fed(&[], [&b"BUG: x"[..]]).0, None);
    assert_eq!(fed(&[""], [&b"BUG: x"[..]]).0, None);
}

#[test]
fn carriage_returns_are_dropped_and_other_bytes_are_not() {
    let (window, kept) = fed(&["BUG:"], [&b"a\r\n\0\xff\xfe\r\nBU"[..], b"\rG: x\r\n"]);
    assert_eq!(window.as_deref(), Some(&b"a\n\0\xff\xfe\nBUG: x\n"[..]));
    assert_eq!(Some(kept), window);
}

#[test]
fn a_window_begins_and_ends_at_lines_where_it_is_cut() {
    let line = |number: usize| format!("line {number:010}\n").into_bytes();
    let before: Vec<u8> = (0..20_000).flat_map(line).collect();
    let after: Vec<u8> = (0..100_000).flat_map(line).collect();
    let text = [&before[..], b"BUG: x\n", &after].concat();
    let window = fed(&["BUG:"], text.chunks(1000)).0.expect("a marker");
    let marker = window.windows(4).position(|part| part == b"BUG:").expect("the marker");
    assert!(marker <= BEFORE && marker > BEFORE - 16, "{marker}");
    assert!(window.len() <= WINDOW && window.len() > WINDOW - 32, "{}", window.len());
    assert!(window.starts_with(b"line ") && window.ends_with(b"\n"));
}

#[test]
fn an_endless_line_is_cut_all_the_same() {
    let text = [&vec![b'x'; 4 * BEFORE][..], b"BUG:", &vec![b'y'; 2 * WINDOW]].concat();
    let window = fed(&["BUG:"], text.chunks(7777)).0.expect("a marker");
    assert_eq!(window.len(), WINDOW);
    assert!(window[BEFORE..].starts_with(b"BUG:"));
}

#[test]
fn the_next_window_begins_after_the_last() {
    let mut console = Console::new(&[b"BUG:".to_vec()]);
    console.feed(b"boot\nBUG: one\ntrace\n");
    assert_eq!(console.take_window().as_deref(), Some(&b"boot\nBUG: one\ntrace\n"[..]));
    assert!(!console.hit());
    console.feed(b"quiet\n");
    assert_eq!(console.take_window(), None);
    console.feed(b"BUG: two\n");
    assert_eq!(console.take_window().as_deref(), Some(&b"quiet\nBUG: two\n"[..]));
}

#[test]
fn a_hundred_megabytes_are_kept_in_part() {
    let mut console = Console::new(&[b"BUG:".to_vec()]);
    let piece = vec![b'x'; 1 << 16];
    console.feed(b"the beginning\n");
    for _ in 0..1600 {
        console.feed(&piece);
    }
    console.feed(b"\nthe end\n");
    assert!(!console.hit());
    assert!(console.recent.capacity() < 4 << 20);
    let kept = console.into_kept();
    let told = format!("\n[kbisect: {} bytes left out]\n", 14 + (1600 << 16) + 9 - KEPT);
    assert!(kept.starts_with(b"the beginning\n") && kept.ends_with(b"\nthe end\n"));
    assert_eq!(kept.len(), KEPT + told.len());
    assert!(kept[HEAD..].starts_with(told.as_bytes()));
}

proptest! {
    /// Against the definition, on texts that are small but whose bounds are not reached …
    #[test]
    fn pieces_do_not_matter(text in "[ab\r\n]{0,60}", cuts in prop::collection::vec(0_usize..60, 0..8)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]);
        let plain = text.replace('\r', "").into_bytes();
        let hit = plain.windows(4).any(|part| part == b"abab") || plain.windows(3).any(|part| part == b"bb\n");
        prop_assert_eq!(fed(&["abab", "bb\n"], pieces), (hit.then(|| plain.clone()), plain));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// … and where they are: the window is the same in whatever pieces the text comes.
    #[test]
    fn pieces_do_not_matter_for_long_texts(start in 0_usize..400_000, sizes in prop::collection::vec(1_usize..300_000, 1..5)) {
        let mut text: Vec<u8> = (0..1_600_000_u32).map(|at| if at % 61 == 0 { b'\n' } else { b'.' }).collect();
        text[start..start + 4].copy_from_slice(b"BUG:");
        let whole = fed(&["BUG:"], [&text[..]]);
        let mut pieces = Vec::new();
        let mut rest = &text[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        prop_assert_eq!(fed(&["BUG:"], pieces), whole);
    }
}

proptest! {
    #[test]
    fn what_came_since_is_the_end_of_all(pieces in proptest::collection::vec("[a-z\n]{0,9}", 0..9), from in 0_usize..90) {
        let mut console = Console::new(&[]);
        pieces.iter().for_each(|piece| console.feed(piece.as_bytes()));
        let all = pieces.concat();
        prop_assert_eq!(console.length(), all.len() as u64);
        prop_assert_eq!(console.since(from as u64), &all.as_bytes()[from.min(all.len())..]);
    }
}
