//! Checks that the repository follows the import rules. See `cargo xtask imports`.
#![allow(clippy::unwrap_used, reason = "tests")]

use xtask::{imports, repository};

#[test]
fn every_module_follows_the_import_rules() {
    let violations = imports::check(&repository::root().unwrap()).unwrap().violations;
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}\n\n{} violations", lines.join("\n"), lines.len());
}
