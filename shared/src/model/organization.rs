//! The structure behind a customer, as it was declared: parties, and who holds what of whom.

use super::value::one_of;
use std::collections::HashMap;
use strum::VariantNames;

use serde::{Deserialize, Serialize};
use time::Date;

use super::customer::Customer;
use super::fields::Fields;
use super::id::CustomerId;
use super::percentage::Percentage;
use super::profile::EntityType;
use super::time::Timestamp;
use super::value::{CalendarDate, Country, Name, PartyId, TaxId};
use crate::error::Faults;

pub const MAX_PARTIES: usize = 500;
pub const MAX_RELATIONSHIPS: usize = 2_000;

/// What rounding to 4 decimals may add to a hundred per cent, in ten-thousandths of a per cent.
pub const ROUNDING_UNITS: u32 = 100;

/// What kind of party it is.
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
pub enum PartyKind {
    Individual,
    Company,
}

/// What a party does for the customer.
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
pub enum Role {
    Director,
    Representative,
    SeniorManager,
    Signatory,
}

/// Where a statement comes from.
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
pub enum Source {
    Declared,
    Registry,
    Document,
    Session,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Party {
    /// The caller's, unique in the structure. `self` is the customer and no party.
    pub party_id: PartyId,
    pub kind: PartyKind,
    pub name: Name,
    pub country: Option<Country>,
    /// Individuals only, in the past.
    pub date_of_birth: Option<CalendarDate>,
    /// Companies only, not in the future.
    pub incorporated_on: Option<CalendarDate>,
    pub tax_id: Option<TaxId>,
    /// No repeats.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// When the party is a customer too.
    pub customer_id: Option<CustomerId>,
    pub source: Option<Source>,
}

/// What one party holds of another. It says a percentage, a voting percentage or control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relationship {
    /// A `party_id`, or `self`.
    pub owner: PartyId,
    /// The `party_id` of a company, or `self`.
    pub owned: PartyId,
    pub percentage: Option<Percentage>,
    /// The votes; as many as `percentage` unless given.
    pub voting_percentage: Option<Percentage>,
    /// Control by other means than shares and votes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub control: bool,
    /// Not in the future.
    pub since: Option<CalendarDate>,
}

/// The body of `PUT /customers/{id}/organization`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Structure {
    #[cfg_attr(feature = "openapi", schema(max_items = 500))]
    pub parties: Vec<Party>,
    #[cfg_attr(feature = "openapi", schema(max_items = 2000))]
    pub relationships: Vec<Relationship>,
}

/// A structure and its place in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    /// From 1, one more with every change; the `ETag` in quotes.
    pub version: u64,
    pub updated_at: Timestamp,
    pub structure: Structure,
}

impl Structure {
    /// Reads the fields and records every fault. What it returns is of use without faults only.
    pub fn read(fields: &mut Fields<'_>, today: Option<Date>) -> Structure {
        // By id, also of parties with other faults: a relationship with one of these is none.
        let mut known: HashMap<PartyId, (usize, Option<PartyKind>)> = HashMap::new();
        for list in ["parties", "relationships"] {
            if !fields.gives(list) {
                fields.fault(list, "is required");
            }
        }
        let parties = fields.objects("parties", MAX_PARTIES, |at, fields| {
            Party::read(fields, today, |id, kind| match known.get(id) {
                Some((first, _)) => Err(format!("is that of /parties/{first} already")),
                None => {
                    known.insert(id.clone(), (at, kind));
                    Ok(())
                }
            })
        });
        let kind_of = |id: &PartyId| match id.is_customer() {
            true => Some(Some(PartyKind::Company)),
            false => known.get(id).map(|(_, kind)| *kind),
        };
        let mut declared = Declared::default();
        let relationships = fields.objects("relationships", MAX_RELATIONSHIPS, |at, fields| {
            Relationship::read(at, fields, today, kind_of, &mut declared)
        });
        Structure { parties, relationships }
    }

    /// What only shows with the customer at hand: an individual has no owners.
    pub fn check(&self, customer: &Customer, faults: &mut Faults) {
        if customer.profile.entity_type == EntityType::Company {
            return;
        }
        for (i, relationship) in self.relationships.iter().enumerate() {
            if relationship.owned.is_customer() {
                let issue = "names the customer, an individual, and nobody owns one";
                faults.add(format!("/relationships/{i}/owned"), issue);
            }
        }
    }
}

impl Party {
    fn read(
        fields: &mut Fields<'_>,
        today: Option<Date>,
        mut register: impl FnMut(&PartyId, Option<PartyKind>) -> Result<(), String>,
    ) -> Option<Party> {
        let party_id = fields.required("party_id", PartyId::parse);
        let kind = fields.required("kind", one_of::<PartyKind>);
        if let Some(id) = &party_id {
            let registered = match id.is_customer() {
                true => Err("must not be `self`, which is the customer".to_owned()),
                false => register(id, kind),
            };
            if let Err(issue) = registered {
                fields.fault("party_id", issue);
            }
        }
        let name = fields.required("name", Name::parse);
        let country = fields.text("country", Country::parse);
        let date_of_birth = fields.text("date_of_birth", CalendarDate::parse);
        let incorporated_on = fields.text("incorporated_on", CalendarDate::parse);
        if date_of_birth.is_some() && kind == Some(PartyKind::Company) {
            fields.fault("date_of_birth", "is for individuals only");
        } else if is_past(&date_of_birth, today) == Some(false) {
            fields.fault("date_of_birth", "must be in the past");
        }
        if incorporated_on.is_some() && kind == Some(PartyKind::Individual) {
            fields.fault("incorporated_on", "is for companies only");
        } else if is_future(&incorporated_on, today) {
            fields.fault("incorporated_on", "must not be in the future");
        }
        let tax_id = fields.text("tax_id", TaxId::parse);
        let roles = fields.texts("roles", Role::VARIANTS.len(), one_of::<Role>);
        if roles.iter().enumerate().any(|(i, role)| roles.iter().take(i).any(|r| r == role)) {
            fields.fault("roles", "must have no repeats");
        }
        let customer_id = fields.text("customer_id", |text| {
            CustomerId::parse(text).ok_or_else(|| "must be a customer's id".to_owned())
        });
        let source = fields.text("source", one_of::<Source>);
        Some(Party {
            party_id: party_id?,
            kind: kind?,
            name: name?,
            country,
            date_of_birth,
            incorporated_on,
            tax_id,
            roles,
            customer_id,
            source,
        })
    }
}

/// What was said so far, to tell when it is said twice or is too much.
#[derive(Default)]
struct Declared {
    /// Where each pair of owner and owned was.
    pairs: HashMap<(PartyId, PartyId), usize>,
    percentage: HashMap<PartyId, u32>,
    votes: HashMap<PartyId, u32>,
}

impl Relationship {
    fn read(
        at: usize,
        fields: &mut Fields<'_>,
        today: Option<Date>,
        kind_of: impl Fn(&PartyId) -> Option<Option<PartyKind>>,
        declared: &mut Declared,
    ) -> Option<Relationship> {
        let owner = fields.required("owner", PartyId::parse);
        let owned = fields.required("owned", PartyId::parse);
        for (field, id) in [("owner", &owner), ("owned", &owned)] {
            match id.as_ref().map(&kind_of) {
                Some(None) => fields.fault(field, "names no party of this structure"),
                Some(Some(Some(PartyKind::Individual))) if field == "owned" => {
                    fields.fault(field, "names an individual, and nobody owns one");
                }
                _ => {}
            }
        }
        let says_nothing = !fields.gives("percentage") && !fields.gives("voting_percentage");
        let percentage = fields.number("percentage", Percentage::parse);
        let voting_percentage = fields.number("voting_percentage", Percentage::parse);
        let control = fields.flag("control");
        let since = fields.text("since", CalendarDate::parse);
        if is_future(&since, today) {
            fields.fault("since", "must not be in the future");
        }
        if says_nothing && !control {
            let issue = "or voting_percentage is required, or control must be true";
            fields.fault("percentage", issue);
        }
        let (owner, owned) = (owner?, owned?);
        let pair = (owner.clone(), owned.clone());
        if let Some(first) = declared.pairs.get(&pair) {
            let issue = format!("has the owner and owned of /relationships/{first} already");
            fields.fault("owner", issue);
        } else {
            declared.pairs.insert(pair, at);
            let votes = voting_percentage.or(percentage);
            let held = [
                ("percentage", percentage, &mut declared.percentage),
                ("voting_percentage", votes, &mut declared.votes),
            ];
            for (field, held, sums) in held {
                let sum = sums.entry(owned.clone()).or_default();
                let before = *sum;
                *sum += held.map_or(0, Percentage::units);
                // The one that goes over is named, and those after it that add to it.
                let limit = 1_000_000 + ROUNDING_UNITS;
                if *sum > limit && *sum > before {
                    let all = f64::from(*sum) / 10_000.0;
                    fields.fault(
                        field,
                        format!("brings what is declared in this company to {all} %"),
                    );
                }
            }
        }
        Some(Relationship { owner, owned, percentage, voting_percentage, control, since })
    }

    /// What it holds of the votes.
    pub fn votes(&self) -> Option<Percentage> {
        self.voting_percentage.or(self.percentage)
    }
}

fn is_past(date: &Option<CalendarDate>, today: Option<Date>) -> Option<bool> {
    let day = date.as_ref().and_then(CalendarDate::date);
    day.zip(today).map(|(day, today)| day < today)
}

fn is_future(date: &Option<CalendarDate>, today: Option<Date>) -> bool {
    let day = date.as_ref().and_then(CalendarDate::date);
    day.zip(today).is_some_and(|(day, today)| day > today)
}
