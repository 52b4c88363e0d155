//! Test suites whose programs say that they could not test. Pure.
//!
//! Exit statuses are those of `tools/testing/selftests/kselftest.h` and of LTP's `include/tst_res_flags.h`, where they are bits.

use crate::config::job::Suite;
use crate::machine::Ended;

/// Of the kernel's selftests: expected failure, unexpected success, and what could not be tested.
const KSFT_XFAIL: i32 = 2;
const KSFT_XPASS: i32 = 3;
const KSFT_SKIP: i32 = 4;

/// Of LTP: failed, broke off, warned, not for this configuration.
const TFAIL: i32 = 1;
const TBROK: i32 = 2;
const TWARN: i32 = 4;
const TCONF: i32 = 32;

/// Why a suite's program could not tell, if it says so; `said` is what it wrote.
pub(super) fn cannot_tell(suite: Option<Suite>, ended: &Ended, said: impl FnOnce() -> Vec<u8>) -> Option<String> {
    let Ended::Code(code) = *ended else { return None };
    match suite? {
        Suite::Kselftest if code == KSFT_SKIP => Some("exit status 4: the selftest was skipped (KSFT_SKIP)".to_owned()),
        Suite::Kselftest if code == 0 => {
            skipped(&String::from_utf8_lossy(&said())).map(|why| format!("the selftest skipped all that it tests: {why}"))
        }
        Suite::Ltp if code & TFAIL == 0 && code & TCONF != 0 => {
            Some(format!("exit status {code}: the test is not for this configuration (TCONF)"))
        }
        Suite::Ltp if code & TFAIL == 0 && code & TBROK != 0 => {
            Some(format!("exit status {code}: the test broke off before it could tell (TBROK)"))
        }
        Suite::Kselftest | Suite::Ltp => None,
    }
}

/// Whether a status other than 0 is no failure either.
pub(super) fn passed(suite: Suite, code: i32) -> bool {
    match suite {
        Suite::Kselftest => [KSFT_XFAIL, KSFT_XPASS].contains(&code),
        Suite::Ltp => code == TWARN,
    }
}

/// Why everything was skipped that a KTAP text has results of, if it was: the first one's reason
/// (Documentation/dev-tools/ktap.rst). Nested results are part of others and do not count.
fn skipped(text: &str) -> Option<String> {
    let mut first = None;
    for line in text.lines().filter(|line| is_result(line)) {
        let reason = skip_reason(line)?;
        first.get_or_insert(reason);
    }
    first.map(str::to_owned)
}

/// Whether a line is `ok N …` or `not ok N …`.
fn is_result(line: &str) -> bool {
    let rest = line.strip_prefix("not ").unwrap_or(line).strip_prefix("ok ");
    rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// What follows `# SKIP`; the directive alone is `no reason is given`.
fn skip_reason(line: &str) -> Option<&str> {
    let (_, directive) = line.split_once(" # ")?;
    let word = directive.get(..4)?;
    let reason = directive[4..].trim();
    word.eq_ignore_ascii_case("skip").then_some(if reason.is_empty() { "no reason is given" } else { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(suite: Suite, code: i32, said: &str) -> Option<String> {
        cannot_tell(Some(suite), &Ended::Code(code), || said.as_bytes().to_vec())
    }

    #[test]
    fn selftests_that_are_skipped_are_told_from_those_that_pass() {
        let skip = "KTAP version 1\n1..2\nok 1 a # SKIP no such device\nnot ok 2 b # skip\n";
        assert_eq!(told(Suite::Kselftest, 0, skip), Some("the selftest skipped all that it tests: no such device".to_owned()));
        assert_eq!(told(Suite::Kselftest, 4, ""), Some("exit status 4: the selftest was skipped (KSFT_SKIP)".to_owned()));
        for text in
            ["", "ok 1 a # SKIP x\nok 2 b\n", "ok 1 a # SKIPPED? no\nnot ok 2 b\n", "ok 1 a\n  ok 1 c # SKIP x\n", "# SKIP x\n"]
        {
            assert_eq!(told(Suite::Kselftest, 0, text), None, "{text:?}");
        }
        assert_eq!(told(Suite::Kselftest, 1, skip), None);
        assert!(passed(Suite::Kselftest, 2) && passed(Suite::Kselftest, 3) && !passed(Suite::Kselftest, 1));
    }

    #[test]
    fn ltp_adds_bits_and_a_failure_wins() {
        for code in 0..64 {
            let told = told(Suite::Ltp, code, "");
            let expected = if code & 1 != 0 || code & 34 == 0 {
                None
            } else if code & 32 != 0 {
                Some("TCONF")
            } else {
                Some("TBROK")
            };
            assert_eq!(told.is_some(), expected.is_some(), "{code}");
            assert!(expected.is_none_or(|name| told.is_some_and(|told| told.contains(name))), "{code}");
        }
        assert!(passed(Suite::Ltp, 4) && !passed(Suite::Ltp, 5));
    }

    #[test]
    fn nobody_elses_statuses_mean_anything() {
        assert_eq!(cannot_tell(None, &Ended::Code(4), || unreachable!()), None);
        assert_eq!(cannot_tell(Some(Suite::Ltp), &Ended::TimeLimit, || unreachable!()), None);
    }
}
