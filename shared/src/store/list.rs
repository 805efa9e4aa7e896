//! The list of customers: one index, one range, one filter, and pages that are full unless the
//! list ends.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde_json::value::RawValue;

use super::cursor::Scope;
use super::expression::Expression;
use super::item::Item;
use super::page::{Listing, Page, text, written};
use super::{TenantTable, keys};
use crate::error::Error;
use crate::http::{Order, Paging};
use crate::model::customer::{Customer, MonitoringStatus, RiskLevel, Status};
use crate::model::fold::{MAX_KEY_BYTES, fold};
use crate::model::id::CustomerId;
use crate::model::profile::EntityType;
use crate::model::value::{ClientId, Country, Tag};

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
        paging: &Paging,
    ) -> Result<Page<Box<RawValue>>, Error> {
        let scope = Scope::new(self.caller, "customers", &(filters, paging.order))?;
        let position = paging.cursor.as_ref().map(|cursor| scope.open(cursor)).transpose()?;
        if let Some(client_id) = &filters.client_id {
            let found = self.customer_of(client_id, filters).await?;
            return Ok(Page::last(found.iter().map(written).collect::<Result<_, _>>()?));
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
        let row = |item| written(&self.read(item)?);
        listing.page(paging.limit, row, |item| position_of(index, item)).await
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
            by_filter.push(equals(&mut e, "status", status.into_str()));
        }
        if let Some(entity_type) = filters.entity_type {
            by_filter.push(equals(&mut e, "entity_type", entity_type.into_str()));
        }
        if let Some(country) = &filters.country {
            by_filter.push(equals(&mut e, "country", country.as_str()));
        }
        if let Some(tag) = &filters.tag {
            by_filter.push(format!("contains({}, {})", e.name("tags"), e.text(tag.as_str())));
        }
        if let Some(monitored) = filters.monitored {
            let sign = if monitored { "=" } else { "<>" };
            let active = MonitoringStatus::Active.into_str();
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

/// Where a row, or a key the table stopped at, stands in an index.
fn position_of(index: Index, item: &Item) -> Result<String, Error> {
    let attribute = match index {
        Index::Name => "name_sk",
        Index::Created | Index::Risk(_) => "customer_id",
    };
    text(item, attribute)
}
