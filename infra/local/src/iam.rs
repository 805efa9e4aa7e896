//! What IAM does between a function and its table and bucket: a call that the function's policies
//! in the template do not allow fails here too, with the action that is missing. And it remembers
//! which permissions were used, so that a test can find those that nobody needs.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared::monitoring::watchlists::Objects;

use crate::Failure;
use crate::calls::OnTheWay;
use crate::intrinsics::{bucket_arn, table_arn};
use crate::template::TableSpec;

/// One action on one resource that a policy allows, and the partition keys it is limited to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub action: String,
    /// An ARN; a `*` at its end stands for anything.
    pub resource: String,
    /// Of `dynamodb:LeadingKeys`, likewise; `None` is any key.
    pub leading_keys: Option<String>,
    /// Which one of the function's statements says so.
    pub statement: usize,
}

impl Permission {
    fn covers(&self, access: &Access) -> bool {
        let keys = match (&self.leading_keys, &access.partition) {
            (Some(pattern), Some(partition)) => matches(pattern, partition),
            _ => true,
        };
        self.action == access.action && matches(&self.resource, &access.resource) && keys
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Permission { action, resource, leading_keys, .. } = self;
        write!(f, "{action} on {resource}")?;
        leading_keys.iter().try_for_each(|keys| write!(f, " where the partition is {keys}"))
    }
}

/// The role of one function.
#[derive(Clone, Debug)]
pub struct Role {
    /// Of the function.
    pub name: String,
    table: Arc<TableSpec>,
    permissions: Arc<Vec<Permission>>,
    used: Arc<Mutex<BTreeSet<Permission>>>,
    denied: Arc<Mutex<BTreeSet<Failure>>>,
}

/// What a call needs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Access {
    action: String,
    resource: String,
    /// `None` for a call that names no partition: no condition on one can hold it back.
    partition: Option<String>,
}

impl Role {
    pub(crate) fn new(name: &str, permissions: Vec<Permission>, table: Arc<TableSpec>) -> Role {
        let name = name.to_owned();
        Role {
            name,
            table,
            permissions: Arc::new(permissions),
            used: Arc::default(),
            denied: Arc::default(),
        }
    }

    pub fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    /// What was made use of since the start.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was refused since the start.
    pub fn denied(&self) -> BTreeSet<Failure> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether all of one call is allowed. What it does by one action to one resource has to be by
    /// one statement: a condition with `ForAllValues` holds for every partition key, or it doesn't.
    fn allow(&self, call: &[Access]) -> Result<(), Failure> {
        let mut call: Vec<&Access> = call.iter().collect();
        call.sort();
        let alike = |one: &&Access, other: &&Access| {
            (&one.action, &one.resource) == (&other.action, &other.resource)
        };
        call.chunk_by(alike).try_for_each(|accesses| self.allow_alike(accesses))
    }

    fn allow_alike(&self, accesses: &[&Access]) -> Result<(), Failure> {
        let Some(Access { action, resource, .. }) = accesses.first() else { return Ok(()) };
        let mut statements =
            self.permissions.chunk_by(|one, other| one.statement == other.statement);
        let permissions = statements.find_map(|statement| {
            let permission = |access| statement.iter().find(|permission| permission.covers(access));
            accesses.iter().copied().map(permission).collect::<Option<Vec<_>>>()
        });
        let Some(permissions) = permissions else {
            // Not the partitions themselves: client ids can be in them.
            let partitions = accesses.iter().filter_map(|access| access.partition.as_deref());
            let kinds: BTreeSet<&str> =
                partitions.filter_map(|key| key.split('#').next()).collect();
            let why = format!(
                "the policies of {} in template.yaml do not allow {action} on {resource}, partition {}",
                self.name,
                Vec::from_iter(kinds).join(" and "),
            );
            tracing::error!(target: "kyc", function = self.name, why, "access denied");
            self.denied.lock().unwrap_or_else(PoisonError::into_inner).insert(why.clone());
            return Err(why);
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for permission in permissions {
            if !used.contains(permission) {
                used.insert(permission.clone());
            }
        }
        Ok(())
    }

    /// What a request to DynamoDB needs, each of a transaction's members for itself.
    fn accesses(&self, operation: &str, body: &Value) -> Result<Vec<Access>, Failure> {
        let members = match body["TransactItems"].as_array() {
            None => return Ok(vec![self.access(operation, body)?]),
            Some(members) => members,
        };
        let members = members.iter().filter_map(Value::as_object).flatten();
        members
            .map(|(kind, member)| match kind.as_str() {
                "ConditionCheck" => self.access("ConditionCheckItem", member),
                "Delete" => self.access("DeleteItem", member),
                "Get" => self.access("GetItem", member),
                "Put" => self.access("PutItem", member),
                "Update" => self.access("UpdateItem", member),
                other => Err(format!("{other} in a transaction is not known here")),
            })
            .collect()
    }

    fn access(&self, operation: &str, body: &Value) -> Result<Access, Failure> {
        let table = body["TableName"].as_str().unwrap_or_default();
        let mut resource = table_arn(table);
        let index = body["IndexName"].as_str();
        let key = match index.and_then(|index| self.table.indexes.get(index)) {
            Some(index) => &index.key,
            None => &self.table.key,
        };
        if let Some(index) = index {
            resource = format!("{resource}/index/{index}");
        }
        let partition = match operation {
            "Query" => partition(body, &key.hash),
            "GetItem" | "DeleteItem" | "UpdateItem" | "ConditionCheckItem" => {
                body["Key"].get(&key.hash)
            }
            "PutItem" => body["Item"].get(&key.hash),
            other => return Err(format!("{other} is not known here")),
        };
        let partition = partition.ok_or_else(|| format!("{operation} names no partition"))?;
        let partition = partition["S"].as_str().map(str::to_owned);
        Ok(Access { action: format!("dynamodb:{operation}"), resource, partition })
    }
}

/// The value a key condition compares the partition's attribute with.
fn partition<'b>(body: &'b Value, hash: &str) -> Option<&'b Value> {
    let expression = body["KeyConditionExpression"].as_str()?;
    let names = &body["ExpressionAttributeNames"];
    let words: Vec<&str> = expression.split([' ', '(', ')', ',']).collect();
    words.windows(3).find_map(|words| match words {
        [name, "=", value] => {
            let name = names.get(name).and_then(Value::as_str).unwrap_or(name);
            body["ExpressionAttributeValues"].get(value).filter(|_| name == hash)
        }
        _ => None,
    })
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    }
}

impl Role {
    fn allows(&self, request: &HttpRequest) -> Result<(), Failure> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default());
        let body = body.map_err(|error| format!("{operation} is not JSON: {error}"))?;
        self.allow(&self.accesses(operation, &body)?)
    }
}

impl OnTheWay for Role {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let Err(why) = self.allows(&request) else {
            return on.call(request);
        };
        let body = json!({ "__type": "AccessDeniedException", "Message": why }).to_string();
        let status = StatusCode::try_from(400).map(|status| HttpResponse::new(status, body.into()));
        HttpConnectorFuture::ready(
            status.map_err(|error| ConnectorError::other(error.into(), None)),
        )
    }
}

/// The bucket, as far as a function's role reaches.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) objects: Arc<dyn Objects>,
    /// Its logical id.
    pub(crate) name: String,
    pub(crate) role: Role,
}

impl Bucket {
    fn allow(&self, action: &str, object: &str) -> Result<(), Failure> {
        let resource = format!("{}/{object}", bucket_arn(&self.name));
        let access = Access { action: format!("s3:{action}"), resource, partition: None };
        self.role.allow(&[access])
    }
}

impl Objects for Bucket {
    fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(async move {
            self.allow("GetObject", object)?;
            self.objects.get(object).await
        })
    }

    fn put<'a>(&'a self, object: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.allow("PutObject", object)?;
            self.objects.put(object, bytes).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn role(permissions: &[(&str, &str, Option<&str>)]) -> Role {
        let permissions = permissions.iter().enumerate();
        let permissions = permissions.map(|(statement, (action, resource, keys))| Permission {
            action: (*action).to_owned(),
            resource: (*resource).to_owned(),
            leading_keys: keys.map(str::to_owned),
            statement,
        });
        let table = Template::embedded().unwrap().table;
        Role::new("it", permissions.collect(), Arc::new(table))
    }

    fn allowed(role: &Role, operation: &str, body: &Value) -> bool {
        role.allow(&role.accesses(operation, body).unwrap()).is_ok()
    }

    fn get(partition: &str) -> Value {
        json!({ "TableName": "Table", "Key": { "pk": { "S": partition }, "sk": { "S": "x" } } })
    }

    #[test]
    fn an_action_a_resource_and_a_partition_are_all_needed() {
        let table = table_arn("Table");
        let role = role(&[("dynamodb:GetItem", &table, Some("T#*"))]);
        assert!(allowed(&role, "GetItem", &get("T#acme")));
        assert!(!allowed(&role, "GetItem", &get("LISTS")));
        assert!(!allowed(&role, "DeleteItem", &get("T#acme")));
        let elsewhere = json!({ "TableName": "Other", "Key": get("T#acme")["Key"] });
        assert!(!allowed(&role, "GetItem", &elsewhere));
        assert_eq!(role.used().len(), 1);
    }

    #[test]
    fn every_member_of_a_transaction_is_looked_at() {
        let table = table_arn("Table");
        let put = json!({ "Put": { "TableName": "Table", "Item": get("T#acme")["Key"] } });
        let check = json!({ "ConditionCheck": get("T#acme") });
        let both = json!({ "TransactItems": [put, check] });
        let puts = ("dynamodb:PutItem", table.as_str(), None);
        let checks = ("dynamodb:ConditionCheckItem", table.as_str(), None);
        assert!(!allowed(&role(&[puts]), "TransactWriteItems", &both));
        assert!(allowed(&role(&[puts, checks]), "TransactWriteItems", &both));
    }

    /// A condition with `ForAllValues` is about all keys of a call.
    #[test]
    fn a_transaction_over_two_kinds_of_partitions_needs_one_statement_for_both() {
        let table = table_arn("Table");
        let put =
            |partition| json!({ "Put": { "TableName": "Table", "Item": get(partition)["Key"] } });
        let both = json!({ "TransactItems": [put("T#acme"), put("AGAIN#daily")] });
        let puts = |keys| ("dynamodb:PutItem", table.as_str(), Some(keys));
        let mut role = role(&[puts("T#*"), puts("AGAIN#*")]);
        assert!(!allowed(&role, "TransactWriteItems", &both));
        let in_one = role.permissions().iter().cloned();
        let in_one = in_one.map(|permission| Permission { statement: 0, ..permission }).collect();
        role = Role::new("it", in_one, role.table);
        assert!(allowed(&role, "TransactWriteItems", &both));
        assert_eq!(role.used().len(), 2);
    }

    #[test]
    fn a_query_is_known_by_the_partition_of_its_index() {
        let index = format!("{}/index/risk", table_arn("Table"));
        let role = role(&[("dynamodb:Query", &index, Some("T#*"))]);
        let query = |index: &str, partition: &str| {
            json!({
                "TableName": "Table", "IndexName": index,
                "KeyConditionExpression": "#0 = :0 AND begins_with(#1, :1)",
                "ExpressionAttributeNames": { "#0": "risk_pk", "#1": "customer_id" },
                "ExpressionAttributeValues": { ":0": { "S": partition }, ":1": { "S": "x" } },
            })
        };
        assert!(allowed(&role, "Query", &query("risk", "T#acme#RISK#high")));
        assert!(!allowed(&role, "Query", &query("risk", "MONITORED#daily#0")));
        // No partition of this index is named.
        assert!(role.accesses("Query", &query("created", "T#acme")).is_err());
    }
}
