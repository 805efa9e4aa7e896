//! Starts the local server in its own process, like `cargo run -- --memory`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::api::Caller;

const PROFILE: &str = "ci";
const NAME: &str = "kyc-customers";

pub(crate) struct Local {
    pub(crate) caller: Caller,
    process: Child,
}

impl Local {
    pub(crate) async fn start(binary: Option<&Path>) -> Result<Local> {
        let binary = match binary {
            Some(binary) => binary.to_owned(),
            None => build().await?,
        };
        let mut process = Command::new(&binary)
            .args(["--memory", "--port", "0"])
            .stdout(Stdio::piped())
            // The server logs a line for every request to standard error.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", binary.display()))?;
        let output = process.stdout.take().context("the server has no standard output")?;
        let (mut lines, mut url, mut token) = (BufReader::new(output).lines(), None, None);
        while let (Some(line), None) = (lines.next_line().await?, &token) {
            if let Some(rest) = line.strip_prefix("Customers API on ") {
                url = rest.split_whitespace().next().map(str::to_owned);
            }
            // Every JWT begins with these characters.
            token = Some(line).filter(|line| line.starts_with("eyJ"));
        }
        // Keeps reading, so that the pipe stays open and the server never waits for a full one.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (url, token) = (
            url.context("the server did not print its address")?,
            token.context("the server did not print a token")?,
        );
        Ok(Local { caller: Caller::new(url, token), process })
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}

/// Builds the local server and returns the path of its binary.
async fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut build = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    build.current_dir(&root).args(["build", "--profile", PROFILE, "--bin", NAME]);
    ensure!(build.status().await?.success(), "the local server does not build");
    let target_dir = std::env::var_os("CARGO_TARGET_DIR");
    let target_dir = target_dir.map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target_dir.join(PROFILE).join(NAME))
}
