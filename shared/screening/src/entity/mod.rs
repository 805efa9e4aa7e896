//! The common form of a list entry: every list format is read into [`Entity`].

mod kind;

use serde::{Deserialize, Serialize};

pub use kind::{CountryKind, EntityKind, Gender, NameKind};

/// An entry of a list: one party or object with its names and other data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Id of the entry, unique within its list.
    pub id: String,
    /// Kind of party or object.
    pub kind: EntityKind,
    /// Names and aliases. There is at least one, and the primary name comes first.
    pub names: Vec<ListedName>,
    /// Possible dates of birth, founding or construction.
    pub dates: Vec<ListedDate>,
    /// Countries that are related to the entry, each with its relation.
    pub countries: Vec<ListedCountry>,
    /// Numbers of documents and registers, and contact details.
    pub identifiers: Vec<Identifier>,
    /// Sanctions programs or regimes under which the entry is listed.
    pub programs: Vec<String>,
    /// Gender, if the list states one.
    pub gender: Option<Gender>,
    /// Other information for a human reader. Remarks are never matched.
    pub remarks: Option<String>,
}

impl Entity {
    /// Returns an entity that has an id and a kind only.
    pub fn new(id: String, kind: EntityKind) -> Entity {
        Entity {
            id,
            kind,
            names: Vec::new(),
            dates: Vec::new(),
            countries: Vec::new(),
            identifiers: Vec::new(),
            programs: Vec::new(),
            gender: None,
            remarks: None,
        }
    }
}

/// A name of an entry, with its parts if the list separates them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedName {
    /// The name as the list writes it, in any script. A name in the form `LAST, First` keeps that
    /// order.
    pub text: String,
    /// Classification of the name by the list.
    pub kind: NameKind,
    /// Given names, if the list separates them from the family name.
    pub given: Option<String>,
    /// Family name, if the list separates it from the given names.
    pub family: Option<String>,
}

impl ListedName {
    /// Returns a name whose parts are not known.
    pub fn whole(text: String, kind: NameKind) -> ListedName {
        ListedName { text, kind, given: None, family: None }
    }
}

/// A date with the precision that the list states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDate {
    /// Year, or the first year of a range.
    pub year: i16,
    /// Month, from 1 to 12, if it is known.
    pub month: Option<u8>,
    /// Day of the month, from 1 to 31, if it is known.
    pub day: Option<u8>,
    /// Last year of a range that begins with `year`. `None` if the date is not a range.
    pub until_year: Option<i16>,
    /// True if the list marks the date as approximate.
    pub circa: bool,
}

/// A country that is related to an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCountry {
    /// ISO 3166-1 alpha-2 code. Codes of former countries (SU, YU, CS, DD, AN) and XK for Kosovo
    /// are allowed.
    pub code: String,
    /// Relation of the country to the entry.
    pub kind: CountryKind,
}

/// A number or address that identifies a party or an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Kind as a lower-case word, such as `passport`, `national_id`, `tax_id`, `registration`,
    /// `imo`, `mmsi`, `lei`, `swift`, `crypto` or `other`.
    pub kind: String,
    /// The identifier as the list writes it.
    pub value: String,
    /// ISO 3166-1 alpha-2 code of the issuing country, if it is known.
    pub country: Option<String>,
}
