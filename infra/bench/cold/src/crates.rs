//! What a function is made of: the crates of its dependency tree, as it is deployed, and those that
//! have no business there.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A crate, and how the versions begin that are banned; none is all of them. Each one means that
/// somebody's default features came along. AWS-LC would gather CPU jitter as entropy in every start.
const BANNED: [(&str, &str); 9] = [
    ("aws-lc-rs", ""),
    ("aws-lc-sys", ""),
    ("aws-sdk-sso", ""),
    ("aws-sdk-ssooidc", ""),
    ("hyper", "0.14."),
    ("native-tls", ""),
    ("openssl", ""),
    ("openssl-sys", ""),
    ("rustls", "0.21."),
];

/// Names and versions, without the package itself.
#[derive(Debug)]
pub(crate) struct Tree(BTreeSet<(String, String)>);

impl Tree {
    /// What is compiled for a package alone, build scripts and macros among it: what other members
    /// of its workspace want does not count.
    pub(crate) fn of(manifest: &str, package: &str) -> Result<Tree> {
        let run = Command::new("cargo")
            .args(["tree", "--manifest-path", manifest, "--package", package])
            .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
            .output()
            .context("cargo does not start")?;
        ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let crates = String::from_utf8(run.stdout)?;
        let crates = crates.lines().filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            let version = rest.split_whitespace().next()?;
            (name != package).then(|| (name.to_owned(), version.to_owned()))
        });
        Ok(Tree(crates.collect()))
    }

    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn banned(&self) -> Vec<String> {
        let is_banned = |name: &str, version: &str| {
            BANNED.iter().any(|(banned, begin)| name == *banned && version.starts_with(begin))
        };
        let found = self.0.iter().filter(|(name, version)| is_banned(name, version));
        found.map(|(name, version)| format!("{name} {version}")).collect()
    }
}
