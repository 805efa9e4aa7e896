//! The list of customers: one index, one range, one filter, and pages that are full unless the
//! list ends.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::call::unavailable_or_internal;
use super::cursor::Scope;
use super::expression::Expression;
use super::item::{self, Item};
use super::{TenantTable, keys};
use crate::error::Error;
use crate::model::customer::{Customer, MonitoringStatus, RiskLevel, Status};
use crate::model::fold::{MAX_KEY_BYTES, fold};
use crate::model::id::CustomerId;
use crate::model::profile::EntityType;
use crate::model::value::{ClientId, Country, Tag, word};

/// What one request may read before it answers with a short page and a cursor.
const MAX_READ: usize = 5_000;
const READ_TIME: Duration = Duration::from_secs(4);
/// Lambda answers with 6 MB at the most, every quote and backslash of the body escaped once more.
const MAX_PAGE_BYTES: usize = 2_900_000;

word! {
    /// Of creation; of name with `search`.
    Order { Descending = "desc", Ascending = "asc" }
}

/// Which customers; all of them combine with AND.
#[derive(Clone, Default, Serialize)]
pub struct Filters {
    pub status: Option<Status>,
    pub entity_type: Option<EntityType>,
    pub risk_level: Option<RiskLevel>,
    pub country: Option<Country>,
    pub client_id: Option<ClientId>,
    pub tag: Option<Tag>,
    pub monitored: Option<bool>,
    /// A folded prefix of the name; empty is every name.
    pub search: Option<String>,
    /// Ids sort by creation, so a span of time is a span of ids.
    pub created_from: Option<CustomerId>,
    pub created_to: Option<CustomerId>,
}

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
    fn last(items: Vec<T>) -> Page<T> {
        Page { count: items.len(), items, cursor: None, has_more: false }
    }

    fn before_others(items: Vec<T>, position: Option<String>, scope: &Scope) -> Page<T> {
        let cursor = position.map(|position| scope.seal(&position));
        Page { count: items.len(), items, cursor, has_more: true }
    }
}

/// The index that orders the rows.
#[derive(Clone, Copy)]
enum Index {
    Created,
    Risk(RiskLevel),
    Name,
}

struct Plan {
    index: Index,
    /// What a cursor's position must lie in, or the table refuses it.
    ids: (CustomerId, CustomerId),
    prefix: String,
    key_condition: String,
    filter: Option<String>,
    expression: Expression,
}

impl TenantTable<'_> {
    pub async fn customers(
        &self,
        filters: &Filters,
        order: Order,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Box<RawValue>>, Error> {
        let scope = Scope::new(self.caller, "customers", &(filters, order))?;
        let position = cursor.map(|cursor| scope.open(cursor)).transpose()?;
        if let Some(client_id) = &filters.client_id {
            let found = self.customer_of(client_id, filters).await?;
            return Ok(Page::last(found.iter().map(written).collect::<Result<_, _>>()?));
        }
        let Some(plan) = self.plan(filters) else {
            return Ok(Page::last(Vec::new()));
        };
        let mut start = position.map(|position| self.start_key(&plan, &position)).transpose()?;
        let filtered = plan.filter.is_some();
        let index = plan.index;
        let (names, values) = plan.expression.into_parts();
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(index.name())
            .key_condition_expression(plan.key_condition)
            .set_filter_expression(plan.filter)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .scan_index_forward(order == Order::Ascending);

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
                let position = position_of(index, &row)?;
                let customer = written(&item::model::<Customer>(row)?)?;
                bytes += customer.get().len();
                if items.len() == limit || (bytes > MAX_PAGE_BYTES && !items.is_empty()) {
                    return Ok(Page::before_others(items, last_position, &scope));
                }
                items.push(customer);
                last_position = Some(position);
            }
            let Some(key) = &start else {
                return Ok(Page::last(items));
            };
            if read >= MAX_READ || started.elapsed() > READ_TIME {
                let position = position_of(index, key)?;
                return Ok(Page::before_others(items, Some(position), &scope));
            }
            ask = match filtered {
                true => (ask * 4).min(MAX_READ - read),
                false => limit + 1 - items.len(),
            };
        }
    }

    /// The customer of a client id, if it passes the other filters. Read by its key: who was just
    /// told that a client id is taken finds whose it is.
    async fn customer_of(
        &self,
        client_id: &ClientId,
        filters: &Filters,
    ) -> Result<Option<Customer>, Error> {
        let Some(id) = self.claimed_by(client_id).await? else {
            return Ok(None);
        };
        Ok(self.customer(&id).await?.filter(|customer| filters.pass(customer)))
    }

    /// How to read what the filters ask for; `None` when there can be no row.
    fn plan(&self, filters: &Filters) -> Option<Plan> {
        let range = filters.created_range()?;
        let ranged = range != ALL;
        let index = match (&filters.search, filters.risk_level) {
            (Some(_), _) => Index::Name,
            (None, Some(level)) => Index::Risk(level),
            (None, None) => Index::Created,
        };
        let mut e = Expression::default();
        let mut by_key = vec![match index {
            Index::Risk(level) => equals(&mut e, "risk_pk", &self.keys.at_risk(level)),
            Index::Created | Index::Name => equals(&mut e, "tenant_pk", &self.keys.all()),
        }];
        let mut by_filter = Vec::new();
        if ranged {
            let name = e.name("customer_id");
            let between = format!(
                "{name} BETWEEN {} AND {}",
                e.text(range.0.to_string()),
                e.text(range.1.to_string())
            );
            match index {
                Index::Created | Index::Risk(_) => by_key.push(between),
                Index::Name => by_filter.push(between),
            }
        }
        if let Some(prefix) = filters.search.as_ref().filter(|prefix| !prefix.is_empty()) {
            let (name, prefix) = (e.name("name_sk"), e.text(prefix.clone()));
            by_key.push(format!("begins_with({name}, {prefix})"));
        }
        if let Some(level) = filters.risk_level.filter(|_| !matches!(index, Index::Risk(_))) {
            by_filter.push(equals(&mut e, "risk_pk", &self.keys.at_risk(level)));
        }
        if let Some(status) = filters.status {
            by_filter.push(equals(&mut e, "status", status.as_str()));
        }
        if let Some(entity_type) = filters.entity_type {
            by_filter.push(equals(&mut e, "entity_type", entity_type.as_str()));
        }
        if let Some(country) = &filters.country {
            by_filter.push(equals(&mut e, "country", country.as_str()));
        }
        if let Some(tag) = &filters.tag {
            by_filter.push(format!("contains({}, {})", e.name("tags"), e.text(tag.as_str())));
        }
        if let Some(monitored) = filters.monitored {
            let sign = if monitored { "=" } else { "<>" };
            let active = MonitoringStatus::Active.as_str();
            by_filter.push(format!("{} {sign} {}", e.name("monitoring.status"), e.text(active)));
        }
        let filter = (!by_filter.is_empty()).then(|| by_filter.join(" AND "));
        let prefix = filters.search.clone().unwrap_or_default();
        let key_condition = by_key.join(" AND ");
        Some(Plan { index, ids: range, prefix, key_condition, filter, expression: e })
    }

    /// The key of the row a cursor stands on.
    fn start_key(&self, plan: &Plan, position: &str) -> Result<Item, Error> {
        let index = plan.index;
        let (folded, id) = match index {
            Index::Name => keys::split_named(position).ok_or_else(Error::invalid_cursor)?,
            _ => ("", CustomerId::parse(position).ok_or_else(Error::invalid_cursor)?),
        };
        let fits = match index {
            Index::Name => folded.starts_with(&plan.prefix) && folded.len() <= MAX_KEY_BYTES,
            Index::Created | Index::Risk(_) => plan.ids.0 <= id && id <= plan.ids.1,
        };
        if !fits {
            return Err(Error::invalid_cursor());
        }
        let mut key = self.keys.customer(&id).attributes();
        let mut add =
            |name: &str, value: String| key.insert(name.to_owned(), AttributeValue::S(value));
        match index {
            Index::Created => {
                add("tenant_pk", self.keys.all());
                add("customer_id", id.to_string());
            }
            Index::Risk(level) => {
                add("risk_pk", self.keys.at_risk(level));
                add("customer_id", id.to_string());
            }
            Index::Name => {
                add("tenant_pk", self.keys.all());
                add("name_sk", keys::named(folded, &id));
            }
        }
        Ok(key)
    }
}

const ALL: (CustomerId, CustomerId) = (CustomerId::MIN, CustomerId::MAX);

impl Filters {
    /// What the table's filter expression says, for a row that was found by its key.
    fn pass(&self, customer: &Customer) -> bool {
        let Customer { customer_id: id, profile, .. } = customer;
        let is_active = customer.monitoring.status == MonitoringStatus::Active;
        self.created_range().is_some_and(|(from, to)| from <= *id && *id <= to)
            && self.status.is_none_or(|status| customer.status == status)
            && self.entity_type.is_none_or(|kind| profile.entity_type == kind)
            && self.risk_level.is_none_or(|level| customer.risk.level == level)
            && self.country.as_ref().is_none_or(|country| profile.country.as_ref() == Some(country))
            && self.tag.as_ref().is_none_or(|tag| profile.tags.contains(tag))
            && self.monitored.is_none_or(|monitored| is_active == monitored)
            && self
                .search
                .as_ref()
                .is_none_or(|prefix| fold(profile.name.as_str()).starts_with(prefix))
    }

    /// `None` when it is empty.
    fn created_range(&self) -> Option<(CustomerId, CustomerId)> {
        let from = self.created_from.unwrap_or(CustomerId::MIN);
        let to = self.created_to.unwrap_or(CustomerId::MAX);
        (from <= to).then_some((from, to))
    }
}

impl Index {
    fn name(self) -> &'static str {
        match self {
            Index::Created => "created",
            Index::Risk(_) => "risk",
            Index::Name => "name",
        }
    }
}

fn equals(e: &mut Expression, attribute: &str, value: &str) -> String {
    format!("{} = {}", e.name(attribute), e.text(value))
}

fn written(customer: &Customer) -> Result<Box<RawValue>, Error> {
    to_raw_value(customer).map_err(|error| Error::internal(format!("a customer: {error}")))
}

/// Where a row, or a key the table stopped at, stands in an index.
fn position_of(index: Index, item: &Item) -> Result<String, Error> {
    let attribute = match index {
        Index::Name => "name_sk",
        Index::Created | Index::Risk(_) => "customer_id",
    };
    let position = item::text(item, attribute).map(str::to_owned);
    position.ok_or_else(|| Error::internal(format!("a row of an index lacks {attribute}")))
}
