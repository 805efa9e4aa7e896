//! Reads the dependency tree of a function as it is deployed, and lists the banned crates in it.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Banned crates, each with the prefix of the banned versions. An empty prefix bans all versions.
///
/// Each of these crates is a sign that the default features of a dependency are enabled. AWS-LC
/// would also collect entropy from CPU jitter in every cold start.
const BANNED: [(&str, &str); 11] = [
    ("aws-lc-rs", ""),
    ("aws-lc-sys", ""),
    ("aws-sdk-sso", ""),
    ("aws-sdk-ssooidc", ""),
    ("http", "0.2."),
    ("hyper", "0.14."),
    ("native-tls", ""),
    ("openssl", ""),
    ("openssl-sys", ""),
    ("rsa", ""),
    ("rustls", "0.21."),
];

/// Names and versions of all dependencies of a package, direct and indirect.
#[derive(Debug)]
pub(crate) struct Tree(BTreeSet<(String, String)>);

impl Tree {
    /// Reads the dependency tree of one package, including build scripts and macros. Ignores the
    /// features that other members of the workspace enable.
    pub(crate) fn of(manifest: &str, package: &str) -> Result<Tree> {
        let run = Command::new("cargo")
            .args(["tree", "--manifest-path", manifest, "--package", package])
            .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
            .output()
            .context("cargo does not start")?;
        ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let output = String::from_utf8(run.stdout)?;
        let dependencies = output.lines().filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            let version = rest.split_whitespace().next()?;
            (name != package).then(|| (name.to_owned(), version.to_owned()))
        });
        Ok(Tree(dependencies.collect()))
    }

    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Returns the banned crates in the tree, each as its name and version.
    pub(crate) fn banned(&self) -> Vec<String> {
        let is_banned = |name: &str, version: &str| {
            BANNED.iter().any(|(banned, prefix)| name == *banned && version.starts_with(prefix))
        };
        let banned = self.0.iter().filter(|(name, version)| is_banned(name, version));
        banned.map(|(name, version)| format!("{name} {version}")).collect()
    }
}
