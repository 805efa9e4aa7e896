//! Reads the table page by page, checks the items, and rereads those that look inconsistent.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, Get, KeysAndAttributes, TransactGetItem};
use sha2::{Digest, Sha256};
use shared::model::time::{Clock, Timestamp};
use shared::runtime::edge::FUNCTION_TIME;

use crate::Failure;
use crate::item::Item;
use crate::key::ItemKey;
use crate::references::{Reference, pair_id, references};
use crate::report::{Report, Rule, Violations};
use crate::{customer, standalone};

type Attributes = HashMap<String, AttributeValue>;

/// Maximum number of keys that DynamoDB accepts in a `BatchGetItem`.
const BATCH: usize = 100;
/// Maximum number of attempts to read a customer or a pair of items that keeps changing.
const ATTEMPTS: usize = 10;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct Scan<'a> {
    client: &'a Client,
    table: &'a str,
    clock: &'a Clock,
    report: Report,
    violations: Violations,
    /// Items of the customer whose partition is being scanned. A scan returns all items of a
    /// partition in sequence.
    partition: Vec<Item>,
    /// Partition keys of the customers to read again.
    suspects: BTreeSet<String>,
    /// Hash of each pair whose second item has not been read yet. A hash has only 16 bytes, because
    /// there can be one for every customer.
    unpaired: HashSet<u128>,
    /// One-way references that have not been looked up yet, each with the item that refers.
    pending: Vec<(Item, Reference)>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(client: &'a Client, table: &'a str, clock: &'a Clock) -> Scan<'a> {
        Scan {
            client,
            table,
            clock,
            report: Report::default(),
            violations: Violations::default(),
            partition: Vec::new(),
            suspects: BTreeSet::new(),
            unpaired: HashSet::new(),
            pending: Vec::new(),
        }
    }

    pub(crate) async fn run(mut self) -> Result<Report, Failure> {
        let mut start = None;
        loop {
            let (items, next) = self.read_page(start).await?;
            for item in items {
                self.check_item(item);
            }
            while self.pending.len() >= BATCH {
                self.look_up_references().await?;
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
        self.check_partition();
        while !self.pending.is_empty() {
            self.look_up_references().await?;
        }
        self.recheck_unpaired().await?;
        for pk in std::mem::take(&mut self.suspects) {
            self.recheck_customer(&pk).await?;
        }
        self.check_list_revisions().await?;
        self.report.violations = self.violations.into_sorted();
        Ok(self.report)
    }

    async fn read_page(
        &self,
        start: Option<Attributes>,
    ) -> Result<(Vec<Item>, Option<Attributes>), Failure> {
        let scan = self.client.scan().table_name(self.table).set_exclusive_start_key(start);
        let page = scan.send().await.map_err(|error| failure("Scan", &error))?;
        let items = page.items.unwrap_or_default();
        Ok((items.into_iter().map(Item::from_attributes).collect(), page.last_evaluated_key))
    }

    fn check_item(&mut self, item: Item) {
        let item_type = item.text("type").unwrap_or("unknown").to_owned();
        *self.report.items.entry(item_type).or_default() += 1;
        standalone::check(&item, &mut self.violations);
        if let Some(pair) = pair_hash(&item)
            && !self.unpaired.remove(&pair)
        {
            self.unpaired.insert(pair);
        }
        for reference in references(&item).into_iter().filter(|reference| !reference.is_mutual) {
            self.pending.push((item.clone(), reference));
        }
        if self.partition.first().is_some_and(|first| first.pk != item.pk) {
            self.check_partition();
        }
        if is_of_customer(&item) {
            self.partition.push(item);
        }
    }

    fn check_partition(&mut self) {
        let items = std::mem::take(&mut self.partition);
        let Some(first) = items.first() else { return };
        let mut violations = Violations::default();
        customer::check(&items, self.clock.now(), &mut violations);
        if !violations.is_empty() {
            self.suspects.insert(first.pk.clone());
        }
    }

    /// Looks up the items that a batch of one-way references refers to. Rechecks each reference
    /// whose item is missing, or is the tombstone of a complete erasure although it must not be.
    async fn look_up_references(&mut self) -> Result<(), Failure> {
        let rest = self.pending.split_off(self.pending.len().min(BATCH));
        let batch = std::mem::replace(&mut self.pending, rest);
        let keys: BTreeSet<(&str, &str)> = batch
            .iter()
            .map(|(_, reference)| (reference.pk.as_str(), reference.sk.as_str()))
            .collect();
        let existing = self.tombstones(&keys).await?;
        for (item, reference) in &batch {
            let is_tombstone = existing.get(&(reference.pk.clone(), reference.sk.clone()));
            if is_tombstone.is_none_or(|is_tombstone| reference.is_unerased && *is_tombstone) {
                self.recheck_reference(item, reference).await?;
            }
        }
        Ok(())
    }

    /// Returns the keys of the items that exist, each with whether the item is the tombstone of a
    /// complete erasure.
    async fn tombstones(
        &self,
        keys: &BTreeSet<(&str, &str)>,
    ) -> Result<HashMap<(String, String), bool>, Failure> {
        let mut existing = HashMap::new();
        let mut keys: Vec<Attributes> = keys.iter().map(|(pk, sk)| key(pk, sk)).collect();
        while !keys.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .projection_expression("pk, sk, is_scrubbed")
                .build()
                .map_err(|error| error.to_string())?;
            let call = self.client.batch_get_item().request_items(self.table, request);
            let output = call.send().await.map_err(|error| failure("BatchGetItem", &error))?;
            for attributes in output.responses.unwrap_or_default().into_values().flatten() {
                let item = Item::from_attributes(attributes);
                let is_tombstone = is_tombstone(&item);
                existing.insert((item.pk, item.sk), is_tombstone);
            }
            let unprocessed = output.unprocessed_keys.unwrap_or_default().into_values();
            keys = unprocessed.flat_map(|request| request.keys).collect();
            if !keys.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(existing)
    }

    /// Scans the table for the items whose counterpart was not read, and reads each pair in one
    /// transaction.
    async fn recheck_unpaired(&mut self) -> Result<(), Failure> {
        if self.unpaired.is_empty() {
            return Ok(());
        }
        let mut start = None;
        loop {
            let (items, next) = self.read_page(start).await?;
            for item in items {
                if !pair_hash(&item).is_some_and(|pair| self.unpaired.contains(&pair)) {
                    continue;
                }
                for reference in references(&item).iter().filter(|reference| reference.is_mutual) {
                    self.recheck_reference(&item, reference).await?;
                }
            }
            start = next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    async fn recheck_reference(
        &mut self,
        item: &Item,
        reference: &Reference,
    ) -> Result<(), Failure> {
        let keys = [key(&item.pk, &item.sk), key(&reference.pk, &reference.sk)];
        let [item, other] = self.read_together(keys).await?;
        let Some(item) = item.filter(|item| references(item).contains(reference)) else {
            return Ok(());
        };
        let rule = reference.rule;
        match other {
            None => self.violations.add(rule, &item, "the item it refers to does not exist"),
            Some(other) if reference.is_mutual && pair_id(&other) != pair_id(&item) => {
                self.violations.add(rule, &item, "the item it refers to does not refer back");
            }
            Some(other) if reference.is_unerased && is_tombstone(&other) => {
                self.violations.add(
                    rule,
                    &item,
                    "should not exist after the erasure of its customer",
                );
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Reads two items in one transaction. Makes up to [`ATTEMPTS`] attempts while another request
    /// writes one of them.
    async fn read_together(&self, keys: [Attributes; 2]) -> Result<[Option<Item>; 2], Failure> {
        let get = |key: Attributes| {
            let get = Get::builder().table_name(self.table).set_key(Some(key)).build();
            get.map(|get| TransactGetItem::builder().get(get).build())
        };
        let items: Result<Vec<_>, _> = keys.into_iter().map(get).collect();
        let items = items.map_err(|error| error.to_string())?;
        for _ in 0..ATTEMPTS {
            let request = self.client.transact_get_items();
            match request.set_transact_items(Some(items.clone())).send().await {
                Ok(output) => {
                    let mut responses = output.responses.unwrap_or_default().into_iter();
                    let mut next = || responses.next()?.item.map(Item::from_attributes);
                    return Ok([next(), next()]);
                }
                // Another request is writing one of the items.
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|error| error.is_transaction_canceled_exception()) =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(failure("TransactGetItems", &error)),
            }
        }
        Err("an item changes too often to be read: check the table again later".to_owned())
    }

    /// Reads a customer until its version is the same before and after the read, and then checks
    /// it. Counts the customer as restless if it changes during every attempt or is being erased.
    ///
    /// The version changes with every change of a customer's items, except for the steps of an
    /// erasure after it has set `erased_at`.
    async fn recheck_customer(&mut self, pk: &str) -> Result<(), Failure> {
        for _ in 0..ATTEMPTS {
            let before = self.read_state(pk).await?;
            if before == State::BeingErased {
                break;
            }
            let mut items = self.read_partition(pk).await?;
            if self.read_state(pk).await? == before {
                items.retain(is_of_customer);
                customer::check(&items, self.clock.now(), &mut self.violations);
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.report.restless += 1;
        Ok(())
    }

    async fn read_state(&self, pk: &str) -> Result<State, Failure> {
        let get = self.client.get_item().table_name(self.table).consistent_read(true);
        let output = get.set_key(Some(key(pk, "CUSTOMER"))).send().await;
        let output = output.map_err(|error| failure("GetItem", &error))?;
        let Some(item) = output.item.map(Item::from_attributes) else {
            return Ok(State::Absent);
        };
        let erased_at = item.text("erased_at").and_then(Timestamp::parse);
        let is_recent = erased_at.is_some_and(|at| {
            self.clock.now().millis() - at.millis() < FUNCTION_TIME.as_millis() as i64
        });
        if is_recent && !is_tombstone(&item) {
            return Ok(State::BeingErased);
        }
        Ok(State::Version(item.get("version").as_u64()))
    }

    async fn read_partition(&self, pk: &str) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| failure("Query", &error))?;
            items.extend(page.items.unwrap_or_default().into_iter().map(Item::from_attributes));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Checks that the revisions of the lists are numbered from 1 to the current revision, without
    /// gaps.
    async fn check_list_revisions(&mut self) -> Result<(), Failure> {
        let items = self.read_partition("LISTS").await?;
        let mut current = None;
        let mut revisions = Vec::new();
        for item in &items {
            match item.key() {
                Some(ItemKey::CurrentLists) => current = Some(item),
                Some(ItemKey::ListRevision(number)) => revisions.push(number),
                _ => {}
            }
        }
        let newest = current.and_then(|item| item.get("revision").as_u64()).unwrap_or(0);
        let holds = revisions.iter().copied().eq(1..=newest);
        if let Some(item) = current.or(items.first()) {
            self.violations.require(holds, Rule::Lists, item, || {
                format!("is revision {newest}, but {} revisions are kept", revisions.len())
            });
        }
        Ok(())
    }
}

/// State of a customer, which is compared before and after its items are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    /// The customer is being erased by a request that may still be running.
    BeingErased,
    /// Version of the customer. `None` if the item has no valid version.
    Version(Option<u64>),
}

fn is_of_customer(item: &Item) -> bool {
    matches!(item.key(), Some(ItemKey::OfCustomer(..)))
}

fn is_tombstone(item: &Item) -> bool {
    item.get("is_scrubbed").as_bool() == Some(true)
}

fn key(pk: &str, sk: &str) -> Attributes {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn pair_hash(item: &Item) -> Option<u128> {
    let digest = Sha256::digest(pair_id(item)?.as_bytes());
    digest.first_chunk().copied().map(u128::from_le_bytes)
}

fn failure(operation: &str, error: &(impl std::error::Error + 'static)) -> Failure {
    format!("{operation}: {}", DisplayErrorContext(error))
}
