//! The paged list of a tenant's customers. A page comes from one index of the table, with one key
//! condition and at most one filter expression. With a client id, the customer is read by key
//! instead.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use time::Date;

use super::cursor::Scope;
use super::expression::Expression;
use super::item::{Item, required_text};
use super::page::Listing;
use super::{TenantTable, keys};
use crate::error::Error;
use crate::model::customer::{Customer, MonitoringStatus, RiskLevel, Status};
use crate::model::fold::{MAX_KEY_BYTES, fold};
use crate::model::id::CustomerId;
use crate::model::page::{Order, Page, Paging};
use crate::model::profile::EntityType;
use crate::model::retention::RetentionYears;
use crate::model::time::{Timestamp, format_date};
use crate::model::value::{ClientId, Country, Tag};

/// Filters of the list. A customer must pass all of them.
#[derive(Clone, Default, Serialize)]
pub struct Filters {
    /// Status that the customer must have.
    pub status: Option<Status>,
    /// Entity type that the customer must have.
    pub entity_type: Option<EntityType>,
    /// Risk level that the customer must have.
    pub risk_level: Option<RiskLevel>,
    /// Country that the customer must have.
    pub country: Option<Country>,
    /// Client id: the tenant's own id for the customer.
    pub client_id: Option<ClientId>,
    /// Tag that must be among the customer's tags.
    pub tag: Option<Tag>,
    /// `true` selects customers with active monitoring, `false` all others.
    pub monitored: Option<bool>,
    /// Selects customers by whether their retention has ended.
    pub retention_ended: Option<RetentionEnded>,
    /// Prefix of the folded name. An empty prefix matches every name.
    pub search: Option<String>,
    /// Smallest id, inclusive. Ids sort by time of creation, so a range of times is a range of ids.
    pub created_from: Option<CustomerId>,
    /// Largest id, inclusive.
    pub created_to: Option<CustomerId>,
}

/// Filter for customers by the end of their retention.
#[derive(Clone, Copy, Serialize)]
pub struct RetentionEnded {
    /// `true` selects customers that are not erased and whose retention has ended, `false` all
    /// others.
    pub wanted: bool,
    /// Retention period of the customers, in years.
    pub years: RetentionYears,
}

/// An index of the table from which a page can be read.
#[derive(Clone, Copy)]
enum Index {
    Created,
    Risk(RiskLevel),
    Name,
}

struct Plan {
    index: Index,
    /// Smallest and largest id. A query of the indexes `created` and `risk` refuses a start key
    /// outside of this range.
    ids: (CustomerId, CustomerId),
    prefix: String,
    key_condition: String,
    filter: Option<String>,
    expression: Expression,
}

impl TenantTable<'_> {
    /// Reads a page of the tenant's customers that pass the filters. The order is by name if
    /// `search` is set, and by time of creation otherwise.
    ///
    /// # Errors
    /// `InvalidCursor`, `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn customers(
        &self,
        filters: &Filters,
        paging: &Paging,
    ) -> Result<Page<Customer>, Error> {
        let scope = Scope::new(self.scope.tenant(), "customers", &(filters, paging.order))?;
        let position = paging.cursor.as_ref().map(|cursor| scope.open(cursor)).transpose()?;
        if let Some(client_id) = &filters.client_id {
            let customer = self.customer_by_client(client_id, filters).await?;
            return Ok(Page::last(customer.into_iter().collect()));
        }
        let Some(plan) = self.plan(filters) else {
            return Ok(Page::last(Vec::new()));
        };
        let start = position.map(|position| self.start_key(&plan, &position)).transpose()?;
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
            .scan_index_forward(paging.order == Order::Ascending);
        let listing = Listing { query, start, filtered, scope };
        let row = |item| Ok(self.read_customer(item)?.customer);
        listing.page(paging.limit, row, |item| position_of(index, item)).await
    }

    /// Reads the customer of a client id. Returns `None` when the client id is not taken or the
    /// customer does not pass another filter. The customer is read by key and not through an index,
    /// which lags behind. A caller whose client id was refused as taken therefore finds the
    /// customer that has it.
    async fn customer_by_client(
        &self,
        client_id: &ClientId,
        filters: &Filters,
    ) -> Result<Option<Customer>, Error> {
        let Some(id) = self.customer_of_client(client_id).await? else {
            return Ok(None);
        };
        let customer = self.customer(&id).await?.map(|stored| stored.customer);
        let now = self.table.clock.now();
        Ok(customer.filter(|customer| filters.pass(customer, now)))
    }

    /// Chooses the index and builds the query. Returns `None` when the range of ids is empty.
    fn plan(&self, filters: &Filters) -> Option<Plan> {
        let now = self.table.clock.now();
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
            by_filter.push(equals(&mut e, "status", status.as_ref()));
        }
        if let Some(entity_type) = filters.entity_type {
            by_filter.push(equals(&mut e, "entity_type", entity_type.as_ref()));
        }
        if let Some(country) = &filters.country {
            by_filter.push(equals(&mut e, "country", country.as_str()));
        }
        if let Some(tag) = &filters.tag {
            by_filter.push(format!("contains({}, {})", e.name("tags"), e.text(tag.as_str())));
        }
        if let Some(monitored) = filters.monitored {
            by_filter.push(only_if(monitored, is_monitored(&mut e, now)));
        }
        if let Some(RetentionEnded { wanted, years }) = filters.retention_ended {
            by_filter.push(only_if(wanted, has_retention_ended(&mut e, years, now)));
        }
        let filter = (!by_filter.is_empty()).then(|| by_filter.join(" AND "));
        let prefix = filters.search.clone().unwrap_or_default();
        let key_condition = by_key.join(" AND ");
        Some(Plan { index, ids: range, prefix, key_condition, filter, expression: e })
    }

    /// Returns the key to start after, from the position in a cursor. Returns `InvalidCursor` when
    /// the position does not fit the query.
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
    /// Returns whether a customer passes the filters. The filter `client_id` is not checked,
    /// because the customer was read by its client id.
    fn pass(&self, customer: &Customer, now: Timestamp) -> bool {
        let Customer { customer_id: id, profile, .. } = customer;
        let is_active = customer.monitoring.status == MonitoringStatus::Active;
        self.created_range().is_some_and(|(from, to)| from <= *id && *id <= to)
            && self.status.is_none_or(|status| customer.status == status)
            && self.entity_type.is_none_or(|kind| profile.entity_type == kind)
            && self.risk_level.is_none_or(|level| customer.risk.level == level)
            && self.country.as_ref().is_none_or(|country| profile.country.as_ref() == Some(country))
            && self.tag.as_ref().is_none_or(|tag| profile.tags.contains(tag))
            && self.monitored.is_none_or(|monitored| is_active == monitored)
            && self.retention_ended.is_none_or(|filter| filter.pass(customer, now))
            && self
                .search
                .as_ref()
                .is_none_or(|prefix| fold(profile.name.as_str()).starts_with(prefix))
    }

    /// Returns the smallest and the largest id. Returns `None` when the smallest id is greater than
    /// the largest.
    fn created_range(&self) -> Option<(CustomerId, CustomerId)> {
        let from = self.created_from.unwrap_or(CustomerId::MIN);
        let to = self.created_to.unwrap_or(CustomerId::MAX);
        (from <= to).then_some((from, to))
    }
}

impl RetentionEnded {
    fn pass(self, customer: &Customer, now: Timestamp) -> bool {
        let has_ended = customer.erased_at.is_none() && self.years.reason(customer, now).is_none();
        has_ended == self.wanted
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

/// Returns a filter for the items that `filter` selects or, unless `wanted`, for all others.
fn only_if(wanted: bool, filter: String) -> String {
    if wanted { filter } else { format!("NOT {filter}") }
}

/// Returns a filter for customers with active monitoring. Monitoring ends without a write, so the
/// stored status may still be `active` after the end.
fn is_monitored(e: &mut Expression, now: Timestamp) -> String {
    let (status, until) = (e.name("monitoring.status"), e.name("monitored_until"));
    let (active, now) = (e.text(MonitoringStatus::Active.as_ref()), e.text(now.to_string()));
    format!("({status} = {active} AND (attribute_not_exists({until}) OR {until} > {now}))")
}

/// Returns a filter for customers that are not erased and for which [`RetentionYears::reason`]
/// returns `None`.
fn has_retention_ended(e: &mut Expression, years: RetentionYears, now: Timestamp) -> String {
    let today = now.date().unwrap_or(Date::MIN);
    let (erased, hold) = (e.name("erased_at"), e.name("retain_until"));
    let mut rules = vec![
        equals(e, "status", Status::Inactive.as_ref()),
        format!("attribute_not_exists({erased})"),
        format!("(attribute_not_exists({hold}) OR {hold} < {})", e.text(format_date(today))),
    ];
    // The text of a date sorts before the texts of all times of that day.
    if let Some(first_retained) = years.first_retained(today) {
        let deactivated_at = e.name("deactivated_at");
        rules.push(format!("{deactivated_at} < {}", e.text(format_date(first_retained))));
    }
    format!("({})", rules.join(" AND "))
}

fn equals(e: &mut Expression, attribute: &str, value: &str) -> String {
    format!("{} = {}", e.name(attribute), e.text(value))
}

/// Returns the position of a row in an index. `item` is the row, or the key at which the table
/// stopped reading.
fn position_of(index: Index, item: &Item) -> Result<String, Error> {
    let attribute = match index {
        Index::Name => "name_sk",
        Index::Created | Index::Risk(_) => "customer_id",
    };
    required_text(item, attribute)
}
