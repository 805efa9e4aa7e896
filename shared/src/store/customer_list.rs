//! The list of customers. A page is read from one index, within one range of keys and through one
//! filter.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

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
use crate::model::value::{ClientId, Country, Tag};

/// Filters of the list. A customer must pass all of them.
#[derive(Clone, Default, Serialize)]
pub struct Filters {
    /// Status.
    pub status: Option<Status>,
    /// Entity type.
    pub entity_type: Option<EntityType>,
    /// Risk level.
    pub risk_level: Option<RiskLevel>,
    /// Country.
    pub country: Option<Country>,
    /// The tenant's own id.
    pub client_id: Option<ClientId>,
    /// A tag that the customer has.
    pub tag: Option<Tag>,
    /// Whether monitoring is active.
    pub monitored: Option<bool>,
    /// Folded prefix of the name. An empty prefix fits every name.
    pub search: Option<String>,
    /// First id. Ids sort by time of creation, so a span of time is a span of ids.
    pub created_from: Option<CustomerId>,
    /// Last id.
    pub created_to: Option<CustomerId>,
}

/// The index to read.
#[derive(Clone, Copy)]
enum Index {
    Created,
    Risk(RiskLevel),
    Name,
}

struct Plan {
    index: Index,
    /// Range of ids. The table refuses a start position outside of it.
    ids: (CustomerId, CustomerId),
    prefix: String,
    key_condition: String,
    filter: Option<String>,
    expression: Expression,
}

impl TenantTable<'_> {
    /// Reads a page of the tenant's customers that pass the filters.
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

    /// The customer of a client id, if it passes the other filters. It is read by key, so that a
    /// caller whose client id is taken finds the customer that has it.
    async fn customer_by_client(
        &self,
        client_id: &ClientId,
        filters: &Filters,
    ) -> Result<Option<Customer>, Error> {
        let Some(id) = self.customer_of_client(client_id).await? else {
            return Ok(None);
        };
        let customer = self.customer(&id).await?.map(|stored| stored.customer);
        Ok(customer.filter(|customer| filters.pass(customer)))
    }

    /// How to read the rows; `None` when the filters exclude every row.
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
            let sign = if monitored { "=" } else { "<>" };
            let active = MonitoringStatus::Active.as_ref();
            by_filter.push(format!("{} {sign} {}", e.name("monitoring.status"), e.text(active)));
        }
        let filter = (!by_filter.is_empty()).then(|| by_filter.join(" AND "));
        let prefix = filters.search.clone().unwrap_or_default();
        let key_condition = by_key.join(" AND ");
        Some(Plan { index, ids: range, prefix, key_condition, filter, expression: e })
    }

    /// The key of the row at a cursor's position.
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
    /// Whether a customer that was read by key passes the filters.
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

    /// The range of ids; `None` when it is empty.
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

/// The position in an index of a row, or of a key the table stopped at.
fn position_of(index: Index, item: &Item) -> Result<String, Error> {
    let attribute = match index {
        Index::Name => "name_sk",
        Index::Created | Index::Risk(_) => "customer_id",
    };
    required_text(item, attribute)
}
