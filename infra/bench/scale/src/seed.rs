//! Many customers in little time: some are created through the API, and what that wrote is copied
//! past it, with other ids, times, names and client ids. So a copy is what a creation writes:
//! customer, event and claim, in the table and its indexes. Only the risk level of a copy is one
//! that a creation does not give, and without the profile it would come from.

use std::net::TcpListener;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result};
use api_tests::Dice;
use api_tests::faults::{self, Meter};
use aws_sdk_dynamodb::config::SharedHttpClient;
use dynoxide::{AttributeValue, Database, ImportOptions, Item};
use local::{Options, Server};
use reqwest::Method;
use serde_json::json;
use shared::model::time::{Clock, Timestamp};
use uuid::Uuid;

use crate::api::Caller;

/// A server whose store is loaded past it.
pub(crate) struct Seeded {
    pub(crate) caller: Caller,
    /// Of another server on the same store, whose calls to it are measured.
    pub(crate) metered: Caller,
    pub(crate) meter: Meter,
    /// In order of creation.
    pub(crate) ids: Vec<Uuid>,
    _servers: [Server; 2],
}

/// The first words of names, in turn: each has a tenth of the customers.
pub(crate) const WORDS: [&str; 10] = [
    "Amber", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Garnet", "Harbour", "Indigo", "Juniper",
];
/// One customer in so many has the country nobody else has.
const RARE: usize = 10_000;
pub(crate) const RARE_COUNTRY: &str = "LI";
/// Every tenth, so that there is a page of them among a thousand.
pub(crate) const TENTH_LEVEL: &str = "high";
const CHUNK: usize = 2_000;
/// Between two creations.
const MILLIS: i64 = 1_000;
/// Of the first one.
const FIRST_MILLIS: i64 = 1_750_000_000_000;

/// What the creation of one customer wrote, and what is another in every copy.
struct Pattern {
    items: Vec<String>,
    customer: String,
    event: String,
    at: String,
    name: String,
    client: String,
}

impl Seeded {
    /// With so many customers in one tenant.
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
        let ids = ids.join().map_err(|_| anyhow::anyhow!("loading panicked"))??;
        Ok(Seeded { caller, metered, meter, ids, _servers: [plain, measured] })
    }
}

async fn server(endpoint: &str, http_client: Option<SharedHttpClient>) -> Result<Server> {
    let server = Server::start(Options {
        port: 0,
        data: None,
        dynamodb_endpoint: Some(endpoint.to_owned()),
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

/// The embedded store, as the local server starts it.
fn store() -> Result<(Database, String)> {
    let database = Database::memory()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = database.clone();
    // Ends with the process.
    thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let never = std::future::pending::<()>();
            let _ = dynoxide::server::serve_with_shutdown(listener, served, never).await;
        });
    });
    Ok((database, endpoint))
}

impl Pattern {
    /// Creates a customer, and takes what that wrote out of the table again.
    async fn create(
        caller: &Caller,
        database: &Database,
        table: &str,
        called: &str,
        country: &str,
    ) -> Result<Pattern> {
        let (name, client) = (format!("Pattern {called}"), format!("pattern-{called}"));
        let body = json!({
            "client_id": client,
            "name": name,
            "country": country,
            "industry": "Retail",
            "tags": ["retail"],
        });
        let created = caller.expect(Method::POST, "/customers", Some(&body)).await?.data;
        let text = |field: &str| created[field].as_str().map(str::to_owned).context("a text");
        let (customer, at) = (text("customer_id")?, text("created_at")?);
        let scan = serde_json::from_value(json!({ "TableName": table }))?;
        let (mut items, mut event) = (Vec::new(), None);
        for item in database.scan(scan)?.items.unwrap_or_default() {
            let json = serde_json::to_value(&item)?;
            event = event.or(json["event_id"]["S"].as_str().map(str::to_owned));
            let key = json!({ "pk": json["pk"], "sk": json["sk"] });
            let delete = json!({ "TableName": table, "Key": key });
            database.delete_item(serde_json::from_value(delete)?)?;
            items.push(json.to_string());
        }
        let event = event.context("a creation that wrote an event")?;
        anyhow::ensure!(items.len() == 3, "a creation that wrote {} items", items.len());
        Ok(Pattern { items, customer, event, at, name, client })
    }

    fn copy(&self, number: usize, id: Uuid, event: Uuid, millis: i64) -> Result<Vec<Item>> {
        let word = WORDS.get(number % WORDS.len()).copied().unwrap_or_default();
        let name = format!("{word} {number:07}");
        let (folded, old_folded) = (name.to_lowercase(), self.name.to_lowercase());
        let at = Timestamp::from_millis(millis).to_string();
        let copy = |item: &String| -> Result<Item> {
            let item = item.replace(&self.customer, &id.to_string());
            let item = item.replace(&self.event, &event.to_string()).replace(&self.at, &at);
            let item = item.replace(&self.name, &name).replace(&old_folded, &folded);
            let item = item.replace(&self.client, &format!("crm-{number:07}"));
            let mut item: Item = serde_json::from_str(&item)?;
            let level = if (number / WORDS.len()).is_multiple_of(10) { TENTH_LEVEL } else { "low" };
            at_risk(&mut item, level, &at);
            Ok(item)
        };
        self.items.iter().map(copy).collect()
    }
}

/// Gives a customer a risk level; other items have none.
fn at_risk(item: &mut Item, level: &str, at: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let Some(AttributeValue::S(partition)) = item.get("risk_pk") else { return };
    let partition = partition.replace("#not_set", &format!("#{level}"));
    item.insert("risk_pk".to_owned(), AttributeValue::S(partition));
    if let Some(AttributeValue::M(risk)) = item.get_mut("risk") {
        risk.insert("level".to_owned(), text(level));
        risk.insert("score".to_owned(), AttributeValue::N("42".to_owned()));
        risk.insert("calculated_at".to_owned(), text(at));
    }
}

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
    // One thread writes copies while another writes them into the store.
    let (sender, chunks) = sync_channel::<Vec<Item>>(2);
    thread::scope(|scope| {
        let importing = scope.spawn(move || {
            for items in chunks {
                database.import_items(table, items, ImportOptions::default())?;
            }
            anyhow::Ok(())
        });
        for from in (0..customers).step_by(CHUNK) {
            let mut items = Vec::with_capacity(3 * CHUNK);
            for number in from..customers.min(from + CHUNK) {
                let millis = FIRST_MILLIS + number as i64 * MILLIS;
                let (id, event) = (id_at(millis), id_at(millis));
                // In the middle of its ten thousand, or of all where there are fewer.
                let is_rare = number % RARE == RARE.min(customers) / 2;
                let pattern = if is_rare { rare } else { common };
                items.extend(pattern.copy(number, id, event, millis)?);
                ids.push(id);
            }
            // When it has ended, it says why.
            if sender.send(items).is_err() {
                break;
            }
        }
        drop(sender);
        importing.join().map_err(|_| anyhow::anyhow!("importing panicked"))?
    })?;
    Ok(ids)
}
