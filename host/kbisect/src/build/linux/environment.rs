//! What a build sees of the world: a few variables that are stated, and none of the caller's. Owns their list.
//!
//! A kernel's build reads dozens of variables, and what a shell happens to hold must not decide what is tested: the job file says it.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

/// Variables that would change a kernel's build, and the key of `[build]` that states it instead.
const LEFT_OUT: [(&str, Option<&str>); 22] = [
    ("ARCH", Some("arch")),
    ("CROSS_COMPILE", Some("cross_compile")),
    ("CC", Some("compiler")),
    ("HOSTCC", Some("make")),
    ("LD", Some("make")),
    ("LLVM", Some("toolchain")),
    ("LLVM_IAS", Some("make")),
    ("KCFLAGS", Some("kcflags")),
    ("KAFLAGS", Some("make")),
    ("KCPPFLAGS", Some("make")),
    ("CFLAGS_KERNEL", Some("make")),
    ("W", Some("make")),
    ("KBUILD_OUTPUT", None),
    ("KBUILD_EXTRA_SYMBOLS", None),
    ("KCONFIG_CONFIG", Some("config")),
    ("KCONFIG_ALLCONFIG", Some("fragments")),
    ("KBUILD_BUILD_TIMESTAMP", None),
    ("KBUILD_BUILD_USER", None),
    ("KBUILD_BUILD_HOST", None),
    ("LOCALVERSION", None),
    ("MAKEFLAGS", None),
    ("INSTALL_MOD_PATH", None),
];

/// What is said of variables that are set here and left out; one line each.
pub fn left_out() -> Vec<String> {
    left_out_of(&|name| env::var(name).ok())
}

fn left_out_of(get: &impl Fn(&str) -> Option<String>) -> Vec<String> {
    let told = |(name, key): &(&str, Option<&str>)| {
        let value = get(name).filter(|value| !value.is_empty())?;
        let instead = key.map_or_else(String::new, |key| format!("; state it with [build] `{key}` if it is meant"));
        Some(format!("{name}={value} is set here and not used{instead}"))
    };
    LEFT_OUT.iter().filter_map(told).collect()
}

/// All variables of a build. Its home is its folder for temporary files, so that no settings of the user's are read.
pub fn of_build(tmp: &Path, cache: Option<&Cache>) -> Vec<(OsString, OsString)> {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let mut all: Vec<(OsString, OsString)> =
        [("PATH", path), ("HOME", tmp.into()), ("TMPDIR", tmp.into())].map(|(name, value)| (name.into(), value)).into();
    let fixed = [
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
        ("SHELL", "/bin/sh"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        // Kernels of equal code are equal then.
        ("KBUILD_BUILD_TIMESTAMP", "@0"),
        ("KBUILD_BUILD_USER", "kbisect"),
        ("KBUILD_BUILD_HOST", "kbisect"),
        ("KBUILD_BUILD_VERSION", "1"),
        // Set and empty: no `+` for a tree that is no release.
        ("LOCALVERSION", ""),
        ("SOURCE_DATE_EPOCH", "0"),
    ];
    all.extend(fixed.map(|(name, value)| (name.into(), value.into())));
    all.extend(cache.into_iter().flat_map(Cache::variables));
    all
}

/// A compiler cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Its folder.
    pub dir: PathBuf,
}

impl Cache {
    /// ccache's settings: what counts is what files hold, and a checkout's times say nothing. In depend mode what is not in the cache
    /// costs no second run of the preprocessor, a third of a cold build; [`super::make::CACHED`] is for what that mode does not see.
    pub(super) fn variables(&self) -> Vec<(OsString, OsString)> {
        let sloppiness = "include_file_mtime,include_file_ctime,time_macros,locale,random_seed";
        [
            ("CCACHE_DIR", self.dir.clone().into_os_string()),
            // A file of settings that lies in the cache is a build's, and could name a program.
            ("CCACHE_CONFIGPATH", "/dev/null".into()),
            ("CCACHE_COMPILERCHECK", "content".into()),
            ("CCACHE_SLOPPINESS", sloppiness.into()),
            ("CCACHE_NOHASHDIR", "1".into()),
            ("CCACHE_DEPEND", "1".into()),
            ("CCACHE_MAXSIZE", "5G".into()),
            ("CCACHE_COMPRESS", "1".into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said_with_what_to_do() {
        let set = |name: &str| match name {
            "KCFLAGS" => Some("-O1".to_owned()),
            "KBUILD_OUTPUT" => Some("/tmp/out".to_owned()),
            "ARCH" => Some(String::new()),
            _ => None,
        };
        assert_eq!(
            left_out_of(&set),
            [
                "KCFLAGS=-O1 is set here and not used; state it with [build] `kcflags` if it is meant",
                "KBUILD_OUTPUT=/tmp/out is set here and not used"
            ]
        );
    }
}
