//! Runs cargo and the repository's scripts.
#![allow(clippy::print_stderr, reason = "these are commands")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Path of the generated OpenAPI document.
const OPENAPI: &str = "infra/openapi.yaml";

/// Runs the checks before a commit: format, lints, unit tests, import rules and prose.
///
/// # Errors
/// Returns the name of the first step that fails.
pub fn quick(root: &Path) -> Result<(), String> {
    let steps: [&[&str]; 4] = [
        &["fmt", "--all", "--check"],
        &["clippy", "--quiet", "--", "-D", "warnings"],
        &["test", "--quiet", "--lib", "-p", "shared", "-p", "screening", "-p", "drawing"],
        &["test", "--quiet", "-p", "xtask", "--test", "imports", "--test", "prose"],
    ];
    for step in steps {
        let start = Instant::now();
        let title = format!("cargo {}", step.join(" "));
        run(cargo(root).args(step), &title)?;
        eprintln!("{title}: {:.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Runs every check of continuous integration.
///
/// # Errors
/// Fails if a check fails or the script `.ci/run` cannot be started.
pub fn check(root: &Path) -> Result<(), String> {
    run(Command::new(root.join(".ci/run")).current_dir(root), ".ci/run")
}

/// Updates the OpenAPI document from the code. If `compare` is true, only compares the file with
/// the code.
///
/// # Errors
/// Fails if the local server does not compile, if the file cannot be written, or if `compare` is
/// true and the file differs.
pub fn openapi(root: &Path, compare: bool) -> Result<(), String> {
    let mut command = cargo(root);
    command.args(["run", "--quiet", "--", "openapi"]).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cargo run: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo run -- openapi: {}", output.status));
    }
    let file = root.join(OPENAPI);
    let current = std::fs::read(&file).unwrap_or_default();
    if current == output.stdout {
        eprintln!("{OPENAPI} is up to date");
        return Ok(());
    }
    if compare {
        return Err(format!("{OPENAPI} is out of date; run `cargo xtask openapi`"));
    }
    std::fs::write(&file, output.stdout).map_err(|error| format!("{OPENAPI}: {error}"))?;
    eprintln!("{OPENAPI} is updated");
    Ok(())
}

/// Adds a new package to the lock files. Returns the manifests whose lock files cannot be updated
/// offline.
#[must_use]
pub fn update_locks(root: &Path) -> Vec<&'static str> {
    let manifests = ["Cargo.toml", "infra/bench/Cargo.toml", "tests/fuzz/Cargo.toml"];
    let fails = |manifest: &&str| {
        let mut command = cargo(root);
        command.args([
            "update",
            "--workspace",
            "--offline",
            "--quiet",
            "--manifest-path",
            manifest,
        ]);
        !command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    manifests.into_iter().filter(fails).collect()
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn run(command: &mut Command, title: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{title}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{title}: {status}")) }
}
