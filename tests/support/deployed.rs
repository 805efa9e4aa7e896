//! A stack that is deployed already: where it is, as the file says that `DEPLOYED` names. All tests
//! share its table and its watchlist, so each server of a test has tenants of its own there, and a
//! test that needs certain lists has them to itself.

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    /// Base address of the API.
    pub api: String,
    /// What the name in it is resolved to: not every machine knows names under `localhost`.
    pub address: SocketAddr,
    /// Of the services that the stack uses.
    pub endpoint: String,
    pub region: String,
    /// The function's name in the stack by the binary it was built from.
    pub functions: BTreeMap<String, String>,
    pub table: String,
    /// The key the authorizer's issuer signs with, as PEM.
    pub key: PathBuf,
    pub issuer: String,
    pub audience: String,
    /// The file that is served as the stack's one watchlist, `ours`.
    pub list: PathBuf,
}

/// `None` where tests start servers of their own.
pub static DEPLOYED: LazyLock<Option<Deployed>> = LazyLock::new(|| {
    let path = std::env::var_os("DEPLOYED")?;
    let text = std::fs::read_to_string(&path).expect("the file DEPLOYED names reads");
    Some(serde_json::from_str(&text).expect("the file DEPLOYED names says where the stack is"))
});

static LISTS: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

type Key = HashMap<String, AttributeValue>;

/// As the suite's own servers have.
const SHARDS: u32 = 2;

const PATIENCE: Duration = Duration::from_secs(600);

/// As long as it is held no other test changes the lists.
pub(crate) type HeldLists = OwnedMutexGuard<()>;

/// Ends a test that asks for what no deployed API can give it. Such tests are in
/// `infra/emulator/differs`.
pub fn only_locally(what: &str) {
    assert!(DEPLOYED.is_none(), "a deployed API has no {what}: list this test in `differs`");
}

impl Deployed {
    pub(crate) fn signing_key(&self) -> SigningKey {
        let pem = std::fs::read_to_string(&self.key).expect("the signing key is there");
        SigningKey::from_pem(&pem).expect("the signing key reads")
    }

    pub(crate) fn http_client(&self) -> reqwest::Client {
        let url = reqwest::Url::parse(&self.api).expect("the API has an address");
        let name = url.host_str().unwrap_or_default();
        local::tls::install_provider();
        reqwest::Client::builder().resolve(name, self.address).build().expect("an HTTP client")
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

    /// The lists for one test alone, and what all tenants share as on a table where nothing was
    /// done yet: no list, no pass, nobody that a pass would meet.
    pub(crate) async fn hold_lists(&self) -> HeldLists {
        let held = tokio::time::timeout(PATIENCE, LISTS.clone().lock_owned()).await;
        let held = held.expect("no test holds the lists forever, or takes them twice");
        let dynamodb = self.dynamodb();
        let mut shared = vec!["LISTS".to_owned(), "PASS".to_owned()];
        shared.extend((0..SHARDS).map(|shard| format!("AGAIN#{shard}")));
        for frequency in ["on_update", "daily", "weekly", "reconcile"] {
            for shard in 0..SHARDS {
                shared.push(format!("PASS#{frequency}#{shard}"));
                let monitored = format!("MONITORED#{frequency}#{shard}");
                for key in self.keys(&dynamodb, Some("monitored"), &monitored).await {
                    let update = dynamodb.update_item().table_name(&self.table);
                    let update = update.update_expression("REMOVE monitored_pk, monitored_sk");
                    update.set_key(Some(key)).send().await.expect("a monitor can be taken out");
                }
            }
        }
        for partition in shared {
            for key in self.keys(&dynamodb, None, &partition).await {
                let delete = dynamodb.delete_item().table_name(&self.table).set_key(Some(key));
                delete.send().await.expect("what all tenants share can be deleted");
            }
        }
        held
    }

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
        pages.collect::<Result<_, _>>().await.expect("the table can be asked")
    }

    /// In one step: the stack may be reading it.
    pub fn write_list(&self, bytes: &[u8]) {
        let beside = self.list.with_extension("new");
        std::fs::write(&beside, bytes).expect("the list can be written");
        std::fs::rename(&beside, &self.list).expect("the list can be replaced");
    }
}
