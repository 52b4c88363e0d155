//! QEMU's machine protocol, as much as it takes to end a machine. Owns the text form.

use std::time::Duration;

use tokio::io::AsyncBufReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::io::BufReader;
use tokio::net::UnixStream;

/// An emulator with nothing to do answers in milliseconds.
const LIMIT: Duration = Duration::from_secs(1);

/// Asks QEMU to end; says whether it took the request.
pub(super) async fn quit(stream: UnixStream) -> bool {
    let talk = async {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        lines.next_line().await.ok()??; // The greeting.
        for command in ["qmp_capabilities", "quit"] {
            writer.write_all(format!("{{\"execute\":\"{command}\"}}\n").as_bytes()).await.ok()?;
            loop {
                let answer: serde_json::Value = serde_json::from_str(&lines.next_line().await.ok()??).ok()?;
                // Events come in between.
                if answer.get("event").is_none() {
                    answer.get("return")?;
                    break;
                }
            }
        }
        Some(())
    };
    matches!(tokio::time::timeout(LIMIT, talk).await, Ok(Some(())))
}
