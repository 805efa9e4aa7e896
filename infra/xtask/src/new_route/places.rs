//! Plans the edits of the files that a new route changes. The paths of these files are written only
//! here.

use std::path::Path;

use super::edits::{block, insert_after_last, insert_sorted, replace_once};
use super::{Edit, Method, PATTERN, Route, resource_name};
use crate::repository;

/// Folder of the function crates.
const FUNCTIONS: &str = "functions";
/// Manifest of the workspace, with the versions of all dependencies and the routes of `cargo lambda
/// watch`.
const WORKSPACE: &str = "Cargo.toml";
const TEMPLATE: &str = "template.yaml";
/// Manifest of the crate that links all functions.
const LOCAL_MANIFEST: &str = "infra/local/Cargo.toml";
/// List of all functions in the crate of `LOCAL_MANIFEST`.
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

/// Files of the new crate. Each is made from the file with the same path in the pattern's crate.
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

/// Replaces the pattern's name in each of its spellings. Fails if the text does not contain the
/// name.
fn renamed(text: &str, route: &Route) -> Result<String, String> {
    let pattern_crate = PATTERN.replace('-', "_");
    let renamed = text
        .replace(PATTERN, &route.name)
        .replace(&pattern_crate, &route.crate_name())
        .replace(&resource_name(PATTERN), &route.resource());
    if renamed == text { Err(format!("expected the name {PATTERN}")) } else { Ok(renamed) }
}

/// Returns the code of the pattern with a new module comment and the permission for the route's
/// method.
fn library(text: &str, route: &Route) -> Result<String, String> {
    let code: Vec<&str> = text.lines().skip_while(|line| line.starts_with("//!")).collect();
    let permission = route.method.permission().0;
    let code = replace_once(&code.join("\n"), "&[Permission::Read]", &format!("&[{permission}]"))?;
    Ok(format!("//! {route}\n//!\n//! Placeholder with the handler of `{PATTERN}`.\n{code}\n"))
}

/// Returns the pattern's description of the endpoint with a new summary.
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
    let methods = match route.method {
        Method::Get => "\"GET\", \"HEAD\"".to_owned(),
        other => format!("\"{}\"", other.name()),
    };
    let row =
        format!("  {{ path = \"{}\", methods = [{methods}], function = \"{name}\" }},", route.path);
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
    // Every GET route also has a HEAD route.
    let head = "        Head:\n          Type: HttpApi\n          Properties: { ApiId: !Ref Api, \
                Method: HEAD, Path: \"/customers/{id}\" }\n";
    let new_head = match route.method {
        Method::Get => head.replace("/customers/{id}", path),
        _ => String::new(),
    };
    resource = replace_once(&resource, head, &new_head)?;

    let next = text.find(&format!("\n  {USER_POOL}:\n")).ok_or_else(|| missing(USER_POOL))?;
    // A comment directly before a resource belongs to the resource.
    let position = text.get(..next).and_then(|before| before.rfind("\n\n"));
    let (before, after) = text.split_at(position.ok_or_else(|| missing(USER_POOL))? + 2);
    Ok(format!("{before}{resource}\n{after}"))
}

fn local_manifest(text: &str, route: &Route) -> Result<String, String> {
    const SUFFIX: &str = " = { workspace = true, features = [\"openapi\"] }";
    // In the dependencies, the function crates follow the other crates after a blank line.
    let first = text.find(&format!("\ncreate-customer{SUFFIX}"));
    let (before, functions) = text.split_at(first.ok_or("expected create-customer")? + 1);
    let functions = insert_sorted(
        functions,
        &format!("{}{SUFFIX}", route.name),
        |line| line.split([' ', '.']).next().filter(|_| line.contains("workspace = true")),
        &route.name,
    );
    Ok(format!("{before}{}", functions.ok_or("expected a list of functions")?))
}

fn local_registry(text: &str, route: &Route) -> Result<String, String> {
    let name = route.crate_name();
    let line = format!("    {name}::FUNCTION,");
    insert_sorted(text, &line, |line| line.trim().strip_suffix("::FUNCTION,"), &name)
        .ok_or_else(|| "expected a list of functions".to_owned())
}

/// Adds limits for the new function: a copy of the pattern's limits, until the function is
/// measured.
fn budget(text: &str, route: &Route) -> Result<String, String> {
    let limits = block(text, &format!("[functions.{PATTERN}]"));
    let limits = renamed(limits.ok_or_else(|| format!("expected limits of {PATTERN}"))?, route)?;
    let heading = format!("[functions.{}]", route.name);
    let next = text.lines().find(|line| line.starts_with("[functions.") && *line > &*heading);
    let position = next.and_then(|next| text.find(&format!("\n{next}\n")));
    Ok(match position {
        Some(position) => {
            let (before, after) = text.split_at(position + 1);
            format!("{before}{limits}\n{after}")
        }
        None => format!("{}\n\n{limits}", text.trim_end()),
    })
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

/// Replaces the rest of the line after the first occurrence of a key.
fn replace_value(text: &str, key: &str, value: &str) -> Result<String, String> {
    let (before, rest) = split_once(text, key)?;
    let (_, after) = split_once(rest, "\n")?;
    Ok(format!("{before}{key}{value}\n{after}"))
}
