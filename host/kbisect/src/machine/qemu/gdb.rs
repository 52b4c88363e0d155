//! GDB's remote protocol, as much as it takes to see which functions run: breakpoints, going on, and where the processor stands.
//!
//! Owns the packets' form (`$DATA#SUM`, each answered with `+`). QEMU stops the machine when somebody connects and says so when it
//! likes (signal 2), and stops all of its processors at a breakpoint (signal 5).

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// QEMU answers in microseconds; a host that is busy may take longer.
const ANSWER: Duration = Duration::from_secs(10);
/// No packet that is of interest is longer.
const LONGEST: usize = 16 << 10;
/// Which register of x86-64 says where the processor stands, in QEMU's order.
const RIP: usize = 16;

/// Why a machine stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// At this address.
    At(u64),
    /// For another reason, or nobody knows where.
    Otherwise,
    /// It has ended.
    Gone,
}

/// A connection to QEMU's debugger.
#[derive(Debug)]
pub(super) struct Gdb {
    stream: UnixStream,
    read: Vec<u8>,
}

impl Gdb {
    /// Connects to the socket `name` in a folder, however long its path is. The machine stands still from here on.
    pub(super) async fn connect(dir: &Path, name: &str) -> io::Result<Self> {
        let folder = std::fs::File::open(dir)?;
        let stream = UnixStream::connect(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd())).await?;
        let mut gdb = Self { stream, read: Vec::new() };
        gdb.send("?").await?;
        match timeout(ANSWER, gdb.packet()).await.map_err(|_| silent())?? {
            why if is_stop(&why) => Ok(gdb),
            other => Err(io::Error::other(format!("the debugger says `{other}`"))),
        }
    }

    /// Sets a hardware breakpoint; false where the processor has no more.
    pub(super) async fn set(&mut self, address: u64) -> io::Result<bool> {
        Ok(self.ask(&format!("Z1,{address:x},1")).await? == "OK")
    }

    /// Removes it.
    pub(super) async fn remove(&mut self, address: u64) -> io::Result<()> {
        self.ask(&format!("z1,{address:x},1")).await.map(drop)
    }

    /// Lets the machine run.
    pub(super) async fn go_on(&mut self) -> io::Result<()> {
        self.send("c").await
    }

    /// Waits until the machine stops.
    pub(super) async fn stopped(&mut self) -> io::Result<Stop> {
        loop {
            let packet = self.packet().await?;
            if is_breakpoint(&packet) {
                let registers = self.ask("g").await?;
                return Ok(address(&registers).map_or(Stop::Otherwise, Stop::At));
            }
            if packet.starts_with(['W', 'X']) {
                return Ok(Stop::Gone);
            }
            // That it stopped when we came.
        }
    }

    async fn ask(&mut self, question: &str) -> io::Result<String> {
        self.send(question).await?;
        loop {
            let answer = timeout(ANSWER, self.packet()).await.map_err(|_| silent())??;
            if !is_stop(&answer) {
                return Ok(answer);
            }
        }
    }

    async fn send(&mut self, data: &str) -> io::Result<()> {
        self.stream.write_all(packet(data).as_bytes()).await
    }

    async fn packet(&mut self) -> io::Result<String> {
        loop {
            if let Some((data, used)) = unpack(&self.read) {
                self.read.drain(..used);
                self.stream.write_all(b"+").await?;
                return Ok(data);
            }
            let mut piece = [0; 2048];
            match self.stream.read(&mut piece).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count if self.read.len() + count <= LONGEST => self.read.extend_from_slice(&piece[..count]),
                _ => return Err(io::Error::other("the debugger's answer is too long")),
            }
        }
    }
}

fn silent() -> io::Error {
    io::Error::other("the debugger does not answer")
}

/// Whether a packet says that the machine stopped.
fn is_stop(packet: &str) -> bool {
    packet.starts_with(['T', 'S'])
}

/// Whether it says that it stopped at a breakpoint.
fn is_breakpoint(packet: &str) -> bool {
    packet.starts_with("T05") || packet.starts_with("S05")
}

/// Data as a packet.
fn packet(data: &str) -> String {
    let sum = data.bytes().fold(0_u8, u8::wrapping_add);
    format!("${data}#{sum:02x}")
}

/// The first whole packet, and how many bytes it took with what was before it. Sockets lose nothing: sums are not looked at.
fn unpack(bytes: &[u8]) -> Option<(String, usize)> {
    let begin = bytes.iter().position(|byte| *byte == b'$')?;
    let end = begin + bytes[begin..].iter().position(|byte| *byte == b'#')?;
    (bytes.len() >= end + 3).then(|| (String::from_utf8_lossy(&bytes[begin + 1..end]).into_owned(), end + 3))
}

/// Where the processor stands, among its registers: 64 bits each in hexadecimal, the lowest byte first.
fn address(registers: &str) -> Option<u64> {
    let digits = registers.get(RIP * 16..(RIP + 1) * 16)?;
    u64::from_str_radix(digits, 16).ok().map(u64::swap_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_are_as_gdb_writes_them() {
        assert_eq!(packet("?"), "$?#3f");
        assert_eq!(packet("Z1,ffffffff81000000,1"), "$Z1,ffffffff81000000,1#cd");
        assert_eq!(unpack(b"++$OK#9a+$T05"), Some(("OK".to_owned(), 8)));
        for part in ["", "+", "$OK", "$OK#9"] {
            assert_eq!(unpack(part.as_bytes()), None, "{part}");
        }
        let registers = format!("{}{}{}", "00".repeat(16 * 8), "0010203081ffffff", "00".repeat(9));
        assert_eq!(address(&registers), Some(0xffff_ff81_3020_1000));
        assert_eq!(address("E01"), None);
        assert_eq!(address(&"x".repeat(400)), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_pieces_is_read_once(data in "[A-Za-z0-9;:]{0,40}", before in "[+]{0,3}", cut in 0_usize..60) {
            let whole = format!("{before}{}", packet(&data));
            let cut = cut.min(whole.len());
            prop_assert_eq!(unpack(&whole.as_bytes()[..cut]).is_some(), cut == whole.len());
            prop_assert_eq!(unpack(whole.as_bytes()), Some((data, whole.len())));
        }
    }
}
