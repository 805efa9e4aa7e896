//! Tests the import rules on small crates with planted mistakes.

use std::fs;

use super::*;

/// A crate in a temporary folder.
struct Planted {
    folder: tempfile::TempDir,
}

impl Planted {
    fn new(files: &[(&str, &str)]) -> Planted {
        let folder = tempfile::tempdir().unwrap();
        for (path, source) in files {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, source).unwrap();
        }
        Planted { folder }
    }

    fn uses(&self) -> Vec<Use> {
        graph::uses(&Modules::read(&self.folder.path().join("lib.rs"), false).unwrap())
    }

    /// Returns the file name, line, rule and message of each broken layer rule.
    fn layers(&self) -> Vec<(String, usize, &'static str, String)> {
        let violations = layer_violations(&self.uses()).into_iter();
        violations
            .map(|violation| {
                let file = violation.place.file.strip_prefix(self.folder.path()).unwrap();
                (
                    file.display().to_string(),
                    violation.place.line,
                    violation.rule,
                    violation.message,
                )
            })
            .collect()
    }

    fn cycles(&self) -> Vec<String> {
        let violations = cycle_violations("planted", &graph::folders(&self.uses()));
        violations.into_iter().map(|violation| violation.message).collect()
    }
}

const ROOT: &str = "mod error;\nmod http;\nmod model;\nmod store;\npub use http::Response;\n";

fn with_store(source: &str) -> Planted {
    Planted::new(&[
        ("lib.rs", ROOT),
        ("error.rs", ""),
        ("http/mod.rs", "mod response; pub use response::Response;"),
        ("http/response.rs", "pub struct Response;"),
        ("model.rs", "use crate::error;"),
        ("store/mod.rs", "mod page;"),
        ("store/page.rs", source),
    ])
}

const MESSAGE: &str = "store must not use http; it may use error, model";

#[test]
fn a_forbidden_use_is_reported_with_its_line() {
    let violations = with_store("\nuse crate::{error::X, http::Response};").layers();
    let message = format!("{MESSAGE} (`crate::http::Response`)");
    assert_eq!(violations, [("store/page.rs".to_owned(), 2, "layer", message)]);
}

#[test]
fn inline_paths_macros_attributes_and_types_count() {
    for source in [
        "fn f() { crate::http::respond(); }",
        "fn f() { super::super::http::respond(); }",
        "fn f(_: &crate::http::Response) {}",
        "fn f() { println!(\"{}\", vec![crate::http::LIMIT][0]); }",
        "struct S { #[serde(with = \"crate::http::json\")] a: u8 }",
        "macro_rules! m { () => { $crate::http::respond() } }",
        "fn f() { use crate::http as web; }",
    ] {
        let violations = with_store(source).layers();
        assert_eq!(violations.len(), 1, "{source}");
        assert!(violations[0].3.starts_with(MESSAGE), "{source}: {}", violations[0].3);
    }
}

#[test]
fn a_use_through_a_re_export_counts_as_the_module_that_defines_the_item() {
    let violations = with_store("use crate::Response;").layers();
    assert_eq!(violations[0].3, format!("{MESSAGE} (`crate::Response`)"));
    let violations = with_store("use super::super::*;\nfn f() { Response::new() }").layers();
    assert_eq!(violations[0].3, format!("{MESSAGE} (`Response::new`)"));
}

#[test]
fn tests_may_use_everything() {
    let source = "#[cfg(test)]\nmod tests { use crate::http; }\n\
                  #[cfg(all(test, unix))]\nuse crate::http::Response;\n\
                  #[test]\nfn f() { crate::http::respond(); }";
    assert_eq!(with_store(source).layers(), []);
}

#[test]
fn allowed_uses_are_not_reported() {
    let source = "use crate::{error, model};\nuse aws_sdk_dynamodb::Client;\nuse super::Table;";
    assert_eq!(with_store(source).layers(), []);
}

#[test]
fn restricted_crates_are_reported() {
    let violations = with_store("use lambda_http::Body;").layers();
    assert_eq!(violations[0].2, "crate");
    assert!(
        violations[0]
            .3
            .starts_with("store must not use lambda_http; only http, openapi, runtime may")
    );
}

#[test]
fn an_unknown_module_must_be_added_to_the_table() {
    let planted = Planted::new(&[
        ("lib.rs", "mod error; mod novel;"),
        ("error.rs", ""),
        ("novel.rs", "use crate::error::Error;"),
    ]);
    let message = "novel is not in the table of layers; add it there (`crate::error::Error`)";
    assert_eq!(planted.layers()[0].3, message);
}

#[test]
fn a_cycle_of_three_is_printed_as_a_path() {
    let planted = Planted::new(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::X;"),
        ("b.rs", "\nfn f() { crate::c::g() }"),
        ("c/mod.rs", "mod deep;"),
        ("c/deep.rs", "\n\nuse crate::a;"),
        ("d.rs", "use crate::a; use crate::b; use crate::c;"),
    ]);
    let cycle = "planted: { a → b → c → a }; b in a.rs:1; c in b.rs:2; a in deep.rs:3";
    assert_eq!(planted.cycles(), [cycle]);
}

#[test]
fn siblings_within_a_folder_must_not_use_each_other_in_a_circle() {
    let planted = Planted::new(&[
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "mod a; mod b; pub use a::A; pub struct Shared;"),
        ("folder/a.rs", "use super::{Shared, b::B};"),
        ("folder/b.rs", "use super::A;"),
    ]);
    let cycle = "planted: folder::{ a → b → a }; b in a.rs:1; a in b.rs:1";
    assert_eq!(planted.cycles(), [cycle]);
}

#[test]
fn a_child_may_use_its_parent() {
    let planted = Planted::new(&[
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "mod a; pub use a::A; pub struct Shared;"),
        ("folder/a.rs", "use super::Shared;"),
    ]);
    assert_eq!(planted.cycles(), Vec::<String>::new());
}
