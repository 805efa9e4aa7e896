//! Reads `template.yaml`: routes, functions, authorizer and table are written there and nowhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use yaml_serde::Value;

use crate::Failure;
use crate::iam::Permission;
use crate::intrinsics::Intrinsics;

/// What a deployment would give as parameters; the others take their defaults.
pub const LOCAL_PARAMETERS: [(&str, &str); 2] =
    [("JwtIssuer", "https://kyc-customers.local"), ("JwtAudience", "kyc-customers")];

const TEMPLATE: &str = include_str!("../../../template.yaml");

#[derive(Clone, Debug)]
pub struct Template {
    pub functions: Vec<FunctionSpec>,
    pub authorizer: AuthorizerSpec,
    pub table: TableSpec,
    /// The bucket of the indexes of watchlists.
    pub bucket: String,
}

#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// The binary the function is built from.
    pub name: String,
    pub environment: BTreeMap<String, String>,
    /// Of its role, on the table and the bucket.
    pub permissions: Vec<Permission>,
    pub routes: Vec<Route>,
    pub schedules: Vec<Schedule>,
}

/// When a function is invoked by itself, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub every: Duration,
    /// JSON.
    pub input: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub method: String,
    /// Like `/customers/{id}`.
    pub path: String,
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
    /// The header that carries the token.
    pub header: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    pub name: String,
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
    pub included: Vec<String>,
}

impl Template {
    /// The template this binary was built with.
    pub fn embedded() -> Result<Template, Failure> {
        Template::parse(TEMPLATE)
    }

    pub fn parse(text: &str) -> Result<Template, Failure> {
        let document: Value =
            yaml_serde::from_str(text).map_err(|error| format!("template.yaml: {error}"))?;
        let reader = Reader { root: &document, intrinsics: Intrinsics(&document) };
        reader.template().map_err(|why| format!("template.yaml: {why}"))
    }

    /// The claim that names the tenant, as the functions are told.
    pub fn tenant_claim(&self) -> &str {
        let set =
            self.functions.iter().find_map(|function| function.environment.get("TENANT_CLAIM"));
        set.map(String::as_str).filter(|claim| !claim.is_empty()).unwrap_or("tenant_id")
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

impl<'a> Reader<'a> {
    fn template(&self) -> Result<Template, Failure> {
        let resources = mapping(self.root, "Resources")?;
        let of_type = |kind: &'static str| {
            resources.iter().filter(move |(_, resource)| {
                resource.get("Type").and_then(Value::as_str) == Some(kind)
            })
        };
        let (table_id, table) = only(of_type("AWS::DynamoDB::Table"), "table")?;
        let (bucket, _) = only(of_type("AWS::S3::Bucket"), "bucket")?;
        let (_, api) = only(of_type("AWS::Serverless::HttpApi"), "HTTP API")?;
        let functions = of_type("AWS::Serverless::Function");
        let functions = functions.map(|(id, function)| {
            self.function(function)
                .map_err(|why| format!("{}: {why}", id.as_str().unwrap_or_default()))
        });
        Ok(Template {
            functions: functions.collect::<Result<_, _>>()?,
            authorizer: self.authorizer(api)?,
            table: self.table(table_id.as_str().unwrap_or_default(), table)?,
            bucket: bucket.as_str().unwrap_or_default().to_owned(),
        })
    }

    fn function(&self, function: &Value) -> Result<FunctionSpec, Failure> {
        let name = at(function, &["Metadata", "BuildProperties", "Binary"])?;
        let mut environment = BTreeMap::new();
        for place in [at(self.root, &["Globals", "Function"]), at(function, &["Properties"])] {
            let variables = place.and_then(|place| at(place, &["Environment", "Variables"])).ok();
            for (name, value) in variables.and_then(Value::as_mapping).into_iter().flatten() {
                environment.insert(self.text(name)?, self.text(value)?);
            }
        }
        let (mut routes, mut schedules) = (Vec::new(), Vec::new());
        let events = at(function, &["Properties", "Events"]).ok().and_then(Value::as_mapping);
        for (_, event) in events.into_iter().flatten() {
            let properties = at(event, &["Properties"])?;
            match event.get("Type").and_then(Value::as_str) {
                Some("HttpApi") => {}
                Some("ScheduleV2") => {
                    let expression = self.text(at(properties, &["ScheduleExpression"])?)?;
                    let every = rate(&expression)?;
                    schedules
                        .push(Schedule { every, input: self.text(at(properties, &["Input"])?)? });
                    continue;
                }
                _ => continue,
            }
            // Every route has the default authorizer; one that had another would be served wrongly here.
            if properties.get("Auth").is_some() {
                return Err("a route with an authorizer of its own is not known here".to_owned());
            }
            let method = self.text(at(properties, &["Method"])?)?.to_uppercase();
            let path = self.text(at(properties, &["Path"])?)?;
            if method == "ANY" || path.contains('+') || !path.starts_with('/') {
                return Err(format!("the route {method} {path} is of a kind not known here"));
            }
            routes.push(Route { method, path });
        }
        let permissions = match at(function, &["Properties", "Policies"]) {
            Ok(policies) => self.permissions(policies)?,
            Err(_) => Vec::new(),
        };
        Ok(FunctionSpec { name: self.text(name)?, environment, permissions, routes, schedules })
    }

    fn permissions(&self, policies: &Value) -> Result<Vec<Permission>, Failure> {
        let mut permissions = Vec::new();
        let mut statements = 0;
        for policy in policies.as_sequence().into_iter().flatten() {
            for statement in sequence(policy, "Statement") {
                statements += 1;
                let statement = self.intrinsics.resolve(statement)?;
                let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
                let names = statement.as_mapping().into_iter().flat_map(|parts| parts.keys());
                if let Some(other) = names.filter_map(Value::as_str).find(|n| !known.contains(n)) {
                    return Err(format!("{other} in a policy is not known here"));
                }
                if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
                    return Err("a statement that does not allow is not known here".to_owned());
                }
                let keys = match statement.get("Condition") {
                    None => vec![None],
                    Some(condition) => leading_keys(condition)?.into_iter().map(Some).collect(),
                };
                for action in texts(at(&statement, &["Action"])?) {
                    for resource in texts(at(&statement, &["Resource"])?) {
                        for leading_keys in keys.clone() {
                            let (action, resource) = (action.clone(), resource.clone());
                            permissions.push(Permission {
                                action,
                                resource,
                                leading_keys,
                                statement: statements,
                            });
                        }
                    }
                }
            }
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

    fn key(&self, of: &Value) -> Result<KeySpec, Failure> {
        let mut hash = None;
        let mut range = None;
        for part in sequence(of, "KeySchema") {
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

/// Of the one kind of condition that is used.
fn leading_keys(condition: &Value) -> Result<Vec<String>, Failure> {
    let keys = at(condition, &["ForAllValues:StringLike", "dynamodb:LeadingKeys"]).map(texts);
    match condition.as_mapping().map(yaml_serde::Mapping::len) {
        Some(1) => keys,
        _ => Err("a policy with several conditions is not known here".to_owned()),
    }
}

/// One text or several.
fn texts(value: &Value) -> Vec<String> {
    let all = value.as_sequence().map_or(std::slice::from_ref(value), Vec::as_slice);
    all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `rate(5 minutes)`; what else a schedule can be is not known here.
fn rate(expression: &str) -> Result<Duration, Failure> {
    let inner = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
    let every = inner.and_then(|inner| humantime::parse_duration(inner).ok());
    every.ok_or_else(|| format!("the schedule {expression} is not known here"))
}

pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Result<&'v Value, Failure> {
    let found = path.iter().try_fold(value, |value, name| value.get(*name));
    found.ok_or_else(|| format!("{} is missing", path.join(".")))
}

fn mapping<'v>(value: &'v Value, name: &str) -> Result<&'v yaml_serde::Mapping, Failure> {
    at(value, &[name])?.as_mapping().ok_or_else(|| format!("{name} is not a mapping"))
}

fn sequence<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_sequence).into_iter().flatten()
}

fn only<T>(mut found: impl Iterator<Item = T>, what: &str) -> Result<T, Failure> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(format!("there is no {what}")),
        _ => Err(format!("there is more than one {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_reads() {
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
        let daily = schedules.iter().find(|schedule| schedule.input.contains("daily")).unwrap();
        assert_eq!((daily.every.as_secs(), schedules.len()), (86_400, 5));
    }

    #[test]
    fn what_is_not_known_here_is_refused() {
        let any = TEMPLATE.replace("Method: POST", "Method: ANY");
        assert!(Template::parse(&any).unwrap_err().contains("ANY /customers"));
        let tagged = TEMPLATE.replace("TABLE_NAME: !Ref Table", "TABLE_NAME: !ImportValue x");
        assert!(Template::parse(&tagged).unwrap_err().contains("ImportValue"));
        let lost = TEMPLATE.replace("TABLE_NAME: !Ref Table", "TABLE_NAME: !Ref Tabel");
        assert!(Template::parse(&lost).unwrap_err().contains("Tabel"));
        let denied = TEMPLATE.replace(
            "- Effect: Allow\n              Action: dynamodb:GetItem",
            "- Effect: Deny\n              Action: dynamodb:GetItem",
        );
        assert!(Template::parse(&denied).unwrap_err().contains("does not allow"));
        let cron = TEMPLATE.replace("Default: rate(1 day)", "Default: cron(0 2 * * ? *)");
        assert!(Template::parse(&cron).unwrap_err().contains("cron(0 2"));
    }
}
