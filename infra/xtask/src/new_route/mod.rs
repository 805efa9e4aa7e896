//! Adds a route: creates a function crate, and adds an entry to every list of functions and routes.
//!
//! The new function is a copy of `get-customer` under another name, so it follows the pattern of
//! the existing functions and compiles at once. The developer then replaces its handler. All edits
//! are planned before the first file is written, so an error in the plan leaves the repository
//! unchanged.

mod edits;
mod places;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The function whose files and entries are copied.
const PATTERN: &str = "get-customer";

/// An HTTP method that a route can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Method; 5] =
        [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

    fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Returns the permissions of the route in code and in `README.md`, as a starting point.
    fn permission(self) -> (&'static str, &'static str) {
        match self {
            Method::Get => ("Permission::Read", "`kyc:read`"),
            Method::Post => ("Permission::Create", "`kyc:create`"),
            Method::Put | Method::Patch => {
                ("Permission::Create, Permission::Update", "`kyc:create` or `kyc:update`")
            }
            Method::Delete => {
                ("Permission::Create, Permission::Delete", "`kyc:create` or `kyc:delete`")
            }
        }
    }
}

impl std::str::FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Method, String> {
        let method = Method::ALL.into_iter().find(|method| method.name() == text);
        method.ok_or_else(|| "must be GET, POST, PUT, PATCH or DELETE".to_owned())
    }
}

/// A route to add, with the name of its function.
#[derive(Debug)]
pub struct Route {
    method: Method,
    path: String,
    name: String,
}

impl Route {
    /// Creates a route after checking its path and name.
    ///
    /// # Errors
    /// Fails if the path does not have the form `/customers/{id}/notes` or the name does not have
    /// the form `list-notes`.
    pub fn new(method: Method, path: &str, name: &str) -> Result<Route, String> {
        let is_name = |text: &str, separator: char| {
            let is_word = |word: &str| {
                !word.is_empty()
                    && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            };
            text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split(separator).all(is_word)
        };
        let is_segment = |segment: &str| {
            let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            parameter.map_or_else(|| is_name(segment, '-'), |parameter| is_name(parameter, '_'))
        };
        let segments = path.strip_prefix('/');
        if !segments.is_some_and(|segments| segments.split('/').all(is_segment)) {
            return Err(format!("{path} is not a path; write it like /customers/{{id}}/notes"));
        }
        if !is_name(name, '-') {
            return Err(format!("{name} is not the name of a function; write it like list-notes"));
        }
        Ok(Route { method, path: path.to_owned(), name: name.to_owned() })
    }

    /// Returns the name of the crate in Rust code, such as `list_notes`.
    fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Returns the logical id of the function in the template, such as `ListNotes`.
    fn resource(&self) -> String {
        resource_name(&self.name)
    }

    /// Returns a first summary of the route, such as `List notes`.
    fn summary(&self) -> String {
        let words = self.name.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |first| {
            format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
        })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.path)
    }
}

fn resource_name(function: &str) -> String {
    let capitalized = function.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    capitalized.collect()
}

/// A new or changed file. The path is relative to the root.
struct Edit {
    path: PathBuf,
    text: String,
}

/// Creates the function crate of a route and adds the route to every list. Returns the paths of the
/// files that were written, relative to `root`.
///
/// # Errors
/// Fails without writing if the function or the route exists, or if a file does not have the
/// expected form. Also fails if a file cannot be written.
pub fn create(root: &Path, route: &Route) -> Result<Vec<PathBuf>, String> {
    let edits = places::plan(root, route)?;
    for edit in &edits {
        let file = root.join(&edit.path);
        let folder = file.parent().unwrap_or(root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, &edit.text))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(edits.into_iter().map(|edit| edit.path).collect())
}

/// Returns a numbered list of the steps that the developer of a new route still has to take.
#[must_use]
pub fn remaining_work(route: &Route) -> String {
    let name = &route.name;
    let mut steps = vec![
        format!(
            "functions/{name}/src/lib.rs: replace the handler. It is a copy of {PATTERN} and returns a customer, \
             or 404. Check PERMISSIONS."
        ),
        format!(
            "functions/{name}/src/openapi.rs: describe the operation, its answer and its errors."
        ),
        format!(
            "template.yaml, resource {}: write a description, and allow only the calls that the handler \
             makes. Log group, alarms and dashboard are shared by all functions of the API.",
            route.resource()
        ),
        "cargo xtask openapi: update infra/openapi.yaml.".to_owned(),
        format!("README.md, row `{route}`: say what the route does and which permission it needs."),
        "tests/api/matrix.rs: add a row to ROWS. `coverage` and `isolation` fail without it."
            .to_owned(),
        "tests/api/overload.rs: add a request to `requests_of_every_route`. Its count fails without \
         it."
            .to_owned(),
        "tests/api/policies.rs: add a request that uses each permission of the policy. \
         `every_permission_is_needed_and_none_is_missing` fails without it."
            .to_owned(),
        "tests/api/round_trips/rows.rs: add a row to ROWS with the calls to the table. \
         `every_route_has_a_budget` fails without it."
            .to_owned(),
        "tests/api/limits.rs: add a body to `valid_body`, if the route takes one.".to_owned(),
        format!(
            "tests/api: write tests of the route's own behaviour, for example in {}.rs.",
            route.crate_name()
        ),
        format!(
            "infra/bench/cold/src/case.rs: add an event for {name}. Then run `infra/bench/run budget \
             --update`: {} starts with the limits of {PATTERN}.",
            places::BUDGET
        ),
        "CHANGELOG.md: add a line.".to_owned(),
    ];
    let known = ["{id}", "{session_id}", "{alert_id}"];
    for parameter in route.path.split('/').filter(|s| s.starts_with('{') && !known.contains(s)) {
        steps.push(format!(
            "{parameter} is a new path parameter: add it to `Request` in shared/src/http/request.rs, to \
             `Ids` in tests/api/matrix.rs and to infra/schemathesis/schemathesis.toml."
        ));
    }
    let numbered =
        steps.iter().enumerate().map(|(index, step)| format!("{:>2}. {step}\n", index + 1));
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_checked() {
        let new = |path, name| Route::new(Method::Get, path, name);
        let route = new("/customers/{id}/risk-notes/{note_id}", "get-note").unwrap();
        assert_eq!(route.to_string(), "GET /customers/{id}/risk-notes/{note_id}");
        assert_eq!((route.resource(), route.crate_name()), ("GetNote".into(), "get_note".into()));
        assert_eq!(route.summary(), "Get note");
        for path in ["", "/", "customers", "/Customers", "/customers/", "/{id", "/{a-b}", "/a b"] {
            assert!(new(path, "get-note").is_err(), "{path}");
        }
        for name in ["", "GetNote", "get_note", "get-", "-get", "1-note"] {
            assert!(new("/notes", name).is_err(), "{name}");
        }
        assert!("get".parse::<Method>().is_err());
        assert_eq!("PATCH".parse(), Ok(Method::Patch));
    }

    #[test]
    fn new_path_parameters_are_part_of_the_remaining_work() {
        let work = |path| remaining_work(&Route::new(Method::Get, path, "get-note").unwrap());
        assert!(!work("/customers/{id}/notes").contains("new path parameter"));
        assert!(
            work("/customers/{id}/notes/{note_id}").contains("{note_id} is a new path parameter")
        );
    }
}
