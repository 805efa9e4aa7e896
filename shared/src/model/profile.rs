//! Profile of a customer: the fields that a caller can set.

use super::value::one_of;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};
use time::Date;

use super::fields::Fields;
use super::value::{
    CalendarDate, ClientId, Country, Email, Industry, MetadataKey, MetadataValue, Name, Note,
    Phone, Tag, TaxId, Website,
};
use crate::error::Error;

/// Name that replaces the name of an erased customer.
const ERASED: &str = "[erased]";
/// Maximum number of tags of a customer.
pub const MAX_TAGS: usize = 50;
/// Maximum number of metadata entries of a customer or a session.
pub const MAX_METADATA: usize = 50;

/// Entity type of a customer: company or individual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EntityType {
    /// A legal entity.
    Company,
    /// A natural person.
    Individual,
}

/// The fields of a customer that a caller can set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// Name of the customer: 1 to 200 characters after trimming, without control characters.
    pub name: Name,
    /// The tenant's own id of the customer, unique within the tenant. It cannot change or be
    /// removed after it was set.
    pub client_id: Option<ClientId>,
    /// Entity type of the customer, `company` by default. In a patch, `null` resets it to the
    /// default.
    pub entity_type: EntityType,
    /// Absolute http or https URL of the website.
    pub website: Option<Website>,
    /// Tax or registration number.
    pub tax_id: Option<TaxId>,
    /// Country of residence or incorporation: ISO 3166-1 alpha-2, or `XK` for Kosovo. Lower case is
    /// converted to upper case.
    pub country: Option<Country>,
    /// Email address.
    pub email: Option<Email>,
    /// Phone number in E.164 format.
    pub phone: Option<Phone>,
    /// Industry or occupation. It is a factor of the risk model.
    pub industry: Option<Industry>,
    /// Date of birth, in the past. Allowed only for an individual.
    pub date_of_birth: Option<CalendarDate>,
    /// Date of incorporation, not in the future. Allowed only for a company.
    pub incorporated_on: Option<CalendarDate>,
    /// Labels: at most 50, without duplicates.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::tags))]
    pub tags: Vec<Tag>,
    /// Data of the tenant: at most 50 keys of 1 to 40 characters, with values of at most 500
    /// characters.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::metadata))]
    pub metadata: BTreeMap<MetadataKey, MetadataValue>,
    /// Last day on which the customer must be retained. An erasure is refused up to and including
    /// this day.
    pub retain_until: Option<CalendarDate>,
    /// Reason why the customer must be retained. Allowed only with `retain_until`.
    pub retain_reason: Option<Note>,
}

impl Profile {
    /// Returns the profile of a customer that is created with its first session.
    pub fn of_client(client_id: &ClientId, name: Name, entity_type: EntityType) -> Profile {
        Profile { client_id: Some(client_id.clone()), ..Profile::bare(name, entity_type) }
    }

    /// Returns the profile of an erased customer, which contains no personal data.
    ///
    /// # Errors
    /// `InternalError` if `[erased]` is not a valid name, which would be a bug.
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

    /// Reads the fields and records every fault. Returns `None` only if it recorded one. Dates that
    /// must be in the past, or not in the future, are compared with `today`; `None` skips these
    /// checks.
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
            fields.fault("date_of_birth", "must not be given for a company");
        } else if day(&date_of_birth).zip(today).is_some_and(|(day, today)| day >= today) {
            fields.fault("date_of_birth", "must be in the past");
        }
        if incorporated_on.is_some() && entity_type == Some(EntityType::Individual) {
            fields.fault("incorporated_on", "must not be given for an individual");
        } else if day(&incorporated_on).zip(today).is_some_and(|(day, today)| day > today) {
            fields.fault("incorporated_on", "must not be in the future");
        }
        if retain_reason.is_some() && retain_until.is_none() {
            fields.fault("retain_reason", "must not be given without retain_until");
        }
        for (i, tag) in tags.iter().enumerate() {
            if tags.iter().take(i).any(|earlier| earlier == tag) {
                fields.fault("tags", format!("must not contain duplicates; remove tag {}", i + 1));
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

/// OpenAPI schemas that cannot be derived from the types.
#[cfg(feature = "openapi")]
pub mod schema {
    use utoipa::PartialSchema;
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
    use utoipa::openapi::{RefOr, Schema};

    use super::{MAX_METADATA, MAX_TAGS, MetadataKey, MetadataValue, Tag};

    /// Returns the schema of `tags`.
    pub fn tags() -> RefOr<Schema> {
        let tags =
            ArrayBuilder::new().items(Tag::schema()).max_items(Some(MAX_TAGS)).unique_items(true);
        tags.description(Some("Labels: at most 50, without duplicates.")).into()
    }

    /// Returns the schema of `metadata`.
    pub fn metadata() -> RefOr<Schema> {
        map_of(MetadataValue::schema())
    }

    /// Returns the schema of `metadata` in a merge patch, where `null` removes a key.
    pub fn metadata_patch() -> RefOr<Schema> {
        map_of(crate::model::schema::nullable(MetadataValue::schema()))
    }

    fn map_of(values: RefOr<Schema>) -> RefOr<Schema> {
        let keys = match MetadataKey::schema() {
            RefOr::T(schema) => Some(schema),
            RefOr::Ref(_) => None,
        };
        let description = "Data of the tenant: at most 50 keys of 1 to 40 characters, with values \
                           of at most 500 characters.";
        let map = ObjectBuilder::new().property_names(keys).additional_properties(Some(values));
        map.max_properties(Some(MAX_METADATA)).description(Some(description)).into()
    }
}
