//! Pages of lists. A page is full unless the list ends, reading takes too long or the rows are too
//! large. Its cursor leads to the next page.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use serde::Serialize;

use super::cursor::Scope;
use super::expression::Expression;
use super::item::{Item, required_text};
use super::keys::Key;
use super::transaction::unavailable_or_internal;
use super::{Table, TenantTable};
use crate::error::Error;
use crate::model::page::{Order, Page};

/// Number of rows after which a request stops reading and returns a short page with a cursor. Rows
/// that a filter drops count too, so that a filter with few matches does not read a whole
/// partition.
const MAX_READ: usize = 5_000;
/// Time after which a request stops reading and returns a short page with a cursor.
const READ_TIME: Duration = Duration::from_secs(4);
/// Largest total size of the rows of a page as JSON. Lambda's limit for a response is 6 MB. The
/// body is a JSON string in the response, so every quote and backslash in it is escaped again.
const MAX_PAGE_BYTES: usize = 2_900_000;

/// A query for the rows of a list, and the place to start from.
pub(super) struct Listing {
    pub(super) query: QueryFluentBuilder,
    /// Key of the last row of the previous page; `None` for the first page.
    pub(super) start: Option<Item>,
    /// Whether the query has a filter, which drops rows after they were read.
    pub(super) filtered: bool,
    pub(super) scope: Scope,
}

impl Listing {
    /// Reads a page of at most `limit` rows. `row` turns an item into a row. `position_of` returns
    /// the position of an item, or of the key at which the table stopped reading.
    pub(super) async fn page<T: Serialize>(
        self,
        limit: usize,
        row: impl Fn(Item) -> Result<T, Error>,
        position_of: impl Fn(&Item) -> Result<String, Error>,
    ) -> Result<Page<T>, Error> {
        let Listing { query, mut start, filtered, scope } = self;
        let started = Instant::now();
        let (mut items, mut bytes, mut read) = (Vec::new(), 0, 0);
        let mut last_position = None;
        // Reading one row more than the limit shows whether there is another page. A query with a
        // filter asks for more rows, because the filter drops some of them.
        let mut ask = if filtered { (limit * 4).max(100) } else { limit + 1 };
        loop {
            let ask_now = i32::try_from(ask).unwrap_or(i32::MAX);
            let page = query.clone().limit(ask_now).set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| unavailable_or_internal("Query", &error))?;
            read += usize::try_from(page.scanned_count).unwrap_or(0);
            start = page.last_evaluated_key;
            for item in page.items.unwrap_or_default() {
                let position = position_of(&item)?;
                let row = row(item)?;
                bytes += json_bytes(&row)?;
                if items.len() == limit || (bytes > MAX_PAGE_BYTES && !items.is_empty()) {
                    return Ok(unfinished(items, last_position, &scope));
                }
                items.push(row);
                last_position = Some(position);
            }
            let Some(key) = &start else {
                return Ok(Page::last(items));
            };
            if read >= MAX_READ || started.elapsed() > READ_TIME {
                let position = position_of(key)?;
                return Ok(unfinished(items, Some(position), &scope));
            }
            ask = if filtered { (ask * 4).min(MAX_READ - read) } else { limit + 1 - items.len() };
        }
    }
}

/// Builds a page that is not the last one. The next page starts after `position`.
fn unfinished<T>(items: Vec<T>, position: Option<String>, scope: &Scope) -> Page<T> {
    let cursor = position.map(|position| scope.seal(&position));
    Page { count: items.len(), items, cursor, has_more: true }
}

/// Returns the size of a row as JSON, in bytes, without storing the text.
fn json_bytes(row: &impl Serialize) -> Result<usize, Error> {
    struct Counter(usize);
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, row)
        .map_err(|error| Error::internal(format!("a row: {error}")))?;
    Ok(counter.0)
}

impl Table {
    /// Creates a strongly consistent query of the table itself, not of an index.
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
    /// Creates a listing of the rows in a partition whose sort keys begin with a prefix. The
    /// listing starts after the key `start`. `filter` may return a filter expression.
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

    /// Reads at most `limit` rows of a partition whose sort keys begin with a prefix, in descending
    /// order of the sort keys.
    pub(super) async fn newest(
        &self,
        partition: String,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<Item>, Error> {
        let mut e = Expression::default();
        let by_key = e.begins_with(partition, prefix);
        let query = self.table.query(by_key, e).scan_index_forward(false);
        let mut items: Vec<Item> = Vec::new();
        let mut start = None;
        loop {
            let ask = i32::try_from(limit - items.len()).ok();
            let page = query.clone().set_limit(ask).set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| unavailable_or_internal("Query", &error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() || items.len() >= limit {
                return Ok(items);
            }
        }
    }
}

/// Returns the position of a row in a list of rows with a common prefix: its sort key without the
/// prefix.
pub(super) fn position_after(prefix: &str, item: &Item) -> Result<String, Error> {
    let key = required_text(item, "sk")?;
    Ok(key.strip_prefix(prefix).unwrap_or(&key).to_owned())
}
