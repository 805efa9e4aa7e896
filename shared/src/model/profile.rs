//! What a caller says about a customer: the fields of the create body.

use super::value::one_of;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::Date;

use super::fields::Fields;
use super::value::{
    CalendarDate, ClientId, Country, Email, Industry, MetadataKey, MetadataValue, Name, Note,
    Phone, Tag, TaxId, Website,
};
use crate::error::Error;

/// The name of a customer that was erased.
const ERASED: &str = "[erased]";
pub const MAX_TAGS: usize = 50;
pub const MAX_METADATA: usize = 50;

/// What kind of customer it is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EntityType {
    Company,
    Individual,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// 1 to 200 characters after trimming, no control characters.
    pub name: Name,
    /// The tenant's own id of the customer, unique per tenant. It cannot be changed once set.
    pub client_id: Option<ClientId>,
    /// `company` unless given; `null` in a patch takes it back to that.
    pub entity_type: EntityType,
    /// An absolute http or https URL.
    pub website: Option<Website>,
    pub tax_id: Option<TaxId>,
    /// ISO 3166-1 alpha-2. Lower case is accepted and normalised.
    pub country: Option<Country>,
    pub email: Option<Email>,
    /// E.164.
    pub phone: Option<Phone>,
    pub industry: Option<Industry>,
    /// Individuals only, in the past.
    pub date_of_birth: Option<CalendarDate>,
    /// Companies only, not in the future.
    pub incorporated_on: Option<CalendarDate>,
    /// At most 50, no repeats.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::tags))]
    pub tags: Vec<Tag>,
    /// At most 50 keys of at most 40 characters, values of at most 500 characters.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::metadata))]
    pub metadata: BTreeMap<MetadataKey, MetadataValue>,
    /// The last day on which the customer must not be erased.
    pub retain_until: Option<CalendarDate>,
    /// Why it must be kept; with `retain_until` only.
    pub retain_reason: Option<Note>,
}

impl Profile {
    /// Of a customer of whom only the client id is known, and maybe the name.
    pub fn of_client(
        client_id: &ClientId,
        name: Option<&Name>,
        entity_type: EntityType,
    ) -> Profile {
        let name = name.cloned().unwrap_or_else(|| Name::of_client(client_id));
        Profile { client_id: Some(client_id.clone()), ..Profile::bare(name, entity_type) }
    }

    /// Of a customer that was erased: nothing that tells who it was.
    pub fn erased(entity_type: EntityType) -> Result<Profile, Error> {
        Ok(Profile::bare(Name::parse(ERASED).map_err(Error::internal)?, entity_type))
    }

    fn bare(name: Name, entity_type: EntityType) -> Profile {
        Profile {
            name,
            client_id: None,
            entity_type,
            website: None,
            tax_id: None,
            country: None,
            email: None,
            phone: None,
            industry: None,
            date_of_birth: None,
            incorporated_on: None,
            tags: Vec::new(),
            metadata: BTreeMap::new(),
            retain_until: None,
            retain_reason: None,
        }
    }

    /// Reads the fields and records every fault. `None` only when there was one.
    pub fn read(fields: &mut Fields<'_>, today: Option<Date>) -> Option<Profile> {
        let name = fields.required("name", Name::parse);
        let client_id = fields.text("client_id", ClientId::parse);
        let entity_type = fields.text_or("entity_type", EntityType::Company, one_of::<EntityType>);
        let website = fields.text("website", Website::parse);
        let tax_id = fields.text("tax_id", TaxId::parse);
        let country = fields.text("country", Country::parse);
        let email = fields.text("email", Email::parse);
        let phone = fields.text("phone", Phone::parse);
        let industry = fields.text("industry", Industry::parse);
        let date_of_birth = fields.text("date_of_birth", CalendarDate::parse);
        let incorporated_on = fields.text("incorporated_on", CalendarDate::parse);
        let tags = fields.texts("tags", MAX_TAGS, Tag::parse);
        let metadata =
            fields.map("metadata", MAX_METADATA, MetadataKey::parse, MetadataValue::parse);

        let retain_until = fields.text("retain_until", CalendarDate::parse);
        let retain_reason = fields.text("retain_reason", Note::parse);

        let day = |date: &Option<CalendarDate>| date.as_ref().and_then(CalendarDate::date);
        if date_of_birth.is_some() && entity_type == Some(EntityType::Company) {
            fields.fault("date_of_birth", "is for individuals only");
        } else if day(&date_of_birth).zip(today).is_some_and(|(day, today)| day >= today) {
            fields.fault("date_of_birth", "must be in the past");
        }
        if incorporated_on.is_some() && entity_type == Some(EntityType::Individual) {
            fields.fault("incorporated_on", "is for companies only");
        } else if day(&incorporated_on).zip(today).is_some_and(|(day, today)| day > today) {
            fields.fault("incorporated_on", "must not be in the future");
        }
        if retain_reason.is_some() && retain_until.is_none() {
            fields.fault("retain_reason", "goes with retain_until only");
        }
        for (i, tag) in tags.iter().enumerate() {
            if tags.iter().take(i).any(|earlier| earlier == tag) {
                fields.fault("tags", format!("must have no repeats: number {} is one", i + 1));
            }
        }

        Some(Profile {
            name: name?,
            client_id,
            entity_type: entity_type?,
            website,
            tax_id,
            country,
            email,
            phone,
            industry,
            date_of_birth,
            incorporated_on,
            tags,
            metadata,
            retain_until,
            retain_reason,
        })
    }
}

/// The two schemas that a type does not tell.
#[cfg(feature = "openapi")]
pub mod schema {
    use utoipa::PartialSchema;
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
    use utoipa::openapi::{RefOr, Schema};

    use super::{MAX_METADATA, MAX_TAGS, MetadataKey, MetadataValue, Tag};

    pub fn tags() -> RefOr<Schema> {
        let tags =
            ArrayBuilder::new().items(Tag::schema()).max_items(Some(MAX_TAGS)).unique_items(true);
        tags.description(Some("At most 50, no repeats.")).into()
    }

    pub fn metadata() -> RefOr<Schema> {
        map_of(MetadataValue::schema())
    }

    /// In a merge patch `null` removes a key.
    pub fn metadata_patch() -> RefOr<Schema> {
        map_of(crate::model::schema::nullable(MetadataValue::schema()))
    }

    fn map_of(values: RefOr<Schema>) -> RefOr<Schema> {
        let keys = match MetadataKey::schema() {
            RefOr::T(schema) => Some(schema),
            RefOr::Ref(_) => None,
        };
        let map = ObjectBuilder::new().property_names(keys).additional_properties(Some(values));
        let map = map.max_properties(Some(MAX_METADATA));
        map.description(Some("At most 50 keys of 1 to 40 characters, values of at most 500."))
            .into()
    }
}
