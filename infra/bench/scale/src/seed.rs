//! Loads many customers quickly.
//!
//! Two customers are created through the API. Their items are copied directly into the store, with
//! different ids, times, names and client ids. A copy has the same items as a created customer
//! (customer, event and claim) in the table and its indexes. Unlike a created customer, a copy has
//! the risk level `low` or `high` instead of `not_set`, although it does not have a risk profile.

use std::net::TcpListener;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result};
use api_tests::Dice;
use api_tests::faults::{self, Meter};
use aws_sdk_dynamodb::config::SharedHttpClient;
use dynoxide::{AttributeValue, Database, ImportOptions, Item};
use local::{Options, Server, TableAccess};
use reqwest::Method;
use serde_json::json;
use shared::model::time::{Clock, Timestamp};
use uuid::Uuid;

use crate::api::Caller;

/// A server with a store that already contains customers.
pub(crate) struct Seeded {
    pub(crate) caller: Caller,
    /// Caller of another server on the same store. `meter` counts that server's calls to the store.
    pub(crate) metered: Caller,
    pub(crate) meter: Meter,
    /// Ids of the customers, in order of creation.
    pub(crate) ids: Vec<Uuid>,
    _servers: [Server; 2],
}

/// First words of the names. Each word is used for a tenth of the customers.
pub(crate) const WORDS: [&str; 10] = [
    "Amber", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Garnet", "Harbour", "Indigo", "Juniper",
];
/// One in this number of customers has [`RARE_COUNTRY`].
const RARE: usize = 10_000;
/// Country of one in [`RARE`] customers.
pub(crate) const RARE_COUNTRY: &str = "LI";
/// Risk level of one in ten customers, so that a tenant with 1,000 customers has more than one
/// page of them.
pub(crate) const TENTH_LEVEL: &str = "high";
/// Number of customers that are imported at once.
const CHUNK: usize = 2_000;
/// Milliseconds between the creation times of consecutive customers.
const MILLIS: i64 = 1_000;
/// Time when the first customer was created, in milliseconds since 1970.
const FIRST_MILLIS: i64 = 1_750_000_000_000;

/// The items of a created customer, and the values that differ in every copy.
struct Pattern {
    /// Items as JSON.
    items: Vec<String>,
    customer_id: String,
    event_id: String,
    created_at: String,
    name: String,
    client_id: String,
}

impl Seeded {
    /// Starts servers on a new store, and loads this number of customers of one tenant into it.
    pub(crate) async fn start(customers: usize) -> Result<Seeded> {
        let (database, endpoint) = store()?;
        let meter = Meter::default();
        let plain = server(&endpoint, None).await?;
        let caller = Caller::of(&plain)?;
        let measured = server(&endpoint, Some(faults::client(meter.clone()))).await?;
        let metered = Caller::of(&measured)?;
        let table = plain.template.table.name.clone();
        let common = Pattern::create(&caller, &database, &table, "common", "DE").await?;
        let rare = Pattern::create(&caller, &database, &table, "rare", RARE_COUNTRY).await?;
        let ids = thread::spawn(move || load(&database, &table, &common, &rare, customers));
        let ids = ids
            .join()
            .map_err(|_| anyhow::anyhow!("the thread that loads customers panicked"))??;
        Ok(Seeded { caller, metered, meter, ids, _servers: [plain, measured] })
    }
}

async fn server(endpoint: &str, http_client: Option<SharedHttpClient>) -> Result<Server> {
    let server = Server::start(Options {
        port: 0,
        data: None,
        table: Some(TableAccess::to(endpoint)),
        key: None,
        clock: Clock::system(),
        http_client,
        environment: [("WATCHLIST_SOURCES".to_owned(), local::sample_source())].into(),
        lists: None,
        schedules: false,
        events: None,
    });
    server.await.map_err(anyhow::Error::msg)
}

/// Starts the kind of store that the local server uses. Returns the store and its address.
fn store() -> Result<(Database, String)> {
    let database = Database::memory()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served_database = database.clone();
    // The thread ends with the process.
    thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let never = std::future::pending::<()>();
            let _ = dynoxide::server::serve_with_shutdown(listener, served_database, never).await;
        });
    });
    Ok((database, endpoint))
}

impl Pattern {
    /// Creates a customer, and moves its items from the table to the pattern.
    async fn create(
        caller: &Caller,
        database: &Database,
        table: &str,
        suffix: &str,
        country: &str,
    ) -> Result<Pattern> {
        let (name, client_id) = (format!("Pattern {suffix}"), format!("pattern-{suffix}"));
        let body = json!({
            "client_id": client_id,
            "name": name,
            "country": country,
            "industry": "Retail",
            "tags": ["retail"],
        });
        let created = caller.expect(Method::POST, "/customers", Some(&body)).await?.data;
        let text = |field: &str| {
            created[field]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("a new customer must have {field}"))
        };
        let (customer_id, created_at) = (text("customer_id")?, text("created_at")?);
        let scan = serde_json::from_value(json!({ "TableName": table }))?;
        let (mut items, mut event_id) = (Vec::new(), None);
        for item in database.scan(scan)?.items.unwrap_or_default() {
            let json = serde_json::to_value(&item)?;
            event_id = event_id.or(json["event_id"]["S"].as_str().map(str::to_owned));
            let key = json!({ "pk": json["pk"], "sk": json["sk"] });
            let delete = json!({ "TableName": table, "Key": key });
            database.delete_item(serde_json::from_value(delete)?)?;
            items.push(json.to_string());
        }
        let event_id = event_id.context("a new customer must have an event")?;
        anyhow::ensure!(items.len() == 3, "a new customer must have 3 items, not {}", items.len());
        Ok(Pattern { items, customer_id, event_id, created_at, name, client_id })
    }

    /// Returns the items of the copy with this number, created `millis` milliseconds after the
    /// start of 1970.
    fn copy(&self, number: usize, id: Uuid, event_id: Uuid, millis: i64) -> Result<Vec<Item>> {
        let word = WORDS.get(number % WORDS.len()).copied().unwrap_or_default();
        let name = format!("{word} {number:07}");
        let (folded, old_folded) = (name.to_lowercase(), self.name.to_lowercase());
        let created_at = Timestamp::from_millis(millis).to_string();
        let copy = |item: &String| -> Result<Item> {
            let json = item
                .replace(&self.customer_id, &id.to_string())
                .replace(&self.event_id, &event_id.to_string())
                .replace(&self.created_at, &created_at)
                .replace(&self.name, &name)
                .replace(&old_folded, &folded)
                .replace(&self.client_id, &format!("crm-{number:07}"));
            let mut copy: Item = serde_json::from_str(&json)?;
            let level = if (number / WORDS.len()).is_multiple_of(10) { TENTH_LEVEL } else { "low" };
            set_risk_level(&mut copy, level, &created_at);
            Ok(copy)
        };
        self.items.iter().map(copy).collect()
    }
}

/// Sets the risk level if the item is a customer. Leaves other items unchanged: they do not have a
/// `risk_pk`.
fn set_risk_level(item: &mut Item, level: &str, calculated_at: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let Some(AttributeValue::S(partition)) = item.get("risk_pk") else { return };
    let partition = partition.replace("#not_set", &format!("#{level}"));
    item.insert("risk_pk".to_owned(), AttributeValue::S(partition));
    if let Some(AttributeValue::M(risk)) = item.get_mut("risk") {
        risk.insert("level".to_owned(), text(level));
        risk.insert("score".to_owned(), AttributeValue::N("42".to_owned()));
        risk.insert("calculated_at".to_owned(), text(calculated_at));
    }
}

/// Loads copies into the store and returns their ids in order of creation.
fn load(
    database: &Database,
    table: &str,
    common: &Pattern,
    rare: &Pattern,
    customers: usize,
) -> Result<Vec<Uuid>> {
    let mut dice = Dice::new(1);
    let mut id_at = |millis: i64| {
        let random: [u8; 10] = std::array::from_fn(|_| dice.roll(256) as u8);
        uuid::Builder::from_unix_timestamp_millis(millis.unsigned_abs(), &random).into_uuid()
    };
    let mut ids = Vec::with_capacity(customers);
    // This thread creates copies while another one imports them.
    let (sender, chunks) = sync_channel::<Vec<Item>>(2);
    thread::scope(|scope| {
        let importer = scope.spawn(move || {
            for items in chunks {
                database.import_items(table, items, ImportOptions::default())?;
            }
            anyhow::Ok(())
        });
        for start in (0..customers).step_by(CHUNK) {
            let mut items = Vec::with_capacity(3 * CHUNK);
            for number in start..customers.min(start + CHUNK) {
                let millis = FIRST_MILLIS + number as i64 * MILLIS;
                let (id, event_id) = (id_at(millis), id_at(millis));
                // The middle customer of every 10,000 is rare. If there are fewer than 10,000
                // customers, the middle one of all is rare.
                let is_rare = number % RARE == RARE.min(customers) / 2;
                let pattern = if is_rare { rare } else { common };
                items.extend(pattern.copy(number, id, event_id, millis)?);
                ids.push(id);
            }
            // If sending fails, the importer has ended. `join` below returns its error.
            if sender.send(items).is_err() {
                break;
            }
        }
        drop(sender);
        importer
            .join()
            .map_err(|_| anyhow::anyhow!("the thread that imports customers panicked"))?
    })?;
    Ok(ids)
}
