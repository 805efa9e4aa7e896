//! The one form that every list is read into.

use serde::{Deserialize, Serialize};

/// What kind of thing an entry is about.
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
pub enum EntityKind {
    Person,
    Organization,
    Vessel,
    Aircraft,
    Unknown,
}

/// How a list names an entry. A weak alias is one the list itself calls weak, broad or
/// low-quality: never more than a hint.
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
pub enum NameKind {
    Primary,
    StrongAlias,
    WeakAlias,
    Former,
}

/// What a country has to do with an entry.
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
pub enum CountryKind {
    Nationality,
    Residence,
    Birth,
    Registration,
    Other,
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// As the list numbers it; unique in the list.
    pub id: String,
    pub kind: EntityKind,
    /// At least one; the primary name first.
    pub names: Vec<ListedName>,
    /// Of birth, of founding or of building.
    pub dates: Vec<ListedDate>,
    pub countries: Vec<ListedCountry>,
    pub identifiers: Vec<Identifier>,
    /// The sanctions programs or regimes.
    pub programs: Vec<String>,
    /// `male` or `female`, where the list says so.
    pub gender: Option<Gender>,
    /// What else the list says, for a person to read; never matched.
    pub remarks: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedName {
    /// As the list writes it, in its script; `LAST, First` is left as it is.
    pub text: String,
    pub kind: NameKind,
    /// Where the list tells the parts of a name apart.
    pub given: Option<String>,
    pub family: Option<String>,
}

/// A date as far as the list knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDate {
    pub year: i16,
    pub month: Option<u8>,
    pub day: Option<u8>,
    /// The last year of a range that begins with `year`.
    pub until_year: Option<i16>,
    /// The list says about.
    pub circa: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCountry {
    /// ISO 3166-1 alpha-2, also of a country that is no more (SU, YU).
    pub code: String,
    pub kind: CountryKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// What it is, as a lower-case word: `passport`, `national_id`, `tax_id`, `registration`,
    /// `imo`, `mmsi`, `lei`, `swift`, `crypto`, `other`, …
    pub kind: String,
    pub value: String,
    /// ISO 3166-1 alpha-2 of who issued it.
    pub country: Option<String>,
}

/// As a list says it.
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
pub enum Gender {
    Male,
    Female,
}
