//! System calls as people name them: `socket(AF_ALG) → EAFNOSUPPORT`. Owns the names of x86-64's calls, of errors and of socket families.

use kbisect_core::reach::Call;

/// By number, from 0.
const NAMES: &str = include_str!("calls/names.txt");
/// By number, from [`NEWER_FROM`]: those that all architectures number alike.
const NEWER: &str = include_str!("calls/newer.txt");
const NEWER_FROM: u32 = 424;
/// By number, from 1.
const ERRORS: &str = include_str!("calls/errors.txt");

/// Socket families that depend on what a kernel has, or are common.
const FAMILIES: [(u32, &str); 30] = [
    (1, "AF_UNIX"),
    (2, "AF_INET"),
    (3, "AF_AX25"),
    (4, "AF_IPX"),
    (5, "AF_APPLETALK"),
    (6, "AF_NETROM"),
    (9, "AF_X25"),
    (10, "AF_INET6"),
    (11, "AF_ROSE"),
    (15, "AF_KEY"),
    (16, "AF_NETLINK"),
    (17, "AF_PACKET"),
    (21, "AF_RDS"),
    (24, "AF_PPPOX"),
    (26, "AF_LLC"),
    (29, "AF_CAN"),
    (30, "AF_TIPC"),
    (31, "AF_BLUETOOTH"),
    (33, "AF_RXRPC"),
    (34, "AF_ISDN"),
    (35, "AF_PHONET"),
    (36, "AF_IEEE802154"),
    (37, "AF_CAIF"),
    (38, "AF_ALG"),
    (39, "AF_NFC"),
    (40, "AF_VSOCK"),
    (41, "AF_KCM"),
    (43, "AF_SMC"),
    (44, "AF_XDP"),
    (45, "AF_MCTP"),
];

/// A call with its argument as the guest tells it, its error (0: none) and how often.
pub fn named(number: u32, argument: Option<&str>, errno: u32, count: u64) -> Call {
    let name = match number.checked_sub(NEWER_FROM) {
        Some(newer) => word(NEWER, newer),
        None => word(NAMES, number),
    };
    let name = name.map_or_else(|| format!("call {number}"), str::to_owned);
    let call = match argument {
        None => name,
        Some(argument) => format!("{name}({})", shown(&name, argument)),
    };
    let error = (errno > 0).then(|| error(errno));
    Call { call, error, count }
}

fn shown(name: &str, argument: &str) -> String {
    let number = argument.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(number) = number else { return argument.to_owned() };
    let family = FAMILIES.iter().find(|(family, _)| *family == number).map(|(_, family)| *family);
    match (name, family) {
        ("socket" | "socketpair", Some(family)) => family.to_owned(),
        ("ioctl" | "unshare" | "setns" | "clone", _) => argument.to_owned(),
        _ => number.to_string(),
    }
}

fn error(errno: u32) -> String {
    // Those from 512 on are the kernel's own: the call is made again.
    let name = errno.checked_sub(1).and_then(|place| word(ERRORS, place)).filter(|name| *name != "-");
    name.map_or_else(|| if (512..=516).contains(&errno) { "EINTR".to_owned() } else { format!("error {errno}") }, str::to_owned)
}

fn word(table: &'static str, place: u32) -> Option<&'static str> {
    table.split_ascii_whitespace().nth(place as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_names_that_people_know() {
        let told = |number, argument, errno| {
            let Call { call, error, .. } = named(number, argument, errno, 1);
            error.map_or(call.clone(), |error| format!("{call} → {error}"))
        };
        assert_eq!(told(41, Some("0x26"), 97), "socket(AF_ALG) → EAFNOSUPPORT");
        assert_eq!(told(41, Some("0xfe"), 0), "socket(254)");
        assert_eq!(told(16, Some("0xc0085520"), 25), "ioctl(0xc0085520) → ENOTTY");
        assert_eq!(told(257, Some("/dev/kvm"), 2), "openat(/dev/kvm) → ENOENT");
        assert_eq!(told(425, None, 38), "io_uring_setup → ENOSYS");
        assert_eq!(told(321, Some("0x5"), 1), "bpf(5) → EPERM");
        assert_eq!(told(0, None, 512), "read → EINTR");
        assert_eq!(told(400, None, 4000), "call 400 → error 4000");
        assert_eq!(told(334, None, 0), "rseq");
    }
}
