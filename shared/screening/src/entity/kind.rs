//! Classifications of entries, of their names and of their countries.
#![allow(missing_docs, reason = "strum derives the public `into_str` without a doc comment")]

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

/// The kind of party or object that an entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EntityKind {
    /// A natural person.
    Person,
    /// A company, a government body or any other group.
    Organization,
    /// A ship.
    Vessel,
    /// An aircraft.
    Aircraft,
    /// The list does not state the kind, or states one that is not known here.
    Unknown,
}

/// Classification of a name by its list. A weak alias is one that the list itself calls weak, broad
/// or low-quality. Such an alias is only a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NameKind {
    /// The main name of the entry.
    Primary,
    /// An alias of good quality.
    StrongAlias,
    /// An alias that the list calls weak, broad or low-quality.
    WeakAlias,
    /// A name that the party no longer uses.
    Former,
}

/// Relation of a country to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CountryKind {
    /// Nationality or citizenship.
    Nationality,
    /// Country of residence, or of an address.
    Residence,
    /// Country of birth.
    Birth,
    /// Country of registration, or the flag of a ship.
    Registration,
    /// Any other relation, or one that the list does not state.
    Other,
}

/// Gender as a list states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Gender {
    /// Male.
    Male,
    /// Female.
    Female,
}
