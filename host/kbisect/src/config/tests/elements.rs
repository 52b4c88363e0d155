use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[test]
fn durations_are_read_as_people_write_them() {
    let seconds = |text| duration::parse(text).map(|duration| duration.as_secs_f64());
    assert_eq!(seconds("90s"), Ok(90.0));
    assert_eq!(seconds(" 5m "), Ok(300.0));
    assert_eq!(seconds("8h"), Ok(28_800.0));
    assert_eq!(seconds("1h30m"), Ok(5_400.0));
    assert_eq!(seconds("2d"), Ok(172_800.0));
    assert_eq!(seconds("500ms"), Ok(0.5));
    for wrong in [
        "",
        "5",
        "m",
        "5 m",
        "5min",
        "30m1h",
        "1s1s",
        "-5m",
        "1.5h",
        "٥m",
        "99999999999999999999s",
        "9999999999h",
        "0s",
        "366001d",
    ] {
        assert!(seconds(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn sizes_are_read_as_people_write_them() {
    assert_eq!(size::parse("2G"), Ok(2 << 30));
    assert_eq!(size::parse("512M"), Ok(512 << 20));
    assert_eq!(size::parse("1TiB"), Ok(1 << 40));
    assert_eq!(size::parse("10KB"), Ok(10 << 10));
    assert_eq!(size::parse(" 4096 "), Ok(4096));
    for wrong in ["", "G", "2g", "2 G", "2GG", "1.5G", "-1", "0", "0G", "20000000T", "99999999999999999999", "2iB2"] {
        assert!(size::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(size::rounded(3_650_722_202), "3.4G");
    assert_eq!(size::rounded(12), "less than 1M");
}

#[test]
fn places_count_characters() {
    let place = |offset| Place::of("ab\nçd\n", offset);
    assert_eq!(place(0), Place { line: 1, column: 1 });
    assert_eq!(place(3), Place { line: 2, column: 1 });
    assert_eq!(place(5), Place { line: 2, column: 2 });
    assert_eq!(place(7), Place { line: 3, column: 1 });
    assert_eq!(place(99), Place { line: 3, column: 1 });
}

proptest! {
    #[test]
    fn a_duration_survives_writing(millis in 1_u64..86_400_000_000) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(duration::parse(&duration::format(duration)), Ok(duration));
    }

    #[test]
    fn a_size_survives_writing(size in 1_u64.., shift in 0_u32..60) {
        let size = (size >> shift).max(1);
        prop_assert_eq!(size::parse(&size::format(size)), Ok(size));
    }

    #[test]
    fn a_round_size_survives_writing(size in 1_u64..1 << 20, shift in 0_u32..5) {
        let size = size << (10 * shift).min(43);
        prop_assert_eq!(size::parse(&size::format(size)), Ok(size));
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC*") {
        let _ = duration::parse(&text);
        let _ = size::parse(&text);
    }
}
