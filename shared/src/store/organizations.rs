//! The organization of a customer: one item, with the structure deflated into it, as the largest
//! one would not fit otherwise. What it replaces is kept.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::{Deserialize, Serialize};

use super::TenantTable;
use super::call::{Outcome, Rule, Write};
use super::change::{Change, Part, Race};
use super::customers::{IS_NEW, IS_THERE};
use super::item::{self, Item};
use crate::error::Error;
use crate::model::customer::Customer;
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::organization::{Organization, Structure};
use crate::model::risk::Trigger;
use crate::model::time::Timestamp;

/// Of miniz, 0 to 10: beyond 6 it only takes longer.
const COMPRESSION_LEVEL: u8 = 6;
/// Far more than a structure within its limits has.
const MAX_STRUCTURE_BYTES: usize = 8 * 1024 * 1024;

/// An organization after a change.
pub struct Replaced {
    pub customer: Customer,
    pub organization: Organization,
    /// There was none before.
    pub is_first: bool,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u64,
    updated_at: Timestamp,
}

impl TenantTable<'_> {
    pub async fn organization(&self, customer: &CustomerId) -> Result<Option<Organization>, Error> {
        let item = self.get(self.keys.organization(customer).attributes()).await?;
        item.map(organization).transpose()
    }

    pub async fn customer_and_organization(
        &self,
        id: &CustomerId,
    ) -> Result<(Customer, Option<Organization>), Error> {
        let (customer, organization) = try_join(self.customer(id), self.organization(id)).await?;
        Ok((customer.ok_or_else(Error::customer_not_found)?, organization))
    }

    /// Replaces the structure by what `change` makes of it; an equal one keeps its version.
    pub async fn change_organization(
        &self,
        id: &CustomerId,
        now: Timestamp,
        change: impl Fn(&Customer, Option<&Organization>) -> Result<Structure, Error>,
    ) -> Result<Replaced, Error> {
        let mut race = Race::start();
        loop {
            let customer = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            let sources = self.sources(id).await?;
            let before = sources.organization.clone();
            let structure = change(&customer, before.as_ref())?;
            if let Some(same) = before.as_ref().filter(|before| before.structure == structure) {
                return Ok(Replaced { customer, organization: same.clone(), is_first: false });
            }
            let mut after = customer.next_version(now);
            let version = before.as_ref().map_or(1, |before| before.version + 1);
            let organization = Organization { version, updated_at: after.updated_at, structure };
            let mut sources = Some(sources.with_organization(&organization));
            let watch = self.watch_change(&customer, &mut after, Some(&organization), &mut sources);
            let (watch, checked) = watch.await?.unzip();
            let sources = match sources {
                Some(sources) => sources,
                None => self.sources(id).await?.with_organization(&organization),
            };
            let profile = Some(self.assess(&mut after, &sources, Trigger::Organization));
            let part = Part::Organization { before, after: organization.clone() };
            let kind = EventKind::OrganizationReplaced;
            let change = Change {
                part: Some(part),
                watch,
                profile,
                ..Change::new(kind, &customer, after.clone())
            };
            let writes = self.writes_of(&change)?;
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                if let Some(checked) = checked.flatten() {
                    self.check_again(id, checked.lists()).await?;
                }
                let is_first = version == 1;
                return Ok(Replaced { customer: after, organization, is_first });
            };
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    pub(super) fn organization_writes(
        &self,
        customer: &CustomerId,
        before: Option<&Organization>,
        after: &Organization,
    ) -> Result<Vec<Write>, Error> {
        let key = self.keys.organization(customer);
        let item = organization_item(after)?;
        let Some(before) = before else {
            return Ok(vec![self.put(Rule::Organization, key, item, IS_NEW)?]);
        };
        let kept = self.keys.organization_before(customer, before.version);
        Ok(vec![
            self.put(Rule::Organization, key, item, IS_THERE)?,
            self.put(Rule::Organization, kept, organization_item(before)?, IS_NEW)?,
        ])
    }
}

fn organization_item(organization: &Organization) -> Result<Item, Error> {
    let Organization { version, updated_at, structure } = organization;
    let header = Header { version: *version, updated_at: *updated_at };
    let mut item = item::typed("organization", &header)?;
    let json = serde_json::to_vec(structure)
        .map_err(|error| Error::internal(format!("structure: {error}")))?;
    let deflated = Blob::new(compress_to_vec(&json, COMPRESSION_LEVEL));
    item.insert("structure".to_owned(), AttributeValue::B(deflated));
    Ok(item)
}

pub(super) fn organization(mut item: Item) -> Result<Organization, Error> {
    let unreadable = || Error::internal("an organization's structure does not read");
    let deflated = item.remove("structure").ok_or_else(unreadable)?;
    let deflated = deflated.as_b().map_err(|_| unreadable())?;
    let json = decompress_to_vec_with_limit(deflated.as_ref(), MAX_STRUCTURE_BYTES);
    // The parser's message may quote a name.
    let structure = json.ok().and_then(|json| serde_json::from_slice(&json).ok());
    let Header { version, updated_at } = item::model(item)?;
    Ok(Organization { version, updated_at, structure: structure.ok_or_else(unreadable)? })
}
