//! Describes a deployed stack on which tests run. The environment variable `DEPLOYED` names a file
//! with the addresses of the stack. All tests share the stack's table and watchlist, so each
//! [`crate::Api`] has its own tenants, and a test that needs particular lists reserves them.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use local::SigningKey;
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The contents of the file that `DEPLOYED` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    /// Base URL of the API.
    pub api: String,
    /// Address of the host in `api`. Some machines do not resolve names under `localhost`.
    pub address: SocketAddr,
    /// Endpoint of the AWS services that the stack uses, including Lambda.
    pub endpoint: String,
    pub region: String,
    /// Names of the functions in the stack, by the name of their binary.
    pub functions: BTreeMap<String, String>,
    pub table: String,
    /// PEM file of the private key that signs tokens for the authorizer's issuer.
    pub key: PathBuf,
    pub issuer: String,
    pub audience: String,
    /// The file that is served as `ours`, the only watchlist of the stack.
    pub list: PathBuf,
}

/// The deployed stack, or `None` if tests start local servers.
pub static DEPLOYED: LazyLock<Option<Deployed>> = LazyLock::new(|| {
    let path = std::env::var_os("DEPLOYED")?;
    let text = std::fs::read_to_string(&path).expect("the file that DEPLOYED names is readable");
    let stack = serde_json::from_str(&text).expect("the file that DEPLOYED names is valid");
    Some(stack)
});

static LISTS: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

type Key = HashMap<String, AttributeValue>;

/// Number of monitoring shards of the stack, the same as on local servers.
const SHARDS: u32 = 2;

/// Maximum time that a test waits for other tests to release the lists. A longer wait probably
/// means a deadlock.
const PATIENCE: Duration = Duration::from_secs(600);

/// A reservation of the watchlists. While a test holds it, other tests cannot change the lists.
pub(crate) type HeldLists = OwnedMutexGuard<()>;

/// Panics on a deployed stack, because the calling test needs `what`, which a deployed API does not
/// have. `infra/emulator/differs` lists these tests.
pub fn only_locally(what: &str) {
    assert!(DEPLOYED.is_none(), "a deployed API has no {what}: list this test in `differs`");
}

impl Deployed {
    pub(crate) fn signing_key(&self) -> SigningKey {
        let pem = std::fs::read_to_string(&self.key).expect("the signing key is readable");
        SigningKey::from_pem(&pem).expect("the signing key is valid PEM")
    }

    pub(crate) fn http_client(&self) -> reqwest::Client {
        let url = reqwest::Url::parse(&self.api).expect("the API has a valid URL");
        let name = url.host_str().unwrap_or_default();
        local::tls::install_provider();
        reqwest::Client::builder()
            .resolve(name, self.address)
            .build()
            .expect("the HTTP client can be built")
    }

    pub(crate) fn dynamodb(&self) -> Client {
        let credentials = Credentials::new("test", "test", None, None, "tests");
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials)
            .http_client(local::calls::default_client())
            .endpoint_url(&self.endpoint);
        Client::from_conf(config.build())
    }

    /// Reserves the lists for one test. Also removes everything that tenants share, as if the table
    /// were empty: the lists, the passes, the pending rechecks, and the entries of monitors in the
    /// index that passes read.
    pub(crate) async fn hold_lists(&self) -> HeldLists {
        let guard = tokio::time::timeout(PATIENCE, LISTS.clone().lock_owned())
            .await
            .expect("tests release the lists when they end, and reserve them once");
        let dynamodb = self.dynamodb();
        let mut shared = vec!["LISTS".to_owned(), "PASS".to_owned()];
        shared.extend((0..SHARDS).map(|shard| format!("AGAIN#{shard}")));
        for frequency in ["on_update", "daily", "weekly", "reconcile"] {
            for shard in 0..SHARDS {
                shared.push(format!("PASS#{frequency}#{shard}"));
                let monitored = format!("MONITORED#{frequency}#{shard}");
                for key in self.keys(&dynamodb, Some("monitored"), &monitored).await {
                    dynamodb
                        .update_item()
                        .table_name(&self.table)
                        .update_expression("REMOVE monitored_pk, monitored_sk")
                        .set_key(Some(key))
                        .send()
                        .await
                        .expect("a monitor can be removed from its index");
                }
            }
        }
        for partition in shared {
            for key in self.keys(&dynamodb, None, &partition).await {
                let delete = dynamodb.delete_item().table_name(&self.table).set_key(Some(key));
                delete.send().await.expect("shared items can be deleted");
            }
        }
        guard
    }

    /// Returns the keys of all items in a partition of the table, or of the index `monitored` if
    /// `index` names it.
    async fn keys(&self, dynamodb: &Client, index: Option<&str>, partition: &str) -> Vec<Key> {
        let name = if index.is_some() { "monitored_pk" } else { "pk" };
        let pages = dynamodb
            .query()
            .table_name(&self.table)
            .set_index_name(index.map(str::to_owned))
            .key_condition_expression(format!("{name} = :partition"))
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()))
            .projection_expression("pk, sk")
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<_, _>>().await.expect("the table can be queried")
    }

    /// Replaces the watchlist's file atomically, because the stack may be reading it.
    pub fn write_list(&self, bytes: &[u8]) {
        let temporary = self.list.with_extension("new");
        std::fs::write(&temporary, bytes).expect("the list can be written");
        std::fs::rename(&temporary, &self.list).expect("the list can be replaced");
    }
}
