//! Which of syzkaller's executors the crashing task was.

/// Reads `Comm: syz.3.456` as `proc=3, id=456`; none for any other task.
#[must_use]
pub fn of(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("Comm: syz.")?;
    let (process, rest) = number(rest)?;
    let (id, _) = number(rest.strip_prefix('.')?)?;
    Some(format!("proc={process}, id={id}"))
}

/// The digits that a text begins with, and what follows them.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executors_carry_their_number() {
        assert_eq!(of("CPU: 0 PID: 12 Comm: syz.3.456 Not tainted").as_deref(), Some("proc=3, id=456"));
        assert_eq!(of("task:syz.1.4561      state:R  running task"), None);
        assert_eq!(of("CPU: 0 PID: 12 Comm: syz-executor.3 Not tainted"), None);
        assert_eq!(of("Comm: syz.3"), None);
    }
}
