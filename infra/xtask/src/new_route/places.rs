//! The files that a new route changes. Their paths are written here and nowhere else.

use std::path::Path;

use super::edits::{block, insert_after_last, insert_sorted, replace_once};
use super::{Edit, PATTERN, Route, resource_name};
use crate::repository;

/// Folder of the function crates.
const FUNCTIONS: &str = "functions";
/// Versions of all dependencies, and the routes of `cargo lambda watch`.
const WORKSPACE: &str = "Cargo.toml";
const TEMPLATE: &str = "template.yaml";
/// Manifest of the crate that links all functions.
const LOCAL_MANIFEST: &str = "infra/local/Cargo.toml";
/// List of all functions in that crate.
const LOCAL_REGISTRY: &str = "infra/local/src/functions.rs";
/// Limits of size, dependencies and instructions for each function.
pub(super) const BUDGET: &str = "infra/bench/cold/budget.toml";
const README: &str = "README.md";

/// The resource of the template that follows the last function with a route.
const USER_POOL: &str = "UserPool";

/// Plans every edit without writing a file.
pub(super) fn plan(root: &Path, route: &Route) -> Result<Vec<Edit>, String> {
    let new_crate = format!("{FUNCTIONS}/{}", route.name);
    if root.join(&new_crate).exists() {
        return Err(format!("{new_crate} exists; choose another name"));
    }
    let mut edits = Vec::new();
    for (path, edit) in CRATE_FILES {
        let pattern = format!("{FUNCTIONS}/{PATTERN}/{path}");
        edits.push(edited(root, &pattern, &format!("{new_crate}/{path}"), *edit, route)?);
    }
    for (path, edit) in LISTS {
        edits.push(edited(root, path, path, *edit, route)?);
    }
    Ok(edits)
}

type EditText = fn(&str, &Route) -> Result<String, String>;

/// Files of the new crate, each made of the same file of the pattern.
const CRATE_FILES: &[(&str, EditText)] = &[
    ("Cargo.toml", renamed),
    ("src/main.rs", renamed),
    ("src/lib.rs", library),
    ("src/openapi.rs", description),
];

/// Files that list functions or routes.
const LISTS: &[(&str, EditText)] = &[
    (WORKSPACE, workspace),
    (TEMPLATE, template),
    (LOCAL_MANIFEST, local_manifest),
    (LOCAL_REGISTRY, local_registry),
    (BUDGET, budget),
    (README, readme),
];

fn edited(
    root: &Path,
    source: &str,
    target: &str,
    edit: EditText,
    route: &Route,
) -> Result<Edit, String> {
    let text = repository::read(&root.join(source))?;
    let text = edit(&text, route).map_err(|error| format!("{source}: {error}"))?;
    Ok(Edit { path: target.into(), text })
}

/// Replaces the pattern's name in each of its spellings.
fn renamed(text: &str, route: &Route) -> Result<String, String> {
    let pattern_crate = PATTERN.replace('-', "_");
    let renamed = text
        .replace(PATTERN, &route.name)
        .replace(&pattern_crate, &route.crate_name())
        .replace(&resource_name(PATTERN), &route.resource());
    if renamed == text { Err(format!("expected the name {PATTERN}")) } else { Ok(renamed) }
}

/// Keeps the code of the pattern below a new module comment.
fn library(text: &str, route: &Route) -> Result<String, String> {
    let code: Vec<&str> = text.lines().skip_while(|line| line.starts_with("//!")).collect();
    let permission = route.method.permission().0;
    let code = replace_once(
        &code.join("\n"),
        "Permission = Permission::Read",
        &format!("Permission = Permission::{permission}"),
    )?;
    Ok(format!("//! {route}\n//!\n//! Placeholder with the handler of `{PATTERN}`.\n{code}\n"))
}

/// Keeps the description of the pattern under a new summary.
fn description(text: &str, route: &Route) -> Result<String, String> {
    let (before, rest) = split_once(text, "Endpoint::new(\"")?;
    let (_, after) = split_once(rest, "\"")?;
    Ok(format!("{before}Endpoint::new(\"{}\"{after}", route.summary()))
}

fn workspace(text: &str, route: &Route) -> Result<String, String> {
    let name = &route.name;
    let with_dependency = insert_sorted(
        text,
        &format!("{name} = {{ path = \"{FUNCTIONS}/{name}\" }}"),
        |line| line.split_once(&format!(" = {{ path = \"{FUNCTIONS}/")).map(|(name, _)| name),
        name,
    )
    .ok_or("expected a list of the functions' paths")?;
    let row = format!(
        "  {{ path = \"{}\", methods = [\"{}\"], function = \"{name}\" }},",
        route.path,
        route.method.name()
    );
    insert_after_last(&with_dependency, &row, |line| line.starts_with("  { path = \"/"))
        .ok_or_else(|| "expected the routes of `cargo lambda watch`".to_owned())
}

fn template(text: &str, route: &Route) -> Result<String, String> {
    let missing = |name: &str| format!("expected the resource {name}, followed by an empty line");
    if block(text, &format!("  {}:", route.resource())).is_some() {
        return Err(format!("the resource {} exists; choose another name", route.resource()));
    }
    let (method, path) = (route.method.name(), &route.path);
    for path in [path.clone(), format!("\"{path}\"")] {
        if text.contains(&format!("Method: {method}, Path: {path} }}")) {
            return Err(format!("the route {route} exists"));
        }
    }
    let pattern_name = resource_name(PATTERN);
    let pattern = block(text, &format!("  {pattern_name}:"));
    let pattern = pattern.ok_or_else(|| missing(&pattern_name))?;
    let mut resource = renamed(pattern, route)?;
    resource = replace_value(&resource, "      Description: ", &route.summary())?;
    resource = replace_once(
        &resource,
        "Method: GET, Path: \"/customers/{id}\" }",
        &format!("Method: {method}, Path: \"{path}\" }}"),
    )?;

    let next = text.find(&format!("\n  {USER_POOL}:\n")).ok_or_else(|| missing(USER_POOL))?;
    // The comment before a resource belongs to it.
    let position = text.get(..next).and_then(|before| before.rfind("\n\n"));
    let (before, after) = text.split_at(position.ok_or_else(|| missing(USER_POOL))? + 2);
    Ok(format!("{before}{resource}\n{after}"))
}

fn local_manifest(text: &str, route: &Route) -> Result<String, String> {
    let suffix = " = { workspace = true, features = [\"openapi\"] }";
    let key = |line: &str| line.find([' ', '.']).filter(|_| line.contains("workspace = true"));
    let start =
        text.find(&format!("\ncreate-customer{suffix}")).ok_or("expected create-customer")?;
    let (before, functions) = text.split_at(start + 1);
    let line = format!("{}{suffix}", route.name);
    let functions = insert_sorted(functions, &line, |line| line.get(..key(line)?), &route.name);
    Ok(format!("{before}{}", functions.ok_or("expected the functions in order")?))
}

fn local_registry(text: &str, route: &Route) -> Result<String, String> {
    let name = route.crate_name();
    let key = |line: &'_ str| line.trim().strip_suffix("::FUNCTION,").map(str::len);
    insert_sorted(
        text,
        &format!("    {name}::FUNCTION,"),
        |line| line.trim().get(..key(line)?),
        &name,
    )
    .ok_or_else(|| "expected a list of functions".to_owned())
}

/// Copies the limits of the pattern, until they are measured.
fn budget(text: &str, route: &Route) -> Result<String, String> {
    let limits = block(text, &format!("[functions.{PATTERN}]"));
    let limits = renamed(limits.ok_or_else(|| format!("expected limits of {PATTERN}"))?, route)?;
    let heading = |line: &str| line.starts_with("[functions.") && line > limits.trim_end();
    let next = text.lines().find(|line| heading(line));
    let position = next.and_then(|next| text.find(next));
    let (before, after) = text.split_at(position.unwrap_or(text.len()));
    let separator = if after.is_empty() { "\n" } else { "" };
    let end = if after.is_empty() { "" } else { "\n" };
    Ok(format!("{before}{separator}{limits}{end}{after}"))
}

fn readme(text: &str, route: &Route) -> Result<String, String> {
    let summary = route.summary().to_lowercase();
    let row = format!("| `{route}` | {summary} | {} |", route.method.permission().1);
    let is_route = |line: &str| {
        let cell = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
        cell.is_some_and(|cell| cell.contains(" /"))
    };
    insert_after_last(text, &row, is_route).ok_or_else(|| "expected a table of routes".to_owned())
}

fn split_once<'a>(text: &'a str, separator: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(separator).ok_or_else(|| format!("expected {separator:?}"))
}

/// Replaces the rest of the line after a key.
fn replace_value(text: &str, key: &str, value: &str) -> Result<String, String> {
    let (before, rest) = split_once(text, key)?;
    let (_, after) = split_once(rest, "\n")?;
    Ok(format!("{before}{key}{value}\n{after}"))
}
