//! Checks that a new route is added to a copy of the repository. The copy is not compiled.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use xtask::new_route::{Method, Route, create};
use xtask::repository;

fn copy() -> TempDir {
    let root = repository::root().unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in repository::files(&root).unwrap() {
        let target = copy.path().join(file.strip_prefix(&root).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
    copy
}

fn read(root: &TempDir, path: &str) -> String {
    fs::read_to_string(root.path().join(path)).unwrap()
}

fn added_lines(root: &TempDir, path: &str) -> Vec<String> {
    let before = fs::read_to_string(repository::root().unwrap().join(path)).unwrap();
    let after = read(root, path);
    assert_eq!(before.lines().filter(|line| !after.contains(line)).count(), 0, "{path} lost lines");
    let mut old = before.lines().peekable();
    let mut added = Vec::new();
    for line in after.lines() {
        if old.peek() == Some(&line) {
            old.next();
        } else {
            added.push(line.to_owned());
        }
    }
    assert_eq!(old.next(), None, "{path} changed in another way");
    added
}

/// Returns the metadata of the packages as JSON, as `cargo metadata` reads it.
fn packages(root: &Path) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_new_route_is_listed_everywhere() {
    let root = copy();
    let route = Route::new(Method::Post, "/customers/{id}/risk-notes", "create-note").unwrap();
    let written = create(root.path(), &route).unwrap();
    assert_eq!(written.len(), 10);

    for file in ["src/lib.rs", "src/main.rs", "src/openapi.rs"] {
        syn::parse_file(&read(&root, &format!("functions/create-note/{file}"))).unwrap();
    }
    let library = read(&root, "functions/create-note/src/lib.rs");
    assert!(library.starts_with("//! POST /customers/{id}/risk-notes\n//!\n"), "{library}");
    assert!(library.contains("&[Permission::Create];"), "{library}");
    assert!(
        read(&root, "functions/create-note/src/main.rs").contains("run(create_note::FUNCTION)")
    );
    let description = read(&root, "functions/create-note/src/openapi.rs");
    assert!(description.contains("Endpoint::new(\"Create note\", "), "{description}");
    assert!(packages(root.path()).contains("\"name\":\"create-note\""));

    let row = "  { path = \"/customers/{id}/risk-notes\", methods = [\"POST\"], function = \"create-note\" },";
    let dependency = "create-note = { path = \"functions/create-note\" }";
    assert_eq!(added_lines(&root, "Cargo.toml"), [dependency, row]);
    let linked = "create-note = { workspace = true, features = [\"openapi\"] }";
    assert_eq!(added_lines(&root, "infra/local/Cargo.toml"), [linked]);
    assert_eq!(added_lines(&root, "infra/local/src/functions.rs"), ["    create_note::FUNCTION,"]);
    let readme = "| `POST /customers/{id}/risk-notes` | create note | `kyc:create` |";
    assert_eq!(added_lines(&root, "README.md"), [readme]);
    let budget = read(&root, "infra/bench/cold/budget.toml");
    assert!(budget.contains("\n\n[functions.create-note]\nzipped = "), "{budget}");
    assert!(budget.find("[functions.create-note]") < budget.find("[functions.create-session]"));
}

#[test]
fn the_template_has_the_function_with_its_route() {
    let root = copy();
    let route = Route::new(Method::Delete, "/notes/{note_id}", "delete-note").unwrap();
    create(root.path(), &route).unwrap();
    let template: yaml_serde::Value = yaml_serde::from_str(&read(&root, "template.yaml")).unwrap();
    let function = &template["Resources"]["DeleteNote"];
    assert_eq!(function["Type"], "AWS::Serverless::Function");
    assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], "delete-note");
    let properties = &function["Properties"];
    assert_eq!(properties["CodeUri"], "functions/delete-note");
    assert_eq!(properties["Description"], "Delete note");
    assert!(properties["Policies"][0]["Statement"][0]["Condition"].is_mapping());
    let event = &properties["Events"]["Http"]["Properties"];
    assert_eq!(event["Method"], "DELETE");
    assert_eq!(event["Path"], "/notes/{note_id}");
    assert_eq!(properties["Events"].as_mapping().unwrap().len(), 1);
    assert!(template["Resources"]["GetCustomer"].is_mapping());
}

#[test]
fn a_route_with_get_has_one_with_head() {
    let root = copy();
    let route = Route::new(Method::Get, "/notes/{note_id}", "get-note").unwrap();
    create(root.path(), &route).unwrap();
    let template: yaml_serde::Value = yaml_serde::from_str(&read(&root, "template.yaml")).unwrap();
    let events = &template["Resources"]["GetNote"]["Properties"]["Events"];
    for (event, method) in [("Http", "GET"), ("Head", "HEAD")] {
        let properties = &events[event]["Properties"];
        assert_eq!(
            (&properties["Method"], &properties["Path"]),
            (&method.into(), &"/notes/{note_id}".into())
        );
    }
    let row = "  { path = \"/notes/{note_id}\", methods = [\"GET\", \"HEAD\"], function = \"get-note\" },";
    assert!(added_lines(&root, "Cargo.toml").contains(&row.to_owned()));
}

#[test]
fn nothing_is_written_if_the_route_or_the_function_exists() {
    let root = copy();
    let fails = |path, name| {
        let route = Route::new(Method::Get, path, name).unwrap();
        let error = create(root.path(), &route).unwrap_err();
        assert!(!root.path().join("functions/get-note").exists());
        error
    };
    let exists = fails("/notes", "get-customer");
    assert_eq!(exists, "functions/get-customer exists; choose another name");
    let exists = fails("/customers/{id}", "get-note");
    assert_eq!(exists, "template.yaml: the route GET /customers/{id} exists");
    let exists = fails("/customers", "get-note");
    assert_eq!(exists, "template.yaml: the route GET /customers exists");
}
