//! Checks that the number of stilted constructions in this repository does not exceed a ceiling.
#![allow(clippy::unwrap_used, reason = "tests")]

use xtask::prose::Checker;
use xtask::repository;

/// The number of stilted constructions in the whole repository. It may only fall.
const CEILING: usize = 64;

#[test]
fn stilted_constructions_only_become_fewer() {
    let root = repository::root().unwrap();
    let report = Checker::new().check(&root, std::slice::from_ref(&root)).unwrap();
    let count = report.hits.len();
    let hits: Vec<String> = report.hits.iter().map(ToString::to_string).collect();
    assert!(
        count <= CEILING,
        "{}\n\n{count} stilted constructions; the ceiling is {CEILING}. Rewrite the sentences that you \
         added. `cargo xtask prose <file>` lists those of a file.",
        hits.join("\n")
    );
    assert!(
        count * 20 >= CEILING * 19,
        "lower the ceiling to {count}: the constant CEILING in {} is {CEILING}",
        file!()
    );
}
