//! Which function a request belongs to, as an HTTP API decides it: by method and by path, a literal
//! segment before a parameter.

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
    /// Every route needs a function that is linked in, and every function a route.
    pub(crate) fn new(
        template: &Template,
        functions: &'static [Function],
    ) -> Result<Routes, Failure> {
        let linked: HashMap<&str, &'static str> =
            functions.iter().map(|f| (f.name, f.name)).collect();
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        for (FunctionSpec { name, .. }, route) in template.routes() {
            match linked.get(name.as_str()) {
                Some(function) => {
                    entries.push(Entry {
                        route: route.clone(),
                        segments: segments(&route.path),
                        function,
                    });
                }
                None => faults.push(format!(
                    "the route {} has no handler: {name} is not linked in",
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
                faults.push(format!("the route {} is written twice", entry.route.key()));
            }
        }
        match faults.is_empty() {
            true => Ok(Routes(entries)),
            false => Err(faults.join("; ")),
        }
    }

    /// `path` is as it came, still percent-encoded: `%2F` is part of a segment.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let given: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let candidates = self.0.iter().filter(|entry| entry.route.method == method);
        let fitting = candidates.filter_map(|entry| Some((entry, entry.parameters(&given)?)));
        let (entry, parameters) = fitting.min_by_key(|(_, parameters)| parameters.len())?;
        Some(Match { route: &entry.route, function: entry.function, parameters })
    }
}

impl Entry {
    fn parameters(&self, given: &[&str]) -> Option<BTreeMap<String, String>> {
        if given.len() != self.segments.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (segment, given) in self.segments.iter().zip(given) {
            let given = percent_decode_str(given).decode_utf8().ok()?;
            match segment {
                Segment::Literal(literal) if *literal == given => {}
                Segment::Parameter(name) if !given.is_empty() => {
                    parameters.insert(name.clone(), given.into_owned());
                }
                _ => return None,
            }
        }
        Some(parameters)
    }
}

fn segments(path: &str) -> Vec<Segment> {
    let of = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
    {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(segment.to_owned()),
    };
    path.trim_start_matches('/').split('/').map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::FUNCTIONS;

    #[test]
    fn a_route_is_found_by_method_and_path() {
        let routes = Routes::new(&Template::embedded().unwrap(), FUNCTIONS).unwrap();
        let found = routes.find("GET", "/customers/a%2Fb").unwrap();
        assert_eq!(
            (found.route.key().as_str(), found.parameters["id"].as_str()),
            ("GET /customers/{id}", "a/b")
        );
        for (method, path) in
            [("PUT", "/customers"), ("GET", "/"), ("GET", "/customers/"), ("GET", "/customers/a/b")]
        {
            assert!(routes.find(method, path).is_none(), "{method} {path}");
        }
    }

    #[test]
    fn a_route_without_handler_and_a_handler_without_route_are_told() {
        let mut template = Template::embedded().unwrap();
        template.functions.retain(|function| function.name != "get-customer");
        let why = Routes::new(&template, FUNCTIONS).err().unwrap();
        assert!(why.contains("the handler get-customer has no route"), "{why}");

        let template = Template::embedded().unwrap();
        let why = Routes::new(&template, FUNCTIONS.split_first().unwrap().1).err().unwrap();
        assert!(why.contains("has no handler: create-customer is not linked in"), "{why}");
    }
}
