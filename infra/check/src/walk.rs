//! Reads the table item by item, and again what seems wrong.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, Get, KeysAndAttributes, TransactGetItem};
use sha2::{Digest, Sha256};
use shared::http::edge::FUNCTION_TIME;
use shared::model::time::{Clock, Timestamp};

use crate::item::{Item, Place};
use crate::links::{Need, half, needs};
use crate::{Failure, Found, Report, customer, is_known};

type Key = HashMap<String, AttributeValue>;

/// The most that one request takes.
const BATCH: usize = 100;
/// How often a customer that changes meanwhile is read again, and after which pause.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Walk<'a> {
    client: &'a Client,
    table: &'a str,
    clock: &'a Clock,
    report: Report,
    found: Found,
    /// Items of one customer; a scan gives them one after another.
    partition: Vec<Item>,
    /// Customers to look at again.
    suspects: BTreeSet<String>,
    /// Of pairs of items, those whose other half was not met yet: 16 bytes each.
    halves: HashSet<u128>,
    /// What needs others that were not looked for yet.
    needing: Vec<(Item, Need)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(client: &'a Client, table: &'a str, clock: &'a Clock) -> Walk<'a> {
        Walk {
            client,
            table,
            clock,
            report: Report::default(),
            found: Found::default(),
            partition: Vec::new(),
            suspects: BTreeSet::new(),
            halves: HashSet::new(),
            needing: Vec::new(),
        }
    }

    pub(super) async fn whole_table(mut self) -> Result<Report, Failure> {
        let mut start = None;
        loop {
            let (items, end) = self.page(start).await?;
            for item in items {
                self.meet(item);
            }
            while self.needing.len() >= BATCH {
                self.look_for_some().await?;
            }
            start = end;
            if start.is_none() {
                break;
            }
        }
        self.end_of_partition();
        while !self.needing.is_empty() {
            self.look_for_some().await?;
        }
        self.look_at_halves_again().await?;
        for pk in std::mem::take(&mut self.suspects) {
            self.look_at_customer_again(&pk).await?;
        }
        self.lists_are_numbered().await?;
        self.report.violations = self.found.0;
        self.report.violations.sort();
        self.report.violations.dedup();
        Ok(self.report)
    }

    async fn page(&self, start: Option<Key>) -> Result<(Vec<Item>, Option<Key>), Failure> {
        let scan = self.client.scan().table_name(self.table).set_exclusive_start_key(start);
        let page = scan.send().await.map_err(|error| failed("Scan", &error))?;
        let items = page.items.unwrap_or_default().into_iter().map(Item::read).collect();
        Ok((items, page.last_evaluated_key))
    }

    fn meet(&mut self, item: Item) {
        let kind = item.text("type").unwrap_or("unknown").to_owned();
        *self.report.items.entry(kind).or_default() += 1;
        is_known(&item, &mut self.found);
        if let Some(half) = half(&item).map(hashed)
            && !self.halves.remove(&half)
        {
            self.halves.insert(half);
        }
        for need in needs(&item).into_iter().filter(|need| !need.is_mutual) {
            self.needing.push((item.clone(), need));
        }
        if self.partition.first().is_some_and(|first| first.pk != item.pk) {
            self.end_of_partition();
        }
        if matches!(item.place(), Some(Place::Of(..))) {
            self.partition.push(item);
        }
    }

    fn end_of_partition(&mut self) {
        let items = std::mem::take(&mut self.partition);
        let Some(first) = items.first() else { return };
        let mut found = Found::default();
        customer::check(&items, self.clock.now(), &mut found);
        if !found.0.is_empty() {
            self.suspects.insert(first.pk.clone());
        }
    }

    /// Looks whether what some items need is there.
    async fn look_for_some(&mut self) -> Result<(), Failure> {
        let rest = self.needing.split_off(self.needing.len().min(BATCH));
        let asked = std::mem::replace(&mut self.needing, rest);
        let wanted: BTreeSet<(&str, &str)> =
            asked.iter().map(|(_, need)| (need.pk.as_str(), need.sk.as_str())).collect();
        let mut keys: Vec<Key> = wanted.iter().map(|(pk, sk)| key(pk, sk)).collect();
        // Whether it is the tombstone of an erasure that was brought to its end.
        let mut there: HashMap<(String, String), bool> = HashMap::new();
        while !keys.is_empty() {
            let keys_of = KeysAndAttributes::builder().set_keys(Some(keys));
            let keys_of = keys_of.projection_expression("pk, sk, is_scrubbed").build();
            let keys_of = keys_of.map_err(|error| error.to_string())?;
            let get = self.client.batch_get_item().request_items(self.table, keys_of);
            let got = get.send().await.map_err(|error| failed("BatchGetItem", &error))?;
            for item in got.responses.unwrap_or_default().into_values().flatten() {
                let item = Item::read(item);
                let is_tombstone = is_tombstone(&item);
                there.insert((item.pk, item.sk), is_tombstone);
            }
            let left = got.unprocessed_keys.unwrap_or_default().into_values();
            keys = left.flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        for (item, need) in asked {
            let other = there.get(&(need.pk.clone(), need.sk.clone()));
            if other.is_none_or(|is_tombstone| need.is_unerased && *is_tombstone) {
                self.look_at_need_again(&item, &need).await?;
            }
        }
        Ok(())
    }

    /// Finds the items whose other half was not met, and looks at both at one moment.
    async fn look_at_halves_again(&mut self) -> Result<(), Failure> {
        if self.halves.is_empty() {
            return Ok(());
        }
        let mut start = None;
        loop {
            let (items, end) = self.page(start).await?;
            for item in items {
                let is_alone =
                    half(&item).map(hashed).is_some_and(|half| self.halves.contains(&half));
                for need in needs(&item).into_iter().filter(|need| is_alone && need.is_mutual) {
                    self.look_at_need_again(&item, &need).await?;
                }
            }
            start = end;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    async fn look_at_need_again(&mut self, item: &Item, need: &Need) -> Result<(), Failure> {
        let keys = [key(&item.pk, &item.sk), key(&need.pk, &need.sk)];
        let mut both = self.together(keys).await?.into_iter();
        let (item, other) = (both.next().flatten(), both.next().flatten());
        let Some(item) = item.filter(|item| needs(item).contains(need)) else { return Ok(()) };
        match other {
            None => self.found.add(need.rule, &item, "what it needs is not there"),
            Some(other) if need.is_mutual && half(&other) != half(&item) => {
                self.found.add(need.rule, &item, "what it points at points elsewhere");
            }
            Some(other) if need.is_unerased && is_tombstone(&other) => {
                self.found.add(need.rule, &item, "tells of a customer that was erased");
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Two items at one moment.
    async fn together(&self, keys: [Key; 2]) -> Result<Vec<Option<Item>>, Failure> {
        let get = |key: Key| {
            let get = Get::builder().table_name(self.table).set_key(Some(key)).build();
            get.map(|get| TransactGetItem::builder().get(get).build())
        };
        let items: Result<Vec<_>, _> = keys.into_iter().map(get).collect();
        let items = items.map_err(|error| error.to_string())?;
        for _ in 0..LOOKS {
            let request = self.client.transact_get_items();
            match request.set_transact_items(Some(items.clone())).send().await {
                Ok(got) => {
                    let all = got.responses.unwrap_or_default().into_iter();
                    return Ok(all.map(|one| one.item.map(Item::read)).collect());
                }
                // Somebody writes one of them right now.
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|error| error.is_transaction_canceled_exception()) =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(failed("TransactGetItems", &error)),
            }
        }
        Err("an item is written all the time".to_owned())
    }

    /// A customer's version moves with everything that belongs to it, but for what an erasure does
    /// after the tombstone: between two reads of the same state lies one moment.
    async fn look_at_customer_again(&mut self, pk: &str) -> Result<(), Failure> {
        for _ in 0..LOOKS {
            let before = self.state(pk).await?;
            if before == State::BeingErased {
                break;
            }
            let items = self.items(pk).await?;
            if self.state(pk).await? == before {
                let of_customer = |item: &Item| matches!(item.place(), Some(Place::Of(..)));
                let items: Vec<Item> = items.into_iter().filter(of_customer).collect();
                customer::check(&items, self.clock.now(), &mut self.found);
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.report.restless += 1;
        Ok(())
    }

    async fn state(&self, pk: &str) -> Result<State, Failure> {
        let get = self.client.get_item().table_name(self.table).consistent_read(true);
        let got = get.set_key(Some(key(pk, "CUSTOMER"))).send().await;
        let got = got.map_err(|error| failed("GetItem", &error))?;
        let Some(item) = got.item.map(Item::read) else { return Ok(State::Absent) };
        let erased_at = item.text("erased_at").and_then(Timestamp::parse);
        let is_recent = erased_at.is_some_and(|at| {
            self.clock.now().millis() - at.millis() < FUNCTION_TIME.as_millis() as i64
        });
        Ok(match is_recent && !is_tombstone(&item) {
            true => State::BeingErased,
            false => State::At { version: item.get("version").as_u64() },
        })
    }

    async fn items(&self, pk: &str) -> Result<Vec<Item>, Failure> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let query = self.client.query().table_name(self.table).consistent_read(true);
            let query = query
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| failed("Query", &error))?;
            items.extend(page.items.unwrap_or_default().into_iter().map(Item::read));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// The current lists are the last of the revisions that were kept, and none is missing.
    async fn lists_are_numbered(&mut self) -> Result<(), Failure> {
        let items = self.items("LISTS").await?;
        let (mut current, mut kept) = (None, Vec::new());
        for item in &items {
            match item.place() {
                Some(Place::CurrentLists) => current = Some(item),
                Some(Place::Lists(number)) => kept.push(number),
                _ => {}
            }
        }
        let revision = current.and_then(|item| item.get("revision").as_u64()).unwrap_or(0);
        let holds = kept.iter().copied().eq(1..=revision);
        if let Some(item) = current.or(items.first()) {
            self.found.check(holds, "lists", item, || {
                format!("is revision {revision}, and {} are kept", kept.len())
            });
        }
        Ok(())
    }
}

/// What a customer is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    /// By a request that may be at it still.
    BeingErased,
    At {
        version: Option<u64>,
    },
}

fn is_tombstone(item: &Item) -> bool {
    item.get("is_scrubbed").as_bool() == Some(true)
}

fn key(pk: &str, sk: &str) -> Key {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn hashed(half: String) -> u128 {
    Sha256::digest(half.as_bytes()).first_chunk().copied().map_or(0, u128::from_le_bytes)
}

fn failed(operation: &str, error: &(impl std::error::Error + 'static)) -> Failure {
    format!("{operation}: {}", DisplayErrorContext(error))
}
