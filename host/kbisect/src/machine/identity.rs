//! Whether the kernel that runs is the one that was built: an image may hold a kernel of its own, and a command may boot another. Owns
//! the comparison of build ids; who reads them in the machine is the kinds' business.

use std::path::Path;

use kbisect_core::policy::Failure;
use kbisect_core::policy::Stage;

use crate::build::store;

/// What is known of the kernel that a machine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Its build id is that of the kernel that was built.
    Same,
    /// Build ids cannot tell, and why.
    Unknown(String),
    /// Nobody asked: nothing was booted, or a kernel that has no build ids.
    NotAsked,
}

/// Compares the build id that a machine tells, in hexadecimal, with that of the kernel in the folder `kernel`.
///
/// # Errors
/// They differ: the trial says nothing of its commit, and the host, not the commit, is to blame.
pub fn of(kernel: &Path, running: Option<String>) -> Result<Identity, Failure> {
    match (running, store::build_id(kernel)) {
        (Some(running), Some(built)) if running == built => Ok(Identity::Same),
        (Some(running), Some(built)) => {
            let reason = format!("the machine runs another kernel than the one that was built: build id {running}, not {built}");
            Err(Failure { stage: Stage::Infra, reason })
        }
        (_, None) => Ok(Identity::Unknown("the build leaves no vmlinux with a build id".to_owned())),
        (None, Some(_)) => Ok(Identity::Unknown("the kernel does not tell its build id in /sys/kernel/notes".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_kernel_is_the_hosts_fault_and_both_ids_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(of(folder.path(), Some("ab".to_owned())), Ok(Identity::Unknown(_))));
        std::fs::write(folder.path().join("build-id"), "ab").expect("a file");
        assert_eq!(of(folder.path(), Some("ab".to_owned())), Ok(Identity::Same));
        assert!(matches!(of(folder.path(), None), Ok(Identity::Unknown(_))));
        let failure = of(folder.path(), Some("cd".to_owned())).expect_err("another kernel");
        assert_eq!(failure.stage, Stage::Infra);
        assert!(failure.reason.ends_with("build id cd, not ab"), "{}", failure.reason);
    }
}
