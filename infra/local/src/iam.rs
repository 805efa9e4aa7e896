//! Enforces the policies of the template, as IAM does between a function and its table and bucket.
//!
//! A call that the policies of a function do not allow fails with an error that names the missing
//! action. Each role records the permissions that were used, so a test can find permissions that
//! are not needed.

use std::collections::BTreeSet;
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

use crate::calls::Interceptor;
use crate::permission::Access;
use crate::template::TableSpec;
use crate::{Failure, arn};

pub use crate::permission::Permission;

/// The role of one function: its permissions, and a record of their use.
#[derive(Clone, Debug)]
pub struct Role {
    /// Name of the function.
    pub name: String,
    table: Arc<TableSpec>,
    permissions: Arc<Vec<Permission>>,
    used: Arc<Mutex<BTreeSet<Permission>>>,
    denied: Arc<Mutex<BTreeSet<Failure>>>,
}

impl Role {
    pub(crate) fn new(name: &str, permissions: Vec<Permission>, table: Arc<TableSpec>) -> Role {
        Role {
            name: name.to_owned(),
            table,
            permissions: Arc::new(permissions),
            used: Arc::default(),
            denied: Arc::default(),
        }
    }

    pub fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    /// Returns the permissions that calls have used since the start.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the reasons why calls were denied since the start.
    pub fn denied(&self) -> BTreeSet<Failure> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn allow_request(&self, request: &HttpRequest) -> Result<(), Failure> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default())
            .map_err(|error| format!("the body of {operation} is not JSON: {error}"))?;
        self.allow(self.accesses(operation, &body)?)
    }

    /// Checks that all accesses of one call are allowed.
    ///
    /// One statement must allow all accesses with the same action and resource, because its
    /// condition with `ForAllValues` applies to every partition key of the call.
    fn allow(&self, mut accesses: Vec<Access>) -> Result<(), Failure> {
        accesses.sort();
        accesses
            .chunk_by(|one, other| one.action == other.action && one.resource == other.resource)
            .try_for_each(|accesses| self.allow_by_one_statement(accesses))
    }

    /// Checks that one statement allows all accesses. The accesses must have the same action and
    /// resource.
    fn allow_by_one_statement(&self, accesses: &[Access]) -> Result<(), Failure> {
        let mut statements =
            self.permissions.chunk_by(|one, other| one.statement == other.statement);
        let permissions = statements.find_map(|statement| {
            let permission_for =
                |access| statement.iter().find(|permission| permission.covers(access));
            accesses.iter().map(permission_for).collect::<Option<Vec<_>>>()
        });
        match permissions {
            Some(permissions) => {
                self.record_use(&permissions);
                Ok(())
            }
            None => Err(self.deny(accesses)),
        }
    }

    fn record_use(&self, permissions: &[&Permission]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for permission in permissions {
            if !used.contains(*permission) {
                used.insert((*permission).clone());
            }
        }
    }

    /// Logs and records denied accesses, which all have the same action and resource. Returns the
    /// reason.
    fn deny(&self, accesses: &[Access]) -> Failure {
        // Keys can contain client ids, so only their first parts are logged.
        let key_prefixes: BTreeSet<&str> = accesses
            .iter()
            .filter_map(|access| access.partition.as_deref()?.split('#').next())
            .collect();
        let (action, resource) = accesses
            .first()
            .map(|access| (access.action.as_str(), access.resource.as_str()))
            .unwrap_or_default();
        let why = format!(
            "the policies of {} in template.yaml do not allow {action} on {resource}, partition {}",
            self.name,
            Vec::from_iter(key_prefixes).join(" and "),
        );
        tracing::error!(target: "kyc", function = self.name, why, "access denied");
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).insert(why.clone());
        why
    }

    /// Returns the accesses of a request to DynamoDB: one access, or several for a transaction.
    ///
    /// # Errors
    /// Fails when an operation is not supported or does not name a partition key.
    fn accesses(&self, operation: &str, body: &Value) -> Result<Vec<Access>, Failure> {
        let Some(members) = body["TransactItems"].as_array() else {
            return Ok(vec![self.access(operation, body)?]);
        };
        let members: Vec<Access> = members
            .iter()
            .filter_map(Value::as_object)
            .flatten()
            .map(|(kind, member)| match kind.as_str() {
                "ConditionCheck" => self.access("ConditionCheckItem", member),
                "Delete" => self.access("DeleteItem", member),
                "Get" => self.access("GetItem", member),
                "Put" => self.access("PutItem", member),
                "Update" => self.access("UpdateItem", member),
                other => Err(format!("{other} in a transaction is not supported")),
            })
            .collect::<Result<_, _>>()?;
        Ok(every_action_on_every_partition(&members))
    }

    fn access(&self, operation: &str, body: &Value) -> Result<Access, Failure> {
        let table_arn = arn::table(body["TableName"].as_str().unwrap_or_default());
        let index_name = body["IndexName"].as_str();
        let resource = match index_name {
            Some(name) => format!("{table_arn}/index/{name}"),
            None => table_arn,
        };
        let index = index_name.and_then(|name| self.table.indexes.get(name));
        let key = index.map_or(&self.table.key, |index| &index.key);
        let partition = match operation {
            "Query" => queried_partition(body, &key.hash),
            "GetItem" | "DeleteItem" | "UpdateItem" | "ConditionCheckItem" => {
                body["Key"].get(&key.hash)
            }
            "PutItem" => body["Item"].get(&key.hash),
            other => return Err(format!("the operation {other} is not supported")),
        };
        let partition = partition.ok_or_else(|| format!("{operation} has no partition key"))?;
        let partition = partition["S"].as_str().map(str::to_owned);
        Ok(Access { action: format!("dynamodb:{operation}"), resource, partition })
    }
}

/// Returns the accesses of a transaction with these members. AWS does not document whether the
/// condition on partition keys applies to the keys of one action or of the whole transaction, so
/// each action needs a permission for every partition of the transaction.
fn every_action_on_every_partition(members: &[Access]) -> Vec<Access> {
    let mut accesses: Vec<Access> = members
        .iter()
        .flat_map(|member| {
            let same_resource = members.iter().filter(|other| other.resource == member.resource);
            same_resource.map(|other| Access {
                action: member.action.clone(),
                resource: member.resource.clone(),
                partition: other.partition.clone(),
            })
        })
        .collect();
    accesses.sort();
    accesses.dedup();
    accesses
}

/// Returns the value with which a key condition compares the partition key. Returns `None` if the
/// condition does not compare it with `=`.
fn queried_partition<'b>(body: &'b Value, hash: &str) -> Option<&'b Value> {
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

impl Interceptor for Role {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let Err(why) = self.allow_request(&request) else {
            return next.call(request);
        };
        let body = json!({ "__type": "AccessDeniedException", "Message": why }).to_string();
        let response = StatusCode::try_from(400)
            .map(|status| HttpResponse::new(status, body.into()))
            .map_err(|error| ConnectorError::other(error.into(), None));
        HttpConnectorFuture::ready(response)
    }
}

/// The bucket, restricted by the permissions of a function's role.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) objects: Arc<dyn Objects>,
    /// Logical id of the bucket in the template.
    pub(crate) name: String,
    pub(crate) role: Role,
}

impl Bucket {
    fn allow(&self, action: &str, object: &str) -> Result<(), Failure> {
        let resource = format!("{}/{object}", arn::bucket(&self.name));
        self.role.allow(vec![Access { action: format!("s3:{action}"), resource, partition: None }])
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

    /// Returns a role with one statement per permission: action, resource and leading keys.
    fn role(permissions: &[(&str, &str, Option<&str>)]) -> Role {
        let permissions = permissions.iter().enumerate();
        let permissions = permissions.map(|(statement, (action, resource, keys))| Permission {
            action: (*action).to_owned(),
            resource: (*resource).to_owned(),
            leading_keys: keys.map(str::to_owned),
            statement,
        });
        let table = Template::embedded().unwrap().table;
        Role::new("function", permissions.collect(), Arc::new(table))
    }

    fn allows(role: &Role, operation: &str, body: &Value) -> bool {
        role.allow(role.accesses(operation, body).unwrap()).is_ok()
    }

    fn get(partition: &str) -> Value {
        json!({ "TableName": "Table", "Key": { "pk": { "S": partition }, "sk": { "S": "x" } } })
    }

    fn put(partition: &str) -> Value {
        json!({ "Put": { "TableName": "Table", "Item": get(partition)["Key"] } })
    }

    #[test]
    fn a_permission_needs_the_action_the_resource_and_the_partition() {
        let table = arn::table("Table");
        let role = role(&[("dynamodb:GetItem", &table, Some("T#*"))]);
        assert!(allows(&role, "GetItem", &get("T#acme")));
        assert!(!allows(&role, "GetItem", &get("LISTS")));
        assert!(!allows(&role, "DeleteItem", &get("T#acme")));
        let other_table = json!({ "TableName": "Other", "Key": get("T#acme")["Key"] });
        assert!(!allows(&role, "GetItem", &other_table));
        assert_eq!(role.used().len(), 1);
    }

    #[test]
    fn every_member_of_a_transaction_needs_a_permission() {
        let table = arn::table("Table");
        let check = json!({ "ConditionCheck": get("T#acme") });
        let both = json!({ "TransactItems": [put("T#acme"), check] });
        let puts = ("dynamodb:PutItem", table.as_str(), None);
        let checks = ("dynamodb:ConditionCheckItem", table.as_str(), None);
        assert!(!allows(&role(&[puts]), "TransactWriteItems", &both));
        assert!(allows(&role(&[puts, checks]), "TransactWriteItems", &both));
    }

    #[test]
    fn one_statement_must_cover_all_partitions_of_a_transaction() {
        let table = arn::table("Table");
        let both = json!({ "TransactItems": [put("T#acme"), put("AGAIN#daily")] });
        let puts = |keys| ("dynamodb:PutItem", table.as_str(), Some(keys));
        let two_statements = role(&[puts("T#*"), puts("AGAIN#*")]);
        assert!(!allows(&two_statements, "TransactWriteItems", &both));
        let permissions = two_statements.permissions().iter().cloned();
        let permissions =
            permissions.map(|permission| Permission { statement: 0, ..permission }).collect();
        let one_statement = Role::new("function", permissions, two_statements.table.clone());
        assert!(allows(&one_statement, "TransactWriteItems", &both));
        assert_eq!(one_statement.used().len(), 2);
    }

    /// AWS does not document which keys the condition sees, so both readings must be allowed.
    #[test]
    fn every_action_of_a_transaction_needs_a_permission_for_all_its_partitions() {
        let table = arn::table("Table");
        let update = json!({ "Update": get("T#acme") });
        let both = json!({ "TransactItems": [update, put("AGAIN#daily")] });
        let role_with = |updated: &[&str]| {
            let puts = ["T#*", "AGAIN#*"].map(|keys| ("dynamodb:PutItem", keys, 0));
            let updates = updated.iter().map(|keys| ("dynamodb:UpdateItem", *keys, 1));
            let permissions = puts.into_iter().chain(updates);
            let permissions = permissions.map(|(action, keys, statement)| Permission {
                action: action.to_owned(),
                resource: table.clone(),
                leading_keys: Some(keys.to_owned()),
                statement,
            });
            let spec = Template::embedded().unwrap().table;
            Role::new("function", permissions.collect(), Arc::new(spec))
        };
        assert!(!allows(&role_with(&["T#*"]), "TransactWriteItems", &both));
        assert!(allows(&role_with(&["T#*", "AGAIN#*"]), "TransactWriteItems", &both));
    }

    #[test]
    fn a_query_of_an_index_needs_a_permission_for_its_partition() {
        let index = format!("{}/index/risk", arn::table("Table"));
        let role = role(&[("dynamodb:Query", &index, Some("T#*"))]);
        let query = |index: &str, partition: &str| {
            json!({
                "TableName": "Table", "IndexName": index,
                "KeyConditionExpression": "#0 = :0 AND begins_with(#1, :1)",
                "ExpressionAttributeNames": { "#0": "risk_pk", "#1": "customer_id" },
                "ExpressionAttributeValues": { ":0": { "S": partition }, ":1": { "S": "x" } },
            })
        };
        assert!(allows(&role, "Query", &query("risk", "T#acme#RISK#high")));
        assert!(!allows(&role, "Query", &query("risk", "MONITORED#daily#0")));
        // The key condition does not name the partition key of this index.
        assert!(role.accesses("Query", &query("created", "T#acme")).is_err());
    }
}
