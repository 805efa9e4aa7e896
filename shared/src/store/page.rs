//! The one page loop: pages that are full unless the list ends, and cursors to go on from.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::call::unavailable_or_internal;
use super::cursor::Scope;
use super::expression::Expression;
use super::item::{self, Item};
use super::keys::Key;
use super::{Table, TenantTable};
use crate::error::Error;
use crate::http::Order;

/// What one request may read before it answers with a short page and a cursor.
const MAX_READ: usize = 5_000;
const READ_TIME: Duration = Duration::from_secs(4);
/// Lambda answers with 6 MB at the most, every quote and backslash of the body escaped once more.
const MAX_PAGE_BYTES: usize = 2_900_000;

/// One page of a list, as it is answered.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    pub count: usize,
    /// For the next page; `null` on the last one.
    pub cursor: Option<String>,
    pub has_more: bool,
}

impl<T> Page<T> {
    pub(super) fn last(items: Vec<T>) -> Page<T> {
        Page { count: items.len(), items, cursor: None, has_more: false }
    }

    fn before_others(items: Vec<T>, position: Option<String>, scope: &Scope) -> Page<T> {
        let cursor = position.map(|position| scope.seal(&position));
        Page { count: items.len(), items, cursor, has_more: true }
    }
}

/// A list about to be read.
pub(super) struct Listing {
    pub(super) query: QueryFluentBuilder,
    /// The key of the row before the page.
    pub(super) start: Option<Item>,
    /// Whether the query leaves rows out that it reads.
    pub(super) filtered: bool,
    pub(super) scope: Scope,
}

impl Listing {
    /// `written` is a row as it is answered, `position_of` where a row or a key stands in the list.
    pub(super) async fn page(
        self,
        limit: usize,
        written: impl Fn(Item) -> Result<Box<RawValue>, Error>,
        position_of: impl Fn(&Item) -> Result<String, Error>,
    ) -> Result<Page<Box<RawValue>>, Error> {
        let Listing { query, mut start, filtered, scope } = self;
        let started = Instant::now();
        let (mut items, mut bytes, mut read) = (Vec::new(), 0, 0);
        let mut last_position = None;
        // One row more than asked for tells whether there is another page.
        let mut ask = if filtered { (limit * 4).max(100) } else { limit + 1 };
        loop {
            let ask_now = i32::try_from(ask).unwrap_or(i32::MAX);
            let page = query.clone().limit(ask_now).set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| unavailable_or_internal("Query", &error))?;
            read += usize::try_from(page.scanned_count).unwrap_or(0);
            start = page.last_evaluated_key;
            for row in page.items.unwrap_or_default() {
                let position = position_of(&row)?;
                let row = written(row)?;
                bytes += row.get().len();
                if items.len() == limit || (bytes > MAX_PAGE_BYTES && !items.is_empty()) {
                    return Ok(Page::before_others(items, last_position, &scope));
                }
                items.push(row);
                last_position = Some(position);
            }
            let Some(key) = &start else {
                return Ok(Page::last(items));
            };
            if read >= MAX_READ || started.elapsed() > READ_TIME {
                let position = position_of(key)?;
                return Ok(Page::before_others(items, Some(position), &scope));
            }
            ask = match filtered {
                true => (ask * 4).min(MAX_READ - read),
                false => limit + 1 - items.len(),
            };
        }
    }
}

impl Table {
    /// Of rows of the table itself, as they are now.
    pub(super) fn query(&self, by_key: String, expression: Expression) -> QueryFluentBuilder {
        let (names, values) = expression.into_parts();
        let query = self.client.query().table_name(&self.name).key_condition_expression(by_key);
        query
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .consistent_read(true)
    }
}

impl TenantTable<'_> {
    /// The rows of a partition whose sort key begins like this, about to be read from behind
    /// `start`; `filter` leaves some of them out.
    pub(super) fn listing(
        &self,
        (partition, prefix): (String, &str),
        start: Option<Key>,
        filter: impl FnOnce(&mut Expression) -> Option<String>,
        order: Order,
        scope: Scope,
    ) -> Listing {
        let mut e = Expression::default();
        let by_key = e.begins_with(partition, prefix);
        let filter = filter(&mut e);
        let filtered = filter.is_some();
        let query = self.table.query(by_key, e).set_filter_expression(filter);
        let query = query.scan_index_forward(order == Order::Ascending);
        Listing { query, start: start.map(Key::attributes), filtered, scope }
    }
}

/// Where such a row stands: its sort key behind the prefix. A key the table stopped at has nothing
/// but the key.
pub(super) fn behind(prefix: &str, item: &Item) -> Result<String, Error> {
    let key = text(item, "sk")?;
    Ok(key.strip_prefix(prefix).unwrap_or(&key).to_owned())
}

pub(super) fn written(row: &impl Serialize) -> Result<Box<RawValue>, Error> {
    to_raw_value(row).map_err(|error| Error::internal(format!("a row: {error}")))
}

/// A text that a row, or a key the table stopped at, must have.
pub(super) fn text(item: &Item, attribute: &str) -> Result<String, Error> {
    let text = item::text(item, attribute).map(str::to_owned);
    text.ok_or_else(|| Error::internal(format!("a row of a list lacks {attribute}")))
}
