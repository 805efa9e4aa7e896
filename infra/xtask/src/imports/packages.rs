//! Reads the packages of the repository from `cargo metadata`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::repository;

/// A package with its targets and its direct dependencies.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest: PathBuf,
    pub(super) targets: Vec<Target>,
    /// Names of direct dependencies, without those that only tests and benchmarks use.
    pub(super) dependencies: Vec<String>,
}

/// A library, a binary, a test or a benchmark.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) root_file: PathBuf,
    pub(super) is_test: bool,
}

/// Reads the packages of every workspace below `root`.
pub(super) fn read(root: &Path) -> Result<Vec<Package>, String> {
    let mut packages = Vec::new();
    for file in repository::files(root)? {
        let is_manifest = file.file_name().is_some_and(|name| name == "Cargo.toml");
        if is_manifest && repository::read(&file)?.lines().any(|line| line == "[workspace]") {
            packages.extend(workspace(&file)?);
        }
    }
    Ok(packages)
}

fn workspace(manifest: &Path) -> Result<Vec<Package>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata of {}: {error}", manifest.display()))?;
    list(&metadata, "packages")?.iter().map(package).collect()
}

fn package(value: &Value) -> Result<Package, String> {
    let mut targets = Vec::new();
    for target in list(value, "targets")? {
        let kinds = list(target, "kind")?;
        let has_kind = |kind: &str| kinds.iter().any(|value| value == kind);
        if !has_kind("custom-build") {
            targets.push(Target {
                name: text(target, "name")?,
                root_file: text(target, "src_path")?.into(),
                is_test: has_kind("test") || has_kind("bench"),
            });
        }
    }
    let dependencies = list(value, "dependencies")?.iter().filter(|d| d["kind"] != "dev");
    Ok(Package {
        name: text(value, "name")?,
        manifest: text(value, "manifest_path")?.into(),
        targets,
        dependencies: dependencies.map(|d| text(d, "name")).collect::<Result<_, _>>()?,
    })
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>, String> {
    value[field].as_array().ok_or_else(|| format!("cargo metadata has no {field}"))
}

fn text(value: &Value, field: &str) -> Result<String, String> {
    let text = value[field].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("cargo metadata has no {field}"))
}
