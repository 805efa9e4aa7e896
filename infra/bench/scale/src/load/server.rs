//! The local server as `cargo run -- --memory` starts it, in a process of its own.

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
            None => built().await?,
        };
        let mut process = Command::new(&binary)
            .args(["--memory", "--port", "0"])
            .stdout(Stdio::piped())
            // A line a request.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", binary.display()))?;
        let output = process.stdout.take().context("its output")?;
        let (mut lines, mut url, mut token) = (BufReader::new(output).lines(), None, None);
        while let (Some(line), None) = (lines.next_line().await?, &token) {
            if let Some(rest) = line.strip_prefix("Customers API on ") {
                url = rest.split_whitespace().next().map(str::to_owned);
            }
            // Three parts in Base64.
            token = Some(line).filter(|line| line.starts_with("eyJ"));
        }
        // Its pipe has to stay open.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (url, token) = (url.context("an address")?, token.context("a token")?);
        Ok(Local { caller: Caller::new(url, token), process })
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}

async fn built() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut build = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    let build = build.current_dir(&root).args(["build", "--profile", PROFILE, "--bin", NAME]);
    ensure!(build.status().await?.success(), "the local server does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join(PROFILE).join(NAME))
}
