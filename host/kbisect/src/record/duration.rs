//! Durations as people read them and as Go prints them.

/// A duration as Go's `time.Duration` prints it, such as `2h54m13.1s`, `54.3s`, `0s`; from seconds, to a tenth of a second.
///
/// syzbot's logs have this form.
pub fn go(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0).round() as u64;
    let (minutes, tenths) = (tenths / 600, tenths % 600);
    let rest = match tenths % 10 {
        0 => format!("{}s", tenths / 10),
        tenth => format!("{}.{tenth}s", tenths / 10),
    };
    match (minutes / 60, minutes % 60) {
        (0, 0) => rest,
        (0, minutes) => format!("{minutes}m{rest}"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}"),
    }
}

/// A duration for people, such as `1 h 31 min`, `4:10 min`, `12.3 s`; from seconds.
pub fn short(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{:.1} s", seconds.max(0.0)),
        60..3600 => format!("{}:{:02} min", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A duration that is only a guess, such as `a few seconds`, `about 40 s`, `about 12 min`, `about 2.5 h`; from seconds.
pub fn about(seconds: f64) -> String {
    match seconds {
        ..10.0 => "a few seconds".to_owned(),
        ..90.0 => format!("about {} s", (seconds / 10.0).round() * 10.0),
        ..5400.0 => format!("about {} min", (seconds / 60.0).round()),
        _ => format!("about {} h", (seconds / 1800.0).round() / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_form() {
        for (seconds, text) in [
            (0.0, "0s"),
            (0.04, "0s"),
            (9.96, "10s"),
            (54.3, "54.3s"),
            (60.0, "1m0s"),
            (3600.0, "1h0m0s"),
            (10453.1, "2h54m13.1s"),
        ] {
            assert_eq!(go(seconds), text);
        }
    }

    #[test]
    fn form_for_people() {
        for (seconds, text) in [(0.0, "0.0 s"), (12.34, "12.3 s"), (250.0, "4:10 min"), (5460.0, "1 h 31 min")] {
            assert_eq!(short(seconds), text);
        }
    }

    #[test]
    fn guesses_are_rounded() {
        for (seconds, text) in [
            (0.0, "a few seconds"),
            (42.0, "about 40 s"),
            (94.0, "about 2 min"),
            (725.0, "about 12 min"),
            (5400.0, "about 1.5 h"),
            (7000.0, "about 2 h"),
        ] {
            assert_eq!(about(seconds), text);
        }
    }
}
