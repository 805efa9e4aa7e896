//! Reads routes, functions, authorizer, table and bucket from `template.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::{Mapping, Value};

use crate::Failure;
use crate::intrinsics::Intrinsics;
use crate::permission::Permission;
use crate::timing::Timing;
use crate::yaml::{at, mapping, sequence, texts};

pub use crate::intrinsics::LOCAL_PARAMETERS;

const TEMPLATE: &str = include_str!("../../../template.yaml");

#[derive(Clone, Debug)]
pub struct Template {
    pub functions: Vec<FunctionSpec>,
    pub authorizer: AuthorizerSpec,
    pub table: TableSpec,
    /// Logical id of the bucket for indexes of watchlists.
    pub bucket: String,
}

#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// Name of the binary that contains the function.
    pub name: String,
    pub environment: BTreeMap<String, String>,
    /// Permissions of the function's role on the table and the bucket.
    pub permissions: Vec<Permission>,
    /// Routes except those for HEAD. Every GET route also has a HEAD route, with the same
    /// authorizer.
    pub routes: Vec<Route>,
    pub schedules: Vec<Schedule>,
}

/// A schedule that invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub timing: Timing,
    /// Payload of the invocation.
    pub input: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub method: String,
    /// Path with its parameters in braces, for example `/customers/{id}`.
    pub path: String,
    /// Whether callers need no token.
    pub is_public: bool,
}

impl Route {
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[derive(Clone, Debug)]
pub struct AuthorizerSpec {
    pub issuer: String,
    pub audiences: Vec<String>,
    /// Name of the header that contains the token, in lower case.
    pub header: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Logical id of the table. It is also the name of the local table.
    pub name: String,
    /// Types of the key attributes, such as `S`, by attribute name.
    pub attributes: BTreeMap<String, String>,
    pub key: KeySpec,
    pub indexes: BTreeMap<String, IndexSpec>,
    pub ttl_attribute: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    pub hash: String,
    pub range: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    pub key: KeySpec,
    pub projection: String,
    /// Attributes that the index contains in addition to keys.
    pub included: Vec<String>,
}

impl Template {
    /// Reads the template that this binary was built with.
    ///
    /// # Errors
    /// Fails when a part is missing or is not supported by the local server.
    pub fn embedded() -> Result<Template, Failure> {
        Template::parse(TEMPLATE)
    }

    /// Parses the text of a template.
    ///
    /// # Errors
    /// Fails when a part is missing or is not supported by the local server.
    pub fn parse(text: &str) -> Result<Template, Failure> {
        let document: Value =
            yaml_serde::from_str(text).map_err(|error| format!("template.yaml: {error}"))?;
        let reader = Reader { root: &document, intrinsics: Intrinsics(&document) };
        reader.template().map_err(|why| format!("template.yaml: {why}"))
    }

    /// Returns the name of the claim that contains the tenant: the first `TENANT_CLAIM` in the
    /// environment of a function, or `tenant_id`.
    pub fn tenant_claim(&self) -> &str {
        self.functions
            .iter()
            .find_map(|function| function.environment.get("TENANT_CLAIM"))
            .map(String::as_str)
            .filter(|claim| !claim.is_empty())
            .unwrap_or("tenant_id")
    }

    pub fn routes(&self) -> impl Iterator<Item = (&FunctionSpec, &Route)> {
        self.functions
            .iter()
            .flat_map(|function| function.routes.iter().map(move |route| (function, route)))
    }
}

struct Reader<'a> {
    root: &'a Value,
    intrinsics: Intrinsics<'a>,
}

impl Reader<'_> {
    fn template(&self) -> Result<Template, Failure> {
        let resources = mapping(self.root, "Resources")?;
        let (table_id, table) = single_resource(resources, "AWS::DynamoDB::Table")?;
        let (bucket_id, _) = single_resource(resources, "AWS::S3::Bucket")?;
        let (_, api) = single_resource(resources, "AWS::Serverless::HttpApi")?;
        let functions = resources_of_type(resources, "AWS::Serverless::Function")
            .map(|(id, function)| self.function(function).map_err(|why| format!("{id}: {why}")));
        Ok(Template {
            functions: functions.collect::<Result<_, _>>()?,
            authorizer: self.authorizer(api)?,
            table: self.table(table_id, table)?,
            bucket: bucket_id.to_owned(),
        })
    }

    fn function(&self, function: &Value) -> Result<FunctionSpec, Failure> {
        let name = self.text(at(function, &["Metadata", "BuildProperties", "Binary"])?)?;
        let (mut routes, mut schedules) = (Vec::new(), Vec::new());
        let events = at(function, &["Properties", "Events"]).ok().and_then(Value::as_mapping);
        for (_, event) in events.into_iter().flatten() {
            let properties = at(event, &["Properties"])?;
            match event.get("Type").and_then(Value::as_str) {
                Some("HttpApi") => routes.push(self.route(properties)?),
                Some("ScheduleV2") => schedules.push(self.schedule(properties)?),
                _ => {}
            }
        }
        let permissions = match at(function, &["Properties", "Policies"]) {
            Ok(policies) => self.permissions(policies)?,
            Err(_) => Vec::new(),
        };
        let routes = with_heads(routes)?;
        let environment = self.environment(function)?;
        Ok(FunctionSpec { name, environment, permissions, routes, schedules })
    }

    /// Returns the environment variables of a function. The function's own variables take precedence
    /// over the global variables.
    fn environment(&self, function: &Value) -> Result<BTreeMap<String, String>, Failure> {
        let mut environment = BTreeMap::new();
        for parent in [at(self.root, &["Globals", "Function"]), at(function, &["Properties"])] {
            let variables =
                parent.and_then(|parent| at(parent, &["Environment", "Variables"])).ok();
            for (name, value) in variables.and_then(Value::as_mapping).into_iter().flatten() {
                environment.insert(self.text(name)?, self.text(value)?);
            }
        }
        Ok(environment)
    }

    fn route(&self, properties: &Value) -> Result<Route, Failure> {
        let is_public = match at(properties, &["Auth", "Authorizer"]) {
            Ok(authorizer) if self.text(authorizer)? == "NONE" => true,
            // The local server applies the default authorizer to every other route.
            _ if properties.get("Auth").is_none() => false,
            _ => return Err("a route with its own authorizer is not supported".to_owned()),
        };
        let method = self.text(at(properties, &["Method"])?)?.to_uppercase();
        let path = self.text(at(properties, &["Path"])?)?;
        if method == "ANY" || path.contains('+') || !path.starts_with('/') {
            return Err(format!("the route {method} {path} is not supported"));
        }
        Ok(Route { method, path, is_public })
    }

    fn schedule(&self, properties: &Value) -> Result<Schedule, Failure> {
        let timing = Timing::parse(&self.text(at(properties, &["ScheduleExpression"])?)?)?;
        let input = self.text(at(properties, &["Input"])?)?;
        let input = serde_json::from_str(&input)
            .map_err(|error| format!("the input {input} of a schedule is not JSON: {error}"))?;
        Ok(Schedule { timing, input })
    }

    fn permissions(&self, policies: &Value) -> Result<Vec<Permission>, Failure> {
        let policies = policies.as_sequence().into_iter().flatten();
        let statements = policies.flat_map(|policy| sequence(policy, "Statement"));
        let mut permissions = Vec::new();
        for (index, statement) in statements.enumerate() {
            let statement = self.intrinsics.resolve(statement)?;
            permissions.extend(statement_permissions(&statement, index + 1)?);
        }
        Ok(permissions)
    }

    fn authorizer(&self, api: &Value) -> Result<AuthorizerSpec, Failure> {
        let auth = at(api, &["Properties", "Auth"])?;
        let name = self.text(at(auth, &["DefaultAuthorizer"])?)?;
        let authorizer = at(auth, &["Authorizers", &name])?;
        let jwt = at(authorizer, &["JwtConfiguration"])?;
        let audience = self.intrinsics.resolve(at(jwt, &["audience"])?)?;
        let audiences = match audience.as_sequence() {
            Some(audiences) => {
                audiences.iter().map(|audience| self.text(audience)).collect::<Result<_, _>>()?
            }
            None => self
                .text(&audience)?
                .split(',')
                .map(|audience| audience.trim().to_owned())
                .collect(),
        };
        let source = self.text(at(authorizer, &["IdentitySource"])?)?;
        let header =
            source.strip_prefix("$request.header.").ok_or("the identity source is not a header")?;
        Ok(AuthorizerSpec {
            issuer: self.text(at(jwt, &["issuer"])?)?,
            audiences,
            header: header.to_lowercase(),
        })
    }

    fn table(&self, name: &str, table: &Value) -> Result<TableSpec, Failure> {
        let properties = at(table, &["Properties"])?;
        let mut attributes = BTreeMap::new();
        for attribute in sequence(properties, "AttributeDefinitions") {
            let name = self.text(at(attribute, &["AttributeName"])?)?;
            attributes.insert(name, self.text(at(attribute, &["AttributeType"])?)?);
        }
        let mut indexes = BTreeMap::new();
        for index in sequence(properties, "GlobalSecondaryIndexes") {
            let projection = at(index, &["Projection"])?;
            let included = sequence(projection, "NonKeyAttributes").map(|name| self.text(name));
            let spec = IndexSpec {
                key: self.key(index)?,
                projection: self.text(at(projection, &["ProjectionType"])?)?,
                included: included.collect::<Result<_, _>>()?,
            };
            indexes.insert(self.text(at(index, &["IndexName"])?)?, spec);
        }
        let ttl = at(properties, &["TimeToLiveSpecification", "AttributeName"]).ok();
        let ttl_attribute = ttl.map(|attribute| self.text(attribute)).transpose()?;
        Ok(TableSpec {
            name: name.to_owned(),
            attributes,
            key: self.key(properties)?,
            indexes,
            ttl_attribute,
        })
    }

    /// Reads the key schema of a table or an index.
    fn key(&self, parent: &Value) -> Result<KeySpec, Failure> {
        let mut hash = None;
        let mut range = None;
        for part in sequence(parent, "KeySchema") {
            let name = self.text(at(part, &["AttributeName"])?)?;
            match self.text(at(part, &["KeyType"])?)?.as_str() {
                "HASH" => hash = Some(name),
                _ => range = Some(name),
            }
        }
        Ok(KeySpec { hash: hash.ok_or("a key schema has no HASH")?, range })
    }

    fn text(&self, value: &Value) -> Result<String, Failure> {
        self.intrinsics.text(value)
    }
}

/// Removes the HEAD routes, after checking that they match the GET routes.
///
/// # Errors
/// Fails when a GET route has no HEAD route with the same path and authorizer, or the other way
/// round.
fn with_heads(routes: Vec<Route>) -> Result<Vec<Route>, Failure> {
    let (heads, routes): (Vec<Route>, Vec<Route>) =
        routes.into_iter().partition(|route| route.method == "HEAD");
    let gets = routes.iter().filter(|route| route.method == "GET");
    let expected: BTreeSet<Route> =
        gets.map(|get| Route { method: "HEAD".to_owned(), ..get.clone() }).collect();
    let heads: BTreeSet<Route> = heads.into_iter().collect();
    match expected.symmetric_difference(&heads).next() {
        None => Ok(routes),
        Some(head) => {
            let path = &head.path;
            Err(format!("{path} must have routes with GET and HEAD, and the same authorizer"))
        }
    }
}

fn resources_of_type<'v>(
    resources: &'v Mapping,
    resource_type: &str,
) -> impl Iterator<Item = (&'v str, &'v Value)> {
    resources
        .iter()
        .filter(move |(_, resource)| {
            resource.get("Type").and_then(Value::as_str) == Some(resource_type)
        })
        .map(|(id, resource)| (id.as_str().unwrap_or_default(), resource))
}

fn single_resource<'v>(
    resources: &'v Mapping,
    resource_type: &str,
) -> Result<(&'v str, &'v Value), Failure> {
    let mut matches = resources_of_type(resources, resource_type);
    match (matches.next(), matches.next()) {
        (Some(resource), None) => Ok(resource),
        (None, _) => Err(format!("there is no resource of type {resource_type}")),
        _ => Err(format!("there is more than one resource of type {resource_type}")),
    }
}

/// Returns the permissions that a resolved statement grants.
fn statement_permissions(statement: &Value, number: usize) -> Result<Vec<Permission>, Failure> {
    let supported = ["Sid", "Effect", "Action", "Resource", "Condition"];
    let mut names = statement.as_mapping().into_iter().flat_map(Mapping::keys);
    if let Some(other) =
        names.find_map(|name| name.as_str().filter(|name| !supported.contains(name)))
    {
        return Err(format!("{other} in a policy is not supported"));
    }
    if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return Err("a policy statement must have the effect Allow".to_owned());
    }
    let all_leading_keys = match statement.get("Condition") {
        None => vec![None],
        Some(condition) => leading_keys(condition)?.into_iter().map(Some).collect(),
    };
    let resources = texts(at(statement, &["Resource"])?);
    let mut permissions = Vec::new();
    for action in texts(at(statement, &["Action"])?) {
        for resource in &resources {
            for leading_keys in &all_leading_keys {
                permissions.push(Permission {
                    action: action.clone(),
                    resource: resource.clone(),
                    leading_keys: leading_keys.clone(),
                    statement: number,
                });
            }
        }
    }
    Ok(permissions)
}

/// Reads the patterns of a condition `ForAllValues:StringLike` on `dynamodb:LeadingKeys`. Other
/// conditions are not supported.
fn leading_keys(condition: &Value) -> Result<Vec<String>, Failure> {
    if condition.as_mapping().map(Mapping::len) != Some(1) {
        return Err("a policy with several conditions is not supported".to_owned());
    }
    at(condition, &["ForAllValues:StringLike", "dynamodb:LeadingKeys"]).map(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_template_is_supported() {
        let template = Template::embedded().unwrap();
        assert_eq!(template.authorizer.audiences, ["kyc-customers"]);
        assert_eq!(template.authorizer.header, "authorization");
        assert_eq!(template.table.ttl_attribute.as_deref(), Some("ttl"));
        assert!(template.routes().count() >= 5);
        for function in &template.functions {
            assert_eq!(function.environment["TABLE_NAME"], template.table.name);
        }
        let rescreen = template.functions.iter().find(|function| function.name == "rescreen");
        let schedules = &rescreen.unwrap().schedules;
        let is_daily = |schedule: &&Schedule| schedule.input.to_string().contains("daily");
        let daily = schedules.iter().find(is_daily).unwrap();
        assert_eq!((daily.timing, schedules.len()), (Timing::At { weekday: None, minute: 150 }, 5));
    }

    #[test]
    fn unsupported_parts_are_errors() {
        for (original, replacement, why) in [
            ("Method: POST", "Method: ANY", "ANY /customers"),
            ("Method: HEAD, Path: /customers }", "Method: PUT, Path: /customers }", "GET and HEAD"),
            ("Authorizer: NONE", "Authorizer: Other", "its own authorizer"),
            ("TABLE_NAME: !Ref Table", "TABLE_NAME: !ImportValue x", "ImportValue"),
            ("TABLE_NAME: !Ref Table", "TABLE_NAME: !Ref Tabel", "Tabel"),
            (
                "- Effect: Allow\n              Action: dynamodb:GetItem",
                "- Effect: Deny\n              Action: dynamodb:GetItem",
                "the effect Allow",
            ),
            ("Default: cron(30 2 * * ? *)", "Default: cron(30 2 1 * ? *)", "cron(30 2 1"),
        ] {
            let template = TEMPLATE.replace(original, replacement);
            assert_ne!(template, TEMPLATE, "{original}");
            let error = Template::parse(&template).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
