//! Finds the function of a request by method and path, as an HTTP API does. A literal segment takes
//! precedence over a parameter.

use std::collections::{BTreeMap, HashMap};

use percent_encoding::percent_decode_str;
use shared::runtime::edge::Function;

use crate::Failure;
use crate::template::{FunctionSpec, Route, Template};

pub(crate) struct Routes(Vec<Entry>);

struct Entry {
    route: Route,
    segments: Vec<Segment>,
    function: &'static str,
}

enum Segment {
    Literal(String),
    Parameter(String),
}

#[derive(Debug)]
pub(crate) struct Match<'a> {
    pub(crate) route: &'a Route,
    pub(crate) function: &'static str,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Routes {
    /// Reads the routes of the template.
    ///
    /// # Errors
    /// Fails when a route has no function, a function has no route, or a route occurs twice.
    pub(crate) fn new(
        template: &Template,
        functions: &'static [Function],
    ) -> Result<Routes, Failure> {
        let names: HashMap<&str, &'static str> =
            functions.iter().map(|function| (function.name, function.name)).collect();
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        for (FunctionSpec { name, .. }, route) in template.routes() {
            match names.get(name.as_str()) {
                Some(function) => {
                    let entry =
                        |route: Route| Entry { segments: segments(&route.path), route, function };
                    if route.method == "GET" {
                        entries.push(entry(Route { method: "HEAD".to_owned(), ..route.clone() }));
                    }
                    entries.push(entry(route.clone()));
                }
                None => faults.push(format!(
                    "the route {} has no handler: {name} is not in infra/local/src/functions.rs",
                    route.key()
                )),
            }
        }
        for function in functions {
            if !entries.iter().any(|entry| entry.function == function.name) {
                faults.push(format!("the handler {} has no route in template.yaml", function.name));
            }
        }
        for (i, entry) in entries.iter().enumerate() {
            if entries.iter().take(i).any(|earlier| earlier.route == entry.route) {
                faults.push(format!("the route {} occurs twice", entry.route.key()));
            }
        }
        if faults.is_empty() { Ok(Routes(entries)) } else { Err(faults.join("; ")) }
    }

    /// Finds the route of a request. `path` must still be percent-encoded, so that `%2F` stays
    /// within a segment. Returns `None` if no route matches.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let (entry, parameters) = self
            .0
            .iter()
            .filter(|entry| entry.route.method == method)
            .filter_map(|entry| Some((entry, entry.parameters(&segments)?)))
            .min_by_key(|(_, parameters)| parameters.len())?;
        Some(Match { route: &entry.route, function: entry.function, parameters })
    }
}

impl Entry {
    /// Returns the decoded path parameters, or `None` if the path does not match.
    fn parameters(&self, path: &[&str]) -> Option<BTreeMap<String, String>> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (segment, text) in self.segments.iter().zip(path) {
            let text = percent_decode_str(text).decode_utf8().ok()?;
            match segment {
                Segment::Literal(literal) if *literal == text => {}
                Segment::Parameter(name) if !text.is_empty() => {
                    parameters.insert(name.clone(), text.into_owned());
                }
                _ => return None,
            }
        }
        Some(parameters)
    }
}

fn segments(path: &str) -> Vec<Segment> {
    path.trim_start_matches('/').split('/').map(segment).collect()
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::FUNCTIONS;

    #[test]
    fn method_and_path_select_a_route() {
        let routes = Routes::new(&Template::embedded().unwrap(), FUNCTIONS).unwrap();
        let customer = routes.find("GET", "/customers/a%2Fb").unwrap();
        assert_eq!(
            (customer.route.key().as_str(), customer.parameters["id"].as_str()),
            ("GET /customers/{id}", "a/b")
        );
        let head = routes.find("HEAD", "/customers/a").unwrap();
        assert_eq!(
            (head.route.key().as_str(), head.function),
            ("HEAD /customers/{id}", "get-customer")
        );
        for (method, path) in [
            ("PUT", "/customers"),
            ("HEAD", "/customers/a/erase"),
            ("GET", "/"),
            ("GET", "/customers/"),
            ("GET", "/customers/a/b"),
        ] {
            assert!(routes.find(method, path).is_none(), "{method} {path}");
        }
    }

    #[test]
    fn a_route_without_handler_and_a_handler_without_route_are_errors() {
        let mut template = Template::embedded().unwrap();
        template.functions.retain(|function| function.name != "get-customer");
        let why = Routes::new(&template, FUNCTIONS).err().unwrap();
        assert!(why.contains("the handler get-customer has no route"), "{why}");

        let template = Template::embedded().unwrap();
        let why = Routes::new(&template, FUNCTIONS.split_first().unwrap().1).err().unwrap();
        assert!(why.contains("has no handler: create-customer is not in"), "{why}");
    }
}
